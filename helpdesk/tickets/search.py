"""Full text over subject, description, people and notes: one function, two databases.

SQLite: FTS5 over `tickets_searchtext`, every word quoted and taken as a prefix. PostgreSQL: a `simple` tsvector with
prefix matching. Both give ticket ids newest first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from django.db import connection
from django.db.models import Max, Model, Q, prefetch_related_objects
from django.db.models.expressions import RawSQL

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
    number = Q(number__iexact=query.strip().lstrip("#"))
    if connection.vendor == "postgresql":
        wanted = " & ".join(f"{w}:*" for w in words)
        found = RawSQL(
            "SELECT ticket_id FROM tickets_searchtext WHERE to_tsvector('simple', text) @@ to_tsquery('simple', %s)",
            [wanted],
        )
    else:
        wanted = " ".join(f'"{w}"*' for w in words)
        found = RawSQL("SELECT rowid FROM tickets_searchindex WHERE tickets_searchindex MATCH %s", [wanted])
    return tickets.filter(Q(pk__in=found) | number)


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


def _full_text(ticket: Ticket, notes: Iterable[str]) -> str:
    text = ticket_text(ticket)
    for note in notes:
        if len(text) > TEXT_LIMIT:
            break
        text += "\n" + plain(note)
    return text[:TEXT_LIMIT]


def save_search_texts(rows: list[SearchText]) -> None:
    if rows:
        SearchText.objects.bulk_create(rows, update_conflicts=True, unique_fields=["ticket"], update_fields=["text"])


def newest_id() -> int:
    return Ticket.objects.aggregate(last=Max("pk"))["last"] or 0
