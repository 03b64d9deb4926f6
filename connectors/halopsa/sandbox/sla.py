"""The tenant's own SLA arithmetic: targets, holds, due dates. Works on ticket columns, in milliseconds."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.halopsa.sandbox import seeds
from connectors.halopsa.sandbox.tenant import Row, one_config, priority_of

DAY_MS = 86_400_000


def targets(conn: sqlite3.Connection, sla_id: int, priority_id: int) -> tuple[int, int] | None:
    """(respond, fix) in milliseconds, None when the SLA lacks the priority."""
    doc = priority_of(conn, sla_id, priority_id)
    if doc is None:
        return None
    units = seeds.HOUR_UNITS
    return (
        int(doc["responsetime"] * units.get(doc["responseunits"], 3_600_000)),
        int(doc["fixtime"] * units.get(doc["fixunits"], 3_600_000)),
    )


def due_dates(conn: sqlite3.Connection, sla_id: int, priority_id: int, start: int) -> tuple[int, int]:
    """(respond by, fix by) without any hold; (0, 0) when there is no target."""
    found = targets(conn, sla_id, priority_id)
    if found is None:
        return 0, 0
    doc = one_config(conn, "sla", sla_id)
    workday = one_config(conn, "workday", doc["workday_id"]) if doc else None
    return add_working(start, found[0], workday), add_working(start, found[1], workday)


def add_working(start: int, duration: int, workday: dict[str, Any] | None) -> int:
    """The instant when `duration` of working time has passed since `start`; every hour counts without a workday or
    in 24x7."""
    spans = _open_spans(workday)
    if spans is None:
        return start + duration
    left = duration
    midnight = start - start % DAY_MS
    for day in range(366 * 2):
        day_start = midnight + day * DAY_MS
        opens, closes = spans[datetime.fromtimestamp(day_start / 1000, UTC).weekday()]
        begin, end = max(start, day_start + opens), day_start + closes
        if end > begin:
            if left <= end - begin:
                return begin + left
            left -= end - begin
    return start + duration


def _open_spans(workday: dict[str, Any] | None) -> list[tuple[int, int]] | None:
    if workday is None or (workday["start"].endswith("00:00:00") and workday["end"].endswith("23:59:00")):
        return None
    spans = [
        (_of_day(workday[f"start{day}"]), _of_day(workday[f"end{day}"])) if workday[f"inc{day}"] else (0, 0)
        for day in seeds.DAYS
    ]
    return spans if any(end > begin for begin, end in spans) else None


def _of_day(text: str) -> int:
    when = datetime.fromisoformat(text)
    return int(timedelta(hours=when.hour, minutes=when.minute).total_seconds() * 1000)


def hold(row: Row, now: int) -> None:
    row["hold_since"] = row["hold_since"] or now


def release(row: Row, now: int) -> None:
    """End a hold: what is still due moves by the time held."""
    if not row["hold_since"]:
        return
    held = max(0, now - row["hold_since"])
    row["hold_since"] = 0
    row["held_ms"] += held
    shift(row, held)


def shift(row: Row, by: int) -> None:
    if row["fixbydate"]:
        row["fixbydate"] += by
    if row["respondbydate"] and not row["responsedate"]:
        row["respondbydate"] += by


def enter_status(row: Row, status: dict[str, Any], now: int) -> None:
    """Move the ticket into a status, with what that does to hold, closing and due dates."""
    number = int(status["id"])
    is_done = number in (seeds.RESOLVED, seeds.CLOSED)
    if status.get("slaaction") == "H":
        hold(row, now)
    else:
        release(row, now)
    if is_done and not row["is_done"]:
        row["dateclosed"] = now
    elif row["is_done"] and not is_done:
        shift(row, max(0, now - (row["dateclosed"] or now)))
        row["dateclosed"] = 0
    row["is_done"], row["is_closed"] = int(is_done), int(number == seeds.CLOSED)
    row["status_id"], row["status_since"] = number, now


def retarget(conn: sqlite3.Connection, row: Row, sla_id: int, priority_id: int, start: int) -> None:
    """New SLA, priority or start: the due dates move by the difference, holds stay counted."""
    old = due_dates(conn, row["sla_id"], row["priority_id"], row["dateoccurred"])
    new = due_dates(conn, sla_id, priority_id, start)
    for name, before, after in zip(("respondbydate", "fixbydate"), old, new, strict=True):
        row[name] = after if not row[name] or not before else row[name] + after - before
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
