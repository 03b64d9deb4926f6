"""Companies, locations, contacts and contracts, page by page and resumable across all four."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from connectors.autotask.client import AutotaskClient, Filter, Row, any_of, where
from connectors.autotask.mapping import directory as mapping
from connectors.autotask.mapping.values import fine_stamp
from connectors.base.errors import Forbidden, NotFound
from connectors.base.records import Page, Record

_LISTS: dict[str, tuple[str, tuple[str, ...], Callable[[Row], Record]]] = {
    "clients": ("Companies", ("lastTrackedModifiedDateTime", "lastActivityDate"), mapping.client_record),
    "sites": ("CompanyLocations", (), mapping.site_record),
    "contacts": ("Contacts", ("lastModifiedDate", "lastActivityDate"), mapping.contact_record),
    "contracts": ("Contracts", (), mapping.contract_record),
}
"""Kind -> entity, the dates that move when a row changes (locations and contracts have none), and its record."""
_KINDS = tuple(_LISTS)


def read(client: AutotaskClient, *, since: datetime | None, token: str | None) -> Iterator[tuple[str, Page[Record]]]:
    """The last page of a kind has the token of the next kind's beginning; None stands on the very last page.

    Where contracts may not be read the iterator just ends after the contacts.
    """
    kind, _, place = (token or "").partition(":")
    first = _KINDS.index(kind) if kind in _KINDS else 0
    for index, name in enumerate(_KINDS[first:], start=first):
        after = int(place) if index == first and place.isdigit() else None
        following = f"{_KINDS[index + 1]}:" if index + 1 < len(_KINDS) else None
        try:
            yield from _read_kind(client, name, since, after, following)
        except (Forbidden, NotFound):
            if name != "contracts":
                raise


def _read_kind(
    client: AutotaskClient, kind: str, since: datetime | None, after: int | None, following: str | None
) -> Iterator[tuple[str, Page[Record]]]:
    entity, dates, record_of = _LISTS[kind]
    conditions: list[Filter] = []
    if since and dates:
        conditions = [any_of(*(where(name, "gte", fine_stamp(since)) for name in dates))]
    for page in client.query(entity, conditions, after=after):
        rows = tuple(record for row in page.rows if (record := record_of(row)).remote_id)
        yield kind, Page(rows=rows, next_token=following if page.last is None else f"{kind}:{page.last}")
