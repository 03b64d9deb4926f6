"""What a PSA account offers a ticket, mapped onto our words, and where its new tickets go."""

from __future__ import annotations

from django.db import models

from helpdesk.core.models import ConfiguredRow, RemoteRow, unique_in_account
from helpdesk.tickets.choices import Category, Rank, SlaAction, SlaClock, TypeKind
from helpdesk.tickets.querysets import RoutingQuerySet, TypeQuerySet


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
