"""Webhooks from registering to reading: the desk's part, in front of a sandbox over real HTTP."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client as Browser
from django.test import RequestFactory, override_settings
from django.urls import reverse

from connectors.base.errors import Forbidden
from connectors.sync import hints, hooks, pull, webhooks
from connectors.sync.models import Hint, Hook, HookCount, SyncLogEntry
from connectors.sync.webhooks import BAD_CALLS, BODY_BYTES
from helpdesk.desk.gauges import exposition
from helpdesk.directory.services import read_secrets
from helpdesk.tickets.models import Ticket
from tests.connectors.sync.helpers import Desk, desk
from tests.people import make_ada, make_theo

pytestmark = pytest.mark.django_db


@pytest.fixture
def found() -> Iterator[Desk]:
    cache.clear()
    with override_settings(DEMO=True, BASE_URL="http://127.0.0.1:9"), desk(tickets=6) as there:
        hooks.settle(there.account, clock=there.clock)
        yield there
    cache.clear()


def address(found: Desk) -> str:
    return reverse("sync:hook", args=[found.account.name, read_secrets(found.account)[hooks.IN_ADDRESS]])


def signed(found: Desk, body: bytes) -> str:
    key = read_secrets(found.account)[hooks.FOR_SIGNATURE].encode()
    return base64.b64encode(hmac.new(key, body, hashlib.sha256).digest()).decode()


def call(found: Desk, remote_id: Any, **more: Any) -> int:
    body = json.dumps({"ticket": {"id": remote_id}}).encode()
    options: dict[str, Any] = {"content_type": "application/json", "headers": {"Token": signed(found, body)}, **more}
    return Browser().post(options.pop("path", address(found)), options.pop("data", body), **options).status_code


def remote_hooks(found: Desk) -> list[dict[str, Any]]:
    sandbox = found.sandbox
    answer = sandbox.client.get(f"{sandbox.halopsa}/api/Webhook?type=0", headers=sandbox.token())
    rows: list[dict[str, Any]] = answer.json()
    return rows


def drain(found: Desk) -> None:
    """Let what was heard settle, and read it."""
    found.clock.advance(1)
    hints.drain(clock=found.clock, sleep=lambda seconds: found.clock.advance(seconds))


# ---- registering ----------------------------------------------------------------------------------------------------


def test_connecting_registers_once_and_looking_again_changes_nothing(found: Desk) -> None:
    hook = Hook.objects.get()
    assert (hook.state, hook.text, hook.heard_at) == ("registered", "", None)
    assert [row["url"] for row in remote_hooks(found)] == ["http://127.0.0.1:9" + address(found)]
    found.clock.advance(700)
    assert hooks.is_due(now=found.clock())
    hooks.settle_due(clock=found.clock)
    assert [row["id"] for row in remote_hooks(found)] == [hook.remote_id]
    assert not hooks.is_due(now=found.clock())
    assert len(read_secrets(found.account)[hooks.IN_ADDRESS]) >= 43  # 256 bit
    assert read_secrets(found.account)[hooks.IN_ADDRESS] not in json.dumps(list(Hook.objects.values()), default=str)


def test_not_before_the_open_tickets_are_here() -> None:
    with override_settings(DEMO=True, BASE_URL="http://127.0.0.1:9"), desk(tickets=6, pulled=False) as there:
        assert not hooks.is_due(now=there.clock())
        pull.tickets_slice(there.account, clock=there.clock, lane=pull.QUEUE_LANE)
        assert hooks.is_due(now=there.clock())
        hooks.settle_due(clock=there.clock)
        assert Hook.objects.get().state == "registered"


def test_another_address_of_the_desk_or_new_secrets_mend_the_same_hook(found: Desk) -> None:
    before = address(found)
    with override_settings(BASE_URL="http://127.0.0.1:10"):
        hooks.look_again(account_id=found.account.pk)
        hooks.settle_due(clock=found.clock)
        assert [row["url"] for row in remote_hooks(found)] == ["http://127.0.0.1:10" + before]
    hooks.renew(account=found.account)
    assert call(found, 1, path=before) == 404  # shut at once
    hooks.settle_due(clock=found.clock)
    assert [row["url"] for row in remote_hooks(found)] == ["http://127.0.0.1:9" + address(found)]
    assert address(found) != before
    assert call(found, 1) == 200


def test_one_that_somebody_deleted_in_the_psa_is_made_again(found: Desk) -> None:
    sandbox, old = found.sandbox, remote_hooks(found)[0]["id"]
    sandbox.client.delete(f"{sandbox.halopsa}/api/Webhook/{old}", headers=sandbox.token())
    found.clock.advance(700)
    hooks.settle_due(clock=found.clock)
    assert [row["id"] for row in remote_hooks(found)] == [Hook.objects.get().remote_id] != [old]


def test_off_removes_it_and_shuts_the_door(found: Desk) -> None:
    path = address(found)
    hooks.choose(account=found.account, choice="off", now=found.clock())
    hooks.settle_due(clock=found.clock)
    assert remote_hooks(found) == []
    assert Hook.objects.get().state == "off"
    assert call(found, 1, path=path) == 404
    found.account.refresh_from_db()
    hooks.choose(account=found.account, choice="on", now=found.clock())
    hooks.settle_due(clock=found.clock)
    assert len(remote_hooks(found)) == 1


def test_a_refusal_is_a_state_and_pulling_goes_on(found: Desk) -> None:
    found.fault("status_before", path="/Webhook$", method="GET", status=403, times=4, body={"message": "No permission"})
    hooks.look_again(account_id=found.account.pk)
    hooks.settle_due(clock=found.clock)
    hook = Hook.objects.get()
    assert hook.state == "refused"
    assert hook.text
    assert not found.pull().errors
    browser = Browser()
    browser.force_login(make_ada())
    page = browser.get(reverse("sync:account", args=[found.account.name])).content.decode()
    assert 'data-hook="refused"' in page


@pytest.mark.parametrize("status", [400, 403, 500])
def test_a_refusal_that_quotes_our_secrets_gives_them_to_nobody(found: Desk, status: int, caplog: Any) -> None:
    hooks.renew(account=found.account)
    secrets = read_secrets(found.account)
    keys = [secrets[hooks.IN_ADDRESS], secrets[hooks.FOR_SIGNATURE]]
    cut = f"/hooks/halo/{keys[0][:30]}"
    said = {"message": f"No good: http://127.0.0.1:9/hooks/halo/{keys[0]}/ with {keys[1]}, or {cut}"}
    found.fault("status_before", path="/Webhook$", method="POST", status=status, times=4, body=said)
    hooks.settle_due(clock=found.clock)
    found.account.refresh_from_db()
    kept = [*Hook.objects.values(), *SyncLogEntry.objects.values(), found.account.health_text, caplog.text]
    assert Hook.objects.get().text.startswith("No good") or status == 500
    assert not [key for key in keys if key in str(kept) or key[:30] in str(kept)]


def test_an_outage_is_tried_again_in_a_minute(found: Desk) -> None:
    found.fault("status_before", path="/Webhook", method=None, status=503, times=20)
    hooks.look_again(account_id=found.account.pk)
    hooks.settle_due(clock=found.clock)
    assert not hooks.is_due(now=found.clock())
    found.sandbox.control("DELETE", "faults")
    found.clock.advance(200)
    hooks.settle_due(clock=found.clock)
    assert Hook.objects.get().state == "registered"


@pytest.mark.parametrize(
    ("base", "is_on"),
    [
        ("https://desk.example.com", True),
        ("http://desk.example.com", False),
        ("https://localhost", False),
        ("https://192.168.1.5", False),
        ("https://intranet", False),
    ],
)
def test_the_default_follows_whether_a_psa_can_reach_us(base: str, is_on: bool) -> None:
    from tests.factories import make_account

    account = make_account(capabilities={"webhooks": True})
    with override_settings(BASE_URL=base, DEMO=False):
        assert hooks.wanted(account)[0] is is_on
        assert bool(hooks.wanted(account)[1]) is not is_on
        account.settings = {"webhooks": "on"}
        assert hooks.wanted(account) == (True, "")
        account.settings = {"webhooks": "off"}
        assert not hooks.wanted(account)[0]
        account.capabilities = {}
        account.settings = {}
        assert not hooks.wanted(account)[0]


# ---- the door -------------------------------------------------------------------------------------------------------


def test_strangers_hear_nothing(found: Desk) -> None:
    right = address(found)
    secret = right.rstrip("/").rpartition("/")[2]
    body = json.dumps({"ticket": {"id": 1}}).encode()
    token = {"Token": signed(found, body)}
    post = Browser().post
    answers = [
        (post(f"/hooks/{found.account.name}/wrong/", body, "application/json", headers=token), 404),
        (post(f"/hooks/nobody/{secret}/", body, "application/json", headers=token), 404),
        (post("/hooks/%00/%FF/", body, "application/json"), 404),
        (post(right, body, "application/json"), 401),
        (post(right, body, "application/json", headers={"Token": "x"}), 401),
        (post(right, body + b" ", "application/json", headers=token), 401),
        (post(right, body, "text/plain", headers=token), 401),
        (post(right, body, "application/json", headers={**token, "Content-Encoding": "gzip"}), 401),
        (post(right, b"x" * (BODY_BYTES + 1), "application/json", headers=token), 401),
        (post(right, b"\xff{", "application/json", headers={"Token": signed(found, b"\xff{")}), 401),
        (Browser().get(right), 405),
        (Browser().put(right, body, "application/json", headers=token), 405),
    ]
    assert [(a.status_code, a.content) for a, _ in answers] == [(status, b"") for _, status in answers]
    assert not Hint.objects.exists()
    assert Hook.objects.get().heard == 0
    counted = dict(HookCount.objects.values_list("what", "number"))
    assert counted == {"address": 3, "signature": 4, "body": 3}
    assert 'helpdesk_hook_calls_total{what="address"} 3' in exposition(found.clock()).decode()


def test_a_body_said_to_be_endless_is_not_read(found: Desk) -> None:
    class Endless:
        def read(self, *_: object) -> bytes:
            raise AssertionError("read")

        readline = read

    environ: dict[str, Any] = {"CONTENT_LENGTH": str(10**9), "wsgi.input": Endless()}
    for length in (str(10**9), "9" * 5000, "\u00b2", "-1", ""):
        environ["CONTENT_LENGTH"] = length
        answer = Browser().generic("POST", address(found), b"", "application/json", **environ)
        assert answer.status_code == 401


def test_too_many_bad_calls_are_turned_away_before_the_database(found: Desk, django_assert_num_queries: Any) -> None:
    for _ in range(BAD_CALLS + 1):
        assert call(found, 1, path=f"/hooks/{found.account.name}/guess/") == 404
    path = f"/hooks/{found.account.name}/guess/"
    with django_assert_num_queries(0):
        assert Browser().post(path, b"{}", "application/json").status_code == 429
    assert call(found, 1, REMOTE_ADDR="203.0.113.9") == 200  # others are heard


def test_nobody_can_work_out_whose_counter_they_share() -> None:
    spread = []
    for key in ("one" * 20, "two" * 20):
        with override_settings(SECRET_KEY=key):
            spread.append([webhooks._drawer(f"192.0.2.{n}", "halo") for n in range(40)])
    assert sum(a == b for a, b in zip(*spread, strict=True)) < 8
    assert len(set(spread[0])) > 20


def test_a_good_call_costs_little(found: Desk, django_assert_max_num_queries: Any) -> None:
    body = json.dumps({"ticket": {"id": 1}}).encode()
    path, token = address(found), {"Token": signed(found, body)}
    asked = len(found.sandbox.requests())
    with django_assert_max_num_queries(5):  # one of them is the transaction's savepoint pair in tests
        Browser().post(path, body, "application/json", headers=token)
    rounds = 100
    requests = [RequestFactory().post(path, body, "application/json", headers=token) for _ in range(rounds)]
    account, secret = path.split("/")[2:4]
    started = time.thread_time()
    for request in requests:
        assert webhooks.hook(request, account, secret).status_code == 200
    spent = (time.thread_time() - started) / rounds
    assert spent < 0.010, spent
    assert len(found.sandbox.requests()) == asked
    assert Hint.objects.count() == 1
    assert Hook.objects.get().heard == rounds + 1


def test_a_wrong_secret_costs_as_much_as_an_unknown_account(found: Desk) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    seen = []
    for path in (f"/hooks/{found.account.name}/{'x' * 43}/", f"/hooks/nobody/{'x' * 43}/"):
        call(found, 1, path=path)  # the counter's row is there
        with CaptureQueriesContext(connection) as queries:
            assert call(found, 1, path=path) == 404
        sql = [
            q["sql"] for q in queries if "PsaSecret" not in q["sql"] and '"directory_psasecret"."id"' not in q["sql"]
        ]
        seen.append([s.split()[0] for s in sql])
    assert seen[0] == seen[1]


# ---- what becomes of a hint -----------------------------------------------------------------------------------------


def test_a_change_a_new_ticket_and_a_deletion_arrive_by_hint_alone(found: Desk) -> None:
    changed, doomed = Ticket.objects.order_by("pk")[:2]
    found.sandbox.control("POST", f"halopsa/tickets/{changed.remote_id}", {"summary": "Hinted at"})
    found.sandbox.control("POST", f"halopsa/tickets/{changed.remote_id}/actions", {"note": "Hinted note"})
    client = changed.client
    assert client
    made = found.sandbox.control(
        "POST", "halopsa/tickets", {"summary": "Brand new", "client_id": int(client.remote_id or 0)}
    )
    found.sandbox.control("DELETE", f"halopsa/tickets/{doomed.remote_id}")
    for remote_id in (changed.remote_id, made["id"], doomed.remote_id, 987_654):
        assert call(found, remote_id) == 200
    drain(found)
    changed.refresh_from_db()
    doomed.refresh_from_db()
    assert changed.subject == "Hinted at"
    assert changed.actions.filter(body__contains="Hinted note").exists()
    assert Ticket.objects.get(remote_id=str(made["id"])).subject == "Brand new"
    assert doomed.removed_at
    assert not Ticket.objects.filter(remote_id="987654").exists()
    assert not hints.are_waiting()


def test_many_calls_about_one_ticket_are_one_reading(found: Desk) -> None:
    ticket = found.ticket()
    for _ in range(25):
        call(found, ticket.remote_id)
    before = len(found.sandbox.requests())
    drain(found)
    asked = found.sandbox.requests()[before:]
    reads = [r for r in asked if r["path"].endswith(f"/Tickets/{ticket.remote_id}")]
    assert len(asked) <= 4
    assert len(reads) == 1


def test_a_replayed_call_reads_again_and_changes_nothing(found: Desk) -> None:
    ticket = found.ticket()
    call(found, ticket.remote_id)
    drain(found)
    before = list(Ticket.objects.order_by("pk").values_list("pk", "subject", "remote_updated_at"))
    call(found, ticket.remote_id)
    drain(found)
    assert list(Ticket.objects.order_by("pk").values_list("pk", "subject", "remote_updated_at")) == before


def test_a_flood_fills_no_queue_and_only_brings_the_pull_forward(found: Desk) -> None:
    later = found.clock().replace(year=2100)
    type(found.account).objects.update(next_pull_at=later)
    ids = iter(range(5_000, 10_000))
    while True:
        batch = [{"ticket": {"id": next(ids)}} for _ in range(100)]
        body = json.dumps(batch).encode()
        assert call(found, 0, data=body, headers={"Token": signed(found, body)}) == 200
        if Hint.objects.count() > hints.MOST_WAITING - 100:
            found.account.refresh_from_db()
            if found.account.next_pull_at != later:
                break
    assert Hint.objects.count() <= hints.MOST_WAITING
    assert pull.due_accounts(found.clock())


def test_while_the_account_is_paused_hints_go_and_nothing_is_called(found: Desk) -> None:
    call(found, found.ticket().remote_id)
    type(found.account).objects.update(is_paused=True)
    before = len(found.sandbox.requests())
    drain(found)
    assert len(found.sandbox.requests()) == before
    assert not Hint.objects.exists()


def test_a_psa_that_fails_ends_the_slice_and_the_pull_comes_earlier(found: Desk) -> None:
    later = found.clock().replace(year=2100)
    type(found.account).objects.update(next_pull_at=later)
    call(found, found.ticket().remote_id)
    found.fault("status_before", method="GET", path="/Tickets", status=503, times=9)
    drain(found)
    found.account.refresh_from_db()
    assert found.account.next_pull_at != later
    assert not hints.are_waiting()


# ---- what people see ------------------------------------------------------------------------------------------------


def test_the_page_says_how_it_does_and_has_the_switch(found: Desk) -> None:
    browser = Browser()
    browser.force_login(make_ada())
    page = reverse("sync:account", args=[found.account.name])
    assert 'data-hook="waiting"' in browser.get(page).content.decode()
    call(found, 1)
    shown = browser.get(page).content.decode()
    assert 'data-hook="working"' in shown
    assert "last heard" in shown
    verb = reverse("sync:account_hook", args=[found.account.name])
    assert browser.post(verb, {"verb": "nonsense"}).status_code == 400
    assert browser.post(verb, {"verb": "off"}).status_code == 302
    assert 'data-hook="off"' in browser.get(page).content.decode()
    browser.post(verb, {"verb": "on"})
    assert 'data-hook="registering"' in browser.get(page).content.decode()
    browser.force_login(make_theo())
    assert browser.post(verb, {"verb": "off"}).status_code == 403


def test_the_psas_own_log_counts_as_a_first_call(found: Desk) -> None:
    class Told:
        """A PSA whose log says that we answered 200."""

        def hook_state(self, *, url: str, known: str | None = None) -> Any:
            from connectors.base.connector import HookState

            return HookState(remote_id=str(known), url=url, delivered_at=found.clock(), answer=200)

    hook = Hook.objects.get()
    url = "http://127.0.0.1:9" + address(found)
    assert hooks._is_in_place(Told(), hook, url)  # type: ignore[arg-type]
    assert hook.heard_at


def test_without_admin_rights_the_connector_says_forbidden(found: Desk) -> None:
    from connectors.sync import gateway

    found.account.settings = {**found.account.settings, "scope": "read:tickets read:customers"}
    with gateway.opened(found.account, rank=2, clock=found.clock) as connector, pytest.raises(Forbidden):
        connector.hook_register(url="http://127.0.0.1:9/x/", secret="s")
