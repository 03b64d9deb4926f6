"""Attachments: base64 data URIs in JSON or a multipart form in, raw bytes out.

The content is on disk; a request's size is bounded by the server (1 GiB), its memory by a few MiB.
"""

from __future__ import annotations

import base64
import binascii
import mimetypes
import re
import sqlite3
from typing import Any
from urllib.parse import quote

from connectors.halopsa.sandbox import tickets
from connectors.halopsa.sandbox.profiles import VENDOR, Vendor
from connectors.halopsa.sandbox.seeds import Doc
from connectors.halopsa.sandbox.tenant import Actor, Row, Tenant, new_guid
from connectors.halopsa.sandbox.wire import ANY, FLAG, INTEGER, TEXT, Params, bare, bound, date_out, rule_broken
from connectors.sandbox.messages import Response
from connectors.sandbox.spool import Body, Spilled

TYPES = {
    **dict.fromkeys(("id", "ticket_id", "action_id", "type", "unique_id"), INTEGER),
    **dict.fromkeys(("filename", "note", "desc", "content_type"), TEXT),
    **dict.fromkeys(("showforusers", "isimage"), FLAG),
    **dict.fromkeys(("data_base64", "data", "file"), ANY),
}
INSERT = (
    "INSERT INTO halo_attachments (id, guid, ticket_id, action_id, filename, content_type, size, sha256, created, "
    "showforusers, isimage, note, descr, user_id, agent_id, written_at) VALUES (" + ", ".join("?" * 16) + ")"
)
DATA_URI = re.compile(r"data:([^;,]*)[^,]*;base64,", re.IGNORECASE)


def add_all(
    tenant: Tenant, conn: sqlite3.Connection, row: Row, items: Any, actor: Actor, action_id: int | None = None
) -> None:
    """The `attachments` array of a ticket or an action; the caller stores the ticket."""
    for index, item in enumerate(items if isinstance(items, list) else []):
        if isinstance(item, dict):
            _add(tenant, conn, row, {**bound(item, TYPES, index, ""), "action_id": action_id}, actor)


def add(tenant: Tenant, conn: sqlite3.Connection, body: Row, actor: Actor) -> int:
    """One upload to a ticket. Answers the attachment's id; the ticket's last_update moves."""
    ticket_id = body.get("ticket_id") or body.get("unique_id")
    if not ticket_id:
        raise rule_broken("A Ticket must be entered for this Attachment")
    row = tickets.load(conn, ticket_id)
    attachment_id = _add(tenant, conn, row, body, actor)
    tickets.store(tenant, conn, row)
    return attachment_id


def _add(tenant: Tenant, conn: sqlite3.Connection, row: Row, body: Row, actor: Actor) -> int:
    data = body.get("data_base64") if body.get("data_base64") is not None else body.get("data", body.get("file"))
    if data is None:
        raise rule_broken("No data was received for this Attachment")
    sha256, size, kind = _kept(tenant, data)
    filename = body.get("filename") or (data.filename if isinstance(data, Spilled) else "") or "attachment"
    kind = body.get("content_type") or kind or mimetypes.guess_type(filename)[0] or "application/octet-stream"
    shown = body["showforusers"] if body.get("showforusers") is not None else True
    is_image = body["isimage"] if body.get("isimage") is not None else kind.startswith("image/")
    attachment_id = conn.execute("SELECT coalesce(max(id), 0) + 1 FROM halo_attachments").fetchone()[0]
    values = (
        attachment_id, new_guid(), row["id"], body.get("action_id"), filename, kind, size, sha256, tenant.now(),
        int(bool(shown)), int(bool(is_image)), body.get("note") or "", body.get("desc") or "", actor.user_id,
        actor.agent_id, tenant.clock.wall(),
    )  # fmt: skip
    conn.execute(INSERT, values)
    row["attachment_count"] = (row["attachment_count"] or 0) + 1
    if body.get("action_id"):
        conn.execute(
            "UPDATE halo_actions SET attachment_count = attachment_count + 1 WHERE ticket_id = ? AND id = ?",
            (row["id"], body["action_id"]),
        )
    return int(attachment_id)


def _kept(tenant: Tenant, data: Any) -> tuple[str, int, str]:
    """(sha256, size, content type or "") of a data URI, plain base64, or a file that is already on disk."""
    if isinstance(data, Spilled):
        sha256, size = tenant.files.adopt(data)
        return sha256, size, data.content_type
    text = str(data)
    match = DATA_URI.match(text)
    try:
        content = base64.b64decode(re.sub(r"\s", "", text[match.end() :] if match else text), validate=True)
    except (binascii.Error, ValueError) as error:
        raise rule_broken("The data of this Attachment is not valid base64") from error
    sha256, size = tenant.files.keep(content)
    return sha256, size, match.group(1) if match else ""


