"""Single values as Atera writes them. Never raises: what cannot be read is None, and stays in the record's `raw`.

Absent and null both occur, texts may be empty, choices may come as numbers. Names differ between versions of the API.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from connectors.base.records import UNSET, Instant, Number, Text

Row = Mapping[str, Any]


def instant(value: Any) -> datetime | None:
    """An aware UTC instant, of 0 to 7 digits after the second; naive means UTC; None for nothing and nonsense."""
    if not isinstance(value, str) or len(value) < 10:
        return None
    try:
        at = datetime.fromisoformat(value.strip())
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return at if at.year > 1980 else None


def stamp(at: datetime) -> str:
    """An instant as Atera takes it: UTC with Z, to the millisecond."""
    utc = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    return utc.strftime("%Y-%m-%dT%H:%M:%S.") + f"{utc.microsecond // 1000:03d}Z"


def day(value: Any) -> date | None:
    """The date of an instant; None as for `instant`."""
    at = instant(value)
    return at.date() if at else None


def identifier(value: Any) -> str | None:
    """An id as text; None for nothing, zero and below, and what is no whole number."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value).strip() if isinstance(value, int | str) else ""
    if not (text.isascii() and text.isdigit()) or len(text) > 19 or not int(text):
        return None
    return str(int(text))


def words(value: Any) -> str | None:
    """Text; None for nothing and for blanks. A number where a choice belongs is kept as its digits."""
    if value is None or isinstance(value, bool | dict | list):
        return None
    text = value if isinstance(value, str) else str(value)
    return text if text.strip() else None


def truth(value: Any, default: bool) -> bool:
    """A boolean, also as text or 0/1; the default for anything else."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int) and value in (0, 1):
        return value == 1
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return value.strip().lower() == "true"
    return default


def number(value: Any) -> float | None:
    """A number, also as text; None for anything else."""
    if isinstance(value, bool) or value is None:
        return None
    try:
        found = float(value)
    except (TypeError, ValueError):
        return None
    return found if abs(found) < 1e12 else None


def first(row: Row, *names: str) -> Any:
    """The first of these members that is there and neither null nor empty; None when there is none."""
    for name in names:
        value = row.get(name)
        if value is not None and value != "":
            return value
    return None


def has(row: Row, *names: str) -> bool:
    """Whether the row carries one of these members at all."""
    return any(name in row for name in names)


def text_of(row: Row, *names: str) -> Text:
    """Text under the first filled one of these names; UNSET when the row carries none of them."""
    return words(first(row, *names)) if has(row, *names) else UNSET


def id_of(row: Row, *names: str) -> Text:
    """An id under the first filled one of these names; UNSET when the row carries none of them."""
    return identifier(first(row, *names)) if has(row, *names) else UNSET


def instant_of(row: Row, *names: str) -> Instant:
    """An instant under the first filled one of these names; UNSET when the row carries none of them."""
    return instant(first(row, *names)) if has(row, *names) else UNSET


def hours_of(row: Row) -> Number:
    """A duration in seconds: hours under either of their names, else brief seconds; UNSET without any."""
    hours = number(first(row, "TotalDurationHours", "TotalBillableHours"))
    if hours is not None:
        return round(hours * 3600)
    seconds = number(first(row, "TotalBillableDuration"))
    return UNSET if seconds is None else round(seconds)


def person(*parts: Any) -> str | None:
    """A full name out of its parts; None when none is filled."""
    return " ".join(str(p).strip() for p in parts if words(p)) or None
