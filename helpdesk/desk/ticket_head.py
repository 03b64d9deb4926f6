"""Head of one ticket's page: its clocks, who looks at it, what of it is on its way to the PSA."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from helpdesk.accounts.models import User
from helpdesk.actions.models import Escalation
from helpdesk.desk.clock_cards import clock_cards
from helpdesk.desk.presence import present
from helpdesk.outbox.choices import State, Verb
from helpdesk.outbox.models import OutboxItem
from helpdesk.tickets.fields import FIELDS
from helpdesk.tickets.models import Ticket


def head_context(ticket: Ticket, user: User, now: datetime, items: Sequence[OutboxItem]) -> dict[str, Any]:
    return {
        "cards": clock_cards(ticket, now),
        "watching": present([ticket.pk], but=user.pk, now=now.timestamp()).get(ticket.pk, []),
        "moving": moving_fields(items),
        "psa_url": psa_url(ticket),
        "owner": owner_name(ticket),
        "escalation": _escalation(ticket),
    }


def owner_name(ticket: Ticket) -> str:
    if ticket.agent is None:
        return ""
    return str(ticket.agent.user.name if ticket.agent.user else ticket.agent.name)


def _escalation(ticket: Ticket) -> Escalation | None:
    """The last one that still holds, while somebody works on the ticket."""
    if ticket.escalated_at is None or ticket.is_finished:
        return None
    return ticket.escalations.going_on().marking().select_related("user").last()


def psa_url(ticket: Ticket) -> str:
    """The record in the PSA's own pages."""
    address = ticket.psa_account.ticket_url
    if not ticket.remote_id or not address.startswith(("https://", "http://")):
        return ""
    return address.replace("{remote_id}", ticket.remote_id)


def refused_fields(items: Sequence[OutboxItem]) -> dict[str, str]:
    """field -> what the PSA said against the value that stands there."""
    refused = (i for i in items if i.state == State.REFUSED and i.verb in (Verb.UPDATE_TICKET, Verb.CREATE_TICKET))
    return {name: str(text) for item in refused for name, text in item.error_fields.items() if name in FIELDS and text}


def moving_fields(items: Sequence[OutboxItem]) -> dict[str, str]:
    """field -> the sync word of its change under way; the worst counts."""
    worst = {"refused": 3, "checking": 2, "pending": 1}
    found: dict[str, str] = {}
    for item in items:
        names = set(item.fields) & set(FIELDS) if item.verb == Verb.UPDATE_TICKET else set()
        if item.verb == Verb.CREATE_ACTION and item.fields.get("new_status"):
            names = {"status"}
        for name in names:
            if worst.get(item.sync, 0) > worst.get(found.get(name, ""), 0):
                found[name] = item.sync
    return found
