"""What a message does to its ticket: the client waits or has answered, staff has, a clock stops or runs again."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from helpdesk.core.errors import Refused
from helpdesk.core.origin import Origin
from helpdesk.tickets import type_rules
from helpdesk.tickets.choices import Category, SlaClock
from helpdesk.tickets.models import Status, Ticket, TicketType
from helpdesk.tickets.services import change_ticket
from helpdesk.tickets.writing import (
    columns_of,
    hold_ticket,
    record_events,
    save_changed,
    save_clocks,
    show_pending,
    tell_pages,
    write_clocks,
)


@transaction.atomic
def resume_for_client(*, ticket: Ticket, origin: Origin, now: datetime) -> Status | None:
    """The client answered what it was asked: the ticket waits no longer. The status it has now; None = unchanged.

    Nothing leaves by itself: the answer carries the new status to the PSA.
    """
    status = _status_resumed(ticket)
    if status is None:
        return None
    try:
        change_ticket(
            ticket=ticket, changes={"status": status}, origin=origin, now=now, is_confirmed=True, leaves=False
        )
    except Refused:
        return None  # a rule asks for more than a client can give: their words come through all the same
    record_events(ticket, [("clock", None, "clock running again")], origin, now)
    return status


def _status_resumed(ticket: Ticket) -> Status | None:
    """The status that a client's answer leads to while the ticket waits for it; None = it stays as it is.

    What the ticket type wants after a client's update, else the account's first active status of work in progress.
    """
    is_wanted = ticket.psa_account.settings.get("resume_on_client_reply", True)
    if not is_wanted or ticket.status_category != Category.WAITING_CLIENT:
        return None
    running = Status.objects.filter(
        psa_account=ticket.psa_account_id,
        is_active=True,
        remote_id__isnull=False,
        category__in=[Category.OPEN, Category.NEW],
        sla_clock=SlaClock.RUNNING,
    )
    fitting = [s for s in running if type_rules.allows(s, ticket.ticket_type)]
    told = TicketType.objects.filter(pk=ticket.ticket_type_id or 0).values_list(
        "after_client_status", "reopened_status"
    )
    for wanted in told.first() or ():
        found = next((s for s in fitting if s.pk == wanted), None)
        if found is not None:
            return found
    return min(fitting, key=lambda s: s.category != Category.OPEN, default=None)


@transaction.atomic(savepoint=False)
def note_client_message(*, ticket: Ticket, at: datetime, now: datetime, leaves: bool = False) -> None:
    """The client wrote: somebody should answer. `resume_for_client` is what lets a clock run again.

    `leaves` when the message waits for the PSA; the caller then holds `ticket`.
    """
    values: dict[str, Any] = {"client_replied_at": at, "last_activity_at": now, "changed_at": now}
    if leaves:
        show_pending(ticket)
        values["sync_state"] = ticket.sync_state
    Ticket.objects.filter(pk=ticket.pk).update(**values)
    if ticket.status_category == Category.WAITING_CLIENT:
        save_clocks(ticket, now=now)  # it stays in a status that waits for them, and waits no longer
    tell_pages(ticket)


@transaction.atomic
def note_staff_message(*, ticket: Ticket, at: datetime, is_public: bool, now: datetime) -> None:
    """Staff wrote: the first public one stops the response clock, and nobody is owed an answer any more."""
    note_on_held(ticket=hold_ticket(ticket), at=at, is_public=is_public, now=now)


def note_on_held(*, ticket: Ticket, at: datetime, is_public: bool, now: datetime, leaves: bool = False) -> None:
    """`note_staff_message` for a row that the caller holds; `leaves` when the message waits for the PSA."""
    was = columns_of(ticket)
    if leaves:
        show_pending(ticket)
    ticket.last_activity_at = ticket.changed_at = now
    if is_public:
        ticket.client_replied_at = None
        if ticket.first_responded_at is None or at < ticket.first_responded_at:
            ticket.first_responded_at = at
        if ticket.answered_at is None or at < ticket.answered_at:
            ticket.answered_at = at
            write_clocks(ticket, now=now)
    save_changed(ticket, was)
    tell_pages(ticket)
