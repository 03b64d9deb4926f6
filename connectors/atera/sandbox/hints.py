"""Webhooks as the account's automation rules send them: a hint in JSON, unsigned, tried once. Loopback addresses only.

They are set up in the vendor's portal, so here through the control API: `POST /_control/atera/webhooks`.
"""

from __future__ import annotations

import http.client
import ipaddress
import json
import sqlite3
import threading
import time
from typing import Any
from urllib.parse import urlsplit

from connectors.atera.sandbox.seeds import CLOSED, RESOLVED
from connectors.atera.sandbox.tenant import Tenant
from connectors.sandbox.imitation import Refused

HOOKS_META = "atera_webhooks"
EVENTS = ("TicketCreated", "TicketStatusChanged", "TicketResolved", "TicketClosed")
TIMEOUT_SECONDS = 3.0
KEEP = 5_000


def hooks(tenant: Tenant) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(tenant.store.meta(HOOKS_META) or "[]")
    return found


def set_hooks(tenant: Tenant, items: Any) -> None:
    """Take a list of `{"url", "events" (all by default), "active"}`. Refused when one makes no sense."""
    made = []
    for item in items if isinstance(items, list) else [items]:
        if not isinstance(item, dict) or not is_loopback(str(item.get("url") or "")):
            raise Refused('a webhook has a "url" of this machine')
        events = item.get("events") or list(EVENTS)
        if unknown := [name for name in events if name not in EVENTS]:
            raise Refused(f"no event {unknown[0]}: {', '.join(EVENTS)}")
        made.append({"url": item["url"], "events": events, "active": item.get("active") is not False})
    tenant.store.set_meta(HOOKS_META, json.dumps(made))


def is_loopback(url: str) -> bool:
    parts = urlsplit(url)
    try:
        is_here = parts.hostname == "localhost" or ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False
    return is_here and parts.scheme == "http"


def emit_status(tenant: Tenant, conn: sqlite3.Connection, ticket_id: int, status: str) -> None:
    emit(tenant, conn, ticket_id, "TicketStatusChanged")
    if status in (RESOLVED, CLOSED):
        emit(tenant, conn, ticket_id, f"Ticket{status}")


def emit(tenant: Tenant, conn: sqlite3.Connection, ticket_id: int, event: str) -> None:
    """Queue a hint for every webhook whose rule fires."""
    for hook in hooks(tenant):
        if hook["active"] and event in hook["events"]:
            conn.execute(
                "INSERT INTO atera_hints (url, event, ticket_id, at) VALUES (?,?,?,?)",
                (hook["url"], event, ticket_id, tenant.now()),
            )


def sent(conn: sqlite3.Connection) -> list[dict[str, Any]]:
    """The log, newest first."""
    rows = conn.execute("SELECT * FROM atera_hints ORDER BY id DESC LIMIT ?", (KEEP,))
    return [dict(row) for row in rows]


class Deliverer:
    """Sends waiting hints from a thread of its own, until it is closed."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sandbox-atera-hints", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._ends.set()
        self._thread.join(timeout=TIMEOUT_SECONDS + 1)

    def _run(self) -> None:
        seen = -1
        while not self._ends.wait(0.05):
            version = self._tenant.store.version
            if version == seen:
                continue
            seen = version
            try:
                self._send_waiting()
            except sqlite3.Error:
                if not self._ends.is_set():
                    time.sleep(0.2)

    def _send_waiting(self) -> None:
        with self._tenant.store.read() as conn:
            rows = conn.execute("SELECT * FROM atera_hints WHERE sent_at IS NULL ORDER BY id LIMIT 50").fetchall()
        for row in rows:
            if self._ends.is_set():
                return
            status, answer = _post(row["url"], {"Event": row["event"], "TicketID": row["ticket_id"]})
            with self._tenant.store.write() as conn:
                conn.execute(
                    "UPDATE atera_hints SET sent_at = ?, status = ?, answer = ? WHERE id = ?",
                    (self._tenant.now(), status, answer, row["id"]),
                )
                conn.execute("DELETE FROM atera_hints WHERE id < ? AND sent_at IS NOT NULL", (row["id"] - KEEP,))


def _post(url: str, body: dict[str, Any]) -> tuple[int, str]:
    """(status, start of the answer); status 0 when it could not be sent."""
    parts = urlsplit(url)
    conn = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=TIMEOUT_SECONDS)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        conn.request("POST", path, json.dumps(body).encode(), {"Content-Type": "application/json"})
        answer = conn.getresponse()
        return answer.status, answer.read(2_000).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as error:
        return 0, str(error)[:200]
    finally:
        conn.close()
