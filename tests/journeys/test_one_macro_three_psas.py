"""One board over three PSAs, one macro on a ticket of each, and three records as each PSA wants them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.stack import Stack, quiet, running_stack, signed_in
from tests.patience import until

pytestmark = pytest.mark.browser
NAME = "on its way"
WORDS = "The spare part is ordered and comes tomorrow before noon."
MINUTES = 12
HOURS = 0.2
DANA = {"halo": 3, "autotask": 29744150, "atera": 9001}
"""The dispatcher, as each sandbox knows her."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("demo")) as found:
        yield quiet(found)


@pytest.fixture
def page(browser: Browser, stack: Stack) -> Page:
    return signed_in(browser, stack, "dispatcher")


def make_macro(page: Page, stack: Stack) -> None:
    """In the settings, in canonical words: none of them is a PSA's."""
    page.goto(f"{stack.desk}/settings/macros/add/")
    page.fill("input[name=name]", NAME)
    page.select_option("select[name=kind]", "reply")
    page.fill("textarea[name=body]", f"Hi {{{{contact.first_name}}}},\n\n{WORDS}\n\n{{{{agent.first_name}}}}")
    page.select_option("select[name=status_category]", "waiting_client")
    page.select_option("select[name=owner]", "me")
    page.fill("input[name=minutes]", str(MINUTES))
    page.get_by_role("button", name="Save").click()
    expect(page.locator("table.macros")).to_contain_text(NAME)


def open_one(page: Page, stack: Stack, account: str, *, status: str = "") -> str:
    """The page of a ticket in work whose contact is known, in this status of the PSA; its address is given back."""
    page.goto(f"{stack.desk}/board/?group=status&team=all&account={account}")
    links = page.locator("#lane-c-open .card h3 a").evaluate_all("all => all.map(a => a.getAttribute('href'))")
    assert links, f"no ticket of {account} in work"
    for link in links:
        page.goto(f"{stack.desk}{link}")
        words = page.locator("[data-dialog=status]").first.inner_text().strip()
        if page.locator("#composer [name=to]").input_value() and words.startswith(status):
            return str(link)
    raise AssertionError(f"no ticket of {account} fits")


def run_macro(page: Page) -> str:
    """By keys: a slash, its first letters, Enter; what it does stands in the form before it is sent.

    The PSA's own status that it leads to is given back.
    """
    expect(page.locator("#composer[data-script]")).to_be_attached()  # until then a slash is a slash
    page.locator("#composer-text").click()
    page.keyboard.type("/on its")
    expect(page.locator("#macro-box [data-macro]", has_text=NAME)).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("#composer-text")).to_have_value(re.compile(f"^Hi .*{re.escape(WORDS)}.*Dana$", re.DOTALL))
    expect(page.locator("#composer [name=kind]:checked")).to_have_value("reply")
    expect(page.locator("#composer [name=time]")).to_have_value("0:12")
    chosen = page.locator("#composer [name=status] option:checked").inner_text()
    page.locator("#composer [data-send]").click()
    expect(page.locator(".entry", has_text=WORDS).first).to_have_attribute("data-visibility", "public")
    expect(page.locator("#composer-text")).to_have_value("")
    return chosen


def write_of(stack: Stack, psa: str, path: str) -> Any:
    """The accepted write that carried the words to this PSA: there is exactly one."""
    rows = stack.control("GET", f"requests?psa={psa}")
    found = [
        row for row in rows
        if row["method"] == "POST" and row["applied"] and re.search(path, row["path"]) and WORDS in str(row["body"])
    ]  # fmt: skip
    assert len(found) < 2, f"{psa} was told twice"
    return found[0] if found else None


def test_one_macro_on_a_ticket_of_each(page: Page, stack: Stack) -> None:
    make_macro(page, stack)
    page.goto(f"{stack.desk}/board/?group=status&team=all")
    for title in ("HaloPSA", "Autotask", "Atera"):
        expect(page.locator(".card .psa", has_text=title).first).to_be_attached()

    done: list[tuple[str, str]] = []
    for account in ("halo", "autotask", "atera"):
        link = open_one(page, stack, account)
        done.append((link, run_macro(page)))
    assert [status for _link, status in done[:2]] == ["Waiting on Client", "Waiting Customer"]

    in_halo(stack)
    in_autotask(stack)
    in_atera(stack, done[2][1])

    # The desk says the same of each, read back from its PSA.
    for link, status in done:
        page.goto(f"{stack.desk}{link}")
        expect(page.locator("[data-dialog=status]").first).to_contain_text(status)
        expect(page.locator(".entry", has_text=WORDS)).to_have_count(1)
        expect(page.locator('.entry[data-sync="pending"], .entry[data-sync="refused"]')).to_have_count(0)


