"""What the profiles do differently, in one place: `vendor` changes nothing, `brief` reshapes what goes in and out."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from connectors.halopsa.sandbox import brief
from connectors.halopsa.sandbox.seeds import Doc
from connectors.halopsa.sandbox.tenant import Row


class Vendor:
    """The API as real tenants answer."""

    is_brief = False

    def taken(self, resource: str, item: Mapping[str, Any]) -> Mapping[str, Any]:
        """An object of a request, before its values are bound to types."""
        return item

    def types(self, resource: str, types: dict[str, str]) -> dict[str, str]:
        return types

    def new_ticket(self, conn: sqlite3.Connection, body: Row) -> Row:
        return body

    def new_action(self, conn: sqlite3.Connection, body: Row) -> Row:
        return body

    def written(self, resource: str, docs: list[Doc], *, wants_all: bool) -> Any:
        """The answer to a POST."""
        return docs if wants_all else docs[-1]

    def ticket(self, doc: Doc, row: Row, now: int) -> Doc:
        return doc

    def action(self, doc: Doc, row: sqlite3.Row) -> Doc:
        return doc

    def attachment(self, doc: Doc, row: sqlite3.Row) -> Doc:
        return doc


class Brief(Vendor):
    """The API as its short description tells it."""

    is_brief = True

    def taken(self, resource: str, item: Mapping[str, Any]) -> Mapping[str, Any]:
        return brief.taken(resource, item)

    def types(self, resource: str, types: dict[str, str]) -> dict[str, str]:
        return types | brief.MORE_TYPES.get(resource, {})

    def new_ticket(self, conn: sqlite3.Connection, body: Row) -> Row:
        return brief.new_ticket(conn, body)

    def new_action(self, conn: sqlite3.Connection, body: Row) -> Row:
        return brief.new_action(conn, body)

    def written(self, resource: str, docs: list[Doc], *, wants_all: bool) -> Any:
        """Tickets come in their list's envelope; for the rest there is no other word than the vendor's."""
        return {"tickets": docs} if resource == "tickets" else super().written(resource, docs, wants_all=wants_all)

    def ticket(self, doc: Doc, row: Row, now: int) -> Doc:
        return brief.ticket(doc, row, now)

    def action(self, doc: Doc, row: sqlite3.Row) -> Doc:
        return brief.action(doc, json.loads(row["extra"] or "{}").get("actiontype_id"))

    def attachment(self, doc: Doc, row: sqlite3.Row) -> Doc:
        return brief.attachment(doc, row["content_type"])


VENDOR = Vendor()
PROFILES: dict[str, Vendor] = {"vendor": VENDOR, "brief": Brief()}
