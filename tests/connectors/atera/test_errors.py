"""What Atera says when it says no: bodies to words and fields, statuses to errors."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
import stamina

from connectors.atera.faults import explain
from connectors.base.errors import (
    AuthFailed,
    Conflict,
    ConnectorError,
    Forbidden,
    NotFound,
    RateLimited,
    Rejected,
    Unavailable,
    Unknown,
    WrongAddress,
)
from tests.connectors.atera.api import Api
from tests.connectors.atera.samples import TICKET


@pytest.fixture(autouse=True)
def quick() -> Any:
    with stamina.set_testing(True, attempts=3):
        yield


@pytest.mark.parametrize(
    ("body", "text", "field"),
    [
        ({"detail": "Title required", "title": "Bad Request", "errors": {"x": ["y"]}}, "Title required", "subject"),
        (
            {"title": "One or more", "errors": {"$.TicketPriority": ["Invalid priority"]}},
            "Invalid priority",
            "priority",
        ),
        ({"Message": "An error has occurred.", "message": "no", "title": "t"}, "An error has occurred.", ""),
        ({"message": "Customer not found", "title": "t"}, "Customer not found", "contact"),
        ({"title": "Not Found"}, "Not Found", ""),
        ({"detail": "", "title": "Bad Request"}, "Bad Request", ""),
        ({"detail": "<b>Title</b> required"}, "Title required", "subject"),
        ("plain words", "plain words", ""),
    ],
)
def test_words_in_their_order(body: Any, text: str, field: str) -> None:
    raw = body if isinstance(body, str) else json.dumps(body)
    assert explain(raw.encode()) == (text, {field: text})


@pytest.mark.parametrize("body", [b"", b"<html>x</html>", b"[1]", b"{}", b"null"])
def test_nothing_to_say(body: bytes) -> None:
    assert explain(body) == ("", {})


def test_raw_text_is_cut() -> None:
    assert len(explain(b"x" * 5000)[0]) == 500


READS: list[tuple[httpx.Response, type[ConnectorError]]] = [
    (httpx.Response(400, json={"detail": "Invalid ticket ID"}), NotFound),
    (httpx.Response(404, json={"detail": "Ticket not found"}), NotFound),
    (httpx.Response(401), AuthFailed),
    (httpx.Response(403), Forbidden),
    (httpx.Response(409), Conflict),
    (httpx.Response(429, headers={"Retry-After": "60"}), RateLimited),
    (httpx.Response(500, json={"Message": "An error has occurred."}), Unavailable),
    (httpx.Response(302, headers={"Location": "https://elsewhere.test/"}), Unavailable),
    (httpx.Response(200, text="<html>login</html>", headers={"Content-Type": "text/html"}), Unavailable),
    (httpx.Response(404, text="<html>no</html>", headers={"Content-Type": "text/html"}), WrongAddress),
    (httpx.Response(200, json=[]), Unavailable),
    (httpx.Response(200, json=TICKET | {"TicketID": 1}), Unavailable),
]


@pytest.mark.parametrize(("answer", "error"), READS)
def test_a_read(answer: httpx.Response, error: type[ConnectorError]) -> None:
    with pytest.raises(error) as caught:
        Api({"GET /tickets/54321": lambda _request: _copy(answer)}).connector().ticket("54321")
    if isinstance(caught.value, RateLimited):
        assert caught.value.retry_after == 60


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(400, json={"detail": "Title required"}), Rejected),
        (httpx.Response(401), AuthFailed),
        (httpx.Response(403), Forbidden),
        (httpx.Response(404, json={"detail": "Ticket not found"}), NotFound),
        (httpx.Response(429, headers={"Retry-After": "60"}), RateLimited),
        (httpx.Response(500, json={"Message": "An error has occurred."}), Unknown),
    ],
)
def test_a_write_is_made_once(answer: httpx.Response, error: type[ConnectorError]) -> None:
    api = Api({"POST /tickets/54321": answer})
    with pytest.raises(error):
        api.connector().update_ticket("54321", {"subject": "x"})
    assert len(api.requests) == 1


def test_a_refused_key_is_not_in_the_words() -> None:
    key = "0123456789abcdef0123456789abcdef"
    api = Api({"GET /tickets/54321": httpx.Response(400, json={"Message": f"bad {key}"})})
    with pytest.raises(NotFound) as caught:
        api.connector(api_key=key).ticket("54321")
    assert key not in str(caught.value)


def test_check_says_what_is_wrong() -> None:
    for answer, error in (
        (httpx.Response(401), AuthFailed),
        (httpx.Response(403), Forbidden),
        (httpx.Response(404, json={}), WrongAddress),
        (httpx.Response(500), Unavailable),
    ):
        api = Api({"GET /customers": lambda _request, answer=answer: _copy(answer)})
        with pytest.raises(error) as caught:
            api.connector().check()
        assert caught.value.text


def _copy(answer: httpx.Response) -> httpx.Response:
    return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)
