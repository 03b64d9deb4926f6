"""The imitated tenant's own SLA: due dates, holds, response, closing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.connectors.sandbox.running import Running, running_sandbox


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Running]:
    with running_sandbox() as running:
        yield running


@pytest.fixture(scope="module")
def api(sandbox: Running) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{sandbox.halopsa}/api", headers=sandbox.token()) as client:
        yield client


def created(api: httpx.Client, **values: Any) -> Any:
    return api.post("/Tickets", json=[{"summary": "Made by a test", **values}]).json()


def hours(row: Any, name: str, since: str = "dateoccurred") -> float:
    return (datetime.fromisoformat(row[name]) - datetime.fromisoformat(row[since])).total_seconds() / 3600


def test_due_dates_follow_priority(api: httpx.Client) -> None:
    made = created(api, priority_id=2)
    assert (hours(made, "respondbydate"), hours(made, "fixbydate")) == (1.0, 4.0)
    after = api.post("/Tickets", json=[{"id": made["id"], "priority_id": 4}]).json()
    assert (hours(after, "respondbydate"), hours(after, "fixbydate")) == (8.0, 24.0)


def test_office_hours_sla_counts_working_time() -> None:
    friday = datetime(2026, 6, 5, 16, 29, 30, tzinfo=UTC)
    with running_sandbox(now=friday) as sandbox:
        answer = httpx.post(
            f"{sandbox.halopsa}/api/Tickets",
            headers=sandbox.token(),
            json=[{"summary": "x", "sla_id": 2, "priority_id": 2}],
        ).json()
    assert answer["respondbydate"].startswith("2026-06-05T17:29:3")
    assert answer["fixbydate"].startswith("2026-06-08T11:59:3")


def test_hold_moves_due_dates_by_the_time_held(sandbox: Running, api: httpx.Client) -> None:
    made = created(api, priority_id=3)
    try:
        api.post("/Actions", json=[{"ticket_id": made["id"], "outcome_id": 9}])
        held = api.get(f"/Tickets/{made['id']}").json()
        assert (held["onhold"], held["status_id"]) == (True, 4)
        sandbox.control("POST", "clock", {"offset_seconds": 7200})
        header = sandbox.token()
        body = [{"ticket_id": made["id"], "outcome_id": 2, "note": "Back to work", "new_status": 2}]
        assert httpx.post(f"{sandbox.halopsa}/api/Actions", headers=header, json=body).status_code == 201
        after = httpx.get(f"{sandbox.halopsa}/api/Tickets/{made['id']}", headers=header).json()
    finally:
        sandbox.control("POST", "clock", {"offset_seconds": 0})
    assert after["onhold"] is False
    assert hours(after, "fixbydate") == pytest.approx(10, abs=0.01)
    assert hours(after, "respondbydate") == pytest.approx(6, abs=0.01)
    assert after["slaholdtime"] == pytest.approx(2, abs=0.01)
    assert after["slaresponsestate"] == "I"


def test_response_closing_and_reopening(api: httpx.Client) -> None:
    made = created(api, priority_id=1)
    api.post("/Actions", json=[{"ticket_id": made["id"], "outcome_id": 7, "note": "internal"}])
    assert api.get(f"/Tickets/{made['id']}").json()["responsedate"].startswith("1900")
    api.post("/Actions", json=[{"ticket_id": made["id"], "outcome_id": 2, "note": "public"}])
    closed = api.post("/Tickets", json=[{"id": made["id"], "status_id": 9, "closure_note": "Done"}]).json()
    assert closed["slaresponsestate"] == closed["slastate"] == "I"
    assert closed["dateclosed"]
    assert closed["hasbeenclosed"] is True
    assert closed["closure_note"] == "Done"
    again = api.post("/Tickets", json=[{"id": made["id"], "status_id": 2}]).json()
    assert "dateclosed" not in again
    assert "hasbeenclosed" not in again


def test_overdue_is_out(sandbox: Running, api: httpx.Client) -> None:
    start = datetime.now(UTC) - timedelta(hours=30)
    made = created(api, dateoccurred=start.isoformat())
    assert (made["slastate"], made["slaresponsestate"]) == ("O", "O")
    assert made["slatimeleft"] == pytest.approx(-22, abs=0.1)
    assert made["slapercused"] > 100
