"""Drain the outbox: due items one by one, people's first, until none is left or time is up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from connectors.base.connector import Connector
from connectors.base.errors import AuthFailed, Unavailable
from connectors.sync import gateway, health, outbound
from connectors.sync.journal import log
from helpdesk.directory.models import PsaAccount
from helpdesk.outbox import services as outbox
from helpdesk.outbox.choices import State
from helpdesk.outbox.models import OutboxItem

SLICE_SECONDS = 20


@dataclass
class Drained:
    """`states` counts what became of each step; `calls` to all PSAs."""

    states: Counter[str] = field(default_factory=Counter)
    calls: int = 0
    is_empty: bool = False


class _Lines:
    """One open connector per account, for the length of a drain."""

    def __init__(self, stack: ExitStack, clock: Callable[[], datetime]) -> None:
        self._stack = stack
        self._clock = clock
        self._open: dict[int, Connector] = {}

    def to(self, account: PsaAccount) -> Connector:
        if account.pk not in self._open:
            self._open[account.pk] = self._stack.enter_context(
                gateway.opened(account, rank=gateway.PUSH, clock=self._clock)
            )
        return self._open[account.pk]

    @property
    def calls(self) -> int:
        return sum(c.calls for c in self._open.values())


@contextmanager
def _lines(clock: Callable[[], datetime]) -> Iterator[_Lines]:
    with ExitStack() as stack:
        yield _Lines(stack, clock)


def drain(*, clock: Callable[[], datetime], seconds: float = SLICE_SECONDS) -> Drained:
    """Send what is due. Accounts that are paused or behind a breaker keep theirs."""
    done = Drained()
    deadline = clock() + timedelta(seconds=seconds)
    with _lines(clock) as lines:
        while clock() < deadline:
            item = next(iter(claim(clock())), None)
            if item is None:
                done.is_empty = True
                break
            done.states[_push(item, lines, clock)] += 1
        done.calls = lines.calls
    return done


def claim(now: datetime) -> list[OutboxItem]:
    """The next due item of an account that may be called."""
    accounts = health.callable_accounts(now)
    if not accounts:
        return []
    return outbox.claim(now=now, lease_seconds=outbound.LEASE_SECONDS, account_ids=accounts, limit=1)


def _push(item: OutboxItem, lines: _Lines, clock: Callable[[], datetime]) -> str:
    try:
        connector = lines.to(item.psa_account)
    except AuthFailed as error:
        outbound.put_aside(item, error, clock())
        return State.WAITING
    try:
        return outbound.push_item(item, connector, clock=clock)
    except Exception as error:  # the last line: a bug of ours may cost time, never a change
        log.exception("push failed", account=item.psa_account_id, item=item.pk)
        outbound.put_aside(item, Unavailable(f"{type(error).__name__} in the desk"), clock())
        return State.WAITING
