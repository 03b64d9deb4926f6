"""Take a person's own changes back: a change of its own, sent like any other."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from helpdesk.core.errors import Stale
from helpdesk.core.origin import Origin
from helpdesk.outbox import services as outbox
from helpdesk.outbox.choices import State, Verb
from helpdesk.outbox.models import OutboxItem
from helpdesk.tickets.fields import FIELDS, event_key
from helpdesk.tickets.models import Ticket, TicketEvent
from helpdesk.tickets.services import change_held
from helpdesk.tickets.signals import change_undone
from helpdesk.tickets.writing import hold_ticket, lock_ticket


@transaction.atomic
def undo_change(*, ticket: Ticket, event_ids: Sequence[int], origin: Origin, now: datetime) -> Ticket:
    """Put fields back to what they were before these events; several of one field are one way back.

    A field that somebody changed again since is left alone. Raises Refused where the PSA's rules allow no way back.
    """
    ticket = hold_ticket(ticket)
    mine = list(ticket.events.filter(pk__in=event_ids, user__isnull=False, user=origin.user_id).order_by("-pk"))
    ticket = _take_held_status_back(ticket, mine, origin, now)
    keys: dict[str, str] = {}
    for event in mine:
        if event.field in FIELDS:
            current = keys.get(event.field, event_key(event.field, getattr(ticket, event.field)))
            if current == event.new:
                keys[event.field] = event.old
    changes = {name: _from_key(name, key) for name, key in keys.items()}
    ticket = change_held(ticket=ticket, changes=changes, origin=origin, now=now, is_confirmed=True, is_undo=True)
    if mine:
        change_undone.send(sender=Ticket, ticket=ticket, events=mine, origin=origin, now=now)
    return ticket


def _take_held_status_back(ticket: Ticket, mine: Sequence[TicketEvent], origin: Origin, now: datetime) -> Ticket:
    """A status that nobody could leave again has not left yet: it never does, and no rule speaks of it."""
    last = next((event for event in mine if event.field == "status"), None)
    if last is None or last.new != event_key("status", ticket.status):
        return ticket
    waiting = OutboxItem.objects.in_lane(ticket.lane).filter(
        state=State.WAITING, verb=Verb.UPDATE_TICKET, actor_id=origin.user_id, not_before_at__gt=now, lease_until=None
    )
    held = next((item for item in waiting if item.fields.get("status") == ticket.status.remote_id), None)
    if held is None:
        return ticket
    try:
        outbox.discard_item(item=held, now=now)
    except Stale:
        return ticket  # a worker has just taken it: the rules say why it stays
    ticket = lock_ticket(ticket.pk)
    if last.new == event_key("status", ticket.status):
        # An earlier change of the status is on its way still, so nothing fell back by itself.
        before = {"status": _from_key("status", last.old)}
        ticket = change_held(ticket=ticket, changes=before, origin=Origin.system(), now=now, leaves=False)
    return ticket


def _from_key(name: str, key: str) -> Any:
    field = FIELDS[name]
    if not key:
        return None if field.is_reference or field.is_instant else ""
    if field.is_reference:
        return Ticket._meta.get_field(name).related_model.objects.filter(pk=key).first()  # type: ignore[union-attr]
    return datetime.fromisoformat(key) if field.is_instant else key
