"""Tickets on their way out: list rows, single tickets, and the list call with its filters."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from connectors.halopsa.sandbox import attachments, sla
from connectors.halopsa.sandbox.profiles import PROFILES, VENDOR, Vendor
from connectors.halopsa.sandbox.schema import TICKET_COLUMNS
from connectors.halopsa.sandbox.seeds import Doc
from connectors.halopsa.sandbox.tenant import Row, Tenant, config, names, one_config, priority_of
from connectors.halopsa.sandbox.ticket_filters import conditions, ordering
from connectors.halopsa.sandbox.wire import UNSET_DATE, Params, date_out

HOUR_MS = 3_600_000
# Above it, walking in the asked order beats finding by last_update and sorting; "+" keeps SQLite from the latter.
MANY_ROWS = 3_000
JOINED = """
SELECT t.*, x.details, json_extract(x.extra, '$.deadlinedate') AS deadlinedate,
       c.name AS client_name, s.name AS site_name, u.name AS user_name, u.emailaddress AS user_email,
       a.name AS agent_name
FROM ({rows}) t
LEFT JOIN halo_texts x ON x.ticket_id = t.id LEFT JOIN halo_clients c ON c.id = t.client_id
LEFT JOIN halo_sites s ON s.id = t.site_id LEFT JOIN halo_users u ON u.id = t.user_id
LEFT JOIN halo_agents a ON a.id = t.agent_id
"""
_ALL = ", ".join(TICKET_COLUMNS)
LIVE = "halo_tickets"
STALE = (
    f"(SELECT {_ALL} FROM halo_tickets WHERE written_at <= {{at}} UNION ALL "
    f"SELECT {_ALL} FROM halo_tickets_before WHERE written_at <= {{at}} AND until > {{at}})"
)
SENTINELS = ("deadlinedate", "targetdate", "startdate")


class TicketLists:
    """The list call, with its counts remembered until the next write."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        self._profile = PROFILES[tenant.profile]
        self._counts: dict[tuple[Any, ...], int] = {}
        self._version = -1

    def answer(self, params: Params, stale_before: int | None) -> Doc:
        with self._tenant.store.read() as conn:
            version = self._tenant.store.version
            source = LIVE if stale_before is None else STALE.format(at=int(stale_before))
            where, values = conditions(conn, params)
            number, size, offset = params.page
            total = self._count(conn, version, source, where, values)
            if total > MANY_ROWS:
                where = where.replace("last_update ", "+last_update ")
            picked = f"SELECT {{}} FROM {source} t WHERE {where} ORDER BY {ordering(params)} LIMIT ? OFFSET ?"
            limits = [*values, size, offset]
            if params.flag("ticketidonly"):
                rows: list[Doc] = [{"id": row["id"]} for row in conn.execute(picked.format("id"), limits)]
            else:
                rows = self._rows(conn, picked, limits, params, is_live=stale_before is None)
        return {"page_no": number, "page_size": size, "record_count": total, "tickets": rows, "columns_id": 0}

    def _count(self, conn: sqlite3.Connection, version: int, source: str, where: str, values: list[Any]) -> int:
        key = (source, where, *values)
        if version != self._version:
            self._counts, self._version = {}, version
        if key not in self._counts:
            found = conn.execute(f"SELECT count(*) FROM {source} t WHERE {where}", values).fetchone()
            if self._version == version:
                self._counts[key] = found[0]
            return int(found[0])
        return self._counts[key]

    def _rows(
        self, conn: sqlite3.Connection, picked: str, limits: list[Any], params: Params, *, is_live: bool
    ) -> list[Doc]:
        if is_live:
            found = conn.execute(picked.format("t.id"), limits).fetchall()
            marks = ", ".join("?" * len(found))
            query = JOINED.format(rows=f"SELECT * FROM halo_tickets WHERE id IN ({marks})")
            by_id = {row["id"]: row for row in conn.execute(query, [row["id"] for row in found])}
            ordered = [by_id[row["id"]] for row in found]
        else:
            ordered = conn.execute(JOINED.format(rows=picked.format("t.*")), limits).fetchall()
        look = Lookups(conn)
        now = self._tenant.now()
        extra = params.text("include_custom_fields")
        columns = [dict(row) for row in ordered]
        rows = [self._profile.ticket(list_row(row, look, now, params), row, now) for row in columns]
        if extra:
            for row in rows:
                row["customfields"] = custom_fields(conn, _extra(conn, row["id"]))
        return rows


class Lookups:
    """Names by id, read once per answer."""

    def __init__(self, conn: sqlite3.Connection) -> None:
        self.statuses, self.teams = names(conn, "status"), names(conn, "team")
        self.types = names(conn, "tickettype")
        self.categories = {doc["value"]: doc["id"] for doc in config(conn, "category")}


