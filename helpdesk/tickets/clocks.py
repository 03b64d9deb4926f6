"""From a ticket's story to its clocks and the columns that lists sort by. Pure but for the rows it is handed.

Ours is worked out from the events, by the policy and the calendar; the PSA's own dates stand beside it. Which of the
two is shown first is the account's choice; where one says nothing, the other is shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from helpdesk.core import bulk
from helpdesk.core.formatting import FOREVER
from helpdesk.sla.book import Book
from helpdesk.sla.choices import DATED, ClockKind, ClockSource, Problem
from helpdesk.sla.clock import Facts, read_clock
from helpdesk.sla.hours import Calendar
from helpdesk.sla.ledger import Reading, Run, crossed, joined, read
from helpdesk.tickets import differing
from helpdesk.tickets.choices import FINISHED, SlaClock
from helpdesk.tickets.models import Correction, Status, Ticket, TicketClock
from helpdesk.tickets.moments import ended_at
from helpdesk.tickets.promises import AccountRules, Promise
from helpdesk.tickets.stories import Story
from helpdesk.tickets.timeline import Meanings, Told, of_its_time, tell

DUE_FIELDS: Mapping[str, str] = {ClockKind.RESPONSE: "response_due_at", ClockKind.RESOLUTION: "resolution_due_at"}
"""Clock -> the column with the PSA's date."""
DATING = ("priority", "sla_policy")
"""Fields that the PSA's dates follow."""
ROW_FIELDS = (
    "next_clock", "clock_state", "next_due_at", "next_at_risk_at", "clock_seconds", "clock_calendar", "finished_at",
)  # fmt: skip
CLOCK_FIELDS = (
    "state", "target_seconds", "started_at", "due_at", "at_risk_at", "remaining_seconds", "paused_since",
    "breached_at", "finished_at", "is_retroactive", "is_corrected", "source", "policy_id", "policy_version", "cycle",
    "earlier", "burned_seconds", "paused_seconds", "our_due_at", "their_due_at", "difference", "problem", "alert_at",
)  # fmt: skip
MOST_AHEAD = timedelta(hours=1)
"""A pause that begins later than this from now is no matter of clocks that disagree."""


@dataclass(frozen=True, kw_only=True)
class Context:
    """What tickets of one account are worked out by."""

    account: AccountRules
    meanings: Meanings
    book: Book
    now: datetime


def derive_many(tickets: Sequence[Ticket], stories: Mapping[int, Story], context: Context) -> list[list[TicketClock]]:
    """Both clocks of each ticket, unsaved, in the order of the tickets; sets the tickets' own columns."""
    told = tell(
        tickets, stories, account=context.account, meanings=context.meanings, book=context.book, now=context.now
    )
    return [derive(ticket, one, context) for ticket, one in zip(tickets, told, strict=True)]


def derive(ticket: Ticket, told: Told, context: Context) -> list[TicketClock]:
    """Both clocks of a ticket, unsaved, and the ticket's own columns set from them."""
    ticket.finished_at = finished_at(ticket, told)
    clocks = [_clock(ticket, kind, told, context) for kind in (ClockKind.RESPONSE, ClockKind.RESOLUTION)]
    _show_on_row(ticket, clocks, told.promise)
    return clocks


def finished_at(ticket: Ticket, told: Told) -> datetime | None:
    """By its PSA's stamp, else when it entered the status; later changes of its record move nothing."""
    if ticket.status_category not in FINISHED:
        return None
    return ended_at(ticket) or told.runs.resolution.finished_at or ticket.finished_at or ticket.changed_at


def stands_still(ticket: Ticket, status: Status) -> bool:
    """Whether the PSA's own clocks pause: by its hold or an outcome's, or by the status unless one released it."""
    return ticket.sla_paused or (status.sla_clock == SlaClock.PAUSED and not ticket.sla_released)


