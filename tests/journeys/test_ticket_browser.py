"""One ticket in a browser: write by key, nothing typed is lost, what others do appears by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from helpdesk.actions.models import Action, Draft, Macro
from helpdesk.core.origin import Origin
from helpdesk.directory.models import PsaAccount
from helpdesk.tickets import services
from helpdesk.tickets.models import Ticket
from tests.factories import make_action, make_client, make_contact, make_priority, make_status, make_team, make_ticket
from tests.journeys.test_board_browser import desk, go
from tests.patience import until

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
    # "I am still here" has its own tests; a last beat would write while the database is emptied for the next test.
    desk.route("**/here/", lambda route: route.fulfill(status=204))
    yield make_ticket(psa_account=account, contact=contact)
    desk.goto("about:blank")


def open_page(desk: Any, live_server: Any, ticket: Ticket) -> None:
    go(desk, live_server, f"/tickets/{ticket.pk}/")


def refreshed(desk: Any, part: str) -> None:
    """The part is fetched anew and merged, as after a change of others; twice, as one may have been on its way."""
    for _ in range(2):
        desk.evaluate(
            """(id) => new Promise((done) => {
                const part = document.getElementById(id);
                part.addEventListener("desk:morphed", done, { once: true });
                desk.live.refresh(part);
            })""",
            part,
        )


def kept(**values: str) -> bool:
    """Whether the server's draft holds all of this."""
    draft = Draft.objects.first()
    return draft is not None and values.items() <= draft.fields.items()


def real_errors(desk: Any) -> list[str]:
    """A 422 is an answer, though the console calls it an error."""
    return [e for e in desk.errors if "422" not in e]


def test_a_note_by_keys_is_shown_at_once_and_stays(desk: Any, live_server: Any, ticket: Ticket) -> None:
    open_page(desk, live_server, ticket)
    desk.keyboard.press("n")
    desk.keyboard.type("Scanner log attached.")
    desk.keyboard.press("Control+Enter")
    entry = desk.locator(".timeline .entry[data-visibility=internal]", has_text="Scanner log attached.")
    entry.first.wait_for()
    expect(desk.locator("#composer-text")).to_have_value("")
    refreshed(desk, "timeline")
    assert entry.count() == 1
    assert Action.objects.count() == 1
    assert real_errors(desk) == []


def test_the_whole_box_says_who_will_read_it(desk: Any, live_server: Any, ticket: Ticket) -> None:
    open_page(desk, live_server, ticket)
    box = desk.locator("#composer")
    expect(box).to_have_attribute("data-visibility", "internal")
    desk.keyboard.press("r")
    expect(box).to_have_attribute("data-visibility", "public")
    expect(desk.locator("[name=to]")).to_have_value("aoife@northwind.test")
    desk.keyboard.press("Escape")
    desk.locator(".tab", has_text="Call").click()
    expect(box).to_have_attribute("data-visibility", "internal")
    expect(desk.locator("[name=to]")).not_to_be_visible()


def test_the_draft_survives_a_reload_with_everything(desk: Any, live_server: Any, ticket: Ticket) -> None:
    open_page(desk, live_server, ticket)
    desk.keyboard.press("r")
    desk.keyboard.type("Half a sentence")
    desk.fill("[name=time]", "0:18")
    desk.set_input_files(".plain-files", {"name": "log.txt", "mimeType": "text/plain", "buffer": b"hello"})
    desk.locator(".upload", has_text="log.txt").wait_for()
    desk.locator("#draft-state", has_text="Draft kept").wait_for()
    until(lambda: kept(text="Half a sentence", time="0:18") and Draft.objects.get().fields.get("files"), page=desk)
    desk.reload()
    expect(desk.locator("#composer-text")).to_have_value("Half a sentence")
    expect(desk.locator("[name=time]")).to_have_value("0:18")
    expect(desk.locator("#kind-reply")).to_be_checked()
    expect(desk.locator(".upload", has_text="log.txt")).to_have_count(1)


def test_what_was_typed_after_the_session_ended_comes_back(desk: Any, live_server: Any, ticket: Ticket) -> None:
    open_page(desk, live_server, ticket)
    desk.keyboard.press("n")
    desk.keyboard.type("Known to the server")
    until(lambda: kept(text="Known to the server"), page=desk)
    desk.locator("#draft-state time").wait_for()
    desk.route("**/draft/", lambda route: route.fulfill(status=401))
    desk.keyboard.type(", and the rest")
    desk.locator("#draft-state", has_text="Kept in this browser").wait_for()
    desk.wait_for_function("JSON.stringify({ ...localStorage }).includes(', and the rest')")
    desk.unroute("**/draft/")
    desk.reload()
    expect(desk.locator("#composer-text")).to_have_value("Known to the server, and the rest")


