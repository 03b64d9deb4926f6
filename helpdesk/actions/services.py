"""Say and do things on a ticket. Row, events, time, files and outbox items commit together."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.db import router, transaction
from django.utils.translation import gettext as _

from helpdesk.accounts.models import User
from helpdesk.actions import mails, outcomes
from helpdesk.actions.asked import NewAction as NewAction
from helpdesk.actions.asked import check_action, check_author, check_seconds, too_long
from helpdesk.actions.choices import Kind
from helpdesk.actions.cleaning import clean
from helpdesk.actions.files import request_file as request_file
from helpdesk.actions.hand import AtHand, at_hand
from helpdesk.actions.models import Action, Attachment, Draft, TimeEntry
from helpdesk.actions.sending import send_action, send_time, status_fields
from helpdesk.actions.text import BODY_LIMIT, text_to_html
from helpdesk.core import live
from helpdesk.core.errors import Refused
from helpdesk.core.origin import Origin
from helpdesk.directory.choices import Mailer
from helpdesk.directory.models import Agent, Contact
from helpdesk.outbox import services as outbox
from helpdesk.outbox.choices import Verb
from helpdesk.outbox.models import OutboxItem
from helpdesk.tickets import messages, writing
from helpdesk.tickets import services as tickets
from helpdesk.tickets.choices import FINISHED, Sync
from helpdesk.tickets.models import Status, Ticket
from helpdesk.tickets.search import add_to_search_text


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
    keeps_draft: bool = False,
) -> Action | TimeEntry:
    """Add a note, reply, call or visit, with time, files and a new status, in one go.

    Raises Refused (fields `text`, `seconds`, `status`, `resolution`, `files`, `assignee`) or NeedsConfirmation.
    """
    ticket = writing.hold_ticket(ticket)
    new = outcomes.settled(new)
    # Looked for under the lock: of two presses at once the second waits here and finds the first one's work.
    hand = at_hand(ticket=ticket, user=user, marker=new.marker)
    if hand.known is not None:
        return hand.known
    check_action(ticket, new, now)
    if origin.place == "desk":
        check_author(ticket, new, hand.agent)
    before, was_held = ticket.status, ticket.sla_paused
    if new.assignee is not None:
        tickets.change_held(ticket=ticket, changes={"agent": new.assignee}, origin=origin, now=now)
        hand = replace(hand, last=None)  # the lane has grown
    changes: dict[str, Any] = {}
    if new.status is not None:
        changes["status"] = new.status
    if new.resolution:
        changes["resolution"] = new.resolution
    if new.escalation_reason:
        changes["escalation_reason"] = new.escalation_reason
    if changes:
        tickets.change_held(
            ticket=ticket, changes=changes, origin=origin, now=now, is_confirmed=is_confirmed, leaves=False
        )
    if outcomes.hold_word(new.outcome):
        outcomes.move_clocks(ticket, new.outcome, origin=origin, now=now)
        ticket = writing.hold_ticket(ticket)
    if not new.text.strip() and not new.files and new.outcome is None:
        _drop_draft(hand, new)
        return _time_alone(ticket, new, user, hand, origin, now, hold_seconds, before)
    action = _save_action(ticket, new, user, hand.agent, origin, now)
    entry = _save_time(ticket, new, user, hand.agent, origin, now, action) if new.seconds else None
    item = send_action(ticket, action, new, entry, origin, now, hold_seconds, before, was_held=was_held, last=hand.last)
    mails.queue_for_action(action=action, item=item, before=before, now=now, hold_seconds=hold_seconds)
    for file in new.files:
        attach_file(file=file, ticket=ticket, action=action, is_public=file.pk in new.public_files and not
                    new.is_internal, origin=origin, now=now, after=item, hold_seconds=hold_seconds)  # fmt: skip
    messages.note_on_held(
        ticket=ticket, at=action.occurred_at, is_public=not action.is_internal and action.kind != Kind.SYSTEM, now=now,
        leaves=True,
    )  # fmt: skip
    if not keeps_draft:
        _drop_draft(hand, new)
    add_to_search_text(ticket, action.body)
    return action


@transaction.atomic
def add_client_reply(
    *, ticket: Ticket, contact: Contact, text: str, origin: Origin, now: datetime, marker: str | None = None
) -> Action:
    """The client's own words, by portal or link: public, theirs, and sent to the PSA."""
    ticket = writing.lock_ticket(ticket.pk)
    # Looked for under the lock: of two presses at once the second waits here and finds the first one's work.
    known = Action.objects.filter(marker=marker).first() if marker else None
    if known is not None and known.ticket_id == ticket.pk:
        return known
    # A marker that stands elsewhere was not given by our form: the words count, the marker does not.
    new = NewAction(kind=Kind.REPLY, text=text, is_internal=False, marker=None if known else marker)
    check_action(ticket, new, now)
    if not text.strip():
        raise Refused({"text": _("Write your answer first.")})
    before = ticket.status
    status = messages.resume_for_client(ticket=ticket, origin=origin, now=now)
    if status is not None:
        new, ticket = replace(new, status=status), writing.lock_ticket(ticket.pk)
    action = _save_action(ticket, new, None, None, origin, now)
    action.is_from_client, action.author_contact, action.author_agent = True, contact, None
    action.author_name = str(contact)[:120]
    action.save(update_fields=["is_from_client", "author_contact", "author_agent", "author_name"])
    send_action(ticket, action, new, None, origin, now, 0, before)
    messages.note_client_message(ticket=ticket, at=now, now=now, leaves=True)
    add_to_search_text(ticket, action.body)
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
                raise Refused({"text": too_long(text)})
            action.body, action.body_is_html = text_to_html(text), True
            clean(action)
            action.save()
            fields["body_html"], fields["body_text"] = action.body, text
        entry = TimeEntry.objects.filter(action=action).first()
    else:
        entry = TimeEntry.objects.filter(pk=pk).first()
    if entry is not None and seconds is not None:
        check_seconds(seconds)
        entry.seconds = seconds
        entry.is_billable = entry.is_billable if is_billable is None else is_billable
        entry.save()
        fields["time_seconds"], fields["time_is_billable"] = entry.seconds, entry.is_billable
    if email_to is not None:
        if fields.get("is_to_staff"):
            raise Refused({"email_to": _("This goes to our own people: it cannot be sent to anybody else.")})
        fields["email_to"] = email_to
        if kind == "action":
            action.email_to = email_to
            action.save(update_fields=["email_to"])
            if fields.get("mailed_by") == Mailer.DESK:
                mails.change_recipients(action=action, item=item, now=now)
    return outbox.retry_item(item=item, origin=origin, now=now, fields=fields)


