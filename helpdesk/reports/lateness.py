"""What the reasons of late clocks are told from, read from the ledgers of the tickets. The queries do not grow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from helpdesk.reports.burns import AS_NOW, Burn, Change, Facts, Held, burn_of, changes_by_ticket, holders
from helpdesk.sla.book import current
from helpdesk.sla.choices import ClockKind, ClockSource
from helpdesk.sla.history import Runs
from helpdesk.sla.ledger import Run
from helpdesk.tickets.models import Status, Ticket, TicketEvent
from helpdesk.tickets.timeline import of_its_time, runs_of

CLOCK = ("due_at", "finished_at", "breached_at", "is_retroactive", "is_corrected", "source")
"""What is asked of a clock."""
_HOLDING = ("agent", "team", "status", "priority", "client")
_NOT_READ = ("raw", "confirmed", "description", "description_clean", "resolution")


def facts_of(kind: str, clock: Sequence[Any]) -> Facts:
    """`clock`: values of CLOCK."""
    due_at, finished_at, breached_at, is_retroactive, is_corrected, source = clock
    return Facts(
        kind=kind, due_at=due_at, ended_at=finished_at, breached_at=breached_at, is_retroactive=bool(is_retroactive),
        is_corrected=bool(is_corrected) or source == ClockSource.HAND, is_theirs=source == ClockSource.PSA,
        is_given=source in (ClockSource.PSA, ClockSource.HAND),
    )  # fmt: skip


def read_burns(asked: Mapping[int, Sequence[Facts]], now: datetime) -> dict[tuple[int, str], Burn]:
    """(ticket, kind of clock) -> who and what used its time. `asked`: by ticket, the clocks in question."""
    if not asked:
        return {}
    tickets = list(Ticket.objects.only_ids(asked).order_by().defer(*_NOT_READ))
    runs, changes = runs_of(tickets, current(), now), _changes(list(asked))
    found = {}
    for ticket in tickets:
        told = changes.get(ticket.pk, [])
        held = holders(
            Held(
                from_at=ticket.opened_at, agent=AS_NOW, team=AS_NOW, category=ticket.status_category, status=AS_NOW
            ),
            told,
        )  # fmt: skip
        for facts in asked[ticket.pk]:
            run = _ended(_run(runs.get(ticket.pk), facts.kind), facts.ended_at)
            found[ticket.pk, facts.kind] = burn_of(facts, run, held, told, now)
    return found


def _run(runs: Runs | None, kind: str) -> Run | None:
    return None if runs is None else runs.response if kind == ClockKind.RESPONSE else runs.resolution


def _ended(run: Run | None, at: datetime | None) -> Run | None:
    """As the clock says it ended: what was promised later says nothing of it."""
    return of_its_time(replace(run, finished_at=at)) if run and at else run


def _changes(ids: Sequence[int]) -> dict[int, list[Change]]:
    """What moved each ticket from hand to hand; two queries."""
    columns = ("ticket_id", "field", "at", "old", "new", "old_label", "new_label", "actor")
    events = TicketEvent.objects.filter(ticket__in=ids, field__in=_HOLDING).order_by("at", "pk")
    rows = list(events.values_list(*columns))
    keys = {int(key) for row in rows if row[1] == "status" for key in row[3:5] if key.isdecimal()}
    categories = {str(pk): c for pk, c in Status.objects.filter(pk__in=keys).values_list("pk", "category")}
    return changes_by_ticket(rows, categories)