def test_what_others_do_appears_and_typed_text_stays(desk: Any, live_server: Any, ticket: Ticket) -> None:
    open_page(desk, live_server, ticket)
    desk.keyboard.press("n")
    desk.keyboard.type("I am in the middle of")
    urgent = make_priority(1, psa_account=ticket.psa_account)
    make_action(ticket, "A word from Ann", occurred_at=timezone.now())
    services.change_ticket(ticket=ticket, changes={"priority": urgent}, origin=Origin.psa("Ann"), now=timezone.now())
    desk.locator(".ticket-line .prio", has_text="Critical").wait_for()
    desk.locator(".timeline", has_text="A word from Ann").wait_for()
    expect(desk.locator("#composer-text")).to_have_value("I am in the middle of")
    expect(desk.locator("#composer-text")).to_be_focused()
    desk.keyboard.type(" a word")
    expect(desk.locator("#composer-text")).to_have_value("I am in the middle of a word")


def test_status_by_key_asks_for_what_is_missing(desk: Any, live_server: Any, ticket: Ticket) -> None:
    make_status("resolved", psa_account=ticket.psa_account)
    open_page(desk, live_server, ticket)
    desk.keyboard.press("s")
    desk.wait_for_selector("#choose[open] [data-find]:focus")
    desk.keyboard.type("res")
    desk.keyboard.press("Enter")
    desk.locator("#resolve-text").fill("New toner")
    desk.locator("#ask .button-primary").click()
    desk.locator(".ticket-line .status", has_text="Resolved").wait_for()
    assert Ticket.objects.get(pk=ticket.pk).resolution == "New toner"


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
    assert Ticket.objects.filter(subject="Printer in room 2").exists()
    assert real_errors(desk) == []


def test_a_macro_by_slash(desk: Any, live_server: Any, ticket: Ticket) -> None:
    Macro.objects.create(name="test page", body="Hi {{contact.first_name}}, one test page please.")
    open_page(desk, live_server, ticket)
    desk.keyboard.press("n")
    desk.keyboard.type("/tes")
    desk.locator("[data-macro][data-on]").wait_for()
    desk.keyboard.press("Enter")
    expect(desk.locator("#composer-text")).to_have_value("Hi Aoife, one test page please.")
    expect(desk.locator("#kind-reply")).to_be_checked()


def test_a_late_answer_does_not_bring_the_macros_back(desk: Any, live_server: Any, ticket: Ticket) -> None:
    Macro.objects.create(name="test page", body="One test page please.")
    open_page(desk, live_server, ticket)
    desk.keyboard.press("n")
    desk.keyboard.type("/te")
    desk.locator("[data-macro][data-on]").wait_for()
    held: list[Any] = []
    desk.route("**/macros/**", lambda route: held.append(route))
    desk.keyboard.type("s")
    until(lambda: held, page=desk)
    desk.keyboard.press("Enter")
    expect(desk.locator("#composer-text")).to_have_value("One test page please.")
    with desk.expect_response("**/macros/**") as answer:
        held[0].continue_()
    answer.value.finished()
    desk.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 50)))")
    assert not desk.locator("#macro-box").is_visible()
    assert real_errors(desk) == []


def test_a_macro_brings_status_and_minutes(desk: Any, live_server: Any, ticket: Ticket) -> None:
    waiting = make_status("waiting_client", psa_account=ticket.psa_account)
    Macro.objects.create(name="wait", body="Please look.", status_category="waiting_client", minutes=15)
    open_page(desk, live_server, ticket)
    desk.keyboard.press("n")
    desk.keyboard.type("/wait")
    shown = desk.locator("[data-macro][data-on] .end")
    expect(shown).to_have_text(f"reply, {waiting.name}, 15 min")
    desk.keyboard.press("Enter")
    expect(desk.locator("#composer [name=status]")).to_have_value(str(waiting.pk))
    expect(desk.locator("#composer [name=time]")).to_have_value("0:15")
    expect(desk.locator("#composer")).to_have_attribute("data-visibility", "public")


