"""An action of HaloPSA as a record, and which outcomes to write with. Visibility fails closed.

Source: vendor's OpenAPI for names; recorded behaviour. `actiontype_id` exists in older descriptions only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from connectors.base.configuration import OutcomeRecord
from connectors.base.records import UNSET, ActionRecord, AttachmentRecord, Unset
from connectors.halopsa.mapping.values import (
    MARKER,
    Row,
    first,
    flag_of,
    has,
    id_of,
    identifier,
    instant_of,
    number,
    seconds,
    text_of,
    truth,
    whole,
    whole_of,
    words,
)

_TYPES = {0: "note", 1: "reply", 2: "call", 3: "visit", 4: "system"}
_NAMES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("call", re.compile(r"\b(phone|call(ed)?|voicemail)\b", re.IGNORECASE)),
    ("visit", re.compile(r"\b(visit|on[- ]?site)\b", re.IGNORECASE)),
    (
        "system",
        re.compile(
            r"^(ticket )?(opened|open|logged|new|created|merged|split|linked)\b|\bstatus change|\bre-?assign|\bsla\b"
            r"|\bworkflow\b|\bauto(matic|mation|-?release)|\bchanged?\b|\bsystem\b|\bapproval\b|\bappointment\b",
            re.IGNORECASE,
        ),
    ),
    ("note", re.compile(r"\b(private|internal|note)\b", re.IGNORECASE)),
    ("reply", re.compile(r"\b(e-?mail|repl(y|ied)|respon(d|se)|update|message|answer)", re.IGNORECASE)),
)
_OPENING = re.compile(r"^(ticket )?(opened|open|logged|new ticket|created|first user email)\b", re.IGNORECASE)

_CHOICES: dict[str, tuple[bool, tuple[str, ...]]] = {
    "note": (True, ("internal note", "private note", "note", "internal", "private")),
    "reply": (False, ("email user", "reply", "public note", "email", "respond", "update user", "note")),
    "call": (False, ("phone call", "phone", "call")),
    "visit": (False, ("site visit", "on-site", "onsite", "visit")),
    "time": (True, ("time entry", "log time", "time")),
    "close": (False, ("resolved", "resolve", "close ticket", "closed", "close")),
}
"""What we write, whether it should hide from the client by itself, and the names to look for, best first."""


def action_record(row: Row, *, ticket: str, unassigned: str = "1") -> ActionRecord:
    """One action. `ticket` is the ticket it was asked for: its own id counts within that ticket only.

    Without `hiddenfromuser` it is internal: nobody may see by accident what was meant for agents.
    """
    html = words(row.get("note_html"))
    marker = MARKER.search(html) if html else None
    body = words(MARKER.sub("", html)) if html else words(first(row, "note", "details"))
    from_client = _is_from_client(row)
    agent = identifier(first(row, "who_agentid", "actionby_agent_id"))
    contact = identifier(row.get("actionby_user_id"))
    return ActionRecord(
        remote_id=identifier(row.get("id")) or "",
        ticket=identifier(row.get("ticket_id")) or ticket,
        raw=row,
        remote_updated_at=instant_of(row, "last_updated", "actiondatecreated", "datetime"),
        kind=_kind(row, from_client, bool(body)),
        title=text_of(row, "outcome"),
        body=body,
        body_is_html=bool(html),
        is_internal=truth(row.get("hiddenfromuser"), default=True),
        is_from_client=from_client,
        author_agent=None if from_client or agent == unassigned else agent,
        author_contact=contact if from_client else None,
        author_name=text_of(row, "who"),
        occurred_at=instant_of(row, "datetime", "actiondatecreated"),
        outcome=id_of(row, "outcome_id"),
        email_to=text_of(row, "emailto"),
        email_cc=text_of(row, "emailcc"),
        old_status=id_of(row, "old_status"),
        new_status=id_of(row, "new_status"),
        time_seconds=_time(row),
        time_is_billable=_is_billable(row),
        attachment_count=whole_of(row, "attachment_count"),
        marker=marker[1].lower() if marker else None,
        is_ours=bool(marker),
    )


def attachment_record(row: Row, *, ticket: str) -> AttachmentRecord:
    """One row of an attachment list; without `showforusers` it is not public."""
    name = words(row.get("filename")) or words(row.get("desc")) or ""
    return AttachmentRecord(
        remote_id=identifier(row.get("id")) or "",
        ticket=identifier(row.get("ticket_id")) or ticket,
        raw={k: v for k, v in row.items() if k not in ("data", "data_base64")},
        action=identifier(first(row, "action_id", "attachmentaction_id")),
        name=name,
        content_type=text_of(row, "content_type", "contenttype"),
        size=whole_of(row, "filesize"),
        is_public=truth(row.get("showforusers")),
        created_at=instant_of(row, "datecreated", "last_updated"),
    )


def choose_outcomes(outcomes: Iterable[OutcomeRecord]) -> dict[str, str]:
    """Which outcome to write each kind of action with, by its name and by whether it hides from the client.

    A choice to show to the administrator, who may set another. Calls, visits and time fall back to the note.
    """
    rows = [o for o in outcomes if o.is_hidden is not True and o.remote_id]
    found: dict[str, str] = {}
    for kind, (hides, names) in _CHOICES.items():
        best = min((score for o in rows if (score := _score(o, hides, names))), default=None)
        if best:
            found[kind] = best[2]
    if "note" not in found:
        hiding = next((o.remote_id for o in rows if o.hide_from_client is True), None)
        found.update({"note": hiding} if hiding else {})
    for kind in ("call", "visit", "time"):
        if "note" in found:
            found.setdefault(kind, found["note"])
    return found


def _score(outcome: OutcomeRecord, hides: bool, names: tuple[str, ...]) -> tuple[int, int, str] | None:
    texts = {str(t).strip().casefold() for t in (outcome.name, outcome.label) if isinstance(t, str)}
    fits = 0 if (outcome.hide_from_client is True) == hides else len(names)
    for rank, name in enumerate(names):
        if name in texts:
            return rank + fits, 0, outcome.remote_id
    for rank, name in enumerate(names):
        if any(re.search(rf"\b{re.escape(name)}\b", text) for text in texts):
            return rank + fits + len(names), 1, outcome.remote_id
    return None


def _kind(row: Row, from_client: bool, has_body: bool) -> str:
    if from_client:
        return "reply"
    typed = whole(row.get("actiontype_id"))
    if typed in _TYPES:
        return _TYPES[typed]
    name = words(row.get("outcome")) or ""
    if whole(row.get("action_systemid")) or _is_opening(row, name):
        return "system"
    if str(row.get("emaildirection") or "").strip().upper() in ("O", "I"):
        return "reply"
    for kind, pattern in _NAMES:
        if pattern.search(name):
            return "reply" if kind == "note" and not truth(row.get("hiddenfromuser"), default=True) else kind
    if not has_body and not number(row.get("timetaken")):
        return "system"
    return "note" if truth(row.get("hiddenfromuser"), default=True) else "reply"


def _is_opening(row: Row, name: str) -> bool:
    return bool(_OPENING.search(name)) or (identifier(row.get("id")) == "1" and not number(row.get("timetaken")))


def _is_from_client(row: Row) -> bool:
    """Written by a person of the client: an incoming mail, or a user's id where no agent's stands."""
    if str(row.get("emaildirection") or "").strip().upper() == "I":
        return True
    if identifier(first(row, "who_agentid", "actionby_agent_id")):
        return False
    return whole(row.get("who_type")) in (0, None) and identifier(row.get("actionby_user_id")) is not None


def _time(row: Row) -> int | Unset | None:
    """Time taken and non-billable time are two members that add up; an equal pair is one time told twice."""
    if not has(row, "timetaken", "nonbilltime"):
        return UNSET
    taken, free = seconds(row.get("timetaken")) or 0, seconds(row.get("nonbilltime")) or 0
    total = taken if taken == free or (taken and _says_free(row)) else taken + free
    return total or None


def _says_free(row: Row) -> bool:
    return row.get("actisbillable") is False


def _is_billable(row: Row) -> bool | Unset:
    taken, free = number(row.get("timetaken")) or 0, number(row.get("nonbilltime")) or 0
    if not taken and not free:
        return UNSET
    if free >= taken and free:
        return False
    return flag_of(row, "actisbillable")
