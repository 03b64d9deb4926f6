"""Each choice says what it would do to the deadline, in a fixed number of queries."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone

from helpdesk.core.formatting import moment
from helpdesk.desk.clock_options import consequences
from helpdesk.sla import book
from helpdesk.sla.models import Policy, PolicyUse, Target
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.rederiving import rederive
from tests.factories import (
    make_account,
    make_client,
    make_contract,
    make_policy,
    make_priority,
    make_status,
    make_target,
    make_ticket,
)
from tests.people import make_cleo, make_theo

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def ticket() -> Ticket:
    """Three hours old, of ten."""
    halo = make_account()
    policy = make_policy("Gold", psa_account=halo)
    found = make_ticket(psa_account=halo, sla_policy=policy, opened_at=timezone.now() - timedelta(hours=3, seconds=30))
    for priority, hours in ((found.priority, 10), (make_priority(1, name="Urgent", psa_account=halo), 1)):
        make_target(policy, priority, response_seconds=None, resolution_seconds=hours * 3600)
    rederive(account_id=halo.pk, ids=[found.pk], now=timezone.now())
    found.refresh_from_db()
    return found


@pytest.fixture
def theo(client: Browser, ticket: Ticket) -> Browser:
    client.force_login(make_theo(ticket.psa_account))
    book.current()
    return client


def text_of(browser: Browser, address: str) -> str:
    answer = browser.get(address, headers=HTMX)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_priority_says_when_it_would_be_due(theo: Browser, ticket: Ticket) -> None:
    page = text_of(theo, f"/tickets/{ticket.pk}/choose/priority/")
    assert "Urgent<small>would be 2 h over</small>" in page


def test_a_status_says_what_it_does_to_the_clock(theo: Browser, ticket: Ticket) -> None:
    make_status("waiting_client", name="With user", psa_account=ticket.psa_account)
    make_status("resolved", name="Done", psa_account=ticket.psa_account)
    make_status("open", name="Working", psa_account=ticket.psa_account)
    for page in (
        text_of(theo, f"/tickets/{ticket.pk}/choose/status/"), text_of(theo, f"/tickets/{ticket.pk}/status/"),
    ):  # fmt: skip
        assert "With user<small>pauses with 6 h 59 min left" in page
        assert "Done<small>kept with 6 h 59 min left" in page
        assert "Working<small>due " in page


def test_twelve_queries_however_many_choices(theo: Browser, ticket: Ticket, django_assert_max_num_queries: Any) -> None:
    for n in range(20):
        make_status("waiting_client" if n % 2 else "open", name=f"s{n}", psa_account=ticket.psa_account)
    for address in ("choose/status", "choose/priority", "status", "field/sla_policy"):
        text_of(theo, f"/tickets/{ticket.pk}/{address}/")
        with django_assert_max_num_queries(12):
            text_of(theo, f"/tickets/{ticket.pk}/{address}/")


def test_nothing_is_written_by_asking(theo: Browser, ticket: Ticket) -> None:
    before = (Ticket.objects.values().get(pk=ticket.pk), list(ticket.clocks.values()), ticket.events.count())
    text_of(theo, f"/tickets/{ticket.pk}/choose/priority/")
    assert (Ticket.objects.values().get(pk=ticket.pk), list(ticket.clocks.values()), ticket.events.count()) == before


def test_a_client_is_shut_out(ticket: Ticket) -> None:
    cleo = Browser()
    cleo.force_login(make_cleo(ticket.psa_account))
    assert cleo.get(f"/tickets/{ticket.pk}/choose/priority/").status_code == 403


def test_another_client_leaves_the_contract_and_what_was_promised_by_it(ticket: Ticket) -> None:
    contract = make_contract(ticket.client, "Managed")
    gold = Policy.objects.create(name="For the contract")
    Target.objects.create(policy=gold, priority="3", rank=ticket.rank, resolution_seconds=4 * 3600)
    PolicyUse.objects.create(policy=gold, contract=contract, from_at=ticket.opened_at)
    Ticket.objects.filter(pk=ticket.pk).update(contract=contract)
    ticket.refresh_from_db()
    book.forget()
    now, zone = timezone.now(), timezone.get_current_timezone()
    other = make_client("Other", psa_account=ticket.psa_account)
    said = consequences(ticket, "client", [other.pk], now, zone)
    assert said == {other.pk: f"due {moment(ticket.opened_at + timedelta(hours=10), now, zone)}"}
    same = consequences(ticket, "client", [ticket.client_id], now, zone)
    assert same == {}, "its own client moves nothing"
