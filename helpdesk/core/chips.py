"""The words on a clock, worked out for one instant. Pure; the browser's `clocks.js` says the same words."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import NamedTuple, Protocol

from django.utils.translation import get_language, gettext, gettext_noop

from helpdesk.core.formatting import FOREVER, duration, moment, open_duration

_PHRASES = {
    "response": gettext_noop("Response"),
    "resolution": gettext_noop("Resolution"),
    "breached": gettext_noop("Breached"),
    "breached_by": gettext_noop("Breached %s over"),
    "paused": gettext_noop("Paused"),
    "paused_with": gettext_noop("Paused %s left"),
    "met": gettext_noop("Met"),
    "met_in": gettext_noop("Met in %s"),
    "at_risk": gettext_noop("At risk %s"),
    "running": gettext_noop("On track %s"),
    "not_started": gettext_noop("Not started"),
    "response_due": gettext_noop("Response due %s"),
    "resolution_due": gettext_noop("Due %s"),
    "is_paused": gettext_noop("%(clock)s paused"),
    "is_idle": gettext_noop("%(clock)s not started"),
}

ENDED = ("met", "not_started", "paused")
"""States that no passing of time changes."""


class Chip(NamedTuple):
    state: str
    text: str
    title: str


class OpenTime(Protocol):
    """What counts open time only."""

    def elapsed(self, start: datetime, end: datetime) -> int: ...


@lru_cache(maxsize=16)
def _said_in(language: str | None) -> dict[str, str]:
    return {key: gettext(text) for key, text in _PHRASES.items()}


def phrases() -> dict[str, str]:
    """The phrases in the reader's language. Kept per language: a board says 1,500 of them, each look-up costs 6 us."""
    return _said_in(get_language())


def state_at(state: str, due_at: datetime | None, at_risk_at: datetime | None, now: datetime) -> str:
    """The stored state carried on to `now`: running becomes at risk, then breached, without anybody writing it."""
    if state in ENDED or due_at is None or due_at >= FOREVER:
        return state
    if now > due_at:
        return "breached"
    if state == "breached":
        # Breached once, with the deadline moved since: what the ledger says stands.
        return state
    return "at_risk" if at_risk_at is not None and now >= at_risk_at else "running"


def chip(
    kind: str,
    state: str,
    due_at: datetime | None,
    at_risk_at: datetime | None,
    seconds: float | None,
    now: datetime,
    zone: tzinfo = UTC,
    hours: OpenTime | None = None,
) -> Chip:
    """State, words and absolute time of a clock at `now`. `hours`: whose seconds count; None = every second.

    `seconds` is set only where the clock does not run: left when paused, taken when met, over when breached and then
    finished or paused. Below zero it runs late, and stood still for so long since its deadline. A deadline without a
    name is the resolution's: a list says it fifty times.
    """
    due = due_at if due_at is not None and due_at < FOREVER else None
    stood = 0.0
    if seconds is not None and seconds < 0:
        stood, seconds = -seconds, None
    state = state_at(state, due, at_risk_at, now) if seconds is None else state
    said, worded = phrases(), open_duration if hours else duration
    name = "response" if kind == "response" else "resolution"
    clock = said[name]
    until = said[f"{name}_due"] % moment(due, now, zone) if due else clock
    if state == "breached":
        if seconds is None and due and now > due:
            seconds = max(0.0, _between(due, now, hours) - stood)
        text = said["breached"] if seconds is None else said["breached_by"] % worded(seconds)
    elif state == "paused":
        text = said["paused"] if seconds is None else said["paused_with"] % worded(seconds)
        return Chip(state, text, said["is_paused"] % {"clock": clock})
    elif state == "met":
        text = said["met"] if seconds is None else said["met_in"] % worded(seconds)
    elif state == "not_started" or due is None:
        return Chip("not_started", said["not_started"], said["is_idle"] % {"clock": clock})
    else:
        text = said[state] % worded(_between(now, due, hours))
    return Chip(state, text, until)


def ticks(due_at: datetime | None, state: str, seconds: float | None) -> bool:
    """Whether the browser counts on from what is stored."""
    return (seconds is None or seconds < 0) and due_at is not None and due_at < FOREVER and state not in ENDED


def _between(start: datetime, end: datetime, hours: OpenTime | None) -> float:
    return hours.elapsed(start, end) if hours else (end - start).total_seconds()
