"""Lets things happen by themselves, so many a minute of the sandbox's clock, until it is paused or closed."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Mapping, Sequence

from connectors.sandbox.clock import Clock
from connectors.sandbox.imitation import Imitation
from connectors.sandbox.store import Store

EVENTS_META = "live_events"
# Time that the clock jumps over is skipped: nobody was there.
LONGEST_LAG_MS = 60_000
MOST_RATE = 60_000.0
PATIENCE_SECONDS = 0.25


class Live:
    """Events along the clock at random distances; the same for a seed, a clock and a state.

    `rate` is the mean number per minute; 0 pauses. Event n has dice of its own, and n is kept with the state, so that
    a sandbox that starts again does not say everything twice.
    """

    def __init__(
        self, imitations: Mapping[str, Imitation], store: Store, clock: Clock, *, seed: int, rate: float = 0.0
    ) -> None:
        self._imitations, self._store, self._clock, self._seed = imitations, store, clock, seed
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._is_closed = False
        self._next_at = 0.0
        self.events = int(store.meta(EVENTS_META) or 0)
        self.last = ""
        self.rate = 0.0
        self.set_rate(rate)

    def set_rate(self, rate: float) -> None:
        """Events a minute from now on. ValueError for what is no rate."""
        if not 0 <= rate <= MOST_RATE:
            raise ValueError(f"rate is a number from 0 to {MOST_RATE:g}")
        with self._lock:
            self.rate = float(rate)
            self._next_at = self._clock.now() + self._gap(self._dice("gap"))
        self._wake.set()

    def run(self, safely: Callable[[Callable[[], object]], None]) -> None:
        """The thread's work; ends soon after `close`."""
        while not self._is_closed:
            safely(self.run_due)
            left = (self._next_at - self._clock.now()) / 1000
            self._wake.wait(max(0.002, min(left, PATIENCE_SECONDS)) if self.rate else None)
            self._wake.clear()

    def close(self) -> None:
        """No event begins any more; one that is under way ends first."""
        self._is_closed = True
        self._wake.set()
        with self._lock:
            pass

    def run_due(self) -> int:
        """Let everything happen that is due by the clock; answers how many events."""
        count = 0
        while not self._is_closed and self._one():
            count += 1
        return count

    def _one(self) -> bool:
        with self._lock:
            now = self._clock.now()
            if self._is_closed or not self.rate or self._next_at > now:
                return False
            dice = self._dice("event")
            self._next_at = max(self._next_at, now - LONGEST_LAG_MS) + self._gap(dice)
            self.events += 1
            name = self._name(dice, sorted(self._imitations))
            try:
                self.last = f"{name}: {self._imitations[name].live_event(dice)}"
            finally:
                self._store.set_meta(EVENTS_META, str(self.events))
            return True

    def _dice(self, purpose: str) -> random.Random:
        return random.Random(f"{self._seed}-{purpose}-{self.events}")

    def _gap(self, dice: random.Random) -> float:
        return dice.expovariate(self.rate / 60_000) if self.rate else 0.0

    @staticmethod
    def _name(dice: random.Random, names: Sequence[str]) -> str:
        return names[int(dice.random() * len(names))]
