"""A ticket's page says what became of each mail to its client, and lets people try a failed one again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from helpdesk.actions.models import Action, ClientMail
from helpdesk.desk.gauges import exposition
from helpdesk.outbox.choices import State, Verb
from helpdesk.outbox.models import OutboxItem
from helpdesk.tickets.models import Ticket
from tests.factories import NOW, make_account, make_action, make_ticket
from tests.people import EVERYBODY, make_theo

pytestmark = pytest.mark.django_db


@pytest.fixture
def ticket() -> Ticket:
    return make_ticket(psa_account=make_account(title="HaloPSA"), remote_id="54321")


@pytest.fixture
def theo(client: Browser, ticket: Ticket) -> Browser:
    client.force_login(make_theo(ticket.psa_account))
    return client


def mail(ticket: Ticket, action: Action | None = None, **values: Any) -> ClientMail:
    given = {
        "key": f"{ClientMail.objects.count()}", "occasion": "reply" if action else "acknowledgement", "action": action,
        "to": "sam@acme.test", "not_before_at": NOW, "created_at": NOW, **values,
    }  # fmt: skip
    return ClientMail.objects.create(ticket=ticket, **given)


def text(browser: Browser, ticket: Ticket) -> str:
    return browser.get(f"/tickets/{ticket.pk}/").content.decode()


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"state": "sent", "sent_at": NOW}, "Mailed to sam@acme.test"),
        ({"state": "sent", "cc": "a@b.test, c@d.test"}, "Mailed to sam@acme.test and 2 more"),
        ({}, "Mail to sam@acme.test is on its way"),
        ({"error_text": "no answer", "attempts": 2}, "Mail to sam@acme.test waits: no answer, tried 2 times"),
        ({"state": "failed", "error_text": "550 <b>gone</b>", "attempts": 3},
         "Mail to sam@acme.test failed: 550 &lt;b&gt;gone&lt;/b&gt;, tried 3 times"),
        ({"state": "cancelled", "error_text": "it was opened again"}, "Not mailed: it was opened again"),
    ],
)  # fmt: skip
def test_a_reply_says_what_became_of_its_mail(
    theo: Browser, ticket: Ticket, values: dict[str, Any], words: str
) -> None:
    mail(ticket, make_action(ticket, kind="reply"), **values)
    assert words in text(theo, ticket)


def test_it_waits_for_the_number(theo: Browser, ticket: Ticket) -> None:
    Ticket.objects.update(number="", remote_id=None)
    mail(ticket)
    assert "Mail to sam@acme.test waits for the number" in text(theo, ticket)


@pytest.mark.parametrize(
    ("item_state", "mail_state", "words"),
    [(State.REFUSED, "waiting", "waits until HaloPSA has taken it"),
     (State.DISCARDED, "sent", "Mailed to sam@acme.test; HaloPSA never got it")],
)  # fmt: skip
def test_what_the_psa_did_with_it_is_said(
    theo: Browser, ticket: Ticket, item_state: str, mail_state: str, words: str
) -> None:
    item = OutboxItem.objects.create(
        psa_account=ticket.psa_account, lane=ticket.lane, sequence=1, verb=Verb.CREATE_ACTION, subject="x",
        state=item_state, not_before_at=NOW, created_at=NOW,
    )  # fmt: skip
    mail(ticket, make_action(ticket, kind="reply"), item=item, state=mail_state)
    assert words in text(theo, ticket)


def test_a_notice_is_a_line_of_its_own(theo: Browser, ticket: Ticket) -> None:
    mail(ticket, state="sent", sent_at=NOW)
    assert "Acknowledged to sam@acme.test" in text(theo, ticket)


def test_many_mails_cost_one_query(theo: Browser, ticket: Ticket) -> None:
    for count in (1, 10):
        for _n in range(count):
            mail(ticket, make_action(ticket, kind="reply"), state="failed")
            mail(ticket, state="failed")
        with CaptureQueriesContext(connection) as found:
            text(theo, ticket)
        assert len([q for q in found.captured_queries if "clientmail" in q["sql"]]) == 1


def test_a_failed_mail_is_tried_again_or_left(theo: Browser, ticket: Ticket) -> None:
    first, second = (mail(ticket, state="failed", attempts=7) for _n in range(2))
    assert "Mail again" in text(theo, ticket)
    for address in (f"{first.pk}/retry", f"{second.pk}/leave", f"{first.pk}/retry"):
        assert theo.post(f"/tickets/{ticket.pk}/mails/{address}/").status_code == 302
    assert [(m.state, m.attempts) for m in ClientMail.objects.all()] == [("waiting", 0), ("cancelled", 7)]
    other = make_ticket(psa_account=ticket.psa_account)
    assert theo.post(f"/tickets/{other.pk}/mails/{first.pk}/retry/").status_code == 404


@pytest.mark.parametrize("name", ["cleo", "otto"])
def test_clients_decide_nothing(client: Browser, ticket: Ticket, name: str) -> None:
    found = mail(ticket, state="failed")
    client.force_login(EVERYBODY[name](ticket.psa_account))
    for way in ("retry", "leave"):
        assert client.post(f"/tickets/{ticket.pk}/mails/{found.pk}/{way}/").status_code in (403, 404)
    found.refresh_from_db()
    assert found.state == "failed"


def test_failures_stand_in_the_overview_and_the_gauges(client: Browser, ticket: Ticket) -> None:
    mail(ticket, state="failed", error_text="550 no such user")
    mail(ticket, not_before_at=NOW - timedelta(seconds=90))
    client.force_login(EVERYBODY["ada"]())
    page = client.get("/settings/sync/").content.decode()
    assert "Mails that failed" in page
    assert "550 no such user" in page
    figures = exposition(NOW).decode()
    assert 'helpdesk_client_mails{state="failed"} 1.0' in figures
    assert 'helpdesk_client_mails{state="waiting"} 1.0' in figures
    assert "helpdesk_client_mail_oldest_seconds 90.0" in figures


def test_a_mail_to_our_own_people_says_what_it_was(theo: Browser, ticket: Ticket) -> None:
    mail(ticket, occasion="escalation", to="mona@harbour.test", state="sent", sent_at=NOW)
    assert "Told mona@harbour.test by mail that it is escalated" in text(theo, ticket)
