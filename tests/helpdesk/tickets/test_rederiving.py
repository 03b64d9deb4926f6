"""A changed meaning of a status or priority: its tickets end where they would be had it been so from the start."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from helpdesk.core import live
from helpdesk.core.origin import Origin
from helpdesk.directory.models import PsaAccount
from helpdesk.sla import book
from helpdesk.tickets import clock_jobs, clocks, services
from helpdesk.tickets.choices import FINISHED, Category
from helpdesk.tickets.mirror import RemoteTicket, apply_tickets
from helpdesk.tickets.models import Priority, Status, Ticket, TicketClock, TicketEvent
from helpdesk.tickets.rederiving import COLUMNS, context_of, count_again, reckon, rederive
from tests.factories import (
    NOW,
    make_account,
    make_client,
    make_policy,
    make_priority,
    make_status,
    make_target,
    make_ticket,
)

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(minutes=5)


def mean(status: Status, category: str, clock: str) -> None:
    Status.objects.filter(pk=status.pk).update(category=category, sla_clock=clock)


def follow(*tickets: Ticket, now: datetime = LATER) -> int:
    return rederive(account_id=tickets[0].psa_account_id, ids=[t.pk for t in tickets], now=now)


def shown(ticket: Ticket) -> dict[str, Any]:
    """Everything that is worked out: the row's columns, and each clock."""
    ticket = Ticket.objects.get(pk=ticket.pk)
    rows = TicketClock.objects.filter(ticket=ticket).order_by("kind")
    return {
        **{name: getattr(ticket, name) for name in COLUMNS},
        **{c.kind: tuple(getattr(c, name) for name in clocks.CLOCK_FIELDS) for c in rows},
    }


def moved(ticket: Ticket, status: Status, at: datetime, old: Status | None = None) -> None:
    """The PSA moved it into the status that it has."""
    TicketEvent.objects.create(
        ticket=ticket, field="status", old=str(old.pk if old else ""), new=str(status.pk), at=at, known_at=at,
        origin="psa",
    )  # fmt: skip


@pytest.fixture
def odd(account: PsaAccount) -> Status:
    return make_status("open", psa_account=account, name="Awaiting parts (depot)", is_mapped=False)


def test_a_status_that_pauses_now_pauses_since_its_tickets_entered_it(odd: Status) -> None:
    opened_at = NOW - timedelta(hours=30)
    ticket = make_ticket(status=odd, opened_at=opened_at, first_responded_at=opened_at)
    moved(ticket, odd, NOW - timedelta(hours=25))
    follow(ticket, now=NOW)
    assert shown(ticket)["clock_state"] == "breached"
    mean(odd, "waiting_third_party", "paused")
    assert follow(ticket) == 1
    found = shown(ticket)
    assert (found["status_category"], found["clock_state"]) == ("waiting_third_party", "paused")
    # Five hours had gone of eight.
    assert (found["next_clock"], found["clock_seconds"]) == ("resolution", 3 * 3600)
    assert TicketEvent.objects.filter(ticket=ticket).count() == 1, "nothing happened to the ticket"


def test_a_pause_goes_back_over_every_status_that_pauses(odd: Status) -> None:
    other, first = make_status("waiting", psa_account=odd.psa_account), make_status("new", psa_account=odd.psa_account)
    ticket = make_ticket(status=odd, opened_at=NOW - timedelta(hours=3))
    moved(ticket, other, NOW - timedelta(hours=2), old=first)
    moved(ticket, odd, NOW - timedelta(hours=1), old=other)
    mean(odd, "waiting", "paused")
    follow(ticket)
    assert TicketClock.objects.get(ticket=ticket, kind="resolution").paused_since == NOW - timedelta(hours=2)


def test_a_hold_of_the_psa_outlives_a_status_that_runs_now(odd: Status) -> None:
    mean(odd, "waiting", "paused")
    held = make_ticket(status=odd, sla_paused=True)
    free = make_ticket(status=odd, sla_released=True)
    both = (held, free)
    follow(*both)
    assert [shown(t)["clock_state"] for t in both] == ["paused", "running"]
    mean(odd, "open", "running")
    follow(*both)
    assert [shown(t)["clock_state"] for t in both] == ["paused", "running"]


def test_what_people_and_psa_stamped_is_left_alone(odd: Status) -> None:
    stamps = {"first_responded_at": NOW - timedelta(minutes=90), "resolved_at": NOW - timedelta(minutes=30)}
    ticket = make_ticket(status=odd, resolution_due_at=NOW + timedelta(hours=9), **stamps)
    mean(odd, "resolved", "stopped")
    follow(ticket)
    found = Ticket.objects.get(pk=ticket.pk)
    assert {name: getattr(found, name) for name in stamps} == stamps
    assert (found.is_open, found.finished_at, found.clock_state) == (False, stamps["resolved_at"], "met")
    mean(odd, "open", "running")
    follow(ticket)
    found = Ticket.objects.get(pk=ticket.pk)
    assert {name: getattr(found, name) for name in stamps} == stamps
    assert (found.is_open, found.finished_at, found.clock_state) == (True, None, "running")


