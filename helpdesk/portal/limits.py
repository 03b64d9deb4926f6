"""How often a link or an address may write."""

from __future__ import annotations

from helpdesk.core import limits
from helpdesk.core.limits import address_of

__all__ = ["ANSWERS_PER_ADDRESS", "ANSWERS_PER_LINK", "FETCHES_PER_LINK", "WINDOW_SECONDS", "address_of", "allow"]

ANSWERS_PER_LINK = 6
ANSWERS_PER_ADDRESS = 30
FETCHES_PER_LINK = 30
WINDOW_SECONDS = 600


def allow(*, what: str, limit: int, seconds: int = WINDOW_SECONDS) -> bool:
    """Count one; False once more than `limit` came in the window that the first one opened."""
    return limits.allow(what=f"portal:limit:{what}", limit=limit, seconds=seconds)
