"""Escalate a ticket: the reason, its new owner and priority, an internal note, and who is to know, in one act.

Where the PSA has a status for it the ticket goes there; everywhere our own `escalated_at` marks it. Who is told gets a
notice in the desk at once, and a mail: by the PSA as an internal action of its own where it can (`staff_mail`), else by
this desk. Nothing of it ever goes to a client.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from helpdesk.accounts.choices import Role
from helpdesk.accounts.models import User
from helpdesk.actions import notices, telling, wishes
from helpdesk.actions.asked import NewAction
from helpdesk.actions.choices import Trigger
from helpdesk.actions.models import Action, Escalation, Notice
from helpdesk.actions.services import add_action
from helpdesk.actions.summary import mail_subject, summary_lines, ticket_address
from helpdesk.actions.telling import staff_addresses
from helpdesk.core.errors import Refused
from helpdesk.core.origin import Origin
from helpdesk.directory.models import Agent, Team
from helpdesk.tickets import writing
from helpdesk.tickets.choices import Category
from helpdesk.tickets.models import Priority, Status, Ticket
from helpdesk.tickets.services import change_held

MOST_LETTERS = 2000
"""Of a reason: it is read on a phone, and every PSA has room for it."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a person asks for. `agent` and `priority` None = as they are; `marker` is the form's own UUID."""

    reason: str
    agent: Agent | None = None
    priority: Priority | None = None
    marker: str | None = None
    is_confirmed: bool = False


@transaction.atomic
def escalate_ticket(
    *, ticket: Ticket, asked: Asked, user: User, origin: Origin, now: datetime, rank: int = 0
) -> Escalation:
    """Escalate it once, however often the same form arrives. Raises Refused (`reason`, `agent`, ...) or
    NeedsConfirmation.

    The note leaves before the new values: a PSA that wants the reason in its own words finds it there already.
    """
    ticket = writing.hold_ticket(ticket)
    # Looked for under the lock: of two presses at once the second waits here and finds the first one's work.
    known = Escalation.objects.filter(action__marker=asked.marker, ticket=ticket).first() if asked.marker else None
    if known is not None:
        return known
    reason = _checked(ticket, asked)
    if asked.marker and Action.objects.filter(marker=asked.marker).exists():
        asked = replace(asked, marker=None)  # it was not given by our form: the act counts, the marker does not
    told = people_to_tell(ticket, but=user)
    changes = _changes(ticket, asked, reason)
    note = _note(ticket, asked, reason, told)
    action = _said(ticket, NewAction(text=note, marker=asked.marker, rank=rank), user, origin, now)
    # Stands there before the status: who hears of that finds it, and tells nobody a second time.
    made = Escalation.objects.create(
        ticket=ticket, action=action, reason=reason, user=user, told=telling.names(told), at=now
    )
    held = change_held(
        ticket=writing.hold_ticket(ticket), changes=changes, origin=origin, now=now, is_confirmed=asked.is_confirmed,
        rank=rank,
    )  # fmt: skip
    mark(ticket=held, reason=reason, now=now)
    made.ticket = held
    _tell(made, told, user, origin, now, rank)
    writing.tell_pages(held)
    return made


@transaction.atomic
def escalated_by_status(*, ticket: Ticket, user: User, origin: Origin, now: datetime) -> Escalation | None:
    """A person chose the status in which its PSA keeps what is escalated: the same people are told, and it is marked.

    None when the status came with `escalate_ticket`, which has done so.
    """
    if Escalation.objects.on_tickets([ticket.pk]).of_trigger(Trigger.PERSON).filter(user=user, at=now).exists():
        return None
    told = people_to_tell(ticket, but=user)
    reason = ticket.escalation_reason.strip() or _("Moved to %(status)s") % {"status": ticket.status}
    mark(ticket=ticket, reason=reason, now=now)
    made = Escalation.objects.create(ticket=ticket, reason=reason, user=user, told=telling.names(told), at=now)
    telling.tell(made=made, people=told, now=now)
    return made


@transaction.atomic
def take_back(*, ticket: Ticket, at: datetime, user_id: int, now: datetime) -> bool:
    """What came with a press that was undone: the mark goes, unless something else stands behind it.

    Those who were told keep their notice, which says so; a mail that has not left never does.
    """
    mine = Escalation.objects.on_tickets([ticket.pk]).of_trigger(Trigger.PERSON).going_on()
    made = mine.filter(user=user_id, at=at).first()
    if made is None:
        return False
    Escalation.objects.filter(pk=made.pk).update(ended_at=now)
    rest = list(ticket.escalations.going_on().marking())
    ticket.escalated_at = rest[0].at if rest else None
    if ticket.escalation_reason == made.reason:
        ticket.escalation_reason = rest[-1].reason if rest else ""
    ticket.save(update_fields=["escalated_at", "escalation_reason"])
    writing.tell_pages(ticket)
    return True


