"""Outcomes over real HTTP, in both profiles: what they do to status and hold, and what they refuse."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import httpx
import pytest

from connectors.halopsa.sandbox import seeds
from tests.connectors.sandbox.running import Running, running_sandbox

HELD = 600
NO_ACCESS = "You do not have access to this Action at the moment"


@pytest.fixture(scope="module", params=["vendor", "brief"])
def sandbox(request: pytest.FixtureRequest) -> Iterator[Running]:
    with running_sandbox(tickets=20, profile=request.param) as running:
        yield running


@pytest.fixture(scope="module")
def api(sandbox: Running) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{sandbox.halopsa}/api", headers=sandbox.token()) as client:
        yield client


def created(api: httpx.Client, **values: Any) -> int:
    body = {"summary": "Made by a test", "client_id": 2, "status_id": seeds.IN_PROGRESS, **values}
    made = api.post("/Tickets", json=[body]).json()
    return int((made["tickets"][0] if "tickets" in made else made)["id"])


def press(api: httpx.Client, number: int, outcome: int, **values: Any) -> httpx.Response:
    return api.post("/Actions", json=[{"ticket_id": number, "outcome_id": outcome, **values}])


def outcome(api: httpx.Client, **values: Any) -> int:
    made = api.post("/Outcome", json=[{"outcome": "A test's own", **values}]).json()
    return int(made["id"])


def state(sandbox: Running, number: int) -> tuple[int, bool]:
    row = sandbox.ticket(number)
    return int(row["status_id"]), bool(row["onhold"])


def test_a_hold_stays_in_a_running_status_and_a_release_ends_it(sandbox: Running, api: httpx.Client) -> None:
    number = created(api)
    before = sandbox.ticket(number)["fixbydate"]
    made = press(api, number, seeds.WAIT_PARTS, note_html="<p>Toner is ordered</p>", hiddenfromuser=True)
    assert made.status_code == 201
    assert state(sandbox, number) == (seeds.IN_PROGRESS, True)
    sandbox.control("POST", "clock", {"offset_seconds": HELD})
    assert press(api, number, seeds.RELEASE, note="They are here").status_code == 201
    assert state(sandbox, number) == (seeds.IN_PROGRESS, False)
    after = sandbox.ticket(number)["fixbydate"]
    moved = datetime.fromisoformat(after) - datetime.fromisoformat(before)
    assert moved.total_seconds() == pytest.approx(HELD, abs=30)


def test_a_release_wins_over_a_status_that_would_hold(sandbox: Running, api: httpx.Client) -> None:
    key = outcome(api, newstatus=seeds.ON_HOLD, slareleaseischecked=True)
    number = created(api)
    press(api, number, key, note="x")
    assert state(sandbox, number) == (seeds.ON_HOLD, False)


def test_new_status_of_the_action_wins_over_the_outcomes(sandbox: Running, api: httpx.Client) -> None:
    number = created(api)
    press(api, number, seeds.HOLD, note="x", new_status=seeds.WAITING_THIRD)
    assert state(sandbox, number) == (seeds.WAITING_THIRD, True)


@pytest.mark.parametrize("words", [{}, {"note": " "}, {"note_html": "<p></p><!-- helpdesk:7a2b6d4e -->"}])
def test_a_note_is_words(api: httpx.Client, sandbox: Running, words: dict[str, str]) -> None:
    number = created(api)
    count = len(sandbox.ticket(number)["actions"])
    answer = press(api, number, seeds.WAIT_PARTS, **words)
    assert (answer.status_code, answer.json()["Message"]) == (400, "A Note must be entered for this Action")
    assert len(sandbox.ticket(number)["actions"]) == count
    assert state(sandbox, number) == (seeds.IN_PROGRESS, False)


def test_it_must_be_assigned_before(api: httpx.Client) -> None:
    number = created(api, agent_id=seeds.UNASSIGNED, tickettype_id=1)
    answer = press(api, number, seeds.BOOK, note="Thursday, 10:00")
    assert answer.status_code == 400
    assert "must be assigned" in answer.json()["Message"]
    api.post("/Tickets", json=[{"id": number, "agent_id": 3}])
    assert press(api, number, seeds.BOOK, note="Thursday, 10:00").status_code == 201


@pytest.mark.parametrize("values", [{"tickettypes": [{"value": "2", "label": "Service Request"}]}, {"requesttype": 2}])
def test_only_for_its_ticket_types(api: httpx.Client, values: dict[str, Any]) -> None:
    key = outcome(api, **values)
    incident, request = created(api, tickettype_id=1), created(api, tickettype_id=2)
    refused = press(api, incident, key, note="x")
    assert (refused.status_code, refused.json()["Message"]) == (400, NO_ACCESS)
    assert press(api, request, key, note="x").status_code == 201
    listed = api.get("/Outcome?tickettype_id=1&showhidden=true").json()
    rows = listed["outcomes"] if isinstance(listed, dict) else listed
    assert key not in {row["id"] for row in rows}


def test_what_hides_hides_unless_told(api: httpx.Client) -> None:
    number = created(api)
    made = press(api, number, seeds.HOLD, note="x").json()
    assert (made["actions"][0] if "actions" in made else made)["hiddenfromuser"] is True
