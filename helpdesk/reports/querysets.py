"""Queries as words, for the rows that reports read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import Q, QuerySet

from helpdesk.reports.slices import AGE_EDGES, SLICES

if TYPE_CHECKING:
    from helpdesk.reports.models import DailyMetric  # noqa: F401

Span = tuple[date, date]
"""First and last day, both in it."""


class ContributionQuerySet(QuerySet[Any]):
    """Rows of tickets by day: contributions, stretches of being open, escalations."""

    def between(self, first: date, last: date) -> ContributionQuerySet:
        return self.filter(day__range=(first, last))

    def under(self, keys: Mapping[str, Sequence[int]]) -> ContributionQuerySet:
        """Of these clients, teams, ranks or agents."""
        return self.filter(**{f"{name}__in": list(values) for name, values in keys.items()})

    def counting(self, *counters: str) -> ContributionQuerySet:
        """Where one of the counters counts."""
        wanted = Q()
        for name in counters:
            wanted |= Q(**{f"{name}__gt": 0})
        return self.filter(wanted)

    def open_on(self, day: date) -> ContributionQuerySet:
        """Stretches over the end of this day."""
        return self.filter(day__lte=day, until__gt=day)

    def of_age(self, bucket: int, day: date) -> ContributionQuerySet:
        """Stretches of tickets that are so old on this day: a bucket of AGE_EDGES."""
        found = self
        if bucket:
            found = found.filter(opened_on__lte=day - timedelta(days=AGE_EDGES[bucket - 1]))
        if bucket < len(AGE_EDGES):
            found = found.filter(opened_on__gt=day - timedelta(days=AGE_EDGES[bucket]))
        return found

    def raised_by(self, trigger: str, level: int | None) -> ContributionQuerySet:
        found = self.filter(trigger=trigger) if trigger else self
        return found if level is None else found.filter(level=level)

    def of_tickets(self, ids: Iterable[int]) -> ContributionQuerySet:
        return self.filter(ticket_id__in=list(ids))

    def before(self, day: date, ticket_id: int) -> ContributionQuerySet:
        """What stands behind (day, ticket) in the order newest first."""
        return self.filter(Q(day__lt=day) | Q(day=day, ticket_id__lt=ticket_id), day__lte=day)

    def after(self, day: date, ticket_id: int) -> ContributionQuerySet:
        return self.filter(Q(day__gt=day) | Q(day=day, ticket_id__gt=ticket_id), day__gte=day)

    def tickets(self) -> Any:
        return self.order_by().values("ticket_id")


class MetricQuerySet(QuerySet["DailyMetric"]):
    def empty(self) -> MetricQuerySet:
        return self.filter(parts=0)

    def kept_for(self, first: date, last: date, grain: str) -> MetricQuerySet:
        codes = [code for code in SLICES if code[0] == grain]
        return self.filter(slice__in=codes, day__range=(first, last))
