"""Rows by the ten thousand: COPY into PostgreSQL, Django's own bulk insert elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from django.db import connection, models
from django.utils import timezone

BATCH = 2_000


def store(rows: Iterable[models.Model]) -> int:
    """Write unsaved rows of one model, with the keys that they carry; counts them."""
    found = iter(rows)
    count = 0
    while batch := list(islice(found, BATCH)):
        _stamp(batch)
        if connection.vendor == "postgresql" and batch[0].pk is not None:
            _copy(batch)
        else:
            type(batch[0])._default_manager.bulk_create(batch)
        count += len(batch)
    return count


def _stamp(batch: Sequence[models.Model]) -> None:
    """What the database's own adapters would have put in: `auto_now_add`."""
    names = [f.attname for f in batch[0]._meta.concrete_fields if getattr(f, "auto_now_add", False)]
    now = timezone.now()
    for row in batch if names else ():
        for name in names:
            setattr(row, name, now)


def _copy(batch: Sequence[models.Model]) -> None:
    from psycopg.types.json import Jsonb

    meta = batch[0]._meta
    fields = [f for f in meta.concrete_fields if f.column]
    names = ", ".join(connection.ops.quote_name(str(f.column)) for f in fields)
    plain = [f.attname for f in fields]
    wrapped = [i for i, f in enumerate(fields) if isinstance(f, models.JSONField)]
    files = [i for i, f in enumerate(fields) if isinstance(f, models.FileField)]
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {connection.ops.quote_name(meta.db_table)} ({names}) FROM STDIN") as copy,
    ):
        for row in batch:
            values: list[Any] = [getattr(row, name) for name in plain]
            for i in wrapped:
                values[i] = Jsonb(values[i])
            for i in files:
                values[i] = str(values[i] or "")
            copy.write_row(values)


def free_numbers(*kinds: type[models.Model]) -> None:
    """Rows came with their keys: the next one that the database gives must be free."""
    from django.core.management.color import no_style

    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), list(kinds)):
            cursor.execute(statement)
