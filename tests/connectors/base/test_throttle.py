"""The call budget as arithmetic."""

from __future__ import annotations

import pytest

from connectors.base.errors import RateLimited
from connectors.base.throttle import Bucket, BucketState, MemoryStore, StoredBudget, punish, take


@pytest.mark.parametrize(("limit", "window"), [(500, 300), (100, 60), (700, 300), (10_000, 60)])
def test_no_rolling_window_ever_holds_more_than_the_limit(limit: int, window: int) -> None:
    bucket = Bucket.for_window(limit, window)
    state = BucketState.full(bucket, now=0.0)
    now, sent = 0.0, []
    while now < 3 * window:
        state, wait = take(bucket, state, now=now)
        if wait:
            now += wait + 1e-6
        else:
            sent.append(now)
    worst = max(sum(1 for t in sent if start <= t < start + window) for start in sent[:: max(1, len(sent) // 50)])
    assert worst <= limit
    assert len(sent) / 3 >= limit * 0.8, "the allowance must be used, too"


def test_people_may_spend_what_backfill_must_leave() -> None:
    bucket = Bucket(capacity=100, rate=1)
    state = BucketState(tokens=20, at=0.0)
    assert take(bucket, state, now=0.0, rank=3)[1] > 0
    assert take(bucket, state, now=0.0, rank=0)[1] == 0


def test_a_small_bucket_still_lets_the_last_rank_through() -> None:
    bucket = Bucket(capacity=1, rate=1)
    assert take(bucket, BucketState.full(bucket, now=0.0), now=0.0, rank=3)[1] == 0


def test_backoff_grows_to_a_minute_and_begins_anew_after_a_calm() -> None:
    bucket = Bucket(capacity=10, rate=1)
    state = BucketState.full(bucket, now=0.0)
    holds, now = [], 0.0
    for _ in range(6):
        state = punish(bucket, state, now=now)
        holds.append(state.held_until - now)
        now = state.held_until
    assert holds == [5, 10, 20, 40, 60, 60]
    assert punish(bucket, state, now=now + 1000).held_until == now + 1000 + 5


def test_the_named_wait_is_obeyed() -> None:
    bucket = Bucket(capacity=10, rate=1)
    state = punish(bucket, BucketState.full(bucket, now=0.0), now=0.0, seconds=17)
    _, wait = take(bucket, state, now=10.0)
    assert wait == 7


def test_a_clock_that_steps_back_gives_no_tokens() -> None:
    bucket = Bucket(capacity=10, rate=1)
    state, _ = take(bucket, BucketState(tokens=0.0, at=100.0), now=50.0)
    assert state.tokens == 0.0
    assert state.at == 100.0


def test_a_stored_budget_waits_and_then_refuses() -> None:
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    budget = StoredBudget(
        Bucket(capacity=1, rate=0.5), MemoryStore(), "halo", patience=lambda rank: 10.0, now=lambda: now[0], sleep=sleep
    )
    for _ in range(3):
        budget.take(rank=1)
    assert now[0] == pytest.approx(4.0)
    budget.punish(seconds=60)
    with pytest.raises(RateLimited) as caught:
        budget.take(rank=1)
    assert caught.value.retry_after == pytest.approx(60)
