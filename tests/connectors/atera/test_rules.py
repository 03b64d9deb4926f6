"""Atera's rules where people choose: no Open to Closed but a way there, and nothing after Closed."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest
import time_machine
from django.test import Client as Browser
from django.urls import reverse

from connectors.atera.rules import description
from helpdesk.core.rules import usual_targets
from helpdesk.directory.models import PsaAccount
from helpdesk.outbox import services as outbox
from helpdesk.outbox.models import OutboxItem
from helpdesk.tickets.models import Status, Ticket
from tests.factories import NOW, make_account, make_contact, make_organisation, make_status, make_ticket
from tests.people import make_dana, make_theo

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
MARKER = "7a2b6d4e-0000-4000-8000-000000000001"
WAY = "An open ticket cannot be closed at once"
CATEGORIES = {"Open": "open", "Pending": "waiting_client", "Resolved": "resolved", "Closed": "closed"}


@pytest.fixture
def account(db: None) -> PsaAccount:
    make_organisation()
    return make_account("atera", title="Atera", **description(contracts=True, work_hours=True).to_json())


@pytest.fixture
def statuses(account: PsaAccount) -> dict[str, Status]:
    rows = enumerate(CATEGORIES.items())
    return {
        name: make_status(category, psa_account=account, remote_id=name, name=name, sequence=at)
        for at, (name, category) in rows
    }


@pytest.fixture
def ticket(account: PsaAccount, statuses: dict[str, Status]) -> Ticket:
    contact = make_contact(psa_account=account, email="aoife@northwind.test")
    return make_ticket(contact=contact, status=statuses["Open"], confirmed={"status": "Open"})


@pytest.fixture
def dana(client: Browser, account: PsaAccount) -> Browser:
    make_theo(account)
    client.force_login(make_dana())
    return client


def waiting(ticket: Ticket) -> list[object]:
    items = OutboxItem.objects.in_lane(ticket.lane).filter(state="waiting")
    return [item.fields.get("status") or item.fields.get("new_status") for item in items]


def name_of(ticket: Ticket) -> str:
    ticket.refresh_from_db()
    return ticket.status.name


def close(dana: Browser, ticket: Ticket, closed: Status) -> str:
    """By the row's chooser; the address that takes it back."""
    address = reverse("tickets:row_change", args=[ticket.pk, "status"])
    done = dana.post(address, {"value": f"s{closed.pk}", "resolution": "", "confirmed": "yes"}, headers=HTMX)
    assert done.status_code == 204
    undo: str = json.loads(done["HX-Trigger"])["toast"]["undo_url"]
    return undo


def test_the_choosers_offer_the_way(dana: Browser, ticket: Ticket) -> None:
    for address in (f"/tickets/{ticket.pk}/status/", reverse("tickets:choose", args=[ticket.pk, "status"])):
        text = dana.get(address, headers=HTMX).content.decode()
        assert "Resolved, then Closed" in text
        assert "disabled" not in text.split("Resolved, then Closed")[0].rsplit("<button", 1)[1]
    page = dana.get(f"/tickets/{ticket.pk}/").content.decode()
    assert ">Resolved, then Closed</option>" in page


def test_it_is_said_before_and_sent_as_two_changes_of_one_act(
    dana: Browser, ticket: Ticket, statuses: dict[str, Status]
) -> None:
    address = reverse("tickets:row_change", args=[ticket.pk, "status"])
    asked = dana.post(address, {"value": f"s{statuses['Closed'].pk}"}, headers=HTMX)
    assert asked.status_code == 422
    assert WAY in asked.content.decode()
    assert 'name="confirmed" value="yes"' in asked.content.decode()
    assert not OutboxItem.objects.exists()
    close(dana, ticket, statuses["Closed"])
    assert waiting(ticket) == ["Resolved", "Closed"]
    assert name_of(ticket) == "Closed"


def test_without_the_word_nothing_moves(dana: Browser, ticket: Ticket, statuses: dict[str, Status]) -> None:
    address = reverse("tickets:row_change", args=[ticket.pk, "status"])
    asked = dana.post(address, {"value": f"s{statuses['Closed'].pk}", "resolution": ""}, headers=HTMX)
    assert asked.status_code == 422
    assert WAY in asked.content.decode()
    assert name_of(ticket) == "Open"


@pytest.mark.parametrize("is_sent", [False, True], ids=["before it left", "after the first half left"])
def test_one_undo_takes_both_back(dana: Browser, ticket: Ticket, statuses: dict[str, Status], is_sent: bool) -> None:
    with time_machine.travel(NOW, tick=False):
        undo = close(dana, ticket, statuses["Closed"])
        first = OutboxItem.objects.in_lane(ticket.lane).order_by("sequence")[0]
        if is_sent:
            taken = outbox.claim(now=NOW, lease_seconds=60)
            assert [item.pk for item in taken] == [first.pk]
            Ticket.objects.update(confirmed={"status": "Resolved"})
            outbox.complete(item=taken[0], now=NOW)
            assert outbox.claim(now=NOW, lease_seconds=60) == []
    with time_machine.travel(NOW + timedelta(seconds=8), tick=False):
        said = dana.post(undo, headers=HTMX)
    assert "is back where it was" in said["HX-Trigger"]
    assert name_of(ticket) == "Open"
    assert waiting(ticket) == (["Open"] if is_sent else ["Resolved", "Open"])


