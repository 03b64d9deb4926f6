"""The list in a browser: the ring, the preview, choosers, bulk, and changes of others."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from helpdesk.core.origin import Origin
from helpdesk.tickets import services
from helpdesk.tickets.models import Ticket
from tests.factories import make_action, make_agent, make_clock, make_priority, make_ticket
from tests.journeys.test_board_browser import desk, go, owner_of, wait_for_owner

__all__ = ["desk"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def make_rows(count: int) -> list[Ticket]:
    now = timezone.now()
    return [
        make_ticket(f"Ticket {i}", next_due_at=now + timedelta(hours=i + 2), next_at_risk_at=None) for i in range(count)
    ]


def test_ring_preview_and_open(desk: Any, live_server: Any) -> None:
    first, second = make_rows(2)
    make_clock(first)
    make_action(first, "Driver rolled back.", is_internal=True)
    go(desk, live_server, "/tickets/")
    desk.keyboard.press("j")
    desk.keyboard.press("Space")
    desk.wait_for_selector(f".preview[data-of='{first.pk}'] >> text=Driver rolled back.")
    desk.keyboard.press("j")
    desk.wait_for_selector(f".preview[data-of='{second.pk}']")
    desk.keyboard.press("Space")
    expect(desk.locator(".preview")).to_have_count(0)
    desk.keyboard.press("Enter")
    desk.wait_for_url(f"**{second.get_absolute_url()}")
    assert desk.errors == []


def test_owner_by_key_from_a_row(desk: Any, live_server: Any) -> None:
    make_agent("Priya Nair")
    (ticket,) = make_rows(1)
    go(desk, live_server, "/tickets/")
    desk.keyboard.press("j")
    desk.keyboard.press("a")
    desk.wait_for_selector("#choose[open] [data-find]:focus")
    desk.keyboard.type("nair")
    desk.keyboard.press("Enter")
    wait_for_owner(desk, ticket, "Priya Nair")
    desk.wait_for_selector(f"tr[data-ticket='{ticket.pk}'] >> text=Priya")


def test_bulk_by_keys_gives_results(desk: Any, live_server: Any) -> None:
    tickets = make_rows(3)
    make_priority(1)
    go(desk, live_server, "/tickets/")
    for key in ("j", "x", "j", "x", "p"):
        desk.keyboard.press(key)
    desk.wait_for_selector("#choose[open] >> text=Priority of 2 tickets")
    desk.keyboard.type("crit")
    desk.keyboard.press("Enter")
    desk.wait_for_selector(".toast >> text=2 tickets are")
    expect(desk.locator("#choose[open]")).to_have_count(0)
    expect(desk.locator("tbody tr[data-focus]:focus")).to_have_count(1)
    assert owner_of(tickets[0]) == ""
    assert tickets[0].rank == 1
    assert desk.errors == []


def test_a_change_of_others_keeps_selection_ring_and_scroll(desk: Any, live_server: Any) -> None:
    tickets = make_rows(40)
    priya = make_agent("Priya Nair")
    go(desk, live_server, "/tickets/")
    for _ in range(30):
        desk.keyboard.press("j")
    desk.keyboard.press("x")
    desk.wait_for_selector(f"tr[data-ticket='{tickets[29].pk}'][data-focus] [name=pick]:checked")
    before = desk.evaluate("document.querySelector('#table').scrollTop")
    assert before > 0
    services.assign_ticket(ticket=tickets[28], agent=priya, origin=Origin.psa("Somebody"), now=timezone.now())
    desk.wait_for_selector(f"tr[data-ticket='{tickets[28].pk}'] >> text=Priya")
    assert desk.evaluate("document.querySelector('#table').scrollTop") == before
    expect(desk.locator("tr[data-focus]")).to_have_attribute("data-ticket", str(tickets[29].pk))
    expect(desk.locator(f"tr[data-ticket='{tickets[29].pk}'] [name=pick]:checked")).to_have_count(1)


def test_add_filter_by_key(desk: Any, live_server: Any) -> None:
    make_rows(2)
    go(desk, live_server, "/tickets/")
    desk.keyboard.press("f")
    desk.click("#filter-box >> text=Priority")
    desk.click("#filter-box >> text=High")
    desk.wait_for_url("**/tickets/?priority=2")
    expect(desk.locator("#table")).to_contain_text("No ticket matches")
