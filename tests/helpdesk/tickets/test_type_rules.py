"""What a ticket's type allows and asks for, in every way in which a person may try otherwise."""

from __future__ import annotations

from datetime import UTC

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Browser

from helpdesk.actions.asked import NewAction
from helpdesk.actions.models import Draft
from helpdesk.actions.services import add_action
from helpdesk.actions.text import html_to_text
from helpdesk.core.errors import Refused
from helpdesk.core.origin import Origin
from helpdesk.desk import moves
from helpdesk.directory.models import PsaAccount
from helpdesk.outbox.models import OutboxItem
from helpdesk.tickets import rules, services
from helpdesk.tickets.forms import choices_of
from helpdesk.tickets.models import Status, Ticket, TicketType
from tests.factories import (
    NOW,
    make_account,
    make_category,
    make_client,
    make_organisation,
    make_priority,
    make_status,
    make_ticket,
    make_ticket_type,
)
from tests.people import make_theo

pytestmark = pytest.mark.django_db


@pytest.fixture
def halo(db: None) -> PsaAccount:
    make_organisation()
    return make_account(title="HaloPSA", capabilities={"attachments_upload": True, "categories": True})


@pytest.fixture
def kind(halo: PsaAccount) -> TicketType:
    return make_ticket_type("Incident", psa_account=halo, remote_id="1")


@pytest.fixture
def review(halo: PsaAccount) -> Status:
    """A status of another type."""
    return make_status("waiting", name="In review", psa_account=halo, ticket_types=["4"])


@pytest.fixture
def ticket(halo: PsaAccount, kind: TicketType) -> Ticket:
    return make_ticket(psa_account=halo, ticket_type=kind)


def moved(ticket: Ticket, value: str) -> moves.Result:
    ticket = Ticket.objects.in_full().get(pk=ticket.pk)
    return moves.move(ticket=ticket, name="status", value=value, user=make_theo(ticket.psa_account), now=NOW, zone=UTC)


WHY = "Incident tickets do not use In review"


def test_a_status_of_another_type_is_blocked_with_the_reason(ticket: Ticket, review: Status) -> None:
    choice = next(c for c in rules.status_choices(ticket) if c.status == review)
    assert choice.why_not == WHY
    option = next(o for o in moves.options_for(ticket, "status") if o.label == "In review")
    assert option.blocked == WHY
    for value in (f"s{review.pk}", "waiting"):
        result = moved(ticket, value)
        assert (result.state, result.text) == ("refused", WHY)
    assert not OutboxItem.objects.exists()


def test_nor_is_one_of_the_same_category_let_through(halo: PsaAccount, ticket: Ticket) -> None:
    other = make_status("open", name="In review", psa_account=halo, ticket_types=["4"])
    with pytest.raises(Refused) as refusal:
        services.change_ticket(
            ticket=ticket, changes={"status": other}, origin=Origin.desk(make_theo(halo)), now=NOW, is_confirmed=True
        )
    assert refusal.value.fields == {"status": WHY}


def test_a_status_of_its_own_type_and_one_of_every_type_are_free(halo: PsaAccount, ticket: Ticket) -> None:
    own = make_status("waiting", name="Own", psa_account=halo, ticket_types=["9", "1"])
    assert moved(ticket, f"s{own.pk}").state == "done"
    anybodys = make_status("waiting_client", name="Anybody", psa_account=halo)
    assert moved(ticket, f"s{anybodys.pk}").state == "done"


def test_a_category_skips_what_the_type_does_not_know(halo: PsaAccount, ticket: Ticket, review: Status) -> None:
    parked = make_status("waiting", name="Parked", psa_account=halo, sequence=9)
    assert moved(ticket, "waiting").state == "done"
    ticket.refresh_from_db()
    assert ticket.status == parked


def test_what_the_psa_says_is_data(halo: PsaAccount, ticket: Ticket, review: Status) -> None:
    services.change_ticket(ticket=ticket, changes={"status": review}, origin=Origin.system(), now=NOW)
    ticket.refresh_from_db()
    assert ticket.status == review


