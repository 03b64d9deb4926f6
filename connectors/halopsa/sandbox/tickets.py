"""Tickets: creating, changing, deleting. One object at a time, inside the caller's transaction."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from connectors.halopsa.sandbox import actions, attachments, seeds, sla, text_index, webhooks
from connectors.halopsa.sandbox.schema import TICKET_COLUMNS
from connectors.halopsa.sandbox.tenant import Actor, Row, Tenant, new_guid, one_config, priority_of, team_id, user_row
from connectors.halopsa.sandbox.wire import (
    ANY,
    DATE,
    FLAG,
    INTEGER,
    NUMBER,
    TEXT,
    as_html,
    bare,
    plain_text,
    rule_broken,
)  # fmt: skip

TYPES = {
    **dict.fromkeys(
        ("id", "client_id", "site_id", "user_id", "agent_id", "team_id", "status_id", "priority_id", "tickettype_id",
         "sla_id",
         "impact", "urgency", "source", "parent_id", "contract_id", "usertype", "categoryid_1", "categoryid_2"),
         INTEGER),
    **dict.fromkeys(("estimate",), NUMBER),
    **dict.fromkeys(
        ("excludefromsla", "flagged", "_recover", "_forcereassign", "_novalidate", "dont_do_rules", "onhold",
         "donotapplytemplateintheapi", "sendack"), FLAG),
    **dict.fromkeys(
        ("summary", "details", "details_html", "team", "category_1", "category_2", "category_3", "category_4",
         "reportedby",
         "closure_note", "third_party_id_string", "emailcclist"), TEXT),
    **dict.fromkeys(("dateoccurred", "deadlinedate", "targetdate", "startdate", "fixbydate", "respondbydate"), DATE),
    **dict.fromkeys(("customfields", "attachments"), ANY),
}  # fmt: skip
PLAIN = (
    "summary", "impact", "urgency", "source", "reportedby", "parent_id", "contract_id", "third_party_id_string",
    "category_1",
    "category_2", "category_3", "category_4",
)  # fmt: skip
EXTRA = ("closure_note", "emailcclist", "sendack", "estimate", "deadlinedate", "targetdate", "startdate")
PLACEHOLDERS = ", ".join("?" for _ in TICKET_COLUMNS)
INSERT = f"INSERT OR REPLACE INTO halo_tickets ({', '.join(TICKET_COLUMNS)}) VALUES ({PLACEHOLDERS})"
_NAMES = ", ".join(TICKET_COLUMNS)
BEFORE = f"INSERT INTO halo_tickets_before ({_NAMES}, until) SELECT {_NAMES}, ? FROM halo_tickets WHERE id = ?"
KEEP_BEFORE_MS = 3_600_000


def load(conn: sqlite3.Connection, ticket_id: int | None) -> Row:
    """The ticket's columns; 404 when it is unknown or deleted."""
    row = conn.execute("SELECT * FROM halo_tickets WHERE id = ? AND NOT deleted", (ticket_id,)).fetchone()
    if row is None:
        raise bare(404)
    return dict(row)


def store(tenant: Tenant, conn: sqlite3.Connection, row: Row, *, touch: bool = True) -> None:
    """Write the columns; `touch` bumps last_update, always upwards."""
    if touch:
        row["last_update"] = max(tenant.now(), (row["last_update"] or 0) + 1)
    wall = tenant.clock.wall()
    conn.execute(BEFORE, (wall, row["id"]))
    conn.execute("DELETE FROM halo_tickets_before WHERE until < ?", (wall - KEEP_BEFORE_MS,))
    row["written_at"] = wall
    conn.execute(INSERT, [row[name] for name in TICKET_COLUMNS])


