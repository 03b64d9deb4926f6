"""Runs queries and remembers pages: `nextPageUrl` answers the verb that began it, while it is remembered."""

from __future__ import annotations

import json
import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from connectors.autotask.sandbox import brief
from connectors.autotask.sandbox.fields import Entity, Row
from connectors.autotask.sandbox.query import Query
from connectors.autotask.sandbox.schema import COLUMNS
from connectors.autotask.sandbox.tenant import Tenant
from connectors.autotask.sandbox.wire import bare, errors, items, wrong_verb


@dataclass(frozen=True)
class Page:
    """Where a page begins: after which id; `before` are the beginnings of the pages before it."""

    entity: Entity
    query: Query
    verb: str
    search: str
    after: int = -(2**62)
    before: tuple[int, ...] = ()
    stale_before: int | None = None


class Pages:
    """The last pages of everybody who asks."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        self._lock = threading.Lock()
        self._pages: OrderedDict[str, Page] = OrderedDict()

    def count(self, entity: Entity, query: Query) -> int:
        with self._tenant.store.read() as conn:
            statement = f"SELECT count(*) FROM {entity.table} WHERE {query.where}{entity.where}"
            return int(conn.execute(statement, query.values).fetchone()[0])

    def recall(self, paging: str, verb: str) -> Page:
        """The page that a `paging` parameter names. 404 when it is forgotten, 405 for the other verb."""
        try:
            token = str(json.loads(paging)["key"])
        except (ValueError, TypeError, KeyError):
            raise bare(404) from None
        with self._lock:
            page = self._pages.get(token)
        if page is None:
            raise bare(404)
        if page.verb != verb:
            raise wrong_verb(verb)
        return page

    def answer(self, page: Page, url: str) -> Row:
        """One page; `url` is the address of the entity's `query`."""
        query, entity = page.query, page.entity
        where, values = f"{query.where}{entity.where} AND id > ?", [*query.values, page.after]
        if page.stale_before is not None and "changedAt" in COLUMNS[entity.table]:
            where, values = f"{where} AND coalesce(changedAt, 0) <= ?", [*values, page.stale_before]
        inner = f"SELECT id FROM {entity.table} WHERE {where} ORDER BY id LIMIT ?"
        columns = entity.selected if query.joins else entity.picked(query.names)
        statement = f"SELECT {columns} FROM {entity.table} WHERE id IN ({inner}) ORDER BY id"
        with self._tenant.store.read() as conn:
            rows = conn.execute(statement, [*values, query.size + 1]).fetchall()
            joined = brief.joined(conn, entity, rows[: query.size], query.joins)
        extra = rows[query.size] if len(rows) > query.size else None
        names = None if query.names is None else set(query.names)
        if extra is not None and names is not None and "id" not in names:
            raise errors("IncludeFields must contain id when there is more than one page.")
        found = [entity.shown(row, names) | more for row, more in zip(rows[: query.size], joined, strict=True)]
        after = before = None
        if extra is not None:
            last = int(rows[query.size - 1]["id"])
            after = self._link(
                replace(page, after=last, before=(*page.before, page.after)), url, rows[0]["id"], extra["id"]
            )
        if page.before and rows:
            first = page.before[-1]
            before = self._link(replace(page, after=first, before=page.before[:-1]), url, first, rows[0]["id"])
        return items(found, query.size, before, after)

    def _link(self, page: Page, url: str, previous: int, following: int) -> str:
        token = secrets.token_hex(8)
        with self._lock:
            self._pages[token] = page
            while len(self._pages) > self._tenant.settings.pages:
                self._pages.popitem(last=False)
        paging = {"pageSize": page.query.size, "previousIds": [previous], "nextIds": [following], "key": token}
        more = {"search": page.search} if page.search else {}
        return f"{url}/next?{urlencode({'paging': json.dumps(paging, separators=(',', ':')), **more})}"
