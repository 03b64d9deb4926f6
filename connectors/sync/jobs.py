"""From an item of the outbox to the job that carries it out."""

from __future__ import annotations

from typing import Any

from connectors.base.connector import Connector
from connectors.sync.config_verbs import CONFIG_JOBS
from connectors.sync.keys import Keys
from connectors.sync.verbs import TICKET_JOBS, Job
from helpdesk.actions.config_kinds import row_of
from helpdesk.outbox.models import OutboxItem
from helpdesk.tickets.models import Ticket


def job_of(item: OutboxItem, connector: Connector, keys: Keys) -> Job[Any] | None:
    """The job of an item; None when what it is about is not here any more."""
    if item.verb in CONFIG_JOBS:
        row = row_of(item.lane)
        return CONFIG_JOBS[item.verb](item, row, connector, keys) if row is not None else None
    ticket = Ticket.objects.filter(pk=int(item.lane.partition(":")[2])).first()
    return TICKET_JOBS[item.verb](item, ticket, connector, keys) if ticket is not None else None
