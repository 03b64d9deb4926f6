"""Mails that this desk sends, to the client or to our own people: written with their act, claimed, and settled.

What a mail says is put together by the portal when it leaves. Three rules stand here:

- An internal action is never mailed to a client: none is queued for it, and the portal looks again before each sending.
- A mail waits until the PSA has accepted what it tells of, so that a reply which was refused and then discarded has
  not reached the client behind everybody's back. A PSA that does not answer at all is waited for at most `PATIENCE`:
  the client's answer then counts for more. What it refused waits for a person without limit. Should a reply be
  discarded after its mail has left, it stays on the ticket.
- One act, one mail: `key` is unique, a claim is a conditional update, and a worker that lost its lease changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import connection, transaction

from helpdesk.actions.addresses import only_address, read_addresses
from helpdesk.actions.choices import Kind, MailState, Occasion
from helpdesk.actions.models import Action, ClientMail, Escalation
from helpdesk.core import bell, live
from helpdesk.core.errors import Stale
from helpdesk.directory.choices import Mailer
from helpdesk.outbox.choices import State, Verb
from helpdesk.outbox.models import OutboxItem
from helpdesk.tickets.choices import FINISHED
from helpdesk.tickets.models import Status, Ticket

PATIENCE = timedelta(minutes=15)
SECOND_THOUGHTS = timedelta(seconds=20)
"""A status is undone with a press while its toast stands; a mail cannot be, so it waits that long."""
LEASE_SECONDS = 120
BACKOFF_SECONDS = (30, 120, 600, 1800, 3600, 7200)
"""Between the tries; after the last one a person is needed."""
TASK = "portal.mail_due"


def mailed_by(ticket: Ticket, occasion: Occasion) -> str:
    """Who tells the client on this occasion: psa, desk or off."""
    return ticket.psa_account.mailer(occasion)


def mailer_of(ticket: Ticket, action: Action) -> str:
    """Who mails this reply, settled at the press: a setting changed later makes neither two mails nor none."""
    mails_it = action.kind == Kind.REPLY and action.sends_email and not (action.is_internal or action.is_from_client)
    return mailed_by(ticket, Occasion.REPLY) if mails_it else Mailer.OFF.value


# ---- queue ----------------------------------------------------------------------------------------------------------


def queue_acknowledgement(*, ticket: Ticket, now: datetime) -> ClientMail | None:
    """Tell the contact that their request is here; called in the transaction that creates the ticket."""
    if mailed_by(ticket, Occasion.ACKNOWLEDGEMENT) != Mailer.DESK or ticket.contact is None:
        return None
    item = OutboxItem.objects.in_lane(ticket.lane).filter(verb=Verb.CREATE_TICKET).first()
    return _queue(
        key=f"acknowledgement:{ticket.pk}", occasion=Occasion.ACKNOWLEDGEMENT, ticket=ticket, item=item,
        to=only_address(ticket.contact.email), now=now, at=now,
    )  # fmt: skip


def queue_for_action(*, action: Action, item: OutboxItem, before: Status, now: datetime, hold_seconds: int) -> None:
    """The client's mails of one press: the reply, which also says that it is solved, else the status alone."""
    by_desk = item.fields.get("mailed_by") == Mailer.DESK
    if by_desk and queue_reply(action=action, item=item, now=now, hold_seconds=hold_seconds, is_first=True):
        return
    if before.category not in FINISHED:
        queue_status(ticket=action.ticket, item=item, now=now, hold_seconds=hold_seconds)


def queue_reply(
    *, action: Action, item: OutboxItem, now: datetime, hold_seconds: int = 0, is_first: bool = False
) -> ClientMail | None:
    """Mail a public reply of ours to whom the composer named. Refuses what the client may not read.

    `is_first`: the reply was made in this very transaction, so no mail of it can be there to look for.
    """
    if action.kind != Kind.REPLY or action.is_internal or action.is_from_client:
        return None
    return _queue(
        key=f"reply:{action.pk}", occasion=Occasion.REPLY, ticket=action.ticket, action=action, item=item,
        to=action.email_to, cc=action.email_cc, now=now, at=now + timedelta(seconds=hold_seconds), is_first=is_first,
    )  # fmt: skip


def queue_status(*, ticket: Ticket, item: OutboxItem | None, now: datetime, hold_seconds: int = 0) -> ClientMail | None:
    """Tell the contact that their request is solved or closed."""
    if mailed_by(ticket, Occasion.STATUS) != Mailer.DESK or ticket.contact is None or not ticket.is_finished:
        return None
    return _queue(
        key=f"status:{ticket.pk}:{now.timestamp():.6f}", occasion=Occasion.STATUS, ticket=ticket, item=item,
        to=only_address(ticket.contact.email), now=now, at=now + max(SECOND_THOUGHTS, timedelta(seconds=hold_seconds)),
    )  # fmt: skip


def queue_escalation(*, made: Escalation, to: Sequence[str], now: datetime) -> ClientMail | None:
    """Tell our own people, at once: what they are told of stands here whatever becomes of it in the PSA."""
    key = f"escalation:{made.action_id}" if made.action_id else f"escalated:{made.pk}"
    return _queue(
        key=key, occasion=Occasion.ESCALATION, ticket=made.ticket, action=made.action, item=None, to=", ".join(to),
        now=now, at=now, escalation=made,
    )  # fmt: skip