def create(tenant: Tenant, conn: sqlite3.Connection, body: Row, actor: Actor) -> int:
    """A new ticket with its opening action; defaults come from its type. Answers its id."""
    now = tenant.now()
    if not (body.get("summary") or "").strip():
        raise rule_broken("A Summary must be entered for this Ticket")
    kind = one_config(conn, "tickettype", body.get("tickettype_id") or 1)
    if kind is None:
        raise rule_broken("tickettype_id invalid")
    row: Row = dict.fromkeys(TICKET_COLUMNS, 0)
    row |= dict.fromkeys(
        ("category_1", "category_2", "category_3", "category_4", "reportedby", "third_party_id_string"), ""
    )
    row |= {
        "guid": new_guid(),
        "datecreated": now,
        "last_update": now,
        "lastactiondate": now,
        "agent_id": seeds.UNASSIGNED,
    }
    row |= {"dateoccurred": body.get("dateoccurred") or now, "tickettype_id": kind["id"], "impact": 3, "urgency": 3}
    row["sla_id"] = body.get("sla_id") or kind["default_sla"]
    row["priority_id"] = body.get("priority_id") or kind.get("default_priority") or 3
    if priority_of(conn, row["sla_id"], row["priority_id"]) is None:
        raise rule_broken("priority_id invalid")
    book = sla.Book(conn)
    row["respondbydate"], row["fixbydate"] = sla.due_dates(book, row["sla_id"], row["priority_id"], row["dateoccurred"])
    row["team_id"] = team_id(conn, kind.get("default_team") or "") or 0
    _place(conn, row, body, is_new=True)
    sla.enter_status(book, row, _status(conn, body.get("status_id") or kind["initial_status"] or seeds.NEW), now)
    row["id"] = conn.execute("SELECT coalesce(max(id), 0) + 1 FROM halo_tickets").fetchone()[0]
    _simple(conn, row, body)
    store(tenant, conn, row, touch=False)
    conn.execute("INSERT INTO halo_texts VALUES (?, '', '', '{}')", (row["id"],))
    _texts(conn, row["id"], body)
    opening = {
        "outcome_id": seeds.OPENED,
        "note_html": _html_of(body),
        "note": _text_of(body),
        "new_status": row["status_id"],
    }
    actions.write(tenant, conn, row, opening, _opener(conn, row, actor), is_opening=True)
    attachments.add_all(tenant, conn, row, body.get("attachments"), actor, action_id=1)
    store(tenant, conn, row)
    text_index.put(conn, row["id"])
    webhooks.emit(tenant, conn, row["id"], seeds.EVENT_NAMES[3])
    return int(row["id"])


def change(tenant: Tenant, conn: sqlite3.Connection, body: Row, actor: Actor) -> int:
    """Merge the given fields into a ticket; `_recover` brings a deleted one back. Answers its id."""
    now = tenant.now()
    if body.get("_recover"):
        conn.execute("UPDATE halo_tickets SET deleted = 0 WHERE id = ?", (body["id"],))
    row = load(conn, body["id"])
    _retarget(conn, row, body)
    _place(conn, row, body, is_new=False)
    _simple(conn, row, body)
    _texts(conn, row["id"], body)
    old_status = row["status_id"]
    if body.get("status_id") is not None and body["status_id"] != old_status:
        sla.enter_status(sla.Book(conn), row, _status(conn, body["status_id"]), now)
        note = body.get("closure_note") or ""
        moved = {"outcome_id": seeds.STATUS_CHANGED, "note": note, "hiddenfromuser": True}
        actions.write(tenant, conn, row, moved, actor, old_status=old_status)
        row["lastactiondate"] = now
    if body.get("onhold") is not None and body["onhold"]:
        sla.hold(row, now)
    elif body.get("onhold") is not None:
        sla.release(sla.Book(conn), row, now)
    attachments.add_all(tenant, conn, row, body.get("attachments"), actor)
    store(tenant, conn, row)
    if any(body.get(name) is not None for name in ("summary", "details", "details_html")):
        text_index.put(conn, row["id"])
    webhooks.emit_change(tenant, conn, row, old_status)
    return int(row["id"])


def delete(tenant: Tenant, conn: sqlite3.Connection, ticket_id: int) -> None:
    """Soft: gone from every answer until recovered."""
    row = load(conn, ticket_id)
    row["deleted"] = 1
    store(tenant, conn, row)
    webhooks.emit(tenant, conn, ticket_id, seeds.EVENT_NAMES[1072])


def _status(conn: sqlite3.Connection, number: int) -> dict[str, Any]:
    doc = one_config(conn, "status", number)
    if doc is None:
        raise rule_broken("status_id invalid")
    return doc


def _retarget(conn: sqlite3.Connection, row: Row, body: Row) -> None:
    if body.get("tickettype_id") and one_config(conn, "tickettype", body["tickettype_id"]) is None:
        raise rule_broken("tickettype_id invalid")
    row["tickettype_id"] = body.get("tickettype_id") or row["tickettype_id"]
    wanted = (
        body.get("sla_id") or row["sla_id"], body.get("priority_id") or row["priority_id"],
        body.get("dateoccurred") or row["dateoccurred"],
    )  # fmt: skip
    if wanted == (row["sla_id"], row["priority_id"], row["dateoccurred"]):
        return
    if priority_of(conn, wanted[0], wanted[1]) is None:
        raise rule_broken("priority_id invalid")
    sla.retarget(sla.Book(conn), row, *wanted)