def mark(*, ticket: Ticket, reason: str, now: datetime) -> None:
    """It counts as escalated from the first time on; the reason is the last one."""
    ticket.escalation_reason, ticket.escalated_at = reason, ticket.escalated_at or now
    ticket.save(update_fields=["escalation_reason", "escalated_at"])


def check_reason(text: str) -> str:
    """The reason as it is kept. Raises Refused."""
    reason, problem = text.strip(), ""
    if not reason:
        problem = _("Say why: who takes it reads this first.")
    elif "\x00" in reason:
        problem = _("This holds a character that cannot be kept (NUL).")
    elif len(reason) > MOST_LETTERS:
        problem = _("At most %(most)d characters; this has %(has)d.") % {"most": MOST_LETTERS, "has": len(reason)}
    if problem:
        raise Refused({"reason": problem})
    return reason


def _checked(ticket: Ticket, asked: Asked) -> str:
    if ticket.is_finished:
        raise Refused({"": _("The work on %(ticket)s has ended. Open it again first.") % {"ticket": ticket.label}})
    return check_reason(asked.reason)


def _changes(ticket: Ticket, asked: Asked, reason: str) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if asked.agent is not None:
        changes["agent"] = asked.agent
    if asked.priority is not None:
        changes["priority"] = asked.priority
    if ticket.psa_account.can("escalated_status"):
        changes["escalation_reason"] = reason
        status = escalated_status(ticket)
        if status is not None:
            changes["status"] = status
    return changes


def escalated_status(ticket: Ticket) -> Status | None:
    """Where its PSA keeps what is escalated; None where it has no such status, or the ticket is there already."""
    if not ticket.psa_account.can("escalated_status") or ticket.status_category == Category.ESCALATED:
        return None
    rows = Status.objects.filter(psa_account=ticket.psa_account_id, is_active=True, remote_id__isnull=False)
    return rows.filter(category=Category.ESCALATED).first()


def people_to_tell(ticket: Ticket, *, but: User | None) -> list[User]:
    """The lead of its team, else every manager; never the person who escalates."""
    desk = User.objects.filter(is_active=True).exclude(role=Role.CLIENT)
    if but is not None:
        desk = desk.exclude(pk=but.pk)
    if ticket.team_id:
        lead = Team.objects.filter(pk=ticket.team_id).values("lead")
        if found := list(desk.filter(pk__in=lead)):
            return found
    return list(desk.filter(role=Role.MANAGER))


def next_priority(ticket: Ticket, choices: Sequence[Priority]) -> Priority | None:
    """One rank more urgent, among those on offer; None at the top."""
    above = [one for one in choices if one.rank < ticket.rank]
    return max(above, key=lambda one: one.rank, default=None)


# ---- what is said, and to whom --------------------------------------------------------------------------------------


def _note(ticket: Ticket, asked: Asked, reason: str, told: Sequence[User]) -> str:
    lines = [_("Escalated: %(reason)s") % {"reason": reason}, ""]
    if told:
        lines.append(_("Told: %(people)s") % {"people": ", ".join(str(one) for one in told)})
    if asked.agent is not None and asked.agent.pk != ticket.agent_id:
        lines.append(_("Owner: %(old)s to %(new)s") % {"old": ticket.agent or _("nobody"), "new": asked.agent})
    if asked.priority is not None and asked.priority.pk != ticket.priority_id:
        lines.append(_("Priority: %(old)s to %(new)s") % {"old": ticket.priority, "new": asked.priority})
    return "\n".join(lines).strip()


def _said(ticket: Ticket, new: NewAction, user: User, origin: Origin, now: datetime) -> Action:
    made = add_action(ticket=ticket, new=new, origin=origin, now=now, user=user, keeps_draft=True)
    assert isinstance(made, Action)  # words never make a time entry
    return made


def _tell(made: Escalation, told: Sequence[User], user: User, origin: Origin, now: datetime, rank: int) -> None:
    """In the desk and by mail: the PSA's own mail where it sends one, for those who want a mail at all."""
    ticket = made.ticket
    if not ticket.psa_account.can("staff_mail"):
        telling.tell(made=made, people=told, now=now)
        return
    Notice.objects.bulk_create(Notice(user=one, escalation=made, created_at=now) for one in told)
    notices.tell(*(one.pk for one in told))
    addresses = staff_addresses(ticket, wishes.by_mail(told, Trigger.PERSON))
    if not addresses or made.action is None:
        return
    text = "\n".join([*summary_lines(ticket, made, now).values(), "", ticket_address(ticket)])
    marker = str(uuid.uuid5(uuid.UUID(str(made.action.marker)), "mail"))
    new = NewAction(
        text=text, title=mail_subject(ticket, made), email_to=", ".join(addresses), sends_email=True, is_to_staff=True,
        marker=marker, rank=rank,
    )  # fmt: skip
    _said(ticket, new, user, origin, now)
