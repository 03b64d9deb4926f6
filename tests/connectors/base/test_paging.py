"""Numbered pages: every end, every trap."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.base.errors import Unavailable
from connectors.base.paging import Place, RawPage, numbered


class Listing:
    """A list on a server that pages by number; `cap` is the most rows it gives."""

    def __init__(self, ids: list[int], *, cap: int = 3, total: bool = True) -> None:
        self.ids = ids
        self.cap = cap
        self.total = total
        self.asked: list[int] = []

    def __call__(self, page: int) -> RawPage:
        self.asked.append(page)
        rows = [{"id": i} for i in self.ids[(page - 1) * self.cap : page * self.cap]]
        return RawPage(rows, len(self.ids) if self.total else None)


def read(get: Any, start: Place | None = None) -> list[int]:
    return [row["id"] for page, _ in numbered(get, start=start) for row in page.rows]


@pytest.mark.parametrize("count", [0, 1, 3, 4, 6, 7])
@pytest.mark.parametrize("total", [True, False])
def test_reads_all(count: int, total: bool) -> None:
    assert read(Listing(list(range(1, count + 1)), total=total)) == list(range(1, count + 1))


def test_stops_by_the_total_without_asking_for_an_empty_page() -> None:
    listing = Listing([1, 2, 3, 4, 5, 6])
    read(listing)
    assert listing.asked == [1, 2]


def test_the_last_page_has_no_place() -> None:
    places = [place for _, place in numbered(Listing([1, 2, 3, 4]))]
    assert places[0] is not None
    assert places[-1] is None


def test_resumes_after_a_token() -> None:
    listing = Listing(list(range(1, 11)))
    _, place = next(iter(numbered(listing)))
    assert read(listing, Place.parse(str(place))) == list(range(4, 11))


@pytest.mark.parametrize("token", [None, "", "x", "1.2", "a.b.c.d.e", "-1.0.0.0.0"])
def test_a_strange_token_begins_anew(token: str | None) -> None:
    assert Place.parse(token) == Place()


def test_a_bare_list_that_ignores_paging_is_read_once() -> None:
    pages = list(numbered(lambda page: RawPage([{"id": 1}, {"id": 2}], None)))
    assert [len(page.rows) for page, _ in pages] == [2, 0]
    assert pages[-1][1] is None


def test_a_repeated_page_before_the_total_is_an_error() -> None:
    with pytest.raises(Unavailable, match="repeats"):
        read(lambda page: RawPage([{"id": 1}, {"id": 2}], 10))


def test_pages_that_take_turns_end() -> None:
    assert read(lambda page: RawPage([{"id": page % 2}], None)) == [1, 0]


def test_a_list_without_end_is_an_error() -> None:
    with pytest.raises(Unavailable, match="end"):
        read(lambda page: RawPage([{"id": page}], None) if page < 10**9 else RawPage([], None))


def test_a_total_that_runs_ahead_ends_as_well() -> None:
    with pytest.raises(Unavailable, match="end"):
        for _ in numbered(lambda page: RawPage([{"id": page}], page + 1), max_pages=500):
            pass


def test_an_early_empty_page_is_asked_for_twice() -> None:
    asked: list[int] = []

    def get(page: int) -> RawPage:
        asked.append(page)
        is_first_try = asked.count(page) == 1
        return RawPage([] if page == 2 and is_first_try else [{"id": page}], 3)

    assert read(get) == [1, 2, 3]


def test_rows_that_leave_the_list_meanwhile_cost_no_other_row() -> None:
    """Row 1 leaves after the first page: row 4 moves onto page 1 and would be missed."""
    listing = Listing(list(range(1, 10)))

    def get(page: int) -> RawPage:
        if page == 2 and 1 in listing.ids:
            listing.ids.remove(1)
        return listing(page)

    assert set(read(get)) == set(range(1, 10))


def test_rows_that_leave_between_two_runs_cost_no_other_row() -> None:
    listing = Listing(list(range(1, 10)))
    _, place = next(iter(numbered(listing)))
    listing.ids.remove(2)
    assert set(range(4, 10)) <= set(read(listing, Place.parse(str(place))))


def test_a_server_that_caps_lower_than_asked_is_read_to_the_end() -> None:
    assert read(Listing(list(range(1, 302)), cap=50)) == list(range(1, 302))
