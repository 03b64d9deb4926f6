"""Answers of profile vendor against the vendor's own OpenAPI schemas, with the known differences named."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from openapi_schema_validator import OAS30Validator

from tests.connectors.sandbox.running import Running, running_sandbox

DOCUMENT = json.loads((Path(__file__).parent / "openapi.json").read_text())

# Properties that real tenants answer although the vendor's document of September 2024 does not name them.
UNNAMED = {
    "Faults_List": {
        "team_id": "only in answers of 2026, name and id stand side by side",
        "datecreated": "recorded in list rows, there always null",
    },
    "Faults": {
        "team_id": "only in answers of 2026",
        "guid": "recorded in rows; the document has it in the list schema only",
        "priority": "recorded: an object of the priority's own fields",
    },
    "Actions": {"who": "recorded in every answer"},
    "RequestType_List": dict.fromkeys(("workflow_id", "statusafteruserupdate", "statusaftertechupdate",
    "statusaftersupplierupdate", "statusafterapproverupdate", "reopenedstatus", "portalcanreopen",
    "closedrequestswithupdates", "closeduserupdatehours", "autoCloseHours", "dontusependingclosure",
    "dontsendslareminders", "acknowledgementtemplate", "initial_status", "visible"),
    "recorded: list rows carry the type's rules, the document keeps them in RequestType"),
}  # fmt: skip


def schema(name: str) -> dict[str, Any]:
    """The schema with its references at hand and the unnamed properties let through."""
    document = copy.deepcopy(DOCUMENT)
    for owner, names in UNNAMED.items():
        for field in names:
            document["components"]["schemas"][owner]["properties"].setdefault(field, {"nullable": True})
    return {**document["components"]["schemas"][name], "components": document["components"]}


def problems(name: str, value: Any) -> list[str]:
    found = OAS30Validator(schema(name)).iter_errors(value)
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message}"[:300] for error in found]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Running]:
    with running_sandbox(tickets=120) as running:
        yield running


@pytest.fixture(scope="module")
def api(sandbox: Running) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{sandbox.halopsa}/api", headers=sandbox.token()) as client:
        yield client


LISTS = [
    ("/Tickets?pageinate=true&page_size=100&includeagent=true&includestatus=true&includeslatimer=true", "tickets",
     "Faults_List"),
    ("/Client", "clients", "Area"),
    ("/Site", "sites", "Site_List"),
    ("/Users", "users", "Users_List"),
    ("/Agent?pageinate=true&includeunassigned=true", "results", "Uname_List"),
    ("/Agent", "", "Uname_List"),
    ("/Team?includeagentsforteams=true", "", "SectionDetail_List"),
    ("/Status?showcounts=true", "", "TStatus"),
    ("/Priority", "", "Policy"),
    ("/SLA?showpriorities=true&showworkdays=true", "", "SlaHead"),
    ("/Workday?showholidays=true", "", "Workdays"),
    ("/Category", "", "CategoryDetail"),
    ("/Outcome?showsystemactions=true&showhidden=true", "", "TOutcome"),
    ("/TicketType", "", "RequestType_List"),
    ("/Lookup", "", "Lookup"),
    ("/FieldInfo", "", "FieldInfo"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "key", "name"), LISTS)
def test_list_rows_are_valid(api: httpx.Client, path: str, key: str, name: str) -> None:
    answer = api.get(path).json()
    rows = answer[key] if key else answer
    assert rows
    for row in rows:
        assert problems(name, row) == []


def test_single_ticket_is_valid(api: httpx.Client) -> None:
    for ticket_id in (1, 60, 120):
        assert problems("Faults", api.get(f"/Tickets/{ticket_id}?includedetails=true").json()) == []


def test_actions_and_attachments_are_valid(api: httpx.Client, sandbox: Running) -> None:
    body = [{"ticket_id": 3, "filename": "a.png", "data_base64": "data:image/png;base64,aGVsbG8="}]
    made = api.post("/Attachment", json=body).json()
    assert problems("Attachment", made) == []
    envelope = api.get("/Attachment?ticket_id=3").json()
    assert problems("Attachment_View", envelope) == []
    note = [
        {"ticket_id": 3, "outcome_id": 7, "note": "x", "attachments": [{"filename": "b.txt", "data_base64": "aGk="}]}
    ]
    assert problems("Actions", api.post("/Actions", json=note).json()) == []
    for row in api.get("/Actions?ticket_id=3&includehtmlnote=true&includeattachments=true").json()["actions"]:
        assert problems("Actions", row) == []


def test_webhooks_are_valid(api: httpx.Client) -> None:
    hook = api.post(
        "/Webhook", json=[{"name": "valid", "url": "http://127.0.0.1:9/x", "authentication_type": 3}]
    ).json()
    assert problems("Webhook", hook) == []
    bound = api.post("/Notification", json=[{"webhook_id": hook["id"], "eventno": "61", "delivery_method": 6}]).json()
    assert problems("UnameNotification", bound) == []
    api.post("/Tickets", json=[{"id": 4, "summary": "changed"}])
    events = api.get("/WebhookEvent").json()["events"]
    assert events
    for event in events:
        assert problems("WebhookEvent", event) == []


@pytest.mark.parametrize(
    ("path", "name", "body"),
    [
        ("/Status", "TStatus", {"name": "Parked"}),
        ("/Outcome", "TOutcome", {"outcome": "Park"}),
        ("/TicketType", "RequestType", {"name": "Alert"}),
        ("/Category", "CategoryDetail", {"value": "Cloud>Tenant"}),
        ("/Client", "Area", {"name": "A new client"}),
        ("/Site", "Site", {"name": "A new site", "client_id": 2}),
        ("/Users", "Users", {"name": "New Person", "client_id": 2, "site_id": 2}),
    ],
)
def test_written_objects_are_valid(api: httpx.Client, path: str, name: str, body: dict[str, Any]) -> None:
    answer = api.post(path, json=[body])
    assert answer.status_code == 201
    assert problems(name, answer.json()) == []


def test_what_the_vendors_file_has_wrong_is_still_wrong() -> None:
    """Each exception above is needed: without it the answer would be refused."""
    schemas = DOCUMENT["components"]["schemas"]
    assert "who" not in schemas["Actions"]["properties"]
    assert "team_id" not in schemas["Faults_List"]["properties"]
    assert schemas["Faults_List"]["properties"]["slaresponsestate"]["type"] == "string"
    assert schemas["Site_List"]["properties"]["client_id"]["type"] == "number"