def test_a_worker_that_takes_it_in_that_instant_keeps_it(
    dana: Browser, ticket: Ticket, statuses: dict[str, Status], monkeypatch: pytest.MonkeyPatch
) -> None:
    discard = outbox.discard_item

    def too_late(*, item: OutboxItem, now: datetime) -> OutboxItem:
        OutboxItem.objects.filter(pk=item.pk).update(state="sending", lease_until=now + timedelta(seconds=60))
        return discard(item=item, now=now)

    with time_machine.travel(NOW, tick=False):
        undo = close(dana, ticket, statuses["Closed"])
    monkeypatch.setattr(outbox, "discard_item", too_late)
    with time_machine.travel(NOW + timedelta(seconds=8), tick=False):
        said = dana.post(undo, headers=HTMX)
    assert "Closed is final in Atera" in said["HX-Trigger"]
    assert name_of(ticket) == "Closed"


def test_closed_is_final_wherever_one_looks(dana: Browser, ticket: Ticket, statuses: dict[str, Status]) -> None:
    with time_machine.travel(NOW, tick=False):
        undo = close(dana, ticket, statuses["Closed"])
    OutboxItem.objects.update(state="done")
    with time_machine.travel(NOW + timedelta(seconds=30), tick=False):
        late = dana.post(undo, headers=HTMX)
        assert "Closed is final in Atera" in late["HX-Trigger"]
        for address in (f"/tickets/{ticket.pk}/status/", reverse("tickets:choose", args=[ticket.pk, "status"])):
            text = dana.get(address, headers=HTMX).content.decode()
            assert text.count("Closed is final in Atera") >= 3
        query = {"group": "status", "lanes": "c-open,c-resolved", "ticket": ticket.pk}
        refused = dana.get(reverse("desk:board_targets"), query).json()["refused"]
        assert set(refused.values()) == {"Closed is final in Atera"}
        pushed = dana.post(
            reverse("tickets:row_change", args=[ticket.pk, "status"]),
            {"value": f"s{statuses['Open'].pk}"}, headers=HTMX,
        )  # fmt: skip
        assert pushed.status_code == 422
        assert "Closed is final in Atera" in pushed.content.decode()
    assert name_of(ticket) == "Closed"


def test_bulk_asks_once_more_for_those_that_need_the_way(
    dana: Browser, ticket: Ticket, statuses: dict[str, Status]
) -> None:
    other = make_ticket(psa_account=ticket.psa_account, status=statuses["Pending"])
    form = {"field": "status", "value": f"s{statuses['Closed'].pk}", "pick": [ticket.pk, other.pk], "resolution": ""}
    page = dana.post(reverse("tickets:bulk"), form, headers=HTMX).content.decode()
    assert WAY in page
    assert (name_of(ticket), name_of(other)) == ("Open", "Closed")
    again = {**form, "pick": [ticket.pk], "confirmed": "yes"}
    assert dana.post(reverse("tickets:bulk"), again, headers=HTMX).status_code == 204
    assert name_of(ticket) == "Closed"


def test_the_composer_goes_the_way_that_it_names(dana: Browser, ticket: Ticket, statuses: dict[str, Status]) -> None:
    form = {"marker": MARKER, "kind": "note", "text": "Toner changed.", "status": statuses["Closed"].pk}
    for _press in range(2):
        assert dana.post(f"/tickets/{ticket.pk}/actions/", form, headers=HTMX).status_code == 200
    assert name_of(ticket) == "Closed"
    assert waiting(ticket) == ["Resolved", "Closed"]


def test_statuses_of_the_tenants_own_have_no_rules(dana: Browser, ticket: Ticket, statuses: dict[str, Status]) -> None:
    own = make_status("open", psa_account=ticket.psa_account, remote_id="On the bench", name="On the bench")
    Ticket.objects.update(status=own)
    text = dana.get(f"/tickets/{ticket.pk}/status/", headers=HTMX).content.decode()
    assert "Resolved, then Closed" not in text
    assert WAY not in text


def test_what_is_not_stated_is_a_warning(dana: Browser, ticket: Ticket, statuses: dict[str, Status]) -> None:
    Ticket.objects.update(status=statuses["Resolved"], status_category="resolved", is_open=False)
    address = reverse("tickets:row_change", args=[ticket.pk, "status"])
    warned = dana.post(address, {"value": f"s{statuses['Pending'].pk}"}, headers=HTMX)
    assert warned.status_code == 422
    assert "Do it all the same" in warned.content.decode()
    form = {"value": f"s{statuses['Pending'].pk}", "confirmed": "yes"}
    assert dana.post(address, form, headers=HTMX).status_code == 204
    assert name_of(ticket) == "Pending"


def test_the_tickets_own_page_offers_the_undo_too(dana: Browser, ticket: Ticket, statuses: dict[str, Status]) -> None:
    form = {"value": statuses["Closed"].pk, "resolution": "", "confirmed": "yes"}
    done = dana.post(f"/tickets/{ticket.pk}/status/", form, headers=HTMX)
    assert done.status_code == 204
    assert name_of(ticket) == "Closed"
    assert dana.post(json.loads(done["HX-Trigger"])["toast"]["undo_url"], headers=HTMX).status_code == 204
    assert name_of(ticket) == "Open"


def test_what_is_usually_promised_comes_with_the_account(account: PsaAccount) -> None:
    assert usual_targets(account.capabilities) == {
        1: (3600, None),
        2: (14_400, None),
        3: (28_800, None),
        4: (86_400, None),
    }
