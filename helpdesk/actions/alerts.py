"""Tell of clocks that pass a threshold or a level: each once per clock cycle and policy version, at the instant it
passes or at the next opening.

The job is a row: `TicketClock.alert_at` says when somebody may have to be told next. What is found, who is told, the
mails and the next instant commit together under the ticket's lock, so that a kill loses nothing; a unique constraint
keeps what was told from being told again, whatever is worked out anew.

Decided:

- What had passed before its promise counted here is put on record without a word: a version, a use or a calendar that
  makes a hundred tickets late at once would send a hundred notices about one change, and whoever made it saw how many.
  So is what passed before the account's clocks were told of at all. A change of the ticket itself (its priority, its
  client) is about one ticket, and is told.
- A date that the PSA or a person gave is a promise of its own. Moved into the future it lifts the breach, and when it
  passes again that is told again; moved from one past instant to another it is not. Shares of the time until such a
  date are told once: a PSA moves its dates with every pause, which is no new promise.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from helpdesk.accounts.models import User
from helpdesk.actions import steps, telling
from helpdesk.actions.by_rule import hold_tickets, is_long_past, mark_by_rule
from helpdesk.actions.choices import Trigger
from helpdesk.actions.models import Escalation
from helpdesk.actions.steps import Clock, Step
from helpdesk.core import bulk
from helpdesk.core.halves import ODD, by_halves
from helpdesk.sla import book as books
from helpdesk.sla.book import Book
from helpdesk.sla.choices import DATED, ClockKind, ClockState
from helpdesk.sla.history import Runs
from helpdesk.sla.ledger import Run
from helpdesk.sla.models import EVER, usual_thresholds
from helpdesk.tickets.models import Ticket, TicketClock
from helpdesk.tickets.timeline import runs_of

log = structlog.get_logger("alerts")

BATCH = 100
TRY_AGAIN = timedelta(minutes=10)
"""After a clock that could not be judged, so that it holds up no other."""


def raise_due(*, now: datetime, limit: int = BATCH) -> int:
    """Look at one batch of clocks whose instant has come. How many were looked at; one indexed query for none.

    Tickets that another worker holds are left to it.
    """
    ids = list(
        TicketClock.objects.filter(alert_at__lte=now).order_by("alert_at").values_list("ticket_id", flat=True)[:limit]
    )
    wanted = list(dict.fromkeys(ids))
    return by_halves(lambda some: _look_or_put_off(some, now), wanted, what="ticket not judged") if wanted else 0


def _look_or_put_off(ids: Collection[int], now: datetime) -> int:
    """A ticket whose story cannot be told is put off, so that the others of its batch are looked at."""
    try:
        return _look_at(set(ids), now)
    except ODD:
        if len(ids) == 1:
            TicketClock.objects.filter(ticket__in=ids, alert_at__lte=now).update(alert_at=now + TRY_AGAIN)
        raise


@dataclass(frozen=True, kw_only=True)
class _Batch:
    """What a batch shares, read once."""

    book: Book
    runs: Mapping[int, Runs]
    staff: telling.Staff
    known: Mapping[tuple[int, str], Sequence[Escalation]]
    now: datetime
    told: dict[tuple[int, int], tuple[bool, int]] = field(default_factory=dict)
    """(ticket, person) -> the worst that they heard of it in this look: nobody hears of what is less beside it."""

    def to_tell(self, ticket: Ticket, step: Step) -> list[User]:
        people = self.staff.to_tell(ticket, step.trigger, step.level)
        return [one for one in people if self.told.get((ticket.pk, one.pk), (False, 0)) < step.weight]


@transaction.atomic
def _look_at(ids: Collection[int], now: datetime) -> int:
    tickets = hold_tickets(Ticket.objects.only_ids(ids))
    rows = list(TicketClock.objects.filter(ticket__in=tickets, alert_at__lte=now).order_by("ticket", "kind"))
    if not rows:
        return 0
    book = books.current()
    batch = _Batch(
        book=book, runs=runs_of(list(tickets.values()), book, now), staff=telling.Staff.of(tickets.values()),
        known=_known(ids), now=now,
    )  # fmt: skip
    for row in rows:
        row.ticket = tickets[row.ticket_id]
        try:
            row.alert_at = _look(row, batch)
        except Exception:  # the last line: a clock that cannot be judged costs itself ten minutes, and no other any
            log.exception("clock not judged", ticket=row.ticket_id, clock=row.kind)
            row.alert_at = now + TRY_AGAIN
    bulk.update(rows, fields=["alert_at"])
    return len(rows)


def _known(ids: Collection[int]) -> dict[tuple[int, str], list[Escalation]]:
    """(ticket, clock) -> what was found of it so far. Read behind the lock: what another worker found is among it."""
    found: dict[tuple[int, str], list[Escalation]] = {}
    for one in Escalation.objects.of_clocks().on_tickets(ids).order_by("pk"):
        found.setdefault((one.ticket_id, one.clock), []).append(one)
    return found


def _look(row: TicketClock, batch: _Batch) -> datetime | None:
    """One clock: tell what is new, end what no longer holds; when to look again."""
    now, runs = batch.now, batch.runs[row.ticket_id]
    run = runs.response if row.kind == ClockKind.RESPONSE else runs.resolution
    terms = batch.book.policy(row.policy_id, now)
    clock = clock_of(row, run)
    found = steps.steps_of(
        clock,
        thresholds=terms.thresholds if terms else usual_thresholds(),
        escalates=terms.escalates if terms else True,
    )
    known = batch.known.get((row.ticket_id, row.kind), [])
    since = run.terms[-1].since if run.terms else row.ticket.opened_at
    changed = max(terms.known_at if terms else EVER, since if batch.book.is_change(since) else EVER)
    due = [(one, _told_before(one, known, row, since)) for one in steps.due_steps(clock, found, now)]
    following = steps.next_look(clock, found, now)
    if known or due:
        _write(
            row, due, known, batch, changed=changed, following=following, stays=clock.is_paused and not clock.is_over
        )
    return following


def _write(
    row: TicketClock, due: Sequence[tuple[Step, Escalation | None]], known: Sequence[Escalation], batch: _Batch, *,
    changed: datetime, following: datetime | None, stays: bool,
) -> None:  # fmt: skip
    """Tell what of `due` was not told, the worst first, and keep open what holds now. `changed`: since when it counts
    here by what it counts by."""
    current: Escalation | None = None
    is_news = any(before is None for _step, before in due)
    with transaction.atomic() if is_news else nullcontext():
        for step, before in reversed(due):
            is_quiet = _is_no_news(row, step, changed)
            made = before or _raise(row, step, batch, goes_on=current is None, is_quiet=is_quiet)
            current = current or made
        if current is not None:
            _go_on(current, following)
        for one in known:
            # While it stands still, the share that was used stays as it was.
            is_kept = one is current or (stays and current is None and one.trigger == Trigger.THRESHOLD)
            if one.ended_at is None and not is_kept:
                one.ended_at = batch.now
                one.save(update_fields=["ended_at"])


def clock_of(row: TicketClock, run: Run) -> Clock:
    """A clock as it stands on its row, which is what people see; its pauses and hours out of its story."""
    ticket = row.ticket
    return Clock(
        started_at=row.started_at or ticket.opened_at,
        due_at=row.due_at,
        calendar=run.terms[-1].calendar if run.terms else books.ALWAYS,
        run=None if row.source in DATED else run,
        breached_at=row.breached_at,
        is_over=(
            row.finished_at is not None
            or row.state == ClockState.NOT_STARTED
            or not ticket.is_open
            or ticket.removed_at is not None
        ),
        is_paused=row.paused_since is not None,
    )


def _promise_of(row: TicketClock, step: Step) -> tuple[int, int]:
    """(policy, version) that a step is told of once. For a breach by a given date: none, and the date's minute."""
    if step.trigger == Trigger.BREACH and row.source in DATED and row.due_at is not None:
        return 0, int(row.due_at.timestamp() // 60)
    return row.policy_id or 0, row.policy_version


def _told_before(step: Step, known: Sequence[Escalation], row: TicketClock, since: datetime) -> Escalation | None:
    """The row of this step in this cycle: by the promise in force, or by an earlier one where the step had passed
    before the promise changed, which is no news then. Another date is news once the breach by the one before it was
    lifted."""
    promise = _promise_of(row, step)
    same = [one for one in known if (one.trigger, one.level, one.cycle) == (step.trigger, step.level, row.cycle)]
    exact = next((one for one in same if (one.policy, one.policy_version) == promise), None)
    if exact is not None or not same:
        return exact
    last = same[-1]
    if not _is_dated(promise) and not _is_dated((last.policy, last.policy_version)):
        return last if step.at <= since else None
    is_lifted = all(one.ended_at for one in known if (one.trigger, one.cycle) == (step.trigger, row.cycle))
    return None if is_lifted and step.at > last.at else last


def _is_dated(promise: tuple[int, int]) -> bool:
    return promise[0] == 0 and promise[1] > 0


def _is_no_news(row: TicketClock, step: Step, changed: datetime) -> bool:
    """Whether it would have been told before its promise counted here, or that promise itself made it late."""
    is_by_change = row.is_retroactive and step.trigger == Trigger.BREACH and step.at <= changed
    return step.tell_at <= changed or is_by_change or is_long_past(row.ticket, step.at)


def _raise(row: TicketClock, step: Step, batch: _Batch, *, goes_on: bool, is_quiet: bool) -> Escalation:
    """Record a step, and tell whom it concerns."""
    ticket, now = row.ticket, batch.now
    policy, version = _promise_of(row, step)
    made = Escalation(
        ticket=ticket, trigger=step.trigger, level=step.level, clock=row.kind, cycle=row.cycle,
        policy=policy, policy_version=version, reason=_reason(row, step, now), at=step.at,
        ended_at=None if goes_on else now,
    )  # fmt: skip
    made.save()
    if not is_quiet:
        heard = telling.tell(made=made, people=batch.to_tell(ticket, step), now=now)
        batch.told.update({(ticket.pk, one.pk): step.weight for one in heard})
        if heard:
            made.told = telling.names(heard)
            made.save(update_fields=["told"])
    if step.trigger == Trigger.BREACH and goes_on:
        mark_by_rule(ticket=ticket, made=made, now=now)
    return made


def _reason(row: TicketClock, step: Step, now: datetime) -> str:
    if step.trigger == Trigger.THRESHOLD:
        return _("%(share)d %% of the target is used") % {"share": step.level}
    hours = int((now - (row.due_at or now)).total_seconds() // 3600)
    if hours < 1:
        return _("SLA violated by less than an hour")
    return ngettext("SLA violated by %(hours)d hour", "SLA violated by %(hours)d hours", hours) % {"hours": hours}


def _go_on(one: Escalation, following: datetime | None) -> None:
    """It holds, perhaps again, until the clock is looked at next."""
    if one.ended_at is not None or one.looked_until != following:
        one.ended_at, one.looked_until = None, following
        one.save(update_fields=["ended_at", "looked_until"])
