"""Rows of Atera as records, and drafts as bodies: tables of samples, both name sets."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from connectors.atera.mapping import actions, choices, directory, tickets, writes
from connectors.atera.mapping.values import identifier, instant, stamp, truth
from connectors.base.errors import Rejected
from connectors.base.records import UNSET, ActionDraft
from tests.connectors.atera.samples import BRIEF_COMMENT, COMMENT, DURATIONS, HOURS, TICKET

NINE = datetime(2024, 2, 15, 9, tzinfo=UTC)


def draft(**more: Any) -> ActionDraft:
    values: dict[str, Any] = {
        "ticket": "54321", "kind": "note", "body_html": "<p>Found it</p>", "body_text": "Found it",
        "is_internal": True, "marker": "m", "occurred_at": NINE,
    }  # fmt: skip
    return ActionDraft(**(values | more))


# Values


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-23T23:10:36.6372852Z", datetime(2026, 3, 23, 23, 10, 36, 637285, UTC)),
        ("2024-02-15T09:00:00Z", NINE),
        ("2024-02-15T09:00:00", NINE),
        ("2024-02-15T10:00:00+01:00", NINE),
        ("0001-01-01T00:00:00", None),
        ("soon", None),
        ("", None),
        (None, None),
        (3, None),
    ],
)
def test_instants(text: Any, expected: datetime | None) -> None:
    assert instant(text) == expected


def test_an_instant_goes_out_in_utc_to_the_millisecond() -> None:
    assert stamp(datetime(2024, 2, 15, 10, 2, 0, 5000, UTC)) == "2024-02-15T10:02:00.005Z"


@pytest.mark.parametrize(
    ("value", "expected"),
    [(12, "12"), ("54321", "54321"), (" 7 ", "7"), (5.0, "5"), (0, None), (-3, None), ("0", None), (True, None),
     ("", None), (None, None), ("../x", None), ("12a", None), ("²", None)],
)  # fmt: skip
def test_ids(value: Any, expected: str | None) -> None:
    assert identifier(value) == expected


@pytest.mark.parametrize(
    ("value", "default", "expected"),
    [(True, False, True), ("false", True, False), (0, True, False), (None, True, True), ("perhaps", False, False)],
)
def test_flags(value: Any, default: bool, expected: bool) -> None:
    assert truth(value, default) is expected


@pytest.mark.parametrize(
    ("sent", "expected"),
    [("open", "Open"), ("CLOSED", "Closed"), ("Waiting customer", "Waiting customer"), (" Pending ", "Pending"),
     (3, "3"), ("", None), (None, None), ("Bug", "Bug"), ("siteDown", "SiteDown")],
)  # fmt: skip
def test_choices_are_matched_by_name_and_kept_when_unknown(sent: Any, expected: str | None) -> None:
    assert choices.spelt(sent) == expected


# Tickets


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("remote_id", "54321"), ("number", "1042"), ("subject", "Unable to access email - multiple users affected"),
        ("description", "Sales team (5 users) reporting Outlook disconnected since 9am"), ("client", "12345"),
        ("client_name", "Acme Corporation"), ("contact", "67890"), ("contact_name", "John Smith"),
        ("contact_email", "john.smith@acme.com"), ("status", "Open"), ("priority", "High"), ("impact", "Major"),
        ("ticket_type", "Problem"), ("agent", "11111"), ("agent_name", "Jane Tech"),
        ("agent_email", "jane@msp.example"), ("source", "Email"), ("contract", "5"), ("opened_at", NINE),
        ("first_responded_at", None), ("resolved_at", None), ("response_due_at", NINE.replace(hour=13)),
        ("resolution_due_at", NINE.replace(day=16)), ("closed_at", UNSET), ("remote_updated_at", UNSET),
        ("last_activity_at", UNSET), ("team", UNSET), ("site", UNSET), ("resolution", UNSET),
    ],
)  # fmt: skip
def test_a_ticket(field: str, expected: Any) -> None:
    assert getattr(tickets.ticket_record(TICKET), field) == expected


@pytest.mark.parametrize(
    ("change", "field", "expected"),
    [
        ({"FirstComment": None}, "description", UNSET),
        ({"FirstComment": ""}, "description", UNSET),
        ({"FirstComment": None, "Description": "From the brief"}, "description", "From the brief"),
        ({"FirstResponseDate": "2024-02-15T09:00:00Z"}, "first_responded_at", NINE),
        ({"ClosedTicketDueDate": None, "DueDate": "2024-02-15T09:00:00Z"}, "resolution_due_at", NINE),
        ({"ClosedTicketFinalDueDate": "2024-02-15T09:00:00Z"}, "resolution_due_at", NINE),
        ({"FirstResponseFinalDueDate": "2024-02-15T09:00:00Z"}, "response_due_at", NINE),
        ({"LastActivityDate": "2024-02-15T09:00:00Z"}, "last_activity_at", NINE),
        ({"LastEndUserCommentTimestamp": "2024-02-15T09:00:00.1234567Z"}, "last_activity_at",
         NINE.replace(microsecond=123456)),
        ({"TicketStatus": "Waiting customer"}, "status", "Waiting customer"),
        ({"TicketPriority": 3}, "priority", "3"),
        ({"TechnicianContactID": None, "TechnicianFullName": None}, "agent", None),
        ({"EndUserFirstName": None, "EndUserLastName": None}, "contact_name", None),
        ({"TicketNumber": None}, "number", UNSET),
    ],
)  # fmt: skip
def test_what_differs_between_versions(change: dict[str, Any], field: str, expected: Any) -> None:
    assert getattr(tickets.ticket_record(TICKET | change), field) == expected


def test_nothing_is_cleared_by_a_row_that_does_not_carry_it() -> None:
    assert set(tickets.ticket_record({"TicketID": 1}).known()) == set()


@pytest.mark.parametrize(
    ("answer", "expected"),
    [({"ActionID": "54321"}, "54321"), ({"ActionID": 9, "TicketID": 54321, "TicketTitle": "x"}, "54321"), ({}, None)],
)
def test_the_id_of_a_new_ticket(answer: dict[str, Any], expected: str | None) -> None:
    assert tickets.created_id(answer) == expected


@pytest.mark.parametrize(
    ("durations", "seconds"),
    [(DURATIONS, 3600), ({"TotalBillableHours": 1.5}, 5400), ({"TotalBillableDuration": 5400}, 5400)],
)
def test_durations_by_all_three_names(durations: dict[str, Any], seconds: int) -> None:
    assert tickets.booked({"Billable": durations}) == (seconds, UNSET)


def test_durations_of_a_server_that_lists_the_hours_instead() -> None:
    rows = [{"Duration": 5400, "IsBillable": True}, {"Duration": 60, "IsBillable": False}, HOURS]
    assert tickets.booked({"items": rows}) == (10800, 60)


# Comments


def test_a_comment() -> None:
    (record,) = actions.comment_records([COMMENT], ticket="54321")
    assert (record.kind, record.is_internal, record.is_from_client) == ("note", True, False)
    assert (record.author_agent, record.author_contact, record.author_name) == ("12345", None, "Jane Tech")
    assert (record.body, record.body_is_html) == (COMMENT["CommentHtml"], True)
    assert record.occurred_at == NINE.replace(minute=15)
    assert len(record.remote_id) == 64


def test_a_comment_of_the_short_description_has_an_id() -> None:
    (record,) = actions.comment_records([BRIEF_COMMENT], ticket="54321", end_user="67890")
    assert (record.remote_id, record.kind, record.author_contact) == ("id-777", "reply", "67890")
    assert (record.body, record.body_is_html, record.is_from_client) == ("Still broken for me", False, True)


@pytest.mark.parametrize(
    ("change", "is_internal", "kind"),
    [
        ({"IsInternal": None}, True, "note"),
        ({"EndUserID": 5, "TechnicianContactID": None, "IsInternal": None}, False, "reply"),
        ({"IsInternal": False}, False, "reply"),
        ({"TechnicianContactID": None, "IsInternal": False}, False, "system"),
        ({"TechnicianContactID": None, "IsInternal": None}, True, "system"),
    ],
)
def test_visibility_fails_closed(change: dict[str, Any], is_internal: bool, kind: str) -> None:
    (record,) = actions.comment_records([COMMENT | change], ticket="1")
    assert (record.is_internal, record.kind) == (is_internal, kind)


@pytest.mark.parametrize(
    ("change", "is_same"),
    [
        ({"Date": "2024-02-15T09:15:00.9999999Z"}, True),
        ({"Comment": "  initial TRIAGE: Checking\n Exchange connectivity "}, True),
        ({"FirstName": "Janet", "CommentHtml": None}, True),
        ({"Date": "2024-02-15T09:15:01Z"}, False),
        ({"TechnicianContactID": 2}, False),
        ({"IsInternal": False}, False),
        ({"Comment": "Other"}, False),
        ({"Comment": "Initial triage: Checking Exchange connectivity <b>"}, False),
    ],
)
def test_what_makes_a_comment_the_same(change: dict[str, Any], is_same: bool) -> None:
    mine, other = (actions.fingerprint(row, ticket="1") for row in (COMMENT, COMMENT | change))
    assert (mine == other) is is_same
    assert mine != actions.fingerprint(COMMENT, ticket="2")


def test_the_same_said_twice_is_two_comments_in_any_order() -> None:
    later = COMMENT | {"Date": "2024-02-15T10:00:00Z"}
    once = {a.remote_id for a in actions.comment_records([COMMENT, COMMENT, later], ticket="1")}
    again = {a.remote_id for a in actions.comment_records([later, COMMENT, COMMENT], ticket="1")}
    assert len(once) == 3
    assert once == again
    assert {a.remote_id for a in actions.comment_records([COMMENT], ticket="1")} < once


def test_the_first_comment_is_the_description_and_no_more() -> None:
    opening = COMMENT | {"Date": "2024-02-15T09:00:00Z", "Comment": "It  is <so> broken", "CommentHtml": None}
    rows = [COMMENT, opening, opening | {"Date": "2024-02-15T12:00:00Z"}]
    said = [a.body for a in actions.comment_records(rows, ticket="1", opening="It is <so> broken")]
    assert said == [COMMENT["CommentHtml"], "It  is <so> broken"]
    assert len(actions.comment_records(rows, ticket="1", opening="Something else")) == 3


# Time, files, directory


@pytest.mark.parametrize(
    "row",
    [
        HOURS,
        {"WorkHourID": 22222, "StartDate": "2024-02-15T09:00:00Z", "EndDate": "2024-02-15T10:30:00Z", "Duration": 5400,
         "IsBillable": True, "Notes": "Initial investigation and resolution", "TechnicianContactID": 12345},
    ],
)  # fmt: skip
def test_work_hours_by_both_name_sets(row: dict[str, Any]) -> None:
    record = actions.time_record(row, ticket="54321")
    assert (record.remote_id, record.seconds, record.is_billable, record.agent) == ("22222", 5400, True, "12345")
    assert (record.started_at, record.ended_at) == (NINE, NINE.replace(hour=10, minute=30))
    assert record.note == "Initial investigation and resolution"


def test_hours_that_are_not_billed_and_have_no_end() -> None:
    record = actions.time_record(HOURS | {"Billiable": False, "EndWorkHour": None, "Duration": 60}, ticket="1")
    assert (record.is_billable, record.seconds, record.ended_at) == (False, 60, None)


def test_files_are_addresses() -> None:
    urls = ["https://x.test/f/a%20b.png?sig=1", "https://x.test/f/a%20b.png?sig=2", None, "https://x.test/", 7]
    rows = actions.attachment_records(urls, ticket="1")
    assert [(r.name, r.is_public) for r in rows] == [("a b.png", False), ("file", False)]
    assert rows[0].remote_id == actions.attachment_id("https://X.test/f/a%20b.png?sig=3")
    assert len(rows[0].remote_id) <= 64


def test_customer_contact_contract() -> None:
    client = directory.client_record({"CustomerID": 1, "CustomerName": "Acme", "City": "Ulm", "Country": "DE"})
    assert (client.remote_id, client.name, client.address, client.is_active) == ("1", "Acme", "Ulm, DE", True)
    row = {"EndUserID": 2, "CustomerID": 1, "Firstname": "", "Lastname": None, "Email": "a@b.test", "Archived": True}
    contact = directory.contact_record(row)
    assert (contact.remote_id, contact.client, contact.first_name) == ("2", "1", "a@b.test")
    assert contact.is_active is False
    contract = directory.contract_record(
        {"ContractID": 3, "CustomerID": 1, "ContractName": "Gold", "Active": True, "StartDate": "2024-02-15T09:00:00Z",
         "EndDate": None, "HourlyContract": {"Rate": 1}}
    )  # fmt: skip
    assert (contract.remote_id, contract.client, contract.starts_on) == ("3", "1", date(2024, 2, 15))
    assert contract.ends_on is None
    assert "HourlyContract" not in contract.raw


# Writes


def test_a_create_names_what_is_required_and_what_was_chosen() -> None:
    fields = {"subject": "S", "description": "D", "contact": "7", "client": "1", "status": "Open", "priority": "High",
              "ticket_type": "Problem", "agent": "9", "impact": "Minor", "site": None, "team": None}  # fmt: skip
    assert writes.create_body(fields) == {
        "TicketTitle": "S", "Description": "D", "EndUserID": 7, "TicketStatus": "Open", "TicketPriority": "High",
        "TicketType": "Problem", "TechnicianContactID": 9, "TicketImpact": "Minor",
    }  # fmt: skip


def test_a_create_needs_a_contact_and_gets_a_description() -> None:
    with pytest.raises(Rejected) as caught:
        writes.create_body({"subject": "S", "description": "D", "client": "1"})
    assert set(caught.value.fields) == {"contact"}
    assert writes.create_body({"subject": "S", "contact": "7"})["Description"] == "S"
    html = {"subject": "S", "contact": "7", "description": "<p>a<br>b</p>", "description_is_html": True}
    assert writes.create_body(html)["Description"] == "a b"


@pytest.mark.parametrize(
    "name",
    ["client", "contact", "description", "resolution", "site", "team", "category", "deadline_at", "contract", "parent"],
)
def test_what_cannot_be_changed_is_refused_with_words(name: str) -> None:
    with pytest.raises(Rejected) as caught:
        writes.update_body({"subject": "S", name: "1"})
    assert set(caught.value.fields) == {name}
    assert "Atera" in caught.value.text


def test_nobody_is_no_owner() -> None:
    with pytest.raises(Rejected) as caught:
        writes.update_body({"agent": None})
    assert "agent" in caught.value.fields


@pytest.mark.parametrize("is_internal", [True, False])
@pytest.mark.parametrize("is_strict", [True, False])
def test_a_comment_has_one_details_object_and_its_visibility(is_internal: bool, is_strict: bool) -> None:
    body = writes.comment_body(draft(is_internal=is_internal), default_technician="111", is_strict=is_strict)
    assert body["TechnicianCommentDetails"] == {"TechnicianId": 111, "IsInternal": is_internal}
    assert body.get("IsInternal") == (None if is_strict else is_internal)
    assert "EnduserCommentDetails" not in body
    assert (body["CommentText"], body["CommentTimestampUTC"]) == ("Found it", "2024-02-15T09:00:00.000Z")


def test_the_author_goes_before_the_default_technician() -> None:
    body = writes.comment_body(draft(author_agent="5"), default_technician="111", is_strict=True)
    assert body["TechnicianCommentDetails"]["TechnicianId"] == 5
    with pytest.raises(Rejected):
        writes.comment_body(draft(), default_technician=None, is_strict=True)


def test_booked_time_tells_no_internal_words() -> None:
    body = writes.work_hours_body(draft(time_seconds=5400, time_is_billable=False), default_technician="111")
    assert body == {
        "StartWorkHour": "2024-02-15T07:30:00.000Z", "EndWorkHour": "2024-02-15T09:00:00.000Z", "Billiable": False,
        "OnCustomerSite": False, "Description": "", "TechnicianContactID": 111,
    }  # fmt: skip
