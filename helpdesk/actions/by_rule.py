"""What every rule that escalates has in common: whose tickets it holds, what is told no more, and the mark it leaves.

A rule changes nothing of a ticket but its mark and the reason, and sends nothing to a PSA.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from helpdesk.actions.choices import Trigger
from helpdesk.actions.models import Escalation
from helpdesk.core import live
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.querysets import TicketQuerySet

LONG_PAST = timedelta(hours=24)
"""What passed so long before the desk first knew its ticket is recorded, and nobody is told: a first reading of a PSA
brings years of overdue tickets, and a thousand mails about them would bury the one that matters."""

ALERTS_FROM = "alerts_from"
"""Among an account's settings: since when its clocks are told of, where its tickets were here before they were."""


def hold_tickets(found: TicketQuerySet) -> dict[int, Ticket]:
    """These tickets, locked in the order of their keys until the transaction ends; those that somebody else holds are
    left out."""
    rows = found.order_by("pk").select_for_update(of=("self",), skip_locked=True)
    rows = rows.select_related("agent__user", "contact", "psa_account").defer(
        "raw", "description", "description_clean", "agent__raw", "contact__raw"
    )
    return {one.pk: one for one in rows}


def is_long_past(ticket: Ticket, at: datetime) -> bool:
    """Whether it passed before this desk could have told of it: it knew the ticket, but told of no clocks yet."""
    said = ticket.psa_account.settings.get(ALERTS_FROM)
    return at < ticket.created_at - LONG_PAST or (bool(said) and at < datetime.fromisoformat(said))


def mark_by_rule(*, ticket: Ticket, made: Escalation, now: datetime) -> None:
    """The ticket counts as escalated from the first time on. A person's words stay; a rule's own are renewed.

    Where the PSA has a status for it the reason is what it is sent with that status: words that it never got would
    keep the form from asking for them.
    """
    if not ticket.psa_account.can("escalated_status") and _may_say_why(ticket):
        ticket.escalation_reason = made.reason
    ticket.escalated_at, ticket.changed_at = ticket.escalated_at or now, now
    ticket.save(update_fields=["escalation_reason", "escalated_at", "changed_at"])
    live.touch(live.DESK, live.ticket_scope(ticket.pk))


def _may_say_why(ticket: Ticket) -> bool:
    reason = ticket.escalation_reason
    by_rules = Escalation.objects.on_tickets([ticket.pk]).exclude(trigger=Trigger.PERSON)
    return not reason or by_rules.filter(reason=reason).exists()
