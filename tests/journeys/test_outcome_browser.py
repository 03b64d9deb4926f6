"""An outcome in the browser, with a worker and a PSA behind it: told what is missing, sent once, moved and held."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.stack import Stack, quiet, running_stack, signed_in
from tests.patience import until

pytestmark = pytest.mark.browser
WORDS = "Could you tell me which of the two printers it is?"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("demo")) as found:
        yield quiet(found)


@pytest.fixture
def page(browser: Browser, stack: Stack) -> Page:
    return signed_in(browser, stack, "technician")


def a_running_ticket(page: Page, stack: Stack) -> str:
    """The number of an open ticket in work, its page open."""
    page.goto(f"{stack.desk}/tickets/?status=open&account=halo")
    for link in [str(a.get_attribute("href")) for a in page.locator("a[href^='/tickets/']").all()]:
        if re.fullmatch(r"/tickets/\d+/(\?.*)?", link):
            page.goto(stack.desk + link)
            number = str(page.locator("#ticket").get_attribute("data-number"))
            if stack.ticket(number)["status_id"] == 2:
                return number
    raise AssertionError("no ticket in work")


def named(record: Any, name: str) -> list[Any]:
    return [a for a in record["actions"] if a["outcome"] == name]


def test_an_outcome_with_a_note_that_was_missing(page: Page, stack: Stack) -> None:
    number = a_running_ticket(page, stack)
    before = len(named(stack.ticket(number), "Ask the Client"))
    # By keys: the palette opens it, the words follow at once.
    page.keyboard.press("Control+k")
    page.locator("#palette input").fill("ask the")
    expect(page.locator('#palette [data-outcome][aria-selected="true"]')).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator(".outcome-chosen")).to_contain_text("Moves to Waiting on Client, pauses the clock")
    expect(page.locator(".outcome-public")).to_be_visible()
    expect(page.locator("#composer-text")).to_be_focused()
    page.keyboard.press("Control+Enter")
    expect(page.locator("#composer-text-wrong")).to_contain_text("“Ask the Client” needs a note.")
    expect(page.locator("#composer-text")).to_be_focused()
    page.keyboard.type(WORDS)
    page.keyboard.press("Control+Enter")
    expect(page.locator("#timeline")).to_contain_text(WORDS)
    expect(page.locator(".outcome-chosen")).to_have_count(0)
    found = until(lambda: named(stack.ticket(number), "Ask the Client")[before:], what="the PSA to hold the action")
    assert len(found) == 1
    assert found[0]["hiddenfromuser"] is False
    until(
        lambda: [stack.ticket(number)[name] for name in ("status_id", "onhold")] == [5, True], what="the PSA to move it"
    )
    expect(page.locator("#head")).to_contain_text("Waiting on Client")
    expect(page.locator('#head .clock[data-state="paused"], #head .clock[data-state="met"]').first).to_be_visible()
    assert len(named(stack.ticket(number), "Ask the Client")) == before + 1
