"""The arithmetic of a call budget, without a clock or a store of its own.

A token bucket that never lets more than `limit` calls out in any rolling window: what it may save up (`capacity`)
and what it earns in one window together stay at the limit. Stores (memory here, Redis and database in the sync app)
run `take` and `punish` on the stored state inside one transaction.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from connectors.base.errors import RateLimited

T = TypeVar("T")

BACKOFF_FIRST_SECONDS = 5.0
BACKOFF_MAX_SECONDS = 60.0
CALM_SECONDS = 300.0
"""After this long without a 429 the backoff starts from its first step again."""

RESERVES = (0.0, 0.05, 0.15, 0.30)
"""Share of the capacity that a rank leaves for the ranks before it: people, pushes, polling, backfill."""


@dataclass(frozen=True)
class Bucket:
    """`capacity`: calls that may go out at once. `rate`: calls earned per second."""

    capacity: float
    rate: float

    @classmethod
    def for_window(cls, limit: int, seconds: float, *, burst: float = 0.1) -> Bucket:
        """A bucket that keeps at most `limit` calls in any window of that many seconds.

        `burst` is the share that may go out at once; the rest is the steady rate (0.1: 90 % of the limit, sustained).
        """
        capacity = max(1.0, limit * burst)
        return cls(capacity=capacity, rate=max(limit - capacity, limit * 0.01) / seconds)


@dataclass(frozen=True)
class BucketState:
    """What a store keeps: instants are seconds since the epoch."""

    tokens: float
    at: float
    held_until: float = 0.0
    strikes: int = 0
    struck_at: float = 0.0

    @classmethod
    def full(cls, bucket: Bucket, *, now: float) -> BucketState:
        """The state of an account that has not called for a while."""
        return cls(tokens=bucket.capacity, at=now)


def take(bucket: Bucket, state: BucketState, *, now: float, cost: int = 1, rank: int = 0) -> tuple[BucketState, float]:
    """One call of `cost`: the new state and 0.0 when it may go out, else the seconds to wait."""
    tokens = min(bucket.capacity, state.tokens + max(0.0, now - state.at) * bucket.rate)
    filled = replace(state, tokens=tokens, at=max(now, state.at))
    if now < state.held_until:
        return filled, state.held_until - now
    reserve = min(_reserve(rank) * bucket.capacity, max(0.0, bucket.capacity - cost))
    missing = cost + reserve - tokens
    if missing > 1e-9:
        return filled, missing / bucket.rate
    return replace(filled, tokens=tokens - cost), 0.0


def punish(bucket: Bucket, state: BucketState, *, now: float, seconds: float | None = None) -> BucketState:
    """The state after a 429: nothing goes out for `seconds`, or for our own backoff (5, 10, 20, 40, 60 ...)."""
    strikes = 1 if now - state.struck_at > CALM_SECONDS else state.strikes + 1
    own = min(BACKOFF_MAX_SECONDS, BACKOFF_FIRST_SECONDS * 2 ** min(strikes - 1, 10))
    hold = own if seconds is None else max(0.0, seconds)
    return replace(
        state,
        tokens=min(state.tokens, bucket.capacity * 0.1),
        held_until=max(state.held_until, now + hold),
        strikes=strikes,
        struck_at=now,
    )


def _reserve(rank: int) -> float:
    return RESERVES[max(0, min(rank, len(RESERVES) - 1))]


class BucketStore(Protocol):
    """Where the state of one account lives; `change` runs exactly once on the current state, atomically."""

    def update(self, key: str, change: Callable[[BucketState | None], tuple[BucketState, T]]) -> T:
        """Store what `change` makes of the state (None at first) and give back its second value."""


class MemoryStore:
    """States of one process."""

    def __init__(self) -> None:
        self._states: dict[str, BucketState] = {}
        self._lock = threading.Lock()

    def update(self, key: str, change: Callable[[BucketState | None], tuple[BucketState, T]]) -> T:
        with self._lock:
            state, result = change(self._states.get(key))
            self._states[key] = state
            return result


class StoredBudget:
    """A `Budget` over a store: waits up to `patience(rank)` seconds, then refuses with RateLimited."""

    def __init__(
        self,
        bucket: Bucket,
        store: BucketStore,
        key: str,
        *,
        patience: Callable[[int], float] = lambda rank: (5.0, 30.0, 60.0, 120.0)[max(0, min(rank, 3))],
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.bucket = bucket
        self._store = store
        self._key = key
        self._patience = patience
        self._now = now
        self._sleep = sleep

    def take(self, *, rank: int, cost: int = 1) -> None:
        waited = 0.0
        while wait := self._try(rank, cost):
            if waited + wait > self._patience(rank):
                raise RateLimited("the call budget is used up", retry_after=wait, status=None)
            self._sleep(wait)
            waited += wait

    def punish(self, *, seconds: float | None) -> None:
        now = self._now()
        self._store.update(
            self._key, lambda s: (punish(self.bucket, self._or_full(s, now), now=now, seconds=seconds), None)
        )

    def _try(self, rank: int, cost: int) -> float:
        now = self._now()
        return self._store.update(
            self._key, lambda s: take(self.bucket, self._or_full(s, now), now=now, cost=cost, rank=rank)
        )

    def _or_full(self, state: BucketState | None, now: float) -> BucketState:
        return state or BucketState.full(self.bucket, now=now)
