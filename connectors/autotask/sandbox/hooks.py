"""Registering webhooks: the webhook, its fields, the resources whose work it leaves out."""

from __future__ import annotations

import sqlite3
import uuid

from connectors.autotask.sandbox.binding import check
from connectors.autotask.sandbox.events import watched_fields
from connectors.autotask.sandbox.fields import Entity, Row
from connectors.autotask.sandbox.profiles import API_RESOURCE
from connectors.autotask.sandbox.tenant import Tenant, change, one, put
from connectors.autotask.sandbox.time_entries import NOTHING_FOUND
from connectors.autotask.sandbox.webhook_entities import WATCHED
from connectors.autotask.sandbox.wire import bare, errors

FLAGS = ("isSubscribedToCreateEvents", "isSubscribedToUpdateEvents", "isSubscribedToDeleteEvents",
         "isDisplayAlwaysField",
         "isSubscribedField")  # fmt: skip


def create(tenant: Tenant, conn: sqlite3.Connection, entity: Entity, values: Row) -> int:
    check(tenant, conn, entity, values, is_new=True)
    _check_field(tenant, entity, values)
    row = {**values, **entity.scope}
    row.pop("id", None)
    for name in FLAGS:
        if name.lower() in entity.by_name:
            row[name] = row.get(name) or 0
    if entity.table == "at_hooks":
        row |= {"isReady": 0, "webhookGUID": str(uuid.uuid4()), "ownerResourceID": API_RESOURCE}
    number = put(conn, entity.table, row)
    if entity.table == "at_hook_fields":
        _settle(conn, values["webhookID"])
    return number


def _check_field(tenant: Tenant, entity: Entity, values: Row) -> None:
    if entity.table == "at_hook_fields" and values.get("fieldID") is not None:
        names = watched_fields(tenant.entity(WATCHED[entity.scope["kind"]]))
        if values["fieldID"] not in names:
            raise errors(f"Picklist value [{values['fieldID']}] does not exist for fieldID")


def _settle(conn: sqlite3.Connection, number: int) -> None:
    """A webhook is ready when it has a field."""
    query = "SELECT count(*) FROM at_hook_fields WHERE webhookID = ? AND (isSubscribedField OR isDisplayAlwaysField)"
    change(conn, "at_hooks", number, {"isReady": int(conn.execute(query, (number,)).fetchone()[0] > 0)})


def update(tenant: Tenant, conn: sqlite3.Connection, entity: Entity, number: int, values: Row, *, clears: bool) -> None:
    row = one(conn, entity.table, number)
    if row is None or row["kind"] != entity.scope["kind"]:
        raise bare(404)
    if clears:
        values = {one.name: None for one in entity.fields if not one.is_read_only} | values
    check(tenant, conn, entity, values, is_new=clears)
    _check_field(tenant, entity, values)
    change(conn, entity.table, number, {name: value for name, value in values.items() if name != "id"})
    if entity.table == "at_hook_fields":
        _settle(conn, row["webhookID"])


def delete(conn: sqlite3.Connection, entity: Entity, number: int) -> None:
    row = one(conn, entity.table, number)
    if row is None or (entity.scope and row["kind"] != entity.scope["kind"]):
        raise errors(NOTHING_FOUND)
    conn.execute(f"DELETE FROM {entity.table} WHERE id = ?", (number,))
    if entity.table == "at_hooks":
        for table in ("at_hook_fields", "at_hook_excluded"):
            conn.execute(f"DELETE FROM {table} WHERE webhookID = ?", (number,))
        conn.execute("DELETE FROM at_events WHERE hook = ?", (number,))
    elif entity.table == "at_hook_fields":
        _settle(conn, row["webhookID"])
