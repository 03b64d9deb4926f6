"""Finding a write whose answer was lost: by our marker, else by what it said, when, and by whom. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from connectors.base.html import text_hash
from connectors.base.records import UNSET, ActionDraft, ActionRecord, AttachmentRecord, FileDraft, TicketRecord

SKEW = timedelta(minutes=5)
"""How far HaloPSA's clock may be behind ours."""


def action_among(
    actions: Iterable[ActionRecord], draft: ActionDraft, *, since: datetime, taken: frozenset[str]
) -> ActionRecord | None:
    """The action with our marker; else, where the marker was stripped, one without any that says the same."""
    rows = [a for a in actions if a.remote_id not in taken]
    marked = next((a for a in rows if a.marker == draft.marker.lower()), None)
    if marked:
        return marked
    return next((a for a in rows if not a.marker and _says_the_same(a, draft, since)), None)


def _says_the_same(action: ActionRecord, draft: ActionDraft, since: datetime) -> bool:
    if action.is_from_client or action.is_internal != draft.is_internal or not _is_after(action.occurred_at, since):
        return False
    if draft.author_agent and action.author_agent and action.author_agent != draft.author_agent:
        return False
    if (draft.time_seconds or 0) != (action.time_seconds or 0):
        return False
    said = text_hash(str(action.body or ""), is_html=action.body_is_html is True)
    if said not in (text_hash(draft.body_html), text_hash(draft.body_text, is_html=False)):
        return False
    return bool(draft.body_text.strip() or draft.body_html.strip() or draft.time_seconds)


def is_alike(record: TicketRecord, fields: Mapping[str, Any], since: datetime) -> bool:
    """Whether a list row without our marker could be the ticket of this create."""
    if record.marker or not _is_after(record.opened_at or record.occurred_at, since):
        return False
    if (record.subject or "") != str(fields.get("subject") or "").strip():
        return False
    return all(
        getattr(record, name) in (UNSET, str(fields[name]))
        for name in ("client", "contact", "ticket_type")
        if fields.get(name)
    )


def has_same_text(record: TicketRecord, fields: Mapping[str, Any]) -> bool:
    """Whether the description says the same; a create without a description is told by the rest alone."""
    wanted = str(fields.get("description") or "")
    if not wanted.strip():
        return True
    said = text_hash(str(record.description or ""), is_html=record.description_is_html is True)
    return said == text_hash(wanted, is_html=bool(fields.get("description_is_html")))


def attachment_among(
    rows: Iterable[AttachmentRecord], draft: FileDraft, *, since: datetime, taken: frozenset[str]
) -> AttachmentRecord | None:
    """A file of this name and size, put there since then."""
    for row in rows:
        if row.remote_id in taken or row.name != draft.name or not _is_after(row.created_at, since):
            continue
        if not isinstance(row.size, int) or row.size in (0, draft.size):
            return row
    return None


def completed(record: AttachmentRecord, draft: FileDraft) -> AttachmentRecord:
    """The answer to an upload, with what it leaves out taken from what was sent."""
    return replace(
        record,
        ticket=record.ticket or draft.ticket,
        name=record.name or draft.name,
        content_type=record.content_type or draft.content_type,
        size=record.size or draft.size,
    )


def with_status(record: ActionRecord, status: str | None) -> ActionRecord:
    """The record with the status that the ticket was seen to have."""
    return replace(record, new_status=status)


def _is_after(at: Any, since: datetime) -> bool:
    return not isinstance(at, datetime) or at >= since - SKEW
