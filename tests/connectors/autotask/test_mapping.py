"""Recorded rows of Autotask as records, and drafts as rows; labels decide, numbers never."""

from __future__ import annotations

import io
import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from connectors.autotask.mapping import actions, directory, picklists, writes
from connectors.autotask.mapping.picklists import Choice, read_fields
from connectors.autotask.mapping.tickets import has_verdict, removed_record, ticket_record
from connectors.autotask.mapping.values import day, fine_stamp, identifier, instant, joined, stamp, truth
from connectors.base.errors import Rejected
from connectors.base.records import UNSET, ActionDraft, AgentRole, FileDraft
from tests.connectors.autotask.tenant import FILE_FIELDS, NOTE_FIELDS, TICKET_FIELDS, picklist

TICKETS, NOTES, FILES = read_fields(TICKET_FIELDS), read_fields(NOTE_FIELDS), read_fields(FILE_FIELDS)
GUIDE = read_fields(
    [
        picklist("status", (1, "NEW"), (2, "IN_PROGRESS"), (5, "COMPLETE"), (6, "WAITING_CUSTOMER"),
                 (13, "WAITING_MATERIALS"), (14, "ESCALATED")),
        picklist("priority", (4, "CRITICAL"), (3, "HIGH"), (2, "MEDIUM"), (1, "LOW")),
        picklist("publish", (0, "No"), (1, "Yes")),
        picklist("noteType", (1, "Internal"), (2, "External")),
    ]
)  # fmt: skip
"""The picklists of the vendor's guides."""
MARKER = "0b1e6f5e-4c1d-4c43-9f4d-0123456789ab"
AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)

TICKET = {
    "id": 54321, "ticketNumber": "T20261120.0001", "title": "Outlook down", "description": "5 users\nsince 9am",
    "resolution": None, "companyID": 12345, "companyLocationID": 77, "contactID": 67890, "status": 8, "priority": 4,
    "queueID": 8, "issueType": 5, "subIssueType": 12, "ticketType": 2, "ticketCategory": 3, "source": 4,
    "assignedResourceID": 29744150, "assignedResourceRoleID": 29683459, "dueDateTime": "2026-11-21T17:00:00Z",
    "createDate": "2026-11-20T08:00:00.45Z", "completedDate": None, "lastActivityDate": "2026-11-20T09:15:45.2Z",
    "firstResponseDateTime": "2026-11-20T08:10:00Z", "resolvedDateTime": None,
    "firstResponseDueDateTime": "2026-11-20T09:00:00Z", "contractID": 5, "serviceLevelAgreementID": 1,
    "externalID": MARKER.upper(), "userDefinedFields": [], "somethingNew": {"a": 1},
}  # fmt: skip


def draft(**more: Any) -> ActionDraft:
    values: dict[str, Any] = {
        "ticket": "54321", "kind": "note", "body_html": "<p>a<br>b</p>", "body_text": "a\nb", "is_internal": True,
        "marker": MARKER, "occurred_at": AT,
    }  # fmt: skip
    return ActionDraft(**(values | more))


# Values


@pytest.mark.parametrize(
    ("value", "found"),
    [(12, "12"), (12.0, "12"), ("12", "12"), (" 7 ", "7"), (0, "0"), ("0", "0"), (-1, None), (1.5, None), (True, None),
     (None, None), ("x", None), ("1.0", None), ("²", None), ([], None), ("9" * 40, None)],
)  # fmt: skip
def test_identifier(value: Any, found: str | None) -> None:
    assert identifier(value) == found


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("2022-12-06T13:00:00Z", datetime(2022, 12, 6, 13, tzinfo=UTC)),
        ("2022-12-07T09:15:45.2Z", datetime(2022, 12, 7, 9, 15, 45, 200_000, tzinfo=UTC)),
        ("2020-09-24T09:40:14.113Z", datetime(2020, 9, 24, 9, 40, 14, 113_000, tzinfo=UTC)),
        ("2022-12-06T13:00:00", datetime(2022, 12, 6, 13, tzinfo=UTC)),
        ("2022-12-06T14:00:00+01:00", datetime(2022, 12, 6, 13, tzinfo=UTC)),
        ("2022-12-06", datetime(2022, 12, 6, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("soon", None),
        ("", None),
        (None, None),
        (5, None),
    ],
)
def test_instant(value: Any, found: datetime | None) -> None:
    assert instant(value) == found


