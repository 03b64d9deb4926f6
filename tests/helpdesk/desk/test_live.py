"""The frame in Chromium, over a real server: icons under the strict policy, changes arriving, keys, palette, toasts,
clocks, and what happens when the line or the sign-in goes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import transaction
from django.test import Client
from django.utils import timezone
from playwright.sync_api import expect

from helpdesk.core import live
from helpdesk.core.formatting import duration, open_duration
from helpdesk.sla import book
from helpdesk.sla.models import OpenInterval
from helpdesk.sla.opening import hours_of
from tests import patience
from tests.factories import make_account, make_agent, make_calendar, make_status, make_ticket
from tests.patience import until
from tests.people import make_dana

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PAGE = "/settings/personal/"
EXPECTED_NOISE = ("404", "403", "401", "ERR_", "Failed to load resource", "Status Error Code 500 from /broken/")


@pytest.fixture
def desk(page: Any, live_server: Any) -> Iterator[Any]:
    """Dana's browser, signed in, on a page with the frame; anything the console complains about fails the test."""
    dana = make_dana(make_account())
    client = Client()
    client.force_login(dana)
    cookie = client.cookies["sessionid"]
    page.context.add_cookies([{"name": "sessionid", "value": cookie.value, "url": live_server.url}])
    said: list[str] = []
    page.on("console", lambda m: said.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda e: said.append(str(e)))
    page.base = live_server.url
    page.set_default_timeout(patience.SECONDS * 1000)
    page.goto(live_server.url + PAGE)
    expect(page.locator("#palette")).to_be_attached()  # dialogs, banners and shapes come once the page is idle
    yield page
    page.goto("about:blank")
    wrong = [text for text in said if not any(noise in text for noise in EXPECTED_NOISE)]
    assert not wrong, wrong


def change() -> None:
    with transaction.atomic():
        live.touch(live.DESK)


@pytest.mark.parametrize("where", ["list", "ticket"])
def test_a_change_is_shown_by_its_own_answer(desk: Any, where: str) -> None:
    """Also while the live page hears nothing: the answer brings the line or the head along, and the ring stays."""
    make_agent("Priya Nair")
    ticket = make_ticket("nobody has it", status=make_status("new"))
    desk.route("**/live/**", lambda route: route.abort())
    desk.goto(f"{desk.base}/tickets/" if where == "list" else f"{desk.base}/tickets/{ticket.pk}/")
    part = desk.locator(f'tr[data-ticket="{ticket.pk}"]' if where == "list" else "#head")
    if where == "list":
        part.locator("td").nth(4).click()
    part.evaluate("(node) => { node.mark = 1; }")
    desk.keyboard.press("a")
    desk.locator("#choose [data-find]").fill("Priya")
    desk.keyboard.press("Enter")
    part.get_by_text("Priya").first.wait_for(timeout=4000)
    desk.locator("#choose").wait_for(state="hidden")
    assert part.evaluate("(node) => node.mark") == 1, "merged, not replaced"
    assert where == "ticket" or part.get_attribute("data-focus") == ""


def test_icons_show_under_the_policy(desk: Any) -> None:
    shown = "[...document.querySelectorAll('#rail svg use')].map((u) => u.getBBox()).map((b) => b.width * b.height)"
    assert len(desk.evaluate(shown)) > 5
    until(lambda: min(desk.evaluate(shown)) > 0, page=desk)


def test_counts_come_by_themselves_and_follow(desk: Any) -> None:
    link = desk.locator("#rail-links a", has_text="Needs an owner")
    expect(link.locator(".count")).to_have_text("0")
    desk.evaluate("document.querySelector('#rail-links a').mark = 1")
    make_ticket("nobody has it", status=make_status("new"))
    cache.clear()  # as after the seconds for which numbers are kept
    change()
    expect(link.locator(".count")).to_have_text("1")
    assert desk.evaluate("document.querySelector('#rail-links a').mark") == 1, "merged, not replaced"


def test_typing_goes_on_while_changes_arrive(desk: Any) -> None:
    desk.evaluate(
        """() => {
            const part = document.createElement('div');
            part.id = 'part';
            part.dataset.liveSrc = '/rail/?at=/x/';
            document.getElementById('main').append(part);
            window.heard = 0;
            document.body.addEventListener('live:changed', () => { window.heard += 1; });
        }"""
    )
    desk.fill("#id_name", "Dana W")
    desk.focus("#id_name")
    change()
    until(lambda: desk.evaluate("window.heard > 0"), page=desk)
    desk.locator("#part #rail-links, #part .rail-links a").first.wait_for(state="attached")
    desk.keyboard.type("hit")
    expect(desk.locator("#id_name")).to_have_value("Dana Whit")


