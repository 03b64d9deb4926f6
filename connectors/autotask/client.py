"""Autotask's paths, headers, envelopes, query grammar and paging. Knows no canonical word but in errors.

Children are read at the root and written under their parent. Queries go by POST, their next pages too. Source: vendor's
OpenAPI for names; recorded behaviour for envelopes and paging.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NoReturn

import httpx

from connectors.autotask.faults import error_in, has_errors, is_refused_impersonation
from connectors.autotask.gates import Gates, gates_of
from connectors.autotask.mapping.picklists import Fields, read_fields
from connectors.autotask.mapping.values import identifier
from connectors.autotask.zone import Zone, Zones
from connectors.base.auth import TokenStore
from connectors.base.connector import AccountConfig, Budget
from connectors.base.errors import ConnectorError, NotFound, Unavailable, WrongAddress
from connectors.base.transport import Answer, Body, Limits, Transport, origin, retry_read

log = logging.getLogger("connectors.autotask")

PAGE_SIZE = 500
"""The most that Autotask gives."""
MAX_PAGES = 20_000
UPLOAD_BYTES_PER_SECOND = 50_000
"""The slowest line that an upload's total time allows for."""
POLLING = 2
"""Calls of this rank and below wait while the hour's allowance runs out."""
_JSON = "application/json"

Row = dict[str, Any]
Filter = dict[str, Any]


def where(field: str, op: str, value: Any = None) -> Filter:
    """One condition; `exist` and `notExist` take no value."""
    return {"op": op, "field": field} if value is None else {"op": op, "field": field, "value": value}


def any_of(*conditions: Filter) -> Filter:
    return {"op": "or", "items": list(conditions)}


@dataclass(frozen=True)
class QueryPage:
    """Rows by ascending id. `last` is the place to resume after; None with the last page."""

    rows: list[Row]
    last: int | None


