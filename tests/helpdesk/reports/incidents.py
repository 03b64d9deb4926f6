"""Figures straight from the incident log that comes with the sandbox, by a reader of its own.

It shares no code with the product or the sandbox: what is wrong in theirs is not wrong here in the same way. Rows of an
incident count in the order of their update, then of the file; instants are taken as UTC, `?` is unknown.
"""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

LOG = Path(__file__).resolve().parents[3] / "connectors" / "sandbox" / "data" / "servicenow_incident_events.csv.gz"
DONE = ("Resolved", "Closed")


@dataclass
class Log:
    statuses: Counter[str] = field(default_factory=Counter)
    priorities: Counter[int] = field(default_factory=Counter)
    days: Counter[str] = field(default_factory=Counter)
    """Day -> incidents opened on it."""
    seconds: dict[str, int] = field(default_factory=dict)
    """Incident -> seconds from opened to resolved, of those that say when they were."""
    ended: dict[str, int] = field(default_factory=dict)
    """The same of all: without a stamp, to when it last went to Resolved (or was first seen so); never below zero."""
    days_ended: dict[str, str] = field(default_factory=dict)
    reopened: int = 0
    reopened_by: dict[str, int] = field(default_factory=dict)
    counter: int = 0
    """Sum of what the log's own counter says at last."""
    without_counter: list[str] = field(default_factory=list)
    """Incidents that went back more often than their own counter says."""


def read_log() -> Log:
    with gzip.open(LOG, "rt", encoding="utf-8", newline="") as lines:
        rows = list(enumerate(csv.DictReader(lines)))
    found: dict[str, list[tuple[datetime, int, dict[str, str]]]] = {}
    for place, row in rows:
        at = _at(row["sys_updated_at"])
        assert at is not None
        found.setdefault(row["number"], []).append((at, place, row))
    log = Log()
    for number, updates in found.items():
        updates.sort(key=lambda one: one[:2])
        _add(log, number, updates)
    return log


def _add(log: Log, number: str, updates: list[tuple[datetime, int, dict[str, str]]]) -> None:
    last = updates[-1][2]
    opened, resolved = _at(last["opened_at"]), _at(last["resolved_at"])
    assert opened is not None
    states = [(at, row["incident_state"]) for at, _place, row in updates]
    entered = [
        at for (_then, old), (at, new) in zip([(None, ""), *states], states, strict=False) if old != new == "Resolved"
    ]
    back = [1 for (_a, old), (_b, new) in pairwise(states) if old in DONE and new not in DONE]
    log.statuses[last["incident_state"]] += 1
    log.priorities[int(last["priority"][0])] += 1
    log.days[f"{opened:%Y-%m-%d}"] += 1
    if resolved is not None:
        log.seconds[number] = int((resolved - opened).total_seconds())
    end = resolved or entered[-1]
    log.ended[number] = max(0, int((end - opened).total_seconds()))
    log.days_ended[number] = f"{end:%Y-%m-%d}"
    log.reopened += len(back)
    log.counter += int(last["reopen_count"])
    if back:
        log.reopened_by[number] = len(back)
    if len(back) > int(last["reopen_count"]):
        log.without_counter.append(number)


def _at(text: str) -> datetime | None:
    return None if text == "?" else datetime.strptime(text, "%d-%m-%Y %H:%M").replace(tzinfo=UTC)
