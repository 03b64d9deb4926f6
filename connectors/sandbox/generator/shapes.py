"""How real incidents went, as shapes for generated tickets: which states, how long, how often handed on, reopened.

Source: the ServiceNow log that comes with the sandbox (`data/README.md`).
"""

from __future__ import annotations

import random
from bisect import bisect
from dataclasses import dataclass
from functools import cache
from itertools import accumulate, groupby, pairwise

from connectors.sandbox.servicenow import CLOSED, NEW, RESOLVED, STATUS_NAMES, Incident, incidents

HOUR = 3_600_000
# Reopenings are 1 in 80 in the log; a demo of some hundred tickets should show a few.
REOPENED_WEIGHT = 4


@dataclass(frozen=True)
class Step:
    """A stay in a status (neutral name), in milliseconds."""

    status: str
    length: int


@dataclass(frozen=True)
class Shape:
    """`steps` lead from New to the last Resolved, which is left out; `close_delay` is the stay in Resolved.

    `response_rank` tells how long nobody touched it: 0 the quickest of all incidents, near 1 the slowest.
    """

    steps: tuple[Step, ...]
    close_delay: int
    hand_overs: int
    reopenings: int
    response_rank: float


@cache
def shapes() -> tuple[Shape, ...]:
    """One of every incident that was resolved before it was closed."""
    usable = [item for item in incidents() if _steps(item)]
    waits = sorted(_untouched(item) for item in usable)
    return tuple(_shape(item, bisect(waits, _untouched(item)) / (len(waits) + 1)) for item in usable)


@cache
def _weights() -> list[float]:
    return list(accumulate(REOPENED_WEIGHT if shape.reopenings else 1 for shape in shapes()))


def pick(dice: random.Random) -> Shape:
    """A shape as often as it is in the log, but for reopenings."""
    sums = _weights()
    return shapes()[bisect(sums, dice.random() * sums[-1])]


def _shape(item: Incident, rank: float) -> Shape:
    steps = _steps(item)
    states = [update.state for update in item.updates]
    resolved = max(at for at, state in _entries(item) if state == RESOLVED)
    closed = item.closed_at or item.updates[-1].at
    return Shape(
        steps=steps,
        close_delay=max(HOUR, closed - resolved),
        hand_overs=max(update.reassignments for update in item.updates),
        reopenings=sum(before == RESOLVED != after for before, after in zip(states, [*states[1:], CLOSED], strict=True)
                       if after != CLOSED),
        response_rank=rank,
    )  # fmt: skip


def _entries(item: Incident) -> list[tuple[int, str]]:
    """(instant, state) of every state entered, the opening first."""
    found = [(min(item.opened_at, item.updates[0].at), NEW)]
    for state, rows in groupby(item.updates, key=lambda update: update.state):
        if state != found[-1][1]:
            found.append((next(rows).at, state))
    return found


def _steps(item: Incident) -> tuple[Step, ...]:
    """Up to the last Resolved; empty for the one incident that never was."""
    entries = _entries(item)
    ends = [place for place, (_, state) in enumerate(entries) if state == RESOLVED]
    if not ends:
        return ()
    pairs = pairwise(entries[: ends[-1] + 1])
    return tuple(Step(STATUS_NAMES[state], max(60_000, end - at)) for (at, state), (end, _) in pairs)


def _untouched(item: Incident) -> int:
    return _steps(item)[0].length
