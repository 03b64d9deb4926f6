"""The connector against a tenant inside the test; every request is held to the vendor's own description."""

from __future__ import annotations

import base64
import io
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import stamina

from connectors.autotask.connector import AutotaskConnector
from connectors.base.errors import (
    AuthFailed,
    Forbidden,
    NotFound,
    RateLimited,
    Rejected,
    Unavailable,
    Unknown,
    WrongAddress,
)
from connectors.base.records import UNSET, ActionDraft, FileDraft
from tests.connectors.autotask import vendor
from tests.connectors.autotask.tenant import NOTE_FIELDS, TICKET_FIELDS, Tenant, errors, items, picklist

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
MARKER = "0b1e6f5e-4c1d-4c43-9f4d-0123456789ab"
TICKET: dict[str, Any] = {
    "id": 5, "ticketNumber": "T20261120.0001", "title": "S", "companyID": 12, "status": 1, "priority": 3, "queueID": 8,
    "assignedResourceID": None, "assignedResourceRoleID": None, "createDate": "2026-11-20T11:59:00Z",
    "lastActivityDate": "2026-11-20T11:59:00Z", "externalID": None, "description": "text",
}  # fmt: skip
NOTE: dict[str, Any] = {
    "id": 9, "ticketID": 5, "title": "Note", "description": "Looked at it", "noteType": 3, "publish": 2,
    "createDateTime": "2026-11-20T12:00:01Z", "creatorResourceID": 29, "createdByContactID": None,
}  # fmt: skip
ENTRY: dict[str, Any] = {
    "id": 70, "ticketID": 5, "resourceID": 29, "hoursWorked": 0.25, "startDateTime": "2026-11-20T11:45:00Z",
    "endDateTime": "2026-11-20T12:00:00Z", "createDateTime": "2026-11-20T12:00:02Z",
}  # fmt: skip


@pytest.fixture(autouse=True)
def quick() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3):
        yield


def item(**more: Any) -> dict[str, Any]:
    return {"item": TICKET | more}


def draft(**more: Any) -> ActionDraft:
    values: dict[str, Any] = {
        "ticket": "5", "kind": "note", "body_html": "<p>Looked at it</p>", "body_text": "Looked at it",
        "is_internal": True, "marker": MARKER, "occurred_at": NOW, "author_agent": "29",
    }  # fmt: skip
    return ActionDraft(**(values | more))


