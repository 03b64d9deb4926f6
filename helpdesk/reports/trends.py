"""A period in steps (days, weeks, months), and the two pictures of it: SVG by attributes only. Pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from helpdesk.reports.figures import Totals
from helpdesk.reports.periods import MONTHS

LEFT, RIGHT, TOP, BOTTOM = 4.0, 88.0, 8.0, 86.75
"""Edges of the drawing in percent."""
GOAL = 90
"""Percent in time: the line that people compare with."""
LABELS = 6
SHOWN = ("opened", "finished", "response_met", "response_breached", "resolution_met", "resolution_breached")
"""What the steps of a trend show."""


@dataclass(frozen=True, kw_only=True)
class Step:
    first: date
    last: date
    label: str
    totals: Totals
    before: Totals


def steps(
    first: date, last: date, step: str, days: Mapping[date, Totals], before: Mapping[date, Totals], before_first: date
) -> list[Step]:
    """`days` and `before` are sums by day (by month where the step is a month)."""
    order, order_before = sorted(days), sorted(before)
    spans = list(spans_of(first, last, step))
    earlier = list(spans_of(before_first, before_first + (last - first), step))
    found = []
    for i, (start, end) in enumerate(spans):
        then = _add(before, order_before, *earlier[i]) if i < len(earlier) else Totals()
        found.append(
            Step(first=start, last=end, label=label_of(start, step), totals=_add(days, order, start, end), before=then)
        )
    return found


def spans_of(first: date, last: date, step: str) -> Iterator[tuple[date, date]]:
    """First and last day of each day, week or month of a period."""
    start = first
    while start <= last:
        if step == "day":
            end = start
        elif step == "week":
            end = start + timedelta(days=6 - start.weekday())
        else:
            end = (start.replace(day=1) + timedelta(days=32)).replace(day=1) - timedelta(days=1)
        yield start, min(end, last)
        start = end + timedelta(days=1)


def _add(days: Mapping[date, Totals], order: Sequence[date], first: date, last: date) -> Totals:
    found = order[bisect_left(order, first) : bisect_right(order, last)]
    return Totals.of([days[day] for day in found], SHOWN)


def label_of(start: date, step: str) -> str:
    month = MONTHS[start.month - 1]
    return f"{month} {start.year % 100:02d}" if step == "month" else f"{start.day} {month}"


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One bar: place and size in percent. `step` and `metric` say what it opens."""

    x: str
    y: str
    width: str
    height: str
    series: str
    step: Step
    metric: str
    count: int


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A label with its place: on the x axis `at` is x, on the y axis it is y."""

    at: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Line:
    x1: str
    y1: str
    x2: str
    y2: str
    series: str


@dataclass(frozen=True, kw_only=True)
class Dot:
    x: str
    y: str
    series: str
    label_y: str
    text: str


@dataclass(frozen=True, kw_only=True)
class BarChart:
    bars: Sequence[Bar]
    across: Sequence[Mark]
    up: Sequence[Mark]


@dataclass(frozen=True, kw_only=True)
class LineChart:
    lines: Sequence[Line]
    dots: Sequence[Dot]
    across: Sequence[Mark]
    up: Sequence[Mark]
    goal: str


def bar_chart(found: Sequence[Step]) -> BarChart:
    """Opened beside finished, step by step."""
    top = nice(max((max(s.totals["opened"], s.totals["finished"]) for s in found), default=0))
    right = 98.0
    slot = (right - LEFT) / max(1, len(found))
    width = min(slot * 0.36, 4)
    bars = []
    for i, step in enumerate(found):
        middle = LEFT + slot * (i + 0.5)
        for series, metric, x in (("a", "opened", middle - width - 0.1), ("b", "finished", middle + 0.1)):
            count = step.totals[metric]
            height = (BOTTOM - TOP) * count / top
            bars.append(
                Bar(
                    x=_pc(x), y=_pc(BOTTOM - height), width=_pc(width), height=_pc(height), series=series, step=step,
                    metric=metric, count=count,
                )
            )  # fmt: skip
    up = [Mark(at=_pc(BOTTOM - (BOTTOM - TOP) * share), text=_tick(top * share)) for share in _shares(top)]
    return BarChart(bars=bars, across=_across(found, [LEFT + slot * (i + 0.5) for i in range(len(found))]), up=up)


def line_chart(found: Sequence[Step], *, with_before: bool) -> LineChart:
    """Share in time of both clocks, and of the response in the period before."""
    series = {
        "a": [s.totals.percent("response") for s in found],
        "b": [s.totals.percent("resolution") for s in found],
    }
    if with_before:
        series = {"before": [s.before.percent("response") for s in found], **series}
    shown = [value for values in series.values() for value in values if value is not None]
    low = min(85, int(min([*shown, GOAL]) // 5 * 5))
    across = [LEFT + (RIGHT - LEFT) * (i / (len(found) - 1) if len(found) > 1 else 0.5) for i in range(len(found))]

    def y(value: float) -> float:
        return TOP + (BOTTOM - TOP) * (100 - value) / (100 - low)

    lines, dots = [], []
    for name, values in series.items():
        points = [(x, y(v), v) for x, v in zip(across, values, strict=True) if v is not None]
        for (x1, y1, _v1), (x2, y2, _v2) in pairwise(points):
            lines.append(Line(x1=_pc(x1), y1=_pc(y1), x2=_pc(x2), y2=_pc(y2), series=name))
        if points and name != "before":
            x_last, y_last, value = points[-1]
            dots.append(Dot(x=_pc(x_last), y=_pc(y_last), series=name, label_y=_pc(y_last), text=f"{value:.1f}"))
    ticks = range(100, low - 1, -5 if low >= 80 else -10 if low >= 50 else -25)
    return LineChart(
        lines=lines,
        dots=_apart(dots),
        across=_across(found, across),
        up=[Mark(at=_pc(y(tick)), text=str(tick)) for tick in ticks],
        goal=_pc(y(GOAL)),
    )


def _apart(dots: list[Dot]) -> list[Dot]:
    """Two labels never lie upon each other."""
    if len(dots) < 2 or dots[0].x != dots[1].x:
        return dots
    upper, lower = sorted(dots, key=lambda d: float(d.y.rstrip("%")))
    top, bottom = float(upper.y.rstrip("%")), float(lower.y.rstrip("%"))
    missing = 8 - (bottom - top)
    if missing <= 0:
        return dots
    return [
        Dot(x=d.x, y=d.y, series=d.series, text=d.text, label_y=_pc(at))
        for d, at in ((upper, top - missing / 2), (lower, bottom + missing / 2))
    ]


def _across(found: Sequence[Step], places: Sequence[float]) -> list[Mark]:
    every = max(1, -(-len(found) // LABELS))
    return [Mark(at=_pc(places[i]), text=step.label) for i, step in enumerate(found) if i % every == 0]


def nice(top: int) -> int:
    """A round number at or above the highest bar, that halves well."""
    if top <= 4:
        return 4
    size = 10 ** (len(str(top)) - 1)
    return next(step * size // 10 for step in (10, 12, 16, 20, 30, 40, 60, 80, 100) if step * size // 10 >= top)


def _tick(value: float) -> str:
    """Short: the labels of an axis stand left of it on a phone, too."""
    return f"{value / 1000:g}k" if value >= 1000 else f"{value:g}"


def _shares(top: int) -> tuple[float, ...]:
    return (0, 0.25, 0.5, 0.75, 1) if top % 4 == 0 else (0, 0.5, 1)


def _pc(value: float) -> str:
    return f"{round(value, 2):g}%"
