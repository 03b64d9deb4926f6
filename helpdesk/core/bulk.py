"""Many rows of one model in one statement, for what comes or is worked out by the hundred.

Django's `bulk_create` asks every field of every row for its value through half a dozen calls, and hands PostgreSQL one
array per column whose texts are quoted one by one in Python: that was two thirds of a pull. Here a batch goes over as
one JSON text (PostgreSQL), or as one flat list of parameters under a statement that SQLite keeps prepared.

Rows are written as they are: no signals, no validation, no database defaults or expressions as values. What the
database refuses breaks the transaction around it, as with any statement: who wants to go on, opens one.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from django.db import connection, models, transaction

Row = TypeVar("Row", bound=models.Model)


class Columns(NamedTuple):
    names: tuple[str, ...]
    attnames: tuple[str, ...]
    stamped: tuple[models.Field[Any, Any], ...]
    """Fields that set themselves on writing (`auto_now`, `auto_now_add`)."""
    json_at: frozenset[int]
    """Which of the columns hold JSON."""


@cache
def _columns(model: type[models.Model], with_key: bool) -> Columns:
    found = [f for f in model._meta.concrete_fields if with_key or not isinstance(f, models.AutoField)]
    return Columns(
        names=tuple(str(f.column) for f in found),
        attnames=tuple(f.attname for f in found),
        stamped=tuple(f for f in found if getattr(f, "auto_now", False) or getattr(f, "auto_now_add", False)),
        json_at=frozenset(i for i, f in enumerate(found) if isinstance(f, models.JSONField)),
    )


def read(rows: models.QuerySet[Row], *, fields: Sequence[str]) -> list[Row]:
    """Instances that hold these fields and their key, as `only()` gives them, the rest being fetched when it is asked.

    Django's own way asks each field of each row whether it was left out, which costs more than reading it.
    """
    model, found = rows.model, []
    meta: Any = model._meta
    names = tuple(dict.fromkeys([meta.pk.attname, *(meta.get_field(name).attname for name in fields)]))
    for values in rows.values_list(*names):
        row = _bare(model)
        row.__dict__.update(zip(names, values, strict=True))
        row._state.adding, row._state.db = False, rows.db
        found.append(row)
    return found


def blank(model: type[Row]) -> Row:
    """A new row with every default, as `model()` gives it, in a quarter of the time."""
    constant, made = _defaults(model)
    row = _bare(model)
    row.__dict__.update(constant)
    for name, make in made:
        row.__dict__[name] = make()
    return row


def _bare(model: type[Row]) -> Row:
    """Without a field. No `pre_init`, no `post_init`: nobody listens to them for rows by the hundred."""
    row = model.__new__(model)
    row._state = models.base.ModelState()
    return row


@cache
def _defaults(model: type[models.Model]) -> tuple[dict[str, Any], list[tuple[str, Callable[[], Any]]]]:
    fields = model._meta.concrete_fields
    made = [(f.attname, f.get_default) for f in fields if f.has_default() and callable(f.default)]
    names = {name for name, _ in made}
    return {f.attname: f.get_default() for f in fields if f.attname not in names}, made


def insert(rows: Sequence[models.Model], *, ignore_known: bool = False) -> None:
    """Write new rows of one model and set their keys; `ignore_known` leaves out what a unique constraint refuses,
    and then sets no key."""
    _write(rows, "ON CONFLICT DO NOTHING" if ignore_known else "", is_update=False)


def upsert(rows: Sequence[models.Model], *, unique: Sequence[str], update: Sequence[str]) -> None:
    """Write rows of one model; where one stands under the same `unique` fields already, set its `update` fields."""
    if not rows:
        return
    meta = type(rows[0])._meta
    columns = [_quoted(_column(meta, name)) for name in update]
    target = ", ".join(_quoted(_column(meta, name)) for name in unique)
    sets = ", ".join(f"{c} = EXCLUDED.{c}" for c in columns)
    _write(rows, f"ON CONFLICT ({target}) DO UPDATE SET {sets}", is_update=True)


def update(rows: Sequence[models.Model], *, fields: Sequence[str]) -> None:
    """Write these fields of rows that stand in the table already; their other columns need not have been read."""
    if not rows:
        return
    meta: Any = type(rows[0])._meta
    table, key = _quoted(meta.db_table), _quoted(str(meta.pk.column))
    columns = [_column(meta, name) for name in fields]
    attnames = [meta.get_field(name).attname for name in fields]
    values = [[*(getattr(row, name) for name in attnames), row.pk] for row in rows]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            sets = ", ".join(f"{_quoted(c)} = s.{_quoted(c)}" for c in columns)
            source = f"json_populate_recordset(NULL::{table}, %s::json) s"
            batch = [dict(zip((*columns, str(meta.pk.column)), v, strict=True)) for v in values]
            text = json.dumps(batch, default=str, ensure_ascii=False, check_circular=False)
            cursor.execute(f"UPDATE {table} SET {sets} FROM {source} WHERE {table}.{key} = s.{key}", [text])
        else:
            sets = ", ".join(f"{_quoted(c)} = %s" for c in columns)
            adapted = [[_ADAPTED[type(v)](v) if type(v) in _ADAPTED else v for v in row] for row in values]
            cursor.executemany(f"UPDATE {table} SET {sets} WHERE {key} = %s", adapted)


def _write(rows: Sequence[models.Model], on_conflict: str, *, is_update: bool) -> None:
    if not rows:
        return
    model = type(rows[0])
    key = model._meta.pk
    fresh = [r for r in rows if r.pk is None]
    known = [r for r in rows if r.pk is not None]
    sends = [
        (some, columns, not with_key and not on_conflict)
        for part, with_key in ((known, True), (fresh, False))
        for columns in [_columns(model, with_key)]
        for some in _portions(part, len(columns.names))
    ]
    # One statement is whole by itself: a savepoint around it would be two more.
    with transaction.atomic() if len(sends) > 1 else nullcontext():
        for some, columns, wants_keys in sends:
            for row in some:
                for field in columns.stamped:
                    if not is_update or getattr(row, field.attname) is None:
                        field.pre_save(row, add=True)
            keys = _send(model, columns, some, on_conflict, _quoted(str(key.column)) if wants_keys else "")
            for row, pk in zip(some, keys, strict=wants_keys):
                row.pk = pk
    for row in rows:
        row._state.adding, row._state.db = False, connection.alias


def _send(
    model: type[models.Model], columns: Columns, rows: Sequence[models.Model], on_conflict: str, key: str
) -> list[Any]:
    table = _quoted(model._meta.db_table)
    names = ", ".join(map(_quoted, columns.names))
    make = _from_json if connection.vendor == "postgresql" else _from_values
    source, values = make(table, names, columns, rows)
    returning = f" RETURNING {key}" if key else ""
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} ({names}) {source} {on_conflict}{returning}", values)
        return [row[0] for row in cursor.fetchall()] if key else []


def _from_json(table: str, names: str, columns: Columns, rows: Sequence[models.Model]) -> tuple[str, list[Any]]:
    """One JSON text; the table's own row type says what each member is. Rows keep their order.

    What is not there is null: a third of a ticket's columns, and most of a clock's.
    """
    names_of = columns.names
    batch = [
        {name: value for name, value in zip(names_of, _values(row, columns), strict=True) if value is not None}
        for row in rows
    ]
    text = json.dumps(batch, default=str, ensure_ascii=False, check_circular=False)
    return f"SELECT {names} FROM json_populate_recordset(NULL::{table}, %s::json)", [text]


def _from_values(table: str, names: str, columns: Columns, rows: Sequence[models.Model]) -> tuple[str, list[Any]]:
    one = f"({', '.join(['%s'] * len(columns.names))})"
    values: list[Any] = []
    for row in rows:
        found = _values(row, columns)
        for at in columns.json_at:
            found[at] = json.dumps(found[at])
        values += [_ADAPTED[type(v)](v) if type(v) in _ADAPTED else v for v in found]
    return f"VALUES {', '.join([one] * len(rows))}", values


def _values(row: models.Model, columns: Columns) -> list[Any]:
    own = row.__dict__
    return [own[name] for name in columns.attnames]


def _naive(at: datetime) -> str:
    """As Django spells an instant in SQLite."""
    return str((at if at.tzinfo is UTC else at.astimezone(UTC)).replace(tzinfo=None))


_ADAPTED: dict[type, Callable[[Any], Any]] = {datetime: _naive, UUID: lambda u: u.hex}


def _portions(rows: list[models.Model], width: int) -> Iterator[list[models.Model]]:
    """SQLite takes so many parameters at once and no more; PostgreSQL gets one."""
    size = len(rows)
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        size = min(size, connection.connection.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER) // width)
    for start in range(0, len(rows), size or 1):
        yield rows[start : start + size]


def _column(meta: Any, name: str) -> str:
    return str(meta.get_field(name).column)


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)