def _place(conn: sqlite3.Connection, row: Row, body: Row, *, is_new: bool) -> None:
    """Client, site, contact, agent and team, each checked. A new ticket with a contact needs a site."""
    user_id = body.get("user_id")
    user = user_row(conn, user_id) if user_id else None
    if user_id and user is None:
        raise rule_broken("user_id invalid")
    if is_new and user is not None and not body.get("site_id"):
        raise rule_broken("A Site must be selected when a User is selected")
    if user_id is not None:
        row["user_id"] = max(0, user_id)
    _client_and_site(conn, row, body)
    if "agent_id" in body:
        row["agent_id"] = body["agent_id"] or seeds.UNASSIGNED
        if conn.execute("SELECT 1 FROM halo_agents WHERE id = ?", (row["agent_id"],)).fetchone() is None:
            raise rule_broken("agent_id invalid")
    if body.get("team") is not None or body.get("team_id") is not None:
        found = team_id(conn, body["team"]) if body.get("team") else body.get("team_id") or 0
        if found is None or (found and one_config(conn, "team", found) is None):
            raise rule_broken("team invalid")
        row["team_id"] = found


def _client_and_site(conn: sqlite3.Connection, row: Row, body: Row) -> None:
    site_id, client_id = body.get("site_id"), body.get("client_id")
    if site_id:
        site = conn.execute("SELECT client_id FROM halo_sites WHERE id = ?", (site_id,)).fetchone()
        if site is None:
            raise rule_broken("site_id invalid")
        row["site_id"], row["client_id"] = site_id, site["client_id"]
    if (client_id and client_id != row["client_id"]) or not row["client_id"]:
        client_id = client_id or seeds.UNKNOWN_CLIENT
        client = conn.execute("SELECT main_site_id FROM halo_clients WHERE id = ?", (client_id,)).fetchone()
        if client is None:
            raise rule_broken("client_id invalid")
        row["client_id"] = client_id
        row["site_id"] = client["main_site_id"] or 0
    user = user_row(conn, row["user_id"])
    if user is not None and user["client_id"] != row["client_id"] and not body.get("user_id"):
        row["user_id"] = 0


def _simple(conn: sqlite3.Connection, row: Row, body: Row) -> None:
    for name in PLAIN:
        if body.get(name) is not None:
            row[name] = body[name]
    row["summary"] = row["summary"][:255]
    for name in ("excludefromsla", "flagged"):
        if body.get(name) is not None:
            row[name] = int(body[name])
    for name in ("fixbydate", "respondbydate"):
        if body.get(name):
            row[name] = body[name]
    for depth in (1, 2):
        number = body.get(f"categoryid_{depth}")
        if number and not body.get(f"category_{depth}") and (doc := one_config(conn, "category", number)):
            row[f"category_{depth}"] = doc["value"]


def _text_of(body: Row) -> str:
    return body.get("details") or plain_text(body.get("details_html") or "")


def _html_of(body: Row) -> str:
    return body.get("details_html") or as_html(body.get("details") or "")


def _texts(conn: sqlite3.Connection, ticket_id: int, body: Row) -> None:
    if body.get("details") is not None or body.get("details_html") is not None:
        values = (_text_of(body), _html_of(body), ticket_id)
        conn.execute("UPDATE halo_texts SET details = ?, details_html = ? WHERE ticket_id = ?", values)
    changed = {name: body[name] for name in EXTRA if body.get(name) is not None}
    if changed or body.get("customfields"):
        found = conn.execute("SELECT extra FROM halo_texts WHERE ticket_id = ?", (ticket_id,)).fetchone()
        extra = json.loads(found["extra"] or "{}") | changed
        for item in body.get("customfields") or []:
            extra.setdefault("customfields", {})[str(item.get("id"))] = item.get("value")
        conn.execute("UPDATE halo_texts SET extra = ? WHERE ticket_id = ?", (json.dumps(extra), ticket_id))


def _opener(conn: sqlite3.Connection, row: Row, actor: Actor) -> Actor:
    """The opening entry belongs to the contact when there is one, with the writing application kept."""
    user = user_row(conn, row["user_id"])
    return Actor(user["name"], 0, user["id"], actor.application) if user is not None else actor