def test_the_way_to_closed_is_one_act_and_one_undo(page: Page, stack: Stack) -> None:
    link = open_one(page, stack, "atera", status="Open")
    close_through_resolved(page)
    page.locator("#toasts [data-undo]").click()
    expect(page.locator("[data-dialog=status]").first).to_contain_text("Open")
    first = until(lambda: status_writes(stack)[1:], what="Atera hears both") and status_writes(stack)
    assert [status for _number, status in first] == ["Resolved", "Open"]

    page.goto(f"{stack.desk}{link}")
    close_through_resolved(page)
    number = first[0][0]
    until(
        lambda: stack.control("GET", f"atera/tickets/{number}")["TicketStatus"] == "Closed",
        what="it is closed, once nobody took it back",
    )  # fmt: skip
    assert [status for _number, status in status_writes(stack)[2:]] == ["Resolved", "Closed"]
    page.goto(f"{stack.desk}{link}")
    page.locator("[data-dialog=status]").first.click()
    expect(page.locator("#choose-body")).to_contain_text("Closed is final in Atera")
    expect(page.locator("#choose-body button[name=value]:not([disabled])")).to_have_count(0)


def close_through_resolved(page: Page) -> None:
    page.locator("[data-dialog=status]").first.click()
    page.locator("#choose-body .palette-item", has_text="Resolved, then Closed").click()
    dialog = page.locator("#ask")
    expect(dialog).to_contain_text("cannot be closed at once")
    dialog.locator("[name=share]").uncheck()
    dialog.get_by_role("button", name="Resolved, then Closed").click()
    page.locator("#toasts [data-undo]").hover()  # it stays while the pointer rests on it
    expect(page.locator("[data-dialog=status]").first).to_contain_text("Closed")


def status_writes(stack: Stack) -> list[tuple[str, str]]:
    """Ticket and status of every change of a status that Atera took by itself, oldest first."""
    found = []
    for row in stack.control("GET", "requests?psa=atera"):
        ticket = re.search(r"/tickets/(\d+)$", row["path"])
        status = re.search(r"""['"]TicketStatus['"]: ?['"](\w+)['"]""", str(row["body"]))
        if (
            row["method"] == "POST"
            and row["applied"]
            and ticket
            and status
            and status[1] in ("Open", "Resolved", "Closed")
        ):
            found.append((ticket[1], status[1]))
    return found


def in_halo(stack: Stack) -> None:
    """One action carries words, status and time; the owner is a write of its own before it."""
    write = until(lambda: write_of(stack, "halopsa", r"(?i)/actions$"), what="the reply reaches HaloPSA")
    number = re.search(r"""['"]ticket_id['"]: ?(\d+)""", str(write["body"]))
    assert number is not None

    def moved() -> Any:
        record = stack.control("GET", f"halopsa/tickets/{number[1]}")
        return record if (record["status_id"], record["agent_id"]) == (5, DANA["halo"]) else None

    record = until(moved, what="HaloPSA has status and owner")
    said = [a for a in record["actions"] if WORDS in (a.get("note") or "")]
    assert [(a["hiddenfromuser"], a["timetaken"]) for a in said] == [(False, HOURS)]


def in_autotask(stack: Stack) -> None:
    """A public note, a time entry of its own with a role, and the resource together with its role."""
    write = until(lambda: write_of(stack, "autotask", r"/Notes$"), what="the reply reaches Autotask")
    found = re.search(r"/Tickets/(\d+)/Notes$", write["path"])
    assert found is not None

    def moved() -> Any:
        record = stack.control("GET", f"autotask/tickets/{found[1]}")
        is_booked = [
            t for t in record["time_entries"] if t["resourceID"] == DANA["autotask"] and t["hoursWorked"] == HOURS
        ]
        return record if record["status"] == 7 and is_booked else None

    record = until(moved, what="Autotask has status and time")
    assert record["assignedResourceID"] == DANA["autotask"]
    assert record["assignedResourceRoleID"]
    said = [n for n in record["notes"] if WORDS in n["description"]]
    assert [n["publish"] for n in said] == [1]
    booked = [t for t in record["time_entries"] if t["resourceID"] == DANA["autotask"] and t["hoursWorked"] == HOURS]
    assert len(booked) == 1
    assert booked[0]["roleID"] == record["assignedResourceRoleID"]


def in_atera(stack: Stack, status: str) -> None:
    """A comment that the client sees, work hours, technician and status: a tenant may have several that wait."""
    write = until(lambda: write_of(stack, "atera", r"/comments$"), what="the reply reaches Atera")
    found = re.search(r"/tickets/(\d+)/comments$", write["path"])
    assert found is not None

    def moved() -> Any:
        record = stack.control("GET", f"atera/tickets/{found[1]}")
        return record if record["TicketStatus"] == status and hours_of(record) else None

    def hours_of(record: Any) -> list[Any]:
        return [
            t for t in record["time_entries"] if t["TechnicianContactID"] == DANA["atera"] and minutes_of(t) == MINUTES
        ]

    record = until(moved, what="Atera has status and time")
    assert record["TechnicianContactID"] == DANA["atera"]
    said = [a for a in record["actions"] if WORDS in a["Comment"]]
    assert [(a["IsInternal"], a["TechnicianContactID"]) for a in said] == [(False, DANA["atera"])]
    assert len(hours_of(record)) == 1


def minutes_of(entry: Any) -> int:
    starts, ends = (str(entry[name])[11:16].split(":") for name in ("StartWorkHour", "EndWorkHour"))
    first, last = (int(hour) * 60 + int(minute) for hour, minute in (starts, ends))
    return (last - first) % (24 * 60)
