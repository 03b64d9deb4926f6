"""Companies at the root; their locations and contacts under them."""

from __future__ import annotations

import sqlite3

from connectors.autotask.sandbox import events
from connectors.autotask.sandbox.binding import check, merged_udfs
from connectors.autotask.sandbox.fields import Entity, Row
from connectors.autotask.sandbox.tenant import Actor, Tenant, change, one, put
from connectors.autotask.sandbox.time_entries import NOTHING_FOUND
from connectors.autotask.sandbox.wire import bare, errors

DEFAULTS: dict[str, Row] = {
    "Company": {"isActive": 1, "isClientPortalActive": 1, "isTaxExempt": 0},
    "CompanyLocation": {"isActive": 1, "isPrimary": 0, "isTaxExempt": 0, "overrideAccountTaxSettings": 0},
    "Contact": {"isActive": 1, "primaryContact": 0, "isOptedOutFromBulkEmail": 0, "receivesEmailNotifications": 1},
}


def _stamps(entity: Entity, now: int, *, is_new: bool) -> Row:
    names = {"lastActivityDate", "lastTrackedModifiedDateTime", "lastModifiedDate"}
    if is_new:
        names.add("createDate")
    return {one.name: now for one in entity.fields if one.name in names}


def create(tenant: Tenant, conn: sqlite3.Connection, entity: Entity, values: Row, actor: Actor) -> int:
    check(tenant, conn, entity, values, is_new=True)
    row = DEFAULTS[entity.name] | {name: value for name, value in values.items() if name != "id" and value is not None}
    row |= _stamps(entity, tenant.now(), is_new=True)
    if "createdByResourceID" in entity.by_name:
        row["createdByResourceID"] = actor.resource
    if "impersonatorCreatorResourceID" in {one.name for one in entity.fields}:
        row["impersonatorCreatorResourceID"] = actor.impersonator
    if entity.has_udfs:
        row["udfs"] = merged_udfs(None, row.get("udfs") or [])
    row["id"] = put(conn, entity.table, row)
    _tell(tenant, conn, entity, "Create", row["id"], actor)
    return int(row["id"])


def update(
    tenant: Tenant,
    conn: sqlite3.Connection,
    entity: Entity,
    number: int,
    values: Row,
    actor: Actor,
    *,
    clears: bool = False,
) -> None:
    row = one(conn, entity.table, number)
    owner = entity.parent[2] if entity.parent is not None else None
    if row is None or (owner is not None and row[owner] != values.get(owner)):
        raise bare(404)
    if clears:
        values = {one.name: None for one in entity.fields if not one.is_read_only} | values
    check(tenant, conn, entity, values, is_new=clears)
    new = {name: value for name, value in values.items() if name != "id"} | _stamps(entity, tenant.now(), is_new=False)
    if "udfs" in new:
        new["udfs"] = merged_udfs(row["udfs"], new["udfs"])
    changed = {name for name, value in new.items() if row[name] != value}
    change(conn, entity.table, number, new)
    _tell(tenant, conn, entity, "Update", number, actor, changed)


def delete(tenant: Tenant, conn: sqlite3.Connection, entity: Entity, number: int, actor: Actor) -> None:
    if one(conn, entity.table, number) is None:
        raise errors(NOTHING_FOUND)
    _tell(tenant, conn, entity, "Delete", number, actor)
    conn.execute(f"DELETE FROM {entity.table} WHERE id = ?", (number,))


def _tell(
    tenant: Tenant, conn: sqlite3.Connection, entity: Entity, action: str, number: int, actor: Actor,
    changed: set[str] | None = None,
) -> None:  # fmt: skip
    row = one(conn, entity.table, number)
    if entity.name in ("Company", "Contact") and row is not None:
        events.emit(tenant, conn, entity.name, action, row, actor, changed)