def test_the_line_goes_and_comes_back(desk: Any) -> None:
    desk.context.set_offline(True)
    desk.locator("#offline").wait_for()
    expect(desk.locator("#offline [data-since]")).to_contain_text(":")
    desk.context.set_offline(False)
    desk.locator("#offline").wait_for(state="hidden")


def test_signed_out_elsewhere_goes_to_the_door(desk: Any) -> None:
    Session.objects.all().delete()
    cache.clear()
    live.revoke(make_dana().pk)
    desk.wait_for_url("**/accounts/login/**")


def test_signed_out_elsewhere_keeps_what_is_typed(desk: Any) -> None:
    desk.fill("#id_name", "half a sentence")
    live.revoke(make_dana().pk)
    desk.locator("#signed-out").wait_for()
    assert desk.input_value("#id_name") == "half a sentence"


def test_keys(desk: Any) -> None:
    desk.keyboard.press("?")
    sheet = desk.locator("#keys")
    sheet.wait_for()
    expect(sheet).to_contain_text("Search, commands")
    desk.keyboard.press("Escape")
    sheet.wait_for(state="hidden")
    desk.focus("#id_name")
    desk.keyboard.type("?/n")
    expect(desk.locator("#id_name")).to_have_value(re.compile(r"\?/n"))
    expect(sheet).not_to_be_visible()
    desk.evaluate("document.activeElement.blur()")
    desk.keyboard.press("/")
    expect(desk.locator("#search")).to_be_focused()
    desk.evaluate("document.activeElement.blur()")

    def is_there() -> bool:
        # The second key counts within a second of the first: a slow machine presses both again.
        if not desk.url.endswith("/tickets/"):
            desk.keyboard.type("gt")
        return desk.url.endswith("/tickets/")

    until(is_there, page=desk)


def test_the_last_to_register_comes_first_and_may_pass_on(desk: Any) -> None:
    desk.evaluate(
        """() => {
            window.did = [];
            desk.keys.register('q', 'First', 'move', () => { window.did.push('first'); });
            desk.keys.register('q', 'Second', 'move', () => {
                window.did.push('second');
                return window.did.length > 1;
            });
            desk.keys.register('Shift+J', 'Range', 'move', () => { window.did.push('range'); });
        }"""
    )
    desk.keyboard.press("q")
    desk.keyboard.press("Shift+J")
    desk.keyboard.press("q")
    assert desk.evaluate("window.did") == ["second", "first", "range", "second"]


def test_palette_jumps_by_number(desk: Any) -> None:
    ticket = make_ticket("Glass door", number="48207")
    desk.keyboard.press("Control+k")
    desk.keyboard.type("48207")
    option = desk.locator("#palette [role=option][aria-selected=true]", has_text="48207")
    option.wait_for()
    expect(option).to_have_attribute("href", f"/tickets/{ticket.pk}/")
    expect(desk.locator("#palette-input")).to_have_attribute("aria-activedescendant", re.compile("."))
    desk.keyboard.press("Escape")
    desk.locator("#palette").wait_for(state="hidden")


def test_palette_finds_pages_and_keys(desk: Any) -> None:
    desk.evaluate(
        "() => { desk.keys.register('a', 'Assign to somebody', 'dispatch', () => { window.assigned = true; }); }"
    )
    desk.keyboard.press("Control+k")
    desk.keyboard.type("assign")
    desk.locator("#palette [role=option]", has_text="Assign to somebody").click()
    until(lambda: desk.evaluate("window.assigned"), page=desk)
    desk.keyboard.press("Control+k")
    desk.keyboard.type("waiting")
    desk.locator("#palette [role=option]", has_text="Waiting on client").wait_for()
    desk.keyboard.press("Enter")
    desk.wait_for_url("**/tickets/?view=waiting")


def test_one_toast_at_a_time_with_undo(desk: Any) -> None:
    desk.route(
        "**/undo/me/",
        lambda route: route.fulfill(status=200, body="", headers={"HX-Trigger": '{"toast": {"text": "Back again"}}'}),
    )
    desk.evaluate("desk.toast('first')")
    desk.evaluate(
        """() => document.body.dispatchEvent(new CustomEvent('toast', {
            bubbles: true, detail: {text: '<b>48207</b> is yours', undo_url: '/undo/me/'},
        }))"""
    )
    desk.locator(".toast", has_text="<b>48207</b>").wait_for()  # its shape comes with what the page asks for later
    expect(desk.locator(".toast")).to_have_count(1)
    desk.locator(".toast").hover()  # it stays while the pointer rests on it
    with desk.expect_request("**/undo/me/") as request:
        desk.keyboard.press("z")
    assert request.value.method == "POST"
    assert "x-csrftoken" in request.value.headers
    desk.locator(".toast", has_text="Back again").wait_for()


