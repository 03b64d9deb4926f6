"""What lies below a ticket or a company: notes, time, files, people. Written under the parent, read at the root."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from connectors.autotask.sandbox.time_entries import NOTHING_FOUND
from tests.connectors.autotask.calling import (
    AGENT,
    ROLE,
    changed,
    client_of,
    company_of,
    found,
    instant,
    made,
    new_ticket,
    one,
    problems,
    where,
)
from tests.connectors.sandbox.running import Running, running_sandbox

NOTE = {"title": "Status Update", "description": "Root cause found.", "noteType": 1, "publish": 1}
TIMES = {"startDateTime": "2026-11-20T09:00:00Z", "endDateTime": "2026-11-20T09:30:00Z"}
PICTURE = base64.b64encode(b"\x89PNG....").decode()


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Running]:
    with running_sandbox(tickets=30, psas=("autotask",)) as running:
        yield running


@pytest.fixture(scope="module")
def api(sandbox: Running) -> Iterator[httpx.Client]:
    with client_of(sandbox) as client:
        yield client


def test_notes_are_written_under_their_ticket_only(api: httpx.Client) -> None:
    ticket = new_ticket(api)
    before = one(api, "Tickets", ticket)
    assert api.post("TicketNotes", json={"ticketID": ticket, **NOTE}).status_code == 404
    number = made(api, f"Tickets/{ticket}/Notes", ticketID=ticket, **NOTE)
    note = api.get(f"Tickets/{ticket}/Notes/{number}").json()["item"]
    assert note == one(api, "TicketNotes", number) == api.get(f"Tickets/{ticket}/Notes").json()["items"][0]
    assert (note["creatorResourceID"], note["createdByContactID"], note["ticketID"]) == (29744100, None, ticket)
    after = one(api, "Tickets", ticket)
    assert instant(after["lastActivityDate"]) > instant(before["lastActivityDate"])
    assert after["lastCustomerVisibleActivityDateTime"] == after["firstResponseDateTime"] is not None
    assert problems(api.patch(f"Tickets/{ticket}/Notes", json={"id": number, "description": "x"})) == [
        "noteType is required", "publish is required",
    ]  # fmt: skip
    changed(api, f"Tickets/{ticket}/Notes", id=number, noteType=1, publish=2, description="Changed")
    assert (one(api, "TicketNotes", number)["publish"], one(api, "TicketNotes", number)["title"]) == (
        2,
        "Status Update",
    )
    assert api.delete(f"Tickets/{ticket}/Notes/{number}").status_code == 405
    assert api.post("Tickets/4711/Notes", json=NOTE).status_code == 404
    assert api.get(f"Tickets/50001/Notes/{number}").status_code == 404


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"publish": 3}, "Picklist value [3] does not exist for publish"),
        ({"publish": 0}, "Picklist value [0] does not exist for publish"),
        ({"noteType": None}, "noteType is required"),
        ({"description": None}, "description is required"),
        ({"title": "x" * 251}, "The field title exceeds the maximum length of 250 characters."),
    ],
)
def test_notes_that_are_refused(api: httpx.Client, values: dict[str, Any], text: str) -> None:
    assert problems(api.post("Tickets/50001/Notes", json={**NOTE, **values})) == [text]


def test_an_internal_note_is_no_response(api: httpx.Client) -> None:
    ticket = new_ticket(api)
    made(api, f"Tickets/{ticket}/Notes", **{**NOTE, "publish": 2})
    row = one(api, "Tickets", ticket)
    assert (row["firstResponseDateTime"], row["lastCustomerVisibleActivityDateTime"]) == (None, None)


def test_time_is_written_at_the_root(api: httpx.Client) -> None:
    ticket = new_ticket(api)
    body = {"ticketID": ticket, "resourceID": AGENT, "roleID": ROLE, **TIMES, "summaryNotes": "Rebuilt the profile"}
    number = made(api, "TimeEntries", **body)
    entry = one(api, "TimeEntries", number)
    assert (entry["hoursWorked"], entry["hoursToBill"], entry["dateWorked"]) == (0.5, 0.5, "2026-11-20T00:00:00Z")
    assert (entry["timeEntryType"], entry["isNonBillable"]) == (2, False)
    changed(api, "TimeEntries", id=number, summaryNotes="More", isNonBillable=True)
    assert (one(api, "TimeEntries", number)["hoursToBill"], one(api, "TimeEntries", number)["summaryNotes"]) == (
        0,
        "More",
    )
    assert api.delete(f"TimeEntries/{number}").json() == {"itemId": number}
    assert problems(api.delete(f"TimeEntries/{number}")) == [NOTHING_FOUND]
    assert api.post(f"Tickets/{ticket}/TimeEntries", json=body).status_code == 404


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"resourceID": None}, "Value does not exist for the required field resourceID"),
        ({"roleID": None}, "TimeEntries for Tickets must have a roleID"),
        ({"startDateTime": None, "endDateTime": None},
         "Must have at least one of hoursWorked or startDateTime/endDateTime"),
        ({"endDateTime": None, "hoursWorked": 1}, "TimeEntries for Service tickets require a start and stop time."),
        ({"startDateTime": None, "endDateTime": None, "hoursWorked": 1},
         "dateWorked is required when no value is supplied for startDateTime"),
        ({"hoursWorked": 25}, "hoursWorked greater than 24 hours or less than zero hours"),
        ({"hoursWorked": 0}, "hoursWorked greater than 24 hours or less than zero hours"),
        ({"billingCodeID": 29682803}, "billingCodeID must be an active General Allocation Code"),
    ],
)  # fmt: skip
def test_time_that_is_refused(api: httpx.Client, values: dict[str, Any], text: str) -> None:
    body = {"ticketID": 50001, "resourceID": AGENT, "roleID": ROLE, **TIMES, **values}
    assert problems(api.post("TimeEntries", json=body)) == [text]


def file(**values: Any) -> dict[str, Any]:
    body = {"id": 0, "attachmentType": "FILE_ATTACHMENT", "fullPath": "screen.png", "title": "screen.png", "publish": 1}
    return {**body, "data": PICTURE, **values}


def test_files_of_tickets_notes_and_time(api: httpx.Client) -> None:
    ticket = new_ticket(api)
    note = made(api, f"Tickets/{ticket}/Notes", **NOTE)
    time = made(api, "TimeEntries", ticketID=ticket, resourceID=AGENT, roleID=ROLE, **TIMES)
    places = (f"Tickets/{ticket}", f"TicketNotes/{note}", f"TimeEntries/{time}")
    numbers = [made(api, f"{place}/Attachments", **file()) for place in places]
    rows = found(api, "TicketAttachments", where("ticketID", "eq", ticket))
    assert [(row["id"], row["parentType"]) for row in rows] == list(zip(numbers, (4, 23, 18), strict=True))
    assert found(api, "TicketAttachments", where("ticketID", "eq", ticket), where("parentType", "eq", 4)) == rows[:1]
    assert (rows[0]["contentType"], rows[0]["fileSize"], rows[0]["data"]) == ("image/png", 8.0, None)
    for place, number in zip(places, numbers, strict=True):
        assert [row["id"] for row in api.get(f"{place}/Attachments").json()["items"]] == [number]
        whole = api.get(f"{place}/Attachments/{number}").json()
        assert whole["items"][0]["data"] == PICTURE
        assert whole["pageDetails"]["count"] == 1
    assert api.post(f"Tickets/{ticket}/Attachments/query", json={"filter": [where("id", "gt", 0)]}).status_code == 404
    assert api.patch(f"Tickets/{ticket}/Attachments", json={"id": numbers[0]}).status_code == 405
    assert api.get(f"Tickets/50001/Attachments/{numbers[0]}").status_code == 404
    assert api.delete(f"Tickets/{ticket}/Attachments/{numbers[0]}").json() == {"itemId": numbers[0]}
    assert problems(api.delete(f"Tickets/{ticket}/Attachments/{numbers[0]}")) == [NOTHING_FOUND]


@pytest.mark.parametrize(
    "values", [{"data": ""}, {"data": "%%%"}, {"publish": 0}, {"attachmentType": "TUNE"}, {"title": "x" * 256}]
)
def test_files_that_are_refused(api: httpx.Client, values: dict[str, Any]) -> None:
    assert problems(api.post("Tickets/50001/Attachments", json=file(**values)))


def test_more_people_on_a_ticket(api: httpx.Client) -> None:
    ticket = new_ticket(api)
    number = made(api, f"Tickets/{ticket}/SecondaryResources", resourceID=AGENT, roleID=ROLE)
    assert (
        "already"
        in problems(api.post(f"Tickets/{ticket}/SecondaryResources", json={"resourceID": AGENT, "roleID": ROLE}))[0]
    )
    assert [row["id"] for row in found(api, "TicketSecondaryResources", where("ticketID", "eq", ticket))] == [number]
    assert api.delete(f"Tickets/{ticket}/SecondaryResources/{number}").json() == {"itemId": number}
    assert found(api, "TicketSecondaryResources", where("ticketID", "eq", ticket)) == []


def test_companies_and_their_contacts(api: httpx.Client) -> None:
    missing = problems(api.post("Companies", json={"companyName": "New one"}))
    assert missing == [
        "companyType is required",
        "Value does not exist for the required field ownerResourceID",
        "phone is required",
    ]
    company = made(api, "Companies", companyName="New one", companyType=1, ownerResourceID=AGENT, phone="01632 960999")
    assert api.post("Contacts", json={"companyID": company, "firstName": "A", "lastName": "B"}).status_code == 404
    contact = made(
        api, f"Companies/{company}/Contacts", firstName="Ada", lastName="Byron", emailAddress="ada@new.example"
    )
    row = one(api, "Contacts", contact)
    assert (row["companyID"], row["isActive"]) == (company, 1)
    assert row["id"] in {item["id"] for item in found(api, "Contacts", where("isActive", "eq", True))}
    text = problems(api.patch(f"Companies/{company}/Contacts", json={"id": contact, "isActive": True}))[0]
    assert text.startswith("Unexpected character encountered while parsing value: t")
    changed(api, f"Companies/{company}/Contacts", id=contact, isActive=0)
    assert one(api, "Contacts", contact)["isActive"] == 0
    assert made(api, f"Companies/{company}/Locations", name="Annex") in {
        row["id"] for row in found(api, "CompanyLocations", where("companyID", "eq", company))
    }
    assert api.delete(f"Companies/{company}").status_code == 405
    assert one(api, "Companies", 0)["companyName"] == "Demo MSP"
    assert company_of(api) != 0


def test_metadata_values_are_text(api: httpx.Client) -> None:
    fields = {row["name"]: row for row in api.get("Tickets/entityInformation/fields").json()["fields"]}
    labels = {row["value"]: row["label"] for row in fields["priority"]["picklistValues"]}
    assert labels == {"4": "Critical", "1": "High", "2": "Medium", "3": "Low"}
    assert fields["title"]["picklistValues"] is None
    assert fields["subIssueType"]["picklistParentValueField"] == "issueType"
    assert fields["subIssueType"]["picklistValues"][0]["parentValue"] == "5"
    assert fields["assignedResourceID"]["referenceEntityType"] == "Resource"
    info = api.get("Tickets/entityInformation").json()["info"]
    assert (info["canDelete"], info["supportsWebhookCallouts"]) == (False, True)
    names = [row["name"] for row in api.get("Tickets/entityInformation/userDefinedFields").json()["fields"]]
    assert names == ["Escalation Reason", "Affected Users"]
