"""Drafts and the files that hang on them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from helpdesk.accounts.models import User
from helpdesk.actions.models import Attachment, Draft
from helpdesk.tickets.models import Ticket


@transaction.atomic
def draft_to_hold_files(*, user: User, ticket: Ticket | None, now: datetime) -> Draft:
    """The person's draft here, made when there is none: an upload may come before the first word."""
    draft, _made = Draft.objects.get_or_create(user=user, ticket=ticket, defaults={"fields": {}, "saved_at": now})
    return draft


def draft_of(user: User, ticket: Ticket | None) -> Draft | None:
    return Draft.objects.filter(user=user, ticket=ticket).first()


@transaction.atomic
def drop_draft(*, user: User, ticket: Ticket | None) -> None:
    """Sent, or given up: the draft goes, its unsent files too (the sweep takes their bytes)."""
    Draft.objects.filter(user=user, ticket=ticket).delete()


@transaction.atomic
def remove_upload(*, attachment: Attachment) -> None:
    """A person takes back a file that is not sent yet."""
    attachment.file.delete(save=False)
    attachment.delete()


@transaction.atomic
def save_draft(*, user: User, ticket: Ticket | None, fields: Mapping[str, Any], now: datetime) -> Draft | None:
    """Keep what is half typed; an empty form drops the draft, unless files hang on it."""
    if not any(str(v).strip() for k, v in fields.items() if k in {"text", "subject", "description", "time", "outcome"}):
        Draft.objects.filter(user=user, ticket=ticket, attachments=None).delete()
        # With files on it the draft stays, but not the words that were just taken out.
        Draft.objects.filter(user=user, ticket=ticket).update(fields=dict(fields), saved_at=now)
        return None
    draft, _made = Draft.objects.update_or_create(
        user=user, ticket=ticket, defaults={"fields": dict(fields), "saved_at": now}
    )
    return draft
