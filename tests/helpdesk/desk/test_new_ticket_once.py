"""One form, one ticket: pressed twice, reloaded, sent from two tabs or at the same instant, killed in between."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, connections
from django.test import Client as Browser

from helpdesk.actions.models import Attachment, Draft
from helpdesk.core.origin import Origin
from helpdesk.directory.models import Client
from helpdesk.outbox.models import OutboxItem
from helpdesk.tickets.models import Ticket, TicketEvent
from helpdesk.tickets.services import change_ticket
from tests.connectors.sync.helpers import desk
from tests.factories import (
    NOW,
    make_account,
    make_client,
    make_organisation,
    make_priority,
    make_status,
    make_ticket_type,
)
from tests.people import make_theo

HTMX = {"HX-Request": "true"}
MARKER = "7a2b6d4e-0000-4000-8000-000000000003"
OTHER_MARKER = "7a2b6d4e-0000-4000-8000-000000000004"


@pytest.fixture
def acme() -> Client:
    make_organisation()
    account = make_account(title="HaloPSA", capabilities={"attachments_upload": True})
    make_status("new", psa_account=account)
    make_priority(3, psa_account=account)
    make_ticket_type(psa_account=account)
    return make_client("Acme", psa_account=account)


@pytest.fixture
def theo(client: Browser, acme: Client) -> Browser:
    client.force_login(make_theo(acme.psa_account))
    return client


def post(browser: Browser, client: Client, headers: dict[str, str] | None = None, **data: Any):
    given = {"marker": MARKER, "account": client.psa_account_id, "client": client.pk, "subject": "Scan stopped", **data}
    return browser.post("/tickets/new/", given, headers=headers or {})


@pytest.mark.django_db
def test_the_same_form_again_leads_to_the_same_ticket(theo: Browser, acme: Client) -> None:
    first = post(theo, acme, headers=HTMX)
    ticket = Ticket.objects.get()
    assert first["HX-Redirect"] == f"/tickets/{ticket.pk}/"
    # A reload of the POST, without script; and a second tab, which has not heard of the first.
    assert post(theo, acme).url == f"/tickets/{ticket.pk}/"
    assert post(theo, acme, headers=HTMX)["HX-Redirect"] == f"/tickets/{ticket.pk}/"
    assert Ticket.objects.count() == OutboxItem.objects.count() == 1
    assert TicketEvent.objects.filter(field="created").count() == 1


@pytest.mark.django_db
def test_it_is_known_again_after_the_ticket_changed(theo: Browser, acme: Client) -> None:
    post(theo, acme)
    ticket = Ticket.objects.get()
    change_ticket(ticket=ticket, changes={"subject": "Scanner: feed roller"}, origin=Origin.system(), now=NOW)
    assert post(theo, acme).status_code == 302
    assert Ticket.objects.count() == 1


@pytest.mark.django_db
def test_files_of_a_form_sent_twice_are_sent_once(theo: Browser, acme: Client) -> None:
    theo.post("/files/", {"account": acme.psa_account_id, "file": SimpleUploadedFile("a.txt", b"1")}, headers=HTMX)
    file = Attachment.objects.get()
    for _turn in range(2):
        assert post(theo, acme, file=file.pk).status_code == 302
    assert [i.verb for i in OutboxItem.objects.order_by("pk")] == ["create_ticket", "upload_file"]


@pytest.mark.django_db
def test_changed_words_under_a_used_marker_are_neither_lost_nor_opened_unasked(theo: Browser, acme: Client) -> None:
    post(theo, acme)
    made = Ticket.objects.get()
    answer = post(theo, acme, subject="Second monitor stays black")
    text = answer.content.decode()
    assert answer.status_code == 422
    assert f"This form has already opened ticket {made.label} “Scan stopped”:" in text
    assert 'value="Second monitor stays black"' in text
    assert MARKER not in text
    assert Ticket.objects.count() == 1
    again = text.split('name="marker" value="')[1].split('"')[0]
    for _turn in range(2):
        assert post(theo, acme, marker=again, subject="Second monitor stays black", confirmed="yes").status_code == 302
    assert Ticket.objects.count() == 2


@pytest.mark.django_db
def test_the_same_words_in_a_fresh_form_are_asked_about(theo: Browser, acme: Client) -> None:
    """Back, with a page that the browser did not keep: a new marker, the old words."""
    post(theo, acme)
    answer = post(theo, acme, marker=OTHER_MARKER)
    assert answer.status_code == 422
    assert "looks the same" in answer.content.decode()
    assert Ticket.objects.count() == 1


@pytest.mark.django_db
def test_what_fails_on_the_way_leaves_nothing_behind(theo: Browser, acme: Client) -> None:
    """Killed between the ticket and its files: no half ticket, nothing on its way, the draft still there."""
    theo.post("/tickets/new/draft/", {"account": acme.psa_account_id, "subject": "Scan stopped"}, headers=HTMX)
    theo.post("/files/", {"account": acme.psa_account_id, "file": SimpleUploadedFile("a.txt", b"1")}, headers=HTMX)
    file = Attachment.objects.get()
    with connection.cursor() as cursor:
        cursor.execute(_STOP[connection.vendor])
    theo.raise_request_exception = False
    assert post(theo, acme, file=file.pk).status_code == 500
    assert not Ticket.objects.exists()
    assert not OutboxItem.objects.exists()
    assert Draft.objects.exists()
    with connection.cursor() as cursor:
        for statement in _GO_ON[connection.vendor]:
            cursor.execute(statement)
    assert post(theo, acme, file=file.pk).status_code == 302
    assert (Ticket.objects.count(), Draft.objects.count()) == (1, 0)


_STOP = {
    "sqlite": "CREATE TRIGGER stop_files BEFORE UPDATE ON actions_attachment BEGIN SELECT RAISE(ABORT, 'killed'); END",
    "postgresql": """
        CREATE FUNCTION stop_files() RETURNS trigger AS $$ BEGIN RAISE EXCEPTION 'killed'; END $$ LANGUAGE plpgsql;
        CREATE TRIGGER stop_files BEFORE UPDATE ON actions_attachment FOR EACH ROW EXECUTE FUNCTION stop_files()
    """,
}
_GO_ON = {
    "sqlite": ["DROP TRIGGER stop_files"],
    "postgresql": ["DROP TRIGGER stop_files ON actions_attachment", "DROP FUNCTION stop_files()"],
}


@pytest.fixture
def several(transactional_db: None, acme: Client) -> list[Browser]:
    user = make_theo(acme.psa_account)
    browsers = [Browser() for _ in range(6)]
    for browser in browsers:
        browser.force_login(user)
    return browsers


@pytest.mark.django_db(transaction=True)
def test_six_presses_at_the_same_instant(several: list[Browser], acme: Client) -> None:
    answers: list[int] = []
    start = threading.Barrier(len(several))

    def press(browser: Browser) -> None:
        try:
            start.wait()
            answers.append(post(browser, acme).status_code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=press, args=(browser,)) for browser in several]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [302] * 6
    assert Ticket.objects.count() == OutboxItem.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("fault", ["reset_after", "status_after", "half_body"])
def test_one_ticket_in_the_psa_though_the_worker_never_hears_the_answer(client: Browser, fault: str) -> None:
    with desk(tickets=8) as found:
        client.force_login(found.user)
        buyer = found.ticket(client__is_active=True).client
        assert buyer is not None
        for _turn in range(2):
            assert post(client, buyer, subject="Exactly one of these", confirmed="yes").status_code == 302
        found.fault(fault, path="/Tickets", **({"status": 503} if fault == "status_after" else {}))
        found.settle()
        # The browser's second tab wakes up after all of that.
        assert post(client, buyer, subject="Exactly one of these", confirmed="yes").status_code == 302
        found.settle()
        found.pull()
        assert Ticket.objects.filter(subject="Exactly one of these").count() == 1
        ticket = Ticket.objects.get(subject="Exactly one of these")
        log = found.sandbox.control("GET", "requests?psa=halopsa")
        rows = log["requests"] if isinstance(log, dict) else log
        made = [r for r in rows if r["method"] == "POST" and "/Tickets" in r["path"] and r["applied"]]
        assert len(made) == 1
        assert found.remote(ticket)["summary"] == "Exactly one of these"
