"""Webhook events of the tenant, written in the transaction of the change that they tell."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection
from typing import Any

from connectors.autotask.sandbox.fields import Entity, Row
from connectors.autotask.sandbox.tenant import Actor, Tenant, next_number
from connectors.autotask.sandbox.webhook_entities import WATCHED
from connectors.autotask.sandbox.wire import date_out

SUBSCRIBED = {
    "Create": "isSubscribedToCreateEvents", "Update": "isSubscribedToUpdateEvents",
    "Delete": "isSubscribedToDeleteEvents",
}  # fmt: skip


def watched_fields(entity: Entity) -> dict[int, str]:
    """The `fieldID`s of an entity's webhook: its watched fields, counted."""
    return {number: one.name for number, one in enumerate((one for one in entity.fields if one.is_watched), start=1)}


def emit(
    tenant: Tenant, conn: sqlite3.Connection, kind: str, action: str, row: Row, actor: Actor,
    changed: Collection[str] | None = None,
) -> None:  # fmt: skip
    """Queue an event for every ready webhook that asks for it; `changed` are the fields that an update changed."""
    query = f"SELECT * FROM at_hooks WHERE kind = ? AND isActive AND isReady AND {SUBSCRIBED[action]}"
    for hook in conn.execute(query, (kind,)).fetchall():
        left_out = "SELECT 1 FROM at_hook_excluded WHERE webhookID = ? AND resourceID = ?"
        if conn.execute(left_out, (hook["id"], actor.resource)).fetchone() is not None:
            continue
        names = watched_fields(tenant.entity(WATCHED[kind]))
        rows = conn.execute("SELECT * FROM at_hook_fields WHERE webhookID = ?", (hook["id"],)).fetchall()
        subscribed = {names.get(one["fieldID"]) for one in rows if one["isSubscribedField"]}
        always = {names.get(one["fieldID"]) for one in rows if one["isDisplayAlwaysField"]}
        if action == "Update" and changed is not None and not subscribed & set(changed):
            continue
        shown = tenant.entity(WATCHED[kind]).shown({**row, "udfs": row.get("udfs") or "[]"})
        told = always | (subscribed & set(changed) if changed is not None else subscribed)
        values = {_pascal(name): shown.get(name) for name in sorted(name for name in told if name)}
        queue(tenant, conn, hook, action, row["id"], values, actor.resource or actor.contact)


def queue(
    tenant: Tenant,
    conn: sqlite3.Connection,
    hook: Any,
    action: str,
    number: int | None,
    values: Row,
    person: int | None,
) -> None:
    """Put one call in the line of a webhook."""
    sequence = next_number(conn, f"hook {hook['id']}")
    body = {
        "Action": action, "Guid": hook["webhookGUID"], "EntityType": hook["kind"], "Id": number, "Fields": values,
        "EventTime": date_out(tenant.now() // 1000 * 1000), "SequenceNumber": sequence, "PersonID": person,
    }  # fmt: skip
    url = hook["deactivationUrl"] if action == "Deactivated" else hook["webhookUrl"]
    conn.execute(
        "INSERT INTO at_events (hook, body, sequence, url, next_at) VALUES (?,?,?,?,?)",
        (hook["id"], json.dumps(body, ensure_ascii=False), sequence, url, tenant.clock.wall()),
    )


def _pascal(name: str) -> str:
    return name[:1].upper() + name[1:]
