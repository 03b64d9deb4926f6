"""Webhooks: events wait in a table of the same transaction, a thread delivers them. Loopback addresses only."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import sqlite3
import time
from typing import Any

from connectors.halopsa.sandbox import seeds
from connectors.halopsa.sandbox.seeds import Doc
from connectors.halopsa.sandbox.tenant import Row, Tenant, config, new_guid, one_config
from connectors.halopsa.sandbox.wire import date_out
from connectors.sandbox import delivery


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


def signature(secret: str, body: bytes) -> str:
    """base64 of HMAC-SHA256 over the raw body. Source: what a production sync client verifies."""
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


class Deliverer(delivery.Deliverer):
    """Sends waiting events. `ticket_of` gives the ticket as a list row, None when it is gone."""

    def __init__(self, tenant: Tenant, ticket_of: Any) -> None:
        self._tenant, self._ticket_of = tenant, ticket_of
        super().__init__(tenant.store, "halopsa")

    def waits(self) -> bool:
        with self._tenant.store.read() as conn:
            return conn.execute("SELECT 1 FROM halo_events WHERE next_at IS NOT NULL LIMIT 1").fetchone() is not None

    def due(self) -> list[sqlite3.Row]:
        query = "SELECT * FROM halo_events WHERE next_at <= ? ORDER BY next_at LIMIT ?"
        with self._tenant.store.read() as conn:
            return conn.execute(query, (self._tenant.clock.wall(), delivery.AT_ONCE)).fetchall()

    def deliver(self, event: sqlite3.Row) -> None:
        with self._tenant.store.read() as conn:
            hook = one_config(conn, "webhook", event["webhook_id"])
        body = json.dumps(
            {
                "id": event["id"], "webhook_id": event["webhook_id"], "event": event["event"],
                "timestamp": (date_out(event["at"]) or "") + "Z",
                "ticket": self._ticket_of(event["ticket_id"]) or {"id": event["ticket_id"]},
            }
        ).encode()  # fmt: skip
        started, tries = time.monotonic(), event["tries"] + 1
        status, answer, next_at = 0, "the webhook is gone", None
        if hook is not None:
            status, answer = delivery.post(hook["url"], body, _headers(hook, body))
            next_at = delivery.next_try(tries, status, self._tenant.clock.wall())
        values = (body.decode(), tries, next_at, status, answer, time.monotonic() - started, event["id"])
        with self._tenant.store.write() as conn:
            conn.execute(
                "UPDATE halo_events SET body=?, tries=?, next_at=?, status=?, response=?, duration=? WHERE id=?", values
            )


def _headers(hook: Doc, body: bytes) -> dict[str, str]:
    headers = {"Content-Type": hook.get("content_type") or "application/json"}
    secret = hook.get("basic_password") or ""
    if hook.get("authentication_type") == 3:
        headers[hook.get("authentication_header") or "Token"] = signature(secret, body)
    elif hook.get("authentication_type") == 1:
        pair = f"{hook.get('basic_username') or ''}:{secret}".encode()
        headers["Authorization"] = "Basic " + base64.b64encode(pair).decode()
    return headers


def events(conn: sqlite3.Connection, webhook_id: str) -> Doc:
    """The delivery log, newest first."""
    where, values = ("WHERE webhook_id = ?", [webhook_id.lower()]) if webhook_id else ("", [])
    rows = conn.execute(
        f"SELECT * FROM halo_events {where} ORDER BY at DESC, rowid DESC LIMIT ?", [*values, delivery.KEPT]
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
