"""Reports that go out by themselves: what is sent to whom and when, and each mail of it as a job and as a log."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class About(models.TextChoices):
    DESK = "desk", _("the whole desk")
    TEAM = "team", _("one team")
    CLIENT = "client", _("one client")


class Every(models.TextChoices):
    WEEK = "week", _("every week")
    MONTH = "month", _("every month")


class Weekday(models.IntegerChoices):
    MONDAY = 0, _("Monday")
    TUESDAY = 1, _("Tuesday")
    WEDNESDAY = 2, _("Wednesday")
    THURSDAY = 3, _("Thursday")
    FRIDAY = 4, _("Friday")
    SATURDAY = 5, _("Saturday")
    SUNDAY = 6, _("Sunday")


class SendState(models.TextChoices):
    WAITING = "waiting", _("waiting")
    SENDING = "sending", _("being sent")
    SENT = "sent", _("sent")
    FAILED = "failed", _("failed")
    CANCELLED = "cancelled", _("not sent")


class ReportSchedule(models.Model):
    """The week or month before, to these people, at this hour of their zone."""

    about = models.CharField(max_length=8, choices=About.choices)
    client = models.ForeignKey("directory.Client", null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    team = models.ForeignKey("directory.Team", null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    every = models.CharField(max_length=8, choices=Every.choices, default=Every.WEEK)
    weekday = models.PositiveSmallIntegerField(choices=Weekday.choices, default=Weekday.MONDAY)
    month_day = models.PositiveSmallIntegerField(default=1, validators=[MinValueValidator(1), MaxValueValidator(28)])
    hour = models.PositiveSmallIntegerField(default=7, validators=[MaxValueValidator(23)])
    time_zone = models.CharField(max_length=64, default="UTC")
    people = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="+")
    """Of the desk."""
    contacts = models.ManyToManyField("directory.Contact", blank=True, related_name="+")
    """Of this very client; only where the report is about one."""
    is_active = models.BooleanField(default=True)
    next_at = models.DateTimeField(null=True, blank=True)
    """Null while paused."""
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(about="client", client__isnull=False, team=None)
                | Q(about="team", team__isnull=False, client=None)
                | Q(about="desk", client=None, team=None),
                name="schedule_subject",
            )
        ]
        indexes = [models.Index(fields=["next_at"], name="schedule_due", condition=Q(next_at__isnull=False))]
        ordering = ["pk"]

    def __str__(self) -> str:
        return str(self.client or self.team or _("The whole desk"))


class SendingQuerySet(models.QuerySet["ReportSent"]):
    def unsent(self) -> SendingQuerySet:
        return self.filter(state__in=[SendState.WAITING, SendState.SENDING])

    def due(self, now: datetime) -> SendingQuerySet:
        """May leave now: nobody holds it, or who held it is gone."""
        return (
            self.unsent()
            .filter(not_before_at__lte=now)
            .filter(Q(lease_until=None) | Q(lease_until__lt=now))
            .order_by("not_before_at", "pk")
        )


class ReportSent(models.Model):
    """One report to one person: the job while it waits, the log afterwards. `key` makes it once."""

    key = models.CharField(max_length=120, unique=True)
    schedule = models.ForeignKey(ReportSchedule, null=True, on_delete=models.SET_NULL, related_name="sendings")
    title = models.CharField(max_length=255)
    """What it is about; outlives the schedule."""
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+")
    contact = models.ForeignKey("directory.Contact", null=True, on_delete=models.CASCADE, related_name="+")
    to = models.CharField(max_length=254)
    first = models.DateField()
    last = models.DateField()
    marker = models.UUIDField(default=uuid.uuid4, unique=True)
    """In the mail's Message-ID: sent twice, a mail program shows it once."""
    state = models.CharField(max_length=10, choices=SendState.choices, default=SendState.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    not_before_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True, blank=True)
    fence = models.PositiveIntegerField(default=0)
    error_text = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)

    objects = SendingQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["not_before_at"], name="sending_due", condition=Q(state__in=["waiting", "sending"]))
        ]
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.title} to {self.to}"
