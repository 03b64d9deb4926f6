"""Tickets: creating, changing, deleting. One object at a time, inside the caller's transaction."""

from __future__ import annotations

import sqlite3

from connectors.atera.sandbox import comments, hints, people, seeds
from connectors.atera.sandbox.stored import enter, load, new_row, save, set_due
from connectors.atera.sandbox.tenant import Row, Tenant, contract_of, next_id, status_named, technician
from connectors.atera.sandbox.wire import Body, bad

AUTOPILOT = -1
PRIORITY_HINT = "Use Low, Medium, High, or Critical"


def create(
    tenant: Tenant, conn: sqlite3.Connection, body: Body, *, customer_too: bool = False, by_api: bool = True
) -> Row:
    """A new ticket; its description is the first comment. `customer_too` takes a bare CustomerID for a contact."""
    title, description = (body.text("TicketTitle") or "").strip(), (body.text("Description") or "").strip()
    if not title:
        raise bad("Title required", TicketTitle="The TicketTitle field is required.")
    if not description and not customer_too:
        raise bad("Description required", Description="The Description field is required.")
    row = new_row(next_id(conn, "atera_tickets"), tenant.now())
    row |= {"title": title, "first_comment": description}
    _place(tenant, conn, row, body, customer_too=customer_too)
    _fill(conn, row, body)
    set_due(row)
    if row["status"] in seeds.DONE:
        row["resolved"] = row["created"]
    save(tenant, conn, row, by_api=by_api)
    if description:
        comments.write(tenant, conn, row, description, user_id=row["user_id"], is_opening=True)
    hints.emit(tenant, conn, row["id"], "TicketCreated")
    return row


def _place(tenant: Tenant, conn: sqlite3.Connection, row: Row, body: Body, *, customer_too: bool) -> None:
    """The contact by id or by e-mail, the customer from the contact, the contract from the customer."""
    if body.has("EndUserID"):
        found = conn.execute("SELECT * FROM atera_contacts WHERE id = ?", (body.integer("EndUserID"),)).fetchone()
        if found is None:
            raise bad("Customer not found", EndUserID="Verify contact exists")
        row["user_id"], row["customer_id"] = found["id"], found["customer_id"]
    elif all(body.text(name) for name in ("EndUserEmail", "EndUserFirstName", "EndUserLastName")):
        row["user_id"], row["customer_id"] = people.contact_by_email(
            tenant, conn, str(body.text("EndUserEmail")), str(body.text("EndUserFirstName")),
            str(body.text("EndUserLastName")), body.text("EndUserPhone") or "",
        )  # fmt: skip
    elif customer_too and body.has("CustomerID"):
        row["customer_id"] = body.integer("CustomerID")
        if conn.execute("SELECT 1 FROM atera_customers WHERE id = ?", (row["customer_id"],)).fetchone() is None:
            raise bad("Customer not found", CustomerID="Verify customer exists")
    else:
        raise bad("Customer not found", EndUserID="EndUserID, or EndUserFirstName, EndUserLastName and EndUserEmail")
    row["contract_id"] = contract_of(conn, row["customer_id"])


def change(
    tenant: Tenant, conn: sqlite3.Connection, row: Row, body: Body, *, is_strict: bool, by_api: bool = True
) -> None:
    """Set those of the seven fields that are given; everything else in the body is ignored."""
    before = row["status"]
    status = body.text("TicketStatus")
    if is_strict and status:
        _check_move(before, status_named(conn, status) or status)
    old_priority = row["priority"]
    title = body.text("TicketTitle")
    if title is not None:
        if not title.strip():
            raise bad("Title required", TicketTitle="The TicketTitle field is required.")
        row["title"] = title.strip()
    _fill(conn, row, body)
    if row["priority"] != old_priority:
        set_due(row)
    if row["status"] != before:
        enter(row, before, tenant.now())
    save(tenant, conn, row, by_api=by_api)
    if row["status"] != before:
        hints.emit_status(tenant, conn, row["id"], row["status"])


def _check_move(before: str, after: str) -> None:
    if before == after:
        return
    if before == seeds.CLOSED:
        raise bad("A closed ticket cannot be changed to another status", TicketStatus="Closed is final")
    if (before, after) == (seeds.OPEN, seeds.CLOSED):
        raise bad("Ticket must be resolved before it is closed", TicketStatus="Open cannot become Closed")


def _fill(conn: sqlite3.Connection, row: Row, body: Body) -> None:
    refused = bad("Invalid priority", TicketPriority=PRIORITY_HINT)
    row["priority"] = body.choice("TicketPriority", seeds.PRIORITIES, refused) or row["priority"]
    row["impact"] = body.choice("TicketImpact", seeds.IMPACTS, bad("Invalid impact")) or row["impact"]
    row["type"] = body.choice("TicketType", seeds.TYPES, bad("Invalid type")) or row["type"]
    status = body.text("TicketStatus")
    if status:
        known = status_named(conn, status)
        if known is None:
            raise bad("Invalid status", TicketStatus=f"'{status}' is not a status of this account")
        row["status"] = known
    number, email = body.integer("TechnicianContactID"), body.text("TechnicianEmail")
    if number == AUTOPILOT:
        raise bad("AI Autopilot is not enabled")
    if number is not None or email:
        found = technician(conn, number, email)
        if found is None:
            raise bad("Technician not found", TechnicianContactID="Verify technician exists")
        row["tech_id"] = found["id"]


def delete(tenant: Tenant, conn: sqlite3.Connection, ticket_id: int) -> None:
    """Gone from every answer, the feed of changes included."""
    row = load(conn, ticket_id)
    row["deleted"] = 1
    save(tenant, conn, row)
