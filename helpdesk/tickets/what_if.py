"""What a change would do to a ticket's deadline, reckoned with the very functions that do it. Nothing is written."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from datetime import datetime

from helpdesk.sla.models import Target
from helpdesk.tickets import clocks
from helpdesk.tickets.models import Priority, Ticket, TicketClock
from helpdesk.tickets.writing import targets_of


def due_with(ticket: Ticket, priorities: Sequence[Priority], now: datetime) -> dict[int, datetime]:
    """Priority's key -> when the ticket would be due next with it; `FOREVER` while no deadline runs. Two queries."""
    targets = targets_of(ticket)
    before = {c.kind: c for c in ticket.clocks.all()}
    promised = clocks.promises(ticket, targets.get(ticket.priority.remote_id or ""))
    return {one.pk: _due(ticket, one, targets.get(one.remote_id or ""), promised, before, now) for one in priorities}


def _due(
    ticket: Ticket, priority: Priority, target: Target | None, promised: dict[str, int | None],
    before: dict[str, TicketClock], now: datetime,
) -> datetime:  # fmt: skip
    trial = copy.copy(ticket)
    trial.priority, trial.rank = priority, priority.rank
    if priority.pk != ticket.priority_id:
        clocks.expect_dates(trial, old=promised, new=clocks.promises(trial, target))
    clocks.derive(trial, status=trial.status, target=target, before=before, now=now)
    return trial.next_due_at
