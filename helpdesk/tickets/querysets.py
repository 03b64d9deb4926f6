"""Queries as words. Everything chainable; no request in sight."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db.models import Q, QuerySet

from helpdesk.tickets.choices import Category

if TYPE_CHECKING:
    from helpdesk.accounts.models import User
    from helpdesk.tickets.models import Ticket, TicketEvent  # noqa: F401


class TicketQuerySet(QuerySet["Ticket"]):
    def visible_to(self, user: User) -> TicketQuerySet:
        """Staff sees every ticket; a client's people see their own, or their company's; nobody else any."""
        if not user.is_authenticated or not user.is_active:
            return self.none()
        if user.is_desk:
            return self.filter(removed_at=None)
        contacts = list(user.contacts.filter(is_active=True, erased_at=None).values_list("pk", "client", "sees_company"))
        own = Q(contact__in=[pk for pk, _client, _all in contacts])
        company = Q(client__in=[client for _pk, client, sees_all in contacts if sees_all and client])
        return self.filter(own | company, removed_at=None)

    def present(self) -> TicketQuerySet:
        return self.filter(removed_at=None)

    def open(self) -> TicketQuerySet:
        return self.filter(is_open=True)

    def finished(self) -> TicketQuerySet:
        return self.filter(is_open=False)

    def unassigned(self) -> TicketQuerySet:
        return self.filter(agent=None)

    def mine(self, user: User) -> TicketQuerySet:
        return self.filter(agent__user=user)

    def waiting_on_client(self) -> TicketQuerySet:
        return self.filter(status_category=Category.WAITING_CLIENT)

    def client_replied(self) -> TicketQuerySet:
        return self.filter(client_replied_at__isnull=False)

    def breached(self, now: datetime) -> TicketQuerySet:
        """Open and past a promise, by the clock rather than by the last time somebody looked."""
        return self.open().filter(next_due_at__lt=now)

    def at_risk(self, now: datetime) -> TicketQuerySet:
        return self.open().filter(next_at_risk_at__lte=now, next_due_at__gte=now)

    def due_before(self, at: datetime) -> TicketQuerySet:
        return self.open().filter(next_due_at__lt=at)

    def due_within(self, now: datetime, days: int) -> TicketQuerySet:
        return self.due_before(now + timedelta(days=days))

    def for_rows(self) -> TicketQuerySet:
        """With what a row or card shows, in one query."""
        return self.select_related("client", "status", "priority", "agent__user", "psa_account").defer(
            "raw", "confirmed", "description", "description_clean", "resolution",
            "client__raw", "status__raw", "priority__raw", "agent__raw",
            "psa_account__capabilities", "psa_account__required_fields", "psa_account__transition_rules",
            "psa_account__settings",
        )  # fmt: skip

    def by_due(self) -> TicketQuerySet:
        return self.order_by("next_due_at", "pk")


class EventQuerySet(QuerySet["TicketEvent"]):
    def of_field(self, field: str) -> EventQuerySet:
        return self.filter(field=field)
