"""How often somebody may do something that needs no sign-in. Counted in the shared cache; forgotten with it."""

from __future__ import annotations

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest


def allow(*, what: str, limit: int, seconds: int) -> bool:
    """Count one; False once more than `limit` came in the window that the first one opened."""
    if cache.add(what, 1, timeout=seconds):
        return True
    try:
        return cache.incr(what) <= limit
    except ValueError:  # the window ended between the two calls
        cache.add(what, 1, timeout=seconds)
        return True


def is_spent(*, what: str, limit: int) -> bool:
    """Whether more than `limit` were counted already; counts nothing."""
    return (cache.get(what) or 0) > limit


def address_of(request: HttpRequest) -> str:
    """Who is calling. Behind a trusted proxy it is the last address that the proxy itself wrote down."""
    if getattr(settings, "SECURE_PROXY_SSL_HEADER", None):
        passed = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
        if passed:
            return passed[:64]
    return request.META.get("REMOTE_ADDR", "")
