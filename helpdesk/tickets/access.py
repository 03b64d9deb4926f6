"""Fetch a ticket or 404; there is no other way to get one in a view."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.http import Http404

from helpdesk.tickets.models import SavedView, Ticket
from helpdesk.tickets.querysets import TicketQuerySet

if TYPE_CHECKING:
    from helpdesk.accounts.models import User


def desk_tickets(user: User) -> TicketQuerySet:
    """Every ticket a member of staff may see; PermissionDenied for anybody else."""
    if not user.is_authenticated or not user.is_desk:
        raise PermissionDenied
    return Ticket.objects.visible_to(user)


def ticket_for(user: User, pk: int) -> Ticket:
    """One ticket with what rows and rules ask for, or 404."""
    found = (
        desk_tickets(user)
        .select_related("psa_account", "status", "priority", "client", "contact", "site", "agent__user", "team")
        .select_related("ticket_type", "contract", "sla_policy")
        .filter(pk=pk)
        .first()
    )
    if found is None:
        raise Http404
    return found


def tickets_for(user: User, ids: Iterable[int]) -> list[Ticket]:
    """Those of these tickets that the person may see, in the order given."""
    wanted = list(ids)
    found = {t.pk: t for t in desk_tickets(user).for_rows().filter(pk__in=wanted)}
    return [found[pk] for pk in wanted if pk in found]


def views_for(user: User) -> list[SavedView]:
    """Shared views and the person's own."""
    return list(SavedView.objects.filter(owner=None) | SavedView.objects.filter(owner=user))