class AutotaskClient:
    """Calls to one Autotask account, rows in and out as Autotask spells them."""

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
        self._user = _given(account, "username")
        self._secret = _given(account, "secret")
        self._code = _given(account, "integration_code")
        self._rank = rank
        self._page_size = max(1, min(PAGE_SIZE, int(account.settings.get("page_size") or PAGE_SIZE)))
        self.transport = Transport(
            origins=(account.url,),
            budget=budget,
            rank=rank,
            limits=Limits.from_settings(account.settings),
            secrets=(self._secret, self._code),
            allow_private_addresses=account.allow_private_addresses,
            http=http,
            clock=clock,
        )
        self.zones = Zones(self.transport, url=account.url, user=self._user, name=account.name, store=tokens)
        self.gates = gates_of(account.name, account.url, self._user) if http is None else Gates()
        self._fields: dict[str, Fields] = {}

    def close(self) -> None:
        self.transport.close()

    # Reads

    def get(self, path: str) -> Any:
        """Decoded JSON of a read, retried while Autotask is unavailable."""
        return retry_read(lambda: self._call("GET", path, is_write=False).json())

    def one(self, path: str) -> Row:
        """One record, out of `item` or a list of one. NotFound for `item: null`."""
        body = self.get(path)
        found = body.get("item", body.get("items")) if isinstance(body, dict) else None
        if isinstance(body, dict) and found is None and ("item" in body or "items" in body):
            raise NotFound("there is no such record")
        if isinstance(found, list):
            if not found:
                raise NotFound("there is no such record")
            found = found[0]
        if not isinstance(found, dict):
            raise Unavailable("a record was expected")
        return found

    def fields(self, entity: str, *, anew: bool = False) -> Fields:
        """The metadata of an entity's fields, kept for the life of this client."""
        if anew or entity not in self._fields:
            body = self.get(f"/{entity}/entityInformation/fields")
            rows = body.get("fields") if isinstance(body, dict) else None
            if not isinstance(rows, list):
                raise Unavailable("a list of fields was expected")
            self._fields[entity] = read_fields(rows)
        return self._fields[entity]

    def count(self, entity: str, conditions: Sequence[Filter]) -> int | None:
        """How many rows match; None where Autotask does not say."""
        body = self._query(f"/{entity}/query/count", {"filter": list(conditions)})
        found = body.get("queryCount") if isinstance(body, dict) else None
        return found if isinstance(found, int) and not isinstance(found, bool) else None

    def rows(self, entity: str, conditions: Sequence[Filter], *, include: Sequence[str] = ()) -> list[Row]:
        """Every matching row."""
        return [row for page in self.query(entity, conditions, include=include) for row in page.rows]

    def history(self, ticket: int) -> list[Row]:
        """The history of a ticket, which Autotask gives for one ticket and by no second condition."""
        body: Row = {"MaxRecords": self._page_size, "filter": [where("ticketID", "eq", ticket)]}
        found: list[Row] = []
        url, seen = "/TicketHistory/query", set[str]()
        while url and url not in seen:
            seen.add(url)
            rows, url, _ = _page_in(self._query(url, body))
            found += rows
        return found

    def query(
        self, entity: str, conditions: Sequence[Filter], *, include: Sequence[str] = (), after: int | None = None
    ) -> Iterator[QueryPage]:
        """Pages of matching rows with ids above `after`, to the end of the list.

        Next pages are fetched by the verb that began the query, with the same body. Where Autotask no longer knows the
        next page (404, 405) the query begins anew after the last id. Rows that do not ascend, a page that comes again
        and a list without an end raise Unavailable: half a list must not count as a whole one.
        """
        body = self._query_body(conditions, include, after)
        last, url = (-1 if after is None else after), ""
        seen: set[str] = set()
        for _ in range(MAX_PAGES):
            try:
                answer = self._query(url or f"/{entity}/query", body)
            except NotFound:
                if not url:
                    raise
                url, body = "", self._query_body(conditions, include, last)
                continue
            rows, following, is_told = _page_in(answer)
            last = _ascending(rows, last)
            if following and (following in seen or not rows):
                raise Unavailable("the list repeats a page")
            seen.add(following)
            url = following
            if not following and not is_told and rows:
                body = self._query_body(conditions, include, last)
            elif not following:
                yield QueryPage(rows, None)
                return
            yield QueryPage(rows, last)
        raise Unavailable("the list does not end")

    def _query_body(self, conditions: Sequence[Filter], include: Sequence[str], after: int | None) -> Row:
        start = where("id", "gte", 0) if after is None else where("id", "gt", after)
        body: Row = {"MaxRecords": self._page_size, "filter": [*conditions, start]}
        return {**body, "IncludeFields": list(include)} if include else body

    def _query(self, path: str, body: Row) -> Any:
        content = json.dumps(body).encode()

        def read() -> Any:
            try:
                return self._call("POST", path, is_write=False, content=content).json()
            except ConnectorError as error:
                if error.status == 405:
                    raise NotFound(error.text, status=405) from error
                raise

        return retry_read(read)

    # Writes

    def create(self, path: str, row: Row, *, impersonate: str | None = None) -> str:
        """Create a record; its id, which is all that Autotask answers."""
        return self._written("POST", path, row, impersonate)

    def change(self, path: str, row: Row, *, impersonate: str | None = None) -> str:
        """Change the members of `row` only; the id stands in the body."""
        return self._written("PATCH", path, row, impersonate)

    def delete(self, path: str) -> None:
        self._call("DELETE", path, is_write=True)

    def upload(self, path: str, body: Body, length: int, *, size: int, impersonate: str | None = None) -> str:
        """Create a record from a JSON body that is made while it is sent; `size` is the file's own."""
        self.gates.take_bytes(size)
        answer = self._as_somebody(
            impersonate,
            lambda who: self._call(
                "POST",
                path,
                is_write=True,
                content=body,
                headers={**who, "Content-Length": str(length)},
                total=90 + length / UPLOAD_BYTES_PER_SECOND,
            ),
        )
        return _id_in(answer)

    def _written(self, method: str, path: str, row: Row, impersonate: str | None) -> str:
        content = json.dumps(row).encode()
        return _id_in(
            self._as_somebody(
                impersonate, lambda who: self._call(method, path, is_write=True, content=content, headers=who)
            )
        )

    def _as_somebody(self, resource: str | None, write: Callable[[dict[str, str]], Answer]) -> Answer:
        """A write in a resource's name; once more in our own when the resource may not, which applied nothing."""
        if resource is None:
            return write({})
        try:
            return write({"ImpersonationResourceId": resource})
        except ConnectorError as error:
            if not is_refused_impersonation(error):
                raise
            log.warning("autotask refused to let resource %s be impersonated: %s", resource, error.text)
            return write({})

    # One call

    def _call(
        self,
        method: str,
        path: str,
        *,
        is_write: bool,
        content: bytes | Body | None = None,
        headers: Mapping[str, str] | None = None,
        total: float | None = None,
    ) -> Answer:
        """A call to the zone; once more in another zone when the customer has moved, which a 401 may mean.

        `path` begins with the entity, or is the address of a next page, which must be in the zone.
        """
        zone = self.zones.current()
        endpoint = _endpoint(path, zone)
        self._mind_the_hour(zone, endpoint)
        answer = self._send(zone, method, path, is_write, content, headers, total)
        if answer.status == 401 and not path.startswith("http"):
            other = self.zones.other_than(zone)
            if other is not None:
                answer = self._send(other, method, path, is_write, content, headers, total)
        if 200 <= answer.status < 300 and not has_errors(answer.body):
            return answer
        self._fail(answer)

    def _send(
        self,
        zone: Zone,
        method: str,
        path: str,
        is_write: bool,
        content: bytes | Body | None,
        headers: Mapping[str, str] | None,
        total: float | None,
    ) -> Answer:
        url = path if path.startswith("http") else f"{zone.api}{path}"
        sent = {"ApiIntegrationCode": self._code, "UserName": self._user, "Secret": self._secret, **(headers or {})}
        if content is not None:
            sent["Content-Type"] = _JSON
        with self.gates.thread(_endpoint(path, zone)):
            return self.transport.send(method, url, is_write=is_write, content=content, headers=sent, total=total)

    def _mind_the_hour(self, zone: Zone, endpoint: str) -> None:
        """Background calls ask once a minute how much of the hour's calls is used, and wait when it is much."""
        if self._rank < POLLING or endpoint == "thresholdinformation":
            return
        if self.gates.is_threshold_due():
            try:
                body = self._send(zone, "GET", "/ThresholdInformation", False, None, None, None).json()
                self.gates.note_share(body["currentTimeframeRequestCount"] / body["externalRequestThreshold"])
            except (ConnectorError, KeyError, TypeError, ZeroDivisionError):
                self.gates.note_share(0.0)  # the answer is a help, not a need
        self.gates.hold_background()

    def _fail(self, answer: Answer) -> NoReturn:
        if answer.is_html and 400 <= answer.status < 500 and answer.status != 429:
            raise WrongAddress(f"a web page answers instead of Autotask, HTTP {answer.status}", status=answer.status)
        told = self.transport.redact(answer.body.decode("utf-8", "replace")).encode()
        raise error_in(replace(answer, body=told), retry_after=self.transport.retry_after(answer.headers))


