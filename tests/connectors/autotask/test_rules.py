"""Autotask's rules where people choose: queue, role with resource, reason and resolution, before anything leaves."""

from __future__ import annotations

import pytest
from django.test import Client as Browser
from django.urls import reverse

from connectors.autotask.rules import description
from helpdesk.core.rules import usual_targets
from helpdesk.directory.models import Agent, Client, PsaAccount
from helpdesk.outbox.models import OutboxItem
from helpdesk.tickets.models import Status, Ticket
from tests.factories import (
    make_account,
    make_agent,
    make_client,
    make_organisation,
    make_priority,
    make_status,
    make_team,
    make_ticket,
    make_ticket_type,
)
from tests.people import make_dana, make_theo

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
MARKER = "7a2b6d4e-0000-4000-8000-000000000001"
ROLES = [
    {"key": "10", "name": "Engineer", "is_default": False, "teams": ["8"]},
    {"key": "11", "name": "Consultant", "is_default": True, "teams": []},
]


@pytest.fixture
def account(db: None) -> PsaAccount:
    make_organisation()
    told = description(has_queues=True, contracts=True, upload_bytes=6_000_000, webhooks=False).to_json()
    return make_account("auto", title="Autotask", **told)


@pytest.fixture
def ann(account: PsaAccount) -> Agent:
    return make_agent("Ann Weaver", psa_account=account, remote_id="501", roles=ROLES)


@pytest.fixture
def statuses(account: PsaAccount) -> dict[str, Status]:
    return {name: make_status(name, psa_account=account) for name in ("new", "open", "escalated", "closed")}


@pytest.fixture
def ticket(account: PsaAccount, statuses: dict[str, Status]) -> Ticket:
    return make_ticket(status=statuses["new"], team=make_team(psa_account=account, remote_id="8"))


@pytest.fixture
def dana(client: Browser, account: PsaAccount) -> Browser:
    make_theo(account)
    client.force_login(make_dana())
    return client


def sent(ticket: Ticket) -> dict[str, object]:
    ticket.refresh_from_db()
    found = OutboxItem.objects.in_lane(ticket.lane).last()
    return found.fields if found else {}


def assign(dana: Browser, ticket: Ticket, agent: Agent | None) -> object:
    value = f"a{agent.pk}" if agent else "none"
    return dana.post(reverse("tickets:row_change", args=[ticket.pk, "agent"]), {"value": value}, headers=HTMX)


def test_an_owner_comes_with_a_role_and_goes_with_it(dana: Browser, ticket: Ticket, ann: Agent) -> None:
    done = assign(dana, ticket, ann)
    assert sent(ticket) == {"agent": "501", "agent_role": "11"}
    assert ticket.agent_role == "11"
    timeline = dana.get(f"/tickets/{ticket.pk}/").content.decode()
    assert "Consultant" in timeline
    assert "set role" not in timeline
    OutboxItem.objects.update(state="done")
    undo = done.headers["HX-Trigger"].split('"undo_url": "')[1].split('"')[0]  # type: ignore[attr-defined]
    assert dana.post(undo, headers=HTMX).status_code == 204
    assert sent(ticket) == {"agent": None, "agent_role": None}
    assert ticket.agent_role == ""


def test_without_a_default_the_queue_tells(dana: Browser, ticket: Ticket, ann: Agent) -> None:
    roles = [{"key": "9", "name": "Sales", "teams": ["3"]}, {"key": "10", "name": "Engineer", "teams": ["8"]}]
    Agent.objects.filter(pk=ann.pk).update(roles=roles)
    assign(dana, ticket, ann)
    assert sent(ticket)["agent_role"] == "10"


def test_a_resource_without_a_role_is_refused_before_it_leaves(dana: Browser, ticket: Ticket, ann: Agent) -> None:
    Agent.objects.filter(pk=ann.pk).update(roles=[])
    answer = assign(dana, ticket, ann)
    assert answer.status_code == 422  # type: ignore[attr-defined]
    assert "has no active role in Autotask" in answer.content.decode()  # type: ignore[attr-defined]
    assert sent(ticket) == {}


def test_while_the_roles_are_not_known_the_connector_finds_one(dana: Browser, ticket: Ticket, ann: Agent) -> None:
    Agent.objects.filter(pk=ann.pk).update(roles=None)
    assign(dana, ticket, ann)
    assert sent(ticket) == {"agent": "501"}


