"""Webhooks: registered, signed, tried again, switched off."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.server
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from connectors.autotask.sandbox.delivery import signature as signed
from connectors.sandbox import delivery
from tests.connectors.autotask.calling import AGENT, changed, client_of, found, made, new_ticket, one, problems, where
from tests.connectors.sandbox.running import Running, running_sandbox
from tests.patience import until

TRIES = len(delivery.RETRY_MS) + 1
KEY = "0123456789abcdef0123456789abcdef"


@dataclass
class Ear:
    """An address that keeps what it is sent and answers with `status`."""

    url: str = ""
    status: int = 200
    calls: list[tuple[str, str, bytes]] = field(default_factory=list)

    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, _, body in self.calls]

    def wait(self, count: int) -> None:
        until(lambda: len(self.calls) >= count)


@pytest.fixture
def ear() -> Iterator[Ear]:
    heard = Ear()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            heard.calls.append((self.path, self.headers["X-Hook-Signature"], body))
            self.send_response(heard.status)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    heard.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield heard
    server.shutdown()
    server.server_close()


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    monkeypatch.setattr(delivery, "RETRY_MS", (50, 50, 50))
    with running_sandbox(tickets=5, psas=("autotask",)) as running:
        yield running


@pytest.fixture
def api(sandbox: Running) -> Iterator[httpx.Client]:
    with client_of(sandbox) as client:
        yield client


def hook(api: httpx.Client, ear: Ear, *watched: str, always: tuple[str, ...] = (), kind: str = "Ticket") -> int:
    number = made(
        api, f"{kind}Webhooks", name="helpdesk", isActive=True, webhookUrl=f"{ear.url}/hook", secretKey=KEY,
        deactivationUrl=f"{ear.url}/off", sendThresholdExceededNotification=False, isSubscribedToCreateEvents=True,
        isSubscribedToUpdateEvents=True, isSubscribedToDeleteEvents=True,
    )  # fmt: skip
    rows = api.get(f"{kind}WebhookFields/entityInformation/fields").json()["fields"]
    values = next(row for row in rows if row["name"] == "fieldID")["picklistValues"]
    numbers = {row["label"]: int(row["value"]) for row in values}
    for name in dict.fromkeys((*watched, *always)):
        made(api, f"{kind}Webhooks/{number}/Fields", fieldID=numbers[name], isSubscribedField=name in watched,
             isDisplayAlwaysField=name in always)  # fmt: skip
    return number


def test_events_are_signed_and_numbered(sandbox: Running, api: httpx.Client, ear: Ear) -> None:
    number = hook(api, ear, "status", "title", always=("ticketNumber",))
    row = one(api, "TicketWebhooks", number)
    assert row["isReady"] is True
    ticket = new_ticket(api, title="Ümläut & <b>")
    changed(api, "Tickets", id=ticket, description="nobody watches this")
    changed(api, "Tickets", id=ticket, status=8)
    ear.wait(2)
    sandbox.control("DELETE", f"autotask/tickets/{ticket}")
    ear.wait(3)
    create, update, delete = ear.bodies()
    assert [body["Action"] for body in (create, update, delete)] == ["Create", "Update", "Delete"]
    assert [body["SequenceNumber"] for body in (create, update, delete)] == [1, 2, 3]
    name = create["Fields"]["TicketNumber"]
    assert create["Fields"] == {"TicketNumber": name, "Title": "Ümläut & <b>", "Status": 1}
    assert update["Fields"] == {"TicketNumber": name, "Status": 8}
    assert (update["EntityType"], update["Id"], update["Guid"]) == ("Ticket", ticket, row["webhookGUID"])
    assert (update["PersonID"], update["EventTime"][-1]) == (29744100, "Z")
    for path, signature, body in ear.calls:
        digest = hmac.new(KEY.encode(), body, hashlib.sha1).digest()
        assert (path, signature) == ("/hook", "sha1=" + base64.b64encode(digest).decode())


def test_it_is_not_ready_without_a_field(api: httpx.Client, ear: Ear) -> None:
    number = hook(api, ear)
    assert one(api, "TicketWebhooks", number)["isReady"] is False
    new_ticket(api)
    answer = api.post(f"TicketWebhooks/{number}/Fields", json={"fieldID": 999, "isSubscribedField": True})
    assert problems(answer) == ["Picklist value [999] does not exist for fieldID"]
    field_id = made(api, f"TicketWebhooks/{number}/Fields", fieldID=1, isSubscribedField=True)
    assert one(api, "TicketWebhooks", number)["isReady"] is True
    assert api.delete(f"TicketWebhooks/{number}/Fields/{field_id}").json() == {"itemId": field_id}
    assert one(api, "TicketWebhooks", number)["isReady"] is False
    assert ear.calls == []


def test_the_work_of_an_excluded_resource_is_not_told(sandbox: Running, api: httpx.Client, ear: Ear) -> None:
    number = hook(api, ear, "title")
    made(api, f"TicketWebhooks/{number}/ExcludedResources", resourceID=29744100)
    ticket = new_ticket(api)
    changed(api, "Tickets", id=ticket, title="By us")
    sandbox.control("POST", f"autotask/tickets/{ticket}", {"title": "By a person"})
    ear.wait(1)
    assert [body["Fields"] for body in ear.bodies()] == [{"Title": "By a person"}]


def test_notes_are_told_as_their_own_entity(sandbox: Running, api: httpx.Client, ear: Ear) -> None:
    hook(api, ear, "publish", kind="TicketNote")
    made(api, "Tickets/50001/Notes", description="x", noteType=1, publish=2)
    ear.wait(1)
    (body,) = ear.bodies()
    assert (body["EntityType"], body["Action"], body["Fields"]) == ("TicketNote", "Create", {"Publish": 2})
    assert one(api, "TicketNotes", body["Id"])["ticketID"] == 50001


def test_who_never_answers_is_switched_off_and_told(api: httpx.Client, ear: Ear) -> None:
    ear.status = 500
    number = hook(api, ear, "title")
    new_ticket(api)
    ear.wait(TRIES + 1)
    assert [path for path, *_ in ear.calls[:TRIES]] == ["/hook"] * TRIES
    path, signature, body = ear.calls[TRIES]
    assert (path, json.loads(body)["Action"]) == ("/off", "Deactivated")
    assert signature == signed(KEY, body)
    assert one(api, "TicketWebhooks", number)["isActive"] is False
    log = found(api, "WebhookEventErrorLogs", where("ticketWebhookID", "eq", number))
    assert log[0]["errorMessage"].startswith("500")
    ear.status = 200
    changed(api, "TicketWebhooks", id=number, isActive=True)
    before = len(ear.calls)
    new_ticket(api)
    until(lambda: len(ear.calls) > before and b"Create" in ear.calls[-1][2])


def test_registrations_can_be_taken_back(sandbox: Running, api: httpx.Client, ear: Ear) -> None:
    number = hook(api, ear, "title")
    made(api, f"TicketWebhooks/{number}/ExcludedResources", resourceID=AGENT)
    assert api.delete(f"TicketWebhooks/{number}").json() == {"itemId": number}
    assert found(api, "TicketWebhookFields") == found(api, "TicketWebhookExcludedResources") == []
    bodies = [row["body"] for row in sandbox.requests("autotask") if row["path"].endswith("/TicketWebhooks")]
    assert bodies[0]["secretKey"] == "***"
    missing = problems(api.post("TicketWebhooks", json={"name": "x"}))
    assert "webhookUrl is required" in missing
    assert api.delete(f"CompanyWebhooks/{number}").status_code == 500
