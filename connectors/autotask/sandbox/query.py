"""The query grammar: a filter in JSON becomes a condition in SQL. Keys and names are read in any case."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from connectors.autotask.sandbox.fields import Entity, Field, Row
from connectors.autotask.sandbox.wire import date_in, errors

MOST_ROWS = 500
MOST_ORS = 500
COMPARED = {"eq": "=", "noteq": "<>", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
PATTERNS = {"beginswith": ("", "%"), "endswith": ("%", ""), "contains": ("%", "%")}
OPERATORS = {*COMPARED, *PATTERNS, "exist", "notexist", "in", "notin"}
TOO_MANY_ORS = f"Invalid query syntax. Queries are limited to {MOST_ORS} or fewer 'OR' conditions."
UDF = Field("userDefinedFields", "s")
UDF_VALUE = """(SELECT json_extract(one.value, '$.value') FROM json_each(udfs) one
 WHERE lower(json_extract(one.value, '$.name')) = ?)"""


@dataclass(frozen=True)
class Query:
    """A query that has been read: condition and its values, page size, the fields asked for (lower case; None: all)."""

    where: str
    values: tuple[Any, ...]
    size: int
    names: tuple[str, ...] | None
    joins: tuple[str, ...] = ()


def read(entity: Entity, body: Any, *, is_brief: bool = False) -> Query:
    """Raises an Answer with the vendor's errors."""
    if not isinstance(body, dict):
        raise errors("Invalid query syntax. The query must be a JSON object.")
    given = {str(name).lower(): value for name, value in body.items()}
    filters = given.get("filter")
    if isinstance(filters, dict):
        filters = [filters]
    if not isinstance(filters, list) or not filters:
        raise errors("Invalid query syntax. A filter is required.")
    reader = _Reader(entity, is_brief=is_brief)
    where = reader.group(filters, "AND")
    names, joins = _names(entity, given.get("includefields"), is_brief=is_brief)
    return Query(where, tuple(reader.values), _size(given.get("maxrecords")), names, joins)


def _size(value: Any) -> int:
    if value is None:
        return MOST_ROWS
    try:
        size = int(value)
    except (TypeError, ValueError):
        size = 0
    if isinstance(value, bool) or not 1 <= size <= MOST_ROWS:
        raise errors(f"Invalid query syntax. MaxRecords must be between 1 and {MOST_ROWS}.")
    return size


def _names(entity: Entity, value: Any, *, is_brief: bool) -> tuple[tuple[str, ...] | None, tuple[str, ...]]:
    """(own fields in lower case, dotted ones as they came); dotted ones exist in profile `brief` only."""
    if not value:
        return None, ()
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise errors("Invalid query syntax. IncludeFields must be a list of field names.")
    joins = tuple(name for name in value if is_brief and "." in name)
    own = tuple(name.lower() for name in value if name not in joins)
    for name in value:
        if name not in joins and name.lower() not in entity.by_name and not entity.has_udfs:
            raise unknown(entity, name)
    return own, joins


def unknown(entity: Entity, name: str) -> Exception:
    return errors(f"Unable to find {name} in the {entity.name} Entity")


