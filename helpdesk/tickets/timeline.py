"""A ticket's story as the clocks read it: what happened, what was promised meanwhile, and the two runs that follow.

Read for many tickets at once in a fixed number of queries. Late, repeated and reversed news give the same story: it is
ordered by when things happened, and told apart by what they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from helpdesk.directory.models import Contract, PsaAccount
from helpdesk.sla.book import Book
from helpdesk.sla.choices import ResponseBy
from helpdesk.sla.history import Moment, Runs, runs
from helpdesk.sla.ledger import Run
from helpdesk.tickets.models import Correction, Priority, Status, Ticket
from helpdesk.tickets.moments import moments_of
from helpdesk.tickets.promises import AccountRules, Promise, Standing, promises, rules_of
from helpdesk.tickets.stories import CREATED, PROMISED, Story, read_messages, read_stories


@dataclass(frozen=True, kw_only=True)
class Told:
    """One ticket worked out: its runs, and every promise it had, in order."""

    runs: Runs
    promises: tuple[Promise, ...]
    corrections: Sequence[Correction] = ()
    is_whole: bool = True
    """Off while it had a life before we met it that its PSA has not told us yet: pauses may be missing."""

    @property
    def promise(self) -> Promise:
        return self.promises[-1]


@dataclass(frozen=True, kw_only=True)
class Meanings:
    """Statuses and priorities by key, as they count (or would count). What is missing is read when it is met."""

    statuses: dict[int, Status] = field(default_factory=dict)
    priorities: dict[int, Priority] = field(default_factory=dict)
    contracts: dict[int, int | None] = field(default_factory=dict)
    """Contract -> the policy that the PSA put on it."""


def runs_of(tickets: Sequence[Ticket], book: Book, now: datetime) -> dict[int, Runs]:
    """ticket -> both of its runs. A fixed number of queries per PSA account."""
    return {pk: told.runs for pk, told in told_of(tickets, book, now).items()}


def told_of(tickets: Sequence[Ticket], book: Book, now: datetime) -> dict[int, Told]:
    accounts = PsaAccount.objects.in_bulk({t.psa_account_id for t in tickets})
    stories = read_stories(tickets)
    found: dict[int, Told] = {}
    for key, account in accounts.items():
        own = [t for t in tickets if t.psa_account_id == key]
        told = tell(own, stories, account=rules_of(account), meanings=Meanings(), book=book, now=now)
        found |= {t.pk: one for t, one in zip(own, told, strict=True)}
    return found


def tell(
    tickets: Sequence[Ticket],
    stories: Mapping[int, Story],
    *,
    account: AccountRules,
    meanings: Meanings,
    book: Book,
    now: datetime,
) -> list[Told]:
    """Work out tickets of one account, in their order. `stories` by `id(ticket)` (unsaved) or by key."""
    found = [stories.get(t.pk) or stories.get(id(t)) or Story() for t in tickets]
    _complete(meanings, tickets, found)
    read_messages(tickets, found, meanings.statuses, now)
    return [_told(t, s, account, meanings, book, now) for t, s in zip(tickets, found, strict=True)]


def _told(ticket: Ticket, story: Story, account: AccountRules, meanings: Meanings, book: Book, now: datetime) -> Told:
    stood = _stood(ticket, story, meanings)
    promised = promises(book, account, stood, now)
    last = promised[-1]
    moments = moments_of(ticket, story, meanings.statuses)
    answered = _answered(ticket, last.response_by)
    if answered is not None:
        moments.append(Moment(at=answered, key="answer", order=len(moments), is_response=True))
    found = runs(
        moments,
        started_at=ticket.opened_at,
        response=tuple(p.response for p in promised),
        resolution=tuple(p.resolution for p in promised),
        choices=last.choices(account),
    )
    if len(promised) > 1:
        response, resolution = of_its_time(found.response), of_its_time(found.resolution)
        if response is not found.response or resolution is not found.resolution:
            found = replace(found, response=response, resolution=resolution)
    is_whole = ticket.actions_pulled_at is not None or not any(e.field == CREATED and e.old for e in story.events)
    return Told(runs=found, promises=promised, corrections=story.corrections, is_whole=is_whole)


def of_its_time(run: Run) -> Run:
    """What was promised after its end says nothing of it."""
    end = run.finished_at
    if end is None or len(run.terms) < 2:
        return run
    return replace(run, terms=tuple(t for place, t in enumerate(run.terms) if place == 0 or t.since < end))


def _answered(ticket: Ticket, response_by: str) -> datetime | None:
    """When staff answered. The PSA's word counts where the policy says so, and until its messages are known here."""
    if response_by == ResponseBy.PSA:
        return ticket.first_responded_at
    if ticket.answered_at is None and ticket.actions_pulled_at is None:
        return ticket.first_responded_at
    return ticket.answered_at


def _complete(meanings: Meanings, tickets: Sequence[Ticket], stories: Sequence[Story]) -> None:
    """Read the statuses, priorities and contracts that the stories name and `meanings` lacks."""
    wanted: dict[str, set[int]] = {"status": set(), "priority": set(), "contract": set()}
    for ticket, story in zip(tickets, stories, strict=True):
        for name, kept in (("status", meanings.statuses), ("priority", meanings.priorities)):
            key = getattr(ticket, f"{name}_id")
            if key and key not in kept and name in ticket._state.fields_cache:
                kept[key] = getattr(ticket, name)  # type: ignore[index]
            wanted[name] |= {key} if key else set()
        if ticket.contract_id:
            wanted["contract"].add(ticket.contract_id)
        for event in story.events:
            name = "status" if event.field == CREATED else event.field
            if name in wanted:
                wanted[name] |= {int(key) for key in (event.old, event.new) if key.isdecimal()}
    if missing := wanted["status"] - meanings.statuses.keys():
        meanings.statuses.update(Status.objects.defer("raw").in_bulk(missing))
    if missing := wanted["priority"] - meanings.priorities.keys():
        meanings.priorities.update(Priority.objects.defer("raw").in_bulk(missing))
    if missing := wanted["contract"] - meanings.contracts.keys():
        meanings.contracts.update(Contract.objects.filter(pk__in=missing).values_list("pk", "sla_policy_id"))


# ---- how it stood: what was promised --------------------------------------------------------------------------------


def _stood(ticket: Ticket, story: Story, meanings: Meanings) -> list[tuple[datetime, Standing]]:
    """What the promise depended on, since when; from the start. Worked out backwards from how it stands."""
    values: dict[str, Any] = {name: getattr(ticket, f"{name}_id") for name in PROMISED}
    moves = [e for e in story.events if e.field in PROMISED]
    found = []
    for event in reversed(moves):
        found.append((max(event.at, ticket.opened_at), _standing(values, ticket, meanings)))
        values[event.field] = int(event.old) if event.old.isdecimal() else None
    found.append((ticket.opened_at, _standing(values, ticket, meanings)))
    found.reverse()
    return found


def _standing(values: Mapping[str, Any], ticket: Ticket, meanings: Meanings) -> Standing:
    priority = meanings.priorities.get(values["priority"] or 0)
    return Standing(
        rank=priority.rank if priority else ticket.rank,
        priority=(priority.remote_id or "") if priority else "",
        sla_policy=values["sla_policy"],
        contract=values["contract"],
        contract_policy=meanings.contracts.get(values["contract"] or 0),
        client=values["client"],
        team=values["team"],
    )
