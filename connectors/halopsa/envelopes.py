"""What HaloPSA wraps its rows in, and how to get them out. Pure.

Source: recorded behaviour: bare arrays, objects with a known key, `results`, single objects.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from connectors.base.errors import ConnectorError, Forbidden, Unavailable
from connectors.base.paging import RawPage

Row = dict[str, Any]


def unwrap(body: Any, key: str) -> RawPage:
    """The rows of a list answer: the array itself, else under the known key, `results`, or its only array.

    Rows that are bare ids become objects; what is no row is dropped. Unavailable when there is no list in it: an
    envelope must never be taken for a row.
    """
    if isinstance(body, list):
        return RawPage(_objects(body), None)
    if not isinstance(body, dict):
        raise Unavailable("a list was expected")
    arrays = {name: value for name, value in body.items() if isinstance(value, list)}
    found = arrays.get(key, arrays.get("results"))
    total = body.get("record_count")
    if found is None and total == 0:
        found = []
    if found is None:
        if len(arrays) != 1:
            raise Unavailable("a list was expected")
        found = next(iter(arrays.values()))
    return RawPage(_objects(found), total if isinstance(total, int) and not isinstance(total, bool) else None)


def _objects(rows: Sequence[Any]) -> list[Row]:
    objects = [row if isinstance(row, dict) else {"id": row} for row in rows if isinstance(row, dict | int)]
    if rows and not objects:
        raise Unavailable("a list of records was expected")
    return objects


def one_row(body: Any, path: str) -> Row:
    """One object, bare or as the last of an array, or of an envelope's array (as some versions answer)."""
    if isinstance(body, dict):
        key = path.split("/")[1].lower()
        inner = body.get(key, body.get(f"{key}s"))
        if not isinstance(inner, list) or "id" in body:
            return body
        body = inner
    if isinstance(body, list) and body and isinstance(body[-1], dict):
        return body[-1]
    raise Unavailable("a record was expected")


def allowed(error: ConnectorError) -> bool:
    """Whether an error of an optional list means that this tenant does not offer it."""
    return isinstance(error, Forbidden) or error.status == 404
