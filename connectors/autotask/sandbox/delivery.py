"""Delivers webhook events: signed, tried again; when nobody answers the webhook is switched off. Loopback only."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import ipaddress
import sqlite3
import threading
import time
from urllib.parse import urlsplit

from connectors.autotask.sandbox import events
from connectors.autotask.sandbox.tenant import Tenant, change, one, put

RETRY_MS = (500, 2_000, 5_000)
TRIES = len(RETRY_MS) + 1
TIMEOUT_SECONDS = 3.0
AT_ONCE = 50
KEEP_EVENTS = 5_000
OWNERS = {"Company": "accountWebhookID", "Contact": "contactWebhookID", "Ticket": "ticketWebhookID",
          "TicketNote": "ticketNoteWebhookID", "ConfigurationItem": "configurationItemWebhookID"}  # fmt: skip


def signature(key: str, body: bytes) -> str:
    """`sha1=` and base64 of HMAC-SHA1 over the raw body."""
    return "sha1=" + base64.b64encode(hmac.new(key.encode(), body, hashlib.sha1).digest()).decode()


class Deliverer:
    """Sends waiting events until it is closed."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sandbox-autotask-webhooks", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._ends.set()
        self._thread.join(timeout=TIMEOUT_SECONDS + 1)

    def _run(self) -> None:
        seen = -1
        while not self._ends.wait(0.05):
            version = self._tenant.store.version
            if version == seen and not self._waiting():
                continue
            seen = version
            try:
                self.deliver_due()
            except sqlite3.Error:
                if not self._ends.is_set():
                    time.sleep(0.2)

    def _waiting(self) -> bool:
        with self._tenant.store.read() as conn:
            return conn.execute("SELECT 1 FROM at_events WHERE next_at IS NOT NULL LIMIT 1").fetchone() is not None

    def deliver_due(self) -> None:
        wall = self._tenant.clock.wall()
        query = "SELECT * FROM at_events WHERE next_at <= ? ORDER BY id LIMIT ?"
        with self._tenant.store.read() as conn:
            due = conn.execute(query, (wall, AT_ONCE)).fetchall()
        for event in due:
            if self._ends.is_set():
                return
            self._deliver(event)

    def _deliver(self, event: sqlite3.Row) -> None:
        with self._tenant.store.read() as conn:
            hook = one(conn, "at_hooks", event["hook"])
        body = event["body"].encode()
        status, answer = (0, "the webhook is gone") if hook is None else _post(event["url"], hook["secretKey"], body)
        tries = event["tries"] + 1
        is_done = 200 <= status < 300 or tries >= TRIES or hook is None
        next_at = None if is_done else self._tenant.clock.wall() + RETRY_MS[tries - 1]
        with self._tenant.store.write() as conn:
            conn.execute(
                "UPDATE at_events SET tries = ?, next_at = ?, status = ?, answer = ? WHERE id = ?",
                (tries, next_at, status, answer, event["id"]),
            )
            conn.execute("DELETE FROM at_events WHERE next_at IS NULL AND id < ?", (event["id"] - KEEP_EVENTS,))
            if is_done and not 200 <= status < 300 and hook is not None:
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


def is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _post(address: str, key: str, body: bytes) -> tuple[int, str]:
    """(status, start of the answer); status 0 when it could not be sent."""
    url = urlsplit(address)
    if not is_loopback(address) or url.scheme != "http":
        return 0, "this sandbox delivers to http addresses of this machine only"
    headers = {"Content-Type": "application/json", "Connection": "close", "X-Hook-Signature": signature(key, body)}
    conn = http.client.HTTPConnection(url.hostname or "", url.port or 80, timeout=TIMEOUT_SECONDS)
    try:
        conn.request("POST", url.path + (f"?{url.query}" if url.query else ""), body, headers)
        answer = conn.getresponse()
        return answer.status, answer.read(2_000).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as error:
        return 0, str(error)[:200]
    finally:
        conn.close()
