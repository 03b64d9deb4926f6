"""Comments, work hours and files of the imitated Atera, and what they do to their ticket."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from tests.connectors.atera.running import Atera, running_atera

NOW = datetime(2026, 6, 10, 9, 0, tzinfo=UTC)
BY_PRIYA = {"TechnicianId": 9002, "IsInternal": False}


@pytest.fixture(scope="module")
def atera() -> Iterator[Atera]:
    with running_atera(tickets=200, now=NOW) as running:
        running.running.control("POST", "rate_limit", {"psa": "atera", "requests": None})
        yield running


@pytest.fixture
def number(atera: Atera) -> int:
    body = {"TicketTitle": "Printer", "Description": "It smokes", "EndUserID": 6001}
    return int(atera.post("/tickets", body, 201)["ActionID"])


def said(atera: Atera, number: int) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = atera.get(f"/tickets/{number}/comments", itemsInPage=50)["items"]
    return items


def test_comments_have_no_id_and_one_author(atera: Atera, number: int) -> None:
    body = {"commenttext": "On it", "CommentTimestampUTC": "2026-06-10T08:02:00.123Z", "IsInternal": True,
            "technicianCommentDetails": {**BY_PRIYA, "TechnicianEmail": "ignored@x"}}  # fmt: skip
    atera.post(f"/tickets/{number}/comments", body, 201)
    first, second = said(atera, number)
    assert first == {
        "Date": "2026-06-10T08:02:00.123Z", "Comment": "On it", "CommentHtml": "<p>On it</p>", "EndUserID": None,
        "TechnicianContactID": 9002, "Email": "technician@demo.test", "FirstName": "Priya", "LastName": "Nair",
        "IsInternal": False,
    }  # fmt: skip
    assert (second["EndUserID"], second["TechnicianContactID"], second["FirstName"]) == (6001, None, "Cleo")


@pytest.mark.parametrize(
    "body",
    [
        {"CommentText": "x"},
        {"CommentText": "x", "IsInternal": True},
        {"CommentText": "x", "TechnicianCommentDetails": BY_PRIYA, "EnduserCommentDetails": {"EnduserId": 6001}},
        {"CommentText": " ", "TechnicianCommentDetails": BY_PRIYA},
        {"CommentText": "x", "TechnicianCommentDetails": {"TechnicianId": 1}},
        {"CommentText": "x", "EnduserCommentDetails": {"EnduserId": 1}},
    ],
)
def test_bad_comments_are_not_found(atera: Atera, number: int, body: dict[str, Any]) -> None:
    before = atera.ticket(number)
    answer = atera.call("POST", f"/tickets/{number}/comments", body)
    assert (answer.status_code, answer.json()["detail"]) == (404, "Invalid input")
    assert atera.ticket(number) == before


def test_effects_on_the_ticket(atera: Atera, number: int) -> None:
    def comment(text: str, **details: Any) -> dict[str, Any]:
        atera.post(f"/tickets/{number}/comments", {"CommentText": text, **details}, 201)
        found: dict[str, Any] = atera.get(f"/tickets/{number}")
        return found

    inside = comment("Looks bad", TechnicianCommentDetails={"TechnicianId": 9002, "IsInternal": True})
    assert inside["TechnicianFirstCommentDate"] is None
    assert (inside["LastTechnicianComment"], inside["LastEndUserComment"]) == ("Looks bad", "")
    assert said(atera, number)[-1]["IsInternal"] is True
    outside = comment("On it", TechnicianCommentDetails=BY_PRIYA)
    assert outside["TechnicianFirstCommentDate"] == outside["LastTechnicianCommentTimestamp"] is not None
    again = comment("Still on it", TechnicianCommentDetails=BY_PRIYA)
    assert again["TechnicianFirstCommentDate"] == outside["TechnicianFirstCommentDate"]
    client = comment("Thanks", EnduserCommentDetails={"EnduserId": 6001})
    assert (client["LastEndUserComment"], client["LastTechnicianComment"]) == ("Thanks", "Still on it")
    assert client["LastEndUserCommentTimestamp"]
    assert client["FirstComment"] == "It smokes"


@pytest.mark.parametrize(("status", "after"), [("Resolved", "Open"), ("Pending", "Open"), ("On hold", "On hold")])
def test_a_clients_reply_reopens(atera: Atera, number: int, status: str, after: str) -> None:
    atera.post(f"/tickets/{number}", {"TicketStatus": status})
    body = {"CommentText": "Still broken", "EnduserCommentDetails": {"EnduserId": 6001}}
    atera.post(f"/tickets/{number}/comments", body, 201)
    found = atera.get(f"/tickets/{number}")
    assert (found["TicketStatus"], found["TicketResolvedDate"]) == (after, None)


def test_a_comment_moves_the_ticket_in_the_feed(atera: Atera, number: int) -> None:
    other = {"TicketTitle": "x", "Description": "y", "EndUserID": 6001}
    atera.post("/tickets", other, 201)
    time.sleep(0.005)  # within one millisecond the feed would go by number
    atera.post(f"/tickets/{number}/comments", {"CommentText": "x", "TechnicianCommentDetails": BY_PRIYA}, 201)
    url, last = "/tickets/lastmodified?itemsInPage=50", {}
    while url:
        last = atera.get(url)
        url = last["nextLink"].removeprefix(atera.api)
    assert last["items"][-1]["TicketID"] == number


def test_work_hours_feed_the_durations(atera: Atera, number: int) -> None:
    def book(start: str, end: str, **values: Any) -> int:
        body = {"StartWorkHour": start, "EndWorkHour": end, "TechnicianContactID": 9002, "Description": "d", **values}
        return int(atera.post(f"/tickets/{number}/workhours", body, 201)["ActionID"])

    first = book("2026-06-08T09:00:00Z", "2026-06-08T10:30:00Z", Billiable=True, OnCustomerSite=True, RateID=3)
    second = book("2026-06-07T20:00:00Z", "2026-06-07T20:15:00Z", Billable=False)
    records = atera.get(f"/tickets/{number}/workhoursrecords")["items"]
    assert [(r["WorkHoursID"], r["Billiable"], r["OnCustomerSite"], r["RateAmount"]) for r in records] == [
        (first, True, True, 120.0),
        (second, False, False, None),
    ]
    assert "Billable" not in records[0]
    ticket = atera.get(f"/tickets/{number}")
    seconds = {name: ticket[f"{name}DurationSeconds"] for name in ("OnSite", "OffSite", "OnSLA", "OffSLA", "Total")}
    assert seconds == {"OnSite": 5400, "OffSite": 900, "OnSLA": 5400, "OffSLA": 900, "Total": 6300}
    assert (ticket["OnSiteDurationMinutes"], ticket["TotalDurationMinutes"]) == (90, 105)
    billable = atera.get(f"/tickets/{number}/billableduration")
    assert billable == {"OffSLADurationHours": 0.0, "OffSiteDurationHours": 0.0, "OnSLADurationHours": 1.5,
                        "OnSiteDurationHours": 1.5, "TotalDurationHours": 1.5, "ticketId": number}  # fmt: skip
    summary = atera.get(f"/tickets/{number}/workhours")
    assert summary["Billable"] == billable
    assert summary["NonBillable"]["TotalDurationHours"] == 0.25
    assert atera.post("/tickets/billableduration", [number, 999_999]) == [billable]
    assert atera.post("/tickets/billableworkhourssiteduration", [number]) == {
        "TicketsWorkHoursSiteDurationSummaries": [
            {"TicketID": number, "TotalDurationSeconds": 6300, "OnSiteDurationSeconds": 5400,
             "OffSiteDurationSeconds": 900}
        ]
    }  # fmt: skip
    assert atera.call("POST", "/tickets/billableduration", list(range(1, 52))).status_code == 400


def test_all_work_hours_between_local_times(atera: Atera, number: int) -> None:
    """The account is in Hamburg: 11:00 there is 09:00 UTC in June."""
    body = {"StartWorkHour": "2031-06-02T09:00:00Z", "EndWorkHour": "2031-06-02T09:30:00Z", "TechnicianContactID": 9002}
    atera.post(f"/tickets/{number}/workhours", body, 201)
    found = atera.get("/workhours", startWorkhour="2031-06-02T11:00:00")["items"]
    assert [(item["TicketID"], item["EndUserID"]) for item in found] == [(number, 6001)]
    assert atera.get("/workhours", startWorkhour="2031-06-02T11:00:01")["items"] == []
    assert atera.call("GET", "/workhours?startWorkhour=2031-06-02T11:00:00Z").status_code == 400
    before = atera.get("/workhours")["totalItemCount"]
    assert atera.call("DELETE", f"/tickets/{number}").status_code == 204
    after = atera.get("/workhours", startWorkhour="2031-06-02T11:00:00")
    assert (after["items"], after["totalItemCount"]) == ([], 0)
    assert atera.get("/workhours")["totalItemCount"] == before - 1


@pytest.mark.parametrize(
    "changes",
    [{"EndWorkHour": "2026-06-08T08:00:00Z"}, {"StartWorkHour": None}, {"TechnicianContactID": 5}, {"RateID": 99}],
)
def test_wrong_work_hours_are_refused(atera: Atera, number: int, changes: dict[str, Any]) -> None:
    body = {"StartWorkHour": "2026-06-08T09:00:00Z", "EndWorkHour": "2026-06-08T10:00:00Z",
            "TechnicianContactID": 9002, **changes}  # fmt: skip
    assert atera.call("POST", f"/tickets/{number}/workhours", body).status_code == 400
    assert atera.get(f"/tickets/{number}/workhoursrecords")["items"] == []


def test_files_are_addresses_that_this_sandbox_serves(atera: Atera) -> None:
    found: list[str] = []
    for ticket in range(1, 201):
        found += atera.get(f"/tickets/{ticket}/attachments")
    assert found
    for url in found:
        assert url.startswith(f"{atera.running.url}/atera/files/")
        answer = httpx.get(url, trust_env=False)
        assert answer.status_code == 200
        assert answer.content
        assert answer.headers["content-disposition"].startswith("attachment")
    assert httpx.get(f"{atera.running.url}/atera/files/none/x.png", trust_env=False).status_code == 404


def test_pictures_in_comments_are_served_too(atera: Atera) -> None:
    markup = [item["CommentHtml"] for ticket in range(1, 201) for item in said(atera, ticket)]
    sources = [text.partition('<img src="')[2].partition('"')[0] for text in markup if 'alt="' in text]
    assert sources
    for url in sources:
        assert httpx.get(url, trust_env=False).headers["content-type"].startswith("image/")


def test_odd_data_is_there(atera: Atera) -> None:
    tickets = [item for page in range(1, 6) for item in atera.get("/tickets", page=page, itemsInPage=50)["items"]]
    assert any(item["EndUserID"] and item["EndUserFirstName"] is None for item in tickets)
    assert any(item["TechnicianContactID"] is None for item in tickets)
    markup = [item["CommentHtml"] for ticket in range(1, 201) for item in said(atera, ticket)]
    assert any("<ul><li>" in text for text in markup)
