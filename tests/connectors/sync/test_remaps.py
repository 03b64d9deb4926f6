"""Tickets follow a changed mapping in batches, whatever kills the worker; so they do when a pull brings the change."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from connectors.base.configuration import PriorityRecord, StatusRecord, TicketTypeRecord
from connectors.sync import reference, remaps
from connectors.sync.keys import Keys
from connectors.sync.models import Remap
from helpdesk.accounts.models import AuditEntry
from helpdesk.directory.models import PsaAccount
from helpdesk.reports import services as reports
from helpdesk.reports.models import TicketDay
from helpdesk.tickets.models import Priority, Status, Ticket, TicketEvent, TicketType
from helpdesk.tickets.rederiving import context_of, reckon
from tests.factories import NOW, make_policy, make_priority, make_status, make_target, make_ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def odd(account: PsaAccount) -> Status:
    return make_status("open", psa_account=account, remote_id="77", name="Awaiting parts", is_mapped=False)


def mean(status: Status, category: str, clock: str) -> None:
    Status.objects.filter(pk=status.pk).update(category=category, sla_clock=clock, is_mapped=True)


def to_the_end(account: PsaAccount, size: int = 100) -> int:
    steps = 1
    while remaps.step(account_id=account.pk, now=NOW, size=size):
        steps += 1
    return steps


def are_fresh(account: PsaAccount) -> bool:
    found = reckon(list(Ticket.objects.filter(psa_account=account)), context_of(account.pk, NOW))
    return not any(r.row_changed or r.moved_clocks for r in found)


@contextmanager
def killed_at(statement: int) -> Iterator[None]:
    """The process ends before its so-and-so-manieth statement: whatever was not committed is gone."""
    count = 0

    class Killed(BaseException):
        pass

    def count_down(execute: Any, sql: str, *rest: Any) -> Any:
        nonlocal count
        if not sql.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK")):
            count += 1
            if count == statement:
                raise Killed
        return execute(sql, *rest)

    try:
        with connection.execute_wrapper(count_down):
            yield
    except Killed:
        pass


def test_batch_by_batch_with_progress(account: PsaAccount, odd: Status) -> None:
    tickets = [make_ticket(status=odd) for _ in range(7)]
    make_ticket(psa_account=account, status=make_status("new", psa_account=account))
    mean(odd, "waiting_third_party", "paused")
    remaps.request(account_id=account.pk, statuses=[odd.pk], now=NOW)
    job = Remap.objects.get()
    assert (job.total, job.done, job.percent, remaps.are_waiting(now=NOW)) == (7, 0, 0, True)
    assert remaps.step(account_id=account.pk, now=NOW, size=3)
    job.refresh_from_db()
    assert (job.done, job.changed, job.percent, job.todo[0][2]) == (3, 3, 43, tickets[2].pk)
    to_the_end(account, 3)
    job.refresh_from_db()
    assert (job.done, job.changed, job.percent, job.todo, job.finished_at) == (7, 7, 100, [], NOW)
    assert not remaps.are_waiting(now=NOW)
    assert set(Ticket.objects.filter(status=odd).values_list("status_category", flat=True)) == {"waiting_third_party"}


def test_killed_before_any_statement_it_is_finished_by_the_next(account: PsaAccount, odd: Status) -> None:
    for _ in range(5):
        make_ticket(status=odd)
    statement, is_over = 0, False
    while not is_over:
        statement += 1
        category = ("waiting", "escalated", "resolved")[statement % 3]
        mean(odd, category, "paused" if category == "waiting" else "running")
        remaps.request(account_id=account.pk, statuses=[odd.pk], past=[odd.pk], now=NOW)
        with killed_at(statement):
            to_the_end(account, 2)
            is_over = True
        job = Remap.objects.get()
        left = Ticket.objects.filter(status=odd).exclude(status_category=category).count()
        assert is_over or job.finished_at is None
        assert left <= 5 - job.done, "what counts as done is done"
        to_the_end(account, 2)
        assert are_fresh(account)
        job.refresh_from_db()
        assert (job.done, job.total, job.todo) == (5, 5, [])
    assert statement > 20


def test_asked_again_half_way_it_begins_anew_for_that_value(account: PsaAccount, odd: Status) -> None:
    other = make_status("new", psa_account=account)
    for status in (odd, odd, odd, odd, other, other):
        make_ticket(status=status)
    mean(odd, "waiting", "paused")
    remaps.request(account_id=account.pk, statuses=[odd.pk, other.pk], now=NOW)
    remaps.step(account_id=account.pk, now=NOW, size=2)
    mean(odd, "escalated", "running")
    remaps.request(account_id=account.pk, statuses=[odd.pk], now=NOW)
    remaps.request(account_id=account.pk, statuses=[odd.pk], now=NOW)
    job = Remap.objects.get()
    assert job.todo == [["status", other.pk, 0], ["status", odd.pk, 0]]
    assert (job.done, job.total) == (2, 10)
    to_the_end(account, 2)
    assert are_fresh(account)
    assert Remap.objects.get().percent == 100


def test_a_value_that_no_ticket_has_is_no_work(account: PsaAccount, odd: Status) -> None:
    remaps.request(account_id=account.pk, statuses=[odd.pk], now=NOW)
    assert not Remap.objects.exists()


def test_what_was_written_with_the_old_meaning_in_hand_is_found(account: PsaAccount, odd: Status) -> None:
    """A request that read the ticket before, and wrote it after the batch had passed."""
    ticket = make_ticket(status=odd)
    mean(odd, "waiting", "paused")
    remaps.request(account_id=account.pk, statuses=[odd.pk], now=NOW)
    to_the_end(account)
    Ticket.objects.filter(pk=ticket.pk).update(status_category="open", clock_state="running")
    later = NOW + remaps.CHECK_AFTER
    assert not remaps.are_waiting(now=later - timedelta(seconds=1))
    assert remaps.are_waiting(now=later)
    assert remaps.run(clock=lambda: later), "it looks, sees, and the next go mends"
    remaps.run(clock=lambda: later)
    ticket.refresh_from_db()
    assert (ticket.status_category, ticket.clock_state) == ("waiting", "paused")


def test_what_no_batch_can_mend_is_looked_at_once_more_only(account: PsaAccount, odd: Status) -> None:
    """A row that something else spoils again and again must not keep a worker busy for ever."""
    ticket = make_ticket(status=odd)
    mean(odd, "waiting", "paused")
    remaps.request(account_id=account.pk, statuses=[odd.pk], now=NOW)
    to_the_end(account)
    Ticket.objects.filter(pk=ticket.pk).update(status_category="open")
    at = NOW + remaps.CHECK_AFTER
    assert remaps.run(clock=lambda: at)
    assert not remaps.run(clock=lambda: at)
    Ticket.objects.filter(pk=ticket.pk).update(status_category="open")
    assert not remaps.are_waiting(now=at + timedelta(days=1))


def test_a_clean_look_ends_the_matter(account: PsaAccount, odd: Status) -> None:
    make_ticket(status=odd)
    mean(odd, "waiting", "paused")
    remaps.request(account_id=account.pk, statuses=[odd.pk], now=NOW)
    to_the_end(account)
    later = NOW + remaps.CHECK_AFTER
    assert not remaps.run(clock=lambda: later)
    assert not remaps.are_waiting(now=later + timedelta(days=1))


def test_reports_count_those_again_that_were_in_it_once(account: PsaAccount, odd: Status) -> None:
    """Reopened and escalated are read off the past: a ticket that left the status long ago counts differently."""
    first = make_status("new", psa_account=account)
    ticket = make_ticket(status=first)
    for old, new, hours in ((first, odd, 3), (odd, first, 2)):
        TicketEvent.objects.create(
            ticket=ticket, field="status", old=str(old.pk), new=str(new.pk), at=NOW - timedelta(hours=hours),
            known_at=NOW, origin="psa",
        )  # fmt: skip
    reports.fold(now=NOW)
    assert sum(TicketDay.objects.values_list("reopened", flat=True)) == 0
    before = Status.objects.get(pk=odd.pk)
    mean(odd, "resolved", "stopped")
    changes = [(before, Status.objects.get(pk=odd.pk))]
    later = NOW + timedelta(minutes=1)
    remaps.request_for(account_id=account.pk, changes=changes, now=later)
    assert [unit[0] for unit in Remap.objects.get().todo] == ["past"]
    remaps.step(account_id=account.pk, now=later)
    reports.fold(now=later)
    assert sum(TicketDay.objects.values_list("reopened", flat=True)) == 1
    # Nothing that reports tell apart: no walk through the past.
    changes = [(Status(pk=first.pk, category="new"), Status(pk=first.pk, category="waiting"))]
    remaps.request_for(account_id=account.pk, changes=changes, now=later)
    assert [unit[0] for unit in Remap.objects.get().todo] == ["status"]


# What a pull changes --------------------------------------------------------------------------------------------------
def pull(account: PsaAccount, kind: str, *rows: Any) -> None:
    reference.apply(account=account, kind=kind, rows=rows, keys=Keys(account.pk), now=NOW)


def read(remote_id: str, category: str | None, clock: str | None = None, name: str = "Parts") -> StatusRecord:
    return StatusRecord(remote_id=remote_id, name=name, category=category, sla_clock=clock)


def test_a_pull_that_maps_a_status_takes_its_tickets_along(account: PsaAccount, odd: Status) -> None:
    ticket = make_ticket(status=odd)
    pull(account, "statuses", read("77", None))
    assert not Remap.objects.exists()
    pull(account, "statuses", read("77", "waiting_third_party", "paused"))
    to_the_end(account)
    ticket.refresh_from_db()
    assert (ticket.status_category, ticket.clock_state) == ("waiting_third_party", "paused")
    entry = AuditEntry.objects.get(verb="mapping.read")
    assert (entry.actor, entry.detail["value"], entry.detail["to"]) == (
        account.title, "Parts", "Waiting on third party, paused",
    )  # fmt: skip
    pull(account, "statuses", read("77", "waiting_third_party", "paused"))
    assert AuditEntry.objects.filter(verb="mapping.read").count() == 1


def test_a_pull_keeps_what_an_administrator_chose_and_learns_what_it_would_suggest(account: PsaAccount) -> None:
    status = make_status("escalated", psa_account=account, remote_id="7", is_edited=True)
    priority = make_priority(1, psa_account=account, remote_id="8", is_edited=True)
    kind = TicketType.objects.create(psa_account=account, remote_id="9", name="X", kind="problem", is_edited=True)
    pull(account, "statuses", read("7", "closed", "stopped"))
    pull(account, "priorities", PriorityRecord(remote_id="8", name="P4", rank=4))
    pull(account, "ticket_types", TicketTypeRecord(remote_id="9", name="Change", kind="change"))
    for row in (status, priority, kind):
        row.refresh_from_db()
    assert (status.category, priority.rank, kind.kind) == ("escalated", 1, "problem")
    assert (status.suggested_category, status.suggested_clock) == ("closed", "stopped")
    assert (priority.suggested_rank, kind.suggested_kind) == (4, "change")
    assert not Remap.objects.exists()


def test_a_priority_that_a_pull_ranks_moves_its_tickets_and_its_promises(account: PsaAccount) -> None:
    priority = make_priority(3, psa_account=account, remote_id="8", is_mapped=False)
    target = make_target(make_policy(psa_account=account), priority)
    ticket = make_ticket(priority=priority)
    pull(account, "priorities", PriorityRecord(remote_id="8", name="Urgent", rank=1))
    to_the_end(account)
    ticket.refresh_from_db()
    target.refresh_from_db()
    assert (ticket.rank, target.rank, Priority.objects.get(pk=priority.pk).is_mapped) == (1, 1, True)


@pytest.mark.parametrize(("field", "model"), [("status", Status), ("priority", Priority), ("ticket_type", TicketType)])
def test_a_value_that_nobody_told_of_is_kept_by_its_name_and_flagged(
    account: PsaAccount, field: str, model: type[Any]
) -> None:
    keys = Keys(account.pk)
    row = model.objects.get(pk=keys.get(field, "4711", label="Warten auf Teile"))
    assert (row.name, row.is_mapped, row.is_placeholder) == ("Warten auf Teile", False, True)
