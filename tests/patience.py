"""Waiting for what comes in its own time: another thread, a worker, a browser. How long that takes is the machine's
affair, so every limit here is long and met only by what does not happen at all."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.locmem import LocMemCache

SECONDS = 60.0
"""Of waiting for one thing, on a machine that does much else."""

Found = TypeVar("Found")


def until(look: Callable[[], Found], *, what: str = "it", seconds: float = SECONDS, page: Any = None) -> Found:
    """Wait until `look` gives something true, which is given back. With `page`, its events are heard meanwhile."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds:.0f} s"
        if page is None:
            time.sleep(0.05)
        else:
            page.wait_for_timeout(50)


class UnhurriedCache(LocMemCache):
    """What is kept for seconds is kept as long as the test takes: else a second request on a busy machine comes after
    them, and asks once more than the first."""

    def get_backend_timeout(self, timeout: Any = DEFAULT_TIMEOUT) -> float | None:
        at = super().get_backend_timeout(timeout)
        return at if at is None or at <= time.time() else at + 3600
