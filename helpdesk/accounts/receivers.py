"""What follows a sign-out."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.signals import user_logged_out
from django.dispatch import receiver

from helpdesk.accounts.models import User
from helpdesk.core import live


@receiver(user_logged_out)
def on_signed_out(sender: type, user: User | None, **_: Any) -> None:
    """Live addresses of a page left open end too; another device's page renews its own by a reload."""
    if user is not None:
        live.revoke(user.pk)
