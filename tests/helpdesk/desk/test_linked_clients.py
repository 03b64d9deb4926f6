"""Linked clients in the pages: settings, list, board, ticket, reports; and who may link."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client as Browser

from helpdesk.accounts.models import AuditEntry
from helpdesk.directory import groups
from helpdesk.directory.models import Client
from helpdesk.reports.filters import read_filters
from helpdesk.tickets.models import Ticket
from tests.factories import NOW, make_account, make_client, make_ticket
from tests.people import make_ada, make_cleo, make_dana, make_mona, make_theo

pytestmark = pytest.mark.django_db
PAGE = "/settings/clients/"


@pytest.fixture
def two() -> tuple[Client, Client]:
    first, second = (make_client("Northwind Dental", psa_account=make_account(name)) for name in ("halo", "atera"))
    return first, second


@pytest.fixture
def tickets(two: tuple[Client, Client]) -> list[Ticket]:
    return [make_ticket(f"Of {c.psa_account}", psa_account=c.psa_account, client=c) for c in two]


def link(two: tuple[Client, Client]) -> None:
    groups.link(client_ids=[one.pk for one in two], user_id=make_ada().pk, now=NOW)


def test_a_suggestion_is_linked_by_a_press_and_unlinked_by_another(client: Browser, two: tuple[Client, Client]) -> None:
    client.force_login(make_dana())
    page = client.get(PAGE).content.decode()
    assert "Perhaps the same" in page
    assert client.post(f"{PAGE}link/", {"client": [one.pk for one in two]}).status_code == 302
    page = client.get(PAGE).content.decode()
    assert ("Perhaps the same" in page, page.count("/unlink/")) == (False, 2)
    assert client.post(f"{PAGE}{two[0].pk}/unlink/").status_code == 302
    assert list(AuditEntry.objects.order_by("pk").values_list("verb", flat=True)) == ["clients.link", "clients.unlink"]
    assert client.post(f"{PAGE}{two[0].pk}/unlink/").status_code == 422


def test_by_hand_a_refusal_keeps_what_was_chosen(client: Browser, two: tuple[Client, Client]) -> None:
    client.force_login(make_ada())
    assert client.get(PAGE, {"q": "north"}).content.decode().count('name="client"') == 4
    answer = client.post(f"{PAGE}link/", {"client": [two[0].pk], "q": "north"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Choose two clients or more." in page
    assert f'value="{two[0].pk}" checked' in page
    looked = client.post(f"{PAGE}link/", {"client": [two[0].pk], "q": "nothing of this", "find": "yes"})
    assert (looked.status_code, f'value="{two[0].pk}" checked' in looked.content.decode()) == (200, True)
    for wrong in ({"client": ["x", "-1"]}, {"client": [10**9, 10**9 + 1]}, {}):
        assert client.post(f"{PAGE}link/", wrong).status_code == 422


def test_who_may(client: Browser, two: tuple[Client, Client]) -> None:
    for make in (make_theo, make_mona, make_cleo):
        client.force_login(make(two[0].psa_account))
        assert client.get(PAGE).status_code == 403
        assert client.post(f"{PAGE}link/", {"client": [one.pk for one in two]}).status_code == 403
        assert client.post(f"{PAGE}{two[0].pk}/unlink/").status_code == 403
    assert not Client.objects.exclude(group=None).exists()


def test_list_and_board_take_them_for_one(client: Browser, two: tuple[Client, Client], tickets: list[Ticket]) -> None:
    client.force_login(make_dana())
    assert client.get(f"/tickets/?client={two[0].pk}").content.decode().count("<tr data-ticket=") == 1
    link(two)
    cache.clear()
    for one in two:
        assert client.get(f"/tickets/?client={one.pk}").content.decode().count("<tr data-ticket=") == 2
    found = client.get("/tickets/filters/?filter=client&typed=north", HTTP_HX_REQUEST="true").content.decode()
    assert found.count("Northwind Dental") <= 1
    board = client.get("/board/?group=client").content.decode()
    assert board.count(">Northwind Dental</h2>") == 1
    lane = board.split(f"id=lane-k{two[0].pk} ")[1].split("</section>")[0]
    assert all(f"data-ticket={one.pk}>" in lane for one in tickets)


def test_a_ticket_says_where_else_the_client_is(
    client: Browser, two: tuple[Client, Client], tickets: list[Ticket], django_assert_max_num_queries: Any
) -> None:
    client.force_login(make_dana())
    assert "Also in" not in client.get(tickets[0].get_absolute_url()).content.decode()
    link(two)
    for number in range(10):
        make_ticket(f"More {number}", psa_account=two[1].psa_account, client=two[1])
    client.get(tickets[0].get_absolute_url())
    with django_assert_max_num_queries(12):
        page = client.get(tickets[0].get_absolute_url()).content.decode()
    side = page.split("Also in")[1]
    assert "Atera" in side[:300]
    assert "Of Atera" in page or "More" in page


def test_a_report_filters_by_the_customer(two: tuple[Client, Client]) -> None:
    link(two)
    assert set(read_filters({"client": str(two[0].pk)}).keys["client"]) == {one.pk for one in two}
    assert read_filters({"client": "none"}).keys["client"] == [0]


def test_more_clients_cost_no_more_queries(client: Browser, django_assert_max_num_queries: Any) -> None:
    client.force_login(make_ada())

    def add(start: int) -> None:
        for number in range(start, start + 10):
            some = [make_client(f"Firm x{number}", psa_account=make_account(name)) for name in ("halo", "atera")]
            if number % 2:
                link((some[0], some[1]))

    add(0)
    client.get(PAGE)
    for _round in range(2):
        cache.clear()
        with django_assert_max_num_queries(10):
            page = client.get(PAGE, {"q": "firm"}).content.decode()
        add(10)
    assert page.count("Firm x") > 10


def test_a_new_ticket_follows_the_customer_into_the_chosen_account(
    client: Browser, two: tuple[Client, Client], tickets: list[Ticket]
) -> None:
    client.force_login(make_dana())
    asked = {"account": two[1].psa_account_id, "client": two[0].pk, "client_text": ""}
    before = client.get("/tickets/new/parts/", asked, HTTP_HX_REQUEST="true").content.decode()
    assert "Also a client in" not in before
    link(two)
    page = client.get("/tickets/new/parts/", asked, HTTP_HX_REQUEST="true").content.decode()
    assert "Halo" in page.split("Also a client in")[1][:200]
    assert (f'data-client="{two[1].pk}"' in page, "data-client=" in before) == (True, False)
