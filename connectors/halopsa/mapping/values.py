"""Single values as HaloPSA writes them. Never raises: what cannot be read is None, and stays in the record's `raw`.

Source: recorded behaviour (naive UTC instants with ragged fractions, sentinels for "unset", ids as decimals).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from connectors.base.records import UNSET, Instant, Text, Unset

Row = Mapping[str, Any]

MARKER = re.compile(r"<!--\s*helpdesk:([0-9a-fA-F-]{32,36})\s*-->")
_UUID = re.compile(r"^[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}$")
_FIRST_REAL_YEAR = 1980


def instant(value: Any) -> datetime | None:
    """An aware UTC instant; naive means UTC; None for nothing, nonsense, and the sentinels before 1980."""
    if not isinstance(value, str) or len(value) < 10:
        return None
    try:
        at = datetime.fromisoformat(value)
        if at.year < _FIRST_REAL_YEAR:
            return None
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def stamp(at: datetime) -> str:
    """An instant as HaloPSA takes it: UTC with Z, to the millisecond; naive means UTC."""
    utc = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    return utc.strftime("%Y-%m-%dT%H:%M:%S.") + f"{utc.microsecond // 1000:03d}Z"


def day(value: Any) -> date | None:
    """The local date of a naive instant; None as for `instant`."""
    at = instant(value)
    return at.date() if at else None


def identifier(value: Any) -> str | None:
    """An id as text: 12, 12.0 and "12" are "12"; None for nothing, zero and below, and what is no number."""
    if type(value) is int:
        return str(value) if value > 0 else None
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and value > 0 else None
    if isinstance(value, str):
        head, _, tail = value.strip().partition(".")
        if head.isascii() and head.isdigit() and len(head) < 20 and not tail.strip("0"):
            return str(int(head)) if int(head) else None
    return None


def words(value: Any) -> str | None:
    """Text; None for nothing and for blanks."""
    if isinstance(value, str):
        return value if value.strip() else None
    if value is None or isinstance(value, bool | dict | list):
        return None
    return str(value)


def number(value: Any) -> float | None:
    """A number, also as text; None for anything else."""
    if isinstance(value, bool) or value is None:
        return None
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if abs(found) < 1e12 else None


def whole(value: Any) -> int | None:
    """A number without its fraction; None for anything else."""
    found = number(value)
    return None if found is None else int(found)


def seconds(value: Any) -> int | None:
    """Hours (decimal) to whole seconds."""
    hours = number(value)
    return None if hours is None else round(hours * 3600)


def truth(value: Any, default: bool = False) -> bool:
    """A boolean, also as text or 0/1; the default for anything else."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return value != 0
    if isinstance(value, str):
        text = value.strip().lower()
        if text in ("true", "1", "yes"):
            return True
        if text in ("false", "0", "no"):
            return False
    return default


def choice(value: Any) -> str | None:
    """A picklist value as text, where 0 counts as a value."""
    found = whole(value)
    return words(value) if found is None else str(found)


def colour(value: Any) -> str | None:
    """`#rrggbb`; None for anything else, so that nothing else ever reaches a style."""
    text = words(value)
    return text.lower() if text and re.fullmatch(r"#[0-9a-fA-F]{6}", text) else None


def marker_of(value: Any) -> str | None:
    """Our UUID in a field that other tools may use as well; None for what is no UUID."""
    return value.lower() if isinstance(value, str) and _UUID.match(value) else None


def first(row: Row, *names: str) -> Any:
    """The first of these members that is there and not null; None when there is none. Versions differ in names."""
    for name in names:
        value = row.get(name)
        if value is not None:
            return value
    return None


def has(row: Row, *names: str) -> bool:
    """Whether the row carries one of these members at all."""
    return any(name in row for name in names)


def text_of(row: Row, *names: str) -> Text:
    """Text under the first of these names; UNSET when the row carries none of them."""
    value = _found(row, names)
    return value if value is UNSET else words(value)


def id_of(row: Row, *names: str) -> Text:
    """An id under the first of these names; UNSET when the row carries none of them."""
    value = _found(row, names)
    return value if value is UNSET else identifier(value)


def _found(row: Row, names: tuple[str, ...]) -> Any:
    """`first` and `has` in one: UNSET when the row carries none of these names. A page asks this ten thousand times."""
    found: Any = UNSET
    for name in names:
        if name in row:
            found = row[name]
            if found is not None:
                return found
    return found


def instant_of(row: Row, *names: str) -> Instant:
    """An instant under the first of these names that holds a real one; UNSET when the row carries none of them."""
    found: Instant = UNSET
    for name in names:
        if name in row:
            found = instant(row[name])
            if found is not None:
                return found
    return found


def flag_of(row: Row, *names: str) -> bool | Unset:
    """A flag under the first of these names; UNSET when it is absent or null."""
    value = first(row, *names)
    return UNSET if value is None else truth(value)


def whole_of(row: Row, *names: str) -> int | Unset | None:
    """A whole number under the first of these names; UNSET when the row carries none of them."""
    value = _found(row, names)
    return value if value is UNSET else whole(value)


def seconds_of(row: Row, *names: str) -> int | Unset | None:
    """Hours under the first of these names, in seconds; UNSET when the row carries none of them."""
    value = _found(row, names)
    return value if value is UNSET else seconds(value)
