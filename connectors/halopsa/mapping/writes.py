"""Canonical fields and drafts as the rows that HaloPSA takes; and whether an answer shows what was written.

Source: recorded behaviour of a tenant (merging updates, hours as decimals, team by name, closure note).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields as record_fields
from datetime import datetime, timedelta
from typing import Any

from connectors.base.errors import Rejected
from connectors.base.html import to_html
from connectors.base.records import UNSET, ActionDraft, FileDraft, TicketRecord
from connectors.halopsa.mapping.values import stamp

_IDS = {
    "client": "client_id",
    "site": "site_id",
    "contact": "user_id",
    "status": "status_id",
    "priority": "priority_id",
    "ticket_type": "tickettype_id",
    "parent": "parent_id",
    "contract": "contract_id",
    "sla_policy": "sla_id",
    "impact": "impact",
    "urgency": "urgency",
    "source": "source",
}
_TEXTS = {
    "subject": "summary",
    "category": "category_1",
    "subcategory": "category_2",
    "category_3": "category_3",
    "category_4": "category_4",
    "reported_by": "reportedby",
    "cc": "emailcclist",
}
_INSTANTS = {"occurred_at": ("dateoccurred",), "resolution_due_at": ("fixbydate", "deadlinedate")}
_LOCAL = frozenset({"escalation_reason", "resolution_type", "agent_role", "description_is_html", "marker", "team_name"})
"""Fields that HaloPSA has no place for; the desk keeps them."""

_CHECKED = frozenset(_IDS) | {"subject", "agent", "team", "category", "subcategory", "category_3", "category_4"}
_KNOWN = frozenset(f.name for f in record_fields(TicketRecord))


def ticket_row(
    fields: Mapping[str, Any], *, team_name: Callable[[str], str], unassigned: str, is_new: bool = False
) -> dict[str, Any]:
    """The members to POST for these canonical fields. Rejected for a field that cannot be written.

    A description is text unless `description_is_html` says otherwise; a resolution is sent under both of its names.
    """
    row: dict[str, Any] = {}
    for name, value in fields.items():
        if name in _LOCAL:
            continue
        if name in _IDS:
            if not (is_new and value is None):
                row[_IDS[name]] = _integer(name, value)
        elif name in _TEXTS:
            row[_TEXTS[name]] = str(value or "")
        elif name in _INSTANTS:
            row.update(dict.fromkeys(_INSTANTS[name], _instant(value)))
        elif name == "acknowledge":
            row["sendack"] = bool(value)
        elif name == "deadline_at":
            row["deadlinedate"] = _instant(value)
        elif name == "description":
            text = str(value or "")
            row["details_html"] = text if fields.get("description_is_html") else to_html(text)
        elif name == "resolution":
            row["closure_note"] = row["resolution"] = str(value or "")
        elif name == "agent":
            if not (is_new and value is None):
                row["agent_id"] = _integer(name, unassigned if value is None else value)
        elif name == "team":
            if not (is_new and value is None):
                row["team"] = team_name(str(value)) if value else ""
        else:
            raise Rejected(f"{name} cannot be written", fields={name: "HaloPSA has no such field"})
    if "contact" in fields and fields["contact"] is None:
        row |= {"usertype": 1, "userlookup": {"id": -1}}  # the client's General User
    return row


def action_row(draft: ActionDraft, *, outcome: str, author_name: str = "") -> dict[str, Any]:
    """An action to POST. Visibility is always sent; time is in hours; mail only when the draft asks for it.

    An internal one is mailed to our own people only.
    """
    row: dict[str, Any] = {
        "ticket_id": _integer("ticket", draft.ticket),
        "outcome_id": _integer("outcome", outcome),
        "note_html": f"{draft.body_html}{marker_comment(draft.marker)}",
        "hiddenfromuser": draft.is_internal,
        "sendemail": bool(draft.send_email and draft.is_internal == draft.is_to_staff),
    }
    if row["sendemail"]:
        row |= {"emailto": draft.email_to or None, "emailcc": draft.email_cc or None}
        if draft.title:
            row["emailsubject"] = draft.title
    if draft.time_seconds:
        starts = draft.occurred_at - timedelta(seconds=draft.time_seconds)
        row |= {
            "timetaken": round(draft.time_seconds / 3600, 6),
            "actisbillable": draft.time_is_billable,
            "actionarrivaldate": _instant(starts),
            "actioncompletiondate": _instant(draft.occurred_at),
        }
    if draft.new_status:
        row["new_status"] = _integer("new_status", draft.new_status)
    if draft.author_agent:
        row |= {"who_agentid": _integer("author_agent", draft.author_agent), "who_type": 1}
        if name := draft.author_name or author_name:
            row["who"] = name
    return row


def attachment_row(draft: FileDraft, data_uri: str) -> dict[str, Any]:
    """An attachment to POST; the base64 comes last, so that what stands before it is short."""
    row: dict[str, Any] = {
        "ticket_id": _integer("ticket", draft.ticket),
        "filename": draft.name,
        "isimage": draft.content_type.startswith("image/"),
        "showforusers": draft.is_public,
    }
    if draft.action:
        row["action_id"] = _integer("action", draft.action)
    return row | {"data_base64": data_uri}


def marker_comment(marker: str) -> str:
    """The comment that carries our UUID at the end of a note."""
    return f"<!-- helpdesk:{marker} -->"


def unconfirmed(fields: Mapping[str, Any], record: TicketRecord) -> frozenset[str]:
    """Fields whose value in the record is not the one that was written, or that the record does not carry.

    Texts that a PSA may reformat (description, resolution) count only when they are missing.
    """
    found = set()
    for name, wanted in fields.items():
        if name in _LOCAL or name not in _KNOWN:
            continue
        value = getattr(record, name)
        wanted_text = str(wanted).strip() if wanted not in (None, "") else None
        if value is UNSET or (name in _CHECKED and _plain(value) != wanted_text):
            found.add(name)
    return frozenset(found)


def _plain(value: Any) -> str | None:
    return str(value).strip() if value not in (None, "") else None


def _integer(name: str, value: Any) -> int:
    if value is None or value == "":
        return 0
    try:
        return int(str(value))
    except ValueError as error:
        raise Rejected(f"{name} is not an id", fields={name: "is not an id of HaloPSA"}) from error


def _instant(value: Any) -> str | None:
    """None clears."""
    return stamp(value) if isinstance(value, datetime) else None
