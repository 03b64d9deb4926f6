"""From a ticket's facts to its clocks and the columns that lists sort by. Pure but for the rows it is handed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from helpdesk.core import bulk
from helpdesk.core.formatting import FOREVER
from helpdesk.sla.choices import ClockKind
from helpdesk.sla.clock import Facts, Reading, read_clock
from helpdesk.sla.models import Target
from helpdesk.tickets.choices import FINISHED, SlaClock
from helpdesk.tickets.models import Status, Ticket, TicketClock

DEFAULT_TARGETS: Mapping[int, tuple[int, int]] = {
    1: (15 * 60, 3600),
    2: (3600, 4 * 3600),
    3: (4 * 3600, 8 * 3600),
    4: (8 * 3600, 24 * 3600),
}
"""rank -> (response, resolution) seconds: what is promised where neither PSA nor policy says anything."""

DUE_FIELDS: Mapping[str, str] = {ClockKind.RESPONSE: "response_due_at", ClockKind.RESOLUTION: "resolution_due_at"}
"""Clock -> the column with its date. A name also found in `Ticket.confirmed` means: the column holds the date that we
expect for a change of ours, the PSA's own is there."""
DATING = ("priority", "sla_policy")
"""Fields that the PSA's dates follow."""

ROW_FIELDS = ("next_clock", "clock_state", "next_due_at", "next_at_risk_at", "clock_seconds", "finished_at")


def derive(
    ticket: Ticket,
    *,
    status: Status,
    target: Target | None,
    before: Mapping[str, TicketClock],
    now: datetime,
    paused_at: datetime | None = None,
) -> list[TicketClock]:
    """Both clocks of a ticket, unsaved, and the ticket's own columns set from them.

    `before` holds the clocks as they were: a pause goes on from where it began. `paused_at` is when a pause that is
    new to us began; None = now.
    """
    ticket.finished_at = _finished_at(ticket)
    clocks = [
        _clock(ticket, kind, status, target, before.get(kind), now, paused_at or now)
        for kind in (ClockKind.RESPONSE, ClockKind.RESOLUTION)
    ]
    _show_on_row(ticket, clocks)
    return clocks


def stands_still(ticket: Ticket, status: Status) -> bool:
    """Whether the clocks are to pause: by the PSA's hold or an outcome's, or by the status unless one released it."""
    return ticket.sla_paused or (status.sla_clock == SlaClock.PAUSED and not ticket.sla_released)


def _finished_at(ticket: Ticket) -> datetime | None:
    """Without a stamp of its own it was finished when we first saw it so: later changes of its record move nothing."""
    if ticket.status_category not in FINISHED:
        return None
    stamped = ticket.resolved_at or ticket.closed_at or ticket.finished_at
    return stamped or ticket.remote_updated_at or ticket.changed_at


def _clock(
    ticket: Ticket,
    kind: ClockKind,
    status: Status,
    target: Target | None,
    old: TicketClock | None,
    now: datetime,
    paused_at: datetime,
) -> TicketClock:
    is_response = kind == ClockKind.RESPONSE
    theirs = ticket.response_due_at if is_response else ticket.resolution_due_at
    seconds, source = _promise(ticket, target, is_response=is_response)
    due = theirs or (ticket.opened_at + timedelta(seconds=seconds) if seconds is not None else None)
    end = (ticket.first_responded_at or ticket.finished_at) if is_response else ticket.finished_at
    paused = stands_still(ticket, status) and end is None
    since = (old.paused_since if old and old.paused_since else paused_at) if paused else None
    reading = read_clock(
        Facts(
            started_at=ticket.opened_at,
            due_at=due,
            target_seconds=seconds,
            finished_at=end,
            paused_since=since,
            is_excluded=ticket.sla_excluded,
        ),
        now=now,
    )
    is_psas = theirs is not None and DUE_FIELDS[kind] not in ticket.confirmed
    return _row(ticket, kind, reading, seconds, "psa" if is_psas else source)


def _promise(ticket: Ticket, target: Target | None, *, is_response: bool) -> tuple[int | None, str]:
    if target is not None:
        return (target.response_seconds if is_response else target.resolution_seconds), "policy"
    promised = DEFAULT_TARGETS.get(ticket.rank)
    return (promised[0 if is_response else 1], "default") if promised else (None, "none")


def promises(ticket: Ticket, target: Target | None) -> dict[str, int | None]:
    """Clock -> seconds promised to the ticket as it is: its target's, else the default's."""
    return {kind: _promise(ticket, target, is_response=kind == ClockKind.RESPONSE)[0] for kind in DUE_FIELDS}


def expect_dates(ticket: Ticket, *, old: Mapping[str, int | None], new: Mapping[str, int | None]) -> None:
    """The promise changed here: put our own dates in place of the PSA's until it sends new ones.

    From the original start, with the time it stood still so far. The PSA's are kept in `confirmed` meanwhile.
    """
    for kind, name in DUE_FIELDS.items():
        is_over = ticket.status_category in FINISHED or (kind == ClockKind.RESPONSE and ticket.first_responded_at)
        due = getattr(ticket, name)
        before, after = old[kind], new[kind]
        if is_over or due is None or before == after:
            continue
        ticket.confirmed = {name: due.isoformat(), **ticket.confirmed}
        stood_still = timedelta(0)
        if before is not None:
            stood_still = max(stood_still, due - ticket.opened_at - timedelta(seconds=before))
        expected = None if after is None else ticket.opened_at + timedelta(seconds=after) + stood_still
        setattr(ticket, name, expected)


def take_psas_dates(ticket: Ticket) -> bool:
    """Our expectation was given up: back to the PSA's own last dates. False when there was none."""
    kept = [name for name in DUE_FIELDS.values() if name in ticket.confirmed]
    for name in kept:
        text = ticket.confirmed[name]
        setattr(ticket, name, datetime.fromisoformat(text) if text else None)
    ticket.confirmed = {k: v for k, v in ticket.confirmed.items() if k not in kept}
    return bool(kept)


def _row(ticket: Ticket, kind: ClockKind, reading: Reading, seconds: int | None, source: str) -> TicketClock:
    clock = TicketClock(
        ticket=ticket,
        kind=kind,
        state=reading.state,
        target_seconds=seconds,
        started_at=ticket.opened_at,
        due_at=reading.due_at,
        at_risk_at=reading.at_risk_at,
        remaining_seconds=reading.remaining_seconds,
        paused_since=reading.paused_since,
        breached_at=reading.breached_at,
        finished_at=reading.finished_at,
        source=source if reading.state != "not_started" else "none",
    )
    clock.seconds = reading.seconds  # type: ignore[attr-defined]
    return clock


def _show_on_row(ticket: Ticket, clocks: list[TicketClock]) -> None:
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


CLOCK_FIELDS = (
    "state",
    "target_seconds",
    "started_at",
    "due_at",
    "at_risk_at",
    "remaining_seconds",
    "paused_since",
    "breached_at",
    "finished_at",
    "source",
)


def save_clocks(clocks: list[TicketClock]) -> None:
    """Write clocks in one statement, new or known."""
    for clock in clocks:
        clock.ticket_id = clock.ticket.pk  # a new ticket had no key yet when its clocks were reckoned
    bulk.upsert(clocks, unique=("ticket", "kind"), update=CLOCK_FIELDS)


def target_for(ticket: Ticket, targets: Mapping[tuple[int, str], Target], priority_remote_id: str) -> Target | None:
    """The target of the ticket's policy for its priority, out of a map by (policy id, priority remote id)."""
    return targets.get((ticket.sla_policy_id, priority_remote_id)) if ticket.sla_policy_id else None
