"""How actions, time entries, files and mails hear of their outbox items, and mails of finished tickets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.dispatch import receiver

from helpdesk.accounts.models import User
from helpdesk.actions import configuring, escalating, mails
from helpdesk.actions.models import Action, Attachment, TimeEntry
from helpdesk.core.origin import Origin
from helpdesk.outbox.choices import State
from helpdesk.outbox.models import OutboxItem
from helpdesk.outbox.signals import item_changed
from helpdesk.tickets.models import Ticket, TicketEvent
from helpdesk.tickets.signals import change_undone, ticket_escalated, ticket_finished

_MODELS = {"action": Action, "time": TimeEntry, "attachment": Attachment}


@receiver(item_changed)
def on_item_changed(sender: type, item: OutboxItem, now: datetime, is_shown: bool = False, **_: Any) -> None:
    """The row shows its item's state; one that was given up leaves the page, unless the client was mailed it."""
    if is_shown:
        return  # it was just made, and so were its rows
    mails.follow_item(item=item, now=now)
    kind, _sep, pk = item.subject.partition(":")
    if kind == "config":
        configuring.follow_item(item=item, now=now)
        return
    model = _MODELS.get(kind)
    if model is None:
        return
    values: dict[str, Any] = {"sync_state": item.sync}
    gone = {"removed_at": now} if item.state == State.DISCARDED else {}
    stays = bool(gone) and kind == "action" and mails.has_left(int(pk))
    model._default_manager.filter(pk=pk).update(**values, **({} if stays else gone))
    if kind == "action" and "time_apart" not in item.fields:
        TimeEntry.objects.filter(action=int(pk)).update(**values, **gone)


@receiver(ticket_finished)
def on_ticket_finished(sender: type, ticket: Ticket, item: OutboxItem, now: datetime, **_: Any) -> None:
    mails.queue_status(ticket=ticket, item=item, now=now)


@receiver(ticket_escalated)
def on_ticket_escalated(sender: type, ticket: Ticket, origin: Origin, now: datetime, **_: Any) -> None:
    user = User.objects.filter(pk=origin.user_id).first() if origin.user_id else None
    if user is not None:
        escalating.escalated_by_status(ticket=ticket, user=user, origin=origin, now=now)


@receiver(change_undone)
def on_change_undone(
    sender: type, ticket: Ticket, events: Sequence[TicketEvent], origin: Origin, now: datetime, **_: Any
) -> None:
    if origin.user_id and ticket.escalated_at is not None:
        escalating.take_back(ticket=ticket, at=events[0].at, user_id=origin.user_id, now=now)
