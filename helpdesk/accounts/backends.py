"""Sign-in by e-mail and password; demo people only while the demo is on."""

from __future__ import annotations

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from django.conf import settings

from helpdesk.accounts.models import User


class EmailBackend(AuthenticationBackend):
    """allauth's own, which knows e-mail addresses and mailed codes, closed to demo people outside the demo."""

    def user_can_authenticate(self, user: Any) -> bool:
        return may_sign_in(user) and super().user_can_authenticate(user)

    def get_user(self, user_id: Any) -> User | None:
        user = super().get_user(user_id)
        return user if user is not None and may_sign_in(user) else None


def may_sign_in(user: User) -> bool:
    """Active, and not a demo person while DEMO is off: also ends a session that is already open."""
    return user.is_active and (settings.DEMO or not user.is_demo)
