"""The board in a browser: keys, drag, refusal before the drop, and what others do appearing by itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone
from playwright.sync_api import expect

from helpdesk.core.origin import Origin
from helpdesk.tickets import services
from helpdesk.tickets.models import Ticket
from tests import patience
from tests.factories import make_account, make_agent, make_organisation, make_ticket
from tests.patience import until
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
    page.set_default_timeout(patience.SECONDS * 1000)
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
    ticket.refresh_from_db()
    return ticket.agent.name if ticket.agent else ""


def wait_for_owner(page: Any, ticket: Ticket, name: str) -> None:
    until(lambda: owner_of(ticket) == name, what=f"{name or 'nobody'} has {ticket}", page=page)


def go(page: Any, live_server: Any, path: str) -> None:
    """The page with all that it fetches once it is idle: dialogs, banners, shapes."""
    page.goto(live_server.url + path)
    expect(page.locator("#palette")).to_be_attached()


def keep_toast(page: Any, words: str) -> None:
    """A toast goes after eight seconds, unless the pointer rests on it."""
    expect(page.locator("#toasts")).to_contain_text(words)
    page.locator("#toasts .toast").hover()


def card(ticket: Ticket, more: str = "") -> str:
    return f".card[data-ticket='{ticket.pk}']{more}"


def test_assign_by_keys_and_undo(desk: Any, live_server: Any) -> None:
    make_agent("Priya Nair")
    first, second = make_waiting(2)
    go(desk, live_server, "/board/")
    desk.keyboard.press("j")
    desk.wait_for_selector(card(first, "[data-focus]"))
    desk.keyboard.press("a")
    desk.wait_for_selector("#choose[open] [data-find]:focus")
    desk.keyboard.type("pri")
    desk.keyboard.press("Enter")
    keep_toast(desk, "Priya’s now")
    wait_for_owner(desk, first, "Priya Nair")
    desk.wait_for_selector(f".lane:has-text('Priya Nair') {card(first)}")
    # The ring stays where the work is: on the card that took the place.
    desk.wait_for_selector(card(second, "[data-focus]"))
    desk.keyboard.press("z")
    wait_for_owner(desk, first, "")
    desk.wait_for_selector(f"#lane-owner {card(first)}")
    assert desk.errors == []


def test_what_is_typed_before_the_dialog_comes_is_for_the_dialog(desk: Any, live_server: Any) -> None:
    make_agent("Priya Nair")
    make_agent("Tom Hedley")
    first, _second = make_waiting(2)
    go(desk, live_server, "/board/")
    held: list[Any] = []
    desk.route("**/choose/agent/", lambda route: held.append(route))
    desk.keyboard.press("j")
    desk.keyboard.press("a")
    desk.keyboard.type("pri")
    desk.keyboard.press("Enter")
    until(lambda: held, page=desk)
    held[0].continue_()
    wait_for_owner(desk, first, "Priya Nair")
    expect(desk.locator("#choose")).not_to_be_visible()
    assert desk.url.endswith("/board/"), "no key opened the ticket, or another dialog"
    assert len(held) == 1


def drag(page: Any, ticket: Ticket, lane: str, *, drop: bool = True) -> None:
    box = page.locator(card(ticket)).bounding_box()
    there = page.locator(".lane", has_text=lane).bounding_box()
    page.mouse.move(box["x"] + 40, box["y"] + 12)
    page.mouse.down()
    page.mouse.move(box["x"] + 80, box["y"] + 40, steps=3)
    page.mouse.move(there["x"] + 100, there["y"] + 200, steps=8)
    if drop:
        page.mouse.up()


def test_drag_gives_the_ticket_away(desk: Any, live_server: Any) -> None:
    make_agent("Priya Nair")
    (ticket,) = make_waiting(1)
    go(desk, live_server, "/board/")
    drag(desk, ticket, "Priya Nair", drop=False)
    expect(desk.locator(".lane[data-drop=allowed]")).to_have_count(1)
    expect(desk.locator(".ghost")).to_have_count(1)
    desk.mouse.up()
    wait_for_owner(desk, ticket, "Priya Nair")
    desk.wait_for_selector(f".lane:has-text('Priya Nair') {card(ticket)}")
    assert desk.url.endswith("/board/")
    assert desk.errors == []


def test_a_drop_that_would_be_refused_says_why_before_it_happens(desk: Any, live_server: Any) -> None:
    make_agent("Tom Hedley", psa_account=make_account("other", title="Other PSA"))
    (ticket,) = make_waiting(1)
    go(desk, live_server, "/board/")
    sent: list[str] = []
    desk.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    drag(desk, ticket, "Tom Hedley", drop=False)
    desk.wait_for_selector(".lane[data-drop=refused] .refusal:has-text('Tom has no agent in HaloPSA')")
    desk.mouse.up()
    # A drop that goes through is sent as the ghost goes.
    expect(desk.locator(".ghost, .refusal")).to_have_count(0)
    expect(desk.locator(f"#lane-owner {card(ticket)}")).to_have_count(1)
    assert owner_of(ticket) == ""
    assert sent == []


def test_what_others_do_appears_by_itself_and_nothing_moves_under_the_hand(desk: Any, live_server: Any) -> None:
    priya = make_agent("Priya Nair")
    tickets = make_waiting(25)
    go(desk, live_server, "/board/")
    for _ in range(15):
        desk.keyboard.press("j")
    desk.keyboard.press("x")
    desk.wait_for_selector(card(tickets[14], "[data-focus][data-selected]"))
    before = desk.evaluate("document.querySelector('#lane-owner .lane-cards').scrollTop")
    assert before > 0
    services.assign_ticket(ticket=tickets[20], agent=priya, origin=Origin.psa("Somebody"), now=timezone.now())
    desk.wait_for_selector(f".lane:has-text('Priya Nair') {card(tickets[20])}")
    assert desk.evaluate("document.querySelector('#lane-owner .lane-cards').scrollTop") == before
    expect(desk.locator(".card[data-focus]")).to_have_attribute("data-ticket", str(tickets[14].pk))
    expect(desk.locator(card(tickets[14], "[data-selected]"))).to_have_count(1)
    expect(desk.locator("#bulk-box[data-shown]")).to_have_count(1)
    assert desk.errors == []


def test_several_at_once(desk: Any, live_server: Any) -> None:
    make_agent("Priya Nair")
    tickets = make_waiting(3)
    go(desk, live_server, "/board/")
    for key in ("j", "x", "j", "x"):
        desk.keyboard.press(key)
    expect(desk.locator(".card[data-selected]")).to_have_count(2)
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
    page.click(f"{card(ticket)} a")
    page.wait_for_url(f"**{ticket.get_absolute_url()}")
    context.close()
