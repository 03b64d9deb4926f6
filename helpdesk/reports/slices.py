"""What is counted, and under which keys it is kept. Pure.

A contribution is what one ticket adds to one day. Sums of contributions are kept per slice: a grain (day or month) and
the dimensions that stay apart. Everything is additive, so a change of a ticket is a difference added to some sums.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from operator import itemgetter
from typing import Any, NamedTuple

from helpdesk.tickets.choices import FINISHED, Category


class Measure(NamedTuple):
    """Which counter says that a contribution has one, which holds its seconds, and the edges of its histogram."""

    flag: str
    seconds: str
    edges: tuple[int, ...]


COUNTERS = (
    "opened", "finished", "closed", "reopened", "ended", "escalated", "raised",
    "response_met", "response_breached", "response_retroactive", "response_corrected", "response_paused",
    "resolution_met", "resolution_breached", "retroactive", "resolution_corrected", "resolution_paused", "excluded",
    "answered", "answer_timed", "resolve_timed",
    "answer_seconds", "answer_work_seconds", "resolve_seconds", "resolve_work_seconds",
    "billable_seconds", "nonbillable_seconds",
    "new_seconds", "open_seconds", "waiting_seconds", "waiting_client_seconds", "waiting_third_party_seconds",
    "escalated_seconds",
)  # fmt: skip
"""Columns of a contribution. `opened` + `reopened` - `ended` is what a day adds to the backlog; `finished` is the last
end only, which has the verdicts. `..._work_seconds` are business seconds, known of `..._timed` tickets. Seconds in a
category are those of a stretch of being open, on the day it ended. But for the seconds, and what can happen several
times a day, each is 0 or 1, and 1 on one day of a ticket at most."""
IN_CATEGORY: Mapping[str, str] = {c.value: f"{c.value}_seconds" for c in Category if c not in FINISHED}

ANSWER_EDGES = (300, 900, 1800, 3600, 7200, 14400, 28800, 86400, 259200)
RESOLVE_EDGES = (1800, 3600, 7200, 14400, 28800, 86400, 172800, 345600, 864000)
"""Upper edges of the buckets in seconds, the edge belongs to its bucket; one more bucket holds what is longer."""
KINDS: Mapping[str, Measure] = {
    "answer": Measure("answered", "answer_seconds", ANSWER_EDGES),
    "answer_work": Measure("answer_timed", "answer_work_seconds", ANSWER_EDGES),
    "resolve": Measure("finished", "resolve_seconds", RESOLVE_EDGES),
    "resolve_work": Measure("resolve_timed", "resolve_work_seconds", RESOLVE_EDGES),
}
"""What has a mean, a median and a 90th percentile: time to the first answer and to the end, wall and business."""
BUCKETS_OF: Mapping[str, tuple[str, ...]] = {
    kind: tuple(f"{kind}_{i}" for i in range(len(one.edges) + 1)) for kind, one in KINDS.items()
}
BUCKETS = tuple(name for names in BUCKETS_OF.values() for name in names)
ANSWER_BUCKETS, RESOLVE_BUCKETS = BUCKETS_OF["answer"], BUCKETS_OF["resolve"]
SUMS = ("parts", *COUNTERS, *BUCKETS)
"""Columns of a kept sum; `parts` is how many contributions stand behind it, so that an empty sum can go."""
AGE_EDGES = (1, 3, 7, 14, 30, 60, 90)
"""Days from which on the next bucket of an open ticket's age begins: today, 1 to 2 days, 3 to 6, and so on."""
FOREVER = date(9999, 12, 31)

DIMENSIONS = ("client", "team", "rank", "agent", "type", "category", "account")
SLICES: Mapping[str, tuple[str, ...]] = {
    "d": (),
    "dc": ("client",),
    "dt": ("team",),
    "dp": ("rank",),
    "da": ("agent",),
    "dy": ("type",),
    "dg": ("category",),
    "ds": ("account",),
    "dtp": ("team", "rank"),
    "m": (),
    "mc": ("client",),
    "mt": ("team",),
    "mp": ("rank",),
    "ma": ("agent",),
    "my": ("type",),
    "mg": ("category",),
    "ms": ("account",),
    "mtp": ("team", "rank"),
    "mct": ("client", "team"),
    "mcp": ("client", "rank"),
}
"""code -> dimensions kept apart. The first letter is the grain: d days, m months."""
BY_DIMENSIONS: Mapping[tuple[str, frozenset[str]], str] = {(c[0], frozenset(d)): c for c, d in SLICES.items()}

Vector = tuple[int, ...]


class Keys(NamedTuple):
    """Under what a ticket is counted: row ids (of a category: of its name), and the rank. 0 = none."""

    client: int = 0
    team: int = 0
    rank: int = 0
    agent: int = 0
    type: int = 0
    category: int = 0
    account: int = 0


class Contribution(NamedTuple):
    """What a ticket adds to a day."""

    day: date
    keys: Keys
    counts: Vector
    """In the order of COUNTERS."""


class Stretch(NamedTuple):
    """A ticket is open at the end of each day from `day` to the one before `until`."""

    day: date
    until: date
    opened_on: date
    keys: Keys


class Raised(NamedTuple):
    """How often a ticket was escalated on a day, by whom or what (`actions.Trigger`) and to which level."""

    day: date
    trigger: str
    level: int
    times: int
    keys: Keys


class Late(NamedTuple):
    """A clock of a ticket ended late; `burn` as `burns` keeps it: what the reason is told from."""

    kind: str
    due_at: datetime | None
    ended_at: datetime
    burn: Sequence[Any]


class Counted(NamedTuple):
    """All that one ticket adds to the figures."""

    parts: tuple[Contribution, ...] = ()
    stretches: tuple[Stretch, ...] = ()
    raised: tuple[Raised, ...] = ()
    late: tuple[Late, ...] = ()


class SumKey(NamedTuple):
    """`day` is the first of the month in a month's slice; a dimension that the slice does not keep apart is 0."""

    slice: str
    day: date
    client: int
    team: int
    rank: int
    agent: int
    type: int
    category: int
    account: int


_AT = {name: i for i, name in enumerate(SUMS)}
_NOTHING = len(DIMENSIONS)
_PICK = {
    code: itemgetter(*(place if name in dimensions else _NOTHING for place, name in enumerate(DIMENSIONS)))
    for code, dimensions in SLICES.items()
}
"""Out of a contribution's keys and a 0 behind them: those of the slice."""


def sums_of(part: Contribution) -> list[tuple[int, int]]:
    """A contribution as (place in SUMS, value), where there is one."""
    found = [(0, 1), *((i, value) for i, value in enumerate(part.counts, start=1) if value)]
    for kind, (flag, seconds, edges) in KINDS.items():
        if part.counts[_AT[flag] - 1]:
            found.append((_AT[f"{kind}_{bisect_left(edges, part.counts[_AT[seconds] - 1])}"], 1))
    return found


def keys_of(part: Contribution, codes: Iterable[str] = SLICES) -> list[SumKey]:
    """Every sum that this contribution is part of."""
    days = {"d": part.day, "m": part.day.replace(day=1)}
    own = (*part.keys, 0)
    return [SumKey(code, days[code[0]], *_PICK[code](own)) for code in codes]


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
                for i, value in vector:
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