def test_small_values() -> None:
    assert stamp(AT) == "2026-11-20T09:30:00Z"
    assert fine_stamp(AT + timedelta(microseconds=123_456)) == "2026-11-20T09:30:00.123Z"
    assert day("2026-11-20T00:00:00Z") == date(2026, 11, 20)
    assert [truth(v) for v in (1, 0, True, False, "true", "0", None)] == [True, False, True, False, True, False, False]
    assert joined({"city": "York", "state": " "}, "address1", "city", "state") == "York"
    assert joined({}, "city") is UNSET


# Picklists: meaning by label


@pytest.mark.parametrize(
    ("label", "category"),
    [
        ("New", "new"), ("NEW", "new"), ("In Progress", "open"), ("IN_PROGRESS", "open"), ("Dispatched", "open"),
        ("Customer Note Added", "open"), ("Complete", "closed"), ("Cancelled", "closed"), ("Closed", "closed"),
        ("Resolved", "resolved"), ("Waiting Customer", "waiting_client"), ("WAITING_CUSTOMER", "waiting_client"),
        ("Waiting Approval", "waiting_client"), ("Waiting Materials", "waiting_third_party"),
        ("WAITING_MATERIALS", "waiting_third_party"), ("Waiting Vendor", "waiting_third_party"),
        ("Escalate", "escalated"), ("ESCALATED", "escalated"), ("On Hold", "waiting"), ("Umleitung", None),
    ],
)  # fmt: skip
def test_status_by_label(label: str, category: str | None) -> None:
    for value in ("8", "13", "14", "99"):
        assert picklists.status_category(Choice(value=value, label=label)) == category


def test_status_ids_count_only_where_the_label_says_nothing() -> None:
    assert picklists.status_category(Choice(value="5", label="Fertig")) == "closed"
    assert picklists.status_category(Choice(value="1", label="Neu")) == "new"
    assert picklists.status_category(Choice(value="5", label="In Progress")) == "open"


def test_priority_is_never_a_number() -> None:
    stock = {r.name: r.rank for r in picklists.priority_records(TICKETS)}
    guide = {r.name: r.rank for r in picklists.priority_records(GUIDE)}
    assert stock == {"Critical": 1, "High": 2, "Medium": 3, "Low": 4}
    assert guide == {"CRITICAL": 1, "HIGH": 2, "MEDIUM": 3, "LOW": 4}


@pytest.mark.parametrize("seed", range(20))
def test_shuffled_ids_change_nothing(seed: int) -> None:
    """The same labels under any ids mean the same."""
    dice = random.Random(seed)
    names = ["Critical", "High", "Medium", "Low", "P1", "Urgent"]
    values = dice.sample(range(1, 400), len(names))
    rows = picklists.priority_records(read_fields([picklist("priority", *zip(values, names, strict=True))]))
    assert {r.name: r.rank for r in rows} == {"Critical": 1, "High": 2, "Medium": 3, "Low": 4, "P1": 1, "Urgent": 1}


def test_statuses_clocks_and_retired_ones() -> None:
    rows = {r.name: r for r in picklists.status_records(TICKETS)}
    assert (rows["Complete"].category, rows["Complete"].sla_clock) == ("closed", "stopped")
    assert (rows["Waiting Customer"].sla_clock, rows["In Progress"].sla_clock) == ("paused", "running")
    assert (rows["Cancelled"].is_active, rows["New"].is_active) == (False, True)
    assert picklists.finished_statuses(TICKETS) == {"5", "20"}
    assert picklists.finished_statuses(GUIDE) == {"5"}


def test_types_queues_policies() -> None:
    kinds = {r.name: r.kind for r in picklists.type_records(TICKETS)}
    assert kinds == {"Service Request": "request", "Incident": "incident", "Problem": "problem",
                     "Change Request": "change"}  # fmt: skip
    assert [(q.remote_id, q.is_active) for q in picklists.team_records(TICKETS)] == [
        ("8", True), ("29", True), ("30", False)]  # fmt: skip
    assert [(p.remote_id, p.name) for p in picklists.policy_records(TICKETS)] == [("1", "Gold")]


