"""Actions: notes, replies, time, status changes. Their ids count 1, 2, 3 inside each ticket; action 1 opens it."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from connectors.halopsa.sandbox import attachments, seeds, sla, tickets, webhooks
from connectors.halopsa.sandbox.profiles import VENDOR, Vendor
from connectors.halopsa.sandbox.seeds import Doc
from connectors.halopsa.sandbox.tenant import (
    Actor,
    Row,
    Tenant,
    agent_name,
    config,
    names,
    new_guid,
    one_config,
    priority_of,
)
from connectors.halopsa.sandbox.wire import (
    ANY,
    DATE,
    FLAG,
    INTEGER,
    NUMBER,
    TEXT,
    Params,
    as_html,
    bare,
    date_out,
    plain_text,
    rule_broken,
)  # fmt: skip

TYPES = {
    **dict.fromkeys(
        ("id", "ticket_id", "outcome_id", "new_status", "who_type", "who_agentid", "chargerate", "new_agent",
         "new_priority"),
        INTEGER),
    **dict.fromkeys(("timetaken", "nonbilltime", "actionchargehours", "traveltime"), NUMBER),
    **dict.fromkeys(("hiddenfromuser", "important", "sendemail", "actisbillable", "dont_do_rules", "_novalidate"),
        FLAG),
    **dict.fromkeys(
        ("outcome", "who", "note", "note_html", "emailto", "emailcc", "emailsubject", "emailbody_html", "new_team"),
         TEXT),
    **dict.fromkeys(("actionarrivaldate", "actioncompletiondate", "datetime"), DATE),
    "attachments": ANY,
}  # fmt: skip
EXTRA = (
    "sendemail", "emailto", "emailcc", "emailsubject", "emailbody_html", "actisbillable", "chargerate",
    "actionarrivaldate",
    "actioncompletiondate", "emaildirection", "actiontype_id",
)  # fmt: skip
INSERT = (
    "INSERT INTO halo_actions (ticket_id, id, guid, outcome_id, outcome, who, who_type, agent_id, user_id, at, "
    "created, note, note_html, timetaken, nonbilltime, hidden, important, old_status, new_status, attachment_count, "
    "application, is_system, written_at, extra) VALUES (" + ", ".join("?" * 24) + ")"
)


def add(tenant: Tenant, conn: sqlite3.Connection, body: Row, actor: Actor) -> tuple[int, int]:
    """Validate and write a new action, with what its outcome does to the ticket. Answers (ticket id, action id)."""
    outcome = _outcome(conn, body)
    row = tickets.load(conn, body["ticket_id"])
    old_status = row["status_id"]
    if not fits(outcome, row["tickettype_id"]):
        raise rule_broken("You do not have access to this Action at the moment")
    # A comment is no note: what our own marker stands in must not pass for words.
    if outcome["mustaddnote"] and not ((body.get("note") or "").strip() or plain_text(body.get("note_html") or "")):
        raise rule_broken("A Note must be entered for this Action")
    if outcome["mustassign"] and (body.get("new_agent") or row["agent_id"]) == seeds.UNASSIGNED:
        raise rule_broken("This Ticket must be assigned before this Action can be used")
    _change_ticket(conn, row, body, outcome, tenant.now(), is_agent=bool(actor.agent_id))
    action_id = write(
        tenant, conn, row, {**body, "outcome_id": outcome["id"]}, _author(conn, body, actor), old_status=old_status
    )
    attachments.add_all(tenant, conn, row, body.get("attachments"), actor, action_id=action_id)
    tickets.store(tenant, conn, row)
    webhooks.emit_change(tenant, conn, row, old_status, by_user=not actor.agent_id)
    return row["id"], action_id


def _outcome(conn: sqlite3.Connection, body: Row) -> Doc:
    if body.get("outcome_id") is None and not (body.get("outcome") or "").strip():
        raise rule_broken("An Outcome must be entered for this Action")
    if body.get("ticket_id") is None:
        raise rule_broken("A Ticket must be entered for this Action")
    found: Doc | None
    if body.get("outcome_id") is not None:
        found = one_config(conn, "outcome", body["outcome_id"])
    else:
        wanted = body["outcome"].strip().lower()
        found = next((doc for doc in config(conn, "outcome") if doc["outcome"].lower() == wanted), None)
    if found is None or found["systemid"]:
        raise rule_broken("You do not have access to this Action at the moment")
    return found


def fits(outcome: Doc, tickettype_id: int | None) -> bool:
    """Whether an outcome is there for tickets of a type; without types of its own it is for all."""
    types = {str(item.get("value")) for item in outcome.get("tickettypes") or ()}
    if (outcome.get("requesttype") or 0) > 0:
        types.add(str(outcome["requesttype"]))
    return not types or str(tickettype_id) in types


def _change_ticket(conn: sqlite3.Connection, row: Row, body: Row, outcome: Doc, now: int, *, is_agent: bool) -> None:
    """What the action, its outcome, and without a word of theirs the ticket type, ask of the ticket."""
    new_status = body.get("new_status") or outcome["newstatus"]
    hidden = outcome["hidefromuser"] if body.get("hiddenfromuser") is None else body["hiddenfromuser"]
    if not new_status:
        is_user = not is_agent or outcome["id"] == seeds.USER_REPLY
        new_status = _status_after(conn, row, is_user=is_user, is_hidden=bool(hidden))
    if new_status and new_status != row["status_id"]:
        doc = one_config(conn, "status", new_status)
        if doc is None:
            raise rule_broken("new_status invalid")
        sla.enter_status(sla.Book(conn), row, doc, now)
    if outcome["slaholdischecked"]:
        sla.hold(row, now)
    if outcome["slareleaseischecked"]:
        sla.release(sla.Book(conn), row, now)
    if body.get("new_agent"):
        if agent_name(conn, body["new_agent"]) is None:
            raise rule_broken("new_agent invalid")
        row["agent_id"] = body["new_agent"]
    if body.get("new_priority"):
        if priority_of(conn, row["sla_id"], body["new_priority"]) is None:
            raise rule_broken("new_priority invalid")
        sla.retarget(sla.Book(conn), row, row["sla_id"], body["new_priority"], row["dateoccurred"])


def _status_after(conn: sqlite3.Connection, row: Row, *, is_user: bool, is_hidden: bool) -> int:
    """The status that the ticket type wants after an update; 0 for none.

    A contact's update reopens what is done (`reopenedstatus`), and leads anything else to `statusafteruserupdate`, but
    for a ticket that still stands unassigned in its first status: nobody has begun, so nothing is to go on. An agent's
    public update leads to `statusaftertechupdate`; notes among agents and updates of finished tickets change nothing.
    """
    kind = one_config(conn, "tickettype", row["tickettype_id"]) or {}
    if is_user and row["is_done"]:
        return int(kind.get("reopenedstatus") or 0)
    if is_user:
        is_waiting_to_begin = row["status_id"] == kind.get("initial_status") and row["agent_id"] == seeds.UNASSIGNED
        return 0 if is_waiting_to_begin else int(kind.get("statusafteruserupdate") or 0)
    return 0 if is_hidden or row["is_done"] else int(kind.get("statusaftertechupdate") or 0)


def _author(conn: sqlite3.Connection, body: Row, actor: Actor) -> Actor:
    """`who_agentid` names another agent; `who` overrides the shown name."""
    agent_id = body.get("who_agentid") or actor.agent_id
    who = body.get("who") or (agent_name(conn, agent_id) if agent_id != actor.agent_id else actor.who) or actor.who
    return Actor(who, agent_id, actor.user_id, actor.application)


def write(
    tenant: Tenant, conn: sqlite3.Connection, row: Row, body: Row, actor: Actor, *, old_status: int | None = None,
    is_opening: bool = False,
) -> int:  # fmt: skip
    """Insert one action and bring the ticket's columns up to date; the caller stores the ticket."""
    now = tenant.now()
    outcome = one_config(conn, "outcome", body["outcome_id"]) or seeds.outcome(body["outcome_id"], "Note")
    hidden = body["hiddenfromuser"] if body.get("hiddenfromuser") is not None else outcome["hidefromuser"]
    note_html = body.get("note_html") or as_html(body.get("note") or "")
    note = body.get("note") or plain_text(note_html)
    hours = float(body.get("timetaken") or 0)
    at = body.get("datetime") or now
    last = conn.execute("SELECT coalesce(max(id), 0) FROM halo_actions WHERE ticket_id = ?", (row["id"],)).fetchone()[0]
    extra = {name: body[name] for name in EXTRA if body.get(name) is not None}
    if actor.user_id and not is_opening:
        extra["emaildirection"] = "I"
    elif outcome["sendemail"] or body.get("sendemail"):
        extra["emaildirection"] = "O"
    values = (
        row["id"], last + 1, new_guid(), outcome["id"], body.get("outcome_text") or outcome["outcome"],
        actor.who, actor.who_type, actor.agent_id,
        actor.user_id, at, now, note, note_html, hours, float(body.get("nonbilltime") or 0), int(bool(hidden)),
        int(bool(body.get("important"))), row["status_id"] if old_status is None else old_status, row["status_id"], 0,
        actor.application, int(bool(outcome["systemid"])), tenant.clock.wall(), json.dumps(extra),
    )  # fmt: skip
    conn.execute(INSERT, values)
    row["timetaken"] = (row["timetaken"] or 0) + hours
    row["lastactiondate"] = max(now, row["lastactiondate"] or 0)
    is_answer = actor.agent_id > seeds.UNASSIGNED and not hidden and not outcome["systemid"] and not is_opening
    if is_answer and not row["responsedate"]:
        row["responsedate"] = now
    return int(last) + 1


