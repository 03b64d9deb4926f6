"""What Autotask allows at once: threads per endpoint, bytes of files, calls per hour. Shared within the process.

Source: vendor's help. Three calls at once per integration code and endpoint (the fourth is refused), ten million bytes
of files in five minutes, ten thousand calls an hour for a whole customer database with all its integrations.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from connectors.base.errors import RateLimited

THREADS = 2
"""One less than allowed, for whatever else uses the same integration code (another worker, a test by hand)."""
THREAD_PATIENCE_SECONDS = 60.0
FILE_BYTES = 10_000_000
FILE_WINDOW_SECONDS = 300.0
THRESHOLD_EVERY_SECONDS = 60.0
THRESHOLD_SHARE = 0.75
"""From here on each call is held up for a second: what nobody waits for can wait."""


class Gates:
    """The limits of one account."""

    def __init__(self, *, file_bytes: int = FILE_BYTES, now: Callable[[], float] = time.monotonic) -> None:
        self.file_bytes = file_bytes
        self._now = now
        self._lock = threading.Lock()
        self._threads: dict[str, threading.BoundedSemaphore] = {}
        self._sent: deque[tuple[float, int]] = deque()
        self._asked_at: float | None = None
        self._share = 0.0

    @contextmanager
    def thread(self, endpoint: str, *, patience: float = THREAD_PATIENCE_SECONDS) -> Iterator[None]:
        """Hold one of the endpoint's threads. RateLimited when none gets free in time."""
        with self._lock:
            gate = self._threads.setdefault(endpoint, threading.BoundedSemaphore(THREADS))
        if not gate.acquire(timeout=patience):
            raise RateLimited(f"{THREADS} calls to {endpoint} are under way", retry_after=1.0, status=None)
        try:
            yield
        finally:
            gate.release()

    def take_bytes(self, size: int) -> None:
        """Count a file that is about to leave. RateLimited when Autotask would refuse it, and every next one."""
        with self._lock:
            now = self._now()
            while self._sent and self._sent[0][0] <= now - FILE_WINDOW_SECONDS:
                self._sent.popleft()
            used = sum(count for _, count in self._sent)
            if self._sent and used + size > self.file_bytes:
                wait = self._sent[0][0] + FILE_WINDOW_SECONDS - now
                raise RateLimited("no more files may be sent for now", retry_after=max(1.0, wait), status=None)
            self._sent.append((now, size))

    def is_threshold_due(self) -> bool:
        """Whether it is time to ask how much of the hour's calls is used; true for one caller only."""
        with self._lock:
            now = self._now()
            if self._asked_at is not None and now < self._asked_at + THRESHOLD_EVERY_SECONDS:
                return False
            self._asked_at = now
            return True

    def note_share(self, share: float) -> None:
        self._share = share

    def hold_background(self) -> None:
        """RateLimited while three quarters of the hour's calls are used. People's own calls do not ask."""
        if self._share >= THRESHOLD_SHARE:
            text = f"{self._share:.0%} of the calls that Autotask allows in an hour are used"
            raise RateLimited(text, retry_after=THRESHOLD_EVERY_SECONDS, status=None)


_known: dict[tuple[str, ...], Gates] = {}
_known_lock = threading.Lock()


def gates_of(*key: str) -> Gates:
    """The limits of an account, the same object for every connector of this process."""
    with _known_lock:
        return _known.setdefault(key, Gates())
