"""One ticket's page: who may open it, what it shows, what it costs, and what its composer does."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from helpdesk.actions.models import Action, Attachment, Draft, Macro, TimeEntry
from helpdesk.core.origin import Origin
from helpdesk.directory.models import PsaAccount
from helpdesk.outbox import services as outbox
from helpdesk.outbox.choices import Reason
from helpdesk.outbox.models import OutboxItem
from helpdesk.tickets.models import Ticket, TicketEvent
from helpdesk.tickets.services import change_ticket
from tests.factories import (
    NOW,
    make_account,
    make_action,
    make_client,
    make_clock,
    make_contact,
    make_organisation,
    make_priority,
    make_status,
    make_ticket,
    make_time_entry,
)
from tests.people import make_cleo, make_dana, make_mona, make_otto, make_theo

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
MARKER = "7a2b6d4e-0000-4000-8000-000000000001"
RULES = [
    {"to_categories": ["resolved", "closed"], "needs": ["resolution"], "text": "Resolution is required"},
    {"from_categories": ["open"], "to_categories": ["new"], "level": "warning", "text": "Back to the start"},
]


@pytest.fixture
def halo(db: None) -> PsaAccount:
    make_organisation()
    return make_account(title="HaloPSA", transition_rules=RULES, capabilities={"attachments_upload": True})


@pytest.fixture
def ticket(halo: PsaAccount) -> Ticket:
    client = make_client(psa_account=halo, domain="northwind.test")
    contact = make_contact(client, email="aoife@northwind.test", phone="0117 496")
    ticket = make_ticket(psa_account=halo, contact=contact, description="It does not print")
    make_clock(ticket, "response")
    make_clock(ticket)
    return ticket


@pytest.fixture
def theo(client: Browser, halo: PsaAccount) -> Browser:
    client.force_login(make_theo(halo))
    return client


def page(browser: Browser, ticket: Ticket, query: str = "") -> str:
    answer = browser.get(f"/tickets/{ticket.pk}/{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def send(browser: Browser, ticket: Ticket, **data):
    given = {"marker": MARKER, "kind": "note", "text": "Driver rolled back.", "billable": "yes", **data}
    return browser.post(f"/tickets/{ticket.pk}/actions/", given, headers=HTMX)


# ---- reading ----


def test_everything_a_person_looks_for(theo: Browser, ticket: Ticket) -> None:
    text = page(theo, ticket)
    for words in (ticket.subject, ticket.number, "It does not print", "aoife@northwind.test", "0117 496", "Northwind"):
        assert words in text
    assert text.count("data-clock=") >= 2
    assert 'data-live-src="/tickets/' in text


def test_nobody_else_opens_it(ticket: Ticket) -> None:
    for person in (make_cleo(ticket.psa_account), make_otto(ticket.psa_account)):
        browser = Browser()
        browser.force_login(person)
        for path in ("", "part/side/", "status/", "macros/", "field/subject/"):
            assert browser.get(f"/tickets/{ticket.pk}/{path}").status_code in (403, 404)
        assert send(browser, ticket).status_code == 403
    assert not Action.objects.exists()
    assert Browser().get(f"/tickets/{ticket.pk}/").status_code == 302


def test_a_ticket_that_is_gone_is_a_record_to_read_and_nothing_to_change(theo: Browser, ticket: Ticket) -> None:
    Ticket.objects.filter(pk=ticket.pk).update(removed_at=NOW)
    page = theo.get(f"/tickets/{ticket.pk}/")
    assert page.status_code == 200
    assert "Deleted in" in page.content.decode()
    assert 'id="composer' not in page.content.decode()
    given = {"marker": MARKER, "kind": "note", "text": "too late"}
    assert theo.post(f"/tickets/{ticket.pk}/actions/", given, headers=HTMX).status_code == 404
    assert theo.get("/tickets/987654/").status_code == 404
    assert theo.get("/tickets/999999/").status_code == 404


def test_strangers_html_is_never_raw(theo: Browser, ticket: Ticket) -> None:
    make_action(ticket, '<img src=x onerror="alert(1)"><b>bold</b>', body_is_html=True)
    Ticket.objects.filter(pk=ticket.pk).update(subject="<script>s</script>", description="<script>d</script>")
    text = page(theo, ticket)
    assert "onerror" not in text
    assert "<script>s" not in text
    assert "<script>d" not in text
    assert "<b>bold</b>" in text


def test_the_description_is_told_once(theo: Browser, ticket: Ticket) -> None:
    """Some PSAs repeat it as their first action: its files then hang on the one that stays."""
    opened = make_action(ticket, "It does not print", is_from_client=True, occurred_at=ticket.opened_at)
    Attachment.objects.create(
        ticket=ticket, psa_account=ticket.psa_account, remote_id="1", name="blue-screen.png", created_at=NOW
    )
    TicketEvent.objects.create(
        ticket=ticket, field="impact", new_label="2", at=ticket.opened_at - timedelta(seconds=1), known_at=NOW,
        origin="desk", actor="Dana",
    )  # fmt: skip
    html = page(theo, ticket)
    story = html[html.index('id="timeline-list"') : html.index('id="composer"')]
    assert story.count("It does not print") == 1
    assert story.count("blue-screen.png") >= 1
    Action.objects.filter(pk=opened.pk).update(body="Something else", body_clean="", cleaner_version=0)
    assert "It does not print" in page(theo, ticket)


def test_who_opened_it_here_is_named_and_an_empty_first_entry_is_not(theo: Browser, halo: PsaAccount) -> None:
    ticket = make_ticket(
        psa_account=halo, contact=None, client=make_client("Northwind", psa_account=halo), description=""
    )
    make_action(ticket, "", title="Opened", occurred_at=ticket.opened_at, author_name="Helpdesk API")
    TicketEvent.objects.create(
        ticket=ticket, field="created", at=ticket.opened_at, known_at=NOW, origin="desk", actor="Dana Whitlock"
    )
    html = page(theo, ticket)
    assert "<b>Dana Whitlock</b> opened it without a description" in html
    assert "Helpdesk API" not in html


def test_internal_and_public_are_marked(theo: Browser, ticket: Ticket) -> None:
    make_action(ticket, "secret plan", is_internal=True)
    make_action(ticket, "open words", kind="reply", email_to="aoife@northwind.test")
    text = page(theo, ticket)
    assert re.search(r'data-visibility="internal".{0,400}Internal.{0,900}secret plan', text, re.S)
    assert "replied to aoife@northwind.test" in text


@pytest.mark.parametrize(
    ("show", "seen", "unseen"),
    [
        ("public", ["open words", "It does not print"], ["secret plan", "changed status", "Booked alone"]),
        ("internal", ["secret plan"], ["open words", "It does not print"]),
        ("time", ["Booked alone", "15 min"], ["open words"]),
        ("changes", ["changed status"], ["open words", "Booked alone"]),
    ],
)
def test_filters(theo: Browser, ticket: Ticket, show: str, seen: list[str], unseen: list[str]) -> None:
    make_action(ticket, "open words")
    make_action(ticket, "secret plan", is_internal=True)
    make_time_entry(ticket, note="Booked alone")
    TicketEvent.objects.create(
        ticket=ticket,
        field="status",
        old_label="New",
        new_label="Open",
        at=NOW,
        known_at=NOW,
        origin="desk",
        actor="Dana",
    )
    text = theo.get(f"/tickets/{ticket.pk}/part/timeline/?show={show}", headers=HTMX).content.decode()
    assert [w for w in seen if w not in text] == []
    assert [w for w in unseen if w in text] == []


def test_changes_are_words(theo: Browser, ticket: Ticket) -> None:
    common = {"ticket": ticket, "at": NOW, "known_at": NOW}
    TicketEvent.objects.create(field="agent", new_label="Priya", origin="desk", actor="Dana", **common)
    TicketEvent.objects.create(field="agent", new_label="Theo", origin="desk", actor="Theo", **common)
    TicketEvent.objects.create(field="priority", old_label="Low", new_label="<i>", origin="psa", actor="Ann", **common)
    text = page(theo, ticket)
    assert "<b>Dana</b> gave it to <b>Priya</b>" in text
    assert "<b>Theo</b> took it" in text
    assert "<b>Ann</b> changed priority <b>Low</b> to <b>&lt;i&gt;</b> in HaloPSA" in text


def test_more_than_fifty_come_on_demand(theo: Browser, ticket: Ticket) -> None:
    for n in range(60):
        make_action(ticket, f"words {n:02d}.", occurred_at=NOW + timedelta(minutes=n))
    text = page(theo, ticket)
    assert "words 59." in text
    assert "words 10." in text
    assert "words 09." not in text
    assert "It does not print" in text
    assert "pages=2" in text
    assert "words 00." in page(theo, ticket, "?pages=2")


def test_ten_more_of_everything_no_more_queries(theo: Browser, ticket: Ticket, django_assert_max_num_queries) -> None:
    def grow(count: int) -> None:
        for n in range(count):
            action = make_action(ticket, f"words {n}", occurred_at=NOW + timedelta(minutes=n))
            make_time_entry(ticket, action=action)
            make_time_entry(ticket)
            TicketEvent.objects.create(
                ticket=ticket, field="impact", new_label="2", at=NOW, known_at=NOW, origin="desk", actor="Dana"
            )
            Attachment.objects.create(
                ticket=ticket,
                action=action,
                psa_account=ticket.psa_account,
                name="a",
                created_at=NOW,
                remote_id=f"f{n}{count}",
            )
            make_ticket(client=ticket.client, psa_account=ticket.psa_account)

    grow(3)
    page(theo, ticket)
    with CaptureQueriesContext(connection) as few:
        page(theo, ticket)
    count = len(few)
    assert count <= 10
    grow(10)
    page(theo, ticket)
    with django_assert_max_num_queries(count):
        page(theo, ticket)


def test_parts_without_script_lead_to_the_page(theo: Browser, ticket: Ticket) -> None:
    assert theo.get(f"/tickets/{ticket.pk}/part/head/").url == f"/tickets/{ticket.pk}/"
    assert theo.get(f"/tickets/{ticket.pk}/part/nothing/", headers=HTMX).status_code == 404


def test_next_and_previous_follow_the_list(theo: Browser, halo: PsaAccount) -> None:
    first = make_ticket(psa_account=halo, next_due_at=NOW + timedelta(hours=1))
    second = make_ticket(psa_account=halo, next_due_at=NOW + timedelta(hours=2))
    assert theo.get(f"/tickets/{first.pk}/step/next/").url == f"/tickets/{second.pk}/"
    assert theo.get(f"/tickets/{second.pk}/step/previous/").url == f"/tickets/{first.pk}/"
    assert theo.get(f"/tickets/{second.pk}/step/next/").url == "/tickets/"
    back = theo.get(f"/tickets/{first.pk}/step/next/?in=sort%3D-due")
    assert back.url.startswith("/tickets/?sort=-due")


def test_reading_changes_nothing(theo: Browser, ticket: Ticket) -> None:
    make_action(ticket)
    page(theo, ticket)
    before = Ticket.objects.filter(pk=ticket.pk).values().get()
    page(theo, ticket)
    assert Ticket.objects.filter(pk=ticket.pk).values().get() == before


# ---- composer ----


def test_an_internal_note_is_the_default(theo: Browser, ticket: Ticket) -> None:
    text = page(theo, ticket)
    assert re.search(r'id="kind-note" checked', text)
    assert 'id="composer" data-keep data-visibility="internal"' in text


def test_a_note_is_saved_and_shown(theo: Browser, ticket: Ticket) -> None:
    answer = send(theo, ticket, time="0:18")
    assert answer.status_code == 200
    action = Action.objects.get()
    assert (action.is_internal, action.time_entry.seconds) == (True, 1080)
    text = answer.content.decode()
    assert 'hx-swap-oob="beforeend:#timeline-list"' in text
    assert "Driver rolled back." in text
    assert MARKER not in text
    assert "toast" in json.loads(answer["HX-Trigger"])


def test_without_script_it_comes_back_to_the_page(theo: Browser, ticket: Ticket) -> None:
    answer = theo.post(f"/tickets/{ticket.pk}/actions/", {"marker": MARKER, "kind": "note", "text": "x"})
    assert answer.status_code == 302
    assert Action.objects.count() == 1


def test_a_double_press_is_one_action(theo: Browser, ticket: Ticket) -> None:
    send(theo, ticket)
    assert send(theo, ticket).status_code == 200
    assert Action.objects.count() == 1


def test_a_reply_goes_to_the_contact(theo: Browser, ticket: Ticket) -> None:
    assert send(theo, ticket, kind="reply", to="aoife@northwind.test").status_code == 200
    action = Action.objects.get()
    assert (action.is_internal, action.email_to, action.kind) == (False, "aoife@northwind.test", "reply")


def test_a_strange_address_is_asked_about_once(theo: Browser, ticket: Ticket) -> None:
    answer = send(theo, ticket, kind="reply", to="aoife@northwind.test, eve@elsewhere.test")
    assert answer.status_code == 422
    text = answer.content.decode()
    assert "eve@elsewhere.test is not known at Northwind Dental." in text
    assert 'name="confirmed" value="recipients"' in text
    assert not Action.objects.exists()
    assert send(theo, ticket, kind="reply", to="eve@elsewhere.test", confirmed="recipients").status_code == 200


def test_a_known_contact_elsewhere_is_no_stranger(theo: Browser, ticket: Ticket) -> None:
    make_contact(ticket.client, email="Bob@gmail.test")
    assert send(theo, ticket, kind="reply", to="bob@gmail.test").status_code == 200


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"text": ""}, "Write something"),
        ({"time": "-5"}, "hours and minutes"),
        ({"time": "nonsense"}, "hours and minutes"),
        ({"text": "a\x00b"}, "Null characters"),
        ({"status": "999999"}, "no such status"),
        ({"kind": "reply", "to": "nobody"}, "no mail address"),
    ],
)
def test_bad_input_keeps_what_was_typed(theo: Browser, ticket: Ticket, data: dict, words: str) -> None:
    answer = send(theo, ticket, **{"resolution": "kept words", **data})
    assert answer.status_code == 422
    text = answer.content.decode()
    assert words in text
    assert "kept words" in text
    assert MARKER in text
    assert not Action.objects.exists()


def test_ten_megabytes_meet_the_form(theo: Browser, ticket: Ticket) -> None:
    answer = send(theo, ticket, text="x" * 10_000_000)
    assert answer.status_code == 422
    assert len(answer.content) > 10_000_000


def test_bad_input_without_script_gives_the_whole_page(theo: Browser, ticket: Ticket) -> None:
    answer = theo.post(
        f"/tickets/{ticket.pk}/actions/", {"marker": MARKER, "kind": "note", "text": "my words", "time": "x"}
    )
    assert answer.status_code == 422
    assert "my words" in answer.content.decode()
    assert "<html" in answer.content.decode()


def test_send_and_resolve_asks_for_the_resolution(theo: Browser, ticket: Ticket) -> None:
    done = make_status("resolved", psa_account=ticket.psa_account)
    assert f'value="{done.pk}" data-needs="resolution"' in page(theo, ticket)
    answer = send(theo, ticket, status=done.pk)
    assert answer.status_code == 422
    assert "Resolution is required" in answer.content.decode()
    assert send(theo, ticket, status=done.pk, resolution="New toner").status_code == 200
    ticket.refresh_from_db()
    assert (ticket.status, ticket.resolution) == (done, "New toner")


def test_a_warning_wants_one_confirming_press(theo: Browser, ticket: Ticket) -> None:
    new = make_status("new", psa_account=ticket.psa_account)
    answer = send(theo, ticket, status=new.pk)
    assert answer.status_code == 422
    assert "Back to the start" in answer.content.decode()
    assert send(theo, ticket, status=new.pk, confirmed="status").status_code == 200


def test_time_alone(theo: Browser, ticket: Ticket) -> None:
    assert send(theo, ticket, text="", time="1h30").status_code == 200
    assert TimeEntry.objects.get().seconds == 5400


def test_files_of_the_plain_input_and_of_the_uploads(theo: Browser, ticket: Ticket) -> None:
    theo.post("/files/", {"ticket": ticket.pk, "file": SimpleUploadedFile("a.txt", b"1")}, headers=HTMX)
    first = Attachment.objects.get()
    answer = send(
        theo, ticket, kind="reply", to="aoife@northwind.test", file=first.pk, public_file=first.pk,
        upload=SimpleUploadedFile("b.txt", b"2"),
    )  # fmt: skip
    assert answer.status_code == 200
    assert {(f.name, f.is_public) for f in Action.objects.get().attachments.all()} == {("a.txt", True), ("b.txt", True)}


def test_anothers_upload_cannot_be_sent(theo: Browser, ticket: Ticket) -> None:
    other = Browser()
    other.force_login(make_dana(ticket.psa_account))
    other.post("/files/", {"ticket": ticket.pk, "file": SimpleUploadedFile("a.txt", b"1")}, headers=HTMX)
    send(theo, ticket, file=Attachment.objects.get().pk)
    assert not Action.objects.get().attachments.exists()


def test_the_draft_survives_a_reload(theo: Browser, ticket: Ticket) -> None:
    status = make_status("waiting", psa_account=ticket.psa_account)
    theo.post("/files/", {"ticket": ticket.pk, "file": SimpleUploadedFile("kept.txt", b"1")}, headers=HTMX)
    data = {"kind": "reply", "text": "half a sen", "time": "0:1", "status": status.pk, "to": "aoife@northwind.test"}
    answer = theo.post(f"/tickets/{ticket.pk}/draft/", data, headers=HTMX)
    assert "Draft kept" in answer.content.decode()
    text = page(theo, ticket)
    assert "half a sen" in text
    assert 'id="kind-reply" checked' in text
    assert 'value="0:1"' in text
    assert "kept.txt" in text
    assert re.search(rf'value="{status.pk}" selected', text)
    dana = Browser()
    dana.force_login(make_dana(ticket.psa_account))
    assert "half a sen" not in page(dana, ticket)


def test_a_draft_is_never_an_error(theo: Browser, ticket: Ticket) -> None:
    answer = theo.post(f"/tickets/{ticket.pk}/draft/", {"text": "a\x00b", "time": "??", "status": "x"}, headers=HTMX)
    assert answer.status_code == 200
    assert Draft.objects.get().fields["text"] == "ab"


def test_macros_fill_in_their_variables(theo: Browser, ticket: Ticket) -> None:
    waiting = make_status("waiting_client", psa_account=ticket.psa_account)
    macro = Macro.objects.create(
        name="test page", body="Hi {{contact.first_name}}, {{ticket.number}} {{agent.name}} {{secret.key}} <b>",
        status_category="waiting_client", minutes=5,
    )  # fmt: skip
    text = theo.get(f"/tickets/{ticket.pk}/macros/?q=test", headers=HTMX).content.decode()
    assert f"Hi Aoife, {ticket.number} Theo Marsh {{{{secret.key}}}} &lt;b&gt;" in text
    assert f'data-status="{waiting.pk}"' in text
    assert "Hi Aoife" in page(theo, ticket, f"?macro={macro.pk}")


def test_an_empty_macro_list_leads_those_who_may_to_the_settings(theo: Browser, ticket: Ticket) -> None:
    address = f"/tickets/{ticket.pk}/macros/"
    assert "/settings/macros/" not in theo.get(address, headers=HTMX).content.decode()
    dana = Browser()
    dana.force_login(make_dana(ticket.psa_account))
    assert 'href="/settings/macros/"' in dana.get(address, headers=HTMX).content.decode()


@pytest.mark.parametrize("data", [{}, {"kind": "reply", "to": "aoife@northwind.test"}, {"text": "", "time": "0:10"}])
def test_the_toast_says_that_it_is_on_its_way(theo: Browser, ticket: Ticket, data: dict[str, str]) -> None:
    toast = json.loads(send(theo, ticket, **data)["HX-Trigger"])["toast"]
    assert toast == {"text": "Kept, on its way to HaloPSA"}


def test_what_was_just_used_stays_chosen(theo: Browser, ticket: Ticket) -> None:
    text = send(theo, ticket, kind="reply", to="aoife@northwind.test").content.decode()
    assert 'id="kind-reply" checked' in text
    assert 'data-visibility="public"' in text
    assert 'id="kind-note" checked' in page(theo, ticket)


def test_a_reason_is_said_once(theo: Browser, ticket: Ticket) -> None:
    send(theo, ticket, time="0:40")
    item, fields = OutboxItem.objects.get(), {"worktype": "Work type not allowed", "time": "Too long."}
    outbox.refuse(item=item, reason=Reason.VALIDATION, text="Work type not allowed.", fields=fields, now=NOW)
    text = page(theo, ticket)
    assert text.count("Work type not allowed") == 1
    assert "Too long." in text


@pytest.mark.parametrize("key", [str(2**63), "99999999999999999999", "x", "-1"])
def test_a_status_that_cannot_be_is_named_plainly(theo: Browser, ticket: Ticket, key: str) -> None:
    answer = send(theo, ticket, status=key)
    assert answer.status_code == 422
    assert "Choose one from the list." in answer.content.decode()


def test_a_form_without_its_marker_is_out_of_date(theo: Browser, ticket: Ticket) -> None:
    for marker in ("", "x"):
        text = send(theo, ticket, marker=marker).content.decode()
        assert "This form is out of date. Reload the page; your draft is kept." in text
        assert "Driver rolled back." in text


def test_a_bare_number_is_no_source(theo: Browser, ticket: Ticket) -> None:
    ticket.source, ticket.category = "17", "Access>Password"
    ticket.save()
    text = page(theo, ticket)
    assert 'id="field-source"' not in text
    assert "Access, Password" in text
    ticket.source = "Phone"
    ticket.save()
    assert 'id="field-source"' in page(theo, ticket)


def test_the_clients_link_is_never_overwritten(theo: Browser, ticket: Ticket) -> None:
    side = theo.get(f"/tickets/{ticket.pk}/part/side/", headers=HTMX).content.decode()
    assert '<div id="client-link" data-keep></div>' in side
    made = theo.post(f"/portal/links/tickets/{ticket.pk}/", headers=HTMX).content.decode()
    assert re.search(r'<div [^>]*id="client-link" data-keep', made)


def test_undo_send(theo: Browser, ticket: Ticket) -> None:
    person = make_theo()
    person.hold_seconds = 20
    person.save()
    answer = send(theo, ticket, kind="reply", to="aoife@northwind.test", text="too early")
    undo = json.loads(answer["HX-Trigger"])["toast"]["undo_url"]
    assert theo.post(undo, headers=HTMX).status_code == 204
    assert not Action.objects.present().exists()
    assert "too early" in page(theo, ticket)


# ---- status ----


def test_the_status_chooser(theo: Browser, ticket: Ticket) -> None:
    done = make_status("resolved", psa_account=ticket.psa_account)
    waiting = make_status("waiting", psa_account=ticket.psa_account)
    address = f"/tickets/{ticket.pk}/status/"
    assert "asks what we did" in theo.get(address, headers=HTMX).content.decode()
    assert theo.post(address, {"value": waiting.pk}, headers=HTMX).status_code == 204
    asked = theo.post(address, {"value": done.pk}, headers=HTMX)
    assert asked.status_code == 422
    assert 'name="resolution"' in asked.content.decode()
    empty = theo.post(address, {"value": done.pk, "resolution": " "}, headers=HTMX)
    assert "Resolution is required" in empty.content.decode()
    assert theo.post(address, {"value": done.pk, "resolution": "Toner"}, headers=HTMX).status_code == 204
    ticket.refresh_from_db()
    assert ticket.status == done
    assert theo.post(address, {"value": "x"}, headers=HTMX).status_code == 422


# ---- refused, conflict ----


def test_a_refused_action_shows_the_reason_and_what_to_do(theo: Browser, ticket: Ticket) -> None:
    send(theo, ticket, time="0:40")
    item = OutboxItem.objects.get()
    outbox.refuse(item=item, reason=Reason.VALIDATION, text="Work type <not> allowed", now=NOW)
    text = page(theo, ticket)
    assert 'data-sync="refused"' in text
    assert "Work type &lt;not&gt; allowed" in text
    assert "Discard 40 min and the note" in text
    base = f"/tickets/{ticket.pk}/items/{item.pk}"
    assert "Driver rolled back." in theo.get(f"{base}/edit/", headers=HTMX).content.decode()
    wrong = theo.post(f"{base}/edit/", {"text": "kept", "time": "-1"}, headers=HTMX)
    assert wrong.status_code == 422
    assert "kept" in wrong.content.decode()
    assert theo.post(f"{base}/edit/", {"text": "Shorter", "time": "0:10"}, headers=HTMX).status_code == 204
    item.refresh_from_db()
    assert (item.state, item.fields["time_seconds"]) == ("waiting", 600)
    late = theo.post(f"{base}/retry/", headers=HTMX)
    assert "settled already" in late["HX-Trigger"]


def test_discard_asks_with_what_goes(theo: Browser, ticket: Ticket) -> None:
    send(theo, ticket, time="0:40")
    item = OutboxItem.objects.get()
    outbox.refuse(item=item, reason=Reason.VALIDATION, text="no", now=NOW)
    address = f"/tickets/{ticket.pk}/items/{item.pk}/discard/"
    assert "Discard 40 min and the note" in theo.get(address, headers=HTMX).content.decode()
    item.refresh_from_db()
    assert item.state == "refused"
    assert theo.post(address, headers=HTMX).status_code == 204
    assert not Action.objects.present().exists()


def test_checking_says_what_it_means(theo: Browser, ticket: Ticket) -> None:
    send(theo, ticket)
    outbox.check_later(item=OutboxItem.objects.get(), until=NOW, text="timeout", now=NOW)
    text = page(theo, ticket)
    assert 'data-sync="checking"' in text
    assert "We look it up in HaloPSA before sending again" in text


def test_a_conflict_shows_before_mine_theirs(theo: Browser, ticket: Ticket) -> None:
    high, critical = (make_priority(r, psa_account=ticket.psa_account) for r in (2, 1))
    change_ticket(ticket=ticket, changes={"priority": high}, origin=Origin.desk(make_theo()), now=NOW)
    item = OutboxItem.objects.get()
    outbox.refuse(item=item, reason=Reason.CONFLICT, text="", theirs={"priority": critical.remote_id}, now=NOW)
    text = theo.get(f"/tickets/{ticket.pk}/part/side/", headers=HTMX).content.decode()
    assert re.search(r"Before</dt><dd>Medium.*Mine</dt><dd>High.*Theirs</dt><dd>Critical", text, re.S)
    assert theo.post(f"/tickets/{ticket.pk}/items/{item.pk}/take/", headers=HTMX).status_code == 204
    ticket.refresh_from_db()
    assert ticket.priority == critical


def test_an_item_of_another_ticket_is_not_found(theo: Browser, ticket: Ticket) -> None:
    send(theo, ticket)
    other = make_ticket(psa_account=ticket.psa_account)
    pk = OutboxItem.objects.get().pk
    for verb in ("retry", "discard", "edit", "keep", "take"):
        assert theo.post(f"/tickets/{other.pk}/items/{pk}/{verb}/").status_code == 404


def test_a_manager_reads_and_may_write(client: Browser, ticket: Ticket) -> None:
    client.force_login(make_mona(ticket.psa_account))
    assert 'id="composer"' in page(client, ticket)


def test_who_else_is_here(theo: Browser, ticket: Ticket) -> None:
    dana = Browser()
    dana.force_login(make_dana(ticket.psa_account))
    assert dana.post(f"/tickets/{ticket.pk}/here/", {"typing": "yes"}).status_code == 204
    assert "Dana is writing" in page(theo, ticket)
    dana.post(f"/tickets/{ticket.pk}/here/", {"gone": "yes"})
    assert "Dana is" not in page(theo, ticket)