def test_a_ticket_without_a_stamp_was_finished_when_it_was_moved_there(odd: Status) -> None:
    closed = make_status("closed", psa_account=odd.psa_account)
    at = NOW - timedelta(days=3)
    ticket = make_ticket(status=closed, status_category="open", is_open=True, finished_at=None, resolved_at=None)
    moved(ticket, odd, at)
    moved(ticket, closed, at + timedelta(days=1), old=odd)
    follow(ticket)
    assert shown(ticket)["finished_at"] == at + timedelta(days=1)
    Ticket.objects.filter(pk=ticket.pk).update(remote_updated_at=NOW)
    assert follow(ticket) == 0, "a later change of its record in the PSA moves nothing"
    mean(odd, "resolved", "stopped")
    follow(ticket)
    assert shown(ticket)["finished_at"] == at, "the status before it ends the work, too"


def test_a_stale_stamp_does_not_date_a_later_end(odd: Status) -> None:
    """Resolved here while the status counted as resolved; it does not any more; the work ends on another day."""
    mean(odd, "resolved", "stopped")
    closed = make_status("closed", psa_account=odd.psa_account)
    ticket = make_ticket(psa_account=odd.psa_account)
    origin, how = Origin.system(), {"is_confirmed": True}
    ticket = services.change_ticket(ticket=ticket, changes={"status": odd}, origin=origin, now=NOW, **how)
    mean(odd, "open", "running")
    follow(ticket)
    ticket = Ticket.objects.get(pk=ticket.pk)
    end = NOW + timedelta(days=2)
    services.change_ticket(ticket=ticket, changes={"status": closed}, origin=origin, now=end, **how)
    found = Ticket.objects.get(pk=ticket.pk)
    assert (found.resolved_at, found.closed_at, found.finished_at) == (end, end, end)


def test_a_priority_moves_rank_and_promise_but_no_date_of_the_psas(account: PsaAccount) -> None:
    PsaAccount.objects.filter(pk=account.pk).update(settings={"sla_shown": "theirs"})
    odd = make_priority(3, psa_account=account, name="VIP")
    ours, theirs = make_ticket(priority=odd), make_ticket(priority=odd, resolution_due_at=NOW + timedelta(days=2))
    follow(ours, theirs)
    Priority.objects.filter(pk=odd.pk).update(rank=1)
    assert follow(ours, theirs) == 2
    due = {c.ticket_id: c.due_at for c in TicketClock.objects.filter(kind="resolution")}
    assert due == {ours.pk: ours.opened_at + timedelta(hours=1), theirs.pk: NOW + timedelta(days=2)}
    assert TicketClock.objects.get(ticket=theirs, kind="resolution").our_due_at == due[ours.pk]
    assert [shown(t)["rank"] for t in (ours, theirs)] == [1, 1]


def test_pages_and_reports_hear_of_it_and_twice_is_once(odd: Status, django_capture_on_commit_callbacks: Any) -> None:
    ticket, other = make_ticket(status=odd), make_ticket(status=make_status("new", psa_account=odd.psa_account))
    follow(ticket, other, now=NOW)
    mean(odd, "escalated", "running")
    before = (cache.get(live.key(live.DESK)), Ticket.objects.get(pk=other.pk).changed_at)
    with django_capture_on_commit_callbacks(execute=True):
        assert follow(ticket, other) == 1
    assert cache.get(live.key(live.DESK)) != before[0]
    assert Ticket.objects.get(pk=ticket.pk).changed_at == LATER, "where the reports look for what changed"
    assert Ticket.objects.get(pk=other.pk).changed_at == before[1]
    assert follow(ticket, other, now=LATER + timedelta(seconds=1)) == 0


def test_tickets_of_another_account_are_not_touched(odd: Status) -> None:
    foreign = make_ticket(psa_account=make_account("other"), status_category="closed")
    assert rederive(account_id=odd.psa_account_id, ids=[foreign.pk], now=NOW) == 0


def test_counting_again_touches_nothing_but_the_stamp_that_reports_read(odd: Status) -> None:
    ticket = make_ticket(status=odd)
    before = shown(ticket)
    assert count_again(ids=[ticket.pk], now=LATER) == 1
    assert (shown(ticket), Ticket.objects.get(pk=ticket.pk).changed_at) == (before, LATER)


