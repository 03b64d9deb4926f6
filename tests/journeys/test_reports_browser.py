"""The manager's pages in a browser: nothing for axe to find, no wider than a phone, charts and tables by keyboard."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from helpdesk.reports.services import fold
from helpdesk.tickets.models import Ticket
from tests.factories import make_account, make_client, make_organisation
from tests.helpdesk.reports.histories import History
from tests.journeys.test_board_browser import sign_in
from tests.people import make_mona

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PAGES = [
    "", "compliance/", "times/", "breaches/", "backlog/", "workload/", "clients/", "tickets/?metric=reopened",
    "schedules/",
]  # fmt: skip
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@pytest.fixture
def desk(page: Any, live_server: Any) -> Any:
    make_organisation()
    page.set_viewport_size({"width": 1440, "height": 900})
    sign_in(page, live_server, make_mona())
    page.errors = []
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.on("console", lambda m: page.errors.append(m.text) if m.type == "error" else None)
    return page


def make_history() -> History:
    made = History(5, make_account(title="HaloPSA"), timezone.now() - timedelta(days=60))
    made.go_on(130)
    Ticket.objects.exclude(changed_at__lt=timezone.now()).update(changed_at=timezone.now())
    while fold(now=timezone.now()).is_more:
        pass
    return made


def addresses(client: int) -> list[str]:
    pages = [*PAGES, f"clients/{client}/"]
    return [f"/reports/{page}{'&' if '?' in page else '?'}period=quarter" for page in pages]


def look(desk: Any, address: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    desk.goto(address)
    desk.wait_for_load_state("load")
    desk.evaluate("() => { for (const one of document.querySelectorAll('details')) one.open = true; }")
    found = Axe().run(desk, options={"runOnly": RULES})
    assert found.violations_count == 0, address + re.sub(r"\s+", " ", found.generate_report())[:3000]


@pytest.mark.parametrize(
    ("width", "scheme", "is_empty"),
    [(1440, "light", True), (390, "dark", True), *((w, s, False) for w in (1440, 390) for s in ("light", "dark"))],
)
def test_axe_finds_nothing_on_any_page(desk: Any, live_server: Any, width: int, scheme: str, is_empty: bool) -> None:
    desk.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    desk.set_viewport_size({"width": width, "height": 900})
    client = make_client("Nothing yet") if is_empty else make_history().clients[0]
    for address in addresses(client.pk):
        look(desk, live_server.url + address)
    assert desk.errors == []


def test_no_page_is_wider_than_a_phone(desk: Any, live_server: Any) -> None:
    made = make_history()
    filters = f"&client={','.join(str(client.pk) for client in made.clients)}"
    for width in (320, 390):
        desk.set_viewport_size({"width": width, "height": 800})
        for address in addresses(made.clients[0].pk):
            desk.goto(live_server.url + address + ("" if "/clients/" in address else filters))
            assert desk.evaluate("document.scrollingElement.scrollWidth") == width, address


@pytest.mark.parametrize("name", ["", "backlog/"])
def test_a_chart_is_one_tab_stop_that_arrow_keys_walk(desk: Any, live_server: Any, name: str) -> None:
    make_history()
    desk.goto(f"{live_server.url}/reports/{name}?period=30d")
    stops = desk.locator("svg.chart a[tabindex='0']")
    assert stops.count() == 1
    assert desk.locator("svg.chart a").count() > 5
    said = "() => document.activeElement.querySelector('title')?.textContent"
    for _ in range(90):
        desk.keyboard.press("Tab")
        if desk.evaluate(said):
            break
    last = desk.evaluate(said)
    assert last
    desk.keyboard.press("ArrowLeft")
    before = desk.evaluate(said)
    assert before != last
    assert desk.locator(".chart-said").first.text_content() == before
    assert stops.count() == 1
    desk.keyboard.press("Home")
    desk.keyboard.press("End")
    assert desk.evaluate(said) == last
    desk.keyboard.press("Tab")
    assert not desk.evaluate(said)
    desk.keyboard.press("Shift+Tab")
    assert desk.evaluate(said) == last
    desk.keyboard.press("Enter")
    desk.wait_for_url("**/reports/tickets/**")
    number = re.search(r": (\d+) ", last)[1]  # type: ignore[index]
    assert desk.locator("#count").text_content().split()[0] == number
    assert desk.errors == []
