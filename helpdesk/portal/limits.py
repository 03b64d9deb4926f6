"""How often a link or an address may write. Counted in the shared cache; forgotten when that is emptied."""

from __future__ import annotations

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest

ANSWERS_PER_LINK = 6
ANSWERS_PER_ADDRESS = 30
FETCHES_PER_LINK = 30
WINDOW_SECONDS = 600


def allow(*, what: str, limit: int, seconds: int = WINDOW_SECONDS) -> bool:
    """Count one; False once more than `limit` came in the window that the first one opened."""
    key = f"portal:limit:{what}"
    if cache.add(key, 1, timeout=seconds):
        return True
    try:
        return cache.incr(key) <= limit
    except ValueError:  # the window ended between the two calls
        cache.add(key, 1, timeout=seconds)
        return True


def address_of(request: HttpRequest) -> str:
    """Who is calling. Behind a trusted proxy it is the last address that the proxy itself wrote down."""
    if getattr(settings, "SECURE_PROXY_SSL_HEADER", None):
        passed = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
        if passed:
            return passed[:64]
    return request.META.get("REMOTE_ADDR", "")
