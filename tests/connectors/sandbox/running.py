"""A sandbox in this process on a free port, for every test that talks to a PSA.

with running_sandbox(tickets=30) as sandbox:
    httpx.get(sandbox.url + "/halopsa/api/AuthInfo")
    sandbox.control("POST", "faults", {"psa": "halopsa", "mode": "reset_after", "times": 1})
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from connectors.sandbox.generator import generated
from connectors.sandbox.loader import read_folder
from connectors.sandbox.sandbox import Sandbox


@dataclass(frozen=True)
class Running:
    """`url` has no trailing slash; `halopsa`, `autotask` and `atera` are the bases for the connectors."""

    url: str
    sandbox: Sandbox
    client: httpx.Client

    @property
    def halopsa(self) -> str:
        return f"{self.url}/halopsa"

    @property
    def autotask(self) -> str:
        return f"{self.url}/autotask"

    @property
    def atera(self) -> str:
        return f"{self.url}/atera"

    def control(self, method: str, path: str, json: Any = None) -> Any:
        """A control call; the parsed answer. Raises httpx.HTTPStatusError on 4xx and 5xx."""
        answer = self.client.request(method, f"{self.url}/_control/{path.lstrip('/')}", json=json)
        answer.raise_for_status()
        return answer.json()

    def ticket(self, ticket_id: int, psa: str = "halopsa") -> Any:
        """The stored record with actions, time entries and attachments."""
        return self.control("GET", f"{psa}/tickets/{ticket_id}")

    def requests(self, psa: str = "halopsa", since: int = 0) -> list[dict[str, Any]]:
        """Log rows after `since`."""
        found: list[dict[str, Any]] = self.control("GET", f"requests?psa={psa}&since={since}")
        return found

    def token(self, scope: str = "all") -> dict[str, str]:
        """An Authorization header for HaloPSA."""
        form = {"grant_type": "client_credentials", "client_id": "demo", "client_secret": "demo-secret", "scope": scope}
        answer = self.client.post(f"{self.halopsa}/auth/token", data=form)
        answer.raise_for_status()
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}


@contextmanager
def running_sandbox(
    tickets: int = 0,
    seed: int = 1,
    profile: str = "vendor",
    *,
    now: datetime | float | None = None,
    state: Path | None = None,
    load: Path | None = None,
    live: float = 0.0,
    rate_limit: tuple[int, float] | None = None,
    port: int = 0,
    psas: Sequence[str] = ("halopsa",),
) -> Iterator[Running]:
    """Start a sandbox, filled with `tickets` generated ones or the folder `load`; `now` sets its clock, which then
    runs on. Several `psas` share the tickets."""
    start = now.timestamp() if isinstance(now, datetime) else now
    with Sandbox(
        state=state, profile=profile, now=start, live=live, seed=seed, rate_limit=rate_limit, psas=psas
    ) as sandbox:
        if sandbox.is_empty():
            if load is not None:
                sandbox.load(read_folder(load))
            else:
                sandbox.load(generated(tickets=tickets, seed=seed, now_ms=sandbox.clock.now()))
        with httpx.Client(timeout=60, trust_env=False) as client:
            yield Running(sandbox.start(port=port), sandbox, client)
