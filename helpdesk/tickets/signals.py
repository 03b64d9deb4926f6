"""The tickets' one signal: our people resolved or closed one. Sent inside the transaction, with `ticket`, `item` and
`now`; not when an action carries the change."""

from django.dispatch import Signal

ticket_finished = Signal()
