"""The ticket."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.urls import reverse

from helpdesk.core.formatting import FOREVER
from helpdesk.core.models import RemoteRow, unique_in_account
from helpdesk.sla.choices import ClockKind, ClockState
from helpdesk.tickets.choices import FINISHED, Category, Rank, Sync
from helpdesk.tickets.models.configuration import Priority, Status, TicketType
from helpdesk.tickets.querysets import ESCALATED, TicketQuerySet

if TYPE_CHECKING:
    from helpdesk.tickets.models.history import TicketClock, TicketEvent


class Ticket(RemoteRow):
    """One request of a client. Columns below the line are kept by services so that lists need no joins."""

    marker = models.UUIDField(default=uuid.uuid4, unique=True)
    """Our reference inside the PSA, by which an ambiguous create is found again."""
    number = models.CharField(max_length=40, blank=True, db_index=True)
    subject = models.CharField(max_length=255)
    description = models.TextField(blank=True)
    description_is_html = models.BooleanField(default=False)
    description_clean = models.TextField(blank=True)
    cleaner_version = models.PositiveSmallIntegerField(default=0)
    resolution = models.TextField(blank=True)
    resolution_type = models.CharField(max_length=120, blank=True)
    client = models.ForeignKey("directory.Client", null=True, on_delete=models.SET_NULL, related_name="tickets")
    site = models.ForeignKey("directory.Site", null=True, blank=True, on_delete=models.SET_NULL, related_name="tickets")
    contact = models.ForeignKey(
        "directory.Contact", null=True, blank=True, on_delete=models.SET_NULL, related_name="tickets"
    )
    reported_by = models.CharField(max_length=255, blank=True)
    cc = models.TextField(blank=True)
    status = models.ForeignKey(Status, on_delete=models.RESTRICT, related_name="tickets")
    priority = models.ForeignKey(Priority, on_delete=models.RESTRICT, related_name="tickets")
    impact = models.CharField(max_length=40, blank=True)
    urgency = models.CharField(max_length=40, blank=True)
    ticket_type = models.ForeignKey(TicketType, null=True, on_delete=models.SET_NULL, related_name="tickets")
    category = models.CharField(max_length=255, blank=True)
    subcategory = models.CharField(max_length=255, blank=True)
    category_3 = models.CharField(max_length=255, blank=True)
    category_4 = models.CharField(max_length=255, blank=True)
    agent = models.ForeignKey(
        "directory.Agent", null=True, blank=True, on_delete=models.SET_NULL, related_name="tickets"
    )
    agent_role = models.CharField(max_length=64, blank=True)
    team = models.ForeignKey("directory.Team", null=True, blank=True, on_delete=models.SET_NULL, related_name="tickets")
    source = models.CharField(max_length=60, blank=True)
    escalation_reason = models.TextField(blank=True)
    escalated_at = models.DateTimeField(null=True, blank=True)
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="children")
    contract = models.ForeignKey(
        "directory.Contract", null=True, blank=True, on_delete=models.SET_NULL, related_name="tickets"
    )
    sla_policy = models.ForeignKey(
        "sla.Policy", null=True, blank=True, on_delete=models.SET_NULL, related_name="tickets"
    )

    opened_at = models.DateTimeField()
    occurred_at = models.DateTimeField(null=True, blank=True)
    first_responded_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    """First message of a person of staff that the client sees, as far as its messages are known here."""
    resolved_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    last_activity_at = models.DateTimeField(null=True, blank=True)
    response_due_at = models.DateTimeField(null=True, blank=True)
    resolution_due_at = models.DateTimeField(null=True, blank=True)
    """What the PSA says; ours stands on the clocks."""
    are_dates_old = models.BooleanField(default=False)
    """A change of ours that moves the PSA's dates is not in them yet."""
    deadline_at = models.DateTimeField(null=True, blank=True)
    sla_response_state = models.CharField(max_length=20, blank=True)
    sla_resolution_state = models.CharField(max_length=20, blank=True)
    sla_paused = models.BooleanField(default=False)
    """The PSA's hold, or one that an outcome of ours has begun."""
    sla_released = models.BooleanField(default=False)
    """An outcome ended the hold although the status would pause; until the status changes."""
    sla_excluded = models.BooleanField(default=False)
    billable_seconds = models.PositiveIntegerField(default=0)
    nonbillable_seconds = models.PositiveIntegerField(default=0)
    estimate_seconds = models.PositiveIntegerField(null=True, blank=True)

    confirmed = models.JSONField(default=dict, blank=True)
    """The PSA's last known value per editable field, as the outbox spells values."""
    actions_pulled_at = models.DateTimeField(null=True, blank=True)
    """`remote_updated_at` up to which the actions are known; null = never pulled."""
    read_at = models.DateTimeField(null=True, blank=True)
    """When we last read this ticket from the PSA: its freshness."""
    removed_at = models.DateTimeField(null=True, blank=True)
    """Deleted in the PSA."""

    # ---- kept by services ----
    status_category = models.CharField(max_length=20, choices=Category.choices, default=Category.NEW)
    is_open = models.BooleanField(default=True)
    rank = models.PositiveSmallIntegerField(default=Rank.MEDIUM)
    finished_at = models.DateTimeField(null=True, blank=True)
    next_clock = models.CharField(max_length=10, choices=ClockKind.choices, blank=True)
    """Which clock the row shows: the one that runs out next, else the last one."""
    clock_state = models.CharField(max_length=12, choices=ClockState.choices, default=ClockState.NOT_STARTED)
    next_due_at = models.DateTimeField(default=FOREVER)
    next_at_risk_at = models.DateTimeField(null=True, blank=True)
    clock_seconds = models.IntegerField(null=True, blank=True)
    """Paused: seconds left. Met: seconds it took. Breached and finished: seconds over. Below zero, breached and
    running: seconds that it stood still since its deadline."""
    clock_calendar = models.PositiveBigIntegerField(default=0)
    """Key of the calendar that this clock runs by; 0 = around the clock."""
    sync_state = models.CharField(max_length=10, choices=Sync.choices, blank=True, default="")
    client_replied_at = models.DateTimeField(null=True, blank=True)
    """Last message of the client that staff has not answered; null = nothing waits."""
    attachment_count = models.PositiveIntegerField(default=0)
    changed_at = models.DateTimeField(db_index=True)
    """Our own last change of anything a page shows."""
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TicketQuerySet.as_manager()

    class Meta:
        constraints = [unique_in_account("ticket_remote")]
        indexes = [
            models.Index(fields=["next_due_at", "id"], name="ticket_due_open", condition=Q(is_open=True)),
            models.Index(fields=["next_due_at", "id"], name="ticket_due"),
            models.Index(fields=["agent", "next_due_at", "id"], name="ticket_agent_open", condition=Q(is_open=True)),
            models.Index(fields=["team", "next_due_at", "id"], name="ticket_team_open", condition=Q(is_open=True)),
            models.Index(fields=["client", "-opened_at", "-id"], name="ticket_client"),
            models.Index(fields=["client", "-opened_at", "-id"], name="ticket_client_open", condition=Q(is_open=True)),
            models.Index(fields=["contact", "-opened_at", "-id"], name="ticket_contact"),
            models.Index(fields=["-opened_at", "-id"], name="ticket_opened"),
            models.Index(fields=["-last_activity_at", "-id"], name="ticket_activity"),
            models.Index(fields=["status_category", "next_due_at", "id"], name="ticket_category_due"),
            models.Index(fields=["next_at_risk_at"], name="ticket_at_risk", condition=Q(is_open=True)),
            models.Index(fields=["next_due_at", "id"], name="ticket_escalated", condition=ESCALATED),
            models.Index(fields=["sync_state"], name="ticket_sync", condition=~Q(sync_state="")),
            # All that the counts over open tickets (reports, board) add up: read without touching the rows, of which
            # nearly every one lies in another page. Few columns of it change without one that is indexed anyway.
            models.Index(
                fields=[
                    "removed_at", "id", "status_category", "rank", "next_at_risk_at", "next_due_at", "agent", "team",
                    "client", "psa_account", "last_activity_at", "opened_at", "estimate_seconds",
                ],
                name="ticket_open_facts",
                condition=Q(is_open=True),
            ),
        ]  # fmt: skip
        ordering = ["next_due_at", "pk"]

    def __str__(self) -> str:
        return f"{self.label} {self.subject}"

    written_events: Sequence[TicketEvent] | None = ()
    """Events written through this very object; None where others may have written some beside it."""
    written_clocks: Sequence[TicketClock] = ()
    """Both clocks, once they were worked out anew through this very object."""

    @property
    def label(self) -> str:
        """The number people see; ours until the PSA has given one."""
        return self.number or f"new-{self.pk}"

    @property
    def source_word(self) -> str:
        """Where it came from, in words; empty when the PSA only gives a number of its own."""
        return "" if self.source.isdigit() else self.source

    @property
    def lane(self) -> str:
        """Its lane in the outbox."""
        return f"ticket:{self.pk}"

    @property
    def is_escalated(self) -> bool:
        """Here or in the PSA."""
        return self.escalated_at is not None or self.status_category == Category.ESCALATED

    @property
    def is_finished(self) -> bool:
        return self.status_category in FINISHED

    def get_absolute_url(self) -> str:
        return reverse("tickets:detail", args=[self.pk])
