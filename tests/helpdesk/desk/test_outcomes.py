"""Outcomes on the ticket page: buttons, the composer they open, what a press sends, and the palette."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from helpdesk.actions.models import Action, Draft, Outcome
from helpdesk.actions.outcomes import forget
from helpdesk.directory.models import PsaAccount
from helpdesk.outbox.models import OutboxItem
from helpdesk.tickets import holds
from helpdesk.tickets.models import Ticket
from tests.factories import (
    make_account,
    make_agent,
    make_client,
    make_contact,
    make_organisation,
    make_outcome,
    make_status,
    make_ticket,
    make_ticket_type,
)
from tests.people import make_cleo, make_dana, make_theo

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
MARKER = "7a2b6d4e-0000-4000-8000-000000000001"


@pytest.fixture
def halo(db: None) -> PsaAccount:
    make_organisation()
    capabilities = {"attachments_upload": True, "outcomes": {"note": "7"}}
    return make_account(title="HaloPSA", capabilities=capabilities, settings={"outcomes": {"note": "7"}})


@pytest.fixture
def ticket(halo: PsaAccount) -> Ticket:
    client = make_client(psa_account=halo, domain="northwind.test")
    contact = make_contact(client, email="aoife@northwind.test")
    return make_ticket(psa_account=halo, contact=contact, agent=None, opened_at=timezone.now())


@pytest.fixture
def theo(client: Browser, halo: PsaAccount) -> Browser:
    client.force_login(make_theo(halo))
    return client


@pytest.fixture
def parts(halo: PsaAccount) -> Outcome:
    return make_outcome(
        "Waiting for parts", new_status=make_status("waiting", name="On Hold", sla_clock="paused"), sla_hold=True,
        must_add_note=True, colour="#b07d2b", default_seconds=900,
    )  # fmt: skip


def page(browser: Browser, ticket: Ticket, query: str = "") -> str:
    answer = browser.get(f"/tickets/{ticket.pk}/{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def pick(browser: Browser, ticket: Ticket, key: Any, **data: Any) -> str:
    given = {"marker": MARKER, "kind": "note", "text": "", "time": "", "press": key, "billable": "yes", **data}
    answer = browser.post(f"/tickets/{ticket.pk}/outcome/", given, headers=HTMX)
    assert answer.status_code == 200
    return answer.content.decode()


def send(browser: Browser, ticket: Ticket, **data: Any) -> Any:
    given = {"marker": MARKER, "kind": "note", "text": "Toner is ordered.", "billable": "yes", **data}
    return browser.post(f"/tickets/{ticket.pk}/actions/", given, headers=HTMX)


def buttons(text: str) -> list[str]:
    found = re.findall(r'<button class="outcome" name="press".*?</svg>\s*(.*?)</button>', text, re.DOTALL)
    return [words.strip() for words in found]


# ---- buttons ----


def test_they_stand_in_order_the_rest_behind_more(theo: Browser, ticket: Ticket) -> None:
    for n in range(8, 0, -1):
        make_outcome(f"Act {n}", sequence=n, must_add_note=True)
    make_outcome("Internal Note", remote_id="7")
    make_outcome("Elsewhere", must_add_note=True).ticket_types.add(make_ticket_type("Other"))
    text = page(theo, ticket)
    assert buttons(text) == [f"Act {n}" for n in range(1, 9)]
    assert text.index("Act 6") < text.index('<details class="outcome-more">') < text.index("Act 7")


def test_only_where_the_account_has_them(theo: Browser, ticket: Ticket, halo: PsaAccount, parts: Outcome) -> None:
    PsaAccount.objects.filter(pk=halo.pk).update(capabilities={"outcomes": False})
    assert buttons(page(theo, ticket)) == []
    assert "Waiting for parts" not in page(theo, ticket)


def test_one_whose_status_cannot_be_had_says_why_before_it_is_pressed(
    theo: Browser, ticket: Ticket, halo: PsaAccount, parts: Outcome
) -> None:
    rules = [{"to_categories": ["waiting"], "text": "Nothing waits here"}]
    PsaAccount.objects.filter(pk=halo.pk).update(transition_rules=rules)
    button = page(theo, ticket).split("Waiting for parts")[0].rsplit("<button", 1)[1]
    assert 'disabled title="Nothing waits here"' in button


@pytest.mark.parametrize("colour", ["red", '"><b>', "#12345", "url(//x)", ""])
def test_no_other_text_of_a_psa_is_a_colour(theo: Browser, ticket: Ticket, parts: Outcome, colour: str) -> None:
    assert 'fill="#b07d2b"' in page(theo, ticket)
    Outcome.objects.update(colour=colour)
    forget(ticket.psa_account_id)
    dot = re.search(r'<svg class="outcome-dot".*?</svg>', page(theo, ticket), re.DOTALL)
    assert dot is not None
    assert "fill" not in dot[0]


def test_ten_more_cost_no_query(theo: Browser, ticket: Ticket, parts: Outcome) -> None:
    kind = make_ticket_type("Incident", psa_account=ticket.psa_account)
    Ticket.objects.filter(pk=ticket.pk).update(ticket_type=kind)
    page(theo, ticket)
    with CaptureQueriesContext(connection) as few:
        page(theo, ticket)
    for n in range(10):
        make_outcome(f"Act {n}", must_add_note=True).ticket_types.add(kind)
    forget(ticket.psa_account_id)
    page(theo, ticket)
    with CaptureQueriesContext(connection) as many:
        page(theo, ticket)
    assert len(many) <= len(few) <= 10


# ---- a press ----


def test_a_press_opens_it_in_the_same_form(theo: Browser, ticket: Ticket, parts: Outcome) -> None:
    text = pick(theo, ticket, parts.pk, kind="reply", text="Half a wo")
    assert text.count("<form") == 1
    assert f'name="outcome" value="{parts.pk}"' in text
    assert "Moves to On Hold, pauses the clock" in text
    assert "Needs a note" in text
    assert "Half a wo" in text
    assert 'name="time" value="0:15"' in text
    assert 'data-visibility="internal"' in text
    assert re.search(r'id="kind-reply" disabled', text)
    assert not Action.objects.exists()


def test_the_draft_keeps_the_choice_and_taking_it_off_ends_it(theo: Browser, ticket: Ticket, parts: Outcome) -> None:
    pick(theo, ticket, parts.pk)
    assert f'name="outcome" value="{parts.pk}"' in page(theo, ticket)
    text = pick(theo, ticket, "", outcome=parts.pk, status=parts.new_status_id, time="0:15")
    assert 'name="outcome"' not in text
    assert 'name="time" value=""' in text
    assert not Draft.objects.exists()


def test_without_script_it_comes_back_to_the_page(theo: Browser, ticket: Ticket, parts: Outcome) -> None:
    answer = theo.post(f"/tickets/{ticket.pk}/outcome/", {"press": parts.pk, "kind": "note", "text": "So far"})
    assert answer.status_code == 302
    text = page(theo, ticket)
    assert f'name="outcome" value="{parts.pk}"' in text
    assert "So far" in text


def test_a_public_one_says_so_and_answers_the_contact(theo: Browser, ticket: Ticket) -> None:
    ask = make_outcome("Ask", hide_from_client=False, sends_email=True)
    text = pick(theo, ticket, ask.pk, to="aoife@northwind.test")
    assert 'data-visibility="public"' in text
    assert "Public" in text
    assert re.search(r'id="kind-reply" checked', text)
    assert 'value="aoife@northwind.test"' in text
    assert "Nobody is mailed" not in text
    off = pick(theo, ticket, "", outcome=ask.pk, kind="reply")
    assert 'data-visibility="internal"' in off, "what was public for its sake is not public without it"
    quiet = make_outcome("Say", hide_from_client=False)
    forget(ticket.psa_account_id)
    assert "Nobody is mailed" in pick(theo, ticket, quiet.pk)


def test_one_that_is_gone_is_no_outcome(theo: Browser, ticket: Ticket, parts: Outcome) -> None:
    pick(theo, ticket, parts.pk)
    Outcome.objects.update(is_hidden=True)
    forget(ticket.psa_account_id)
    assert 'name="outcome"' not in page(theo, ticket)
    answer = send(theo, ticket, outcome=parts.pk)
    assert answer.status_code == 422
    assert "no longer offered" in answer.content.decode()


# ---- sending ----


def test_the_missing_note_is_said_at_the_field(theo: Browser, ticket: Ticket, parts: Outcome) -> None:
    answer = send(theo, ticket, outcome=parts.pk, text=" ")
    assert answer.status_code == 422
    text = answer.content.decode()
    assert "“Waiting for parts” needs a note." in text
    assert 'aria-describedby="composer-text-wrong"' in text
    assert f'name="outcome" value="{parts.pk}"' in text
    assert not OutboxItem.objects.exists()


def test_sent_it_is_one_action_that_moves_and_holds(theo: Browser, ticket: Ticket, parts: Outcome) -> None:
    pick(theo, ticket, parts.pk)
    for _press in range(2):
        assert send(theo, ticket, outcome=parts.pk, time="0:15").status_code == 200
    item = OutboxItem.objects.get()
    assert (item.fields["outcome"], item.fields["new_status"]) == (parts.remote_id, parts.new_status.remote_id)
    assert (item.fields["time_seconds"], item.fields["is_internal"]) == (900, True)
    ticket.refresh_from_db()
    assert (ticket.status, ticket.clock_state) == (parts.new_status, "paused")
    assert not Draft.objects.exists()
    text = page(theo, ticket)
    assert "chose “Waiting for parts”" in text


def test_a_hold_in_a_running_status_is_told(theo: Browser, ticket: Ticket) -> None:
    send(theo, ticket, outcome=make_outcome("Waiting for parts", sla_hold=True).pk)
    assert "On hold by “Waiting for parts”, <b>Theo Marsh</b>" in page(theo, ticket)


def test_a_hold_of_the_psa_names_the_psa(theo: Browser, ticket: Ticket) -> None:
    now = timezone.now()
    holds.psas_event(ticket, holds.HOLD, told_at=None, seen_at=now, now=now).save()
    assert f"On hold in <b>{ticket.psa_account.title}</b>" in page(theo, ticket)


def test_it_never_becomes_public_by_accident(theo: Browser, ticket: Ticket, parts: Outcome) -> None:
    send(theo, ticket, outcome=parts.pk, kind="reply", visibility="public", to="aoife@northwind.test")
    assert Action.objects.get().is_internal


def test_who_presses_is_the_owner_unless_somebody_is(theo: Browser, ticket: Ticket) -> None:
    book = make_outcome("Book", must_assign=True)
    text = pick(theo, ticket, book.pk)
    assert re.search(r'<option value="u\d+" selected>Theo Marsh', text)
    wrong = send(theo, ticket, outcome=book.pk, assignee="")
    assert wrong.status_code == 422
    assert 'id="composer-assignee-wrong"' in wrong.content.decode()
    priya = make_agent("Priya Nair")
    assert send(theo, ticket, outcome=book.pk, assignee=f"a{priya.pk}").status_code == 200
    ticket.refresh_from_db()
    assert ticket.agent == priya
    assert re.search(rf'<option value="a{priya.pk}" selected>Priya Nair', pick(theo, ticket, book.pk))


def test_a_stranger_cannot_be_made_owner(theo: Browser, ticket: Ticket) -> None:
    elsewhere = make_agent("Eve", psa_account=make_account("other"))
    answer = send(theo, ticket, outcome=make_outcome("Book", must_assign=True).pk, assignee=f"a{elsewhere.pk}")
    assert answer.status_code == 422
    assert not Action.objects.exists()


def test_nobody_else_presses(ticket: Ticket, parts: Outcome) -> None:
    browser = Browser()
    browser.force_login(make_cleo(ticket.psa_account))
    assert browser.post(f"/tickets/{ticket.pk}/outcome/", {"press": parts.pk}).status_code in (403, 404)


def test_undo_send_brings_the_choice_back(theo: Browser, ticket: Ticket) -> None:
    user = make_theo(ticket.psa_account)
    user.hold_seconds = 10
    user.save()
    ask = make_outcome("Ask", hide_from_client=False, sends_email=True)
    answer = send(theo, ticket, outcome=ask.pk, kind="reply", to="aoife@northwind.test")
    theo.post(json.loads(answer["HX-Trigger"])["toast"]["undo_url"], headers=HTMX)
    assert f'name="outcome" value="{ask.pk}"' in page(theo, ticket)


# ---- palette ----


def test_the_palette_lists_them_on_the_tickets_page_only(theo: Browser, ticket: Ticket, parts: Outcome) -> None:
    here = {**HTMX, "HX-Current-URL": f"http://testserver/tickets/{ticket.pk}/?in=x"}
    found = theo.get(reverse("desk:palette") + "?q=parts", headers=here).content.decode()
    assert f'href="/tickets/{ticket.pk}/?outcome={parts.pk}#composer"' in found
    assert f'data-outcome="{parts.pk}"' in found
    elsewhere = theo.get(
        reverse("desk:palette") + "?q=parts", headers={**HTMX, "HX-Current-URL": "http://testserver/board/"}
    )
    assert "data-outcome" not in elsewhere.content.decode()
    assert f'name="outcome" value="{parts.pk}"' in page(theo, ticket, f"?outcome={parts.pk}")
    assert not Draft.objects.exists(), "reading changes nothing"


def test_the_palette_gives_nobody_what_they_may_not_do(ticket: Ticket, parts: Outcome) -> None:
    browser = Browser()
    browser.force_login(make_dana())
    here = {**HTMX, "HX-Current-URL": "http://testserver/tickets/999999/"}
    assert "data-outcome" not in browser.get(reverse("desk:palette") + "?q=parts", headers=here).content.decode()
