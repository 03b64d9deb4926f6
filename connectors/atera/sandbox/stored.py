"""Ticket rows: reading, writing, and what a row keeps of its own."""

from __future__ import annotations

import sqlite3

from connectors.atera.sandbox import seeds
from connectors.atera.sandbox.schema import TICKET_COLUMNS
from connectors.atera.sandbox.tenant import Row, Tenant
from connectors.atera.sandbox.wire import missing

INSERT = (
    f"INSERT OR REPLACE INTO atera_tickets ({', '.join(TICKET_COLUMNS)}) "
    f"VALUES ({', '.join('?' for _ in TICKET_COLUMNS)})"
)
_NAMES = ", ".join(TICKET_COLUMNS)
BEFORE = f"INSERT INTO atera_tickets_before ({_NAMES}, until) SELECT {_NAMES}, ? FROM atera_tickets WHERE id = ?"
KEEP_BEFORE_MS = 3_600_000


def load(conn: sqlite3.Connection, ticket_id: int) -> Row:
    """The ticket's columns; 404 when it is unknown or deleted."""
    row = conn.execute("SELECT * FROM atera_tickets WHERE id = ? AND deleted = 0", (ticket_id,)).fetchone()
    if row is None:
        raise missing("Ticket not found")
    return dict(row)


def save(tenant: Tenant, conn: sqlite3.Connection, row: Row, *, by_api: bool = False) -> None:
    """Write the columns as modified now, always later than before."""
    wall = tenant.clock.wall()
    row["modified"] = max(tenant.now(), (row["modified"] or 0) + 1)
    row["is_done"] = int(row["status"] in seeds.DONE)
    conn.execute(BEFORE, (wall, row["id"]))
    conn.execute("DELETE FROM atera_tickets_before WHERE until < ?", (wall - KEEP_BEFORE_MS,))
    row["written_at"] = wall
    if by_api:
        row["touched_at"] = wall
    conn.execute(INSERT, [row[name] for name in TICKET_COLUMNS])


def new_row(number: int, created: int) -> Row:
    row: Row = dict.fromkeys(TICKET_COLUMNS)
    row |= dict.fromkeys(("on_site", "off_site", "on_sla", "off_sla", "is_done", "deleted", "written_at"), 0)
    row |= {
        "id": number, "created": created, "modified": created, "priority": seeds.LOW, "impact": seeds.MINOR,
        "type": seeds.PROBLEM, "status": seeds.OPEN, "source": "API", "title": "", "first_comment": "",
    }  # fmt: skip
    return row


def set_due(row: Row) -> None:
    """Due dates by the policy that the contract carries."""
    row["response_due"] = row["close_due"] = None
    if row["contract_id"]:
        respond, close = seeds.TARGETS[row["priority"]]
        row["response_due"], row["close_due"] = row["created"] + respond, row["created"] + close


def enter(row: Row, before: str, now: int) -> None:
    """The resolved date is set by Resolved or Closed, and cleared by a reopening."""
    if row["status"] not in seeds.DONE:
        row["resolved"] = None
    elif before not in seeds.DONE:
        row["resolved"] = now


def add_seconds(row: Row, seconds: int, *, on_site: bool, in_hours: bool) -> None:
    row["on_site" if on_site else "off_site"] += seconds
    row["on_sla" if in_hours else "off_sla"] += seconds
