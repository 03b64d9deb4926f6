"""HaloPSA's paths, envelopes, token and errors. Knows no canonical word but the names of form fields in errors.

Source: vendor's OpenAPI for names; recorded behaviour of production tenants for envelopes, paging and errors.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn

import httpx

from connectors.base.answers import error_of
from connectors.base.auth import Token, TokenAuth, TokenStore, token_key
from connectors.base.connector import AccountConfig, Budget, Download
from connectors.base.errors import AuthFailed, Forbidden, RateLimited, Unavailable, WrongAddress
from connectors.base.paging import Place, RawPage, numbered
from connectors.base.transport import Answer, Body, Limits, Transport, origin, read_limited, retry_read
from connectors.halopsa.envelopes import Row, one_row, unwrap
from connectors.halopsa.faults import explain, wait_in

PAGE_SIZE = 100
"""The most that HaloPSA gives. Source: vendor's OpenAPI and recorded behaviour."""

SLOW_LISTS_SECONDS = 120.0
FORBIDDEN_SECONDS = 600.0
"""How long a path that stayed forbidden with a fresh token is not tried with another one."""

UPLOAD_BYTES_PER_SECOND = 50_000
"""The slowest line that an upload's total time allows for."""

Params = Mapping[str, str]


class HaloClient:
    """Calls to one HaloPSA account, rows in and out as HaloPSA spells them."""

    def __init__(
        self,
        account: AccountConfig,
        *,
        budget: Budget,
        rank: int,
        tokens: TokenStore | None = None,
        http: httpx.BaseTransport | None = None,
        clock: Callable[[], Any] | None = None,
    ) -> None:
        self.base = account.url.rstrip("/")
        self.api = f"{self.base}/api"
        self._settings = account.settings
        self._client_id = str(account.settings.get("client_id") or account.secrets.get("client_id") or "")
        self._secret = str(account.secrets.get("client_secret") or account.settings.get("client_secret") or "")
        self._auth_url = str(account.settings.get("auth_url") or "").rstrip("/").removesuffix("/token")
        self.transport = Transport(
            origins=(self.base, *([self._auth_url] if self._auth_url else [])),
            budget=budget,
            rank=rank,
            limits=Limits.from_settings(account.settings),
            secrets=(self._secret,),
            allow_private_addresses=account.allow_private_addresses,
            http=http,
            clock=clock,
        )
        key = token_key("halopsa", account.name, self.base, self._client_id, self._secret, self._scope, self._tenant)
        self.auth = TokenAuth(key, self.fetch_token, store=tokens)
        self._forbidden: dict[str, float] = {}

    def close(self) -> None:
        self.transport.close()

    # Token

    @property
    def _scope(self) -> str:
        return str(self._settings.get("scope") or "all")

    @property
    def _tenant(self) -> str:
        return str(self._settings.get("tenant") or "")

    def auth_url(self) -> str:
        """The authorisation server: as set, else as AuthInfo says if it is on this host, else `{url}/auth`."""
        if not self._auth_url:
            told = str(self.auth_info().get("auth_url") or "").rstrip("/")
            same_host = told.startswith("http") and origin(told) == origin(self.base)
            self._auth_url = told if same_host else f"{self.base}/auth"
        return self._auth_url

    def auth_info(self) -> Row:
        """What the resource server says of itself without a token; empty when it has no such page."""
        answer = retry_read(lambda: self._open("GET", f"{self.api}/AuthInfo"))
        if answer.status >= 500:
            raise error_of(answer)
        try:
            info = answer.json() if answer.status == 200 else {}
        except Unavailable:
            return {}
        return info if isinstance(info, dict) else {}

    def fetch_token(self) -> Token:
        """A new token by client credentials. AuthFailed for any 4xx but those that mean another address."""
        return retry_read(self._fetch_token)

    def _fetch_token(self) -> Token:
        form = {
            "grant_type": "client_credentials",
            "client_id": self._client_id,
            "client_secret": self._secret,
            "scope": self._scope,
        }
        url = f"{self.auth_url()}/token"
        params = {"tenant": self._tenant} if self._tenant else None
        answer = self._open("POST", url, params=params, data=form)
        if answer.status in (404, 405, 410) or 300 <= answer.status < 400:
            raise WrongAddress("there is no authorisation server at this address", status=answer.status)
        if 400 <= answer.status < 500 and answer.status not in (408, 429):
            if answer.is_html:
                raise WrongAddress("a web page answers instead of an authorisation server", status=answer.status)
            text = self.transport.redact(explain(answer.body)[0])
            if b"invalid_scope" in answer.body:
                raise Forbidden(f"Scope: {text}", status=answer.status)
            raise AuthFailed(text or "client id or secret are not accepted", status=answer.status)
        if answer.status >= 400:
            self._fail(answer)
        if answer.is_html:
            raise WrongAddress("a web page answers instead of an authorisation server", status=answer.status)
        return self._token_in(answer)

    def _token_in(self, answer: Answer) -> Token:
        body = answer.json()
        value = body.get("access_token") if isinstance(body, dict) else None
        if not isinstance(value, str) or not value:
            raise answer.senseless("the authorisation server gave no token")
        self.transport.hide(value)
        try:
            seconds = float(body.get("expires_in") or 3600)
        except (TypeError, ValueError):
            seconds = 3600.0
        return Token.lasting(value, seconds, now=time.time())

    def _open(
        self, method: str, url: str, *, params: Params | None = None, data: Mapping[str, str] | None = None
    ) -> Answer:
        """A call without a token. Asking for a token twice harms nothing, so it counts as a read."""
        return self.transport.send(method, url, is_write=False, params=params, data=data)

    # Reads

    def get(self, path: str, params: Params | None = None, *, attempts: int = 3, total: float | None = None) -> Any:
        """Decoded JSON of a read, retried while the PSA is unavailable."""
        return retry_read(lambda: self._get(path, params, total), attempts=attempts)

    def _get(self, path: str, params: Params | None, total: float | None) -> Any:
        return self._authorised("GET", path, params=params, total=total).json()

    def one(self, path: str, params: Params | None = None) -> Row:
        """One object, which comes bare; taken out of an array or envelope of one as well."""
        return retry_read(lambda: one_row(self._get(path, params, None), path))

    def rows(self, path: str, key: str, params: Params | None = None) -> list[Row]:
        """A list that comes at once."""
        return self.list_of(path, key, params).rows

    def list_of(self, path: str, key: str, params: Params | None = None) -> RawPage:
        """A list that comes at once, with its total where HaloPSA tells one."""
        return retry_read(lambda: unwrap(self._get(path, params, SLOW_LISTS_SECONDS), key))

    def page(self, path: str, key: str, params: Params | None, number: int) -> RawPage:
        """One page of a list. `pageinate` is HaloPSA's spelling; without it the other two have no effect."""
        paged = {
            "pageinate": "true",
            "page_size": str(PAGE_SIZE),
            "page_no": str(number),
            "order": "id",
            "orderdesc": "false",
            **(params or {}),
        }
        return retry_read(lambda: unwrap(self._get(path, paged, SLOW_LISTS_SECONDS), key))

    def pages(
        self, path: str, key: str, params: Params | None = None, *, start: Place | None = None
    ) -> Iterator[tuple[RawPage, Place | None]]:
        """All pages of a list by ascending id, to its end."""
        return numbered(lambda number: self.page(path, key, params, number), start=start)

    def all_rows(self, path: str, key: str, params: Params | None = None) -> list[Row]:
        """Every row of a paged list; a row that comes twice counts once."""
        found: dict[str, Row] = {}
        for page, _ in self.pages(path, key, params):
            found.update((str(row.get("id")), row) for row in page.rows)
        return list(found.values())

    # Writes

    def post(self, path: str, row: Row) -> Row:
        """Create (no id) or change (id) one object; the answer is the object."""
        content = json.dumps([row]).encode()
        answer = self._authorised("POST", path, is_write=True, content=content, headers={"Content-Type": _JSON})
        return self._written(answer, path)

    def delete(self, path: str) -> None:
        """Delete one object. NotFound when it is gone."""
        self._authorised("DELETE", path, is_write=True)

    def post_stream(self, path: str, body: Body, length: int) -> Row:
        """Create one object from a JSON body that is made while it is sent."""
        headers = {"Content-Type": _JSON, "Content-Length": str(length)}
        total = 90 + length / UPLOAD_BYTES_PER_SECOND
        answer = self._authorised("POST", path, is_write=True, content=body, headers=headers, total=total)
        return self._written(answer, path)

    def _written(self, answer: Answer, path: str) -> Row:
        try:
            row = one_row(answer.json(), path)
        except Unavailable as error:
            raise answer.senseless(error.text) from error
        if row.get("id") in (None, "", 0):
            raise answer.senseless("the answer to a write names no record")
        return row

    # Files

    @contextmanager
    def download(self, path: str) -> Iterator[Download]:
        """Stream raw bytes. Anything but 200 is an error before the first byte."""
        with self._opened(path) as response:
            size = response.headers.get("content-length", "")
            whole = size.isdigit() and "content-encoding" not in response.headers
            yield Download(
                content_type=response.headers.get("content-type", "application/octet-stream").partition(";")[0].strip(),
                size=int(size) if whole else None,
                chunks=response.iter_bytes(64 * 1024),
            )

    @contextmanager
    def _opened(self, path: str) -> Iterator[httpx.Response]:
        token = self.auth.token()
        for is_last in (False, True):
            self.transport.hide(token)
            with self.transport.stream(f"{self.api}{path}", headers=_bearer(token), total=1800.0) as response:
                if response.status_code == 200:
                    yield response
                    return
                answer = Answer(
                    status=response.status_code,
                    headers=response.headers,
                    body=read_limited(response),
                    request_id="",
                    is_write=False,
                )
            if is_last or answer.status != 401:
                self._fail(answer)
            token = self.auth.replace(token)

    # One call

    def _authorised(
        self,
        method: str,
        path: str,
        *,
        is_write: bool = False,
        params: Params | None = None,
        content: bytes | Body | None = None,
        headers: Mapping[str, str] | None = None,
        total: float | None = None,
    ) -> Answer:
        """A call with a token; after a 401 or 403 once more with a new one (permissions are fixed into a token)."""
        token = self.auth.token()
        for is_last in (False, True):
            self.transport.hide(token)
            answer = self.transport.send(
                method,
                f"{self.api}{path}",
                is_write=is_write,
                params=params,
                content=content,
                headers={**(headers or {}), **_bearer(token)},
                total=total,
            )
            if 200 <= answer.status < 300:
                return answer
            if is_last or not self._worth_a_token(answer.status, path):
                self._fail(answer, path)
            token = self.auth.replace(token)
        raise AssertionError("unreachable")

    def _worth_a_token(self, status: int, path: str) -> bool:
        return status == 401 or (status == 403 and time.monotonic() > self._forbidden.get(path, 0.0))

    def _fail(self, answer: Answer, path: str = "") -> NoReturn:
        if answer.is_html and 400 <= answer.status < 500 and answer.status != 429:
            raise WrongAddress(f"a web page answers instead of HaloPSA, HTTP {answer.status}", status=answer.status)
        text, fields = explain(answer.body) if not answer.is_html else ("", {})
        text = self.transport.redact(text)
        if answer.status == 403:
            self._forbidden[path] = time.monotonic() + FORBIDDEN_SECONDS
        wait = self.transport.retry_after(answer.headers)
        if answer.status != 429 and 400 <= answer.status < 500 and _RATE.search(text):
            raise RateLimited(text, retry_after=wait if wait is not None else wait_in(text), status=answer.status)
        if answer.status == 400 and _GONE.search(text):
            answer = Answer(
                status=404, headers=answer.headers, body=b"", request_id=answer.request_id, is_write=answer.is_write
            )
        fields = {name: self.transport.redact(message) for name, message in fields.items()}
        raise error_of(answer, text=text, fields=fields, retry_after=wait if wait is not None else wait_in(text))


_JSON = "application/json"
_RATE = re.compile(r"rate limit (reached|exceeded)|too many requests", re.IGNORECASE)
_GONE = re.compile(r"\b(ticket|action|attachment)\b.{0,40}\b(not found|does not exist)", re.IGNORECASE)


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
