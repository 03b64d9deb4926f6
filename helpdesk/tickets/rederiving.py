"""What a status, a priority or a promise means has changed: the columns and clocks of its tickets follow.

Decided, so that history stays honest:

- Nothing happened to the ticket: no event is written, and what its people and its PSA stamped (first response,
  resolved, closed, and the PSA's own dates) is left as it is. Only what is worked out of them is worked out anew.
- The result is what the tickets would show had the meaning been so from the start, whichever way it came about: a
  pause is counted from when the ticket entered its status, not from when somebody changed the mapping. Verdicts may
  change by it: whoever changes the mapping sees how many before saving. A changed promise counts from its version on.
- Doing it twice, or again after a kill, changes nothing.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from operator import itemgetter
from typing import Any

from django.db import transaction

from helpdesk.core import bulk, live
from helpdesk.directory.models import PsaAccount
from helpdesk.sla import book
from helpdesk.sla.book import Book
from helpdesk.tickets import clocks
from helpdesk.tickets.choices import FINISHED
from helpdesk.tickets.models import Priority, Status, Ticket, TicketClock
from helpdesk.tickets.promises import rules_of
from helpdesk.tickets.stories import Story, read_stories
from helpdesk.tickets.timeline import Meanings
from helpdesk.tickets.verdicts import record_changed

COLUMNS = ("status_category", "is_open", "rank", *clocks.ROW_FIELDS)
"""All of a ticket's row that is worked out of what its status, its priority and its promise mean."""
READ = (
    *COLUMNS, "psa_account", "status", "priority", "sla_policy", "contract", "client", "team", "opened_at",
    "first_responded_at", "answered_at", "actions_pulled_at", "resolved_at", "closed_at", "last_activity_at",
    "remote_updated_at", "response_due_at", "resolution_due_at", "are_dates_old", "sla_paused", "sla_released",
    "sla_excluded", "deadline_at", "changed_at", "number", "subject",
)  # fmt: skip
"""All of a ticket that is read here and by `clocks`: half of its columns, and none of the long ones."""


_facts = itemgetter(*clocks.CLOCK_FIELDS)
Stored: Any = namedtuple("Stored", clocks.CLOCK_FIELDS)  # type: ignore[misc]
"""A clock as it is stored: a model's instance would cost ten times as much, twice per ticket."""


@dataclass(frozen=True, kw_only=True)
class Reckoned:
    """One ticket worked out anew, unsaved, beside what its row and clocks say now."""

    ticket: Ticket
    clocks: Sequence[TicketClock]
    was: Mapping[str, Any]
    before: Mapping[str, Any]

    @property
    def row_changed(self) -> bool:
        return columns_of(self.ticket) != self.was

    @cached_property
    def moved_clocks(self) -> list[TicketClock]:
        return [c for c in self.clocks if c.kind not in self.before or _differs(c, self.before[c.kind])]


def meanings_of(account_id: int) -> Meanings:
    return Meanings(
        statuses=Status.objects.filter(psa_account=account_id).defer("raw").in_bulk(),
        priorities=Priority.objects.filter(psa_account=account_id).defer("raw").in_bulk(),
    )


def context_of(
    account_id: int, now: datetime, *, meanings: Meanings | None = None, by: Book | None = None
) -> clocks.Context:
    """What an account's tickets are worked out by: its words and promises as they are, or as they would be."""
    return clocks.Context(
        account=rules_of(PsaAccount.objects.get(pk=account_id)),
        meanings=meanings or meanings_of(account_id),
        book=by or book.current(),
        now=now,
    )


@transaction.atomic
def rederive(*, account_id: int, ids: Sequence[int], now: datetime) -> int:
    """Bring tickets of one account (a few hundred) to what their words and promises mean. Counts those that differed.

    Takes their rows in the order of their keys, before it reads what the words mean: a writer that read the old
    meaning has finished by then.
    """
    rows = Ticket.objects.select_for_update().filter(psa_account=account_id, pk__in=ids).order_by("pk")
    tickets = bulk.read(rows, fields=READ)
    found = [r for r in reckon(tickets, context_of(account_id, now)) if r.row_changed or r.moved_clocks]
    for one in found:
        one.ticket.changed_at = now  # pages, counters and reports look there
    bulk.update([r.ticket for r in found], fields=(*COLUMNS, "changed_at"))
    moved = [clock for r in found for clock in r.moved_clocks]
    clocks.save_clocks(moved)
    record_changed(_verdicts(found), moved, now=now, why="rules")
    if found:
        live.touch(live.DESK, *(live.ticket_scope(r.ticket.pk) for r in found))
    return len(found)


def _verdicts(found: Iterable[Reckoned]) -> dict[tuple[int, str], str]:
    """What stood before, of clocks that had finished."""
    return {
        (r.ticket.pk, kind): old.state for r in found for kind, old in r.before.items() if old.finished_at is not None
    }


def count_again(*, ids: Iterable[int], now: datetime) -> int:
    """Reports read these tickets anew: what a status of their past counts as has changed."""
    return Ticket.objects.filter(pk__in=list(ids)).update(changed_at=now)


def reckon(tickets: Sequence[Ticket], context: clocks.Context) -> list[Reckoned]:
    """Work tickets of one account out anew, without writing. Four queries at most."""
    before: dict[int, dict[str, Stored]] = {}
    rows = TicketClock.objects.filter(ticket__in=[t.pk for t in tickets])
    for ticket, kind, *facts in rows.values_list("ticket_id", "kind", *clocks.CLOCK_FIELDS):
        before.setdefault(ticket, {})[kind] = Stored(*facts)
    return reckon_with(tickets, read_stories(tickets), before, context)


def reckon_with(
    tickets: Sequence[Ticket],
    stories: Mapping[int, Story],
    before: Mapping[int, Mapping[str, Any]],
    context: clocks.Context,
) -> list[Reckoned]:
    was = [columns_of(t) for t in tickets]
    for ticket in tickets:
        status = context.meanings.statuses[ticket.status_id]
        ticket.status_category, ticket.rank = status.category, context.meanings.priorities[ticket.priority_id].rank
        ticket.is_open = status.category not in FINISHED
        if ticket.is_open:
            ticket.finished_at = None
    derived = clocks.derive_many(tickets, stories, context)
    for ticket, found in zip(tickets, derived, strict=True):
        for clock in found:
            _keep_look(clock, before.get(ticket.pk, {}).get(clock.kind), context)
    return [
        Reckoned(ticket=t, clocks=c, was=w, before=before.get(t.pk, {}))
        for t, c, w in zip(tickets, derived, was, strict=True)
    ]


def _keep_look(clock: TicketClock, old: Any, context: clocks.Context) -> None:
    """A clock that stays as it is stays told until where it was; unless a version tells at other shares since."""
    if old is None or old.alert_at == clock.alert_at:
        return
    facts = vars(clock)
    is_same = all(facts[name] == getattr(old, name) for name in clocks.CLOCK_FIELDS if name != "alert_at")
    terms = context.book.policy(clock.policy_id, context.now)
    if is_same and (terms.number if terms else 0) == clock.policy_version:
        clock.alert_at = old.alert_at


def columns_of(ticket: Ticket) -> dict[str, Any]:
    own = vars(ticket)
    return {name: own[name] for name in COLUMNS}


def _differs(new: TicketClock, old: Any) -> bool:
    return _facts(vars(new)) != old
