"""How far each account's pull has come, and what it may spend."""

from __future__ import annotations

from django.db import models


class Cursor(models.Model):
    """One feed of one account. Saved after its page is committed, so that a killed pull resumes there."""

    psa_account = models.ForeignKey("directory.PsaAccount", on_delete=models.CASCADE, related_name="cursors")
    feed = models.CharField(max_length=20)
    """reference, directory, open_tickets, closed_tickets, changes, actions."""
    since = models.DateTimeField(null=True, blank=True)
    """Everything changed before this instant is here."""
    run_started_at = models.DateTimeField(null=True, blank=True)
    """Set while a run is under way: its fixed upper bound, kept when it is resumed."""
    token = models.CharField(max_length=200, blank=True)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    fence = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["psa_account", "feed"], name="cursor_once")]

    def __str__(self) -> str:
        return f"{self.psa_account_id} {self.feed}"


class Bucket(models.Model):
    """Call allowance of an account where there is no Redis: a token bucket in one row."""

    psa_account = models.OneToOneField(
        "directory.PsaAccount", primary_key=True, on_delete=models.CASCADE, related_name="bucket"
    )
    tokens = models.FloatField(default=0)
    filled_at = models.DateTimeField()
    blocked_until = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.psa_account_id}: {self.tokens:.0f}"


class RemoteToken(models.Model):
    """An access token that several processes share, encrypted."""

    psa_account = models.OneToOneField(
        "directory.PsaAccount", primary_key=True, on_delete=models.CASCADE, related_name="token"
    )
    token = models.TextField()
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"token of {self.psa_account_id}"


class SyncLogEntry(models.Model):
    """One line of what sync did, for the sync page and for each ticket."""

    psa_account = models.ForeignKey("directory.PsaAccount", on_delete=models.CASCADE, related_name="sync_log")
    at = models.DateTimeField()
    what = models.CharField(max_length=20)
    """pull, push, fetch, connect."""
    ok = models.BooleanField(default=True)
    text = models.CharField(max_length=300)
    ticket_id = models.BigIntegerField(null=True, blank=True)
    calls = models.PositiveIntegerField(default=0)
    milliseconds = models.PositiveIntegerField(default=0)

    class Meta:
        indexes = [
            models.Index(fields=["psa_account", "-at"], name="synclog_account"),
            models.Index(fields=["ticket_id", "-at"], name="synclog_ticket", condition=~models.Q(ticket_id=None)),
        ]
        ordering = ["-at"]

    def __str__(self) -> str:
        return f"{self.what}: {self.text}"
