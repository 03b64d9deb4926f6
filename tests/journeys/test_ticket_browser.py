"""One ticket in a browser: write by key, nothing typed is lost, what others do appears by itself."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from helpdesk.actions.models import Action, Draft, Macro
from helpdesk.core.origin import Origin
from helpdesk.directory.models import PsaAccount
from helpdesk.tickets import services
from helpdesk.tickets.models import Ticket
from tests.factories import make_action, make_client, make_contact, make_priority, make_status, make_team, make_ticket
from tests.journeys.test_board_browser import desk

__all__ = ["desk"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
RULES = [{"to_categories": ["resolved"], "needs": ["resolution"], "text": "Resolution is required"}]


@pytest.fixture
def ticket(desk: Any) -> Iterator[Ticket]:
    account = PsaAccount.objects.get()
    account.transition_rules, account.capabilities = RULES, {"attachments_upload": True}
    account.save()
    client = make_client(psa_account=account, domain="northwind.test")
    contact = make_contact(client, email="aoife@northwind.test")
    # "I am still here" has its own tests; its beats would meet the locks of the one SQLite database that tests share.
    desk.route("**/here/", lambda route: route.fulfill(status=204))
    yield make_ticket(psa_account=account, contact=contact)
    desk.goto("about:blank")


def soon(look: Callable[[], Any]) -> Any:
    """What `look` gives once it gives something; the server's thread shares the test's one SQLite database."""
    for _ in range(60):
        try:
            found = look()
            if found:
                return found
        except OperationalError:
            pass
        time.sleep(0.1)
    raise AssertionError("it did not happen within 6 s")


def open_page(desk: Any, live_server: Any, ticket: Ticket) -> None:
    desk.goto(f"{live_server.url}/tickets/{ticket.pk}/")
    desk.wait_for_function("window.desk && desk.keys && desk.composer && desk.live")


def real_errors(desk: Any) -> list[str]:
    """A 422 is an answer, though the console calls it an error."""
    return [e for e in desk.errors if "422" not in e]


def test_a_note_by_keys_is_shown_at_once_and_stays(desk: Any, live_server: Any, ticket: Ticket) -> None:
    open_page(desk, live_server, ticket)
    desk.keyboard.press("n")
    desk.keyboard.type("Scanner log attached.")
    desk.keyboard.press("Control+Enter")
    entry = desk.locator(".timeline .entry[data-visibility=internal]", has_text="Scanner log attached.")
    entry.wait_for(timeout=3000)
    assert desk.locator("#composer-text").input_value() == ""
    desk.wait_for_timeout(2500)
    assert entry.count() == 1
    assert Action.objects.count() == 1
    assert real_errors(desk) == []


def test_the_whole_box_says_who_will_read_it(desk: Any, live_server: Any, ticket: Ticket) -> None:
    open_page(desk, live_server, ticket)
    box = desk.locator("#composer")
    assert box.get_attribute("data-visibility") == "internal"
    desk.keyboard.press("r")
    assert box.get_attribute("data-visibility") == "public"
    assert desk.locator("[name=to]").input_value() == "aoife@northwind.test"
    desk.keyboard.press("Escape")
    desk.locator(".tab", has_text="Call").click()
    assert box.get_attribute("data-visibility") == "internal"
    assert not desk.locator("[name=to]").is_visible()


def test_the_draft_survives_a_reload_with_everything(desk: Any, live_server: Any, ticket: Ticket) -> None:
    open_page(desk, live_server, ticket)
    desk.keyboard.press("r")
    desk.keyboard.type("Half a sentence")
    desk.fill("[name=time]", "0:18")
    desk.set_input_files(".plain-files", {"name": "log.txt", "mimeType": "text/plain", "buffer": b"hello"})
    desk.locator(".upload", has_text="log.txt").wait_for()
    desk.locator("#draft-state", has_text="Draft kept").wait_for(timeout=3000)
    desk.wait_for_timeout(1500)
    soon(lambda: Draft.objects.get().fields.get("files"))
    desk.reload()
    assert desk.locator("#composer-text").input_value() == "Half a sentence"
    assert desk.locator("[name=time]").input_value() == "0:18"
    assert desk.locator("#kind-reply").is_checked()
    assert desk.locator(".upload", has_text="log.txt").count() == 1


def test_what_was_typed_after_the_session_ended_comes_back(desk: Any, live_server: Any, ticket: Ticket) -> None:
    open_page(desk, live_server, ticket)
    desk.keyboard.press("n")
    desk.keyboard.type("Known to the server")
    soon(lambda: Draft.objects.first())
    desk.locator("#draft-state time").wait_for()
    desk.wait_for_timeout(1200)
    desk.route("**/draft/", lambda route: route.fulfill(status=401))
    desk.keyboard.type(", and the rest")
    desk.locator("#draft-state", has_text="Kept in this browser").wait_for(timeout=4000)
    desk.unroute("**/draft/")
    desk.reload()
    assert desk.locator("#composer-text").input_value() == "Known to the server, and the rest"


def test_what_others_do_appears_and_typed_text_stays(desk: Any, live_server: Any, ticket: Ticket) -> None:
    open_page(desk, live_server, ticket)
    desk.keyboard.press("n")
    desk.keyboard.type("I am in the middle of")
    urgent = make_priority(1, psa_account=ticket.psa_account)
    make_action(ticket, "A word from Ann", occurred_at=timezone.now())
    soon(
        lambda: services.change_ticket(
            ticket=ticket, changes={"priority": urgent}, origin=Origin.psa("Ann"), now=timezone.now()
        )
    )
    started = time.monotonic()
    desk.locator(".ticket-line .prio", has_text="Critical").wait_for(timeout=4000)
    desk.locator(".timeline", has_text="A word from Ann").wait_for(timeout=2000)
    assert time.monotonic() - started < 3
    assert desk.locator("#composer-text").input_value() == "I am in the middle of"
    assert desk.evaluate("document.activeElement.id") == "composer-text"
    desk.keyboard.type(" a word")
    assert desk.locator("#composer-text").input_value() == "I am in the middle of a word"


def test_status_by_key_asks_for_what_is_missing(desk: Any, live_server: Any, ticket: Ticket) -> None:
    make_status("resolved", psa_account=ticket.psa_account)
    open_page(desk, live_server, ticket)
    desk.keyboard.press("s")
    desk.wait_for_selector("#choose[open] [data-find]:focus")
    desk.keyboard.type("res")
    desk.keyboard.press("Enter")
    desk.locator("#resolve-text").fill("New toner")
    desk.locator("#ask .button-primary").click()
    desk.locator(".ticket-line .status", has_text="Resolved").wait_for(timeout=4000)
    assert soon(lambda: Ticket.objects.get(pk=ticket.pk).resolution) == "New toner"


def test_a_field_is_edited_in_place(desk: Any, live_server: Any, ticket: Ticket) -> None:
    open_page(desk, live_server, ticket)
    desk.keyboard.press("e")
    field = desk.locator("#edit-subject")
    field.wait_for()
    field.fill("Never mind")
    desk.keyboard.press("Escape")
    desk.locator("h1", has_text=ticket.subject).wait_for()
    desk.keyboard.press("e")
    field.fill("Printer in room 2")
    desk.keyboard.press("Enter")
    desk.locator("h1", has_text="Printer in room 2").wait_for()
    assert soon(lambda: Ticket.objects.filter(subject="Printer in room 2").exists())
    assert real_errors(desk) == []


def test_a_macro_by_slash(desk: Any, live_server: Any, ticket: Ticket) -> None:
    Macro.objects.create(name="test page", body="Hi {{contact.first_name}}, one test page please.")
    open_page(desk, live_server, ticket)
    desk.keyboard.press("n")
    desk.keyboard.type("/tes")
    desk.locator("[data-macro][data-on]").wait_for()
    desk.keyboard.press("Enter")
    assert desk.locator("#composer-text").input_value() == "Hi Aoife, one test page please."
    assert desk.locator("#kind-reply").is_checked()


def test_a_macro_brings_status_and_minutes(desk: Any, live_server: Any, ticket: Ticket) -> None:
    waiting = make_status("waiting_client", psa_account=ticket.psa_account)
    Macro.objects.create(name="wait", body="Please look.", status_category="waiting_client", minutes=15)
    open_page(desk, live_server, ticket)
    desk.keyboard.press("n")
    desk.keyboard.type("/wait")
    shown = desk.locator("[data-macro][data-on] .end")
    assert shown.inner_text() == f"reply, {waiting.name}, 15 min"
    desk.keyboard.press("Enter")
    assert desk.locator("#composer [name=status]").input_value() == str(waiting.pk)
    assert desk.locator("#composer [name=time]").input_value() == "0:15"
    assert desk.locator("#composer").get_attribute("data-visibility") == "public"


def test_the_clients_link_stays_until_it_is_put_away(desk: Any, live_server: Any, ticket: Ticket) -> None:
    open_page(desk, live_server, ticket)
    desk.get_by_role("button", name="Status link for the client").click()
    address = desk.locator("#client-link input[readonly]")
    address.wait_for()
    shown = address.input_value()
    make_action(ticket, "A word from Ann", occurred_at=timezone.now())
    desk.wait_for_timeout(3000)
    assert desk.locator("#client-link").count() == 1
    assert address.input_value() == shown
    desk.locator("#client-link [data-put-away]").click()
    assert address.count() == 0
    desk.get_by_role("button", name="Status link for the client").click()
    address.wait_for()
    assert real_errors(desk) == []


IN_VIEW = """() => {
  const last = [...document.querySelectorAll("#timeline-list > .entry")].at(-1).getBoundingClientRect();
  const top = document.getElementById("composer").getBoundingClientRect().top;
  return last.bottom <= top + 1 && last.top >= 0;
}"""


def test_the_newest_entry_is_in_view(desk: Any, live_server: Any, ticket: Ticket) -> None:
    for number in range(30):
        make_action(ticket, f"Word {number}", occurred_at=timezone.now())
    open_page(desk, live_server, ticket)
    assert desk.evaluate(IN_VIEW)
    assert desk.evaluate("document.activeElement === document.body")
    desk.keyboard.press("r")
    desk.keyboard.type("The newest word\n\nof all")
    desk.keyboard.press("Control+Enter")
    desk.locator(".timeline .entry", has_text="The newest word").wait_for(timeout=4000)
    desk.wait_for_timeout(2500)
    assert desk.evaluate(IN_VIEW)
    assert desk.locator("#kind-reply").is_checked()
    desk.goto(f"{live_server.url}/tickets/{ticket.pk}/?show=public")
    assert desk.evaluate("scrollY") == 0


def test_a_short_ticket_opens_at_its_head(desk: Any, live_server: Any, ticket: Ticket) -> None:
    open_page(desk, live_server, ticket)
    assert desk.evaluate("scrollY") == 0


def test_a_choice_is_saved_as_it_is_made(desk: Any, live_server: Any, ticket: Ticket) -> None:
    team = make_team("Field", psa_account=ticket.psa_account)
    open_page(desk, live_server, ticket)
    desk.locator("#field-team a").click()
    desk.locator("#edit-team:focus").wait_for()
    desk.wait_for_timeout(500)  # a person looks before choosing; on a loaded machine htmx settles that late
    desk.locator("#edit-team").select_option(label="Field")
    desk.locator("#field-team .held", has_text="Field").wait_for(timeout=8000)
    assert soon(lambda: Ticket.objects.filter(pk=ticket.pk, team=team).exists())


def test_enter_chooses_the_client_instead_of_sending(desk: Any, live_server: Any, ticket: Ticket) -> None:
    make_client("Northgate", psa_account=ticket.psa_account)
    for keys, name in ((["Enter"], "Northgate"), (["ArrowDown", "ArrowDown", "Enter"], "Northwind")):
        desk.goto(f"{live_server.url}/tickets/new/")
        desk.wait_for_function("window.desk && desk.composer")
        desk.locator("#f-client").fill("")
        desk.locator("#f-client").press_sequentially("North")
        for key in keys:
            desk.keyboard.press(key)
        desk.locator("#new-side h2", has_text=name).wait_for(timeout=4000)
        assert name in desk.locator("#f-client").input_value()
        assert desk.locator("#f-client-key").input_value()
    assert real_errors(desk) == []


def test_a_wrong_time_is_named_and_the_words_stay(desk: Any, live_server: Any, ticket: Ticket) -> None:
    open_page(desk, live_server, ticket)
    desk.keyboard.press("n")
    desk.keyboard.type("Kept")
    desk.fill("[name=time]", "soon")
    desk.keyboard.press("Control+Enter")
    desk.locator("#composer-time-wrong").wait_for()
    assert desk.locator("#composer-text").input_value() == "Kept"
    assert desk.evaluate("document.activeElement.name") == "time"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_nothing(desk: Any, live_server: Any, ticket: Ticket, scheme: str, width: int) -> None:
    from axe_playwright_python.sync_playwright import Axe

    make_action(ticket, "<p>secret <code>plan</code></p>", body_is_html=True, is_internal=True)
    make_action(ticket, "open words", kind="reply")
    desk.emulate_media(color_scheme=scheme)
    desk.set_viewport_size({"width": width, "height": 900})
    for path in (f"/tickets/{ticket.pk}/", "/tickets/new/", f"/tickets/{ticket.pk}/status/"):
        desk.goto(live_server.url + path)
        desk.wait_for_timeout(300)
        found = Axe().run(desk, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})
        assert found.violations_count == 0, re.sub(r"\s+", " ", found.generate_report())[:3000]


def test_an_answer_later_than_the_live_page_adds_nothing(desk: Any, live_server: Any, ticket: Ticket) -> None:
    open_page(desk, live_server, ticket)
    entry = desk.locator(".timeline .entry[data-visibility=internal]", has_text="Slow line.")

    def hold_back(route: Any) -> None:
        answer = route.fetch()
        desk.evaluate("() => void desk.live.now()")
        entry.first.wait_for(timeout=6000)
        route.fulfill(response=answer)

    desk.route("**/actions/", hold_back)
    desk.keyboard.press("n")
    desk.keyboard.type("Slow line.")
    desk.keyboard.press("Control+Enter")
    entry.first.wait_for(timeout=6000)
    soon(lambda: desk.locator("#composer-text").input_value() == "")
    assert entry.count() == 1


def test_a_dialog_on_a_page_of_its_own_works(desk: Any, live_server: Any, ticket: Ticket) -> None:
    waiting = make_status("waiting_client", psa_account=ticket.psa_account)
    desk.goto(f"{live_server.url}/tickets/{ticket.pk}/status/")
    desk.locator(f"button[name=value][value='{waiting.pk}']").click()
    desk.wait_for_url(re.compile(rf"/tickets/{ticket.pk}/$"))
    ticket.refresh_from_db()
    assert ticket.status == waiting
