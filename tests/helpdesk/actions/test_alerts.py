"""Clocks that pass a threshold or a level: each told once, at its instant or the next opening, to whom it concerns."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.core import mail as outbox
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from helpdesk.actions.alerts import raise_due
from helpdesk.actions.models import ClientMail, Escalation, Notice
from helpdesk.actions.standing import end_what_is_over
from helpdesk.actions.wishes import save_wishes
from helpdesk.core.origin import Origin
from helpdesk.outbox.models import OutboxItem
from helpdesk.portal.delivery import deliver_due
from helpdesk.sla import book
from helpdesk.sla.models import Calendar, OpenInterval, Policy
from helpdesk.sla.versions import save_policy_version
from helpdesk.tickets.models import Priority, Ticket, TicketClock
from helpdesk.tickets.rederiving import rederive
from helpdesk.tickets.services import change_ticket
from helpdesk.tickets.timeline import runs_of
from helpdesk.tickets.writing import save_clocks
from tests.factories import (
    make_account,
    make_calendar,
    make_client,
    make_organisation,
    make_policy,
    make_priority,
    make_status,
    make_target,
    make_team,
    make_ticket,
)
from tests.people import make_dana, make_mona, make_theo

pytestmark = pytest.mark.django_db
HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """June 2026: the 1st is a Monday, the 5th a Friday. London is an hour ahead: 9:00 there is 8:00 here."""
    return datetime(2026, 6, day, hour, minute, tzinfo=UTC)


START = at(1, 8)


@pytest.fixture(autouse=True)
def fresh_book() -> None:
    book.forget()


def make_hours() -> Calendar:
    calendar = make_calendar(time_zone="Europe/London")
    for weekday in range(5):
        OpenInterval.objects.create(calendar=calendar, weekday=weekday, opens=540, closes=1050)
    return calendar


def make_promise(hours: float = 4, *, calendar: Calendar | None = None, **values: Any) -> Policy:
    """Resolution within so many hours; no promise of a response unless told."""
    account = make_account()
    response = values.pop("response_seconds", None)
    policy = make_policy(psa_account=account, calendar=calendar, **values)
    priority = make_priority(psa_account=account)
    make_target(policy, priority, resolution_seconds=int(hours * 3600), response_seconds=response)
    return policy


def make_one(policy: Policy, *, start: datetime = START, **values: Any) -> Ticket:
    """Theo's, in the team that Dana leads; Mona manages."""
    account = make_account()
    theo, dana = make_theo(account), make_dana(account)
    make_mona(account)
    values.setdefault("team", make_team(psa_account=account, lead=dana))
    values.setdefault("agent", theo.agents.get())
    priority = Priority.objects.get(psa_account=account, remote_id=policy.targets.earliest("pk").priority)
    ticket = make_ticket(psa_account=account, sla_policy=policy, priority=priority, opened_at=start, **values)
    Ticket.objects.filter(pk=ticket.pk).update(created_at=start)
    ticket.refresh_from_db()
    save_clocks(ticket, now=start)
    return ticket


def clock_of(ticket: Ticket, kind: str = "resolution") -> TicketClock:
    return ticket.clocks.get(kind=kind)


def run_through(start: datetime, until: datetime, *, step: timedelta = 10 * MINUTE) -> None:
    """As beat does, only less often."""
    now = start
    while now <= until:
        raise_due(now=now)
        now += step


def found() -> list[tuple[str, int, str]]:
    return [(e.trigger, e.level, e.told) for e in Escalation.objects.order_by("pk")]


# ---- once each, at their instant ------------------------------------------------------------------------------------


