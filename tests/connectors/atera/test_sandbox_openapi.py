"""Answers of profile vendor against the vendor's own OpenAPI schemas, with the known differences named."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openapi_schema_validator import OAS30Validator

from tests.connectors.atera.running import Atera, running_atera

DOCUMENT = json.loads((Path(__file__).parent / "openapi.json").read_text())
LIMIT = {"psa": "atera", "requests": None}

UNNAMED: dict[str, set[str]] = {"ProblemDetails": {"errors"}}
"""Properties beyond the document: ASP.NET tells validation errors so, and the schema leaves room for more."""


def problems(schema: dict[str, Any], value: Any) -> list[str]:
    found = OAS30Validator({**schema, "components": DOCUMENT["components"]}).iter_errors(value)
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message}"[:300] for error in found]


def schema_of(method: str, route: str, status: int) -> dict[str, Any]:
    """What the document says about an answer."""
    answers = DOCUMENT["paths"][f"/api/v3{route}"][method.lower()]["responses"]
    schema: dict[str, Any] = answers[str(status)]["content"]["application/json"]["schema"]
    return schema


@pytest.fixture(scope="module")
def atera() -> Iterator[Atera]:
    with running_atera(tickets=150) as running:
        running.running.control("POST", "rate_limit", LIMIT)
        yield running


READS = [
    ("/account", "/account"),
    ("/tickets?itemsInPage=50", "/tickets"),
    ("/tickets?itemsInPage=50&page=2&includeRelations=true", "/tickets"),
    ("/tickets/noComments?itemsInPage=50", "/tickets/noComments"),
    ("/tickets/lastmodified?itemsInPage=50&date=2020-01-01&includeComments=true", "/tickets/lastmodified"),
    ("/tickets/statusmodified?itemsInPage=50", "/tickets/statusmodified"),
    ("/tickets/7?includeRelations=true", "/tickets/{ticketId}"),
    ("/tickets/7/comments", "/tickets/{ticketId}/comments"),
    ("/tickets/7/attachments", "/tickets/{ticketId}/attachments"),
    ("/tickets/7/workhours", "/tickets/{ticketId}/workhours"),
    ("/tickets/7/workhoursrecords", "/tickets/{ticketId}/workhoursrecords"),
    ("/tickets/7/billableduration", "/tickets/{ticketId}/billableduration"),
    ("/tickets/7/nonbillableduration", "/tickets/{ticketId}/nonbillableduration"),
    ("/workhours?includeRates=true", "/workhours"),
    ("/customers?itemsInPage=50", "/customers"),
    ("/customers/301", "/customers/{customerId}"),
    ("/contacts?itemsInPage=50&page=2", "/contacts"),
    ("/contacts/6001", "/contacts/{contactId}"),
    ("/contracts?itemsInPage=50", "/contracts"),
    ("/contracts/71", "/contracts/{contractId}"),
    ("/contracts/customer/301", "/contracts/customer/{customerId}"),
    ("/alerts", "/alerts"),
    ("/alerts/1", "/alerts/{alertId}"),
    ("/agents", "/agents"),
    ("/agents/40000", "/agents/{agentId}"),
    ("/agents/customer/301", "/agents/customer/{customerId}"),
    ("/departments", "/departments"),
    ("/departments/1", "/departments/{departmentId}"),
    ("/rates/products", "/rates/products"),
    ("/rates/products/2", "/rates/products/{productId}"),
    ("/rates/expenses", "/rates/expenses"),
    ("/knowledgebases", "/knowledgebases"),
    ("/customvalues/customfields", "/customvalues/customfields"),
    ("/customvalues/ticketfields/7", "/customvalues/ticketfields/{ticketId}"),
    ("/customvalues/customerfields/301", "/customvalues/customerfields/{customerId}"),
]


@pytest.mark.parametrize(("path", "route"), READS)
def test_what_is_read_is_valid(atera: Atera, path: str, route: str) -> None:
    answer = atera.get(path)
    assert problems(schema_of("GET", route, 200), answer) == []
    if isinstance(answer, dict) and "items" in answer:
        assert answer["items"], "an empty page proves nothing"


def test_every_kind_of_ticket_is_valid(atera: Atera) -> None:
    """What the generator writes and what came through the API, with everything set."""
    made = {"TicketTitle": "All", "Description": "<p>of it</p>", "EndUserID": 6001, "TechnicianContactID": 9002}
    number = int(atera.post("/tickets", made, 201)["ActionID"])
    hours = {"StartWorkHour": "2026-01-05T09:00:00Z", "EndWorkHour": "2026-01-05T10:30:00Z", "Billiable": True,
             "TechnicianContactID": 9002, "RateID": 3}  # fmt: skip
    assert problems(schema_of("POST", "/tickets/{ticketId}/workhours", 201),
                    atera.post(f"/tickets/{number}/workhours", hours, 201)) == []  # fmt: skip
    schema = schema_of("GET", "/tickets/{ticketId}/workhoursrecords", 200)
    assert problems(schema, atera.get(f"/tickets/{number}/workhoursrecords")) == []
    field = f"/customvalues/ticketfield/{number}/Estimate in hours"
    route = "/customvalues/ticketfield/{ticketId}/{fieldName}"
    answer = atera.call("PUT", field, {"Value": "2.5"})
    assert problems(schema_of("PUT", route, 200), answer.json()) == []
    values = atera.get(field)
    assert problems(schema_of("GET", route, 200), values) == []
    assert values[0]["ValueAsDecimal"] == 2.5


WRITES = [
    ("POST", "/tickets", "/tickets", {"TicketTitle": "a", "Description": "b", "EndUserID": 6001}, 201),
    ("PUT", "/tickets/8", "/tickets/{ticketId}", {"TicketTitle": "a"}, 200),
    ("POST", "/tickets/8", "/tickets/{ticketId}", {"TicketTitle": "a"}, 200),
    ("POST", "/tickets/billableduration", "/tickets/billableduration", [7, 8], 200),
    ("POST", "/tickets/billableworkhourssiteduration", "/tickets/billableworkhourssiteduration", [7, 8], 200),
    ("POST", "/customers", "/customers", {"CustomerName": "New"}, 201),
    ("POST", "/contacts", "/contacts", {"Email": "new@new.example", "CustomerID": 301}, 201),
    ("POST", "/contracts", "/contracts",
     {"ContractName": "c", "CustomerID": 301, "ContractType": "Hourly", "SLAId": 1}, 201),
    ("POST", "/departments", "/departments", {"Name": "IT"}, 201),
    ("POST", "/rates/products", "/rates/products", {"Description": "x", "Amount": 3}, 201),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "route", "body", "status"), WRITES)
def test_what_is_written_is_answered_validly(
    atera: Atera, method: str, path: str, route: str, body: Any, status: int
) -> None:
    answer = atera.call(method, path, body)
    assert answer.status_code == status
    assert problems(schema_of(method, route, status), answer.json()) == []


def test_problems_are_valid_and_their_exception_is_needed(atera: Atera) -> None:
    schema = DOCUMENT["components"]["schemas"]["ProblemDetails"]
    for path in ("/tickets/abc", "/tickets/99999", "/contacts/99999", "/tickets?page=x"):
        answer = atera.call("GET", path).json()
        assert problems(schema, answer) == []
        assert set(answer) - set(schema["properties"]) <= UNNAMED["ProblemDetails"]
    assert "errors" in atera.call("GET", "/tickets?page=x").json()
    assert "errors" not in schema["properties"]


def test_the_validator_refuses_what_the_document_does_not_name(atera: Atera) -> None:
    ticket = atera.get("/tickets/7")
    schema = schema_of("GET", "/tickets/{ticketId}", 200)
    assert problems(schema, {**ticket, "Description": "x"}) != []
    assert problems(schema, {**ticket, "TicketPriority": "Urgent"}) != []
    assert problems(schema, {**ticket, "CustomerID": None}) != []
