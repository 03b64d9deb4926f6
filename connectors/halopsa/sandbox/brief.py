"""Profile `brief`: the API as its short description tells it, over the same tenant as profile `vendor`.

What goes in may have either shape; what comes out has the names, ids and rules of the short description where the two
differ, and the vendor's where that description is silent. Pure, but for looking up an outcome by its name.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from connectors.halopsa.sandbox import seeds
from connectors.halopsa.sandbox.seeds import Doc
from connectors.halopsa.sandbox.tenant import Row, config
from connectors.halopsa.sandbox.wire import FLAG, INTEGER, UNSET_DATE, date_out, rule_broken

NOT_STARTED, RUNNING, PAUSED, MET, BREACHED = range(5)
OPEN, CLOSED, PENDING = range(3)
NOTE, EMAIL, PHONE_CALL, SITE_VISIT, STATUS_CHANGE = range(5)
ACTION_TYPES = {
    seeds.EMAIL_USER: EMAIL, seeds.USER_REPLY: EMAIL, seeds.RESOLVE: EMAIL, seeds.PHONE: PHONE_CALL,
    seeds.VISIT: SITE_VISIT, seeds.OPENED: STATUS_CHANGE, seeds.STATUS_CHANGED: STATUS_CHANGE,
    seeds.REASSIGNED: STATUS_CHANGE, seeds.CLOSE: STATUS_CHANGE,
}  # fmt: skip
OUTCOMES = {EMAIL: seeds.EMAIL_USER, PHONE_CALL: seeds.PHONE, SITE_VISIT: seeds.VISIT}
MORE_TYPES: dict[str, dict[str, str]] = {
    "actions": {"actiontype_id": INTEGER, "agent_id": INTEGER, "charge": FLAG},
}
INPUT_NAMES: dict[str, dict[str, str]] = {
    "tickets": {"detail": "details", "resolution": "closure_note", "deadlinedate": "fixbydate", "slahold": "onhold"},
    "actions": {"agent_id": "who_agentid", "charge": "actisbillable"},
    "attachment": {"contenttype": "content_type"},
}
OUTPUT_NAMES = {
    "responsedate": "dateresponded", "onhold": "slahold", "chargehours": "chargeabletime",
    "nonchargehours": "nonchargeabletime", "closure_note": "resolution", "fixbydate": "deadlinedate",
    "content_type": "contenttype",
}  # fmt: skip
DATES = frozenset((
    "dateoccurred", "datecreated", "last_update", "lastactiondate", "respondbydate", "dateresponded", "deadlinedate",
    "targetdate", "startdate", "dateclosed", "dateresolved", "slaactiondate", "datetime", "actiondatecreated",
    "actionarrivaldate", "actioncompletiondate",
))  # fmt: skip


def taken(resource: str, item: Mapping[str, Any]) -> Row:
    """An object of a request under the vendor's names; where both names stand, the vendor's counts."""
    renamed = INPUT_NAMES.get(resource, {})
    row = {name: value for name, value in item.items() if name not in renamed}
    for name, real in renamed.items():
        if name in item:
            row.setdefault(real, item[name])
    text = row.get("details")
    if resource == "tickets" and isinstance(text, str) and text.lstrip().startswith("<"):
        row.setdefault("details_html", row.pop("details"))
    return row


def new_ticket(conn: sqlite3.Connection, body: Row) -> Row:
    """A create as this profile's rules have it: a client is required, priority 3 and status 1 are the defaults
    whatever the type says, and a contact brings its site."""
    if not body.get("client_id"):
        raise rule_broken("client_id required")
    user = conn.execute("SELECT site_id FROM halo_users WHERE id = ?", (body.get("user_id"),)).fetchone()
    place = {"site_id": user["site_id"]} if user is not None and user["site_id"] else {}
    given = {name: value for name, value in body.items() if value is not None}
    return {"priority_id": 3, "status_id": seeds.NEW, **place, **given}


def new_action(conn: sqlite3.Connection, body: Row) -> Row:
    """An action with an outcome: its own, else by its type (0 note, 1 mail, 2 call, 3 visit); free text is kept."""
    text = str(body.get("outcome") or "").strip()
    if body.get("outcome_id") or any(doc["outcome"].lower() == text.lower() for doc in config(conn, "outcome")):
        return body if body.get("outcome_id") else {**body, "outcome_id": None}
    kind = body.get("actiontype_id") or NOTE
    hidden = body.get("hiddenfromuser") is True
    plain = seeds.INTERNAL_NOTE if hidden else seeds.PUBLIC_NOTE
    return {**body, "outcome_id": OUTCOMES.get(kind, plain), "outcome_text": text, "hiddenfromuser": hidden}


def ticket(doc: Doc, row: Row, now: int) -> Doc:
    """A ticket of the vendor's shape in this profile's; `row` holds its columns."""
    found = _renamed({name: value for name, value in doc.items() if name not in ("team", "deadlinedate")})
    resolved = date_out(row["dateclosed"])
    closed = date_out(max(row["status_since"], row["dateclosed"])) if row["is_closed"] and resolved else None
    found |= {
        "detail": doc["details"], "datecreated": date_out(row["datecreated"]), "dateresolved": resolved,
        "dateclosed": closed, "opportunityid": None, "slaresponsestate": response_state(row, now),
        "slaresolutionstate": resolution_state(row, now),
    }  # fmt: skip
    found.pop("slastate", None)
    if "attachments" in found:
        found["attachments"] = [attachment(item, item["content_type"]) for item in found["attachments"]]
    return _dated(found)


def response_state(row: Row, now: int) -> int:
    return _state(row, row["respondbydate"], row["responsedate"] or row["dateclosed"], now)


def resolution_state(row: Row, now: int) -> int:
    return _state(row, row["fixbydate"], row["dateclosed"], now)


def _state(row: Row, due: int, done: int, now: int) -> int:
    """0 not started, 1 running, 2 paused, 3 met, 4 breached; without a target or outside any SLA it never starts."""
    if not due or row["excludefromsla"]:
        return NOT_STARTED
    if done:
        return MET if done <= due else BREACHED
    if row["hold_since"]:
        return PAUSED
    return BREACHED if now > due else RUNNING


def action(doc: Doc, kind: int | None) -> Doc:
    """An action; `kind` is the type it was written with, None when it came otherwise."""
    more = {"actiontype_id": ACTION_TYPES.get(doc["outcome_id"], NOTE) if kind is None else kind}
    more |= {"agent_id": doc["who_agentid"], "charge": doc["actisbillable"]}
    return _dated({**doc, **more})


def attachment(doc: Doc, content_type: str) -> Doc:
    return _dated({**_renamed(doc), "contenttype": content_type})


def status(doc: Doc) -> Doc:
    """`type` tells what kind of status it is: 0 open, 1 closed, 2 pending."""
    kind = CLOSED if doc["id"] == seeds.CLOSED else PENDING if doc["slaaction"] == "H" else OPEN
    return {**doc, "type": kind}


def _renamed(doc: Doc) -> Doc:
    return {OUTPUT_NAMES.get(name, name): value for name, value in doc.items()}


def _dated(doc: Doc) -> Doc:
    """Instants end in Z, unset ones are null."""
    found = {**doc}
    for name in DATES & found.keys():
        value = found[name]
        found[name] = None if value in (None, UNSET_DATE) else value if value.endswith("Z") else f"{value}Z"
    return found
