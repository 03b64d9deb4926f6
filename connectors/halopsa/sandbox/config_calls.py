"""Configuration: statuses, outcomes, ticket types, categories, priorities, SLAs, workdays, look-ups, webhooks.

Reading is open to every token; writing needs the admin scope (the caller checks it).
"""

from __future__ import annotations

import sqlite3
from typing import Any
from urllib.parse import urlsplit

from connectors.halopsa.sandbox import actions, brief, seeds
from connectors.halopsa.sandbox.seeds import Doc
from connectors.halopsa.sandbox.tenant import Row, config, new_guid, one_config, put_config
from connectors.halopsa.sandbox.wire import FLAG, INTEGER, NUMBER, TEXT, Params, bare, rule_broken

WRITABLE = {"status", "outcome", "tickettype", "category", "sla", "webhook", "notification"}
TYPES: dict[str, dict[str, str]] = {
    "status": {"id": INTEGER, "name": TEXT, "shortname": TEXT, "sequence": INTEGER, "type": INTEGER, "colour": TEXT,
               "statuschangeto": INTEGER, "statuschangetofreq": NUMBER, "timeuntilloffhold": NUMBER,
               "useworkinghours": INTEGER, "slaignorerelease": FLAG, "showonquickchange": FLAG, "slaaction": TEXT},
    "outcome": {"id": INTEGER, "outcome": TEXT, "buttonname": TEXT, "labellong": TEXT, "colour": TEXT,
                "newstatus": INTEGER, "sendemail": INTEGER, "hidefromuser": FLAG,
                "slaholdischecked": FLAG, "slareleaseischecked": FLAG, "mustaddnote": FLAG, "mustassign": FLAG,
                "hidden": FLAG, "defaultmanhrs": NUMBER, "sequence": INTEGER, "child_ticket_type_id": INTEGER},
    "tickettype": {"id": INTEGER, "name": TEXT, "initial_status": INTEGER, "default_priority": INTEGER,
                   "default_sla": INTEGER, "default_agent": INTEGER, "default_team": TEXT, "reopenedstatus": INTEGER,
                   "statusafteruserupdate": INTEGER, "statusaftertechupdate": INTEGER, "autoCloseHours": INTEGER,
                   "closeduserupdatehours": NUMBER, "sequence": INTEGER, "agentscanselect": FLAG, "cancreate": FLAG,
                   "enduserscanselect": FLAG, "allowattachments": FLAG, "portalcanreopen": FLAG},
    "sla": {"id": INTEGER, "name": TEXT, "workday_id": INTEGER, "autoreleaselimit": INTEGER,
            "statusafterautorelease": INTEGER, "responsereset": FLAG},
    "category": {"id": INTEGER, "value": TEXT, "type_id": INTEGER, "sla_id": INTEGER, "priority_id": INTEGER},
    "webhook": {"name": TEXT, "url": TEXT, "type": INTEGER, "method": INTEGER, "active": FLAG,
                "authentication_type": INTEGER, "authentication_header": TEXT, "basic_password": TEXT},
    "notification": {"id": INTEGER, "webhook_id": TEXT, "eventno": INTEGER, "delivery_method": INTEGER,
                     "type": INTEGER},
}  # fmt: skip


def listed(conn: sqlite3.Connection, kind: str, params: Params) -> list[Doc]:
    """The bare array of a kind, with the filters that the vendor's API obeys."""
    docs = config(conn, kind)
    if kind == "status":
        docs = _statuses(conn, docs, params)
    if kind == "outcome":
        docs = _outcomes(docs, params)
    if kind == "tickettype" and not params.flag("showinactive"):
        docs = [doc for doc in docs if doc.get("visible", True)]
    for parameter, name in (("slaid", "slaid"), ("type_id", "type_id"), ("lookupid", "lookupid")):
        number = params.integer(parameter)
        if number is not None and kind in ("priority", "category", "lookup"):
            docs = [doc for doc in docs if doc.get(name) == number]
    found = [shown(conn, kind, doc, params) for doc in docs]
    if kind == "tickettype":
        found = [{name: value for name, value in doc.items() if name != "fields"} for doc in found]
    wanted = params.integer("type") if params.is_brief and kind == "status" else None
    return found if wanted is None else [doc for doc in found if doc["type"] == wanted]


def _statuses(conn: sqlite3.Connection, docs: list[Doc], params: Params) -> list[Doc]:
    if params.flag("excludeclosed"):
        docs = [doc for doc in docs if doc["id"] != seeds.CLOSED]
    if params.flag("excludepending"):
        docs = [doc for doc in docs if doc["slaaction"] != "H"]
    if params.text("domain") in ("opps", "prjs"):
        docs = []
    if params.flag("showcounts"):
        query = "SELECT status_id, count(*) AS n FROM halo_tickets WHERE deleted = 0 GROUP BY status_id"
        counts = {row["status_id"]: row["n"] for row in conn.execute(query)}
        docs = [{**doc, "ticket_count": counts.get(doc["id"], 0)} for doc in docs]
    return docs