def test_quick_statuses_come_first_and_new_ones_wait_for_the_psa(halo: PsaAccount, ticket: Ticket) -> None:
    make_status("open", name="First", psa_account=halo, sequence=1)
    make_status("open", name="Quick", psa_account=halo, sequence=50, is_quick=True)
    make_status("open", name="Unborn", psa_account=halo, sequence=0, remote_id=None)
    names = [o.label for o in moves.options_for(ticket, "status")]
    assert names.index("Quick") == 0
    assert "Unborn" not in names


def test_reopening_goes_where_the_type_says(halo: PsaAccount, kind: TicketType) -> None:
    make_status("open", name="Working", psa_account=halo, sequence=1)
    kind.reopened_status = make_status("open", name="Back again", psa_account=halo, sequence=8)
    kind.save()
    done = make_status("resolved", psa_account=halo)
    ticket = make_ticket(psa_account=halo, ticket_type=kind, status=done)
    assert moves.options_for(Ticket.objects.in_full().get(pk=ticket.pk), "status")[0].label == "Back again"
    assert moved(ticket, "open").state == "done"
    ticket.refresh_from_db()
    assert ticket.status.name == "Back again"
    # An open one is moved as ever: several fit, a person chooses.
    waiting = make_status("waiting", psa_account=halo)
    assert moved(make_ticket(psa_account=halo, ticket_type=kind, status=waiting), "open").state == "ask"


def test_a_type_without_attachments_says_so_and_refuses_them(
    client: Browser, halo: PsaAccount, kind: TicketType, ticket: Ticket
) -> None:
    theo = make_theo(halo)
    client.force_login(theo)
    assert 'name="upload"' in client.get(ticket.get_absolute_url()).content.decode()
    TicketType.objects.update(allow_attachments=False)
    page = client.get(ticket.get_absolute_url()).content.decode()
    assert 'name="upload"' not in page
    assert "Incident tickets take no attachments in HaloPSA." in html_to_text(page)
    ticket = Ticket.objects.in_full().get(pk=ticket.pk)
    draft = Draft.objects.create(user=theo, ticket=ticket, saved_at=NOW)
    file = draft.attachments.create(psa_account=halo, name="a.png", size=3, created_at=NOW, uploaded_by=theo)
    with pytest.raises(Refused) as refusal:
        add_action(ticket=ticket, new=NewAction(text="See", files=[file]), origin=Origin.desk(theo), now=NOW, user=theo)
    assert refusal.value.fields["files"] == "Incident tickets take no attachments in HaloPSA."


def test_subcategories_belong_to_their_category(halo: PsaAccount, ticket: Ticket) -> None:
    make_category("Network", psa_account=halo, remote_id="1:5")
    make_category("Email", psa_account=halo, remote_id="1:6")
    make_category("Network>VPN", psa_account=halo, level=2, parent="1:5", name="VPN")
    make_category("Email>Spam", psa_account=halo, level=2, parent="1:6", name="Spam")
    make_category("Anywhere", psa_account=halo, level=2)
    ticket.category = "Network"
    assert {c.label for c in choices_of(ticket, "subcategory")} == {"VPN", "Anywhere"}
    ticket.category = ""
    assert {c.label for c in choices_of(ticket, "subcategory")} == {"Anywhere"}


# ---- a new ticket ---------------------------------------------------------------------------------------------------


@pytest.fixture
def theo(client: Browser, halo: PsaAccount) -> Browser:
    client.force_login(make_theo(halo))
    return client


@pytest.fixture
def form(halo: PsaAccount, kind: TicketType) -> dict[str, str]:
    """What a person posts who filled in as little as ever."""
    make_status("new", name="New", psa_account=halo)
    make_priority(3, psa_account=halo)
    acme = make_client("Acme", psa_account=halo)
    return {"account": str(halo.pk), "client": str(acme.pk), "subject": "Printer", "ticket_type": str(kind.pk)}


