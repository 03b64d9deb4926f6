"""The tenant's own SLA arithmetic: targets, holds, due dates. Works on ticket columns, in milliseconds.

Due dates are working time of the priority's workday, or the SLA's. A hold moves what is still due by the working time
that it lasted, and so does the time for which a reopened ticket was closed.
"""

from __future__ import annotations

import sqlite3
from typing import Any

from connectors.halopsa.sandbox import seeds
from connectors.halopsa.sandbox.tenant import Row, config, one_config, priority_of
from connectors.halopsa.sandbox.workdays import Workday

COLUMNS = ("respondbydate", "fixbydate")


class Book:
    """Targets and workdays as they are now, each read once; for the length of one call, or of one load."""

    def __init__(self, conn: sqlite3.Connection) -> None:
        self._conn = conn
        self._promises: dict[tuple[int, int], tuple[tuple[int, int] | None, Workday]] = {}
        self._workdays: dict[int, Workday] = {}

    def promise(self, sla_id: int, priority_id: int) -> tuple[tuple[int, int] | None, Workday]:
        """(respond, fix) in milliseconds of the workday beside them; None when the SLA lacks the priority."""
        key = (sla_id, priority_id)
        if key not in self._promises:
            doc = priority_of(self._conn, sla_id, priority_id)
            own = int(doc.get("workdaysoverride") or 0) if doc else 0
            hours = self.workday(own) if own > 0 else self.hours(sla_id)
            self._promises[key] = (_targets(doc) if doc else None, hours)
        return self._promises[key]

    def hours(self, sla_id: int) -> Workday:
        doc = one_config(self._conn, "sla", sla_id)
        return self.workday(int(doc["workday_id"]) if doc else 0)

    def workday(self, number: int) -> Workday:
        if number not in self._workdays:
            self._workdays[number] = Workday(one_config(self._conn, "workday", number))
        return self._workdays[number]

    def hours_of(self, row: Row) -> Workday:
        return self.promise(row["sla_id"], row["priority_id"])[1]

    def sla_of(self, name: str) -> int | None:
        """The SLA of that name."""
        return next((int(doc["id"]) for doc in config(self._conn, "sla") if doc["name"] == name), None)


def _targets(doc: dict[str, Any]) -> tuple[int, int]:
    units = seeds.HOUR_UNITS
    return (
        int(doc["responsetime"] * units.get(doc["responseunits"], 3_600_000)),
        int(doc["fixtime"] * units.get(doc["fixunits"], 3_600_000)),
    )


def due_dates(book: Book, sla_id: int, priority_id: int, start: int) -> tuple[int, int]:
    """(respond by, fix by) without any hold; (0, 0) when there is no target."""
    targets, hours = book.promise(sla_id, priority_id)
    return (0, 0) if targets is None else (hours.add(start, targets[0]), hours.add(start, targets[1]))


def hold(row: Row, now: int) -> None:
    row["hold_since"] = row["hold_since"] or now


def release(book: Book, row: Row, now: int) -> None:
    """End a hold: what is still due moves by the working time held."""
    since = row["hold_since"]
    if not since:
        return
    row["hold_since"] = 0
    row["held_ms"] += max(0, now - since)
    shift(book, row, since, now)


def shift(book: Book, row: Row, since: int, until: int) -> None:
    """Put off what was still due when the clock stood still; what was late by then stays late."""
    hours = book.hours_of(row)
    by = hours.between(since, until)
    if row["fixbydate"] > since:
        row["fixbydate"] = hours.add(row["fixbydate"], by)
    if row["respondbydate"] > since and not row["responsedate"]:
        row["respondbydate"] = hours.add(row["respondbydate"], by)


def enter_status(book: Book, row: Row, status: dict[str, Any], now: int) -> None:
    """Move the ticket into a status, with what that does to hold, closing and due dates."""
    number = int(status["id"])
    is_done = number in (seeds.RESOLVED, seeds.CLOSED)
    if status.get("slaaction") == "H":
        hold(row, now)
    else:
        release(book, row, now)
    if is_done and not row["is_done"]:
        row["dateclosed"] = now
    elif row["is_done"] and not is_done:
        shift(book, row, row["dateclosed"] or now, now)
        row["dateclosed"] = 0
    row["is_done"], row["is_closed"] = int(is_done), int(number == seeds.CLOSED)
    row["status_id"], row["status_since"] = number, now


def retarget(book: Book, row: Row, sla_id: int, priority_id: int, start: int) -> None:
    """New SLA, priority or start: counted anew from the start, with the working time that it was put off so far."""
    old = due_dates(book, row["sla_id"], row["priority_id"], row["dateoccurred"])
    new = due_dates(book, sla_id, priority_id, start)
    before, after = book.hours_of(row), book.promise(sla_id, priority_id)[1]
    for name, was, due in zip(COLUMNS, old, new, strict=True):
        put_off = before.between(was, row[name]) if row[name] and was else 0
        row[name] = after.add(due, put_off) if due else 0
    row["sla_id"], row["priority_id"], row["dateoccurred"] = sla_id, priority_id, start


def response_state(row: Row, now: int) -> str:
    """ "I" in, "O" out, "" not decided yet."""
    if row["responsedate"]:
        return "I" if row["responsedate"] <= row["respondbydate"] or not row["respondbydate"] else "O"
    return "O" if row["respondbydate"] and now > row["respondbydate"] and not row["hold_since"] else ""


def fix_state(row: Row, now: int) -> str:
    end = row["dateclosed"] or row["hold_since"] or now
    if row["fixbydate"] and end > row["fixbydate"]:
        return "O"
    return "I" if row["dateclosed"] else ""
