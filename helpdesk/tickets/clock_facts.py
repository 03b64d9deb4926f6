"""What a stored clock says of itself beyond its columns: which hours it counts by, and how much of it is used. Pure but
for the book, which is in memory."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from helpdesk.sla.book import recent
from helpdesk.sla.choices import ClockSource, ClockState
from helpdesk.sla.hours import Calendar
from helpdesk.sla.opening import hours_of
from helpdesk.sla.versions import AROUND_THE_CLOCK
from helpdesk.tickets.models import TicketClock


def calendar_of(clock: TicketClock) -> int:
    """Key of the calendar that a clock counts by: none where its date is simply given, or its ticket is not at hand."""
    return calendar_between(clock, clock._state.fields_cache.get("ticket"))


def calendar_between(clock: Any, ticket: Any) -> int:
    """The same for columns: of a clock those of `TicketClock`; of its ticket `next_clock`, `clock_calendar`,
    `clock_seconds`, `rank` and `opened_at`, where it is at hand."""
    if clock.source != ClockSource.POLICY or ticket is None:
        return AROUND_THE_CLOCK
    if ticket.next_clock == clock.kind:
        return ticket.clock_calendar
    terms = recent().policy(clock.policy_id, clock.finished_at or clock.started_at or ticket.opened_at)
    promised = terms.by_rank.get(ticket.rank) if terms else None
    return promised.calendar if promised else AROUND_THE_CLOCK


def seconds_of(clock: TicketClock) -> float | None:
    """For people: paused, open seconds left; met, those it took; breached, and finished or standing still, those over.
    None while it runs, or (late, and standing still since) those that it stood, below zero."""
    return seconds_between(clock, clock._state.fields_cache.get("ticket"))


def seconds_between(clock: Any, ticket: Any) -> float | None:
    """The same for columns, as in `calendar_between`."""
    if clock.state == ClockState.PAUSED:
        return clock.remaining_seconds
    stopped = clock.finished_at or (clock.paused_since if clock.state == ClockState.BREACHED else None)
    if stopped is None:
        late = clock.state == ClockState.BREACHED and (clock.remaining_seconds or 0) < 0
        return clock.remaining_seconds if late else None
    hours = hours_of(calendar_between(clock, ticket))
    if clock.state == ClockState.BREACHED:
        over = _over(clock, ticket)
        return over if over is not None else _between(clock.due_at, stopped, hours)
    if clock.burned_seconds is not None and clock.source in (ClockSource.POLICY, ClockSource.DEFAULT):
        return clock.burned_seconds
    return _between(clock.started_at, stopped, hours)


def _over(clock: Any, ticket: Any) -> int | None:
    """As it was worked out, pauses left out; None where that is not at hand, or a date is simply given."""
    if clock.source not in (ClockSource.POLICY, ClockSource.DEFAULT):
        return None
    if clock.burned_seconds is not None and clock.target_seconds is not None:
        return max(0, clock.burned_seconds - clock.target_seconds)
    if ticket is None or clock.finished_at is not None or ticket.next_clock != clock.kind:
        return None
    return int(ticket.clock_seconds) if ticket.clock_seconds is not None else None


def _between(start: datetime | None, end: datetime, hours: Calendar | None) -> float | None:
    if start is None:
        return None
    return hours.elapsed(start, end) if hours else (end - start).total_seconds()


def used_share(clock: TicketClock, state: str, now: datetime) -> int:
    """How much of the promise is used, in percent."""
    if state == ClockState.BREACHED:
        return 100
    if state == ClockState.PAUSED and clock.target_seconds:
        return _percent(clock.target_seconds - (clock.remaining_seconds or 0), clock.target_seconds)
    end = clock.finished_at or now
    if clock.burned_seconds is not None and clock.target_seconds:
        return _percent(clock.burned_seconds, clock.target_seconds)
    hours = hours_of(calendar_of(clock))
    if clock.due_at is None or clock.started_at is None:
        return 0
    left, whole = _between(end, clock.due_at, hours) or 0, _between(clock.started_at, clock.due_at, hours) or 0
    target = clock.target_seconds if clock.source in (ClockSource.POLICY, ClockSource.DEFAULT) else None
    return _percent((target or whole) - left, target or whole)


def _percent(part: float, whole: float) -> int:
    return max(0, min(100, round(100 * part / whole))) if whole > 0 else 0
