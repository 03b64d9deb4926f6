"""Files of tickets. The API gives their addresses only; this sandbox serves them, as the vendor's storage does."""

from __future__ import annotations

import mimetypes
import sqlite3
from urllib.parse import quote

from connectors.atera.sandbox.tenant import Tenant
from connectors.atera.sandbox.wire import missing
from connectors.sandbox.messages import Response

INSERT = "INSERT INTO atera_files VALUES (?,?,?,?,?,?,?,?)"


def place(guid: str, filename: str) -> str:
    """The path below the mount. Whoever knows the guid may read the file, as with the vendor's signed addresses."""
    return f"/files/{guid}/{quote(filename)}"


def urls(conn: sqlite3.Connection, ticket_id: int, base_url: str) -> list[str]:
    rows = conn.execute("SELECT guid, filename FROM atera_files WHERE ticket_id = ? ORDER BY id", (ticket_id,))
    return [base_url + place(row["guid"], row["filename"]) for row in rows]


def served(tenant: Tenant, guid: str) -> Response:
    with tenant.store.read() as conn:
        query = """SELECT f.* FROM atera_files f JOIN atera_tickets t ON t.id = f.ticket_id AND t.deleted = 0
                   WHERE f.guid = ?"""
        row = conn.execute(query, (guid,)).fetchone()
    if row is None:
        raise missing("File not found")
    kind = row["content_type"] or mimetypes.guess_type(row["filename"])[0] or "application/octet-stream"
    headers = {
        "Content-Type": kind,
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(row['filename'])}",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(200, b"", headers, tenant.files.path(row["sha256"]))