def posted(browser: Browser, data: dict[str, str]) -> str:
    answer = browser.post("/tickets/new/", data)
    assert answer.status_code == 422
    return html_to_text(answer.content.decode())


def test_what_the_type_asks_for_is_marked_and_named(theo: Browser, form: dict[str, str], kind: TicketType) -> None:
    make_category("Network", psa_account=kind.psa_account)
    TicketType.objects.update(required_fields=["description", "category", "agent"])
    page = theo.get("/tickets/new/", form).content.decode()
    assert page.count(">required<") == 3
    text = posted(theo, form)
    for label in ("Description", "Category", "Owner"):
        assert f"{label} is required for Incident" in text, label
    agent = make_theo(kind.psa_account).agents.get()
    without = {**form, "subject": "", "client": ""}
    both = posted(theo, without)
    assert "A ticket belongs to a client" in both
    assert "Category is required for Incident" in both
    full = {**form, "description": "It smells", "category": "Network", "agent": str(agent.pk)}
    assert theo.post("/tickets/new/", full).status_code == 302


def test_a_field_that_the_account_has_not_is_not_asked_for(
    theo: Browser, form: dict[str, str], halo: PsaAccount
) -> None:
    TicketType.objects.update(required_fields=["category", "site"])
    halo.capabilities = {"categories": False, "sites": False}
    halo.save()
    assert theo.post("/tickets/new/", form).status_code == 302


def test_only_types_that_agents_may_select_are_offered(theo: Browser, form: dict[str, str], halo: PsaAccount) -> None:
    hidden = make_ticket_type("Portal order", psa_account=halo, agents_may_select=False)
    assert "Portal order" not in theo.get("/tickets/new/", form).content.decode()
    assert "There is no such choice" in posted(theo, {**form, "ticket_type": str(hidden.pk)})


def test_the_status_follows_the_type(theo: Browser, form: dict[str, str], halo: PsaAccount, review: Status) -> None:
    change = make_ticket_type("Change", psa_account=halo, remote_id="4", initial_status=review, kind="change")
    new = Status.objects.get(name="New")
    # The form as Incident left it, and then Change chosen.
    typed = {**form, "ticket_type": str(change.pk), "status": str(new.pk), "auto_status": str(new.pk)}
    assert (
        f'value="{review.pk}" selected'
        in theo.get("/tickets/new/parts/", typed, HTTP_HX_REQUEST="true").content.decode()
    )
    assert theo.post("/tickets/new/", typed).status_code == 302
    assert Ticket.objects.get().status == review


def test_a_status_that_the_type_does_not_know_is_refused(theo: Browser, form: dict[str, str], review: Status) -> None:
    assert "In review" not in theo.get("/tickets/new/", form).content.decode()
    assert WHY in posted(theo, {**form, "status": str(review.pk)})


def test_files_are_hidden_with_the_reason_and_refused(theo: Browser, form: dict[str, str], halo: PsaAccount) -> None:
    TicketType.objects.update(allow_attachments=False)
    page = theo.get("/tickets/new/", form).content.decode()
    assert 'name="upload"' not in page
    assert "take no attachments" in page
    answer = theo.post("/tickets/new/", {**form, "upload": SimpleUploadedFile("a.txt", b"abc")})
    assert answer.status_code == 422
    assert "take no attachments" in answer.content.decode()
    assert not Ticket.objects.exists()


def test_a_subcategory_of_another_category_is_dropped(theo: Browser, form: dict[str, str], halo: PsaAccount) -> None:
    make_category("Network", psa_account=halo, remote_id="1:5")
    make_category("Email", psa_account=halo, remote_id="1:6")
    make_category("Network>VPN", psa_account=halo, level=2, parent="1:5", name="VPN")
    data = {**form, "category": "Email", "subcategory": "Network>VPN"}
    assert "VPN" not in theo.get("/tickets/new/parts/", data, HTTP_HX_REQUEST="true").content.decode()
    assert theo.post("/tickets/new/", data).status_code == 302
    assert Ticket.objects.get().subcategory == ""
