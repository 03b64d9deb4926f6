"""What would become of deadlines if something else were promised, by working tickets out without writing them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from helpdesk.core.halves import by_halves
from helpdesk.sla.book import Book
from helpdesk.tickets.models import Ticket, TicketClock
from helpdesk.tickets.rederiving import READ, context_of, reckon

EXAMPLES = 20


@dataclass(frozen=True, kw_only=True)
class Example:
    """A deadline that moves. `ticket` is its key; None = no deadline runs."""

    ticket: int
    kind: str
    old: datetime | None
    new: datetime | None


@dataclass(frozen=True, kw_only=True)
class Preview:
    """Counts of tickets. `breached` would be late and are not, `lifted` are late and would not be."""

    moved: int
    breached: int
    lifted: int
    looked_at: int
    examples: Sequence[Example] = ()


def preview(book: Book, *, now: datetime, ids: Sequence[int]) -> Preview:
    """Look at some tickets (a few hundred at a time) as if the book were in force. A fixed number of queries.

    A ticket that cannot be worked out is logged and left out: saving leaves it where it stands, too.
    """
    found: list[Preview] = []

    def look(some: Sequence[int]) -> int:
        found.append(_look_at(some, book, now))
        return len(some)

    by_halves(look, ids, what="clocks not previewed")
    return Preview(
        moved=sum(one.moved for one in found),
        breached=sum(one.breached for one in found),
        lifted=sum(one.lifted for one in found),
        looked_at=sum(one.looked_at for one in found),
        examples=[example for one in found for example in one.examples][:EXAMPLES],
    )


def _look_at(ids: Sequence[int], book: Book, now: datetime) -> Preview:
    tickets = list(Ticket.objects.filter(pk__in=ids).order_by("next_due_at", "pk").only(*READ))
    moved = breached = lifted = 0
    examples: list[Example] = []
    for account_id in sorted({t.psa_account_id for t in tickets}):
        own = [t for t in tickets if t.psa_account_id == account_id]
        for found in reckon(own, context_of(account_id, now, by=book)):
            shifts = [c for c in found.clocks if _moves(c, found.before.get(c.kind))]
            moved += bool(shifts)
            breached += any(_is_late(c) and not _is_late(found.before.get(c.kind)) for c in found.clocks)
            lifted += any(_is_late(found.before.get(c.kind)) and not _is_late(c) for c in found.clocks)
            examples += [_example(c, found.before.get(c.kind)) for c in shifts]
    return Preview(moved=moved, breached=breached, lifted=lifted, looked_at=len(tickets), examples=examples[:EXAMPLES])


def _moves(new: TicketClock, old: Any) -> bool:
    before = (old.due_at, old.remaining_seconds) if old else (None, None)
    return (new.due_at, new.remaining_seconds) != before


def _is_late(clock: Any) -> bool:
    return clock is not None and clock.state == "breached"


def _example(new: TicketClock, old: Any) -> Example:
    return Example(ticket=new.ticket.pk, kind=new.kind, old=old.due_at if old else None, new=new.due_at)
