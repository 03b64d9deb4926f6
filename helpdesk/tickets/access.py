"""Fetch a ticket or 404; there is no other way to get one in a view."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.http import Http404

from helpdesk.tickets.models import Correction, SavedView, Ticket
from helpdesk.tickets.querysets import TicketQuerySet

if TYPE_CHECKING:
    from helpdesk.accounts.models import User


def desk_tickets(user: User) -> TicketQuerySet:
    """Every ticket a member of staff may see; PermissionDenied for anybody else."""
    if not user.is_authenticated or not user.is_desk:
        raise PermissionDenied
    return Ticket.objects.visible_to(user)


def desk_records(user: User) -> TicketQuerySet:
    """As `desk_tickets`, with those that were deleted in the PSA: for the pages that only show one."""
    if not user.is_authenticated or not user.is_desk:
        raise PermissionDenied
    return Ticket.objects.on_record_for(user)


def ticket_for(user: User, pk: int) -> Ticket:
    """One ticket with what rows and rules ask for, or 404."""
    found = desk_tickets(user).in_full().filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def glimpse_for(user: User, pk: int) -> Ticket:
    """One ticket with what a preview shows and nothing else, or 404."""
    found = desk_tickets(user).for_preview().only_ids([pk]).order_by().first()
    if found is None:
        raise Http404
    return found


def tickets_for(user: User, ids: Iterable[int]) -> list[Ticket]:
    """Those of these tickets that the person may see, in the order given."""
    wanted = list(ids)
    found = {t.pk: t for t in desk_tickets(user).for_rows().filter(pk__in=wanted)}
    return [found[pk] for pk in wanted if pk in found]


def tickets_to_change(user: User, ids: Iterable[int]) -> dict[int, Ticket]:
    """Those of these tickets that the person may see, with what rules ask for, by key."""
    return {t.pk: t for t in desk_tickets(user).in_full().filter(pk__in=list(ids))}


def correction_for(ticket: Ticket, pk: int) -> Correction:
    """One of the ticket's corrections that hold, or 404."""
    found = ticket.corrections.filter(pk=pk, undone_at=None).first()
    if found is None:
        raise Http404
    return found


def views_for(user: User) -> list[SavedView]:
    """Shared views and the person's own."""
    return list(SavedView.objects.filter(owner=None) | SavedView.objects.filter(owner=user))


def view_for(user: User, pk: int) -> SavedView:
    """A shared view or one's own, or 404."""
    found = next((view for view in views_for(user) if view.pk == pk), None)
    if found is None:
        raise Http404
    return found


def accounts_of(user: User, ids: Iterable[int]) -> list[int]:
    """The PSA accounts that these tickets live in."""
    found = desk_tickets(user).only_ids(ids).order_by()
    return list(found.values_list("psa_account_id", flat=True).distinct())


def view_named(user: User, query: str) -> str:
    """The name of the saved view with this address, the person's own first; empty when nobody saved it."""
    found = [view for view in views_for(user) if view.query == query] if query else []
    return min(found, key=lambda view: view.owner_id is None).name if found else ""
