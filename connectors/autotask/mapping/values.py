"""Single values of Autotask's JSON: ids, instants, numbers, texts. Pure.

Source: recorded answers: camelCase, UTC with Z and none to three digits of a second, picklist values as text in
metadata and as numbers on records.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from connectors.base.records import UNSET, Instant, Number, Text, Unset

Row = Mapping[str, Any]

_FIRST_REAL_YEAR = 1981


def identifier(value: Any) -> str | None:
    """An id as text: 12, 12.0 and "12" are "12". 0 is an id (the MSP's own company); None for what is no number."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int):
        return str(value) if value >= 0 else None
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and value >= 0 else None
    if isinstance(value, str):
        text = value.strip()
        return str(int(text)) if text.isascii() and text.isdigit() and len(text) < 19 else None
    return None


def reference(value: Any) -> str | None:
    """An id of something that cannot be number 0."""
    found = identifier(value)
    return None if found == "0" else found


def words(value: Any) -> str | None:
    """Text; None for nothing and for blanks."""
    if isinstance(value, str):
        return value if value.strip() else None
    if value is None or isinstance(value, bool | dict | list):
        return None
    return str(value)


def number(value: Any) -> float | None:
    if isinstance(value, bool) or value is None:
        return None
    try:
        found = float(value)
    except (TypeError, ValueError):
        return None
    return found if abs(found) < 1e12 else None


def whole(value: Any) -> int | None:
    found = number(value)
    return None if found is None else int(found)


def truth(value: Any) -> bool:
    """A flag, also as 0/1 (contacts) or text."""
    if isinstance(value, str):
        return value.strip().lower() in ("true", "1", "yes")
    return bool(value)


def instant(value: Any) -> datetime | None:
    """An aware UTC instant; a missing zone is UTC. None for anything that is none, and for dates before 1981."""
    if not isinstance(value, str) or not value.strip():
        return None
    try:
        at = datetime.fromisoformat(value.strip())
    except ValueError:
        return None
    try:
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except OverflowError:
        return None
    return at if at.year >= _FIRST_REAL_YEAR else None


def day(value: Any) -> date | None:
    at = instant(value)
    return at.date() if at else None


def stamp(at: datetime) -> str:
    """An instant as Autotask takes it: UTC with Z, whole seconds."""
    return _utc(at).strftime("%Y-%m-%dT%H:%M:%SZ")


def fine_stamp(at: datetime) -> str:
    """The same with milliseconds, which filters take."""
    utc = _utc(at)
    return utc.strftime("%Y-%m-%dT%H:%M:%S.") + f"{utc.microsecond // 1000:03d}Z"


def _utc(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def text_of(row: Row, *names: str) -> Text:
    """Text under the first of these names that holds some; UNSET when the row carries none of them."""
    present = [row[name] for name in names if name in row]
    return next((found for value in present if (found := words(value))), None) if present else UNSET


def id_of(row: Row, name: str) -> Text:
    return reference(row[name]) if name in row else UNSET


def instant_of(row: Row, *names: str) -> Instant:
    present = [row[name] for name in names if name in row]
    return next((found for value in present if (found := instant(value))), None) if present else UNSET


def flag_of(row: Row, name: str) -> bool | Unset:
    return truth(row[name]) if row.get(name) is not None else UNSET


def whole_of(row: Row, name: str) -> Number:
    return whole(row[name]) if name in row else UNSET


def joined(row: Row, *names: str) -> Text:
    """The parts of an address on one line; UNSET when the row carries none of them."""
    if not any(name in row for name in names):
        return UNSET
    return ", ".join(found for name in names if (found := words(row.get(name)))) or None
