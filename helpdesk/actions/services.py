"""Say and do things on a ticket. Row, events, time, files and outbox items commit together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from helpdesk.accounts.models import User
from helpdesk.actions.choices import Kind
from helpdesk.actions.files import request_file as request_file
from helpdesk.actions.models import Action, Attachment, Draft, Outcome, TimeEntry
from helpdesk.actions.text import BODY_LIMIT, CLEANER_VERSION, cleaned_body, text_to_html
from helpdesk.core import live
from helpdesk.core.errors import Refused
from helpdesk.core.origin import Origin
from helpdesk.directory.models import Contact
from helpdesk.directory.services import agent_of
from helpdesk.outbox import services as outbox
from helpdesk.outbox.choices import Verb
from helpdesk.outbox.models import OutboxItem
from helpdesk.tickets import services as tickets
from helpdesk.tickets.choices import Sync
from helpdesk.tickets.fields import spell
from helpdesk.tickets.models import Status, Ticket
from helpdesk.tickets.search import refresh_search_text

MAX_SECONDS = 24 * 3600
"""The most time one entry may hold."""


@dataclass(frozen=True, kw_only=True)
class NewAction:
    """What a person asks for in one press. Internal unless `is_internal` says otherwise.

    `seconds` books time with it; a `text` that is empty books time alone. `status` is the status afterwards.
    """

    kind: Kind = Kind.NOTE
    text: str = ""
    is_internal: bool = True
    seconds: int | None = None
    is_billable: bool = True
    status: Status | None = None
    resolution: str = ""
    outcome: Outcome | None = None
    email_to: str = ""
    email_cc: str = ""
    sends_email: bool = False
    files: Sequence[Attachment] = ()
    public_files: frozenset[int] = frozenset()
    """Keys of the files the client may see."""
    occurred_at: datetime | None = None
    marker: str | None = None
    """The form's own UUID: sent twice, it is one action."""


@transaction.atomic
def add_action(
    *,
    ticket: Ticket,
    new: NewAction,
    origin: Origin,
    now: datetime,
    user: User | None = None,
    hold_seconds: int = 0,
    is_confirmed: bool = False,
) -> Action | TimeEntry:
    """Add a note, reply, call or visit, with time, files and a new status, in one go.

    Raises Refused (fields `text`, `seconds`, `status`, `resolution`, `files`) or NeedsConfirmation.
    """
    ticket = tickets.lock_ticket(ticket.pk)
    # Looked for under the lock: of two presses at once the second waits here and finds the first one's work.
    known = _known(new.marker)
    if known is not None:
        return known
    _check(ticket, new, now)
    before = ticket.status
    changes: dict[str, Any] = {}
    if new.status is not None:
        changes["status"] = new.status
    if new.resolution:
        changes["resolution"] = new.resolution
    if changes:
        ticket = tickets.change_ticket(
            ticket=ticket, changes=changes, origin=origin, now=now, is_confirmed=is_confirmed, leaves=False
        )
    if not new.text.strip() and not new.files:
        if user is not None:
            Draft.objects.filter(user=user, ticket=ticket).delete()
        return _time_alone(ticket, new, user, origin, now, hold_seconds, before)
    action = _save_action(ticket, new, user, origin, now)
    entry = _save_time(ticket, new, user, origin, now, action) if new.seconds else None
    item = _send(ticket, action, new, entry, origin, now, hold_seconds, before)
    for file in new.files:
        attach_file(file=file, ticket=ticket, action=action, is_public=file.pk in new.public_files and not
                    new.is_internal, origin=origin, now=now, after=item, hold_seconds=hold_seconds)  # fmt: skip
    tickets.note_staff_message(
        ticket=ticket, at=action.occurred_at, is_public=not action.is_internal and action.kind != Kind.SYSTEM, now=now
    )
    if user is not None:
        Draft.objects.filter(user=user, ticket=ticket).delete()
    refresh_search_text(ticket)
    return action