def test_sub_issues_of_one_name_are_told_apart() -> None:
    rows = [(r.level, r.value, r.name) for r in picklists.category_records(TICKETS)]
    assert rows == [(1, "Computer", "Computer"), (1, "Network", "Network"), (2, "Computer>Outlook", "Outlook"),
                    (2, "Computer>Other", "Other"), (2, "Network>Other", "Other")]  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "public", "shown", "hidden"),
    [(NOTES, {"1"}, "1", "2"), (FILES, {"1"}, "1", "2"), (GUIDE, {"1"}, "1", "0"), ({}, set(), None, None)],
    ids=["notes", "files", "guide", "unknown"],
)
def test_visibility_is_resolved_by_label(fields: Any, public: set[str], shown: str | None, hidden: str | None) -> None:
    assert picklists.public_values(fields) == public
    assert picklists.publish_value(fields, is_internal=False) == shown
    assert picklists.publish_value(fields, is_internal=True) == hidden
    assert picklists.publish_value(fields, is_internal=True, chosen="77") == "77"


@pytest.mark.parametrize(
    "label", ["Not for the client", "Internal & customers", "Alle", "Private portal", "Nobody", ""]
)
def test_a_label_that_is_not_clearly_public_is_internal(label: str) -> None:
    fields = read_fields([picklist("publish", (1, label))])
    assert picklists.public_values(fields) == set()


def test_note_type_is_one_that_people_write() -> None:
    assert picklists.note_type(NOTES) == "3"
    assert picklists.note_type(GUIDE) == "1"
    assert picklists.note_type(read_fields([picklist("noteType", (13, "Workflow Rule Note"))])) is None
    assert picklists.is_machine_made(NOTES, 13)
    assert not picklists.is_machine_made(NOTES, 99)


def test_odd_metadata() -> None:
    rows = [
        None,
        {"name": None},
        {"name": "x", "picklistValues": [None, {}, {"value": "a"}, {"value": 3}]},
        {"name": "Y"},
    ]
    fields = read_fields(rows)
    assert [c.label for c in picklists.choices_of(fields, "X").values()] == ["#3"]
    assert picklists.choices_of(fields, "y") == {}
    assert picklists.label_of(fields, "x", 9) == "9"


# Tickets


def test_ticket() -> None:
    record = ticket_record(TICKET, fields=TICKETS)
    found = {k: v for k, v in record.known().items() if k != "remote_updated_at"}
    assert found == {
        "number": "T20261120.0001", "subject": "Outlook down", "description": "5 users\nsince 9am",
        "description_is_html": False, "resolution": None, "client": "12345", "site": "77", "contact": "67890",
        "status": "8", "priority": "4", "ticket_type": "2", "category": "Computer", "subcategory": "Computer>Outlook",
        "agent": "29744150", "agent_role": "29683459", "team": "8", "source": "Email", "contract": "5",
        "sla_policy": "1", "opened_at": datetime(2026, 11, 20, 8, 0, 0, 450_000, tzinfo=UTC),
        "first_responded_at": datetime(2026, 11, 20, 8, 10, tzinfo=UTC), "resolved_at": None, "closed_at": None,
        "last_activity_at": datetime(2026, 11, 20, 9, 15, 45, 200_000, tzinfo=UTC),
        "response_due_at": datetime(2026, 11, 20, 9, tzinfo=UTC),
        "resolution_due_at": datetime(2026, 11, 21, 17, tzinfo=UTC),
        "deadline_at": datetime(2026, 11, 21, 17, tzinfo=UTC), "marker": MARKER,
    }  # fmt: skip
    assert record.raw["somethingNew"] == {"a": 1}


def test_a_row_with_fewer_fields_keeps_ours() -> None:
    known = ticket_record({"id": 5, "status": 8}, fields=TICKETS).known()
    assert known == {"status": "8"}


def test_the_msps_own_company_and_odd_values() -> None:
    record = ticket_record(
        {"id": 5, "companyID": 0, "queueID": 0, "externalID": "RMM-7", "issueType": 99, "subIssueType": None,
         "completedDate": "2026-11-20T10:00:00Z", "resolvedDateTime": None, "title": None},
        fields=TICKETS,
    )  # fmt: skip
    assert (record.client, record.team, record.marker) == ("0", None, None)
    assert (record.category, record.subcategory, record.subject) == ("99", None, "")
    assert record.resolved_at == record.closed_at == datetime(2026, 11, 20, 10, tzinfo=UTC)


