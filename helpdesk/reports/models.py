"""What reports read: contributions of tickets to days, their sums, and how far they are counted.

Keys are plain row ids (0 = none) and no foreign keys: rows are written by the thousand, and a client that goes must
not drag figures along; the fold finds what is gone.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import models
from django.db.models import Q

from helpdesk.reports.querysets import ContributionQuerySet, MetricQuerySet
from helpdesk.reports.schedule_models import ReportSchedule, ReportSent  # noqa: F401
from helpdesk.reports.slices import BUCKETS, COUNTERS, SLICES, SumKey
from helpdesk.sla.choices import ClockKind


def _counters(names: Iterable[str], count: type[models.Field[Any, Any]]) -> dict[str, Any]:
    """Seconds need the room, counts do not."""
    return {name: (models.BigIntegerField if name.endswith("_seconds") else count)(default=0) for name in names}


class Keyed(models.Model):
    """Under what something is counted: the same keys, by the same names, as `slices.Keys`."""

    client = models.BigIntegerField(default=0)
    team = models.BigIntegerField(default=0)
    rank = models.PositiveSmallIntegerField(default=0)
    agent = models.BigIntegerField(default=0)
    type = models.BigIntegerField(default=0)
    category = models.BigIntegerField(default=0)
    """Key of a `CategoryName`."""
    account = models.BigIntegerField(default=0)

    class Meta:
        abstract = True


class CategoryName(models.Model):
    """A category as tickets spell it: text there, a key here."""

    name = models.CharField(max_length=255, unique=True)

    def __str__(self) -> str:
        return self.name


class TicketDay(Keyed):
    """What one ticket adds to one day under one agent: what every figure is made of, and what a click on it lists."""

    ticket_id = models.BigIntegerField()
    day = models.DateField()
    vars().update(_counters(COUNTERS, models.PositiveSmallIntegerField))

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


class OpenStretch(Keyed):
    """A ticket that was open at the end of every day from `day` to the one before `until`: the backlog of any day."""

    ticket_id = models.BigIntegerField()
    day = models.DateField()
    until = models.DateField()
    """9999-12-31 = still open."""
    opened_on = models.DateField()
    """When the ticket was opened first: its age counts from there."""

    objects = ContributionQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["ticket_id", "day"], name="stretch_once")]
        indexes = [models.Index(fields=["until", "day"], name="stretch_until")]

    def __str__(self) -> str:
        return f"{self.ticket_id} from {self.day}"


class TicketRaised(Keyed):
    """How often one ticket was escalated on one day, by whom or what, to which level."""

    ticket_id = models.BigIntegerField()
    day = models.DateField()
    trigger = models.CharField(max_length=12)
    level = models.PositiveSmallIntegerField()
    times = models.PositiveSmallIntegerField(default=1)

    objects = ContributionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["ticket_id", "day", "trigger", "level"], name="ticket_raised_once")
        ]
        indexes = [models.Index(fields=["day", "ticket_id"], name="ticket_raised_day")]

    def __str__(self) -> str:
        return f"{self.ticket_id} on {self.day}: {self.trigger} {self.level}"


class LateClock(models.Model):
    """A clock that ended late, and what the reason is told from: who had the ticket while it ran, and where it stood.

    Data and no words, for readers have languages; `burns` spells it. Of a clock that runs on nothing is kept.
    """

    ticket_id = models.BigIntegerField()
    kind = models.CharField(max_length=10, choices=ClockKind.choices)
    due_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField()
    burn = models.JSONField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["ticket_id", "kind"], name="late_clock_once")]

    def __str__(self) -> str:
        return f"{self.ticket_id} {self.kind}"


class DailyMetric(Keyed):
    """A sum of contributions: per day or month, and per dimension that its slice keeps apart (see `slices`)."""

    slice = models.CharField(max_length=4, choices=[(code, code) for code in SLICES])
    day = models.DateField()
    """The first of the month in a month's slice."""
    parts = models.IntegerField(default=0)
    """How many contributions are in here."""
    vars().update(_counters((*COUNTERS, *BUCKETS), models.IntegerField))

    objects = MetricQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=list(SumKey._fields), name="metric_once")]
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


class Quantile(models.Model):
    """Median and 90th percentile of a week, month, quarter or year, exact: of all, a client, a team or a priority."""

    grain = models.CharField(max_length=1)
    """w, m, q or y."""
    day = models.DateField()
    """The first of it."""
    dimension = models.CharField(max_length=8)
    """client, team or rank; empty = all."""
    key = models.BigIntegerField(default=0)
    kind = models.CharField(max_length=12)
    count = models.IntegerField()
    median = models.BigIntegerField()
    p90 = models.BigIntegerField()
    """Seconds; the smallest value that 90 per cent do not exceed."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["grain", "day", "dimension", "key", "kind"], name="quantile_once")
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.grain} {self.day} {self.dimension} {self.key}"


class QuantileMark(models.Model):
    """Values of this day, client, team and priority have changed since quantiles were worked out."""

    day = models.DateField(db_index=True)
    client = models.BigIntegerField()
    team = models.BigIntegerField()
    rank = models.PositiveSmallIntegerField()

    def __str__(self) -> str:
        return f"{self.day}"


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
