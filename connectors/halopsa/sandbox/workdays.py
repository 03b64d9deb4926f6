"""A workday of the tenant as working time: when it is open in its own zone, and what follows by arithmetic.

Instants and durations are milliseconds. Wall times stand on 1901-01-01; an end at 23:59 is the end of the day. A
holiday takes its wall times out of the day; one for the whole day takes all of it.
"""

from __future__ import annotations

import zoneinfo
from bisect import bisect_left, bisect_right
from datetime import UTC, date, datetime, timedelta
from typing import Any

from connectors.halopsa.sandbox.seeds import DAYS, Doc

MINUTE_MS = 60_000
DAY_MINUTES = 1440
DAY_MS = DAY_MINUTES * MINUTE_MS
STEP = timedelta(days=400)
NEVER_DAYS = 2 * 366
"""A workday that does not open in so long counts every hour, so that every ticket has a date."""

Span = tuple[int, int]


class Workday:
    """Open spans are laid out as far as somebody asks, and found by bisection."""

    def __init__(self, doc: Doc | None) -> None:
        self._doc = doc or {}
        self._zone = _zone(self._doc.get("timezone"))
        self._week = [_span(self._doc, day) for day in DAYS] if doc else []
        self._off = _days_off(self._doc)
        whole = (0, DAY_MINUTES)
        self.is_always = not doc or (not self._off and all(span == whole for span in self._week))
        self.is_always = self.is_always or not any(end > begin for begin, end in self._week)
        self._opens: list[int] = []
        self._closes: list[int] = []
        self._before = [0]
        self._first = self._last = date(1970, 1, 1)

    def add(self, start: int, duration: int) -> int:
        """The instant when `duration` of working time has passed since `start`; none to pass is at once."""
        if self.is_always or duration <= 0:
            return start + duration
        self._lay_out(start, start)
        wanted = self._worked(start) + duration
        ahead = 0
        while self._before[-1] < wanted:
            ahead += 400
            if ahead > NEVER_DAYS and self._before[-1] == self._before[0]:
                return start + duration
            self._lay_out(start, start + ahead * DAY_MS)
            wanted = self._worked(start) + duration
        place = bisect_left(self._before, wanted) - 1
        return self._opens[place] + wanted - self._before[place]

    def between(self, start: int, end: int) -> int:
        """Working time within [start, end)."""
        if end <= start:
            return 0
        if self.is_always:
            return end - start
        self._lay_out(start, end)
        return self._worked(end) - self._worked(start)

    def _worked(self, at: int) -> int:
        """Working time laid out before an instant, which was laid out."""
        place = bisect_right(self._opens, at) - 1
        if place < 0:
            return 0
        return self._before[place] + min(at, self._closes[place]) - self._opens[place]

    def _lay_out(self, start: int, end: int) -> None:
        first, last = _day_of(start) - timedelta(days=2), _day_of(end) + timedelta(days=2)
        if self._opens and self._first <= first and last <= self._last:
            return
        if self._opens:
            first, last = min(first, self._first), max(last, self._last)
        self._first, self._last = first, last + STEP
        self._opens, self._closes, self._before = [], [], [0]
        day = self._first
        while day <= self._last:
            for begin, until in self._spans(day):
                opens, closes = self._instant(day, begin), self._instant(day, until)
                self._opens.append(opens)
                self._closes.append(closes)
                self._before.append(self._before[-1] + closes - opens)
            day += timedelta(days=1)

    def _spans(self, day: date) -> list[Span]:
        begin, end = self._week[day.weekday()]
        spans = [(begin, end)] if end > begin else []
        for closed_from, closed_to in self._off.get(day, ()):
            cut = [part for b, e in spans for part in ((b, min(e, closed_from)), (max(b, closed_to), e))]
            spans = [(b, e) for b, e in cut if e > b]
        return spans

    def _instant(self, day: date, minute: int) -> int:
        wall = datetime(day.year, day.month, day.day, tzinfo=self._zone) + timedelta(minutes=minute)
        return int(wall.timestamp()) * 1000


def _day_of(at: int) -> date:
    return datetime.fromtimestamp(at / 1000, UTC).date()


def _zone(name: Any) -> zoneinfo.ZoneInfo:
    """ "" is the tenant's own, which is UTC here."""
    try:
        return zoneinfo.ZoneInfo(str(name or "UTC"))
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return zoneinfo.ZoneInfo("UTC")


def _span(doc: Doc, day: str) -> Span:
    if not doc.get(f"inc{day}"):
        return 0, 0
    same = doc.get("alldayssame")
    begin = _minutes(doc.get("start" if same else f"start{day}"))
    end = _minutes(doc.get("end" if same else f"end{day}"))
    return begin, DAY_MINUTES if end == DAY_MINUTES - 1 else end


def _minutes(text: Any) -> int:
    when = datetime.fromisoformat(str(text))
    return when.hour * 60 + when.minute


def _days_off(doc: Doc) -> dict[date, list[Span]]:
    """Closed minutes by local date."""
    found: dict[date, list[Span]] = {}
    for row in doc.get("holidays") or ():
        begin = datetime.fromisoformat(row["date"])
        end = datetime.fromisoformat(row.get("end_date") or row["date"])
        day = begin.date()
        while day <= end.date():
            is_first, is_last = day == begin.date(), day == end.date()
            since = 0 if row.get("allday", True) or not is_first else begin.hour * 60 + begin.minute
            until = DAY_MINUTES if row.get("allday", True) or not is_last else end.hour * 60 + end.minute
            found.setdefault(day, []).append((since, DAY_MINUTES if until == DAY_MINUTES - 1 else until))
            day += timedelta(days=1)
    return found
