"""What is open now: counted from the tickets themselves, in one query over the open ones."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Count, FilteredRelation, Min, Q, Value
from django.db.models.functions import Coalesce

from helpdesk.reports.filters import Filters
from helpdesk.sla.choices import ClockKind, ClockState
from helpdesk.tickets.choices import WAITING
from helpdesk.tickets.querysets import TicketQuerySet
from helpdesk.tickets.rows import Facts, row_facts

LONG = timedelta(days=7)
RISKY, LATE = 3, 2


@dataclass
class Live:
    """Counts of open tickets. `judged`: with a resolution target; `kept`: of those, not past it."""

    open: int = 0
    at_risk: int = 0
    breached: int = 0
    unassigned: int = 0
    waiting_long: int = 0
    judged: int = 0
    kept: int = 0
    oldest_at: datetime | None = None
    by_category: dict[str, int] = field(default_factory=dict)
    by_rank: dict[int, int] = field(default_factory=dict)


def narrow(tickets: TicketQuerySet, metric: str, now: datetime) -> TicketQuerySet:
    """The open tickets behind one live figure."""
    tickets = tickets.open()
    if metric == "at_risk":
        return tickets.at_risk(now)
    if metric == "breached_now":
        return tickets.breached(now)
    if metric == "unassigned":
        return tickets.unassigned()
    if metric == "waiting_long":
        return tickets.filter(_waiting_long(now))
    if metric == "compliance":
        return with_resolution(tickets).filter(_judged())
    return tickets


def _waiting_long(now: datetime) -> Q:
    return Q(status_category__in=[c.value for c in WAITING], last_activity_at__lt=now - LONG)


def with_resolution(tickets: TicketQuerySet) -> TicketQuerySet:
    return tickets.alias(promise=FilteredRelation("clocks", condition=Q(clocks__kind=ClockKind.RESOLUTION)))


def _judged() -> Q:
    return Q(promise__isnull=False, promise__finished_at=None) & ~Q(promise__state=ClockState.NOT_STARTED)


def _kept(now: datetime) -> Q:
    in_time = Q(promise__due_at__gte=now) | Q(promise__due_at=None)
    return _judged() & in_time & Q(promise__breached_at=None) & ~Q(promise__state=ClockState.BREACHED)


def count_live(tickets: TicketQuerySet, filters: Filters, now: datetime) -> Live:
    """One query. `tickets`: those that the person may see."""
    rows = (
        with_resolution(filters.apply(tickets.open()))
        .order_by()
        # Grouped by an expression, so that SQLite reads the index of open tickets and not that of all categories.
        .annotate(kind=Coalesce("status_category", Value("")), level=Coalesce("rank", Value(0)))
        .values_list("kind", "level")
        .annotate(
            n=Count("pk"),
            risk=Count("pk", Q(next_at_risk_at__lte=now, next_due_at__gte=now)),
            late=Count("pk", Q(next_due_at__lt=now)),
            ownerless=Count("pk", Q(agent=None)),
            long=Count("pk", _waiting_long(now)),
            judged=Count("pk", _judged()),
            kept=Count("pk", _kept(now)),
            oldest=Min("opened_at"),
        )
    )
    live = Live()
    for category, rank, n, risk, late, ownerless, long, judged, kept, oldest in rows:
        live.open += n
        live.at_risk += risk
        live.breached += late
        live.unassigned += ownerless
        live.waiting_long += long
        live.judged += judged
        live.kept += kept
        live.by_category[category] = live.by_category.get(category, 0) + n
        live.by_rank[rank] = live.by_rank.get(rank, 0) + n
        live.oldest_at = min(filter(None, (live.oldest_at, oldest)), default=None)
    return live


def pressing(tickets: TicketQuerySet, filters: Filters, live: Live, now: datetime) -> tuple[list[Facts], list[Facts]]:
    """The next tickets at risk, and the ones breached last. A query each, where there are any."""
    chosen = filters.apply(tickets)
    risky = row_facts(chosen.at_risk(now).by_due()[:RISKY]) if live.at_risk else []
    late = row_facts(chosen.breached(now).order_by("-next_due_at", "-pk")[:LATE]) if live.breached else []
    return risky, late