def list_row(row: Row, look: Lookups, now: int, params: Params) -> Doc:
    """A row as the list gives it: no agent name unless asked for, `datecreated` null, unset dates as sentinels."""
    doc: Doc = {
        "id": row["id"], "guid": row["guid"], "summary": row["summary"], "details": row["details"] or "",
        "dateoccurred": date_out(row["dateoccurred"]), "datecreated": None, "last_update": date_out(row["last_update"]),
        "lastactiondate": date_out(row["lastactiondate"]), "status_id": row["status_id"],
        "tickettype_id": row["tickettype_id"], "priority_id": row["priority_id"], "sla_id": row["sla_id"],
        "client_id": row["client_id"], "client_name": row["client_name"], "site_id": row["site_id"],
        "site_name": row["site_name"], "user_id": row["user_id"], "user_name": row["user_name"],
        "user_email": row["user_email"] or "", "team": look.teams.get(row["team_id"], ""), "team_id": row["team_id"],
        "agent_id": row["agent_id"], "impact": row["impact"], "urgency": row["urgency"], "source": row["source"],
        "reportedby": row["reportedby"] or "", "respondbydate": date_out(row["respondbydate"]) or UNSET_DATE,
        "responsedate": date_out(row["responsedate"]) or UNSET_DATE, "slaresponsestate": sla.response_state(row, now),
        "fixbydate": date_out(row["fixbydate"]) or UNSET_DATE, "targetdate": UNSET_DATE,
        "deadlinedate": date_out(row["deadlinedate"]) or UNSET_DATE,
        "excludefromsla": bool(row["excludefromsla"]), "slaholdtime": round((row["held_ms"] or 0) / HOUR_MS, 4),
        "onhold": bool(row["hold_since"]), "flagged": bool(row["flagged"]), "read": True, "enduserstatus": 0,
        "attachment_count": row["attachment_count"] or 0, "child_count": 0, "estimate": 0.0,
        "timetaken": round(row["timetaken"] or 0.0, 5), "inactive": False, "use": "ticket",
        "parent_id": row["parent_id"] or 0,
        "third_party_id_string": row["third_party_id_string"] or "",
    }  # fmt: skip
    for depth in range(1, 5):
        value = row[f"category_{depth}"] or ""
        doc[f"category_{depth}"] = value
        if value:
            doc[f"categoryid_{depth}"] = look.categories.get(value, 0)
    if row["dateclosed"]:
        doc["dateclosed"] = date_out(row["dateclosed"])
    if row["is_closed"]:
        doc["hasbeenclosed"] = True
    return doc | _asked_for(row, look, params, now)


def _asked_for(row: Row, look: Lookups, params: Params, now: int) -> Doc:
    more: Doc = {}
    if params.flag("includeagent"):
        more["agent_name"] = row["agent_name"]
    if params.flag("includestatus"):
        more["status_name"] = look.statuses.get(row["status_id"], "")
    if params.flag("includetickettype"):
        more["tickettype_name"] = look.types.get(row["tickettype_id"], "")
    if params.flag("includeslatimer"):
        more |= _timer(row, now)
    if params.flag("includeslaactiondate"):
        more["slaactiondate"] = date_out(row["hold_since"]) or UNSET_DATE
    return more


def _timer(row: Row, now: int) -> Doc:
    end = row["dateclosed"] or row["hold_since"] or now
    if not row["fixbydate"]:
        return {"slatimeleft": 0.0, "slapercused": 0.0}
    whole = max(1, row["fixbydate"] - row["dateoccurred"])
    left = row["fixbydate"] - end
    return {"slatimeleft": round(left / HOUR_MS, 4), "slapercused": round(100 * (whole - left) / whole, 2)}


def _extra(conn: sqlite3.Connection, ticket_id: int) -> Doc:
    row = conn.execute("SELECT extra FROM halo_texts WHERE ticket_id = ?", (ticket_id,)).fetchone()
    return json.loads(row["extra"] or "{}") if row else {}


def custom_fields(conn: sqlite3.Connection, extra: Doc) -> list[Doc]:
    held = extra.get("customfields", {})
    return [
        {"id": doc["id"], "name": doc["name"], "label": doc["label"], "type": doc["type"],
         "value": held.get(str(doc["id"])), "display": str(held.get(str(doc["id"])) or "")}
        for doc in config(conn, "fieldinfo")
    ]  # fmt: skip


def joined(conn: sqlite3.Connection, ticket_id: int) -> Row | None:
    query = JOINED.format(rows="SELECT * FROM halo_tickets WHERE id = ?")
    row = conn.execute(query, (ticket_id,)).fetchone()
    return dict(row) if row else None


def short(conn: sqlite3.Connection, ticket_id: int, now: int, profile: Vendor = VENDOR) -> Doc | None:
    row = joined(conn, ticket_id)
    return None if row is None else profile.ticket(list_row(row, Lookups(conn), now, Params({})), row, now)


def full(conn: sqlite3.Connection, ticket_id: int, now: int, params: Params, profile: Vendor = VENDOR) -> Doc:
    """The single ticket: everything of the row, HTML, creation date, custom fields, attachments, priority object."""
    row = joined(conn, ticket_id)
    assert row is not None
    doc = list_row(row, Lookups(conn), now, params)
    texts = conn.execute("SELECT * FROM halo_texts WHERE ticket_id = ?", (ticket_id,)).fetchone()
    extra = json.loads(texts["extra"] or "{}")
    doc |= {"details_html": texts["details_html"] or "", "datecreated": date_out(row["datecreated"])}
    doc |= {"slastate": sla.fix_state(row, now), "agent_name": row["agent_name"], **_timer(row, now)}
    doc["customfields"] = custom_fields(conn, extra)
    doc["attachments"] = attachments.of_ticket(conn, ticket_id) if row["attachment_count"] else []
    doc["assets"] = []
    doc["contract_id"] = row["contract_id"] or 0
    doc["priority"] = priority_of(conn, row["sla_id"], row["priority_id"])
    doc["closure_note"] = extra.get("closure_note", "")
    doc["emailcclist"] = extra.get("emailcclist", "")
    doc["estimate"] = extra.get("estimate", 0.0)
    doc["sendack"] = bool(extra.get("sendack", False))
    doc["chargehours"], doc["nonchargehours"] = doc["timetaken"], 0.0
    if one_config(conn, "status", row["status_id"]):
        doc["status_name"] = Lookups(conn).statuses[row["status_id"]]
    for name in SENTINELS:
        doc[name] = date_out(extra.get(name)) or UNSET_DATE
    return profile.ticket(doc, row, now)
