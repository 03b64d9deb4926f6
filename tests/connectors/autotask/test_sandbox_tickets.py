"""Tickets: envelopes, the vendor's texts, and what the server adds to a write."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from connectors.autotask.sandbox.tickets import BOTH, PAIR
from tests.connectors.autotask.calling import (
    AGENT,
    OTHER_AGENT,
    ROLE,
    changed,
    client_of,
    company_of,
    found,
    instant,
    new_ticket,
    one,
    problems,
    where,
)
from tests.connectors.sandbox.running import Running, running_sandbox

HOUR = 3_600


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Running]:
    with running_sandbox(tickets=40, psas=("autotask",)) as running:
        yield running


@pytest.fixture(scope="module")
def api(sandbox: Running) -> Iterator[httpx.Client]:
    with client_of(sandbox) as client:
        yield client


def test_a_ticket_is_numbered_dated_and_told_in_its_history(sandbox: Running, api: httpx.Client) -> None:
    numbers = [new_ticket(api, externalID=f"ours-{place}") for place in range(2)]
    first, second = (one(api, "Tickets", number) for number in numbers)
    day, _, count = first["ticketNumber"].partition(".")
    assert day == "T" + first["createDate"][:10].replace("-", "")
    assert second["ticketNumber"] == f"{day}.{int(count) + 1:04}"
    assert first["createDate"] == first["lastActivityDate"]
    assert instant(first["createDate"]) <= instant(second["createDate"])
    assert first["createDate"].endswith("Z")
    assert (first["creatorResourceID"], first["completedDate"], first["status"]) == (29744100, None, 1)
    history = found(api, "TicketHistory", where("ticketID", "eq", numbers[0]))
    assert [row["action"] for row in history] == ["Ticket Created"]
    many = api.post("TicketHistory/query", json={"filter": [where("date", "gt", "2020-01-01")]})
    assert "ticketID eq only" in problems(many)[0]
    assert [row["id"] for row in found(api, "Tickets", where("externalID", "eq", "OURS-1"))] == numbers[1:]


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ({"priority": 33}, ["Picklist value [33] does not exist for priority"]),
        ({"queueID": None}, ["queueID is required"]),
        ({"title": ""}, ["title is required"]),
        ({"assignedResourceID": AGENT}, [BOTH]),
        ({"assignedResourceRoleID": ROLE}, [BOTH]),
        ({"assignedResourceID": AGENT, "assignedResourceRoleID": ROLE + 3}, [PAIR]),
        ({"companyID": 4711}, ["Value does not exist for the required field companyID"]),
        ({"subIssueType": 12, "issueType": 6}, ["Picklist value [12] does not exist for subIssueType"]),
        ({"priority": True}, ["Unexpected character encountered while parsing value: t. Path 'priority', line 1."]),
        ({"title": "x" * 256}, ["The field title exceeds the maximum length of 255 characters."]),
        ({"status": 6, "priority": 9},
         ["Picklist value [9] does not exist for priority", "Picklist value [6] does not exist for status"]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_500_with_the_vendors_texts(
    api: httpx.Client, values: dict[str, Any], texts: list[str]
) -> None:
    body = {"companyID": company_of(api), "title": "x", "queueID": 8, "priority": 3, "status": 1, **values}
    before = api.post("Tickets/query/count", json={"filter": [where("id", "gt", 0)]}).json()
    assert problems(api.post("Tickets", json=body)) == texts
    assert api.post("Tickets/query/count", json={"filter": [where("id", "gt", 0)]}).json() == before


def test_a_place_or_contact_of_another_company_is_refused(api: httpx.Client) -> None:
    company = company_of(api)
    location = found(api, "CompanyLocations", where("companyID", "noteq", company))[0]["id"]
    text = problems(api.post("Tickets", json={
        "companyID": company, "title": "x", "queueID": 8, "priority": 3, "status": 1, "companyLocationID": location,
    }))  # fmt: skip
    assert text == [
        f"The companyLocationID[{location}] cannot be associated with the Ticket. "
        "The Ticket and CompanyLocation must have the same companyID."
    ]
    contact = found(api, "Contacts", where("companyID", "noteq", company))[0]["id"]
    number = new_ticket(api)
    assert (
        "must have the same companyID" in problems(api.patch("Tickets", json={"id": number, "contactID": contact}))[0]
    )
    changed(api, "Tickets", id=number, title="an unrelated stale reference is no matter")


def test_a_sparse_update_keeps_the_rest_and_a_put_does_not(api: httpx.Client) -> None:
    number = new_ticket(api, description="five users", purchaseOrderNumber="PO 7")
    before = one(api, "Tickets", number)
    changed(
        api, "Tickets", id=number, ASSIGNEDRESOURCEID=AGENT, assignedResourceRoleID=ROLE, ticketNumber="mine", colour=1
    )
    after = one(api, "Tickets", number)
    assert (after["assignedResourceID"], after["assignedResourceRoleID"]) == (AGENT, ROLE)
    assert (after["description"], after["ticketNumber"]) == ("five users", before["ticketNumber"])
    assert instant(after["lastActivityDate"]) > instant(before["lastActivityDate"])
    changed(api, "Tickets", id=number, description=None)
    assert one(api, "Tickets", number)["description"] is None
    body = {
        name: after[name] for name in ("id", "companyID", "title", "queueID", "priority", "status", "ticketCategory")
    }
    assert api.put("Tickets", json=body).json() == {"itemId": number}
    whole = one(api, "Tickets", number)
    assert (whole["purchaseOrderNumber"], whole["assignedResourceID"], whole["title"]) == (None, None, after["title"])
    assert problems(api.patch("Tickets", json={"title": "whose?"})) == ["id is required"]
    assert api.patch("Tickets", json={"id": 4711, "title": "x"}).status_code == 404
    for answer in (api.delete(f"Tickets/{number}"), api.get("Tickets")):
        assert answer.status_code == 405


def test_completing_and_reopening(sandbox: Running, api: httpx.Client) -> None:
    number = new_ticket(api, assignedResourceID=OTHER_AGENT, assignedResourceRoleID=ROLE)
    changed(api, "Tickets", id=number, status=5, resolution="Rebuilt the profile")
    done = one(api, "Tickets", number)
    assert done["completedDate"] == done["resolvedDateTime"] == done["firstResponseDateTime"] is not None
    assert done["completedByResourceID"] == 29744100
    (result,) = found(api, "ServiceLevelAgreementResults", where("ticketID", "eq", number))
    assert (result["isFirstResponseMet"], result["isResolutionMet"], result["isResolutionPlanMet"]) == (
        True,
        True,
        None,
    )
    changed(api, "Tickets", id=number, status=8)
    again = one(api, "Tickets", number)
    assert (again["completedDate"], again["resolvedDateTime"]) == (None, None)
    details = [row["detail"] for row in found(api, "TicketHistory", where("ticketID", "eq", number))]
    assert "status: New to Complete" in details
    assert "status: Complete to In Progress" in details


def test_due_dates_follow_priority_and_wait(sandbox: Running, api: httpx.Client) -> None:
    from connectors.autotask.sandbox.wire import date_in

    number = new_ticket(api, priority=1)
    row = one(api, "Tickets", number)
    created = date_in(row["createDate"])
    assert date_in(row["firstResponseDueDateTime"]) - created == HOUR * 1000
    assert date_in(row["resolvedDueDateTime"]) - created == 4 * HOUR * 1000
    assert row["dueDateTime"] == row["resolvedDueDateTime"]
    changed(api, "Tickets", id=number, priority=4)
    row = one(api, "Tickets", number)
    assert date_in(row["dueDateTime"]) - created == HOUR * 1000
    changed(api, "Tickets", id=number, status=7)
    left = one(api, "Tickets", number)["serviceLevelAgreementPausedNextEventHours"]
    assert 0.9 < left <= 1
    try:
        sandbox.control("POST", "clock", {"offset_seconds": 2 * HOUR})
        changed(api, "Tickets", id=number, status=8)
        waited = one(api, "Tickets", number)
        late = (date_in(waited["dueDateTime"]) - created) / 1000 - 3 * HOUR
        assert 0 <= late < 120
        assert waited["serviceLevelAgreementPausedNextEventHours"] is None
    finally:
        sandbox.control("POST", "clock", {"offset_seconds": 0})
    own = new_ticket(api, dueDateTime="2031-01-01T10:00:00.5Z")
    changed(api, "Tickets", id=own, priority=2)
    assert one(api, "Tickets", own)["dueDateTime"] == "2031-01-01T10:00:00.5Z"


def test_what_was_deleted_is_in_the_log(sandbox: Running, api: httpx.Client) -> None:
    number = new_ticket(api, title="Gone soon")
    name = one(api, "Tickets", number)["ticketNumber"]
    sandbox.control("DELETE", f"autotask/tickets/{number}")
    assert api.get(f"Tickets/{number}").status_code == 404
    (row,) = found(api, "DeletedTicketLogs", where("deletedDateTime", "gt", "2020-01-01T00:00:00Z"))
    assert (row["ticketID"], row["ticketNumber"], row["ticketTitle"]) == (number, name, "Gone soon")


def test_impersonation_is_for_writes_by_people(sandbox: Running, api: httpx.Client) -> None:
    with client_of(sandbox, ImpersonationResourceId=str(AGENT)) as person:
        number = new_ticket_as(person, company_of(api))
        row = one(api, "Tickets", number)
        assert (row["creatorResourceID"], row["impersonatorCreatorResourceID"]) == (AGENT, 29744100)
        lost = person.post("Tickets/query", json={"filter": [where("id", "eq", 1)]})
        assert problems(lost)[0].endswith("adequate permissions to query this entity type.")
        assert problems(person.get(f"Tickets/{number}"))[0].endswith("query this entity type.")
    for resource in ("29744100", "1", "me"):
        with client_of(sandbox, ImpersonationResourceId=resource) as nobody:
            answer = nobody.post("Tickets", json={"companyID": company_of(api)})
            text = "The logged in Resource does not have the adequate permissions to create this entity type."
            assert problems(answer) == [text]


def new_ticket_as(person: httpx.Client, company: int) -> int:
    body = {"companyID": company, "title": "By a person", "queueID": 8, "priority": 3, "status": 1}
    answer = person.post("Tickets", json=body)
    assert answer.status_code == 200, answer.text
    number: int = answer.json()["itemId"]
    return number


def test_faults_strike_this_psa_too(sandbox: Running, api: httpx.Client) -> None:
    number = new_ticket(api, title="Before")
    sandbox.control("POST", "faults", {"psa": "autotask", "method": "PATCH", "mode": "not_applied", "times": 1})
    changed(api, "Tickets", id=number, title="After")
    assert one(api, "Tickets", number)["title"] == "Before"
    sandbox.control(
        "POST", "faults", {"psa": "autotask", "method": "POST", "path": "Tickets$", "mode": "reset_after", "times": 1}
    )
    with pytest.raises(httpx.TransportError):
        new_ticket(api, externalID="only-once")
    assert len(found(api, "Tickets", where("externalID", "eq", "only-once"))) == 1
    log = [row for row in sandbox.requests("autotask") if row["path"].endswith("/Tickets")]
    assert [row["applied"] for row in log[-2:]] == [False, True]