def roles(*desk: dict[str, Any], general: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    return {
        "POST /ResourceServiceDeskRoles/query": items(
            *({"id": n, "resourceID": 29, **r} for n, r in enumerate(desk, 1))
        ),
        "POST /ResourceRoles/query": items(*({"id": n, "resourceID": 29, **r} for n, r in enumerate(general, 1))),
    }


ONE_ROLE = roles({"roleID": 51, "isDefault": True, "isActive": True})


# Connection


def test_the_check_asks_for_zone_credentials_and_rights() -> None:
    tenant = Tenant({"POST /Companies/query/count": {"queryCount": 4}, "POST /Tickets/query/count": {"queryCount": 31}})
    assert tenant.connect().check() == "Autotask answers, 31 tickets to see"


@pytest.mark.parametrize(
    ("zones", "companies", "error", "word"),
    [
        ([httpx.Response(404)], None, WrongAddress, "Address"),
        ([httpx.Response(200, html="<html>")], None, WrongAddress, "Address"),
        ([httpx.Response(503)], None, Unavailable, "Address"),
        ([httpx.ConnectError("no")], None, Unavailable, "Address"),
        ([errors("Zone information could not be determined")], None, AuthFailed, "Credentials"),
        (None, httpx.Response(401), AuthFailed, "Credentials"),
        (None, errors("IntegrationCode is invalid"), AuthFailed, "Credentials"),
        (None, errors("... adequate permissions to query this entity type."), Forbidden, "Scope"),
        (None, httpx.Response(200, html="<html>"), WrongAddress, "Address"),
    ],
)
def test_the_check_says_which_is_wrong(zones: Any, companies: Any, error: type, word: str) -> None:
    tenant = Tenant({"POST /Companies/query/count": companies} if companies is not None else None, zones=zones)
    with pytest.raises(error, match=f"^{word}:"):
        tenant.connect().check()


def test_describe() -> None:
    tenant = Tenant({"POST /Contracts/query/count": errors("... adequate permissions to query this entity type.")})
    told = tenant.connect().describe().to_json()
    assert told["capabilities"]["contracts"] is False
    assert told["capabilities"]["time_in_action"] is False
    assert told["capabilities"]["mails"] == "desk"
    assert {"create": ["team"]} in [{r["verb"]: r["fields"]} for r in told["required_fields"]]
    bare = Tenant(
        {"GET /Tickets/entityInformation/fields": {"fields": [f for f in TICKET_FIELDS if f["name"] != "queueID"]},
         "POST /Contracts/query/count": {"queryCount": 0}}
    )  # fmt: skip
    told = bare.connect().describe().to_json()
    assert (told["capabilities"]["teams"], told["capabilities"]["contracts"]) == (False, True)
    assert ["team"] not in [r["fields"] for r in told["required_fields"]]


def test_the_address_of_a_ticket() -> None:
    url = "https://ww3.autotask.net/Mvc/ServiceDesk/TicketDetail.mvc?ticketId=5"
    assert Tenant().connect().ticket_url("5") == url
    foreign = Tenant(
        zones=[{"url": "https://webservices3.autotask.net/ATServicesRest/", "webUrl": "https://evil.test/"}]
    )
    assert foreign.connect().ticket_url("5") == ""
    assert Tenant(zones=[httpx.Response(404)]).connect().ticket_url("5") == ""


# Reads


def test_the_delta_begins_with_what_was_deleted() -> None:
    gone = {"id": 1, "ticketID": 4, "deletedDateTime": "2026-11-20T11:00:00Z"}
    tenant = Tenant({"POST /DeletedTicketLogs/query": items(gone), "POST /Tickets/query": items(TICKET)})
    pages = list(tenant.connect().tickets(since=NOW, until=NOW))
    assert [p.rows[0].remote_id for p in pages] == ["4", "5"]
    assert pages[0].rows[0].is_removed is True
    assert (pages[0].next_token, pages[1].next_token) == ("0", None)
    sent = tenant.sent("POST", "/Tickets/query")[0]
    assert sent["filter"][:2] == [
        {"op": "gte", "field": "lastActivityDate", "value": "2026-11-20T12:00:00.000Z"},
        {"op": "lte", "field": "lastActivityDate", "value": "2026-11-20T12:00:00.000Z"},
    ]
    again = list(tenant.connect().tickets(since=NOW, until=NOW, token="0"))
    assert len(again) == 1


def test_the_delta_does_without_the_log_of_deletions() -> None:
    tenant = Tenant({"POST /Tickets/query": items(TICKET)})
    assert len(list(tenant.connect().tickets(since=NOW, until=NOW))) == 1


@pytest.mark.parametrize(("is_open", "op"), [(True, "notIn"), (False, "in")])
def test_open_and_closed_by_what_labels_mean(is_open: bool, op: str) -> None:
    tenant = Tenant({"POST /Tickets/query": items()})
    list(tenant.connect().tickets(since=None, until=NOW, is_open=is_open))
    assert tenant.sent("POST", "/Tickets/query")[0]["filter"][0] == {"op": op, "field": "status", "value": [5, 20]}


@pytest.mark.parametrize("strange", ["0", "../Companies", "abc", "", "-1"])
def test_what_is_no_id_is_not_found_without_a_call(strange: str) -> None:
    tenant = Tenant()
    with pytest.raises(NotFound):
        tenant.connect().ticket(strange)
    assert not tenant.requests


def test_another_ticket_is_no_answer() -> None:
    with pytest.raises(Unavailable):
        Tenant({"GET /Tickets/5": item(id=6)}).connect().ticket("5")


def test_notes_and_time_are_kept_apart() -> None:
    older = NOTE | {"id": 11, "createDateTime": "2026-11-20T11:00:00Z"}
    tenant = Tenant({"POST /TicketNotes/query": items(NOTE, older), "POST /TimeEntries/query": items(ENTRY)})
    assert [a.remote_id for a in tenant.connect().actions("5")] == ["11", "9"]
    assert [t.remote_id for t in tenant.connect().times("5")] == ["t70"]
    assert Tenant({"POST /TimeEntries/query": httpx.Response(403)}).connect().times("5") == ()


def test_where_publish_cannot_be_read_nothing_is_public() -> None:
    tenant = Tenant(
        {"POST /TicketNotes/query": items(NOTE | {"publish": 1}), "POST /TimeEntries/query": items(),
         "GET /TicketNotes/entityInformation/fields": httpx.Response(403)}
    )  # fmt: skip
    assert tenant.connect().actions("5")[0].is_internal is True


# Tickets written


def test_create_reads_back_and_keeps_our_marker() -> None:
    tenant = Tenant({**ONE_ROLE, "POST /Tickets": {"itemId": 5}, "GET /Tickets/5": item(externalID=MARKER)})
    fields = {"subject": "S", "client": "12", "status": "1", "priority": "3", "team": "8", "agent": "29", "site": None}
    made = tenant.connect().create_ticket(fields, marker=MARKER)
    assert (made.remote_id, made.number, made.marker) == ("5", "T20261120.0001", MARKER)
    assert tenant.sent("POST", "/Tickets") == [
        {"title": "S", "companyID": 12, "status": 1, "priority": 3, "queueID": 8, "assignedResourceID": 29,
         "assignedResourceRoleID": 51, "externalID": MARKER}
    ]  # fmt: skip


@pytest.mark.parametrize(
    "answer", [httpx.Response(200, json={}), httpx.Response(200, html="<html>"), httpx.Response(504)]
)
def test_a_create_without_an_id_is_unknown(answer: httpx.Response) -> None:
    with pytest.raises(Unknown):
        Tenant({"POST /Tickets": answer}).connect().create_ticket({"client": "12"}, marker=MARKER)


def test_what_follows_an_applied_write_never_says_not_applied() -> None:
    for answer in (httpx.Response(503), httpx.Response(404), httpx.Response(429), httpx.Response(401)):
        with pytest.raises(Unknown):
            Tenant({"POST /Tickets": {"itemId": 5}, "GET /Tickets/5": answer}).connect().create_ticket(
                {}, marker=MARKER
            )


def test_a_change_sends_only_what_changed() -> None:
    tenant = Tenant({"PATCH /Tickets": {"itemId": 5}, "GET /Tickets/5": item(priority=4)})
    assert tenant.connect().update_ticket("5", {"priority": "4"}).priority == "4"
    assert tenant.sent("PATCH", "/Tickets") == [{"id": 5, "priority": 4}]


def test_a_status_that_a_workflow_reverts_is_tried_once_more() -> None:
    tenant = Tenant({"PATCH /Tickets": {"itemId": 5}, "GET /Tickets/5": [item(status=1), item(status=8)]})
    assert tenant.connect().update_ticket("5", {"status": "8"}).status == "8"
    assert tenant.sent("PATCH", "/Tickets") == [{"id": 5, "status": 8}] * 2


def test_a_status_that_stays_reverted_is_said_honestly() -> None:
    tenant = Tenant({"PATCH /Tickets": {"itemId": 5}, "GET /Tickets/5": item(status=7)})
    with pytest.raises(Rejected, match="back to Waiting Customer") as caught:
        tenant.connect().update_ticket("5", {"status": "8"})
    assert "status" in caught.value.fields
    assert len(tenant.sent("PATCH", "/Tickets")) == 2


def test_unassigning_clears_both() -> None:
    tenant = Tenant({"PATCH /Tickets": {"itemId": 5}, "GET /Tickets/5": item()})
    tenant.connect().update_ticket("5", {"agent": None})
    assert tenant.sent("PATCH", "/Tickets") == [{"id": 5, "assignedResourceID": None, "assignedResourceRoleID": None}]


@pytest.mark.parametrize(
    ("answers", "settings", "wanted", "role"),
    [
        (ONE_ROLE, {}, None, 51),
        (roles({"roleID": 50, "isDefault": False}, {"roleID": 51, "isDefault": True}), {}, None, 51),
        (roles({"roleID": 50}, {"roleID": 51, "isDefault": True}), {}, "50", 50),
        (roles({"roleID": 50}, {"roleID": 51, "isDefault": True}), {"role": "50"}, None, 50),
        (roles({"roleID": 51, "isDefault": True}), {"role": "99"}, "98", 51),
        (roles(general=({"roleID": 60, "queueID": 29}, {"roleID": 61, "queueID": 8})), {}, None, 61),
        (roles(general=({"roleID": 60, "queueID": 29}, {"roleID": 61, "queueID": 30})), {}, None, 60),
        (roles({"roleID": 50, "isActive": False, "isDefault": True}, general=({"roleID": 60},)), {}, None, 60),
    ],
    ids=["only", "default", "asked", "set", "not theirs", "serves the queue", "serves another", "active only"],
)
def test_a_resource_goes_with_a_role(answers: dict[str, Any], settings: Any, wanted: Any, role: int) -> None:
    done = item(assignedResourceID=29, assignedResourceRoleID=role)
    tenant = Tenant({**answers, "PATCH /Tickets": {"itemId": 5}, "GET /Tickets/5": done})
    fields = {"agent": "29"} | ({"agent_role": wanted} if wanted else {})
    record = tenant.connect(**settings).update_ticket("5", fields)
    assert (record.agent, record.agent_role) == ("29", str(role))
    assert tenant.sent("PATCH", "/Tickets") == [{"id": 5, "assignedResourceID": 29, "assignedResourceRoleID": role}]


def test_a_role_alone_is_written_with_the_resource_that_has_it() -> None:
    here = item(assignedResourceID=29, assignedResourceRoleID=50)
    both = roles({"roleID": 50, "isDefault": True}, {"roleID": 51})
    tenant = Tenant({**both, "PATCH /Tickets": {"itemId": 5}, "GET /Tickets/5": here})
    tenant.connect().update_ticket("5", {"agent_role": "51"})
    wanted = {"id": 5, "assignedResourceID": 29, "assignedResourceRoleID": 51}
    assert tenant.sent("PATCH", "/Tickets")[0] == wanted


def test_a_resource_without_a_role_is_refused_before_autotask_is_asked() -> None:
    tenant = Tenant(roles({"roleID": 50, "isActive": False}))
    with pytest.raises(Rejected) as caught:
        tenant.connect().update_ticket("5", {"agent": "29"})
    assert set(caught.value.fields) == {"agent"}
    assert not tenant.sent("PATCH", "/Tickets")


def test_the_reason_of_an_escalation_becomes_an_internal_note_once() -> None:
    answers = {
        "PATCH /Tickets": {"itemId": 5},
        "GET /Tickets/5": item(status=11),
        "POST /Tickets/5/Notes": {"itemId": 9},
    }
    tenant = Tenant({**answers, "POST /TicketNotes/query": items()})
    tenant.connect().update_ticket("5", {"status": "11", "escalation_reason": "Outage"})
    assert tenant.sent("POST", "/Tickets/5/Notes") == [
        {"ticketID": 5, "title": "Escalation", "description": "Escalated: Outage", "publish": 2, "noteType": 3}
    ]
    there = Tenant({**answers, "POST /TicketNotes/query": items(NOTE | {"description": "Escalated: Outage"})})
    there.connect().update_ticket("5", {"status": "11", "escalation_reason": "Outage"})
    assert not there.sent("POST", "/Tickets/5/Notes")


# Notes and time

WRITES = {"POST /Tickets/5/Notes": {"itemId": 9}, "POST /TimeEntries": {"itemId": 70}, "PATCH /Tickets": {"itemId": 5}}


@pytest.mark.parametrize(("is_internal", "publish"), [(True, 2), (False, 1)])
def test_a_note_is_as_visible_as_asked(is_internal: bool, publish: int) -> None:
    tenant = Tenant({**WRITES, "POST /TicketNotes/query": items(NOTE | {"publish": publish})})
    written = tenant.connect().create_action(draft(is_internal=is_internal, author_name="Dana Fox"))
    assert (written.remote_id, written.is_internal) == ("9", is_internal)
    assert tenant.sent("POST", "/Tickets/5/Notes") == [
        {"ticketID": 5, "title": "Note (Dana Fox)", "description": "Looked at it", "publish": publish, "noteType": 3}
    ]


@pytest.mark.parametrize("is_internal", [True, False])
def test_where_publish_cannot_be_told_nothing_is_written(is_internal: bool) -> None:
    fields = [picklist("publish", (1, "Alpha"), (2, "Beta")), NOTE_FIELDS[1]]
    tenant = Tenant({**WRITES, "GET /TicketNotes/entityInformation/fields": {"fields": fields}})
    with pytest.raises(Rejected, match="publish_"):
        tenant.connect().create_action(draft(is_internal=is_internal))
    assert not tenant.sent("POST", "/Tickets/5/Notes")


def test_a_note_in_the_agents_own_name() -> None:
    tenant = Tenant({**WRITES, "POST /TicketNotes/query": items(NOTE)})
    tenant.connect(impersonate="yes").create_action(draft(author_name="Dana Fox"))
    request = next(r for r in tenant.requests if r.url.path.endswith("/Tickets/5/Notes"))
    assert request.headers["ImpersonationResourceId"] == "29"
    assert tenant.sent("POST", "/Tickets/5/Notes")[0]["title"] == "Note"
    assert all("ImpersonationResourceId" not in r.headers for r in tenant.requests if r is not request)


def test_time_alone() -> None:
    tenant = Tenant({**ONE_ROLE, **WRITES, "GET /Tickets/5": item()})
    written = tenant.connect().create_action(draft(kind="time", body_text="", body_html="", time_seconds=900))
    assert (written.remote_id, written.time_seconds, written.is_internal) == ("t70", 900, True)
    assert tenant.sent("POST", "/TimeEntries")[0]["roleID"] == 51
    assert not tenant.sent("POST", "/Tickets/5/Notes")


def test_time_of_nobody_is_refused_before_anything_is_written() -> None:
    tenant = Tenant(WRITES)
    with pytest.raises(Rejected) as caught:
        tenant.connect().create_action(draft(author_agent=None, time_seconds=900))
    assert set(caught.value.fields) == {"author_agent"}
    assert not tenant.sent("POST", "/Tickets/5/Notes")


def test_a_note_with_a_new_status() -> None:
    tenant = Tenant({**WRITES, "POST /TicketNotes/query": items(NOTE), "GET /Tickets/5": item(status=5)})
    written = tenant.connect().create_action(draft(new_status="5", resolution="New toner"))
    assert written.new_status == "5"
    assert tenant.sent("PATCH", "/Tickets") == [{"id": 5, "status": 5, "resolution": "New toner"}]


@pytest.mark.parametrize("patch", [errors("Status transition not allowed"), {"itemId": 5}])
def test_a_note_whose_status_was_not_taken_says_so(patch: Any) -> None:
    answers = {**WRITES, "PATCH /Tickets": patch, "POST /TicketNotes/query": items(NOTE), "GET /Tickets/5": item()}
    written = Tenant(answers).connect().create_action(draft(new_status="5"))
    assert (written.remote_id, written.new_status) == ("9", None)


FOUND = {**ONE_ROLE, **WRITES, "POST /Resources/query": items({"id": 4}), "GET /Tickets/5": item(status=5)}


def find(tenant: Tenant, one: ActionDraft, taken: frozenset[str] = frozenset()) -> Any:
    return tenant.connect().find_action(one, since=NOW, taken=taken)


def test_a_kill_between_note_time_and_status_is_made_good() -> None:
    tenant = Tenant({**FOUND, "POST /TicketNotes/query": items(NOTE), "POST /TimeEntries/query": items()})
    found = find(tenant, draft(time_seconds=900, new_status="5"))
    assert (found.remote_id, found.new_status) == ("9", "5")
    assert not tenant.sent("POST", "/Tickets/5/Notes")
    assert len(tenant.sent("POST", "/TimeEntries")) == 1
    assert tenant.sent("PATCH", "/Tickets") == [{"id": 5, "status": 5}]


def test_time_that_is_there_is_not_written_again() -> None:
    tenant = Tenant({**FOUND, "POST /TicketNotes/query": items(NOTE), "POST /TimeEntries/query": items(ENTRY)})
    assert find(tenant, draft(time_seconds=900)).remote_id == "9"
    assert find(tenant, draft(kind="time", body_text="", body_html="", time_seconds=900)).remote_id == "t70"
    assert not tenant.sent("POST", "/TimeEntries")


@pytest.mark.parametrize(
    ("change", "more"),
    [
        ({"description": "Else"}, {}),
        ({"publish": 1}, {}),
        ({"createDateTime": "2026-11-20T11:50:00Z"}, {}),
        ({"creatorResourceID": 30}, {}),
        ({"createdByContactID": 7}, {}),
        ({"id": 10}, {}),
    ],
    ids=["words", "visibility", "before", "author", "client", "taken"],
)
def test_what_is_not_ours_is_not_found(change: dict[str, Any], more: dict[str, Any]) -> None:
    tenant = Tenant({**FOUND, "POST /TicketNotes/query": items(NOTE | change), "POST /TimeEntries/query": items()})
    assert find(tenant, draft(), frozenset({"10"})) is None


@pytest.mark.parametrize("author", [29, 4])
def test_a_note_is_ours_as_the_agent_or_as_ourselves(author: int) -> None:
    row = NOTE | {"creatorResourceID": author, "description": "Looked  at it\r\n"}
    tenant = Tenant({**FOUND, "POST /TicketNotes/query": items(row), "POST /TimeEntries/query": items()})
    assert find(tenant, draft()).remote_id == "9"


@pytest.mark.parametrize("change", [{"resourceID": 30}, {"hoursWorked": 0.5}, {"endDateTime": "2026-11-20T12:00:01Z"}])
def test_other_time_is_not_ours(change: dict[str, Any]) -> None:
    tenant = Tenant({**FOUND, "POST /TicketNotes/query": items(), "POST /TimeEntries/query": items(ENTRY | change)})
    assert find(tenant, draft(kind="time", body_text="", body_html="", time_seconds=900)) is None


# Files


def file(data: bytes = b"abc", **more: Any) -> FileDraft:
    values: dict[str, Any] = {
        "ticket": "5", "name": "a.txt", "content_type": "text/plain", "size": len(data), "is_public": True,
        "sha256": "",
        "open": lambda: io.BytesIO(data),
    }  # fmt: skip
    return FileDraft(**(values | more))


def test_upload() -> None:
    tenant = Tenant({"POST /Tickets/5/Attachments": {"itemId": 90}})
    sent = tenant.connect().upload(file(b"\x00" * 1000))
    assert (sent.remote_id, sent.size, sent.is_public) == ("90", 1000, True)
    row = tenant.sent("POST", "/Tickets/5/Attachments")[0]
    assert base64.b64decode(row.pop("data")) == b"\x00" * 1000
    assert row == {"id": 0, "attachmentType": "FILE_ATTACHMENT", "fullPath": "a.txt", "title": "a.txt", "publish": 1}
    tenant.connect().upload(file(is_public=False))
    assert tenant.sent("POST", "/Tickets/5/Attachments")[1]["publish"] == 2


def test_files_stay_below_the_limits() -> None:
    tenant = Tenant({"POST /Tickets/5/Attachments": {"itemId": 90}})
    connector = tenant.connect(attachment_budget_bytes=1500)
    with pytest.raises(Rejected):
        connector.upload(replace(file(), size=50 * 1024 * 1024))
    connector.upload(file(b"\x00" * 1000))
    with pytest.raises(RateLimited):
        connector.upload(file(b"\x00" * 1000))
    assert len(tenant.sent("POST", "/Tickets/5/Attachments")) == 1


class Sink(httpx.BaseTransport):
    """Takes a body chunk by chunk and keeps only its length."""

    def __init__(self) -> None:
        self.tenant = Tenant()
        self.taken = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if not request.url.path.endswith("/Attachments"):
            return self.tenant(request)
        assert isinstance(request.stream, httpx.SyncByteStream)
        self.taken = sum(len(chunk) for chunk in request.stream)
        assert self.taken == int(request.headers["Content-Length"])
        return httpx.Response(200, json={"itemId": 90})


def test_a_file_leaves_in_constant_memory(tmp_path: Path) -> None:
    size = 64 * 1024 * 1024
    big = tmp_path / "big.bin"
    with big.open("wb") as stream:
        stream.truncate(size)
    sink = Sink()
    settings = {"attachment_bytes": size, "attachment_budget_bytes": size}
    account = sink.tenant.connect(**settings).account
    connector = AutotaskConnector(account, http=sink, rank=0)
    tracemalloc.start()
    connector.upload(file(size=size, open=lambda: big.open("rb")))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sink.taken > size * 4 // 3
    assert peak < 8 * 1024 * 1024


def test_download() -> None:
    data = base64.b64encode(b"hello").decode()
    row = {"id": 90, "contentType": "text/plain", "data": data}
    for path, remote_id in (
        ("/Tickets/5/Attachments/90", "90"),
        ("/TicketNotes/9/Attachments/90", "n9.90"),
        ("/TimeEntries/70/Attachments/90", "t70.90"),
    ):
        for body in ({"items": [row]}, {"item": row}):
            with Tenant({f"GET {path}": body}).connect().download(remote_id, ticket="5") as found:
                assert (found.size, found.content_type, b"".join(found.chunks)) == (5, "text/plain", b"hello")


@pytest.mark.parametrize(
    ("remote_id", "body", "error"),
    [("90", {"items": []}, NotFound), ("90", {"item": None}, NotFound), ("../5", None, NotFound),
     ("90", {"items": [{"id": 90, "data": "%%%"}]}, Unavailable)],
)  # fmt: skip
def test_a_file_that_is_not_there_or_broken(remote_id: str, body: Any, error: type) -> None:
    tenant = Tenant({"GET /Tickets/5/Attachments/90": body} if body else None)
    with pytest.raises(error), tenant.connect().download(remote_id, ticket="5"):
        pass


def test_find_ticket_by_marker_else_by_what_it_says() -> None:
    marked = Tenant({"POST /Tickets/query": items(TICKET | {"externalID": MARKER})})
    found = marked.connect().find_ticket({"subject": "S"}, marker=MARKER, since=NOW)
    assert found.remote_id == "5"
    assert marked.sent("POST", "/Tickets/query")[0]["filter"][0] == {"op": "eq", "field": "externalID", "value": MARKER}
    fields = {"subject": "S", "client": "12", "description": "text"}

    def alike(row: dict[str, Any], **more: Any) -> Any:
        tenant = Tenant({"POST /Tickets/query": [items(), items(TICKET | row)]})
        return tenant.connect().find_ticket(fields | more, marker=MARKER, since=NOW)

    assert alike({}).remote_id == "5"
    assert alike({}, subject="T") is None
    assert alike({}, description="else") is None
    assert alike({"externalID": MARKER.replace("0", "1")}) is None
    assert alike({"createDate": "2026-11-20T11:00:00Z"}) is None


# The vendor's description


def test_the_vendors_description_is_asked() -> None:
    """The helper that every request here goes through finds what is wrong."""
    root = "/ATServicesRest/V1.0"
    assert not vendor.problems("PATCH", f"{root}/Tickets", {"id": 5, "status": 8, "resolution": None})
    assert vendor.problems("PATCH", f"{root}/Tickets/5", {"status": 8})
    assert vendor.problems("POST", f"{root}/TicketNotes", {"title": "x"})
    assert vendor.problems("POST", f"{root}/Tickets", {"escalationReason": "x"})
    assert vendor.problems("POST", f"{root}/Tickets", {"status": "8"})
    assert vendor.problems("GET", f"{root}/Queues", None)
    assert vendor.problems("DELETE", f"{root}/Tickets/5", None)
    assert vendor.problems("GET", "/elsewhere", None)


# SLA results

ANSWERED = {"serviceLevelAgreementID": 1, "firstResponseDateTime": "2026-11-20T12:00:00Z"}
RESULTS = "/ServiceLevelAgreementResults/query"


def test_a_page_of_tickets_asks_once_for_what_came_of_their_sla() -> None:
    rows = [TICKET | {"id": 5, **ANSWERED}, TICKET | {"id": 6}, TICKET | {"id": 7, **ANSWERED}]
    told = {"id": 1, "ticketID": 7, "isFirstResponseMet": False, "isResolutionMet": None}
    tenant = Tenant({"POST /Tickets/query": items(*rows), f"POST {RESULTS}": items(told)})
    (page,) = tenant.connect().tickets(since=NOW, until=NOW)
    (asked,) = tenant.sent("POST", RESULTS)
    assert asked["filter"][0] == {"op": "in", "field": "ticketID", "value": [5, 7]}
    states = {r.remote_id: (r.sla_response_state, r.sla_resolution_state) for r in page.rows}
    assert states == {"5": (UNSET, UNSET), "6": (UNSET, UNSET), "7": ("breached", None)}


def test_without_an_answer_nobody_asks_for_sla_results() -> None:
    tenant = Tenant({"POST /Tickets/query": items(TICKET)})
    list(tenant.connect().tickets(since=NOW, until=NOW))
    assert not tenant.sent("POST", RESULTS)


@pytest.mark.parametrize("refusal", [httpx.Response(404), httpx.Response(403), errors("No adequate permissions")])
def test_sla_results_that_may_not_be_read_are_done_without(refusal: httpx.Response) -> None:
    tenant = Tenant({"POST /Tickets/query": items(TICKET | ANSWERED), f"POST {RESULTS}": refusal})
    connector = tenant.connect()
    for _again in range(2):
        (page,) = connector.tickets(since=NOW, until=NOW)
        assert page.rows[0].sla_response_state is UNSET
    assert len(tenant.sent("POST", RESULTS)) == 1, "once is enough to know"
