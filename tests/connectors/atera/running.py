"""An Atera sandbox in this process, alone: the whole data set is its own.

with running_atera(tickets=30) as atera:
    atera.get("/tickets")
    atera.control("POST", "settings", {"strict_transitions": False})
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from tests.connectors.sandbox.running import Running, running_sandbox

KEY = {"X-API-KEY": "demo-secret"}


@dataclass(frozen=True)
class Atera:
    """`api` is the address that a connection is given; `running` is the whole sandbox."""

    running: Running

    @property
    def api(self) -> str:
        return f"{self.running.atera}/api/v3"

    def call(
        self, method: str, path: str, json: Any = None, headers: dict[str, str] | None = None, **params: Any
    ) -> httpx.Response:
        chosen = KEY if headers is None else headers
        return self.running.client.request(method, self.api + path, json=json, headers=chosen, params=params or None)

    def get(self, path: str, **params: Any) -> Any:
        answer = self.call("GET", path, **params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, json: Any, status: int = 200) -> Any:
        answer = self.call("POST", path, json)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    def control(self, method: str, path: str, json: Any = None) -> Any:
        return self.running.control(method, f"atera/{path}", json)

    def ticket(self, ticket_id: int) -> Any:
        return self.running.ticket(ticket_id, "atera")


@contextmanager
def running_atera(tickets: int = 0, **options: Any) -> Iterator[Atera]:
    """Options are those of `running_sandbox`."""
    with running_sandbox(tickets=tickets, psas=("atera",), **options) as running:
        yield Atera(running)
