"""Holds of a ticket's clocks that an outcome or the PSA begins or ends."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from helpdesk.core.origin import Origin
from helpdesk.tickets import clocks
from helpdesk.tickets.choices import Precision, SlaClock
from helpdesk.tickets.models import Status, Ticket, TicketEvent
from helpdesk.tickets.stories import HOLD, RELEASE
from helpdesk.tickets.writing import lock_ticket, record_events, save_clocks, tell_pages


@transaction.atomic
def hold_clocks(*, ticket: Ticket, is_held: bool, by: str, origin: Origin, now: datetime) -> Ticket:
    """Stop or start a ticket's clocks by an outcome (`by` is its name), whatever its status alone would do.

    Nothing leaves by itself: the action with the outcome carries it, and the PSA's own flag confirms it when read.
    """
    ticket = lock_ticket(ticket.pk)
    stood_still = clocks.stands_still(ticket, ticket.status)
    ticket.sla_paused, ticket.sla_released = is_held, not is_held
    if stood_still != is_held:
        record_events(ticket, [(HOLD if is_held else RELEASE, None, by)], origin, now)
    ticket.are_dates_old = True
    save_clocks(ticket, now=now)
    ticket.changed_at = now
    ticket.save()
    tell_pages(ticket)
    return ticket


@transaction.atomic
def give_hold_up(*, ticket_id: int, was_held: bool, now: datetime) -> None:
    """The action that held or released was discarded: the PSA's last word on the hold stands again."""
    ticket = lock_ticket(ticket_id)
    if ticket.sla_paused != was_held:
        record_events(ticket, [(HOLD if was_held else RELEASE, None, "")], Origin.system(), now)
    ticket.sla_paused, ticket.sla_released, ticket.changed_at = was_held, False, now
    save_clocks(ticket, now=now)
    ticket.save()
    tell_pages(ticket)


def standing(ticket_ids: Collection[int]) -> set[int]:
    """Those of these tickets whose last hold has not been released."""
    events = TicketEvent.objects.filter(ticket__in=ticket_ids, field__in=(HOLD, RELEASE)).order_by("at", "pk")
    last = dict(events.values_list("ticket_id", "field"))
    return {ticket_id for ticket_id, name in last.items() if name == HOLD}


def psas_word(ticket: Ticket, *, is_held: bool, old: Status, new: Status, stands: bool) -> str:
    """HOLD or RELEASE where the PSA's flag says more than the status it came with; else empty.

    `old` and `new` are the statuses before and after; `stands`: a hold was written down and not released yet. A status
    that pauses is its own event: a flag beside it would only make the pause as long as our pulls are apart.
    """
    was, explained = ticket.sla_paused, old.sla_clock == SlaClock.PAUSED
    if is_held:
        is_new = not was or explained
        return HOLD if is_new and new.sla_clock == SlaClock.RUNNING else ""
    ends = was and (stands or not explained or old.pk == new.pk)
    return RELEASE if ends else ""


def psas_event(ticket: Ticket, word: str, *, told_at: datetime | None, seen_at: datetime, now: datetime) -> TicketEvent:
    """The event of a hold that the PSA began or ended; the same each time it is told.

    `told_at`: the instant that the PSA gives for it; else it counts from the change in which it was seen.
    """
    at = told_at or seen_at
    return TicketEvent(
        ticket=ticket,
        field=word,
        at=at,
        known_at=now,
        precision=Precision.EXACT if told_at else Precision.POLLED,
        origin="psa",
        remote_key=f"poll:{word}:{at:%Y%m%d%H%M%S%f}",
    )
