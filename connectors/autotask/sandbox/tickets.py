"""Tickets: creating and changing them with the consequences that the vendor's server adds."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from typing import Any

from connectors.autotask.sandbox import brief, events, sla
from connectors.autotask.sandbox.binding import check, merged_udfs
from connectors.autotask.sandbox.fields import Row
from connectors.autotask.sandbox.profiles import COMPLETE, FIRST_ROLE, NEW, STANDARD_CATEGORY, STANDARD_SLA
from connectors.autotask.sandbox.schema import COLUMNS
from connectors.autotask.sandbox.tenant import Actor, Tenant, change, find_choice, next_number, one, put
from connectors.autotask.sandbox.wire import bare, errors

BOTH = "When assigning a Resource, you must assign both a assignedResourceID and assignedResourceRoleID."
PAIR = "The specified AssignedResourceID and AssignedRoleID combination is not currently defined"
ELSEWHERE = (
    "The {field}[{value}] cannot be associated with the Ticket. The Ticket and {entity} must have the same companyID."
)
QUIET = {"lastActivityDate", "changedAt", "heldSince", "heldMs", "lastActivityResourceID", "lastActivityPersonType",
         "lastTrackedModificationDateTime", "serviceLevelAgreementPausedNextEventHours"}  # fmt: skip


def load(conn: sqlite3.Connection, number: Any) -> Row:
    row = one(conn, "at_tickets", number)
    if row is None:
        raise bare(404)
    return row


def number_of(conn: sqlite3.Connection, at: int) -> str:
    """`T20240215.0001`, counted by UTC day."""
    day = datetime.fromtimestamp(at / 1000, UTC).strftime("%Y%m%d")
    return f"T{day}.{next_number(conn, f'ticket {day}'):04}"


def blank() -> Row:
    row: Row = dict.fromkeys(COLUMNS["at_tickets"])
    del row["id"]
    return row | {"heldMs": 0, "isAssignedToComanaged": 0, "isVisibleToComanaged": 0}


def create(tenant: Tenant, conn: sqlite3.Connection, values: Row, actor: Actor) -> int:
    """A new ticket. Raises an Answer with what is wrong."""
    entity = tenant.entity("Tickets")
    values = {name: value for name, value in values.items() if name != "id"}
    values = _with_defaults(tenant, values)
    check(tenant, conn, entity, values, is_new=True)
    now = tenant.now()
    udfs = values.pop("udfs", [])
    status = values.pop("status")
    row = blank() | values | {
        "createDate": now, "lastActivityDate": now, "lastTrackedModificationDateTime": now,
        "creatorResourceID": actor.resource, "createdByContactID": actor.contact,
        "creatorType": actor.person_type, "impersonatorCreatorResourceID": actor.impersonator,
        "lastActivityResourceID": actor.resource, "lastActivityPersonType": actor.person_type,
        "status": NEW, "changedAt": tenant.clock.wall(), "udfs": merged_udfs(None, udfs),
    }  # fmt: skip
    _check_people(tenant, conn, row, values)
    if tenant.profile.is_brief:
        brief.check_ticket(tenant.profile, row, {"status": status})
    sla.start(tenant.profile, row)
    row["ticketNumber"] = number_of(conn, now)
    if status != NEW:
        sla.enter(tenant.profile, row, status, now, actor.resource)
    row["id"] = put(conn, "at_tickets", row)
    sla.save_result(conn, row)
    history(conn, row["id"], "Ticket Created", row["title"], now, actor)
    touch(tenant, conn, row["id"])
    events.emit(tenant, conn, "Ticket", "Create", row, actor)
    return int(row["id"])


def _with_defaults(tenant: Tenant, values: Row) -> Row:
    more: Row = {"ticketCategory": STANDARD_CATEGORY, "serviceLevelAgreementID": STANDARD_SLA, "ticketType": 2}
    if tenant.profile.is_brief:
        more |= {"status": NEW, "priority": tenant.profile.priority(3)}
    return more | {name: value for name, value in values.items() if value is not None}


def _check_people(tenant: Tenant, conn: sqlite3.Connection, row: Row, given: Row) -> None:
    """Queue, assignment and company; only what the call gives can be refused."""
    status = tenant.profile.problem_status
    needs_queue = row["ticketCategory"] == STANDARD_CATEGORY or tenant.profile.is_brief
    if row["queueID"] is None and needs_queue and (given.get("companyID") is not None or "queueID" in given):
        raise errors("QueueID required" if tenant.profile.is_brief else "queueID is required", status=status)
    if {"assignedResourceID", "assignedResourceRoleID"} & given.keys():
        resource, role = row["assignedResourceID"], row["assignedResourceRoleID"]
        if (resource is None) != (role is None):
            raise errors(BOTH, status=status)
        if resource is not None and not _may_work(conn, resource, role):
            raise errors(PAIR, status=status)
    for field, table, entity in (
        ("companyLocationID", "at_locations", "CompanyLocation"), ("contactID", "at_contacts", "Contact"),
    ):  # fmt: skip
        if row[field] is not None and field in given and not _belongs(conn, table, row[field], row["companyID"]):
            raise errors(ELSEWHERE.format(field=field, value=row[field], entity=entity), status=status)


def _may_work(conn: sqlite3.Connection, resource: int, role: int) -> bool:
    query = """SELECT 1 FROM at_resources r WHERE r.id = ?1 AND r.isActive AND (
        EXISTS (SELECT 1 FROM at_resource_roles WHERE resourceID = ?1 AND roleID = ?2 AND isActive)
        OR EXISTS (SELECT 1 FROM at_desk_roles WHERE resourceID = ?1 AND roleID = ?2 AND isActive))"""
    return conn.execute(query, (resource, role)).fetchone() is not None


def _belongs(conn: sqlite3.Connection, table: str, number: int, company: int) -> bool:
    """To the company, or to its parent."""
    query = f"""SELECT 1 FROM {table} WHERE id = ? AND companyID IN (
        ?, (SELECT parentCompanyID FROM at_companies WHERE id = ?))"""
    return conn.execute(query, (number, company, company)).fetchone() is not None


def update(
    tenant: Tenant, conn: sqlite3.Connection, number: int, values: Row, actor: Actor, *, clears: bool = False
) -> None:
    """Change the given fields; `clears` (a PUT) takes the writable rest away."""
    entity = tenant.entity("Tickets")
    row = load(conn, number)
    values = {name: value for name, value in values.items() if name != "id"}
    if clears:
        writable = {one.name for one in entity.fields if not one.is_read_only}
        values = dict.fromkeys(writable) | values
    given = dict(values)
    check(tenant, conn, entity, {**_context(row), **values}, is_new=clears)
    old = dict(row)
    udfs = values.pop("udfs", None)
    status, priority = values.pop("status", None), values.pop("priority", None)
    row |= values
    if udfs is not None:
        row["udfs"] = merged_udfs(row["udfs"], udfs)
    _check_people(tenant, conn, row, given)
    if tenant.profile.is_brief:
        brief.check_ticket(tenant.profile, row, given)
    if priority is not None and priority != row["priority"]:
        sla.retarget(tenant.profile, row, priority)
    if status is not None and status != row["status"]:
        sla.enter(tenant.profile, row, status, tenant.now(), actor.resource)
    save(tenant, conn, row, old, actor)


def _context(row: Row) -> Row:
    """What a picklist's parent is read from when the call does not give it."""
    return {"issueType": row["issueType"]} if row["issueType"] is not None else {}


