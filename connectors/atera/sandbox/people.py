"""Customers and contacts. Contacts carry `EndUserID`, and names spelled `Firstname` and `Lastname`."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from connectors.atera.sandbox import seeds
from connectors.atera.sandbox.seeds import Doc
from connectors.atera.sandbox.tenant import Row, Tenant, next_id
from connectors.atera.sandbox.wire import Body, Page, Params, Problem, bad, local_in, missing, stamp_out

CUSTOMER_FIELDS = ("BusinessNumber", "Domain", "Address", "City", "State", "Country", "Phone", "Fax", "Notes", "Links",
                   "ZipCodeStr")  # fmt: skip
CUSTOMER_NUMBERS = ("Longitude", "Latitude")
CONTACT_TEXTS = ("JobTitle", "MobilePhone", "DepartmentName")
CONTACT_FLAGS = ("IsContactPerson", "InIgnoreMode", "Archived")
CONTACT_NUMBERS = ("DepartmentID", "DefaultAgentId")
SORTS = ("Creation", "LastModified")
INSERT_CONTACT = "INSERT OR REPLACE INTO atera_contacts VALUES (?,?,?,?,?,?,?,?,?)"
INSERT_CUSTOMER = "INSERT OR REPLACE INTO atera_customers VALUES (?,?,?,?,?)"
CONTACTS = "SELECT c.*, k.name AS customer_name FROM atera_contacts c JOIN atera_customers k ON k.id = c.customer_id"


def customer_wire(row: sqlite3.Row) -> Doc:
    doc = json.loads(row["doc"])
    return {
        "CustomerID": row["id"], "CustomerName": row["name"], "CreatedOn": stamp_out(row["created"]),
        "LastModified": stamp_out(row["modified"]),
        **{name: doc.get(name) for name in CUSTOMER_FIELDS[:10]}, "Logo": None,
        **{name: doc.get(name) for name in CUSTOMER_NUMBERS}, "ZipCodeStr": doc.get("ZipCodeStr"),
    }  # fmt: skip


def contact_wire(row: sqlite3.Row) -> Doc:
    doc = json.loads(row["doc"])
    return {
        "EndUserID": row["id"], "CustomerID": row["customer_id"], "CustomerName": row["customer_name"],
        "Firstname": row["first"], "Lastname": row["last"], "JobTitle": doc.get("JobTitle"), "Email": row["email"],
        "Phone": row["phone"], "MobilePhone": doc.get("MobilePhone"),
        "IsContactPerson": bool(doc.get("IsContactPerson")), "InIgnoreMode": bool(doc.get("InIgnoreMode")),
        "CreatedOn": stamp_out(row["created"]), "LastModified": stamp_out(row["modified"]),
        "Archived": bool(doc.get("Archived")), "DepartmentID": doc.get("DepartmentID"),
        "DepartmentName": doc.get("DepartmentName"), "DefaultAgentId": doc.get("DefaultAgentId"),
    }  # fmt: skip


def _order(params: Params, prefix: str = "") -> str:
    text = params.text("SortBy")
    names = {**{name.lower(): name for name in SORTS}, **{str(place): name for place, name in enumerate(SORTS)}}
    if text and text.lower() not in names:
        raise bad("One or more validation errors occurred.", SortBy=f"The value '{text}' is not valid.")
    column = "modified" if text and names[text.lower()] == "LastModified" else "created"
    return f"{prefix}{column}, {prefix}id" if text else f"{prefix}id"


def _since(params: Params, where: list[str], values: list[Any], column: str) -> None:
    if text := params.text("FromLastModifiedDate"):
        where.append(f"{column} >= ?")
        values.append(local_in(text, "FromLastModifiedDate"))


def customers(conn: sqlite3.Connection, params: Params, page: Page) -> tuple[list[Doc], int]:
    where: list[str] = ["1"]
    values: list[Any] = []
    _since(params, where, values, "modified")
    wanted = f"FROM atera_customers WHERE {' AND '.join(where)}"
    total = conn.execute(f"SELECT count(*) {wanted}", values).fetchone()[0]
    query = f"SELECT * {wanted} ORDER BY {_order(params)} LIMIT ? OFFSET ?"
    return [customer_wire(row) for row in conn.execute(query, [*values, page.size, page.offset])], int(total)


def contacts(conn: sqlite3.Connection, params: Params, page: Page) -> tuple[list[Doc], int]:
    """Address and phone number are matched in part, under their new and their old parameter names."""
    where: list[str] = ["1"]
    values: list[Any] = []
    for name in ("Email", "Phone"):
        if text := params.text(name, f"searchOptions.{name}"):
            where.append(f"instr(lower(coalesce(c.{name.lower()}, '')), ?) > 0")
            values.append(text.lower())
    _since(params, where, values, "c.modified")
    wanted = " AND ".join(where)
    total = conn.execute(f"SELECT count(*) FROM atera_contacts c WHERE {wanted}", values).fetchone()[0]
    query = f"{CONTACTS} WHERE {wanted} ORDER BY {_order(params, 'c.')} LIMIT ? OFFSET ?"
    return [contact_wire(row) for row in conn.execute(query, [*values, page.size, page.offset])], int(total)


def customer(conn: sqlite3.Connection, number: int) -> sqlite3.Row:
    row = conn.execute("SELECT * FROM atera_customers WHERE id = ?", (number,)).fetchone()
    if row is None:
        raise missing("Customer not found")
    found: sqlite3.Row = row
    return found


def contact(conn: sqlite3.Connection, number: int) -> sqlite3.Row:
    row = conn.execute(f"{CONTACTS} WHERE c.id = ?", (number,)).fetchone()
    if row is None:
        raise missing("Contact not found")
    found: sqlite3.Row = row
    return found


def save_customer(tenant: Tenant, conn: sqlite3.Connection, body: Body, number: int | None = None) -> int:
    now = tenant.now()
    old = customer(conn, number) if number else None
    name = body.text("CustomerName") or (old["name"] if old else "")
    if not name.strip():
        raise bad("CustomerName required", CustomerName="The CustomerName field is required.")
    doc = json.loads(old["doc"]) if old else {}
    doc |= {name: body.text(name) for name in CUSTOMER_FIELDS if body.has(name)}
    doc |= {name: body.number(name) for name in CUSTOMER_NUMBERS if body.has(name)}
    made = number or next_id(conn, "atera_customers")
    created = old["created"] if old else body.instant("CreatedOn") or now
    conn.execute(INSERT_CUSTOMER, (made, name.strip(), created, _later(now, old), json.dumps(doc)))
    return made


def save_contact(tenant: Tenant, conn: sqlite3.Connection, body: Body, number: int | None = None) -> int:
    """Create needs an address and a customer; the address cannot be changed later."""
    now = tenant.now()
    old = contact(conn, number) if number else None
    email = old["email"] if old else (body.text("Email") or "").strip()
    if not email:
        raise bad("Email required", Email="The Email field is required.")
    if old is None and conn.execute("SELECT 1 FROM atera_contacts WHERE email = ?", (email,)).fetchone():
        raise bad("Email is already in use", Email="A contact with this address exists.")
    doc = json.loads(old["doc"]) if old else {}
    doc |= {name: body.text(name) for name in CONTACT_TEXTS if body.has(name)}
    doc |= {name: body.flag(name) for name in CONTACT_FLAGS if body.has(name)}
    doc |= {name: body.integer(name) for name in CONTACT_NUMBERS if body.has(name)}
    texts = {name: body.text(name) if body.has(name) else (old[column] if old else None)
             for name, column in (("Firstname", "first"), ("Lastname", "last"), ("Phone", "phone"))}  # fmt: skip
    customer_id = _customer_of(conn, body, old)
    made = number or next_id(conn, "atera_contacts")
    created = old["created"] if old else body.instant("CreatedOn") or now
    values = (made, customer_id, texts["Firstname"], texts["Lastname"], email, texts["Phone"], created)
    conn.execute(INSERT_CONTACT, (*values, _later(now, old), json.dumps(doc)))
    return made


def _later(now: int, old: sqlite3.Row | None) -> int:
    return max(now, old["modified"] + 1) if old else now


def _customer_of(conn: sqlite3.Connection, body: Body, old: sqlite3.Row | None) -> int:
    number, name = body.integer("CustomerID"), body.text("CustomerName")
    if number is None and not name:
        if old is not None:
            return int(old["customer_id"])
        raise bad("CustomerID or CustomerName required")
    query, value = ("id = ?", number) if number is not None else ("name = ?", name)
    row = conn.execute(f"SELECT id FROM atera_customers WHERE {query}", (value,)).fetchone()
    if row is None:
        raise bad("Customer not found", CustomerID="Verify customer exists")
    return int(row["id"])


def contact_by_email(
    tenant: Tenant, conn: sqlite3.Connection, email: str, first: str, last: str, phone: str
) -> tuple[int, int]:
    """(contact, customer): the known one of that address, else a new one of the customer with that mail domain."""
    row = conn.execute("SELECT id, customer_id FROM atera_contacts WHERE email = ?", (email.strip(),)).fetchone()
    if row is not None:
        return int(row["id"]), int(row["customer_id"])
    domain = email.rpartition("@")[2].strip().lower()
    query = "SELECT id FROM atera_customers WHERE lower(doc ->> '$.Domain') = ? ORDER BY id LIMIT 1"
    owner = conn.execute(query, (domain,)).fetchone()
    customer_id = owner["id"] if owner else seeds.UNASSIGNED_CUSTOMER
    values: Row = {"Email": email.strip(), "Firstname": first, "Lastname": last, "CustomerID": customer_id}
    made = save_contact(tenant, conn, Body({**values, "Phone": phone or None}))
    return made, int(customer_id)


def delete_customer(conn: sqlite3.Connection, number: int) -> None:
    """405 while contacts or tickets depend on it."""
    customer(conn, number)
    _refuse_if(conn, "SELECT 1 FROM atera_contacts WHERE customer_id = ? LIMIT 1", number)
    _refuse_if(conn, "SELECT 1 FROM atera_tickets WHERE deleted = 0 AND customer_id = ? LIMIT 1", number)
    conn.execute("DELETE FROM atera_customers WHERE id = ?", (number,))


def delete_contact(conn: sqlite3.Connection, number: int) -> None:
    """405 while tickets depend on it."""
    contact(conn, number)
    _refuse_if(conn, "SELECT 1 FROM atera_tickets WHERE user_id = ? AND deleted = 0 LIMIT 1", number)
    conn.execute("DELETE FROM atera_contacts WHERE id = ?", (number,))


def _refuse_if(conn: sqlite3.Connection, query: str, number: int) -> None:
    if conn.execute(query, (number,)).fetchone():
        raise Problem(405)
