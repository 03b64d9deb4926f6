"""Bank holidays of England and Wales as a workday's holidays, and the afternoon of Christmas Eve."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

MONDAY, SATURDAY = 0, 5


def of_years(workday: int, years: range, *, eve_closes: str | None) -> list[dict[str, Any]]:
    """`eve_closes`: the wall time at which the desk closes on Christmas Eve, where that is a working day."""
    found = []
    for year in years:
        found += [_whole(workday, name, day) for name, day in _days(year)]
        eve = date(year, 12, 24)
        if eve_closes and eve.weekday() < SATURDAY:
            found.append(_part(workday, "Christmas Eve, afternoon", eve, eve_closes))
    return sorted(found, key=lambda doc: str(doc["date"]))


def _days(year: int) -> Iterator[tuple[str, date]]:
    yield "New Year's Day", _substitute(date(year, 1, 1))
    easter = _easter(year)
    yield "Good Friday", easter - timedelta(days=2)
    yield "Easter Monday", easter + timedelta(days=1)
    yield "Early May bank holiday", _on_monday(date(year, 5, 1))
    yield "Spring bank holiday", _on_monday(date(year, 5, 25))
    yield "Summer bank holiday", _on_monday(date(year, 8, 25))
    christmas = _substitute(date(year, 12, 25))
    boxing = _substitute(date(year, 12, 26))
    yield "Christmas Day", christmas
    yield "Boxing Day", boxing + timedelta(days=1) if boxing == christmas else boxing


def _substitute(day: date) -> date:
    """The Monday after, for a day at the weekend."""
    return day + timedelta(days=7 - day.weekday()) if day.weekday() >= SATURDAY else day


def _on_monday(day: date) -> date:
    """The first Monday from that day on."""
    return day + timedelta(days=(MONDAY - day.weekday()) % 7)


def _easter(year: int) -> date:
    """Western Easter Sunday. Source: the anonymous Gregorian algorithm, in whole numbers."""
    century, of_century = divmod(year, 100)
    leaps, rest = divmod(century, 4)
    golden = year % 19
    moon = (19 * golden + century - leaps - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    week = (32 + 2 * rest + 2 * (of_century // 4) - moon - of_century % 4) % 7
    month, day = divmod(moon + week - 7 * ((golden + 11 * moon + 22 * week) // 451) + 114, 31)
    return date(year, month, day + 1)


def _whole(workday: int, name: str, day: date) -> dict[str, Any]:
    return _doc(workday, name, f"{day}T00:00:00", f"{day}T23:59:00", is_whole=True)


def _part(workday: int, name: str, day: date, since: str) -> dict[str, Any]:
    return _doc(workday, name, f"{day}T{since}:00", f"{day}T23:59:00", is_whole=False)


def _doc(workday: int, name: str, begin: str, end: str, *, is_whole: bool) -> dict[str, Any]:
    key = uuid.uuid5(uuid.NAMESPACE_URL, f"sandbox:halopsa/holiday/{workday}/{begin}")
    return {
        "id": str(key), "workday_id": workday, "name": name, "date": begin, "end_date": end, "allday": is_whole,
        "isrecurring": False, "holiday_type": 0,
    }  # fmt: skip
