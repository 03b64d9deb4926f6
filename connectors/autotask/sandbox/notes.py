"""Ticket notes: read at the root, written under their ticket."""

from __future__ import annotations

import sqlite3

from connectors.autotask.sandbox import events, tickets
from connectors.autotask.sandbox.binding import check
from connectors.autotask.sandbox.fields import Row
from connectors.autotask.sandbox.tenant import Actor, Tenant, change, one, put
from connectors.autotask.sandbox.wire import bare, errors


def create(tenant: Tenant, conn: sqlite3.Connection, values: Row, actor: Actor) -> int:
    check(tenant, conn, tenant.entity("TicketNotes"), values, is_new=True)
    now = tenant.now()
    row = {
        "title": None, **values, "createDateTime": now, "lastActivityDate": now, "creatorResourceID": actor.resource,
        "createdByContactID": actor.contact, "impersonatorCreatorResourceID": actor.impersonator,
        "impersonatorUpdaterResourceID": None, "changedAt": tenant.clock.wall(),
    }  # fmt: skip
    row.pop("id", None)
    row["id"] = put(conn, "at_notes", row)
    is_public = values["publish"] == tenant.profile.public
    tickets.touched(tenant, conn, values["ticketID"], actor, is_public=is_public, answers=is_public)
    events.emit(tenant, conn, "TicketNote", "Create", row, actor)
    return int(row["id"])


def update(
    tenant: Tenant, conn: sqlite3.Connection, number: int, values: Row, actor: Actor, *, clears: bool = False
) -> None:
    """`noteType` and `publish` must come with every change."""
    row = one(conn, "at_notes", number)
    if row is None or row["ticketID"] != values.get("ticketID"):
        raise bare(404)
    absent = [name for name in ("noteType", "publish") if values.get(name) is None]
    if absent:
        raise errors(*(f"{name} is required" for name in absent), status=tenant.profile.problem_status)
    if clears:
        values = {"title": None, "description": None} | values
    check(tenant, conn, tenant.entity("TicketNotes"), values, is_new=clears)
    new = {**values, "lastActivityDate": tenant.now(), "changedAt": tenant.clock.wall()}
    if actor.impersonator is not None:
        new["impersonatorUpdaterResourceID"] = actor.impersonator
    new.pop("id", None)
    changed = {name for name, value in new.items() if row[name] != value}
    change(conn, "at_notes", number, new)
    tickets.touched(tenant, conn, row["ticketID"], actor)
    events.emit(tenant, conn, "TicketNote", "Update", {**row, **new}, actor, changed)
