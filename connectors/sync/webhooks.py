"""`/hooks/<account>/<secret>/`: where a PSA calls. Says nothing to anybody: a status and an empty body.

What comes is a hint that names tickets to read again, or word that the PSA calls no more; nothing else of it is
believed or stored. No PSA is called here.
"""

from __future__ import annotations

import hashlib

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from connectors.base.errors import BadSignature
from connectors.registry import connector_class
from connectors.sync import hints, hooks
from helpdesk.core import limits
from helpdesk.core.secrets import SecretLost, decrypt

BODY_BYTES = 256 * 1024
BAD_CALLS = 60
WINDOW_SECONDS = 60
DRAWERS = 256
"""Callers share this many counters, so that whoever forges addresses cannot fill the cache; which ones share, only our
key tells, so that nobody can choose to stand in the PSA's way."""


@csrf_exempt
@require_POST
def hook(request: HttpRequest, account: str, secret: str) -> HttpResponse:
    """200 for a genuine call, 404 for a wrong address, 401 for anything wrong behind a right one, 429 for too many."""
    drawer = _drawer(limits.address_of(request), account)
    if limits.is_spent(what=drawer, limit=BAD_CALLS):
        return HttpResponse(status=429)
    found = hints.door(account)
    if not hooks.opens(found, secret):
        return _turned_away(drawer, "address", 404)
    assert found is not None
    body = _body(request)
    if body is None:
        return _turned_away(drawer, "body", 401)
    try:
        key = decrypt(found.signature or "")  # type: ignore[attr-defined]
        told = connector_class(found.psa_account.kind).read_hook(request.headers, body, key)
    except (BadSignature, SecretLost):
        return _turned_away(drawer, "signature", 401)
    if told.is_switched_off:
        hooks.switched_off(hook=found, now=timezone.now())
    else:
        hints.heard(hook=found, remote_ids=told.tickets, now=timezone.now())
    return HttpResponse(status=200)


def _drawer(address: str, account: str) -> str:
    key = settings.SECRET_KEY.encode()[:64]
    found = hashlib.blake2b(f"{address} {account}".encode("utf-8", "replace"), digest_size=4, key=key).digest()
    return f"hooks:{int.from_bytes(found, 'big') % DRAWERS}"


def _turned_away(drawer: str, what: str, status: int) -> HttpResponse:
    limits.allow(what=drawer, limit=BAD_CALLS, seconds=WINDOW_SECONDS)
    hints.count(what)
    return HttpResponse(status=status)


def _body(request: HttpRequest) -> bytes | None:
    """The raw body; None for what no PSA sends: too long, of unknown length, packed, or no JSON by its own word."""
    length = request.META.get("CONTENT_LENGTH") or ""
    if not (length.isascii() and length.isdigit() and len(length) < 20) or int(length) > BODY_BYTES:
        return None
    if request.content_type != "application/json" or request.headers.get("Content-Encoding", "identity") != "identity":
        return None
    try:
        return request.read(BODY_BYTES + 1)[: BODY_BYTES + 1]
    except (UnreadablePostError, OSError):
        return None
