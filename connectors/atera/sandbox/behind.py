"""What people do inside Atera, not through its API: the control API and live demos."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from connectors.atera.sandbox import attachments, comments, hints, stored, ticket_rows, tickets, workhours
from connectors.atera.sandbox.profiles import VENDOR
from connectors.atera.sandbox.tenant import Row, Tenant, add_status, contact, status_named, technician
from connectors.atera.sandbox.ticket_rows import Show
from connectors.atera.sandbox.wire import Body, Problem
from connectors.sandbox.imitation import Refused

TICKET_FIELDS = {
    "TicketTitle", "Description", "TicketPriority", "TicketImpact", "TicketStatus", "TicketType", "TicketSource",
    "EndUserID", "EndUserFirstName", "EndUserLastName", "EndUserEmail", "EndUserPhone", "CustomerID",
    "TechnicianContactID", "TechnicianEmail",
}  # fmt: skip
PLAIN = {"summary": "TicketTitle", "details": "Description", "status": "TicketStatus", "priority": "TicketPriority",
         "type": "TicketType", "user_id": "EndUserID", "agent_id": "TechnicianContactID",
         "client_id": "CustomerID"}  # fmt: skip
"""Control calls may use the words that every imitation knows instead of the vendor's."""
ACTION_FIELDS = {
    "note",
    "note_html",
    "private",
    "agent_id",
    "user_id",
    "timetaken",
    "new_status",
    "on_site",
    "billable",
}
HOUR_MS = 3_600_000


class Behind:
    """Edits without the API's rules, with its consequences: dates, comments, webhooks."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant

    def now(self) -> int:
        return self._tenant.now()

    def record(self, ticket_id: int) -> dict[str, Any] | None:
        """The stored ticket with its comments (oldest first), work hours and files; None when it is gone."""
        with self._tenant.store.read() as conn:
            try:
                found = ticket_rows.one(conn, ticket_id, VENDOR, Show(relations=True))
            except Problem:
                return None
            said = comments.listed(conn, ticket_id, None, "/atera")[0]
            found |= {
                "id": ticket_id,
                "actions": [{"id": item["_id"], **VENDOR.comment(item)} for item in said],
                "time_entries": workhours.of_ticket(conn, ticket_id, None)[0],
                "attachments": attachments.urls(conn, ticket_id, "/atera"),
            }
        return found

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        """A transaction whose refusals come out as control errors."""
        try:
            with self._tenant.store.write() as conn:
                yield conn
        except Problem as problem:
            more = "; ".join(problem.errors.values())
            raise Refused(": ".join(filter(None, (problem.detail or f"status {problem.status}", more)))) from None

    def _body(self, conn: sqlite3.Connection, values: dict[str, Any]) -> Body:
        """The vendor's names or the plain ones; a status that the account lacks is added to it."""
        given = {PLAIN.get(name, name): value for name, value in values.items()}
        known = {name.lower() for name in TICKET_FIELDS}
        if unknown := [name for name in given if name.lower() not in known]:
            raise Refused(f"a ticket has no field {unknown[0]}")
        body = Body(given)
        if body.text("TicketStatus"):
            add_status(conn, str(body.text("TicketStatus")))
        return body

    def create(self, values: dict[str, Any]) -> int:
        with self._write() as conn:
            body = self._body(conn, values)
            row = tickets.create(self._tenant, conn, body, customer_too=True, by_api=False)
            row["source"] = body.text("TicketSource") or "Portal"
            stored.save(self._tenant, conn, row)
            return int(row["id"])

    def edit(self, ticket_id: int, values: dict[str, Any]) -> None:
        """As a technician does in the portal, where every status may be chosen and the contact exchanged."""
        with self._write() as conn:
            body = self._body(conn, values)
            row = stored.load(conn, ticket_id)
            row["source"] = body.text("TicketSource") or row["source"]
            if body.has("EndUserID"):
                person = contact(conn, body.integer("EndUserID"))
                if person is None:
                    raise Refused("no such contact")
                row["user_id"], row["customer_id"] = person["id"], person["customer_id"]
            tickets.change(self._tenant, conn, row, body, is_strict=False, by_api=False)

    def delete(self, ticket_id: int) -> None:
        with self._write() as conn:
            tickets.delete(self._tenant, conn, ticket_id)

    def add_action(self, ticket_id: int, values: dict[str, Any]) -> int:
        """A note of a technician (internal unless said otherwise), or with `user_id` a reply of a contact; hours in
        `timetaken` become work hours."""
        if unknown := sorted(set(values) - ACTION_FIELDS):
            raise Refused(f"an action has no field {unknown[0]}")
        with self._write() as conn:
            row = stored.load(conn, ticket_id)
            text, markup = str(values.get("note") or ""), str(values.get("note_html") or "")
            if values.get("user_id"):
                return self._reply(conn, row, text, markup, int(values["user_id"]))
            tech_id = self._technician(conn, values.get("agent_id") or row["tech_id"])
            number = 0
            if text or markup:
                number = comments.write(
                    self._tenant, conn, row, text or markup, html=markup, tech_id=tech_id,
                    is_internal=bool(values.get("private", True)),
                )  # fmt: skip
            self._book(conn, row, values, tech_id, text)
            self._move(conn, row, str(values.get("new_status") or row["status"]))
            return number

    def _book(self, conn: sqlite3.Connection, row: Row, values: dict[str, Any], tech_id: int, text: str) -> None:
        hours = float(values.get("timetaken") or 0)
        if hours > 0:
            now = self.now()
            workhours.write(
                conn, row, now - int(hours * HOUR_MS), now, tech_id=tech_id,
                billable=values.get("billable") is not False, on_site=bool(values.get("on_site")),
                description=text[:200] or "Work on the ticket",
            )  # fmt: skip

    def _move(self, conn: sqlite3.Connection, row: Row, status: str) -> None:
        before = row["status"]
        row["status"] = status_named(conn, status) or add_status(conn, status)
        if row["status"] != before:
            stored.enter(row, before, self.now())
        stored.save(self._tenant, conn, row)
        if row["status"] != before:
            hints.emit_status(self._tenant, conn, row["id"], row["status"])

    def _reply(self, conn: sqlite3.Connection, row: Row, text: str, markup: str, user_id: int) -> int:
        if contact(conn, user_id) is None:
            raise Refused(f"no contact {user_id}")
        number = comments.write(self._tenant, conn, row, text or markup, html=markup, user_id=user_id)
        comments.replied(self._tenant, conn, row)
        return number

    def _technician(self, conn: sqlite3.Connection, number: object) -> int:
        """The given technician, else the first one."""
        if number is None:
            found = conn.execute("SELECT * FROM atera_technicians ORDER BY id LIMIT 1").fetchone()
        else:
            found = technician(conn, int(str(number)))
        if found is None:
            raise Refused(f"no technician {number}")
        return int(found["id"])
