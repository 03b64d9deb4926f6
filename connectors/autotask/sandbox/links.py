"""Secondary resources and additional contacts of a ticket."""

from __future__ import annotations

import sqlite3

from connectors.autotask.sandbox import tickets
from connectors.autotask.sandbox.binding import check
from connectors.autotask.sandbox.fields import Entity, Row
from connectors.autotask.sandbox.tenant import Actor, Tenant, put
from connectors.autotask.sandbox.time_entries import NOTHING_FOUND
from connectors.autotask.sandbox.wire import errors

MOST = {"TicketSecondaryResource": 50, "TicketAdditionalContact": 30}
WHO = {"TicketSecondaryResource": "resourceID", "TicketAdditionalContact": "contactID"}


def create(tenant: Tenant, conn: sqlite3.Connection, entity: Entity, values: Row, actor: Actor) -> int:
    check(tenant, conn, entity, values, is_new=True)
    who = WHO[entity.name]
    rows = conn.execute(f"SELECT {who} FROM {entity.table} WHERE ticketID = ?", (values["ticketID"],)).fetchall()
    if values[who] in {row[0] for row in rows}:
        raise errors(f"The {who}[{values[who]}] is already on the Ticket.", status=tenant.profile.problem_status)
    if len(rows) >= MOST[entity.name]:
        raise errors(f"A Ticket can have {MOST[entity.name]} or fewer of these.", status=tenant.profile.problem_status)
    number = put(conn, entity.table, {name: value for name, value in values.items() if name != "id"})
    tickets.touched(tenant, conn, values["ticketID"], actor)
    return number


def delete(
    tenant: Tenant, conn: sqlite3.Connection, entity: Entity, number: int, parent: int | None, actor: Actor
) -> None:
    query = f"SELECT 1 FROM {entity.table} WHERE id = ? AND ticketID = ?"
    if conn.execute(query, (number, parent)).fetchone() is None:
        raise errors(NOTHING_FOUND)
    conn.execute(f"DELETE FROM {entity.table} WHERE id = ?", (number,))
    if parent is not None:
        tickets.touched(tenant, conn, parent, actor)
