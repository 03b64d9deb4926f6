"""One authorised call, with what every resource needs to answer it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.atera.sandbox.profiles import Vendor
from connectors.atera.sandbox.tenant import Tenant
from connectors.atera.sandbox.wire import Page, Params, Problem
from connectors.sandbox.messages import Request, Response, empty, json_response


@dataclass(frozen=True)
class Call:
    """`rest` is what follows the resource in the path; `method` is upper case."""

    tenant: Tenant
    profile: Vendor
    request: Request
    rest: list[str]

    @property
    def method(self) -> str:
        return self.request.method

    @property
    def params(self) -> Params:
        return Params(self.request.query)

    @property
    def words(self) -> list[str]:
        """`rest` in lower case: paths are matched without regard to case."""
        return [part.lower() for part in self.rest]

    def pages(self, items: Sequence[Any], total: int, page: Page) -> Response:
        return json_response(page.envelope(self.request, items, total, total_name=self.profile.total_name))

    def listing(self, read: Callable[[sqlite3.Connection, Params, Page], tuple[list[Any], int]]) -> Response:
        page = self.params.page()
        with self.tenant.store.read() as conn:
            return self.pages(*read(conn, self.params, page), page)

    def result(self, number: int, status: int = 200) -> Response:
        return json_response({"ActionID": str(number)}, status)


def refuse_method() -> Response:
    return empty(405)


def nothing() -> Problem:
    return Problem(404)
