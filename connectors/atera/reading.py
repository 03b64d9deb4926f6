"""Lists of Atera that the desk reads in several parts: tickets by status, and the directory. Resumable anywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from connectors.atera.client import AteraClient, Row
from connectors.atera.mapping import directory as mapping
from connectors.atera.mapping.choices import spelt
from connectors.atera.mapping.tickets import ticket_id
from connectors.base.errors import Forbidden, NotFound
from connectors.base.paging import Place
from connectors.base.records import Page, Record

ZONE_HOURS = 14
"""Filters on customers and contacts take wall time of the account's zone. So far ahead of UTC a zone may be: an instant
that much earlier misses nothing in any zone, and rows that come again are harmless."""

_LISTS: dict[str, tuple[str, str, Callable[[Row], Record]]] = {
    "clients": ("/customers", "CustomerID", mapping.client_record),
    "contacts": ("/contacts", "EndUserID", mapping.contact_record),
    "contracts": ("/contracts", "ContractID", mapping.contract_record),
}
_KINDS = tuple(_LISTS)


def open_tickets(
    client: AteraClient, statuses: Sequence[str], token: str | None
) -> Iterator[tuple[list[Row], str | None, int | None]]:
    """Tickets in these statuses, one list after the other, since Atera filters by one at a time.

    The token of a list's last page is the beginning of the next list. How many there are in all, no call tells.
    """
    number, _, place = (token or "").partition(":")
    first = int(number) if number.isascii() and number.isdigit() and int(number) < len(statuses) else 0
    for index in range(first, len(statuses)):
        start = Place.parse(place) if index == first else Place()
        following = f"{index + 1}:" if index + 1 < len(statuses) else None
        for page, rest in client.pages("/tickets", "TicketID", {"ticketStatus": statuses[index]}, start=start):
            rows = [row for row in page.rows if _status(row) == statuses[index].casefold()]
            yield rows, following if rest is None else f"{index}:{rest}", None


def other_tickets(
    client: AteraClient, statuses: Sequence[str], token: str | None
) -> Iterator[tuple[list[Row], str | None, int | None]]:
    """Every ticket but those in these statuses: the finished ones, and those in a status of the tenant's own."""
    left_out = {status.casefold() for status in statuses}
    for page, rest in client.pages("/tickets", "TicketID", start=Place.parse(token)):
        rows = [row for row in page.rows if _status(row) not in left_out]
        yield rows, str(rest) if rest else None, page.total


def _status(row: Row) -> str:
    return (spelt(row.get("TicketStatus")) or "").casefold()


def ticket_ids(client: AteraClient, token: str | None) -> Iterator[Page[str]]:
    for page, rest in client.pages("/tickets/noComments", "TicketID", start=Place.parse(token)):
        ids = tuple(found for row in page.rows if (found := ticket_id(row)))
        yield Page(rows=ids, next_token=str(rest) if rest else None, total=page.total)


def directory(client: AteraClient, *, since: datetime | None, token: str | None) -> Iterator[tuple[str, Page[Record]]]:
    """The last page of a kind has the token of the next kind's beginning; None stands on the very last page.

    Where contracts are not offered the iterator just ends after the contacts.
    """
    kind, _, place = (token or "").partition(":")
    first = _KINDS.index(kind) if kind in _KINDS else 0
    for index, name in enumerate(_KINDS[first:], start=first):
        start = Place.parse(place) if index == first and kind in _KINDS else Place()
        following = f"{_KINDS[index + 1]}:" if index + 1 < len(_KINDS) else None
        try:
            yield from _read_kind(client, name, since, start, following)
        except (Forbidden, NotFound):
            if name != "contracts":
                raise


def _read_kind(
    client: AteraClient, kind: str, since: datetime | None, start: Place, following: str | None
) -> Iterator[tuple[str, Page[Record]]]:
    path, key, record_of = _LISTS[kind]
    params = {}
    if since and kind != "contracts":
        params["FromLastModifiedDate"] = (since - timedelta(hours=ZONE_HOURS)).strftime("%Y-%m-%dT%H:%M:%S")
    for page, rest in client.pages(path, key, params, start=start):
        rows = tuple(record for row in page.rows if (record := record_of(row)).remote_id)
        yield kind, Page(rows=rows, next_token=following if rest is None else f"{kind}:{rest}", total=page.total)
