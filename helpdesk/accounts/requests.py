"""The request as views behind the closed door get it, for those who read types."""

from __future__ import annotations

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from helpdesk.accounts.models import User


class SignedIn(HttpRequest):
    """Somebody is signed in (ClosedByDefaultMiddleware), the request has its id, and htmx has been read."""

    user: User
    id: str
    htmx: HtmxDetails
