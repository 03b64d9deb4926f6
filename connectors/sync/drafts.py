"""An outbox item as what a connector takes: canonical fields, an action, or a file."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, BinaryIO, cast

from connectors.base.records import ActionDraft, FileDraft
from helpdesk.actions.models import Attachment
from helpdesk.directory.models import PsaAccount
from helpdesk.outbox.models import OutboxItem
from helpdesk.tickets.fields import FIELDS
from helpdesk.tickets.models import Ticket


def ticket_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Fields as the outbox spells them, instants read again."""
    return {name: _value(name, value) for name, value in fields.items()}


def _value(name: str, value: Any) -> Any:
    if name in FIELDS and FIELDS[name].is_instant and isinstance(value, str):
        return instant(value)
    return value


def instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def action_draft(item: OutboxItem, *, account: PsaAccount, ticket: Ticket) -> ActionDraft:
    """A note, reply, call, visit or time. A client's words are sent as theirs, and mailed to nobody."""
    fields = item.fields
    by_client = bool(fields.get("is_from_client"))
    is_internal = bool(fields.get("is_internal", True))
    mailed_by = fields.get("mailed_by", account.mailer("reply"))
    is_to_staff = bool(fields.get("is_to_staff")) and is_internal
    mails = bool(fields.get("send_email")) and mailed_by == "psa" and not by_client and is_to_staff == is_internal
    body_html, body_text = str(fields.get("body_html") or ""), str(fields.get("body_text") or "")
    name = str(fields.get("author_name") or "")
    if by_client and not account.can("contact_as_author"):
        body_html = f"<p><b>{html.escape(name)}</b> wrote:</p>{body_html}"
        body_text = f"{name} wrote:\n\n{body_text}"
    return ActionDraft(
        ticket=str(ticket.remote_id),
        kind=str(fields.get("kind") or "note"),
        body_html=body_html,
        body_text=body_text,
        is_internal=is_internal,
        marker=str(fields.get("marker") or item.idempotency_key),
        occurred_at=instant(str(fields["occurred_at"])),
        outcome=fields.get("outcome"),
        new_status=fields.get("new_status"),
        time_seconds=fields.get("time_seconds"),
        time_is_billable=bool(fields.get("time_is_billable", True)),
        send_email=mails,
        email_to=str(fields.get("email_to") or "") if mails else "",
        email_cc=str(fields.get("email_cc") or "") if mails else "",
        is_to_staff=mails and is_to_staff,
        title=str(fields.get("title") or ""),
        author_agent=None if by_client else fields.get("author_agent"),
        author_name="" if by_client else name,
        resolution=fields.get("resolution"),
        escalation_reason=fields.get("escalation_reason"),
    )


def file_draft(
    attachment: Attachment, *, ticket: Ticket, on_progress: Callable[[int], None] | None = None
) -> FileDraft:
    """A stored file; each `open` begins at byte 0."""
    action = attachment.action
    return FileDraft(
        ticket=str(ticket.remote_id),
        name=attachment.name,
        content_type=attachment.content_type,
        size=attachment.size or 0,
        is_public=attachment.is_public,
        sha256=attachment.sha256,
        open=lambda: cast(BinaryIO, attachment.file.storage.open(str(attachment.file.name), "rb")),
        action=action.remote_id if action else None,
        on_progress=on_progress,
    )
