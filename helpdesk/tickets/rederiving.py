"""What a status or a priority means here has changed: the columns and clocks of its tickets follow.

Decided, so that history stays honest:

- Nothing happened to the ticket: no event is written, and what its people and its PSA stamped (first response,
  resolved, closed, and the PSA's own dates) is left as it is. Only what is worked out of them is worked out anew.
- The result is what the tickets would show had the meaning been so from the start, whichever way it came about: a
  pause is counted from when the ticket entered its status, not from when somebody changed the mapping; a ticket that
  counts as finished now, and bears no stamp, was finished when its PSA moved it there. Verdicts may change by it:
  whoever changes the mapping sees how many before saving.
- Doing it twice, or again after a kill, changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple

from django.db import transaction

from helpdesk.core import bulk, live
from helpdesk.sla.models import Target
from helpdesk.tickets import clocks
from helpdesk.tickets.choices import FINISHED, SlaClock
from helpdesk.tickets.models import Priority, Status, Ticket, TicketClock, TicketEvent

COLUMNS = ("status_category", "is_open", "rank", *clocks.ROW_FIELDS)
"""All of a ticket's row that is worked out of what its status and priority mean."""
READ = (
    *COLUMNS, "psa_account", "status", "priority", "sla_policy", "opened_at", "first_responded_at", "resolved_at",
    "closed_at", "last_activity_at", "remote_updated_at", "response_due_at", "resolution_due_at", "sla_paused",
    "sla_released", "sla_excluded", "confirmed", "changed_at",
)  # fmt: skip
"""All of a ticket that is read here and by `clocks`: half of its columns, and none of the long ones."""


class Move(NamedTuple):
    """One change of status, by their keys as events spell them."""

    old: str
    new: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Meanings:
    """Every status and priority of an account, as they count (or would count), and what its policies promise."""

    statuses: Mapping[int, Status]
    priorities: Mapping[int, Priority]
    targets: Mapping[tuple[int, str], Target]

    @cached_property
    def finished(self) -> frozenset[str]:
        """Keys of the statuses in which the work is over, as events spell them."""
        return frozenset(str(pk) for pk, s in self.statuses.items() if s.category in FINISHED)

    @cached_property
    def pausing(self) -> frozenset[str]:
        return frozenset(str(pk) for pk, s in self.statuses.items() if s.sla_clock == SlaClock.PAUSED)


@dataclass(frozen=True, kw_only=True)
class Reckoned:
    """One ticket worked out anew, unsaved, beside what its row and clocks say now."""

    ticket: Ticket
    clocks: Sequence[TicketClock]
    was: Mapping[str, Any]
    before: Mapping[str, TicketClock]

    @property
    def row_changed(self) -> bool:
        return any(getattr(self.ticket, name) != value for name, value in self.was.items())

    @property
    def moved_clocks(self) -> list[TicketClock]:
        return [c for c in self.clocks if c.kind not in self.before or _differs(c, self.before[c.kind])]


def meanings_of(account_id: int) -> Meanings:
    return Meanings(
        statuses=Status.objects.filter(psa_account=account_id).defer("raw").in_bulk(),
        priorities=Priority.objects.filter(psa_account=account_id).defer("raw").in_bulk(),
        targets={(t.policy_id, t.priority): t for t in Target.objects.filter(policy__psa_account=account_id)},
    )


@transaction.atomic
def rederive(*, account_id: int, ids: Sequence[int], now: datetime) -> int:
    """Bring tickets of one account (a few hundred) to what their status and priority mean. Counts those that differed.

    Takes their rows in the order of their keys, before it reads what the words mean: a writer that read the old
    meaning has finished by then.
    """
    tickets = list(
        Ticket.objects.select_for_update().filter(psa_account=account_id, pk__in=ids).order_by("pk").only(*READ)
    )
    found = [r for r in reckon(tickets, meanings_of(account_id), now=now) if r.row_changed or r.moved_clocks]
    for one in found:
        one.ticket.changed_at = now  # pages, counters and reports look there
    bulk.update([r.ticket for r in found], fields=(*COLUMNS, "changed_at"))
    clocks.save_clocks([clock for r in found for clock in r.moved_clocks])
    if found:
        live.touch(live.DESK, *(live.ticket_scope(r.ticket.pk) for r in found))
    return len(found)


