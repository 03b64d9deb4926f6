"""What people do behind the API, what the generated tickets are like, and a desk that moves by itself."""

from __future__ import annotations

import base64
import hashlib
import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.autotask.sandbox.profiles import COMPLETE, VENDOR
from connectors.sandbox import day
from connectors.sandbox.generator import generated
from connectors.sandbox.sandbox import Sandbox
from tests.connectors.autotask.calling import AGENT, client_of, found, instant, new_ticket, one, where
from tests.connectors.sandbox.running import Running, running_sandbox

MONDAY = datetime(2026, 6, 8, 6, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Running]:
    with running_sandbox(tickets=400, psas=("autotask",), now=MONDAY) as running:
        yield running


@pytest.fixture(scope="module")
def api(sandbox: Running) -> Iterator[httpx.Client]:
    with client_of(sandbox) as client:
        yield client


def test_the_generated_queue_has_work_of_every_kind(api: httpx.Client) -> None:
    rows = found(api, "Tickets")
    assert len(rows) == 400
    statuses = Counter(row["status"] for row in rows)
    assert statuses[COMPLETE] > 300
    assert all(statuses[number] for number in (1, 7, 8, 12, 14))
    going = [row for row in rows if row["status"] in (1, 8)]
    assert [row for row in going if instant(row["dueDateTime"]) < MONDAY]
    assert [row for row in going if instant(row["dueDateTime"]) > MONDAY]
    assert [row for row in rows if row["status"] == 1 and row["assignedResourceID"] is None]
    for row in rows:
        assert instant(row["createDate"]) <= instant(row["lastActivityDate"])
        assert (row["completedDate"] is not None) == (row["status"] == COMPLETE)
        assert (row["assignedResourceID"] is None) == (row["assignedResourceRoleID"] is None)
    numbers = [row["ticketNumber"] for row in rows]
    assert len(set(numbers)) == 400
    results = found(api, "ServiceLevelAgreementResults")
    late = sum(row["isResolutionMet"] is False for row in results)
    assert 0.03 < late / statuses[COMPLETE] < 0.35


def test_stories_hold_together(sandbox: Running, api: httpx.Client) -> None:
    tickets = {row["id"]: row for row in found(api, "Tickets")}
    replies = found(api, "TicketNotes", where("createdByContactID", "exist"))
    assert {row["noteType"] for row in replies} == {VENDOR.mail_note}
    assert {row["publish"] for row in replies} == {VENDOR.public}
    assert {row["publish"] for row in found(api, "TicketNotes")} == {VENDOR.public, VENDOR.internal}
    for entry in found(api, "TimeEntries"):
        assert instant(entry["startDateTime"]) < instant(entry["endDateTime"])
        assert entry["ticketID"] in tickets
    pairs = {(row["resourceID"], row["roleID"]) for row in found(api, "ResourceServiceDeskRoles")}
    assert {(row["assignedResourceID"], row["assignedResourceRoleID"]) for row in tickets.values()} - {
        (None, None)
    } <= pairs
    kinds = Counter(row["parentType"] for row in found(api, "AttachmentInfo"))
    assert kinds[4] > 3
    assert kinds[18] + kinds[23] > 3