def test_a_day_of_one_ticket() -> None:
    ticket = make_one(make_promise(4))
    run_through(START, at(2, 8))
    assert found() == [
        ("threshold", 50, "Theo Marsh"),
        ("threshold", 75, "Theo Marsh"),
        ("threshold", 90, "Theo Marsh"),
        ("breach", 1, "Theo Marsh"),
        ("breach", 2, "Dana Whitlock"),
        ("breach", 3, "Mona Castell"),
    ]
    assert [e.at for e in Escalation.objects.order_by("pk")] == [
        at(1, 10), at(1, 11), at(1, 11, 36), at(1, 12), at(1, 16), at(1, 20),
    ]  # fmt: skip
    assert [n.created_at for n in Notice.objects.order_by("pk")] == [
        at(1, 10), at(1, 11), at(1, 11, 40), at(1, 12, 10), at(1, 16), at(1, 20),
    ]  # fmt: skip
    assert clock_of(ticket).alert_at is None
    assert [e.level for e in Escalation.objects.going_on()] == [3]
    assert [(n.user.name, n.escalation.level) for n in Notice.objects.order_by("pk")] == [
        ("Theo Marsh", 50), ("Theo Marsh", 75), ("Theo Marsh", 90), ("Theo Marsh", 1), ("Dana Whitlock", 2),
        ("Mona Castell", 3),
    ]  # fmt: skip
    assert [m.to for m in ClientMail.objects.order_by("pk")] == [
        "theo@harbour.test", "dana@harbour.test", "mona@harbour.test",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("late", "levels"),
    [
        (timedelta(0), []),
        (SECOND, [1]),
        (4 * HOUR - SECOND, [1]),
        (4 * HOUR, [1, 2]),
        (8 * HOUR - SECOND, [1, 2]),
        (8 * HOUR, [1, 2, 3]),
    ],
)
def test_levels_at_their_exact_edge(late: timedelta, levels: list[int]) -> None:
    make_one(make_promise(4))
    raise_due(now=at(1, 12) + late)
    assert sorted(e.level for e in Escalation.objects.of_trigger("breach")) == levels


def test_a_breach_that_shows_only_in_the_next_second_is_looked_at_then() -> None:
    ticket = make_one(make_promise(4))
    raise_due(now=at(1, 12))
    assert clock_of(ticket).alert_at == at(1, 12) + SECOND


@pytest.mark.parametrize(
    ("late", "said"), [(59 * MINUTE, "less than an hour"), (60 * MINUTE, "1 hour"), (3 * HOUR, "3 hours")]
)
def test_the_reason_says_how_long(late: timedelta, said: str) -> None:
    make_one(make_promise(4))
    raise_due(now=at(1, 12) + late)
    assert Escalation.objects.of_trigger("breach").get(level=1).reason == f"SLA violated by {said}"


def test_the_reason_counts_whole_hours() -> None:
    ticket = make_one(make_promise(4))
    raise_due(now=at(1, 12) + 5 * HOUR + 59 * MINUTE)
    made = Escalation.objects.of_trigger("breach").get(level=2)
    assert made.reason == "SLA violated by 5 hours"
    ticket.refresh_from_db()
    assert (ticket.escalation_reason, ticket.escalated_at) == (made.reason, at(1, 17, 59))


def test_both_clocks_have_their_own() -> None:
    make_one(make_promise(4, response_seconds=3600))
    raise_due(now=START + HOUR + SECOND)
    assert [(e.clock, e.trigger) for e in Escalation.objects.going_on()] == [("response", "breach")]


def test_what_passed_together_is_told_to_each_person_once() -> None:
    """A late look finds three thresholds and a level: Theo hears of the worst, and each is on record."""
    make_one(make_promise(4))
    raise_due(now=at(1, 13))
    assert [(t, n) for t, n, _told in found()] == [
        ("breach", 1), ("threshold", 90), ("threshold", 75), ("threshold", 50),
    ]  # fmt: skip
    assert Notice.objects.count() == 1
    assert [e.level for e in Escalation.objects.going_on()] == [1]


def test_of_two_clocks_that_pass_together_each_person_hears_once() -> None:
    make_one(make_promise(4, response_seconds=4 * 3600))
    raise_due(now=at(1, 13))
    assert sorted(e.clock for e in Escalation.objects.of_trigger("breach")) == ["resolution", "response"]
    assert (Notice.objects.count(), ClientMail.objects.count()) == (1, 1)


def test_what_is_worse_is_told_beside_what_is_less() -> None:
    """Half of the resolution is used in the second in which the response is overdue by eight hours."""
    make_one(make_promise(18, response_seconds=3600, escalates=True))
    raise_due(now=at(1, 17))
    told = {(e.clock, e.level, e.told) for e in Escalation.objects.exclude(told="")}
    assert told == {
        ("resolution", 50, "Theo Marsh"),
        ("response", 1, "Theo Marsh"),
        ("response", 2, "Dana Whitlock"),
        ("response", 3, "Mona Castell"),
    }