def test_a_deleted_ticket() -> None:
    record = removed_record({"id": 1, "ticketID": 54321, "deletedDateTime": "2026-11-20T10:00:00Z"})
    assert (record.remote_id, record.is_removed) == ("54321", True)
    assert record.known()["remote_updated_at"] == datetime(2026, 11, 20, 10, tzinfo=UTC)


# People


def test_directory() -> None:
    company = directory.client_record(
        {"id": 0, "companyName": "Us", "isActive": True, "phone": "1", "webAddress": "us.test", "address1": "1 Road",
         "city": "York", "lastTrackedModifiedDateTime": "2026-11-20T10:00:00Z"}
    )  # fmt: skip
    assert (company.remote_id, company.name, company.address, company.domain) == ("0", "Us", "1 Road, York", "us.test")
    site = directory.site_record({"id": 7, "companyID": 0, "name": "HQ", "isActive": False})
    assert (site.client, site.name, site.is_active) == ("0", "HQ", False)
    for told, found in ((1, True), (0, False), (True, True), ("1", True)):
        contact = directory.contact_record({"id": 9, "companyID": 12, "firstName": "Sam", "isActive": told})
        assert (contact.is_active, contact.first_name, contact.client) == (found, "Sam", "12")
    contract = directory.contract_record(
        {"id": 5, "companyID": 12, "contractName": "All in", "status": 1, "startDate": "2026-01-01T00:00:00Z",
         "endDate": None}
    )  # fmt: skip
    assert (contract.is_active, contract.starts_on, contract.ends_on) == (True, date(2026, 1, 1), None)


def test_agents_and_their_queues() -> None:
    roles: list[dict[str, Any]] = [
        {"id": 1, "resourceID": 29, "roleID": 5, "queueID": 8, "isActive": True},
        {"id": 2, "resourceID": 29, "roleID": 5, "queueID": 29, "isActive": False},
        {"id": 3, "resourceID": 29, "roleID": 5, "queueID": None, "isActive": True},
        {"id": 4, "resourceID": 30, "roleID": 5, "departmentID": 1},
    ]
    teams = directory.teams_of(roles)
    assert teams == {"29": ("8",)}
    row = {"id": 29, "firstName": "Dana", "lastName": "Fox", "email": "d@msp.test", "isActive": True, "licenseType": 1}
    agent = directory.agent_record(row, teams=teams)
    assert (agent.name, agent.teams, agent.is_active) == ("Dana Fox", ("8",), True)
    assert directory.agent_record(row | {"licenseType": 7}, teams={}).is_active is False


# Notes, time, files

NOTE = {
    "id": 30777658, "ticketID": 54321, "title": "Status Update", "description": "Root cause found.", "noteType": 3,
    "publish": 1, "createDateTime": "2026-11-20T09:15:28.133Z", "lastActivityDate": "2026-11-20T09:15:28.133Z",
    "creatorResourceID": 29744150, "createdByContactID": None,
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "kind", "is_internal", "from_client"),
    [
        ({}, "reply", False, False),
        ({"publish": 2}, "note", True, False),
        ({"publish": 4}, "note", True, False),
        ({"publish": 3}, "note", True, False),
        ({"publish": None}, "note", True, False),
        ({"publish": "1"}, "reply", False, False),
        ({"publish": 2, "noteType": 13}, "system", True, False),
        ({"createdByContactID": 67890, "creatorResourceID": 4}, "reply", False, True),
        ({"title": "Phone call (Dana Fox)"}, "call", False, False),
        ({"title": "Site visit", "publish": 2}, "visit", True, False),
    ],
)
def test_note(change: dict[str, Any], kind: str, is_internal: bool, from_client: bool) -> None:
    record = actions.note_record(NOTE | change, ticket="54321", fields=NOTES, public={"1"})
    assert (record.kind, record.is_internal, record.is_from_client) == (kind, is_internal, from_client)
    assert record.author_agent == (None if from_client else "29744150")
    assert record.author_contact == ("67890" if from_client else None)
    assert (record.body, record.body_is_html) == ("Root cause found.", False)


def test_without_the_picklist_every_note_is_internal() -> None:
    record = actions.note_record(NOTE, ticket="54321", fields={}, public=picklists.public_values({}))
    assert record.is_internal is True


