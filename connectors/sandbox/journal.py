"""The append-only log of what the PSAs were asked: `GET /_control/requests`.

The row of a call that changed something is written in the same transaction as the change, so `applied` is true
exactly when
the state holds the change, also after `kill -9`. Control calls are not in the log.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from connectors.sandbox.messages import Request
from connectors.sandbox.spool import Body, Spilled
from connectors.sandbox.store import Store

SCHEMA = """
CREATE TABLE IF NOT EXISTS requests (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, psa TEXT NOT NULL, method TEXT NOT NULL, path TEXT NOT NULL,
    query TEXT NOT NULL, body TEXT, status INTEGER, applied INTEGER NOT NULL DEFAULT 0, at TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS requests_psa ON requests (psa, seq);
"""
SECRETS = {
    "client_secret",
    "basic_password",
    "password",
    "access_token",
    "refresh_token",
    "token",
    "apiintegrationcode",
    "secret",
    "secretkey",
    "x-api-key",
    "api_key",
}
BINARY = {"data_base64", "data"}
LONG_TEXT = 4_000
WHOLE_BODY = 20_000
HIDDEN = "***"


@dataclass
class Entry:
    """One call on its way into the log."""

    psa: str
    method: str
    path: str
    query: dict[str, str]
    body: Any
    at: str
    seq: int | None = None

    def save(self, conn: sqlite3.Connection, *, applied: bool, status: int | None = None) -> None:
        if self.seq is not None:
            return
        row = (
            self.psa,
            self.method,
            self.path,
            json.dumps(self.query),
            json.dumps(self.body),
            status,
            applied,
            self.at,
        )
        names = "psa, method, path, query, body, status, applied, at"
        cursor = conn.execute(f"INSERT INTO requests ({names}) VALUES (?,?,?,?,?,?,?,?)", row)
        self.seq = cursor.lastrowid


def entry_for(psa: str, request: Request, at_ms: int) -> Entry:
    at = datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    query = {name: HIDDEN if name in SECRETS else value for name, value in request.query.items()}
    body = None if request.method in ("GET", "HEAD") else logged_body(request.body)
    return Entry(psa, request.method, request.full_path, query, body, at)


def finish(store: Store, entry: Entry, status: int) -> None:
    """Write the call's status: to the row its change wrote, else to a new row that says nothing was applied."""
    with store.write() as conn:
        if entry.seq is None:
            entry.save(conn, applied=False, status=status)
        else:
            conn.execute("UPDATE requests SET status = ? WHERE seq = ?", (status, entry.seq))


def logged_body(body: Body) -> Any:
    """Parsed when it is JSON or a form, without credentials, files as length and sha256, about 20 kB at most."""
    kind = body.content_type.split(";")[0].strip().lower()
    if body.is_empty:
        return None
    if kind == "multipart/form-data":
        return _multipart(body)
    if kind == "application/x-www-form-urlencoded":
        return _shorter(dict(parse_qsl(body.data.decode("utf-8", "replace"), keep_blank_values=True)))
    try:
        value = _shorter(body.json())
    except ValueError:
        return {"not_json": body.data[:500].decode("utf-8", "replace"), "length": len(body.data)}
    text = json.dumps(value)
    return value if len(text) <= WHOLE_BODY else {"start": text[:WHOLE_BODY], "length": len(text)}


def _multipart(body: Body) -> Any:
    try:
        fields, files = body.multipart()
    except ValueError:
        return {"not_json": "a broken multipart form"}
    return {**_shorter(fields), "files": [_shorter(item) for item in files]}


def _shorter(value: Any, name: str = "") -> Any:
    if name.lower() in SECRETS and isinstance(value, str) and value:
        return HIDDEN
    if isinstance(value, Spilled):
        return {"filename": value.filename, "length": value.size, "sha256": value.sha256}
    if isinstance(value, dict):
        return {key: _shorter(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [_shorter(item, name) for item in value[:200]]
    if isinstance(value, str) and name in BINARY:
        return _digest(value)
    if isinstance(value, str) and len(value) > LONG_TEXT:
        whole = value.encode("utf-8", "surrogatepass")
        return {"start": value[:LONG_TEXT], "length": len(value), "sha256": hashlib.sha256(whole).hexdigest()}
    return value


def _digest(text: str) -> dict[str, Any]:
    plain = re.sub(r"^data:[^,]*,", "", text)
    try:
        data = base64.b64decode(plain)
    except (binascii.Error, ValueError):
        data = plain.encode("utf-8", "replace")
    return {"length": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def rows(store: Store, psa: str | None, since: int, limit: int = 100_000) -> list[dict[str, Any]]:
    """Log rows with `seq` above `since`, oldest first."""
    where, values = "seq > ?", [since, limit]
    if psa:
        where, values = "psa = ? AND seq > ?", [psa, since, limit]  # type: ignore[list-item]
    with store.read() as conn:
        found = conn.execute(f"SELECT * FROM requests WHERE {where} ORDER BY seq LIMIT ?", values).fetchall()
    return [
        {
            **dict(row),
            "query": json.loads(row["query"]),
            "body": json.loads(row["body"]),
            "applied": bool(row["applied"]),
        }
        for row in found
    ]


def count(store: Store, psa: str) -> int:
    with store.read() as conn:
        return int(conn.execute("SELECT count(*) FROM requests WHERE psa = ?", (psa,)).fetchone()[0])
