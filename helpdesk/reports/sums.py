"""Sums for a page: which kept rows to read, and what the sums say. No query touches a ticket here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, NamedTuple

from django.db import connection

from helpdesk.directory.models import Client
from helpdesk.reports.models import DailyMetric, TicketDay
from helpdesk.reports.querysets import Span
from helpdesk.reports.slices import (
    BUCKETS,
    BUCKETS_OF,
    BY_DIMENSIONS,
    COUNTERS,
    KINDS,
    quantile,
)

Keys = Mapping[str, Sequence[int]]
"""dimension -> row ids that are wanted."""
VERDICTS = ("finished", "response_met", "response_breached", "resolution_met", "resolution_breached")


@dataclass
class Totals:
    """Sums by name, and what follows from them. A share or mean of nothing is None, never 0."""

    values: dict[str, int] = field(default_factory=dict)

    def __getitem__(self, name: str) -> int:
        return self.values.get(name, 0)

    def __bool__(self) -> bool:
        return any(self.values.values())

    @classmethod
    def of(cls, parts: Sequence[Totals], names: Sequence[str]) -> Totals:
        """Their sum, by these names."""
        return cls({name: sum([part.values.get(name, 0) for part in parts]) for name in names})

    def percent(self, clock: str) -> float | None:
        """Met of judged, in percent with one decimal."""
        return share(self[f"{clock}_met"], self.judged(clock))

    def judged(self, clock: str) -> int:
        return self[f"{clock}_met"] + self[f"{clock}_breached"]

    @property
    def mean_resolution_hours(self) -> float | None:
        return round(self["resolve_seconds"] / self["finished"] / 3600, 2) if self["finished"] else None

    def mean(self, kind: str) -> int | None:
        """Seconds; `kind` of KINDS."""
        counted = self[KINDS[kind].flag]
        return round(self[KINDS[kind].seconds] / counted) if counted else None

    def near(self, kind: str, share: float = 0.5) -> tuple[int, bool] | None:
        """A quantile read off the histogram: (seconds, is beyond its last edge)."""
        return quantile([self[name] for name in BUCKETS_OF[kind]], KINDS[kind].edges, share)

    @property
    def median_answer(self) -> tuple[int, bool] | None:
        return self.near("answer")

    @property
    def median_resolution(self) -> tuple[int, bool] | None:
        return self.near("resolve")

    @property
    def backlog_change(self) -> int:
        return self["opened"] + self["reopened"] - self["ended"]


def share(part: int, whole: int) -> float | None:
    return round(100 * part / whole, 1) if whole else None


@dataclass(frozen=True, kw_only=True)
class Spans:
    """A period cut into whole months and the days around them."""

    months: tuple[Span, ...] = ()
    days: tuple[Span, ...] = ()
    rest: tuple[Span, ...] = ()
    """Days of the last month that do not belong to the period: to take off again."""


def cut(first: date, last: date, *, with_rest: bool = False) -> Spans:
    """Months are named by their first days, from the first to the last one.

    `with_rest`: a last month of which more than half is wanted is read whole, and its rest taken off; of the month
    that we are in, the rest is empty.
    """
    start = first if first.day == 1 else (first.replace(day=1) + timedelta(days=32)).replace(day=1)
    end = (last + timedelta(days=1)).replace(day=1) - timedelta(days=1)
    rest: tuple[Span, ...] = ()
    if with_rest and end < last and last.day > 15 and start <= last:
        rest, end = ((last + timedelta(days=1), _month_end(last)),), _month_end(last)
    if start > end:
        return Spans(days=((first, last),))
    days = []
    if first < start:
        days.append((first, start - timedelta(days=1)))
    if end < last:
        days.append((end + timedelta(days=1), last))
    return Spans(months=((start, end.replace(day=1)),), days=tuple(days), rest=rest)


class Piece(NamedTuple):
    """A condition in SQL, with its values."""

    sql: str
    values: tuple[Any, ...] = ()


NOWHERE = Piece("1 = 0")


def sums(
    *,
    keys: Keys,
    first: date,
    last: date,
    by: Sequence[str] = (),
    columns: Sequence[str],
    then: Span | None = None,
    daily: bool = False,
) -> dict[tuple[Any, ...], Totals]:
    """Sums of a period by row columns (dimensions, "day"); with `then`, of a second one beside it in the same query.

    The key is (1 or 2 for which period, *by). With "day" in `by`, a month that is read whole has its first day;
    `daily` reads no months. Written in SQL: one page asks for up to 35 sums, and the ORM takes longer to spell them
    than the database to add them up.
    """
    whole = [span for span in ((first, last), then) if span]
    spans = [Spans(days=(s,)) if daily else cut(*s) for s in whole]
    needed = frozenset(keys) | {name for name in by if name != "day"}
    month, day = BY_DIMENSIONS.get(("m", needed)), BY_DIMENSIONS.get(("d", needed))
    if day is None and (month is None or not any(s.months for s in spans)):
        return _read_parts(keys, [[s] for s in whole], by, columns)
    found = _read(
        DailyMetric._meta.db_table, keys, [_kept(s, day, month) for s in spans], by,
        {name: f"CAST(SUM({name}) AS bigint)" for name in columns},
    )  # fmt: skip
    if day is not None:
        return found
    for key, totals in _read_parts(keys, [s.days for s in spans], by, columns).items():
        found[key] = Totals.of([found[key], totals], columns) if key in found else totals
    return found


def _kept(spans: Spans, day: str | None, month: str | None) -> Piece:
    """The kept sums of these slices that together make the spans; days are left out where no slice has them."""
    pieces = []
    for first, last in spans.months:
        code, end = (month, last) if month else (day, _month_end(last))
        pieces.append(Piece("slice = %s AND day BETWEEN %s AND %s", (code, first, end)))
    if day:
        pieces += [Piece("slice = %s AND day BETWEEN %s AND %s", (day, *span)) for span in spans.days]
    return _either(pieces)


def _month_end(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def _either(pieces: Sequence[Piece]) -> Piece:
    if not pieces:
        return NOWHERE
    return Piece(
        "(" + " OR ".join(f"({p.sql})" for p in pieces) + ")", tuple(value for p in pieces for value in p.values)
    )


def _read_parts(keys: Keys, spans: Sequence[Sequence[Span]], by: Sequence[str], columns: Sequence[str]) -> Any:
    pieces = [_either([Piece("day BETWEEN %s AND %s", span) for span in some]) for some in spans]
    return _read(TicketDay._meta.db_table, keys, pieces, by, {name: _part_sum(name) for name in columns})


def _part_sum(name: str) -> str:
    """A sum over contributions: a bucket is counted from the seconds themselves."""
    if name in COUNTERS:
        return f"CAST(SUM({name}) AS bigint)"
    kind, number = name.rsplit("_", 1)
    i, (flag, seconds, edges) = int(number), KINDS[kind]
    wanted = [f"{flag} > 0"]
    wanted += [f"{seconds} > {edges[i - 1]}"] if i else []
    wanted += [f"{seconds} <= {edges[i]}"] if i < len(edges) else []
    return f"SUM(CASE WHEN {' AND '.join(wanted)} THEN 1 ELSE 0 END)"


def _read(
    table: str, keys: Keys, pieces: Sequence[Piece], by: Sequence[str], columns: Mapping[str, str]
) -> dict[tuple[Any, ...], Totals]:
    """All names in the statement are ours; what comes from an address is a value."""
    which, values = "1", list[Any]()
    if len(pieces) > 1:
        which, values = f"CASE WHEN {pieces[0].sql} THEN 1 ELSE 2 END", [*pieces[0].values]
    wanted = _either(pieces)
    where, narrowing = [wanted.sql], [*wanted.values]
    for name, ids in keys.items():
        where.append(f"{name} IN ({', '.join(['%s'] * len(ids))})")
        narrowing += ids
    group = [str(i + 1) for i in range(1 + len(by))]
    statement = (
        f"SELECT {', '.join([which, *by, *columns.values()])} FROM {table} "
        f"WHERE {' AND '.join(where)} GROUP BY {', '.join(group)}"
    )
    names, size = list(columns), 1 + len(by)
    found: dict[tuple[Any, ...], Totals] = {}
    for row in _rows(statement, (*values, *narrowing)):
        key = tuple(date.fromisoformat(v) if n == "day" and isinstance(v, str) else v
                    for n, v in zip(("which", *by), row, strict=False))  # fmt: skip
        found[key] = Totals(dict(zip(names, row[size:], strict=True)))
    return found


def _rows(statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    adapt = connection.ops.adapt_datefield_value
    with connection.cursor() as cursor:
        cursor.execute(statement, [adapt(v) if isinstance(v, date) else v for v in values])
        return cursor.fetchall()


# ---- the least kept promises ----------------------------------------------------------------------------------------


def lowest(
    *, keys: Keys, first: date, last: date, dimension: str, fewest: int, limit: int
) -> tuple[list[tuple[int, Totals]], int]:
    """The values of a dimension with the lowest share resolved in time, and how many values there are in all.

    Those with fewer judged tickets than `fewest` come last. Sorted and cut by the database: of 400 clients a page
    shows 8. Linked clients are one value, the first of them.
    """
    rows = _verdicts(keys, cut(first, last, with_rest=True), dimension)
    columns = ", ".join(f"SUM({name}) AS {name}" for name in VERDICTS)
    summed = f"SELECT {dimension}, {columns} FROM ({rows.sql}) parts GROUP BY {dimension}"
    if dimension == "client":
        summed = _by_customer(summed, columns)
    judged = "(resolution_met + resolution_breached)"
    statement = (
        f"SELECT {dimension}, {', '.join(f'CAST({name} AS bigint)' for name in VERDICTS)}, COUNT(*) OVER () "
        f"FROM ({summed}) summed "
        f"WHERE {' + '.join(VERDICTS)} > 0 "
        f"ORDER BY CASE WHEN {judged} < %s THEN 1 ELSE 0 END, CASE WHEN {judged} = 0 THEN 1 ELSE 0 END, "
        f"resolution_met * 1.0 / NULLIF({judged}, 0), {judged} DESC, finished DESC, {dimension} LIMIT %s"
    )
    found = _rows(statement, (*rows.values, fewest, limit))
    totals = [(row[0], Totals(dict(zip(VERDICTS, row[1:], strict=False)))) for row in found]
    return totals, found[0][-1] if found else 0


def _by_customer(summed: str, columns: str) -> str:
    """Clients that are linked as one, under the first of them: their filter means all of them, too."""
    table = Client._meta.db_table
    firsts = f"SELECT group_id, MIN(id) AS client FROM {table} WHERE group_id IS NOT NULL GROUP BY group_id"
    return (
        f"SELECT COALESCE(firsts.client, own.client) AS client, {columns} FROM ({summed}) own "
        f"LEFT JOIN {table} known ON known.id = own.client LEFT JOIN ({firsts}) firsts "
        "ON firsts.group_id = known.group_id GROUP BY COALESCE(firsts.client, own.client)"
    )


def _verdicts(keys: Keys, spans: Spans, dimension: str) -> Piece:
    """The rows to add up: whole months, the days around them, and below zero the rest of a month cut short."""
    needed = frozenset(keys) | {dimension}
    month, day = BY_DIMENSIONS.get(("m", needed)), BY_DIMENSIONS.get(("d", needed))
    pieces, values = [], list[Any]()
    for span, grain in (*((s, month) for s in spans.months), *((s, day) for s in (*spans.days, *spans.rest))):
        columns = [f"-{name}" if span in spans.rest else name for name in VERDICTS]
        if grain:
            # Counts of days and months: as integers they are summed without arbitrary precision.
            where, values = "slice = %s AND day BETWEEN %s AND %s", [grain, *span]
            source, columns = DailyMetric._meta.db_table, [f"CAST({name} AS integer)" for name in columns]
        else:
            end = _month_end(span[1]) if span in spans.months else span[1]
            where, values, source = "day BETWEEN %s AND %s", [span[0], end], TicketDay._meta.db_table
        for name, ids in keys.items():
            where += f" AND {name} IN ({', '.join(['%s'] * len(ids))})"
            values += ids
        named = ", ".join(f"{column} AS {name}" for column, name in zip(columns, VERDICTS, strict=True))
        pieces.append(Piece(f"SELECT {dimension}, {named} FROM {source} WHERE {where}", tuple(values)))
    return Piece(" UNION ALL ".join(p.sql for p in pieces), tuple(v for p in pieces for v in p.values))


ALL_COLUMNS = (*COUNTERS, *BUCKETS)
