"""Values of records as our columns take them: no NUL, not longer than the column, never null where it may not be."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from math import isfinite
from typing import Any
from zoneinfo import ZoneInfo

from django.db import models

RAW_TEXT_LIMIT = 400
"""Longer texts of a raw row have columns of their own."""


def text(value: Any) -> str:
    """Text without characters that a database refuses; None is empty."""
    if value is None:
        return ""
    return _storable(str(value))


def _storable(found: str) -> str:
    """Without NUL; half a character, as a PSA leaves it that cuts an emoji in two, is shown as one that is missing."""
    if "\x00" in found:
        found = found.replace("\x00", "")
    return found if found.isascii() else _HALVES.sub("\ufffd", found)


def fitted(model: type[models.Model], values: Mapping[str, Any]) -> dict[str, Any]:
    """Text cut to its column, empty for None where the column is text, 0 where it counts."""
    return {name: fit(model._meta.get_field(name), value) for name, value in values.items()}


def fit(column: Any, value: Any) -> Any:
    if isinstance(column, models.CharField | models.TextField):
        found = text(value)
        return found[: column.max_length] if column.max_length else found
    if value is None and not column.null:
        return column.get_default()
    if isinstance(column, models.PositiveIntegerField) and isinstance(value, int):
        return min(max(0, value), 2_147_483_647)
    return value


def raw(row: Mapping[str, Any]) -> dict[str, Any]:
    """What is worth keeping of a PSA's row: filled values without long texts."""
    found: dict[str, Any] = {}
    for name, value in row.items():
        kind = type(value)
        name = _storable(name)
        if kind is str:
            if value and len(value) <= RAW_TEXT_LIMIT:
                found[name] = _storable(value)
        elif kind in _PLAIN:
            found[name] = value
        elif kind is float:
            found[name] = value if isfinite(value) else None
        elif value is not None and (kind not in _EMPTY or value):
            found[name] = _kept(value)
    return found


_PLAIN = frozenset((int, bool))
_HALVES = re.compile("[\ud800-\udfff]")
_EMPTY = frozenset((list, dict))


def _is_long(value: Any) -> bool:
    return isinstance(value, str) and len(value) > RAW_TEXT_LIMIT


def _kept(value: Any) -> Any:
    if isinstance(value, str):
        return text(value)
    if isinstance(value, Mapping):
        return raw(value)
    if isinstance(value, list | tuple):
        return [_kept(v) for v in value if not _is_long(v)]
    if isinstance(value, float):
        return value if isfinite(value) else None
    return value if isinstance(value, int | bool) else text(value)


def iso(at: datetime) -> str:
    """An instant as the outbox spells it."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def time_zone(name: str | None) -> str:
    """A zone that this machine knows; empty for any other."""
    try:
        return ZoneInfo(name).key if name else ""
    except (KeyError, ValueError, OSError):
        return ""
