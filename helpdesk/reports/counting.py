"""Counting a few tickets: what they add now against what they added before; the difference goes into the sums.

Rows and sums of a batch change in one transaction, so that a figure and the tickets behind it never disagree.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.db.models import Model

from helpdesk.core import bulk
from helpdesk.core.halves import by_halves
from helpdesk.reports.contributions import counted
from helpdesk.reports.facts import read_facts
from helpdesk.reports.models import (
    DailyMetric,
    FoldState,
    LateClock,
    OpenStretch,
    QuantileMark,
    TicketDay,
    TicketRaised,
)
from helpdesk.reports.slices import (
    COUNTERS,
    KINDS,
    SLICES,
    SUMS,
    Contribution,
    Counted,
    Keys,
    Late,
    Raised,
    Stretch,
    SumKey,
    Vector,
    differences,
)
from helpdesk.tickets import spans

BATCH, SMALL_BATCH = 100, 20
"""Tickets per transaction; the small ones keep SQLite's one write lock for some milliseconds only."""
_FLAGS = tuple(COUNTERS.index(measure.flag) for measure in KINDS.values())


def count_tickets(ids: Sequence[int], zone: ZoneInfo, now: datetime) -> int:
    """Bring what is kept of these tickets up to date. Counts the tickets that differ.

    One that cannot be counted is logged and stays as it was: it would stop the counting of all others for ever.
    """
    size = SMALL_BATCH if connection.vendor == "sqlite" else BATCH
    batches = (ids[i : i + size] for i in range(0, len(ids), size))
    work = partial(_count_batch, zone=zone, now=now)
    return sum(by_halves(work, batch, what="ticket not counted") for batch in batches)


@transaction.atomic
def _count_batch(ids: Sequence[int], zone: ZoneInfo, now: datetime) -> int:
    """The lock makes two foldings take turns; what it reads is therefore never older than what it replaces."""
    FoldState.objects.select_for_update().get(pk=1)
    known = read_facts(ids, now)
    after = {pk: counted(facts, zone) for pk, facts in known.facts.items()}
    spans.write_spans(known.stories)
    before = _kept(ids)
    moved = [pk for pk in ids if after.get(pk, Counted()) != before.get(pk, Counted())]
    for place, table in enumerate(_TABLES):
        _replace(table, [(pk, before.get(pk, Counted())[place], after.get(pk, Counted())[place]) for pk in moved])
    gone = [part for pk in moved for part in before.get(pk, Counted()).parts]
    new = [part for pk in moved for part in after.get(pk, Counted()).parts]
    add_sums(differences(gone, new))
    bulk.insert(quantile_marks([*gone, *new]))
    return len(moved)


def quantile_marks(parts: Iterable[Contribution]) -> list[QuantileMark]:
    """Where median and percentile are to be worked out anew."""
    found = {(p.day, *p.keys[:3]) for p in parts if any(p.counts[at] for at in _FLAGS)}
    return [QuantileMark(day=day, client=client, team=team, rank=rank) for day, client, team, rank in sorted(found)]


# ---- rows of tickets ------------------------------------------------------------------------------------------------


class _Table(NamedTuple):
    """A table of rows per ticket, and the record a row is made from and read as."""

    model: type[Model]
    record: type[Any]


_TABLES = (
    _Table(TicketDay, Contribution), _Table(OpenStretch, Stretch), _Table(TicketRaised, Raised),
    _Table(LateClock, Late),
)  # fmt: skip
"""In the order of `Counted`."""


def _kept(ids: Sequence[int]) -> dict[int, Counted]:
    """What is kept of these tickets, in the order in which it is counted."""
    found: dict[int, list[list[Any]]] = {}
    for place, table in enumerate(_TABLES):
        own = [name for name in table.record._fields if name not in ("keys", "counts")]
        keys = Keys._fields if "keys" in table.record._fields else ()
        columns = COUNTERS if table.record is Contribution else ()
        rows = table.model._default_manager.filter(ticket_id__in=ids).order_by()
        for row in rows.values_list("ticket_id", *keys, *own, *columns):
            known, values = row[1 : 1 + len(keys)], row[1 + len(keys) :]
            if columns:
                record = Contribution(values[0], Keys(*known), tuple(values[1:]))
            else:
                record = table.record(*values, Keys(*known)) if keys else table.record(*values)
            found.setdefault(row[0], [[] for _table in _TABLES])[place].append(record)
    return {pk: Counted(*(tuple(sorted(some, key=_order)) for some in lists)) for pk, lists in found.items()}