def save(tenant: Tenant, conn: sqlite3.Connection, row: Row, old: Row, actor: Actor, *, action: str = "Edit") -> None:
    """Write what differs, with dates, history, SLA results and webhooks."""
    now = tenant.now()
    bumped = {
        "lastActivityDate": now, "lastTrackedModificationDateTime": now, "lastActivityResourceID": actor.resource,
        "lastActivityPersonType": actor.person_type, "changedAt": tenant.clock.wall(),
    }  # fmt: skip
    row |= bumped
    differences = {name: value for name, value in row.items() if value != old[name]}
    change(conn, "at_tickets", row["id"], differences)
    sla.save_result(conn, row)
    lists = tenant.picklists()
    told = [name for name in differences if name not in QUIET]
    for name in told:
        before, after = (_label(lists, name, value) for value in (old[name], row[name]))
        history(conn, row["id"], action, f"{name}: {before} to {after}", now, actor)
    events.emit(tenant, conn, "Ticket", "Update", row, actor, set(told) | {"lastActivityDate"})


def _label(lists: dict[str, Any], name: str, value: Any) -> str:
    found = find_choice(lists, f"Ticket.{name}", value)
    text = found["label"] if found else "" if value is None else str(value)
    return text[:200] or "(none)"


def touched(
    tenant: Tenant,
    conn: sqlite3.Connection,
    number: int,
    actor: Actor,
    *,
    is_public: bool = False,
    answers: bool = False,
) -> None:
    """A note, time entry or file: activity moves, a public one of a resource is the first response."""
    row = load(conn, number)
    old = dict(row)
    now = tenant.now()
    if is_public:
        row["lastCustomerVisibleActivityDateTime"] = now
    if answers and actor.resource is not None:
        sla.respond(row, now, actor.resource)
    save(tenant, conn, row, old, actor)


def delete(tenant: Tenant, conn: sqlite3.Connection, number: int, actor: Actor) -> None:
    """What a person does in the product; the API cannot. The log of deletions is how others learn of it."""
    row = load(conn, number)
    events.emit(tenant, conn, "Ticket", "Delete", row, actor)
    for table in (
        "at_notes",
        "at_time_entries",
        "at_attachments",
        "at_history",
        "at_sla_results",
        "at_secondary",
        "at_additional",
    ):
        conn.execute(f"DELETE FROM {table} WHERE ticketID = ?", (number,))
    conn.execute("DELETE FROM at_tickets WHERE id = ?", (number,))
    put(conn, "at_deleted", {
        "ticketID": number, "ticketNumber": row["ticketNumber"], "ticketTitle": row["title"],
        "deletedByResourceID": actor.resource, "deletedDateTime": tenant.now(),
    })  # fmt: skip


def history(conn: sqlite3.Connection, ticket: int, action: str, detail: str, at: int, actor: Actor) -> None:
    row = {"ticketID": ticket, "action": action, "detail": detail, "date": at, "resourceID": actor.resource}
    put(conn, "at_history", row)


def touch(tenant: Tenant, conn: sqlite3.Connection, number: int) -> None:
    """Remember by the machine's clock what the API changed, so that nobody else interferes."""
    conn.execute("INSERT OR REPLACE INTO at_touched VALUES (?, ?)", (number, tenant.clock.wall()))


def role_for(conn: sqlite3.Connection, resource: int) -> int:
    """The role in which a resource works: its service desk role, default first."""
    query = "SELECT roleID FROM at_desk_roles WHERE resourceID = ? AND isActive ORDER BY isDefault DESC, id LIMIT 1"
    row = conn.execute(query, (resource,)).fetchone()
    return int(row["roleID"]) if row else FIRST_ROLE


def is_done(row: Row) -> bool:
    return bool(row["status"] == COMPLETE)
