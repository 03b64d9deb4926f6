"""Opening a ticket in a browser: told already, routed while typing, one ticket however often one presses."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from helpdesk.directory.models import Client, PsaAccount
from helpdesk.outbox.models import OutboxItem
from helpdesk.tickets.models import Ticket
from tests.factories import (
    make_category,
    make_client,
    make_priority,
    make_rule,
    make_status,
    make_team,
    make_ticket,
    make_ticket_type,
)
from tests.journeys.test_board_browser import desk
from tests.journeys.test_ticket_browser import real_errors
from tests.patience import until

__all__ = ["desk"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
OPENED = re.compile(r"/tickets/\d+/$")
PRINTER = "Printer on 3rd floor does not print"
SECOND_PRESS_MS = 700
"""As long as the page takes a press for the other half of a double click, by its own clock."""


@pytest.fixture
def acme(desk: Any) -> Any:
    account = PsaAccount.objects.get()
    make_status("new", psa_account=account)
    make_priority(3, psa_account=account)
    make_ticket_type(psa_account=account)
    make_category("Network", psa_account=account)
    desk.route("**/here/", lambda route: route.fulfill(status=204))
    yield make_client("Acme Instruments", psa_account=account)
    desk.goto("about:blank")


def begin(desk: Any, live_server: Any, subject: str) -> None:
    desk.goto(f"{live_server.url}/tickets/new/")
    desk.wait_for_selector("#new-form[data-script]")
    desk.type("#f-client", "acme instr")
    desk.wait_for_selector("#new-clients label")
    desk.keyboard.press("Enter")
    desk.wait_for_selector("#new-side h2:has-text('Acme')")
    desk.keyboard.press("Tab")
    desk.type("#f-subject", subject)


def opened(acme: Client) -> list[Ticket]:
    return list(Ticket.objects.filter(client=acme).order_by("pk"))


def test_a_double_click_opens_one(desk: Any, live_server: Any, acme: Client) -> None:
    begin(desk, live_server, "Scan to folder stopped")
    desk.dblclick("#new-send")
    desk.wait_for_url(OPENED)
    assert len(opened(acme)) == 1
    # Back to the form, by the browser's own button, and sent again.
    desk.go_back()
    desk.wait_for_selector("#new-send")
    desk.wait_for_function("window.desk && desk.composer && window.htmx")
    if desk.input_value("#f-subject"):
        desk.click("#new-send")
        desk.wait_for_function("!document.querySelector('#new-send') || document.querySelector('#new-warning')")
    assert len(opened(acme)) == 1
    assert OutboxItem.objects.filter(verb="create_ticket").count() == 1
    assert not real_errors(desk)


def test_look_alikes_while_typing_and_before_saving(desk: Any, live_server: Any, acme: Client) -> None:
    known = make_ticket(PRINTER, client=acme, psa_account=acme.psa_account)
    begin(desk, live_server, "printer 3rd fl")
    desk.wait_for_selector(f"#new-similar a[href='/tickets/{known.pk}/']")
    expect(desk.locator("#f-subject")).to_be_focused()
    assert desk.locator("#f-priority").count() == 1, "only the look-alikes were drawn anew"
    desk.type("#f-subject", "oor is dead")
    # A double click must not run through the warning.
    desk.dblclick("#new-send")
    desk.wait_for_selector("#new-warning")
    desk.wait_for_timeout(SECOND_PRESS_MS)
    assert len(opened(acme)) == 1
    expect(desk.locator("#new-warning :focus")).to_have_count(1)
    assert desk.input_value("#f-subject") == "printer 3rd floor is dead"
    desk.click("#new-send:has-text('Create anyway')")
    desk.wait_for_url(OPENED)
    assert len(opened(acme)) == 2
    assert not real_errors(desk)


def test_a_rule_fills_in_the_team_and_a_hand_takes_it_over(desk: Any, live_server: Any, acme: Client) -> None:
    field, other = (make_team(name, psa_account=acme.psa_account) for name in ("Field team", "Projects"))
    make_rule(field, client=acme, category="Network")
    begin(desk, live_server, "Wi-Fi drops")
    desk.select_option("#f-category", "Network")
    desk.wait_for_selector("#new-routed:has-text('Routed by: Acme Instruments, category Network → Field team')")
    expect(desk.locator("#f-team")).to_have_value(str(field.pk))
    desk.select_option("#f-team", str(other.pk))
    desk.select_option("#f-impact", "1")
    desk.select_option("#f-urgency", "1")
    desk.wait_for_selector("#new-routed:has-text('Your choice')")
    expect(desk.locator("#f-team")).to_have_value(str(other.pk))
    desk.click("#new-send")
    desk.wait_for_url(OPENED)
    assert [t.team for t in opened(acme)] == [other]
    assert not real_errors(desk)


def test_what_is_chosen_while_an_answer_is_on_its_way_stays(desk: Any, live_server: Any, acme: Client) -> None:
    held: list[Any] = []
    waiting = make_status("waiting", psa_account=acme.psa_account)
    begin(desk, live_server, "Fax line is dead")
    desk.route("**/new/parts/**", lambda route: held.append(route))
    desk.select_option("#f-impact", "1")
    until(lambda: len(held) == 1, page=desk)
    desk.select_option("#f-status", str(waiting.pk))
    desk.select_option("#f-urgency", "2")
    until(lambda: len(held) == 2, page=desk)
    desk.evaluate("() => { document.getElementById('new-parts').isOld = true; }")
    # The later question is answered first.
    for route in reversed(held):
        with desk.expect_response("**/new/parts/**") as answer:
            route.continue_()
        answer.value.finished()
        desk.wait_for_function("!document.getElementById('new-parts').isOld")
    desk.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 50)))")
    chosen = [desk.input_value(f"#f-{name}") for name in ("impact", "urgency", "status")]
    assert chosen == ["1", "2", str(waiting.pk)]
    assert not real_errors(desk)
