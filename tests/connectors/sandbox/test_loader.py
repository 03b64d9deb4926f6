"""The neutral data set: what is loaded, and what is refused with file and line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from connectors.sandbox.loader import BadData, read_folder
from tests.connectors.sandbox.running import running_sandbox

GOOD: dict[str, list[dict[str, Any]]] = {
    "clients": [
        {"id": 1, "name": "Ägir GmbH", "domain": "aegir.example", "extra": "ignored"},
        {"id": 4, "name": "Bor"},
    ],
    "sites": [{"id": 1, "client_id": 1, "name": "Main"}],
    "contacts": [{"id": 1, "client_id": 1, "site_id": 1, "name": "Åsa Ørn", "email": "asa@aegir.example"}],
    "agents": [{"id": 1, "name": "Kai", "email": "kai@msp.test", "team": "First Line"}],
    "tickets": [
        {"id": 7, "client_id": 1, "contact_id": 1, "agent_id": 1, "team": "First Line", "status": "Waiting on Customer",
         "priority": 2, "summary": "Printer <b>down</b>", "details": "<p>hi</p><script>x</script>",
         "created_at": "2026-03-02T08:00:00Z", "type": "Alarm", "category": "Hardware>Printer"},
        {"id": 9, "client_id": 4, "status": "Odd One", "summary": "b", "created_at": "2026-03-02T09:00:00Z",
         "open": True},
        {"id": 10, "client_id": 4, "status": "New", "summary": "c", "created_at": "2026-03-02T09:00:00Z",
         "psa": "atera"},
    ],
    "actions": [
        {"id": 2, "ticket_id": 7, "kind": "email_out", "created_at": "2026-03-02T08:30:00Z", "agent_id": 1,
         "body": "when?", "old_status": "New", "new_status": "Waiting on Customer"},
        {"id": 1, "ticket_id": 7, "kind": "note", "created_at": "2026-03-02T08:10:00Z", "agent_id": 1, "private": True,
         "minutes": 30, "body": "text", "html": "<p>text</p>", "billable": False},
    ],
    "attachments": [{"id": 1, "ticket_id": 7, "action_id": 1, "filename": "a.txt", "data_base64": "aGVsbG8=",
    "public": False}],
}  # fmt: skip


def write_folder(folder: Path, **changes: list[Any]) -> Path:
    for name, records in {**GOOD, **changes}.items():
        lines = [record if isinstance(record, str) else json.dumps(record, ensure_ascii=False) for record in records]
        (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def test_everything_arrives(tmp_path: Path) -> None:
    with running_sandbox(load=write_folder(tmp_path)) as sandbox:
        assert sandbox.control("GET", "state")["halopsa"]["tickets"] == 2
        ticket = sandbox.ticket(7)
        odd = sandbox.ticket(9)
    assert (ticket["client_name"], ticket["user_name"], ticket["team"]) == ("Ägir GmbH", "Åsa Ørn", "First Line")
    assert (ticket["summary"], ticket["details_html"]) == ("Printer <b>down</b>", "<p>hi</p><script>x</script>")
    assert (ticket["status_id"], ticket["onhold"], ticket["agent_name"]) == (5, True, "Kai")
    assert [row["outcome"] for row in ticket["actions"]] == ["Opened", "Internal Note", "Email User"]
    note, mail = ticket["actions"][1:]
    assert (note["timetaken"], note["nonbilltime"], note["hiddenfromuser"], note["note_html"]) == (
        0.5,
        0.5,
        True,
        "<p>text</p>",
    )
    assert (mail["old_status"], mail["new_status"], mail["datetime"]) == (1, 5, "2026-03-02T08:30:00")
    assert ticket["responsedate"] == "2026-03-02T08:30:00"
    assert ticket["attachments"][0]["action_id"] == 2
    assert ticket["attachments"][0]["showforusers"] is False
    assert odd["status_name"] == "Odd One"


@pytest.mark.parametrize(
    ("name", "line", "message"),
    [
        ("tickets", "{broken", "tickets.jsonl:2: not JSON"),
        ("tickets", "[]", "tickets.jsonl:2: not an object"),
        ("tickets", {**GOOD["tickets"][1], "client_id": 55}, "tickets.jsonl:2: client_id 55 is not in clients.jsonl"),
        (
            "tickets",
            {**GOOD["tickets"][1], "created_at": "soon"},
            "tickets.jsonl:2: created_at must be an ISO 8601 instant",
        ),
        ("tickets", {**GOOD["tickets"][1], "priority": 7}, "tickets.jsonl:2: priority must be 1, 2, 3 or 4"),
        ("tickets", {**GOOD["tickets"][1], "id": 7}, "tickets.jsonl:2: id 7 is there twice"),
        ("tickets", {**GOOD["tickets"][1], "summary": None}, "tickets.jsonl:2: summary is missing"),
        ("actions", {**GOOD["actions"][0], "id": 5, "kind": "song"}, "actions.jsonl:2: kind must be one of"),
        ("clients", {"id": 0, "name": "x"}, "clients.jsonl:2: id must be a positive integer"),
        (
            "attachments",
            {**GOOD["attachments"][0], "id": 2, "data_base64": "%"},
            "attachments.jsonl:2: data_base64 must be",
        ),
    ],
)
def test_a_broken_line_is_named_and_nothing_is_loaded(tmp_path: Path, name: str, line: Any, message: str) -> None:
    write_folder(tmp_path, **{name: [GOOD[name][0], line]})
    with pytest.raises(BadData, match=f"^{message}".replace(".", r"\.").replace("(", r"\(")):
        read_folder(tmp_path)
    with running_sandbox() as sandbox:
        before = sandbox.control("GET", "state")
        with pytest.raises(Exception, match="400"):
            sandbox.control("POST", "load", {"dir": str(tmp_path)})
        assert sandbox.control("GET", "state") == before


def test_optional_files_may_be_missing(tmp_path: Path) -> None:
    write_folder(tmp_path)
    (tmp_path / "attachments.jsonl").unlink()
    assert len(list(read_folder(tmp_path).stories())) == 3
    (tmp_path / "actions.jsonl").unlink()
    with pytest.raises(BadData, match=r"actions\.jsonl: missing"):
        read_folder(tmp_path)


def test_several_psas_share_the_clients(tmp_path: Path) -> None:
    data = read_folder(write_folder(tmp_path))
    parts = {name: data.for_psa(name, ["halopsa", "atera"]) for name in ("halopsa", "atera")}
    told = {
        name: ([row["id"] for row in part.clients], [story.ticket["id"] for story in part.stories()], len(part.agents))
        for name, part in parts.items()
    }
    assert told == {"halopsa": ([1], [7], 1), "atera": ([4], [9, 10], 1)}
    named = read_folder(
        write_folder(tmp_path, tickets=[{**GOOD["tickets"][0], "psa": "atera"}], actions=[], attachments=[])
    )
    part = named.for_psa("atera", ["halopsa", "atera"])
    assert ([row["id"] for row in part.clients], [row["client_id"] for row in part.contacts]) == ([1, 4], [1])


def test_two_psas_hold_different_tickets() -> None:
    with running_sandbox(tickets=60, psas=("halopsa", "autotask")) as sandbox:
        counts = {name: state["tickets"] for name, state in sandbox.control("GET", "state").items()}
        assert sum(counts.values()) == 60
        assert min(counts.values()) > 15
        titles = [
            {row[0] for row in _rows(sandbox, query)}
            for query in ("SELECT name FROM halo_clients", "SELECT companyName FROM at_companies")
        ]
        assert titles[0] & titles[1] == set()


def _rows(sandbox: Any, query: str) -> list[Any]:
    with sandbox.sandbox.store.read() as conn:
        found: list[Any] = conn.execute(query).fetchall()
    return found
