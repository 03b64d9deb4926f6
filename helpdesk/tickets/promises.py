"""Which promise a ticket had at which instant: its policy, by the order of choice, and the terms of both clocks. Pure.

Chosen in this order, the first that there is: what was given here to its contract, its client, its team; the policy
that the PSA put on the ticket, else on its contract; what was given here to its account; the account's default in the
PSA; the targets that the account's PSA usually has. Where the PSA's word counts, the policy of ours that replaces its
own does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from helpdesk.core.rules import usual_targets
from helpdesk.directory.models import PsaAccount
from helpdesk.sla.book import ALWAYS, Book, PolicyTerms
from helpdesk.sla.choices import ClockSource, Problem, ResponseBy
from helpdesk.sla.history import USUAL, Choices
from helpdesk.sla.ledger import Terms
from helpdesk.sla.versions import AROUND_THE_CLOCK, REPLACES

USUAL_TARGETS: Mapping[int, tuple[int | None, int | None]] = {
    1: (15 * 60, 3600),
    2: (3600, 4 * 3600),
    3: (4 * 3600, 8 * 3600),
    4: (8 * 3600, 24 * 3600),
}
"""rank -> (response, resolution) seconds, where an account does not say what its PSA usually promises."""


@dataclass(frozen=True, kw_only=True)
class AccountRules:
    """What an account has to say of clocks."""

    key: int
    targets: Mapping[int, tuple[int | None, int | None]]
    client_resumes: bool = True
    shows_theirs: bool = False


def rules_of(account: PsaAccount) -> AccountRules:
    """Reads what the account's row holds."""
    targets = usual_targets(account.capabilities) or USUAL_TARGETS
    return AccountRules(
        key=account.pk,
        targets=targets,
        client_resumes=bool(account.settings.get("resume_on_client_reply", True)),
        shows_theirs=account.settings.get("sla_shown") == "theirs",
    )


class Standing(NamedTuple):
    """All that the choice depends on. Keys; None = none."""

    rank: int
    priority: str
    """As the account spells it."""
    sla_policy: int | None
    contract: int | None
    contract_policy: int | None
    client: int | None
    team: int | None


class Promise(NamedTuple):
    """What was promised from `since` on. `problem` says why a clock cannot tell when it is due."""

    since: datetime
    response: Terms
    resolution: Terms
    calendar: int = AROUND_THE_CLOCK
    policy: PolicyTerms | None = None
    source: str = ClockSource.DEFAULT
    problem: str = ""

    @property
    def response_by(self) -> str:
        return self.policy.response_by if self.policy else ResponseBy.MESSAGE

    def choices(self, account: AccountRules) -> Choices:
        chosen = self.policy.choices if self.policy else USUAL
        if chosen.client_resumes == account.client_resumes:
            return chosen
        return replace(chosen, client_resumes=account.client_resumes)

    def says_the_same(self, other: Promise) -> bool:
        """Nobody need be told that one follows the other."""
        return self._told() == other._told()

    def _told(self) -> tuple[Any, ...]:
        terms = ((t.seconds, t.days, t.calendar.hours, t.keeps_consumed) for t in (self.response, self.resolution))
        policy = (self.policy.policy, self.policy.choices, self.policy.response_by) if self.policy else None
        return (self.calendar, policy, self.source, self.problem, *terms)


def policy_for(book: Book, account: AccountRules, standing: Standing, at: datetime) -> int | None:
    """The policy that counts at an instant, by the order of choice; None = the account's usual targets."""
    return (
        book.use("contract", standing.contract, at)
        or book.use("client", standing.client, at)
        or book.use("team", standing.team, at)
        or _that_promises(book, _or_ours(book, standing.sla_policy, at), at)
        or _that_promises(book, _or_ours(book, standing.contract_policy, at), at)
        or book.use("psa_account", account.key, at)
        or _or_ours(book, book.defaults.get(account.key), at)
    )


def _or_ours(book: Book, policy: int | None, at: datetime) -> int | None:
    """A PSA's policy, or the one of ours that replaces it, unless that one promises nothing at all."""
    ours = book.use(REPLACES, policy, at)
    terms = book.policy(ours, at)
    return ours if terms is not None and terms.by_priority else policy


def _that_promises(book: Book, policy: int | None, at: datetime) -> int | None:
    """The policy, unless its PSA told its name and nothing else: then it is as if there were none."""
    terms = book.policy(policy, at)
    return policy if terms is not None and (terms.number or terms.by_priority) else None


def promise_at(book: Book, account: AccountRules, standing: Standing, at: datetime) -> Promise:
    policy = book.policy(policy_for(book, account, standing, at), at)
    if policy is None:
        response, resolution = account.targets.get(standing.rank, (None, None))
        return Promise(
            since=at,
            response=Terms(since=at, calendar=ALWAYS, seconds=response),
            resolution=Terms(since=at, calendar=ALWAYS, seconds=resolution),
            source=ClockSource.DEFAULT if response or resolution else ClockSource.NONE,
        )
    promised = policy.promised(account=account.key, priority=standing.priority, rank=standing.rank)
    if promised is None:
        nothing = Terms(since=at, calendar=ALWAYS)
        return Promise(
            since=at, response=nothing, resolution=nothing, policy=policy, source=ClockSource.POLICY,
            problem=Problem.NO_TARGET,
        )  # fmt: skip
    calendar = book.calendar(promised.calendar, at)
    terms = [
        Terms(
            since=at,
            calendar=calendar or ALWAYS,
            seconds=None if in_days or calendar is None else seconds,
            days=seconds // 86_400 if in_days and seconds and calendar is not None else None,
            label=policy.name,
            keeps_consumed=policy.keeps_consumed,
        )
        for seconds, in_days in (promised.response, promised.resolution)
    ]
    return Promise(
        since=at, response=terms[0], resolution=terms[1], calendar=promised.calendar, policy=policy,
        source=ClockSource.POLICY, problem=book.problem_of(promised.calendar, at),
    )  # fmt: skip


def promises(
    book: Book, account: AccountRules, stood: Sequence[tuple[datetime, Standing]], until: datetime
) -> tuple[Promise, ...]:
    """Every promise from the start to `until`, in order. `stood`: how the ticket stood, since when, from its start."""
    found: list[Promise] = []
    for at, standing in _with_changes(book, stood, until):
        promise = promise_at(book, account, standing, at)
        if found and found[-1].since == at:
            found.pop()  # what changed within one instant was promised to nobody
        if not found or not promise.says_the_same(found[-1]):
            found.append(promise)
    return tuple(found)


def _with_changes(
    book: Book, stood: Sequence[tuple[datetime, Standing]], until: datetime
) -> Iterable[tuple[datetime, Standing]]:
    """The same, and once more at every instant at which something was saved in the book."""
    for place, (at, standing) in enumerate(stood):
        yield at, standing
        end = stood[place + 1][0] if place + 1 < len(stood) else until
        for instant in book.changes(at, end):
            if instant < end or place + 1 == len(stood):
                yield instant, standing
