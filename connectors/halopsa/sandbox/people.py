"""Clients, sites, users (contacts), agents, teams and contracts."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from typing import Any

from connectors.halopsa.sandbox.seeds import Doc
from connectors.halopsa.sandbox.tenant import Row, Tenant, config
from connectors.halopsa.sandbox.wire import FLAG, INTEGER, TEXT, Params, bare, not_bound, rule_broken


@dataclass(frozen=True)
class Table:
    """A resource over a table with `extra`: key in the envelope, columns that may be filtered and written."""

    name: str
    key: str
    query: str
    filters: tuple[str, ...]
    columns: tuple[str, ...]
    types: dict[str, str]


CLIENTS = Table(
    "halo_clients", "clients",
    "SELECT t.*, s.name AS main_site_name FROM halo_clients t LEFT JOIN halo_sites s ON s.id = t.main_site_id",
    (), ("name", "inactive", "main_site_id"),
    {"id": INTEGER, "name": TEXT, "inactive": FLAG, "main_site_id": INTEGER, "is_vip": FLAG},
)  # fmt: skip
SITES = Table(
    "halo_sites", "sites",
    "SELECT t.*, c.name AS client_name FROM halo_sites t LEFT JOIN halo_clients c ON c.id = t.client_id",
    ("client_id",), ("name", "client_id", "inactive"),
    {"id": INTEGER, "name": TEXT, "client_id": INTEGER, "inactive": FLAG},
)  # fmt: skip
USERS = Table(
    "halo_users", "users",
    "SELECT t.*, c.name AS client_name, s.name AS site_name FROM halo_users t "
    "LEFT JOIN halo_clients c ON c.id = t.client_id LEFT JOIN halo_sites s ON s.id = t.site_id",
    ("client_id", "site_id"), ("name", "emailaddress", "client_id", "site_id", "inactive"),
    {"id": INTEGER, "name": TEXT, "emailaddress": TEXT, "client_id": INTEGER, "site_id": INTEGER, "inactive": FLAG,
     "isimportantcontact": FLAG, "neversendemails": FLAG},
)  # fmt: skip
TABLES = {"client": CLIENTS, "site": SITES, "users": USERS}


def wire(table: Table, row: sqlite3.Row) -> Doc:
    extra = json.loads(row["extra"] or "{}")
    shaped = {"client": _client, "site": _site, "users": _user}
    return shaped[next(name for name, item in TABLES.items() if item is table)](row, extra)


def _client(row: sqlite3.Row, extra: Doc) -> Doc:
    return {
        "id": row["id"], "name": row["name"], "inactive": bool(row["inactive"]), "colour": "#2bd3c6",
        "main_site_id": row["main_site_id"] or 0, "main_site_name": row["main_site_name"] or "",
        "main_phonenumber": extra.get("phone", ""), "toplevel_id": 1, "toplevel_name": "Customers",
        "accountmanagertech": 0, "is_vip": bool(extra.get("is_vip", False)), "domain": extra.get("domain", ""),
        "ref": extra.get("ref", ""), "notes": extra.get("notes", ""), "use": "client", "customfields": [],
    }  # fmt: skip


def _site(row: sqlite3.Row, extra: Doc) -> Doc:
    return {
        "id": row["id"], "name": row["name"], "client_id": float(row["client_id"]), "client_name": row["client_name"],
        "clientsite_name": f"{row['client_name']}/{row['name']}", "inactive": bool(row["inactive"]), "sla_id": 0,
        "phonenumber": extra.get("phone", ""), "colour": "#2bd3c6", "timezone": extra.get("timezone", ""),
        "delivery_address_line1": extra.get("street", ""), "delivery_address_line2": extra.get("city", ""),
        "use": "site",
        "notes": extra.get("notes", ""), "customfields": [],
    }  # fmt: skip


def _user(row: sqlite3.Row, extra: Doc) -> Doc:
    first, _, last = (row["name"] or "").partition(" ")
    phone = extra.get("phone", "")
    return {
        "id": row["id"], "name": row["name"], "firstname": extra.get("firstname", first),
        "surname": extra.get("surname", last), "initials": first[:1] + last[:1],
        "emailaddress": row["emailaddress"] or "",
        "phonenumber": phone, "phonenumber_preferred": phone, "mobilenumber": extra.get("mobilenumber", ""),
        "inactive": bool(row["inactive"]), "client_id": row["client_id"], "client_name": row["client_name"],
        "site_id": float(row["site_id"] or 0), "site_id_int": row["site_id"] or 0, "site_name": row["site_name"] or "",
        "login": extra.get("login", ""), "linked_agent_id": 0, "use": "user",
        "isimportantcontact": bool(extra.get("isimportantcontact", False)),
        "neversendemails": bool(extra.get("neversendemails", False)), "customfields": [],
    }  # fmt: skip


def listed(conn: sqlite3.Connection, table: Table, params: Params) -> Doc:
    """A page of rows; active ones unless `includeinactive`, `includeactive=false` or `activeinactive` say otherwise."""
    where, values = _conditions(table, params)
    total = conn.execute(f"SELECT count(*) FROM {table.name} t WHERE {where}", values).fetchone()[0]
    number, size, offset = params.page
    order = {"name": "t.name", "id": "t.id"}.get(params.text("order").lower(), "t.name, t.id")
    way = " DESC" if params.flag("orderdesc") and order in ("t.name", "t.id") else ""
    query = f"{table.query} WHERE {where} ORDER BY {order}{way} LIMIT ? OFFSET ?"
    rows = [wire(table, row) for row in conn.execute(query, [*values, size, offset])]
    return {"page_no": number, "page_size": size, "record_count": total, table.key: rows}


def _conditions(table: Table, params: Params) -> tuple[str, list[Any]]:
    where: list[str] = ["1"]
    values: list[Any] = []
    for name in table.filters:
        number = params.integer(name)
        if number is not None:
            where.append(f"t.{name} = ?")
            values.append(number)
    shows = [False, True] if params.flag("includeinactive") else [False]
    if params.text("includeactive").lower() == "false":
        shows.remove(False)
    if params.text("activeinactive"):
        shows = [word.strip().lower() != "true" for word in params.text("activeinactive").split(",")]
    where.append(f"t.inactive IN ({', '.join(str(int(item)) for item in shows) or 'NULL'})")
    if text := params.text("search"):
        column = "t.name || ' ' || coalesce(t.emailaddress, '')" if table is USERS else "t.name"
        where.append(f"{column} LIKE ?")
        values.append(f"%{text}%")
    for name, sign in (("lastupdatefromdate", ">="), ("lastupdatetodate", "<=")):
        instant = params.instant(name)
        if instant is not None:
            where.append(f"t.last_update {sign} ?")
            values.append(instant)
    return " AND ".join(where), values


def one(conn: sqlite3.Connection, table: Table, number: int) -> Doc:
    row = conn.execute(f"{table.query} WHERE t.id = ?", (number,)).fetchone()
    if row is None:
        raise bare(404)
    return wire(table, row)


def save(tenant: Tenant, conn: sqlite3.Connection, table: Table, body: Row) -> int:
    """Create or merge one row. A new client gets its site "Main"."""
    number = body.get("id")
    old = conn.execute(f"SELECT * FROM {table.name} WHERE id = ?", (number,)).fetchone() if number else None
    if number and old is None:
        raise bare(404)
    if old is None and not body.get("name"):
        raise rule_broken("Name is required")
    values = (
        dict(old) if old else {"id": conn.execute(f"SELECT coalesce(max(id), 0) + 1 FROM {table.name}").fetchone()[0]}
    )
    extra = json.loads(values.get("extra") or "{}")
    for name, value in body.items():
        if name in table.columns:
            values[name] = value
        elif name != "id":
            extra[name] = value
    if table is CLIENTS and old is None:
        values["main_site_id"] = save(tenant, conn, SITES, {"name": "Main", "client_id": values["id"]})
    values |= {"extra": json.dumps(extra), "last_update": tenant.now(), "inactive": int(bool(values.get("inactive")))}
    marks = ", ".join("?" * len(values))
    conn.execute(f"INSERT OR REPLACE INTO {table.name} ({', '.join(values)}) VALUES ({marks})", list(values.values()))
    return int(values["id"])


def delete(conn: sqlite3.Connection, table: Table, number: int) -> Doc:
    doc = one(conn, table, number)
    conn.execute(f"DELETE FROM {table.name} WHERE id = ?", (number,))
    return doc


def agents(conn: sqlite3.Connection, params: Params) -> list[Doc] | Doc:
    """A bare array, or `{"record_count", "results"}` when paging was asked for. Disabled and Unassigned on request."""
    where = ["1"]
    if not params.flag("includedisabled"):
        where.append("isdisabled = 0")
    if params.text("includeenabled").lower() == "false":
        where.append("isdisabled = 1")
    if not params.flag("includeunassigned"):
        where.append("id > 1")
    rows = [
        agent(conn, row) for row in conn.execute(f"SELECT * FROM halo_agents WHERE {' AND '.join(where)} ORDER BY id")
    ]
    if not params.is_paged:
        return rows
    _, size, offset = params.page
    return {"record_count": len(rows), "results": rows[offset : offset + size]}


def agent(conn: sqlite3.Connection, row: sqlite3.Row) -> Doc:
    extra = json.loads(row["extra"] or "{}")
    first, _, last = row["name"].partition(" ")
    ids = {doc["name"]: doc["id"] for doc in config(conn, "team")}
    teams = (
        [{"team_id": ids[row["team"]], "team_name": row["team"], "agent_id": row["id"]}] if row["team"] in ids else []
    )
    return {
        "id": row["id"], "name": row["name"], "firstname": first, "surname": last, "email": row["email"] or "",
        "initials": (first[:1] + last[:1]).upper(), "team": row["team"] or "", "teams": teams, "colour": "#2b7de9",
        "isdisabled": bool(row["isdisabled"]), "isapiagent": bool(extra.get("isapiagent", False)), "use": "agent",
        "is_agent": True, "jobtitle": extra.get("jobtitle", ""),
    }  # fmt: skip


def one_agent(conn: sqlite3.Connection, number: int) -> Doc:
    row = conn.execute("SELECT * FROM halo_agents WHERE id = ?", (number,)).fetchone()
    if row is None:
        raise bare(404)
    return agent(conn, row)


def teams(conn: sqlite3.Connection, params: Params) -> list[Doc]:
    rows = conn.execute(
        "SELECT team_id, count(*) AS n FROM halo_tickets WHERE deleted = 0 AND is_closed = 0 GROUP BY team_id"
    )
    counts = {row["team_id"]: row["n"] for row in rows}
    with_agents = params.flag("includeagentsforteams") or params.flag("includeagents")
    return [team(conn, doc, counts, with_agents=with_agents) for doc in config(conn, "team")]


def team(conn: sqlite3.Connection, doc: Doc, counts: dict[int, int], *, with_agents: bool) -> Doc:
    found = {**doc, "ticket_count": counts.get(doc["id"], 0)}
    if with_agents:
        rows = conn.execute("SELECT * FROM halo_agents WHERE team = ? ORDER BY id", (doc["name"],))
        found["agents"] = [{"id": row["id"], "name": row["name"]} for row in rows]
    return found


def team_doc(number: int, name: str) -> Doc:
    return {
        "id": number, "name": name, "sequence": number, "forrequests": True, "foropps": False, "forprojects": True,
        "department_id": 1, "department_name": "Support", "inactive": False, "use": "team",
    }  # fmt: skip


def contracts(conn: sqlite3.Connection, params: Params) -> Doc:
    client_id = params.integer("client_id")
    rows = [doc for doc in config(conn, "contract") if client_id is None or doc["client_id"] == client_id]
    number, size, offset = params.page
    shown = rows[offset : offset + size]
    return {"page_no": number, "page_size": size, "record_count": len(rows), "contracts": shown}


def number_in(text: str) -> int:
    """The id in a path; anything but a whole number is a binding error."""
    try:
        return int(text)
    except ValueError:
        raise not_bound("id", f"The value '{text}' is not valid.") from None
