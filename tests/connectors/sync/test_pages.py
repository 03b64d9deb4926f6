"""The pages of accounts and sync: who sees and changes what; no PSA is called inside a request."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from connectors.sync.models import Connection, Cursor, Feed, SyncLogEntry
from helpdesk.accounts.models import AuditEntry
from helpdesk.outbox import services as outbox
from helpdesk.outbox.choices import Reason, State, Verb
from helpdesk.outbox.models import OutboxItem
from tests.factories import NOW, make_account, make_ticket
from tests.people import EVERYBODY, make_ada

pytestmark = pytest.mark.django_db

PAGES = ("sync:accounts", "sync:sync", "sync:account_new")


def signed_in(client: Client, name: str) -> Client:
    client.force_login(EVERYBODY[name]())
    return client


@pytest.fixture
def refused() -> OutboxItem:
    ticket = make_ticket()
    item = outbox.enqueue(
        psa_account_id=ticket.psa_account_id, lane=ticket.lane, verb=Verb.UPDATE_TICKET, subject=f"ticket:{ticket.pk}",
        fields={"subject": "x"}, base={"subject": "y"}, origin=_nobody(), now=NOW,
    )  # fmt: skip
    taken = outbox.claim(now=NOW, lease_seconds=60)[0]
    outbox.refuse(item=taken, reason=Reason.VALIDATION, text="Subject is <b>too</b> short", now=NOW)
    item.refresh_from_db()
    return item


def _nobody() -> Any:
    from helpdesk.core.origin import Origin

    return Origin.system("test")


def test_an_administrator_sees_every_account_with_its_figures(client: Client, refused: OutboxItem) -> None:
    Cursor.objects.create(psa_account=refused.psa_account, feed=Feed.OPEN_TICKETS, done=40, total=80)
    SyncLogEntry.objects.create(psa_account=refused.psa_account, at=NOW, what="pull", text="3 tickets")
    refused.psa_account.backfill_done_at = None
    refused.psa_account.save()
    signed_in(client, "ada")
    text = client.get(reverse("sync:accounts")).content.decode()
    assert "Tickets mirrored" in text
    assert "Refused" in text
    text = client.get(reverse("sync:sync")).content.decode()
    assert "3 tickets" in text
    assert "&lt;b&gt;too" in text
    assert "of 80" in text
    part = client.get(reverse("sync:sync"), headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    assert 'id="sync-page"' in part


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("name", ["dana", "theo", "cleo", "otto"])
def test_the_pages_are_closed_to_those_who_may_not(client: Client, name: str, page: str) -> None:
    make_account()
    assert signed_in(client, name).get(reverse(page)).status_code in (403, 404)


def test_a_manager_sees_but_does_not_change(client: Client, refused: OutboxItem) -> None:
    signed_in(client, "mona")
    assert client.get(reverse("sync:accounts")).status_code == 200
    for address in ("account_pause", "account_resume", "account_test"):
        assert client.post(reverse(f"sync:{address}", args=["halo"])).status_code == 403
    assert client.post(reverse("sync:account", args=["halo"]), {"url": "https://evil.test"}).status_code == 403


def test_pausing_and_resuming_are_audited(client: Client) -> None:
    account = make_account()
    signed_in(client, "ada")
    client.post(reverse("sync:account_pause", args=["halo"]))
    account.refresh_from_db()
    assert account.is_paused
    assert "Ada" in account.paused_reason
    client.post(reverse("sync:account_resume", args=["halo"]))
    account.refresh_from_db()
    assert not account.is_paused
    assert list(AuditEntry.objects.order_by("pk").values_list("verb", flat=True)) == ["account.pause", "account.resume"]


def test_a_new_connection_waits_for_the_worker_and_shows_no_secret(client: Client) -> None:
    signed_in(client, "ada")
    form = {
        "kind": "halopsa", "name": "north", "url": "https://north.halopsa.test", "s_client_id": "abc",
        "s_client_secret": "very-secret-thing",
    }  # fmt: skip
    assert client.post(reverse("sync:account_new"), form).status_code == 302
    row = Connection.objects.get()
    assert row.state == "waiting"
    assert "very-secret-thing" not in row.secrets + str(row.settings) + str(AuditEntry.objects.get().detail)
    text = client.get(reverse("sync:accounts")).content.decode()
    assert "Being tested" in text
    assert "very-secret-thing" not in text
    answer = client.post(reverse("sync:account_new"), {"kind": "halopsa", "name": "x y", "url": "nothing"})
    assert answer.status_code == 422


def test_a_stored_secret_is_never_shown_and_a_blank_one_is_kept(client: Client) -> None:
    from helpdesk.directory.services import keep_secrets

    account = make_account(settings={"client_id": "abc"})
    keep_secrets(account=account, secrets={"client_secret": "very-secret-thing"})
    signed_in(client, "ada")
    text = client.get(reverse("sync:account", args=["halo"])).content.decode()
    assert "very-secret-thing" not in text
    assert "abc" in text
    form = {"kind": "halopsa", "url": "https://halo.psa.test", "s_client_id": "abcd", "s_client_secret": ""}
    assert client.post(reverse("sync:account", args=["halo"]), form).status_code == 302
    assert Connection.objects.get().settings["client_id"] == "abcd"


def test_a_refused_change_can_be_sent_again_or_given_up(client: Client, refused: OutboxItem) -> None:
    signed_in(client, "ada")
    client.post(reverse("sync:item_retry", args=[refused.pk]))
    refused.refresh_from_db()
    assert refused.state == State.WAITING
    client.post(reverse("sync:item_discard", args=[refused.pk]))
    refused.refresh_from_db()
    assert refused.state == State.DISCARDED
    assert client.post(reverse("sync:item_discard", args=[refused.pk])).status_code == 302


def test_more_accounts_and_items_cost_no_more_queries(client: Client, django_assert_max_num_queries: Any) -> None:
    signed_in(client, "ada")
    for number in range(4):
        make_ticket(psa_account=make_account(f"halo{number}"))
    client.get(reverse("sync:accounts"))
    with django_assert_max_num_queries(45):
        client.get(reverse("sync:accounts"))
    assert make_ada()


# Who mails the client ------------------------------------------------------------------------------------------------

MAILS = {"acknowledgement": "desk", "reply": "psa", "status": "off", "reply_to": "support@harbour.test"}


def test_who_mails_the_client_is_chosen_saved_and_written_down(client: Client) -> None:
    account = make_account(capabilities={"mails": "psa", "mail_switches": ["acknowledgement", "reply"]})
    signed_in(client, "ada")
    page = client.get(reverse("sync:account", args=["halo"])).content.decode()
    assert 'name="acknowledgement"' in page
    assert "mails by its own rules" in page
    assert client.post(reverse("sync:account_mails", args=["halo"]), MAILS).status_code == 302
    account.refresh_from_db()
    assert account.client_mail == MAILS
    assert [account.mailer(o) for o in ("acknowledgement", "reply", "status")] == ["desk", "psa", "off"]
    entry = AuditEntry.objects.get(verb="account.client_mail")
    assert entry.detail["status"] == "off"
    client.post(reverse("sync:account_mails", args=["halo"]), MAILS)
    assert AuditEntry.objects.filter(verb="account.client_mail").count() == 1
    again = client.get(reverse("sync:account", args=["halo"])).content.decode()
    assert "support@harbour.test" in again


@pytest.mark.parametrize(
    "wrong",
    [{"reply": "both"}, {"reply": ""}, {"status": "psa"}, {"reply_to": "a@b.test\nBcc: x@y.test"}, {"reply_to": "me"}],
)
def test_what_the_psa_cannot_do_is_neither_offered_nor_taken(client: Client, wrong: dict[str, str]) -> None:
    account = make_account(capabilities={"mails": "desk"}, client_mail={"reply": "off"})
    signed_in(client, "ada")
    assert 'value="psa"' not in client.get(reverse("sync:account", args=["halo"])).content.decode()
    values = {"acknowledgement": "desk", "reply": "desk", "status": "desk", "reply_to": "", **wrong}
    assert client.post(reverse("sync:account_mails", args=["halo"]), values).status_code == 422
    account.refresh_from_db()
    assert account.client_mail == {"reply": "off"}


@pytest.mark.parametrize("name", ["dana", "theo", "mona", "cleo", "otto"])
def test_only_who_may_change_accounts_chooses_who_mails(client: Client, name: str) -> None:
    account = make_account(capabilities={"mails": "psa"})
    assert signed_in(client, name).post(reverse("sync:account_mails", args=["halo"]), MAILS).status_code in (403, 404)
    account.refresh_from_db()
    assert account.client_mail == {}
