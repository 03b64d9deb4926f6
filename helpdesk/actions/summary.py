"""What a mail about an escalation says: nobody should have to open the desk to judge it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from helpdesk.actions.choices import Trigger
from helpdesk.actions.models import Escalation
from helpdesk.core.formatting import FOREVER, duration, moment
from helpdesk.sla import book
from helpdesk.tickets.models import Ticket, TicketClock


def mail_subject(ticket: Ticket, made: Escalation) -> str:
    what = {"number": ticket.label, "subject": ticket.subject, "title": made.title}
    if made.trigger == Trigger.PERSON:
        return _("[%(number)s] Escalated: %(subject)s") % what
    return _("[%(number)s] %(title)s: %(subject)s") % what


def ticket_address(ticket: Ticket) -> str:
    return f"{settings.BASE_URL}{ticket.get_absolute_url()}"


def summary_lines(ticket: Ticket, made: Escalation, now: datetime) -> Mapping[str, str]:
    """What it says before its link, by line. Instants are in the active time zone."""
    lines = {
        "what": f"{ticket.label} {ticket.subject}",
        "reason": _why(made),
        "client": _("Client: %(client)s") % {"client": ticket.client or _("unknown")},
        "owner": _("Owner: %(owner)s") % {"owner": owner_of(ticket)},
        "state": _("Status: %(status)s, priority: %(priority)s")
        % {"status": ticket.status, "priority": ticket.priority},
    }
    for clock in ticket.clocks.all():
        if clock.finished_at is None and clock.due_at is not None and clock.due_at < FOREVER:
            lines[clock.kind] = _deadline(ticket, clock, now)
    return lines


def _why(made: Escalation) -> str:
    if made.trigger == Trigger.PERSON:
        return _("%(who)s escalated it: %(reason)s") % {"who": made.user or _("Somebody"), "reason": made.reason}
    return f"{made.title}. {made.reason}"


def _deadline(ticket: Ticket, clock: TicketClock, now: datetime) -> str:
    """When it is due; once that is past, how late it is by the desk's hours and by the clock on the wall."""
    assert clock.due_at is not None
    what = {
        "clock": clock.get_kind_display(),
        "when": moment(clock.due_at, now, timezone.get_current_timezone()),
        "late": duration((now - clock.due_at).total_seconds()),
    }
    if clock.due_at >= now:
        return _("%(clock)s due %(when)s") % what
    calendar = book.current().calendar(ticket.clock_calendar, now) or book.ALWAYS
    what["open"] = duration(calendar.elapsed(clock.due_at, now))
    if calendar.hours.is_always:
        return _("%(clock)s was due %(when)s: %(late)s late") % what
    return _("%(clock)s was due %(when)s: %(late)s late, %(open)s of it in opening hours") % what


def owner_of(ticket: Ticket) -> str:
    if ticket.agent is None:
        return _("nobody")
    return str(ticket.agent.user or ticket.agent)
