"""What every imitation's people share who act by themselves, through the same doors as real ones.

They leave alone what the API's client changed within the last minute, and they never act as one of the demo's own
people (addresses in `demo.test`): those are played by whoever has signed in.
"""

from __future__ import annotations

import json
import random
import sqlite3
from abc import ABC, abstractmethod
from typing import ClassVar

from connectors.sandbox import day
from connectors.sandbox.clock import Clock
from connectors.sandbox.generator import texts
from connectors.sandbox.generator.problems import KINDS
from connectors.sandbox.imitation import Refused
from connectors.sandbox.store import Store

HANDS_OFF_MS = 60_000
MOST_TICKETS = 20_000
PLAYED_BY_GUESTS = "@demo.test"
BY_CATEGORY = {kind.category: kind for kind in KINDS}
BY_CLIENT = ("reply", "reopen", "chase", "write")


class LiveDesk(ABC):
    """One event at a time, each in one transaction."""

    psa: ClassVar[str]

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    def forget(self) -> None:
        """The next event finds a new steady state."""
        self._store.set_meta(self._normal_name, "")

    @property
    def _normal_name(self) -> str:
        return f"{self.psa}_live_normal"

    @abstractmethod
    def queue(self, conn: sqlite3.Connection) -> list[tuple[day.Item, int | None]]:
        """Every ticket that is not closed, and when the API's client last changed it (machine's milliseconds)."""

    @abstractmethod
    def do(self, conn: sqlite3.Connection, dice: random.Random, step: day.Step) -> str:
        """Do it; says what was done."""

    def event(self, dice: random.Random) -> str:
        """Let one thing happen; says what, or why it could not be (a status or outcome that was taken away)."""
        try:
            with self._store.write() as conn:
                found, wall = self.queue(conn), self._clock.wall()
                counts = day.sizes([item for item, _ in found])
                free = [item for item, touched in found if not touched or wall - touched >= HANDS_OFF_MS]
                return self.do(conn, dice, day.next_step(dice, free, counts, self._normal(counts), self._clock.now()))
        except Refused as reason:
            return f"refused: {reason}"

    def _normal(self, counts: dict[str, int]) -> day.Normal:
        """The steady state: the queue as it stood at the first event after it was filled."""
        kept = self._store.meta(self._normal_name)
        if not kept:
            kept = json.dumps(day.normal_of(counts))
            self._store.set_meta(self._normal_name, kept)
        normal: dict[str, int] = json.loads(kept)
        return normal


def said_by_client(dice: random.Random, verb: str) -> str:
    return texts.back_again(dice) if verb == "reopen" else texts.client_reply(dice)


def quarters(dice: random.Random) -> float:
    """Hours, a multiple of a quarter."""
    return 0.25 * (1 + int(dice.random() ** 2 * 6))
