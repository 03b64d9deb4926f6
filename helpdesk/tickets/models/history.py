"""What happened to a ticket, and its clocks."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from helpdesk.sla.choices import ClockKind, ClockSource, ClockState, Difference, Problem
from helpdesk.tickets.choices import FINISHED, Category, Precision
from helpdesk.tickets.models.ticket import Ticket
from helpdesk.tickets.querysets import EventQuerySet


class TicketEvent(models.Model):
    """One change of one field: the source of ledger, history and reports. Never edited."""

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="events")
    field = models.CharField(max_length=30)
    old = models.CharField(max_length=255, blank=True)
    new = models.CharField(max_length=255, blank=True)
    """Keys: our primary key for references, the text otherwise."""
    old_label = models.CharField(max_length=255, blank=True)
    new_label = models.CharField(max_length=255, blank=True)
    at = models.DateTimeField()
    known_at = models.DateTimeField()
    precision = models.CharField(max_length=8, choices=Precision.choices, default=Precision.EXACT)
    origin = models.CharField(max_length=10)
    actor = models.CharField(max_length=120, blank=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    remote_key = models.CharField(max_length=80, null=True, blank=True)

    objects = EventQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["ticket", "remote_key"], name="event_once")]
        indexes = [models.Index(fields=["ticket", "at", "id"], name="event_order")]
        ordering = ["at", "pk"]

    def __str__(self) -> str:
        return f"{self.ticket_id} {self.field}: {self.old_label} -> {self.new_label}"


class TicketSpan(models.Model):
    """How long a ticket stood in one category with one agent and team; folded from events."""

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="spans")
    category = models.CharField(max_length=20, choices=Category.choices)
    agent = models.ForeignKey("directory.Agent", null=True, on_delete=models.SET_NULL, related_name="+")
    team = models.ForeignKey("directory.Team", null=True, on_delete=models.SET_NULL, related_name="+")
    from_at = models.DateTimeField()
    to_at = models.DateTimeField(null=True, blank=True)
    """Null = still."""

    class Meta:
        indexes = [
            models.Index(fields=["ticket", "from_at"], name="span_order"),
            # Where open tickets stand, read without touching the rows: of all spans one in sixty.
            models.Index(
                fields=["ticket"], include=["from_at"], name="span_still",
                condition=models.Q(to_at=None, category__in=[c.value for c in Category if c not in FINISHED]),
            ),
        ]  # fmt: skip
        ordering = ["from_at", "pk"]

    def __str__(self) -> str:
        return f"{self.ticket_id} {self.category}"


class TicketClock(models.Model):
    """One target running on one ticket."""

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="clocks")
    kind = models.CharField(max_length=10, choices=ClockKind.choices)
    state = models.CharField(max_length=12, choices=ClockState.choices, default=ClockState.NOT_STARTED)
    target_seconds = models.PositiveIntegerField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    at_risk_at = models.DateTimeField(null=True, blank=True)
    """Both null while paused."""
    remaining_seconds = models.IntegerField(null=True, blank=True)
    """Open seconds left while paused. Below zero, while it runs late: those that it stood still since its deadline."""
    paused_since = models.DateTimeField(null=True, blank=True)
    breached_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    is_retroactive = models.BooleanField(default=False)
    """Breached only because priority, policy or calendar was changed later."""
    is_corrected = models.BooleanField(default=False)
    """A person set something right by hand; reports say so."""
    source = models.CharField(max_length=8, choices=ClockSource.choices, default=ClockSource.NONE)
    policy = models.ForeignKey(
        "sla.Policy", null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )  # few policies over many clocks: an index would only cost
    policy_version = models.PositiveIntegerField(default=0)
    cycle = models.PositiveSmallIntegerField(default=1)
    """2 and up where a reopened ticket starts anew."""
    earlier = models.JSONField(default=list, blank=True)
    """The verdicts of the cycles before: [when it ended (ISO), breached, retroactive, open seconds used, paused]."""
    burned_seconds = models.PositiveIntegerField(null=True, blank=True)
    """Open seconds used, of a clock that has finished."""
    paused_seconds = models.PositiveIntegerField(default=0)
    """Open seconds it stood still, in pauses that are over."""
    our_due_at = models.DateTimeField(null=True, blank=True)
    their_due_at = models.DateTimeField(null=True, blank=True)
    """What we say and what the PSA says, whichever of them is shown; null = nothing."""
    alert_at = models.DateTimeField(null=True, blank=True)
    """When somebody may have to be told next; null = never, as things stand."""
    difference = models.CharField(max_length=10, choices=Difference.choices, blank=True)
    problem = models.CharField(max_length=12, choices=Problem.choices, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["ticket", "kind"], name="clock_once")]
        indexes = [
            models.Index(fields=["due_at"], name="clock_due", condition=Q(finished_at=None)),
            models.Index(fields=["at_risk_at"], name="clock_at_risk", condition=Q(finished_at=None)),
            models.Index(fields=["alert_at"], name="clock_alert", condition=Q(alert_at__isnull=False)),
            # The promises of open tickets, counted beside `ticket_open_facts` and like it without the rows.
            models.Index(
                fields=["ticket", "state", "due_at", "breached_at"],
                name="clock_open_promise",
                condition=Q(finished_at=None, kind=ClockKind.RESOLUTION.value),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ticket_id} {self.kind}: {self.state}"


class Correction(models.Model):
    """A person sets a clock right: when it ended, is due, or that it does not count. Taken back, never edited."""

    class What(models.TextChoices):
        FINISHED = "finished", _("it ended at")
        DUE = "due", _("it is due at")
        EXCLUDED = "excluded", _("it does not count")

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="corrections")
    kind = models.CharField(max_length=10, choices=ClockKind.choices)
    what = models.CharField(max_length=10, choices=What.choices)
    instant = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=500)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["ticket", "kind", "what"], name="correction_once", condition=Q(undone_at=None)
            )
        ]
        ordering = ["at", "pk"]

    def __str__(self) -> str:
        return f"{self.ticket_id} {self.kind} {self.what}"
