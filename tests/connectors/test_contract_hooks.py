"""Webhooks as every connector that has them promises, on both profiles of its sandbox and against a real listener."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import stamina

from connectors.base.connector import HookCall
from connectors.base.errors import BadSignature, Forbidden, Unknown
from connectors.registry import connector_class
from tests.connectors.autotask.calling import EVERYTHING, HEADERS
from tests.connectors.sandbox.running import running_sandbox
from tests.connectors.test_contract import BENCHES, Bench
from tests.patience import until

SECRET = "s3cret-of-a-hook"
WRITES = {"halopsa": ("POST", "/api/Webhook$"), "autotask": ("POST", "/TicketWebhooks$")}


NARROW: dict[str, dict[str, Any]] = {
    "halopsa": {"settings": {"scope": "read:tickets edit:tickets read:customers"}},
    "autotask": {"fault": {"mode": "status_before", "status": 403, "path": "/TicketWebhook"}},
}
"""How an account comes to lack the right: settings of its own, or the PSA's answer."""
HOOKS = {"halopsa": 1, "autotask": 2}
"""How many records of the PSA are one hook of ours."""
EVENTS = {"halopsa": 6}
SUBJECT = {"halopsa": "summary", "autotask": "title"}


@dataclass
class Listener:
    """An address that keeps what it is sent."""

    url: str
    calls: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture(scope="module", params=[b for b in BENCHES if b[0] in WRITES], ids="-".join)
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    kind, profile = request.param
    with running_sandbox(tickets=20, seed=7, profile=profile, psas=(kind,)) as sandbox:
        yield Bench(kind, sandbox)


@pytest.fixture(autouse=True)
def calm(bench: Bench) -> Iterator[None]:
    with stamina.set_testing(True, attempts=3):
        yield
    bench.sandbox.control("DELETE", "faults")
    for path, row in held(bench):
        ask(bench, "DELETE", f"{path}/{row['id']}")


