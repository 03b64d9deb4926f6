"""Every way to resolve asks once what was done, and sends it to the client unless somebody unticks the box."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client as Browser
from django.urls import reverse

from helpdesk.actions.models import Action
from helpdesk.directory.models import PsaAccount
from helpdesk.outbox.models import OutboxItem
from helpdesk.tickets.models import Status, Ticket
from tests.factories import make_account, make_client, make_contact, make_organisation, make_status, make_ticket
from tests.people import make_dana, make_theo

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
MARKER = "7a2b6d4e-0000-4000-8000-000000000001"
DONE = "The driver is pinned."
RULES = [{"to_categories": ["resolved", "closed"], "needs": ["resolution"], "text": "Resolution is required"}]
SHARED = {"resolution": DONE, "share": "yes"}


@pytest.fixture
def halo(db: None) -> PsaAccount:
    make_organisation()
    return make_account(title="HaloPSA", transition_rules=RULES, capabilities={"attachments_upload": True})


@pytest.fixture
def done(halo: PsaAccount) -> Status:
    return make_status("resolved", psa_account=halo)


@pytest.fixture
def tickets(halo: PsaAccount) -> list[Ticket]:
    client = make_client(psa_account=halo, domain="northwind.test")
    contact = make_contact(client, first_name="Aoife", last_name="Brennan", email="aoife@northwind.test")
    return [make_ticket(psa_account=halo, contact=contact) for _ in range(2)]


@pytest.fixture
def dana(client: Browser, halo: PsaAccount) -> Browser:
    make_theo(halo)
    client.force_login(make_dana())
    return client


def asks(answer: Any, *, ticked: bool = True) -> str:
    text: str = answer.content.decode()
    assert answer.status_code == 422
    assert "What we did, for the client" in text
    box = 'name="share" value="yes" checked' if ticked else 'name="share" value="yes">'
    assert box in text
    return text


def outcome_of(ticket: Ticket) -> tuple[str, str, int]:
    ticket.refresh_from_db()
    return ticket.status_category, ticket.resolution, Action.objects.filter(ticket=ticket, is_internal=False).count()


def test_the_status_chooser(dana: Browser, tickets: list[Ticket], done: Status) -> None:
    ticket, other = tickets
    address = f"/tickets/{ticket.pk}/status/"
    text = asks(dana.post(address, {"value": done.pk}, headers=HTMX))
    assert "Send it to Aoife Brennan" in text
    text = asks(dana.post(address, {"value": done.pk, "resolution": " "}, headers=HTMX), ticked=False)
    assert "Resolution is required" in text
    assert dana.post(address, {"value": done.pk, **SHARED}, headers=HTMX).status_code == 204
    assert outcome_of(ticket) == ("resolved", DONE, 1)
    assert OutboxItem.objects.count() == 1
    address = f"/tickets/{other.pk}/status/"
    assert dana.post(address, {"value": done.pk, "resolution": DONE}, headers=HTMX).status_code == 204
    assert outcome_of(other) == ("resolved", DONE, 0)


def test_it_is_offered_where_no_rule_asks(dana: Browser, tickets: list[Ticket], done: Status) -> None:
    PsaAccount.objects.update(transition_rules=[])
    address = f"/tickets/{tickets[0].pk}/status/"
    asks(dana.post(address, {"value": done.pk}, headers=HTMX))
    assert dana.post(address, {"value": done.pk, "resolution": "", "share": "yes"}, headers=HTMX).status_code == 204
    assert outcome_of(tickets[0]) == ("resolved", "", 0)


def test_a_row(dana: Browser, tickets: list[Ticket], done: Status) -> None:
    ticket = tickets[0]
    chooser = dana.get(reverse("tickets:choose", args=[ticket.pk, "status"]), headers=HTMX).content.decode()
    assert f'value="s{done.pk}" data-label' in chooser
    address = reverse("tickets:row_change", args=[ticket.pk, "status"])
    asks(dana.post(address, {"value": f"s{done.pk}"}, headers=HTMX))
    empty = asks(dana.post(address, {"value": f"s{done.pk}", "resolution": "", "share": "yes"}, headers=HTMX))
    assert "Resolution is required" in empty
    answer = dana.post(address, {"value": f"s{done.pk}", **SHARED}, headers=HTMX)
    assert answer.status_code == 204
    assert "the client is told" in answer["HX-Trigger"]
    assert "undo_url" not in answer["HX-Trigger"]
    assert outcome_of(ticket) == ("resolved", DONE, 1)


def test_a_drop_on_the_board(dana: Browser, tickets: list[Ticket], done: Status) -> None:
    lane = {"group": "status", "lane": "c-resolved", "ticket": [t.pk for t in tickets]}
    address = reverse("desk:board_move")
    text = asks(dana.post(address, lane, headers=HTMX))
    assert "2 tickets to Resolved" in text
    for ticket in tickets:
        assert f'name="ticket" value="{ticket.pk}"' in text
    assert dana.post(address, {**lane, **SHARED}, headers=HTMX).status_code == 204
    assert [outcome_of(t) for t in tickets] == [("resolved", DONE, 1)] * 2


def test_the_lane_is_open_while_only_the_resolution_is_missing(
    dana: Browser, tickets: list[Ticket], done: Status
) -> None:
    found = dana.get(reverse("desk:board_targets"), {"group": "status", "ticket": tickets[0].pk}).json()
    assert "c-resolved" not in found["refused"]


def test_in_bulk(dana: Browser, tickets: list[Ticket], done: Status) -> None:
    form = {"field": "status", "value": f"s{done.pk}", "pick": [t.pk for t in tickets]}
    text = asks(dana.post(reverse("tickets:bulk"), form, headers=HTMX))
    assert "each ticket’s contact" in text
    answer = dana.post(reverse("tickets:bulk"), {**form, **SHARED}, headers=HTMX)
    assert answer.status_code == 204
    assert [outcome_of(t) for t in tickets] == [("resolved", DONE, 1)] * 2
    assert {i.rank for i in OutboxItem.objects.all()} == {2}


def test_the_words_for_a_list_reach_nobody_who_came_to_it_since(
    dana: Browser, tickets: list[Ticket], done: Status
) -> None:
    form = {"field": "status", "value": f"s{done.pk}", "all": "yes", "query": "?status=open"}
    text = asks(dana.post(reverse("tickets:bulk"), form, headers=HTMX))
    late = make_ticket(psa_account=tickets[0].psa_account, contact=tickets[0].contact)
    hidden = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', text)
    again: dict[str, list[str]] = {}
    for name, value in hidden:
        again.setdefault(name, []).append(value)
    assert dana.post(reverse("tickets:bulk"), {**again, **SHARED}, headers=HTMX).status_code == 204
    assert [outcome_of(t)[2] for t in (*tickets, late)] == [1, 1, 0]


def test_in_bulk_what_is_refused_can_be_tried_again_with_the_words(
    dana: Browser, tickets: list[Ticket], done: Status
) -> None:
    form = {"field": "status", "value": f"s{done.pk}", "pick": [t.pk for t in tickets]}
    text = dana.post(reverse("tickets:bulk"), {**form, "resolution": ""}, headers=HTMX).content.decode()
    assert "Resolution is required" in text
    assert 'name="resolution" value=""' in text


def test_send_and_resolve_in_the_composer(dana: Browser, tickets: list[Ticket], done: Status) -> None:
    ticket = tickets[0]
    page = dana.get(f"/tickets/{ticket.pk}/").content.decode()
    assert "What we did, for the client" in page
    assert 'name="share" value="yes" checked' in page
    given = {"marker": MARKER, "kind": "note", "text": "He had it unplugged.", "status": done.pk}
    address = f"/tickets/{ticket.pk}/actions/"
    wrong = dana.post(address, {**given, "share": "yes"}, headers=HTMX)
    assert wrong.status_code == 422
    assert 'name="share" value="yes" checked' in wrong.content.decode()
    for _press in range(2):
        assert dana.post(address, {**given, **SHARED}, headers=HTMX).status_code == 200
    assert outcome_of(ticket) == ("resolved", DONE, 1)
    assert Action.objects.filter(is_internal=True).count() == 1


def test_a_reply_that_resolves_is_the_resolution(dana: Browser, tickets: list[Ticket], done: Status) -> None:
    """Nobody writes the same words twice; an internal note never becomes what the client was told."""
    given = {"marker": MARKER, "text": DONE, "status": done.pk, "resolution": "", "share": "yes"}
    address = "/tickets/{}/actions/"
    wrong = dana.post(address.format(tickets[0].pk), {**given, "kind": "note"}, headers=HTMX)
    assert wrong.status_code == 422
    reply = {**given, "kind": "reply", "to": "aoife@northwind.test"}
    assert dana.post(address.format(tickets[0].pk), reply, headers=HTMX).status_code == 200
    assert outcome_of(tickets[0]) == ("resolved", DONE, 1)
    # What stood there before is somebody's considered text.
    tickets[1].resolution = "Replaced the switch."
    tickets[1].save()
    other = {**reply, "marker": MARKER[:-1] + "2"}
    assert dana.post(address.format(tickets[1].pk), other, headers=HTMX).status_code == 200
    assert outcome_of(tickets[1])[:2] == ("resolved", "Replaced the switch.")
