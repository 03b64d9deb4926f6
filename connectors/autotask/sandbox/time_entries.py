"""Time entries: written and read at the root."""

from __future__ import annotations

import sqlite3
from typing import Any

from connectors.autotask.sandbox import tickets
from connectors.autotask.sandbox.binding import check
from connectors.autotask.sandbox.fields import Row
from connectors.autotask.sandbox.profiles import HOUR_MS
from connectors.autotask.sandbox.tenant import Actor, Tenant, change, one, put
from connectors.autotask.sandbox.wire import DAY_MS, bare, errors

TICKET, TASK = 2, 6
NOTHING_FOUND = (
    "No message. No matching records found. "
    "The logged in Resource may not have the required permissions to delete the data."
)
SHOW_ON_INVOICE = "You do not have permission to update the Show On Invoice setting of this time entry."


def create(tenant: Tenant, conn: sqlite3.Connection, values: Row, actor: Actor) -> int:
    check(tenant, conn, tenant.entity("TimeEntries"), values, is_new=True)
    now = tenant.now()
    row: Row = {
        "internalNotes": None, "summaryNotes": None, "isNonBillable": 0, "showOnInvoice": 1, "offsetHours": 0.0,
        "billingCodeID": None, **values, "createDateTime": now, "lastModifiedDateTime": now,
        "creatorUserID": actor.resource, "lastModifiedUserID": actor.resource,
        "impersonatorCreatorResourceID": actor.impersonator, "changedAt": tenant.clock.wall(),
        "timeEntryType": TICKET if values.get("ticketID") is not None else TASK,
    }  # fmt: skip
    row.pop("id", None)
    _settle(tenant, conn, row)
    row["id"] = put(conn, "at_time_entries", row)
    if row.get("ticketID") is not None:
        is_public = bool(row["summaryNotes"])
        tickets.touched(tenant, conn, row["ticketID"], actor, is_public=is_public, answers=True)
    return int(row["id"])


def _settle(tenant: Tenant, conn: sqlite3.Connection, row: Row) -> None:
    """The rules of the vendor, and what follows from start, end and hours."""
    status = tenant.profile.problem_status
    begin: Any = row.get("startDateTime")
    end: Any = row.get("endDateTime")
    hours = row.get("hoursWorked")
    if row.get("ticketID") is not None and row.get("roleID") is None:
        raise errors("TimeEntries for Tickets must have a roleID", status=status)
    if hours is None and (begin is None or end is None):
        raise errors("Must have at least one of hoursWorked or startDateTime/endDateTime", status=status)
    if row.get("ticketID") is not None and (begin is None) != (end is None):
        raise errors("TimeEntries for Service tickets require a start and stop time.", status=status)
    if row.get("dateWorked") is None and begin is None:
        raise errors("dateWorked is required when no value is supplied for startDateTime", status=status)
    if hours is None:
        hours = (end - begin) / HOUR_MS
    if not 0 < hours <= 24:
        raise errors("hoursWorked greater than 24 hours or less than zero hours", status=status)
    code = one(conn, "at_billing_codes", row["billingCodeID"]) if row.get("billingCodeID") is not None else None
    if code is not None and code["useType"] != 1:
        raise errors("billingCodeID must be an active General Allocation Code", status=status)
    row["hoursWorked"] = hours
    row["hoursToBill"] = 0.0 if row.get("isNonBillable") else hours + (row.get("offsetHours") or 0.0)
    worked: Any = row.get("dateWorked") if row.get("dateWorked") is not None else begin
    row["dateWorked"] = worked - worked % DAY_MS


def update(
    tenant: Tenant, conn: sqlite3.Connection, number: int, values: Row, actor: Actor, *, clears: bool = False
) -> None:
    entity = tenant.entity("TimeEntries")
    row = one(conn, "at_time_entries", number)
    if row is None:
        raise bare(404)
    if actor.impersonator is not None:
        raise errors(SHOW_ON_INVOICE)
    if clears:
        values = {one.name: None for one in entity.fields if not one.is_read_only} | values
    check(tenant, conn, entity, values, is_new=clears)
    new = {**row, **{name: value for name, value in values.items() if name != "id"}}
    is_shorter = new["hoursWorked"] is not None and row["startDateTime"] is not None and "hoursWorked" in values
    window = (new["endDateTime"] or 0) - (new["startDateTime"] or 0)
    if (
        is_shorter
        and window / HOUR_MS > new["hoursWorked"]
        and "startDateTime" not in values
        and "endDateTime" not in values
    ):
        raise errors(
            "TimeEntries for Service tickets require a start and stop time.", status=tenant.profile.problem_status
        )
    _settle(tenant, conn, new)
    new |= {
        "lastModifiedDateTime": tenant.now(),
        "lastModifiedUserID": actor.resource,
        "changedAt": tenant.clock.wall(),
    }
    change(conn, "at_time_entries", number, {name: value for name, value in new.items() if name != "id"})
    if row["ticketID"] is not None:
        tickets.touched(tenant, conn, row["ticketID"], actor)


def delete(tenant: Tenant, conn: sqlite3.Connection, number: int, actor: Actor) -> None:
    row = one(conn, "at_time_entries", number)
    if row is None:
        raise errors(NOTHING_FOUND)
    conn.execute("DELETE FROM at_time_entries WHERE id = ?", (number,))
    if row["ticketID"] is not None:
        tickets.touched(tenant, conn, row["ticketID"], actor)