def test_a_threshold_marks_no_ticket_as_escalated() -> None:
    ticket = make_one(make_promise(4))
    raise_due(now=at(1, 11, 40))
    ticket.refresh_from_db()
    assert (ticket.escalated_at, ticket.escalation_reason) == (None, "")


def test_nothing_goes_to_the_psa_and_nothing_else_of_the_ticket_changes() -> None:
    ticket = make_one(make_promise(4))
    run_through(START, at(2, 8), step=HOUR)
    was, now = ticket.__dict__.copy(), Ticket.objects.get(pk=ticket.pk).__dict__
    changed = {name for name in now if name[0] != "_" and now[name] != was.get(name)}
    assert changed == {"escalated_at", "escalation_reason", "changed_at"}
    assert not OutboxItem.objects.exists()
    assert not ticket.actions.exists()


def test_where_the_psas_own_date_is_shown_shares_are_of_the_time_until_it() -> None:
    make_account(settings={"sla_shown": "theirs"})
    ticket = make_one(make_promise(4), resolution_due_at=START + 10 * HOUR)
    assert (clock_of(ticket).source, clock_of(ticket).alert_at) == ("psa", START + 5 * HOUR)
    run_through(START, START + 15 * HOUR)
    assert [(e.level, e.at - START) for e in Escalation.objects.order_by("pk")] == [
        (50, 5 * HOUR), (75, 7 * HOUR + 30 * MINUTE), (90, 9 * HOUR), (1, 10 * HOUR), (2, 14 * HOUR),
    ]  # fmt: skip


def test_a_longer_promise_ends_the_share_that_was_used_of_the_shorter() -> None:
    policy = make_promise(4)
    ticket = make_one(policy)
    low = make_priority(4, psa_account=ticket.psa_account)
    make_target(policy, low, resolution_seconds=24 * 3600, response_seconds=None)
    book.forget()
    raise_due(now=at(1, 11, 40))
    assert end_what_is_over(now=at(1, 11, 41)) == 0
    ticket.refresh_from_db()
    change_ticket(
        ticket=ticket, changes={"priority": low}, origin=Origin.desk(make_theo()), now=at(1, 11, 45), is_confirmed=True
    )
    raise_due(now=at(1, 11, 46))
    assert end_what_is_over(now=at(1, 11, 46)) == 1
    assert not Escalation.objects.going_on().exists()


def test_a_promise_that_is_gone_ends_what_was_found() -> None:
    ticket = make_one(make_promise(4))
    raise_due(now=at(1, 10))
    Ticket.objects.update(sla_excluded=True)
    ticket.refresh_from_db()
    save_clocks(ticket, now=at(1, 11))
    assert end_what_is_over(now=at(1, 11)) == 1
    assert clock_of(ticket).alert_at is None


# ---- opening hours --------------------------------------------------------------------------------------------------


def test_what_passes_at_night_is_told_at_the_next_opening() -> None:
    """Friday 13:00 to 17:00 there: level 1 at once; levels 2 and 3 pass at night and on Saturday, told on Monday."""
    ticket = make_one(make_promise(4, calendar=make_hours()), start=at(5, 12))
    run_through(at(5, 12), at(8, 7, 50))
    assert found()[-1] == ("breach", 1, "Theo Marsh")
    assert clock_of(ticket).alert_at == at(8, 8)
    raise_due(now=at(8, 8))
    assert sorted(found()[4:]) == [("breach", 2, "Dana Whitlock"), ("breach", 3, "Mona Castell")]


