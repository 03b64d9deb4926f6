"""Whose promise counts: the order of choice, versions and uses over time, and what is said when nothing fits."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from helpdesk.core.errors import Refused
from helpdesk.core.origin import Origin
from helpdesk.desk.organisation import change_organisation
from helpdesk.directory.models import PsaAccount
from helpdesk.sla import book
from helpdesk.sla.models import Calendar, CalendarVersion, Holiday, OpenInterval, Policy, PolicyUse
from helpdesk.sla.versions import save_calendar_version, save_policy_version, use_policy
from helpdesk.tickets import clock_jobs, rederiving, services
from helpdesk.tickets.clock_preview import preview
from helpdesk.tickets.models import ClockJob, Priority, Ticket, TicketClock
from helpdesk.tickets.promises import Standing, promises, rules_of
from helpdesk.tickets.rederiving import rederive
from tests.factories import (
    NOW,
    make_account,
    make_client,
    make_contract,
    make_policy,
    make_priority,
    make_status,
    make_target,
    make_team,
    make_ticket,
)
from tests.people import make_ada

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
OPENED = NOW - 2 * HOUR
WEEK_AGO = NOW - timedelta(days=7)


def medium() -> Priority:
    found = Priority.objects.filter(psa_account=make_account(), remote_id="3").first()
    return found or make_priority(3, remote_id="3")


def make_promise(name: str, hours: int, *, own: bool = True, calendar: Calendar | None = None) -> Policy:
    """A policy made here (or the account's own) that resolves a medium ticket in so many hours."""
    account = None if own else make_account()
    policy = Policy.objects.create(name=name, psa_account=account, calendar=calendar)
    make_target(policy, medium(), resolution_seconds=hours * 3600, response_seconds=1800, rank=3)
    save_policy_version(policy, now=WEEK_AGO)
    return policy


def make_hours(opens: int = 9 * 60, closes: int = 17 * 60, zone: str = "UTC") -> Calendar:
    calendar = Calendar.objects.create(name="Days", time_zone=zone)
    OpenInterval.objects.bulk_create(
        OpenInterval(calendar=calendar, weekday=day, opens=opens, closes=closes) for day in range(5)
    )
    save_calendar_version(calendar, now=WEEK_AGO)
    return calendar


def ticket_of(**values: Any) -> Ticket:
    given = {"opened_at": OPENED, "priority": medium(), "answered_at": OPENED, **values}
    return make_ticket(**given)


def clock_of(ticket: Ticket, kind: str = "resolution") -> TicketClock:
    rederive(account_id=ticket.psa_account_id, ids=[ticket.pk], now=NOW)
    return ticket.clocks.get(kind=kind)


def test_the_nearest_to_the_ticket_wins() -> None:
    account, team, client = make_account(), make_team(), make_client()
    contract = make_contract(client, sla_policy=make_promise("Contract in the PSA", 5, own=False))
    ticket = ticket_of(team=team, client=client, contract=contract)
    Policy.objects.filter(pk=contract.sla_policy_id).update(is_default=True)
    steps: list[tuple[int, dict[str, Any]]] = [
        (4, {"psa_account": account}), (3, {"team": team}), (2, {"client": client}), (1, {"contract": contract}),
    ]  # fmt: skip
    assert clock_of(ticket).due_at == OPENED + 5 * HOUR
    use_policy(policy=make_promise("Account", 4), now=WEEK_AGO, psa_account=account)
    assert clock_of(ticket).due_at == OPENED + 5 * HOUR, "what the PSA put on the contract is nearer"
    for hours, who in steps[1:]:
        use_policy(policy=make_promise(f"{hours} h", hours), now=WEEK_AGO, **who)
        clock = clock_of(ticket)
        assert clock.our_due_at == OPENED + hours * HOUR
        assert clock.policy is not None
        assert clock.policy.name == f"{hours} h"
    for place, (_hours, who) in enumerate(reversed(steps[1:])):
        use_policy(policy=None, now=NOW - timedelta(minutes=place + 1), **who)
    assert clock_of(ticket).due_at == OPENED + 5 * HOUR


def test_the_accounts_choice_then_its_default_then_its_usual_targets() -> None:
    account = make_account(capabilities={"usual_targets": {"3": [600, 7 * 3600]}})
    ticket = ticket_of(psa_account=account)
    assert (clock_of(ticket).due_at, clock_of(ticket).source) == (OPENED + 7 * HOUR, "default")
    default = make_promise("Default in the PSA", 6, own=False)
    Policy.objects.filter(pk=default.pk).update(is_default=True)
    book.forget()
    assert (clock_of(ticket).due_at, clock_of(ticket).source) == (OPENED + 6 * HOUR, "policy")
    use_policy(policy=make_promise("Chosen here", 3), now=WEEK_AGO, psa_account=account)
    assert clock_of(ticket).due_at == OPENED + 3 * HOUR


def test_a_psa_that_promises_no_resolution_starts_no_clock() -> None:
    ticket = ticket_of(psa_account=make_account(capabilities={"usual_targets": {"3": [600, None]}}))
    assert (clock_of(ticket).state, clock_of(ticket).source) == ("not_started", "none")


def test_a_policy_given_later_counts_from_the_start_and_says_retroactive() -> None:
    ticket = ticket_of()
    use_policy(policy=make_promise("One hour", 1), now=NOW - timedelta(minutes=5), client=ticket.client)
    clock = clock_of(ticket)
    assert (clock.state, clock.due_at) == ("breached", OPENED + HOUR)
    assert (clock.is_retroactive, clock.breached_at) == (True, NOW - timedelta(minutes=5))


def test_what_is_finished_keeps_the_promise_it_was_judged_by() -> None:
    client = make_client()
    use_policy(policy=make_promise("Four hours", 4), now=WEEK_AGO, client=client)
    ticket = ticket_of(client=client)
    services.change_ticket(
        ticket=ticket,
        changes={"status": make_status("resolved")},
        origin=Origin.system(),
        now=NOW - HOUR,
        is_confirmed=True,
    )
    before = clock_of(ticket)
    use_policy(policy=make_promise("One hour", 1), now=NOW, client=client)
    assert (before.state, clock_of(ticket).state, clock_of(ticket).due_at) == ("met", "met", OPENED + 4 * HOUR)


def test_opening_hours_and_their_edit() -> None:
    calendar = make_hours()
    ticket = ticket_of(opened_at=NOW.replace(hour=16, minute=0))
    use_policy(policy=make_promise("Four hours", 4, calendar=calendar), now=WEEK_AGO, client=ticket.client)
    clock = clock_of(ticket)
    assert clock.due_at == NOW.replace(hour=12, minute=0) + timedelta(days=1)
    ticket.refresh_from_db()
    assert ticket.clock_calendar == calendar.pk
    calendar.intervals.update(closes=18 * 60)
    assert save_calendar_version(calendar, now=NOW)
    assert not save_calendar_version(calendar, now=NOW), "nothing differs any more"
    assert clock_of(ticket).due_at == NOW.replace(hour=11, minute=0) + timedelta(days=1)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"weekly": []}, "never_open"),
        ({"zone": "Mars/Olympus"}, "no_zone"),
    ],
)
def test_a_calendar_that_cannot_be_is_said(change: dict[str, Any], problem: str) -> None:
    calendar = make_hours(zone=change.get("zone", "UTC"))
    if "weekly" in change:
        CalendarVersion.objects.all().delete()
        calendar.intervals.all().delete()
        save_calendar_version(calendar, now=WEEK_AGO)
    ticket = ticket_of()
    use_policy(policy=make_promise("Four hours", 4, calendar=calendar), now=WEEK_AGO, client=ticket.client)
    clock = clock_of(ticket)
    assert (clock.state, clock.problem, clock.due_at) == ("not_started", problem, None)


