"""What a PSA's word means is changed in the browser: looked at in place, saved, and open lists follow by themselves."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.stack import Stack, quiet, running_stack, signed_in

pytestmark = pytest.mark.browser
MAPPING = "/settings/mapping/halo/"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("demo")) as found:
        yield quiet(found)


def choose(page: Page, name: str, category: str) -> None:
    line = page.locator("#statuses tr", has=page.locator("th", has_text=name))
    line.locator(".map-to select").select_option(category)


def test_a_word_means_something_else_and_an_open_list_follows(browser: Browser, stack: Stack) -> None:
    desk = signed_in(browser, stack, "dispatcher")
    desk.goto(f"{stack.desk}/tickets/?category=escalated&account=halo")
    rows = desk.locator("tr[data-ticket]")
    before = rows.count()

    ada = signed_in(browser, stack, "admin")
    ada.goto(stack.desk + MAPPING)
    choose(ada, "In Progress", "escalated")
    ada.evaluate("window.kept = true")
    ada.locator("#statuses-look").focus()
    ada.keyboard.press("Enter")
    expect(ada.locator("#preview-statuses")).to_contain_text("In progress, running")
    expect(ada.locator("#preview-statuses")).to_contain_text("Escalated, running")
    assert ada.evaluate("window.kept") is True, "shown in place"
    expect(ada.locator("#statuses-look")).to_be_focused()
    expect(ada.locator("#priorities select").first).to_be_visible()
    ada.locator("#statuses-save").click()
    expect(ada.locator("main")).to_contain_text("1 value changed.")
    expect(ada.locator("#mapping-progress")).to_be_empty()

    expect(rows).not_to_have_count(before)
    shown = desk.locator("tr[data-ticket] .status").first
    expect(shown).to_have_text("Escalated")
    expect(shown).to_have_attribute("title", "In Progress")  # the PSA's own name stays

    # Back to what the PSA's words say.
    line = ada.locator("#statuses tr", has_text="changed here").first
    expect(line).to_contain_text("suggested: In progress, running")
    line.get_by_role("button", name="Reset").click()
    expect(ada.locator("#preview-statuses")).to_contain_text("Escalated, running")
    ada.locator("#statuses-save").click()
    expect(ada.locator("#statuses")).not_to_contain_text("changed here")
    expect(rows).to_have_count(before)


def test_without_script_it_is_two_pages(browser: Browser, stack: Stack) -> None:
    ada = signed_in(browser, stack, "admin", script=False)
    ada.goto(stack.desk + MAPPING)
    line = ada.locator("#priorities tr", has=ada.locator("th", has_text="Low"))
    line.locator("select").select_option("3")
    ada.locator("#priorities-look").click()
    expect(ada.locator("#preview-priorities")).to_contain_text("Medium")
    ada.locator("#priorities-save").click()
    expect(ada.locator("main")).to_contain_text("1 value changed.")
    expect(ada.locator("#priorities")).to_contain_text("changed here")