def _given(account: AccountConfig, name: str) -> str:
    return str(account.secrets.get(name) or account.settings.get(name) or "")


def _endpoint(path: str, zone: Zone) -> str:
    """What Autotask counts threads by: the first part after the version. WrongAddress for a link out of the zone."""
    if path.startswith("http"):
        if origin(path) != origin(zone.api):
            raise WrongAddress("the next page is on another host")
        base = httpx.URL(zone.api).path.lower()
        inner = httpx.URL(path).path
        path = inner[len(base) :] if inner.lower().startswith(f"{base}/") else inner
    return path.strip("/").partition("/")[0].partition("?")[0].lower()


def _page_in(body: Any) -> tuple[list[Row], str, bool]:
    """Rows, the address of the next page ("" for none), and whether the answer speaks of pages at all."""
    items = body.get("items") if isinstance(body, dict) else None
    if not isinstance(items, list) or not all(isinstance(row, dict) for row in items):
        raise Unavailable("a list was expected")
    details = body.get("pageDetails")
    if not isinstance(details, dict) or "nextPageUrl" not in details:
        return items, "", False
    following = details["nextPageUrl"]
    return items, following if isinstance(following, str) else "", True


def _ascending(rows: Sequence[Row], last: int) -> int:
    """The last id; Unavailable when the rows do not ascend beyond what was read before."""
    for row in rows:
        found = identifier(row.get("id"))
        if found is None or int(found) <= last:
            raise Unavailable("the list repeats itself or is not in order")
        last = int(found)
    return last


def _id_in(answer: Answer) -> str:
    try:
        body = answer.json()
    except Unavailable as error:
        raise answer.senseless(error.text) from error
    found = identifier(body.get("itemId")) if isinstance(body, dict) else None
    if not found or found == "0":
        raise answer.senseless("the answer to a write names no record")
    return found


def path_id(remote_id: str) -> str:
    """An id that may stand in a path; NotFound for anything that is no id of Autotask."""
    found = identifier(remote_id)
    if found is None or found == "0":
        raise NotFound("this is no id of Autotask")
    return found