@transaction.atomic
def add_client_reply(
    *, ticket: Ticket, contact: Contact, text: str, origin: Origin, now: datetime, marker: str | None = None
) -> Action:
    """The client's own words, by portal or link: public, theirs, and sent to the PSA."""
    known = Action.objects.filter(marker=marker).first() if marker else None
    if known:
        return known
    ticket = tickets.lock_ticket(ticket.pk)
    new = NewAction(kind=Kind.REPLY, text=text, is_internal=False, marker=marker)
    _check(ticket, new, now)
    if not text.strip():
        raise Refused({"text": _("Write your answer first.")})
    before = ticket.status
    status = tickets.resume_for_client(ticket=ticket, origin=origin, now=now)
    if status is not None:
        new, ticket = replace(new, status=status), tickets.lock_ticket(ticket.pk)
    action = _save_action(ticket, new, None, origin, now)
    action.is_from_client, action.author_contact, action.author_agent = True, contact, None
    action.author_name = str(contact)[:120]
    action.save(update_fields=["is_from_client", "author_contact", "author_agent", "author_name"])
    _send(ticket, action, new, None, origin, now, 0, before)
    tickets.note_client_message(ticket=ticket, at=now, now=now)
    refresh_search_text(ticket)
    return action


@transaction.atomic
def attach_file(
    *,
    file: Attachment,
    ticket: Ticket,
    action: Action | None,
    is_public: bool,
    origin: Origin,
    now: datetime,
    after: OutboxItem | None = None,
    hold_seconds: int = 0,
) -> OutboxItem:
    """Tie a stored file to a ticket and put its upload into the outbox."""
    file.ticket, file.action, file.is_public, file.draft = ticket, action, is_public, None
    file.psa_account_id, file.sync_state = ticket.psa_account_id, Sync.PENDING
    file.save()
    Ticket.objects.filter(pk=ticket.pk).update(attachment_count=ticket.attachments.filter(removed_at=None).count())
    return outbox.enqueue(
        psa_account_id=ticket.psa_account_id,
        lane=ticket.lane,
        verb=Verb.UPLOAD_FILE,
        subject=f"attachment:{file.pk}",
        fields={"name": file.name, "is_public": is_public},
        origin=origin,
        now=now,
        depends_on=after,
        hold_seconds=hold_seconds,
    )


@transaction.atomic
def edit_refused(
    *, item: OutboxItem, origin: Origin, now: datetime, text: str | None = None, seconds: int | None = None,
    is_billable: bool | None = None, email_to: str | None = None,
) -> OutboxItem:  # fmt: skip
    """Change what the PSA refused and send it again. Only what is named changes."""
    fields = dict(item.fields)
    kind, _sep, pk = item.subject.partition(":")
    if kind == "action":
        action = Action.objects.select_for_update().get(pk=pk)
        if text is not None:
            if len(text) > BODY_LIMIT:
                raise Refused({"text": _too_long(text)})
            action.body, action.body_is_html = text_to_html(text), True
            _clean(action)
            action.save()
            fields["body_html"], fields["body_text"] = action.body, text
        entry = TimeEntry.objects.filter(action=action).first()
    else:
        entry = TimeEntry.objects.filter(pk=pk).first()
    if entry is not None and seconds is not None:
        _check_seconds(seconds)
        entry.seconds = seconds
        entry.is_billable = entry.is_billable if is_billable is None else is_billable
        entry.save()
        fields["time_seconds"], fields["time_is_billable"] = entry.seconds, entry.is_billable
    if email_to is not None:
        fields["email_to"] = email_to
    return outbox.retry_item(item=item, origin=origin, now=now, fields=fields)


def cleaned(actions: Iterable[Action]) -> None:
    """Make sure that each action's cleaned text is of today's cleaner; stale ones are written back."""
    stale = [a for a in actions if a.cleaner_version != CLEANER_VERSION]
    for action in stale:
        _clean(action)
    Action.objects.bulk_update(stale, ["body_clean", "cleaner_version"], batch_size=100)