def _order(record: Any) -> tuple[Any, ...]:
    if isinstance(record, Late):
        return (record.kind,)
    return (record.day, record.keys.agent) if isinstance(record, Contribution) else tuple(record)


def _replace(table: _Table, rows: Sequence[tuple[int, Sequence[Any], Sequence[Any]]]) -> None:
    differing = [(pk, new) for pk, old, new in rows if old != new]
    if gone := [pk for pk, old, new in rows if old and old != new]:
        table.model._default_manager.filter(ticket_id__in=gone).delete()
    bulk.insert([row_of(pk, record) for pk, new in differing for record in new])


def row_of(pk: int, record: Contribution | Stretch | Raised | Late) -> Model:
    """The row that keeps a record of this ticket, unsaved."""
    if isinstance(record, Late):
        return LateClock(ticket_id=pk, **record._asdict())
    keys = record.keys._asdict()
    if isinstance(record, Contribution):
        return TicketDay(ticket_id=pk, day=record.day, **keys, **dict(zip(COUNTERS, record.counts, strict=True)))
    model = OpenStretch if isinstance(record, Stretch) else TicketRaised
    values = {name: value for name, value in record._asdict().items() if name != "keys"}
    return model(ticket_id=pk, **values, **keys)


# ---- sums -----------------------------------------------------------------------------------------------------------


def add_sums(changes: Mapping[SumKey, Vector]) -> None:
    """Add to the kept sums in few statements; empty sums go."""
    if not changes:
        return
    table = connection.ops.quote_name(DailyMetric._meta.db_table)
    keys = ", ".join(connection.ops.quote_name(name) for name in SumKey._fields)
    adding = ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in SUMS)
    ending = f"ON CONFLICT ({keys}) DO UPDATE SET {adding}"
    into = f"INSERT INTO {table} ({keys}, {', '.join(SUMS)})"
    rows = sorted(changes.items())
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # Of 74 sums a ticket changes ten: only these go over.
            values = ", ".join(f"COALESCE({name}, 0)" for name in SUMS)
            source = f"SELECT {keys}, {values} FROM json_populate_recordset(NULL::{table}, %s::json)"
            cursor.execute(f"{into} {source} {ending}", [json.dumps([_spelt(*row) for row in rows], default=str)])
        else:
            places = ", ".join(["%s"] * (len(SumKey._fields) + len(SUMS)))
            flat: list[tuple[Any, ...]] = [(key.slice, key.day.isoformat(), *key[2:], *vector) for key, vector in rows]
            cursor.executemany(f"{into} VALUES ({places}) {ending}", flat)
    DailyMetric.objects.empty().delete()


def _spelt(key: SumKey, vector: Vector) -> dict[str, Any]:
    return {**key._asdict(), **{name: value for name, value in zip(SUMS, vector, strict=True) if value}}


@transaction.atomic
def mend_month(month: date) -> int:
    """Compare the sums of a month with its contributions. Counts the sums that were wrong."""
    FoldState.objects.select_for_update().get(pk=1)
    last = (month + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    rows = TicketDay.objects.between(month, last).order_by().values_list("day", *Keys._fields, *COUNTERS)
    end = 1 + len(Keys._fields)
    parts = (Contribution(row[0], Keys(*row[1:end]), tuple(row[end:])) for row in rows.iterator(chunk_size=2000))
    wrong = differences([], parts, tuple(SLICES))
    for grain in ("d", "m"):
        for row in DailyMetric.objects.kept_for(month, last, grain).iterator(chunk_size=2000):
            key = SumKey(*(getattr(row, name) for name in SumKey._fields))
            kept = tuple(getattr(row, name) for name in SUMS)
            wanted = wrong.pop(key, (0,) * len(SUMS))
            if wanted != kept:
                wrong[key] = tuple(w - k for w, k in zip(wanted, kept, strict=True))
    add_sums(wrong)
    return len(wrong)
