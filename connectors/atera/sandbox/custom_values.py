"""Custom fields, and their values on tickets, customers, contacts and contracts."""

from __future__ import annotations

import sqlite3
import uuid
from contextlib import suppress

from connectors.atera.sandbox import stored
from connectors.atera.sandbox.call import Call, nothing, refuse_method
from connectors.atera.sandbox.seeds import Doc
from connectors.atera.sandbox.tenant import docs
from connectors.atera.sandbox.wire import TRUE, bad, body_of, instant_in, instant_out, item_id
from connectors.sandbox.messages import Response, json_response

TARGETS = {"ticket": "Ticket", "customer": "Customer", "contact": "Contact", "contract": "Contract"}
INSERT = "INSERT OR REPLACE INTO atera_values VALUES (?,?,?,?)"
OWNERS = {
    "Ticket": "SELECT 1 FROM atera_tickets WHERE deleted = 0 AND id = ?",
    "Customer": "SELECT 1 FROM atera_customers WHERE id = ?", "Contact": "SELECT 1 FROM atera_contacts WHERE id = ?",
    "Contract": "SELECT 1 FROM atera_docs WHERE kind = 'contract' AND id = ?",
}  # fmt: skip
NAMESPACE = uuid.UUID("5f0c6f6e-7d55-4a55-9d0e-0a7e4a000000")


def answer(call: Call) -> Response:
    words = call.words
    if call.method == "GET" and words == ["customfields"]:
        with call.tenant.store.read() as conn:
            return json_response(docs(conn, "field"))
    for name, target in TARGETS.items():
        if words[:1] == [f"{name}fields"] and len(words) == 2:
            return _values(call, target, item_id(words[1], name)) if call.method == "GET" else refuse_method()
        if words[:1] == [f"{name}field"] and len(words) in (3, 4):
            return _one(call, target, item_id(words[1], name), call.rest[2])
    raise nothing()


def _values(call: Call, target: str, item: int, field: str = "") -> Response:
    with call.tenant.store.read() as conn:
        _check_owner(conn, target, item)
        where, more = (" AND name = ?", [field]) if field else ("", [])
        query = f"SELECT * FROM atera_values WHERE target = ? AND item_id = ?{where} ORDER BY name"
        kinds = {doc["Name"].lower(): doc for doc in docs(conn, "field") if doc["Target"] == target}
        rows = conn.execute(query, [target, item, *more]).fetchall()
        return json_response([wire(row, kinds[row["name"].lower()]) for row in rows if row["name"].lower() in kinds])


def _one(call: Call, target: str, item: int, field: str) -> Response:
    with call.tenant.store.read() as conn:
        known = [doc for doc in docs(conn, "field")
                 if doc["Target"] == target and doc["Name"].lower() == field.lower()]  # fmt: skip
    if not known:
        raise bad("Custom field not found")
    if call.method == "GET":
        return _values(call, target, item, known[0]["Name"])
    if call.method not in ("POST", "PUT"):
        return refuse_method()
    value = call.rest[3] if len(call.rest) == 4 else body_of(call.request).text("Value") or ""
    checked = _checked(known[0], value)
    with call.tenant.store.write() as conn:
        _check_owner(conn, target, item)
        conn.execute(INSERT, (target, item, known[0]["Name"], checked))
        if target == "Ticket":
            stored.save(call.tenant, conn, stored.load(conn, item), by_api=True)
    return call.result(item)


def _check_owner(conn: sqlite3.Connection, target: str, item: int) -> None:
    if conn.execute(OWNERS[target], (item,)).fetchone() is None:
        raise bad(f"{target} not found")


def _checked(field: Doc, value: str) -> str:
    kind = field["DataType"]
    if not value:
        return ""
    if kind == "Numeric":
        try:
            return repr(float(value))
        except ValueError:
            raise bad("The value is not a number") from None
    if kind == "Boolean":
        return str(value.lower() in TRUE).lower()
    if kind == "Date":
        return instant_out(instant_in(value, "Value")) or ""
    if kind == "Options":
        known = [item["Text"] for item in field["PossibleValues"] if item["Text"].lower() == value.lower()]
        if not known:
            raise bad("The value is not one of the options")
        return str(known[0])
    return value


def wire(row: sqlite3.Row, field: Doc) -> Doc:
    value, kind = row["value"], field["DataType"]
    number = 0.0
    if kind == "Numeric":
        with suppress(ValueError):
            number = float(value)
    key = uuid.uuid5(NAMESPACE, f"{row['target']}/{row['item_id']}/{row['name'].lower()}")
    return {
        "ItemId": row["item_id"], "Id": str(key), "FieldName": field["Name"], "ValueAsString": value,
        "ValueAsDecimal": number, "ValueAsDateTime": value or None if kind == "Date" else None,
        "ValueAsBool": kind == "Boolean" and value == "true",
        "OptionId": str(uuid.uuid5(NAMESPACE, f"{field['Name']}/{value}")) if kind == "Options" and value else None,
    }  # fmt: skip
