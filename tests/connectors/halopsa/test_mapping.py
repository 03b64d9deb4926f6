"""HaloPSA's rows, as recorded, to records."""

from __future__ import annotations

import json
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.base.configuration import Interval
from connectors.base.errors import Rejected
from connectors.base.records import UNSET, ActionDraft
from connectors.halopsa.mapping import actions, directory, promises, reference, tickets, values, writes

SAMPLES = Path(__file__).parent / "samples"
MARKER = "0b54fdd0-0c77-4d0c-9a3c-6a5ad5c2f001"


def sample(name: str) -> Any:
    return json.loads((SAMPLES / f"{name}.json").read_text())


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-06-30T16:04:27.21", utc(2026, 6, 30, 16, 4, 27, 210000)),
        ("2026-06-30T16:04:27.967", utc(2026, 6, 30, 16, 4, 27, 967000)),
        ("2026-06-30T16:04:27.1234567", utc(2026, 6, 30, 16, 4, 27, 123456)),
        ("2026-06-30T16:04:27", utc(2026, 6, 30, 16, 4, 27)),
        ("2026-06-30T16:04:27Z", utc(2026, 6, 30, 16, 4, 27)),
        ("2026-06-30T18:04:27+02:00", utc(2026, 6, 30, 16, 4, 27)),
        ("2026-06-30", utc(2026, 6, 30)),
        ("1899-12-30T00:00:00", None),
        ("1900-01-01T00:00:00", None),
        ("1901-01-01T09:00:00", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("not a date", None),
        ("", None),
        (None, None),
        (12, None),
        ({}, None),
    ],
)
def test_instants(value: Any, expected: datetime | None) -> None:
    assert values.instant(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (12, "12"),
        (12.0, "12"),
        ("12", "12"),
        ("12.0", "12"),
        (" 012 ", "12"),
        (0, None),
        (-1, None),
        ("0", None),
        (12.5, None),
        (None, None),
        (True, None),
        ("abc", None),
        ("", None),
        ([], None),
        (float("nan"), None),
        (float("inf"), None),
        ("²", None),
    ],
)
def test_ids(value: Any, expected: str | None) -> None:
    assert values.identifier(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(True, True), ("True", True), ("false", False), (1, True), (0, False), ("?", False), (None, False)],
)
def test_flags(value: Any, expected: bool) -> None:
    assert values.truth(value) is expected


def test_a_list_row() -> None:
    row = sample("tickets_list")["tickets"][0]
    record = tickets.ticket_record(row, is_list=True)
    known = record.known()
    assert record.remote_id == "2451"
    assert known["subject"] == "Printer down"
    assert known["status"] == "2"
    assert known["priority"] == "3"
    assert known["agent"] == "4"
    assert known["team"] == "13"
    assert known["site"] == "18"
    assert known["category"] == "Hardware>Printer"
    assert known["subcategory"] is None
    assert known["source"] == "0"
    assert known["reported_by"] is None
    assert known["description_text"] == "3rd floor, no paper jam"
    assert known["deadline_at"] is None
    assert known["resolution_due_at"] == utc(2026, 10, 4, 6, 24, 10, 967000)
    assert known["sla_response_state"] == "met"
    assert known["closed_at"] is None, "a list leaves dateclosed out while the ticket is open"
    assert known["remote_updated_at"] == utc(2026, 10, 3, 8, 4, 28, 360000)
    assert "description" not in known
    assert "opened_at" not in known
    assert known["occurred_at"] == utc(2026, 10, 3, 6, 24, 10, 967000)
    assert "resolution" not in known
    assert "sla_resolution_state" not in known
    assert "marker" not in known


def test_a_closed_list_row_without_a_team_id() -> None:
    row = sample("tickets_list")["tickets"][1]
    record = tickets.ticket_record(row, is_list=True, teams={"2nd line": "14"})
    assert record.agent is None, "agent 1 is nobody"
    assert record.team == "14"
    assert record.contact is None
    assert record.impact is None
    assert record.closed_at == record.resolved_at == utc(2026, 10, 2, 8, 59, 59)
    assert record.response_due_at is None
    assert record.sla_response_state is None
    assert record.site == "18"
    assert tickets.ticket_record(row, is_list=True).team is UNSET, "a name nobody knows keeps our team"


