"""Resolve or close a ticket, with what was done as a public summary to the client where somebody wants that."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import transaction

from helpdesk.accounts.models import User
from helpdesk.actions import outcomes
from helpdesk.actions.asked import NewAction
from helpdesk.actions.choices import Kind
from helpdesk.actions.models import Action, TimeEntry
from helpdesk.actions.services import add_action
from helpdesk.core.errors import NeedsConfirmation
from helpdesk.core.origin import Origin
from helpdesk.tickets import rules, writing
from helpdesk.tickets.choices import FINISHED
from helpdesk.tickets.models import Status, Ticket
from helpdesk.tickets.services import change_held


def is_resolving(ticket: Ticket, status: Status | None) -> bool:
    """Whether going to this status ends the work: the moment to tell the client what was done."""
    return status is not None and status.category in FINISHED and ticket.status_category not in FINISHED


def mail_to_contact(ticket: Ticket) -> dict[str, Any]:
    """How a public message of ours reaches the ticket's contact; nobody is mailed where there is no address."""
    email = ticket.contact.email if ticket.contact else ""
    return {"email_to": email, "sends_email": bool(email) and ticket.psa_account.mailer("reply") != "off"}


def _has_field(ticket: Ticket) -> bool:
    return ticket.psa_account.capabilities.get("resolution_field") is not False


@transaction.atomic
def resolve_ticket(
    *, ticket: Ticket, status: Status, text: str, is_shared: bool, origin: Origin, now: datetime, user: User,
    is_confirmed: bool = False, rank: int = 0, reason: str = "",
) -> Ticket:  # fmt: skip
    """To a status that ends the work. `text` becomes the resolution, and a public reply when it is shared.

    One write to the PSA either way; two where a rule leads through another status, which has to be confirmed. Where
    the PSA has no field for a resolution, the text is kept as a note. Pressed twice at once, the second finds the work
    ended under the lock, and tells nobody again. `reason` is why, for a status that escalates instead.
    """
    ticket = writing.hold_ticket(ticket)
    way = rules.choice_of(ticket, status)
    if way.via is not None:
        if not is_confirmed:
            raise NeedsConfirmation(way.said_before)
        on_the_way = resolve_ticket(
            ticket=ticket, status=way.via, text=text, is_shared=is_shared, origin=origin, now=now, user=user,
            is_confirmed=True, rank=rank,
        )  # fmt: skip
        return go_on(ticket=on_the_way, status=status, origin=origin, now=now, rank=rank)
    has_field = _has_field(ticket)
    changes: dict[str, Any]
    if not is_resolving(ticket, status):
        changes = {"status": status, **({"resolution": text} if text and has_field else {})}
        changes |= {"escalation_reason": reason} if reason else {}
        return change_held(ticket=ticket, changes=changes, origin=origin, now=now, is_confirmed=is_confirmed, rank=rank)
    if not text or (has_field and not is_shared):
        changes = {"status": status, **({"resolution": text} if text else {})}
        return change_held(ticket=ticket, changes=changes, origin=origin, now=now, is_confirmed=is_confirmed, rank=rank)
    new = NewAction(kind=Kind.NOTE, text=text, status=status, resolution=text if has_field else "", rank=rank)
    if is_shared:
        new = replace(new, kind=Kind.REPLY, is_internal=False, **mail_to_contact(ticket))
    hold = user.hold_seconds if is_shared else 0
    made = add_action(
        ticket=ticket, new=new, origin=origin, now=now, user=user, hold_seconds=hold, is_confirmed=is_confirmed,
        keeps_draft=True,
    )  # fmt: skip
    return made.ticket


def go_on(*, ticket: Ticket, status: Status, origin: Origin, now: datetime, rank: int = 0) -> Ticket:
    """The second half of a way through another status: a change of its own, sent after the first."""
    held = writing.lock_ticket(ticket.pk)
    held.written_events = ticket.written_events
    return change_held(ticket=held, changes={"status": status}, origin=origin, now=now, is_confirmed=True, rank=rank)


def add_with_summary(
    *, ticket: Ticket, new: NewAction, summary: str, is_shared: bool, origin: Origin, now: datetime, user: User,
    is_confirmed: bool = False, keeps_draft: bool = False,
) -> Action | TimeEntry:  # fmt: skip
    """What the composer sends. A shared summary goes with a public message, or out as a reply beside an internal one.

    The one that carries the new status goes last; words among colleagues never join the client's. A public message
    that resolves says what was done: without a summary it is the resolution. Answers the action the form asked for.
    A status that a rule reaches through another one follows as a change of its own: the form names both.
    """
    new, summary = outcomes.settled(new), summary.strip()
    way = rules.choice_of(ticket, new.status) if new.status is not None else None
    if way is not None and way.via is not None:
        with transaction.atomic():
            made = add_with_summary(
                ticket=ticket, new=replace(new, status=way.via, outcome=None), summary=summary, is_shared=is_shared,
                origin=origin, now=now, user=user, is_confirmed=is_confirmed, keeps_draft=keeps_draft,
            )  # fmt: skip
            made.ticket = go_on(ticket=made.ticket, status=way.status, origin=origin, now=now, rank=new.rank)
            return made
    if not summary:
        is_told = not new.is_internal and is_resolving(ticket, new.status) and not ticket.resolution
        words = new.text.strip() if is_told and _has_field(ticket) else ""
        return add_action(
            ticket=ticket, new=replace(new, resolution=words), origin=origin, now=now, user=user,
            hold_seconds=0 if new.is_internal else user.hold_seconds, is_confirmed=is_confirmed,
            keeps_draft=keeps_draft,
        )  # fmt: skip
    with transaction.atomic():
        return _with_summary(ticket, new, summary, is_shared, origin, now, user, is_confirmed, keeps_draft)


def _with_summary(
    ticket: Ticket, new: NewAction, summary: str, is_shared: bool, origin: Origin, now: datetime, user: User,
    is_confirmed: bool, keeps_draft: bool,
) -> Action | TimeEntry:  # fmt: skip
    def add(one: NewAction) -> Action | TimeEntry:
        hold = 0 if one.is_internal else user.hold_seconds
        return add_action(
            ticket=ticket, new=one, origin=origin, now=now, user=user, hold_seconds=hold, is_confirmed=is_confirmed,
            keeps_draft=keeps_draft,
        )  # fmt: skip

    marker = str(uuid.uuid5(uuid.UUID(new.marker), "summary")) if new.marker else None
    has_field = _has_field(ticket)
    new = replace(new, resolution=summary if has_field else "")
    if summary and not has_field and not is_shared:
        add(NewAction(text=summary, marker=marker, rank=new.rank))  # the PSA has no place for it but among the notes
    if not (is_shared and summary and is_resolving(ticket, new.status)):
        return add(new)
    if not new.is_internal:
        words = new.text.strip()
        return add(new if summary in words else replace(new, text=f"{words}\n\n{summary}".strip()))
    public = {"kind": Kind.REPLY, "is_internal": False, **mail_to_contact(ticket)}
    if new.outcome is None and not new.text.strip() and not new.files:
        return add(replace(new, text=summary, **public))
    reply = NewAction(text=summary, marker=marker, rank=new.rank, **public)
    if new.outcome is not None:
        add(reply)
        return add(new)
    made = add(replace(new, status=None, resolution=""))
    add(replace(reply, status=new.status, resolution=new.resolution))
    return made