# ---- parts ----------------------------------------------------------------------------------------------------------


def _drop_draft(hand: AtHand, new: NewAction) -> None:
    """What was half typed is sent. Files that hang on it and were not sent stay, without it, until the sweep."""
    if hand.draft_id is None:
        return
    if hand.draft_files - {file.pk for file in new.files}:
        Draft(pk=hand.draft_id).delete()
    else:
        # Nothing points to it any more: the row alone goes, without being read first.
        Draft.objects.filter(pk=hand.draft_id)._raw_delete(using=router.db_for_write(Draft))


def _save_action(
    ticket: Ticket, new: NewAction, user: User | None, agent: Agent | None, origin: Origin, now: datetime
) -> Action:
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
    clean(action)
    action.save()
    action._state.fields_cache["escalation"] = None  # nobody need ask whether a new one tells of any
    return action


def _save_time(
    ticket: Ticket, new: NewAction, user: User | None, agent: Agent | None, origin: Origin, now: datetime,
    action: Action | None, **values: Any,
) -> TimeEntry:  # fmt: skip
    seconds = new.seconds or 0
    return TimeEntry.objects.create(
        ticket=ticket,
        action=action,
        agent=agent,
        user=user,
        author_name=origin.name[:120],
        seconds=seconds,
        is_billable=new.is_billable,
        started_at=(new.occurred_at or now) - timedelta(seconds=seconds),
        ended_at=new.occurred_at or now,
        sync_state=Sync.PENDING,
        **values,
    )


def _time_alone(
    ticket: Ticket, new: NewAction, user: User | None, hand: AtHand, origin: Origin, now: datetime, hold: int,
    before: Status,
) -> TimeEntry:  # fmt: skip
    given = {"marker": new.marker} if new.marker else {}
    entry = _save_time(ticket, new, user, hand.agent, origin, now, None, **given)
    item = send_time(ticket, entry, origin, now, hold, before, more=status_fields(new), last=hand.last)
    was = writing.columns_of(ticket)
    writing.show_pending(ticket)
    ticket.changed_at = now
    writing.save_changed(ticket, was)
    if before.category not in FINISHED:
        mails.queue_status(ticket=ticket, item=item, now=now, hold_seconds=hold)
    live.touch(live.DESK, live.ticket_scope(ticket.pk))
    return entry
