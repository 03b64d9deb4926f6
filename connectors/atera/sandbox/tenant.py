"""One imitated Atera account: its state, its clock, its settings, and the look-ups that every resource needs."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from connectors.atera.sandbox import seeds
from connectors.atera.sandbox.schema import TABLES
from connectors.atera.sandbox.seeds import Doc
from connectors.sandbox.files import Files
from connectors.sandbox.imitation import World

Row = dict[str, Any]
SETTINGS_META = "atera_settings"
DEFAULT_SETTINGS = {"strict_transitions": True, "reopen_on_reply": True}
CALLS_A_MINUTE = 700


class Tenant:
    """State and look-ups. Methods that take a connection work inside the caller's transaction."""

    def __init__(self, world: World) -> None:
        self.store, self.clock, self.limit = world.store, world.clock, world.limit
        self.files = Files(world.store.files)
        self.profile = world.profile
        if self.limit.requests is None:
            self.limit.set(CALLS_A_MINUTE, 60.0, retry_after=True)

    def now(self) -> int:
        return self.clock.now()

    def setting(self, name: str) -> bool:
        return self.settings()[name]

    def settings(self) -> dict[str, bool]:
        kept: dict[str, bool] = json.loads(self.store.meta(SETTINGS_META) or "{}")
        return DEFAULT_SETTINGS | kept

    def set_settings(self, changes: dict[str, bool]) -> None:
        self.store.set_meta(SETTINGS_META, json.dumps(self.settings() | changes))

    def seed(self, conn: sqlite3.Connection) -> None:
        """Write what a fresh account holds, when there is nothing."""
        if conn.execute("SELECT 1 FROM atera_technicians LIMIT 1").fetchone():
            return
        now = self.now()
        conn.execute(
            "INSERT INTO atera_technicians VALUES (?, 'Robin', 'Owner', 'robin.owner@msp.test')", (seeds.OWNER,)
        )
        conn.execute(
            "INSERT INTO atera_customers VALUES (?, 'Unassigned', ?, ?, '{}')", (seeds.UNASSIGNED_CUSTOMER, now, now)
        )
        for number, name in enumerate(seeds.STATUSES, start=1):
            put_doc(conn, "status", number, {"Name": name})
        for number, doc in enumerate(seeds.FIELDS, start=1):
            put_doc(conn, "field", number, doc)
        for kind, doc in seeds.RATES:
            put_doc(conn, f"rates/{kind}", doc["RateID"], doc)
        for doc in seeds.KNOWLEDGE:
            put_doc(conn, "knowledge", doc["KBID"], doc)
        for doc in seeds.DEPARTMENTS:
            put_doc(conn, "department", doc["Id"], doc)

    def empty(self, conn: sqlite3.Connection) -> None:
        for table in TABLES:
            conn.execute(f"DELETE FROM {table}")
        self.store.set_meta(SETTINGS_META, "{}")
        self.seed(conn)


def put_doc(conn: sqlite3.Connection, kind: str, number: int, doc: Doc) -> None:
    values = (kind, number, doc.get("CustomerID"), json.dumps(doc))
    conn.execute("INSERT OR REPLACE INTO atera_docs VALUES (?,?,?,?)", values)


def docs(conn: sqlite3.Connection, kind: str) -> list[Doc]:
    rows = conn.execute("SELECT doc FROM atera_docs WHERE kind = ? ORDER BY id", (kind,))
    return [json.loads(row["doc"]) for row in rows]


def one_doc(conn: sqlite3.Connection, kind: str, number: int | None) -> Doc | None:
    row = conn.execute("SELECT doc FROM atera_docs WHERE kind = ? AND id = ?", (kind, number)).fetchone()
    return json.loads(row["doc"]) if row else None


def next_doc(conn: sqlite3.Connection, kind: str) -> int:
    """The next free id; the two lists of rates share their numbers."""
    family = "rates/%" if kind.startswith("rates/") else kind
    query = "SELECT coalesce(max(id), 0) + 1 FROM atera_docs WHERE kind LIKE ?"
    return int(conn.execute(query, (family,)).fetchone()[0])


def status_named(conn: sqlite3.Connection, name: str) -> str | None:
    """The account's own spelling of a status."""
    wanted = name.strip().lower()
    return next((doc["Name"] for doc in docs(conn, "status") if doc["Name"].lower() == wanted), None)


def add_status(conn: sqlite3.Connection, name: str) -> str:
    known = status_named(conn, name)
    if known is None:
        put_doc(conn, "status", next_doc(conn, "status"), {"Name": name.strip()})
    return known or name.strip()


def technician(conn: sqlite3.Connection, number: int | None, email: str | None = None) -> sqlite3.Row | None:
    """By id, else by address."""
    query, value = ("id = ?", number) if number else ("email = ?", (email or "").strip())
    found: sqlite3.Row | None = conn.execute(f"SELECT * FROM atera_technicians WHERE {query}", (value,)).fetchone()
    return found


def contact(conn: sqlite3.Connection, number: int | None) -> sqlite3.Row | None:
    found: sqlite3.Row | None = conn.execute("SELECT * FROM atera_contacts WHERE id = ?", (number,)).fetchone()
    return found


def contract_of(conn: sqlite3.Connection, customer_id: int) -> int | None:
    """The customer's default contract, as long as it is active."""
    query = "SELECT doc FROM atera_docs WHERE kind = 'contract' AND customer_id = ? ORDER BY id"
    for row in conn.execute(query, (customer_id,)):
        doc = json.loads(row["doc"])
        if doc["Active"] and doc["Default"]:
            return int(doc["ContractID"])
    return None


def next_id(conn: sqlite3.Connection, table: str, first: int = 1) -> int:
    return int(conn.execute(f"SELECT coalesce(max(id), ?) + 1 FROM {table}", (first - 1,)).fetchone()[0])