def update(tenant: Tenant, conn: sqlite3.Connection, body: Row) -> tuple[int, int]:
    """Merge fields into an action. Source: the vendor's API takes the same POST with id and ticket_id."""
    found = one(conn, body.get("ticket_id"), body["id"])
    note_html, note = found["note_html"], found["note"]
    if body.get("note_html") is not None:
        note_html, note = body["note_html"], body.get("note") or plain_text(body["note_html"])
    elif body.get("note") is not None:
        note_html, note = as_html(body["note"]), body["note"]
    hours = found["timetaken"] if body.get("timetaken") is None else body["timetaken"]
    hidden = found["hidden"] if body.get("hiddenfromuser") is None else int(body["hiddenfromuser"])
    important = found["important"] if body.get("important") is None else int(body["important"])
    extra = json.loads(found["extra"]) | {name: body[name] for name in EXTRA if body.get(name) is not None}
    values = (note, note_html, hours, hidden, important, json.dumps(extra), found["ticket_id"], found["id"])
    conn.execute(
        "UPDATE halo_actions SET note=?, note_html=?, timetaken=?, hidden=?, important=?, extra=? "
        "WHERE ticket_id=? AND id=?",
        values,
    )
    row = tickets.load(conn, found["ticket_id"])
    row["timetaken"] = (row["timetaken"] or 0) + hours - found["timetaken"]
    tickets.store(tenant, conn, row)
    webhooks.emit(tenant, conn, row["id"], seeds.EVENT_NAMES[61])
    return row["id"], found["id"]


