from __future__ import annotations

from datetime import datetime

import pytest
from django.conf import LazySettings

from helpdesk.core.secrets import SecretLost
from helpdesk.directory import services
from helpdesk.directory.models import Agent, Client, Contact, PsaAccount, PsaSecret
from helpdesk.directory.services import RemoteRecord
from tests.factories import make_agent, make_client, make_contact, make_team
from tests.people import make_theo

pytestmark = pytest.mark.django_db


def test_records_are_upserted_and_placeholders_get_their_names(account: PsaAccount) -> None:
    key = services.place_holder(Client, account_id=account.pk, remote_id="7", values={"name": "Client 7"})
    row = RemoteRecord(remote_id="7", values={"name": "Kestrel Joinery", "is_active": True})
    for _ in range(2):
        services.upsert_records(Client, account_id=account.pk, rows=[row, row])
    client = Client.objects.get()
    assert (client.pk, client.name, client.is_placeholder) == (key, "Kestrel Joinery", False)


def test_an_erased_contact_stays_erased(account: PsaAccount, now: datetime) -> None:
    make_contact(make_client(psa_account=account), remote_id="5", first_name="Erased", erased_at=now)
    row = RemoteRecord(remote_id="5", values={"first_name": "Aoife", "email": "a@b.test"})
    services.upsert_records(Contact, account_id=account.pk, rows=[row])
    assert Contact.objects.get(remote_id="5").first_name == "Erased"


def test_agents_get_and_lose_teams(account: PsaAccount) -> None:
    make_agent(psa_account=account, remote_id="4")
    make_team("Field", psa_account=account, remote_id="1")
    make_team("Desk", psa_account=account, remote_id="2")
    services.set_agent_teams(account_id=account.pk, teams={"4": ["1", "2", "99"]})
    assert Agent.objects.get(remote_id="4").teams.count() == 2
    services.set_agent_teams(account_id=account.pk, teams={"4": ["2"]})
    assert [t.name for t in Agent.objects.get(remote_id="4").teams.all()] == ["Desk"]


def test_people_are_joined_by_mail_to_what_their_role_is(account: PsaAccount, now: datetime) -> None:
    theo = make_theo()
    agent = make_agent(psa_account=account, email=theo.email.upper())
    contact = make_contact(make_client(psa_account=account), email=theo.email)
    services.join_users(now=now)
    agent.refresh_from_db()
    contact.refresh_from_db()
    assert (agent.user, contact.user) == (theo, None)
    assert services.agent_of(theo.pk, account.pk) == agent


def test_credentials_are_stored_encrypted_and_a_lost_key_is_said(account: PsaAccount, settings: LazySettings) -> None:
    services.keep_secrets(account=account, secrets={"client_secret": "hush"})
    assert "hush" not in PsaSecret.objects.get().token
    assert services.read_secrets(account) == {"client_secret": "hush"}
    settings.SECRETS_KEYS = ["bm90LXRoZS1vbmUtdGhhdC1lbmNyeXB0ZWQtdGhpcyE="]
    with pytest.raises(SecretLost):
        services.read_secrets(account)