def test_a_single_ticket() -> None:
    record = tickets.ticket_record(sample("ticket"), teams={"1st line": "13"})
    assert record.description == "<p>3rd floor, no paper jam</p>"
    assert record.description_is_html is True
    assert record.opened_at == utc(2026, 10, 3, 6, 24, 11, 200000)
    assert record.contact_email == "sam@acme.test"
    assert record.category == "Hardware>Printer"
    assert record.resolution is None
    assert record.marker == MARKER
    assert record.sla_paused is True
    assert record.sla_resolution_state == "running"
    assert record.billable_seconds == 900
    assert record.deadline_at == utc(2026, 10, 5, 12)
    assert record.cc == "boss@acme.test"
    assert record.is_removed is False


@pytest.mark.parametrize(
    ("state", "responded", "expected"),
    [
        ("I", False, "running"),
        ("I", True, "met"),
        ("O", True, "breached"),
        (0, False, "not_started"),
        ("4", False, "breached"),
        (2, False, "paused"),
        ("", False, None),
        ("?", False, None),
        (None, False, None),
        (77, False, None),
    ],
)
def test_sla_states(state: Any, responded: bool, expected: str | None) -> None:
    row = {"id": 1, "slaresponsestate": state, "responsedate": "2026-10-03T08:00:00" if responded else None}
    assert tickets.ticket_record(row).sla_response_state == expected


def test_an_answer_with_a_few_members_keeps_the_rest() -> None:
    known = tickets.ticket_record({"id": 54321, "summary": "x"}).known()
    assert set(known) == {"number", "subject", "is_removed"}


@pytest.mark.parametrize(
    "row",
    [
        {"id": 5, "status_id": "?", "client_id": [], "dateoccurred": 17, "summary": None, "team": 5, "category_1": {}},
        {"id": "5", "priority": "high", "chargehours": "a lot", "agent_id": -3, "source": "carrier pigeon"},
        {"id": 5, "details_html": "\x00<b>", "slastate": {"a": 1}, "third_party_id_string": 12},
    ],
)
def test_unknown_values_never_drop_a_ticket(row: dict[str, Any]) -> None:
    for is_list in (True, False):
        record = tickets.ticket_record(row, is_list=is_list)
        assert record.remote_id == "5"
        assert record.raw is row


def test_actions() -> None:
    rows = sample("actions")["actions"]
    note, mail, answer, status, opened = (actions.action_record(row, ticket="54321") for row in rows)
    assert (note.kind, mail.kind, answer.kind, status.kind, opened.kind) == (
        "note",
        "reply",
        "reply",
        "system",
        "system",
    )
    assert note.marker == "0b54fdd0-0c77-4d0c-9a3c-6a5ad5c2f002"
    assert note.is_ours is True
    assert note.body == "<p>Checked the <b>queue</b></p>"
    assert note.time_seconds == 900
    assert note.time_is_billable is True
    assert (note.old_status, note.new_status) == ("1", "2")
    assert mail.is_internal is False
    assert mail.author_agent == "4"
    assert mail.email_to == "sam@acme.test"
    assert answer.is_from_client is True
    assert answer.author_contact == "77"
    assert answer.author_agent is None
    assert answer.body_is_html is False
    assert status.is_internal is True, "an action without hiddenfromuser is internal"
    assert opened.old_status is None


@pytest.mark.parametrize("value", [None, "maybe", {}, [], "null"])
def test_visibility_fails_closed(value: Any) -> None:
    assert actions.action_record({"id": 1, "hiddenfromuser": value}, ticket="1").is_internal is True
    assert actions.attachment_record({"id": 1, "showforusers": value}, ticket="1").is_public is False


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"actiontype_id": 2}, "call"),
        ({"actiontype_id": 3}, "visit"),
        ({"actiontype_id": 1}, "reply"),
        ({"outcome": "Site Visit"}, "visit"),
        ({"outcome": "Phone Call"}, "call"),
        ({"outcome": "Public Note", "hiddenfromuser": False, "note": "x"}, "reply"),
        ({"outcome": "Private Note", "hiddenfromuser": True}, "note"),
        ({"outcome": "Re-Assign"}, "system"),
        ({"outcome": "Resolve", "note": "done", "hiddenfromuser": False}, "reply"),
        ({"outcome": "Resolve", "note": "done", "hiddenfromuser": True}, "note"),
        ({"outcome": "?"}, "system"),
        ({"outcome": "Log Time", "timetaken": 0.5}, "note"),
        ({"outcome": "Email Received", "emaildirection": "I"}, "reply"),
        ({"id": 1, "outcome": "First User Email", "emaildirection": "I", "note": "x"}, "reply"),
    ],
)
def test_kinds_of_action(row: dict[str, Any], expected: str) -> None:
    assert actions.action_record({"id": 9, **row}, ticket="1").kind == expected


