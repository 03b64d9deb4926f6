"""What no clock tells of: nobody owns a critical ticket, a client does not answer. Once per episode, and ended."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail as outbox
from django.db import connection
from django.test.utils import CaptureQueriesContext

from helpdesk.actions.models import ClientMail, Escalation, Notice
from helpdesk.actions.standing import end_what_is_over, look_at_standing
from helpdesk.actions.wishes import save_wishes
from helpdesk.portal.delivery import deliver_due
from helpdesk.sla.models import OpenInterval
from helpdesk.tickets.models import Ticket
from tests.factories import (
    NOW,
    make_account,
    make_agent,
    make_calendar,
    make_clock,
    make_priority,
    make_status,
    make_team,
    make_ticket,
)
from tests.people import make_mona, make_theo

pytestmark = pytest.mark.django_db
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def known(ticket: Ticket, since: datetime | None = None) -> Ticket:
    """As if the desk had known it all the time."""
    Ticket.objects.filter(pk=ticket.pk).update(created_at=since or ticket.opened_at)
    ticket.refresh_from_db()
    return ticket


def make_critical(**values: Any) -> Ticket:
    account = make_account()
    make_mona(account)
    priority = make_priority(1, psa_account=account)
    return known(make_ticket(psa_account=account, priority=priority, **values))


def make_waiting(days: float, **values: Any) -> Ticket:
    account = make_account()
    make_mona(account)
    status = make_status("waiting_client", psa_account=account)
    heard = NOW - timedelta(days=days)
    return known(make_ticket(psa_account=account, status=status, opened_at=heard, last_activity_at=heard, **values))


def found() -> list[tuple[str, int, str, str]]:
    return [(e.trigger, e.cycle, e.reason, e.told) for e in Escalation.objects.order_by("pk")]


def test_a_critical_ticket_that_nobody_owns_is_told_to_the_lead() -> None:
    theo = make_theo(make_account())
    ticket = make_critical(team=make_team(psa_account=make_account(), lead=theo))
    assert look_at_standing(now=NOW) == 1
    assert found() == [("unassigned", 1, "Critical ticket without assigned resource", "Theo Marsh")]
    ticket.refresh_from_db()
    assert (ticket.escalated_at, ticket.escalation_reason) == (NOW, "Critical ticket without assigned resource")
    assert (Notice.objects.get().user, ClientMail.objects.get().to) == (theo, "theo@harbour.test")


def test_without_a_lead_management_is_told() -> None:
    make_critical()
    look_at_standing(now=NOW)
    assert found()[0][3] == "Mona Castell"


@pytest.mark.parametrize("but", ["owned", "high", "finished", "removed"])
def test_nothing_else_counts_as_critical_and_nobodys(but: str) -> None:
    ticket = make_critical()
    change: dict[str, Any] = {
        "owned": {"agent": make_agent(psa_account=ticket.psa_account)}, "high": {"rank": 2},
        "finished": {"is_open": False}, "removed": {"removed_at": NOW},
    }[but]  # fmt: skip
    Ticket.objects.update(**change)
    assert look_at_standing(now=NOW) == 0
    assert found() == []


def test_looked_at_again_and_again_it_is_told_once() -> None:
    make_critical()
    for minutes in range(5):
        look_at_standing(now=NOW + timedelta(minutes=minutes))
    assert (Escalation.objects.count(), Notice.objects.count(), ClientMail.objects.count()) == (1, 1, 1)


def test_it_ends_when_somebody_owns_it_and_may_begin_again() -> None:
    ticket = make_critical()
    look_at_standing(now=NOW)
    Ticket.objects.update(agent=make_agent(psa_account=ticket.psa_account))
    look_at_standing(now=NOW + HOUR)
    assert Escalation.objects.get().ended_at == NOW + HOUR
    Ticket.objects.update(agent=None)
    look_at_standing(now=NOW + 2 * HOUR)
    assert [(e.cycle, e.ended_at) for e in Escalation.objects.order_by("pk")] == [(1, NOW + HOUR), (2, None)]
    ticket.refresh_from_db()
    assert ticket.escalated_at == NOW


def test_a_mail_that_waited_until_somebody_owned_it_never_leaves() -> None:
    ticket = make_critical()
    look_at_standing(now=NOW)
    Ticket.objects.update(agent=make_agent(psa_account=ticket.psa_account))
    look_at_standing(now=NOW + HOUR)
    deliver_due(clock=lambda: NOW + HOUR)
    assert (ClientMail.objects.get().state, outbox.outbox) == ("cancelled", [])


@pytest.mark.parametrize(("days", "expected"), [(7.99, 0), (8, 1), (12.5, 1)])
def test_more_than_seven_whole_days_of_silence(days: float, expected: int) -> None:
    make_waiting(days)
    assert look_at_standing(now=NOW) == expected
    if expected:
        assert found()[0][2] == f"No customer response for {int(days)} days"


def test_silence_is_told_to_the_owner_in_the_desk() -> None:
    theo = make_theo(make_account())
    make_waiting(9, agent=theo.agents.get())
    look_at_standing(now=NOW)
    assert found() == [("stale", 1, "No customer response for 9 days", "Theo Marsh")]
    assert Notice.objects.get().user == theo
    assert not ClientMail.objects.exists()


def test_silence_ends_with_any_activity_and_may_begin_again() -> None:
    make_waiting(9)
    look_at_standing(now=NOW)
    Ticket.objects.update(last_activity_at=NOW + HOUR)
    look_at_standing(now=NOW + HOUR)
    assert Escalation.objects.get().ended_at == NOW + HOUR
    look_at_standing(now=NOW + HOUR + 8 * DAY)
    assert [one[:3] for one in found()][1:] == [("stale", 2, "No customer response for 8 days")]


def test_another_status_ends_silence() -> None:
    make_waiting(9)
    look_at_standing(now=NOW)
    Ticket.objects.update(status_category="open")
    assert end_what_is_over(now=NOW + HOUR) == 1


def test_in_closed_hours_it_waits_for_the_opening() -> None:
    calendar = make_calendar(time_zone="Europe/London")
    for weekday in range(5):
        OpenInterval.objects.create(calendar=calendar, weekday=weekday, opens=9 * 60, closes=17 * 60 + 30)
    make_critical(clock_calendar=calendar.pk)
    evening = datetime(2026, 11, 17, 17, 30, tzinfo=UTC)
    assert look_at_standing(now=evening) == 0
    assert look_at_standing(now=datetime(2026, 11, 18, 8, 59, 59, tzinfo=UTC)) == 0
    assert look_at_standing(now=datetime(2026, 11, 18, 9, 0, tzinfo=UTC)) == 1


def test_around_the_clock_it_is_told_at_night() -> None:
    make_critical(clock_calendar=0)
    assert look_at_standing(now=datetime(2026, 11, 18, 3, 0, tzinfo=UTC)) == 1


def test_a_closed_desk_holds_up_no_open_one() -> None:
    calendar = make_calendar()  # never open
    for _ in range(3):
        make_critical(clock_calendar=calendar.pk)
    night = make_critical(clock_calendar=0)
    assert look_at_standing(now=NOW, limit=1) == 1
    assert Escalation.objects.get().ticket_id == night.pk


def test_what_was_so_long_before_the_desk_knew_the_ticket_is_recorded_quietly() -> None:
    ticket = make_waiting(40)
    known(ticket, NOW - HOUR)
    look_at_standing(now=NOW)
    assert found() == [("stale", 1, "No customer response for 40 days", "")]
    assert (Notice.objects.count(), ClientMail.objects.count()) == (0, 0)


def test_the_reason_that_a_person_gave_stays() -> None:
    ticket = make_critical(escalation_reason="The ward cannot print.", escalated_at=NOW - DAY)
    look_at_standing(now=NOW)
    ticket.refresh_from_db()
    assert (ticket.escalated_at, ticket.escalation_reason) == (NOW - DAY, "The ward cannot print.")


def test_where_the_psa_asks_for_the_reason_it_is_left_to_be_asked_for() -> None:
    make_account(capabilities={"escalated_status": True})
    ticket = make_critical()
    look_at_standing(now=NOW)
    ticket.refresh_from_db()
    assert (ticket.escalated_at, ticket.escalation_reason) == (NOW, "")


def test_it_counts_as_no_activity_and_sends_nothing_to_the_psa() -> None:
    ticket = make_waiting(9)
    heard = ticket.last_activity_at
    look_at_standing(now=NOW)
    ticket.refresh_from_db()
    assert ticket.last_activity_at == heard
    assert (ticket.sync_state, ticket.events.count(), ticket.actions.count()) == ("", 0, 0)


def test_who_wants_to_hear_nothing_hears_nothing() -> None:
    make_critical()
    save_wishes(user=make_mona(), desk=[], mail=[])
    look_at_standing(now=NOW)
    assert found()[0][3] == ""
    assert (Notice.objects.count(), ClientMail.objects.count()) == (0, 0)


def test_finished_work_ends_whatever_was_found() -> None:
    ticket = make_critical()
    make_clock(ticket, due_at=NOW - HOUR, breached_at=NOW - HOUR)
    for trigger, level in (("person", 1), ("breach", 1), ("threshold", 50)):
        clock = "" if trigger == "person" else "resolution"
        Escalation.objects.create(ticket=ticket, trigger=trigger, level=level, clock=clock, reason="x", at=NOW)
    assert end_what_is_over(now=NOW) == 0
    Ticket.objects.update(is_open=False)
    assert end_what_is_over(now=NOW + HOUR) == 3


def test_a_breach_ends_when_its_clock_is_answered_or_lifted() -> None:
    ticket = make_critical()
    clock = make_clock(ticket, due_at=NOW - HOUR, breached_at=NOW - HOUR, state="breached")
    Escalation.objects.create(ticket=ticket, trigger="breach", clock="resolution", reason="x", at=NOW)
    clock.due_at, clock.breached_at, clock.state = NOW + HOUR, None, "running"
    clock.save()
    assert end_what_is_over(now=NOW) == 1


def test_nothing_begun_costs_a_fixed_few_queries() -> None:
    for _ in range(12):
        make_ticket()
    with CaptureQueriesContext(
        connection,
    ) as caught:
        look_at_standing(now=NOW)
    assert len([q for q in caught if q["sql"].startswith("SELECT")]) <= 5
