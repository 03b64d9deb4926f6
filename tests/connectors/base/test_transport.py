"""One call: what may be called, what is told of what went wrong, and what never leaves."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from connectors.base.answers import error_of
from connectors.base.connector import NoBudget
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
from connectors.base.network import is_public
from connectors.base.transport import Answer, Limits, Transport, origin, retry_read

HOST = "https://acme.halopsa.test"


def transport(handler: Callable[[httpx.Request], httpx.Response], **more: Any) -> Transport:
    return Transport(origins=(HOST,), budget=NoBudget(), rank=2, http=httpx.MockTransport(handler), **more)


def raising(error: type[Exception]) -> Callable[[httpx.Request], httpx.Response]:
    def handler(request: httpx.Request) -> httpx.Response:
        raise error("secret-detail")

    return handler


@pytest.mark.parametrize(
    ("error", "read", "write"),
    [
        (httpx.ConnectError, Unavailable, Unavailable),
        (httpx.ConnectTimeout, Unavailable, Unavailable),
        (httpx.PoolTimeout, Unavailable, Unavailable),
        (httpx.ReadTimeout, Unavailable, Unknown),
        (httpx.WriteTimeout, Unavailable, Unknown),
        (httpx.ReadError, Unavailable, Unknown),
        (httpx.WriteError, Unavailable, Unknown),
        (httpx.RemoteProtocolError, Unavailable, Unknown),
    ],
)
def test_a_write_that_may_have_arrived_is_unknown(
    error: type[Exception], read: type[ConnectorError], write: type[ConnectorError]
) -> None:
    calls = transport(raising(error))
    for is_write, expected in ((False, read), (True, write)):
        with pytest.raises(ConnectorError) as caught:
            calls.send("POST", f"{HOST}/x", is_write=is_write)
        assert type(caught.value) is expected
        assert "secret-detail" not in str(caught.value)
    assert calls.calls == 2


@pytest.mark.parametrize(
    "url", ["https://evil.test/x", "http://acme.halopsa.test/x", "https://acme.halopsa.test:444/x", "ftp://acme/x", "x"]
)
def test_only_the_account_s_own_origin_is_called(url: str) -> None:
    with pytest.raises(WrongAddress):
        transport(lambda request: httpx.Response(200)).send("GET", url, is_write=False)


def test_a_redirect_is_not_followed() -> None:
    answer = transport(lambda request: httpx.Response(302, headers={"Location": "https://evil.test/"})).send(
        "GET", f"{HOST}/x", is_write=False
    )
    assert answer.status == 302


def test_an_answer_without_end_is_cut_off() -> None:
    big = httpx.Response(200, content=iter([b"x" * 1024 * 1024] * 40))
    with pytest.raises(Unavailable, match="cannot be read"):
        transport(lambda request: big).send("GET", f"{HOST}/x", is_write=False)


def test_plain_http_needs_the_permission_for_private_addresses() -> None:
    plain = Transport(origins=("http://acme.test",), budget=NoBudget(), rank=2)
    with pytest.raises(WrongAddress, match="https"):
        plain.send("GET", "http://acme.test/x", is_write=False)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "192.168.0.1",
        "172.16.0.1",
        "169.254.169.254",
        "0.0.0.0",
        "100.64.0.1",
        "::1",
        "fe80::1%eth0",
        "fd00::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "224.0.0.1",
        "ff02::1",
    ],
)
def test_addresses_that_are_not_the_internet(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1"])
def test_addresses_of_the_internet(address: str) -> None:
    assert is_public(address)


def test_a_private_address_is_refused_before_a_byte_is_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"https://localhost:{server.getsockname()[1]}"
        calls = Transport(origins=(address,), budget=NoBudget(), rank=2)
        with pytest.raises(WrongAddress, match="private"):
            calls.send("GET", f"{address}/x", is_write=False)
        server.settimeout(0.05)
        with pytest.raises(TimeoutError):
            server.accept()


DRIPS, DRIP_SECONDS = 200, 0.1


def test_a_call_is_over_at_its_total_however_slowly_it_drips() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_drip, args=(server,), daemon=True).start()
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        calls = Transport(
            origins=(address,),
            budget=NoBudget(),
            rank=2,
            allow_private_addresses=True,
            limits=Limits(connect=1, read=1, total=0.6),
        )
        started = time.monotonic()
        with pytest.raises(Unavailable, match="in time"):
            calls.send("GET", f"{address}/x", is_write=False)
        assert time.monotonic() - started < DRIPS * DRIP_SECONDS


def _drip(server: socket.socket) -> None:
    connection, _ = server.accept()
    with connection:
        for byte in b"HTTP/1.1 200 OK\r\nX: " + b"y" * DRIPS:
            try:
                connection.sendall(bytes([byte]))
            except OSError:
                return
            time.sleep(DRIP_SECONDS)


def test_the_log_line_names_the_call_and_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    calls = transport(lambda request: httpx.Response(200, json={}), secrets=("s3cret-value",))
    with caplog.at_level(logging.INFO, "connectors.transport"):
        calls.send("GET", f"{HOST}/api/s3cret-value?search=private", is_write=False, headers={"A": "s3cret-value"})
    record = next(r for r in caplog.records if r.name == "connectors.transport")
    facts = vars(record)
    assert facts["method"] == "GET"
    assert facts["status"] == 200
    assert facts["path"] == "/api/[redacted]"
    assert len(facts["call_id"]) == 12
    assert "s3cret" not in record.getMessage()
    assert "private" not in record.getMessage()


def _at_noon() -> datetime:
    return datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("7", 7.0), ("0.5", 0.5), ("-3", 0.0), ("Sat, 21 Nov 2026 12:00:30 GMT", 30.0), ("soon", None), ("", None)],
)
def test_retry_after_in_seconds_or_as_a_date(value: str, seconds: float | None) -> None:
    calls = transport(lambda request: httpx.Response(200), clock=_at_noon)
    assert calls.retry_after(httpx.Headers({"Retry-After": value} if value else {})) == seconds


def test_a_429_holds_the_budget_back() -> None:
    held: list[float | None] = []

    class Budget(NoBudget):
        def punish(self, *, seconds: float | None) -> None:
            held.append(seconds)

    calls = Transport(
        origins=(HOST,),
        budget=Budget(),
        rank=2,
        http=httpx.MockTransport(lambda request: httpx.Response(429, headers={"Retry-After": "9"})),
    )
    calls.send("GET", f"{HOST}/x", is_write=False)
    assert held == [9.0]


@pytest.mark.parametrize(
    ("status", "is_write", "expected"),
    [
        (302, True, Unavailable),
        (400, True, Rejected),
        (401, False, AuthFailed),
        (403, False, Forbidden),
        (404, False, NotFound),
        (410, False, NotFound),
        (409, True, Conflict),
        (423, True, Conflict),
        (408, True, Unknown),
        (422, True, Rejected),
        (429, True, RateLimited),
        (500, False, Unavailable),
        (500, True, Unknown),
        (503, True, Unknown),
        (504, False, Unavailable),
    ],
)
def test_every_status_has_its_error(status: int, is_write: bool, expected: type[ConnectorError]) -> None:
    answer = Answer(status=status, headers=httpx.Headers(), body=b"", request_id="r", is_write=is_write)
    error = error_of(answer, text="words")
    assert type(error) is expected
    assert error.status == status
    assert error.request_id == "r"


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"half":', b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_json_is_no_answer(body: bytes) -> None:
    for is_write, expected in ((False, Unavailable), (True, Unknown)):
        answer = Answer(status=200, headers=httpx.Headers(), body=body, request_id="r", is_write=is_write)
        with pytest.raises(expected):
            answer.json()


def failing(*errors: ConnectorError) -> tuple[Callable[[], str], list[int]]:
    left, tries = list(errors), [0]

    def call() -> str:
        tries[0] += 1
        if left:
            raise left.pop(0)
        return "done"

    return call, tries


@pytest.mark.parametrize(
    ("errors", "tries"),
    [
        ([Unavailable()], 2),
        ([Unavailable(), Unavailable()], 3),
        ([RateLimited(retry_after=0.01)], 2),
    ],
)
def test_reads_are_tried_again(errors: list[ConnectorError], tries: int, no_waits: None) -> None:
    call, count = failing(*errors)
    assert retry_read(call) == "done"
    assert count == [tries]


@pytest.mark.parametrize(
    "error",
    [RateLimited(retry_after=60), RateLimited(), WrongAddress(), AuthFailed(), NotFound(), Rejected(), Unknown()],
)
def test_what_will_not_change_is_not_tried_again(error: ConnectorError, no_waits: None) -> None:
    call, count = failing(error)
    with pytest.raises(type(error)):
        retry_read(call)
    assert count == [1]


def test_a_read_within_a_read_does_not_multiply_attempts(no_waits: None) -> None:
    call, count = failing(*[Unavailable() for _ in range(50)])
    with pytest.raises(Unavailable):
        retry_read(lambda: retry_read(call))
    assert count == [3]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://Acme.test/x", ("https", "acme.test", 443)),
        ("http://a:81", ("http", "a", 81)),
    ],
)
def test_origin(address: str, expected: tuple[str, str, int]) -> None:
    assert origin(address) == expected


@pytest.fixture
def no_waits() -> Iterator[None]:
    import stamina

    with stamina.set_testing(True, attempts=3):
        yield
