"""The outbox's one signal: an item changed its state. Sent inside the transaction, with `item` and `now`."""

from django.dispatch import Signal

item_changed = Signal()
