"""What every imitation's webhooks share: events wait in a table, a thread delivers them, and only to this machine."""

from __future__ import annotations

import http.client
import ipaddress
import sqlite3
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from urllib.parse import urlsplit

from connectors.sandbox.store import Store

TIMEOUT_SECONDS = 3.0
RETRY_MS = (500, 2_000, 5_000)
"""After each try but the last."""
AT_ONCE = 50
KEPT = 5_000
"""Of the log, the newest."""
PAUSE_SECONDS = 0.05


def is_loopback(url: str) -> bool:
    """Whether an address is http on this machine: nothing else is ever called."""
    parts = urlsplit(url)
    try:
        is_here = parts.hostname == "localhost" or ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False
    return is_here and parts.scheme == "http"


def post(url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, str]:
    """(status, start of the answer); status 0 when it could not be sent."""
    if not is_loopback(url):
        return 0, "this sandbox delivers to http addresses of this machine only"
    parts = urlsplit(url)
    conn = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=TIMEOUT_SECONDS)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        conn.request("POST", path, body, {"Content-Type": "application/json", "Connection": "close", **headers})
        answer = conn.getresponse()
        return answer.status, answer.read(2_000).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as error:
        return 0, str(error)[:200]
    finally:
        conn.close()


def next_try(tries: int, status: int, wall_ms: int) -> int | None:
    """When to try again after so many tries; None when it arrived or is given up."""
    return None if 200 <= status < 300 or tries > len(RETRY_MS) else wall_ms + RETRY_MS[tries - 1]


class Deliverer(ABC):
    """Sends waiting events from a thread of its own until it is closed."""

    def __init__(self, store: Store, name: str) -> None:
        self._store = store
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"sandbox-{name}-webhooks", daemon=True)
        self._thread.start()

    @abstractmethod
    def due(self) -> list[sqlite3.Row]:
        """Events to send now, at most AT_ONCE, in their order."""

    @abstractmethod
    def waits(self) -> bool:
        """Whether one waits for its next try: time alone makes it due."""

    @abstractmethod
    def deliver(self, event: sqlite3.Row) -> None:
        """Send one and note what came of it."""

    def close(self) -> None:
        self._ends.set()
        self._thread.join(timeout=TIMEOUT_SECONDS + 1)

    def _run(self) -> None:
        seen = -1
        while not self._ends.wait(PAUSE_SECONDS):
            version = self._store.version
            if version == seen and not self.waits():
                continue
            seen = version
            try:
                self.deliver_due()
            except sqlite3.Error:
                if not self._ends.is_set():
                    time.sleep(0.2)

    def deliver_due(self) -> None:
        for event in self.due():
            if self._ends.is_set():
                return
            self.deliver(event)
