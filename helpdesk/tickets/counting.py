"""Counts that stop counting: a list says "1,000+" rather than wait for a number nobody reads."""

from __future__ import annotations

from django.core.cache import cache

from helpdesk.core import live
from helpdesk.tickets.querysets import TicketQuerySet

MOST = 1000
_SECONDS = 60


def count_up_to(tickets: TicketQuerySet, most: int = MOST) -> int:
    """How many, but never more than `most` + 1."""
    return tickets.order_by()[: most + 1].count()


def open_count(tickets: TicketQuerySet) -> int:
    """Open tickets of the desk, capped; counted again when something changed, and every minute."""
    found = cache.get_many(["tickets:open", live.key(live.DESK)])
    stamp, kept = found.get(live.key(live.DESK)) or "0", found.get("tickets:open")
    if isinstance(kept, tuple) and kept[0] == stamp:
        return int(kept[1])
    number = count_up_to(tickets.open())
    cache.set("tickets:open", (stamp, number), timeout=_SECONDS)
    return number
