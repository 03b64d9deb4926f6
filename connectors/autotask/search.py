"""Finding a write whose answer was lost: tickets by our marker, else by what was said, when, and by whom. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from connectors.autotask.mapping.writes import note_text, window
from connectors.base.html import text_hash
from connectors.base.records import (
    UNSET,
    ActionDraft,
    ActionRecord,
    AttachmentRecord,
    FileDraft,
    TicketRecord,
    TimeRecord,
)

SKEW = timedelta(minutes=5)
"""How far Autotask's clock may be behind ours."""


def note_among(
    actions: Iterable[ActionRecord],
    draft: ActionDraft,
    *,
    since: datetime,
    taken: Collection[str],
    writers: Collection[str],
) -> ActionRecord | None:
    """The note that says the same to the same people, written since then by one of `writers`, and not `taken`."""
    said = text_hash(note_text(draft), is_html=False)
    for action in actions:
        if action.remote_id in taken or action.is_from_client:
            continue
        if action.is_internal != draft.is_internal or not _is_after(action.occurred_at, since):
            continue
        if writers and isinstance(action.author_agent, str) and action.author_agent not in writers:
            continue
        if text_hash(str(action.body or ""), is_html=False) == said:
            return action
    return None


def time_among(
    times: Iterable[TimeRecord], draft: ActionDraft, *, taken: Collection[str], resource: str | None
) -> TimeRecord | None:
    """The time entry of this person that ends when the draft does and is as long."""
    _, ends = window(draft)
    for time in times:
        is_other = time.remote_id in taken or bool(resource and time.agent != resource)
        if not is_other and time.ended_at == ends and time.seconds == draft.time_seconds:
            return time
    return None


def is_alike(record: TicketRecord, fields: Mapping[str, Any], since: datetime) -> bool:
    """Whether a row without our marker could be the ticket of this create."""
    if record.marker or not _is_after(record.opened_at, since):
        return False
    if (record.subject or "") != str(fields.get("subject") or "").strip():
        return False
    names = ("client", "contact", "ticket_type")
    if not all(getattr(record, n) in (UNSET, str(fields[n])) for n in names if fields.get(n)):
        return False
    wanted = str(fields.get("description") or "")
    if not wanted.strip() or record.description is UNSET:
        return True
    said = text_hash(str(record.description or ""), is_html=False)
    return said == text_hash(wanted, is_html=bool(fields.get("description_is_html")))


def attachment_among(
    rows: Iterable[AttachmentRecord], draft: FileDraft, *, since: datetime, taken: Collection[str]
) -> AttachmentRecord | None:
    """A file of this name and size, put there since then."""
    for row in rows:
        if row.remote_id in taken or row.name != draft.name[-255:] or not _is_after(row.created_at, since):
            continue
        if not isinstance(row.size, int) or row.size in (0, draft.size):
            return row
    return None


def _is_after(at: Any, since: datetime) -> bool:
    return not isinstance(at, datetime) or at >= since - SKEW
