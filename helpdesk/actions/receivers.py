"""How actions, time entries and files hear of their outbox items."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.dispatch import receiver

from helpdesk.actions.models import Action, Attachment, TimeEntry
from helpdesk.outbox.choices import State
from helpdesk.outbox.models import OutboxItem
from helpdesk.outbox.signals import item_changed

_MODELS = {"action": Action, "time": TimeEntry, "attachment": Attachment}


@receiver(item_changed)
def on_item_changed(sender: type, item: OutboxItem, now: datetime, **_: Any) -> None:
    """The row shows its item's state; one that was given up leaves the page."""
    kind, _sep, pk = item.subject.partition(":")
    model = _MODELS.get(kind)
    if model is None:
        return
    values: dict[str, Any] = {"sync_state": item.sync}
    if item.state == State.DISCARDED:
        values["removed_at"] = now
    model._default_manager.filter(pk=pk).update(**values)
    if kind == "action":
        TimeEntry.objects.filter(action=int(pk)).update(**values)