def test_a_person_creates_writes_and_is_answered(sandbox: Running, api: httpx.Client) -> None:
    contact = found(api, "Contacts", MaxRecords=1)[0]
    values = {"summary": "By a person", "user_id": contact["id"], "priority": "High", "queue": "Field"}
    record = sandbox.control("POST", "autotask/tickets", values)
    assert (record["title"], record["companyID"], record["priority"]) == ("By a person", contact["companyID"], 1)
    assert record["createdByContactID"] == contact["id"]
    path = f"autotask/tickets/{record['id']}"
    note = sandbox.control(
        "POST", f"{path}/actions", {"note": "Seen", "agent_id": AGENT, "new_status": "Waiting Customer"}
    )
    assert (note["publish"], note["creatorResourceID"]) == (VENDOR.internal, AGENT)
    assert one(api, "Tickets", record["id"])["status"] == 7
    file = {"filename": "a.txt", "data_base64": base64.b64encode(b"hello").decode()}
    reply = sandbox.control(
        "POST", f"{path}/actions", {"note": "Here", "user_id": contact["id"], "attachments": [file]}
    )
    assert (reply["createdByContactID"], reply["creatorResourceID"], reply["publish"]) == (contact["id"], None, 1)
    timed = sandbox.control("POST", f"{path}/actions", {"note": "Done it", "timetaken": 0.5, "private": False})
    assert (timed["hoursWorked"], timed["summaryNotes"]) == (0.5, "Done it")
    stored = sandbox.ticket(record["id"], "autotask")
    assert stored["status"] == VENDOR.in_progress
    assert [action["id"] for action in stored["actions"]] == [note["id"], reply["id"], timed["id"]]
    assert stored["attachments"][0]["sha256"] == hashlib.sha256(b"hello").hexdigest()
    assert stored["attachments"][0]["ticketNoteID"] == reply["id"]
    edited = sandbox.control("POST", path, {"status": "Complete", "title": "Ended", "agent_id": AGENT})
    assert (edited["status"], edited["assignedResourceID"], edited["assignedResourceRoleID"]) == (5, AGENT, 29683459)
    sandbox.control("POST", f"{path}/actions", {"note": "not yet", "user_id": contact["id"]})
    assert one(api, "Tickets", record["id"])["status"] == VENDOR.in_progress


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("autotask/tickets/50001", {"colour": "red"}), ("autotask/tickets/50001", {"status": "Nonsense"}),
        ("autotask/tickets/50001", {"priority": 77}), ("autotask/tickets/50001/actions", {"text": "x"}),
        ("autotask/tickets/50001/actions", {"note": "x", "user_id": 1}), ("autotask/tickets", {"summary": ""}),
    ],
)  # fmt: skip
def test_senseless_control_calls_are_refused(sandbox: Running, path: str, body: Any) -> None:
    answer = httpx.post(f"{sandbox.url}/_control/{path}", json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_what_the_api_changed_is_left_alone_for_a_minute() -> None:
    with running_sandbox(tickets=60, psas=("autotask",)) as sandbox, client_of(sandbox) as api:
        rows = found(api, "Tickets", where("status", "noteq", 5))
        free = {row["id"] for row in rows[:2]}
        for row in rows[2:]:
            assert api.patch("Tickets", json={"id": row["id"], "title": "Ours"}).status_code == 200
        done = {row["id"] for row in found(api, "Tickets", where("status", "eq", 5))}
        item, dice = sandbox.sandbox.imitations["autotask"], random.Random(1)
        told = [item.live_event(dice).split() for _ in range(120)]
        made = {int(words[-1]) for words in told if words[0] == "new"}
        assert {int(words[-1]) for words in told} <= free | done | made
        with sandbox.sandbox.store.write() as conn:
            conn.execute("UPDATE at_touched SET at = at - 60000")
        again = {int(item.live_event(dice).split()[-1]) for _ in range(120)}
        assert again - free - done - made


def test_the_queue_moves_and_does_not_grow() -> None:
    clock = [MONDAY.timestamp()]
    with Sandbox(psas=("autotask",), source=lambda: clock[0]) as sandbox:
        sandbox.load(generated(tickets=600, seed=1, now_ms=sandbox.clock.now()))
        count = "SELECT count(*) FROM at_tickets WHERE status <> 5"
        with sandbox.store.read() as conn:
            before = conn.execute(count).fetchone()[0]
        sandbox.live.set_rate(3)
        verbs: Counter[str] = Counter()
        sizes = []
        for _ in range(8):
            for _ in range(60):
                clock[0] += 60
                while sandbox.live._one():
                    verbs[sandbox.live.last.split()[1]] += 1
            with sandbox.store.read() as conn:
                sizes.append(conn.execute(count).fetchone()[0])
        assert all(0.6 * before < size < 1.5 * before for size in sizes), (before, sizes)
        assert set(verbs) <= {"new", *day.CHOICES}
        assert len(verbs) > 15


def test_state_survives_and_resets(tmp_path: Path) -> None:
    state = tmp_path / "state.sqlite3"
    with running_sandbox(tickets=20, psas=("autotask",), state=state) as sandbox, client_of(sandbox) as api:
        number = new_ticket(api, title="Kept")
    with running_sandbox(tickets=20, psas=("autotask",), state=state) as sandbox, client_of(sandbox) as api:
        assert one(api, "Tickets", number)["title"] == "Kept"
        assert sandbox.control("GET", "state")["autotask"]["tickets"] == 21
        assert sandbox.control("POST", "reset")["autotask"]["tickets"] == 0
        assert [row["id"] for row in found(api, "Companies")] == [0]
        assert "nobody" in sandbox.sandbox.imitations["autotask"].live_event(random.Random(1))
