"""Delivers webhook events: signed, tried again; when nobody answers the webhook is switched off. Loopback only."""

from __future__ import annotations

import base64
import hashlib
import hmac
import sqlite3

from connectors.autotask.sandbox import events
from connectors.autotask.sandbox.tenant import Tenant, change, one, put
from connectors.sandbox import delivery

OWNERS = {"Company": "accountWebhookID", "Contact": "contactWebhookID", "Ticket": "ticketWebhookID",
          "TicketNote": "ticketNoteWebhookID", "ConfigurationItem": "configurationItemWebhookID"}  # fmt: skip


def signature(key: str, body: bytes) -> str:
    """`sha1=` and base64 of HMAC-SHA1 over the raw body."""
    return "sha1=" + base64.b64encode(hmac.new(key.encode(), body, hashlib.sha1).digest()).decode()


class Deliverer(delivery.Deliverer):
    """Sends waiting events; what nobody takes switches its webhook off."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        super().__init__(tenant.store, "autotask")

    def waits(self) -> bool:
        with self._tenant.store.read() as conn:
            return conn.execute("SELECT 1 FROM at_events WHERE next_at IS NOT NULL LIMIT 1").fetchone() is not None

    def due(self) -> list[sqlite3.Row]:
        query = "SELECT * FROM at_events WHERE next_at <= ? ORDER BY id LIMIT ?"
        with self._tenant.store.read() as conn:
            return conn.execute(query, (self._tenant.clock.wall(), delivery.AT_ONCE)).fetchall()

    def deliver(self, event: sqlite3.Row) -> None:
        with self._tenant.store.read() as conn:
            hook = one(conn, "at_hooks", event["hook"])
        body, tries = event["body"].encode(), event["tries"] + 1
        status, answer, next_at = 0, "the webhook is gone", None
        if hook is not None:
            headers = {"X-Hook-Signature": signature(hook["secretKey"], body)}
            status, answer = delivery.post(event["url"], body, headers)
            next_at = delivery.next_try(tries, status, self._tenant.clock.wall())
        with self._tenant.store.write() as conn:
            conn.execute(
                "UPDATE at_events SET tries = ?, next_at = ?, status = ?, answer = ? WHERE id = ?",
                (tries, next_at, status, answer, event["id"]),
            )
            conn.execute("DELETE FROM at_events WHERE next_at IS NULL AND id < ?", (event["id"] - delivery.KEPT,))
            if next_at is None and not 200 <= status < 300 and hook is not None:
                self._give_up(conn, hook, event, status, answer)

    def _give_up(
        self, conn: sqlite3.Connection, hook: dict[str, object], event: sqlite3.Row, status: int, answer: str
    ) -> None:
        """The webhook is switched off; the deactivation address hears of it, once."""
        put(conn, "at_hook_errors", {
            OWNERS[str(hook["kind"])]: hook["id"], "createDateTime": self._tenant.now(), "payload": event["body"],
            "errorMessage": f"{status} {answer}"[:500], "sequenceNumber": event["sequence"],
        })  # fmt: skip
        if hook["isActive"]:
            change(conn, "at_hooks", event["hook"], {"isActive": 0})
            conn.execute("UPDATE at_events SET next_at = NULL WHERE hook = ?", (event["hook"],))
            events.queue(self._tenant, conn, hook, "Deactivated", None, {}, None)