def test_the_role_can_be_changed_where_it_stands(dana: Browser, ticket: Ticket, ann: Agent) -> None:
    address = reverse("tickets:field", args=[ticket.pk, "agent_role"])
    assert (
        "agent_role" not in dana.get(reverse("tickets:part", args=[ticket.pk, "side"]), headers=HTMX).content.decode()
    )
    assign(dana, ticket, ann)
    form = dana.get(address, headers=HTMX).content.decode()
    assert '<option value="11" selected>Consultant</option>' in form
    assert "None" not in form
    assert dana.post(address, {"value": "99"}, headers=HTMX).status_code == 422
    OutboxItem.objects.update(state="done")
    assert dana.post(address, {"value": "10"}, headers=HTMX).status_code == 200
    assert sent(ticket) == {"agent_role": "10"}
    assert "changed role <b>Consultant</b> to <b>Engineer</b>" in dana.get(f"/tickets/{ticket.pk}/").content.decode()


@pytest.fixture
def company(account: PsaAccount, statuses: dict[str, Status]) -> Client:
    make_priority(3, psa_account=account)
    make_ticket_type(psa_account=account)
    return make_client(psa_account=account)


def opening(account: PsaAccount, client: Client, **values: object) -> dict[str, object]:
    return {"marker": MARKER, "account": account.pk, "client": client.pk, "subject": "Scan to folder", **values}


def test_a_new_ticket_needs_its_queue_and_says_so(dana: Browser, account: PsaAccount, company: Client) -> None:
    queue = make_team("Monitoring", psa_account=account)
    form = dana.get("/tickets/new/").content.decode()
    assert 'name="team" aria-required="true"' in form
    wrong = dana.post("/tickets/new/", opening(account, company), headers=HTMX)
    assert wrong.status_code == 422
    assert 'id="w-team"' in wrong.content.decode()
    assert "Queue is required" in wrong.content.decode()
    assert "Scan to folder" in wrong.content.decode()
    assert not Ticket.objects.filter(client=company).exists()
    made = dana.post("/tickets/new/", opening(account, company, team=queue.pk), headers=HTMX)
    assert made.status_code == 204


def test_a_new_ticket_names_owner_and_role(dana: Browser, account: PsaAccount, company: Client, ann: Agent) -> None:
    queue = make_team("Monitoring", psa_account=account)
    parts = dana.get("/tickets/new/parts/", {"account": account.pk, "agent": ann.pk, "auto_agent": "-"}, headers=HTMX)
    assert '<option value="11" selected>Consultant</option>' in parts.content.decode()
    form = opening(account, company, team=queue.pk, agent=ann.pk, auto_agent="-", agent_role="10")
    assert dana.post("/tickets/new/", form, headers=HTMX).status_code == 204
    ticket = Ticket.objects.get(client=company)
    assert (ticket.agent, ticket.agent_role) == (ann, "10")
    assert {k: v for k, v in sent(ticket).items() if k.startswith("agent")} == {"agent": "501", "agent_role": "10"}


def test_warnings_want_one_press_and_errors_block(dana: Browser, ticket: Ticket, statuses: dict[str, Status]) -> None:
    address = reverse("tickets:row_change", args=[ticket.pk, "status"])
    warned = dana.post(address, {"value": f"s{statuses['open'].pk}"}, headers=HTMX).content.decode()
    assert "No resource assigned" in warned
    assert "Do it all the same" in warned
    form = {"value": f"s{statuses['open'].pk}", "confirmed": "yes"}
    assert dana.post(address, form, headers=HTMX).status_code == 204
    Ticket.objects.update(status=statuses["new"], status_category="new")
    asked = dana.post(address, {"value": f"s{statuses['closed'].pk}"}, headers=HTMX).content.decode()
    assert "Completing without In Progress step" in asked
    form = {"value": f"s{statuses['closed'].pk}", "confirmed": "yes", "resolution": ""}
    blocked = dana.post(address, form, headers=HTMX)
    assert blocked.status_code == 422
    assert "Resolution is required" in blocked.content.decode()
    assert "Do it all the same" not in blocked.content.decode()
    form["resolution"] = "Cable replaced."
    assert dana.post(address, form, headers=HTMX).status_code == 204


def test_what_is_usually_promised_comes_with_the_account(account: PsaAccount) -> None:
    assert usual_targets(account.capabilities) == {
        1: (3600, 14_400),
        2: (7200, 28_800),
        3: (14_400, 86_400),
        4: (28_800, 259_200),
    }
