"""The sandbox's clock: the machine's time plus an offset that tests and demos may set."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from connectors.sandbox.store import Store

META_NAME = "clock_offset_seconds"


class Clock:
    """Milliseconds since 1970 UTC.

    `now` fixes the starting instant (seconds since 1970); time then runs on from there.
    """

    def __init__(self, store: Store, now: float | None = None, source: Callable[[], float] = time.time) -> None:
        self._source = source
        self._store = store
        self._lock = threading.Lock()
        self._base = 0.0 if now is None else now - source()
        self._offset = float(store.meta(META_NAME) or 0.0)

    def now(self) -> int:
        """Milliseconds, offset included."""
        return int((self._source() + self._base + self._offset) * 1000)

    def wall(self) -> int:
        """Milliseconds of the machine, without the offset: for ages of writes."""
        return int(self._source() * 1000)

    @property
    def offset_seconds(self) -> float:
        return self._offset

    def set_offset(self, seconds: float) -> None:
        """Move the clock to `seconds` from where it would stand without any move; kept with the state."""
        with self._lock:
            self._offset = seconds
            self._store.set_meta(META_NAME, repr(seconds))
