"""Queries as words. Everything chainable; no request in sight."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import BooleanField, Count, F, Func, Q, QuerySet, Sum, Value, Window
from django.db.models.functions import RowNumber

from helpdesk.sla.choices import ClockState
from helpdesk.tickets import references
from helpdesk.tickets.choices import Category

if TYPE_CHECKING:
    from helpdesk.accounts.models import User
    from helpdesk.tickets.models import RoutingRule, Ticket, TicketEvent, TicketType  # noqa: F401


ESCALATED = Q(escalated_at__isnull=False) | Q(status_category=Category.ESCALATED)
"""Escalated here, or standing where its PSA keeps what is escalated."""


class TicketQuerySet(QuerySet["Ticket"]):
    def visible_to(self, user: User) -> TicketQuerySet:
        """Staff sees every ticket; a client's people see their own, or their company's; nobody else any."""
        if not user.is_authenticated or not user.is_active:
            return self.none()
        if user.is_desk:
            return self.filter(removed_at=None)
        contacts = list(
            user.contacts.filter(is_active=True, erased_at=None).values_list("pk", "client", "sees_company")
        )
        own = Q(contact__in=[pk for pk, _client, _all in contacts])
        company = Q(client__in=[client for _pk, client, sees_all in contacts if sees_all and client])
        return self.filter(own | company, removed_at=None)

    def on_record_for(self, user: User) -> TicketQuerySet:
        """To look up, not to list or change: staff may still read what was deleted in the PSA."""
        is_staff = user.is_authenticated and user.is_active and user.is_desk
        return self.all() if is_staff else self.visible_to(user)

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

    def escalated(self) -> TicketQuerySet:
        return self.filter(ESCALATED)

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

    def for_preview(self) -> TicketQuerySet:
        """Only the columns that a preview shows: most of the cost of a ticket is the two hundred columns around it."""
        narrow = self.only(
            "number", "subject", "status_category", "rank", "opened_at", "reported_by", "description",
            "description_is_html", "next_clock", "clock_calendar",
            *(name for name in references.PREVIEW if "__" not in name),
        )  # fmt: skip
        return narrow._with_references("preview")

    def in_full(self) -> TicketQuerySet:
        """With what one ticket's forms and rules ask for."""
        return self._with_references("full")

    def for_page(self) -> TicketQuerySet:
        """With what one ticket's page asks for."""
        return self._with_references("page")

    def _with_references(self, name: str) -> TicketQuerySet:
        found = self.annotate(**references.annotation(name))
        found._iterable_class = references.ITERABLES[name]
        return found

    def by_due(self) -> TicketQuerySet:
        return self.order_by("next_due_at", "pk")

    # ---- narrowing, as the address of a list or board spells it ----

    def with_categories(self, categories: Iterable[str]) -> TicketQuerySet:
        return self.filter(status_category__in=list(categories))

    def with_statuses(self, status_ids: Iterable[int]) -> TicketQuerySet:
        return self.filter(status__in=list(status_ids))

    def with_ranks(self, ranks: Iterable[int]) -> TicketQuerySet:
        return self.filter(rank__in=list(ranks))

    def with_priorities(self, values: Iterable[str]) -> TicketQuerySet:
        """Ranks ("2") and the PSA's own priorities by key ("p12")."""
        values = list(values)
        ranks = [int(v) for v in values if not v.startswith("p")]
        own = [int(v[1:]) for v in values if v.startswith("p")]
        return self.filter(Q(rank__in=ranks) | Q(priority__in=own)) if own else self.with_ranks(ranks)

    def in_teams(self, team_ids: Iterable[int], *, or_none: bool = False) -> TicketQuerySet:
        wanted = Q(team__in=list(team_ids))
        return self.filter(wanted | Q(team=None)) if or_none else self.filter(wanted)

    def of_agents(self, agent_ids: Iterable[int], *, or_nobody: bool = False) -> TicketQuerySet:
        wanted = Q(agent__in=list(agent_ids))
        return self.filter(wanted | Q(agent=None)) if or_nobody else self.filter(wanted)

    def of_clients(self, client_ids: Iterable[int]) -> TicketQuerySet:
        return self.filter(client__in=list(client_ids))

    def in_accounts(self, account_ids: Iterable[int]) -> TicketQuerySet:
        return self.filter(psa_account__in=list(account_ids))

    def of_types(self, type_ids: Iterable[int]) -> TicketQuerySet:
        return self.filter(ticket_type__in=list(type_ids))

    def in_sync_states(self, states: Iterable[str]) -> TicketQuerySet:
        return self.filter(sync_state__in=list(states))

    def in_clock_states(self, states: Iterable[str], now: datetime) -> TicketQuerySet:
        """By the clock at `now`, not as it was last written down."""
        wanted = Q(pk__in=[])
        for state in states:
            if state == ClockState.BREACHED:
                wanted |= Q(is_open=True, next_due_at__lt=now) | Q(is_open=False, clock_state=state)
            elif state == ClockState.AT_RISK:
                wanted |= Q(is_open=True, next_at_risk_at__lte=now, next_due_at__gte=now)
            elif state == ClockState.RUNNING:
                wanted |= Q(is_open=True, next_due_at__gte=now, clock_state=state) & (
                    Q(next_at_risk_at__gt=now) | Q(next_at_risk_at=None)
                )
            else:
                wanted |= Q(clock_state=state)
        return self.filter(wanted)

    def owned_or_in_teams(self, team_ids: Iterable[int]) -> TicketQuerySet:
        """Leaves out nobody's tickets of other teams."""
        return self.filter(Q(agent__isnull=False) | Q(team__in=list(team_ids)) | Q(team=None))

    def only_ids(self, ids: Iterable[int]) -> TicketQuerySet:
        return self.filter(pk__in=list(ids))

    def past(self, key: str, value: Any, pk: int, *, descending: bool) -> TicketQuerySet:
        """What comes after (value, pk) in the order of (key, pk): one step of keyset paging."""
        if value is None:
            return self.filter(**{f"{key}__isnull": True, f"pk__{'lt' if descending else 'gt'}": pk})
        # As one comparison of rows: an OR would walk the index from the first of those that share the value, and all
        # closed tickets share one.
        row = Func(F(key), F("pk"), template="(%(expressions)s)", output_field=BooleanField())
        place = Func(Value(value), Value(pk), template="(%(expressions)s)", output_field=BooleanField())
        sign = " < " if descending else " > "
        return self.filter(Func(row, place, template="%(expressions)s", arg_joiner=sign, output_field=BooleanField()))

    def lane_tallies(self, column: str, now: datetime) -> Any:
        """Per value of a column: (value, open, breached, at risk, estimated seconds)."""
        late = Q(next_due_at__lt=now)
        risky = Q(next_at_risk_at__lte=now, next_due_at__gte=now)
        return (
            self.order_by()
            .values_list(column)
            .annotate(n=Count("pk"), late=Count("pk", late), risky=Count("pk", risky), booked=Sum("estimate_seconds"))
        )

    def first_of_each(self, column: str, count: int) -> TicketQuerySet:
        """The `count` tickets of every value of a column that are due next."""
        place = Window(RowNumber(), partition_by=[F(column)], order_by=["next_due_at", "pk"])
        return self.annotate(place=place).filter(place__lte=count)


class TypeQuerySet(QuerySet["TicketType"]):
    def offered(self, kept: int | None = None) -> TypeQuerySet:
        """Types that agents may choose, and the one that is kept."""
        free = Q(is_active=True, agents_may_select=True, remote_id__isnull=False)
        return self.filter(free | Q(pk=kept) if kept else free)


class RoutingQuerySet(QuerySet["RoutingRule"]):
    def of_account(self, account_id: int) -> RoutingQuerySet:
        return self.filter(psa_account=account_id)

    def with_parts(self) -> RoutingQuerySet:
        """With everything a rule names, in one query."""
        parts = ("client", "ticket_type", "team", "agent", "priority")
        return self.select_related(*parts).defer(*(f"{name}__raw" for name in parts))


class EventQuerySet(QuerySet["TicketEvent"]):
    def of_field(self, field: str) -> EventQuerySet:
        return self.filter(field=field)

    def made_by(self, user_id: int, at: datetime) -> EventQuerySet:
        """What one press of a person changed: the events an undo takes back."""
        return self.filter(user=user_id, at=at)
