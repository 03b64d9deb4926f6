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
    # 17:29:30 in London, half a minute before closing
    assert answer["respondbydate"].startswith("2026-06-08T08:59:3")
    assert answer["fixbydate"].startswith("2026-06-08T11:59:3")


def test_a_bank_holiday_is_closed_and_christmas_eve_in_part() -> None:
    eve = datetime(2026, 12, 24, 12, 30, tzinfo=UTC)  # a Thursday; the desk closes at 13:00
    with running_sandbox(now=eve) as sandbox:
        header = sandbox.token()
        shown = httpx.get(f"{sandbox.halopsa}/api/Workday", params={"showholidays": "true"}, headers=header).json()
        answer = httpx.post(
            f"{sandbox.halopsa}/api/Tickets", headers=header, json=[{"summary": "x", "sla_id": 2, "priority_id": 2}]
        ).json()
    office = next(row for row in shown if row["name"] == "Office hours")
    assert office["timezone"] == "Europe/London"
    assert {h["date"][:4] for h in office["holidays"]} == {"2025", "2026", "2027"}
    part = [h for h in office["holidays"] if not h["allday"]]
    assert ("2026-12-24T13:00:00", "2026-12-24T23:59:00") in [(h["date"], h["end_date"]) for h in part]
    assert answer["respondbydate"].startswith("2026-12-29T09:30:0")  # Boxing Day is kept on Monday the 28th
    assert answer["fixbydate"].startswith("2026-12-29T12:30:0")


def test_the_urgent_of_an_sla_may_run_around_the_clock() -> None:
    saturday = datetime(2026, 6, 6, 21, 0, tzinfo=UTC)  # 22:00 in London
    with running_sandbox(now=saturday) as sandbox:
        api = httpx.Client(base_url=f"{sandbox.halopsa}/api", headers=sandbox.token())
        high, low = (created(api, sla_id=3, priority_id=number) for number in (2, 3))
    assert high["fixbydate"].startswith("2026-06-07T01:00:0")
    assert low["fixbydate"].startswith("2026-06-08T15:00:0")  # Monday, 8 h from 08:00


def test_a_hold_over_closed_hours_moves_nothing() -> None:
    friday = datetime(2026, 6, 5, 14, 0, tzinfo=UTC)
    with running_sandbox(now=friday) as sandbox:
        api = httpx.Client(base_url=f"{sandbox.halopsa}/api", headers=sandbox.token())
        made = created(api, sla_id=2, priority_id=3, status_id=2)
        sandbox.control("POST", "clock", {"offset_seconds": 3 * 3600})  # 18:00 in London
        api.headers.update(sandbox.token())
        api.post("/Tickets", json=[{"id": made["id"], "onhold": True}])
        sandbox.control("POST", "clock", {"offset_seconds": 65 * 3600})  # Monday 08:00
        api.headers.update(sandbox.token())
        after = api.post("/Tickets", json=[{"id": made["id"], "onhold": False}]).json()
    assert (after["fixbydate"][:18], after["onhold"]) == (made["fixbydate"][:18], False)


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
