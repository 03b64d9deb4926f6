"""The promise: when the desk is open, and how soon it answers and resolves."""

from __future__ import annotations

from django.db import models

from helpdesk.core.models import RemoteRow, unique_in_account


class Calendar(RemoteRow):
    # Null: made here, for every account.
    psa_account = models.ForeignKey(  # type: ignore[assignment]
        "directory.PsaAccount", null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    name = models.CharField(max_length=120)
    time_zone = models.CharField(max_length=64, blank=True)
    """Empty = the organisation's."""
    is_always_open = models.BooleanField(default=False)

    class Meta:
        constraints = [unique_in_account("calendar_remote")]
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class OpenInterval(models.Model):
    """Open hours of a weekday, half-open, as minutes after local midnight; past 1440 means past midnight."""

    calendar = models.ForeignKey(Calendar, on_delete=models.CASCADE, related_name="intervals")
    weekday = models.PositiveSmallIntegerField(help_text="0 Monday to 6 Sunday")
    opens = models.PositiveSmallIntegerField()
    closes = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["weekday", "opens"]
        constraints = [
            models.CheckConstraint(condition=models.Q(closes__gt=models.F("opens")), name="interval_forward")
        ]

    def __str__(self) -> str:
        return f"{self.weekday} {self.opens}-{self.closes}"


class Holiday(models.Model):
    """A local date on which the calendar is closed (or open shorter, when `opens` and `closes` are set)."""

    calendar = models.ForeignKey(Calendar, on_delete=models.CASCADE, related_name="holidays")
    name = models.CharField(max_length=120)
    starts_on = models.DateField()
    ends_on = models.DateField()
    opens = models.PositiveSmallIntegerField(null=True, blank=True)
    closes = models.PositiveSmallIntegerField(null=True, blank=True)
    source = models.CharField(max_length=20, default="hand")
    """psa, feed or hand."""

    class Meta:
        ordering = ["starts_on"]

    def __str__(self) -> str:
        return f"{self.name} {self.starts_on}"


class Policy(RemoteRow):
    """A set of targets by priority."""

    # Null: made here, for every account.
    psa_account = models.ForeignKey(  # type: ignore[assignment]
        "directory.PsaAccount", null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    name = models.CharField(max_length=120)
    calendar = models.ForeignKey(Calendar, null=True, blank=True, on_delete=models.SET_NULL, related_name="policies")
    is_default = models.BooleanField(default=False)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [unique_in_account("policy_remote")]
        verbose_name_plural = "policies"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Target(models.Model):
    """What a policy promises for one priority; null = nothing promised."""

    policy = models.ForeignKey(Policy, on_delete=models.CASCADE, related_name="targets")
    priority = models.CharField(max_length=64)
    """The priority's remote id in the policy's account."""
    rank = models.PositiveSmallIntegerField(null=True, blank=True)
    response_seconds = models.PositiveIntegerField(null=True, blank=True)
    resolution_seconds = models.PositiveIntegerField(null=True, blank=True)
    response_in_days = models.BooleanField(default=False)
    resolution_in_days = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["policy", "priority"], name="target_once")]

    def __str__(self) -> str:
        return f"{self.policy_id}: {self.priority}"
