"""One clock as slices of time: what ran, what stood still, what was closed; and what follows from it.

Pure: a deadline is a function of the start, the terms and the pauses, worked out anew each time and never shifted.
Every instant is an aware datetime in UTC: two of another zone would compare and subtract as wall times.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from helpdesk.sla.hours import Calendar, NeverOpen

State = Literal["not_started", "running", "at_risk", "paused", "met", "breached"]
SliceKind = Literal["running", "paused", "closed"]

RISK_SECONDS = 3600
SHORT_TARGET_SECONDS = 4 * 3600
SHORT_SHARE = 0.25


@dataclass(frozen=True, kw_only=True)
class Risk:
    """Less than `seconds` of open time left is at risk; for a target below `short_target`, less than `share` of it."""

    seconds: int = RISK_SECONDS
    short_target: int = SHORT_TARGET_SECONDS
    share: float = SHORT_SHARE

    def margin(self, target: int) -> int:
        return int(target * self.share) if target < self.short_target else self.seconds


USUAL_RISK = Risk()


class Terms(NamedTuple):
    """What is promised from `since` on: open seconds, or working days. Neither = nothing is promised.

    `keeps_consumed`: counted from `since` with what was consumed taken off, in place of anew from the start.
    """

    since: datetime
    calendar: Calendar
    seconds: int | None = None
    days: int | None = None
    label: str = ""
    keeps_consumed: bool = False


class Pause(NamedTuple):
    """The clock stands still in [from_at, to_at); None = still. `cause` and `by` are for people."""

    from_at: datetime
    to_at: datetime | None = None
    cause: str = ""
    by: str = ""


@dataclass(frozen=True, kw_only=True)
class Run:
    """One target on one ticket. `terms` in order of `since`; the first is in force from the start."""

    started_at: datetime
    terms: tuple[Terms, ...]
    pauses: tuple[Pause, ...] = ()
    finished_at: datetime | None = None
    risk: Risk = USUAL_RISK


@dataclass(frozen=True, kw_only=True)
class Slice:
    """`seconds` is the open time within; a pause may reach over closed hours, which it neither costs nor gains."""

    kind: SliceKind
    from_at: datetime
    to_at: datetime
    seconds: int
    cause: str = ""
    by: str = ""


class Reading(NamedTuple):
    """A clock at an instant. `due_at` and `at_risk_at` are None while it stands still before its deadline.

    `left` is open seconds until due (while running or paused), `over` open seconds past it (once breached).
    `problem`: why nothing can be said: never_open, no_terms.
    """

    state: State
    due_at: datetime | None = None
    at_risk_at: datetime | None = None
    paused_since: datetime | None = None
    breached_at: datetime | None = None
    finished_at: datetime | None = None
    is_retroactive: bool = False
    target: int | None = None
    burned: int = 0
    left: int | None = None
    over: int | None = None
    problem: str = ""


def joined(pauses: Iterable[Pause], *, start: datetime) -> tuple[Pause, ...]:
    """Their union from `start` on, in order. One that ends before it begins (clocks that disagree) counts nothing."""
    found: list[Pause] = []
    for one in sorted(pauses, key=lambda p: (p.from_at, p.to_at is None, p.to_at or p.from_at)):
        begun = max(one.from_at, start)
        if one.to_at is not None and one.to_at <= begun:
            continue
        last = found[-1] if found else None
        if last is None or (last.to_at is not None and last.to_at < begun):
            found.append(one if begun == one.from_at else one._replace(from_at=begun))
        elif last.to_at is not None and (one.to_at is None or one.to_at > last.to_at):
            found[-1] = last._replace(to_at=one.to_at)
    return tuple(found)


def skewed(pauses: Iterable[Pause]) -> list[Pause]:
    """Those that end before they begin: for the log."""
    return [p for p in pauses if p.to_at is not None and p.to_at < p.from_at]


def slices(run: Run, *, until: datetime) -> list[Slice]:
    """The time from the start to `until` (or the end) without a gap, under the terms in force last."""
    end = min(until, run.finished_at) if run.finished_at else until
    calendar, found, at = run.terms[-1].calendar, [], run.started_at
    for pause in joined(run.pauses, start=run.started_at):
        if pause.from_at >= end:
            break
        found += _between(calendar, at, pause.from_at)
        at = min(pause.to_at or end, end)
        seconds = calendar.elapsed(pause.from_at, at)
        found.append(
            Slice(kind="paused", from_at=pause.from_at, to_at=at, seconds=seconds, cause=pause.cause, by=pause.by)
        )
    return found + _between(calendar, at, end)


def _between(calendar: Calendar, start: datetime, end: datetime) -> list[Slice]:
    """Running and closed time of a stretch without a pause."""
    found, at = [], start
    for opens, closes in calendar.spans(start, end):
        if opens > at:
            found.append(Slice(kind="closed", from_at=at, to_at=opens, seconds=0))
        seconds = int((closes - opens).total_seconds())
        found.append(Slice(kind="running", from_at=opens, to_at=closes, seconds=seconds))
        at = closes
    if at < end:
        found.append(Slice(kind="closed", from_at=at, to_at=end, seconds=0))
    return found


def burned(calendar: Calendar, pauses: Sequence[Pause], start: datetime, end: datetime) -> int:
    """Open seconds in [start, end) that no pause covers; `pauses` joined."""
    total = calendar.elapsed(start, end)
    for pause in pauses:
        if pause.from_at >= end:
            break
        total -= calendar.elapsed(max(pause.from_at, start), min(pause.to_at or end, end))
    return max(0, total)


def due(calendar: Calendar, pauses: Sequence[Pause], start: datetime, seconds: int) -> datetime | None:
    """When so many open seconds have run since `start`; None when a pause that goes on comes before. `pauses` joined.

    Raises NeverOpen.
    """
    at, left = start, seconds
    for pause in pauses:
        if pause.to_at is not None and pause.to_at <= at:
            continue
        there = calendar.elapsed(at, pause.from_at)
        if there >= left:
            break
        if pause.to_at is None:
            return None
        at, left = max(at, pause.to_at), left - there
    return calendar.due(at, left)


class _Promise(NamedTuple):
    """Terms worked out for one run: from when, how many open seconds, and when that is over.

    `consumed`: what of the whole `target` had run before `start`.
    """

    start: datetime
    seconds: int
    due_at: datetime | None
    target: int
    consumed: int = 0


def _promise(run: Run, terms: Terms, pauses: Sequence[Pause]) -> _Promise | None:
    """None when nothing is promised. Raises NeverOpen."""
    calendar, start = terms.calendar, run.started_at
    if terms.days is not None:
        day = calendar.due_in_days(start, terms.days)
        seconds = calendar.elapsed(start, day)
        if not any(calendar.elapsed(p.from_at, p.to_at or day) for p in pauses if p.from_at < day):
            return _Promise(start=start, seconds=seconds, due_at=day, target=seconds)
    elif terms.seconds is not None:
        seconds = terms.seconds
    else:
        return None
    target, consumed = seconds, 0
    if terms.keeps_consumed and terms.since > start:
        consumed = _consumed(run, terms, pauses)
        start, seconds = terms.since, max(0, target - consumed)
    due_at = due(calendar, pauses, start, seconds)
    return _Promise(start=start, seconds=seconds, due_at=due_at, target=target, consumed=consumed)


def _consumed(run: Run, until: Terms, pauses: Sequence[Pause]) -> int:
    """Open seconds that ran before these terms, each stretch by the calendar then in force."""
    total = 0
    for place, terms in enumerate(run.terms):
        begun = run.started_at if place == 0 else max(terms.since, run.started_at)
        end = run.terms[place + 1].since if place + 1 < len(run.terms) else until.since
        if begun < min(end, until.since):
            total += burned(terms.calendar, pauses, begun, min(end, until.since))
    return total


def read(run: Run, *, now: datetime) -> Reading:
    """The clock at `now`. The same facts give the same reading, in whatever order they became known."""
    if not run.terms:
        return Reading(state="not_started", finished_at=run.finished_at, problem="no_terms")
    pauses = joined(run.pauses, start=run.started_at)
    try:
        promise = _promise(run, run.terms[-1], pauses)
        if promise is None:
            return Reading(state="not_started", finished_at=run.finished_at)
        return _judge(run, promise, pauses, now)
    except NeverOpen:
        return Reading(state="not_started", finished_at=run.finished_at, problem="never_open")


def _judge(run: Run, promise: _Promise, pauses: Sequence[Pause], now: datetime) -> Reading:
    """In this order, the first that fits: finished, breached, paused, at risk, on track."""
    calendar = run.terms[-1].calendar
    end = min(run.finished_at.replace(microsecond=0), now) if run.finished_at else now  # met in the second it is due
    ran = burned(calendar, pauses, promise.start, end)
    used = promise.consumed + ran
    breached_at, is_retroactive = _breach(run, promise, pauses, end)
    if breached_at is not None:
        return Reading(
            state="breached", target=promise.target, burned=used, finished_at=run.finished_at, due_at=promise.due_at,
            breached_at=breached_at, over=max(0, ran - promise.seconds), is_retroactive=is_retroactive,
            paused_since=None if run.finished_at else _standing(pauses, now),
        )  # fmt: skip
    left = max(0, promise.seconds - ran)
    if run.finished_at is not None and run.finished_at <= now:
        return Reading(
            state="met", target=promise.target, burned=used, finished_at=run.finished_at, due_at=promise.due_at,
            left=left,
        )  # fmt: skip
    since = _standing(pauses, now)
    if since is not None:
        return Reading(
            state="paused", target=promise.target, burned=used, finished_at=run.finished_at, paused_since=since,
            left=left,
        )  # fmt: skip
    margin = run.risk.margin(promise.target)
    # The first second with less left than that: a whole night at exactly the margin is at no risk.
    risky = due(calendar, pauses, promise.start, min(promise.seconds, max(0, promise.seconds - margin + 1)))
    is_risky = left < margin
    return Reading(
        state="at_risk" if is_risky else "running", target=promise.target, burned=used, finished_at=run.finished_at,
        due_at=promise.due_at, at_risk_at=risky, left=left,
    )  # fmt: skip


def _standing(pauses: Sequence[Pause], now: datetime) -> datetime | None:
    """Since when the clock stands still at `now`."""
    return next((p.from_at for p in pauses if p.from_at <= now and (p.to_at is None or p.to_at > now)), None)


def _breach(run: Run, promise: _Promise, pauses: Sequence[Pause], end: datetime) -> tuple[datetime | None, bool]:
    """When the deadline passed unmet, and whether only a change of terms put it into the past.

    Walks back through the terms for as long as the deadline then in force had passed too: the breach began where that
    chain began. Terms that move a passed deadline into the future lift the breach with it.
    """
    passed = promise.due_at
    if passed is None or passed >= end:
        return None, False
    for place in range(len(run.terms) - 1, 0, -1):
        changed = run.terms[place].since
        if passed > changed or changed <= run.started_at:
            return passed, False
        before = _promise_before(run, run.terms[place - 1], pauses)
        if before is None or before.due_at is None or before.due_at >= changed:
            return changed, True
        passed = before.due_at
    return passed, False


def _promise_before(run: Run, terms: Terms, pauses: Sequence[Pause]) -> _Promise | None:
    """By terms that count no more: hours that never opened promised nothing."""
    try:
        return _promise(run, terms, pauses)
    except NeverOpen:
        return None


def what_if(run: Run, *, now: datetime, terms: Terms | None = None, pauses_now: bool | None = None) -> Reading:
    """The reading after a change made at `now`: other terms, or standing still (or going on) from now."""
    changed = run
    if terms is not None:
        changed = replace(changed, terms=(*changed.terms, terms._replace(since=now)))
    if pauses_now is True and _standing(joined(run.pauses, start=run.started_at), now) is None:
        changed = replace(changed, pauses=(*changed.pauses, Pause(from_at=now)))
    if pauses_now is False:
        ended = tuple(p._replace(to_at=now) if p.to_at is None or p.to_at > now else p for p in changed.pauses)
        changed = replace(changed, pauses=tuple(p for p in ended if p.to_at is None or p.to_at > p.from_at))
    return read(changed, now=now)


def crossed(run: Run, share: float) -> datetime | None:
    """When this share (0 to 1 and above) of the target has run; None when a pause, or no promise, stands before it.

    A threshold that passes exactly at closing is reached at closing; its notice may wait for the next opening.
    """
    pauses = joined(run.pauses, start=run.started_at)
    if not run.terms:
        return None
    if share == 1:
        return due_by(run, run.terms[-1], pauses)
    try:
        promise = _promise(run, run.terms[-1], pauses)
        if promise is None:
            return None
        left = max(0, round(promise.target * share) - promise.consumed)
        return due(run.terms[-1].calendar, pauses, promise.start, left)
    except NeverOpen:
        return None


def due_by(run: Run, terms: Terms, pauses: Sequence[Pause]) -> datetime | None:
    """When this run would be due by these terms and pauses (joined), whatever its own are; None as in `crossed`."""
    promise = _promise_before(run, terms, pauses)
    return promise.due_at if promise is not None else None


def level_of(overdue: timedelta) -> int:
    """Escalation level by elapsed time past due: 1 below four hours, 2 below eight, then 3."""
    return min(3, int(overdue.total_seconds() // (4 * 3600)) + 1)