def delete(tenant: Tenant, conn: sqlite3.Connection, ticket_id: int | None, action_id: int) -> None:
    found = one(conn, ticket_id, action_id)
    conn.execute("UPDATE halo_actions SET deleted = 1 WHERE ticket_id = ? AND id = ?", (found["ticket_id"], action_id))
    row = tickets.load(conn, found["ticket_id"])
    row["timetaken"] = max(0.0, (row["timetaken"] or 0) - found["timetaken"])
    tickets.store(tenant, conn, row)
    webhooks.emit(tenant, conn, row["id"], seeds.EVENT_NAMES[61])


def one(conn: sqlite3.Connection, ticket_id: int | None, action_id: int) -> sqlite3.Row:
    """An action of a ticket that is there; 404 else."""
    found: sqlite3.Row | None = conn.execute(
        "SELECT a.* FROM halo_actions a JOIN halo_tickets t ON t.id = a.ticket_id AND NOT t.deleted "
        "WHERE a.ticket_id = ? AND a.id = ? AND NOT a.deleted",
        (ticket_id, action_id),
    ).fetchone()
    if found is None:
        raise bare(404)
    return found


def listed(conn: sqlite3.Connection, params: Params, stale_before: int | None, profile: Vendor = VENDOR) -> Doc:
    """The list of one ticket, newest first; without a ticket it is empty."""
    ticket_id = params.integer("ticket_id")
    if ticket_id is None:
        return {"ticket_id": 0, "record_count": 0, "actions": []}
    tickets.load(conn, ticket_id)
    where, values = _conditions(params, ticket_id, stale_before)
    total = conn.execute(f"SELECT count(*) FROM halo_actions WHERE {where}", values).fetchone()[0]
    _, size, offset = params.page
    limit = size if params.is_paged or params.text("count").isdigit() else 1000
    rows = conn.execute(
        f"SELECT * FROM halo_actions WHERE {where} ORDER BY id DESC LIMIT ? OFFSET ?", [*values, limit, offset]
    ).fetchall()
    status_names = names(conn, "status")
    with_html = params.flag("includehtmlnote")
    found = [profile.action(wire(row, status_names, with_html=with_html), row) for row in rows]
    if params.flag("includeattachments"):
        for item in found:
            count = item["attachment_count"]
            item["attachments"] = attachments.of_action(conn, ticket_id, item["id"], profile) if count else []
    return {"ticket_id": ticket_id, "record_count": total, "actions": found}


