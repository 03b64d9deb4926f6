"""Webhooks as the account's automation rules send them: a hint in JSON, unsigned, tried once. Loopback addresses only.

They are set up in the vendor's portal, so here through the control API: `POST /_control/atera/webhooks`.
"""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from connectors.atera.sandbox.seeds import CLOSED, RESOLVED
from connectors.atera.sandbox.tenant import Tenant
from connectors.sandbox import delivery
from connectors.sandbox.imitation import Refused

HOOKS_META = "atera_webhooks"
EVENTS = ("TicketCreated", "TicketStatusChanged", "TicketResolved", "TicketClosed")


def hooks(tenant: Tenant) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(tenant.store.meta(HOOKS_META) or "[]")
    return found


def set_hooks(tenant: Tenant, items: Any) -> None:
    """Take a list of `{"url", "events" (all by default), "active"}`. Refused when one makes no sense."""
    made = []
    for item in items if isinstance(items, list) else [items]:
        if not isinstance(item, dict) or not delivery.is_loopback(str(item.get("url") or "")):
            raise Refused('a webhook has a "url" of this machine')
        events = item.get("events") or list(EVENTS)
        if unknown := [name for name in events if name not in EVENTS]:
            raise Refused(f"no event {unknown[0]}: {', '.join(EVENTS)}")
        made.append({"url": item["url"], "events": events, "active": item.get("active") is not False})
    tenant.store.set_meta(HOOKS_META, json.dumps(made))


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
    rows = conn.execute("SELECT * FROM atera_hints ORDER BY id DESC LIMIT ?", (delivery.KEPT,))
    return [dict(row) for row in rows]


class Deliverer(delivery.Deliverer):
    """Each hint once, whatever becomes of it."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        super().__init__(tenant.store, "atera")

    def waits(self) -> bool:
        return False

    def due(self) -> list[sqlite3.Row]:
        query = "SELECT * FROM atera_hints WHERE sent_at IS NULL ORDER BY id LIMIT ?"
        with self._tenant.store.read() as conn:
            return conn.execute(query, (delivery.AT_ONCE,)).fetchall()

    def deliver(self, event: sqlite3.Row) -> None:
        body = json.dumps({"Event": event["event"], "TicketID": event["ticket_id"]}).encode()
        status, answer = delivery.post(event["url"], body, {})
        with self._tenant.store.write() as conn:
            conn.execute(
                "UPDATE atera_hints SET sent_at = ?, status = ?, answer = ? WHERE id = ?",
                (self._tenant.now(), status, answer, event["id"]),
            )
            oldest = event["id"] - delivery.KEPT
            conn.execute("DELETE FROM atera_hints WHERE id < ? AND sent_at IS NOT NULL", (oldest,))
