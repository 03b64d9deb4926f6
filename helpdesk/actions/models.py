"""What is said and done on a ticket: actions, time, files, and what is half typed."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from helpdesk.actions import titles
from helpdesk.actions.choices import Assigns, FileState, Kind, MailState, Occasion, Trigger
from helpdesk.actions.querysets import (
    ActionQuerySet,
    AttachmentQuerySet,
    EscalationQuerySet,
    MailQuerySet,
    NoticeQuerySet,
)
from helpdesk.core.models import ConfiguredRow, RemoteRow, unique_in_account
from helpdesk.sla.choices import ClockKind
from helpdesk.tickets.choices import Sync


class Outcome(ConfiguredRow):
    """A PSA's ready-made act on a ticket."""

    name = models.CharField(max_length=120)
    label = models.CharField(max_length=120, blank=True)
    """What its button says."""
    long_label = models.CharField(max_length=200, blank=True)
    colour = models.CharField(max_length=20, blank=True)
    sequence = models.IntegerField(default=0)
    is_hidden = models.BooleanField(default=False)
    new_status = models.ForeignKey("tickets.Status", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    hide_from_client = models.BooleanField(default=True)
    must_add_note = models.BooleanField(default=False)
    must_assign = models.BooleanField(default=False)
    sla_hold = models.BooleanField(default=False)
    sla_release = models.BooleanField(default=False)
    sends_email = models.BooleanField(default=False)
    default_seconds = models.PositiveIntegerField(null=True, blank=True)
    ticket_types = models.ManyToManyField("tickets.TicketType", blank=True, related_name="outcomes")
    child_ticket_type = models.ForeignKey(
        "tickets.TicketType", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    """The PSA opens a ticket of this type beneath."""

    class Meta:
        constraints = [unique_in_account("outcome_remote")]
        ordering = ["sequence", "name"]

    def __str__(self) -> str:
        return self.label or self.name


class Action(models.Model):
    """A note, reply, call or visit. Internal unless somebody decided otherwise."""

    ticket = models.ForeignKey("tickets.Ticket", on_delete=models.CASCADE, related_name="actions")
    remote_id = models.CharField(max_length=64, null=True, blank=True)
    fingerprint = models.CharField(max_length=64, null=True, blank=True)
    """Identity where the PSA gives its comments no id."""
    marker = models.UUIDField(default=uuid.uuid4, unique=True)
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.NOTE)
    is_internal = models.BooleanField(default=True)
    is_from_client = models.BooleanField(default=False)
    title = models.CharField(max_length=255, blank=True)
    body = models.TextField(blank=True)
    """As written or as the PSA sent it. Templates may only use `body_clean`."""
    body_is_html = models.BooleanField(default=False)
    body_clean = models.TextField(blank=True)
    cleaner_version = models.PositiveSmallIntegerField(default=0)
    author_agent = models.ForeignKey(
        "directory.Agent", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    author_contact = models.ForeignKey(
        "directory.Contact", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    author_user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    author_name = models.CharField(max_length=120, blank=True)
    occurred_at = models.DateTimeField()
    outcome = models.ForeignKey(Outcome, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    email_to = models.TextField(blank=True)
    email_cc = models.TextField(blank=True)
    sends_email = models.BooleanField(default=False)
    new_status = models.ForeignKey("tickets.Status", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    sync_state = models.CharField(max_length=10, choices=Sync.choices, blank=True, default="")
    removed_at = models.DateTimeField(null=True, blank=True)
    """Deleted in the PSA, or discarded here before it left."""
    raw = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ActionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["ticket", "remote_id"], name="action_remote"),
            models.UniqueConstraint(fields=["ticket", "fingerprint"], name="action_fingerprint"),
        ]
        indexes = [
            models.Index(fields=["ticket", "occurred_at", "id"], name="action_order"),
            models.Index(fields=["cleaner_version"], name="action_stale", condition=Q(body_clean="")),
        ]
        ordering = ["occurred_at", "pk"]

    def __str__(self) -> str:
        return f"{self.kind} on {self.ticket_id}"

    @property
    def subject_key(self) -> str:
        """Its name in the outbox."""
        return f"action:{self.pk}"


class TimeEntry(models.Model):
    """Time booked, with or without an action."""

    ticket = models.ForeignKey("tickets.Ticket", on_delete=models.CASCADE, related_name="time_entries")
    action = models.OneToOneField(Action, null=True, blank=True, on_delete=models.CASCADE, related_name="time_entry")
    remote_id = models.CharField(max_length=64, null=True, blank=True)
    marker = models.UUIDField(default=uuid.uuid4, unique=True)
    agent = models.ForeignKey("directory.Agent", null=True, blank=True, on_delete=models.SET_NULL, related_name="time")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    author_name = models.CharField(max_length=120, blank=True)
    seconds = models.PositiveIntegerField()
    is_billable = models.BooleanField(default=True)
    note = models.TextField(blank=True)
    work_type = models.CharField(max_length=64, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField()
    sync_state = models.CharField(max_length=10, choices=Sync.choices, blank=True, default="")
    removed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["ticket", "remote_id"], name="time_remote")]
        indexes = [
            models.Index(fields=["agent", "ended_at"], name="time_agent_day"),
            # What everybody booked today: the board adds it up without touching the rows.
            models.Index(fields=["ended_at", "agent", "seconds"], name="time_day", condition=Q(removed_at=None)),
        ]
        verbose_name_plural = "time entries"
        ordering = ["ended_at", "pk"]

    def __str__(self) -> str:
        return f"{self.seconds} s on {self.ticket_id}"


def file_path(_attachment: object, _name: str) -> str:
    """A random name: nothing of the sender's file name reaches the disk."""
    name = uuid.uuid4().hex
    return f"attachments/{name[:2]}/{name}"


class Attachment(RemoteRow):
    """A file on a ticket. Its bytes are served by a view only."""

    ticket = models.ForeignKey("tickets.Ticket", null=True, on_delete=models.CASCADE, related_name="attachments")
    """Null while it hangs on a form that is not sent yet."""
    action = models.ForeignKey(Action, null=True, blank=True, on_delete=models.CASCADE, related_name="attachments")
    draft = models.ForeignKey("Draft", null=True, blank=True, on_delete=models.SET_NULL, related_name="attachments")
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    marker = models.UUIDField(default=uuid.uuid4, unique=True)
    name = models.CharField(max_length=255)
    content_type = models.CharField(max_length=120, default="application/octet-stream")
    size = models.PositiveBigIntegerField(null=True)
    sha256 = models.CharField(max_length=64, blank=True)
    file = models.FileField(upload_to=file_path, max_length=120, blank=True)
    is_public = models.BooleanField(default=False)
    inline_reference = models.CharField(max_length=64, blank=True)
    """The PSA's name for an image inside its HTML."""
    state = models.CharField(max_length=10, choices=FileState.choices, default=FileState.STORED)
    state_text = models.CharField(max_length=200, blank=True)
    sync_state = models.CharField(max_length=10, choices=Sync.choices, blank=True, default="")
    created_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True, blank=True)

    objects = AttachmentQuerySet.as_manager()

    class Meta:
        constraints = [
            unique_in_account("attachment_remote"),
            models.UniqueConstraint(
                fields=["ticket", "inline_reference"], name="attachment_inline", condition=~Q(inline_reference="")
            ),
        ]
        ordering = ["created_at", "pk"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_image(self) -> bool:
        return self.content_type in {"image/png", "image/jpeg", "image/gif", "image/webp"}

    @property
    def is_text(self) -> bool:
        return self.content_type.startswith("text/") and self.content_type != "text/html"


class Draft(models.Model):
    """What a person has typed and not sent: one per person and ticket (null ticket = the new-ticket form)."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="drafts")
    ticket = models.ForeignKey("tickets.Ticket", null=True, blank=True, on_delete=models.CASCADE, related_name="drafts")
    fields = models.JSONField(default=dict)
    saved_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "ticket"], name="draft_once"),
            models.UniqueConstraint(fields=["user"], name="draft_new_once", condition=Q(ticket=None)),
        ]

    def __str__(self) -> str:
        return f"draft of {self.user_id}"


class Macro(models.Model):
    """A canned reply, with field changes that happen with it."""

    name = models.CharField(max_length=80, unique=True)
    body = models.TextField(blank=True)
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.REPLY)
    is_internal = models.BooleanField(default=False)
    status_category = models.CharField(max_length=20, blank=True)
    minutes = models.PositiveSmallIntegerField(null=True, blank=True)
    assigns = models.CharField(max_length=8, choices=Assigns.choices, default=Assigns.STAYS, blank=True)
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Escalation(models.Model):
    """A ticket was escalated, by a person or by a rule: why, and who was told. Nothing but its end is edited."""

    ticket = models.ForeignKey("tickets.Ticket", on_delete=models.CASCADE, related_name="escalations")
    action = models.OneToOneField(Action, null=True, on_delete=models.CASCADE, related_name="escalation")
    """The internal note that documents it; null where a rule only told people."""
    trigger = models.CharField(max_length=12, choices=Trigger.choices, default=Trigger.PERSON)
    level = models.PositiveSmallIntegerField(default=1)
    """1 the owner, 2 the team's lead, 3 management; of a threshold, its per cent."""
    clock = models.CharField(max_length=10, choices=ClockKind.choices, blank=True)
    cycle = models.PositiveSmallIntegerField(default=1)
    """Of the clock; where no clock is meant, which time it came to this."""
    policy = models.PositiveBigIntegerField(default=0)
    policy_version = models.PositiveIntegerField(default=0)
    """The promise by which a rule judged: once per rule, level, clock cycle and version."""
    ended_at = models.DateTimeField(null=True, blank=True)
    """What a rule found has ended: answered, assigned, finished, or gone on to a higher level. A person's: taken back,
    or the work has ended."""
    looked_until = models.DateTimeField(null=True, blank=True)
    """Of a clock's: when it was to be looked at next. Another instant there means that it was worked out anew."""
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    reason = models.TextField()
    told = models.CharField(max_length=500, blank=True)
    """Names of who was told, as they were then."""
    at = models.DateTimeField()
    """When it came to this; people may be told later, at the next opening."""

    objects = EscalationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["ticket", "trigger", "level", "clock", "cycle", "policy", "policy_version"],
                name="escalation_once",
                condition=~Q(trigger=Trigger.PERSON),
            )
        ]
        indexes = [
            models.Index(fields=["-at", "-id"], name="escalation_order"),
            models.Index(fields=["ticket"], name="escalation_open", condition=Q(ended_at=None)),
        ]
        ordering = ["at", "pk"]

    def __str__(self) -> str:
        return f"escalation of {self.ticket_id}"

    @property
    def title(self) -> str:
        """What it is about in a few words: "Resolution overdue, level 2"."""
        return titles.title(self.trigger, self.level, self.clock)

    @property
    def level_word(self) -> str:
        return titles.level_word(self.trigger, self.level)

    @property
    def about(self) -> str:
        """`title` without the level, which stands beside it."""
        return titles.about(self.trigger, self.clock)


