"""Mails to our own people about a ticket. They hold what no client may read, so that everything here asks anew whom it
goes to: active members of the desk, by an address that no contact of the ticket's client has."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone, translation
from django.utils.translation import gettext as _

from helpdesk.actions.choices import Trigger
from helpdesk.actions.models import ClientMail, Escalation
from helpdesk.actions.summary import mail_subject, summary_lines, ticket_address
from helpdesk.actions.telling import staff_addresses
from helpdesk.core.mailing import one_line, sender
from helpdesk.portal import access
from helpdesk.portal.letters import Letter, NothingToSay, language_of


def write_staff_letter(mail: ClientMail, *, now: datetime) -> Letter:
    """The word of an escalation, with all that is needed to judge it. Raises NothingToSay."""
    made = access.escalation_of(mail)
    to = _recipients(mail, made) if made is not None else []
    if made is None or not to:
        raise NothingToSay("there is nobody to mail")
    # A step of a clock also ends by going on to the next; any other end is one.
    has_ended = made.ended_at is not None and made.trigger not in (Trigger.BREACH, Trigger.THRESHOLD)
    if made.ticket.is_finished or has_ended:
        raise NothingToSay("it is over")
    firm = access.organisation()
    with translation.override(language_of(None, firm)), timezone.override(access.zone_of(firm)):
        lines = summary_lines(made.ticket, made, now)
        return Letter(
            mail=mail, to=to, cc=[], subject=one_line(mail_subject(made.ticket, made)), sender=sender(firm.name),
            firm=firm,
            number=made.ticket.label, about=lines["what"], language=translation.get_language() or "",
            lines=[text for name, text in lines.items() if name != "what"], link=ticket_address(made.ticket),
            link_words=_("On the desk:"), answers_to=made.user.email if made.user else "", is_to_staff=True,
        )  # fmt: skip


def _recipients(mail: ClientMail, made: Escalation) -> list[str]:
    people = access.staff_with(mail.recipients)
    return staff_addresses(made.ticket, people)
