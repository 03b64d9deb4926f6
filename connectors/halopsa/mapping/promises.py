"""SLAs and their calendars of HaloPSA as records.

Source: vendor's OpenAPI (`SlaHead`, `Policy`, `Workdays`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from connectors.base.configuration import CalendarRecord, HolidayRecord, Interval, PolicyRecord, TargetRecord
from connectors.halopsa.mapping.values import Row, first, id_of, identifier, instant, number, truth, words
from connectors.halopsa.mapping.zones import iana

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
DAY_MINUTES = 24 * 60


def duration(amount: Any, unit: Any) -> tuple[int | None, bool]:
    """Seconds of a target and whether it counts days; (None, False) for zero and for a unit nobody knows.

    Units are letters: M minutes, H hours, D days.
    """
    value = number(amount)
    letter = str(unit or "H").strip().upper()[:1]
    factor = {"M": 60, "H": 3600, "D": 86400}.get(letter)
    if value is None or value <= 0 or factor is None:
        return None, False
    return round(value * factor), letter == "D"


def policy_records(slas: Iterable[Row], priorities: Iterable[Row]) -> tuple[PolicyRecord, ...]:
    """SLAs with a target per priority, from their own `priorities` and from the list of all priorities."""
    by_sla: dict[str, dict[str, Row]] = {}
    for row in priorities:
        sla, priority = identifier(row.get("slaid")), identifier(row.get("priorityid"))
        if sla and priority:
            by_sla.setdefault(sla, {})[priority] = row
    found = []
    for row in slas:
        remote_id = identifier(row.get("id"))
        if remote_id is None:
            continue
        own = row.get("priorities")
        rows = dict(by_sla.get(remote_id, {}))
        for inner in own if isinstance(own, list) else []:
            if isinstance(inner, dict) and (key := identifier(inner.get("priorityid"))):
                rows[key] = inner
        found.append(
            PolicyRecord(
                remote_id=remote_id,
                raw={k: v for k, v in row.items() if k != "priorities"},
                name=words(row.get("name")) or f"#{remote_id}",
                calendar=id_of(row, "workday_id"),
                targets=tuple(_target(row, key, inner) for key, inner in rows.items()),
            )
        )
    return tuple(found)


def _target(sla: Row, priority: str, row: Row) -> TargetRecord:
    response, response_days = duration(row.get("responsetime"), row.get("responseunits"))
    resolution, resolution_days = duration(row.get("fixtime"), row.get("fixunits"))
    if not truth(sla.get("trackslaresponsetime"), default=True):
        response, response_days = None, False
    if not truth(sla.get("trackslafixbytime"), default=True):
        resolution, resolution_days = None, False
    return TargetRecord(
        priority=priority,
        response_seconds=response,
        resolution_seconds=resolution,
        response_in_days=response_days,
        resolution_in_days=resolution_days,
        calendar=identifier(row.get("workdaysoverride")),
    )


def calendar_record(row: Row) -> CalendarRecord:
    """A workday. Times stand on 1901-01-01; an end at midnight or 23:59 is the end of the day."""
    intervals = tuple(i for weekday in range(7) for i in _intervals(row, weekday))
    hours = {(i.weekday, i.opens, i.closes) for i in intervals}
    holidays = row.get("holidays")
    closed = [h for h in (holidays if isinstance(holidays, list) else []) if isinstance(h, dict)]
    return CalendarRecord(
        remote_id=identifier(row.get("id")) or "",
        raw=row,
        name=words(row.get("name")) or f"#{identifier(row.get('id')) or ''}",
        time_zone=iana(row.get("timezone")),
        # With days off it is open around the clock on all others only.
        is_always_open=not closed and all((weekday, 0, DAY_MINUTES) in hours for weekday in range(7)),
        intervals=intervals,
        holidays=tuple(record for item in closed for record in _holiday(item)),
    )


def _intervals(row: Row, weekday: int) -> list[Interval]:
    """The open hours that begin on this weekday; a shift past midnight gives a second part on the next day."""
    day = DAYS[weekday]
    if not truth(row.get(f"inc{day}"), default=True):
        return []
    same = truth(row.get("alldayssame"))
    opens = _minutes(row.get("start") if same else first(row, f"start{day}", "start"))
    closes = _minutes(row.get("end") if same else first(row, f"end{day}", "end"))
    if opens is None or closes is None:
        return []
    closes = DAY_MINUTES if closes in (0, DAY_MINUTES - 1) else closes
    if opens < closes:
        return [Interval(weekday=weekday, opens=opens, closes=closes)]
    if opens == closes:
        return []
    late = Interval(weekday=weekday, opens=opens, closes=DAY_MINUTES)
    return [late, Interval(weekday=(weekday + 1) % 7, opens=0, closes=closes)]


_TIME = re.compile(r"(?:^|T|\s)(\d{1,2}):(\d{2})")


def _minutes(value: Any) -> int | None:
    found = _TIME.search(value) if isinstance(value, str) else None
    return int(found[1]) % 24 * 60 + int(found[2]) % 60 if found else None


def _holiday(row: Row) -> list[HolidayRecord]:
    """Whole local days, unless `allday` is off: then it closes from the one wall time to the other.

    An end at midnight of a later day does not take that day in.
    """
    starts = instant(first(row, "date", "date_only"))
    if starts is None:
        return []
    ends = instant(first(row, "end_date", "end_date_only")) or starts
    is_part = "allday" in row and not truth(row["allday"]) and ends > starts
    if ends > starts and ends.time() == ends.min.time():
        ends -= timedelta(minutes=1)
    name, last = words(row.get("name")) or "", max(starts.date(), ends.date())
    if not is_part:
        return [HolidayRecord(name=name, starts_on=starts.date(), ends_on=last)]
    return _part_days(name, starts, ends)


def _part_days(name: str, starts: datetime, ends: datetime) -> list[HolidayRecord]:
    """Closed from one wall time to another: part of the first day, part of the last, all of those between."""
    begun, ended = _minute(starts), _minute(ends)
    ended = DAY_MINUTES if ended >= DAY_MINUTES - 1 else ended
    if starts.date() == ends.date():
        return [_part_day(name, starts.date(), begun, ended)]
    found = [_part_day(name, starts.date(), begun, DAY_MINUTES), _part_day(name, ends.date(), 0, ended)]
    first_whole, last_whole = starts.date() + timedelta(days=1), ends.date() - timedelta(days=1)
    if first_whole <= last_whole:
        found.insert(1, HolidayRecord(name=name, starts_on=first_whole, ends_on=last_whole))
    return found


def _part_day(name: str, day: date, begun: int, ended: int) -> HolidayRecord:
    """A day closed from one minute to another. It is open before or after it, whichever is longer: not both."""
    if begun <= 0 and ended >= DAY_MINUTES:
        return HolidayRecord(name=name, starts_on=day, ends_on=day)
    opens, closes = (0, begun) if begun >= DAY_MINUTES - ended else (ended, DAY_MINUTES)
    return HolidayRecord(name=name, starts_on=day, ends_on=day, opens=opens, closes=closes)


def _minute(at: datetime) -> int:
    return at.hour * 60 + at.minute
