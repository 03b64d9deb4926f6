"""What reports want of tickets, read in a handful of queries whatever the number of tickets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from helpdesk.actions.models import TimeEntry
from helpdesk.reports.contributions import ClockFacts, Facts, TimeFacts
from helpdesk.sla.choices import ClockState
from helpdesk.tickets.choices import FINISHED, Category
from helpdesk.tickets.models import Status, Ticket, TicketClock, TicketEvent

_COLUMNS = (
    "pk", "client_id", "team_id", "rank", "agent_id", "status_category", "opened_at", "finished_at",
    "first_responded_at", "escalated_at",
)  # fmt: skip


def read_facts(ids: Sequence[int]) -> dict[int, Facts]:
    """ticket -> its facts. A ticket that is gone, here or in the PSA, is missing."""
    tickets = list(Ticket.objects.present().only_ids(ids).order_by().values_list(*_COLUMNS))
    here = [row[0] for row in tickets]
    clocks, time, moves = _clocks(here), _time(here), _moves(here)
    found = {}
    for pk, client, team, rank, agent, category, opened_at, finished_at, answered_at, escalated_at in tickets:
        reopened_at, escalation_at = moves.get(pk, (None, None))
        if category == Category.ESCALATED:
            escalation_at = escalation_at or opened_at
        found[pk] = Facts(
            client=client or 0,
            team=team or 0,
            rank=rank,
            agent=agent or 0,
            category=category,
            opened_at=opened_at,
            finished_at=finished_at,
            first_responded_at=answered_at,
            escalated_at=escalated_at or escalation_at,
            reopened_at=reopened_at,
            clocks=clocks.get(pk, ()),
            time=time.get(pk, ()),
        )
    return found


def _clocks(ids: Sequence[int]) -> Mapping[int, list[ClockFacts]]:
    rows = TicketClock.objects.filter(
        ticket__in=ids, finished_at__isnull=False, state__in=[ClockState.MET, ClockState.BREACHED]
    ).order_by("pk")
    found: dict[int, list[ClockFacts]] = {}
    for ticket, kind, state, at, late in rows.values_list("ticket", "kind", "state", "finished_at", "is_retroactive"):
        if at is None:  # pragma: no cover - asked for above
            continue
        found.setdefault(ticket, []).append(
            ClockFacts(kind=kind, is_breached=state == ClockState.BREACHED, finished_at=at, is_retroactive=late)
        )
    return found


def _time(ids: Sequence[int]) -> Mapping[int, list[TimeFacts]]:
    rows = TimeEntry.objects.filter(ticket__in=ids, removed_at=None, action__removed_at=None).order_by("pk")
    found: dict[int, list[TimeFacts]] = {}
    for ticket, agent, at, seconds, billable in rows.values_list(
        "ticket", "agent", "ended_at", "seconds", "is_billable"
    ):
        found.setdefault(ticket, []).append(
            TimeFacts(agent=agent or 0, ended_at=at, seconds=seconds, is_billable=billable)
        )
    return found


def _moves(ids: Sequence[int]) -> Mapping[int, tuple[datetime | None, datetime | None]]:
    """ticket -> (last reopened, first escalated), read from its changes of status."""
    events = list(
        TicketEvent.objects.of_field("status")
        .filter(ticket__in=ids)
        .order_by("at", "pk")
        .values_list("ticket", "old", "new", "at")
    )
    if not events:
        return {}
    keys = {int(key) for _ticket, old, new, _at in events for key in (old, new) if key.isdecimal()}
    categories = {str(pk): c for pk, c in Status.objects.filter(pk__in=keys).values_list("pk", "category")}
    found: dict[int, tuple[datetime | None, datetime | None]] = {}
    for ticket, old, new, at in events:
        was, became = categories.get(old), categories.get(new)
        reopened, escalated = found.get(ticket, (None, None))
        if was in FINISHED and became and became not in FINISHED:
            reopened = at
        if became == Category.ESCALATED and escalated is None:
            escalated = at
        found[ticket] = (reopened, escalated)
    return found
