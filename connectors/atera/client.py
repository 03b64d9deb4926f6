"""Atera's paths, key, page envelope and errors. Knows no canonical word but the names of form fields in errors.

Source: the vendor's OpenAPI for names and paths; recorded behaviour for both kinds of key and for what it leaves out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn
from urllib.parse import urljoin

import httpx

from connectors.atera.faults import explain
from connectors.atera.mapping.values import identifier
from connectors.base.answers import error_of
from connectors.base.connector import AccountConfig, Budget, Download
from connectors.base.errors import Rejected, Unavailable, WrongAddress
from connectors.base.paging import Place, RawPage, numbered
from connectors.base.transport import Answer, Limits, Transport, origin, read_limited, retry_read

Row = dict[str, Any]
Params = Mapping[str, str]

PAGE_SIZE = 50
"""The most that Atera gives. Source: vendor's OpenAPI."""
API = "/api/v3"
TOKEN_LENGTH = 100
"""Keys are 32 characters; what is longer than this is a token."""


def auth_headers(key: str, style: str = "") -> dict[str, str]:
    """The header for a key: a token (three dotted parts, or long) is a bearer's, a short key has a header of its own.

    `style`, `bearer` or `key`, says it where the shape would mislead.
    """
    is_token = (key.startswith("eyJ") and key.count(".") == 2) or len(key) > TOKEN_LENGTH
    if style == "bearer" or (style != "key" and is_token):
        return {"Authorization": f"Bearer {key}"}
    return {"X-API-KEY": key}


class AteraClient:
    """Calls to one Atera account, rows in and out as Atera spells them."""

    def __init__(
        self,
        account: AccountConfig,
        *,
        budget: Budget,
        rank: int,
        http: httpx.BaseTransport | None = None,
        clock: Callable[[], Any] | None = None,
    ) -> None:
        self.base = account.url.rstrip("/").removesuffix(API)
        self.api = f"{self.base}{API}"
        key = str(account.secrets.get("api_key") or account.settings.get("api_key") or "").strip()
        self._headers = auth_headers(key, str(account.settings.get("auth_style") or "").lower())
        self.transport = Transport(
            origins=(self.base,),
            budget=budget,
            rank=rank,
            limits=Limits.from_settings(account.settings),
            secrets=(key,),
            allow_private_addresses=account.allow_private_addresses,
            http=http,
            clock=clock,
        )

    def close(self) -> None:
        self.transport.close()

    # Reads

    def get(self, path: str, params: Params | None = None) -> Any:
        """Decoded JSON of a read, retried while Atera is unavailable."""
        return retry_read(lambda: self._call("GET", path, params=params).json())

    def one(self, path: str) -> Row:
        """One object."""
        return retry_read(lambda: self._object(path))

    def _object(self, path: str) -> Row:
        body = self._call("GET", path).json()
        if not isinstance(body, dict):
            raise Unavailable("the answer is no object")
        return body

    def page(self, path: str, number: int, params: Params | None = None) -> RawPage:
        """One page of a list. Atera's own links to other pages are not followed: they may lead to another host."""
        return self._page(path, number, params)[0]

    def _page(self, path: str, number: int, params: Params | None) -> tuple[RawPage, int | None]:
        asked = {"page": str(number), "itemsInPage": str(PAGE_SIZE), **(params or {})}
        return retry_read(lambda: unwrap(self._call("GET", path, params=asked).json()))

    def pages(
        self, path: str, key: str, params: Params | None = None, *, start: Place | None = None
    ) -> Iterator[tuple[RawPage, Place | None]]:
        """All pages of a list whose rows are told apart by `key`. The last page that Atera counts is the end."""
        end: int | None = None

        def get(number: int) -> RawPage:
            nonlocal end
            if end is not None and number > end:
                return RawPage([], None)
            page, pages = self._page(path, number, params)
            if page.total is None and pages is not None and number >= pages:
                end = number
            return page

        return numbered(get, start=start, identify=lambda row: identifier(row.get(key)) or json.dumps(row, default=str))

    def rows(self, path: str, key: str) -> list[Row]:
        """Every row of a paged list; rows without an id all count, since the same thing may be said twice."""
        return [row for page, _ in self.pages(path, key) for row in page.rows]

    # Writes

    def post(self, path: str, body: Mapping[str, Any]) -> Row:
        """Create or change one thing. The answer names it, or is empty."""
        answer = self._call("POST", path, body=body)
        if not answer.body.strip():
            return {}
        found = answer.json()
        if not isinstance(found, dict):
            raise answer.senseless("the answer to a write is no object")
        return found

    # Files

    @contextmanager
    def download(self, url: str) -> Iterator[Download]:
        """Stream a file that lies on the account's own host; another host gets neither a call nor the key."""
        address = urljoin(f"{self.base}/", url.strip())
        if origin(address) != origin(self.base):
            text = "the file lies on another host, which is not called: open it in Atera"
            raise Rejected(text, fields={"": text})
        with self.transport.stream(address, headers=self._headers, total=1800.0) as response:
            if response.status_code != 200:
                self._fail(_answer(response))
            size = response.headers.get("content-length", "")
            whole = size.isdigit() and "content-encoding" not in response.headers
            yield Download(
                content_type=response.headers.get("content-type", "application/octet-stream").partition(";")[0].strip(),
                size=int(size) if whole else None,
                chunks=response.iter_bytes(64 * 1024),
            )

    # One call

    def _call(
        self, method: str, path: str, *, params: Params | None = None, body: Mapping[str, Any] | None = None
    ) -> Answer:
        is_write = method != "GET"
        headers = dict(self._headers)
        content = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            content = json.dumps(body).encode()
        answer = self.transport.send(
            method, f"{self.api}{path}", is_write=is_write, params=params, headers=headers, content=content
        )
        if not 200 <= answer.status < 300:
            self._fail(answer)
        return answer

    def _fail(self, answer: Answer) -> NoReturn:
        if answer.is_html and 400 <= answer.status < 500 and answer.status != 429:
            raise WrongAddress(f"a web page answers instead of Atera, HTTP {answer.status}", status=answer.status)
        text, fields = explain(answer.body) if not answer.is_html else ("", {})
        text = self.transport.redact(text)
        fields = {name: self.transport.redact(message) for name, message in fields.items()}
        raise error_of(answer, text=text, fields=fields, retry_after=self.transport.retry_after(answer.headers))


def unwrap(body: Any) -> tuple[RawPage, int | None]:
    """The rows, their total and the number of pages, as far as the envelope tells. Unavailable without `items`."""
    rows = body.get("items") if isinstance(body, dict) else None
    if rows is None and isinstance(body, dict) and "totalItemCount" in body:
        rows = []
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Unavailable("the answer is no list")
    total = _count(body, "totalItemCount", "totalItems")
    return RawPage(rows, total), _count(body, "totalPages")


def _count(body: Mapping[str, Any], *names: str) -> int | None:
    for name in names:
        value = body.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return value
    return None


def _answer(response: httpx.Response) -> Answer:
    return Answer(
        status=response.status_code,
        headers=response.headers,
        body=read_limited(response),
        request_id="",
        is_write=False,
    )
