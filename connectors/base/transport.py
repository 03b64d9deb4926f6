"""One HTTP call to a PSA: budget, timeouts, size limits, allowed hosts, log line, redaction. No knowledge of any PSA.

What can go wrong on the way is told apart by one question: can the PSA have seen the request? No: `Unavailable`.
Yes, and it was a write: `Unknown`.
"""

from __future__ import annotations

import json
import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import httpx
import stamina

from connectors.base.connector import Budget
from connectors.base.errors import ConnectorError, RateLimited, Unavailable, Unknown, WrongAddress
from connectors.base.network import AddressRefused, Deadline, GuardedTransport

log = logging.getLogger("connectors.transport")

T = TypeVar("T")

USER_AGENT = "helpdesk-connector/1.0"
JSON_LIMIT_BYTES = 32 * 1024 * 1024
SHORT_WAIT_SECONDS = 5.0
"""A `Retry-After` up to this long is waited out in a read; a longer one is the caller's business."""

_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)

Body = Callable[[], Iterator[bytes]]
"""Gives a fresh stream of the same bytes each time."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Seconds: to connect, between two bytes in or out, and for one call in all."""

    connect: float = 10.0
    read: float = 30.0
    total: float = 90.0

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> Limits:
        """From an account's `connect_timeout`, `read_timeout`, `total_timeout`; defaults for what is not set."""
        known = {name: settings.get(f"{name}_timeout") for name in ("connect", "read", "total")}
        return cls(**{name: float(value) for name, value in known.items() if value})


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A complete answer. `is_write` says what the call was, for the meaning of a bad one."""

    status: int
    headers: httpx.Headers
    body: bytes
    request_id: str
    is_write: bool

    def json(self) -> Any:
        """The body as JSON; Unavailable (a read) or Unknown (a write) when it is not."""
        if not self.body:
            raise self.senseless("an empty answer")
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            what = "a web page" if self.is_html else "no JSON"
            raise self.senseless(f"the answer is {what}") from error

    @property
    def is_html(self) -> bool:
        return "html" in self.headers.get("content-type", "") or self.body[:64].lstrip()[:1] == b"<"

    def senseless(self, text: str) -> ConnectorError:
        """The error for an answer that came but makes no sense."""
        kind = Unknown if self.is_write else Unavailable
        return kind(text, status=self.status, request_id=self.request_id)


class Transport:
    """Calls one PSA account. Threads may share it."""

    def __init__(
        self,
        *,
        origins: tuple[str, ...],
        budget: Budget,
        rank: int,
        limits: Limits | None = None,
        secrets: tuple[str, ...] = (),
        allow_private_addresses: bool = False,
        http: httpx.BaseTransport | None = None,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        """`origins`: addresses whose scheme, host and port may be called. `http` replaces the network in tests."""
        self.calls = 0
        self._budget = budget
        self._rank = rank
        self._limits = limits or Limits()
        self._secrets = {s for s in secrets if len(s) > 3}
        self._clock = clock or (lambda: datetime.now(UTC))
        self._origins = {place for address in origins if (place := _origin_or_none(address))}
        self._needs_tls = not allow_private_addresses
        self._lock = threading.Lock()
        self._deadline = Deadline()
        self._client = httpx.Client(
            transport=http or GuardedTransport(allow_private=allow_private_addresses, deadline=self._deadline),
            follow_redirects=False,
            trust_env=False,
            headers={"User-Agent": USER_AGENT, "Accept": "application/json"},
            timeout=httpx.Timeout(self._limits.read, connect=self._limits.connect),
        )

    def close(self) -> None:
        self._client.close()

    def allow(self, address: str) -> None:
        """Add the origin of this address to those that may be called."""
        self._origins.add(origin(address))

    def hide(self, secret: str) -> None:
        """Never let this text out in a log line or an error."""
        if len(secret) > 3:
            self._secrets.add(secret)

    def redact(self, text: str) -> str:
        """The text without any secret of this account."""
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, "[redacted]")
        return text

    def send(
        self,
        method: str,
        url: str,
        *,
        is_write: bool,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | Body | None = None,
        data: Mapping[str, str] | None = None,
        total: float | None = None,
    ) -> Answer:
        """One call, its whole answer. Raises only what happened on the way; any HTTP status is an answer.

        `total`: seconds for this call in all, instead of the usual limit.
        """
        request_id = uuid.uuid4().hex[:12]
        request = self._request(method, url, params, headers, content, data)
        with self._call(request, request_id, is_write, total or self._limits.total) as response:
            body = read_limited(response)
            answer = Answer(
                status=response.status_code,
                headers=response.headers,
                body=body,
                request_id=request_id,
                is_write=is_write,
            )
        if answer.status == 429:
            self._budget.punish(seconds=self.retry_after(answer.headers))
        return answer

    @contextmanager
    def stream(self, url: str, *, headers: Mapping[str, str], total: float) -> Iterator[httpx.Response]:
        """An open GET, body not yet read; what breaks while reading it is told as Unavailable."""
        request = self._request("GET", url, None, {"Accept": "*/*", **headers}, None, None)
        with self._call(request, uuid.uuid4().hex[:12], False, total) as response:
            yield response

    def retry_after(self, headers: httpx.Headers) -> float | None:
        """Seconds to wait by the `Retry-After` header, given in seconds or as an HTTP date; None without one.

        Source: RFC 9110, 10.2.3.
        """
        value = headers.get("retry-after", "").strip()
        try:
            return max(0.0, float(value))
        except ValueError:
            pass
        try:
            at = parsedate_to_datetime(value)
        except ValueError:
            return None
        return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - self._clock()).total_seconds())

    def _request(
        self,
        method: str,
        url: str,
        params: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
        content: bytes | Body | None,
        data: Mapping[str, str] | None,
    ) -> httpx.Request:
        place = origin(url)
        if place not in self._origins:
            raise WrongAddress("a link to another host is not followed")
        if self._needs_tls and place[0] != "https":
            raise WrongAddress("the address must begin with https://")
        body = content() if callable(content) else content
        try:
            return self._client.build_request(method, url, params=params, headers=headers, content=body, data=data)
        except (httpx.InvalidURL, ValueError) as error:
            raise WrongAddress("this is not an address") from error

    @contextmanager
    def _call(self, request: httpx.Request, request_id: str, is_write: bool, total: float) -> Iterator[httpx.Response]:
        self._budget.take(rank=self._rank)
        with self._lock:
            self.calls += 1
        started = time.monotonic()
        status = 0
        outer, self._deadline.at = self._deadline.at, started + total
        try:
            response = self._client.send(request, stream=True)
            status = response.status_code
            try:
                yield response
            finally:
                response.close()
        except httpx.HTTPError as error:
            raise self._explain(error, request_id, is_write, status) from error
        finally:
            self._deadline.at = outer
            self._log(request, request_id, status, time.monotonic() - started)

    def _explain(self, error: httpx.HTTPError, request_id: str, is_write: bool, status: int) -> ConnectorError:
        if isinstance(error.__cause__, AddressRefused):
            return WrongAddress("this address is in a private network", request_id=request_id)
        text = self.redact(_words(error))
        if is_write and not isinstance(error, _NOT_SENT):
            return Unknown(text, status=status or None, request_id=request_id)
        return Unavailable(text, status=status or None, request_id=request_id)

    def _log(self, request: httpx.Request, request_id: str, status: int, seconds: float) -> None:
        facts = {
            "call_id": request_id,
            "method": request.method,
            "path": self.redact(request.url.path),
            "status": status,
            "ms": round(seconds * 1000),
        }
        level = logging.INFO if 200 <= status < 400 else logging.WARNING
        log.log(level, "psa call %(call_id)s %(method)s %(path)s %(status)s %(ms)s ms", facts, extra=facts)


def origin(address: str) -> tuple[str, str, int]:
    """Scheme, host and port of an address. WrongAddress when it is not an http address."""
    try:
        url = httpx.URL(address)
    except (httpx.InvalidURL, ValueError, TypeError) as error:
        raise WrongAddress("this is not an address") from error
    if url.scheme not in ("http", "https") or not url.host:
        raise WrongAddress("the address must begin with https://")
    return url.scheme, url.host.lower(), url.port or (443 if url.scheme == "https" else 80)


def _origin_or_none(address: str) -> tuple[str, str, int] | None:
    """A wrong address shows when it is called, not when a connector is made."""
    try:
        return origin(address)
    except WrongAddress:
        return None


def retry_read(call: Callable[[], T], *, attempts: int = 3, seconds: float = 60.0) -> T:
    """Run a read; again, with growing and jittered pauses, while it is Unavailable or a short RateLimited.

    A read inside a read (the token it needs) is not retried on its own: attempts must not multiply.
    """
    if _nesting.inside:
        return call()
    _nesting.inside = True
    try:
        return _retried(call, attempts, seconds)
    finally:
        _nesting.inside = False


class _Nesting(threading.local):
    inside: bool = False


_nesting = _Nesting()


def _retried(call: Callable[[], T], attempts: int, seconds: float) -> T:
    for attempt in stamina.retry_context(
        on=_again, attempts=attempts, timeout=seconds, wait_initial=0.3, wait_max=8.0, wait_jitter=0.5
    ):
        with attempt:
            return call()
    raise Unavailable("no attempt was made")


def _again(error: Exception) -> bool | float:
    if isinstance(error, RateLimited):
        wait = error.retry_after
        return max(wait, 0.05) if wait is not None and wait <= SHORT_WAIT_SECONDS else False
    return isinstance(error, Unavailable) and not isinstance(error, WrongAddress)


def read_limited(response: httpx.Response, limit: int = JSON_LIMIT_BYTES) -> bytes:
    """The whole body, decoded; httpx.DecodingError when it is larger than the limit."""
    parts: list[bytes] = []
    size = 0
    for part in response.iter_bytes():
        size += len(part)
        if size > limit:
            raise httpx.DecodingError("the answer is too large", request=response.request)
        parts.append(part)
    return b"".join(parts)


def _words(error: httpx.HTTPError) -> str:
    if isinstance(error, httpx.TimeoutException):
        return "no answer in time"
    if isinstance(error, httpx.ConnectError):
        return "no connection"
    if isinstance(error, httpx.DecodingError):
        return "the answer cannot be read"
    return "the connection broke"
