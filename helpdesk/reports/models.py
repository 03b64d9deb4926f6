"""What reports read: contributions of tickets to days, their sums, and how far they are counted.

Keys are plain row ids (0 = none) and no foreign keys: rows are written by the thousand, and a client that goes must
not drag figures along; the fold finds what is gone.
"""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q

from helpdesk.reports.querysets import ContributionQuerySet, MetricQuerySet
from helpdesk.reports.slices import BUCKETS, COUNTERS, SLICES


class TicketDay(models.Model):
    """What one ticket adds to one day under one agent: what every figure is made of, and what a click on it lists."""

    ticket_id = models.BigIntegerField()
    day = models.DateField()
    client = models.BigIntegerField(default=0)
    team = models.BigIntegerField(default=0)
    rank = models.PositiveSmallIntegerField(default=0)
    agent = models.BigIntegerField(default=0)
    opened = models.PositiveSmallIntegerField(default=0)
    finished = models.PositiveSmallIntegerField(default=0)
    closed = models.PositiveSmallIntegerField(default=0)
    reopened = models.PositiveSmallIntegerField(default=0)
    escalated = models.PositiveSmallIntegerField(default=0)
    response_met = models.PositiveSmallIntegerField(default=0)
    response_breached = models.PositiveSmallIntegerField(default=0)
    resolution_met = models.PositiveSmallIntegerField(default=0)
    resolution_breached = models.PositiveSmallIntegerField(default=0)
    retroactive = models.PositiveSmallIntegerField(default=0)
    answered = models.PositiveSmallIntegerField(default=0)
    answer_seconds = models.BigIntegerField(default=0)
    resolve_seconds = models.BigIntegerField(default=0)
    billable_seconds = models.BigIntegerField(default=0)
    nonbillable_seconds = models.BigIntegerField(default=0)

    objects = ContributionQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["ticket_id", "day", "agent"], name="ticket_day_once")]
        indexes = [
            models.Index(fields=["day", "ticket_id"], name="ticket_day_day"),
            models.Index(fields=["client", "day"], name="ticket_day_client"),
            models.Index(fields=["agent", "day"], name="ticket_day_agent"),
            models.Index(fields=["team", "day"], name="ticket_day_team"),
        ]

    def __str__(self) -> str:
        return f"{self.ticket_id} on {self.day}"


def _sum_fields(names: tuple[str, ...]) -> dict[str, Any]:
    return {name: models.BigIntegerField(default=0) for name in names}


class DailyMetric(models.Model):
    """A sum of contributions: per day or month, and per dimension that its slice keeps apart (see `slices`)."""

    slice = models.CharField(max_length=4, choices=[(code, code) for code in SLICES])
    day = models.DateField()
    """The first of the month in a month's slice."""
    client = models.BigIntegerField(default=0)
    team = models.BigIntegerField(default=0)
    rank = models.PositiveSmallIntegerField(default=0)
    agent = models.BigIntegerField(default=0)
    parts = models.BigIntegerField(default=0)
    """How many contributions are in here."""
    vars().update(_sum_fields((*COUNTERS, *BUCKETS)))

    objects = MetricQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["slice", "day", "client", "team", "rank", "agent"], name="metric_once")
        ]
        indexes = [
            models.Index(fields=["slice", "client", "day"], name="metric_client"),
            # All that the tables of clients, teams, owners and priorities add up: read without touching the rows.
            models.Index(
                fields=[
                    "slice",
                    "day",
                    "client",
                    "team",
                    "rank",
                    "agent",
                    "finished",
                    "response_met",
                    "response_breached",
                    "resolution_met",
                    "resolution_breached",
                ],
                name="metric_verdicts",
            ),
            models.Index(fields=["slice"], name="metric_empty", condition=Q(parts=0)),
        ]

    def __str__(self) -> str:
        return f"{self.slice} {self.day}"


class FoldState(models.Model):
    """How far the counting has come. One row."""

    time_zone = models.CharField(max_length=64, default="UTC")
    """The zone whose days the rows hold."""
    cursors = models.JSONField(default=dict)
    """Place in every source of changes: see `services`."""
    caught_up_at = models.DateTimeField(null=True)
    """When everything known had been counted; null while the first count (or a recount) runs."""
    folded_at = models.DateTimeField(null=True)
    busy_until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"counted up to {self.caught_up_at}"