TIME = {
    "id": 7001, "ticketID": 54321, "resourceID": 29744150, "roleID": 29683459, "dateWorked": "2026-11-20T00:00:00Z",
    "startDateTime": "2026-11-20T09:00:00Z", "endDateTime": "2026-11-20T09:30:00Z", "hoursWorked": 0.5,
    "summaryNotes": "Rebuilt the profile", "internalNotes": "", "isNonBillable": False,
}  # fmt: skip


def test_time() -> None:
    record = actions.time_record(TIME, ticket="54321")
    assert (record.remote_id, record.seconds, record.is_billable) == ("t7001", 1800, True)
    assert (record.note, record.agent) == ("Rebuilt the profile", "29744150")
    assert record.started_at == datetime(2026, 11, 20, 9, tzinfo=UTC)
    assert record.ended_at == datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
    assert actions.time_record(TIME | {"isNonBillable": True}, ticket="1").is_billable is False
    assert actions.booked(record).is_internal is True


@pytest.mark.parametrize(
    ("change", "seconds"),
    [
        ({"hoursWorked": 0.0086, "endDateTime": "2026-11-20T09:00:31Z"}, 31),
        ({"hoursWorked": 0.01, "endDateTime": "2026-11-20T09:00:31Z"}, 31),
        ({"hoursWorked": 2}, 7200),
        ({"startDateTime": None, "endDateTime": None}, 1800),
        ({"hoursWorked": None}, 1800),
        ({"hoursWorked": None, "startDateTime": None}, 0),
    ],
)
def test_worked_seconds(change: dict[str, Any], seconds: int) -> None:
    assert actions.worked_seconds(TIME | change) == seconds


FILE = {
    "id": 90, "parentID": 54321, "ticketID": 54321, "attachDate": "2026-11-20T10:59:57.537Z", "parentType": 4,
    "attachedByResourceID": 29744150, "attachedByContactID": None, "attachmentType": "FILE_ATTACHMENT",
    "contentType": "image/png", "fileSize": 8.0, "fullPath": "screen.png", "title": "screen.png", "publish": 1,
    "data": None,
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "remote_id", "action", "is_public", "path"),
    [
        ({}, "90", None, True, "/Tickets/54321/Attachments/90"),
        ({"publish": 2}, "90", None, False, "/Tickets/54321/Attachments/90"),
        ({"publish": 9}, "90", None, False, "/Tickets/54321/Attachments/90"),
        ({"parentType": 23, "parentID": 55}, "n55.90", "55", False, "/TicketNotes/55/Attachments/90"),
        ({"parentType": 23, "parentID": 55, "attachedByContactID": 7}, "n55.90", "55", True,
         "/TicketNotes/55/Attachments/90"),
        ({"parentType": 18, "parentID": 66}, "t66.90", "t66", False, "/TimeEntries/66/Attachments/90"),
    ],
)  # fmt: skip
def test_attachment(change: dict[str, Any], remote_id: str, action: Any, is_public: bool, path: str) -> None:
    record = actions.attachment_record(FILE | change, ticket="54321", public={"1"})
    assert (record.remote_id, record.action, record.is_public) == (remote_id, action, is_public)
    assert (record.name, record.size, record.content_type) == ("screen.png", 8, "image/png")
    assert "data" not in record.raw
    assert actions.attachment_path(record.remote_id, "54321") == path
    assert actions.is_file(FILE | change)


def test_links_and_strange_parents_are_no_files() -> None:
    assert not actions.is_file(FILE | {"attachmentType": "URL"})
    assert not actions.is_file(FILE | {"parentType": 99})
    for strange in ("", "x", "../1", "n5", "n5.", "n5.x", "90/../1", "q5.9"):
        assert actions.attachment_path(strange, "1") is None


# Writes


def test_ticket_row() -> None:
    fields = {
        "subject": "S", "description": "<p>a &amp; b</p>", "description_is_html": True, "client": "0", "site": "7",
        "contact": None, "status": "8", "priority": "4", "ticket_type": "2", "team": "29", "contract": None,
        "deadline_at": AT, "subcategory": "network>other", "source": "phone", "resolution": "Done",
        "reported_by": "x", "escalation_reason": "y", "agent": "3", "acknowledge": True,
    }  # fmt: skip
    assert writes.ticket_row(fields, info=TICKETS) == {
        "title": "S", "description": "a & b", "companyID": 0, "companyLocationID": 7, "contactID": None, "status": 8,
        "priority": 4, "ticketType": 2, "queueID": 29, "contractID": None, "dueDateTime": "2026-11-20T09:30:00Z",
        "subIssueType": 14, "issueType": 6, "source": 2, "resolution": "Done",
    }  # fmt: skip