@pytest.mark.parametrize(
    ("row", "seconds", "billable"),
    [
        ({"timetaken": 0.00853}, 31, UNSET),
        ({"timetaken": 0.5, "actisbillable": False}, 1800, False),
        ({"timetaken": 0.5, "nonbilltime": 0.5}, 1800, False),
        ({"timetaken": 0.0, "nonbilltime": 0.5}, 1800, False),
        ({"timetaken": 0.5, "nonbilltime": 0.25, "actisbillable": True}, 2700, True),
        ({"timetaken": 0}, None, UNSET),
        ({}, UNSET, UNSET),
        ({"timetaken": "x"}, None, UNSET),
    ],
)
def test_time_is_in_hours(row: dict[str, Any], seconds: Any, billable: Any) -> None:
    record = actions.action_record({"id": 2, **row}, ticket="1")
    assert record.time_seconds == seconds
    assert record.time_is_billable == billable


def test_outcomes_are_chosen_by_name() -> None:
    records = [reference.outcome_record(row) for row in sample("reference")["outcome"]]
    chosen = actions.choose_outcomes(records)
    assert chosen == {"note": "7", "reply": "2", "call": "3", "visit": "7", "time": "7", "close": "6"}
    note = records[-1]
    assert note.new_status is None
    assert note.ticket_types == ("1", "2")
    assert records[3].must_add_note is True


def test_an_outcome_with_every_rule() -> None:
    row = {
        "id": 31, "outcome": "Waiting for parts", "buttonname": "Parts", "labellong": "Waiting for parts to come",
        "colour": "#B07D2B", "sequence": 40, "hidden": False, "newstatus": 6, "sendemail": 2, "hidefromuser": False,
        "slaholdischecked": True, "slareleaseischecked": False, "mustaddnote": True, "mustassign": True,
        "defaultmanhrs": 0.25, "requesttype": 3, "tickettypes": [{"value": "1", "label": "Incident", "isnew": False}],
    }  # fmt: skip
    found = reference.outcome_record(row)
    assert (found.name, found.label, found.long_label) == (
        "Waiting for parts",
        "Parts",
        "Waiting for parts to come",
    )
    assert (found.colour, found.sequence, found.is_hidden, found.new_status) == ("#b07d2b", 40, False, "6")
    assert (found.hide_from_client, found.must_add_note, found.must_assign) == (False, True, True)
    assert (found.sla_hold, found.sla_release, found.sends_email) == (True, False, True)
    assert found.default_seconds == 900
    assert found.ticket_types == ("1", "3")


@pytest.mark.parametrize(
    ("row", "types"),
    [
        ({}, UNSET),
        ({"requesttype": 0}, ()),
        ({"requesttype": -1, "tickettypes": []}, ()),
        ({"requesttype": 3}, ("3",)),
        ({"requesttype": None, "tickettypes": None}, UNSET),
        ({"tickettypes": [{"value": "2"}, {"id": 4}, 5, {"value": None}]}, ("2", "4", "5")),
    ],
)
def test_ticket_types_of_an_outcome(row: dict[str, Any], types: Any) -> None:
    assert reference.outcome_record({"id": 1, **row}).ticket_types == types


@pytest.mark.parametrize("colour", ["red", "#12345", "url(x)", "#12345g", '"><script>', None])
def test_a_colour_is_six_digits_or_none(colour: Any) -> None:
    assert reference.outcome_record({"id": 1, "colour": colour}).colour is None


def test_statuses() -> None:
    data = sample("reference")
    closed = reference.closed_ids(data["status"], data["status_without_closed"])
    assert closed == {"9", "32"}
    records = {r.remote_id: r for r in reference.status_records(data["status"], closed)}
    assert {key: (r.category, r.sla_clock) for key, r in records.items()} == {
        "1": ("new", "running"),
        "2": ("open", "running"),
        "3": ("open", "running"),
        "4": ("waiting_client", "paused"),
        "5": ("waiting_third_party", "paused"),
        "9": ("closed", "stopped"),
        "28": ("waiting", "paused"),
        "31": (None, None),
        "32": ("closed", "stopped"),
    }
    assert records["1"].colour == "#2b7de9"
    assert records["31"].colour is None