def from_form(body: Body) -> list[Row]:
    """The objects of a multipart upload: the files, each with the form's fields."""
    fields, files = body.multipart()
    return [{**fields, "filename": fields.get("filename") or item.filename, "file": item} for item in files]


def row_of(conn: sqlite3.Connection, attachment_id: int) -> sqlite3.Row:
    found: sqlite3.Row | None = conn.execute(
        "SELECT a.* FROM halo_attachments a JOIN halo_tickets t ON t.id = a.ticket_id AND NOT t.deleted WHERE a.id = ?",
        (attachment_id,),
    ).fetchone()
    if found is None:
        raise bare(404)
    return found


def image_row(conn: sqlite3.Connection, guid: str) -> sqlite3.Row:
    found: sqlite3.Row | None = conn.execute(
        "SELECT * FROM halo_attachments WHERE guid = ?", (guid.lower(),)
    ).fetchone()
    if found is None:
        raise bare(404)
    return found


def download(tenant: Tenant, row: sqlite3.Row, *, inline: bool = False) -> Response:
    """The bytes themselves, named in Content-Disposition."""
    plain = re.sub(r'[^ -~]|["\\]', "_", row["filename"])
    way = "inline" if inline else "attachment"
    named = f"{way}; filename=\"{plain}\"; filename*=UTF-8''{quote(row['filename'], safe='')}"
    headers = {"Content-Type": row["content_type"], "Content-Disposition": named}
    return Response(200, headers=headers, file=tenant.files.path(row["sha256"]))


def delete(tenant: Tenant, conn: sqlite3.Connection, attachment_id: int, profile: Vendor = VENDOR) -> Doc:
    found = row_of(conn, attachment_id)
    conn.execute("DELETE FROM halo_attachments WHERE id = ?", (attachment_id,))
    if found["action_id"]:
        conn.execute(
            "UPDATE halo_actions SET attachment_count = max(0, attachment_count - 1) WHERE ticket_id = ? AND id = ?",
            (found["ticket_id"], found["action_id"]),
        )
    row = tickets.load(conn, found["ticket_id"])
    row["attachment_count"] = max(0, (row["attachment_count"] or 0) - 1)
    tickets.store(tenant, conn, row)
    return profile.attachment(single(found), found)


def listed(conn: sqlite3.Connection, params: Params, stale_before: int | None, profile: Vendor = VENDOR) -> Doc:
    ticket_id, action_id = params.integer("ticket_id") or params.integer("unique_id"), params.integer("action_id")
    where, values = "ticket_id = ?", [ticket_id or 0]
    if action_id is not None:
        where, values = where + " AND action_id = ?", [*values, action_id]
    if stale_before is not None:
        where, values = where + " AND written_at <= ?", [*values, stale_before]
    if ticket_id:
        tickets.load(conn, ticket_id)
    total = conn.execute(f"SELECT count(*) FROM halo_attachments WHERE {where}", values).fetchone()[0]
    number, size, offset = params.page
    limit = [size, offset] if params.is_paged else [1000, 0]
    rows = conn.execute(f"SELECT * FROM halo_attachments WHERE {where} ORDER BY id LIMIT ? OFFSET ?", [*values, *limit])
    return {
        "ticket_id": ticket_id or 0, "action_id": action_id or 0, "type": params.integer("type") or 0,
        "unique_id": ticket_id or 0, "record_count": total, "page_no": number,
        "attachments": [profile.attachment(wire(row), row) for row in rows], "page_size": size, "folders": [],
    }  # fmt: skip


def of_action(conn: sqlite3.Connection, ticket_id: int, action_id: int, profile: Vendor = VENDOR) -> list[Doc]:
    rows = conn.execute(
        "SELECT * FROM halo_attachments WHERE ticket_id = ? AND action_id = ? ORDER BY id", (ticket_id, action_id)
    )
    return [profile.attachment(single(row), row) for row in rows]


def of_ticket(conn: sqlite3.Connection, ticket_id: int) -> list[Doc]:
    return [
        single(row)
        for row in conn.execute("SELECT * FROM halo_attachments WHERE ticket_id = ? ORDER BY id", (ticket_id,))
    ]


def wire(row: sqlite3.Row) -> Doc:
    """A list row; `unique_id` is the ticket, there is no content type in it."""
    return {
        "id": row["id"], "filename": row["filename"], "filesize": row["size"], "datecreated": date_out(row["created"]),
        "type": 0, "unique_id": row["ticket_id"], "note": row["note"] or "", "desc": row["descr"] or "",
        "isimage": bool(row["isimage"]), "showforusers": bool(row["showforusers"]), "download_url": None,
    }  # fmt: skip


def single(row: sqlite3.Row) -> Doc:
    more = {"content_type": row["content_type"], "guid": row["guid"], "ticket_id": row["ticket_id"]}
    return {**wire(row), **more, "action_id": row["action_id"] or 0}