def _clock(ticket: Ticket, kind: str, told: Told, context: Context) -> TicketClock:
    run = told.runs.response if kind == ClockKind.RESPONSE else told.runs.resolution
    run = _ended(run, ticket)
    corrected = {c.what: c for c in told.corrections if c.kind == kind}
    run = _corrected(run, corrected, told.promises)
    promise, theirs = _promise_of(run, told.promises), getattr(ticket, DUE_FIELDS[kind])
    now = _judged_at(run, context.now)
    ours = read(run, now=now)
    source = promise.source if ours.target is not None else ClockSource.NONE
    shown, calendar = ours, promise.calendar
    fixed = corrected.get(Correction.What.DUE)
    if fixed is not None and fixed.instant is not None:
        shown, source, calendar = _dated(run, fixed.instant, ours.target, now), ClockSource.HAND, 0
    elif theirs is not None and _shows_theirs(ticket, told, ours, context):
        shown, source, calendar = _dated(run, theirs, ours.target, now), ClockSource.PSA, 0
    if ticket.sla_excluded or Correction.What.EXCLUDED in corrected:
        shown = Reading(state="not_started", finished_at=shown.finished_at)
        source = ClockSource.HAND if corrected else ClockSource.NONE
    clock = bulk.blank(TicketClock)
    clock._state.fields_cache["ticket"] = ticket  # as setting it does, in a tenth of the time
    vars(clock).update(
        ticket_id=ticket.pk,
        kind=kind,
        state=shown.state,
        target_seconds=ours.target,
        started_at=run.started_at,
        due_at=shown.due_at,
        at_risk_at=shown.at_risk_at,
        remaining_seconds=shown.left if shown.state == "paused" else None,
        paused_since=shown.paused_since,
        breached_at=shown.breached_at,
        finished_at=shown.finished_at,
        is_retroactive=shown.is_retroactive,
        is_corrected=bool(corrected),
        source=source,
        policy_id=promise.policy.policy if promise.policy else None,
        policy_version=promise.policy.number if promise.policy else 0,
        cycle=1 + (len(told.runs.earlier) if kind == ClockKind.RESOLUTION else 0),
        earlier=[_verdict(one, context.now) for one in told.runs.earlier] if kind == ClockKind.RESOLUTION else [],
        burned_seconds=ours.burned if shown.finished_at is not None else None,
        paused_seconds=_paused(run, ours, now),
        our_due_at=ours.due_at,
        their_due_at=theirs,
        problem=promise.problem or (Problem.NEVER_OPEN if ours.problem == "never_open" else ""),
    )
    clock.difference = _difference(ticket, clock, run, promise, context) if told.is_whole else ""
    clock.alert_at = _alert_at(clock, run, context)
    clock.seconds = _for_people(clock, shown, run, now)  # type: ignore[attr-defined]
    if clock.seconds is not None and clock.seconds < 0:  # type: ignore[attr-defined]
        clock.remaining_seconds = clock.seconds  # type: ignore[attr-defined]
    clock.calendar = calendar  # type: ignore[attr-defined]
    return clock


def _shows_theirs(ticket: Ticket, told: Told, ours: Reading, context: Context) -> bool:
    """Where we promise nothing, where the account wants it, and until we know what went before."""
    if ours.target is None or not told.is_whole:
        return True
    return context.account.shows_theirs and not ticket.are_dates_old


def _ended(run: Run, ticket: Ticket) -> Run:
    """A clock ends with its ticket at the latest, also where its history is ahead of the record."""
    return run if run.finished_at or ticket.finished_at is None else replace(run, finished_at=ticket.finished_at)


def _corrected(run: Run, corrected: Mapping[Any, Correction], promised: Sequence[Promise]) -> Run:
    """Ended when a person says so, by what was promised until then."""
    ended = corrected.get(Correction.What.FINISHED)
    if ended is None or ended.instant is None:
        return run
    is_response = ended.kind == ClockKind.RESPONSE
    terms = tuple(p.response if is_response else p.resolution for p in promised)
    return of_its_time(replace(run, terms=terms, finished_at=ended.instant))


def _judged_at(run: Run, now: datetime) -> datetime:
    """Not before what is known of it: a PSA whose clock runs ahead of ours is read before it happened, and once."""
    if run.finished_at is not None:
        return max(now, run.finished_at)
    begun = run.pauses[-1].from_at if run.pauses and run.pauses[-1].to_at is None else now
    return begun if now < begun < now + MOST_AHEAD else now


def _promise_of(run: Run, promised: Sequence[Promise]) -> Promise:
    """The promise by which a run is judged: the last one before its end."""
    return promised[len(run.terms) - 1]


def _dated(run: Run, due: datetime, target: int | None, now: datetime) -> Reading:
    """The clock by a date that is simply given: by the PSA, or by hand."""
    pauses = joined(run.pauses, start=run.started_at)
    since = next((p.from_at for p in pauses if p.from_at <= now and (p.to_at is None or p.to_at > now)), None)
    found = read_clock(
        Facts(
            started_at=run.started_at,
            due_at=due,
            target_seconds=target,
            finished_at=run.finished_at if run.finished_at and run.finished_at <= now else None,
            paused_since=since,
        ),
        now=now,
    )
    return Reading(
        state=found.state, due_at=found.due_at, at_risk_at=found.at_risk_at, paused_since=found.paused_since,
        breached_at=found.breached_at, finished_at=found.finished_at, target=target,
        burned=found.seconds or 0 if found.state == "met" else 0,
        left=found.remaining_seconds, over=found.seconds if found.state == "breached" else None,
    )  # fmt: skip


def _verdict(cycle: Run, now: datetime) -> list[Any]:
    """What became of a cycle that was reopened, by what was promised then."""
    run = of_its_time(cycle)
    found = read(run, now=now)
    at = run.finished_at.isoformat() if run.finished_at else ""
    return [at, found.state == "breached", found.is_retroactive, found.burned, _paused(run, found, now)]


