"""The sandbox's memory: one SQLite file, one writer, many readers.

Every write is a transaction of its own in write-ahead mode, so what was answered survives `kill -9`. Without a path
the file
lives in a temporary folder that goes when the store closes: "in memory" with the same code.
"""

from __future__ import annotations

import queue
import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

META = "CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);"


class Store:
    """Connections to one state file, and the folder of file contents beside it."""

    def __init__(self, path: Path | None = None) -> None:
        self._temporary = Path(tempfile.mkdtemp(prefix="sandbox-")) if path is None else None
        self.path = path if path is not None else self._directory() / "state.sqlite3"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.files = self.path.with_name(self.path.name + ".files")
        self.files.mkdir(parents=True, exist_ok=True)
        self.version = 0
        self._lock = threading.RLock()
        self._depth = 0
        self._owner = 0
        self._closed = False
        self._local = threading.local()
        self._readers: queue.LifoQueue[sqlite3.Connection] = queue.LifoQueue()
        self._writer = self._connect()
        self._writer.executescript(META)

    def _directory(self) -> Path:
        assert self._temporary is not None
        return self._temporary

    def _connect(self) -> sqlite3.Connection:
        conn = sqlite3.connect(self.path, timeout=30, isolation_level=None, check_same_thread=False)
        conn.row_factory = sqlite3.Row
        conn.execute("PRAGMA journal_mode=WAL")
        conn.execute("PRAGMA synchronous=NORMAL" if self._temporary is None else "PRAGMA synchronous=OFF")
        conn.execute("PRAGMA cache_size=-32000")
        conn.execute("PRAGMA mmap_size=268435456")
        return conn

    def create(self, schema: str) -> None:
        """Run `CREATE ... IF NOT EXISTS` statements."""
        with self._lock:
            self._writer.executescript(schema)

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """A connection that sees the last commit, or this thread's own open write."""
        if self._owner == threading.get_ident():
            yield self._writer
            return
        try:
            conn = self._readers.get_nowait()
        except queue.Empty:
            conn = self._connect()
        try:
            yield conn
        finally:
            if self._closed:
                conn.close()
            else:
                self._readers.put(conn)

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One transaction; a write inside a write joins it. Commits at the outer end, rolls back on any exception."""
        with self._lock:
            if self._depth:
                yield self._writer
                return
            with self._transaction() as conn:
                yield conn

    @contextmanager
    def rehearsal(self) -> Iterator[None]:
        """Everything written inside is seen by this thread and taken back at the end: success that applies nothing."""
        with self._lock, suppress(_TakeBack), self._transaction():
            yield
            raise _TakeBack

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        conn = self._writer
        conn.execute("BEGIN IMMEDIATE")
        before = conn.total_changes
        self._depth, self._owner = 1, threading.get_ident()
        try:
            yield conn
            changed = conn.total_changes != before
            hook = getattr(self._local, "on_commit", None)
            if changed and hook is not None:
                hook(conn)
            conn.execute("COMMIT")
            self.version += changed
        except BaseException:
            conn.execute("ROLLBACK")
            raise
        finally:
            self._depth, self._owner = 0, 0

    @contextmanager
    def witnessed(self, hook: Callable[[sqlite3.Connection], None]) -> Iterator[None]:
        """While inside, every commit of this thread that changed something calls `hook` first, in the same
        transaction."""
        self._local.on_commit = hook
        try:
            yield
        finally:
            self._local.on_commit = None

    def meta(self, name: str) -> str | None:
        with self.read() as conn:
            row = conn.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row["value"])

    def set_meta(self, name: str, value: str) -> None:
        with self.write() as conn:
            conn.execute("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", (name, value))

    def close(self) -> None:
        with self._lock:
            self._closed = True
            with suppress(queue.Empty):
                while True:
                    self._readers.get_nowait().close()
            self._writer.close()
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)


class _TakeBack(Exception):
    """Ends a rehearsal."""