def test_what_passes_at_closing_waits_and_is_not_told_while_the_clock_stands_still() -> None:
    """Half of it has run at 17:30 on Friday. On Saturday it is put on hold, and goes on at noon on Monday."""
    ticket = make_one(make_promise(2, calendar=make_hours()), start=at(5, 15, 30))
    run_through(at(5, 15, 30), at(6, 9))
    assert found() == []
    theo, waiting = make_theo(), make_status("waiting_client", psa_account=ticket.psa_account)
    was = ticket.status
    change_ticket(ticket=ticket, changes={"status": waiting}, origin=Origin.desk(theo), now=at(6, 9), is_confirmed=True)
    run_through(at(6, 9), at(8, 10, 50))
    assert found() == []
    ticket.refresh_from_db()
    change_ticket(ticket=ticket, changes={"status": was}, origin=Origin.desk(theo), now=at(8, 11), is_confirmed=True)
    raise_due(now=at(8, 11))
    assert found() == [("threshold", 50, "Theo Marsh")]


def test_around_the_clock_it_is_told_at_night() -> None:
    make_one(make_promise(4), start=at(6, 0))
    run_through(at(6, 0), at(6, 4, 10))
    assert found()[-1] == ("breach", 1, "Theo Marsh")


# ---- paused, finished -----------------------------------------------------------------------------------------------


def change(ticket: Ticket, category: str, now: datetime, **more: Any) -> None:
    ticket.refresh_from_db()
    status = make_status(category, psa_account=ticket.psa_account, name=f"{category} {now:%d%H%M}")
    change_ticket(
        ticket=ticket, changes={"status": status, **more}, origin=Origin.desk(make_theo()), now=now, is_confirmed=True
    )


def test_a_paused_clock_tells_nothing() -> None:
    ticket = make_one(make_promise(4))
    change(ticket, "waiting_client", at(1, 9))
    run_through(at(1, 9), at(3, 9), step=HOUR)
    assert found() == []
    assert clock_of(ticket).alert_at is None


def test_while_it_stands_still_the_share_that_was_used_stays_open() -> None:
    ticket = make_one(make_promise(4))
    raise_due(now=at(1, 10))
    change(ticket, "waiting_client", at(1, 10, 30))
    raise_due(now=at(1, 10, 31))
    assert end_what_is_over(now=at(2, 9)) == 0
    assert [e.level for e in Escalation.objects.going_on()] == [50]


def test_one_that_was_breached_before_it_paused_goes_on() -> None:
    ticket = make_one(make_promise(4))
    raise_due(now=at(1, 12, 30))
    change(ticket, "waiting_client", at(1, 13))
    run_through(at(1, 13), at(1, 20), step=HOUR)
    assert [n for t, n, _told in found() if t == "breach"] == [1, 2, 3]


def test_finished_work_tells_nothing_and_ends_what_was_found() -> None:
    ticket = make_one(make_promise(4))
    raise_due(now=at(1, 10))
    change(ticket, "resolved", at(1, 10, 30), resolution="Done")
    run_through(at(1, 10, 30), at(2, 10), step=HOUR)
    end_what_is_over(now=at(2, 10))
    assert [(t, n) for t, n, _told in found()] == [("threshold", 50)]
    assert not Escalation.objects.going_on().exists()


def test_a_ticket_that_is_gone_tells_nothing() -> None:
    ticket = make_one(make_promise(4))
    Ticket.objects.update(removed_at=at(1, 9))
    raise_due(now=at(1, 13))
    assert found() == []
    assert clock_of(ticket).alert_at is None


# ---- never twice ----------------------------------------------------------------------------------------------------


def test_worked_out_anew_nothing_is_told_again() -> None:
    ticket = make_one(make_promise(4))
    run_through(START, at(1, 16))
    before = (found(), Notice.objects.count(), ClientMail.objects.count())
    for now in (at(1, 16), at(1, 17), at(1, 18)):
        save_clocks(ticket, now=now)
        assert raise_due(now=now) > 0
    assert (found(), Notice.objects.count(), ClientMail.objects.count()) == before


def test_a_promise_that_changes_back_and_forth_tells_nothing_twice() -> None:
    """Raised to a priority with less time it is overdue at once; lowered again it is not; raised again it was told."""
    policy = make_promise(8)
    ticket = make_one(policy)
    low = ticket.priority
    high = make_priority(1, psa_account=ticket.psa_account)
    make_target(policy, high, resolution_seconds=3600, response_seconds=None)
    book.forget()
    for number, priority in enumerate((high, low, high)):
        now = at(1, 10) + number * HOUR
        ticket.refresh_from_db()
        change_ticket(
            ticket=ticket, changes={"priority": priority}, origin=Origin.desk(make_theo()), now=now, is_confirmed=True
        )
        raise_due(now=now + SECOND)
        end_what_is_over(now=now + SECOND)
        going_on = [e.trigger for e in Escalation.objects.going_on().of_clocks()]
        assert going_on == (["breach"] if priority == high else [])
    assert [n for t, n, _told in found() if t == "breach"] == [1]


