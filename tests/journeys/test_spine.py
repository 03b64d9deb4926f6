"""The spine, as people walk it: board, technician, worker, PSA and back, and the client who only gets a link."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.journeys.stack import Stack, quiet, running_stack, sha256, signed_in
from tests.patience import until

pytestmark = pytest.mark.browser

REPLY = "The toner is replaced and a test page came out. Does it work for you?"
SECRET = "Third time this month: tell Marcus about the old contract."
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("demo")) as found:
        yield quiet(found)


def number_of(card: Any) -> str:
    return str(card.evaluate("card => card.querySelector('.client').previousSibling.data"))


def test_the_spine(browser: Browser, stack: Stack, tmp_path: Path) -> None:
    dana, priya = signed_in(browser, stack, "dispatcher"), signed_in(browser, stack, "technician")

    # The dispatcher gives the first ticket without an owner to Priya, with keys only.
    dana.goto(f"{stack.desk}/board/?account=halo")
    card = dana.locator(".lane-owner .card").first
    pk, number = str(card.get_attribute("data-ticket")), number_of(card)
    dana.locator(f'.lane-owner .card[data-ticket="{pk}"] h3 a').focus()
    expect(dana.locator(f'.card[data-ticket="{pk}"][data-focus]')).to_be_attached()
    dana.keyboard.press("a")
    dana.locator("[data-find]").fill("Priya")
    dana.keyboard.press("Enter")
    lane = dana.locator(".lane", has=dana.get_by_role("heading", name="Priya Nair"))
    expect(lane.locator(f'[data-ticket="{pk}"]')).to_be_visible()
    until(lambda: stack.ticket(number)["agent_id"] == 4, what="the PSA hears of the new owner")

    # The technician answers with a file and 15 minutes, and leaves a note for colleagues.
    priya.goto(f"{stack.desk}/tickets/{pk}/")
    file = tmp_path / "test-page.png"
    file.write_bytes(PICTURE)
    priya.locator("label[class~=tab]", has_text="Reply").click()
    priya.locator("#composer-text").fill(REPLY)
    priya.locator("#composer input[name=time]").fill("0:15")
    priya.locator("#composer input[type=file]").set_input_files(str(file))
    expect(priya.locator("#uploads")).to_contain_text("test-page.png")
    priya.locator("#composer [data-send]").click()
    mine = priya.locator(".entry", has_text=REPLY)
    expect(mine).to_have_attribute("data-visibility", "public")
    priya.locator("label[class~=tab]", has_text="Internal note").click()
    priya.locator("#composer-text").fill(SECRET)
    priya.locator("#composer [data-send]").click()
    expect(priya.locator(".entry", has_text=SECRET)).to_have_attribute("data-visibility", "internal")

    # The worker delivers: one action each, the file byte for byte, and the page says so by itself.
    def delivered() -> Any:
        record = stack.ticket(number)
        replies = [a for a in record["actions"] if REPLY[:30] in (a.get("note") or "")]
        return record if replies and record["attachments"] else None

    record = until(delivered, what="the reply reaches the PSA")
    replies = [a for a in record["actions"] if REPLY[:30] in (a.get("note") or "")]
    assert len(replies) == 1
    assert replies[0]["hiddenfromuser"] is False
    assert replies[0]["timetaken"] == 0.25
    notes = until(lambda: [a for a in stack.ticket(number)["actions"] if SECRET[:30] in (a.get("note") or "")])
    assert [a["hiddenfromuser"] for a in notes] == [True]
    assert [a["sha256"] for a in record["attachments"]] == [sha256(PICTURE)]
    expect(mine.locator('[data-sync="sent"]').first).to_be_attached()
    writes = [r for r in stack.control("GET", "requests?psa=halopsa") if r["method"] == "POST" and r["applied"]]
    sent = [r for r in writes if r["path"].lower().endswith("/actions") and REPLY[:30] in str(r["body"])]
    assert len(sent) == 1

    # What somebody changes in the PSA shows on the open board by itself.
    stack.control("POST", f"halopsa/tickets/{number}", {"summary": "Renamed in the PSA"})
    expect(dana.locator(f'[data-ticket="{pk}"]')).to_contain_text("Renamed in the PSA")

    # The client opens the link from the ticket, without signing in: the answer, and never the note.
    priya.reload()
    priya.get_by_role("button", name="Status link for the client").click()
    address = priya.locator("#client-link input[readonly]").input_value()
    client = browser.new_context().new_page()
    client.goto(stack.desk + address[address.index("/status/") :])
    expect(client.locator("body")).to_contain_text(REPLY)
    assert SECRET[:20] not in client.content()
    assert "Marcus" not in client.content()
