"""Read one ticket now, for somebody who looks at it or because a hint named it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from connectors.base.connector import Connector
from connectors.base.errors import ConnectorError, NotFound
from connectors.sync import action_feed, gateway, inbound
from connectors.sync.feeds import Run
from helpdesk.directory.models import PsaAccount
from helpdesk.tickets import upkeep
from helpdesk.tickets.models import Ticket


def read_ticket(*, ticket_id: int, clock: Callable[[], datetime]) -> bool:
    """Bring one ticket, its actions and its files up to date at people's rank. False when the PSA did not tell."""
    ticket = Ticket.objects.select_related("psa_account").filter(pk=ticket_id).exclude(remote_id=None).first()
    if ticket is None:
        return False
    return read_remote(account=ticket.psa_account, remote_id=str(ticket.remote_id), clock=clock)


def read_remote(*, account: PsaAccount, remote_id: str, clock: Callable[[], datetime]) -> bool:
    """The same for a ticket that may be new to us."""
    try:
        with gateway.using(account, rank=gateway.PEOPLE, clock=clock) as connector:
            read_with(account=account, connector=connector, remote_id=remote_id, clock=clock)
    except ConnectorError:
        return False  # health and breaker know; the next pull tells
    return True


def read_with(*, account: PsaAccount, connector: Connector, remote_id: str, clock: Callable[[], datetime]) -> None:
    """Bring one ticket up to date, new to us or known; one that is not there any more is marked. ConnectorError."""
    run = Run(account, connector, clock, clock())
    try:
        record = connector.ticket(remote_id)
    except NotFound:
        gone = Ticket.objects.present().filter(psa_account=account, remote_id=remote_id)
        upkeep.mark_removed(ticket_ids=list(gone.values_list("pk", flat=True)), now=clock())
        return
    applied = inbound.apply(account=account, rows=[record], keys=run.keys, now=clock(), is_forced=True)
    ticket = Ticket.objects.filter(pk__in=applied.tickets.values()).first()
    if ticket is not None:
        action_feed.read_ticket_actions(account=account, connector=connector, ticket=ticket, keys=run.keys, run=run)