def test_a_new_version_of_a_policy_tells_only_what_passes_under_it() -> None:
    policy = make_promise(4)
    save_policy_version(policy, now=START)
    ticket = make_one(policy)
    raise_due(now=at(1, 10))
    policy.thresholds = [50, 60]
    policy.save()
    target = policy.targets.get()
    target.resolution_seconds = 5 * 3600
    target.save()
    assert save_policy_version(policy, now=at(1, 10, 40))
    save_clocks(ticket, now=at(1, 10, 40))
    run_through(at(1, 10, 40), at(1, 11, 10))
    versions = [(e.level, e.policy_version) for e in Escalation.objects.order_by("pk")]
    assert versions == [(50, 1), (60, 2)]


def test_a_second_cycle_tells_anew() -> None:
    ticket = make_one(make_promise(4, on_reopen="restarts"))
    raise_due(now=at(1, 10))
    change(ticket, "resolved", at(1, 10, 30), resolution="Done")
    change(ticket, "open", at(2, 8))
    raise_due(now=at(2, 10))
    assert [(e.level, e.cycle) for e in Escalation.objects.order_by("pk")] == [(50, 1), (50, 2)]


def look_and_die(now: datetime) -> None:
    with transaction.atomic():
        assert raise_due(now=now)
        raise KeyboardInterrupt


def test_killed_before_the_commit_nothing_is_lost_and_nothing_half_done() -> None:
    ticket = make_one(make_promise(4))
    with pytest.raises(KeyboardInterrupt):
        look_and_die(at(1, 12, 30))
    assert (found(), Notice.objects.count(), ClientMail.objects.count()) == ([], 0, 0)
    assert clock_of(ticket).alert_at is not None
    raise_due(now=at(1, 12, 31))
    assert ("breach", 1, "Theo Marsh") in found()


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_tell_once() -> None:
    policy = make_promise(4)
    for _ in range(8):
        make_one(policy)
    start = threading.Barrier(3)

    def work() -> None:
        start.wait()
        try:
            while raise_due(now=at(1, 17), limit=3):
                pass
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    while raise_due(now=at(1, 17)):
        pass
    assert Escalation.objects.of_trigger("breach").count() == 16
    assert Notice.objects.count() == 16  # Theo of each level 1, Dana of each level 2
    assert not TicketClock.objects.filter(alert_at__lte=at(1, 17)).exists()


# ---- whom -----------------------------------------------------------------------------------------------------------


def test_without_an_owner_the_lead_hears_without_a_lead_management() -> None:
    policy = make_promise(4)
    make_one(policy, agent=None)
    raise_due(now=at(1, 10))
    assert found() == [("threshold", 50, "Dana Whitlock")]
    make_one(policy, agent=None, team=None)
    raise_due(now=at(1, 10))
    assert found()[1] == ("threshold", 50, ""), "a manager hears of what has happened, not of every clock on its way"
    raise_due(now=at(1, 12, 1))
    assert [told for trigger, _n, told in found() if trigger == "breach"] == ["Dana Whitlock", "Mona Castell"]


def test_without_levels_the_whole_target_is_the_last_word() -> None:
    make_one(make_promise(4, escalates=False))
    run_through(START, at(2, 8))
    assert [(t, n) for t, n, _told in found()] == [("threshold", n) for n in (50, 75, 90, 100)]


def test_what_nobody_wants_to_hear_is_on_record_all_the_same() -> None:
    make_one(make_promise(4))
    save_wishes(user=make_theo(), desk=["breach:1"], mail=[])
    run_through(START, at(1, 12, 10))
    assert found() == [
        ("threshold", 50, ""), ("threshold", 75, ""), ("threshold", 90, ""), ("breach", 1, "Theo Marsh"),
    ]  # fmt: skip
    assert not ClientMail.objects.exists()


