"""The board in a browser: keys, drag, refusal before the drop, and what others do appearing by itself."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client as Browser
from django.utils import timezone

from helpdesk.core.origin import Origin
from helpdesk.tickets import services
from helpdesk.tickets.models import Ticket
from tests.factories import make_account, make_agent, make_organisation, make_ticket
from tests.people import make_dana

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def sign_in(page: Any, live_server: Any, user: Any) -> None:
    browser = Browser()
    browser.force_login(user)
    page.context.add_cookies(
        [{"name": "sessionid", "value": browser.cookies["sessionid"].value, "url": live_server.url}]
    )


@pytest.fixture
def desk(page: Any, live_server: Any) -> Any:
    make_organisation()
    account = make_account(title="HaloPSA")
    page.set_viewport_size({"width": 1440, "height": 900})
    sign_in(page, live_server, make_dana(account))
    page.errors = []
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.on("console", lambda m: page.errors.append(m.text) if m.type == "error" else None)
    return page


def make_waiting(count: int, **values: Any) -> list[Ticket]:
    now = timezone.now()
    return [
        make_ticket(f"Ticket {i}", next_due_at=now + timedelta(hours=i + 2), next_at_risk_at=None, **values)
        for i in range(count)
    ]


def owner_of(ticket: Ticket) -> str:
    for _ in range(20):
        try:
            ticket.refresh_from_db()
            return ticket.agent.name if ticket.agent else ""
        except OperationalError:  # the server's thread writes this very table of the shared test database
            time.sleep(0.05)
    raise AssertionError("the table stayed locked")


def wait_for_owner(page: Any, ticket: Ticket, name: str) -> None:
    for _ in range(40):
        if owner_of(ticket) == name:
            return
        page.wait_for_timeout(100)
    assert owner_of(ticket) == name


def test_assign_by_keys_and_undo(desk: Any, live_server: Any) -> None:
    make_agent("Priya Nair")
    first, second = make_waiting(2)
    desk.goto(f"{live_server.url}/board/")
    for key in ("j", "a"):
        desk.keyboard.press(key)
        desk.wait_for_timeout(100)
    desk.wait_for_selector("#choose[open] [data-find]:focus")
    desk.keyboard.type("pri")
    desk.keyboard.press("Enter")
    wait_for_owner(desk, first, "Priya Nair")
    desk.wait_for_selector(f".lane:has-text('Priya Nair') .card[data-ticket='{first.pk}']")
    assert "Priya’s now" in desk.inner_text("#toasts")
    # The ring stays where the work is: on the card that took the place.
    desk.wait_for_selector(f".card[data-ticket='{second.pk}'][data-focus]")
    desk.keyboard.press("z")
    wait_for_owner(desk, first, "")
    desk.wait_for_selector(f"#lane-owner .card[data-ticket='{first.pk}']")
    assert desk.errors == []


def drag(page: Any, ticket: Ticket, lane: str, *, drop: bool = True) -> None:
    box = page.locator(f".card[data-ticket='{ticket.pk}']").bounding_box()
    there = page.locator(".lane", has_text=lane).bounding_box()
    page.mouse.move(box["x"] + 40, box["y"] + 12)
    page.mouse.down()
    page.mouse.move(box["x"] + 80, box["y"] + 40, steps=3)
    page.mouse.move(there["x"] + 100, there["y"] + 200, steps=8)
    page.wait_for_timeout(300)
    if drop:
        page.mouse.up()


def test_drag_gives_the_ticket_away(desk: Any, live_server: Any) -> None:
    make_agent("Priya Nair")
    (ticket,) = make_waiting(1)
    desk.goto(f"{live_server.url}/board/")
    drag(desk, ticket, "Priya Nair", drop=False)
    assert desk.locator(".lane[data-drop=allowed]").count() == 1
    assert desk.locator(".ghost").count() == 1
    desk.mouse.up()
    wait_for_owner(desk, ticket, "Priya Nair")
    desk.wait_for_selector(f".lane:has-text('Priya Nair') .card[data-ticket='{ticket.pk}']")
    assert desk.url.endswith("/board/")
    assert desk.errors == []


def test_a_drop_that_would_be_refused_says_why_before_it_happens(desk: Any, live_server: Any) -> None:
    make_agent("Tom Hedley", psa_account=make_account("other", title="Other PSA"))
    (ticket,) = make_waiting(1)
    desk.goto(f"{live_server.url}/board/")
    drag(desk, ticket, "Tom Hedley", drop=False)
    desk.wait_for_selector(".lane[data-drop=refused] .refusal:has-text('Tom has no agent in HaloPSA')")
    desk.mouse.up()
    desk.wait_for_timeout(300)
    assert owner_of(ticket) == ""
    assert desk.locator(f"#lane-owner .card[data-ticket='{ticket.pk}']").count() == 1
    assert desk.locator(".ghost, .refusal").count() == 0


def test_what_others_do_appears_within_two_seconds_and_nothing_moves_under_the_hand(
    desk: Any, live_server: Any
) -> None:
    priya = make_agent("Priya Nair")
    tickets = make_waiting(25)
    desk.goto(f"{live_server.url}/board/")
    desk.wait_for_timeout(1800)
    desk.keyboard.press("j")
    for _ in range(14):
        desk.keyboard.press("j")
    desk.keyboard.press("x")
    before = desk.evaluate("document.querySelector('#lane-owner .lane-cards').scrollTop")
    assert before > 0
    services.assign_ticket(ticket=tickets[20], agent=priya, origin=Origin.psa("Somebody"), now=timezone.now())
    desk.wait_for_selector(f".lane:has-text('Priya Nair') .card[data-ticket='{tickets[20].pk}']", timeout=2000)
    assert desk.evaluate("document.querySelector('#lane-owner .lane-cards').scrollTop") == before
    assert desk.get_attribute(".card[data-focus]", "data-ticket") == str(tickets[14].pk)
    assert desk.locator(f".card[data-ticket='{tickets[14].pk}'][data-selected]").count() == 1
    assert desk.locator("#bulk-box[data-shown]").count() == 1
    assert desk.errors == []


def test_several_at_once(desk: Any, live_server: Any) -> None:
    make_agent("Priya Nair")
    tickets = make_waiting(3)
    desk.goto(f"{live_server.url}/board/")
    for key in ("j", "x", "j", "x"):
        desk.keyboard.press(key)
    drag(desk, tickets[1], "Priya Nair")
    wait_for_owner(desk, tickets[0], "Priya Nair")
    wait_for_owner(desk, tickets[1], "Priya Nair")
    assert owner_of(tickets[2]) == ""


def test_the_board_reads_without_script(browser: Any, live_server: Any) -> None:
    make_organisation()
    (ticket,) = make_waiting(1)
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, live_server, make_dana(make_account()))
    page.goto(f"{live_server.url}/board/")
    page.click(f".card[data-ticket='{ticket.pk}'] a")
    assert page.url.endswith(ticket.get_absolute_url())
    context.close()
