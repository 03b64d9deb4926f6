"""How tickets hear of their outbox items."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.dispatch import receiver

from helpdesk.core.origin import Origin
from helpdesk.outbox.choices import State, Verb
from helpdesk.outbox.models import OutboxItem
from helpdesk.outbox.signals import item_changed
from helpdesk.tickets import conflicts, holds, upkeep


@receiver(item_changed)
def on_item_changed(sender: type, item: OutboxItem, now: datetime, is_shown: bool = False, **_: Any) -> None:
    """Sum the lane up on the ticket; a change that was given up lets its fields fall back to the PSA's."""
    if is_shown or not item.lane.startswith("ticket:"):
        return
    ticket_id = int(item.lane.partition(":")[2])
    if item.state == State.DISCARDED:
        _give_up(item, ticket_id, now)
        upkeep.read_again(ticket_id=ticket_id, now=now)
    upkeep.show_sync_state(ticket_id=ticket_id, last=item, now=now)


def _give_up(item: OutboxItem, ticket_id: int, now: datetime) -> None:
    if item.verb == Verb.UPDATE_TICKET:
        conflicts.fall_back(
            ticket_id=ticket_id, fields=item.fields, values=item.theirs, origin=Origin.system(), now=now
        )
    elif item.verb == Verb.CREATE_ACTION:
        if item.fields.get("new_status"):
            conflicts.fall_back(ticket_id=ticket_id, fields=["status"], values={}, origin=Origin.system(), now=now)
        if item.fields.get("hold"):
            holds.give_hold_up(ticket_id=ticket_id, was_held=bool(item.base.get("hold")), now=now)
    elif item.verb == Verb.CREATE_TICKET:
        upkeep.mark_removed(ticket_ids=[ticket_id], now=now)
