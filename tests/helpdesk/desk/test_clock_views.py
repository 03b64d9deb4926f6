"""The clocks of a ticket's page: the cards in its head, and the ledger behind them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone

from helpdesk.core.origin import Origin
from helpdesk.sla import book
from helpdesk.sla.choices import Difference
from helpdesk.sla.models import OpenInterval
from helpdesk.tickets.correcting import correct_clock
from helpdesk.tickets.ledger import ledgers_of
from helpdesk.tickets.models import Ticket, TicketEvent
from helpdesk.tickets.rederiving import rederive
from helpdesk.tickets.services import change_ticket
from tests.factories import (
    make_account,
    make_action,
    make_agent,
    make_calendar,
    make_policy,
    make_status,
    make_target,
    make_ticket,
)
from tests.people import make_cleo, make_mona, make_theo

pytestmark = pytest.mark.django_db
NASTY = '"><script>alert(1)</script>'
HTMX = {"HX-Request": "true"}


@pytest.fixture
def ticket() -> Ticket:
    """Opened two days ago, by a policy whose calendar is open around the clock but on Sundays' last hour."""
    halo = make_account()
    calendar = make_calendar("Long days", psa_account=halo, time_zone="UTC")
    OpenInterval.objects.bulk_create(
        OpenInterval(calendar=calendar, weekday=day, opens=0, closes=1380) for day in range(7)
    )
    policy = make_policy("Gold", psa_account=halo)
    found = make_ticket(psa_account=halo, sla_policy=policy, opened_at=timezone.now() - timedelta(days=2))
    make_target(policy, found.priority, calendar=calendar, response_seconds=3600, resolution_seconds=60 * 3600)
    rederive(account_id=halo.pk, ids=[found.pk], now=timezone.now())
    found.refresh_from_db()
    return found


@pytest.fixture
def theo(client: Browser, ticket: Ticket) -> Browser:
    client.force_login(make_theo(ticket.psa_account))
    book.current()
    return client


def text_of(browser: Browser, address: str, **given: Any) -> str:
    answer = browser.get(address, **given)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_head_says_the_promise_and_the_psas_date(theo: Browser, ticket: Ticket) -> None:
    clock = ticket.clocks.get(kind="resolution")
    assert clock.source == "policy"
    clock.their_due_at, clock.difference = clock.due_at + timedelta(hours=5), Difference.PAUSE
    clock.save()
    page = text_of(theo, f"/tickets/{ticket.pk}/")
    assert f'data-cal="{ticket.clock_calendar}"' in page
    assert "Gold · Halo says" in page
    assert "<dt>They differ by</dt><dd>other pauses</dd>" in page
    assert "<dd>Long days, UTC</dd>" in page
    assert "Target</dt><dd>60 h" in page, "open time has no days"


def test_what_is_odd_is_said_in_words(theo: Browser, ticket: Ticket) -> None:
    ticket.clocks.filter(kind="resolution").update(is_retroactive=True, breached_at=timezone.now())
    ticket.clocks.filter(kind="response").update(problem="no_zone", due_at=None, state="not_started")
    page = text_of(theo, f"/tickets/{ticket.pk}/")
    assert "Late only by a later change" in page
    assert "No deadline: its calendar" in page


def test_the_ledger_tells_who_used_the_time(theo: Browser, ticket: Ticket) -> None:
    now = timezone.now()
    waiting = make_status("waiting_client", name=NASTY, psa_account=ticket.psa_account)
    priya = make_agent("Priya Nair", psa_account=ticket.psa_account)
    for hours, field, value in ((20, "agent", priya), (10, "status", waiting)):
        change_ticket(
            ticket=ticket, changes={field: value}, origin=Origin.desk(make_theo()), now=now - timedelta(hours=hours),
            is_confirmed=True,
        )  # fmt: skip
        ticket.refresh_from_db()
    make_action(ticket, "Here it is", occurred_at=now - timedelta(hours=4), is_from_client=True)
    rederive(account_id=ticket.psa_account_id, ids=[ticket.pk], now=now)
    page = text_of(theo, f"/tickets/{ticket.pk}/clocks/")
    assert "<html" in page, "a page of its own without script"
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "Priya Nair" in page
    assert "Paused" in page
    assert "closed</summary>" in page
    assert "Gold" in page
    assert "from the start" in page


