"""Opening a ticket: checked before it leaves, here at once, once only."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Browser

from helpdesk.actions.models import Attachment, Draft
from helpdesk.directory.models import PsaAccount
from helpdesk.outbox.models import OutboxItem
from helpdesk.tickets.models import Ticket
from tests.factories import (
    make_account,
    make_client,
    make_contact,
    make_contract,
    make_organisation,
    make_policy,
    make_priority,
    make_site,
    make_status,
    make_target,
    make_ticket,
    make_ticket_type,
)
from tests.people import make_cleo, make_theo

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
MARKER = "7a2b6d4e-0000-4000-8000-000000000001"


@pytest.fixture
def halo(db: None) -> PsaAccount:
    make_organisation()
    account = make_account(
        title="HaloPSA",
        capabilities={"contracts": True, "attachments_upload": True},
        required_fields=[{"verb": "create", "fields": ["team"], "text": "No ticket without a queue"}],
    )
    for category in ("new", "open", "closed"):
        make_status(category, psa_account=account)
    for rank in (1, 2, 3, 4):
        make_priority(rank, psa_account=account)
    make_ticket_type("Request", psa_account=account, kind="request")
    make_ticket_type(psa_account=account)
    return account


@pytest.fixture
def theo(client: Browser, halo: PsaAccount) -> Browser:
    client.force_login(make_theo(halo))
    return client


def post(browser: Browser, account: PsaAccount, **data):
    given = {"marker": MARKER, "account": account.pk, "subject": "Scan to folder stopped", **data}
    return browser.post("/tickets/new/", given)


def relaxed(account: PsaAccount) -> PsaAccount:
    account.required_fields = []
    account.save()
    return account


def test_it_opens_with_the_defaults(theo: Browser) -> None:
    text = theo.get("/tickets/new/").content.decode()
    assert "Incident</option>" in text
    assert "selected>Medium</option>" in text
    assert "selected>New</option>" in text
    assert "Response due" in text
    assert ">Closed</option>" not in text


def test_clients_have_no_business_here(halo: PsaAccount) -> None:
    browser = Browser()
    browser.force_login(make_cleo(halo))
    assert browser.get("/tickets/new/").status_code == 403
    assert post(browser, halo).status_code == 403


def test_every_wrong_field_is_named(theo: Browser, halo: PsaAccount) -> None:
    client = make_client(psa_account=halo)
    answer = post(theo, halo, client=client.pk)
    assert answer.status_code == 422
    text = answer.content.decode()
    assert "No ticket without a queue" in text
    assert "Scan to folder stopped" in text
    assert "<b>1 field needs you</b> before HaloPSA takes this ticket." in text
    empty = post(theo, halo, subject="  ").content.decode()
    assert "3 fields need you" in empty


def test_the_new_ticket_is_there_at_once(theo: Browser, halo: PsaAccount) -> None:
    client = make_client(psa_account=relaxed(halo))
    contact, site = make_contact(client), make_site(client)
    answer = post(theo, halo, client=client.pk, contact=contact.pk, site=site.pk, description="Since Monday")
    ticket = Ticket.objects.get()
    assert answer.url == f"/tickets/{ticket.pk}/"
    assert (ticket.contact, ticket.site, ticket.status.category, ticket.rank) == (contact, site, "new", 3)
    assert ticket.ticket_type.name == "Incident"
    page = theo.get(answer.url).content.decode()
    assert f"new-{ticket.pk}" in page
    assert 'data-sync="pending"' in page
    fields = OutboxItem.objects.get().fields
    assert {"status", "priority", "ticket_type", "client", "subject"} <= set(fields)


def test_a_double_press_is_one_ticket(theo: Browser, halo: PsaAccount) -> None:
    client = make_client(psa_account=relaxed(halo))
    post(theo, halo, client=client.pk)
    post(theo, halo, client=client.pk)
    assert Ticket.objects.count() == 1


def test_the_types_own_start(theo: Browser, halo: PsaAccount) -> None:
    client = make_client(psa_account=relaxed(halo))
    status, priority = make_status("open", psa_account=halo, name="Triage"), make_priority(2, psa_account=halo)
    kind = make_ticket_type("Alert", psa_account=halo, initial_status=status, default_priority=priority)
    post(theo, halo, client=client.pk, ticket_type=kind.pk)
    ticket = Ticket.objects.get()
    assert (ticket.status, ticket.priority) == (status, priority)


def test_priorities_are_those_of_the_types_sla(theo: Browser, halo: PsaAccount) -> None:
    policy = make_policy(psa_account=halo)
    only = make_priority(1, psa_account=halo, name="Drop everything")
    make_target(policy, only)
    kind = make_ticket_type("Alert", psa_account=halo, default_sla_policy=policy)
    text = theo.get("/tickets/new/parts/", {"account": halo.pk, "ticket_type": kind.pk}, headers=HTMX).content.decode()
    assert "Drop everything" in text
    assert ">Low</option>" not in text.split('id="f-priority"')[1].split("</select>")[0]


def test_impact_and_urgency_suggest(theo: Browser, halo: PsaAccount) -> None:
    data = {"account": halo.pk, "impact": "1", "urgency": "1"}
    text = theo.get("/tickets/new/parts/", data, headers=HTMX).content.decode()
    assert "selected>Critical</option>" in text
    medium = make_priority(3, psa_account=halo)
    text = theo.get("/tickets/new/parts/", {**data, "priority": medium.pk}, headers=HTMX).content.decode()
    assert "suggest <b>Critical</b>" in text


def test_people_and_places_of_another_client_are_left_out(theo: Browser, halo: PsaAccount) -> None:
    client = make_client(psa_account=relaxed(halo))
    stranger = make_contact(psa_account=halo)
    post(theo, halo, client=client.pk, contact=stranger.pk)
    assert Ticket.objects.get().contact is None


def test_a_client_by_name(theo: Browser, halo: PsaAccount) -> None:
    relaxed(halo)
    make_client("Alder & Finch", psa_account=halo)
    make_client("Alder & Finch Two", psa_account=halo)
    some = post(theo, halo, client_text="alder")
    assert some.status_code == 422
    assert some.content.decode().count('name="client" value=') >= 2
    assert "No client of this name" in post(theo, halo, client_text="zzz").content.decode()
    assert post(theo, halo, client_text="ALDER & FINCH").status_code == 302


def test_without_script_look_shows_and_creates_nothing(theo: Browser, halo: PsaAccount) -> None:
    client = make_client("Alder & Finch", psa_account=halo)
    make_contact(client, first_name="Zoe", last_name="Quill")
    text = post(theo, halo, client_text="Alder & Finch", look="yes").content.decode()
    assert "Zoe Quill" in text
    assert not Ticket.objects.exists()


def test_what_is_open_already_and_who_pays(theo: Browser, halo: PsaAccount) -> None:
    client = make_client(psa_account=halo)
    make_contract(client, is_active=False)
    make_ticket("Scanner is slow", psa_account=halo, client=client)
    text = theo.get("/tickets/new/parts/", {"account": halo.pk, "client": client.pk}, headers=HTMX).content.decode()
    assert "Scanner is slow" in text
    assert "has no active contract" in text


@pytest.mark.parametrize(
    "data", [{"subject": "x" * 256}, {"subject": "a\x00b"}, {"description": "x" * 200_001}, {"team": "999999"}]
)
def test_bad_input_is_kept_and_named(theo: Browser, halo: PsaAccount, data: dict[str, str]) -> None:
    client = make_client(psa_account=relaxed(halo))
    assert post(theo, halo, client=client.pk, **data).status_code == 422
    assert not Ticket.objects.exists()


def test_keys_of_another_psa_do_not_count(theo: Browser, halo: PsaAccount) -> None:
    other = make_client(psa_account=make_account("other"))
    answer = post(theo, relaxed(halo), client=other.pk)
    assert answer.status_code == 422
    assert not Ticket.objects.exists()


def test_files_come_along(theo: Browser, halo: PsaAccount) -> None:
    client = make_client(psa_account=relaxed(halo))
    theo.post("/files/", {"account": halo.pk, "file": SimpleUploadedFile("a.txt", b"1")}, headers=HTMX)
    file = Attachment.objects.get()
    assert "a.txt" in theo.get("/tickets/new/").content.decode()
    post(theo, halo, client=client.pk, file=file.pk, public_file=file.pk, upload=SimpleUploadedFile("b.txt", b"2"))
    ticket = Ticket.objects.get()
    assert {(f.name, f.is_public) for f in ticket.attachments.all()} == {("a.txt", True), ("b.txt", False)}
    assert [i.verb for i in OutboxItem.objects.in_lane(ticket.lane)] == ["create_ticket", "upload_file", "upload_file"]
    assert not Draft.objects.exists()


def test_the_draft_survives(theo: Browser, halo: PsaAccount) -> None:
    theo.post("/tickets/new/draft/", {"account": halo.pk, "subject": "half a sub"}, headers=HTMX)
    assert "half a sub" in theo.get("/tickets/new/").content.decode()


def test_without_any_psa_it_says_so(client: Browser) -> None:
    make_organisation()
    client.force_login(make_theo())
    text = client.get("/tickets/new/").content.decode()
    assert "New ticket" in text
    assert client.post("/tickets/new/", {"subject": "x"}).status_code == 422


def test_cc_is_asked_for_where_it_can_be_told(theo: Browser, halo: PsaAccount) -> None:
    assert 'name="cc"' in theo.get("/tickets/new/").content.decode()
    halo.capabilities = {**halo.capabilities, "cc": False}
    halo.save()
    shown = theo.get("/tickets/new/").content.decode()
    assert 'name="cc"' not in shown
    assert 'id="new-cc" hidden' in shown  # another PSA, chosen in the form, may bring it back
