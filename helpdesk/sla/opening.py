"""Which hours a shown clock counts by, and the open spans that the browser needs to count on by itself."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache

from helpdesk.sla.book import Book, recent
from helpdesk.sla.hours import Calendar, NeverOpen
from helpdesk.sla.versions import AROUND_THE_CLOCK

BACK, AHEAD = timedelta(days=4), timedelta(days=14)
MOST = 40
"""Calendars told to one page: a desk with more counts those of the first."""


def hours_of(key: int) -> Calendar | None:
    """The hours behind a clock's calendar; None = every second counts."""
    if key == AROUND_THE_CLOCK:
        return None
    found = recent().latest(key)
    return None if found is None or found.hours.is_always else found


def opens_at(hours: Calendar | None, now: datetime) -> datetime | None:
    """When a desk that is closed now opens again; None while it is open, or never is."""
    if hours is None or hours.is_open(now):
        return None
    try:
        return hours.next_open(now)
    except NeverOpen:
        return None


def open_spans(now: datetime) -> str:
    """For the browser: "3,7:29395980,510,930,510;9:..." - calendars with the same hours, a minute since 1970, then by
    turns for how many minutes from there they are closed and open. From a few days back to two weeks on.
    """
    return _spans_text(recent(), now.replace(minute=0, second=0, microsecond=0))


@lru_cache(maxsize=4)
def _spans_text(book: Book, hour: datetime) -> str:
    alike: dict[Calendar, list[str]] = {}
    for key in sorted(book.calendars)[:MOST]:
        hours = book.latest(key)
        if hours is not None and not hours.hours.is_always:
            alike.setdefault(hours, []).append(str(key))
    return ";".join(f"{','.join(keys)}:{','.join(map(str, _turns(hours, hour)))}" for hours, keys in alike.items())


def _turns(hours: Calendar, now: datetime) -> list[int]:
    start, end = now - BACK, now + AHEAD
    at = int(start.timestamp()) // 60
    found = [at]
    for opens, closes in hours.spans(start, end):
        opened, closed = int(opens.timestamp()) // 60, int(closes.timestamp()) // 60
        found += [opened - at, closed - opened]
        at = closed
    return [*found, int(end.timestamp()) // 60 - at]
