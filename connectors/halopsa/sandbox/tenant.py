"""One imitated HaloPSA tenant: its state, its clock, and the small look-ups that every resource needs."""

from __future__ import annotations

import json
import sqlite3
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from connectors.halopsa.sandbox import seeds, text_index
from connectors.halopsa.sandbox.schema import TABLES
from connectors.halopsa.sandbox.seeds import Doc
from connectors.sandbox.files import Files
from connectors.sandbox.imitation import World

Row = dict[str, Any]


@dataclass(frozen=True)
class Actor:
    """Who writes: an agent (`who_type` 1) or an end user (0), through which application."""

    who: str
    agent_id: int = 0
    user_id: int = 0
    application: str = ""

    @property
    def who_type(self) -> int:
        return 1 if self.agent_id else 0


class Tenant:
    """State and look-ups. Methods that take a connection work inside the caller's transaction."""

    def __init__(self, world: World) -> None:
        self.store, self.clock, self.limit = world.store, world.clock, world.limit
        self.files = Files(world.store.files)
        self.profile = world.profile

    def now(self) -> int:
        return self.clock.now()

    def seed(self, conn: sqlite3.Connection) -> None:
        """Write what a fresh tenant holds, when there is nothing."""
        if conn.execute("SELECT 1 FROM halo_agents LIMIT 1").fetchone():
            return
        year = datetime.fromtimestamp(self.now() / 1000, UTC).year
        for kind, docs in (seeds.CONFIG | {"workday": seeds.workdays(year)}).items():
            for doc in docs:
                put_config(conn, kind, doc)
        api = {"firstname": "Helpdesk", "surname": "API", "initials": "HA", "isapiagent": True}
        rows = [
            (seeds.UNASSIGNED, "Unassigned", "", "", 0, "{}"),
            (seeds.API_AGENT, "Helpdesk API", "", "", 0, json.dumps(api)),
        ]
        conn.executemany("INSERT INTO halo_agents VALUES (?,?,?,?,?,?)", rows)
        now = self.now()
        conn.execute("INSERT INTO halo_clients VALUES (1, 'Unknown', 0, 1, ?, '{}')", (now,))
        conn.execute("INSERT INTO halo_sites VALUES (1, 'Unknown', 1, 0, ?, '{}')", (now,))

    def empty(self, conn: sqlite3.Connection) -> None:
        for table in TABLES:
            conn.execute(f"DELETE FROM {table}")
        text_index.empty(conn)
        self.seed(conn)


def put_config(conn: sqlite3.Connection, kind: str, doc: Doc) -> None:
    key = seeds.config_key(kind, doc)
    old = conn.execute("SELECT position FROM halo_config WHERE kind = ? AND id = ?", (kind, key)).fetchone()
    last = conn.execute("SELECT coalesce(max(position), 0) FROM halo_config WHERE kind = ?", (kind,)).fetchone()[0]
    values = (kind, key, old["position"] if old else last + 1, json.dumps(doc))
    conn.execute("INSERT OR REPLACE INTO halo_config VALUES (?,?,?,?)", values)


def config(conn: sqlite3.Connection, kind: str) -> list[Doc]:
    rows = conn.execute("SELECT doc FROM halo_config WHERE kind = ? ORDER BY position", (kind,))
    return [json.loads(row["doc"]) for row in rows]


def one_config(conn: sqlite3.Connection, kind: str, key: object) -> Doc | None:
    row = conn.execute("SELECT doc FROM halo_config WHERE kind = ? AND id = ?", (kind, str(key).lower())).fetchone()
    return json.loads(row["doc"]) if row else None


def names(conn: sqlite3.Connection, kind: str, field: str = "name") -> dict[int, str]:
    return {int(doc["id"]): doc[field] for doc in config(conn, kind)}


def team_id(conn: sqlite3.Connection, name: str) -> int | None:
    wanted = name.strip().lower()
    return next((int(doc["id"]) for doc in config(conn, "team") if doc["name"].lower() == wanted), None)


def priority_of(conn: sqlite3.Connection, sla_id: int, number: int) -> Doc | None:
    rows = (doc for doc in config(conn, "priority") if doc["slaid"] == sla_id and doc["priorityid"] == number)
    return next(rows, None)


def agent_name(conn: sqlite3.Connection, agent_id: int | None) -> str | None:
    row = conn.execute("SELECT name FROM halo_agents WHERE id = ?", (agent_id,)).fetchone()
    return row["name"] if row else None


def user_row(conn: sqlite3.Connection, user_id: int | None) -> sqlite3.Row | None:
    found: sqlite3.Row | None = conn.execute("SELECT * FROM halo_users WHERE id = ?", (user_id,)).fetchone()
    return found


def new_guid() -> str:
    return str(uuid.uuid4())
