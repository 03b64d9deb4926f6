"""The tenant's own rules that act when time passes: statuses that change by themselves, holds that end, closing.

The vendor documents these settings by name only. Our reading of them:

- status `statuschangeto` after `statuschangetofreq` hours in the status; with `useworkinghours` they are working hours
  of the ticket's SLA.
- status `timeuntilloffhold`: after so many hours the hold ends, the due dates move on, the status stays.
- SLA `autoreleaselimit`: after so many hours on hold the hold ends and the ticket goes to `statusafterautorelease`
  (0: it stays); statuses with `slaignorerelease` are left alone.
- ticket type `autoCloseHours`: what stayed resolved for so many hours is closed.

A rule takes effect at the instant when it was due, also when the clock has jumped far over it, so one rule can lead to
the next; `last_update` is the instant when it was carried out, so that nobody who asks for changes misses it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any

from connectors.halopsa.sandbox import actions, seeds, sla, tickets, webhooks
from connectors.halopsa.sandbox.seeds import Doc
from connectors.halopsa.sandbox.tenant import Actor, Row, Tenant, config, one_config

HOUR_MS = 3_600_000
ACTOR = Actor("Automation")
# A ring of rules would never end when the clock jumps; after so many rounds the rest waits for the next tick.
MOST_ROUNDS = 100
AT_ONCE = 500


@dataclass(frozen=True)
class Due:
    """A rule that strikes a ticket at an instant; status 0 leaves the status as it is."""

    at: int
    ticket_id: int
    status_id: int
    note: str
    ends_hold: bool = False


def run(tenant: Tenant) -> int:
    """Carry out everything that is due by the clock; answers how many rules struck."""
    count = 0
    for _ in range(MOST_ROUNDS):
        now = tenant.now()
        with tenant.store.read() as conn:
            if next(_due(conn, now), None) is None:
                return count
        with tenant.store.write() as conn:
            earliest: dict[int, Due] = {}
            for due in sorted(_due(conn, now), key=lambda due: due.at):
                earliest.setdefault(due.ticket_id, due)
            for due in list(earliest.values())[:AT_ONCE]:
                _strike(tenant, conn, due)
                count += 1
    return count


def _strike(tenant: Tenant, conn: sqlite3.Connection, due: Due) -> None:
    row = tickets.load(conn, due.ticket_id)
    old, book = row["status_id"], sla.Book(conn)
    if due.ends_hold:
        sla.release(book, row, due.at)
    doc = one_config(conn, "status", due.status_id) if due.status_id else None
    if doc is not None:
        sla.enter_status(book, row, doc, due.at)
    outcome = seeds.RELEASE if due.ends_hold else seeds.STATUS_CHANGED
    body = {"outcome_id": outcome, "note": due.note, "hiddenfromuser": True, "datetime": due.at}
    actions.write(tenant, conn, row, body, ACTOR, old_status=old)
    tickets.store(tenant, conn, row)
    webhooks.emit_change(tenant, conn, row, old)


def _due(conn: sqlite3.Connection, now: int) -> Iterator[Due]:
    statuses = {int(doc["id"]): doc for doc in config(conn, "status")}
    for status in statuses.values():
        yield from _changes(conn, status, statuses, now)
        yield from _held(conn, now, "status_id", status["id"], _hours(status, "timeuntilloffhold"))
    ignoring = {number for number, status in statuses.items() if status.get("slaignorerelease")}
    for doc in config(conn, "sla"):
        target = int(doc.get("statusafterautorelease") or 0)
        for due in _held(conn, now, "sla_id", doc["id"], _hours(doc, "autoreleaselimit"), ignoring):
            yield Due(due.at, due.ticket_id, target if target in statuses else 0, due.note, ends_hold=True)
    for doc in config(conn, "tickettype"):
        if (hours := _hours(doc, "autoCloseHours")) and seeds.CLOSED in statuses:
            where = f"status_id = {seeds.RESOLVED} AND tickettype_id = ?"
            note = f"Closed after {hours / HOUR_MS:g} hours"
            for row in _since(conn, where, doc["id"], "status_since", now - hours):
                yield Due(row["status_since"] + hours, row["id"], seeds.CLOSED, note)


def _changes(conn: sqlite3.Connection, status: Doc, statuses: dict[int, Doc], now: int) -> Iterator[Due]:
    """Tickets that have been long enough in a status that changes by itself."""
    target, hours = int(status.get("statuschangeto") or 0), _hours(status, "statuschangetofreq")
    if not hours or target not in statuses or target == status["id"]:
        return
    at = _working(conn, hours) if status.get("useworkinghours") else lambda row: int(row["status_since"]) + hours
    note = f"{status['name']} for {hours / HOUR_MS:g} hours"
    for row in _since(conn, "status_id = ?", status["id"], "status_since", now - hours):
        if at(row) <= now:
            yield Due(at(row), row["id"], target, note)


def _working(conn: sqlite3.Connection, hours: int) -> Callable[[Row], int]:
    book = sla.Book(conn)
    return lambda row: book.hours(row["sla_id"]).add(row["status_since"], hours)


def _held(
    conn: sqlite3.Connection, now: int, column: str, key: Any, limit: int, ignoring: Collection[int] = ()
) -> Iterator[Due]:
    if not limit:
        return
    note = f"Off hold after {limit / HOUR_MS:g} hours"
    for row in _since(conn, f"hold_since > 0 AND {column} = ?", key, "hold_since", now - limit):
        if row["status_id"] not in ignoring:
            yield Due(row["hold_since"] + limit, row["id"], 0, note, ends_hold=True)


def _since(conn: sqlite3.Connection, where: str, key: Any, column: str, latest: int) -> list[Row]:
    names = "id, status_id, sla_id, status_since, hold_since"
    query = f"SELECT {names} FROM halo_tickets WHERE {where} AND deleted = 0 AND {column} <= ?"
    return [dict(row) for row in conn.execute(query, (key, latest))]


def _hours(doc: Doc, name: str) -> int:
    """A setting in hours, as milliseconds; 0 when it is off."""
    return max(0, int(float(doc.get(name) or 0) * HOUR_MS))
