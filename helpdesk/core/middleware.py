"""Request id, the closed door, and the reader's own language and zone."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import structlog
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation

from helpdesk.core import live
from helpdesk.core.public import PUBLIC_VIEWS

Next = Callable[[HttpRequest], HttpResponse]
_ID = re.compile(r"^[A-Za-z0-9._-]{6,64}$")


class RequestIdMiddleware:
    """Gives every request an id that stands in each log line and in the answer's `X-Request-Id`."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-Id", "")
        request.id = given if _ID.match(given) else secrets.token_hex(6)  # type: ignore[attr-defined]
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request.id)  # type: ignore[attr-defined]
        response = self.get_response(request)
        response.headers["X-Request-Id"] = request.id  # type: ignore[attr-defined]
        return response


class ClosedByDefaultMiddleware:
    """Every page asks for sign-in unless it stands in the list of public views."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_: object) -> HttpResponse | None:
        match = request.resolver_match
        if request.user.is_authenticated or (match and match.view_name in PUBLIC_VIEWS):
            return None
        if getattr(request, "htmx", False):
            # A swap into the page would bury a sign-in form in a table cell: send the whole window there. The
            # address to come back to is the page the person sees, not the fragment.
            back = request.htmx.current_url_abs_path or "/"  # type: ignore[attr-defined]
            answer = HttpResponse(status=401)
            answer["HX-Redirect"] = redirect_to_login(back).url
            return answer
        return redirect_to_login(request.get_full_path())


class PersonalMiddleware:
    """Instants are shown in the reader's zone, words in the reader's language."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user: Any = request.user
        zone = getattr(user, "time_zone", "") or settings.TIME_ZONE
        language = getattr(user, "language", "")
        try:
            timezone.activate(ZoneInfo(zone))
        except (ZoneInfoNotFoundError, ValueError):
            timezone.deactivate()
        if language:
            translation.activate(language)
        if request.method == "GET" and getattr(user, "is_desk", False) and not getattr(request, "htmx", False):
            # Read before the page's queries: what changes between them and the render is then a change to the page.
            request.live = live.look(user.pk)  # type: ignore[attr-defined]
        try:
            response = self.get_response(request)
        finally:
            timezone.deactivate()
        if user.is_authenticated:
            # No cache between us may keep what is theirs.
            response.headers.setdefault("Cache-Control", "private, no-cache")
        return response