def test_the_clients_link_stays_until_it_is_put_away(desk: Any, live_server: Any, ticket: Ticket) -> None:
    open_page(desk, live_server, ticket)
    desk.get_by_role("button", name="Status link for the client").click()
    address = desk.locator("#client-link input[readonly]")
    address.wait_for()
    shown = address.input_value()
    refreshed(desk, "details")
    assert desk.locator("#client-link").count() == 1
    assert address.input_value() == shown
    desk.locator("#client-link [data-put-away]").click()
    expect(address).to_have_count(0)
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
    desk.wait_for_function(IN_VIEW)
    assert desk.evaluate("document.activeElement === document.body")
    desk.keyboard.press("r")
    desk.keyboard.type("The newest word\n\nof all")
    desk.keyboard.press("Control+Enter")
    desk.locator(".timeline .entry", has_text="The newest word").wait_for()
    refreshed(desk, "timeline")
    desk.wait_for_function(IN_VIEW)
    expect(desk.locator("#kind-reply")).to_be_checked()
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
    desk.locator("#edit-team").select_option(label="Field")
    desk.locator("#field-team .held", has_text="Field").wait_for()
    assert Ticket.objects.filter(pk=ticket.pk, team=team).exists()


def test_enter_chooses_the_client_instead_of_sending(desk: Any, live_server: Any, ticket: Ticket) -> None:
    make_client("Northgate", psa_account=ticket.psa_account)
    for keys, name in ((["Enter"], "Northgate"), (["ArrowDown", "ArrowDown", "Enter"], "Northwind")):
        desk.goto(f"{live_server.url}/tickets/new/")
        desk.wait_for_function("window.desk && desk.composer")
        desk.locator("#f-client").fill("")
        desk.locator("#f-client").press_sequentially("North")
        for key in keys:
            desk.keyboard.press(key)
        desk.locator("#new-side h2", has_text=name).wait_for()
        expect(desk.locator("#f-client")).to_have_value(re.compile(name))
        expect(desk.locator("#f-client-key")).to_have_value(re.compile("."))
    assert real_errors(desk) == []


def test_a_wrong_time_is_named_and_the_words_stay(desk: Any, live_server: Any, ticket: Ticket) -> None:
    open_page(desk, live_server, ticket)
    desk.keyboard.press("n")
    desk.keyboard.type("Kept")
    desk.fill("[name=time]", "soon")
    desk.keyboard.press("Control+Enter")
    desk.locator("#composer-time-wrong").wait_for()
    # In the same moment: whoever types on types there.
    assert desk.evaluate("document.activeElement.name") == "time"
    expect(desk.locator("#composer-text")).to_have_value("Kept")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_nothing(desk: Any, live_server: Any, ticket: Ticket, scheme: str, width: int) -> None:
    from axe_playwright_python.sync_playwright import Axe

    make_action(ticket, "<p>secret <code>plan</code></p>", body_is_html=True, is_internal=True)
    make_action(ticket, "open words", kind="reply")
    desk.emulate_media(color_scheme=scheme)
    desk.set_viewport_size({"width": width, "height": 900})
    for path in (f"/tickets/{ticket.pk}/", "/tickets/new/", f"/tickets/{ticket.pk}/status/"):
        go(desk, live_server, path)
        found = Axe().run(desk, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})
        assert found.violations_count == 0, re.sub(r"\s+", " ", found.generate_report())[:3000]


def test_an_answer_later_than_the_live_page_adds_nothing(desk: Any, live_server: Any, ticket: Ticket) -> None:
    open_page(desk, live_server, ticket)
    entry = desk.locator(".timeline .entry[data-visibility=internal]", has_text="Slow line.")

    def hold_back(route: Any) -> None:
        answer = route.fetch()
        desk.evaluate("() => void desk.live.now()")
        entry.first.wait_for()
        route.fulfill(response=answer)

    desk.route("**/actions/", hold_back)
    desk.keyboard.press("n")
    desk.keyboard.type("Slow line.")
    desk.keyboard.press("Control+Enter")
    entry.first.wait_for()
    expect(desk.locator("#composer-text")).to_have_value("")
    assert entry.count() == 1


def test_a_dialog_on_a_page_of_its_own_works(desk: Any, live_server: Any, ticket: Ticket) -> None:
    waiting = make_status("waiting_client", psa_account=ticket.psa_account)
    desk.goto(f"{live_server.url}/tickets/{ticket.pk}/status/")
    desk.locator(f"button[name=value][value='{waiting.pk}']").click()
    desk.wait_for_url(re.compile(rf"/tickets/{ticket.pk}/$"))
    ticket.refresh_from_db()
    assert ticket.status == waiting
