"""Changes waiting to leave for a PSA. Row, event and item commit together; sending comes after."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from helpdesk.outbox.choices import SYNC, UNFINISHED, Reason, State, Verb
from helpdesk.outbox.querysets import OutboxQuerySet


class OutboxItem(models.Model):
    """One change. Order holds within a lane; a fence number makes a late worker's word worthless."""

    psa_account = models.ForeignKey("directory.PsaAccount", on_delete=models.CASCADE, related_name="outbox")
    lane = models.CharField(max_length=80)
    """`ticket:<pk>`, or `config:<kind>:<pk>` of a status, an outcome or a ticket type."""
    sequence = models.PositiveIntegerField()
    verb = models.CharField(max_length=20, choices=Verb.choices)
    subject = models.CharField(max_length=60, db_index=True)
    """What the change is about: `ticket:<pk>`, `action:<pk>`, `time:<pk>`, `attachment:<pk>`, or as `lane`."""
    fields = models.JSONField(default=dict)
    """Canonical field -> value as the PSA takes it (remote ids as text, instants as ISO 8601 UTC)."""
    base = models.JSONField(default=dict)
    """The PSA's last known value of each field, when the change was made: the "before" of a conflict."""
    depends_on = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="dependants")
    not_before_at = models.DateTimeField()
    idempotency_key = models.UUIDField(default=uuid.uuid4, unique=True)
    rank = models.PositiveSmallIntegerField(default=1)
    """0 a person waits, 1 ordinary, 2 bulk."""
    state = models.CharField(max_length=12, choices=State.choices, default=State.WAITING)
    lease_until = models.DateTimeField(null=True, blank=True)
    fence = models.PositiveIntegerField(default=0)
    attempts = models.PositiveIntegerField(default=0)
    write_started_at = models.DateTimeField(null=True, blank=True)
    """When the first write that may have been applied went out: the start of the look-up window. Null = never."""
    lookups = models.PositiveSmallIntegerField(default=0)
    reason = models.CharField(max_length=12, choices=Reason.choices, blank=True)
    error_text = models.TextField(blank=True)
    error_fields = models.JSONField(default=dict, blank=True)
    theirs = models.JSONField(default=dict, blank=True)
    """On a conflict: field -> the PSA's value now."""
    progress = models.PositiveBigIntegerField(default=0)
    """Bytes sent, for a file."""
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    actor_name = models.CharField(max_length=120, blank=True)
    created_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)

    objects = OutboxQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["lane", "sequence"], name="outbox_order")]
        indexes = [
            models.Index(
                fields=["psa_account", "rank", "not_before_at"],
                name="outbox_due",
                condition=Q(state__in=[s.value for s in UNFINISHED]),
            ),
            models.Index(
                fields=["rank", "not_before_at", "id"],
                name="outbox_turn",  # whose turn it is, in the order of `due`, however many wait
                condition=Q(state__in=[s.value for s in UNFINISHED]),
            ),
            models.Index(fields=["psa_account", "state"], name="outbox_state"),
        ]
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.verb} {self.subject} ({self.state})"

    @property
    def sync(self) -> str:
        """The word for `data-sync`."""
        return SYNC[State(self.state)]