def count_again(*, ids: Iterable[int], now: datetime) -> int:
    """Reports read these tickets anew: what a status of their past counts as has changed."""
    return Ticket.objects.filter(pk__in=list(ids)).update(changed_at=now)


def reckon(tickets: Sequence[Ticket], meanings: Meanings, *, now: datetime) -> list[Reckoned]:
    """Work tickets of one account out anew by these meanings, without writing. Three queries at most."""
    before: dict[int, dict[str, TicketClock]] = {}
    for clock in TicketClock.objects.filter(ticket__in=[t.pk for t in tickets]):
        before.setdefault(clock.ticket_id, {})[clock.kind] = clock
    moves = _moves([t.pk for t in tickets if _asks_the_past(t, meanings)])
    return [_reckoned(t, meanings, before.get(t.pk, {}), moves.get(t.pk, []), now) for t in tickets]


def _reckoned(
    ticket: Ticket,
    meanings: Meanings,
    before: Mapping[str, TicketClock],
    moves: Sequence[Move],
    now: datetime,
) -> Reckoned:
    was = columns_of(ticket)
    status, priority = meanings.statuses[ticket.status_id], meanings.priorities[ticket.priority_id]
    ticket.status_category, ticket.rank = status.category, priority.rank
    ticket.is_open = status.category not in FINISHED
    if not ticket.is_open and not _is_stamped(ticket):
        ticket.finished_at = _since(ticket, moves, meanings.finished) or ticket.finished_at or _last_seen(ticket)
    # A hold began on its own day; a pause of the status alone, when the ticket came into one that pauses.
    since = None if ticket.sla_paused else _since(ticket, moves, meanings.pausing)
    derived = clocks.derive(
        ticket,
        status=status,
        target=clocks.target_for(ticket, meanings.targets, priority.remote_id or ""),
        before={} if since else before,
        now=now,
        paused_at=min(now, since or _last_seen(ticket)),
    )
    return Reckoned(ticket=ticket, clocks=derived, was=was, before=before)


def columns_of(ticket: Ticket) -> dict[str, Any]:
    return {name: getattr(ticket, name) for name in COLUMNS}


def _asks_the_past(ticket: Ticket, meanings: Meanings) -> bool:
    """Whether it matters since when the ticket is as it is: it stands still, or ended without a stamp."""
    status = meanings.statuses[ticket.status_id]
    if status.category in FINISHED:
        return not _is_stamped(ticket)
    return clocks.stands_still(ticket, status)


def _is_stamped(ticket: Ticket) -> bool:
    return bool(ticket.resolved_at or ticket.closed_at)


def _moves(ids: Sequence[int]) -> dict[int, list[Move]]:
    found: dict[int, list[Move]] = {}
    if ids:
        rows = TicketEvent.objects.of_field("status").filter(ticket__in=ids).order_by("at", "pk")
        for ticket_id, old, new, at in rows.values_list("ticket", "old", "new", "at"):
            found.setdefault(ticket_id, []).append(Move(old, new, at))
    return found


def _since(ticket: Ticket, moves: Sequence[Move], alike: Collection[str]) -> datetime | None:
    """Since when the ticket has stood in statuses that are `alike` (keys); None where its history does not tell."""
    if not moves or moves[-1].new != str(ticket.status_id):
        return None
    since = moves[-1].at
    for move in reversed(moves):
        if move.new not in alike:
            return since
        since = move.at
    return ticket.opened_at if moves[0].old in alike else since


def _last_seen(ticket: Ticket) -> datetime:
    """Where its history does not tell: as late as the PSA lets it have been, which is what a pull takes, too."""
    return ticket.last_activity_at or ticket.remote_updated_at or ticket.opened_at


def _differs(new: TicketClock, old: TicketClock) -> bool:
    return any(getattr(new, name) != getattr(old, name) for name in clocks.CLOCK_FIELDS)
