"""What is counted, and under which keys it is kept. Pure.

A contribution is what one ticket adds to one day. Sums of contributions are kept per slice: a grain (day or month) and
the dimensions that stay apart. Everything is additive, so a change of a ticket is a difference added to some sums.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple

COUNTERS = (
    "opened", "finished", "closed", "reopened", "escalated",
    "response_met", "response_breached", "resolution_met", "resolution_breached", "retroactive",
    "answered", "answer_seconds", "resolve_seconds", "billable_seconds", "nonbillable_seconds",
)  # fmt: skip
"""Columns of a contribution. But for the seconds each is 0 or 1, and 1 on one day of a ticket at most."""

ANSWER_EDGES = (300, 900, 1800, 3600, 7200, 14400, 28800, 86400, 259200)
RESOLVE_EDGES = (1800, 3600, 7200, 14400, 28800, 86400, 172800, 345600, 864000)
"""Upper edges of the buckets in seconds, the edge belongs to its bucket; one more bucket holds what is longer."""
ANSWER_BUCKETS = tuple(f"answer_{i}" for i in range(len(ANSWER_EDGES) + 1))
RESOLVE_BUCKETS = tuple(f"resolve_{i}" for i in range(len(RESOLVE_EDGES) + 1))
BUCKETS = (*ANSWER_BUCKETS, *RESOLVE_BUCKETS)
SUMS = ("parts", *COUNTERS, *BUCKETS)
"""Columns of a kept sum; `parts` is how many contributions stand behind it, so that an empty sum can go."""

DIMENSIONS = ("client", "team", "rank", "agent")
SLICES: Mapping[str, tuple[str, ...]] = {
    "d": (),
    "dc": ("client",),
    "dt": ("team",),
    "dp": ("rank",),
    "da": ("agent",),
    "dtp": ("team", "rank"),
    "m": (),
    "mc": ("client",),
    "mt": ("team",),
    "mp": ("rank",),
    "ma": ("agent",),
    "mtp": ("team", "rank"),
    "mct": ("client", "team"),
    "mcp": ("client", "rank"),
}
"""code -> dimensions kept apart. The first letter is the grain: d days, m months."""
BY_DIMENSIONS: Mapping[tuple[str, frozenset[str]], str] = {(c[0], frozenset(d)): c for c, d in SLICES.items()}

Vector = tuple[int, ...]


class Contribution(NamedTuple):
    """What a ticket adds to a day. Keys are row ids; 0 = none."""

    day: date
    client: int
    team: int
    rank: int
    agent: int
    counts: Vector
    """In the order of COUNTERS."""


class SumKey(NamedTuple):
    """`day` is the first of the month in a month's slice; a dimension that the slice does not keep apart is 0."""

    slice: str
    day: date
    client: int
    team: int
    rank: int
    agent: int


_AT = {name: i for i, name in enumerate(COUNTERS)}


def sums_of(part: Contribution) -> Vector:
    """A contribution as a vector of SUMS."""
    counts = part.counts
    answer, resolve = [0] * len(ANSWER_BUCKETS), [0] * len(RESOLVE_BUCKETS)
    if counts[_AT["answered"]]:
        answer[bisect_left(ANSWER_EDGES, counts[_AT["answer_seconds"]])] = 1
    if counts[_AT["finished"]]:
        resolve[bisect_left(RESOLVE_EDGES, counts[_AT["resolve_seconds"]])] = 1
    return (1, *counts, *answer, *resolve)


def keys_of(part: Contribution, codes: Iterable[str] = SLICES) -> list[SumKey]:
    """Every sum that this contribution is part of."""
    month = part.day.replace(day=1)
    own = {"client": part.client, "team": part.team, "rank": part.rank, "agent": part.agent}
    return [
        SumKey(code, part.day if code[0] == "d" else month, *(own[d] if d in SLICES[code] else 0 for d in DIMENSIONS))
        for code in codes
    ]


def differences(
    gone: Iterable[Contribution], new: Iterable[Contribution], codes: Sequence[str] = tuple(SLICES)
) -> dict[SumKey, Vector]:
    """What to add to the kept sums when the first contributions are replaced by the second."""
    found: dict[SumKey, list[int]] = {}
    for sign, parts in ((-1, gone), (1, new)):
        for part in parts:
            vector = sums_of(part)
            for key in keys_of(part, codes):
                total = found.setdefault(key, [0] * len(SUMS))
                for i, value in enumerate(vector):
                    if value:
                        total[i] += sign * value
    return {key: tuple(total) for key, total in found.items() if any(total)}


def quantile(buckets: Sequence[int], edges: Sequence[int], share: float = 0.5) -> tuple[int, bool] | None:
    """The value below which `share` of the counted lies, read off a histogram: (seconds, is beyond the last edge).

    Straight between a bucket's edges, so it is a near value ("≈"). None when nothing was counted.
    """
    total = sum(buckets)
    if not total:
        return None
    wanted, below = total * share, 0
    for i, count in enumerate(buckets):
        if count and below + count >= wanted:
            low = edges[i - 1] if i else 0
            if i == len(edges):
                return low, True
            return round(low + (edges[i] - low) * (wanted - below) / count), False
        below += count
    return edges[-1], True