@pytest.fixture
def listener() -> Iterator[Listener]:
    found = Listener("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.calls.append((dict(self.headers.items()), body))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        found.url = f"http://127.0.0.1:{server.server_address[1]}/hooks/contract/{uuid.uuid4().hex}/"
        yield found
        server.shutdown()


def ask(bench: Bench, method: str, path: str, **options: Any) -> Any:
    """A call of the PSA's own API, as its administrator would make it."""
    if bench.kind == "autotask":
        url, headers = f"{bench.sandbox.autotask}/ATServicesRest/V1.0/{path}", HEADERS
    else:
        url, headers = f"{bench.sandbox.halopsa}/api/{path}", bench.sandbox.token()
    return bench.sandbox.client.request(method, url, headers=headers, **options)


def held(bench: Bench) -> list[tuple[str, dict[str, Any]]]:
    """Every webhook that the PSA holds, with the path that it stands under."""
    if bench.kind == "halopsa":
        return [("Webhook", row) for row in ask(bench, "GET", "Webhook?type=0").json()]
    paths = ("TicketWebhooks", "TicketNoteWebhooks")
    return [(path, row) for path in paths for row in listed(bench, path)]


def listed(bench: Bench, entity: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ask(bench, "POST", f"{entity}/query", json={"filter": [EVERYTHING]}).json()["items"]
    return found


def urls(bench: Bench) -> list[str]:
    return [row.get("url") or row["webhookUrl"] for _path, row in held(bench)]


def ours(bench: Bench, listener: Listener) -> list[str]:
    return [listener.url] * HOOKS[bench.kind]


def edit(bench: Bench, ticket: str, text: str = "Changed there") -> None:
    bench.sandbox.control("POST", f"{bench.kind}/tickets/{ticket}", {SUBJECT[bench.kind]: text})


def bound(bench: Bench, hook: str) -> list[str]:
    """What the hook is bound to, each as often as it is."""
    if bench.kind == "halopsa":
        rows = ask(bench, "GET", "Notification").json()
        return [str(row["eventno"]) for row in rows if row.get("webhook_id") == hook]
    return [f"{e} {r['webhookID']} {r['fieldID']}" for e in ("TicketWebhookFields", "TicketNoteWebhookFields")
            for r in listed(bench, e)]  # fmt: skip


def test_registering_twice_leaves_one_bound_once(bench: Bench, listener: Listener) -> None:
    first = bench.connector.hook_register(url=listener.url, secret=SECRET)
    assert bench.connector.hook_register(url=listener.url, secret=SECRET) == first
    assert bench.connect().hook_register(url=listener.url, secret=SECRET, known=first) == first
    assert urls(bench) == ours(bench, listener)
    found = bound(bench, first)
    assert len(found) == len(set(found)) >= EVENTS.get(bench.kind, 10)


def test_a_new_address_and_secret_mend_the_same_hook(bench: Bench, listener: Listener) -> None:
    old = bench.connector.hook_register(url=listener.url + "old/", secret="old")
    assert bench.connector.hook_register(url=listener.url, secret=SECRET, known=old) == old
    assert urls(bench) == ours(bench, listener)
    ticket = bench.ticket()
    edit(bench, ticket.remote_id)
    until(lambda: listener.calls, what="a delivery")
    assert bench.connector.read_hook(*listener.calls[0], SECRET) == HookCall(tickets=(ticket.remote_id,))


def test_what_arrives_names_its_ticket_and_proves_who_sent_it(bench: Bench, listener: Listener) -> None:
    bench.connector.hook_register(url=listener.url, secret=SECRET)
    ticket = bench.ticket()
    edit(bench, ticket.remote_id)
    bench.sandbox.control("POST", f"{bench.kind}/tickets/{ticket.remote_id}/actions", {"note": "Called them"})
    bench.sandbox.control("DELETE", f"{bench.kind}/tickets/{ticket.remote_id}")
    until(lambda: len(listener.calls) >= 3, what="three deliveries")
    for headers, body in listener.calls:
        assert bench.connector.read_hook(headers, body, SECRET) == HookCall(tickets=(ticket.remote_id,))
        lower = {key.lower(): value for key, value in headers.items()}
        assert bench.connector.read_hook(lower, body, SECRET) == HookCall(tickets=(ticket.remote_id,))
        for wrong in (
            (headers, body + b" ", SECRET),
            (headers, body, "another"),
            ({}, body, SECRET),
            (headers, body, ""),
        ):
            with pytest.raises(BadSignature):
                bench.connector.read_hook(*wrong)


def test_the_psa_tells_how_its_hook_does(bench: Bench, listener: Listener) -> None:
    assert bench.connector.hook_state(url=listener.url) is None
    hook = bench.connector.hook_register(url=listener.url, secret=SECRET)
    state = bench.connector.hook_state(url=listener.url, known=hook)
    assert state
    assert (state.remote_id, state.url, state.is_active, state.is_bound) == (hook, listener.url, True, True)
    assert state.delivered_at is None
    if bench.kind == "autotask":
        return  # its log names failed deliveries only
    bench.ticket()

    def delivered() -> Any:
        now = bench.connector.hook_state(url=listener.url, known=hook)
        return now if now and now.answer else None

    assert until(delivered, what="the log of deliveries").answer == 200


def test_one_that_was_switched_off_is_seen_and_switched_on_again(bench: Bench, listener: Listener) -> None:
    hook = bench.connector.hook_register(url=listener.url, secret=SECRET)
    path, row = held(bench)[0]
    if bench.kind == "autotask":
        ask(bench, "PATCH", path, json={"id": row["id"], "isActive": False})
    else:
        ask(bench, "POST", path, json=[{"id": row["id"], "active": False}])
    state = bench.connector.hook_state(url=listener.url, known=hook)
    assert state
    assert state.is_active is False
    assert bench.connector.hook_register(url=listener.url, secret=SECRET, known=hook) == hook
    again = bench.connector.hook_state(url=listener.url, known=hook)
    assert again
    assert (again.is_active, urls(bench)) == (True, ours(bench, listener))


def test_removing_leaves_none_and_may_be_done_again(bench: Bench, listener: Listener) -> None:
    hook = bench.connector.hook_register(url=listener.url, secret=SECRET)
    bench.connector.hook_remove(url=listener.url, known=hook)
    bench.connector.hook_remove(url=listener.url, known=hook)
    assert held(bench) == []
    assert bench.connector.hook_state(url=listener.url, known=hook) is None


def test_a_hook_of_somebody_else_is_left_alone(bench: Bench, listener: Listener) -> None:
    other = connector_class(bench.kind)(replace(bench.account, name="other"))
    theirs = other.hook_register(url="http://127.0.0.1:9/hooks/other/x/", secret="theirs")
    kept = [row["id"] for _path, row in held(bench)]
    ours = bench.connector.hook_register(url=listener.url, secret=SECRET)
    assert ours != theirs
    bench.connector.hook_remove(url=listener.url, known=ours)
    assert [row["id"] for _path, row in held(bench)] == kept
    other.hook_remove(url="http://127.0.0.1:9/hooks/other/x/")
    assert held(bench) == []


def test_a_registration_whose_answer_was_lost_is_not_made_twice(bench: Bench, listener: Listener) -> None:
    method, path = WRITES[bench.kind]
    bench.fault(method=method, path=path, mode="reset_after", times=1)
    with pytest.raises(Unknown):
        bench.connector.hook_register(url=listener.url, secret=SECRET)
    bench.connector.hook_register(url=listener.url, secret=SECRET)
    assert urls(bench) == ours(bench, listener)


def test_without_the_right_it_is_forbidden(bench: Bench, listener: Listener) -> None:
    settings = {**bench.account.settings, **NARROW[bench.kind].get("settings", {})}
    if fault := NARROW[bench.kind].get("fault"):
        bench.fault(**fault)
    narrow = connector_class(bench.kind)(replace(bench.account, settings=settings))
    with pytest.raises(Forbidden):
        narrow.hook_register(url=listener.url, secret=SECRET)
    bench.sandbox.control("DELETE", "faults")
    assert held(bench) == []


def test_the_imitation_refuses_what_the_vendor_refuses(bench: Bench, listener: Listener) -> None:
    """Names are unique, addresses are addresses, and the log says what became of each delivery."""
    if bench.kind != "halopsa":
        pytest.skip("rules of one vendor")

    def post(row: dict[str, Any]) -> Any:
        return ask(bench, "POST", "Webhook", json=[row])

    row = {"name": "Once", "url": listener.url, "type": 0}
    made = post(row)
    assert made.status_code == 201
    assert post(row).status_code == 400
    assert "unique" in post(row).text
    bad = post({"name": "Twice", "url": "no address", "type": 0})
    assert (bad.status_code, "valid URL" in bad.text) == (400, True)
    assert json.loads(made.text).get("basic_password", "") == ""
    assert ask(bench, "DELETE", f"Webhook/{made.json()['id']}").status_code == 200


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"ticket": {"id": 7}}, ("7",)),
        ([{"ticket": {"id": 7}}, {"ticket": {"id": 8}}, {"ticket": {"id": 7}}], ("7", "8")),
        ({"object_id": 9}, ("9",)),
        ({"id": 9}, ("9",)),
        ({"id": "0f8fad5b-d9cb-469f-a165-70867728950e"}, ()),
        ({"ticket": {"id": "../../x"}}, ()),
        ({"ticket": [1]}, ()),
        ([[1], "x", None], ()),
        (7, ()),
    ],
)
def test_odd_bodies(bench: Bench, body: Any, found: tuple[str, ...]) -> None:
    if bench.kind != "halopsa":
        pytest.skip("bodies of one vendor")
    import base64
    import hashlib
    import hmac

    raw = json.dumps(body).encode()
    token = base64.b64encode(hmac.new(SECRET.encode(), raw, hashlib.sha256).digest()).decode()
    assert bench.connector.read_hook({"token": token}, raw, SECRET).tickets == found
