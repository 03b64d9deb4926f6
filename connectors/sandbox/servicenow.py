"""Reads the log of real ServiceNow incidents that comes with the sandbox. Pure: text in, incidents out.

Source: "Incident management process enriched event log", C. Amaral, M. Fantinato, S. Peres, UCI Machine Learning
Repository, CC BY 4.0; see `data/README.md`.
"""

from __future__ import annotations

import csv
import gzip
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

LOG = Path(__file__).parent / "data" / "servicenow_incident_events.csv.gz"
NEW, ACTIVE, RESOLVED, CLOSED = "New", "Active", "Resolved", "Closed"
STATUS_NAMES = {
    NEW: "New", ACTIVE: "In Progress", "Awaiting User Info": "Waiting on Client", "Awaiting Problem": "Pending",
    "Awaiting Vendor": "Waiting on Third Party", "Awaiting Evidence": "On Hold", RESOLVED: "Resolved", CLOSED: "Closed",
}  # fmt: skip
"""States of the log by the neutral status names that a ticket of ours would have; each has one of its own."""

_INSTANT = re.compile(r"(\d\d)-(\d\d)-(\d{4}) (\d\d):(\d\d)")
_RANKED = re.compile(r"([1-4]) - [A-Z][a-z]+")


class BadLog(ValueError):
    """A row that cannot be read; the text says which and why."""


@dataclass(frozen=True)
class Update:
    """One row: how the incident stood after an update. Instants are milliseconds since 1970 UTC."""

    at: int
    state: str
    group: str | None
    assignee: str | None
    priority: int
    modifications: int
    reassignments: int
    reopenings: int


@dataclass(frozen=True)
class Incident:
    """An incident with its updates in order; what cannot change comes from its last row."""

    number: str
    opened_at: int
    resolved_at: int | None
    closed_at: int | None
    caller: str | None
    location: str | None
    category: str | None
    subcategory: str | None
    symptom: str | None
    opened_by: str | None
    resolved_by: str | None
    closed_code: str | None
    made_sla: bool
    updates: tuple[Update, ...]


@cache
def incidents() -> tuple[Incident, ...]:
    """Those of the log that comes with the sandbox, in its order."""
    with gzip.open(LOG, "rt", encoding="utf-8", newline="") as source:
        return parsed(source)


def parsed(lines: Iterable[str]) -> tuple[Incident, ...]:
    """Incidents by their first row. BadLog for an unknown state, a broken instant, a missing column."""
    found: dict[str, list[tuple[Update, Mapping[str, str | None]]]] = {}
    for line, row in enumerate(csv.DictReader(lines), start=2):
        try:
            found.setdefault(_needed(row, "number"), []).append((_update(row), row))
        except (KeyError, ValueError) as error:
            raise BadLog(f"row {line}: {error}") from error
    try:
        return tuple(_incident(number, rows) for number, rows in found.items())
    except (KeyError, ValueError) as error:
        raise BadLog(str(error)) from error


def _incident(number: str, rows: list[tuple[Update, Mapping[str, str | None]]]) -> Incident:
    rows = sorted(rows, key=lambda pair: pair[0].at)
    last = rows[-1][1]
    opened = _instant(last, "opened_at")
    if opened is None:
        raise ValueError(f"{number}: opened_at is unknown")
    return Incident(
        number=number,
        opened_at=opened,
        resolved_at=_instant(last, "resolved_at"),
        closed_at=_instant(last, "closed_at"),
        caller=_known(last, "caller_id"),
        location=_known(last, "location"),
        category=_known(last, "category"),
        subcategory=_known(last, "subcategory"),
        symptom=_known(last, "u_symptom"),
        opened_by=_known(last, "opened_by"),
        resolved_by=_known(last, "resolved_by"),
        closed_code=_known(last, "closed_code"),
        made_sla=_flag(last, "made_sla"),
        updates=tuple(update for update, _ in rows),
    )


def _update(row: Mapping[str, str | None]) -> Update:
    at, state = _instant(row, "sys_updated_at"), _needed(row, "incident_state")
    if at is None:
        raise ValueError("sys_updated_at is unknown")
    if state not in STATUS_NAMES:
        raise ValueError(f"unknown incident_state {state!r}")
    ranked = _RANKED.fullmatch(_needed(row, "priority"))
    if ranked is None:
        raise ValueError(f"priority {row['priority']!r} is none of 1 to 4")
    return Update(
        at=at,
        state=state,
        group=_known(row, "assignment_group"),
        assignee=_known(row, "assigned_to"),
        priority=int(ranked[1]),
        modifications=_count(row, "sys_mod_count"),
        reassignments=_count(row, "reassignment_count"),
        reopenings=_count(row, "reopen_count"),
    )


def _needed(row: Mapping[str, str | None], name: str) -> str:
    value = row[name]
    if not value or value == "?":
        raise ValueError(f"{name} is missing")
    return value


def _known(row: Mapping[str, str | None], name: str) -> str | None:
    """The text with single blanks; None for `?`."""
    value = " ".join((row[name] or "").split())
    return None if value in ("", "?") else value


def _count(row: Mapping[str, str | None], name: str) -> int:
    text = _needed(row, name)
    if not text.isdigit():
        raise ValueError(f"{name} {text!r} is no count")
    return int(text)


def _flag(row: Mapping[str, str | None], name: str) -> bool:
    text = _needed(row, name)
    if text not in ("TRUE", "FALSE"):
        raise ValueError(f"{name} {text!r} is neither TRUE nor FALSE")
    return text == "TRUE"


def _instant(row: Mapping[str, str | None], name: str) -> int | None:
    """Milliseconds of `day-month-year hour:minute`, taken as UTC; None for `?`."""
    text = _known(row, name)
    if text is None:
        return None
    match = _INSTANT.fullmatch(text)
    if match is None:
        raise ValueError(f"{name} {text!r} is not day-month-year hour:minute")
    day, month, year, hour, minute = (int(part) for part in match.groups())
    return int(datetime(year, month, day, hour, minute, tzinfo=UTC).timestamp()) * 1000
