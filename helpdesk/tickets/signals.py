"""What the tickets tell those above them, inside the transaction, with `ticket` and `now`."""

from django.dispatch import Signal

ticket_finished = Signal()
"""Our people resolved or closed one, with the outbox `item`; not when an action carries the change."""

ticket_escalated = Signal()
"""Our people moved one into the status in which its PSA keeps what is escalated, with their `origin`."""

change_undone = Signal()
"""A person took back what one press of theirs changed, with the `events` and their `origin`."""
