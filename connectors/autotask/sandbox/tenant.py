"""One imitated Autotask tenant: its state, clock and picklists, and the look-ups that every resource needs."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass, field
from typing import Any

from connectors.autotask.sandbox import seeds
from connectors.autotask.sandbox.entities import entities
from connectors.autotask.sandbox.fields import Entity, Row
from connectors.autotask.sandbox.profiles import API_RESOURCE, PROFILES, Choice, Choices, choice, picklists
from connectors.autotask.sandbox.schema import COLUMNS, EVERY_TABLE
from connectors.sandbox.files import Files
from connectors.sandbox.imitation import World

PICKLISTS_META = "autotask_picklists"


@dataclass(frozen=True)
class Actor:
    """Who writes: a resource, or a contact. `impersonator` is the API's resource that acts for another one."""

    resource: int | None = API_RESOURCE
    contact: int | None = None
    impersonator: int | None = None

    @property
    def person_type(self) -> int:
        return 2 if self.contact else 1


@dataclass
class Settings:
    """The vendor's limits; a test may make them smaller. Latencies are seconds, from half and three quarters of the
    allowance on."""

    threads: int = 3
    half_latency: float = 0.5
    full_latency: float = 1.0
    most_file_bytes: int = 7_000_000
    most_window_bytes: int = 10_000_000
    bytes_window_seconds: float = 300.0
    pages: int = 50
    no_impersonation: set[str] = field(default_factory=set)


class Tenant:
    """State and look-ups. Functions that take a connection work inside the caller's transaction."""

    def __init__(self, world: World) -> None:
        self.store, self.clock, self.limit = world.store, world.clock, world.limit
        self.files = Files(world.store.files)
        self.profile = PROFILES[world.profile]
        self.entities = entities(world.profile)
        self.settings = Settings()

    def now(self) -> int:
        return self.clock.now()

    def entity(self, root: str) -> Entity:
        return self.entities[root.lower()]

    def seed(self, conn: sqlite3.Connection) -> None:
        """Write what a fresh tenant holds, when there is nothing."""
        if conn.execute("SELECT 1 FROM at_resources LIMIT 1").fetchone() is None:
            self.set_picklists(picklists(self.profile))
            seeds.write(conn, self.now())

    def empty(self, conn: sqlite3.Connection) -> None:
        for table in EVERY_TABLE:
            conn.execute(f"DELETE FROM {table}")
        self.seed(conn)

    def picklists(self) -> Choices:
        found: Choices = json.loads(self.store.meta(PICKLISTS_META) or "{}")
        return found

    def set_picklists(self, lists: Choices) -> None:
        self.store.set_meta(PICKLISTS_META, json.dumps(lists))


def put(conn: sqlite3.Connection, table: str, row: Row) -> int:
    """Insert a row; answers its id."""
    names = [name for name in row if name in COLUMNS[table] or name == "udfs"]
    marks = ", ".join("?" * len(names))
    cursor = conn.execute(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})", [row[name] for name in names])
    return int(cursor.lastrowid or 0)


def change(conn: sqlite3.Connection, table: str, number: int, values: Row) -> None:
    if values:
        sets = ", ".join(f"{name} = ?" for name in values)
        conn.execute(f"UPDATE {table} SET {sets} WHERE id = ?", [*values.values(), number])


def one(conn: sqlite3.Connection, table: str, number: Any) -> Row | None:
    row = conn.execute(f"SELECT * FROM {table} WHERE id = ?", (number,)).fetchone()
    return None if row is None else dict(row)


def next_number(conn: sqlite3.Connection, name: str) -> int:
    conn.execute("INSERT INTO at_counters VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET value = value + 1", (name,))
    return int(conn.execute("SELECT value FROM at_counters WHERE name = ?", (name,)).fetchone()[0])


def labelled(lists: Choices, name: str, label: str, *, parent: str = "", first: int = 100) -> int:
    """The value with that label; an unknown label becomes a value of its own."""
    rows = lists.setdefault(name, [])
    for row in rows:
        if row["label"].lower() == label.lower() and row["parentValue"] == parent:
            return int(row["value"])
    value = max([first - 1, *(int(row["value"]) for row in rows)]) + 1
    rows.append(choice(value, label, len(rows) + 1, parent=parent))
    return value


def find_choice(lists: Choices, name: str, value: Any) -> Choice | None:
    return next((row for row in lists.get(name, ()) if row["value"] == str(value)), None)
