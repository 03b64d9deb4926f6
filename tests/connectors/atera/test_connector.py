"""What the connector does with Atera's answers. Every request is checked against the vendor's own document."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import stamina

from connectors.base.errors import NotFound, RateLimited, Rejected, Unknown
from tests.connectors.atera.api import Api, Turns, page
from tests.connectors.atera.samples import COMMENT, DURATIONS, HOURS, TICKET
from tests.connectors.atera.test_mapping import draft

NOW = datetime(2024, 2, 15, 10, 30, tzinfo=UTC)
OK = httpx.Response(200, json={"ActionID": "1"})
FIELDS = {
    "subject": TICKET["TicketTitle"], "description": TICKET["FirstComment"], "contact": "67890", "client": "12345",
    "status": "Open", "priority": "High", "ticket_type": "Problem", "agent": "11111",
}  # fmt: skip


@pytest.fixture(autouse=True)
def quick() -> Any:
    with stamina.set_testing(True, attempts=3):
        yield


def by_status(request: httpx.Request) -> dict[str, Any]:
    rows = [
        TICKET | {"TicketID": i, "TicketStatus": status}
        for i, status in enumerate(("Open", "Closed", "Pending", "Waiting customer", "Resolved"), start=1)
    ]
    wanted = request.url.params.get("ticketStatus")
    return page([r for r in rows if wanted is None or wanted.lower() == r["TicketStatus"].lower()])


# Reads


@pytest.mark.parametrize(
    ("is_open", "settings", "expected"),
    [
        (True, {}, ["1", "3"]),
        (True, {"open_statuses": "waiting CUSTOMER, Waiting customer, open"}, ["1", "3", "4"]),
        (True, {"open_statuses": "Waiting customer"}, ["1", "3", "4"]),
        (False, {}, ["2", "4", "5"]),
        (False, {"open_statuses": "Waiting customer"}, ["2", "5"]),
        (None, {}, ["1", "2", "3", "4", "5"]),
    ],
)
def test_open_tickets_first_one_status_a_call(is_open: bool | None, settings: Any, expected: list[str]) -> None:
    api = Api({"GET /tickets": by_status})
    pages = list(api.connector(**settings).tickets(since=None, until=NOW, is_open=is_open))
    assert [r.remote_id for p in pages for r in p.rows] == expected
    assert pages[-1].next_token is None
    assert all(p.next_token for p in pages[:-1])


def test_open_tickets_go_on_with_the_next_status() -> None:
    api = Api({"GET /tickets": by_status})
    first = next(iter(api.connector().tickets(since=None, until=NOW, is_open=True)))
    rest = list(api.connector().tickets(since=None, until=NOW, is_open=True, token=first.next_token))
    assert [r.remote_id for p in rest for r in p.rows] == ["3"]


def test_changes_are_asked_with_their_comments_since_an_instant() -> None:
    api = Api({"GET /tickets/lastmodified": page([TICKET, TICKET])})
    (found,) = api.connector().tickets(since=NOW, until=NOW)
    assert [r.remote_id for r in found.rows] == ["54321"]
    params = api.requests[0].url.params
    assert (params["date"], params["includeComments"]) == ("2024-02-15T10:30:00.000Z", "true")


def test_booked_time_costs_a_call_only_where_there_is_some() -> None:
    summary = {"TicketID": 54321, "Billable": DURATIONS, "NonBillable": DURATIONS | {"TotalDurationHours": 0.25}}
    api = Api({"GET /tickets/54321": Turns(TICKET, TICKET | {"TotalDurationSeconds": 4500}),
               "GET /tickets/54321/workhours": summary})  # fmt: skip
    connector = api.connector()
    record = connector.ticket("54321")
    assert (record.billable_seconds, record.nonbillable_seconds, len(api.requests)) == (0, 0, 1)
    record = connector.ticket("54321")
    assert (record.billable_seconds, record.nonbillable_seconds, len(api.requests)) == (3600, 900, 3)


def test_what_a_ticket_page_needs_reads_the_ticket_once() -> None:
    api = Api({
        "GET /tickets/54321": TICKET | {"TotalDurationSeconds": 5400},
        "GET /tickets/54321/workhours": {},
        "GET /tickets/54321/comments": page([COMMENT | {"Comment": TICKET["FirstComment"], "CommentHtml": None,
                                                        "Date": TICKET["TicketCreatedDate"]}, COMMENT]),
        "GET /tickets/54321/workhoursrecords": page([HOURS]),
    })  # fmt: skip
    connector = api.connector()
    connector.ticket("54321")
    assert [a.body for a in connector.actions("54321")] == [COMMENT["CommentHtml"]]
    assert [t.remote_id for t in connector.times("54321")] == ["22222"]
    assert len(api.requests) == 4


def test_the_directory_asks_early_enough_for_every_zone() -> None:
    api = Api({
        "GET /customers": page([{"CustomerID": 1, "CustomerName": "Acme"}]),
        "GET /contacts": page([{"EndUserID": 2, "CustomerID": 1, "Firstname": "A"}]),
        "GET /contracts": httpx.Response(403),
    })  # fmt: skip
    parts = list(api.connector().directory(since=NOW))
    assert [(kind, [r.remote_id for r in p.rows]) for kind, p in parts] == [("clients", ["1"]), ("contacts", ["2"])]
    assert api.requests[0].url.params["FromLastModifiedDate"] == "2024-02-14T20:30:00"


@pytest.mark.parametrize(("status", "expected"), [(200, True), (404, False), (405, False), (403, False)])
def test_work_hours_are_offered_where_the_api_has_them(status: int, expected: bool) -> None:
    answer = httpx.Response(status, json=page([]) if status == 200 else {"title": "no"})
    found = Api({"GET /workhours": answer, "GET /contracts": page([])}).connector().describe().to_json()
    assert found["capabilities"]["time_entry_create"] is expected
    assert found["capabilities"]["contracts"] is True


@pytest.mark.parametrize("strange", ["0", "../customers", "abc", "", "1/2"])
def test_what_is_no_id_is_not_asked_for(strange: str) -> None:
    api = Api({})
    with pytest.raises(NotFound):
        api.connector().ticket(strange)
    assert not api.requests


# Create and update


def test_a_create_is_read_back_by_the_id_it_answers() -> None:
    api = Api({"POST /tickets": httpx.Response(201, json={"ActionID": "54321"}), "GET /tickets/54321": TICKET})
    assert api.connector().create_ticket(FIELDS, marker="m").remote_id == "54321"
    assert len(api.requests) == 2


@pytest.mark.parametrize(
    ("got", "sent"),
    [
        ({"TechnicianContactID": None}, {"TechnicianContactID": 11111}),
        ({"TicketStatus": "Pending"}, {"TicketStatus": "Open"}),
        ({"TicketStatus": "Pending", "TechnicianContactID": 2}, {"TicketStatus": "Open", "TechnicianContactID": 11111}),
    ],
)
def test_status_and_owner_that_were_not_taken_are_written_once_more(got: Any, sent: Any) -> None:
    api = Api({"POST /tickets": httpx.Response(201, json={"ActionID": "54321"}), "POST /tickets/54321": OK,
               "GET /tickets/54321": Turns(TICKET | got, TICKET)})  # fmt: skip
    record = api.connector().create_ticket(FIELDS, marker="m")
    assert api.sent("POST", "/tickets/54321") == [sent]
    assert (record.status, record.agent) == ("Open", "11111")


def test_a_correction_that_is_refused_leaves_the_ticket_created() -> None:
    api = Api({"POST /tickets": httpx.Response(201, json={"ActionID": "54321"}),
               "POST /tickets/54321": httpx.Response(400, json={"detail": "no"}),
               "GET /tickets/54321": TICKET | {"TechnicianContactID": None}})  # fmt: skip
    assert api.connector().create_ticket(FIELDS, marker="m").agent is None


@pytest.mark.parametrize("answer", [httpx.Response(404), httpx.Response(429), httpx.Response(500)])
def test_a_create_that_cannot_be_read_back_is_unknown(answer: httpx.Response) -> None:
    api = Api({"POST /tickets": httpx.Response(201, json={"ActionID": "54321"}), "GET /tickets/54321": answer})
    with pytest.raises(Unknown):
        api.connector().create_ticket(FIELDS, marker="m")


@pytest.mark.parametrize(
    ("change", "is_found"),
    [({}, True), ({"TicketTitle": "Other"}, False), ({"EndUserID": 1}, False), ({"FirstComment": "Other"}, False),
     ({"FirstComment": None}, True), ({"TicketCreatedDate": "2024-02-14T09:00:00Z"}, False)],
)  # fmt: skip
def test_a_lost_create_is_found_by_what_it_said(change: dict[str, Any], is_found: bool) -> None:
    api = Api({"GET /tickets/lastmodified": page([TICKET | change]), "GET /tickets/54321": TICKET})
    since = datetime(2024, 2, 15, 8, 59, tzinfo=UTC)
    assert (api.connector().find_ticket(FIELDS, marker="m", since=since) is not None) is is_found


def test_an_update_sends_what_changed() -> None:
    api = Api({"POST /tickets/54321": OK, "GET /tickets/54321": TICKET | {"TicketStatus": "Resolved"}})
    record = api.connector().update_ticket("54321", {"status": "Resolved", "priority": "Medium"})
    assert record.status == "Resolved"
    assert api.sent("POST", "/tickets/54321") == [{"TicketStatus": "Resolved", "TicketPriority": "Medium"}]


# Comments, time, status


def said(body: str = "Found it", **more: Any) -> dict[str, Any]:
    return (
        COMMENT
        | {"Comment": body, "CommentHtml": None, "Date": "2024-02-15T09:00:00Z", "TechnicianContactID": 111}
        | more
    )


def commented(*answers: Any, **routes: Any) -> Api:
    return Api({"POST /tickets/54321/comments": httpx.Response(201), "GET /tickets/54321": TICKET,
                "GET /tickets/54321/comments": Turns(*answers), **routes})  # fmt: skip


@pytest.mark.parametrize("is_internal", [True, False])
def test_a_comment_is_read_back_once(is_internal: bool) -> None:
    api = commented(page([COMMENT, said(IsInternal=is_internal)]))
    record = api.connector().create_action(draft(is_internal=is_internal))
    assert len(record.remote_id) == 64
    assert (record.is_internal, record.author_agent) == (is_internal, "111")
    (body,) = api.sent("POST", "/tickets/54321/comments")
    assert body["TechnicianCommentDetails"]["IsInternal"] is is_internal
    assert len([r for r in api.requests if r.url.path.endswith("/comments")]) == 2


@pytest.mark.parametrize("change", [{"IsInternal": False}, {"Comment": "Other"}, {"TechnicianContactID": 5},
                                    {"Date": "2024-02-15T08:00:00Z"}])  # fmt: skip
def test_a_comment_that_does_not_show_is_unknown(change: dict[str, Any]) -> None:
    with pytest.raises(Unknown) as caught:
        commented(page([said() | change])).connector().create_action(draft())
    assert "not yet visible" in caught.value.text


def test_a_comment_found_later_is_not_another_writes() -> None:
    connector = commented(page([said(), said()])).connector()
    first = connector.find_action(draft(), since=NOW, taken=frozenset())
    assert first is not None
    second = connector.find_action(draft(), since=NOW, taken=frozenset({first.remote_id}))
    assert second is not None
    assert second.remote_id != first.remote_id
    assert connector.find_action(draft(), since=NOW, taken=frozenset({first.remote_id, second.remote_id})) is None


def test_an_older_key_refuses_a_body_with_404() -> None:
    api = Api({"POST /tickets/54321/comments": httpx.Response(404, text="Invalid input")})
    with pytest.raises(Rejected):
        api.connector().create_action(draft())


def booked(**more: Any) -> dict[str, Any]:
    return HOURS | {"StartWorkHour": "2024-02-15T08:00:00Z", "EndWorkHour": "2024-02-15T09:00:00Z",
                    "TechnicianContactID": 111} | more  # fmt: skip


def test_note_time_and_status_are_three_writes_in_order() -> None:
    api = commented(
        page([said()]),
        **{
            "POST /tickets/54321/workhours": httpx.Response(201, json={"ActionID": "9"}),
            "GET /tickets/54321/workhoursrecords": Turns(page([]), page([booked()])),
            "POST /tickets/54321": OK,
            "GET /tickets/54321": Turns(TICKET, TICKET, TICKET | {"TicketStatus": "Pending"}),
        },
    )
    record = api.connector().create_action(draft(time_seconds=3600, new_status="Pending"))
    assert record.new_status == "Pending"
    posts = [r.url.path.rpartition("/")[2] for r in api.requests if r.method == "POST"]
    assert posts == ["workhours", "comments", "54321"]


def test_a_second_try_books_time_once() -> None:
    api = commented(page([said()]), **{"GET /tickets/54321/workhoursrecords": page([booked()])})
    api.connector().create_action(draft(time_seconds=3600))
    assert api.sent("POST", "/tickets/54321/workhours") == []


def test_time_alone() -> None:
    api = commented(page([]), **{"POST /tickets/54321/workhours": httpx.Response(201, json={"ActionID": "9"}),
                                 "GET /tickets/54321/workhoursrecords": Turns(page([]), page([booked()]))})  # fmt: skip
    alone = draft(kind="time", body_html="", body_text="", time_seconds=3600)
    connector = api.connector()
    assert connector.create_action(alone).remote_id == "22222"
    assert api.sent("POST", "/tickets/54321/comments") == []
    assert connector.find_action(alone, since=NOW, taken=frozenset()) is not None
    assert connector.find_action(alone, since=NOW, taken=frozenset({"22222"})) is None


def test_time_shows_as_soon_as_it_is_booked() -> None:
    api = commented(
        page([]),
        **{
            "POST /tickets/54321/workhours": httpx.Response(201, json={"ActionID": "9"}),
            "GET /tickets/54321/workhoursrecords": Turns(page([]), page([booked()])),
            "GET /tickets/54321/workhours": {},
            "GET /tickets/54321": Turns(TICKET, TICKET | {"TotalDurationSeconds": 3600}),
        },
    )
    connector = api.connector()
    assert connector.ticket("54321").billable_seconds == 0
    connector.create_action(draft(kind="time", body_html="", body_text="", time_seconds=3600))
    assert [t.seconds for t in connector.times("54321")] == [3600]


@pytest.mark.parametrize("status", [404, 405])
def test_an_api_without_work_hours_refuses_time_before_anything_is_said(status: int) -> None:
    api = commented(page([]), **{"POST /tickets/54321/workhours": httpx.Response(status),
                                 "GET /tickets/54321/workhoursrecords": page([])})  # fmt: skip
    with pytest.raises(Rejected) as caught:
        api.connector().create_action(draft(time_seconds=3600))
    assert "time_seconds" in caught.value.fields
    assert api.sent("POST", "/tickets/54321/comments") == []


def test_a_status_that_is_refused_leaves_the_comment_said() -> None:
    api = commented(page([said()]), **{"POST /tickets/54321": httpx.Response(400, json={"detail": "resolve first"})})
    assert api.connector().create_action(draft(new_status="Closed")).new_status is None


def test_a_status_that_cannot_be_asked_about_is_unknown() -> None:
    api = commented(page([said()]), **{"POST /tickets/54321": httpx.Response(429)})
    with pytest.raises(Unknown):
        api.connector().create_action(draft(new_status="Pending"))


def test_files_are_not_taken() -> None:
    with pytest.raises(Rejected) as caught:
        Api({}).connector().upload(None)  # type: ignore[arg-type]
    assert "Upload in Atera, or send a link" in caught.value.text


def test_a_wait_is_told() -> None:
    api = Api({"GET /tickets/1": httpx.Response(429, headers={"Retry-After": "60"})})
    with pytest.raises(RateLimited) as caught:
        api.connector().ticket("1")
    assert caught.value.retry_after == 60
    assert api.connector().call_limit == (600, timedelta(minutes=1).total_seconds())
