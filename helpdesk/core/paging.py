"""Keyset paging: the next page starts behind a row, not at a number, so page 1,900 costs what page 1 costs."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol


class BadCursor(ValueError):
    """The cursor in the address is not one of ours, or of another order."""


@dataclass(frozen=True, kw_only=True)
class Cursor:
    """Stands behind the row (value, pk); `is_back` asks for the rows before it."""

    order: str
    value: Any
    pk: int
    is_back: bool = False

    def spell(self) -> str:
        value = self.value
        if isinstance(value, datetime):
            value = {"at": value.isoformat()}
        raw = json.dumps([self.order, value, self.pk, int(self.is_back)], separators=(",", ":"))
        return base64.urlsafe_b64encode(raw.encode()).decode().rstrip("=")


def read_cursor(text: str, *, order: str) -> Cursor:
    """Raises BadCursor for anything that this order could not have written."""
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        of, value, pk, is_back = json.loads(raw)
        if isinstance(value, dict):
            value = datetime.fromisoformat(value["at"])
            if value.tzinfo is None:
                raise BadCursor(text)
    except (ValueError, TypeError, KeyError, binascii.Error, RecursionError) as error:
        raise BadCursor(text) from error
    if of != order or type(pk) is not int or not 0 <= pk < 2**63 or is_back not in (0, 1):
        raise BadCursor(text)
    if value is not None and not isinstance(value, str | int | float | datetime | Decimal):
        raise BadCursor(text)
    return Cursor(order=order, value=value, pk=pk, is_back=bool(is_back))


class Sliceable(Protocol):
    def __getitem__(self, key: slice) -> Any: ...


@dataclass(frozen=True, kw_only=True)
class Page:
    rows: Sequence[Any]
    following: str = ""
    """Cursor of the next page; empty on the last."""
    previous: str = ""


def keyset_page(
    *,
    fetch: Callable[[Cursor | None, bool, int], Sequence[Any]],
    key_of: Callable[[Any], tuple[Any, int]],
    order: str,
    cursor: Cursor | None,
    size: int,
) -> Page:
    """One page. `fetch(cursor, is_back, limit)` gives the rows behind the cursor, in reading order or its reverse."""
    is_back = bool(cursor and cursor.is_back)
    rows = list(fetch(cursor, is_back, size + 1))
    has_more = len(rows) > size
    rows = rows[:size]
    if is_back:
        rows.reverse()
    if not rows:
        return Page(rows=[])

    def at(row: Any, *, back: bool) -> str:
        value, pk = key_of(row)
        return Cursor(order=order, value=value, pk=pk, is_back=back).spell()

    has_following = has_more or is_back
    has_previous = has_more if is_back else cursor is not None
    return Page(
        rows=rows,
        following=at(rows[-1], back=False) if has_following else "",
        previous=at(rows[0], back=True) if has_previous else "",
    )
