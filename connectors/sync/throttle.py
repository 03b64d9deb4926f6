"""Where the state of a call allowance lives: a database row, or Redis. The arithmetic is `connectors.base.throttle`."""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, TypeVar

from django.conf import settings
from django.db import transaction

from connectors.base.throttle import Bucket, BucketState, BucketStore, StoredBudget, take
from connectors.sync.models import Bucket as BucketRow

T = TypeVar("T")

PATIENCE_SECONDS = (5.0, 8.0, 5.0, 3.0)
"""How long a call may wait for the allowance by rank: a worker's thread is worth more than a finished slice."""
REDIS_DAYS = 2
_SWAP = """
local old = redis.call('GET', KEYS[1])
if (old or '') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
return 1
"""


class RowStore:
    """One row per account. The row's lock (SQLite: the write lock of BEGIN IMMEDIATE) makes `change` atomic."""

    def update(self, key: str, change: Callable[[BucketState | None], tuple[BucketState, T]]) -> T:
        with transaction.atomic():
            row = BucketRow.objects.select_for_update().filter(pk=int(key)).first()
            state, result = change(_state_of(row) if row else None)
            BucketRow.objects.update_or_create(pk=int(key), defaults=asdict(state))
        return result


def _state_of(row: BucketRow) -> BucketState:
    return BucketState(
        tokens=row.tokens, at=row.at, held_until=row.held_until, strikes=row.strikes, struck_at=row.struck_at
    )


class RedisStore:
    """One key per account: read, reckon, and swap by a script that refuses when somebody else was faster."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._swap = client.register_script(_SWAP)

    def update(self, key: str, change: Callable[[BucketState | None], tuple[BucketState, T]]) -> T:
        name = f"helpdesk:bucket:{key}"
        while True:
            old = self._client.get(name)
            text = old.decode() if old else ""
            state, result = change(BucketState(**json.loads(text)) if text else None)
            if self._swap(keys=[name], args=[text, json.dumps(asdict(state)), REDIS_DAYS * 86400]):
                return result


@functools.cache
def _redis(url: str) -> RedisStore:
    import redis

    return RedisStore(redis.Redis.from_url(url, socket_timeout=5, socket_connect_timeout=3))


def store() -> BucketStore:
    """Redis where it is configured, else the database."""
    return _redis(settings.REDIS_URL) if settings.REDIS_URL else RowStore()


def bucket(calls_per_minute: int) -> Bucket:
    return Bucket.for_window(max(1, calls_per_minute), 60.0)


def budget(
    account_id: int,
    *,
    calls_per_minute: int,
    patience: tuple[float, ...] = PATIENCE_SECONDS,
    sleep: Callable[[float], None] = time.sleep,
) -> StoredBudget:
    """The account's allowance, shared by every process."""
    return StoredBudget(
        bucket(calls_per_minute),
        store(),
        str(account_id),
        patience=lambda rank: patience[max(0, min(rank, len(patience) - 1))],
        sleep=sleep,
    )


def left(account_id: int, *, calls_per_minute: int) -> tuple[float, float]:
    """Calls that could go out at once now, and how many that can be at most; takes none."""
    shape = bucket(calls_per_minute)
    now = time.time()

    def look(state: BucketState | None) -> tuple[BucketState, float]:
        known = state or BucketState.full(shape, now=now)
        filled, _wait = take(shape, known, now=now, cost=0)
        return known, filled.tokens

    return store().update(str(account_id), look), shape.capacity
