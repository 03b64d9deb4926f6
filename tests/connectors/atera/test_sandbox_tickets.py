"""Tickets of the imitated Atera over real HTTP: who may, lists, creating, changing, the feeds."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.connectors.atera.running import KEY, Atera, running_atera

NOW = datetime(2026, 6, 10, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def atera() -> Iterator[Atera]:
    with running_atera(tickets=120, now=NOW) as running:
        running.running.control("POST", "rate_limit", {"psa": "atera", "requests": None})
        yield running


def create(atera: Atera, **values: Any) -> int:
    body = {"TicketTitle": "Printer", "Description": "It smokes", "EndUserID": 6001, **values}
    return int(atera.post("/tickets", body, 201)["ActionID"])


@pytest.mark.parametrize("headers", [KEY, {"Authorization": "Bearer demo-secret"}])
def test_both_headers_are_taken(atera: Atera, headers: dict[str, str]) -> None:
    assert atera.call("GET", "/account", headers=headers).json()["TimeZoneName"] == "W. Europe Standard Time"


@pytest.mark.parametrize(
    "headers", [{}, {"X-API-KEY": "wrong"}, {"X-API-KEY": "demo-expired"}, {"Authorization": "Bearer demo-expired"}]
)
def test_other_keys_are_refused_without_a_word(atera: Atera, headers: dict[str, str]) -> None:
    answer = atera.call("GET", "/tickets", headers=headers)
    assert (answer.status_code, answer.content) == (401, b"")
    assert "www-authenticate" not in answer.headers


def test_a_read_only_key_reads_and_does_not_write(atera: Atera) -> None:
    headers = {"X-API-KEY": "demo-read-only"}
    assert atera.call("GET", "/tickets", headers=headers).status_code == 200
    assert atera.call("POST", "/tickets/billableduration", [1, 2], headers=headers).status_code == 200
    answer = atera.call("POST", "/tickets/1", {"TicketTitle": "x"}, headers=headers)
    assert (answer.status_code, answer.content) == (403, b"")
    assert atera.ticket(1)["TicketTitle"] != "x"


@pytest.mark.parametrize(("asked", "given"), [(None, 20), (50, 50), (51, 50), (500, 50), (0, 1), (-3, 1)])
def test_page_sizes_are_clamped(atera: Atera, asked: int | None, given: int) -> None:
    found = atera.get("/tickets", **({} if asked is None else {"itemsInPage": asked}))
    assert (found["itemsInPage"], len(found["items"])) == (given, given)
    assert found["totalPages"] == -(-found["totalItemCount"] // given)


def test_pages_hold_every_ticket_once_newest_first(atera: Atera) -> None:
    numbers: list[int] = []
    url = "/tickets?itemsInPage=50"
    while url:
        found = atera.get(url)
        numbers += [item["TicketID"] for item in found["items"]]
        url = found["nextLink"].removeprefix(atera.api)
    assert numbers == sorted(numbers, reverse=True)
    assert len(numbers) == len(set(numbers)) == found["totalItemCount"] > 100
    beyond = atera.get("/tickets", page=99)
    assert (beyond["items"], beyond["nextLink"], beyond["page"]) == ([], "", 99)


def test_links_keep_the_filters_and_the_asked_host(atera: Atera) -> None:
    headers = {**KEY, "Host": "psa.example:81"}
    found = atera.call("GET", "/tickets?TICKETSTATUS=closed&PAGE=2&ItemsInPage=10", headers=headers).json()
    assert found["page"] == 2
    assert {item["TicketStatus"] for item in found["items"]} == {"Closed"}
    start = "http://psa.example:81/atera/api/v3/tickets?ticketStatus=closed&page="
    assert found["prevLink"] == f"{start}1&itemsInPage=10"
    assert found["nextLink"] == f"{start}3&itemsInPage=10"


def test_filters_by_customer(atera: Atera) -> None:
    customer = atera.get("/tickets/1")["CustomerID"]
    found = atera.get("/tickets", customerId=customer)
    assert {item["CustomerID"] for item in found["items"]} == {customer}
    both = atera.get("/tickets", customerId=customer, ticketStatus="Open")
    assert both["totalItemCount"] <= found["totalItemCount"]
    assert atera.call("GET", "/tickets?customerId=abc").status_code == 400


def test_create_by_contact_derives_the_customer(atera: Atera) -> None:
    contact = atera.get("/contacts/6001")
    body = {"tickettitle": " Printer ", "DESCRIPTION": "It smokes", "endUserId": 6001, "CustomerID": 1, "Nonsense": [1]}
    answer = atera.post("/tickets", body, 201)
    assert list(answer) == ["ActionID"]
    assert isinstance(answer["ActionID"], str)
    ticket = atera.get(f"/tickets/{answer['ActionID']}")
    assert (ticket["TicketTitle"], ticket["FirstComment"]) == ("Printer", "It smokes")
    assert ticket["CustomerID"] == contact["CustomerID"] != 1
    assert (ticket["EndUserFirstName"], ticket["EndUserLastName"]) == (contact["Firstname"], contact["Lastname"])
    defaults = [ticket[name] for name in ("TicketPriority", "TicketImpact", "TicketStatus", "TicketType")]
    assert defaults == ["Low", "Minor", "Open", "Problem"]
    assert ticket["TicketNumber"] != str(ticket["TicketID"])
    assert ticket["FirstResponseDueDate"]
    assert ticket["ClosedTicketDueDate"]
    said = atera.get(f"/tickets/{answer['ActionID']}/comments")["items"]
    assert [(item["Comment"], item["EndUserID"]) for item in said] == [("It smokes", 6001)]


def test_create_by_address_reuses_or_makes_the_contact(atera: Atera) -> None:
    known = atera.get("/contacts/6001")
    person = {"EndUserID": None, "EndUserFirstName": "Nia", "EndUserLastName": "Okoro"}
    again = create(atera, **person, EndUserEmail=known["Email"].upper())
    assert atera.get(f"/tickets/{again}")["EndUserID"] == 6001
    domain = atera.get(f"/customers/{known['CustomerID']}")["Domain"]
    made = atera.get(f"/tickets/{create(atera, **person, EndUserEmail=f'nia@{domain}')}")
    assert made["EndUserID"] > 6001
    assert made["CustomerID"] == known["CustomerID"]
    stranger = atera.get(f"/tickets/{create(atera, **person, EndUserEmail='nia@nowhere.example')}")
    assert (stranger["CustomerName"], stranger["ContractID"]) == ("Unassigned", None)
    assert (stranger["FirstResponseDueDate"], stranger["ClosedTicketDueDate"]) == (None, None)


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"TicketTitle": " "}, "Title required"),
        ({"Description": None}, "Description required"),
        ({"EndUserID": 99_999}, "Customer not found"),
        ({"EndUserID": None}, "Customer not found"),
        ({"EndUserID": None, "CustomerID": 301}, "Customer not found"),
        ({"TicketPriority": "Urgent"}, "Invalid priority"),
        ({"TicketStatus": "Gone fishing"}, "Invalid status"),
        ({"TechnicianContactID": -1}, "AI Autopilot is not enabled"),
        ({"TechnicianContactID": 1}, "Technician not found"),
    ],
)
def test_what_is_wrong_is_told(atera: Atera, changes: dict[str, Any], detail: str) -> None:
    body = {"TicketTitle": "Printer", "Description": "It smokes", "EndUserID": 6001, **changes}
    before = atera.get("/tickets")["totalItemCount"]
    answer = atera.call("POST", "/tickets", body)
    assert answer.status_code == 400
    told = answer.json()
    assert (told["detail"], told["status"], told["title"]) == (detail, 400, "Bad Request")
    assert told["instance"] == "/api/v3/tickets"
    assert atera.get("/tickets")["totalItemCount"] == before


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_only_seven_fields_change(atera: Atera, method: str) -> None:
    number = create(atera)
    before = atera.get(f"/tickets/{number}")
    body = {
        "TicketTitle": "Scanner", "TicketStatus": "pending", "TicketType": "Change", "TicketPriority": 3,
        "TicketImpact": "crisis", "TechnicianEmail": "priya.nair@nowhere", "TechnicianContactID": 9002,
        "Description": "other", "EndUserID": 6002, "CustomerID": 302, "ContractID": 1, "ClosedTicketDueDate": None,
    }  # fmt: skip
    assert atera.call(method, f"/tickets/{number}", body).json() == {"ActionID": str(number)}
    after = atera.get(f"/tickets/{number}")
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"TicketTitle", "TicketStatus", "TicketType", "TicketPriority", "TicketImpact",
                       "TechnicianContactID", "TechnicianFullName", "TechnicianEmail", "FirstResponseDueDate",
                       "ClosedTicketDueDate"}  # fmt: skip
    assert (after["TicketStatus"], after["TicketPriority"], after["TicketImpact"]) == ("Pending", "Critical", "Crisis")


def test_assigning_by_address(atera: Atera) -> None:
    number = create(atera, TechnicianEmail="TECHNICIAN@demo.test")
    assert atera.get(f"/tickets/{number}")["TechnicianFullName"] == "Priya Nair"


def test_transitions(atera: Atera) -> None:
    number = create(atera)
    refused = atera.call("POST", f"/tickets/{number}", {"TicketStatus": "Closed", "TicketTitle": "lost"})
    assert (refused.status_code, refused.json()["detail"]) == (400, "Ticket must be resolved before it is closed")
    assert atera.get(f"/tickets/{number}")["TicketTitle"] == "Printer"
    resolved = None
    for status, is_done in (("Resolved", True), ("Open", False), ("Pending", False), ("Closed", True)):
        atera.post(f"/tickets/{number}", {"TicketStatus": status})
        resolved = atera.get(f"/tickets/{number}")["TicketResolvedDate"]
        assert (resolved is not None) is is_done
    for status in ("Open", "Pending", "Resolved"):
        assert atera.call("POST", f"/tickets/{number}", {"TicketStatus": status}).status_code == 400
    atera.post(f"/tickets/{number}", {"TicketTitle": "still editable"})
    assert atera.get(f"/tickets/{number}")["TicketResolvedDate"] == resolved


def test_strict_transitions_can_be_switched_off(atera: Atera) -> None:
    number = create(atera)
    atera.control("POST", "settings", {"strict_transitions": False})
    try:
        atera.post(f"/tickets/{number}", {"TicketStatus": "Closed"})
        atera.post(f"/tickets/{number}", {"TicketStatus": "Open"})
    finally:
        atera.control("POST", "settings", {"strict_transitions": True})
    assert atera.call("POST", f"/tickets/{number}", {"TicketStatus": "Closed"}).status_code == 400


def test_the_tenants_own_statuses(atera: Atera) -> None:
    found = {item["TicketStatus"] for page in (1, 2, 3) for item in
             atera.get("/tickets", page=page, itemsInPage=50)["items"]}  # fmt: skip
    assert {"Open", "Pending", "Closed", "On hold", "Waiting third party"} <= found
    number = create(atera, TicketStatus="waiting CUSTOMER")
    assert atera.get(f"/tickets/{number}")["TicketStatus"] == "Waiting customer"


@pytest.mark.parametrize(("path", "status"), [("abc", 400), ("0", 400), ("-5", 400), ("999999", 404)])
def test_bad_ids(atera: Atera, path: str, status: int) -> None:
    answer = atera.call("GET", f"/tickets/{path}")
    assert answer.status_code == status
    assert answer.json()["detail"] == ("Invalid ticket ID" if status == 400 else "Ticket not found")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/tickets?page=99999999999", None),
        ("/tickets?itemsInPage=x", None),
        ("/tickets/lastmodified?includeComments=perhaps", None),
        ("/tickets/99999999999999999999", None),
        ("/tickets", [1]),
        ("/tickets", {"TicketTitle": 5, "Description": "x", "EndUserID": 6001}),
        ("/tickets", {"TicketTitle": "x", "Description": "x", "EndUserID": 2**64}),
        ("/tickets", {"TicketTitle": "x", "Description": "x", "EndUserID": True}),
        ("/tickets/1/comments", {"CommentText": "x", "TechnicianCommentDetails": "me"}),
    ],
)
def test_nonsense_is_refused_and_breaks_nothing(atera: Atera, path: str, body: Any) -> None:
    answer = atera.call("GET" if body is None else "POST", path, body)
    assert answer.status_code == 400
    assert answer.json()["title"] == "Bad Request"


def test_texts_come_back_as_they_were(atera: Atera) -> None:
    title = 'Büro 🖨️ <b>x</b> \\ "q"'
    body = json.dumps({"TicketTitle": title, "Description": "half \ud83d pair", "EndUserID": 6001})
    answer = atera.running.client.post(atera.api + "/tickets", content=body, headers=KEY)
    number = answer.json()["ActionID"]
    found = atera.get(f"/tickets/{number}")
    assert (found["TicketTitle"], found["FirstComment"]) == (title, "half \ufffd pair")


def test_there_are_no_technicians_and_no_statuses(atera: Atera) -> None:
    for path in ("/technicians", "/statuses", "/teams", "/slas"):
        assert atera.call("GET", path).status_code == 404


def test_deleted_tickets_are_in_no_answer(atera: Atera) -> None:
    number = create(atera)
    assert atera.call("DELETE", f"/tickets/{number}").status_code == 204
    for path in (f"/tickets/{number}", f"/tickets/{number}/comments"):
        assert atera.call("GET", path).status_code == 404
    for path in ("/tickets", "/tickets/lastmodified", "/tickets/noComments"):
        assert number not in [item["TicketID"] for item in atera.get(path, itemsInPage=50)["items"]]


def test_what_was_modified_since(atera: Atera) -> None:
    first, second = create(atera), create(atera)
    time.sleep(0.005)  # a change within the millisecond of the second ticket would be listed by number
    atera.post(f"/tickets/{first}", {"TicketTitle": "later"})
    stamp = datetime.fromisoformat(atera.get(f"/tickets/{second}")["TicketCreatedDate"])
    found = atera.get("/tickets/lastmodified", date=stamp.isoformat().replace("+00:00", "Z"))["items"]
    assert [item["TicketID"] for item in found] == [second, first]
    assert all(item[name] is None for item in found for name in ("FirstComment", "LastTechnicianCommentTimestamp"))
    with_comments = atera.get("/tickets/lastmodified", date=stamp.isoformat(), includeComments="True")["items"]
    assert [item["FirstComment"] for item in with_comments] == ["It smokes"] * 2
    assert atera.get("/tickets/lastmodified", date="2030-01-01")["items"] == []
    unquoted = f"/tickets/lastmodified?date={stamp.isoformat()}"
    assert [item["TicketID"] for item in atera.get(unquoted)["items"]] == [second, first]
    assert atera.call("GET", "/tickets/lastmodified?date=soon").status_code == 400
    today = atera.get("/tickets/lastmodified", itemsInPage=50)
    assert 0 < today["totalItemCount"] < atera.get("/tickets")["totalItemCount"]


def test_resolved_and_closed_ones(atera: Atera) -> None:
    found = atera.get("/tickets/statusmodified", itemsInPage=50, modifiedAfter="2099-01-01")
    assert found["items"]
    assert {item["TicketStatus"] for item in found["items"]} <= {"Resolved", "Closed"}
    assert all(item["FirstComment"] for item in found["items"])
    bare = atera.get("/tickets/statusmodified", includeComments="false")["items"]
    assert all(item["FirstComment"] is None for item in bare)


def test_lists_without_comments(atera: Atera) -> None:
    full, bare = (atera.get(path)["items"][0] for path in ("/tickets", "/tickets/noComments"))
    assert full["TicketID"] == bare["TicketID"]
    assert full["FirstComment"]
    assert bare["FirstComment"] is None
    assert bare["LastEndUserComment"] is None


def test_relations_show_on_request(atera: Atera) -> None:
    parent, child = create(atera), create(atera)
    atera.post(f"/tickets/{child}/relations", {"RelatedTicketId": parent, "RelationType": "Parent"}, 201)
    assert atera.get(f"/tickets/{child}")["RelationType"] == "None"
    shown = atera.get(f"/tickets/{parent}", includeRelations="true")
    assert (shown["RelationType"], shown["RelatedTicketId"]) == ("Child", child)
    assert atera.call("DELETE", f"/tickets/{child}/relations/parent").status_code == 204
    assert atera.get(f"/tickets/{parent}", includeRelations="true")["RelatedTicketId"] is None


def test_system_dates_have_seven_fraction_digits(atera: Atera) -> None:
    text = atera.get("/tickets/1")["TicketCreatedDate"]
    assert len(text.rpartition(".")[2]) == len("6372852Z")
    assert abs((datetime.fromisoformat(text) - NOW).days) <= 91


def test_compressed_when_asked(atera: Atera) -> None:
    plain = atera.call("GET", "/tickets", headers={**KEY, "Accept-Encoding": "identity"})
    small = atera.call("GET", "/tickets", headers={**KEY, "Accept-Encoding": "br;q=1, gzip;q=0.8"})
    assert "content-encoding" not in plain.headers
    assert small.headers["content-encoding"] == "gzip"
    assert int(small.headers["content-length"]) < int(plain.headers["content-length"]) / 2
    assert small.json() == plain.json()
    assert plain.headers["content-type"] == "application/json; charset=utf-8"
