"""An account of the sandbox, connected and pulled, and a clock that tests may push on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.sync import accounts, pull, push
from connectors.sync.accounts import Wanted
from connectors.sync.pull import Tally
from helpdesk.accounts.models import User
from helpdesk.core.origin import Origin
from helpdesk.directory.models import PsaAccount
from helpdesk.outbox.models import OutboxItem
from helpdesk.tickets.models import Ticket
from tests.connectors.sandbox.running import Running, running_sandbox
from tests.people import make_theo

ROUNDS = 60


@dataclass
class Clock:
    """The real time, moved on by what a test has waited for in no time."""

    offset: timedelta = field(default_factory=timedelta)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.offset

    def advance(self, seconds: float) -> None:
        self.offset += timedelta(seconds=seconds)


@dataclass
class Desk:
    """One desk in front of one sandbox."""

    sandbox: Running
    clock: Clock
    account: PsaAccount
    user: User

    @property
    def origin(self) -> Origin:
        return Origin.desk(self.user)

    def pull(self, **options: Any) -> Tally:
        self.account.refresh_from_db()
        return pull.pull_to_end(self.account, clock=self.clock, **options)

    def push(self) -> push.Drained:
        return push.drain(clock=self.clock)

    def settle(self) -> list[str]:
        """Push, and let time pass, until nothing is unfinished. Gives the items' states in their order."""
        for _round in range(ROUNDS):
            self.push()
            heads: dict[str, OutboxItem] = {}
            for item in OutboxItem.objects.unfinished().order_by("sequence"):
                heads.setdefault(item.lane, item)
            if not heads:
                break
            soonest = min(max(i.not_before_at, i.lease_until or i.not_before_at) for i in heads.values())
            self.clock.advance(max(0.1, (soonest - self.clock()).total_seconds()))
        return self.states()

    def states(self) -> list[str]:
        return list(OutboxItem.objects.order_by("pk").values_list("state", flat=True))

    def fault(self, mode: str, **values: Any) -> None:
        given = {"psa": "halopsa", "method": "POST", "times": 1, **values}
        self.sandbox.control("POST", "faults", {"mode": mode, **{k: v for k, v in given.items() if v is not None}})

    def remote(self, ticket: Ticket) -> Any:
        """The ticket as the sandbox stores it."""
        ticket.refresh_from_db()
        return self.sandbox.ticket(int(ticket.remote_id or 0))

    def ticket(self, **wanted: Any) -> Ticket:
        found = Ticket.objects.filter(psa_account=self.account, is_open=True, **wanted).order_by("pk").first()
        assert found is not None
        return found


def wanted(sandbox: Running, name: str = "halo", **values: str) -> Wanted:
    given = {"client_id": "demo", "client_secret": "demo-secret", "calls_per_minute": "1000000", **values}
    return Wanted.sort(kind="halopsa", name=name, url=sandbox.halopsa, values=given)


def connected(sandbox: Running, clock: Clock, **values: str) -> PsaAccount:
    return accounts.connect(wanted=wanted(sandbox, **values), clock=clock)[0]


@contextmanager
def desk(tickets: int = 20, *, pulled: bool = True, **options: Any) -> Iterator[Desk]:
    """A connected desk; `pulled` has read everything."""
    clock = Clock()
    with running_sandbox(tickets=tickets, **options) as sandbox:
        account = connected(sandbox, clock)
        found = Desk(sandbox, clock, account, make_theo())
        if pulled:
            tally = found.pull()
            assert not tally.errors
            account.refresh_from_db()
        yield found
