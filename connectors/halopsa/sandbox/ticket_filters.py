"""From list parameters to SQL. Parameters that HaloPSA does not know are never looked at, so they filter nothing."""

from __future__ import annotations

import re
import sqlite3
from typing import Any

from connectors.halopsa.sandbox import text_index
from connectors.halopsa.sandbox.tenant import config
from connectors.halopsa.sandbox.wire import Params

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
ONE = {
    "client_id": "client_id", "site_id": "site_id", "user_id": "user_id", "agent_id": "agent_id",
    "status_id": "status_id",
    "requesttype_id": "tickettype_id", "parent_id": "parent_id", "contract_id": "contract_id", "search_id": "id",
}  # fmt: skip
BRIEF_ONE = {"team_id": "team_id", "priority_id": "priority_id", "tickettype_id": "tickettype_id"}
MANY = {
    "status": "status_id", "priority": "priority_id", "team": "team_id", "agent": "agent_id",
    "requesttype": "tickettype_id",
    "client_ids": "client_id", "sla": "sla_id", "ticketids": "id",
}  # fmt: skip
ORDERS = {
    "id": "id", "ticket_id": "id", "dateoccurred": "dateoccurred", "datecreated": "datecreated",
    "last_update": "last_update",
    "lastactiondate": "lastactiondate", "fixbydate": "fixbydate", "respondbydate": "respondbydate",
    "summary": "summary",
    "status_id": "status_id", "priority_id": "priority_id", "client_id": "client_id", "agent_id": "agent_id",
    "dateclosed": "dateclosed",
}  # fmt: skip
EVENT_DATES = {"dateoccured": "dateoccurred", "dateoccurred": "dateoccurred", "datecleared": "dateclosed",
               "datecreated": "datecreated", "lastactiondate": "lastactiondate"}  # fmt: skip

IN_SUMMARY = "summary LIKE ? ESCAPE '\\'"
IN_DETAILS = "EXISTS (SELECT 1 FROM halo_texts x WHERE x.ticket_id = t.id AND x.details LIKE ? ESCAPE '\\')"


def conditions(conn: sqlite3.Connection, params: Params) -> tuple[str, list[Any]]:
    """(WHERE text, values) over the ticket columns."""
    where = [f"deleted = {int(params.flag('deleted'))}"]
    values: list[Any] = []
    for name, column in (ONE | BRIEF_ONE if params.is_brief else ONE).items():
        number = params.integer(name)
        if number is not None:
            where.append(f"{column} = ?")
            values.append(number)
    for name, column in MANY.items():
        if numbers := params.integers(name):
            where.append(f"{column} IN ({', '.join(map(str, numbers))})")
    if numbers := params.integers("excludethese"):
        where.append(f"id NOT IN ({', '.join(map(str, numbers))})")
    _states(conn, params, where)
    _categories(conn, params, where, values)
    _dates(params, where, values)
    _texts(conn, params, where, values)
    return " AND ".join(where), values


def _states(conn: sqlite3.Connection, params: Params, where: list[str]) -> None:
    if params.flag("open_only"):
        where.append("is_closed = 0")
    if params.flag("closed_only"):
        where.append("is_closed = 1")
    if params.flag("withattachments"):
        where.append("attachment_count > 0")
    if params.text("domain") in ("opps", "prjs"):
        where.append("0")
    kinds = params.integers("itil_requesttype") or [n for n in [params.integer("itil_requesttype_id")] if n is not None]
    if kinds:
        types = [str(doc["id"]) for doc in config(conn, "tickettype") if doc.get("itilrequesttype") in kinds]
        where.append(f"tickettype_id IN ({', '.join(types) or 'NULL'})")


def _categories(conn: sqlite3.Connection, params: Params, where: list[str], values: list[Any]) -> None:
    for depth in range(1, 5):
        numbers = params.integers(f"category_{depth}")
        if numbers:
            found = [doc["value"] for doc in config(conn, "category") if doc["id"] in numbers]
            where.append(f"category_{depth} IN ({', '.join('?' * len(found)) or 'NULL'})")
            values += found


