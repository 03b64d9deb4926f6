"""What people do inside Autotask, not through its API: the control API, and live demos."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from connectors.autotask.sandbox import attachments, notes, seeds, tickets, time_entries
from connectors.autotask.sandbox.binding import bound
from connectors.autotask.sandbox.fields import Entity, Row
from connectors.autotask.sandbox.profiles import ADMINISTRATOR, COMPLETE, HOUR_MS, NEW
from connectors.autotask.sandbox.tenant import Actor, Tenant, one
from connectors.autotask.sandbox.wire import Answer
from connectors.sandbox.imitation import Refused

KEEP_TOUCHES_MS = 600_000
OTHER_NAMES = {"summary": "title", "details": "description", "user_id": "contactID", "agent_id": "assignedResourceID"}
LABELLED = {
    "status": "status",
    "priority": "priority",
    "queue": "queueID",
    "queueID": "queueID",
    "issueType": "issueType",
}
ACTION_FIELDS = {
    "note", "description", "title", "private", "publish", "noteType", "agent_id", "resourceID", "user_id", "contactID",
    "timetaken", "hoursWorked", "new_status", "attachments",
}  # fmt: skip


class Behind:
    """Edits without the API's permissions, with the API's consequences: dates, history, webhooks."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant

    def now(self) -> int:
        return self._tenant.now()

    def record(self, ticket_id: int) -> dict[str, Any] | None:
        """The stored ticket with notes, time entries and attachments; `actions` are the first two in order of time."""
        tenant = self._tenant
        with tenant.store.read() as conn:
            row = one(conn, "at_tickets", ticket_id)
            if row is None:
                return None
            found = tenant.entity("Tickets").shown(row)
            found["notes"] = _of_ticket(conn, tenant.entity("TicketNotes"), ticket_id)
            found["time_entries"] = _of_ticket(conn, tenant.entity("TimeEntries"), ticket_id)
            info = tenant.entity("AttachmentInfo")
            query = "SELECT * FROM at_attachments WHERE ticketID = ? ORDER BY id"
            files = conn.execute(query, (ticket_id,)).fetchall()
            found["attachments"] = [{**info.shown(file), "sha256": file["sha256"]} for file in files]
        both = [*found["notes"], *found["time_entries"]]
        found["actions"] = sorted(both, key=lambda action: (action["createDateTime"].rstrip("Z"), action["id"]))
        return found

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        """A transaction whose refusals come out as control errors."""
        try:
            with self._tenant.store.write() as conn:
                yield conn
        except Answer as answer:
            raise Refused(answer.response.body.decode() or f"status {answer.response.status}") from None

    def create(self, values: dict[str, Any]) -> int:
        tenant = self._tenant
        with self._write() as conn:
            body = self._ticket_values(conn, values)
            contact = one(conn, "at_contacts", body.get("contactID"))
            if contact is not None:
                place = {"companyID": contact["companyID"], "companyLocationID": contact["companyLocationID"]}
                body = {**place, **body}
            defaults = {"companyID": seeds.INTERNAL_COMPANY, "status": NEW, "priority": tenant.profile.priority(3)}
            defaults["queueID"] = int(tenant.picklists()["Ticket.queueID"][2]["value"])
            actor = Actor(None, contact["id"]) if contact is not None else self._person(conn, None)
            return tickets.create(tenant, conn, {**defaults, **body}, actor)

    def edit(self, ticket_id: int, values: dict[str, Any]) -> None:
        with self._write() as conn:
            body = self._ticket_values(conn, values)
            row = tickets.load(conn, ticket_id)
            tickets.update(self._tenant, conn, ticket_id, body, self._person(conn, row["assignedResourceID"]))

    def delete(self, ticket_id: int) -> None:
        with self._write() as conn:
            tickets.delete(self._tenant, conn, ticket_id, self._person(conn, None))

    def _ticket_values(self, conn: sqlite3.Connection, values: dict[str, Any]) -> Row:
        """Wire names, a few neutral ones, and picklist values by their label."""
        body = {OTHER_NAMES.get(name, name): value for name, value in values.items()}
        for given, field in LABELLED.items():
            if isinstance(body.get(given), str) and not body[given].isdigit():
                body[field] = self._named(field, body.pop(given))
        entity = self._tenant.entity("Tickets")
        if unknown := sorted(name for name in body if name.lower() not in entity.by_name):
            raise Refused(f"a ticket has no field {unknown[0]}")
        body = bound(entity, body)
        resource = body.get("assignedResourceID")
        if resource is not None and "assignedResourceRoleID" not in body:
            body["assignedResourceRoleID"] = tickets.role_for(conn, resource)
        elif resource is None and "assignedResourceID" in body:
            body["assignedResourceRoleID"] = None
        return body

    def _named(self, field: str, label: str) -> int:
        lists = self._tenant.picklists()[f"Ticket.{field}"]
        found = next((row["value"] for row in lists if row["label"].lower() == label.strip().lower()), None)
        if found is None:
            raise Refused(f"no {field} {label!r}")
        return int(found)

    def _person(self, conn: sqlite3.Connection, resource: int | None) -> Actor:
        """The given resource; else the first one who is a person, else the administrator."""
        if resource is not None:
            if one(conn, "at_resources", resource) is None:
                raise Refused(f"no resource {resource}")
            return Actor(resource)
        query = "SELECT id FROM at_resources WHERE id > ? AND isActive ORDER BY id LIMIT 1"
        row = conn.execute(query, (seeds.FIRST_IDS["at_resources"],)).fetchone()
        return Actor(row["id"] if row else ADMINISTRATOR)

    def add_action(self, ticket_id: int, values: dict[str, Any]) -> int:
        """A note of a resource (private unless said otherwise), a time entry with `timetaken`, or with `user_id` a
        reply of a contact. Answers the id of the note or time entry."""
        if unknown := sorted(set(values) - ACTION_FIELDS):
            raise Refused(f"an action has no field {unknown[0]}")
        with self._write() as conn:
            row = tickets.load(conn, ticket_id)
            contact = values.get("user_id") or values.get("contactID")
            if contact:
                return self._reply(conn, row, values, int(contact))
            resource = values.get("agent_id") or values.get("resourceID") or row["assignedResourceID"]
            actor = self._person(conn, int(resource) if resource else None)
            hours = values.get("timetaken") or values.get("hoursWorked")
            number = (
                self._time(conn, row, values, actor, float(hours)) if hours else self._note(conn, row, values, actor)
            )
            status = values.get("new_status")
            if status is not None:
                if isinstance(status, str) and not status.isdigit():
                    status = self._named("status", status)
                self.edit(ticket_id, {"status": int(status)})
            return number

    def _is_public(self, values: dict[str, Any]) -> bool:
        if values.get("publish") is not None:
            return bool(values["publish"] == self._tenant.profile.public)
        return not values.get("private", True)

    def _note(self, conn: sqlite3.Connection, row: Row, values: dict[str, Any], actor: Actor) -> int:
        profile = self._tenant.profile
        text = str(values.get("note") or values.get("description") or "")
        default = profile.public if self._is_public(values) else profile.internal
        kind = profile.mail_note if actor.contact else profile.plain_note
        number = notes.create(self._tenant, conn, {
            "ticketID": row["id"], "title": values.get("title") or ("Reply" if actor.contact else "Note"),
            "description": text, "noteType": values.get("noteType") or kind,
            "publish": default if values.get("publish") is None else values["publish"],
        }, actor)  # fmt: skip
        for file in values.get("attachments") or ():
            self._attach(conn, number, file, actor, public=self._is_public(values) or actor.contact is not None)
        return number

    def _attach(self, conn: sqlite3.Connection, note: int, file: dict[str, Any], actor: Actor, *, public: bool) -> None:
        profile = self._tenant.profile
        body = {
            "attachmentType": "FILE_ATTACHMENT", "fullPath": file["filename"], "title": file["filename"],
            "publish": profile.public if public else profile.internal,
            "data": file.get("data_base64") or file.get("data"),
        }  # fmt: skip
        entity = self._tenant.entity("TicketNoteAttachments")
        attachments.create(self._tenant, conn, entity, body, note, actor, None)

    def _time(self, conn: sqlite3.Connection, row: Row, values: dict[str, Any], actor: Actor, hours: float) -> int:
        end = self._tenant.now()
        text = str(values.get("note") or values.get("description") or "")
        assert actor.resource is not None
        return time_entries.create(self._tenant, conn, {
            "ticketID": row["id"], "resourceID": actor.resource, "roleID": tickets.role_for(conn, actor.resource),
            "startDateTime": end - round(hours * HOUR_MS), "endDateTime": end, "hoursWorked": hours,
            "billingCodeID": seeds.REMOTE_WORK,
            "summaryNotes" if self._is_public(values) else "internalNotes": text,
        }, actor)  # fmt: skip

    def _reply(self, conn: sqlite3.Connection, row: Row, values: dict[str, Any], contact: int) -> int:
        """A contact writes: what waited or was complete is worked on again, as a workflow rule has it."""
        if one(conn, "at_contacts", contact) is None:
            raise Refused(f"no contact {contact}")
        actor, profile = Actor(None, contact), self._tenant.profile
        number = self._note(conn, row, {**values, "publish": values.get("publish") or profile.public}, actor)
        if row["status"] == COMPLETE or row["status"] in profile.paused:
            again = {"status": profile.in_progress}
            tickets.update(self._tenant, conn, row["id"], again, Actor(ADMINISTRATOR))
        return number

    def tick(self) -> None:
        """What was touched long ago is forgotten."""
        old = self._tenant.clock.wall() - KEEP_TOUCHES_MS
        with self._tenant.store.read() as conn:
            found = conn.execute("SELECT 1 FROM at_touched WHERE at < ? LIMIT 1", (old,)).fetchone()
        if found is not None:
            with self._tenant.store.write() as conn:
                conn.execute("DELETE FROM at_touched WHERE at < ?", (old,))


def _of_ticket(conn: sqlite3.Connection, entity: Entity, ticket_id: int) -> list[Row]:
    query = f"SELECT * FROM {entity.table} WHERE ticketID = ? ORDER BY id"
    return [entity.shown(row) for row in conn.execute(query, (ticket_id,))]