def _queue(
    *, key: str, occasion: Occasion, ticket: Ticket, item: OutboxItem | None, to: str, now: datetime, at: datetime,
    action: Action | None = None, cc: str = "", is_first: bool = False, escalation: Escalation | None = None,
) -> ClientMail | None:  # fmt: skip
    first = read_addresses(to)
    copies = [a for a in read_addresses(cc) if a not in first]
    if not first and not copies:
        return None
    columns = {
        "occasion": occasion, "ticket": ticket, "action": action, "escalation": escalation, "item": item,
        "to": ", ".join(first),
        "cc": ", ".join(copies), "not_before_at": at, "patience_until": at + PATIENCE, "created_at": now,
    }  # fmt: skip
    if is_first:
        mail = ClientMail.objects.create(key=key, **columns)
    else:
        mail, _made = ClientMail.objects.get_or_create(key=key, defaults=columns)
    if item is None and at <= now:
        ring_on_commit()
    return mail


# ---- what becomes of the change a mail tells of ---------------------------------------------------------------------


def follow_item(*, item: OutboxItem, now: datetime) -> None:
    """The change a mail waits for has moved: accepted, refused, tried again or given up."""
    waiting = ClientMail.objects.filter(item=item, state__in=[MailState.WAITING, MailState.FAILED])
    if item.state == State.DONE:
        if waiting.exists():
            ring_on_commit()
    elif item.state == State.REFUSED:
        waiting.update(patience_until=None)
    elif item.state == State.WAITING:
        waiting.filter(patience_until=None).update(patience_until=now + PATIENCE)
    elif item.state == State.DISCARDED:
        waiting.update(state=MailState.CANCELLED, error_text="")


def change_recipients(*, action: Action, item: OutboxItem, now: datetime) -> None:
    """A refused reply goes to somebody else now; what has left stays as it was."""
    queue_reply(action=action, item=item, now=now)
    still_here = ClientMail.objects.filter(action=action, state__in=[MailState.WAITING, MailState.FAILED])
    still_here.update(to=", ".join(read_addresses(action.email_to)))


def psa_acknowledges(ticket: Ticket) -> bool:
    """Whether the PSA tells the contact that the ticket is there; never when a mail of ours is written already."""
    return (
        mailed_by(ticket, Occasion.ACKNOWLEDGEMENT) == Mailer.PSA
        and not ClientMail.objects.filter(ticket=ticket, occasion=Occasion.ACKNOWLEDGEMENT).exists()
    )


def has_left(action_id: int) -> bool:
    """Whether the client has been mailed this action."""
    return ClientMail.objects.filter(action=action_id).left().exists()


# ---- deliver --------------------------------------------------------------------------------------------------------


def claim(*, now: datetime) -> ClientMail | None:
    """Take one due mail. Its fence number is what its results must show."""
    for pk, fence in ClientMail.objects.due(now).values_list("pk", "fence")[:4]:
        free = ClientMail.objects.unsent().filter(pk=pk, fence=fence)
        lease = now + timedelta(seconds=LEASE_SECONDS)
        if free.update(state=MailState.SENDING, fence=fence + 1, lease_until=lease):
            return ClientMail.objects.select_related("ticket__psa_account").get(pk=pk)
    return None


def complete(*, mail: ClientMail, now: datetime) -> bool:
    """The mail server has taken it."""
    return _settle(mail, state=MailState.SENT, sent_at=now, attempts=mail.attempts + 1, error_text="")


def postpone(*, mail: ClientMail, text: str, now: datetime, is_final: bool = False) -> bool:
    """It could not be handed over: again later, or a person is needed."""
    tries = mail.attempts + 1
    if is_final or tries > len(BACKOFF_SECONDS):
        return _settle(mail, state=MailState.FAILED, attempts=tries, error_text=_short(text))
    at = now + timedelta(seconds=BACKOFF_SECONDS[tries - 1])
    return _settle(mail, state=MailState.WAITING, attempts=tries, error_text=_short(text), not_before_at=at)


def cancel(*, mail: ClientMail, text: str) -> bool:
    """There is nothing to tell any more."""
    return _settle(mail, state=MailState.CANCELLED, error_text=_short(text))


@transaction.atomic
def _settle(mail: ClientMail, **values: object) -> bool:
    held = ClientMail.objects.filter(pk=mail.pk, fence=mail.fence, state=MailState.SENDING)
    if not held.update(lease_until=None, **values):
        return False
    mail.refresh_from_db()
    live.touch(live.ticket_scope(mail.ticket_id), live.HEALTH)
    return True


@transaction.atomic
def retry_mail(*, mail: ClientMail, now: datetime) -> None:
    """Try a failed mail again. Stale when it is not failed any more."""
    _decide(mail, state=MailState.WAITING, attempts=0, not_before_at=now)
    ring_on_commit()


@transaction.atomic
def give_up_mail(*, mail: ClientMail) -> None:
    """A person decides that a failed mail is not to be sent."""
    _decide(mail, state=MailState.CANCELLED)


def _decide(mail: ClientMail, **values: object) -> None:
    if not ClientMail.objects.failed().filter(pk=mail.pk).update(lease_until=None, **values):
        raise Stale("this mail has not failed")
    live.touch(live.ticket_scope(mail.ticket_id), live.HEALTH)


def ring_on_commit() -> None:
    """Ask for a worker once the transaction has committed; the same wish twice is one."""
    if not any(waiting[1] is _ring for waiting in connection.run_on_commit):
        transaction.on_commit(_ring, robust=True)


def _ring() -> None:
    bell.ring(TASK)


def _short(text: str) -> str:
    return " ".join(text.split())[:300]