def test_a_new_ticket_says_nothing_of_what_is_empty() -> None:
    assert writes.ticket_row({"contact": None, "client": "5"}, info=TICKETS, is_new=True) == {"companyID": 5}


def test_null_clears_and_a_cleared_issue_takes_its_sub_issue_along() -> None:
    assert writes.ticket_row({"category": None}, info=TICKETS) == {"issueType": None, "subIssueType": None}
    assert writes.ticket_row({"category": "Computer"}, info=TICKETS) == {"issueType": 5}
    assert writes.ticket_row({"deadline_at": None}, info=TICKETS) == {"dueDateTime": None}


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"colour": "red"}, "colour"),
        ({"status": "8x"}, "status"),
        ({"category": "Kitchen"}, "category"),
        ({"subcategory": "Other"}, "subcategory"),
        ({"subcategory": "Kitchen>Sink"}, "subcategory"),
        ({"subject": "x" * 256}, "subject"),
        ({"description": "x" * 8001}, "description"),
    ],
)
def test_what_cannot_be_written(fields: dict[str, Any], name: str) -> None:
    with pytest.raises(Rejected) as caught:
        writes.ticket_row(fields, info=TICKETS)
    assert set(caught.value.fields) == {name}


def test_note_row() -> None:
    row = writes.note_row(draft(author_name="Dana Fox"), publish="2", note_type="3", signs=True)
    assert row == {"ticketID": 54321, "title": "Note (Dana Fox)", "description": "a\nb", "publish": 2, "noteType": 3}
    named = writes.note_row(draft(title="x" * 300, kind="reply"), publish="1", note_type=None, signs=False)
    assert (len(named["title"]), named["publish"], "noteType" in named) == (250, 1, False)
    only_html = writes.note_row(draft(body_text=" "), publish="1", note_type=None, signs=False)
    assert only_html["description"] == "a b"
    with pytest.raises(Rejected):
        writes.note_row(draft(body_text="x" * 32_001), publish="1", note_type=None, signs=False)


@pytest.mark.parametrize(("seconds", "hours"), [(31, 0.0086), (900, 0.25), (28_800, 8.0)])
def test_time_row(seconds: int, hours: float) -> None:
    at = datetime(2026, 11, 20, 0, 5, 7, 900_000, tzinfo=UTC)
    row = writes.time_row(draft(kind="time", time_seconds=seconds, occurred_at=at), resource="29", role="5")
    assert row["hoursWorked"] == hours
    assert row["endDateTime"] == "2026-11-20T00:05:07Z"
    assert actions.worked_seconds(row) == seconds
    assert row["dateWorked"][:10] == row["startDateTime"][:10]
    assert (row["summaryNotes"], row["internalNotes"], row["isNonBillable"]) == ("Time logged", "a\nb", False)


def test_time_for_the_client() -> None:
    row = writes.time_row(
        draft(kind="time", time_seconds=60, is_internal=False, time_is_billable=False), resource="29", role="5"
    )
    assert (row["summaryNotes"], row["internalNotes"], row["isNonBillable"]) == ("a\nb", "", True)
    with_note = writes.time_row(draft(kind="reply", time_seconds=60, is_internal=False), resource="29", role="5")
    assert with_note["summaryNotes"] == "Time logged", "the note says it already"


def test_attachment_row() -> None:
    file = FileDraft(
        ticket="1", name="n" * 300 + ".png", content_type="image/png", size=1, is_public=True, sha256="",
        open=lambda: io.BytesIO(b"a"),
    )  # fmt: skip
    row = writes.attachment_row(file, "YQ==", publish="1")
    assert list(row)[-1] == "data"
    assert (len(row["fullPath"]), row["fullPath"][-4:], row["publish"]) == (255, ".png", 1)