@pytest.mark.parametrize(
    ("name", "category"),
    [
        ("New", "new"),
        ("In Progress", "open"),
        ("Pending", "waiting"),
        ("On Hold", "waiting"),
        ("Waiting on Client", "waiting_client"),
        ("Waiting on Third Party", "waiting_third_party"),
        ("Resolved", "resolved"),
        ("Closed", "closed"),
        ("Awaiting Customer", "waiting_client"),
        ("Waiting Materials", "waiting_third_party"),
        ("Scheduled", "waiting"),
        ("Cancelled", "closed"),
        ("Canceled", "closed"),
        ("Escalated", "escalated"),
        ("Re-Opened", "open"),
        ("Completed", "closed"),
        ("With Supplier", "waiting_third_party"),
        ("Pending Closure", "resolved"),
        ("Fertig", None),
        ("", None),
    ],
)
def test_status_names(name: str, category: str | None) -> None:
    assert reference.status_category(name) == category


def test_a_filter_that_is_ignored_teaches_nothing() -> None:
    rows = sample("reference")["status"]
    assert reference.closed_ids(rows, rows) == frozenset()
    assert reference.closed_ids(rows, []) == frozenset()


def test_priorities_and_policies() -> None:
    data = sample("reference")
    records = {r.remote_id: r for r in reference.priority_records(data["priority"])}
    assert {key: r.rank for key, r in records.items()} == {"1": 1, "3": 3, "18": 1, "17": 2}
    assert records["3"].name == "Medium"
    assert records["3"].is_active is True
    standard, gold = promises.policy_records(data["sla"], data["priority"])
    first, second = standard.targets  # type: ignore[misc]
    assert (first.response_seconds, first.resolution_seconds, first.resolution_in_days) == (900, 3600, False)
    assert (second.resolution_seconds, second.resolution_in_days) == (172_800, True)
    assert standard.calendar == "1"
    by_priority = {t.priority: t for t in gold.targets}  # type: ignore[union-attr]
    assert all(t.response_seconds is None for t in by_priority.values()), "this SLA does not track responses"
    assert by_priority["3"].resolution_seconds is None
    assert by_priority["17"].resolution_seconds is None, "a unit nobody knows promises nothing"


def test_calendars() -> None:
    always, office = (promises.calendar_record(row) for row in sample("reference")["workday"])
    assert always.is_always_open is True
    assert always.time_zone is None
    assert office.is_always_open is False
    assert office.time_zone == "Europe/London"
    assert office.intervals == (
        Interval(weekday=0, opens=540, closes=1050),
        Interval(weekday=1, opens=540, closes=1050),
        Interval(weekday=4, opens=1320, closes=1440),
        Interval(weekday=5, opens=0, closes=360),
    )
    christmas, boxing = office.holidays  # type: ignore[misc]
    assert (christmas.starts_on, christmas.ends_on) == (date(2026, 12, 25), date(2026, 12, 26))
    assert (boxing.starts_on, boxing.ends_on) == (date(2026, 12, 28), date(2026, 12, 28))


def holiday(**row: Any) -> list[tuple[date, date, int | None, int | None]]:
    workday = {"id": 2, "name": "Office", "holidays": [{"name": "x", **row}]}
    found = promises.calendar_record(workday).holidays
    return [(h.starts_on, h.ends_on, h.opens, h.closes) for h in found]  # type: ignore[union-attr]


def test_a_day_may_be_closed_in_part() -> None:
    eve, day = date(2026, 12, 24), date(2026, 12, 25)
    until_one = {"date": "2026-12-24T13:00:00", "end_date": "2026-12-24T23:59:00", "allday": False}
    assert holiday(**until_one) == [(eve, eve, 0, 13 * 60)]
    from_ten = {"date": "2026-12-24T00:00:00", "end_date": "2026-12-24T10:00:00", "allday": False}
    assert holiday(**from_ten) == [(eve, eve, 600, 1440)]
    over_days = {"date": "2026-12-24T13:00:00", "end_date": "2026-12-27T09:30:00", "allday": False}
    assert holiday(**over_days) == [
        (eve, eve, 0, 780),
        (day, date(2026, 12, 26), None, None),
        (date(2026, 12, 27), date(2026, 12, 27), 570, 1440),
    ]
    midnight = {"date": "2026-12-24T00:00:00", "end_date": "2026-12-25T00:00:00", "allday": False}
    assert holiday(**midnight) == [(eve, eve, None, None)], "the whole day, said in hours"
    assert holiday(date="2026-12-25T00:00:00") == [(day, day, None, None)], "without a word it is whole"


