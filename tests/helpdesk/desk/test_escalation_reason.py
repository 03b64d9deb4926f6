"""A status that wants a reason asks for it wherever it is chosen, and the reason leaves with the status."""

from __future__ import annotations

import pytest
from django.test import Client as Browser
from django.urls import reverse

from helpdesk.directory.models import PsaAccount
from helpdesk.outbox.models import OutboxItem
from helpdesk.tickets.models import Status, Ticket
from tests.factories import make_account, make_organisation, make_status, make_ticket
from tests.people import make_dana, make_theo

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
MARKER = "7a2b6d4e-0000-4000-8000-000000000001"
WHY = "The whole practice stands still."
RULES = [{"to_categories": ["escalated"], "needs": ["escalation_reason"], "text": "Escalation reason is required"}]


@pytest.fixture
def account(db: None) -> PsaAccount:
    make_organisation()
    return make_account("auto", title="Autotask", transition_rules=RULES, capabilities={"action_with_status": False})


@pytest.fixture
def escalated(account: PsaAccount) -> Status:
    return make_status("escalated", psa_account=account, remote_id="11")


@pytest.fixture
def tickets(account: PsaAccount) -> list[Ticket]:
    return [make_ticket(psa_account=account) for _ in range(2)]


@pytest.fixture
def dana(client: Browser, account: PsaAccount) -> Browser:
    make_theo(account)
    client.force_login(make_dana())
    return client


def sent(ticket: Ticket) -> dict[str, object]:
    ticket.refresh_from_db()
    return OutboxItem.objects.in_lane(ticket.lane).get().fields


@pytest.mark.parametrize("name", ["status", "row"])
def test_a_choice_asks_and_keeps_what_was_typed(
    dana: Browser, tickets: list[Ticket], escalated: Status, name: str
) -> None:
    ticket = tickets[0]
    address, value = f"/tickets/{ticket.pk}/status/", str(escalated.pk)
    if name == "row":
        address, value = reverse("tickets:row_change", args=[ticket.pk, "status"]), f"s{escalated.pk}"
    asked = dana.post(address, {"value": value}, headers=HTMX)
    text = asked.content.decode()
    assert asked.status_code == 422
    assert "Why is it escalated?" in text
    assert "What we did, for the client" not in text
    empty = dana.post(address, {"value": value, "escalation_reason": " "}, headers=HTMX)
    assert empty.status_code == 422
    assert 'id="reason-wrong"' in empty.content.decode()
    assert not OutboxItem.objects.exists()
    done = dana.post(address, {"value": value, "escalation_reason": WHY}, headers=HTMX)
    assert done.status_code == 204
    assert sent(ticket) == {"status": "11", "escalation_reason": WHY}
    assert ticket.escalation_reason == WHY


def test_a_drop_asks_before_it_moves(dana: Browser, tickets: list[Ticket], escalated: Status) -> None:
    lane = {"group": "status", "lane": "c-escalated", "ticket": [t.pk for t in tickets]}
    query = {"group": "status", "lanes": "c-escalated", "ticket": tickets[0].pk}
    found = dana.get(reverse("desk:board_targets"), query)
    assert found.json() == {"refused": {}, "asks": ["c-escalated"]}
    text = dana.post(reverse("desk:board_move"), lane, headers=HTMX).content.decode()
    assert "Why is it escalated?" in text
    assert dana.post(reverse("desk:board_move"), {**lane, "escalation_reason": WHY}, headers=HTMX).status_code == 204
    assert [sent(t)["escalation_reason"] for t in tickets] == [WHY, WHY]


def test_in_bulk_it_is_asked_once_for_all(dana: Browser, tickets: list[Ticket], escalated: Status) -> None:
    form = {"field": "status", "value": f"s{escalated.pk}", "pick": [t.pk for t in tickets]}
    asked = dana.post(reverse("tickets:bulk"), form, headers=HTMX)
    assert asked.status_code == 422
    assert "Why is it escalated?" in asked.content.decode()
    refused = dana.post(reverse("tickets:bulk"), {**form, "escalation_reason": ""}, headers=HTMX).content.decode()
    assert "Escalation reason is required" in refused
    assert 'name="escalation_reason"' not in refused  # so that the retry asks for it again
    assert dana.post(reverse("tickets:bulk"), {**form, "escalation_reason": WHY}, headers=HTMX).status_code == 204
    assert [sent(t)["escalation_reason"] for t in tickets] == [WHY, WHY]


def test_the_composer_asks_in_place(dana: Browser, tickets: list[Ticket], escalated: Status) -> None:
    ticket = tickets[0]
    page = dana.get(f"/tickets/{ticket.pk}/").content.decode()
    assert 'data-needs="escalation_reason"' in page
    form = {"marker": MARKER, "kind": "note", "text": "Called the vendor.", "status": escalated.pk}
    wrong = dana.post(f"/tickets/{ticket.pk}/actions/", {**form, "escalation_reason": ""}, headers=HTMX)
    assert wrong.status_code == 422
    assert 'id="composer-reason-wrong"' in wrong.content.decode()
    assert "Called the vendor." in wrong.content.decode()
    assert not OutboxItem.objects.exists()
    done = dana.post(f"/tickets/{ticket.pk}/actions/", {**form, "escalation_reason": WHY}, headers=HTMX)
    assert done.status_code == 200
    fields = sent(ticket)
    assert (fields["new_status"], fields["escalation_reason"]) == ("11", WHY)
    assert ticket.escalation_reason == WHY