def test_years_of_overdue_tickets_are_recorded_without_a_word() -> None:
    ticket = make_one(make_promise(4))
    Ticket.objects.filter(pk=ticket.pk).update(created_at=at(20, 8))
    raise_due(now=at(20, 8, 1))
    assert {told for _t, _n, told in found()} == {""}
    assert (Notice.objects.count(), ClientMail.objects.count()) == (0, 0)
    assert [e.level for e in Escalation.objects.going_on()] == [3]


def test_one_that_cannot_be_judged_holds_up_no_other() -> None:
    """A date so far off that no hour can be added to it."""
    policy = make_promise(4)
    bad, good = make_one(policy), make_one(policy)
    TicketClock.objects.filter(ticket=bad, kind="resolution").update(
        due_at=datetime.max.replace(microsecond=0, tzinfo=UTC), source="psa"
    )
    assert raise_due(now=at(1, 10)) == 2
    assert [e.ticket_id for e in Escalation.objects.all()] == [good.pk]
    assert clock_of(bad).alert_at == at(1, 10, 10)


def test_one_whose_story_cannot_be_told_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = make_promise(4)
    rows = [make_one(policy) for _place in range(5)]
    bad = rows[2]

    def told(tickets: Sequence[Ticket], *args: Any) -> Any:
        if bad in tickets:
            raise ValueError("a story that nobody can tell")
        return runs_of(tickets, *args)

    monkeypatch.setattr("helpdesk.actions.alerts.runs_of", told)
    assert raise_due(now=at(1, 10)) == 4
    assert {e.ticket_id for e in Escalation.objects.all()} == {one.pk for one in rows} - {bad.pk}
    assert clock_of(bad).alert_at == at(1, 10, 10)
    assert raise_due(now=at(1, 10)) == 0, "it is put off, and asked of no more at once"


# ---- the mail -------------------------------------------------------------------------------------------------------


def test_the_mail_says_all_that_is_needed_to_judge_it() -> None:
    make_organisation(name="Harbour IT", time_zone="Europe/London")
    ticket = make_one(make_promise(4, calendar=make_hours()), start=at(5, 12))
    raise_due(now=at(8, 9))
    deliver_due(clock=lambda: at(8, 9))
    letter = next(one for one in outbox.outbox if one.to == ["mona@harbour.test"])
    assert letter.subject == f"[{ticket.label}] Resolution overdue, level 3: {ticket.subject}"
    for words in (
        "SLA violated by 65 hours", "Client: Northwind Dental", "Owner: Theo Marsh", "Status: In progress",
        "2 d 17 h late, 1 h 30 min of it in opening hours", f"/tickets/{ticket.pk}/",
    ):  # fmt: skip
        assert words in letter.body, letter.body


# ---- cost -----------------------------------------------------------------------------------------------------------


def test_ten_thousand_clocks_with_nothing_due_cost_one_query() -> None:
    ticket = make_one(make_promise(4))
    rows = [
        Ticket(
            psa_account=ticket.psa_account, status=ticket.status, priority=ticket.priority, subject="x",
            opened_at=START, changed_at=START, remote_id=f"n{n}",
        )
        for n in range(5000)
    ]  # fmt: skip
    Ticket.objects.bulk_create(rows, batch_size=500)
    TicketClock.objects.bulk_create(
        [
            TicketClock(ticket_id=pk, kind=kind, alert_at=at(2, 8))
            for pk in Ticket.objects.values_list("pk", flat=True)
            for kind in ("response", "resolution")
            if pk != ticket.pk
        ],
        batch_size=500,
    )
    with CaptureQueriesContext(connection) as caught:
        assert raise_due(now=at(1, 9)) == 0
    assert len(caught) == 1
    sql = caught[0]["sql"]
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
            assert "clock_alert" in str(cursor.fetchall())


