"""Files of tickets, notes and time entries: base64 in JSON, with the vendor's limits of size and of bytes over time."""

from __future__ import annotations

import base64
import binascii
import mimetypes
import sqlite3
import threading
from collections import deque
from typing import Any

from connectors.autotask.sandbox import tickets
from connectors.autotask.sandbox.binding import bound, check
from connectors.autotask.sandbox.fields import Entity, Row
from connectors.autotask.sandbox.tenant import Actor, Tenant, one, put
from connectors.autotask.sandbox.time_entries import NOTHING_FOUND
from connectors.autotask.sandbox.wire import errors
from connectors.sandbox.spool import Spilled

OF_TICKET, OF_TIME, OF_NOTE = 4, 18, 23
KINDS = ("FILE_ATTACHMENT", "FILE_LINK", "FOLDER_LINK", "URL")
PARENTS = {"TicketAttachment": OF_TICKET, "TicketNoteAttachment": OF_NOTE, "TimeEntryAttachment": OF_TIME}
TOO_BIG = "The attachment exceeds the maximum size of {} bytes."
TOO_MUCH = "The attachment limit of {} bytes in {:g} minutes has been exceeded."


class Allowance:
    """How many bytes were created lately. Above the limit creates are refused for a whole window."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        self._lock = threading.Lock()
        self._sizes: deque[tuple[int, int]] = deque()
        self._closed_until = 0

    def take(self, size: int) -> None:
        settings, now = self._tenant.settings, self._tenant.now()
        span = int(settings.bytes_window_seconds * 1000)
        refused = errors(TOO_MUCH.format(settings.most_window_bytes, settings.bytes_window_seconds / 60))
        with self._lock:
            if now < self._closed_until:
                raise refused
            while self._sizes and self._sizes[0][0] <= now - span:
                self._sizes.popleft()
            if sum(one for _, one in self._sizes) + size > settings.most_window_bytes:
                self._closed_until = now + span
                raise refused
            self._sizes.append((now, size))

    def clear(self) -> None:
        with self._lock:
            self._sizes.clear()
            self._closed_until = 0


def create(
    tenant: Tenant,
    conn: sqlite3.Connection,
    entity: Entity,
    body: Any,
    parent: int,
    actor: Actor,
    allowance: Allowance | None,
) -> int:
    """A file at its parent; without an allowance (a person in the product) nothing is counted."""
    given = dict(body) if isinstance(body, dict) else body
    data = given.pop("data", given.pop("Data", None)) if isinstance(given, dict) else None
    values = bound(entity, given)
    check(tenant, conn, entity, values, is_new=True)
    if values["attachmentType"] not in KINDS:
        raise errors(f"Picklist value [{values['attachmentType']}] does not exist for attachmentType")
    sha256, size = _kept(tenant, data, allowance)
    place = _place(conn, entity, parent)
    guessed = mimetypes.guess_type(values["fullPath"])[0] or "application/octet-stream"
    row = {
        **{name: value for name, value in values.items() if name != "id"}, **place, "attachDate": tenant.now(),
        "attachedByResourceID": None if actor.contact else actor.resource, "attachedByContactID": actor.contact,
        "contentType": guessed, "fileSize": float(size), "parentID": parent, "parentType": PARENTS[entity.name],
        "impersonatorCreatorResourceID": actor.impersonator, "sha256": sha256, "changedAt": tenant.clock.wall(),
    }  # fmt: skip
    number = put(conn, "at_attachments", row)
    if place.get("ticketID") is not None:
        is_public = values["publish"] == tenant.profile.public
        tickets.touched(tenant, conn, place["ticketID"], actor, is_public=is_public)
    return number


def _kept(tenant: Tenant, data: Any, allowance: Allowance | None) -> tuple[str, int]:
    """(sha256, size) of the content, in the tenant's folder."""
    if isinstance(data, Spilled):
        size, content = data.size, b""
    elif isinstance(data, str) and data:
        try:
            content = base64.b64decode(data, validate=True)
        except (binascii.Error, ValueError):
            raise errors("Error converting value to type 'System.Byte[]'. Path 'data', line 1.") from None
        size = len(content)
    else:
        raise errors("data is required", status=tenant.profile.problem_status)
    if size > tenant.settings.most_file_bytes:
        raise errors(TOO_BIG.format(tenant.settings.most_file_bytes), status=tenant.profile.problem_status)
    if allowance is not None:
        allowance.take(size)
    return tenant.files.adopt(data) if isinstance(data, Spilled) else tenant.files.keep(content)


def _place(conn: sqlite3.Connection, entity: Entity, parent: int) -> Row:
    """The columns that tie it to its parent, and to the ticket of that."""
    if entity.name == "TicketAttachment":
        return {"ticketID": parent}
    table, name = (
        ("at_notes", "ticketNoteID") if entity.name == "TicketNoteAttachment" else ("at_time_entries", "timeEntryID")
    )
    row = one(conn, table, parent)
    return {name: parent, "ticketID": row["ticketID"] if row else None}


def content(tenant: Tenant, row: Row) -> str:
    """The file in base64."""
    return base64.b64encode(tenant.files.path(row["sha256"]).read_bytes()).decode()


def delete(
    tenant: Tenant, conn: sqlite3.Connection, entity: Entity, number: int, parent: int | None, actor: Actor
) -> None:
    row = one(conn, "at_attachments", number)
    if row is None or row["parentID"] != parent or row["parentType"] != PARENTS[entity.name]:
        raise errors(NOTHING_FOUND)
    conn.execute("DELETE FROM at_attachments WHERE id = ?", (number,))
    if row["ticketID"] is not None:
        tickets.touched(tenant, conn, row["ticketID"], actor)
