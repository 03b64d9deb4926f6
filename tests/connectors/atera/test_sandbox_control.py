"""The imitated Atera from behind: control calls, faults, its limit, hints, live events, the brief's profile."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.connectors.atera.running import Atera, running_atera
from tests.patience import until

NOW = datetime(2026, 6, 10, 9, 0, tzinfo=UTC)
NEW = {"TicketTitle": "Printer", "Description": "It smokes", "EndUserID": 6001}


@pytest.fixture
def atera() -> Iterator[Atera]:
    with running_atera(tickets=60, now=NOW) as running:
        yield running


def test_control_calls_act_as_people_do(atera: Atera) -> None:
    made = atera.control("POST", "tickets", {"summary": "From behind", "user_id": 6002, "status": "Brand new"})
    number = made["id"]
    assert (made["TicketTitle"], made["TicketStatus"], made["TicketSource"]) == ("From behind", "Brand new", "Portal")
    edited = atera.control("POST", f"tickets/{number}", {"TicketStatus": "Closed", "TicketPriority": "High"})
    assert (edited["TicketStatus"], edited["TicketPriority"]) == ("Closed", "High")
    note = {"note": "Seen", "agent_id": 9002, "timetaken": 0.5, "private": False, "new_status": "Open"}
    action = atera.control("POST", f"tickets/{number}/actions", note)
    assert (action["Comment"], action["TechnicianContactID"], action["IsInternal"]) == ("Seen", 9002, False)
    record = atera.ticket(number)
    assert (record["TicketStatus"], record["OffSiteDurationSeconds"]) == ("Open", 1800)
    assert [item["Comment"] for item in record["actions"]] == ["Seen"]
    assert len(record["time_entries"]) == 1
    reply = atera.control("POST", f"tickets/{number}/actions", {"note": "Hm", "user_id": 6002})
    assert (reply["EndUserID"], reply["FirstName"]) == (6002, atera.get("/contacts/6002")["Firstname"])
    atera.control("DELETE", f"tickets/{number}")
    with pytest.raises(httpx.HTTPStatusError, match="404"):
        atera.ticket(number)


@pytest.mark.parametrize(
    ("path", "body", "reason"),
    [
        ("tickets", {"summary": "x"}, "Customer not found"),
        ("tickets", {"summary": "x", "user_id": 6001, "colour": 1}, "no field colour"),
        ("tickets/1", {"TicketPriority": "Odd"}, "Invalid priority"),
        ("tickets/1/actions", {"nota": "x"}, "no field nota"),
        ("settings", {"other": True}, "settings are"),
        ("webhooks", [{"url": "http://example.com/x"}], "of this machine"),
        ("nothing", {}, "nothing to set up"),
    ],
)
def test_control_calls_that_make_no_sense(atera: Atera, path: str, body: Any, reason: str) -> None:
    answer = atera.running.client.post(f"{atera.running.url}/_control/atera/{path}", json=body)
    assert answer.status_code == 400
    assert reason in answer.json()["error"]


def test_seven_hundred_calls_a_minute(atera: Atera) -> None:
    limit = atera.running.sandbox.limits["atera"]
    assert (limit.requests, limit.seconds) == (700, 60.0)
    for _ in range(700):
        assert limit.wait_for(int(NOW.timestamp() * 1000)) is None
    atera.running.sandbox.clock.set_offset(0)
    answer = atera.call("GET", "/tickets")
    assert (answer.status_code, answer.content) == (429, b"")
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert atera.call("GET", "/tickets", headers={}).status_code == 401
    atera.running.control("POST", "clock", {"offset_seconds": 61})
    assert atera.call("GET", "/tickets").status_code == 200


def test_faults_strike(atera: Atera) -> None:
    def fault(**values: Any) -> None:
        atera.running.control("DELETE", "faults")
        atera.running.control("POST", "faults", {"psa": "atera", **values})

    fault(mode="status_before", status=500, body={"Message": "An error has occurred."}, times=1)
    assert atera.call("GET", "/tickets").json() == {"Message": "An error has occurred."}
    fault(mode="not_applied", method="POST", path="/comments$", times=1)
    said = {"CommentText": "lost", "TechnicianCommentDetails": {"TechnicianId": 9002}}
    assert atera.call("POST", "/tickets/1/comments", said).status_code == 201
    assert "lost" not in [item["Comment"] for item in atera.ticket(1)["actions"]]
    fault(mode="reset_after", method="POST", path="/tickets$", times=1)
    before = atera.running.control("GET", "state")["atera"]["tickets"]
    with pytest.raises(httpx.TransportError):
        atera.call("POST", "/tickets", NEW)
    assert atera.running.control("GET", "state")["atera"]["tickets"] == before + 1
    rows = [row for row in atera.running.requests("atera") if row["method"] == "POST" and row["applied"]]
    assert [(row["path"], row["status"]) for row in rows] == [("/atera/api/v3/tickets", 0)]


def test_lists_may_lag_behind(atera: Atera) -> None:
    old = atera.get("/tickets/1")["TicketTitle"]
    atera.post("/tickets/1", {"TicketTitle": "newest"})
    made = int(atera.post("/tickets", NEW, 201)["ActionID"])
    said = {"CommentText": "late", "TechnicianCommentDetails": {"TechnicianId": 9002}}
    atera.post("/tickets/1/comments", said, 201)
    fault = {"psa": "atera", "mode": "stale_reads", "seconds": 60}
    atera.running.control("POST", "faults", fault)
    found = {item["TicketID"]: item["TicketTitle"] for page in (1, 2)
             for item in atera.get("/tickets", page=page, itemsInPage=50)["items"]}  # fmt: skip
    assert found[1] == old
    assert made not in found
    assert "late" not in [item["Comment"] for item in atera.get("/tickets/1/comments", itemsInPage=50)["items"]]
    assert atera.get("/tickets/1")["TicketTitle"] == "newest"


@contextmanager
def listener() -> Iterator[tuple[str, list[tuple[dict[str, str], Any]]]]:
    got: list[tuple[dict[str, str], Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append(({name.lower(): value for name, value in self.headers.items()}, json.loads(body)))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/hook/secret", got
    finally:
        server.shutdown()
        server.server_close()


def test_hints_are_sent_unsigned(atera: Atera) -> None:
    with listener() as (url, got):
        hooks = atera.control("POST", "webhooks", [{"url": url}])
        assert hooks == atera.control("GET", "webhooks")
        number = int(atera.post("/tickets", NEW, 201)["ActionID"])
        atera.post(f"/tickets/{number}", {"TicketTitle": "no hint for this"})
        atera.post(f"/tickets/{number}", {"TicketStatus": "Resolved"})
        until(lambda: len(got) >= 3)
    events = ["TicketCreated", "TicketStatusChanged", "TicketResolved"]
    assert [body for _, body in got] == [{"Event": event, "TicketID": number} for event in events]
    assert not {"authorization", "x-signature", "token"} & set(got[0][0])
    assert {item["status"] for item in atera.control("GET", "hints")} <= {200, None}


def test_live_events_leave_the_users_tickets_alone(atera: Atera) -> None:
    imitation: Any = atera.running.sandbox.imitations["atera"]
    number = int(atera.post("/tickets", NEW, 201)["ActionID"])
    dice = random.Random(7)
    steps = [imitation.live_event(dice) for _ in range(250)]
    verbs = {step.split()[0] for step in steps}
    assert {"new", "take", "note", "resolve", "reply", "ask", "close"} <= verbs
    assert not [step for step in steps if step.startswith(("refused", "there is nobody"))]
    assert not [step for step in steps if step.endswith(f" {number}") and not step.startswith("new")]
    comments = [item for row in range(1, 60) if (found := imitation.record(row)) for item in found["actions"]]
    assert len(comments) > 100
    statuses = {item["TicketStatus"] for item in atera.get("/tickets", itemsInPage=50)["items"]}
    assert {"Open", "Pending"} <= statuses


def test_state_is_kept_and_reset(tmp_path: Path) -> None:
    state = tmp_path / "state.sqlite3"
    with running_atera(state=state, tickets=5) as atera:
        number = int(atera.post("/tickets", NEW, 201)["ActionID"])
    with running_atera(state=state) as atera:
        assert atera.get(f"/tickets/{number}")["TicketTitle"] == "Printer"
        atera.running.control("POST", "reset")
        assert atera.running.control("GET", "state")["atera"]["tickets"] == 0
        assert atera.get("/customers")["items"][0]["CustomerName"] == "Unassigned"


def test_the_briefs_names() -> None:
    with running_atera(tickets=30, profile="brief") as atera:
        page = atera.get("/tickets")
        assert page["totalItems"] == 30
        assert "totalItemCount" not in page
        made = atera.post("/tickets", {"TicketTitle": "Bare", "CustomerID": 301}, 201)
        assert made == {"ActionID": 31, "TicketID": 31, "TicketTitle": "Bare"}
        bare = atera.get("/tickets/31")
        assert (bare["CustomerID"], bare["EndUserID"]) == (301, None)
        atera.post("/tickets/31/comments", {"CommentText": "Seen", "IsInternal": True}, 201)
        (comment,) = atera.get("/tickets/31/comments")["items"]
        assert set(comment) == {
            "CommentID", "TicketID", "CommentText", "CommentDate", "CreatorContactID", "IsInternal"
        }  # fmt: skip
        assert (comment["CommentText"], comment["TicketID"], comment["IsInternal"]) == ("Seen", 31, True)
        vendors = {"CommentText": "On it", "TechnicianCommentDetails": {"TechnicianId": 9002, "IsInternal": False}}
        atera.post("/tickets/31/comments", vendors, 201)
        found = atera.get("/tickets/31")
        assert found["FirstResponseDate"]
        assert found["LastActivityDate"]
        assert found["DueDate"]
        assert "TechnicianFirstCommentDate" not in found
        hours = {"StartWorkHour": "2026-06-08T09:00:00Z", "EndWorkHour": "2026-06-08T10:30:00Z", "Billiable": True}
        atera.post("/tickets/31/workhours", hours, 201)
        (record,) = atera.get("/tickets/31/workhours")["items"]
        assert (record["Duration"], record["StartDate"], record["IsBillable"]) == (5400, "2026-06-08T09:00:00Z", True)
        assert atera.get("/tickets/31/billableduration") == {
            "TicketID": 31, "TotalBillableDuration": 5400, "TotalBillableHours": 1.5
        }  # fmt: skip
        atera.post("/tickets/31", {"TicketStatus": "Resolved"})
        since = {"modifiedAfter": found["LastActivityDate"]}
        assert [item["TicketID"] for item in atera.get("/tickets/statusmodified", **since)["items"]] == [31]