def test_ten_more_in_a_batch_cost_their_own_rows_and_no_more_reading() -> None:
    policy = make_promise(4)
    client = make_client(psa_account=make_account())

    def reads(count: int) -> int:
        for _ in range(count):
            make_one(policy, client=client)
        with CaptureQueriesContext(connection) as caught:
            raise_due(now=at(1, 10))
        return len([q for q in caught if "tickets_ticketevent" in q["sql"] or "directory_team" in q["sql"]])

    assert reads(2) == reads(12)


def test_a_whole_target_that_was_used_ends_with_a_longer_promise() -> None:
    """Nothing more was to come of it, so that no next look was written down."""
    policy = make_promise(4, thresholds=[50, 100], escalates=False)
    ticket = make_one(policy)
    run_through(START, START + 5 * HOUR)
    assert [(e.level, e.ended_at is None) for e in Escalation.objects.order_by("pk")] == [(50, False), (100, True)]
    policy.targets.update(resolution_seconds=400 * 3600)
    save_policy_version(policy, now=START + 5 * HOUR)
    book.forget()
    save_clocks(ticket, now=START + 5 * HOUR)
    assert clock_of(ticket).alert_at > START + 6 * HOUR
    end_what_is_over(now=START + 6 * HOUR)
    assert not Escalation.objects.filter(ended_at=None).exists()


def test_worked_out_anew_for_nothing_a_clock_is_looked_at_next_where_it_was() -> None:
    policy = make_promise(4)
    save_policy_version(policy, now=START)
    ticket = make_one(policy)
    run_through(START, at(1, 10, 10))
    assert clock_of(ticket).alert_at == at(1, 11)
    book.forget()
    assert rederive(account_id=ticket.psa_account_id, ids=[ticket.pk], now=at(1, 10, 20)) == 0
    assert clock_of(ticket).alert_at == at(1, 11), "at the next share, not again at the first"
    policy.thresholds = [50, 60, 75]
    policy.save()
    save_policy_version(policy, now=at(1, 10, 21))
    rederive(account_id=ticket.psa_account_id, ids=[ticket.pk], now=at(1, 10, 21))
    raise_due(now=at(1, 10, 22))
    assert clock_of(ticket).alert_at == at(1, 10, 24), "a share that is told of since"


# ---- what is no news ------------------------------------------------------------------------------------------------


def told() -> list[tuple[str, int]]:
    return [(e.trigger, e.level) for e in Escalation.objects.exclude(told="").order_by("pk")]


def test_an_old_desk_that_begins_to_tell_of_clocks_tells_nobody_of_what_had_passed() -> None:
    """Its tickets were here for long; the account tells since noon of the second day."""
    make_account(settings={"alerts_from": at(2, 12).isoformat()})
    policy = make_promise(4)
    for _ in range(3):
        make_one(policy)
    fresh = make_one(policy, start=at(2, 11))
    run_through(at(2, 12), at(2, 13, 10))
    assert Escalation.objects.of_trigger("breach").count() == 9, "on record"
    assert told() == [("threshold", 50)]
    assert Escalation.objects.exclude(told="").get().ticket == fresh


def test_a_policy_that_came_to_be_known_later_tells_from_then_on() -> None:
    """Its first version counts from ever, and was written after two tickets had been open for days."""
    policy = make_promise(4)
    late = make_one(policy)
    running = make_one(policy, start=at(3, 7))
    save_policy_version(policy, now=at(3, 10))
    book.forget()
    for ticket in (late, running):
        save_clocks(ticket, now=at(3, 10))
    run_through(at(3, 10), at(3, 10, 40))
    assert told() == [("threshold", 90)], "75 % of the other had passed at ten"
    assert [e.level for e in Escalation.objects.on_tickets([late.pk]).going_on()] == [3]


def test_a_version_that_makes_tickets_late_at_once_sends_no_notice_of_each() -> None:
    policy = make_promise(8)
    save_policy_version(policy, now=START)
    tickets = [make_one(policy) for _ in range(3)]
    target = policy.targets.get()
    target.resolution_seconds = 2 * 3600
    target.save()
    save_policy_version(policy, now=at(1, 11))
    book.forget()
    for ticket in tickets:
        save_clocks(ticket, now=at(1, 11))
    run_through(at(1, 11), at(1, 13, 50))
    assert told() == []
    assert [c.is_retroactive for c in TicketClock.objects.filter(kind="resolution")] == [True] * 3
    assert Escalation.objects.going_on().of_level(1).count() == 3
    tickets[0].refresh_from_db()
    assert tickets[0].escalated_at == at(1, 11), "seen on every list"
    run_through(at(1, 14), at(1, 14, 10))
    assert told() == [("breach", 2)] * 3, "what passes later is told"