def test_a_priority_that_the_policy_does_not_know_is_said() -> None:
    low = make_priority(4, remote_id="4")
    ticket = ticket_of(priority=low)
    use_policy(policy=make_promise("Medium only", 4), now=WEEK_AGO, client=ticket.client)
    assert (clock_of(ticket).state, clock_of(ticket).problem) == ("not_started", "no_target")


# ---- a policy of a PSA, replaced by one of ours ----


def test_ours_counts_wherever_the_psa_gives_the_policy_that_it_replaces() -> None:
    theirs, account = make_promise("Theirs", 5, own=False), make_account()
    other = make_promise("Other of theirs", 7, own=False)
    contract = make_contract(make_client(), sla_policy=theirs)
    said, by_contract = ticket_of(sla_policy=theirs), ticket_of(contract=contract, client=contract.client)
    by_default, not_it = ticket_of(), ticket_of(sla_policy=other)
    Policy.objects.filter(pk=theirs.pk).update(is_default=True)
    ours = make_promise("Ours", 3)
    use_policy(policy=ours, now=WEEK_AGO, replaces=theirs)
    for ticket in (said, by_contract, by_default):
        clock = clock_of(ticket)
        assert (clock.policy, clock.policy_version, clock.due_at) == (ours, 1, OPENED + 3 * HOUR)
    assert clock_of(not_it).policy == other
    use_policy(policy=make_promise("Account", 4), now=WEEK_AGO, psa_account=account)
    assert clock_of(said).policy == ours, "what the PSA says is nearer than the account"
    assert clock_of(by_default).due_at == OPENED + 4 * HOUR, "the account's is nearer than the default"
    use_policy(policy=make_promise("Client", 2), now=WEEK_AGO, client=said.client)
    assert clock_of(said).due_at == OPENED + 2 * HOUR, "the client's is nearer than what the PSA says"


