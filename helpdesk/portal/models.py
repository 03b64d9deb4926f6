"""Links that let a client look without signing in."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime

from django.db import models


def hash_token(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def new_token() -> str:
    """256 random bits, safe in an address."""
    return secrets.token_urlsafe(32)


class StatusLink(models.Model):
    """Opens one ticket or one client, read-only but for a ticket's answer. Only the token's hash is kept."""

    token_hash = models.CharField(max_length=64, unique=True)
    ticket = models.ForeignKey("tickets.Ticket", null=True, blank=True, on_delete=models.CASCADE, related_name="links")
    client = models.ForeignKey(
        "directory.Client", null=True, blank=True, on_delete=models.CASCADE, related_name="links"
    )
    contact = models.ForeignKey(
        "directory.Contact", null=True, blank=True, on_delete=models.CASCADE, related_name="links"
    )
    created_by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ticket__isnull=False, client__isnull=True)
                | models.Q(ticket__isnull=True, client__isnull=False),
                name="link_to_one_thing",
            )
        ]

    def __str__(self) -> str:
        return f"link to {'ticket' if self.ticket_id else 'client'} {self.ticket_id or self.client_id}"

    def is_open(self, now: datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)
