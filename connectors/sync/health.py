"""How an account is doing, from the result of each call; and the breaker that spares a PSA which does not answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from connectors.base.errors import AuthFailed, ConnectorError, RateLimited, Unavailable, Unknown
from helpdesk.core import bell, live
from helpdesk.directory.choices import Health
from helpdesk.directory.models import PsaAccount
from helpdesk.outbox.choices import State
from helpdesk.outbox.models import OutboxItem

BREAKS_AFTER = 5
BREAK_SECONDS = 15.0
BREAK_MAX_SECONDS = 120.0
PROBE_SECONDS = 30.0
SLOW_SECONDS = 4.0
FRESH_SECONDS = 1.0
"""An answer within this of the last noted one is not worth a write."""


class OnHold(Unavailable):
    """Our own side holds the account's calls back; nothing went out."""

    def __init__(self, text: str, *, until: datetime | None = None) -> None:
        super().__init__(text)
        self.until = until


def break_seconds(failures: int) -> float:
    """How long nothing goes out after so many failures in a row; 0 while it is too few."""
    if failures < BREAKS_AFTER:
        return 0.0
    return float(min(BREAK_MAX_SECONDS, BREAK_SECONDS * 2 ** min(failures - BREAKS_AFTER, 10)))


@transaction.atomic
def answered(*, account_id: int, now: datetime, seconds_per_call: float = 0.0) -> None:
    """The PSA answered, be it with a refusal: whatever was wrong is over."""
    slow = seconds_per_call > SLOW_SECONDS
    health = Health.SLOW if slow else Health.OK
    rows = PsaAccount.objects.filter(pk=account_id)
    known = rows.values("health", "failures", "last_answer_at", "breaker_until").first()
    if known is None:
        return
    is_same = known["health"] == health and not known["failures"] and known["breaker_until"] is None
    if is_same and known["last_answer_at"] and now - known["last_answer_at"] < timedelta(seconds=FRESH_SECONDS):
        return
    rows.update(
        health=health,
        health_text=f"{seconds_per_call:.1f} s per call" if slow else "",
        failures=0,
        down_since=None,
        breaker_until=None,
        last_answer_at=now,
    )
    if known["failures"] or known["breaker_until"] is not None:
        _release(account_id, now)
    if not is_same:
        live.touch(live.HEALTH)


def _release(account_id: int, now: datetime) -> None:
    """The PSA is back: what was put off because it did not answer is due at once. What a person holds stays held."""
    put_off = OutboxItem.objects.filter(psa_account=account_id, state=State.WAITING, not_before_at__gt=now)
    if put_off.exclude(error_text="").update(not_before_at=now):
        transaction.on_commit(lambda: bell.ring("sync.push_due"))


@transaction.atomic
def failed(*, account_id: int, text: str, now: datetime) -> None:
    """No answer, or a senseless one. Five in a row open the breaker."""
    rows = PsaAccount.objects.filter(pk=account_id)
    rows.update(failures=F("failures") + 1)
    account = rows.select_for_update().first()
    if account is None:
        return
    pause = break_seconds(account.failures)
    account.down_since = account.down_since or now
    account.health = Health.DOWN if pause else Health.SLOW
    account.health_text = text[:300]
    account.breaker_until = now + timedelta(seconds=pause) if pause else None
    account.save(update_fields=["down_since", "health", "health_text", "breaker_until"])
    live.touch(live.HEALTH)


@transaction.atomic
def pause(*, account_id: int, reason: str) -> None:
    """Nothing is called until a person resumes the account; what waits, waits."""
    PsaAccount.objects.filter(pk=account_id).update(is_paused=True, paused_reason=reason[:300])
    live.touch(live.HEALTH)


@transaction.atomic
def resume(*, account_id: int, now: datetime) -> None:
    """Go on at once, with a clean slate."""
    PsaAccount.objects.filter(pk=account_id).update(
        is_paused=False,
        paused_reason="",
        failures=0,
        breaker_until=None,
        down_since=None,
        health=Health.OK,
        health_text="",
        next_pull_at=now,
    )
    live.touch(live.HEALTH)


def pull_now(*, account_id: int, now: datetime) -> None:
    """Do not wait for the next poll."""
    PsaAccount.objects.filter(pk=account_id).update(next_pull_at=now)


def callable_accounts(now: datetime) -> list[int]:
    """Accounts that may be called now: neither paused nor behind an open breaker."""
    rows = PsaAccount.objects.filter(is_paused=False).exclude(breaker_until__gt=now)
    return list(rows.values_list("pk", flat=True))


class Gate:
    """Asked before each call: lets it pass, or raises OnHold. After a break one probe goes first, alone."""

    def __init__(self, account_id: int, clock: Callable[[], datetime]) -> None:
        self._account_id = account_id
        self._clock = clock
        self._probing_until: datetime | None = None

    def __call__(self) -> None:
        now = self._clock()
        rows = PsaAccount.objects.filter(pk=self._account_id)
        state = rows.values("is_paused", "paused_reason", "breaker_until", "failures").first()
        if state is None or state["is_paused"]:
            raise OnHold((state and state["paused_reason"]) or "the account is paused")
        until = state["breaker_until"]
        if until is None or (self._probing_until and now < self._probing_until):
            return
        if until > now:
            raise OnHold("not answering: waiting before the next try", until=until)
        probing_until = now + timedelta(seconds=PROBE_SECONDS)
        if not rows.filter(breaker_until=until).update(breaker_until=probing_until):
            raise OnHold("not answering: another worker is trying", until=probing_until)
        self._probing_until = probing_until


@contextmanager
def watching(
    account_id: int, *, clock: Callable[[], datetime], calls: Callable[[], int] | None = None
) -> Iterator[None]:
    """Note on the account how what happens inside ends. The error goes on to the caller.

    `calls` counts the calls made so far: where none went out, an end without an error says nothing about the PSA.
    """
    before = calls() if calls else 0
    try:
        yield
    except ConnectorError as error:
        take_note(account_id=account_id, error=error, now=clock())
        raise
    if calls is None or calls() > before:
        answered(account_id=account_id, now=clock())


def take_note(*, account_id: int, error: ConnectorError, now: datetime) -> None:
    """What an error says of the account's health."""
    if isinstance(error, OnHold):
        return
    if isinstance(error, AuthFailed):
        pause(account_id=account_id, reason=error.text or "the credentials are not accepted")
    elif isinstance(error, Unavailable | Unknown):
        failed(account_id=account_id, text=error.text, now=now)
    elif isinstance(error, RateLimited) and error.status is None:
        return  # our own allowance: no call went out
    else:
        answered(account_id=account_id, now=now)
