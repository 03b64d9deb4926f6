"""Canonical fields and drafts as the bodies that Atera takes. Rejected, with words, for what it cannot take."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from connectors.atera.mapping.values import identifier, stamp
from connectors.base.errors import Rejected
from connectors.base.html import to_text
from connectors.base.records import ActionDraft, TicketRecord

_EDITABLE = {
    "subject": "TicketTitle",
    "status": "TicketStatus",
    "ticket_type": "TicketType",
    "priority": "TicketPriority",
    "impact": "TicketImpact",
    "agent": "TechnicianContactID",
}
_WORDS = {
    "client": "Atera takes the customer from the contact",
    "contact": "Atera takes the contact only when a ticket is created",
    "description": "Atera keeps the description as it was written. Add a comment instead",
    "resolution": "Atera has no field for a resolution. Add a comment instead",
    "deadline_at": "Atera sets due dates by itself",
    "contract": "Atera takes the contract from the customer",
}
_LOCAL = frozenset(
    {
        "escalation_reason", "resolution_type", "agent_role", "marker", "client_name", "site_name", "team_name",
        "contact_name", "contact_email", "reported_by", "source", "cc", "occurred_at", "acknowledge",
        "description_is_html", "urgency",
    }
)  # fmt: skip
"""Fields that Atera has no place for; the desk keeps them."""


def create_body(fields: Mapping[str, Any]) -> dict[str, Any]:
    """A new ticket. The customer follows from the contact; a description is required and never HTML."""
    contact = identifier(fields.get("contact"))
    if contact is None:
        raise Rejected("Contact is required", fields={"contact": "Atera creates tickets for a contact only"})
    text = str(fields.get("description") or "")
    if fields.get("description_is_html"):
        text = to_text(text)
    subject = str(fields.get("subject") or "").strip()
    body: dict[str, Any] = {"TicketTitle": subject, "Description": text.strip() or subject, "EndUserID": int(contact)}
    skipped = {"client", "contact", "description", "contract"}
    return body | _members({k: v for k, v in fields.items() if k not in skipped and v not in (None, "")})


def update_body(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The changed ones of the fields that Atera lets be changed."""
    if "agent" in fields and fields["agent"] in (None, ""):
        text = "Atera cannot take the owner off a ticket. Choose another one"
        raise Rejected(text, fields={"agent": text})
    return _members(fields)


def _members(fields: Mapping[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = {}
    for name, value in fields.items():
        if name in _LOCAL:
            continue
        if name not in _EDITABLE:
            text = _WORDS.get(name, "Atera has no such field")
            raise Rejected(text, fields={name: text})
        body[_EDITABLE[name]] = _technician(value, name) if name == "agent" else str(value or "").strip()
    return body


def comment_body(draft: ActionDraft, *, default_technician: str | None, is_strict: bool) -> dict[str, Any]:
    """A comment by a technician: exactly one details object, always with its visibility.

    `IsInternal` beside it is for servers that know no details objects; `is_strict` leaves it out.
    """
    technician = identifier(draft.author_agent) or default_technician
    if technician is None:
        text = "Atera needs a technician for every comment: set the default technician in the account's settings"
        raise Rejected(text, fields={"author_agent": text})
    body: dict[str, Any] = {
        "CommentText": comment_text(draft),
        "CommentTimestampUTC": stamp(draft.occurred_at),
        "TechnicianCommentDetails": {"TechnicianId": int(technician), "IsInternal": draft.is_internal},
    }
    return body if is_strict else body | {"IsInternal": draft.is_internal}


def comment_text(draft: ActionDraft) -> str:
    """The words of a draft; HTML is not taken. A resolution has no field of its own and goes with them."""
    text = draft.body_text.strip() or to_text(draft.body_html)
    resolution = (draft.resolution or "").strip()
    return f"{text}\n\n{resolution}".strip() if resolution and resolution not in text else text


def work_hours_body(draft: ActionDraft, *, default_technician: str | None) -> dict[str, Any]:
    """Booked time ends when the draft occurred, and began that long before.

    A note's words stay out of it: they may be internal, and work hours end up on invoices.
    """
    technician = identifier(draft.author_agent) or default_technician
    body: dict[str, Any] = {
        "StartWorkHour": stamp(draft.occurred_at - timedelta(seconds=draft.time_seconds or 0)),
        "EndWorkHour": stamp(draft.occurred_at),
        "Billiable": draft.time_is_billable,
        "OnCustomerSite": draft.kind == "visit",
        "Description": comment_text(draft) if draft.kind == "time" else "",
    }
    return body | ({"TechnicianContactID": int(technician)} if technician else {})


def unmet(fields: Mapping[str, Any], record: TicketRecord) -> dict[str, Any]:
    """Of the status and the owner that a new ticket was to have, those that it has not."""
    return {
        name: fields[name]
        for name in ("status", "agent")
        if fields.get(name) and str(getattr(record, name) or "").casefold() != str(fields[name]).casefold()
    }


def _technician(value: Any, name: str) -> int:
    found = identifier(value)
    if found is None:
        raise Rejected(f"{name} is not an id", fields={name: "is not a technician of Atera"})
    return int(found)