class Notice(models.Model):
    """A word in the desk to one person, until they have seen it."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notices")
    escalation = models.ForeignKey(Escalation, on_delete=models.CASCADE, related_name="notices")
    created_at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True, blank=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "escalation"], name="notice_once")]
        indexes = [
            models.Index(fields=["user", "-created_at", "-id"], name="notice_order"),
            models.Index(fields=["user"], name="notice_unseen", condition=Q(seen_at=None)),
        ]
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return f"notice for {self.user_id}"


class ClientMail(models.Model):
    """A mail that this desk sends: to the client, or (an escalation) to our own people. Written with the act it tells
    of; what it says is put together when it leaves, from what its reader may read then."""

    key = models.CharField(max_length=80, unique=True)
    """What it is about (`reply:<action>`, `acknowledgement:<ticket>`): one act, one mail."""
    occasion = models.CharField(max_length=16, choices=Occasion.choices)
    ticket = models.ForeignKey("tickets.Ticket", on_delete=models.CASCADE, related_name="mails")
    action = models.ForeignKey(Action, null=True, blank=True, on_delete=models.CASCADE, related_name="mails")
    escalation = models.ForeignKey(Escalation, null=True, blank=True, on_delete=models.CASCADE, related_name="mails")
    """Of an escalation that no action documents."""
    item = models.ForeignKey("outbox.OutboxItem", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    """The change that the PSA accepts first."""
    marker = models.UUIDField(default=uuid.uuid4, unique=True)
    """Its Message-ID: sent twice after a crash, a mailbox shows it once."""
    to = models.TextField(blank=True)
    cc = models.TextField(blank=True)
    state = models.CharField(max_length=10, choices=MailState.choices, default=MailState.WAITING)
    not_before_at = models.DateTimeField()
    patience_until = models.DateTimeField(null=True, blank=True)
    """From then on a PSA that does not answer is not waited for; null = wait for a person's decision."""
    lease_until = models.DateTimeField(null=True, blank=True)
    fence = models.PositiveIntegerField(default=0)
    attempts = models.PositiveIntegerField(default=0)
    error_text = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)

    objects = MailQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["not_before_at"],
                name="mail_due",
                condition=Q(state__in=[MailState.WAITING.value, MailState.SENDING.value]),
            ),
            models.Index(fields=["state"], name="mail_failed", condition=Q(state=MailState.FAILED.value)),
        ]
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.occasion} on {self.ticket_id} ({self.state})"

    @property
    def recipients(self) -> list[str]:
        """Everybody it goes to, each once."""
        return list(dict.fromkeys(a for text in (self.to, self.cc) for a in text.split(", ") if a))