def _paused(run: Run, ours: Reading, now: datetime) -> int:
    if not run.pauses or not run.terms:
        return 0
    end = min(run.finished_at or now, ours.paused_since or now, now)
    return max(0, run.terms[-1].calendar.elapsed(run.started_at, end) - ours.burned) if ours.target is not None else 0


def _difference(ticket: Ticket, clock: TicketClock, run: Run, promise: Promise, context: Context) -> str:
    """Why the PSA has another date; what it could go by is gathered only where it has. Dates of before say nothing."""
    if clock.their_due_at is None or ticket.are_dates_old or clock.source == ClockSource.NONE:
        return ""
    is_ours_by_hand = clock.source == ClockSource.HAND
    ours = (clock.due_at if is_ours_by_hand else clock.our_due_at) or differing.as_shown(run)
    is_same = ours is not None and differing.is_same(ours, clock.their_due_at)
    return differing.why(
        kind=clock.kind,
        run=run,
        ours=ours,
        theirs=clock.their_due_at,
        their_response_at=ticket.first_responded_at,
        deadline_at=ticket.deadline_at,
        is_corrected=is_ours_by_hand,
        targets=() if is_same else _other_targets(clock.kind, promise, context.account),
        calendars=() if is_same else _their_hours(ticket, context),
    )


def _other_targets(kind: str, promise: Promise, account: AccountRules) -> list[differing.Target]:
    """What the same policy promises for the other priorities."""
    if promise.policy is None:
        usual = (pair[0] if kind == ClockKind.RESPONSE else pair[1] for pair in account.targets.values())
        return [(seconds, False) for seconds in usual if seconds]
    return [(seconds, in_days) for seconds, in_days in promise.policy.targets[kind] if seconds]


def _their_hours(ticket: Ticket, context: Context) -> list[Calendar]:
    """The opening hours of the policy that the PSA put on the ticket."""
    policy = context.book.policy(ticket.sla_policy_id, context.now)
    keys = {row.calendar for row in policy.by_priority.values()} if policy else set()
    return [calendar for key in keys if (calendar := context.book.calendar(key, context.now)) is not None]


def _alert_at(clock: TicketClock, run: Run, context: Context) -> datetime | None:
    """The first instant at which somebody may have to be told of it."""
    if clock.finished_at is not None or clock.state == "not_started":
        return None
    if clock.state == "breached":
        return clock.due_at
    if clock.state == "paused":
        return None
    terms = context.book.policy(clock.policy_id, context.now)  # as it tells today
    thresholds = terms.thresholds if terms else (50, 75, 90, 100)
    if not thresholds or thresholds[0] >= 100 or clock.due_at is None:
        return clock.due_at
    if clock.source in DATED:
        return run.started_at + (clock.due_at - run.started_at) * thresholds[0] / 100
    return crossed(run, thresholds[0] / 100)


def _for_people(clock: TicketClock, shown: Reading, run: Run, now: datetime) -> int | None:
    """Paused: open seconds left. Met: those it took. Breached, and finished or standing still: those over. Breached and
    running again: those that it stood still since its deadline, below zero, so that pages leave them out."""
    if clock.state == "paused":
        return shown.left
    if clock.state == "met":
        return shown.burned
    if clock.state == "breached" and (clock.finished_at is not None or clock.paused_since is not None):
        return shown.over
    if clock.state == "breached" and clock.due_at is not None and shown.over is not None and run.pauses:
        return min(0, shown.over - run.terms[-1].calendar.elapsed(clock.due_at, now)) or None
    return None


def _show_on_row(ticket: Ticket, clocks: list[TicketClock], promise: Promise) -> None:
    """A row shows the clock that runs out next; when none runs, a paused one; when all is over, the resolution."""
    ticking = [c for c in clocks if c.finished_at is None and c.due_at is not None]
    paused = [c for c in clocks if c.finished_at is None and c.state == "paused"]
    if ticking:
        shown = min(ticking, key=lambda c: c.due_at or FOREVER)
        ticket.next_due_at, ticket.next_at_risk_at = shown.due_at or FOREVER, shown.at_risk_at
    else:
        shown = min(paused, key=lambda c: c.remaining_seconds or 0) if paused else clocks[1]
        ticket.next_due_at, ticket.next_at_risk_at = FOREVER, None
    ticket.next_clock = shown.kind
    ticket.clock_state = shown.state
    ticket.clock_seconds = shown.seconds  # type: ignore[attr-defined]
    ticket.clock_calendar = shown.calendar  # type: ignore[attr-defined]


def save_clocks(clocks: Iterable[TicketClock]) -> None:
    """Write clocks in one statement, new or known."""
    rows = list(clocks)
    for clock in rows:
        clock.ticket_id = clock.ticket.pk  # a new ticket had no key yet when its clocks were reckoned
    bulk.upsert(rows, unique=("ticket", "kind"), update=CLOCK_FIELDS)