def _conditions(params: Params, ticket_id: int, stale_before: int | None) -> tuple[str, list[Any]]:
    flags = {
        "excludesys": "is_system = 0", "excludeprivate": "hidden = 0", "agentonly": "who_type = 1",
        "importantonly": "important = 1", "timeentriesonly": "timetaken > 0", "supplieronly": "0",
        "conversationonly": f"outcome_id IN ({seeds.EMAIL_USER}, {seeds.USER_REPLY}, {seeds.OPENED}, {seeds.RESOLVE})",
        "slaonly": f"outcome_id IN ({seeds.HOLD}, {seeds.RELEASE})",
    }  # fmt: skip
    where, values = ["ticket_id = ? AND deleted = 0"], [ticket_id]
    where += [condition for name, condition in flags.items() if params.flag(name)]
    if numbers := params.integers("actoutcomenum"):
        where.append(f"outcome_id IN ({', '.join(map(str, numbers))})")
    if params.text("actoutcome"):
        where.append("outcome = ?")
        values.append(params.text("actoutcome"))  # type: ignore[arg-type]
    for name, sign in (("startdate", ">="), ("enddate", "<=")):
        instant = params.instant(name, end_of_day=name == "enddate")
        if instant is not None:
            where.append(f"at {sign} ?")
            values.append(instant)
    if stale_before is not None:
        where.append("written_at <= ?")
        values.append(stale_before)
    return " AND ".join(where), values


def wire(row: sqlite3.Row, status_names: dict[int, str], *, with_html: bool = True) -> Doc:
    """An action as HaloPSA sends it; hours are decimal hours."""
    extra = json.loads(row["extra"] or "{}")
    hours = row["timetaken"] or 0.0
    doc: Doc = {
        "ticket_id": row["ticket_id"], "id": row["id"], "outcome": row["outcome"], "outcome_id": row["outcome_id"],
        "who": row["who"], "who_type": row["who_type"], "who_agentid": row["agent_id"] or 0,
        "who_initials": "".join(part[0] for part in (row["who"] or "").split()[:2]), "datetime": date_out(row["at"]),
        "actiondatecreated": date_out(row["created"]), "note": row["note"], "timetaken": hours, "timetakendays": 0.0,
        "timetakenadjusted": hours, "nonbilltime": row["nonbilltime"] or 0.0, "chargerate": extra.get("chargerate", 0),
        "actionchargehours": max(0.0, hours - (row["nonbilltime"] or 0.0)), "hiddenfromuser": bool(row["hidden"]),
        "important": bool(row["important"]), "old_status": row["old_status"], "new_status": row["new_status"],
        "new_status_name": status_names.get(row["new_status"], ""), "attachment_count": row["attachment_count"],
        "actionby_agent_id": row["agent_id"] or 0, "actionby_user_id": row["user_id"] or 0,
        "actionby_application_id": row["application"] or "", "guid": row["guid"],
        "actisbillable": bool(extra.get("actisbillable", True)), "emaildirection": extra.get("emaildirection", ""),
        "emailto": extra.get("emailto", ""), "emailcc": extra.get("emailcc", ""),
        "emailsubject": extra.get("emailsubject", ""), "sendemail": bool(extra.get("sendemail", False)),
        "actionarrivaldate": date_out(extra.get("actionarrivaldate")),
        "actioncompletiondate": date_out(extra.get("actioncompletiondate")),
    }  # fmt: skip
    if with_html:
        doc["note_html"] = row["note_html"]
    return doc