def test_what_passed_in_closed_hours_is_told_although_a_version_was_saved_meanwhile() -> None:
    policy = make_promise(4, calendar=make_hours())
    save_policy_version(policy, now=START)
    ticket = make_one(policy, start=at(5, 14, 30))  # half of it has run at closing
    policy.risk_minutes = 30
    policy.save()
    save_policy_version(policy, now=at(6, 9))
    book.forget()
    save_clocks(ticket, now=at(6, 9))
    run_through(at(6, 9), at(8, 8))
    assert told() == [("threshold", 50)]


def test_a_priority_that_makes_its_ticket_late_is_told() -> None:
    policy = make_promise(8)
    ticket = make_one(policy)
    high = make_priority(1, psa_account=ticket.psa_account)
    make_target(policy, high, resolution_seconds=3600, response_seconds=None)
    book.forget()
    ticket.refresh_from_db()
    change_ticket(
        ticket=ticket, changes={"priority": high}, origin=Origin.desk(make_theo()), now=at(1, 11), is_confirmed=True
    )
    raise_due(now=at(1, 11))
    assert told() == [("breach", 1)]


# ---- a date that is given -------------------------------------------------------------------------------------------


def moved_to(ticket: Ticket, due: datetime, now: datetime) -> None:
    Ticket.objects.filter(pk=ticket.pk).update(resolution_due_at=due)
    ticket.refresh_from_db()
    save_clocks(ticket, now=now)
    raise_due(now=now)
    end_what_is_over(now=now)


def test_a_date_that_the_psa_moved_ahead_is_another_promise() -> None:
    make_account(settings={"sla_shown": "theirs"})
    ticket = make_one(make_promise(4), resolution_due_at=at(1, 12))
    run_through(START, at(1, 12, 10))
    assert told()[-1] == ("breach", 1)
    moved_to(ticket, at(2, 12), at(1, 12, 30))
    assert not Escalation.objects.going_on().of_trigger("breach").exists(), "lifted"
    before = len(told())
    run_through(at(1, 12, 30), at(2, 12, 10), step=HOUR)
    run_through(at(2, 12, 10), at(2, 12, 20))
    assert told()[before:] == [("breach", 1)], "shares of the time until it are told once"


def test_a_date_moved_from_one_past_instant_to_another_is_no_news() -> None:
    make_account(settings={"sla_shown": "theirs"})
    ticket = make_one(make_promise(4), resolution_due_at=at(1, 12))
    run_through(START, at(1, 12, 10))
    before = told()
    for minutes in (15, 20):
        moved_to(ticket, at(1, 12, minutes - 5), at(1, 12, minutes))
    assert told() == before


def test_whose_date_is_shown_may_change_and_nothing_is_told_again() -> None:
    account = make_account()
    ticket = make_one(make_promise(4), resolution_due_at=at(1, 12, 30))
    run_through(START, at(1, 13))
    before = told()
    for shown in ("theirs", "ours", "theirs"):
        account.settings = {"sla_shown": shown}
        account.save()
        ticket.refresh_from_db()
        save_clocks(ticket, now=at(1, 13, 10))
        assert clock_of(ticket).source == ("psa" if shown == "theirs" else "policy")
        raise_due(now=at(1, 13, 10))
        end_what_is_over(now=at(1, 13, 10))
    assert told() == before


def test_a_desk_that_had_tickets_before_it_told_of_clocks_tells_from_its_upgrade_on() -> None:
    begin = import_module("helpdesk.actions.migrations.0012_alerts_from").begin
    fresh = make_account("atera")
    old = make_ticket(psa_account=make_account()).psa_account
    begin(apps, None)
    for account in (fresh, old):
        account.refresh_from_db()
    assert "alerts_from" not in fresh.settings
    assert datetime.fromisoformat(old.settings["alerts_from"]).tzinfo is not None
