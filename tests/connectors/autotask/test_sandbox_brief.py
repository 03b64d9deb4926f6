"""Profile brief: the ids and rules of the short description; what comes in may have either shape."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.connectors.autotask.calling import (
    changed,
    client_of,
    company_of,
    found,
    made,
    new_ticket,
    one,
    problems,
    where,
)
from tests.connectors.sandbox.running import Running, running_sandbox


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Running]:
    with running_sandbox(tickets=60, psas=("autotask",), profile="brief") as running:
        yield running


@pytest.fixture(scope="module")
def api(sandbox: Running) -> Iterator[httpx.Client]:
    with client_of(sandbox) as client:
        yield client


def labels(api: httpx.Client, entity: str, field: str) -> dict[str, str]:
    rows = api.get(f"{entity}/entityInformation/fields").json()["fields"]
    values = next(row for row in rows if row["name"] == field)["picklistValues"]
    return {row["value"]: row["label"] for row in values}


def test_the_ids_of_the_description(api: httpx.Client) -> None:
    assert labels(api, "Tickets", "status") == {
        "1": "NEW", "2": "IN_PROGRESS", "5": "COMPLETE", "6": "WAITING_CUSTOMER", "13": "WAITING_MATERIALS",
        "14": "ESCALATED",
    }  # fmt: skip
    assert labels(api, "Tickets", "priority") == {"4": "CRITICAL", "3": "HIGH", "2": "MEDIUM", "1": "LOW"}
    assert labels(api, "TicketNotes", "publish") == {"0": "No", "1": "Yes"}
    assert labels(api, "TicketNotes", "noteType") == {"1": "Internal", "2": "External"}
    statuses = {row["status"] for row in found(api, "Tickets")}
    assert {1, 2, 5, 6} <= statuses <= {1, 2, 5, 6, 13, 14}
    queues = {row["name"] for row in api.get("Queues").json()["items"]}
    assert queues == set(labels(api, "Tickets", "queueID").values())


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"companyID": None}, "CompanyID required"),
        ({"queueID": None}, "QueueID required"),
        ({"queueID": 4711}, "QueueID invalid: Picklist value [4711] does not exist for queueID"),
        ({"status": 5}, "Resolution required: a resolution is required to complete a ticket"),
        ({"status": 14}, "Escalation reason required"),
    ],
)
def test_rules_are_400(api: httpx.Client, values: dict[str, Any], text: str) -> None:
    body = {"companyID": company_of(api), "title": "x", "queueID": 8, "priority": 3, "status": 1, **values}
    assert problems(api.post("Tickets", json=body), 400) == [text]


def test_a_status_may_need_words(api: httpx.Client) -> None:
    ticket = new_ticket(api)
    assert problems(api.patch("Tickets", json={"id": ticket, "status": 5}), 400)
    assert one(api, "Tickets", ticket)["status"] == 1
    changed(api, "Tickets", id=ticket, status=14, escalationReason="SLA violated by 3 hours")
    assert one(api, "Tickets", ticket)["escalationReason"] == "SLA violated by 3 hours"
    changed(api, "Tickets", id=ticket, status=5, resolution="Done", resolutionType="Fixed")
    assert one(api, "Tickets", ticket)["resolutionType"] == "Fixed"


def test_due_dates_and_defaults_of_the_description(api: httpx.Client) -> None:
    from connectors.autotask.sandbox.wire import date_in

    body = {"companyID": company_of(api), "title": "x", "queueID": 8}
    hours = {}
    for priority in (None, 4, 3, 2, 1):
        row = one(api, "Tickets", made(api, "Tickets", **body, priority=priority))
        created = date_in(row["createDate"])
        due = (row["firstResponseDueDateTime"], row["dueDateTime"])
        hours[priority] = tuple((date_in(text) - created) // 3_600_000 for text in due)
    assert hours == {None: (4, 24), 4: (1, 4), 3: (2, 8), 2: (4, 24), 1: (8, 72)}


def test_what_only_the_description_knows(api: httpx.Client) -> None:
    ticket = new_ticket(api)
    number = made(api, "TicketNotes", ticketID=ticket, title="t", description="d", noteType=2, publish=1)
    assert one(api, "TicketNotes", number)["ticketID"] == ticket
    assert made(api, f"Tickets/{ticket}/Notes", title="t", description="d", noteType=1, publish=0) == number + 1
    rows = found(api, "Tickets", where("id", "between", [ticket - 2, ticket]),
                 IncludeFields=["id", "Company.companyName"])  # fmt: skip
    name = one(api, "Companies", one(api, "Tickets", ticket)["companyID"])["companyName"]
    assert rows[-1] == {"id": ticket, "Company.companyName": name, "userDefinedFields": []}
    bad = {"filter": [where("id", "gt", 0)], "IncludeFields": ["id", "Company.colour"]}
    assert problems(api.post("Tickets/query", json=bad)) == ["Unable to find Company.colour in the Ticket Entity"]
