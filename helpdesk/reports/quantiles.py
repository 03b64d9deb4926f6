"""Medians and 90th percentiles: exact ones, worked out anew after the days they are about have changed.

Kept for weeks, months, quarters and years of the calendar: of all tickets, and by client, team and priority.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from itertools import islice
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import Q

from helpdesk.core import bulk
from helpdesk.reports.models import Quantile, QuantileMark, TicketDay
from helpdesk.reports.slices import KINDS

DIMENSIONS = ("client", "team", "rank")
MANY = 500
"""More clients than this are not named one by one."""
CHUNK = 500
BEGINNING = date(1970, 1, 1)


class Stretch(NamedTuple):
    """A week, month, quarter or year: its letter, first and last day."""

    grain: str
    first: date
    last: date


def grains_of(day: date) -> list[Stretch]:
    """The four that this day lies in."""
    monday = day - timedelta(days=day.weekday())
    month, quarter = day.replace(day=1), day.replace(month=day.month - (day.month - 1) % 3, day=1)
    return [
        Stretch("w", monday, monday + timedelta(days=6)),
        Stretch("m", month, _before(month, 1)),
        Stretch("q", quarter, _before(quarter, 3)),
        Stretch("y", day.replace(month=1, day=1), day.replace(month=12, day=31)),
    ]


def _before(first: date, months: int) -> date:
    """The last day of so many months that begin there."""
    number = first.month - 1 + months
    return date(first.year + number // 12, number % 12 + 1, 1) - timedelta(days=1)


def grain_from(first: date, last: date) -> Stretch | None:
    """The one that begins on `first` and holds `last`, the shortest; None when the days begin within one."""
    return next((one for one in grains_of(first) if one.first == first and last <= one.last), None)


# ---- working them out -----------------------------------------------------------------------------------------------


def refresh() -> bool:
    """Work out what the marks of one year ask for, the newest first; whether more is left.

    Marks that come meanwhile stay, and are done the next time.
    """
    newest = QuantileMark.objects.order_by("-day").values_list("day", flat=True).first()
    if newest is None:
        return False
    year = QuantileMark.objects.filter(day__gte=newest.replace(month=1, day=1))
    marks = list(year.values_list("pk", "day", *DIMENSIONS))
    keys = {name: {mark[2 + place] for mark in marks} for place, name in enumerate(DIMENSIONS)}
    stretches = {stretch for day in {mark[1] for mark in marks} for stretch in grains_of(day)}
    for stretch in sorted(stretches):
        rows = _worked_out(stretch, keys)
        with transaction.atomic():
            _clear(stretch, keys)
            bulk.insert(rows)
    # Last: who is stopped before it begins anew.
    for start in range(0, len(marks), CHUNK):
        QuantileMark.objects.filter(pk__in=[mark[0] for mark in marks[start : start + CHUNK]]).delete()
    return QuantileMark.objects.exists()


def start_over(since: date | None) -> None:
    """Ask for all of them anew, of the years from this day on; until they are there, pages read histograms."""
    first = since.replace(month=1, day=1) if since else BEGINNING
    with transaction.atomic():
        # The first week may begin in the year before.
        monday = first - timedelta(days=first.weekday())
        Quantile.objects.filter(Q(day__gte=first) | Q(day=monday, grain="w")).delete()
        counting = TicketDay.objects.filter(day__gte=monday)
        counting = counting.counting(*(measure.flag for measure in KINDS.values()))
        rows = counting.order_by().values_list("day", *DIMENSIONS).distinct()
        found = rows.iterator(chunk_size=CHUNK)
        while some := list(islice(found, CHUNK)):
            bulk.insert([QuantileMark(day=day, client=c, team=team, rank=rank) for day, c, team, rank in some])


Wanted = Mapping[str, Collection[int]]


def _clear(stretch: Stretch, keys: Wanted) -> None:
    kept = Quantile.objects.filter(grain=stretch.grain, day=stretch.first)
    kept.filter(dimension="").delete()
    for name in DIMENSIONS:
        own = kept.filter(dimension=name)
        (own if len(keys[name]) > MANY else own.filter(key__in=list(keys[name]))).delete()


def _worked_out(stretch: Stretch, keys: Wanted) -> list[Quantile]:
    found = []
    for name in ("", *DIMENSIONS):
        only = sorted(keys[name]) if name and len(keys[name]) <= MANY else []
        for kind, key, count, median, p90 in _read(stretch, name, only):
            found.append(
                Quantile(
                    grain=stretch.grain, day=stretch.first, dimension=name, key=key, kind=kind, count=count,
                    median=round(median), p90=p90,
                )
            )  # fmt: skip
    return found


def _read(stretch: Stretch, dimension: str, only: Sequence[int]) -> list[tuple[Any, ...]]:
    """(kind, key, count, median, p90) in one statement that every database reads. All names in it are ours."""
    key = dimension or "0"
    narrowed = f" AND {dimension} IN ({', '.join(map(str, only))})" if only else ""
    table, pieces, values = TicketDay._meta.db_table, [], list[Any]()
    for kind, measure in KINDS.items():
        place = f"OVER (PARTITION BY {key} ORDER BY {measure.seconds})"
        pieces.append(
            f"SELECT '{kind}' AS kind, {key} AS k, {measure.seconds} AS v, ROW_NUMBER() {place} AS place, "
            f"COUNT(*) OVER (PARTITION BY {key}) AS n FROM {table} "
            f"WHERE day BETWEEN %s AND %s AND {measure.flag} > 0{narrowed}"
        )
        values += [connection.ops.adapt_datefield_value(day) for day in (stretch.first, stretch.last)]
    statement = (
        "SELECT kind, k, n, AVG(CASE WHEN place IN ((n + 1) / 2, (n + 2) / 2) THEN v END), "
        "MAX(CASE WHEN place = (9 * n + 9) / 10 THEN v END) "
        f"FROM ({' UNION ALL '.join(pieces)}) valued GROUP BY kind, k, n ORDER BY kind, k"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall()
