"""Webhooks: events wait in a table of the same transaction, a thread delivers them. Loopback addresses only."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import ipaddress
import json
import sqlite3
import threading
import time
from typing import Any
from urllib.parse import urlsplit

from connectors.halopsa.sandbox import seeds
from connectors.halopsa.sandbox.seeds import Doc
from connectors.halopsa.sandbox.tenant import Row, Tenant, config, new_guid, one_config
from connectors.halopsa.sandbox.wire import date_out

TRIES = 4
TIMEOUT_SECONDS = 3.0
RETRY_MS = (500, 2_000, 5_000)
KEEP_EVENTS = 5_000


def emit_change(tenant: Tenant, conn: sqlite3.Connection, row: Row, old_status: int, *, by_user: bool = False) -> None:
    """The events of an update: always "Ticket updated", and status, closing and contact where they apply."""
    numbers = [61]
    if by_user:
        numbers.append(19)
    if row["status_id"] != old_status:
        numbers.append(76)
        if row["is_closed"]:
            numbers.append(39)
    for number in numbers:
        emit(tenant, conn, row["id"], seeds.EVENT_NAMES[number])


def emit(tenant: Tenant, conn: sqlite3.Connection, ticket_id: int, event: str) -> None:
    """Queue an event for every active webhook that a notification binds to it."""
    number = next(key for key, name in seeds.EVENT_NAMES.items() if name == event)
    for binding in config(conn, "notification"):
        if str(binding.get("eventno")) != str(number) or not binding.get("webhook_id"):
            continue
        hook = one_config(conn, "webhook", binding["webhook_id"])
        if hook is not None and hook.get("active", True):
            now = tenant.now()
            values = (new_guid(), hook["id"], ticket_id, event, now, tenant.clock.wall())
            conn.execute(
                "INSERT INTO halo_events (id, webhook_id, ticket_id, event, at, tries, next_at) VALUES (?,?,?,?,?,0,?)",
                values,
            )


def is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def signature(secret: str, body: bytes) -> str:
    """base64 of HMAC-SHA256 over the raw body. Source: what a production sync client verifies."""
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


class Deliverer:
    """Sends waiting events until it is closed. `ticket_of` gives the ticket as a list row, None when it is gone."""

    def __init__(self, tenant: Tenant, ticket_of: Any) -> None:
        self._tenant, self._ticket_of = tenant, ticket_of
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sandbox-webhooks", daemon=True)
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
            query = "SELECT 1 FROM halo_events WHERE next_at IS NOT NULL LIMIT 1"
            return conn.execute(query).fetchone() is not None

    def deliver_due(self) -> None:
        wall = self._tenant.clock.wall()
        with self._tenant.store.read() as conn:
            due = conn.execute(
                "SELECT * FROM halo_events WHERE next_at <= ? ORDER BY next_at LIMIT 50", (wall,)
            ).fetchall()
            hooks = {doc["id"]: doc for doc in config(conn, "webhook")} if due else {}
        for event in due:
            if self._ends.is_set():
                return
            self._deliver(event, hooks.get(event["webhook_id"]))

    def _deliver(self, event: sqlite3.Row, hook: Doc | None) -> None:
        body = json.dumps(
            {
                "id": event["id"], "webhook_id": event["webhook_id"], "event": event["event"],
                "timestamp": (date_out(event["at"]) or "") + "Z",
                "ticket": self._ticket_of(event["ticket_id"]) or {"id": event["ticket_id"]},
            }
        ).encode()  # fmt: skip
        started = time.monotonic()
        status, answer = (0, "the webhook is gone") if hook is None else _post(hook, body)
        tries = event["tries"] + 1
        is_done = 200 <= status < 300 or tries >= TRIES or hook is None
        next_at = None if is_done else self._tenant.clock.wall() + RETRY_MS[tries - 1]
        values = (body.decode(), tries, next_at, status, answer, time.monotonic() - started, event["id"])
        with self._tenant.store.write() as conn:
            conn.execute(
                "UPDATE halo_events SET body=?, tries=?, next_at=?, status=?, response=?, duration=? WHERE id=?", values
            )


def _post(hook: Doc, body: bytes) -> tuple[int, str]:
    """(status, start of the answer); status 0 when it could not be sent."""
    url = urlsplit(hook["url"])
    if not is_loopback(hook["url"]) or url.scheme != "http":
        return 0, "this sandbox delivers to http addresses of this machine only"
    headers = {"Content-Type": hook.get("content_type") or "application/json", "Connection": "close"}
    secret = hook.get("basic_password") or ""
    if hook.get("authentication_type") == 3:
        headers[hook.get("authentication_header") or "Token"] = signature(secret, body)
    elif hook.get("authentication_type") == 1:
        pair = f"{hook.get('basic_username') or ''}:{secret}".encode()
        headers["Authorization"] = "Basic " + base64.b64encode(pair).decode()
    conn = http.client.HTTPConnection(url.hostname or "", url.port or 80, timeout=TIMEOUT_SECONDS)
    try:
        conn.request("POST", url.path + (f"?{url.query}" if url.query else ""), body, headers)
        answer = conn.getresponse()
        return answer.status, answer.read(2_000).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as error:
        return 0, str(error)[:200]
    finally:
        conn.close()


def events(conn: sqlite3.Connection, webhook_id: str) -> Doc:
    """The delivery log, newest first."""
    where, values = ("WHERE webhook_id = ?", [webhook_id.lower()]) if webhook_id else ("", [])
    rows = conn.execute(
        f"SELECT * FROM halo_events {where} ORDER BY at DESC, rowid DESC LIMIT ?", [*values, KEEP_EVENTS]
    )
    found = [_event(row) for row in rows]
    return {"record_count": len(found), "events": found}


def _event(row: sqlite3.Row) -> Doc:
    return {
        "id": row["id"], "webhook_id": row["webhook_id"], "timestamp": date_out(row["at"]), "status": row["tries"] or 0,
        "duration": row["duration"] or 0.0, "requestbody": row["body"] or "", "responsestatus": row["status"] or 0,
        "responsebody": row["response"] or "", "entity_id": row["ticket_id"],
        "error": not 200 <= (row["status"] or 0) < 300,
    }  # fmt: skip
