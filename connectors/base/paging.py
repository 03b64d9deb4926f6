"""Numbered pages, read to the end and never for ever: pure logic over a function that gets one page.

A list that is paged by number can slip: when rows leave it meanwhile, the ones behind move up and would be missed.
Rows only leave a list that is ordered by id and bounded by an instant, and its total tells how many: so many
rows are read again. Rows that come twice are harmless, missed ones are not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from connectors.base.errors import Unavailable

MAX_PAGES = 200_000
SLACK_PAGES = 20
"""How many pages more than the total promises are read before the list counts as endless."""


@dataclass(frozen=True)
class RawPage:
    """Rows as the PSA sent them; `total` is the number of matching rows, where the PSA tells."""

    rows: list[dict[str, Any]]
    total: int | None


@dataclass(frozen=True)
class Place:
    """How far a list was read: page number (1-based), rows seen, largest page, last total and first id of that page."""

    page: int = 0
    seen: int = 0
    size: int = 0
    total: int | None = None
    first: str = ""

    def __str__(self) -> str:
        total = "" if self.total is None else str(self.total)
        return f"{self.page}.{self.seen}.{self.size}.{total}.{self.first}"

    @classmethod
    def parse(cls, token: str | None) -> Place:
        """The place that a token names; the beginning for no token or one that is not ours."""
        parts = (token or "").split(".", 4)
        if len(parts) != 5 or not all(p.isascii() and p.isdigit() for p in parts[:3]):
            return cls()
        total = int(parts[3]) if parts[3].isascii() and parts[3].isdigit() else None
        return cls(page=int(parts[0]), seen=int(parts[1]), size=int(parts[2]), total=total, first=parts[4])


def numbered(
    get: Callable[[int], RawPage],
    *,
    start: Place | None = None,
    identify: Callable[[dict[str, Any]], str] = lambda row: str(row.get("id", "")),
    max_pages: int = MAX_PAGES,
) -> Iterator[tuple[RawPage, Place | None]]:
    """Pages after `start`, each with the place to resume after it; None with the last one.

    The end is an empty page (asked for twice when the total promises more), as many rows as the total says, or,
    without a total, a page that came before (an empty one takes its place). A list that repeats a page before its
    total, or goes on far beyond it, raises Unavailable: half a list must not count as a whole one.
    """
    place = start or Place()
    slips = 0
    firsts = {place.first}
    for _ in range(max_pages):
        page = _page(get, place)
        if step := _slipped(place, page.total):
            slips += 1
            if slips > SLACK_PAGES:
                raise Unavailable("the list keeps changing while it is read")
            place = _back(place, step, page.total)
            continue
        here = _advance(place, page, identify)
        if here.first and (here.first == place.first or (page.total is None and here.first in firsts)):
            if page.total is not None:
                raise Unavailable("the list repeats a page before its end")
            yield RawPage([], None), None
            return
        is_last = _is_last(page, here)
        yield page, None if is_last else here
        if is_last:
            return
        if here.total is not None and here.page > here.total // max(here.size, 1) + SLACK_PAGES + slips:
            raise Unavailable("the list does not end where its total says")
        firsts.add(here.first)
        place = here
    raise Unavailable("the list does not end")


def _page(get: Callable[[int], RawPage], place: Place) -> RawPage:
    page = get(place.page + 1)
    if not page.rows and page.total is not None and place.seen < page.total:
        page = get(place.page + 1)
    return page


def _advance(place: Place, page: RawPage, identify: Callable[[dict[str, Any]], str]) -> Place:
    first = identify(page.rows[0]) if page.rows else ""
    return Place(
        page=place.page + 1,
        seen=place.seen + len(page.rows),
        size=max(place.size, len(page.rows)),
        total=page.total,
        first=first,
    )


def _is_last(page: RawPage, here: Place) -> bool:
    return not page.rows or (page.total is not None and here.seen >= page.total)


def _slipped(place: Place, total: int | None) -> int:
    """How many rows left the list since the last page; 0 when nothing moved or nobody can tell."""
    if not place.page or place.total is None or total is None:
        return 0
    return max(0, place.total - total)


def _back(place: Place, rows: int, total: int | None) -> Place:
    """The place so many rows earlier, in whole pages; never before the beginning."""
    pages = min(place.page, -(-rows // max(place.size, 1)))
    seen = max(0, place.seen - pages * place.size)
    return replace(place, page=place.page - pages, seen=seen, total=total, first="")
