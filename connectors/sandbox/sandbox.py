"""One running sandbox: its state, its imitations, its server and its background thread."""

from __future__ import annotations

import importlib
import threading
import time
import traceback
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from types import TracebackType

from connectors.sandbox import DEFAULT, IMITATIONS, journal
from connectors.sandbox.clock import Clock
from connectors.sandbox.dataset import Dataset
from connectors.sandbox.faults import Faults
from connectors.sandbox.imitation import Imitation, Window, World
from connectors.sandbox.live import Live
from connectors.sandbox.server import Server
from connectors.sandbox.store import Store

TICK_SECONDS = 1.0


class Sandbox:
    """Everything of one sandbox process. `now` (seconds since 1970) sets its clock; `live` is events per minute;
    `source` tells the machine's time; `psas` are the PSAs it holds."""

    def __init__(
        self,
        *,
        state: Path | None = None,
        profile: str = "vendor",
        now: float | None = None,
        live: float = 0.0,
        seed: int = 1,
        rate_limit: tuple[int, float] | None = None,
        source: Callable[[], float] = time.time,
        psas: Sequence[str] = DEFAULT,
    ) -> None:
        self.store = Store(state)
        self.clock = Clock(self.store, now, source)
        self.faults = Faults()
        self.limits = {name: Window(*(rate_limit or (None,))) for name in psas}
        self.store.create(journal.SCHEMA)
        self.imitations: dict[str, Imitation] = {}
        try:
            for name in psas:
                world = World(self.store, self.clock, profile, self.limits[name])
                self.imitations[name] = importlib.import_module(IMITATIONS[name]).imitation(world)
        except BaseException:
            self.close_state()
            raise
        self.live = Live(self.imitations, self.store, self.clock, seed=seed, rate=live)
        self._ends = threading.Event()
        self._threads: list[threading.Thread] = []
        self._server: Server | None = None

    def load(self, data: Dataset, only: Collection[str] | None = None) -> dict[str, dict[str, int]]:
        """Give every imitation its part of the data set; with `only` just those, each the part it would have had."""
        names = list(self.imitations)
        chosen = names if only is None else [name for name in names if name in only]
        return {name: self.imitations[name].load(data.for_psa(name, names)) for name in chosen}

    def empty(self) -> list[str]:
        """The PSAs without a ticket: a process that was killed while it filled them may leave some."""
        return [name for name, item in self.imitations.items() if item.is_empty()]

    def is_empty(self) -> bool:
        return len(self.empty()) == len(self.imitations)

    def reset(self) -> None:
        """Empty everything: tickets, people, log, faults, clock offset."""
        self.faults.clear()
        self.clock.set_offset(0)
        for item in self.imitations.values():
            item.reset()
        with self.store.write() as conn:
            conn.execute("DELETE FROM requests")

    def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Serve in the background; returns the address. Port 0 takes a free one."""
        self._server = Server((host, port), self)
        self._run(self._serve, "sandbox-http")
        self._run(self._tick, "sandbox-clock")
        self._run(lambda: self.live.run(self._safely), "sandbox-live")
        shown = "127.0.0.1" if host in ("0.0.0.0", "") else host
        return f"http://{shown}:{self._server.server_address[1]}"

    def _serve(self) -> None:
        assert self._server is not None
        self._server.serve_forever(poll_interval=0.05)

    def _run(self, target: Callable[[], object], name: str) -> None:
        thread = threading.Thread(target=target, name=name, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _tick(self) -> None:
        while not self._ends.wait(TICK_SECONDS):
            self.run_due()

    def run_due(self) -> None:
        """Let every PSA do what its own rules want by now."""
        for item in self.imitations.values():
            self._safely(item.tick)

    def _safely(self, action: Callable[[], object]) -> None:
        try:
            action()
        except Exception:
            if not self._ends.is_set():
                traceback.print_exc()

    def close_state(self) -> None:
        for item in self.imitations.values():
            item.close()
        self.store.close()

    def close(self) -> None:
        self._ends.set()
        self.live.close()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
        for thread in self._threads:
            thread.join(timeout=2)
        self.close_state()

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
