"""Actions, attachments, configuration and webhooks of the HaloPSA imitation."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import httpx
import pytest

from tests.connectors.sandbox.running import Running, running_sandbox
from tests.patience import until

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Running]:
    with running_sandbox(tickets=30) as running:
        yield running


@pytest.fixture(scope="module")
def api(sandbox: Running) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{sandbox.halopsa}/api", headers=sandbox.token()) as client:
        yield client


@pytest.fixture
def ticket_id(api: httpx.Client) -> int:
    return int(api.post("/Tickets", json=[{"summary": "For actions"}]).json()["id"])


def act(api: httpx.Client, ticket_id: int, **values: Any) -> Any:
    answer = api.post("/Actions", json=[{"ticket_id": ticket_id, "outcome_id": 7, **values}])
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_ids_count_inside_each_ticket(api: httpx.Client, ticket_id: int) -> None:
    other = int(api.post("/Tickets", json=[{"summary": "Another"}]).json()["id"])
    assert [
        act(api, ticket_id, note="a")["id"],
        act(api, other, note="b")["id"],
        act(api, ticket_id, note="c")["id"],
    ] == [2, 2, 3]


def test_note_is_kept_unchanged_with_its_marker(api: httpx.Client, ticket_id: int) -> None:
    text = "<p>Checked <b>it</b> &amp; more</p><script>x</script><!-- helpdesk:1234 -->"
    made = act(api, ticket_id, note_html=text, timetaken=0.25)
    found = api.get(f"/Actions/{made['id']}?ticket_id={ticket_id}").json()
    assert found["note_html"] == text
    assert found["note"] == "Checked it & more"
    assert found["timetaken"] == 0.25
    assert found["hiddenfromuser"] is True
    assert api.get(f"/Tickets/{ticket_id}").json()["timetaken"] == 0.25
    row = api.get(f"/Actions?ticket_id={ticket_id}").json()["actions"][0]
    assert "note_html" not in row


def test_outcome_decides_visibility_unless_told(api: httpx.Client, ticket_id: int) -> None:
    assert act(api, ticket_id, outcome_id=2, note="x")["hiddenfromuser"] is False
    assert act(api, ticket_id, outcome_id=2, note="x", hiddenfromuser=True)["hiddenfromuser"] is True
    assert act(api, ticket_id, outcome_id=None, outcome="internal note", note="x")["outcome_id"] == 7


def test_new_status_moves_and_status_id_does_not(api: httpx.Client, ticket_id: int) -> None:
    act(api, ticket_id, note="x", status_id=5)
    assert api.get(f"/Tickets/{ticket_id}").json()["status_id"] == 1
    made = act(api, ticket_id, note="x", new_status=5)
    assert (made["old_status"], made["new_status"]) == (1, 5)
    ticket = api.get(f"/Tickets/{ticket_id}").json()
    assert (ticket["status_id"], ticket["onhold"]) == (5, True)
    assert act(api, ticket_id, outcome_id=6, note="done")["new_status"] == 8


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"outcome_id": None}, "An Outcome must be entered for this Action"),
        ({"outcome_id": 1}, "You do not have access to this Action at the moment"),
        ({"outcome_id": 99}, "You do not have access to this Action at the moment"),
        ({"outcome_id": 14}, "A Note must be entered for this Action"),
        ({"new_status": 77}, "new_status invalid"),
        ({"ticket_id": None}, "A Ticket must be entered for this Action"),
    ],
)
def test_refusals(api: httpx.Client, ticket_id: int, body: dict[str, Any], message: str) -> None:
    answer = api.post("/Actions", json=[{"ticket_id": ticket_id, "outcome_id": 7, **body}])
    assert (answer.status_code, answer.json()["Message"]) == (400, message)


def test_lists_and_their_filters(api: httpx.Client, ticket_id: int) -> None:
    act(api, ticket_id, note="secret", timetaken=0.5)
    act(api, ticket_id, outcome_id=2, note="hello", important=True)
    api.post("/Tickets", json=[{"id": ticket_id, "status_id": 2}])

    def notes(query: str) -> list[str]:
        return [row["outcome"] for row in api.get(f"/Actions?ticket_id={ticket_id}&{query}").json()["actions"]]

    assert notes("") == ["Changed Status", "Email User", "Internal Note", "Opened"]
    assert notes("excludesys=true") == ["Email User", "Internal Note"]
    assert notes("excludeprivate=true") == ["Email User", "Opened"]
    assert notes("timeentriesonly=true") == ["Internal Note"]
    assert notes("importantonly=true") == ["Email User"]
    assert notes("actoutcomenum=2,7&count=1") == ["Email User"]
    assert api.get("/Actions").json() == {"ticket_id": 0, "record_count": 0, "actions": []}
    assert api.get("/Actions?ticket_id=999999").status_code == 404


def test_update_and_delete(api: httpx.Client, ticket_id: int) -> None:
    made = act(api, ticket_id, note="first", timetaken=1)
    changed = api.post(
        "/Actions", json=[{"id": made["id"], "ticket_id": ticket_id, "note": "second", "timetaken": 0.5}]
    )
    assert (changed.status_code, changed.json()["note_html"]) == (201, "<p>second</p>")
    assert api.get(f"/Tickets/{ticket_id}").json()["timetaken"] == 0.5
    assert api.delete(f"/Actions/{made['id']}?ticket_id={ticket_id}").json()["id"] == made["id"]
    assert api.get(f"/Actions/{made['id']}?ticket_id={ticket_id}").status_code == 404
    assert act(api, ticket_id, note="x")["id"] == made["id"] + 1


def data_uri(data: bytes, kind: str = "image/png") -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


@pytest.mark.parametrize("way", ["data uri", "plain base64", "data", "multipart", "with an action"])
def test_attachment_comes_back_byte_for_byte(sandbox: Running, api: httpx.Client, ticket_id: int, way: str) -> None:
    name = 'pläne "b".png'
    item = {"ticket_id": ticket_id, "filename": name, "data_base64": data_uri(PNG)}
    if way == "plain base64":
        item["data_base64"] = base64.b64encode(PNG).decode()
    if way == "data":
        item = {"ticket_id": ticket_id, "filename": name, "data": base64.b64encode(PNG).decode()}
    if way == "multipart":
        form = {"ticket_id": str(ticket_id), "isimage": "true"}
        made = api.post("/attachment", data=form, files={"file": (name, PNG, "image/png")}).json()
    elif way == "with an action":
        made = act(api, ticket_id, note="x", attachments=[item])["attachments"][0]
        assert made["action_id"] == 2
    else:
        made = api.post("/Attachment", json=[item]).json()
    answer = api.get(f"/Attachment/{made['id']}")
    assert answer.content == PNG
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
    assert api.get(f"/Attachment/image/{made['guid']}").content == PNG
    stored = sandbox.ticket(ticket_id)["attachments"][0]
    assert (stored["sha256"], stored["filesize"]) == (hashlib.sha256(PNG).hexdigest(), len(PNG))
    assert api.get(f"/Tickets/{ticket_id}").json()["attachment_count"] == 1


def test_attachment_list_and_delete(api: httpx.Client, ticket_id: int) -> None:
    made = [
        api.post("/Attachment", json=[{"ticket_id": ticket_id, "filename": n, "data_base64": "aGk="}]).json()
        for n in "ab"
    ]
    listed = api.get(f"/Attachment?ticket_id={ticket_id}").json()
    assert (listed["record_count"], [row["filename"] for row in listed["attachments"]]) == (2, ["a", "b"])
    assert "content_type" not in listed["attachments"][0]
    assert api.delete(f"/Attachment/{made[0]['id']}").status_code == 200
    assert api.get(f"/Attachment/{made[0]['id']}").status_code == 404
    assert api.get(f"/Attachment?ticket_id={ticket_id}").json()["record_count"] == 1


def test_broken_base64_is_refused(api: httpx.Client, ticket_id: int) -> None:
    answer = api.post("/Attachment", json=[{"ticket_id": ticket_id, "filename": "a", "data_base64": "%%%"}])
    assert answer.status_code == 400


def test_inline_pictures_of_the_generator_can_be_read() -> None:
    with running_sandbox(tickets=400) as sandbox:
        rows = [sandbox.ticket(number) for number in range(1, 401)]
        header = sandbox.token()
        texts = [
            action["note_html"]
            for row in rows
            for action in row["actions"]
            if "/attachment/image/" in action["note_html"]
        ]
        assert texts
        address = texts[0].split('<img src="')[1].split('"')[0]
        answer = httpx.get(sandbox.url + address, headers=header)
    assert answer.content.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("path", "field"), [("/Status", "name"), ("/Outcome", "outcome"), ("/TicketType", "name"), ("/Category", "value")]
)
def test_configuration_is_written_in_arrays(api: httpx.Client, path: str, field: str) -> None:
    made = api.post(path + "?returnall=true", json=[{field: "First"}, {field: "Second"}]).json()
    assert [row[field] for row in made] == ["First", "Second"]
    number = made[0]["id"]
    assert api.post(path, json=[{"id": number, "colour": "#ffffff"}]).json()[field] == "First"
    assert number in [row["id"] for row in api.get(path).json()]
    assert api.delete(f"{path}/{number}").status_code == 200
    assert api.get(f"{path}/{number}").status_code == 404


def test_status_in_use_stays(api: httpx.Client, ticket_id: int) -> None:
    assert api.delete("/Status/1").json()["Message"] == "This cannot be deleted because it is in use"
    assert 9 not in [row["id"] for row in api.get("/Status?excludeclosed=true").json()]


def test_automatic_status_change_on_the_clock(sandbox: Running, api: httpx.Client, ticket_id: int) -> None:
    made = api.post("/Status", json=[{"name": "Parked", "statuschangeto": 2, "statuschangetofreq": 3}]).json()
    api.post("/Tickets", json=[{"id": ticket_id, "status_id": made["id"]}])
    sandbox.control("POST", "clock", {"offset_seconds": 3 * 3600 + 5})
    try:
        until(lambda: sandbox.ticket(ticket_id)["status_id"] == 2)
    finally:
        sandbox.control("POST", "clock", {"offset_seconds": 0})


class Receiver(BaseHTTPRequestHandler):
    """Keeps what it is sent; fails as often as told."""

    got: list[tuple[str, bytes]]
    failures: int

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        type(self).got.append((self.headers.get("Token", ""), body))
        fails = type(self).failures > 0
        type(self).failures -= fails
        self.send_response(500 if fails else 200)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None: ...


@pytest.fixture
def receiver() -> Iterator[tuple[str, type[Receiver]]]:
    kind = type("OneReceiver", (Receiver,), {"got": [], "failures": 0})
    server = HTTPServer(("127.0.0.1", 0), kind)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/hooks/demo/secret/", kind
    server.shutdown()
    server.server_close()


def wait_for(kind: type[Receiver], count: int) -> None:
    until(lambda: len(kind.got) >= count, what=f"{count} calls")


def hook(api: httpx.Client, url: str, *events: str) -> str:
    body = {
        "name": url,
        "url": url,
        "type": 0,
        "authentication_type": 3,
        "authentication_header": "Token",
        "basic_password": "s3cret",
    }
    made = api.post("/Webhook", json=[body]).json()
    for event in events:
        api.post("/Notification", json=[{"webhook_id": made["id"], "eventno": event, "delivery_method": 6, "type": -2}])
    return str(made["id"])


def test_webhook_is_signed_retried_and_logged(
    sandbox: Running, api: httpx.Client, ticket_id: int, receiver: tuple[str, type[Receiver]]
) -> None:
    url, kind = receiver
    kind.failures = 1
    webhook_id = hook(api, url, "61")
    act(api, ticket_id, note="x")
    wait_for(kind, 2)
    mark, body = kind.got[1]
    assert mark == base64.b64encode(hmac.new(b"s3cret", body, hashlib.sha256).digest()).decode()
    assert json.loads(body)["ticket"]["id"] == ticket_id
    assert kind.got[0][1] == body or json.loads(kind.got[0][1])["id"] == json.loads(body)["id"]

    def told() -> tuple[Any, ...]:
        event = api.get(f"/WebhookEvent?webhook_id={webhook_id}").json()["events"][0]
        return event["responsestatus"], event["error"], event["entity_id"]

    until(lambda: told() == (200, False, ticket_id), what="the answer is logged")
    assert api.get(f"/Webhook/{webhook_id}").json()["basic_password"] == ""
    assert api.delete(f"/Webhook/{webhook_id}").status_code == 200


def test_people_in_the_psa_fire_webhooks_too(
    sandbox: Running, api: httpx.Client, receiver: tuple[str, type[Receiver]]
) -> None:
    url, kind = receiver
    webhook_id = hook(api, url, "3", "76")
    made = sandbox.control("POST", "halopsa/tickets", {"summary": "By a person"})
    sandbox.control("POST", f"halopsa/tickets/{made['id']}", {"status_id": 2})
    wait_for(kind, 2)
    assert [json.loads(body)["event"] for _, body in kind.got] == ["New Ticket Logged", "Status Changed"]
    api.delete(f"/Webhook/{webhook_id}")


def test_webhook_rules(api: httpx.Client) -> None:
    assert api.post("/Webhook", json=[{"name": "a", "url": "nonsense"}]).json()["Message"] == "Please enter a valid URL"
    api.post("/Webhook", json=[{"name": "a", "url": "https://desk.example.test/"}])
    assert (
        api.post("/Webhook", json=[{"name": "a", "url": "https://x.test/"}]).json()["Message"] == "Name must be unique"
    )


def test_people_lists(api: httpx.Client) -> None:
    site = api.get("/Site?client_id=2").json()["sites"][0]
    assert isinstance(site["client_id"], float)
    user = api.get("/Users?search=client@demo.test").json()["users"][0]
    assert isinstance(user["site_id"], float)
    assert (user["client_name"], user["name"]) == ("Northwind Dental", "Cleo Marchetti")
    agents = {row["email"]: row["name"] for row in api.get("/Agent").json()}
    assert agents["dispatcher@demo.test"] == "Dana Whitlock"
    assert api.get("/Agent?includeunassigned=true").json()[0]["name"] == "Unassigned"
    assert set(api.get("/Agent?pageinate=true").json()) == {"record_count", "results"}
    assert len(api.get("/Team").json()) == 4
    assert api.get("/Client?lastupdatefromdate=2099-01-01").json()["record_count"] == 0
    made = api.post("/Client", json=[{"name": "Fresh"}]).json()
    assert api.post("/Client", json=[{"id": made["id"], "inactive": True}]).json()["inactive"] is True
    assert api.get("/Client?search=Fresh").json()["record_count"] == 0
    assert api.get("/Client?search=Fresh&includeinactive=true").json()["record_count"] == 1
    assert api.get("/ClientContract?client_id=2").json()["contracts"][0]["client_name"] == "Northwind Dental"
