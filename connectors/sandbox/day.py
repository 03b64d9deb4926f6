"""What happens next on a working day: clients and agents act on a queue. Pure: dice and a queue in, one step out.

The mix pulls the queue back to how it stood at the start: the more open tickets, the fewer come and the more are
resolved; the same for those that wait and those that are resolved but not closed. New tickets follow the arrival curve.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from connectors.sandbox.generator.plan import arrivals

FRESH, GOING, CLIENT, OTHERS, RESOLVED = "fresh", "going", "client", "others", "resolved"
GROUPS = (FRESH, GOING, CLIENT, OTHERS, RESOLVED)
"""Not begun; being worked on; waiting for the client; waiting otherwise; resolved and not closed."""

SMALLEST_NORMAL = {FRESH: 3, GOING: 6, CLIENT: 3, OTHERS: 2, RESOLVED: 2}
QUIET_NIGHT, RUSH = 0.25, 1.6


@dataclass(frozen=True)
class Item:
    """A ticket in the queue. `since` is when it was opened, `touched` when it last changed (milliseconds)."""

    number: int
    group: str
    is_assigned: bool
    priority: int
    since: int
    touched: int


@dataclass(frozen=True)
class Step:
    """A verb, and the ticket that it is done to (None for a new one)."""

    verb: str
    item: Item | None = None


Normal = Mapping[str, int]
"""How many tickets each group holds in the steady state."""


def sizes(items: Sequence[Item]) -> dict[str, int]:
    return {group: sum(item.group == group for item in items) for group in GROUPS}


def normal_of(counts: Mapping[str, int]) -> dict[str, int]:
    """The steady state of a queue that starts like this; an empty one grows to a small queue."""
    return {group: max(SMALLEST_NORMAL[group], counts.get(group, 0)) for group in GROUPS}


def next_step(dice: random.Random, items: Sequence[Item], counts: Mapping[str, int], normal: Normal, at: int) -> Step:
    """One step. `items` are the tickets that may be touched, `counts` the whole queue with those that may not."""
    groups = {group: [item for item in items if item.group == group] for group in GROUPS}
    fill = {group: counts[group] / normal[group] for group in GROUPS}
    unfinished = sum(normal[group] for group in GROUPS if group != RESOLVED)
    load = sum(counts[group] for group in GROUPS if group != RESOLVED) / unfinished
    pace = _clamped(arrivals(at), QUIET_NIGHT, RUSH)
    weights = {"new": 20 * pace * _clamped(2.4 - 1.4 * load, 0.0, 2.0)}
    weights |= _begin(groups[FRESH], fill)
    weights |= _work(groups[GOING], fill, load, pace)
    weights |= _waiting(groups, fill, load)
    if groups[RESOLVED]:
        weights |= {"close": 14 * fill[RESOLVED] ** 2, "reopen": 0.8}
    verbs = list(weights)
    verb = dice.choices(verbs, [weights[name] for name in verbs])[0]
    if verb == "new":
        return Step(verb)
    choice, group = CHOICES[verb]
    return Step(verb, choice(dice, groups[group]))


def _begin(items: list[Item], fill: Mapping[str, float]) -> dict[str, float]:
    if not items:
        return {}
    press = _clamped(fill[FRESH], 0.3, 6.0)
    return {"take": 12 * press, "assign": 5 * press, "triage": 1.5, "chase": 0.7}


def _work(items: list[Item], fill: Mapping[str, float], load: float, pace: float) -> dict[str, float]:
    if not items:
        return {}
    asking = _clamped(2 - fill[CLIENT], 0.0, 2.0)
    parking = _clamped(2 - fill[OTHERS], 0.0, 2.0)
    return {
        "note": 9, "log_time": 4, "call": 4, "visit": 0.8, "hand_on": 2.5, "set_priority": 1.2, "write": 2,
        "ask": 7 * asking, "park": 1.5 * parking, "vendor": 2 * parking,
        "resolve": 13 * load**3 * (0.35 + 0.65 * pace) * _clamped(fill[GOING], 0.4, 1.5),
    }  # fmt: skip


def _waiting(groups: Mapping[str, list[Item]], fill: Mapping[str, float], load: float) -> dict[str, float]:
    weights: dict[str, float] = {}
    if groups[CLIENT]:
        weights |= {"reply": 7 * fill[CLIENT], "remind": 1.5, "give_up": 1.5 * load * fill[CLIENT]}
    if groups[OTHERS]:
        weights |= {"go_on": 4 * fill[OTHERS]}
    return weights


def _clamped(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)


Choice = Callable[[random.Random, list[Item]], Item]


def _some(dice: random.Random, items: list[Item]) -> Item:
    """Any, rather one that has been quiet for long."""
    return min(dice.choices(items, k=2), key=lambda item: item.touched)


def _urgent(dice: random.Random, items: list[Item]) -> Item:
    """The most urgent of a few, then the oldest."""
    return min(dice.choices(items, k=4), key=lambda item: (item.priority, item.since))


def _old(dice: random.Random, items: list[Item]) -> Item:
    return min(dice.choices(items, k=3), key=lambda item: item.since)


def _quietest(dice: random.Random, items: list[Item]) -> Item:
    return min(dice.choices(items, k=5), key=lambda item: item.touched)


CHOICES: dict[str, tuple[Choice, str]] = {
    "take": (_urgent, FRESH), "assign": (_urgent, FRESH), "triage": (_some, FRESH), "chase": (_old, FRESH),
    "note": (_some, GOING), "log_time": (_some, GOING), "call": (_some, GOING), "visit": (_some, GOING),
    "hand_on": (_some, GOING), "set_priority": (_some, GOING), "write": (_some, GOING), "ask": (_some, GOING),
    "park": (_some, GOING), "vendor": (_some, GOING), "resolve": (_old, GOING), "reply": (_some, CLIENT),
    "remind": (_quietest, CLIENT), "give_up": (_quietest, CLIENT), "go_on": (_some, OTHERS),
    "close": (_quietest, RESOLVED), "reopen": (_some, RESOLVED),
}  # fmt: skip
