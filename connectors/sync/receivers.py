"""A change that may leave now rings for a worker, once its transaction has committed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.dispatch import receiver

from helpdesk.core import bell
from helpdesk.outbox.choices import State
from helpdesk.outbox.models import OutboxItem
from helpdesk.outbox.signals import item_changed


@receiver(item_changed)
def on_item_changed(sender: type, item: OutboxItem, now: datetime, **_: Any) -> None:
    if item.state != State.WAITING or item.not_before_at > now:
        return
    if not any(waiting[1] is _ring for waiting in connection.run_on_commit):
        transaction.on_commit(_ring, robust=True)


def _ring() -> None:
    bell.ring("sync.push_due")