def test_ten_more_tickets_take_no_more_queries(odd: Status) -> None:
    def queries(count: int) -> int:
        tickets = [make_ticket(status=odd) for _ in range(count)]
        mean(odd, "waiting_client", "paused")
        with CaptureQueriesContext(
            connection,
        ) as seen:
            follow(*tickets)
        return len([q for q in seen if "UPDATE" not in q["sql"]])

    book.current()  # read once by a process, not by every batch
    assert queries(3) == queries(13)


# Every history and every change of meaning ----------------------------------------------------------------------------
def _choice(rng: random.Random) -> tuple[str, str]:
    category = rng.choice(Category.values)
    return category, "stopped" if category in FINISHED else rng.choice(["running", "paused"])


@pytest.mark.parametrize("seed", range(25))
def test_the_end_is_that_of_a_ticket_that_was_always_read_so(account: PsaAccount, seed: int) -> None:
    """The same history is pulled twice: into an account whose words change their meaning afterwards, once more and
    back and forth, and into one where they meant that all along."""
    rng = random.Random(seed)
    changed, always = account, make_account("always")
    meant = {str(i): _choice(rng) for i in range(5)}
    ranks = {str(i): rng.randint(1, 4) for i in range(3)}

    def words(of: PsaAccount, wanted: dict[str, tuple[str, str]], by: dict[str, int]) -> dict[str, dict[str, Any]]:
        for key, (category, clock) in wanted.items():
            row, _made = Status.objects.get_or_create(psa_account=of, remote_id=key, defaults={"name": key})
            mean(row, category, clock)
        for key, rank in by.items():
            Priority.objects.update_or_create(psa_account=of, remote_id=key, defaults={"name": key, "rank": rank})
        models = (("status_id", Status), ("priority_id", Priority))
        return {n: dict(m.objects.filter(psa_account=of).values_list("remote_id", "pk")) for n, m in models}

    first = {key: _choice(rng) for key in meant}, {key: rng.randint(1, 4) for key in ranks}
    keys = {changed.pk: words(changed, *first), always.pk: words(always, meant, ranks)}
    clients = {of.pk: make_client(psa_account=of) for of in (changed, always)}
    at, opened = NOW - timedelta(hours=rng.randint(2, 40)), NOW - timedelta(hours=41)
    facts: dict[str, Any] = {"opened_at": opened, "resolution_due_at": None}
    status = priority = ""
    for _step in range(rng.randint(2, 7)):
        status = rng.choice([s for s in meant if s != status])
        priority = priority or rng.choice(list(ranks))
        at += timedelta(minutes=rng.randint(1, 60))
        facts["resolution_due_at"] = rng.choice([facts["resolution_due_at"], None, at + timedelta(hours=1)])
        facts["first_responded_at"] = facts.get("first_responded_at") or rng.choice([None, at])
        if _step == 0:
            facts["last_activity_at"] = opened
        else:
            facts["last_activity_at"] = at
        for of in (changed, always):
            row = RemoteTicket(
                remote_id="1",
                values={
                    **facts, "subject": "x", "number": "1", "client_id": clients[of.pk].pk,
                    "status_id": keys[of.pk]["status_id"][status],
                    "priority_id": keys[of.pk]["priority_id"][priority],
                },
                confirmed={},
                remote_updated_at=at,
            )  # fmt: skip
            apply_tickets(account_id=of.pk, rows=[row], now=at)
    ticket, wanted = Ticket.objects.get(psa_account=changed), Ticket.objects.get(psa_account=always)
    for _round in range(rng.randint(0, 3)):
        words(changed, {key: _choice(rng) for key in meant}, {key: rng.randint(1, 4) for key in ranks})
        follow(ticket, now=NOW)
    words(changed, meant, ranks)
    follow(ticket, now=NOW)
    rederive(account_id=always.pk, ids=[wanted.pk], now=NOW)
    assert shown(ticket) == shown(wanted)
    fresh = Ticket.objects.get(pk=ticket.pk)
    (again,) = reckon([fresh], context_of(changed.pk, NOW))
    assert not again.row_changed
    assert not again.moved_clocks


def test_a_ticket_that_cannot_be_worked_out_stops_no_other() -> None:
    """Its deadline lies behind the last day there is."""
    policy, priority = make_policy(), make_priority()
    make_target(policy, priority, resolution_seconds=3600)
    tickets = [make_ticket(sla_policy=policy, priority=priority) for _ in range(4)]
    Ticket.objects.filter(pk=tickets[1].pk).update(opened_at=datetime(9999, 12, 31, 23, 59, tzinfo=UTC))
    clock_jobs.request(now=NOW)
    while clock_jobs.step(now=NOW):
        pass
    job = clock_jobs.progress()
    assert job is not None
    assert job.finished_at == NOW
    late = Ticket.objects.exclude(pk=tickets[1].pk)
    assert all(one.clocks.get(kind="resolution").target_seconds == 3600 for one in late)
