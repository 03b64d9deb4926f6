"""A full-text index over subjects and texts, so that `search` stays quick with 100,000 tickets.

Three letters or more are found anywhere in a word (SQLite's trigram tokenizer). Where SQLite lacks FTS5 there is no
index, and lists look through the texts themselves.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from connectors.sandbox.store import Store

TABLE = "halo_search"
SCHEMA = f"CREATE VIRTUAL TABLE IF NOT EXISTS {TABLE} USING fts5(summary, details, tokenize='trigram')"
FILL = (
    f"INSERT INTO {TABLE} (rowid, summary, details) SELECT t.id, t.summary, x.details FROM halo_tickets t "
    "JOIN halo_texts x ON x.ticket_id = t.id"
)
SHORTEST = 3
# Up to it the found ids go into the query one by one, and SQLite fetches just these; above it, walking in the asked
# order and looking each row up in the found set beats fetching the set and sorting it.
MANY_FOUND = 2_000


def create(store: Store) -> None:
    """Make the index, and fill it from the tickets of a state file that had none."""
    with suppress(sqlite3.OperationalError):
        store.create(SCHEMA)
    with store.write() as conn:
        if exists(conn) and conn.execute(f"SELECT 1 FROM {TABLE} LIMIT 1").fetchone() is None:
            conn.execute(FILL)


def exists(conn: sqlite3.Connection) -> bool:
    return conn.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (TABLE,)).fetchone() is not None


def put(conn: sqlite3.Connection, ticket_id: int) -> None:
    """Bring one ticket's entry up to date."""
    if exists(conn):
        conn.execute(f"DELETE FROM {TABLE} WHERE rowid = ?", (ticket_id,))
        conn.execute(f"{FILL} WHERE t.id = ?", (ticket_id,))


def put_many(conn: sqlite3.Connection, rows: Iterable[tuple[int, str, str]]) -> None:
    """Entries (ticket id, subject, text) of tickets that are new."""
    if exists(conn):
        conn.executemany(f"INSERT INTO {TABLE} (rowid, summary, details) VALUES (?,?,?)", rows)


def empty(conn: sqlite3.Connection) -> None:
    if exists(conn):
        conn.execute(f"DELETE FROM {TABLE}")


def condition(conn: sqlite3.Connection, text: str, column: str = "") -> tuple[str, list[Any]] | None:
    """SQL (and its values) for tickets whose `column` (default: any) holds the text; None when the index cannot say."""
    if len(text) < SHORTEST or "\0" in text or not exists(conn):
        return None
    phrase = '"' + text.replace('"', '""') + '"'
    wanted = f"{{{column}}} : {phrase}" if column else phrase
    matching = f"SELECT rowid FROM {TABLE} WHERE {TABLE} MATCH ?"
    found = [row[0] for row in conn.execute(f"{matching} LIMIT ?", (wanted, MANY_FOUND + 1))]
    if len(found) > MANY_FOUND:
        return f"+id IN ({matching})", [wanted]
    return f"id IN ({', '.join(map(str, found)) or 'NULL'})", []
