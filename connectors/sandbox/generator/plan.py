"""Which tickets there are and when they came: the open ones by what the first day needs, the rest over 90 days."""

from __future__ import annotations

import random
from bisect import bisect
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
RESPOND = {1: 15 * MINUTE, 2: HOUR, 3: 4 * HOUR, 4: 8 * HOUR}
FIX = {1: HOUR, 2: 4 * HOUR, 3: 8 * HOUR, 4: 24 * HOUR}
DAYS_BACK = 90
OPEN_SHARE = 0.075
GROUPS = {"new": 12, "at_risk": 6, "due_soon": 12, "breached": 5, "waiting": 30, "on_hold": 6, "third_party": 10,
    "pending": 5,
          "reopened": 6, "progress": 58, "resolved": 10}  # fmt: skip
AT_RISK_MINUTES = (9, 18, 27, 36, 45, 54)
HOUR_WEIGHTS = (1, 1, 1, 1, 1, 2, 5, 18, 42, 50, 46, 40, 28, 38, 44, 38, 30, 16, 6, 3, 2, 2, 1, 1)
DAY_WEIGHTS = (1.35, 1.1, 1.0, 1.0, 0.9, 0.12, 0.08)
MEAN_WEIGHT = sum(HOUR_WEIGHTS) / 24 * sum(DAY_WEIGHTS) / 7
SCALE_LIMIT = 10.0


@dataclass(frozen=True)
class Slot:
    """A ticket to be written: when it came, which group, its number in the group, its priority (0: as its kind has
    it)."""

    created_at: int
    group: str
    ordinal: int
    priority: int = 0


def slots(dice: random.Random, count: int, now_ms: int) -> list[Slot]:
    """Exactly `count` slots in order of creation."""
    found = [slot for group, size in sizes(count).items() for slot in _open(dice, group, size, now_ms)]
    clock = _ArrivalCurve(now_ms)
    found += [Slot(clock.instant(dice), "closed", ordinal) for ordinal in range(count - len(found))]
    return sorted(found, key=lambda slot: (slot.created_at, slot.group, slot.ordinal))


def sizes(count: int) -> dict[str, int]:
    """How many of each open group: those of the default at 2,000 tickets, fewer below, at most ten times as many
    above."""
    factor = min(count / 2_000, SCALE_LIMIT)
    wanted = {group: max(1, round(size * factor)) for group, size in GROUPS.items()}
    found: dict[str, int] = {}
    for group, size in wanted.items():
        found[group] = min(size, max(0, count - sum(found.values())))
    return found


def _open(dice: random.Random, group: str, size: int, now: int) -> list[Slot]:
    return [_slot(dice, group, ordinal, now) for ordinal in range(size)]


def _slot(dice: random.Random, group: str, ordinal: int, now: int) -> Slot:
    if group == "new":
        priority = (3, 4, 3, 2, 4, 3)[ordinal % 6]
        age = {2: 2 + dice.random() * 20, 3: 4 + dice.random() * 140, 4: 10 + dice.random() * 280}[priority] * MINUTE
        return Slot(now - int(age), group, ordinal, priority)
    if group in ("at_risk", "due_soon", "breached", "progress"):
        priority, left = _left(dice, group, ordinal)
        return Slot(now + left - FIX[priority], group, ordinal, priority)
    priority = (3, 4, 3, 2)[ordinal % 4]
    if group == "reopened":
        return Slot(now - int((1.5 + dice.random() * 6) * DAY), group, ordinal, 4)
    longest = 9 if group in ("waiting", "on_hold", "third_party", "pending") else 3
    return Slot(now - int((0.6 + dice.random() * longest) * DAY), group, ordinal, priority)


def _left(dice: random.Random, group: str, ordinal: int) -> tuple[int, int]:
    """(priority, milliseconds until it must be fixed)."""
    if group == "at_risk":
        return (3, 2, 3, 4, 3, 2)[ordinal % 6], AT_RISK_MINUTES[ordinal % 6] * MINUTE + dice.randrange(MINUTE)
    if group == "due_soon":
        return (3, 3, 4)[ordinal % 3], 70 * MINUTE + (ordinal % 12) * 20 * MINUTE + dice.randrange(10 * MINUTE)
    if group == "breached":
        return (3, 2, 3, 4, 1)[ordinal % 5], -int((0.2 + dice.random() * (1 + 3 * (ordinal % 5))) * HOUR)
    priority = 4 if dice.random() < 0.8 else 3
    return priority, int((5.5 + dice.random() * (17 if priority == 4 else 1.8)) * HOUR)


class _ArrivalCurve:
    """Instants over the last 90 days: few at night and at weekends, a peak in the morning, a bump on Mondays."""

    def __init__(self, now: int) -> None:
        self._start = now - DAYS_BACK * DAY
        weights = [_weight(self._start + hour * HOUR) for hour in range(DAYS_BACK * 24 - 30)]
        self._sums = list(accumulate(weights))

    def instant(self, dice: random.Random) -> int:
        hour = bisect(self._sums, dice.random() * self._sums[-1])
        return self._start + hour * HOUR + int(dice.random() * HOUR)


def arrivals(at: int) -> float:
    """How many tickets come in this hour, 1 being the mean of a week."""
    return _weight(at) / MEAN_WEIGHT


def _weight(at: int) -> float:
    when = datetime.fromtimestamp(at / 1000, UTC)
    return HOUR_WEIGHTS[when.hour] * DAY_WEIGHTS[when.weekday()]
