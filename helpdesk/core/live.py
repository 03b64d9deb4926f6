"""How an open page learns within two seconds that something changed, at almost no cost.

Every commit that people should see sets a new random stamp for its scopes in the cache. An open page asks for its
scope's stamp with `If-None-Match`; this middleware answers before sessions, users or the database are touched. The
address carries a signed (user, scope) pair, and a revocation stamp in the cache ends it on sign-out.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.core import signing
from django.core.cache import cache
from django.db import transaction
from django.http import HttpRequest, HttpResponse

PREFIX = "/live/"
MAX_AGE_SECONDS = 24 * 3600
_SALT = "helpdesk.live"


BUCKETS = 64
"""Tickets share this many stamps, so that the cache stays small; a neighbour's change costs a page one refresh."""
FEW = 8


def ticket_scope(ticket_id: int) -> str:
    return f"ticket:{ticket_id % BUCKETS}"


DESK = "desk"
"""Any ticket changed: boards and lists."""
HEALTH = "health"
"""A PSA account's health, progress or freshness changed."""
EVERY_TICKET = "tickets"
"""Stands for all tickets when many change at once: every ticket page listens to it beside its own."""


def touch(*scopes: str) -> None:
    """Tell open pages of these scopes, once the surrounding transaction has committed."""
    names = set(scopes)
    tickets = {name for name in names if name.startswith("ticket:")}
    if len(tickets) > FEW:
        names = (names - tickets) | {EVERY_TICKET}
    stamps = {f"live:{name}": secrets.token_hex(8) for name in names}
    transaction.on_commit(lambda: cache.set_many(stamps, timeout=None))


def key(scope: str) -> str:
    """Where the cache holds a scope's stamp, for those who fetch it together with what depends on it."""
    return f"live:{scope}"


def stamp(scope: str) -> str:
    """What a poll of this scope would be told now: a page that opens with it asks for nothing anew before a change."""
    return _stamp_in(cache.get_many(_keys(scope)), scope)


def _keys(scope: str) -> list[str]:
    return [key(scope), key(EVERY_TICKET)] if scope.startswith("ticket:") else [key(scope)]


def _stamp_in(found: Mapping[str, str], scope: str) -> str:
    """A ticket's own stamp, and the one that stands for all tickets."""
    return "".join(found.get(name) or "0" for name in _keys(scope))


@dataclass(frozen=True, slots=True)
class Look:
    """One look at the stamps that every page of the desk shows, and at the reader's own revision."""

    user_id: int
    revision: str
    desk: str
    health: str

    def poll_address(self, scope: str) -> str:
        return poll_address(user_id=self.user_id, scope=scope, revision=self.revision)


def look(user_id: int) -> Look:
    """All of them in one answer of the cache: asked one by one they cost a page more than its session does."""
    keys = (f"live:revision:{user_id}", key(DESK), key(HEALTH))
    found = cache.get_many(keys)
    return Look(user_id, *(found.get(key) or "0" for key in keys))


def look_of(request: Any) -> Look:
    """What the middleware saw before the page's queries; a page whose request never passed it looks now."""
    return getattr(request, "live", None) or look(request.user.pk)


def token(*, user_id: int, scope: str, revision: str = "") -> str:
    """The signed part of a page's poll address; `revision` saves the look-up to those who have it."""
    return signing.dumps([user_id, scope, revision or _revision(user_id)], salt=_SALT, compress=False)


def poll_address(*, user_id: int, scope: str, revision: str = "") -> str:
    return f"{PREFIX}{token(user_id=user_id, scope=scope, revision=revision)}/"


def revoke(user_id: int) -> None:
    """End every open poll of a user: sign-out, role change, deactivation."""
    cache.set(f"live:revision:{user_id}", secrets.token_hex(8), timeout=None)


def _revision(user_id: int) -> str:
    return cache.get(f"live:revision:{user_id}") or "0"


class LivePollMiddleware:
    """Answers `/live/<token>/`: 304 when nothing changed, else 200 with the new stamp; 403 once revoked."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(PREFIX):
            return self.get_response(request)
        return self._answer(request)

    def _answer(self, request: HttpRequest) -> HttpResponse:
        try:
            user_id, scope, revision = signing.loads(
                request.path_info[len(PREFIX) :].rstrip("/"), salt=_SALT, max_age=MAX_AGE_SECONDS
            )
        except (signing.BadSignature, ValueError, TypeError):
            return HttpResponse(status=403)
        found = cache.get_many([f"live:revision:{user_id}", *_keys(scope)])
        if (found.get(f"live:revision:{user_id}") or "0") != revision:
            return HttpResponse(status=403)
        etag = f'"{_stamp_in(found, scope)}"'
        if request.headers.get("If-None-Match") == etag:
            response = HttpResponse(status=304)
        else:
            response = HttpResponse(etag.strip('"'), content_type="text/plain")
        response["ETag"] = etag
        response["Cache-Control"] = "no-store"
        return response
