"""What a PSA refuses is said at the field, keeps the input, and can be put right and sent again."""

from __future__ import annotations

import pytest
from django.test import Client as Browser
from django.urls import reverse

from helpdesk.core.origin import Origin
from helpdesk.directory.models import PsaAccount
from helpdesk.outbox import services as outbox
from helpdesk.outbox.choices import Reason
from helpdesk.outbox.models import OutboxItem
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.services import change_ticket, create_ticket
from tests.factories import (
    NOW,
    make_account,
    make_category,
    make_client,
    make_contact,
    make_organisation,
    make_priority,
    make_status,
    make_ticket,
)
from tests.people import make_dana, make_theo

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def account(db: None) -> PsaAccount:
    make_organisation()
    flags = {"set_client": False, "change_contact": False, "edit_description": False, "unassign": False}
    return make_account("atera", title="Atera", capabilities={**flags, "teams": False, "change_contract": False})


@pytest.fixture
def dana(client: Browser, account: PsaAccount) -> Browser:
    make_theo(account)
    client.force_login(make_dana())
    return client


def refuse(ticket: Ticket, **fields: str) -> OutboxItem:
    item = OutboxItem.objects.in_lane(ticket.lane).last()
    assert item is not None
    outbox.refuse(item=item, reason=Reason.VALIDATION, text=" ".join(fields.values()), fields=fields, now=NOW)
    return item


def test_its_words_stand_at_the_field(dana: Browser, account: PsaAccount) -> None:
    ticket = make_ticket(psa_account=account, category="Network")
    make_category("Printer", psa_account=account)
    origin = Origin.desk(make_theo(account))
    change_ticket(ticket=ticket, changes={"category": "Printer"}, origin=origin, now=NOW)
    refuse(ticket, category="Autopilot is <not> enabled")
    words = "Autopilot is &lt;not&gt; enabled"
    side = dana.get(reverse("tickets:part", args=[ticket.pk, "side"]), headers=HTMX).content.decode()
    line = side.split('id="field-category"')[1].split("</dd>")[0]
    assert "Printer" in line
    assert words in line
    form = dana.get(reverse("tickets:field", args=[ticket.pk, "category"]), headers=HTMX).content.decode()
    assert words in form
    assert '<option value="Printer" selected>' in form


def test_a_new_ticket_that_was_refused_is_put_right_and_sent_as_it_is_now(dana: Browser, account: PsaAccount) -> None:
    client = make_client(psa_account=account)
    one, two = (make_contact(client) for _ in range(2))
    fields = {
        "subject": "Scan to folder", "client": client, "contact": one, "status": make_status(psa_account=account),
        "priority": make_priority(psa_account=account), "description": "Since nine.",
    }  # fmt: skip
    origin = Origin.desk(make_theo(account))
    ticket = create_ticket(psa_account=account, fields=fields, origin=origin, now=NOW)
    address = reverse("tickets:field", args=[ticket.pk, "contact"])
    assert dana.post(address, {"value": two.pk}, headers=HTMX).status_code == 422  # it is on its way
    item = refuse(ticket, contact="Customer not found")
    assert "Customer not found" in dana.get(address, headers=HTMX).content.decode()
    assert dana.post(address, {"value": two.pk}, headers=HTMX).status_code == 200
    again = dana.post(reverse("tickets:item_retry", args=[ticket.pk, item.pk]), headers=HTMX)
    assert again.status_code == 204
    item.refresh_from_db()
    assert (item.state, item.fields["contact"]) == ("waiting", two.remote_id)
    assert item.fields["subject"] == "Scan to folder"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("contact", "takes the client from the contact"),
        ("description", "Add a comment instead"),
        ("contract", "takes the contract from the client"),
    ],
)
def test_what_the_psa_cannot_take_is_said_before(dana: Browser, account: PsaAccount, name: str, words: str) -> None:
    ticket = make_ticket(psa_account=account)
    address = reverse("tickets:field", args=[ticket.pk, name])
    form = dana.get(address, headers=HTMX).content.decode()
    assert words in form
    assert ">Save<" not in form
    assert words in dana.post(address, {"value": ""}, headers=HTMX).content.decode()
    assert not OutboxItem.objects.exists()


def test_choosers_and_lanes_say_what_the_psa_does_not_know(dana: Browser, account: PsaAccount) -> None:
    ticket = make_ticket(psa_account=account, agent=make_theo(account).agents.first())
    team = dana.get(reverse("tickets:choose", args=[ticket.pk, "team"]), headers=HTMX).content.decode()
    assert "Atera does not let this be changed" in team
    owner = dana.get(reverse("tickets:choose", args=[ticket.pk, "agent"]), headers=HTMX).content.decode()
    nobody = owner.split('data-label="Nobody"')[0].rsplit("<button", 1)[1]
    assert "disabled" in nobody
    query = {"group": "agent", "lanes": "owner", "ticket": ticket.pk}
    refused = dana.get(reverse("desk:board_targets"), query).json()["refused"]
    assert "cannot take the owner off" in refused["owner"]


def test_what_never_changes_is_said_and_not_offered(dana: Browser, account: PsaAccount) -> None:
    ticket = make_ticket(psa_account=account)
    page = dana.get(ticket.get_absolute_url()).content.decode()
    assert "Atera takes the client from the contact" in page
    assert "Change client, contact or site" not in page
    assert "Edit the description" not in page
    account.capabilities = {}
    account.save()
    page = dana.get(ticket.get_absolute_url()).content.decode()
    assert "Change client, contact or site" in page
    assert "Edit the description" in page
