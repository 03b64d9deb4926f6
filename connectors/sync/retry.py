"""When to try again: pure arithmetic."""

from __future__ import annotations

from datetime import timedelta

RETRY_MAX_SECONDS = 60.0
LOOKUP_SECONDS = (2.0, 5.0, 10.0, 20.0, 40.0)
LOOKUP_MAX_SECONDS = 300.0
ABSENT_AFTER_LOOKUPS = 4
ABSENT_AFTER = timedelta(seconds=20)
"""A PSA's lists may be this late to show a write."""


def retry_seconds(attempts: int, jitter: float) -> float:
    """Seconds until the next send after so many attempts; `jitter` in [0, 1) spreads them over half of that."""
    whole = min(RETRY_MAX_SECONDS, 2.0 ** min(max(attempts, 0), 10))
    return whole * (0.5 + jitter / 2)


def lookup_seconds(lookups: int) -> float:
    """Seconds until the next look-up after so many."""
    if lookups < len(LOOKUP_SECONDS):
        return LOOKUP_SECONDS[max(0, lookups)]
    return min(LOOKUP_MAX_SECONDS, float(LOOKUP_SECONDS[-1] * 2 ** min(lookups - len(LOOKUP_SECONDS) + 1, 10)))


def is_surely_absent(*, lookups: int, since_write: timedelta, is_harmless: bool) -> bool:
    """Whether a write that `lookups` answers did not show may be sent again. `is_harmless`: twice is like once."""
    if is_harmless:
        return lookups >= 1
    return lookups >= ABSENT_AFTER_LOOKUPS and since_write >= ABSENT_AFTER
