"""Canonical fields and drafts as the rows that Autotask takes; and whether a record shows what was written. Pure.

Source: vendor's help and recorded behaviour: plain text only, resource and role together, null clears.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields as record_fields
from datetime import datetime, timedelta
from typing import Any

from connectors.autotask.mapping.picklists import Fields, choices_of, sub_path, value_of
from connectors.autotask.mapping.values import identifier, stamp
from connectors.base.errors import Rejected
from connectors.base.html import to_text
from connectors.base.records import UNSET, ActionDraft, FileDraft, TicketRecord

_IDS = {
    "client": "companyID",
    "site": "companyLocationID",
    "contact": "contactID",
    "status": "status",
    "priority": "priority",
    "ticket_type": "ticketType",
    "team": "queueID",
    "contract": "contractID",
    "sla_policy": "serviceLevelAgreementID",
}
_TEXTS = {"subject": ("title", 255), "description": ("description", 8000), "resolution": ("resolution", 32_000)}
_DUE = ("deadline_at", "resolution_due_at")
_LOCAL = frozenset(
    {"escalation_reason", "resolution_type", "description_is_html", "marker", "team_name", "reported_by", "cc",
     "acknowledge", "occurred_at", "impact", "urgency", "parent", "category_3", "category_4"}
)  # fmt: skip
"""Fields that Autotask has no place for; the desk keeps them. The reason of an escalation: only where a field is."""
_CHECKED = frozenset(_IDS) | {"agent", "category", "subcategory"}
_KNOWN = frozenset(f.name for f in record_fields(TicketRecord))

TITLES = {"note": "Note", "reply": "Reply", "call": "Phone call", "visit": "Site visit", "time": "Time"}
TITLE_LENGTH = 250
BODY_LENGTH = 32_000
NO_WORDS = "Time logged"
EXTERNAL_ID = "externalID"


def ticket_row(fields: Mapping[str, Any], *, info: Fields, is_new: bool = False) -> dict[str, Any]:
    """The members to write for these canonical fields, but for the agent, who goes with a role.

    A sub-issue type brings its issue type. Rejected for a field that cannot be written, or a text that is too long.
    """
    row: dict[str, Any] = {}
    for name, value in fields.items():
        if name == "escalation_reason" and "escalationreason" in info:
            row["escalationReason"] = str(value or "").strip()
        if name in _LOCAL or name in ("agent", "agent_role"):
            continue
        if name in _IDS:
            row[_IDS[name]] = _integer(name, value)
        elif name in _TEXTS:
            row[_TEXTS[name][0]] = _text(name, value, is_html=bool(fields.get(f"{name}_is_html")))
        elif name in _DUE:
            row["dueDateTime"] = stamp(value) if isinstance(value, datetime) else None
        elif name in ("category", "source"):
            member = "issueType" if name == "category" else "source"
            row[member] = _chosen(info, name, member, value)
        elif name == "subcategory":
            row |= _sub_issue(info, value)
        else:
            raise Rejected(f"{name} cannot be written", fields={name: "Autotask has no such field"})
    if row.get("issueType") is None and "issueType" in row and row.get("subIssueType") is None:
        row["subIssueType"] = None
    return {k: v for k, v in row.items() if v is not None} if is_new else row


def note_row(draft: ActionDraft, *, publish: str, note_type: str | None, signs: bool) -> dict[str, Any]:
    """A note to POST. `signs`: the title names who wrote it, for Autotask will name our own user."""
    row: dict[str, Any] = {
        "ticketID": _integer("ticket", draft.ticket),
        "title": note_title(draft, signs=signs),
        "description": note_text(draft) or note_title(draft, signs=signs),
        "publish": int(publish),
    }
    return row | ({"noteType": int(note_type)} if note_type else {})


def note_title(draft: ActionDraft, *, signs: bool) -> str:
    title = draft.title.strip() or TITLES.get(draft.kind, TITLES["note"])
    name = draft.author_name.strip() if signs else ""
    return (f"{title} ({name})" if name else title)[:TITLE_LENGTH]


def note_text(draft: ActionDraft) -> str:
    """What the draft says, as plain text with its lines. Rejected when Autotask has no room for it."""
    text = draft.body_text.strip() or to_text(draft.body_html)
    if len(text) > BODY_LENGTH:
        words = f"Autotask takes {BODY_LENGTH} characters, this has {len(text)}"
        raise Rejected(words, fields={"body": words})
    return text


def time_row(draft: ActionDraft, *, resource: str, role: str) -> dict[str, Any]:
    """A time entry to POST, which ends when the draft happened. Internal words go where the client never looks."""
    seconds = draft.time_seconds or 0
    starts, ends = window(draft)
    text = note_text(draft) if draft.kind == "time" else ""
    return {
        "ticketID": _integer("ticket", draft.ticket),
        "resourceID": _integer("author_agent", resource),
        "roleID": _integer("agent_role", role),
        "dateWorked": starts.strftime("%Y-%m-%dT00:00:00Z"),
        "startDateTime": stamp(starts),
        "endDateTime": stamp(ends),
        "hoursWorked": round(seconds / 3600, 4),
        "summaryNotes": text if text and not draft.is_internal else NO_WORDS,
        "internalNotes": text if draft.is_internal else "",
        "isNonBillable": not draft.time_is_billable,
    }


def window(draft: ActionDraft) -> tuple[datetime, datetime]:
    """From when to when, in whole seconds."""
    ends = draft.occurred_at.replace(microsecond=0)
    return ends - timedelta(seconds=draft.time_seconds or 0), ends


def attachment_row(draft: FileDraft, data: str, *, publish: str) -> dict[str, Any]:
    """An attachment to POST; the base64 comes last, so that what stands before it is short."""
    return {
        "id": 0,
        "attachmentType": "FILE_ATTACHMENT",
        "fullPath": draft.name[-255:],
        "title": draft.name[:255],
        "publish": int(publish),
        "data": data,
    }


def unconfirmed(fields: Mapping[str, Any], record: TicketRecord) -> frozenset[str]:
    """References whose value in the record is not the one that was written. Texts may be reformatted."""
    found = set()
    for name in _CHECKED & set(fields) & _KNOWN:
        wanted, value = fields[name], getattr(record, name)
        if value is UNSET or (str(value or "")).casefold() != str(wanted or "").casefold():
            found.add(name)
    return frozenset(found)


def integer(name: str, value: Any) -> int:
    """An id as a number. Rejected for what is none."""
    found = _integer(name, value)
    if found is None:
        raise Rejected(f"{name} is missing", fields={name: "is missing"})
    return found


def _integer(name: str, value: Any) -> int | None:
    if value is None or value == "":
        return None
    found = identifier(value)
    if found is None:
        raise Rejected(f"{name} is not an id", fields={name: "is not an id of Autotask"})
    return int(found)


def _text(name: str, value: Any, *, is_html: bool) -> str:
    text = str(value or "")
    text = to_text(text) if is_html else text
    limit = _TEXTS[name][1]
    if len(text) > limit:
        words = f"Autotask takes {limit} characters, this has {len(text)}"
        raise Rejected(words, fields={name: words})
    return text


def _chosen(info: Fields, name: str, member: str, value: Any) -> int | None:
    if value in (None, ""):
        return None
    found = value_of(info, member, str(value))
    if found is None:
        raise Rejected(f"{value} is not a choice of Autotask", fields={name: "Autotask has no such choice"})
    return int(found)


def _sub_issue(info: Fields, value: Any) -> dict[str, Any]:
    """A path `Issue>Sub-issue`, a label that only one issue has, or a value."""
    if value in (None, ""):
        return {"subIssueType": None}
    wanted = str(value).strip().casefold()
    issues, subs = choices_of(info, "issueType"), choices_of(info, "subIssueType")
    fits = [c for c in subs.values() if sub_path(c, issues).casefold() == wanted]
    fits = fits or [c for c in subs.values() if c.label.casefold() == wanted or c.value == wanted]
    if len(fits) != 1:
        raise Rejected(f"{value} is not a choice of Autotask", fields={"subcategory": "Autotask has no such choice"})
    row: dict[str, Any] = {"subIssueType": int(fits[0].value)}
    return row | ({"issueType": int(fits[0].parent)} if fits[0].parent else {})
