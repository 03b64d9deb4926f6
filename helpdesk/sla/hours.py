"""Business hours as arithmetic: pure, in UTC instants to the second, knowing neither Django nor a database.

Edges are local wall times resolved date by date. An edge inside a spring gap moves to the end of the gap; in an autumn
overlap an opening takes the first of the two instants, a closing the second. Open spans are half-open.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from math import floor
from zoneinfo import ZoneInfo

DAY_MINUTES = 1440
NEVER_DAYS = 366
"""A calendar without one open second in this many days counts as never open."""
YEAR_SECONDS = NEVER_DAYS * 86_400
FAR_SECONDS = 60 * YEAR_SECONDS
"""No promise ends later than this after its start: a target beyond is a mistake in the policy, not a deadline."""

Span = tuple[int, int]
"""[from, to) in seconds since 1970, or in minutes after local midnight: each function says which."""


class NeverOpen(ValueError):
    """The calendar does not open within a year, or not often enough to keep this promise in a lifetime."""


@dataclass(frozen=True)
class Weekly:
    """One interval of a weekday (0 Monday), minutes after local midnight; `closes` past 1440 runs into the next day."""

    weekday: int
    opens: int
    closes: int


@dataclass(frozen=True)
class DayOff:
    """Local dates, both included, closed from midnight to midnight; open within `hours` only where those are given."""

    starts_on: date
    ends_on: date
    hours: Span | None = None


@dataclass(frozen=True)
class Hours:
    """When the desk is open. `is_always` is 24x7: no weekday and no holiday counts."""

    zone: str = "UTC"
    weekly: tuple[Weekly, ...] = ()
    days_off: tuple[DayOff, ...] = ()
    is_always: bool = False


@dataclass
class _Table:
    """Open spans of the local dates [first, last], in seconds, and how many open seconds lie before each.

    Whole from `low` up to `high` (seconds): two days in from its ends, whatever the zone.
    """

    first: date
    last: date
    low: int
    high: int
    opens: list[int] = field(default_factory=list)
    closes: list[int] = field(default_factory=list)
    before: list[int] = field(default_factory=lambda: [0])


class Calendar:
    """Hours made quick to ask: spans are laid out once, a year at a time, and found by bisection.

    Raises ValueError for an unknown zone (`zoneinfo.ZoneInfoNotFoundError` is a KeyError) and for intervals that do
    not run forward.
    """

    def __init__(self, hours: Hours) -> None:
        self.hours = hours
        try:
            self.zone = ZoneInfo(hours.zone)
        except (KeyError, OSError, ValueError) as error:
            raise ValueError(f"unknown time zone {hours.zone!r}") from error
        if any(not 0 <= w.opens < DAY_MINUTES or not w.opens < w.closes <= 2 * DAY_MINUTES for w in hours.weekly):
            raise ValueError("an interval does not run forward within two days")
        self._weekdays = _by_weekday(hours.weekly)
        self._off = tuple(sorted(hours.days_off, key=lambda d: d.starts_on))
        self._table: _Table | None = None

    def elapsed(self, start: datetime, end: datetime) -> int:
        """Open seconds in [start, end); 0 when end is not after start."""
        a, b = _seconds(start), _seconds(end)
        if b <= a:
            return 0
        if self.hours.is_always:
            return b - a
        table = self._covering(a, b)
        return _open_before(table, b) - _open_before(table, a)

    def spans(self, start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
        """The open spans within [start, end), clipped to it, in order."""
        a, b = _seconds(start), _seconds(end)
        if b <= a:
            return []
        if self.hours.is_always:
            return [(_instant(a), _instant(b))]
        table = self._covering(a, b)
        found = []
        for place in range(bisect_right(table.closes, a), bisect_left(table.opens, b)):
            found.append((_instant(max(a, table.opens[place])), _instant(min(b, table.closes[place]))))
        return found

    def is_open(self, at: datetime) -> bool:
        return self.elapsed(at, at + timedelta(seconds=1)) == 1

    def next_open(self, at: datetime) -> datetime:
        """The first instant not before `at` at which time runs: a closing is not one. Raises NeverOpen."""
        second = _seconds(at)
        if self.hours.is_always:
            return _instant(second)
        table = self._covering(second, second + YEAR_SECONDS)
        place = bisect_right(table.closes, second)
        if place == len(table.opens):
            raise NeverOpen
        return _instant(max(second, table.opens[place]))

    def due(self, start: datetime, seconds: int) -> datetime:
        """The first instant by which so many open seconds have passed since `start`. Raises NeverOpen.

        Work that ends exactly at closing is due at closing; nothing to do is due at the next opening.
        """
        if seconds <= 0:
            return self.next_open(start)
        a = _seconds(start)
        if self.hours.is_always:
            return _instant(a + seconds)
        table = self._holding(a, seconds)
        wanted = _open_before(table, a) + seconds
        place = bisect_left(table.before, wanted) - 1
        due = table.opens[place] + wanted - table.before[place]
        if due - a > FAR_SECONDS:
            raise NeverOpen
        return _instant(due)

    def due_in_days(self, start: datetime, days: int) -> datetime:
        """The same wall time so many working days on; a working day is a local date with an opening. Raises NeverOpen.

        It counts from the next opening where the desk is closed at the start. A wall time at which it is closed then
        falls back to the closing before it on that date, else forward to its first opening.
        """
        begun = self.next_open(start)
        local = begun.astimezone(self.zone)
        if self.hours.is_always:
            return _instant(_resolve(self.zone, local.date() + timedelta(days=days), _minute_of(local), True))
        day, left, idle = local.date(), days, 0
        while left > 0:
            day += timedelta(days=1)
            is_working = bool(self._minutes(day))
            left, idle = left - is_working, 0 if is_working else idle + 1
            if idle > NEVER_DAYS or (day - local.date()).days * 86_400 > FAR_SECONDS:
                raise NeverOpen
        return self._within(day, _minute_of(local))

    def _within(self, day: date, minute: float) -> datetime:
        """That wall time of a working day, or the nearest open edge of the day."""
        open_minutes = self._minutes(day)
        for opens, closes in open_minutes:
            if opens <= minute <= closes:
                return _instant(_resolve(self.zone, day, minute, True))
        earlier = [closes for _, closes in open_minutes if closes < minute]
        edge = max(earlier) if earlier else open_minutes[0][0]
        return _instant(_resolve(self.zone, day, edge, bool(earlier)))

    # Laying out ------------------------------------------------------------------------------------------------------
    def _covering(self, a: int, b: int) -> _Table:
        """The table with every span that touches [a, b]; it grows by whole years and is replaced, never changed."""
        table = self._table
        if table is None or a < table.low or b >= table.high:
            first = (_instant(a) - timedelta(days=2)).date()
            last = (_instant(b) + timedelta(days=2)).date()
            if table is not None:
                first, last = min(first, table.first), max(last, table.last)
            table = self._lay_out(first, last + timedelta(days=NEVER_DAYS))
            self._table = table
        return table

    def _holding(self, a: int, seconds: int) -> _Table:
        """The table that goes far enough for so many open seconds after `a`. Raises NeverOpen."""
        until = a + YEAR_SECONDS
        while True:
            table = self._covering(a, until)
            if table.before[-1] - _open_before(table, a) >= seconds:
                return table
            end = _midnight(table.last)
            if table.before[-1] == _open_before(table, end - YEAR_SECONDS) or end - a > FAR_SECONDS:
                raise NeverOpen
            until = end + YEAR_SECONDS

    def _lay_out(self, first: date, last: date) -> _Table:
        table = _Table(first, last, _midnight(first) + 2 * 86_400, _midnight(last) - 86_400)
        day = first
        while day <= last:
            for opens, closes in self._minutes(day):
                _add(table, _resolve(self.zone, day, opens, False), _resolve(self.zone, day, closes, True))
            day += timedelta(days=1)
        for opened, closed in zip(table.opens, table.closes, strict=True):
            table.before.append(table.before[-1] + closed - opened)
        return table

    def _minutes(self, day: date) -> Sequence[Span]:
        """Open minutes of a local date within [0, 1440], in order and apart: its own, and what the day before left."""
        usual = self._weekdays[day.weekday()]
        for off in self._off:
            if off.starts_on > day:
                break
            if day <= off.ends_on:
                hours = off.hours or (0, 0)
                usual = [(max(o, hours[0]), min(c, hours[1])) for o, c in usual if o < hours[1] and c > hours[0]]
        return usual


def _by_weekday(weekly: Iterable[Weekly]) -> Mapping[int, list[Span]]:
    found: dict[int, list[Span]] = {day: [] for day in range(7)}
    for one in weekly:
        found[one.weekday].append((one.opens, min(one.closes, DAY_MINUTES)))
        if one.closes > DAY_MINUTES:
            found[(one.weekday + 1) % 7].append((0, one.closes - DAY_MINUTES))
    return {day: _union(spans) for day, spans in found.items()}


def _union(spans: Iterable[Span]) -> list[Span]:
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _add(table: _Table, opens: int, closes: int) -> None:
    """Append a span; one that touches the last goes into it, so that a night's midnight is no edge."""
    if table.closes and opens <= table.closes[-1]:
        table.closes[-1] = max(closes, table.closes[-1])
    elif opens < closes:
        table.opens.append(opens)
        table.closes.append(closes)


