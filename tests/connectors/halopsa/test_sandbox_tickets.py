"""Tokens, lists and tickets of the HaloPSA imitation, over a real socket."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import httpx
import pytest

from tests.connectors.sandbox.running import Running, running_sandbox

MARKER = "0d4b7e52-4d2f-4a8e-9c62-0f3a4b5c6d7e"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Running]:
    with running_sandbox(tickets=300) as running:
        yield running


@pytest.fixture(scope="module")
def api(sandbox: Running) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{sandbox.halopsa}/api", headers=sandbox.token()) as client:
        yield client


def created(api: httpx.Client, **values: Any) -> Any:
    answer = api.post("/Tickets", json=[{"summary": "Made by a test", **values}])
    assert answer.status_code == 201, answer.text
    return answer.json()


def token(sandbox: Running, **form: str) -> httpx.Response:
    values = {"grant_type": "client_credentials", "client_id": "demo", "client_secret": "demo-secret", **form}
    return httpx.post(f"{sandbox.halopsa}/auth/token?tenant=acme", data=values)


def test_token_and_its_refusals(sandbox: Running) -> None:
    answer = token(sandbox).json()
    assert answer["token_type"] == "Bearer"
    assert answer["expires_in"] == 3600
    refused = token(sandbox, client_secret="wrong")
    assert refused.status_code == 401
    assert refused.json()["error"] == "invalid_client"


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer abc"}, {"Authorization": "Bearer a.b"}])
def test_no_valid_token_is_401_with_an_empty_body(sandbox: Running, header: dict[str, str]) -> None:
    answer = httpx.get(f"{sandbox.halopsa}/api/Tickets", headers=header)
    assert (answer.status_code, answer.content) == (401, b"")


def test_token_ends_on_the_sandbox_clock(sandbox: Running) -> None:
    header = sandbox.token()
    sandbox.control("POST", "clock", {"offset_seconds": 3601})
    try:
        assert httpx.get(f"{sandbox.halopsa}/api/Status", headers=header).status_code == 401
    finally:
        sandbox.control("POST", "clock", {"offset_seconds": 0})


@pytest.mark.parametrize("scope", ["all:standard", "read:tickets edit:tickets read:customers"])
def test_configuration_needs_admin(sandbox: Running, scope: str) -> None:
    header = sandbox.token(scope)
    refused = httpx.post(f"{sandbox.halopsa}/api/Status", headers=header, json=[{"name": "x"}])
    assert (refused.status_code, refused.content) == (403, b"")
    assert httpx.get(f"{sandbox.halopsa}/api/Status", headers=header).status_code == 200


def test_reading_scope_does_not_write(sandbox: Running) -> None:
    header = sandbox.token("read:tickets")
    assert httpx.get(f"{sandbox.halopsa}/api/Tickets", headers=header).status_code == 200
    assert httpx.post(f"{sandbox.halopsa}/api/Tickets", headers=header, json=[{"summary": "x"}]).status_code == 403
    assert httpx.get(f"{sandbox.halopsa}/api/Client", headers=header).status_code == 403


def test_paging_needs_pageinate_and_stops_at_100(api: httpx.Client) -> None:
    assert len(api.get("/tickets?page_size=10&page_no=3").json()["tickets"]) == 50
    page = api.get("/TICKETS?pageinate=True&page_size=1000&page_no=1").json()
    assert (len(page["tickets"]), page["page_size"]) == (100, 100)
    assert len(api.get("/Tickets?count=7").json()["tickets"]) == 7
    assert len(api.get("/Tickets?count=true&whatever=1").json()["tickets"]) == 50


def test_pages_cover_everything_once(api: httpx.Client) -> None:
    seen: list[int] = []
    for number in range(1, 10):
        page = api.get(f"/Tickets?pageinate=true&page_size=40&page_no={number}&order=id").json()
        seen += [row["id"] for row in page["tickets"]]
    assert len(seen) == len(set(seen)) == page["record_count"]
    assert seen == sorted(seen)
    assert page["tickets"] == []


def test_newest_first_without_an_order(api: httpx.Client) -> None:
    dates = [row["dateoccurred"][:19] for row in api.get("/Tickets").json()["tickets"]]
    assert dates == sorted(dates, reverse=True)
    up = [row["id"] for row in api.get("/Tickets?order=id&orderdesc=1").json()["tickets"]]
    assert up == sorted(up)


def test_list_row_shape(api: httpx.Client) -> None:
    row = api.get("/Tickets?closed_only=true").json()["tickets"][0]
    assert "agent_name" not in row
    assert row["datecreated"] is None
    assert row["hasbeenclosed"] is True
    assert row["deadlinedate"] == "1900-01-01T00:00:00"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?", row["last_update"])
    open_row = api.get("/Tickets?open_only=true&includeagent=true").json()["tickets"][0]
    assert "hasbeenclosed" not in open_row
    assert "agent_name" in open_row


@pytest.mark.parametrize(
    ("query", "field", "allowed"),
    [
        ("status=5,6", "status_id", {5, 6}), ("status_id=5", "status_id", {5}), ("priority=1,2", "priority_id", {1, 2}),
        ("team=2", "team_id", {2}), ("agent_id=4", "agent_id", {4}), ("agent=4,5", "agent_id", {4, 5}),
        ("client_id=2", "client_id", {2}), ("requesttype=1", "tickettype_id", {1}), ("requesttype_id=2",
         "tickettype_id", {2}),
        ("category_1=2", "category_1", {"Hardware>Printer"}), ("search_id=17", "id", {17}),
    ],
)  # fmt: skip
def test_filters(api: httpx.Client, query: str, field: str, allowed: set[Any]) -> None:
    page = api.get(f"/Tickets?pageinate=true&page_size=100&{query}").json()
    assert page["record_count"] >= 1
    assert {row[field] for row in page["tickets"]} <= allowed


@pytest.mark.parametrize("query", ["team_id=2", "priority_id=1", "dateoccurred_start=2099-01-01", "open_only=1"])
def test_unknown_parameters_filter_nothing(api: httpx.Client, query: str) -> None:
    assert api.get(f"/Tickets?{query}").json()["record_count"] == api.get("/Tickets").json()["record_count"]


def test_search_and_dates(api: httpx.Client) -> None:
    made = created(api, summary="Zanzibar printer", details="A quokka sits in it", third_party_id_string=MARKER)
    for query in (
        "search=zanzibar",
        "search=QUOKKA",
        "search_summary=Zanzi",
        "search_details=quokka",
        f"search={MARKER}",
    ):
        assert [row["id"] for row in api.get(f"/Tickets?{query}").json()["tickets"]] == [made["id"]], query
    assert api.get("/Tickets?search=100%25").json()["record_count"] == 0
    day = made["dateoccurred"][:10]
    found = api.get(f"/Tickets?datesearch=dateoccured&startdate={day}&enddate={day}&ticketidonly=true").json()
    assert {"id": made["id"]} in found["tickets"]
    ids = api.get(f"/Tickets?lastupdatefromdate={made['last_update']}Z").json()["tickets"]
    assert [row["id"] for row in ids] == [made["id"]]
    assert api.get("/Tickets?lastupdatetodate=2001-01-01").json()["record_count"] == 0


def test_create_takes_defaults_from_the_type(api: httpx.Client) -> None:
    made = created(api)
    assert (made["status_id"], made["priority_id"], made["agent_id"], made["client_id"]) == (1, 3, 1, 1)
    opened = api.get(f"/Actions?ticket_id={made['id']}").json()["actions"]
    assert [(row["id"], row["outcome"]) for row in opened] == [(1, "Opened")]


def test_create_with_everything(api: httpx.Client) -> None:
    user = api.get("/Users?search=client@demo.test").json()["users"][0]
    made = created(
        api, details_html="<p>Paper <b>jam</b></p>", client_id=user["client_id"], site_id=int(user["site_id"]),
        user_id=user["id"], tickettype_id=2, priority_id=2, status_id=2, agent_id=4, team="field",
            category_1="Hardware>Printer",
        third_party_id_string=MARKER + "x", customfields=[{"id": 178, "value": "A-1"}], emailcclist="a@b.test",
    )  # fmt: skip
    full = api.get(f"/Tickets/{made['id']}?includedetails=true").json()
    assert full["details"] == "Paper jam"
    assert full["details_html"] == "<p>Paper <b>jam</b></p>"
    assert (full["team"], full["team_id"], full["agent_name"]) == ("Field", 2, "Priya Nair")
    assert full["third_party_id_string"] == MARKER + "x"
    assert full["customfields"][0]["value"] == "A-1"
    assert full["priority"]["priorityid"] == 2
    assert full["datecreated"]
    assert full["categoryid_1"] == 2
    assert "actions" not in full


def test_update_merges_and_moves_last_update(api: httpx.Client) -> None:
    made = created(api, summary="Before", details="Kept")
    answer = api.post("/Tickets", json=[{"id": made["id"], "summary": "After", "agent_id": 5}])
    assert answer.status_code == 201
    after = answer.json()
    assert (after["summary"], after["details"], after["agent_id"]) == ("After", "Kept", 5)
    assert datetime.fromisoformat(after["last_update"]) > datetime.fromisoformat(made["last_update"])
    back = api.post("/Tickets", json=[{"id": made["id"], "agent_id": 1}]).json()
    assert back["agent_id"] == 1


def test_the_last_of_several_comes_back_unless_all_are_asked_for(api: httpx.Client) -> None:
    body = [{"summary": "one"}, {"summary": "two"}]
    assert api.post("/Tickets", json=body).json()["summary"] == "two"
    assert [row["summary"] for row in api.post("/Tickets?returnall=true", json=body).json()] == ["one", "two"]


def test_a_refused_object_takes_the_whole_array_back(api: httpx.Client) -> None:
    before = api.get("/Tickets").json()["record_count"]
    assert api.post("/Tickets", json=[{"summary": "one"}, {"summary": "two", "status_id": 777}]).status_code == 400
    assert api.get("/Tickets").json()["record_count"] == before


def test_delete_is_soft(api: httpx.Client) -> None:
    made = created(api)
    assert api.delete(f"/Tickets/{made['id']}?reason=test").json()["id"] == made["id"]
    gone = api.get(f"/Tickets/{made['id']}")
    assert (gone.status_code, gone.content) == (404, b"")
    assert api.get(f"/Tickets?search_id={made['id']}").json()["record_count"] == 0
    assert api.post("/Tickets", json=[{"id": made["id"], "summary": "x"}]).status_code == 404
    back = api.post("/Tickets", json=[{"id": made["id"], "_recover": True, "_validate_updates": True}])
    assert back.status_code == 201
    assert api.get(f"/Tickets/{made['id']}").status_code == 200


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"summary": "x", "status_id": 77}, "status_id invalid"),
        ({"summary": "x", "tickettype_id": 77}, "tickettype_id invalid"),
        ({"summary": "x", "priority_id": 9}, "priority_id invalid"),
        ({"summary": "x", "client_id": 7777}, "client_id invalid"),
        ({"summary": "x", "user_id": 1}, "A Site must be selected when a User is selected"),
        ({"summary": " "}, "A Summary must be entered for this Ticket"),
        ({"summary": "x", "team": "Nobody"}, "team invalid"),
    ],
)
def test_rules_answer_an_exception(api: httpx.Client, body: dict[str, Any], message: str) -> None:
    answer = api.post("/Tickets", json=[body])
    assert answer.status_code == 400
    assert answer.json()["ClassName"] == "System.Exception"
    assert answer.json()["Message"] == message


def test_wrong_types_answer_model_state(api: httpx.Client) -> None:
    answer = api.post("/Actions", json=[{"ticket_id": 1, "outcome_id": "abc"}])
    assert answer.status_code == 400
    text = answer.json()["[0].outcome_id"][0]
    assert text.startswith("Could not convert string to integer: abc. Path '[0].outcome_id', line 1, position ")
    assert api.get("/Tickets/probe").json() == {"id": ["The value 'probe' is not valid."]}
    assert api.post("/Tickets", json={"summary": "no array"}).status_code == 400
    assert api.post("/Tickets", content=b"{", headers={"Content-Type": "application/json"}).status_code == 400


@pytest.mark.parametrize("path", ["/Tickets/999999", "/Nothing", "/Priority/3", "/Users/me"])
def test_unknown_is_an_empty_404(api: httpx.Client, path: str) -> None:
    answer = api.get(path)
    assert (answer.status_code, answer.content) == (404, b"")


def test_status_change_by_update_writes_an_action(api: httpx.Client) -> None:
    made = created(api)
    api.post("/Tickets", json=[{"id": made["id"], "status_id": 2}])
    row = api.get(f"/Actions?ticket_id={made['id']}").json()["actions"][0]
    assert (row["old_status"], row["new_status"], row["new_status_name"]) == (1, 2, "In Progress")
    assert row["hiddenfromuser"] is True


def test_rate_limit_is_a_rolling_window(sandbox: Running) -> None:
    header = sandbox.token()
    sandbox.control("POST", "rate_limit", {"psa": "halopsa", "requests": 3, "seconds": 300, "retry_after": True})
    try:
        answers = [httpx.get(f"{sandbox.halopsa}/api/Status", headers=header) for _ in range(4)]
    finally:
        sandbox.control("POST", "rate_limit", {"psa": "halopsa", "requests": None})
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[3].json() == {"error": "Rate Limit Reached - 3 Requests per rolling 5 minute window"}
    assert 0 < int(answers[3].headers["Retry-After"]) <= 301


def test_open_information(sandbox: Running) -> None:
    info = httpx.get(f"{sandbox.halopsa}/api/AuthInfo").json()
    assert info["auth_url"] == f"{sandbox.halopsa}/auth"
    assert httpx.get(f"{sandbox.halopsa}/api/instanceinfo").status_code == 200
