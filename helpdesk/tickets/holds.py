"""Holds of a ticket's clocks that an outcome begins or ends, and the dates that follow a pause."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from helpdesk.core.origin import Origin
from helpdesk.tickets import clocks
from helpdesk.tickets.models import Ticket, TicketClock
from helpdesk.tickets.writing import lock_ticket, record_events, save_clocks, tell_pages

HOLD, RELEASE = "hold", "release"
"""Events of a hold that an outcome began or ended; `new_label` names the outcome."""


@transaction.atomic
def hold_clocks(*, ticket: Ticket, is_held: bool, by: str, origin: Origin, now: datetime) -> Ticket:
    """Stop or start a ticket's clocks by an outcome (`by` is its name), whatever its status alone would do.

    Nothing leaves by itself: the action with the outcome carries it, and the PSA's own flag confirms it when read.
    """
    ticket = lock_ticket(ticket.pk)
    stood_still = clocks.stands_still(ticket, ticket.status)
    before = {c.kind: c for c in ticket.clocks.all()}
    if stood_still and not is_held:
        expect_later_dates(ticket, before, now)
    ticket.sla_paused, ticket.sla_released = is_held, not is_held
    save_clocks(ticket, before=before, now=now)
    ticket.changed_at = now
    ticket.save()
    if stood_still != is_held:
        record_events(ticket, [(HOLD if is_held else RELEASE, None, by)], origin, now)
    tell_pages(ticket)
    return ticket


@transaction.atomic
def give_hold_up(*, ticket_id: int, was_held: bool, now: datetime) -> None:
    """The action that held or released was discarded: the PSA's last word on the hold stands again."""
    ticket = lock_ticket(ticket_id)
    before = {c.kind: c for c in ticket.clocks.all()}
    ticket.sla_paused, ticket.sla_released, ticket.changed_at = was_held, False, now
    save_clocks(ticket, before=before, now=now)
    ticket.save()
    tell_pages(ticket)


def expect_later_dates(ticket: Ticket, before: Mapping[str, TicketClock], now: datetime) -> None:
    """A pause ended here: the PSA will move its dates by the pause. Show that until its own dates arrive."""
    ticket.sla_paused = False
    for kind, name in clocks.DUE_FIELDS.items():
        clock = before.get(kind)
        due = getattr(ticket, name)
        if clock and clock.paused_since and due:
            setattr(ticket, name, due + (now - clock.paused_since))