def clean_description(ticket: Ticket) -> str:
    """The ticket's description, cleaned; a stale one is written back."""
    if ticket.cleaner_version != CLEANER_VERSION:
        ticket.description_clean = cleaned_body(
            ticket.description, is_html=ticket.description_is_html, ticket_id=ticket.pk
        )
        ticket.cleaner_version = CLEANER_VERSION
        Ticket.objects.filter(pk=ticket.pk).update(
            description_clean=ticket.description_clean, cleaner_version=CLEANER_VERSION
        )
    return ticket.description_clean


def clean_stale(*, limit: int = 500) -> int:
    """Clean a batch that an older cleaner (or none) has seen. Counts what was done."""
    stale = list(Action.objects.exclude(cleaner_version=CLEANER_VERSION).order_by("-pk")[:limit])
    cleaned(stale)
    return len(stale)


@transaction.atomic
def save_draft(*, user: User, ticket: Ticket | None, fields: Mapping[str, Any], now: datetime) -> Draft | None:
    """Keep what is half typed; an empty form drops the draft, unless files hang on it."""
    if not any(str(v).strip() for k, v in fields.items() if k in {"text", "subject", "description", "time"}):
        Draft.objects.filter(user=user, ticket=ticket, attachments=None).delete()
        # With files on it the draft stays, but not the words that were just taken out.
        Draft.objects.filter(user=user, ticket=ticket).update(fields=dict(fields), saved_at=now)
        return None
    draft, _made = Draft.objects.update_or_create(
        user=user, ticket=ticket, defaults={"fields": dict(fields), "saved_at": now}
    )
    return draft


# ---- parts ----------------------------------------------------------------------------------------------------------


def _known(marker: str | None) -> Action | TimeEntry | None:
    """What this very form has made already."""
    if not marker:
        return None
    return Action.objects.filter(marker=marker).first() or TimeEntry.objects.filter(marker=marker).first()


def _too_long(text: str) -> str:
    return _("This has %(has)d characters; %(most)d can be sent. Attach long text as a file.") % {
        "has": len(text),
        "most": BODY_LIMIT,
    }


def _check_seconds(seconds: int) -> None:
    if not 0 < seconds <= MAX_SECONDS:
        raise Refused({"seconds": _("Time must be more than nothing and at most 24 hours.")})


def _check(ticket: Ticket, new: NewAction, now: datetime) -> None:
    errors: dict[str, str] = {}
    if "\x00" in new.text:
        errors["text"] = _("This holds a character that cannot be kept (NUL).")
    elif len(new.text) > BODY_LIMIT:
        errors["text"] = _too_long(new.text)
    elif not new.text.strip() and not new.seconds and not new.files:
        errors["text"] = _("Write something, or enter time.")
    if new.kind == Kind.REPLY and not new.text.strip() and not new.files and new.seconds:
        errors["text"] = _("A reply needs words. Time alone can be saved as an internal note.")
    if new.seconds is not None and not 0 < new.seconds <= MAX_SECONDS:
        errors["seconds"] = _("Time must be more than nothing and at most 24 hours.")
    if new.occurred_at is not None and new.occurred_at > now + timedelta(minutes=5):
        errors["occurred_at"] = _("This lies in the future.")
    if new.outcome is not None and new.outcome.must_add_note and not new.text.strip():
        errors["text"] = _("This outcome needs a note.")
    if new.outcome is not None and new.outcome.must_assign and ticket.agent_id is None:
        errors["outcome"] = _("This outcome needs an owner first.")
    if new.files and not ticket.psa_account.can("attachments_upload"):
        errors["files"] = _("%(psa)s takes no files.") % {"psa": ticket.psa_account.title}
    if errors:
        raise Refused(errors)


