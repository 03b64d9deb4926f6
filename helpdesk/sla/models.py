"""The promise: when the desk is open, and how soon it answers and resolves."""

from __future__ import annotations

from datetime import UTC, datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from helpdesk.core.models import RemoteRow, unique_in_account
from helpdesk.sla.choices import OnChange, OnReopen, ResponseBy

EVER = datetime(1970, 1, 1, tzinfo=UTC)
"""Since when a first version is in force."""


def usual_thresholds() -> list[int]:
    return [50, 75, 90, 100]


class Calendar(RemoteRow):
    # Null: made here, for every account.
    psa_account = models.ForeignKey(  # type: ignore[assignment]
        "directory.PsaAccount", null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    name = models.CharField(max_length=120)
    time_zone = models.CharField(max_length=64, blank=True)
    """Empty = the organisation's."""
    is_always_open = models.BooleanField(default=False)
    holiday_country = models.CharField(max_length=8, blank=True)
    """ISO 3166 code whose public holidays are fed into `holidays`; empty = no feed."""
    holiday_region = models.CharField(max_length=16, blank=True)
    """Subdivision of that country, as the feed spells it; empty = those of the whole country."""
    fed_at = models.DateTimeField(null=True, blank=True)
    feed_problem = models.CharField(max_length=200, blank=True)
    """Why the last feed failed; what was fed before stays."""
    version = models.PositiveIntegerField(default=0)
    """Number of the newest `CalendarVersion`; 0 = none is written yet."""
    archived_at = models.DateTimeField(null=True, blank=True)
    """Offered no more; what counts by it goes on."""

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
    is_ignored = models.BooleanField(default=False)
    """Fed, and unwanted here: the desk is open as on any other day."""

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
    """The default of its account as the PSA has it."""
    risk_minutes = models.PositiveIntegerField(_("at risk below, minutes"), default=60)
    short_target_minutes = models.PositiveIntegerField(_("a short target is below, minutes"), default=240)
    short_percent = models.PositiveSmallIntegerField(_("a short target is at risk below, per cent"), default=25)
    on_change = models.CharField(max_length=10, choices=OnChange.choices, default=OnChange.START)
    on_reopen = models.CharField(max_length=10, choices=OnReopen.choices, default=OnReopen.RESUMES)
    response_by = models.CharField(max_length=10, choices=ResponseBy.choices, default=ResponseBy.MESSAGE)
    thresholds = models.JSONField(default=usual_thresholds, blank=True)
    """Per cent of a target at which somebody is told."""
    escalates = models.BooleanField(default=True)
    """Whether breaches raise the escalation levels."""
    version = models.PositiveIntegerField(default=0)
    """Number of the newest `PolicyVersion`; 0 = none is written yet."""
    archived_at = models.DateTimeField(null=True, blank=True)

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
    """The priority's remote id in the policy's account; the rank as text for a policy made here."""
    rank = models.PositiveSmallIntegerField(null=True, blank=True)
    response_seconds = models.PositiveIntegerField(null=True, blank=True)
    resolution_seconds = models.PositiveIntegerField(null=True, blank=True)
    response_in_days = models.BooleanField(default=False)
    resolution_in_days = models.BooleanField(default=False)
    """`..._seconds` then holds business days times 86,400: 2 days are two working days on, never 16 hours."""
    calendar = models.ForeignKey(Calendar, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    """This priority's own hours; null = the policy's."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["policy", "priority"], name="target_once")]

    def __str__(self) -> str:
        return f"{self.policy_id}: {self.priority}"


class CalendarVersion(models.Model):
    """A calendar as it counted from `from_at` on. Never edited: deadlines are worked out from it at any later time."""

    calendar = models.ForeignKey(Calendar, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    from_at = models.DateTimeField()
    content = models.JSONField()
    """`{"zone", "always", "weekly": [[weekday, opens, closes]], "off": [[first, last, opens, closes, name]]}`."""
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["calendar", "number"], name="calendar_version_once")]
        ordering = ["calendar", "number"]

    def __str__(self) -> str:
        return f"calendar {self.calendar_id}, version {self.number}"


class PolicyVersion(models.Model):
    """A policy as it counted from `from_at` on. Never edited."""

    policy = models.ForeignKey(Policy, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    from_at = models.DateTimeField()
    content = models.JSONField()
    """Targets by priority and by rank, each with its calendar, and choices: what `sla.versions` writes."""
    known_at = models.DateTimeField(null=True)
    """When it was written here: the first one counts from ever, and is known from some day on. Null = as `from_at`."""
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["policy", "number"], name="policy_version_once")]
        ordering = ["policy", "number"]

    def __str__(self) -> str:
        return f"policy {self.policy_id}, version {self.number}"


class PolicyUse(models.Model):
    """Who gets a policy, chosen here: a contract, a client, a team, or all of an account. Ended, never edited.

    Or it stands for a policy of a PSA, wherever the PSA gives that one.
    """

    policy = models.ForeignKey(Policy, on_delete=models.CASCADE, related_name="uses")
    contract = models.ForeignKey("directory.Contract", null=True, on_delete=models.CASCADE, related_name="+")
    client = models.ForeignKey("directory.Client", null=True, on_delete=models.CASCADE, related_name="+")
    team = models.ForeignKey("directory.Team", null=True, on_delete=models.CASCADE, related_name="+")
    psa_account = models.ForeignKey("directory.PsaAccount", null=True, on_delete=models.CASCADE, related_name="+")
    replaces = models.ForeignKey(Policy, null=True, on_delete=models.CASCADE, related_name="replacements")
    """A policy of a PSA; `policy` is then one of ours."""
    from_at = models.DateTimeField()
    to_at = models.DateTimeField(null=True, blank=True)
    """Null = still."""
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=[name], name=f"policy_use_{name}", condition=Q(to_at=None))
            for name in ("contract", "client", "team", "psa_account", "replaces")
        ]
        ordering = ["from_at", "pk"]

    def __str__(self) -> str:
        return f"policy {self.policy_id} from {self.from_at}"


class PlannedChange(models.Model):
    """What a change of calendars, policies or uses would do to the open tickets, counted before it is made.

    Counted in batches, each kept together with the place it reaches: a worker that is killed loses nothing.
    """

    digest = models.CharField(max_length=64, db_index=True)
    """Of `content`: saving something else than what was looked at is noticed by it."""
    content = models.JSONField()
    """`{"calendars": {id: content}, "policies": {id: content}, "uses": [[who, id, policy or null]],
    "base": versions and uses that it stands upon}`."""
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()
    """The instant that all of it is counted for."""
    place = models.BigIntegerField(default=0)
    """Key of the last ticket looked at."""
    total = models.PositiveIntegerField(default=0)
    looked_at = models.PositiveIntegerField(default=0)
    moved = models.PositiveIntegerField(default=0)
    breached = models.PositiveIntegerField(default=0)
    lifted = models.PositiveIntegerField(default=0)
    """Tickets whose deadline moves; that would be breached then; that would be so no longer."""
    examples = models.JSONField(default=list)
    finished_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.looked_at} of {self.total}"

    @property
    def percent(self) -> int:
        if self.finished_at:
            return 100
        return min(99, round(100 * self.looked_at / self.total)) if self.total else 0