def _outcomes(docs: list[Doc], params: Params) -> list[Doc]:
    if not params.flag("showsystemactions"):
        docs = [doc for doc in docs if not doc["systemid"]]
    if not params.flag("showhidden"):
        docs = [doc for doc in docs if not doc["hidden"]]
    number = params.integer("tickettype_id")
    if number is None:
        return docs
    return [doc for doc in docs if actions.fits(doc, number)]


def shown(conn: sqlite3.Connection, kind: str, doc: Doc, params: Params) -> Doc:
    """Attach what is asked for: an SLA's priorities and workday, a webhook's events; secrets never leave."""
    if kind == "status" and params.is_brief:
        doc = brief.status(doc)
    if kind == "sla":
        if params.flag("showpriorities") or params.flag("includedetails"):
            doc = {**doc, "priorities": [row for row in config(conn, "priority") if row["slaid"] == doc["id"]]}
        if params.flag("showworkdays") or params.flag("includedetails"):
            doc = {**doc, "workdays": one_config(conn, "workday", doc["workday_id"])}
    if kind == "workday" and not (params.flag("showholidays") or params.flag("includedetails")):
        doc = {name: value for name, value in doc.items() if name != "holidays"}
    if kind == "webhook":
        bound = [row for row in config(conn, "notification") if row.get("webhook_id") == doc["id"]]
        doc = {**doc, "basic_password": "", "events": bound}
    return doc


def one(conn: sqlite3.Connection, kind: str, key: str, params: Params) -> Doc:
    doc = one_config(conn, kind, key)
    if doc is None:
        raise bare(404)
    return shown(conn, kind, doc, params)


def save(conn: sqlite3.Connection, kind: str, body: Row) -> str:
    """Create or merge one object. Answers its key."""
    key = body.get("id")
    old = one_config(conn, kind, key) if key else None
    if key and old is None:
        raise bare(404)
    doc = {**(old or _new(conn, kind, body)), **{name: value for name, value in body.items() if name != "id"}}
    _check(conn, kind, doc, old)
    if kind == "webhook" and old and not body.get("basic_password"):
        doc["basic_password"] = old.get("basic_password", "")
    put_config(conn, kind, doc)
    return seeds.config_key(kind, doc)


def _new(conn: sqlite3.Connection, kind: str, body: Row) -> Doc:
    if kind == "webhook":
        return {
            "id": new_guid(),
            "active": True,
            "type": 0,
            "method": 0,
            "content_type": "application/json",
            "last_status": 0,
        }
    number = max([100, *(int(doc["id"]) for doc in config(conn, kind))]) + 1
    name = str(body.get("name") or body.get("outcome") or body.get("value") or "")
    blank: dict[str, Any] = {
        "status": lambda: seeds.status(number, name, "#7a7f87"),
        "outcome": lambda: seeds.outcome(number, name),
        "tickettype": lambda: seeds.ticket_type(number, name, 1),
        "category": lambda: seeds.category(number, name),
        "sla": lambda: seeds.sla(number, name, 1, "24x7"),
        "notification": lambda: {"id": number, "guid": new_guid(), "name": ""},
    }
    return {**blank[kind](), "guid": new_guid()}


def _check(conn: sqlite3.Connection, kind: str, doc: Doc, old: Doc | None) -> None:
    names = {
        "status": "name",
        "sla": "name",
        "outcome": "outcome",
        "tickettype": "name",
        "category": "value",
        "webhook": "name",
    }
    field = names.get(kind)
    if field and not str(doc.get(field) or "").strip():
        raise rule_broken(f"{field} is required")
    if kind == "category":
        doc["category_name"] = doc["value"].rsplit(">", 1)[-1]
    if kind == "notification":
        hook_id = str(doc.get("webhook_id") or "").lower()
        if one_config(conn, "webhook", hook_id) is None:
            raise rule_broken("webhook_id invalid")
        doc["webhook_id"] = hook_id
    if kind == "webhook":
        url = urlsplit(str(doc.get("url") or ""))
        if doc.get("type", 0) == 0 and (url.scheme not in ("http", "https") or not url.hostname):
            raise rule_broken("Please enter a valid URL")
        taken = [
            row for row in config(conn, kind) if row["name"] == doc["name"] and (old is None or row["id"] != old["id"])
        ]
        if taken:
            raise rule_broken("Name must be unique")


def delete(conn: sqlite3.Connection, kind: str, key: str) -> Doc:
    doc = one_config(conn, kind, key)
    if doc is None:
        raise bare(404)
    column = {"status": "status_id", "tickettype": "tickettype_id", "sla": "sla_id"}.get(kind)
    if (
        column
        and conn.execute(f"SELECT 1 FROM halo_tickets WHERE {column} = ? AND deleted = 0 LIMIT 1", (key,)).fetchone()
    ):
        raise rule_broken("This cannot be deleted because it is in use")
    conn.execute("DELETE FROM halo_config WHERE kind = ? AND id = ?", (kind, key.lower()))
    if kind == "webhook":
        for row in config(conn, "notification"):
            if row.get("webhook_id") == doc["id"]:
                conn.execute("DELETE FROM halo_config WHERE kind = 'notification' AND id = ?", (str(row["id"]),))
    return shown(conn, kind, doc, Params({}))