def _save_action(ticket: Ticket, new: NewAction, user: User | None, origin: Origin, now: datetime) -> Action:
    agent = agent_of(user.pk, ticket.psa_account_id) if user else None
    action = Action(
        ticket=ticket,
        kind=new.kind,
        is_internal=new.is_internal,
        body=text_to_html(new.text),
        body_is_html=True,
        author_agent=agent,
        author_user=user,
        author_name=origin.name[:120],
        occurred_at=new.occurred_at or now,
        outcome=new.outcome,
        email_to=new.email_to,
        email_cc=new.email_cc,
        sends_email=new.sends_email,
        new_status=new.status,
        sync_state=Sync.PENDING,
    )
    if new.marker:
        action.marker = new.marker  # type: ignore[assignment]
    _clean(action)
    action.save()
    return action


def _save_time(
    ticket: Ticket, new: NewAction, user: User | None, origin: Origin, now: datetime, action: Action | None
) -> TimeEntry:
    seconds = new.seconds or 0
    return TimeEntry.objects.create(
        ticket=ticket,
        action=action,
        agent=agent_of(user.pk, ticket.psa_account_id) if user else None,
        user=user,
        author_name=origin.name[:120],
        seconds=seconds,
        is_billable=new.is_billable,
        started_at=(new.occurred_at or now) - timedelta(seconds=seconds),
        ended_at=new.occurred_at or now,
        sync_state=Sync.PENDING,
    )


def _time_alone(
    ticket: Ticket, new: NewAction, user: User | None, origin: Origin, now: datetime, hold: int, before: Status
) -> TimeEntry:
    entry = _save_time(ticket, new, user, origin, now, None)
    if new.marker:
        entry.marker = new.marker  # type: ignore[assignment]
        entry.save(update_fields=["marker"])
    fields = {
        "kind": "time",
        "body_html": "",
        "body_text": "",
        "is_internal": True,
        "marker": str(entry.marker),
        "occurred_at": _iso(entry.ended_at),
        "time_seconds": entry.seconds,
        "time_is_billable": entry.is_billable,
        "author_agent": entry.agent.remote_id if entry.agent else None,
        "author_name": entry.author_name,
        **_status_fields(new),
    }
    _enqueue_action(ticket, f"time:{entry.pk}", fields, origin, now, hold, before)
    live.touch(live.DESK, live.ticket_scope(ticket.pk))
    return entry


def _status_fields(new: NewAction) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if new.status is not None:
        fields["new_status"] = spell("status", new.status)
    if new.resolution:
        fields["resolution"] = new.resolution
    if new.outcome is not None:
        fields["outcome"] = new.outcome.remote_id
    return fields


def _send(
    ticket: Ticket, action: Action, new: NewAction, entry: TimeEntry | None, origin: Origin, now: datetime,
    hold: int, before: Status,
) -> OutboxItem:  # fmt: skip
    fields = {
        "kind": action.kind,
        "body_html": action.body,
        "body_text": new.text,
        "is_internal": action.is_internal,
        "marker": str(action.marker),
        "occurred_at": _iso(action.occurred_at),
        "send_email": action.sends_email,
        "email_to": action.email_to,
        "email_cc": action.email_cc,
        "author_agent": action.author_agent.remote_id if action.author_agent else None,
        "author_name": action.author_name,
        "is_from_client": action.is_from_client,
        **_status_fields(new),
    }
    if entry is not None:
        fields |= {"time_seconds": entry.seconds, "time_is_billable": entry.is_billable}
    return _enqueue_action(ticket, action.subject_key, fields, origin, now, hold, before)


def _enqueue_action(
    ticket: Ticket, subject: str, fields: dict[str, Any], origin: Origin, now: datetime, hold: int, before: Status
) -> OutboxItem:
    return outbox.enqueue(
        psa_account_id=ticket.psa_account_id,
        lane=ticket.lane,
        verb=Verb.CREATE_ACTION,
        subject=subject,
        fields=fields,
        base={"status": before.remote_id} if "new_status" in fields else {},
        origin=origin,
        now=now,
        hold_seconds=hold,
    )


def _iso(at: datetime) -> str:
    return at.isoformat()


def _clean(action: Action) -> None:
    action.body_clean = cleaned_body(action.body, is_html=action.body_is_html, ticket_id=action.ticket_id)
    action.cleaner_version = CLEANER_VERSION
