"""What the sandbox asks of each PSA's imitation, and what it hands to it."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from connectors.sandbox.clock import Clock
from connectors.sandbox.dataset import Dataset
from connectors.sandbox.messages import Request, Response
from connectors.sandbox.store import Store


class Refused(ValueError):
    """A control call that cannot be done; the text says why."""


class ProfileNotServed(ValueError):
    """The imitation does not serve this profile."""


class Window:
    """A rolling window of calls. `requests` None means no limit; `retry_after` adds that header to refusals."""

    def __init__(self, requests: int | None = None, seconds: float = 300.0, *, retry_after: bool = False) -> None:
        self._lock = threading.Lock()
        self._calls: deque[int] = deque()
        self.set(requests, seconds, retry_after=retry_after)

    def set(self, requests: int | None, seconds: float, *, retry_after: bool = False) -> None:
        with self._lock:
            self.requests, self.seconds, self.retry_after = requests, seconds, retry_after
            self._calls.clear()

    def wait_for(self, now_ms: int) -> float | None:
        """None when the call may pass (and is counted), else the seconds until one may."""
        with self._lock:
            if self.requests is None:
                return None
            start = now_ms - int(self.seconds * 1000)
            while self._calls and self._calls[0] <= start:
                self._calls.popleft()
            if len(self._calls) < self.requests:
                self._calls.append(now_ms)
                return None
            return max(0.001, (self._calls[0] - start) / 1000) if self._calls else self.seconds

    def used(self, now_ms: int) -> int:
        """How many calls the window holds now."""
        start = now_ms - int(self.seconds * 1000)
        with self._lock:
            while self._calls and self._calls[0] <= start:
                self._calls.popleft()
            return len(self._calls)


@dataclass(frozen=True)
class World:
    """What an imitation lives in."""

    store: Store
    clock: Clock
    profile: str = "vendor"
    limit: Window = field(default_factory=Window)


class Imitation(Protocol):
    """One PSA. All ids are the PSA's own; control methods act as a user of the PSA does, behind its API."""

    def handle(self, request: Request) -> Response: ...

    def load(self, data: Dataset) -> dict[str, int]: ...

    def is_empty(self) -> bool: ...

    def counts(self) -> dict[str, int]: ...

    def reset(self) -> None: ...

    def record(self, ticket_id: int) -> dict[str, Any] | None: ...

    def create(self, values: dict[str, Any]) -> int: ...

    def edit(self, ticket_id: int, values: dict[str, Any]) -> None: ...

    def add_action(self, ticket_id: int, values: dict[str, Any]) -> int: ...

    def delete(self, ticket_id: int) -> None: ...

    def tick(self) -> None:
        """Do what is due by the clock; called about once a second from one thread."""
        ...

    def live_event(self, dice: Any) -> str:
        """Let one client or PSA user do something; says what. `dice` is a `random.Random`."""
        ...

    def close(self) -> None: ...


@runtime_checkable
class Configurable(Protocol):
    """An imitation with things that the vendor has in its portal only, so that no call of its API sets them up."""

    def configure(self, part: str, values: Any | None) -> Any:
        """Set a part up, or without values only show it. Raises Refused for what there is not."""
        ...