def test_around_the_clock_with_days_off_is_not_always_open() -> None:
    always = {**sample("reference")["workday"][0], "holidays": [{"name": "x", "date": "2026-12-25T00:00:00"}]}
    record = promises.calendar_record(always)
    assert record.is_always_open is False
    assert len(record.intervals) == 7  # type: ignore[arg-type]


def test_a_priority_may_have_a_workday_of_its_own() -> None:
    rows = [
        {"slaid": 1, "priorityid": 1, "responsetime": 1.0, "responseunits": "H", "workdaysoverride": 4},
        {"slaid": 1, "priorityid": 2, "responsetime": 1.0, "responseunits": "H", "workdaysoverride": 0},
        {"slaid": 1, "priorityid": 3, "responsetime": 1.0, "responseunits": "H", "workdaysoverride": -1},
        {"slaid": 1, "priorityid": 4, "responsetime": 1.0, "responseunits": "H"},
    ]
    (policy,) = promises.policy_records([{"id": 1, "name": "Gold", "workday_id": 2}], rows)
    assert [t.calendar for t in policy.targets] == ["4", None, None, None]  # type: ignore[union-attr]


def test_types_categories_people() -> None:
    data = sample("reference")
    incident, onboarding = (reference.ticket_type_record(r, teams={"1st line": "13"}) for r in data["tickettype"])
    assert (incident.kind, incident.initial_status, incident.default_team) == ("incident", "1", "13")
    assert incident.reopened_status == "2"
    assert (onboarding.kind, onboarding.initial_status, onboarding.default_priority) == ("request", None, None)
    assert (onboarding.is_active, onboarding.agents_may_select) == (True, False)
    told = [
        reference.ticket_type_record({"id": 1, "name": "Alert", **more}, teams={}).kind
        for more in ({}, {"itilrequesttype": 1}, {"itilrequesttype": 99})
    ]
    assert told == [None, "incident", None], "what neither name nor ITIL tells is for a person"
    led = reference.ticket_type_record({"id": 1, "name": "Incident", "default_agent": 7}, teams={})
    assert led.default_agent == "7"
    category = reference.category_record(data["category"][0])
    assert (category.level, category.value, category.name) == (1, "Hardware>Printer", "Printer")
    teams = {"1st line": "13", "2nd line": "14"}
    agent = directory.agent_record(data["agent"][1], teams=teams)
    assert agent.teams == ("14", "13")
    assert agent.is_active is True
    assert directory.team_record(data["team"][1]).is_active is False


def test_directory() -> None:
    data = sample("directory")
    assert directory.client_record(data["client"]).phone == "+44 20 7946 0000"
    site = directory.site_record(data["site"])
    assert (site.client, site.time_zone, site.phone) == ("12", "Europe/London", None)
    contact = directory.contact_record(data["user"])
    assert (contact.client, contact.site, contact.first_name, contact.is_vip) == ("12", "18", "Sam", True)
    contract = directory.contract_record(data["contract"])
    assert (contract.name, contract.starts_on, contract.ends_on, contract.sla_policy) == (
        "Gold support",
        date(2026, 1, 1),
        None,
        "2",
    )
    split = directory.contact_record({"id": 1, "name": "Ana de Souza", "client_id": 3})
    assert (split.first_name, split.last_name) == ("Ana de", "Souza")


def row_of(is_new: bool = False, **fields: Any) -> dict[str, Any]:
    return writes.ticket_row(fields, team_name=lambda i: f"Team {i}", unassigned="1", is_new=is_new)


def test_canonical_fields_to_members() -> None:
    assert row_of(
        agent=None, team="13", status="9", resolution="Toner", category="A>B", subcategory=None, impact="2"
    ) == {
        "agent_id": 1,
        "team": "Team 13",
        "status_id": 9,
        "closure_note": "Toner",
        "resolution": "Toner",
        "category_1": "A>B",
        "category_2": "",
        "impact": 2,
    }
    assert row_of(description="a < b\nc") == {"details_html": "a &lt; b<br>c"}
    assert row_of(description="<p>x</p>", description_is_html=True) == {"details_html": "<p>x</p>"}
    due = datetime(2026, 10, 5, 12, tzinfo=UTC)
    assert row_of(resolution_due_at=due) == {
        "fixbydate": "2026-10-05T12:00:00.000Z",
        "deadlinedate": "2026-10-05T12:00:00.000Z",
    }
    assert row_of(escalation_reason="late") == {}
    assert row_of(is_new=True, subject="x", agent=None, contact=None) == {
        "summary": "x",
        "usertype": 1,
        "userlookup": {"id": -1},
    }


