"""A clock whose due instant is simply given, by a PSA or by hand: pure, in UTC instants to the second.

Nothing is known of the hours it goes by, so time runs around the clock; what is worked out from promises is in
`ledger`. Order of tests (the first that fits): finished, breached before, paused, due passed, at risk, running.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

State = Literal["not_started", "running", "at_risk", "paused", "met", "breached"]

AT_RISK_SECONDS = 3600
"""Less than this much time left is at risk,"""
SHORT_TARGET_SECONDS = 4 * 3600
"""but for a target shorter than this,"""
SHORT_SHARE = 0.25
"""less than this share of the target."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a clock is made of. `due_at` is the whole promise's end, pauses already in it; None = no promise."""

    started_at: datetime
    due_at: datetime | None
    target_seconds: int | None
    finished_at: datetime | None = None
    paused_since: datetime | None = None
    """Set while the clock stands still."""
    is_excluded: bool = False


@dataclass(frozen=True, kw_only=True)
class Reading:
    """`due_at` and `at_risk_at` are None while paused. `remaining_seconds` is set while paused only.

    `seconds` is for people: paused, seconds left; met, seconds it took; breached and finished or standing still,
    seconds over.
    """

    state: State
    due_at: datetime | None = None
    at_risk_at: datetime | None = None
    remaining_seconds: int | None = None
    paused_since: datetime | None = None
    breached_at: datetime | None = None
    finished_at: datetime | None = None
    seconds: int | None = None


def risk_instant(due_at: datetime, target_seconds: int | None) -> datetime:
    """The first second at which less than the margin is left."""
    margin = AT_RISK_SECONDS
    if target_seconds is not None and target_seconds < SHORT_TARGET_SECONDS:
        margin = int(target_seconds * SHORT_SHARE)
    return due_at - timedelta(seconds=margin - 1)


def read_clock(facts: Facts, *, now: datetime) -> Reading:
    """The state of one clock at an instant. The same facts give the same reading, in whatever order they came."""
    due = facts.due_at
    if due is None or facts.is_excluded:
        return Reading(state="not_started", finished_at=facts.finished_at)
    if facts.finished_at is not None:
        return _finished(facts, due, facts.finished_at)
    stopped = facts.paused_since
    if stopped is not None and stopped <= due:
        left = int((due - stopped).total_seconds())
        return Reading(state="paused", remaining_seconds=left, paused_since=stopped, seconds=left)
    if stopped is not None:
        # Paused after its deadline: breached and stays so, but what it is over does not grow meanwhile.
        over = int((stopped - due).total_seconds())
        return Reading(state="breached", due_at=due, breached_at=due, paused_since=stopped, seconds=over)
    if now > due:
        return Reading(state="breached", due_at=due, at_risk_at=None, breached_at=due)
    risk = risk_instant(due, facts.target_seconds)
    return Reading(state="at_risk" if now >= risk else "running", due_at=due, at_risk_at=risk)


def _finished(facts: Facts, due: datetime, at: datetime) -> Reading:
    if at.replace(microsecond=0) <= due:  # rules go by whole seconds
        took = max(0, int((at - facts.started_at).total_seconds()))
        return Reading(state="met", due_at=due, finished_at=at, seconds=took)
    over = int((at - due).total_seconds())
    return Reading(state="breached", due_at=due, breached_at=due, finished_at=at, seconds=over)
