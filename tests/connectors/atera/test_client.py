"""Key, address, pages and files: what goes over the wire, and what is never followed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx
import pytest
import stamina

from connectors.atera.client import auth_headers
from connectors.atera.connector import AteraConnector
from connectors.base.connector import AccountConfig
from connectors.base.errors import NotFound, Rejected, Unavailable
from tests.connectors.atera.api import URL, Api, page
from tests.connectors.atera.samples import TICKET

SHORT = "0123456789abcdef0123456789abcdef"
JWT = "eyJhbGciOi.eyJpc3MiOi.c2lnbmF0dXJl"


@pytest.fixture(autouse=True)
def quick() -> Any:
    with stamina.set_testing(True, attempts=3):
        yield


@pytest.mark.parametrize(
    ("key", "style", "expected"),
    [
        (SHORT, "", {"X-API-KEY": SHORT}),
        (JWT, "", {"Authorization": f"Bearer {JWT}"}),
        ("x" * 101, "", {"Authorization": f"Bearer {'x' * 101}"}),
        ("x" * 100, "", {"X-API-KEY": "x" * 100}),
        ("eyJ-no-dots", "", {"X-API-KEY": "eyJ-no-dots"}),
        (JWT, "key", {"X-API-KEY": JWT}),
        (SHORT, "bearer", {"Authorization": f"Bearer {SHORT}"}),
    ],
)
def test_the_shape_of_a_key_tells_its_header(key: str, style: str, expected: dict[str, str]) -> None:
    assert auth_headers(key, style) == expected


@pytest.mark.parametrize("url", [URL, f"{URL}/", f"{URL}/api/v3", f"{URL}/api/v3/"])
def test_the_address_is_taken_with_or_without_its_path(url: str) -> None:
    api = Api({"GET /tickets/1": TICKET | {"TicketID": 1}})
    account = AccountConfig(name="a", url=url, secrets={"api_key": JWT})
    AteraConnector(account, http=httpx.MockTransport(api)).ticket("1")
    request = api.requests[0]
    assert str(request.url) == f"{URL}/api/v3/tickets/1"
    assert request.headers["authorization"] == f"Bearer {JWT}"
    assert request.headers["accept"] == "application/json"
    assert "gzip" in request.headers["accept-encoding"]
    assert "python" not in request.headers["user-agent"].lower()


def many(count: int, *, total_name: str | None = "totalItemCount", **extra: Any) -> Any:
    """A list of so many tickets, fifty a page."""

    def answer(request: httpx.Request) -> dict[str, Any]:
        number, size = int(request.url.params["page"]), int(request.url.params["itemsInPage"])
        ids = range(count, 0, -1)[(number - 1) * size : number * size]
        body: dict[str, Any] = {"items": [TICKET | {"TicketID": i} for i in ids], "page": number, "itemsInPage": size}
        return body | ({total_name: count} if total_name else {}) | extra

    return answer


def read(api: Api) -> list[str]:
    return [i for page in api.connector().ticket_ids() for i in page.rows]


@pytest.mark.parametrize(
    ("total_name", "extra", "calls"),
    [
        ("totalItemCount", {"totalPages": 3, "nextLink": None}, 3),
        ("totalItems", {}, 3),
        ("totalItemCount", {"nextLink": "https://evil.test/api/v3/tickets?page=2"}, 3),
        (None, {"totalPages": 3}, 3),
        (None, {}, 4),
    ],
)
def test_every_page_once(total_name: str | None, extra: dict[str, Any], calls: int) -> None:
    api = Api({"GET /tickets/noComments": many(120, total_name=total_name, **extra)})
    assert read(api) == [str(i) for i in range(120, 0, -1)]
    assert [r.url.params["page"] for r in api.requests] == [str(n) for n in range(1, calls + 1)]
    assert {r.url.params["itemsInPage"] for r in api.requests} == {"50"}


@pytest.mark.parametrize("body", [page([]), {"items": None, "totalItemCount": 0}, page([], total=0, pages=0)])
def test_an_empty_list(body: dict[str, Any]) -> None:
    assert read(Api({"GET /tickets/noComments": body})) == []


def test_a_list_that_repeats_itself_is_no_whole_list() -> None:
    rows = [TICKET | {"TicketID": i} for i in range(50)]
    with pytest.raises(Unavailable):
        read(Api({"GET /tickets/noComments": page(rows, total=500)}))


def test_a_list_that_shrinks_is_read_again_from_before() -> None:
    state = {"left": 120}

    def shrinking(request: httpx.Request) -> dict[str, Any]:
        number = int(request.url.params["page"])
        ids = list(range(1, 121))[120 - state["left"] :]
        state["left"] = 110
        return page([TICKET | {"TicketID": i} for i in ids[(number - 1) * 50 : number * 50]], total=len(ids))

    assert set(read(Api({"GET /tickets/noComments": shrinking}))) == {str(i) for i in range(1, 121)}


def test_a_resumed_list_goes_on_after_the_page() -> None:
    api = Api({"GET /tickets/noComments": many(120)})
    first = next(iter(api.connector().ticket_ids()))
    rest = [i for page in api.connector().ticket_ids(token=first.next_token) for i in page.rows]
    assert [*first.rows, *rest] == [str(i) for i in range(120, 0, -1)]


# Files


FILES = ["https://app.atera.test/files/a%20b.txt?sig=1", "https://blobs.test/x.txt"]


def test_a_file_on_the_own_host_is_read_with_the_key() -> None:
    def routes(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/attachments"):
            return httpx.Response(200, json=FILES)
        assert request.url.path == "/files/a b.txt"
        assert request.headers["x-api-key"] == SHORT
        return httpx.Response(200, content=b"abc", headers={"Content-Type": "text/plain; charset=utf-8"})

    account = AccountConfig(name="a", url=URL, secrets={"api_key": SHORT})
    connector = AteraConnector(account, http=httpx.MockTransport(routes))
    own, other = connector.attachments("1")
    with connector.download(own.remote_id, ticket="1") as file:
        assert (file.content_type, file.size, b"".join(file.chunks)) == ("text/plain", 3, b"abc")
    with pytest.raises(Rejected), connector.download(other.remote_id, ticket="1"):
        pass
    with pytest.raises(NotFound), connector.download("nothing", ticket="1"):
        pass


def test_a_file_that_is_redirected_elsewhere_is_refused() -> None:
    def routes(request: httpx.Request) -> httpx.Response:
        assert request.url.host == "app.atera.test"
        if request.url.path.endswith("/attachments"):
            return httpx.Response(200, json=FILES)
        return httpx.Response(302, headers={"Location": "http://169.254.169.254/"})

    account = AccountConfig(name="a", url=URL, secrets={"api_key": SHORT})
    connector = AteraConnector(replace(account), http=httpx.MockTransport(routes))
    with pytest.raises(Unavailable), connector.download(connector.attachments("1")[0].remote_id, ticket="1"):
        pass
