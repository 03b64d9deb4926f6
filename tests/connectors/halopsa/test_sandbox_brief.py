"""Profile `brief`: both shapes go in, the short description's shapes and rules come out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.connectors.sandbox.running import Running, running_sandbox

STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Running]:
    with running_sandbox(tickets=120, profile="brief") as running:
        yield running


@pytest.fixture(scope="module")
def api(sandbox: Running) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{sandbox.halopsa}/api", headers=sandbox.token()) as client:
        yield client


def created(api: httpx.Client, **values: Any) -> Any:
    answer = api.post("/Tickets", json=[{"summary": "Made by a test", "client_id": 2, **values}])
    assert answer.status_code == 201, answer.text
    return answer.json()["tickets"][0]


def act(api: httpx.Client, ticket_id: int, **values: Any) -> Any:
    answer = api.post("/Actions", json=[{"ticket_id": ticket_id, **values}])
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_a_post_answers_in_the_envelope_of_lists(api: httpx.Client) -> None:
    body = [{"summary": "One", "client_id": 1}, {"summary": "Two", "client_id": 1}]
    assert [row["summary"] for row in api.post("/Tickets", json=body).json()["tickets"]] == ["One", "Two"]


def test_a_client_is_required_to_create_only(api: httpx.Client) -> None:
    answer = api.post("/Tickets", json=[{"summary": "x"}])
    assert (answer.status_code, answer.json()["Message"]) == (400, "client_id required")
    made = created(api)
    changed = api.post("/Tickets", json=[{"id": made["id"], "summary": "y"}]).json()
    assert changed["tickets"][0]["summary"] == "y"


def test_defaults_do_not_depend_on_the_type(api: httpx.Client) -> None:
    made = created(api, tickettype_id=2)
    assert (made["priority_id"], made["status_id"]) == (3, 1)


def test_a_contact_brings_its_site(api: httpx.Client) -> None:
    made = created(api, user_id=1, client_id=1)
    assert (made["user_id"], made["site_id"] > 0) == (1, True)


def test_the_fields_of_a_ticket(api: httpx.Client) -> None:
    made = created(api, detail="<p>Paper <b>jam</b></p>", team_id=1, priority_id=2, agent_id=4)
    read = api.get(f"/Tickets/{made['id']}").json()
    assert (read["detail"], read["details_html"]) == ("Paper jam", "<p>Paper <b>jam</b></p>")
    assert (read["team_id"], read["slahold"], read["slaresponsestate"], read["slaresolutionstate"]) == (1, False, 1, 1)
    assert (read["dateresponded"], read["dateresolved"], read["dateclosed"], read["opportunityid"]) == (None,) * 4
    assert STAMP.fullmatch(read["deadlinedate"])
    assert (read["chargeabletime"], read["nonchargeabletime"], read["resolution"]) == (0.0, 0.0, "")
    for name in ("team", "onhold", "responsedate", "fixbydate", "slastate", "closure_note", "chargehours"):
        assert name not in read


def test_every_date_ends_in_z_or_is_null(api: httpx.Client) -> None:
    page = api.get("/Tickets?page_no=1&page_size=100&includeactions=true").json()
    for row in page["tickets"]:
        assert row["datecreated"]
        for item in (row, *row["actions"], *(file for a in row["actions"] for file in a.get("attachments", []))):
            dates = {name: item[name] for name in item if "date" in name}
            assert all(value is None or STAMP.fullmatch(str(value)) for value in dates.values()), dates
    assert "1900-01-01" not in api.get(f"/Tickets/{page['tickets'][0]['id']}").text


def test_pages_need_no_switch(api: httpx.Client) -> None:
    first = api.get("/Tickets?page_no=1&page_size=7&order=id").json()["tickets"]
    second = api.get("/Tickets?page_no=2&page_size=7&order=id").json()["tickets"]
    assert [len(first), len(second)] == [7, 7]
    assert first[-1]["id"] < second[0]["id"]
    assert len(api.get("/Tickets?page_no=1&page_size=1000").json()["tickets"]) == 100


def test_filters_of_both_shapes(api: httpx.Client) -> None:
    made = created(api, dateoccurred="2020-05-05T10:00:00Z", team_id=2, priority_id=4, tickettype_id=2)
    for query in (
        "dateoccurred_start=2020-05-05&dateoccurred_end=2020-05-05",
        "dateoccurred_end=2020-12-31",
        "datesearch=dateoccured&startdate=2020-05-01&enddate=2020-05-31",
    ):
        assert [row["id"] for row in api.get(f"/Tickets?{query}").json()["tickets"]] == [made["id"]], query
    for name, value in (("team_id", 2), ("priority_id", 4), ("tickettype_id", 2)):
        rows = api.get(f"/Tickets?{name}={value}&page_size=100").json()["tickets"]
        assert {row[name] for row in rows} == {value}


def test_sla_states_are_numbers(api: httpx.Client) -> None:
    made = created(api, priority_id=1, dateoccurred="2020-05-05T10:00:00Z")
    assert (made["slaresponsestate"], made["slaresolutionstate"]) == (4, 4)
    waiting = created(api, status_id=5)
    assert (waiting["slahold"], waiting["slaresolutionstate"]) == (True, 2)
    left_out = created(api, excludefromsla=True)
    assert left_out["slaresolutionstate"] == 0
    answered = created(api)
    act(api, answered["id"], outcome_id=2, note="Hello", new_status=9)
    read = api.get(f"/Tickets/{answered['id']}").json()
    assert (read["slaresponsestate"], read["slaresolutionstate"], read["status_id"]) == (3, 3, 9)
    assert read["dateresolved"] <= read["dateclosed"]


def test_resolved_is_not_closed(api: httpx.Client) -> None:
    made = created(api)
    done = api.post("/Tickets", json=[{"id": made["id"], "status_id": 8, "resolution": "New toner"}]).json()["tickets"]
    assert (done[0]["resolution"], done[0]["dateclosed"]) == ("New toner", None)
    assert STAMP.fullmatch(done[0]["dateresolved"])


@pytest.mark.parametrize(
    ("given", "outcome", "kind"),
    [
        ({"actiontype_id": 0, "hiddenfromuser": True}, "Internal Note", 0),
        ({"actiontype_id": 0}, "Public Note", 0),
        ({"actiontype_id": 1}, "Email User", 1),
        ({"actiontype_id": 2}, "Phone Call", 2),
        ({"actiontype_id": 3}, "Site Visit", 3),
        ({"outcome": "Looked into it"}, "Looked into it", 0),
        ({"outcome": "site visit"}, "Site Visit", 3),
        ({"outcome_id": 7}, "Internal Note", 0),
        ({"outcome_id": 0, "actiontype_id": 2, "outcome": "No answer"}, "No answer", 2),
    ],
)  # fmt: skip
def test_actions_need_no_outcome(api: httpx.Client, given: dict[str, Any], outcome: str, kind: int) -> None:
    made = act(api, created(api)["id"], note="Text", **given)
    assert (made["outcome"], made["actiontype_id"]) == (outcome, kind)


def test_an_action_in_the_words_of_the_description(api: httpx.Client, sandbox: Running) -> None:
    number = created(api)["id"]
    body = {"note": "By hand", "actiontype_id": 2, "timetaken": 0.5, "charge": False, "agent_id": 4, "status_id": 9}
    made = act(api, number, **body)
    assert (made["agent_id"], made["charge"], made["timetaken"], made["who"]) == (4, False, 0.5, "Priya Nair")
    record = sandbox.ticket(number)
    assert record["status_id"] == 1, "status_id is no property of an action"
    assert record["time_entries"][0]["timetaken"] == 0.5
    listed = api.get(f"/Tickets/{number}?includeactions=true").json()["actions"]
    assert [row["actiontype_id"] for row in listed] == [2, 4]
    answer = api.post("/Actions", json=[{"ticket_id": number, "actiontype_id": "x"}])
    assert answer.status_code == 400


def test_attachments_in_both_shapes(api: httpx.Client) -> None:
    number = created(api)["id"]
    form = {"ticket_id": str(number), "isimage": "true", "filename": "shot.png"}
    made = api.post("/Attachment", data=form, files={"file": ("x.png", b"abc", "image/png")}).json()
    data = [{"ticket_id": number, "filename": "a.txt", "data_base64": "data:text/plain;base64,aGk="}]
    api.post("/Attachment", json=data)
    rows = api.get(f"/Attachment?ticket_id={number}").json()["attachments"]
    assert [(row["filename"], row["contenttype"]) for row in rows] == [
        ("shot.png", "image/png"),
        ("a.txt", "text/plain"),
    ]
    assert api.get(f"/Attachment/{made['id']}").content == b"abc"
    assert STAMP.fullmatch(made["datecreated"])


def test_the_type_of_a_status_tells_its_kind(api: httpx.Client) -> None:
    kinds = {row["id"]: row["type"] for row in api.get("/Status").json()}
    assert kinds == {1: 0, 2: 0, 3: 2, 4: 2, 5: 2, 6: 2, 8: 0, 9: 1}
    assert [row["id"] for row in api.get("/Status?type=1").json()] == [9]
    assert api.get("/Status/5").json()["type"] == 2


def test_the_control_api_shows_what_is_stored_in_either_profile(sandbox: Running, api: httpx.Client) -> None:
    number = created(api, resolution="Known")["id"]
    record = sandbox.ticket(number)
    assert (record["closure_note"], record["onhold"]) == ("Known", False)
