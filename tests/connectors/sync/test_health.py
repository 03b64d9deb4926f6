"""The breaker, the pause, and the allowance in its two stores."""

from __future__ import annotations

import os
import uuid
from typing import Any

import pytest

from connectors.base.errors import AuthFailed, RateLimited, Rejected, Unavailable
from connectors.sync import gateway, health, pull, throttle
from connectors.sync.health import Gate, OnHold, break_seconds
from helpdesk.core import live
from helpdesk.core.origin import Origin
from helpdesk.directory.models import PsaAccount
from helpdesk.outbox import services as outbox
from helpdesk.outbox.choices import Verb
from helpdesk.outbox.models import OutboxItem
from tests.connectors.sync.helpers import Clock, Desk, desk
from tests.factories import make_account, make_ticket

pytestmark = pytest.mark.django_db


def fail(account: PsaAccount, clock: Clock, times: int) -> None:
    for _n in range(times):
        with pytest.raises(Unavailable), health.watching(account.pk, clock=clock):
            raise Unavailable("no answer")


def test_five_failures_open_the_breaker_and_one_probe_closes_it() -> None:
    account, clock = make_account(), Clock()
    fail(account, clock, 4)
    Gate(account.pk, clock)()
    fail(account, clock, 1)
    account.refresh_from_db()
    assert (account.health, account.failures) == ("down", 5)
    assert account.down_since
    assert account.pk not in health.callable_accounts(clock())
    with pytest.raises(OnHold):
        Gate(account.pk, clock)()
    clock.advance(16)
    first, second = Gate(account.pk, clock), Gate(account.pk, clock)
    first()
    first()
    with pytest.raises(OnHold):
        second()
    health.answered(account_id=account.pk, now=clock())
    second()
    account.refresh_from_db()
    assert (account.health, account.failures, account.down_since) == ("ok", 0, None)


def test_the_break_grows_to_two_minutes() -> None:
    assert [break_seconds(n) for n in (4, 5, 6, 7, 8, 9, 50)] == [0, 15, 30, 60, 120, 120, 120]


def test_refused_credentials_pause_until_a_person_resumes() -> None:
    account, clock = make_account(), Clock()
    with pytest.raises(AuthFailed), health.watching(account.pk, clock=clock):
        raise AuthFailed("not accepted")
    account.refresh_from_db()
    assert account.is_paused
    assert account.paused_reason == "not accepted"
    with pytest.raises(OnHold):
        Gate(account.pk, clock)()
    health.resume(account_id=account.pk, now=clock())
    Gate(account.pk, clock)()


def test_a_refusal_is_an_answer() -> None:
    account, clock = make_account(), Clock()
    fail(account, clock, 3)
    with pytest.raises(Rejected), health.watching(account.pk, clock=clock):
        raise Rejected("no")
    account.refresh_from_db()
    assert account.failures == 0


def test_a_psa_that_is_down_is_left_alone() -> None:
    with desk(tickets=3) as found:
        found.fault("status_before", method=None, status=503, times=None)
        for _n in range(8):
            found.account.refresh_from_db()
            PsaAccount.objects.update(next_pull_at=found.clock())
            with pytest.raises(Unavailable), gateway.using(found.account, rank=2, clock=found.clock) as connector:
                connector.ticket("1")
        asked = len(found.sandbox.requests())
        with pytest.raises(OnHold), gateway.using(found.account, rank=2, clock=found.clock) as connector:
            connector.ticket("1")
        assert len(found.sandbox.requests()) == asked


def _stores() -> list[Any]:
    url = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/15")
    return [pytest.param("row", id="row"), pytest.param(url, id="redis", marks=pytest.mark.redis)]


@pytest.mark.parametrize("where", _stores())
def test_the_allowance_is_kept_and_people_go_first(where: str) -> None:
    account = make_account(calls_per_minute=100)
    if where == "row":
        store: Any = throttle.RowStore()
        key = str(account.pk)
    else:
        redis = pytest.importorskip("redis")
        client = redis.Redis.from_url(where)
        try:
            client.ping()
        except redis.ConnectionError:
            pytest.skip("no Redis here")
        store, key = throttle.RedisStore(client), uuid.uuid4().hex
    now = [1000.0]
    budget = throttle.StoredBudget(
        throttle.bucket(100), store, key, patience=lambda rank: 0.0, now=lambda: now[0], sleep=lambda s: None
    )
    taken = {rank: _drain(budget, rank) for rank in (3, 2, 1, 0)}
    assert taken[3] == 7
    assert sum(taken.values()) == 10
    assert taken[0] >= 1
    now[0] += 60
    assert _drain(budget, 0) == 10
    budget.punish(seconds=30)
    now[0] += 29
    assert _drain(budget, 0) == 0
    now[0] += 2
    assert _drain(budget, 0) > 0


def _drain(budget: throttle.StoredBudget, rank: int) -> int:
    count = 0
    while True:
        try:
            budget.take(rank=rank)
        except RateLimited:
            return count
        count += 1


def test_looking_at_the_allowance_takes_nothing() -> None:
    account = make_account(calls_per_minute=100)
    assert throttle.left(account.pk, calls_per_minute=100) == (10.0, 10.0)
    throttle.budget(account.pk, calls_per_minute=100).take(rank=0)
    left, most = throttle.left(account.pk, calls_per_minute=100)
    assert most == 10
    assert 9 <= left < 9.2


def test_work_without_a_call_says_nothing_about_the_psa() -> None:
    with desk(tickets=3) as found:
        fail(found.account, found.clock, 2)
        with gateway.using(found.account, rank=2, clock=found.clock):
            pass
        found.account.refresh_from_db()
        assert (found.account.health, found.account.failures) == ("slow", 2)


def test_a_psa_that_resets_every_call_is_slow_at_once_then_down_and_comes_back(
    django_capture_on_commit_callbacks: Any,
) -> None:
    with desk(tickets=3) as found:
        found.fault("reset_before", method=None, times=None, rate=1.0)
        states = []
        before = live.stamp(live.HEALTH)
        for _n in range(8):
            with django_capture_on_commit_callbacks(execute=True):
                states.append(_pull_once(found))
        assert states[0] == "slow"
        assert states[-1] == "down"
        assert live.stamp(live.HEALTH) != before
        found.sandbox.control("DELETE", "faults")
        found.clock.advance(200)
        assert _pull_once(found) == "ok"


def _pull_once(found: Desk) -> str:
    PsaAccount.objects.update(next_pull_at=found.clock())
    pull.pull_due(clock=found.clock)
    found.clock.advance(31)
    found.account.refresh_from_db()
    return found.account.health


def test_what_was_put_off_is_due_when_the_psa_is_back() -> None:
    ticket, clock = make_ticket(), Clock()
    now = clock()
    items = [
        outbox.enqueue(
            psa_account_id=ticket.psa_account_id, lane=f"ticket:{n}", verb=Verb.UPDATE_TICKET, subject=f"ticket:{n}",
            fields={}, base={}, origin=Origin.system("test"), now=now, hold_seconds=40,
        )
        for n in (1, 2)
    ]  # fmt: skip
    OutboxItem.objects.filter(pk=items[0].pk).update(error_text="no answer", attempts=6)
    account = ticket.psa_account
    health.answered(account_id=account.pk, now=now)
    assert OutboxItem.objects.filter(not_before_at__gt=now).count() == 2
    fail(account, clock, 1)
    health.answered(account_id=account.pk, now=now)
    assert [i.pk for i in OutboxItem.objects.filter(not_before_at__gt=now)] == [items[1].pk]