@pytest.mark.django_db(transaction=True)
def test_two_who_give_the_same_policy_at_once_give_it_once() -> None:
    policy, clients = make_promise("Gold", 4), [make_client(f"Client {n}") for n in range(6)]
    start, failed = threading.Barrier(3), []

    def give() -> None:
        try:
            for client in clients:
                start.wait()
                with transaction.atomic():
                    use_policy(policy=policy, now=NOW, client=client)
        except Exception as error:
            failed.append(error)
            start.abort()
        finally:
            connection.close()

    threads = [threading.Thread(target=give) for _ in range(3)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert failed == []
    assert PolicyUse.objects.filter(to_at=None).count() == len(clients)


def test_a_policy_given_here_is_not_replaced() -> None:
    theirs = make_promise("Theirs", 5, own=False)
    use_policy(policy=make_promise("Ours", 3), now=WEEK_AGO, replaces=theirs)
    ticket = ticket_of()
    use_policy(policy=theirs, now=WEEK_AGO, client=ticket.client)
    assert clock_of(ticket).policy == theirs


def test_a_replacement_counts_from_when_it_was_made_until_it_ends() -> None:
    theirs, ours = make_promise("Theirs", 5, own=False), make_promise("Ours", 1)
    ticket = ticket_of(sla_policy=theirs)
    made, ended = NOW - timedelta(minutes=30), NOW - timedelta(minutes=10)
    use_policy(policy=ours, now=made, replaces=theirs)
    clock = clock_of(ticket)
    assert (clock.state, clock.due_at, clock.policy) == ("breached", OPENED + HOUR, ours)
    assert (clock.is_retroactive, clock.breached_at) == (True, made), "no earlier than it was promised"
    rules, stood = rules_of(ticket.psa_account), Standing(3, "3", theirs.pk, None, None, ticket.client_id, None)
    use_policy(policy=None, now=ended, replaces=theirs)
    told = promises(book.current(), rules, [(OPENED, stood)], NOW)
    changes = [(one.since, one.policy.policy if one.policy else None) for one in told]
    assert changes == [(OPENED, theirs.pk), (made, ours.pk), (ended, theirs.pk)]
    assert (clock_of(ticket).policy, clock_of(ticket).due_at) == (theirs, OPENED + 5 * HOUR)


def test_a_name_without_targets_counts_by_ours_once_that_promises_something() -> None:
    theirs, ours = make_policy("A name only"), Policy.objects.create(name="Ours")
    ticket = ticket_of(sla_policy=theirs)
    use_policy(policy=make_promise("Account", 4), now=WEEK_AGO, psa_account=ticket.psa_account)
    save_policy_version(ours, now=WEEK_AGO)
    use_policy(policy=ours, now=WEEK_AGO, replaces=theirs)
    assert clock_of(ticket).due_at == OPENED + 4 * HOUR
    make_target(ours, medium(), resolution_seconds=2 * 3600, rank=3)
    save_policy_version(ours, now=OPENED)
    assert (clock_of(ticket).policy, clock_of(ticket).due_at) == (ours, OPENED + 2 * HOUR)


def test_no_replacement_is_replaced_in_turn() -> None:
    theirs, other = make_promise("Theirs", 5, own=False), make_promise("Other", 5, own=False)
    ours, more = make_promise("Ours", 3), make_promise("More of ours", 2)
    for policy, replaced in ((more, ours), (ours, ours), (other, theirs), (theirs, theirs), (theirs, ours)):
        with pytest.raises(Refused) as refusal:
            use_policy(policy=policy, now=NOW, replaces=replaced)
        assert list(refusal.value.fields) == ["policy"]
    use_policy(policy=ours, now=WEEK_AGO, replaces=theirs)
    with pytest.raises(IntegrityError), transaction.atomic():
        PolicyUse.objects.create(policy=more, replaces=theirs, from_at=NOW)


# ---- preview and following ----


def test_a_preview_is_what_saving_then_does() -> None:
    calendar = make_hours()
    client = make_client()
    use_policy(policy=make_promise("Eight hours", 8, calendar=calendar), now=WEEK_AGO, client=client)
    tickets = [ticket_of(client=client, opened_at=NOW - n * HOUR) for n in range(12)]
    ids = [t.pk for t in tickets]
    rederive(account_id=tickets[0].psa_account_id, ids=ids, now=NOW)
    old = _states(ids)
    content = {"zone": "UTC", "always": True, "weekly": [], "off": []}
    told = preview(book.current().replacing(at=NOW, calendars={calendar.pk: content}), now=NOW, ids=ids)
    assert _states(ids) == old, "nothing was written"
    Calendar.objects.filter(pk=calendar.pk).update(is_always_open=True)
    calendar.intervals.all().delete()
    save_calendar_version(calendar, now=NOW)
    rederive(account_id=tickets[0].psa_account_id, ids=ids, now=NOW)
    new = _states(ids)
    fallen = [
        pk for pk in ids if {k for k, s in new[pk] if s == "breached"} - {k for k, s in old[pk] if s == "breached"}
    ]
    assert told.looked_at == 12
    assert told.breached == len(fallen) > 0
    assert told.moved >= told.breached


def test_a_preview_leaves_out_what_cannot_be_worked_out(monkeypatch: pytest.MonkeyPatch) -> None:
    client = make_client()
    policy = make_promise("Six hours", 6)
    use_policy(policy=policy, now=WEEK_AGO, client=client)
    tickets = [ticket_of(client=client, opened_at=NOW - n * HOUR) for n in range(5)]
    rederive(account_id=tickets[0].psa_account_id, ids=[t.pk for t in tickets], now=NOW)

    def reckon(some: list[Ticket], context: Any) -> Any:
        if tickets[3] in some:
            raise ValueError("a story that nobody can tell")
        return rederiving.reckon(some, context)

    monkeypatch.setattr("helpdesk.tickets.clock_preview.reckon", reckon)
    told = preview(
        book.current().replacing(at=NOW, uses={("client", client.pk): None}), now=NOW, ids=[t.pk for t in tickets]
    )
    assert (told.looked_at, told.moved) == (4, 4)


def _states(ids: list[int]) -> dict[int, list[tuple[str, str]]]:
    found: dict[int, list[tuple[str, str]]] = {pk: [] for pk in ids}
    for ticket, kind, state in TicketClock.objects.filter(ticket__in=ids).values_list("ticket", "kind", "state"):
        found[ticket].append((kind, state))
    return found


def test_open_tickets_follow_in_batches_and_a_kill_loses_nothing() -> None:
    tickets = [ticket_of() for _ in range(7)]
    rederive(account_id=tickets[0].psa_account_id, ids=[t.pk for t in tickets], now=NOW)
    use_policy(policy=make_promise("One hour", 1), now=NOW, psa_account=tickets[0].psa_account)
    clock_jobs.request(now=NOW)
    steps = 0
    while clock_jobs.step(now=NOW, size=3):
        steps += 1
        job = ClockJob.objects.get()
        late = TicketClock.objects.filter(kind="resolution", state="breached").count()
        assert (job.done, late) == (3 * steps, 3 * steps), "the place moves with the tickets"
    job = ClockJob.objects.get()
    assert (job.total, job.done, job.changed, job.percent) == (7, 7, 7, 100)
    assert not clock_jobs.step(now=NOW)


def test_who_wrote_meanwhile_is_looked_at_once_more() -> None:
    ticket = ticket_of()
    use_policy(policy=make_promise("One hour", 1), now=NOW, psa_account=ticket.psa_account)
    clock_jobs.request(now=NOW)
    clock_jobs.run(clock=lambda: NOW)
    stale = NOW + timedelta(seconds=1)
    TicketClock.objects.filter(ticket=ticket, kind="resolution").update(due_at=OPENED + 8 * HOUR, state="running")
    Ticket.objects.filter(pk=ticket.pk).update(changed_at=stale)
    assert clock_jobs.check(now=stale) == 0, "not yet"
    assert clock_jobs.check(now=NOW + clock_jobs.CHECK_AFTER) == 1
    assert clock_of(ticket).state == "breached"
    assert clock_jobs.check(now=NOW + 2 * clock_jobs.CHECK_AFTER) == 0


def test_the_book_is_read_once(django_assert_num_queries: Any) -> None:
    make_promise("Four hours", 4, calendar=make_hours())
    book.current()
    with django_assert_num_queries(1):
        book.current()
    PsaAccount.objects.update(title="Halo")
    make_policy()
    assert len(book.current().policies) == 2


def test_a_calendar_without_a_zone_follows_the_organisation() -> None:
    calendar = make_hours(zone="")
    ticket = ticket_of(opened_at=NOW.replace(hour=16, minute=0))
    use_policy(policy=make_promise("Four hours", 4, calendar=calendar), now=WEEK_AGO, client=ticket.client)
    assert clock_of(ticket).due_at == NOW.replace(hour=12, minute=0) + timedelta(days=1)
    change_organisation(values={"time_zone": "America/New_York"}, by=make_ada(), now=NOW)
    assert ClockJob.objects.get().finished_at is None
    assert clock_of(ticket).due_at == NOW.replace(hour=20, minute=0), "open from 14:00 to 22:00 UTC"


def test_another_default_of_the_psa_is_noticed() -> None:
    ticket = ticket_of()
    first, second = make_promise("First", 6, own=False), make_promise("Second", 5, own=False)
    Policy.objects.filter(pk=first.pk).update(is_default=True)
    assert clock_of(ticket).due_at == OPENED + 6 * HOUR
    Policy.objects.filter(pk=first.pk).update(is_default=False)
    Policy.objects.filter(pk=second.pk).update(is_default=True)
    assert clock_of(ticket).due_at == OPENED + 5 * HOUR


def test_a_threshold_that_is_added_is_told_when_it_passes() -> None:
    ticket, policy = ticket_of(), make_promise("Ten hours", 10)
    use_policy(policy=policy, now=WEEK_AGO, client=ticket.client)
    assert clock_of(ticket).alert_at == OPENED + 5 * HOUR
    Policy.objects.filter(pk=policy.pk).update(thresholds=[25, 50])
    save_policy_version(policy, now=NOW - HOUR)
    assert clock_of(ticket).alert_at == OPENED + 2.5 * HOUR


@pytest.mark.parametrize(("opens", "closes", "first"), [(None, 600, 9), (900, None, 15), (None, None, 33)])
def test_one_edge_of_a_day_off_is_enough(opens: int | None, closes: int | None, first: int) -> None:
    calendar, midnight = make_hours(), NOW.replace(hour=0, minute=0, second=0)
    Holiday.objects.create(
        calendar=calendar, name="Half", starts_on=midnight.date(), ends_on=midnight.date(), opens=opens, closes=closes
    )
    save_calendar_version(calendar, now=WEEK_AGO)
    found = book.current().latest(calendar.pk)
    assert found is not None
    assert found.next_open(midnight) == midnight + first * HOUR
    assert found.elapsed(midnight, midnight + 24 * HOUR) == {9: 3600, 15: 2 * 3600, 33: 0}[first]


def test_those_who_wrote_meanwhile_are_looked_at_in_batches() -> None:
    tickets = [ticket_of() for _ in range(5)]
    use_policy(policy=make_promise("One hour", 1), now=NOW, psa_account=tickets[0].psa_account)
    clock_jobs.request(now=NOW)
    clock_jobs.run(clock=lambda: NOW)
    TicketClock.objects.filter(kind="resolution").update(state="running")
    with CaptureQueriesContext(connection) as queries:
        assert clock_jobs.check(now=NOW + clock_jobs.CHECK_AFTER, size=2) == 5
    looks = [q["sql"] for q in queries if q["sql"].startswith("SELECT") and "tickets_clockjob" in q["sql"]]
    assert len(looks) == 4, "three batches, each a transaction of its own, and one that finds nothing to do"
    assert ClockJob.objects.get().check_at is None
    assert set(TicketClock.objects.filter(kind="resolution").values_list("state", flat=True)) == {"breached"}
