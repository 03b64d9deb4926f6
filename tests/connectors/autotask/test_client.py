"""The client's rules: zone, headers, paging, limits, impersonation."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import stamina

from connectors.autotask.client import AutotaskClient, where
from connectors.autotask.gates import Gates, gates_of
from connectors.base.auth import MemoryTokens
from connectors.base.connector import AccountConfig, NoBudget
from connectors.base.errors import AuthFailed, NotFound, RateLimited, Unavailable, WrongAddress
from tests.connectors.autotask.tenant import API, LOOKUP, SECRET, ZONE, Tenant, errors, items

EVERY = [where("id", "gte", 0)]


@pytest.fixture(autouse=True)
def quick() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3):
        yield


def client_of(tenant: Tenant, **more: Any) -> AutotaskClient:
    client: AutotaskClient = tenant.connect(**more)._client
    return client


def ids(client: AutotaskClient, **more: Any) -> list[int]:
    return [row["id"] for page in client.query("Tickets", [], **more) for row in page.rows]


# Zone


def test_the_zone_is_asked_without_credentials_and_kept() -> None:
    tenant = Tenant({"POST /Tickets/query": items({"id": 1})})
    tokens = MemoryTokens()
    assert ids(client_of(tenant, tokens=tokens)) == [1]
    assert ids(client_of(tenant, tokens=tokens)) == [1]
    lookups = [r for r in tenant.requests if "zoneInformation" in r.url.path]
    assert len(lookups) == 1
    assert str(lookups[0].url) == f"{LOOKUP}/atservicesrest/v1.0/zoneInformation?user=api%40msp.test"
    assert not {"secret", "username", "apiintegrationcode"} & set(lookups[0].headers)
    assert tenant.requests[-1].url.host == "webservices3.autotask.net"


def test_three_headers_and_no_impersonation_on_reads() -> None:
    tenant = Tenant({"POST /Tickets/query": items()})
    ids(client_of(tenant, impersonate="yes"))
    headers = tenant.requests[-1].headers
    assert (headers["ApiIntegrationCode"], headers["UserName"], headers["Secret"]) == (
        "CODE1234",
        "api@msp.test",
        SECRET,
    )
    assert headers["Content-Type"] == "application/json"
    assert "ImpersonationResourceId" not in headers


def test_a_customer_who_moved_is_found_after_a_401() -> None:
    new = {"url": "https://webservices6.autotask.net/ATServicesRest/", "webUrl": ""}

    def answer(request: httpx.Request) -> Any:
        return items({"id": 7}) if request.url.host == "webservices6.autotask.net" else httpx.Response(401)

    tenant = Tenant({"POST /Tickets/query": answer}, zones=[{"url": f"{ZONE}/ATServicesRest/"}, new])
    assert ids(client_of(tenant)) == [7]


def test_a_401_in_the_same_zone_is_a_wrong_credential_asked_once() -> None:
    tenant = Tenant({"POST /Tickets/query": httpx.Response(401)})
    with pytest.raises(AuthFailed):
        ids(client_of(tenant))
    assert len(tenant.sent("POST", "/Tickets/query")) == 1
    assert sum("zoneInformation" in r.url.path for r in tenant.requests) == 2


@pytest.mark.parametrize(
    ("typed", "told", "is_fine"),
    [
        (LOOKUP, f"{ZONE}/ATServicesRest/", True),
        (f"{ZONE}/ATServicesRest/V1.0/", f"{ZONE}/ATServicesRest/", True),
        ("https://psa.test/autotask", "https://psa.test/autotask/ATServicesRest/", True),
        (LOOKUP, "https://evil.test/ATServicesRest/", False),
        (LOOKUP, "https://evil-autotask.net/ATServicesRest/", False),
        (LOOKUP, "https://autotask.net.evil.test/ATServicesRest/", False),
        (LOOKUP, "http://webservices3.autotask.net/ATServicesRest/", False),
        (LOOKUP, "https://webservices3.autotask.net:8443/ATServicesRest/", False),
        ("https://psa.test", f"{ZONE}/ATServicesRest/", False),
        (LOOKUP, "", False),
        (LOOKUP, None, False),
    ],
)
def test_credentials_go_to_the_accounts_own_host_only(typed: str, told: str | None, is_fine: bool) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={"url": told} if "zoneInformation" in request.url.path else items({"id": 1}))

    settings = {"username": "api@msp.test", "integration_code": "CODE1234"}
    account = AccountConfig(name="msp", url=typed, settings=settings, secrets={"secret": SECRET})
    client = AutotaskClient(account, budget=NoBudget(), rank=0, http=httpx.MockTransport(answer))
    if is_fine:
        assert ids(client) == [1]
    else:
        with pytest.raises(WrongAddress):
            ids(client)
        assert not any("secret" in r.headers for r in asked)


def test_what_the_store_kept_is_checked_again() -> None:
    """A zone that was kept for another address leads nowhere."""
    tenant = Tenant({"POST /Tickets/query": items()})
    client = client_of(tenant)
    with pytest.raises(WrongAddress):
        client.zones._allowed(json.dumps(["https://evil.test/V1.0", ""]))


def test_an_unknown_user_is_a_wrong_credential() -> None:
    tenant = Tenant(zones=[errors("Zone information could not be determined")])
    with pytest.raises(AuthFailed, match="Zone information"):
        ids(client_of(tenant))


# Paging


def paged(*pages: list[int], host: str = API) -> Any:
    """An answer that gives these pages, the next one by POST only."""
    left = list(pages)

    def answer(request: httpx.Request) -> Any:
        rows = [{"id": i} for i in left.pop(0)]
        url = f"{host}/Tickets/query/next?paging={len(left)}" if left else None
        return items(*rows, following=url)

    return answer


def test_next_pages_go_by_the_verb_and_body_that_began_the_query() -> None:
    answer = paged([1, 2], [3, 4], [5])
    tenant = Tenant({"POST /Tickets/query": answer, "POST /Tickets/query/next": answer})
    pages = list(client_of(tenant, page_size=2).query("Tickets", EVERY, include=["id"]))
    assert [p.last for p in pages] == [2, 4, None]
    bodies = tenant.sent("POST", "/Tickets/query") + tenant.sent("POST", "/Tickets/query/next")
    assert len(bodies) == 3
    assert bodies[0] == bodies[1] == bodies[2]
    assert bodies[0]["MaxRecords"] == 2
    assert bodies[0]["IncludeFields"] == ["id"]


@pytest.mark.parametrize("status", [404, 405])
def test_a_forgotten_next_page_is_read_on_by_id(status: int) -> None:
    queries = [items({"id": 1}, {"id": 2}, following=f"{API}/Tickets/query/next?paging=a"), items({"id": 9})]
    tenant = Tenant({"POST /Tickets/query": queries, "POST /Tickets/query/next": httpx.Response(status)})
    assert ids(client_of(tenant)) == [1, 2, 9]
    assert tenant.sent("POST", "/Tickets/query")[1]["filter"][-1] == {"op": "gt", "field": "id", "value": 2}


def test_a_resumed_query_begins_after_the_last_id() -> None:
    tenant = Tenant({"POST /Tickets/query": items({"id": 43})})
    assert ids(client_of(tenant), after=42) == [43]
    assert tenant.sent("POST", "/Tickets/query")[0]["filter"] == [{"op": "gt", "field": "id", "value": 42}]


def test_a_next_page_on_another_host_never_sees_the_secret() -> None:
    answer = paged([1], [2], host="https://evil.test/ATServicesRest/V1.0")
    tenant = Tenant({"POST /Tickets/query": answer})
    with pytest.raises(WrongAddress):
        ids(client_of(tenant))
    assert {r.url.host for r in tenant.requests} == {"webservices.autotask.net", "webservices3.autotask.net"}


@pytest.mark.parametrize(
    "second",
    [
        items({"id": 1}, {"id": 2}),
        items({"id": 4}, {"id": 3}),
        items(following=f"{API}/Tickets/query/next?paging=b"),
        items({"id": 3}, following=f"{API}/Tickets/query/next?paging=a"),
        items({"name": "no id"}),
    ],
    ids=["again", "out of order", "empty and going on", "the same address", "no ids"],
)
def test_half_a_list_does_not_count_as_a_whole_one(second: dict[str, Any]) -> None:
    first = items({"id": 1}, {"id": 2}, following=f"{API}/Tickets/query/next?paging=a")
    tenant = Tenant({"POST /Tickets/query": first, "POST /Tickets/query/next": [second, second]})
    with pytest.raises(Unavailable):
        ids(client_of(tenant))


def test_an_endless_list_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.autotask.client.MAX_PAGES", 5)
    number = iter(range(1, 100))

    def answer(request: httpx.Request) -> Any:
        at = next(number)
        return items({"id": at}, following=f"{API}/Tickets/query/next?paging={at}")

    tenant = Tenant({"POST /Tickets/query": answer, "POST /Tickets/query/next": answer})
    with pytest.raises(Unavailable, match="does not end"):
        ids(client_of(tenant))


def test_without_page_details_the_list_is_read_on_by_id() -> None:
    tenant = Tenant({"POST /Tickets/query": [{"items": [{"id": 1}, {"id": 2}]}, {"items": [{"id": 3}]}, {"items": []}]})
    assert ids(client_of(tenant)) == [1, 2, 3]


@pytest.mark.parametrize("body", [{}, {"a": 1}, [], {"items": None}, {"items": [1]}, "x"])
def test_what_is_no_list_is_not_an_empty_one(body: Any) -> None:
    with pytest.raises(Unavailable):
        ids(client_of(Tenant({"POST /Tickets/query": httpx.Response(200, json=body)})))


@pytest.mark.parametrize("body", [{"item": None}, {"items": []}, {"items": None}])
def test_an_empty_item_is_not_found(body: Any) -> None:
    with pytest.raises(NotFound):
        client_of(Tenant({"GET /Tickets/5": body})).one("/Tickets/5")


# Limits


def test_two_calls_at_once_to_one_endpoint() -> None:
    """The third waits; another endpoint has threads of its own."""
    gates, inside, most = Gates(), [], []
    go = threading.Event()

    def call() -> None:
        with gates.thread("tickets"):
            inside.append(1)
            most.append(len(inside))
            go.wait(5)
            inside.pop()

    threads = [threading.Thread(target=call) for _ in range(5)]
    for thread in threads:
        thread.start()
    with gates.thread("companies"):
        pass
    with pytest.raises(RateLimited), gates.thread("tickets", patience=0.05):
        pass
    go.set()
    for thread in threads:
        thread.join()
    assert max(most) == 2


def test_the_gates_of_an_account_are_shared_within_the_process() -> None:
    assert gates_of("a", "b") is gates_of("a", "b")
    assert gates_of("a", "b") is not gates_of("a", "c")


def test_bytes_of_files_stay_below_what_closes_the_door() -> None:
    clock = [0.0]
    gates = Gates(now=lambda: clock[0])
    gates.take_bytes(6_000_000)
    clock[0] = 100.0
    gates.take_bytes(4_000_000)
    with pytest.raises(RateLimited) as caught:
        gates.take_bytes(1)
    assert caught.value.retry_after == 200.0
    clock[0] = 301.0
    gates.take_bytes(6_000_000)


def test_background_waits_while_the_hours_calls_run_out() -> None:
    used = {"externalRequestThreshold": 10_000, "currentTimeframeRequestCount": 7_600}
    answers = {"GET /ThresholdInformation": used, "POST /Tickets/query": items({"id": 1})}
    with pytest.raises(RateLimited) as caught:
        ids(client_of(Tenant(answers), rank=2))
    assert caught.value.retry_after == 60.0
    assert ids(client_of(Tenant(answers), rank=0)) == [1]
    assert ids(client_of(Tenant(answers), rank=1)) == [1]


def test_the_hour_is_asked_for_once_a_minute_and_may_stay_unknown() -> None:
    tenant = Tenant({"GET /ThresholdInformation": httpx.Response(500), "POST /Tickets/query": items({"id": 1})})
    client = client_of(tenant, rank=2)
    assert ids(client) == ids(client) == [1]
    assert len(tenant.sent("GET", "/ThresholdInformation")) == 1


# Impersonation

NOT_ALLOWED = errors("The logged in Resource does not have the adequate permissions to create this entity type.")


def test_a_refused_impersonation_is_written_in_our_own_name() -> None:
    tenant = Tenant({"POST /Tickets/5/Notes": [NOT_ALLOWED, {"itemId": 9}]})
    row = {"ticketID": 5, "title": "x", "description": "y", "publish": 2}
    assert client_of(tenant).create("/Tickets/5/Notes", row, impersonate="29") == "9"
    first, second = tenant.requests[-2:]
    assert first.headers["ImpersonationResourceId"] == "29"
    assert "ImpersonationResourceId" not in second.headers


def test_another_refusal_is_not_tried_again() -> None:
    tenant = Tenant({"POST /Tickets/5/Notes": errors("publish is required")})
    with pytest.raises(Exception, match="publish is required"):
        client_of(tenant).create("/Tickets/5/Notes", {"title": "x"}, impersonate="29")
    assert len(tenant.sent("POST", "/Tickets/5/Notes")) == 1


def test_no_secret_in_an_error() -> None:
    tenant = Tenant({"POST /Tickets/query": errors(f"What is {SECRET} of CODE1234?")})
    with pytest.raises(Exception, match="redacted") as caught:
        ids(client_of(tenant))
    assert SECRET not in str(caught.value)
