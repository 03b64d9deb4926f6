"""Values of a PSA that nobody has said the meaning of: counted where an administrator should hear of them."""

from __future__ import annotations

from django.db.models import Count, Exists, IntegerField, Model, OuterRef, Q, QuerySet, Subquery
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce

from helpdesk.tickets.models import Priority, Status, Ticket, TicketType

COLUMNS: dict[type[Model], str] = {Status: "status", Priority: "priority", TicketType: "ticket_type"}
"""What means something here -> the ticket's reference to it."""


def unmapped(model: type[Model]) -> QuerySet[Model]:
    """Rows without a meaning that are offered, or that a ticket has. What the PSA retired and nobody has is no care."""
    held = Ticket.objects.filter(**{COLUMNS[model]: OuterRef("pk")})
    return model._default_manager.filter(is_mapped=False).filter(Q(is_active=True) | Exists(held))


def unmapped_of(account: str = "pk", *models: type[Model]) -> Combinable:
    """For `.annotate` on accounts: how many values of these models (none named: of all) nobody has mapped."""
    counts = [
        Coalesce(
            Subquery(
                unmapped(model)
                .filter(psa_account=OuterRef(account))
                .order_by()
                .values("psa_account")
                .annotate(n=Count("pk"))
                .values("n"),
                output_field=IntegerField(),
            ),
            0,
        )
        for model in models or COLUMNS
    ]
    whole: Combinable = counts[0]
    for count in counts[1:]:
        whole = whole + count
    return whole
