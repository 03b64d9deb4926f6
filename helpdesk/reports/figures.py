"""Sums for a page: which kept rows to read, and what the sums say. No query touches a ticket here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django.db.models import Case, Count, IntegerField, Q, Sum, Value, When

from helpdesk.reports.models import DailyMetric, TicketDay
from helpdesk.reports.querysets import Span, in_spans
from helpdesk.reports.slices import (
    ANSWER_BUCKETS,
    ANSWER_EDGES,
    BUCKETS,
    BY_DIMENSIONS,
    COUNTERS,
    RESOLVE_BUCKETS,
    RESOLVE_EDGES,
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

    def add(self, names: Sequence[str], sums: Sequence[int | None]) -> None:
        for name, value in zip(names, sums, strict=True):
            if value:
                self.values[name] = self.values.get(name, 0) + value

    def percent(self, clock: str) -> float | None:
        """Met of judged, in percent with one decimal."""
        return share(self[f"{clock}_met"], self.judged(clock))

    def judged(self, clock: str) -> int:
        return self[f"{clock}_met"] + self[f"{clock}_breached"]

    @property
    def mean_resolution_hours(self) -> float | None:
        return round(self["resolve_seconds"] / self["finished"] / 3600, 2) if self["finished"] else None

    @property
    def median_answer(self) -> tuple[int, bool] | None:
        return quantile([self[name] for name in ANSWER_BUCKETS], ANSWER_EDGES)

    @property
    def median_resolution(self) -> tuple[int, bool] | None:
        return quantile([self[name] for name in RESOLVE_BUCKETS], RESOLVE_EDGES)


def share(part: int, whole: int) -> float | None:
    return round(100 * part / whole, 1) if whole else None


@dataclass(frozen=True, kw_only=True)
class Spans:
    """A period cut into whole months and the days around them."""

    months: tuple[Span, ...] = ()
    days: tuple[Span, ...] = ()


def cut(first: date, last: date) -> Spans:
    """Months are named by their first days, from the first to the last one."""
    start = first if first.day == 1 else (first.replace(day=1) + timedelta(days=32)).replace(day=1)
    end = (last + timedelta(days=1)).replace(day=1) - timedelta(days=1)
    if start > end:
        return Spans(days=((first, last),))
    days = []
    if first < start:
        days.append((first, start - timedelta(days=1)))
    if end < last:
        days.append((end + timedelta(days=1), last))
    return Spans(months=((start, end.replace(day=1)),), days=tuple(days))


def sums(
    *, keys: Keys, first: date, last: date, by: Sequence[str] = (), columns: Sequence[str], then: Span | None = None
) -> dict[tuple[Any, ...], Totals]:
    """Sums of a period by row columns (dimensions, "day"); with `then`, of a second one beside it in the same query.

    The key is (1 or 2 for which period, *by). With "day" in `by`, a month that is read whole has its first day.
    """
    spans = [cut(first, last), *([cut(*then)] if then else [])]
    needed = frozenset(keys) | {name for name in by if name != "day"}
    month, day = BY_DIMENSIONS.get(("m", needed)), BY_DIMENSIONS.get(("d", needed))
    if day is None and month is None or (day is None and not any(s.months for s in spans)):
        whole = [[(first, last)], [then] if then else []]
        return _read(TicketDay.objects.under(keys), whole, by, columns, from_parts=True)
    found: dict[tuple[Any, ...], Totals] = {}
    if day is not None:
        rows = DailyMetric.objects.under(keys)
        pieces = [_pieces(s, day, month) for s in spans]
        return _read_pieces(rows, pieces, by, columns)
    rows = DailyMetric.objects.under(keys)
    found = _read_pieces(rows, [_pieces(Spans(months=s.months), "", month) for s in spans], by, columns)
    edges = _read(TicketDay.objects.under(keys), [list(s.days) for s in spans], by, columns, from_parts=True)
    for key, totals in edges.items():
        into = found.setdefault(key, Totals())
        into.add(list(totals.values), list(totals.values.values()))
    return found


def _pieces(spans: Spans, day: str, month: str | None) -> Q:
    found = Q(pk__in=[])
    if spans.months and month:
        found |= Q(in_spans(spans.months), slice=month)
    elif spans.months:
        first, last = spans.months[0]
        found |= Q(day__range=(first, _month_end(last)), slice=day)
    if spans.days and day:
        found |= Q(in_spans(spans.days), slice=day)
    return found


def _month_end(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def _read_pieces(rows: Any, pieces: Sequence[Q], by: Sequence[str], columns: Sequence[str]) -> Any:
    wanted = pieces[0]
    for piece in pieces[1:]:
        wanted |= piece
    return _grouped(rows.filter(wanted), pieces, by, {name: Sum(name) for name in columns})


def _read(
    rows: Any, spans: Sequence[Sequence[Span]], by: Sequence[str], columns: Sequence[str], *, from_parts: bool
) -> Any:
    pieces = [in_spans(s) if s else Q(pk__in=[]) for s in spans]
    wanted = pieces[0]
    for piece in pieces[1:]:
        wanted |= piece
    return _grouped(rows.filter(wanted), pieces, by, {name: _part_sum(name) for name in columns})


def _part_sum(name: str) -> Any:
    """A sum over contributions: a bucket is counted from the seconds themselves."""
    if name in COUNTERS:
        return Sum(name)
    kind, number = name.rsplit("_", 1)
    i, edges = int(number), ANSWER_EDGES if kind == "answer" else RESOLVE_EDGES
    wanted = Q(answered=1) if kind == "answer" else Q(finished=1)
    if i:
        wanted &= Q(**{f"{kind}_seconds__gt": edges[i - 1]})
    if i < len(edges):
        wanted &= Q(**{f"{kind}_seconds__lte": edges[i]})
    return Count("pk", wanted)


def _grouped(rows: Any, pieces: Sequence[Q], by: Sequence[str], columns: Mapping[str, Any]) -> Any:
    if len(pieces) > 1:
        which = Case(When(pieces[0], then=Value(1)), default=Value(2), output_field=IntegerField())
    else:
        which = Value(1, output_field=IntegerField())
    names = list(columns)
    query = rows.order_by().annotate(which=which).values_list("which", *by)
    query = query.annotate(**{f"n_{name}": total for name, total in columns.items()})
    found: dict[tuple[Any, ...], Totals] = {}
    size = 1 + len(by)
    for row in query:
        found.setdefault(tuple(row[:size]), Totals()).add(names, row[size:])
    return found


ALL_COLUMNS = (*COUNTERS, *BUCKETS)
