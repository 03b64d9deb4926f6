"""Clients, sites, contacts and contracts, page by page and resumable across all four."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from connectors.base.errors import Forbidden, NotFound
from connectors.base.paging import Place
from connectors.base.records import Page, Record
from connectors.halopsa.client import HaloClient
from connectors.halopsa.envelopes import Row
from connectors.halopsa.mapping import directory as mapping
from connectors.halopsa.mapping.values import stamp

_EVERYBODY = {"includeactive": "true", "includeinactive": "true"}
_LISTS: dict[str, tuple[str, str, dict[str, str], Callable[[Row], Record]]] = {
    "clients": ("/Client", "clients", _EVERYBODY, mapping.client_record),
    "sites": ("/Site", "sites", _EVERYBODY | {"includeaddress": "true"}, mapping.site_record),
    "contacts": ("/Users", "users", _EVERYBODY, mapping.contact_record),
    "contracts": ("/ClientContract", "contracts", {"includeinactive": "true"}, mapping.contract_record),
}
_KINDS = tuple(_LISTS)


def read(client: HaloClient, *, since: datetime | None, token: str | None) -> Iterator[tuple[str, Page[Record]]]:
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
    client: HaloClient, kind: str, since: datetime | None, start: Place, following: str | None
) -> Iterator[tuple[str, Page[Record]]]:
    path, key, params, record_of = _LISTS[kind]
    if since and kind != "contracts":
        params = params | {"lastupdatefromdate": stamp(since)}
    for page, place in client.pages(path, key, params, start=start):
        rows = tuple(record for row in page.rows if (record := record_of(row)).remote_id)
        token = following if place is None else f"{kind}:{place}"
        yield kind, Page(rows=rows, next_token=token, total=page.total)
