"""A set of ids that may be larger than memory: a table in a temporary file that vanishes with it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from types import TracebackType

ASKED_AT_ONCE = 500


class SeenIds:
    """Ids as text. SQLite keeps a private temporary database on disk once it outgrows its cache of 8 MB."""

    def __init__(self) -> None:
        self._rows = sqlite3.connect("", isolation_level=None)
        self._rows.execute("PRAGMA cache_size=-8000")
        self._rows.execute("CREATE TABLE seen (id TEXT PRIMARY KEY) WITHOUT ROWID")

    def __enter__(self) -> SeenIds:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._rows.close()

    def __len__(self) -> int:
        return int(self._rows.execute("SELECT count(*) FROM seen").fetchone()[0])

    def add(self, ids: Iterable[str]) -> None:
        self._rows.execute("BEGIN")
        self._rows.executemany("INSERT OR IGNORE INTO seen VALUES (?)", ((i,) for i in ids))
        self._rows.execute("COMMIT")

    def of(self, ids: Iterable[str]) -> set[str]:
        """Those of these ids that were seen; ask for a few hundred at once."""
        wanted = list(ids)
        found: set[str] = set()
        for start in range(0, len(wanted), ASKED_AT_ONCE):
            part = wanted[start : start + ASKED_AT_ONCE]
            marks = ",".join("?" * len(part))
            found.update(row[0] for row in self._rows.execute(f"SELECT id FROM seen WHERE id IN ({marks})", part))
        return found
