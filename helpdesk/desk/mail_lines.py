"""What a ticket's page says of the mails to its client: gone, waiting and for what, or failed and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from helpdesk.actions.choices import MailState, Occasion
from helpdesk.actions.models import ClientMail
from helpdesk.outbox.choices import State
from helpdesk.tickets.models import Ticket

MOST = 200


@dataclass(frozen=True, kw_only=True)
class MailLine:
    """`words` for people; `may_decide` when it failed: try again, or leave it."""

    pk: int
    occasion: str
    action_id: int | None
    at: datetime
    words: str
    icon: str
    state: str
    may_decide: bool


def mail_lines(ticket: Ticket, now: datetime) -> list[MailLine]:
    """The newest mails of a ticket in one query, oldest first. One that was called back in time says nothing."""
    rows = ClientMail.objects.filter(ticket=ticket).select_related("item")
    wanted = (
        "occasion", "action_id", "to", "cc", "state", "error_text", "attempts", "not_before_at", "created_at",
        "sent_at", "ticket_id", "item", "item__state",
    )  # fmt: skip
    found = list(rows.only(*wanted).order_by("-pk")[:MOST])[::-1]
    return [_line(m, ticket, now) for m in found if m.state != MailState.CANCELLED or m.error_text]


def _line(mail: ClientMail, ticket: Ticket, now: datetime) -> MailLine:
    return MailLine(
        pk=mail.pk,
        occasion=mail.occasion,
        action_id=mail.action_id,
        at=mail.sent_at or mail.created_at,
        words=_words(mail, ticket, now),
        icon="octagon-alert" if mail.state == MailState.FAILED else "mail",
        state=mail.state,
        may_decide=mail.state == MailState.FAILED,
    )


def _words(mail: ClientMail, ticket: Ticket, now: datetime) -> str:
    who, psa = _who(mail), ticket.psa_account.title
    if mail.state == MailState.SENT:
        never = mail.item is not None and mail.item.state == State.DISCARDED
        text = _("Mailed to %(who)s; %(psa)s never got it") if never else _sent(mail.occasion)
        return text % {"who": who, "psa": psa}
    tried = ngettext("tried once", "tried %(n)d times", mail.attempts) % {"n": mail.attempts}
    if mail.state == MailState.FAILED:
        return _("Mail to %(who)s failed: %(why)s, %(tried)s") % {"who": who, "why": mail.error_text, "tried": tried}
    if mail.state == MailState.CANCELLED:
        return _("Not mailed: %(why)s") % {"why": mail.error_text}
    if mail.error_text:
        return _("Mail to %(who)s waits: %(why)s, %(tried)s") % {"who": who, "why": mail.error_text, "tried": tried}
    if not ticket.number and mail.occasion != Occasion.ESCALATION:
        return _("Mail to %(who)s waits for the number") % {"who": who}
    if mail.item is not None and mail.item.state != State.DONE:
        return _("Mail to %(who)s waits until %(psa)s has taken it") % {"who": who, "psa": psa}
    if mail.not_before_at > now:
        return _("Mail to %(who)s waits a moment, should it be undone") % {"who": who}
    return _("Mail to %(who)s is on its way") % {"who": who}


def _sent(occasion: str) -> str:
    return {
        Occasion.ACKNOWLEDGEMENT: _("Acknowledged to %(who)s"),
        Occasion.STATUS: _("Told %(who)s that it is done"),
        Occasion.ESCALATION: _("Told %(who)s by mail that it is escalated"),
    }.get(Occasion(occasion), _("Mailed to %(who)s"))


def _who(mail: ClientMail) -> str:
    people = mail.recipients
    if len(people) < 3:
        return _(" and ").join(people)
    return _("%(first)s and %(n)d more") % {"first": people[0], "n": len(people) - 1}


def mail_of(ticket: Ticket, pk: int) -> ClientMail | None:
    """A mail of this very ticket."""
    return ClientMail.objects.filter(ticket=ticket, pk=pk).first()
