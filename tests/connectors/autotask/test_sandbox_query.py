"""Zone, headers, the query grammar, and pages that answer only the verb that began them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from connectors.autotask.sandbox.query import TOO_MANY_ORS
from tests.connectors.autotask.calling import (
    EVERYTHING,
    HEADERS,
    changed,
    client_of,
    found,
    new_ticket,
    one,
    problems,
    where,
)
from tests.connectors.sandbox.running import Running, running_sandbox


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Running]:
    with running_sandbox(tickets=60, psas=("autotask",)) as running:
        yield running


@pytest.fixture(scope="module")
def api(sandbox: Running) -> Iterator[httpx.Client]:
    with client_of(sandbox) as client:
        yield client


def test_the_zone_is_found_without_credentials(sandbox: Running) -> None:
    for path in ("atservicesrest/v1.0/zoneInformation", "ATServicesRest/V1.0/ZoneInformation/"):
        zone = httpx.get(f"{sandbox.autotask}/{path}?user=api%40demo.test").json()
        assert zone["url"] == f"{sandbox.autotask}/ATServicesRest/"
    lost = httpx.get(f"{sandbox.autotask}/atservicesrest/v1.0/zoneInformation?user=nobody")
    assert problems(lost) == ["Zone information could not be determined"]
    versions = httpx.get(f"{sandbox.autotask}/atservicesrest/versioninformation")
    assert versions.json() == {"apiVersions": ["V1.0"]}


@pytest.mark.parametrize("header", list(HEADERS))
def test_without_one_of_the_headers_nothing_is_told(sandbox: Running, header: str) -> None:
    url = f"{sandbox.autotask}/ATServicesRest/V1.0/Version"
    assert httpx.get(url, headers=HEADERS).json()["majorVersion"]
    assert httpx.get(url, headers={name.upper(): value for name, value in HEADERS.items()}).status_code == 200
    for headers in ({**HEADERS, header: "wrong"}, {name: HEADERS[name] for name in HEADERS if name != header}):
        answer = httpx.get(url, headers=headers)
        assert (answer.status_code, answer.content) == (401, b"")


@pytest.mark.parametrize(
    ("item", "matches"),
    [
        (where("priority", "eq", 1), lambda row: row["priority"] == 1),
        (where("priority", "noteq", "1"), lambda row: row["priority"] != 1),
        (where("PRIORITY", "GTE", 3), lambda row: row["priority"] >= 3),
        (where("id", "gt", 50030), lambda row: row["id"] > 50030),
        (where("id", "lt", 50030), lambda row: row["id"] < 50030),
        (where("id", "lte", 50030), lambda row: row["id"] <= 50030),
        (where("title", "beginsWith", "s"), lambda row: row["title"].lower().startswith("s")),
        (where("title", "endsWith", "S"), lambda row: row["title"].lower().endswith("s")),
        (where("title", "contains", "R"), lambda row: "r" in row["title"].lower()),
        (where("assignedResourceID", "exist"), lambda row: row["assignedResourceID"] is not None),
        (where("assignedResourceID", "notExist"), lambda row: row["assignedResourceID"] is None),
        (where("status", "in", [5, "8"]), lambda row: row["status"] in (5, 8)),
        (where("status", "notIn", [5, 8]), lambda row: row["status"] not in (5, 8)),
        (where("completedDate", "eq"), lambda row: row["completedDate"] is None),
    ],
)  # fmt: skip
def test_every_operator(api: httpx.Client, item: dict[str, Any], matches: Any) -> None:
    rows = found(api, "Tickets")
    wanted = [row["id"] for row in rows if matches(row)]
    assert 0 < len(wanted) < len(rows)
    assert [row["id"] for row in found(api, "Tickets", item)] == wanted
    body = {"Filter": [item]}
    assert api.post("Tickets/query/count", json=body).json() == {"queryCount": len(wanted)}
    assert api.get("Tickets/query/count", params={"search": json.dumps(body)}).json() == {"queryCount": len(wanted)}


def test_groups_nest(api: httpx.Client) -> None:
    inner = {"op": "and", "items": [where("priority", "eq", 3), where("status", "eq", 5)]}
    rows = found(api, "Tickets", {"op": "or", "items": [where("priority", "eq", 1), inner]}, where("id", "gte", 50010))
    for row in found(api, "Tickets"):
        wanted = (row["priority"] == 1 or (row["priority"] == 3 and row["status"] == 5)) and row["id"] >= 50010
        assert (row["id"] in {one["id"] for one in rows}) == wanted


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"filter": [where("attachedObjectID", "eq", 1)]}, "Unable to find attachedObjectID in the Ticket Entity"),
        ({"filter": [where("creatorType", "eq", 1)]}, "Unable to find creatorType in the Ticket Entity"),
        ({"filter": [where("id", "between", [1, 2])]}, "Invalid query syntax. The operator 'between' is not valid."),
        ({"filter": [where("id", "ne", 1)]}, "Invalid query syntax. The operator 'ne' is not valid."),
        ({"filter": []}, "Invalid query syntax. A filter is required."),
        ({}, "Invalid query syntax. A filter is required."),
        ({"filter": [EVERYTHING], "MaxRecords": 501}, "Invalid query syntax. MaxRecords must be between 1 and 500."),
        ({"filter": [EVERYTHING], "MaxRecords": 0}, "Invalid query syntax. MaxRecords must be between 1 and 500."),
        ({"filter": [where("isVisibleToComanaged", "eq", None)]},
         "Invalid query syntax. The value null is not valid for isVisibleToComanaged."),
        ({"filter": [where("lastActivityDate", "gt", "soon")]},
         'Invalid query syntax. The value "soon" is not valid for lastActivityDate.'),
        ({"filter": [{"op": "or", "items": [where("id", "eq", 1)] * 501}]}, TOO_MANY_ORS),
    ],
)  # fmt: skip
def test_what_the_grammar_lacks_is_500(api: httpx.Client, body: dict[str, Any], text: str) -> None:
    assert problems(api.post("Tickets/query", json=body)) == [text]


def test_user_defined_fields_are_asked_for_by_name(api: httpx.Client) -> None:
    number = new_ticket(api, userDefinedFields=[{"name": "escalation reason", "value": "the client is loud"}])
    condition = {**where("Escalation Reason", "contains", "LOUD"), "udf": True}
    assert [row["id"] for row in found(api, "Tickets", condition)] == [number]
    two = [condition, {**where("Affected Users", "exist"), "udf": True}]
    assert "one user-defined field" in problems(api.post("Tickets/query", json={"filter": two}))[0]
    changed(api, "Tickets", id=number, userDefinedFields=[{"name": "Affected Users", "value": "12"}])
    assert len(one(api, "Tickets", number)["userDefinedFields"]) == 2


def test_fields_are_picked(api: httpx.Client) -> None:
    rows = found(api, "Tickets", IncludeFields=["ID", "ticketnumber"], MaxRecords=3)
    assert [set(row) for row in rows] == [{"id", "ticketNumber", "userDefinedFields"}] * 3
    short = {"filter": [EVERYTHING], "IncludeFields": ["title"], "MaxRecords": 3}
    assert "must contain id" in problems(api.post("Tickets/query", json=short))[0]
    dotted = {"filter": [EVERYTHING], "IncludeFields": ["id", "nothing"]}
    assert problems(api.post("TicketNotes/query", json=dotted)) == ["Unable to find nothing in the TicketNote Entity"]


def pages_of(api: httpx.Client, verb: str, first: httpx.Response, body: Any = None) -> list[list[int]]:
    pages, answer = [], first
    while True:
        page = answer.json()
        pages.append([row["id"] for row in page["items"]])
        if page["pageDetails"]["nextPageUrl"] is None:
            return pages
        answer = api.request(verb, page["pageDetails"]["nextPageUrl"], json=body)
        assert answer.status_code == 200


def test_pages_follow_the_verb_that_began(api: httpx.Client) -> None:
    every = [row["id"] for row in found(api, "Tickets")]
    body = {"filter": [EVERYTHING], "MaxRecords": 25}
    by_post = api.post("Tickets/query", json=body)
    by_get = api.get("Tickets/query", params={"search": json.dumps(body)})
    for verb, first in (("POST", by_post), ("GET", by_get)):
        details = first.json()["pageDetails"]
        assert (details["count"], details["requestCount"], details["prevPageUrl"]) == (25, 25, None)
        other = api.request("GET" if verb == "POST" else "POST", details["nextPageUrl"])
        assert other.status_code == 405
        assert "does not support http method" in other.json()["Message"]
        assert [number for page in pages_of(api, verb, first, body) for number in page] == every
    second = api.post(by_post.json()["pageDetails"]["nextPageUrl"]).json()
    back = api.post(second["pageDetails"]["prevPageUrl"]).json()
    assert [row["id"] for row in back["items"]] == every[:25]


def test_only_the_last_fifty_pages_are_remembered(api: httpx.Client) -> None:
    body = {"filter": [EVERYTHING], "MaxRecords": 10}
    first = api.post("Tickets/query", json=body).json()["pageDetails"]["nextPageUrl"]
    for _ in range(50):
        api.post("Tickets/query", json=body)
    assert api.post(first).status_code == 404


def test_odd_requests(sandbox: Running, api: httpx.Client) -> None:
    long = api.get("Tickets/query", params={"search": json.dumps({"filter": [where("title", "eq", "x" * 2_100)]})})
    assert long.status_code == 404
    packed = gzip.compress(json.dumps({"filter": [EVERYTHING], "MaxRecords": 1}).encode())
    answer = api.post("Tickets/query", content=packed, headers={"Content-Encoding": "gzip"})
    assert answer.json()["pageDetails"]["count"] == 1
    assert problems(api.post("Tickets/query", content=b"{oops"))
    assert api.get("Nothing/1").status_code == 404
    assert api.get("Queues").status_code == 404
    assert api.get("Tickets/99999999").status_code == 404
    assert api.patch("Tickets/50001", json={"title": "x"}).status_code == 405
    assert api.get("tickets/50001/").json()["item"]["id"] == 50001
    assert api.post("Resources", json={"firstName": "x"}).status_code == 405


def test_stale_reads_hide_what_is_new(sandbox: Running, api: httpx.Client) -> None:
    number = new_ticket(api)
    sandbox.control(
        "POST", "faults", {"psa": "autotask", "path": "Tickets/query$", "mode": "stale_reads", "seconds": 300}
    )
    try:
        assert found(api, "Tickets", where("id", "eq", number)) == []
    finally:
        sandbox.control("DELETE", "faults")
    assert [row["id"] for row in found(api, "Tickets", where("id", "eq", number))] == [number]