class _Reader:
    def __init__(self, entity: Entity, *, is_brief: bool) -> None:
        self._entity, self._is_brief = entity, is_brief
        self.values: list[Any] = []
        self._ors = 0
        self._udfs: set[str] = set()

    def group(self, items: list[Any], joiner: str) -> str:
        if joiner == "OR":
            self._count_ors(len(items))
        return "(" + f" {joiner} ".join(self._item(item) for item in items) + ")"

    def _count_ors(self, count: int) -> None:
        self._ors += count
        if self._ors > MOST_ORS:
            raise errors(TOO_MANY_ORS)

    def _item(self, item: Any) -> str:
        if not isinstance(item, dict):
            raise errors("Invalid query syntax. A condition must be a JSON object.")
        given = {str(name).lower(): value for name, value in item.items()}
        operator = str(given.get("op") or "").lower()
        if operator in ("and", "or"):
            parts = given.get("items")
            if not isinstance(parts, list) or not parts:
                raise errors(f"Invalid query syntax. The operator {operator} needs items.")
            return self.group(parts, operator.upper())
        known = operator in OPERATORS or (operator == "between" and self._is_brief)
        if not known:
            raise errors(f"Invalid query syntax. The operator '{given.get('op')}' is not valid.")
        column, field = self._column(given)
        return self._condition(operator, column, field, given.get("value"))

    def _column(self, given: Row) -> tuple[str, Field]:
        name = str(given.get("field") or "")
        if given.get("udf") in (True, "true"):
            self._udfs.add(name.lower())
            if len(self._udfs) > 1:
                raise errors("Invalid query syntax. A query can hold one user-defined field only.")
            self.values.append(name.lower())
            return UDF_VALUE, UDF
        field = self._entity.by_name.get(name.lower())
        if field is None or not field.is_queryable:
            raise unknown(self._entity, name)
        return field.name, field

    def _condition(self, operator: str, column: str, field: Field, value: Any) -> str:
        if operator in ("exist", "notexist"):
            return f"{column} IS {'NOT ' if operator == 'exist' else ''}NULL"
        collate = " COLLATE NOCASE" if field.kind == "s" else ""
        if operator in ("in", "notin"):
            return self._among(operator, column + collate, field, value)
        if operator == "between":
            if not isinstance(value, list) or len(value) != 2:
                raise errors("Invalid query syntax. The operator 'between' needs two values.")
            self.values += [self._bound(field, one) for one in value]
            return f"{column} BETWEEN ? AND ?"
        if value is None and operator in ("eq", "noteq"):
            if field.kind == "b":
                raise self._bad(field, value)
            return f"{column} IS {'NOT ' if operator == 'noteq' else ''}NULL"
        if operator in PATTERNS:
            before, after = PATTERNS[operator]
            text = str("" if value is None else value)
            text = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
            self.values.append(f"{before}{text}{after}")
            return f"{column} LIKE ? ESCAPE '\\'"
        self.values.append(self._bound(field, value))
        return f"{column}{collate} {COMPARED[operator]} ?"

    def _among(self, operator: str, column: str, field: Field, value: Any) -> str:
        if not isinstance(value, list) or not value:
            raise errors(f"Invalid query syntax. The operator '{operator}' needs a list of values.")
        self._count_ors(len(value) if operator == "in" else 0)
        self.values += [self._bound(field, one) for one in value]
        return f"{column} {'NOT ' if operator == 'notin' else ''}IN ({', '.join('?' * len(value))})"

    def _bad(self, field: Field, value: Any) -> Exception:
        return errors(f"Invalid query syntax. The value {json.dumps(value)} is not valid for {field.name}.")

    def _bound(self, field: Field, value: Any) -> Any:
        """The value as the field's kind; text is read as a number, a boolean or an instant."""
        try:
            return coerced(field.kind, value)
        except (TypeError, ValueError, OverflowError):
            raise self._bad(field, value) from None


def coerced(kind: str, value: Any) -> Any:
    """Raises TypeError or ValueError for what cannot be read."""
    text = value.strip() if isinstance(value, str) else None
    if value is None or isinstance(value, list | dict):
        raise TypeError
    if kind == "s":
        return str(value).lower() if isinstance(value, bool) else str(value)
    if kind == "d":
        if text is None:
            raise TypeError
        return date_in(text)
    if text is not None and text.lower() in ("true", "false") and kind in "bil":
        value, text = text.lower() == "true", None
    if kind == "b":
        number = int(value)
        if number not in (0, 1):
            raise ValueError
        return number
    if kind == "n":
        return float(value)
    exact = float(value)
    if not exact.is_integer():
        raise ValueError
    return int(value) if text is None or "." not in text else int(exact)
