"""What happened to a ticket, and its clocks."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from helpdesk.sla.choices import ClockKind, ClockState
from helpdesk.tickets.choices import Category, Precision
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
        indexes = [models.Index(fields=["ticket", "from_at"], name="span_order")]
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
    paused_since = models.DateTimeField(null=True, blank=True)
    breached_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    is_retroactive = models.BooleanField(default=False)
    source = models.CharField(max_length=8, default="none")
    """psa, policy, default or none: where the due instant comes from."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["ticket", "kind"], name="clock_once")]
        indexes = [
            models.Index(fields=["due_at"], name="clock_due", condition=Q(finished_at=None)),
            models.Index(fields=["at_risk_at"], name="clock_at_risk", condition=Q(finished_at=None)),
            # The promises of open tickets, counted beside `ticket_open_facts` and like it without the rows.
            models.Index(
                fields=["ticket", "state", "due_at", "breached_at"],
                name="clock_open_promise",
                condition=Q(finished_at=None, kind=ClockKind.RESOLUTION.value),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ticket_id} {self.kind}: {self.state}"