@pytest.mark.parametrize("choice", ["resumes", "restarts"])
def test_a_reopened_ticket_tells_its_first_finish_and_the_cycles_before(
    theo: Browser, ticket: Ticket, choice: str
) -> None:
    ticket.sla_policy.on_reopen = choice
    ticket.sla_policy.save()
    running, closed = ticket.status, make_status("closed", psa_account=ticket.psa_account)
    noon = ticket.opened_at.replace(hour=12, minute=0, second=0, microsecond=0)
    Ticket.objects.filter(pk=ticket.pk).update(opened_at=noon)
    for number, (old, new, hours) in enumerate(((running, closed, 2), (closed, running, 5))):
        TicketEvent.objects.create(
            ticket=ticket, field="status", old=str(old.pk), new=str(new.pk), old_label=old.name, new_label=new.name,
            at=noon + timedelta(hours=hours), known_at=noon, origin="psa", remote_key=f"k{number}",
        )  # fmt: skip
    book.forget()
    rederive(account_id=ticket.psa_account_id, ids=[ticket.pk], now=noon + timedelta(hours=6))
    page = text_of(theo, f"/tickets/{ticket.pk}/clocks/")
    found = theo.get(f"/tickets/{ticket.pk}/clocks/").context["ledgers"]
    assert found[0].again == "", "a response is not reopened"
    assert "Reopened once. First finished" in found[1].again
    assert ", after 2 h; " in found[1].again
    assert ("Before it was reopened" in page) is (choice == "restarts")
    assert len(found[1].earlier) == (choice == "restarts")
    if choice == "restarts":
        assert (found[1].earlier[0].state, found[1].earlier[0].verdict) == ("met", "kept")
        assert found[1].earlier[0].sum == "2 h used."
        assert [line.length for line in found[1].earlier[0].lines] == ["2 h"]
        assert "Started anew when the ticket was reopened, time 2." in page


def test_a_date_that_is_given_has_its_shares_and_not_those_of_our_target(theo: Browser, ticket: Ticket) -> None:
    due = ticket.opened_at + timedelta(days=10)
    correct_clock(
        ticket=ticket, kind="resolution", what="due", instant=due, reason="Agreed", user=make_theo(),
        now=timezone.now(),
    )  # fmt: skip
    one = next(one for one in ledgers_of(ticket, book.current(), timezone.now()) if one.clock.kind == "resolution")
    assert [(m.percent, m.at - ticket.opened_at, m.is_over) for m in one.marks][:2] == [
        (50, timedelta(days=5), False), (75, timedelta(days=7.5), False),
    ]  # fmt: skip
    ledger = theo.get(f"/tickets/{ticket.pk}/clocks/").context["ledgers"][1]
    assert " of " not in ledger.sum, "our target does not count there"


def test_ten_queries_however_long_the_story(theo: Browser, ticket: Ticket, django_assert_max_num_queries: Any) -> None:
    address = f"/tickets/{ticket.pk}/clocks/"
    statuses = [make_status(c, psa_account=ticket.psa_account) for c in ("waiting_client", "open")]
    TicketEvent.objects.bulk_create(
        TicketEvent(
            ticket=ticket, field="status", old=str(statuses[n % 2 - 1].pk), new=str(statuses[n % 2].pk),
            old_label="a", new_label=f"s{n}", at=ticket.opened_at + timedelta(minutes=20 * n + 20),
            known_at=ticket.opened_at, origin="psa", precision="polled", remote_key=f"k{n}",
        )
        for n in range(60)
    )  # fmt: skip
    text_of(theo, address, headers=HTMX)
    with django_assert_max_num_queries(10):
        page = text_of(theo, address, headers=HTMX)
    assert "<html" not in page
    assert "seen between two pulls" in page
    assert "more changes" in page


def test_no_client_sees_it(ticket: Ticket) -> None:
    cleo, stranger = Browser(), Browser()
    cleo.force_login(make_cleo(ticket.psa_account))
    assert cleo.get(f"/tickets/{ticket.pk}/clocks/").status_code == 403
    assert stranger.get(f"/tickets/{ticket.pk}/clocks/").status_code == 302
    mona = Browser()
    mona.force_login(make_mona(ticket.psa_account))
    assert mona.get("/tickets/999999/clocks/").status_code == 404