@pytest.mark.parametrize("fields", [{"colour": "red"}, {"status": "abc"}, {"opened_at": None}])
def test_what_cannot_be_written_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(Rejected) as caught:
        row_of(**fields)
    assert set(caught.value.fields) == set(fields)


def draft(**more: Any) -> ActionDraft:
    defaults: dict[str, Any] = {
        "ticket": "54321",
        "kind": "note",
        "body_html": "<p>Hi</p>",
        "body_text": "Hi",
        "is_internal": True,
        "marker": MARKER,
        "occurred_at": utc(2026, 10, 3, 8, 15),
    }
    return ActionDraft(**(defaults | more))


def test_an_action_to_write() -> None:
    assert writes.action_row(draft(), outcome="7") == {
        "ticket_id": 54321,
        "outcome_id": 7,
        "note_html": f"<p>Hi</p><!-- helpdesk:{MARKER} -->",
        "hiddenfromuser": True,
        "sendemail": False,
    }
    row = writes.action_row(
        draft(
            is_internal=False,
            time_seconds=900,
            time_is_billable=False,
            new_status="2",
            author_agent="4",
            send_email=True,
            email_to="sam@acme.test",
        ),
        outcome="2",
        author_name="Pat Agent",
    )
    assert row["timetaken"] == 0.25
    assert row["actisbillable"] is False
    assert row["new_status"] == 2
    assert (row["who"], row["who_agentid"], row["who_type"]) == ("Pat Agent", 4, 1)
    assert (row["sendemail"], row["emailto"], row["emailcc"]) == (True, "sam@acme.test", None)
    assert (row["actionarrivaldate"], row["actioncompletiondate"]) == (
        "2026-10-03T08:00:00.000Z",
        "2026-10-03T08:15:00.000Z",
    )


def test_an_internal_note_never_mails() -> None:
    row = writes.action_row(draft(send_email=True, email_to="sam@acme.test"), outcome="7")
    assert row["sendemail"] is False
    assert "emailto" not in row


def test_a_mail_to_our_own_people_is_hidden_from_the_client() -> None:
    ours = draft(send_email=True, email_to="mona@harbour.test", title="Escalated", is_to_staff=True)
    row = writes.action_row(ours, outcome="7")
    assert (row["sendemail"], row["emailto"], row["emailsubject"]) == (True, "mona@harbour.test", "Escalated")
    assert row["hiddenfromuser"] is True
    public = draft(send_email=True, email_to="mona@harbour.test", is_to_staff=True, is_internal=False)
    assert writes.action_row(public, outcome="7")["sendemail"] is False


def test_what_an_answer_does_not_show() -> None:
    record = tickets.ticket_record({"id": 1, "status_id": 2, "agent_id": 1, "summary": "a"})
    assert writes.unconfirmed({"status": "2", "agent": None, "subject": "a"}, record) == frozenset()
    assert writes.unconfirmed({"status": "9", "priority": "3", "escalation_reason": "x"}, record) == {
        "status",
        "priority",
    }


def test_a_hundred_rows_take_a_few_milliseconds() -> None:
    rows = [dict(sample("tickets_list")["tickets"][0], id=i) for i in range(1, 101)]
    best = min(_timed(rows) for _ in range(5))
    assert best < 0.025


def _timed(rows: list[dict[str, Any]]) -> float:
    started = time.thread_time()
    for row in rows:
        tickets.ticket_record(row, is_list=True)
    return time.thread_time() - started


def test_when_a_hold_began() -> None:
    def told(**row: Any) -> Any:
        return tickets.ticket_record({"id": 5, **row}).sla_paused_at

    assert told(slaactiondate="2026-11-20T09:00:00.5") == datetime(2026, 11, 20, 9, 0, 0, 500_000, tzinfo=UTC)
    assert told(slaactiondate="1900-01-01T00:00:00") is None
    assert told() is UNSET
