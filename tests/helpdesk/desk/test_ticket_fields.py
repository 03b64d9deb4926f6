"""One property at a time, edited in place."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from django.test import Client as Browser

from helpdesk.core.origin import Origin
from helpdesk.directory.models import PsaAccount
from helpdesk.tickets.models import Ticket, TicketCategory
from helpdesk.tickets.services import change_ticket
from tests.factories import (
    NOW,
    make_account,
    make_client,
    make_contact,
    make_organisation,
    make_site,
    make_team,
    make_ticket,
)
from tests.people import make_theo

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def halo(db: None) -> PsaAccount:
    make_organisation()
    return make_account(title="HaloPSA", capabilities={"sites": True, "edit_description": False})


@pytest.fixture
def ticket(halo: PsaAccount) -> Ticket:
    return make_ticket(psa_account=halo, contact=make_contact(psa_account=halo))


@pytest.fixture
def theo(client: Browser, halo: PsaAccount) -> Browser:
    client.force_login(make_theo(halo, time_zone="Europe/London"))
    return client


def get(browser: Browser, ticket: Ticket, name: str, query: str = ""):
    return browser.get(f"/tickets/{ticket.pk}/field/{name}/{query}", headers=HTMX)


def save(browser: Browser, ticket: Ticket, name: str, value: object, **more: str):
    return browser.post(f"/tickets/{ticket.pk}/field/{name}/", {"value": value, **more}, headers=HTMX)


def test_the_subject_swaps_itself_for_its_input_and_back(theo: Browser, ticket: Ticket) -> None:
    assert f'value="{ticket.subject}"' in get(theo, ticket, "subject").content.decode()
    answer = save(theo, ticket, "subject", "Printer in room 2")
    assert answer.status_code == 200
    assert "Printer in room 2" in answer.content.decode()
    assert answer["HX-Trigger"] == "desk:changed"
    ticket.refresh_from_db()
    assert (ticket.subject, ticket.sync_state) == ("Printer in room 2", "pending")


def test_escape_shows_the_words_again(theo: Browser, ticket: Ticket) -> None:
    assert "Set" in get(theo, ticket, "team", "?show=1").content.decode()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("subject", ""),
        ("subject", "x" * 256),
        ("subject", "a\x00b"),
        ("team", "999999"),
        ("team", "9" * 30),
        ("team", "abc"),
        ("deadline_at", "yesterday"),
        ("deadline_at", "0001-01-01T00:00"),
        ("deadline_at", "9999-12-31T23:59"),
        ("source", "x" * 61),
        ("client", ""),
    ],
)
def test_wrong_values_are_named_at_the_field(theo: Browser, ticket: Ticket, name: str, value: str) -> None:
    answer = save(theo, ticket, name, value)
    assert answer.status_code == 422
    assert f'id="wrong-{name}"' in answer.content.decode()
    assert not ticket.events.exists()


def test_a_deadline_is_read_in_the_readers_zone(theo: Browser, ticket: Ticket) -> None:
    assert save(theo, ticket, "deadline_at", "2026-07-01T15:00").status_code == 200
    ticket.refresh_from_db()
    assert ticket.deadline_at == datetime(2026, 7, 1, 15, tzinfo=ZoneInfo("Europe/London"))
    assert 'value="2026-07-01T15:00"' in get(theo, ticket, "deadline_at").content.decode()


def test_clients_are_found_by_typing_never_listed(theo: Browser, ticket: Ticket, halo: PsaAccount) -> None:
    for n in range(30):
        make_client(f"Kestrel {n}", psa_account=halo)
    make_client("Kestrel of another PSA", psa_account=make_account("other"))
    assert "Kestrel" not in get(theo, ticket, "client").content.decode()
    found = get(theo, ticket, "client", "?q=kest").content.decode()
    assert found.count('name="value"') == 12
    assert "another PSA" not in found
    assert get(theo, ticket, "client", "?q=%00%25").status_code == 200


def test_contacts_are_those_of_the_client(theo: Browser, ticket: Ticket, halo: PsaAccount) -> None:
    make_contact(ticket.client, first_name="Bob", last_name="Stone")
    stranger = make_contact(psa_account=halo, first_name="Bob", last_name="Elsewhere")
    found = get(theo, ticket, "contact", "?q=bob").content.decode()
    assert "Bob Stone" in found
    assert "Elsewhere" not in found
    assert save(theo, ticket, "contact", stranger.pk).status_code == 422


def test_a_site_of_another_client_is_refused(theo: Browser, ticket: Ticket, halo: PsaAccount) -> None:
    assert save(theo, ticket, "site", make_site(psa_account=halo).pk).status_code == 422
    assert save(theo, ticket, "site", make_site(ticket.client).pk).status_code == 200


def test_a_row_of_another_psa_is_refused(theo: Browser, ticket: Ticket) -> None:
    other = make_team(psa_account=make_account("other"))
    assert save(theo, ticket, "team", other.pk).status_code == 422


def test_what_the_psa_forbids_says_so(theo: Browser, ticket: Ticket) -> None:
    answer = save(theo, ticket, "description", "new words")
    assert answer.status_code == 422
    assert "HaloPSA does not let this be changed." in answer.content.decode()


def test_somebody_was_faster(theo: Browser, ticket: Ticket, halo: PsaAccount) -> None:
    desk, lab = make_team("Desk", psa_account=halo), make_team("Lab", psa_account=halo)
    change_ticket(ticket=ticket, changes={"team": lab}, origin=Origin.psa("Ann"), now=NOW)
    answer = save(theo, ticket, "team", desk.pk, base="")
    assert answer.status_code == 422
    text = answer.content.decode()
    assert "<b>Ann</b> changed it to <b>Lab</b> meanwhile." in text
    assert f'value="{desk.pk}" selected' in text
    assert save(theo, ticket, "team", desk.pk, base="", mine="yes").status_code == 200
    ticket.refresh_from_db()
    assert ticket.team == desk


def test_categories_come_from_the_account(theo: Browser, ticket: Ticket, halo: PsaAccount) -> None:
    TicketCategory.objects.create(psa_account=halo, remote_id="1", level=1, value="Hardware", name="Hardware")
    assert '<option value="Hardware"' in get(theo, ticket, "category").content.decode()
    assert save(theo, ticket, "category", "Hardware").status_code == 200


def test_without_script_it_is_a_page(theo: Browser, ticket: Ticket) -> None:
    assert "<html" in theo.get(f"/tickets/{ticket.pk}/field/team/").content.decode()
    answer = theo.post(f"/tickets/{ticket.pk}/field/source/", {"value": "phone"})
    assert answer.url == f"/tickets/{ticket.pk}/#details"


@pytest.mark.parametrize("name", ["status", "agent", "raw", "nonsense", "pk"])
def test_only_fields_that_are_edited_here(theo: Browser, ticket: Ticket, name: str) -> None:
    assert get(theo, ticket, name).status_code == 404
