"""Finding what was written: Atera keeps no mark of ours, so it is told by words, person and time. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from connectors.atera.mapping.writes import comment_text
from connectors.base.html import text_hash, to_text
from connectors.base.records import UNSET, ActionDraft, ActionRecord, TicketRecord, TimeRecord

SKEW = timedelta(minutes=5)
"""How far Atera's clock may be behind ours."""
SECOND = timedelta(seconds=1)


def comment_among(
    actions: Iterable[ActionRecord], draft: ActionDraft, *, author: str | None, since: datetime, taken: frozenset[str]
) -> ActionRecord | None:
    """The newest comment that says what the draft says, to the same people, and is no other write's."""
    wanted = text_hash(comment_text(draft), is_html=False)
    earliest = min(since, draft.occurred_at) - SKEW
    for action in sorted(actions, key=lambda a: str(a.occurred_at or ""), reverse=True):
        if action.remote_id in taken or action.is_from_client or action.is_internal != draft.is_internal:
            continue
        if isinstance(action.occurred_at, datetime) and action.occurred_at < earliest:
            continue
        if author and action.author_agent and action.author_agent != author:
            continue
        if text_hash(str(action.body or ""), is_html=action.body_is_html is True) == wanted:
            return action
    return None


def time_among(
    rows: Iterable[TimeRecord], draft: ActionDraft, *, author: str | None, taken: frozenset[str] = frozenset()
) -> TimeRecord | None:
    """The work hours that a draft books: by the same person, of the same length, ended at the same second."""
    for row in rows:
        if row.remote_id in taken or not isinstance(row.ended_at, datetime):
            continue
        if abs(row.ended_at - draft.occurred_at) > SECOND or abs((row.seconds or 0) - (draft.time_seconds or 0)) > 1:
            continue
        if row.is_billable == draft.time_is_billable and (not author or not row.agent or row.agent == author):
            return row
    return None


def is_alike(record: TicketRecord, fields: Mapping[str, Any], since: datetime) -> bool:
    """Whether this ticket could be the one of this create: same title, contact and words, made since then."""
    if isinstance(record.opened_at, datetime) and record.opened_at < since - SKEW:
        return False
    if str(record.subject or "").strip() != str(fields.get("subject") or "").strip():
        return False
    if record.contact not in (UNSET, str(fields.get("contact") or "")):
        return False
    wanted = str(fields.get("description") or "")
    if fields.get("description_is_html"):
        wanted = to_text(wanted)
    if record.description is UNSET or not wanted.strip():
        return True
    return text_hash(str(record.description or ""), is_html=False) == text_hash(wanted, is_html=False)