def test_unconfirmed() -> None:
    record = ticket_record(TICKET, fields=TICKETS)
    assert writes.unconfirmed({"status": "8", "agent": "29744150", "subcategory": "computer>outlook"}, record) == set()
    assert writes.unconfirmed({"status": "5", "agent": None, "subject": "else"}, record) == {"status", "agent"}
    assert writes.unconfirmed({"site": None}, ticket_record({"id": 1}, fields=TICKETS)) == {"site"}


def test_a_tenant_with_a_field_for_the_reason_gets_it_there() -> None:
    info = read_fields([{"name": "escalationReason"}])
    row = writes.ticket_row({"status": "14", "escalation_reason": " Outage "}, info=info)
    assert row == {"status": 14, "escalationReason": "Outage"}
    assert ticket_record({"id": 1, "escalationReason": "Outage"}, fields=info).escalation_reason == "Outage"
    assert ticket_record({"id": 1}, fields=info).escalation_reason is UNSET


def test_the_roles_of_a_resource_with_the_queues_that_they_serve() -> None:
    general = [
        {"resourceID": 1, "roleID": 10, "queueID": 8}, {"resourceID": 1, "roleID": 10, "departmentID": 2},
        {"resourceID": 1, "roleID": 12, "isActive": False}, {"resourceID": 2, "roleID": 10},
    ]  # fmt: skip
    desk = [{"resourceID": 1, "roleID": 11, "isDefault": True}]
    found = directory.roles_of(general, desk, {"10": "Engineer"}, None)
    assert found["1"] == (
        AgentRole(key="11", name="#11", is_default=True),
        AgentRole(key="10", name="Engineer", teams=("8",)),
    )
    assert found["2"] == (AgentRole(key="10", name="Engineer"),)
    chosen = directory.roles_of(general, desk, {}, "10")
    assert [role.key for role in chosen["1"] if role.is_default] == ["10"]


def test_roles_that_may_not_be_read_are_not_taken_for_none() -> None:
    assert directory.agent_record({"id": 1}, teams={}).roles is UNSET
    assert directory.agent_record({"id": 1}, teams={}, roles={}).roles == ()


def test_a_date_of_its_own_is_told_from_the_slas() -> None:
    def told(**row: Any) -> Any:
        return ticket_record({"id": 5, **row}, fields={}).deadline_at

    due = "2026-11-20T17:00:00Z"
    assert told(dueDateTime=due, resolvedDueDateTime="2026-11-20T17:00:00.123Z") is None
    later = told(dueDateTime=due, resolvedDueDateTime="2026-11-20T09:00:00Z")
    assert later == datetime(2026, 11, 20, 17, tzinfo=UTC)
    assert told(dueDateTime=due, resolvedDueDateTime=None) == later, "without an SLA somebody set it"
    assert told(dueDateTime=due) == later
    assert told(dueDateTime=None, resolvedDueDateTime=due) is None
    assert told() is UNSET


def test_the_sla_result_tells_what_was_met() -> None:
    row = {"id": 5, "serviceLevelAgreementID": 1, "firstResponseDateTime": "2026-11-20T08:00:00Z"}
    result = {"id": 9, "ticketID": 5, "isFirstResponseMet": True, "isResolutionMet": False,
              "resolutionElapsedHours": 33.84}  # fmt: skip
    record = ticket_record(row, fields={}, result=result)
    assert (record.sla_response_state, record.sla_resolution_state) == ("met", "breached")
    assert record.raw["serviceLevelAgreementResult"]["resolutionElapsedHours"] == 33.84
    assert ticket_record(row, fields={}, result={"isFirstResponseMet": None}).sla_response_state is None
    unasked = ticket_record(row, fields={})
    assert (unasked.sla_response_state, unasked.sla_resolution_state) == (UNSET, UNSET)


@pytest.mark.parametrize(
    ("row", "can_tell"),
    [
        ({"serviceLevelAgreementID": 1, "firstResponseDateTime": "2026-11-20T08:00:00Z"}, True),
        ({"serviceLevelAgreementID": 1, "completedDate": "2026-11-20T08:00:00Z"}, True),
        ({"serviceLevelAgreementID": 1, "firstResponseDateTime": None}, False),
        ({"serviceLevelAgreementID": None, "completedDate": "2026-11-20T08:00:00Z"}, False),
    ],
)
def test_only_what_was_answered_has_a_result(row: Any, can_tell: bool) -> None:
    assert has_verdict(row) is can_tell