def _dates(params: Params, where: list[str], values: list[Any]) -> None:
    for name, sign in (("lastupdatefromdate", ">="), ("lastupdatetodate", "<=")):
        instant = params.instant(name, end_of_day=sign == "<=")
        if instant is not None:
            where.append(f"last_update {sign} ?")
            values.append(instant)
    if params.is_brief:
        _between(params, "dateoccurred", "dateoccurred_start", "dateoccurred_end", where, values)
    column = EVENT_DATES.get(params.text("datesearch").lower())
    if column is None:
        return
    _between(params, column, "startdate", "enddate", where, values)


def _between(params: Params, column: str, first: str, last: str, where: list[str], values: list[Any]) -> None:
    for name, sign in ((first, ">="), (last, "<=")):
        instant = params.instant(name, end_of_day=name == last)
        if instant is not None:
            where.append(f"{column} > 0 AND {column} {sign} ?")
            values.append(instant)


def _texts(conn: sqlite3.Connection, params: Params, where: list[str], values: list[Any]) -> None:
    """`search` looks at number, subject and text, with `searchactions` at notes too. A text that is some ticket's
    `third_party_id_string`, or a UUID, finds by that field alone, so that a client can look up its own marker."""
    text = params.text("search")
    if text and (UUID.fullmatch(text) or _is_marker(conn, text)):
        where.append("third_party_id_string = ? AND third_party_id_string <> ''")
        values.append(text)
    elif text:
        found, given = _anywhere(conn, text)
        parts = [found]
        if text.isdigit() and len(text) < 18:
            parts.append(f"id IN ({int(text)})")
        if params.flag("searchactions"):
            parts.append("EXISTS (SELECT 1 FROM halo_actions a WHERE a.ticket_id = t.id AND a.note LIKE ? ESCAPE '\\')")
            given.append(_like(text))
        where.append("(" + " OR ".join(parts) + ")")
        values += given
    for name, column, slow in (("search_summary", "summary", IN_SUMMARY), ("search_details", "details", IN_DETAILS)):
        if text := params.text(name):
            found, given = text_index.condition(conn, text, column) or (slow, [_like(text)])
            where.append(found)
            values += given
    if text := params.text("search_user_name"):
        where.append("user_id IN (SELECT id FROM halo_users WHERE name LIKE ? ESCAPE '\\')")
        values.append(_like(text))
    if text := params.text("search_reportedby"):
        where.append("reportedby LIKE ? ESCAPE '\\'")
        values.append(_like(text))


def _anywhere(conn: sqlite3.Connection, text: str) -> tuple[str, list[Any]]:
    """Subject or text; by the index, or without it by looking through both."""
    like = _like(text)
    return text_index.condition(conn, text) or (f"({IN_SUMMARY} OR {IN_DETAILS})", [like, like])


def _is_marker(conn: sqlite3.Connection, text: str) -> bool:
    query = "SELECT 1 FROM halo_tickets WHERE third_party_id_string = ? AND third_party_id_string <> ''"
    return conn.execute(query, (text,)).fetchone() is not None


def _like(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def ordering(params: Params) -> str:
    """`order` to `order5`; newest first without any; the id decides between equals."""
    parts = []
    for suffix in ("", "2", "3", "4", "5"):
        column = ORDERS.get(params.text(f"order{suffix}").lower())
        if column:
            parts.append(f"{column} {'DESC' if params.flag(f'orderdesc{suffix}') else 'ASC'}")
    if not parts:
        return "dateoccurred DESC, id DESC"
    way = parts[0].rsplit(" ", 1)[1]
    return ", ".join([*parts, *([] if any(part.startswith("id ") for part in parts) else [f"id {way}"])])
