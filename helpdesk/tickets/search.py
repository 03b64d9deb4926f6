"""Full text over subject, description, people and notes: one function, two databases.

SQLite: FTS5 over `tickets_searchtext`, every word quoted and taken as a prefix. PostgreSQL: a `simple` tsvector with
prefix matching, kept in a column of the database's own (migration 0005).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from django.db.models import Lookup, Max, Model, Q, Value, prefetch_related_objects
from django.db.models.functions import Concat, Left, Substr

from helpdesk.core import bulk
from helpdesk.tickets.models import SearchText, Ticket
from helpdesk.tickets.querysets import TicketQuerySet

if TYPE_CHECKING:
    from helpdesk.accounts.models import User

TEXT_LIMIT = 60_000
"""Characters kept per ticket: the newest notes win."""
_WORD = re.compile(r"\w+", re.UNICODE)
MAX_WORDS = 8


def words_of(query: str) -> list[str]:
    """The words a query asks for, all of them wanted; nothing of the query reaches the database as syntax."""
    return [w.lower() for w in _WORD.findall(query)[:MAX_WORDS]]


def matching(query: str, tickets: TicketQuerySet) -> TicketQuerySet:
    """Narrow to the tickets that hold every word of the query, or carry it as their number."""
    words = words_of(query)
    if not words:
        return tickets.none()
    numbered = _numbered(query.strip().lstrip("#"))
    if numbered:
        holding = SearchText.objects.filter(text__holds=words).values("pk")
        return tickets.filter(Q(pk__in=holding) | Q(pk__in=numbered))
    return tickets.filter(search_text__text__holds=words)


def _numbered(number: str) -> list[int]:
    """Keys of the tickets that carry exactly this number; asked by itself, since an OR would hide the words' index."""
    if not any(c.isdigit() for c in number):
        return []
    spelt = {number, number.upper(), number.lower()}
    return list(Ticket.objects.filter(number__in=spelt).values_list("pk", flat=True)[:20])


class HoldsWords(Lookup):  # type: ignore[type-arg]  # not subscriptable at run time
    """`text__holds=[...]`: every word stands in the text, as the beginning of a word.

    A join with a condition, so that PostgreSQL may choose: it walks the tickets in the order that was asked for and
    stops after a page when the word is common, and sorts what the index finds when it is rare.
    """

    lookup_name = "holds"
    prepare_rhs = False
    lhs: Any
    rhs: list[str]

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, tuple[str | int, ...]]:
        table = compiler.quote_name_unless_alias(self.lhs.alias)
        return f"{table}.words @@ to_tsquery('simple', %s)", (" & ".join(f"{w}:*" for w in self.rhs),)

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[str | int, ...]]:
        table = compiler.quote_name_unless_alias(self.lhs.alias)
        found = "SELECT rowid FROM tickets_searchindex WHERE tickets_searchindex MATCH %s"
        return f"{table}.ticket_id IN ({found})", (" ".join(f'"{w}"*' for w in self.rhs),)


SearchText._meta.get_field("text").register_lookup(HoldsWords)  # type: ignore[union-attr]


def search_tickets(query: str, *, user: User, limit: int = 20) -> list[Ticket]:
    """The newest tickets that match and that this person may see."""
    tickets = Ticket.objects.visible_to(user).for_rows()
    return list(matching(query, tickets).order_by("-pk")[:limit])


def by_number(number: str, *, user: User) -> list[Ticket]:
    """Tickets carrying this number in any account; several accounts give several, never a guess."""
    number = number.strip().lstrip("#")
    found = Ticket.objects.visible_to(user).for_rows()
    if number.lower().startswith("new-") and number[4:].isdecimal() and len(number) < 20:
        return list(found.filter(pk=int(number[4:])))
    return list(found.filter(Q(number__iexact=number) | Q(remote_id=number)).order_by("pk")[:20])


def ticket_text(ticket: Ticket) -> str:
    """What of the ticket itself is searched; notes are added behind it."""
    parts = [ticket.number, ticket.subject, ticket.description, ticket.resolution, ticket.reported_by]
    parts += [str(p) for p in (ticket.client, ticket.contact) if p is not None]
    return plain("\n".join(p for p in parts if p))


_TAG = re.compile(r"<[^<>]{0,2000}>")


def plain(text: str) -> str:
    """Text without markup, good enough to be searched."""
    return _TAG.sub(" ", text).replace("\x00", " ")


def refresh_search_text(ticket: Ticket) -> None:
    """Write one ticket's search text anew, notes included."""
    refresh_search_texts([ticket])


def refresh_search_texts(tickets: Sequence[Ticket]) -> None:
    """Write the search texts of a batch anew: one reading of notes and people for all of them."""
    if not tickets:
        return
    prefetch_related_objects(list(tickets), "client", "contact")
    notes: dict[int, list[str]] = {}
    model: type[Model] = Ticket._meta.get_field("actions").related_model  # type: ignore[assignment]
    actions = model._default_manager.filter(ticket__in=[t.pk for t in tickets], removed_at=None)
    for ticket_id, body in actions.order_by("-occurred_at").values_list("ticket_id", "body"):
        notes.setdefault(ticket_id, []).append(body)
    save_search_texts([SearchText(ticket_id=t.pk, text=_full_text(t, notes.get(t.pk, ()))) for t in tickets])


def add_to_search_text(ticket: Ticket, note: str) -> None:
    """Search a new note, too: put before the older ones in one statement, without reading any of them.

    Only where the text begins as the ticket reads now; anything else is written anew.
    """
    head = ticket_text(ticket)
    rest = Substr("text", len(head) + 1)
    known = SearchText.objects.annotate(head=Left("text", len(head) or 1)).filter(ticket=ticket, head=head)
    if not known.update(text=Left(Concat(Value(f"{head}\n{plain(note)}"), rest), TEXT_LIMIT)):
        refresh_search_text(ticket)


def _full_text(ticket: Ticket, notes: Iterable[str]) -> str:
    text = ticket_text(ticket)
    for note in notes:
        if len(text) > TEXT_LIMIT:
            break
        text += "\n" + plain(note)
    return text[:TEXT_LIMIT]


def save_search_texts(rows: list[SearchText]) -> None:
    bulk.upsert(rows, unique=("ticket",), update=("text",))


def newest_id() -> int:
    return Ticket.objects.aggregate(last=Max("pk"))["last"] or 0
