"""The ticket, what happened to it, and its running clocks."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from helpdesk.core.formatting import FOREVER
from helpdesk.core.models import ConfiguredRow, RemoteRow, unique_in_account
from helpdesk.sla.choices import ClockKind, ClockState
from helpdesk.tickets.choices import FINISHED, Category, Precision, Rank, SlaAction, SlaClock, Sync, TypeKind
from helpdesk.tickets.querysets import ESCALATED, EventQuerySet, RoutingQuerySet, TicketQuerySet, TypeQuerySet


class Status(ConfiguredRow):
    """A PSA's own status, mapped onto our category."""

    name = models.CharField(max_length=120)
    category = models.CharField(max_length=20, choices=Category.choices, default=Category.OPEN)
    sla_clock = models.CharField(max_length=8, choices=SlaClock.choices, default=SlaClock.RUNNING)
    colour = models.CharField(max_length=20, blank=True)
    sequence = models.IntegerField(default=0)
    is_active = models.BooleanField(default=True)
    is_mapped = models.BooleanField(default=True, help_text="Off: we could not tell the category; a person should")
    is_edited = models.BooleanField(default=False, help_text="An administrator chose the category: pulls keep it")
    short_name = models.CharField(max_length=60, blank=True)
    is_quick = models.BooleanField(default=False)
    """Stands first in choosers."""
    sla_action = models.CharField(max_length=8, choices=SlaAction.choices, blank=True, default="")
    """What entering it does to the PSA's own clock; empty: nothing."""
    hold_hours = models.FloatField(null=True, blank=True)
    """After so many hours in it the PSA ends its hold."""
    change_to = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    change_hours = models.FloatField(null=True, blank=True)
    """The PSA moves tickets on by itself: to this status, after so many hours."""
    counts_working_hours = models.BooleanField(default=False)
    """Those hours are working hours."""
    ignores_release = models.BooleanField(default=False)
    """The SLA's own limit of a hold does not count here."""
    ticket_types = models.JSONField(default=list, blank=True)
    """Remote ids of the types whose tickets may have it; empty: all."""
    suggested_category = models.CharField(max_length=20, blank=True)
    suggested_clock = models.CharField(max_length=8, blank=True)
    """What the connector reads out of the PSA's own words, whatever was chosen here; empty = it cannot tell."""

    class Meta:
        constraints = [unique_in_account("status_remote")]
        verbose_name_plural = "statuses"
        ordering = ["sequence", "pk"]

    def __str__(self) -> str:
        return self.name


class Priority(RemoteRow):
    name = models.CharField(max_length=120)
    rank = models.PositiveSmallIntegerField(choices=Rank.choices, default=Rank.MEDIUM)
    colour = models.CharField(max_length=20, blank=True)
    is_active = models.BooleanField(default=True)
    is_mapped = models.BooleanField(default=True)
    is_edited = models.BooleanField(default=False)
    suggested_rank = models.PositiveSmallIntegerField(null=True, blank=True)

    class Meta:
        constraints = [unique_in_account("priority_remote")]
        verbose_name_plural = "priorities"
        ordering = ["rank", "pk"]

    def __str__(self) -> str:
        return self.name


class TicketType(ConfiguredRow):
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=10, choices=TypeKind.choices, default=TypeKind.OTHER)
    initial_status = models.ForeignKey(Status, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    default_priority = models.ForeignKey(Priority, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    reopened_status = models.ForeignKey(Status, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    default_team = models.ForeignKey(
        "directory.Team", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    default_agent = models.ForeignKey(
        "directory.Agent", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    default_sla_policy = models.ForeignKey(
        "sla.Policy", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    allow_attachments = models.BooleanField(default=True)
    is_active = models.BooleanField(default=True)
    is_mapped = models.BooleanField(default=True)
    is_edited = models.BooleanField(default=False)
    suggested_kind = models.CharField(max_length=10, blank=True)
    sequence = models.IntegerField(default=0)
    agents_may_select = models.BooleanField(default=True)
    clients_may_select = models.BooleanField(default=True)
    required_fields = models.JSONField(default=list, blank=True)
    """Canonical names of the fields that a new ticket of this type must have."""
    after_client_status = models.ForeignKey(Status, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    after_agent_status = models.ForeignKey(Status, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    """Where the PSA moves a ticket after somebody's update."""
    client_may_reopen = models.BooleanField(default=True)
    reopen_hours = models.FloatField(null=True, blank=True)
    """So long after the end a client's answer opens the ticket again; null: always."""
    auto_close_hours = models.FloatField(null=True, blank=True)
    """The PSA closes what stayed resolved for so long."""

    objects = TypeQuerySet.as_manager()

    class Meta:
        constraints = [unique_in_account("ticket_type_remote")]
        ordering = ["sequence", "name"]

    def __str__(self) -> str:
        return self.name


class TicketCategory(RemoteRow):
    """A choice for one of the ticket's category fields."""

    level = models.PositiveSmallIntegerField(default=1)
    value = models.CharField(max_length=255)
    name = models.CharField(max_length=255)
    parent = models.CharField(max_length=64, blank=True)
    """Remote id of the category one level up that it belongs to; empty: it goes with any."""
    is_active = models.BooleanField(default=True)

    class Meta:
        constraints = [unique_in_account("ticket_category_remote")]
        verbose_name_plural = "ticket categories"
        ordering = ["level", "value"]

    def __str__(self) -> str:
        return self.value


class RoutingRule(models.Model):
    """Which team a new ticket goes to. What is left open fits every ticket; the first rule that fits wins."""

    psa_account = models.ForeignKey("directory.PsaAccount", on_delete=models.CASCADE, related_name="routing_rules")
    position = models.PositiveIntegerField(default=0)
    client = models.ForeignKey("directory.Client", null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    ticket_type = models.ForeignKey(TicketType, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    category = models.CharField(max_length=255, blank=True)
    subcategory = models.CharField(max_length=255, blank=True)
    team = models.ForeignKey("directory.Team", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    agent = models.ForeignKey("directory.Agent", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    priority = models.ForeignKey(Priority, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = RoutingQuerySet.as_manager()

    class Meta:
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return f"{self.position}"


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
    resolved_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    last_activity_at = models.DateTimeField(null=True, blank=True)
    response_due_at = models.DateTimeField(null=True, blank=True)
    resolution_due_at = models.DateTimeField(null=True, blank=True)
    """What the PSA says; ours stands on the clocks."""
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
    """Paused: seconds left. Met: seconds it took. Breached and finished: seconds over."""
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


class SavedView(models.Model):
    """A named set of filters, personal or shared."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="views"
    )
    """Null = shared with everybody."""
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=1000)
    icon = models.CharField(max_length=30, default="star")
    sequence = models.PositiveSmallIntegerField(default=100)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["sequence", "name"]
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="view_once")]

    def __str__(self) -> str:
        return self.name


class SearchText(models.Model):
    """Everything of a ticket that search reads; the database's own index hangs on this table."""

    ticket = models.OneToOneField(Ticket, primary_key=True, on_delete=models.CASCADE, related_name="search_text")
    text = models.TextField()

    def __str__(self) -> str:
        return f"text of {self.ticket_id}"
