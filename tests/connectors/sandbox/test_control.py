"""The control API: state, log, clock, what people do in the PSA, load and reset."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.sandbox.control import answer
from connectors.sandbox.messages import Request
from connectors.sandbox.spool import Body
from tests.connectors.sandbox.running import Running, running_sandbox
from tests.connectors.sandbox.test_loader import write_folder
from tests.patience import until


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Running]:
    with running_sandbox(tickets=60) as running:
        yield running


def test_state_counts(sandbox: Running) -> None:
    counts = sandbox.control("GET", "state")["halopsa"]
    assert set(counts) == {"tickets", "actions", "time_entries", "attachments", "requests"}
    assert counts["tickets"] >= 60
    assert counts["actions"] > 150


def test_log_tells_what_was_applied_and_hides_credentials(sandbox: Running) -> None:
    since = max([0, *(row["seq"] for row in sandbox.requests())])
    header = sandbox.token()
    base = f"{sandbox.halopsa}/api"
    httpx.get(f"{base}/Tickets?status=1&token=abc", headers=header)
    httpx.post(f"{base}/Tickets", headers=header, json=[{"summary": "x"}])
    httpx.post(f"{base}/Tickets", headers=header, json=[{"summary": ""}])
    httpx.post(
        f"{base}/Webhook", headers=header, json=[{"name": "n", "url": "http://127.0.0.1:9/", "basic_password": "pw"}]
    )
    data = base64.b64encode(b"hello").decode()
    httpx.post(f"{base}/Attachment", headers=header, json=[{"ticket_id": 1, "filename": "a.txt", "data_base64": data}])
    httpx.post(f"{base}/Actions", headers=header, json=[{"ticket_id": 1, "outcome_id": 7, "note": "y" * 50_000}])
    sandbox.control("GET", "state")
    rows = sandbox.requests(since=since)
    assert [(row["method"], row["status"], row["applied"]) for row in rows] == [
        ("POST", 200, False), ("GET", 200, False), ("POST", 201, True), ("POST", 400, False), ("POST", 201, True),
        ("POST", 201, True), ("POST", 201, True),
    ]  # fmt: skip
    assert [row["seq"] for row in rows] == sorted(row["seq"] for row in rows)
    assert rows[0]["body"]["client_secret"] == "***"
    assert rows[1]["query"] == {"status": "1", "token": "***"}
    assert rows[2]["body"] == [{"summary": "x"}]
    assert rows[4]["body"][0]["basic_password"] == "***"
    assert rows[5]["body"][0]["data_base64"] == {"length": 5, "sha256": hashlib.sha256(b"hello").hexdigest()}
    assert rows[6]["body"][0]["note"]["length"] == 50_000
    assert sandbox.requests(psa="nobody") == []


def test_record_holds_everything(sandbox: Running) -> None:
    made = sandbox.control("POST", "halopsa/tickets", {"summary": "By a person", "user_id": 1, "priority": "High"})
    assert (made["client_name"], made["site_name"], made["priority_id"]) == ("Northwind Dental", "Main", 2)
    number = made["id"]
    note = {"note": "Looked at it", "private": True, "timetaken": 0.5, "agent_id": 4, "new_status": "Waiting on Client"}
    action = sandbox.control("POST", f"halopsa/tickets/{number}/actions", note)
    assert (action["who"], action["hiddenfromuser"], action["old_status"], action["new_status"]) == (
        "Priya Nair",
        True,
        1,
        5,
    )
    reply = {"note": "Here I am", "user_id": 1, "attachments": [{"filename": "a.txt", "data_base64": "aGVsbG8="}]}
    sandbox.control("POST", f"halopsa/tickets/{number}/actions", reply)
    record = sandbox.ticket(number)
    assert [row["outcome"] for row in record["actions"]] == ["Opened", "Internal Note", "User Update"]
    assert record["status_id"] == 2
    assert record["onhold"] is False
    assert record["time_entries"] == [
        {"action_id": 2, "timetaken": 0.5, "agent_id": 4, "datetime": record["actions"][1]["datetime"]}
    ]
    assert record["attachments"][0]["sha256"] == hashlib.sha256(b"hello").hexdigest()


def test_client_reply_reopens_a_closed_ticket(sandbox: Running) -> None:
    number = sandbox.control("POST", "halopsa/tickets", {"summary": "x", "user_id": 1})["id"]
    sandbox.control("POST", f"halopsa/tickets/{number}", {"status": "Closed"})
    sandbox.control("POST", f"halopsa/tickets/{number}/actions", {"note": "not yet", "user_id": 1})
    assert sandbox.ticket(number)["status_id"] == 2


def test_edit_moves_last_update_and_leaves_an_action(sandbox: Running) -> None:
    before = sandbox.ticket(2)
    after = sandbox.control(
        "POST", "halopsa/tickets/2", {"status_id": 2 if before["status_id"] != 2 else 3, "summary": "Edited"}
    )
    assert after["last_update"] > before["last_update"]
    assert after["summary"] == "Edited"
    assert after["actions"][-1]["old_status"] == before["status_id"]
    assert after["actions"][-1]["actionby_application_id"] == ""


def test_delete(sandbox: Running) -> None:
    assert sandbox.control("DELETE", "halopsa/tickets/3") == {"deleted": 3}
    assert httpx.get(f"{sandbox.url}/_control/halopsa/tickets/3").status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "halopsa/tickets/1", {"colour": "red"}), ("POST", "halopsa/tickets/1", {"status": "Nonsense"}),
        ("POST", "halopsa/tickets/1/actions", {"text": "x"}), ("POST", "halopsa/tickets", []),
        ("POST", "halopsa/tickets", {"summary": ""}), ("POST", "load", {"dir": "/nowhere"}), ("POST", "faults",
         {"mode": "x"}),
    ],
)  # fmt: skip
def test_senseless_calls_are_refused_with_a_reason(sandbox: Running, method: str, path: str, body: Any) -> None:
    found = httpx.request(method, f"{sandbox.url}/_control/{path}", json=body)
    assert found.status_code == 400
    assert found.json()["error"]


def test_control_is_for_loopback_only(sandbox: Running) -> None:
    request = Request("GET", "/state", "/_control/state", {}, {}, Body())
    assert answer(sandbox.sandbox, request, "10.0.0.8").status == 403
    assert answer(sandbox.sandbox, request, "127.0.0.1").status == 200
    assert httpx.post(f"{sandbox.url}/_control/reset", headers={"Origin": "https://evil.example"}).status_code == 403


def test_clock(sandbox: Running) -> None:
    now = sandbox.control("GET", "clock")["now_ms"]
    assert sandbox.control("POST", "clock", {"offset_seconds": 600})["now_ms"] >= now + 600_000
    assert sandbox.control("POST", "clock", {"offset_seconds": 0})["offset_seconds"] == 0


def test_load_and_reset(tmp_path: Path) -> None:
    with running_sandbox(tickets=30) as sandbox:
        loaded = sandbox.control("POST", "load", {"dir": str(write_folder(tmp_path))})["loaded"]["halopsa"]
        assert loaded["tickets"] == 2
        assert sandbox.control("GET", "state")["halopsa"]["tickets"] == 32
        assert sandbox.ticket(30 + 7)["summary"] == "Printer <b>down</b>"
        emptied = sandbox.control("POST", "reset")["halopsa"]
        assert emptied == {"tickets": 0, "actions": 0, "time_entries": 0, "attachments": 0, "requests": 0}
        sandbox.control("POST", "load", {"dir": str(tmp_path)})
        assert sandbox.ticket(7)["client_name"] == "Ägir GmbH"


def test_live_events_happen() -> None:
    with running_sandbox(tickets=40, live=6_000) as sandbox:
        before = sandbox.control("GET", "state")["halopsa"]["actions"]
        until(lambda: sandbox.control("GET", "state")["halopsa"]["actions"] > before + 10)