def _open_before(table: _Table, second: int) -> int:
    place = bisect_right(table.opens, second) - 1
    if place < 0:
        return 0
    return table.before[place] + min(second, table.closes[place]) - table.opens[place]


def _seconds(at: datetime) -> int:
    """Whole seconds; what lies below a second is cut off, so that the same instant always gives the same answer."""
    return floor(at.timestamp())


def _instant(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)


def _midnight(day: date) -> int:
    """At which the date begins in UTC."""
    return _seconds(datetime(day.year, day.month, day.day, tzinfo=UTC))


def _minute_of(local: datetime) -> float:
    return local.hour * 60 + local.minute + local.second / 60


def _resolve(zone: ZoneInfo, day: date, minute: float, is_closing: bool) -> int:
    """Seconds since 1970 of a wall time, minutes after local midnight (1440 = the next one)."""
    wall = datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(seconds=round(minute * 60))
    first, second = _at(wall.replace(fold=0)), _at(wall.replace(fold=1))
    if first == second:
        return first
    if first > second:  # in a gap: read with the offset before it, the wall time lands behind it
        return _gap_end(zone, second, first)
    return second if is_closing else first


def _at(local: datetime) -> int:
    return int(local.timestamp())


@lru_cache(maxsize=4096)
def _gap_end(zone: ZoneInfo, low: int, high: int) -> int:
    """The instant in (low, high] at which the zone's clocks spring forward."""
    before = _instant(low).astimezone(zone).utcoffset()
    while high - low > 1:
        middle = (low + high) // 2
        if _instant(middle).astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high
