"""Abstract models every app shares."""

from __future__ import annotations

from django.db import models


class RemoteRow(models.Model):
    """A row that mirrors a record of a PSA account. `remote_id` is opaque text; null until the PSA has answered."""

    psa_account = models.ForeignKey("directory.PsaAccount", on_delete=models.CASCADE, related_name="+")
    remote_id = models.CharField(max_length=64, null=True, blank=True)
    remote_updated_at = models.DateTimeField(null=True, blank=True)
    raw = models.JSONField(default=dict, blank=True)
    is_placeholder = models.BooleanField(
        default=False, help_text="Named by a ticket before (or without) its own record being seen"
    )

    class Meta:
        abstract = True


class ConfiguredRow(RemoteRow):
    """A value of a PSA's configuration that an administrator may change here where the PSA takes it.

    Changes leave in a lane of their own. A row that was taken away here stays: tickets may still have it.
    """

    confirmed = models.JSONField(default=dict, blank=True)
    """The PSA's last known value per editable field, as the outbox spells values."""
    sync_state = models.CharField(max_length=10, blank=True, default="")
    """The worst of its lane, in the words of `data-sync`."""
    is_being_deleted = models.BooleanField(default=False)
    """Taken away here; the PSA has not said yes."""

    class Meta:
        abstract = True


def unique_in_account(name: str) -> models.UniqueConstraint:
    """One row per (account, remote id); rows that the PSA does not know yet do not clash."""
    return models.UniqueConstraint(fields=["psa_account", "remote_id"], name=name)
