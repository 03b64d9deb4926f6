"""People of a PSA that lists nobody: learned ones and written-down ones, joined with users by their e-mail."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from connectors.sync.keys import Keys
from helpdesk.accounts.models import AuditEntry
from helpdesk.directory.models import Agent, PsaAccount
from tests.factories import make_account, make_agent, make_organisation, make_ticket
from tests.people import EVERYBODY, make_ada, make_theo

pytestmark = pytest.mark.django_db
GIVEN = {"name": "Kim Novak", "email": "kim@desk.test", "remote_id": "9005"}


@pytest.fixture
def account(db: None) -> PsaAccount:
    make_organisation()
    return make_account("atera", title="Atera", capabilities={"list_agents": False, "agent_ids": "digits"})


@pytest.fixture
def ada(client: Client, account: PsaAccount) -> Client:
    client.force_login(make_ada())
    return client


def address(account: PsaAccount, *keys: Any) -> str:
    return reverse("sync:agent" if keys else "sync:agents", args=[account.name, *keys])


@pytest.mark.parametrize("name", ["dana", "theo", "mona", "cleo", "otto"])
def test_only_an_administrator(client: Client, account: PsaAccount, name: str) -> None:
    found = make_agent(psa_account=account)
    client.force_login(EVERYBODY[name]())
    for path in (address(account), address(account, found.pk)):
        assert client.get(path).status_code in (403, 404)
        assert client.post(path, GIVEN).status_code in (403, 404)
    assert client.post(reverse("sync:agent_switch", args=[account.name, found.pk])).status_code in (403, 404)
    assert Agent.objects.get(pk=found.pk).is_active


def test_a_psa_with_a_list_of_its_own_has_no_such_page(ada: Client) -> None:
    halo = make_account("halo", capabilities={"list_agents": True})
    assert ada.get(address(halo)).status_code == 404
    assert address(halo) not in ada.get(reverse("sync:accounts")).content.decode()


def test_one_is_added_and_joined_and_named_in_the_audit_log(ada: Client, account: PsaAccount) -> None:
    theo = make_theo(make_account("halo"))
    assert address(account) in ada.get(reverse("sync:accounts")).content.decode()
    assert ada.post(address(account), {**GIVEN, "email": theo.email.upper()}).status_code == 302
    found = Agent.objects.get(psa_account=account)
    assert (found.name, found.remote_id, found.user) == ("Kim Novak", "9005", theo)
    page = ada.get(address(account)).content.decode()
    assert "by hand" in page
    entry = AuditEntry.objects.get(verb="agent.add")
    assert entry.detail["remote_id"] == "9005"


def test_learned_ones_stand_beside_them_and_keep_what_was_corrected(ada: Client, account: PsaAccount) -> None:
    pk = Keys(account.pk).get("agent", "9007", label="K. Novak")
    assert pk is not None
    assert "learned" in ada.get(address(account)).content.decode()
    given = {**GIVEN, "remote_id": "9007"}
    assert ada.post(address(account, pk), given).status_code == 302
    Keys(account.pk).get("agent", "9007", label="Somebody Else")
    assert Agent.objects.get(pk=pk).name == "Kim Novak"
    assert ada.post(address(account, pk), given).status_code == 302
    assert AuditEntry.objects.filter(verb="agent.change").count() == 1


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"name": ""}, "required"),
        ({"email": "kim"}, "valid email"),
        ({"remote_id": "kim"}, "knows its people by a number"),
        ({"remote_id": "9001"}, "has this id already"),
    ],
)
def test_bad_input_is_refused_at_its_field_and_kept(
    ada: Client, account: PsaAccount, data: dict[str, str], words: str
) -> None:
    make_agent(psa_account=account, remote_id="9001")
    answer = ada.post(address(account), {**GIVEN, **data})
    assert answer.status_code == 422
    text = answer.content.decode()
    assert words in text
    assert data.get("name", "Kim Novak") in text
    assert Agent.objects.count() == 1


def test_an_id_that_tickets_hang_on_stays(ada: Client, account: PsaAccount) -> None:
    found = make_agent(psa_account=account, remote_id="9001")
    make_ticket(psa_account=account, agent=found)
    answer = ada.post(address(account, found.pk), GIVEN)
    assert answer.status_code == 422
    assert "has tickets under the old id" in answer.content.decode()


def test_somebody_is_retired_and_taken_back(ada: Client, account: PsaAccount) -> None:
    found = make_agent(psa_account=account)
    switch = reverse("sync:agent_switch", args=[account.name, found.pk])
    for data, is_active in (({}, False), ({}, False), ({"on": "yes"}, True)):
        assert ada.post(switch, data).status_code == 302
        assert Agent.objects.get(pk=found.pk).is_active is is_active
    verbs = AuditEntry.objects.filter(verb__startswith="agent.").order_by("pk").values_list("verb", flat=True)
    assert list(verbs) == ["agent.retire", "agent.restore"]


def test_a_new_address_joins_another_user(ada: Client, account: PsaAccount) -> None:
    theo = make_theo(make_account("halo"))
    found = make_agent(psa_account=account, remote_id="9005", email=theo.email, user=theo)
    assert ada.post(address(account, found.pk), GIVEN).status_code == 302
    found.refresh_from_db()
    assert found.user is None


def test_ten_more_cost_no_more_queries(ada: Client, account: PsaAccount, django_assert_max_num_queries: Any) -> None:
    ada.get(address(account))
    with django_assert_max_num_queries(60) as few:
        ada.get(address(account))
    for number in range(10):
        make_agent(f"Agent {number}", psa_account=account)
    with django_assert_max_num_queries(len(few)):
        ada.get(address(account))