def test_clocks_count_and_flip_on_time(desk: Any) -> None:
    desk.evaluate(
        """() => {
            const now = Math.floor(Date.now() / 1000);
            document.getElementById('main').insertAdjacentHTML('beforeend', `
                <article data-ticket="1" data-state="running"><span class="sla" id="a" data-state="running"
                  data-due="${now + 7200}" data-risk="${now + 1}">On track 2 h<i class="hush">, due</i></span></article>
                <span class="sla" id="b" data-state="at_risk" data-due="${now + 1}">At risk 1 min</span>
                <span class="sla" id="c" data-state="paused">Paused 20 min left</span>`);
        }"""
    )
    desk.locator("#a[data-state=at_risk]").wait_for()
    expect(desk.locator("#a")).to_have_text(re.compile(r"At risk 1 h 5\d min"))
    expect(desk.locator("[data-ticket='1']")).to_have_attribute("data-state", "at_risk")
    desk.locator("#b[data-state=breached]").wait_for()
    expect(desk.locator("#b")).to_have_text(re.compile(r"Breached \d min over"))
    expect(desk.locator("#c")).to_have_text("Paused 20 min left")


def test_durations_are_worded_as_the_server_does(desk: Any) -> None:
    for seconds in (0, 1, 59, 60, 3599, 3600, 3660, 36000, 86399, 86400, 90000, 864000, 900000, 950400):
        assert desk.evaluate(f"desk.clocks.duration({seconds})") == duration(seconds), seconds


def test_theme_turns_at_once_and_is_kept(desk: Any) -> None:
    desk.click(".rail-menu summary")
    with desk.expect_response("**/theme/") as answer:
        desk.click("[data-theme-next]")
    assert answer.value.status == 204
    expect(desk.locator("html")).to_have_attribute("data-theme", "light")
    desk.reload()
    expect(desk.locator("html")).to_have_attribute("data-theme", "light")


def test_a_failed_swap_says_so(desk: Any) -> None:
    desk.route("**/broken/", lambda route: route.fulfill(status=500, body="x"))
    desk.evaluate("htmx.ajax('GET', '/broken/', {target: '#main', swap: 'none'})")
    desk.locator(".toast", has_text="did not answer").wait_for()


# Open time -----------------------------------------------------------------------------------------------------------
def test_open_time_is_counted_as_the_server_does(desk: Any) -> None:
    calendar = make_calendar(time_zone="Pacific/Chatham")
    calendar.intervals.bulk_create(
        OpenInterval(calendar=calendar, weekday=day, opens=opens, closes=closes)
        for day in range(6)
        for opens, closes in ((540, 720), (780, 1050), (1320, 1500))
    )
    book.current()
    desk.reload()
    hours, now = hours_of(calendar.pk), timezone.now()
    assert hours
    for start, end in ((0, 3), (-70, 0), (-20, 40), (0, 300), (5, 5.001), (30, 31)):
        a, b = (int((now + timedelta(hours=n)).timestamp()) for n in (start, end))
        wanted = hours.elapsed(datetime.fromtimestamp(a, UTC), datetime.fromtimestamp(b, UTC))
        assert desk.evaluate(f"desk.clocks.elapsed('{calendar.pk}', {a}, {b})") == wanted, (start, end)
    for seconds in (0, 59, 3660, 86399, 86400, 100000, 1000000):
        assert desk.evaluate(f"desk.clocks.openDuration({seconds})") == open_duration(seconds), seconds


def test_a_clock_stands_still_while_its_desk_is_closed(desk: Any) -> None:
    """A calendar that opens for an hour, three days from now; what it does not tell is left as the server said it."""
    calendar = make_calendar(time_zone="UTC")
    opens = timezone.now() + timedelta(days=3)
    calendar.intervals.create(weekday=opens.weekday(), opens=600, closes=660)
    book.current()
    desk.reload()
    due = int(opens.replace(hour=10, minute=40, second=0).timestamp())
    desk.evaluate(
        f"""() => document.getElementById('main').insertAdjacentHTML('beforeend', `
            <b class="sla" id="a" data-state="running" data-due="{due}" data-cal="{calendar.pk}">x</b>
            <b class="sla" id="b" data-state="running" data-due="{due + 9000000}" data-cal="{calendar.pk}">as told</b>
            <b class="sla" id="c" data-state="running" data-due="{due}" data-cal="777">as told</b>`)"""
    )
    expect(desk.locator("#a")).to_have_text("On track 40 min")
    assert desk.locator("#b").inner_text() == desk.locator("#c").inner_text() == "as told"
