"""From a PSA account to a connector that is ready to call: address, credentials, allowance, tokens, health."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from django.conf import settings

from connectors.base.connector import AccountConfig, Budget, Connector
from connectors.base.errors import AuthFailed
from connectors.registry import connector_class
from connectors.sync import health, throttle
from connectors.sync.tokens import RowTokens
from helpdesk.core.secrets import SecretLost
from helpdesk.directory.models import PsaAccount
from helpdesk.directory.services import read_secrets

PEOPLE, PUSH, POLL, BACKFILL = range(4)
"""Ranks of a call."""

READ_TIMEOUT_SECONDS = 15
"""Between two bytes: a worker's thread may not hang for long on one ticket."""


class GuardedBudget:
    """An allowance that asks the account's breaker before each call."""

    def __init__(self, inner: Budget, gate: Callable[[], None]) -> None:
        self._inner = inner
        self._gate = gate

    def take(self, *, rank: int, cost: int = 1) -> None:
        self._gate()
        self._inner.take(rank=rank, cost=cost)

    def punish(self, *, seconds: float | None) -> None:
        self._inner.punish(seconds=seconds)


def config(account: PsaAccount) -> AccountConfig:
    """The account as a connector needs it. AuthFailed when the key of its credentials is gone."""
    try:
        secrets = read_secrets(account)
    except SecretLost as error:
        raise AuthFailed("The key of the stored credentials is gone: enter them again") from error
    return AccountConfig(
        name=account.name,
        url=account.url,
        settings={"read_timeout": READ_TIMEOUT_SECONDS, **account.settings},
        secrets=secrets,
        allow_private_addresses=settings.PSA_ALLOW_PRIVATE_ADDRESSES,
    )


SWEEP_PATIENCE_SECONDS = (60.0, 60.0, 120.0, 300.0)


@contextmanager
def opened(
    account: PsaAccount, *, rank: int, clock: Callable[[], datetime], is_patient: bool = False
) -> Iterator[Connector]:
    """A connector for several operations; each of them is watched with `health.watching`.

    `is_patient`: wait long for the allowance, for work that cannot be resumed.
    """
    try:
        known = config(account)
    except AuthFailed as error:
        health.take_note(account_id=account.pk, error=error, now=clock())
        raise
    connector = connector_class(account.kind)(
        known,
        budget=GuardedBudget(
            throttle.budget(
                account.pk,
                calls_per_minute=account.calls_per_minute,
                patience=SWEEP_PATIENCE_SECONDS if is_patient else throttle.PATIENCE_SECONDS,
            ),
            health.Gate(account.pk, clock),
        ),
        rank=rank,
        clock=clock,
        tokens=RowTokens(account.pk),
    )
    try:
        yield connector
    finally:
        connector.close()


@contextmanager
def using(
    account: PsaAccount, *, rank: int, clock: Callable[[], datetime], is_patient: bool = False
) -> Iterator[Connector]:
    """A connector for one operation, whose end is noted on the account."""
    with (
        opened(account, rank=rank, clock=clock, is_patient=is_patient) as connector,
        health.watching(account.pk, clock=clock, calls=lambda: connector.calls),
    ):
        yield connector
