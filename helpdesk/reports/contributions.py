"""From what is known of a ticket to what it adds to its days. Pure: the same facts give the same contributions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import NamedTuple

from helpdesk.reports.slices import (
    COUNTERS,
    FOREVER,
    IN_CATEGORY,
    Contribution,
    Counted,
    Keys,
    Late,
    Raised,
    Stretch,
)
from helpdesk.tickets import spans
from helpdesk.tickets.choices import FINISHED, Category


@dataclass(frozen=True, kw_only=True)
class ClockFacts:
    """A clock that has come to its end with a verdict. Seconds of open time; `burned` None = not known."""

    kind: str
    is_breached: bool
    finished_at: datetime
    is_retroactive: bool = False
    is_corrected: bool = False
    burned: int | None = None
    paused: int = 0


@dataclass(frozen=True, kw_only=True)
class TimeFacts:
    """Time booked: who (0 = nobody we know), when it ended, seconds."""

    agent: int
    ended_at: datetime
    seconds: int
    is_billable: bool


class RaisedFacts(NamedTuple):
    at: datetime
    trigger: str
    level: int


@dataclass(frozen=True, kw_only=True)
class Facts:
    """All that reports want of a ticket, as it is now. `status` is a category of statuses."""

    keys: Keys
    status: str
    opened_at: datetime
    finished_at: datetime | None = None
    first_responded_at: datetime | None = None
    escalated_at: datetime | None = None
    is_excluded: bool = False
    """A person said that one of its promises does not count."""
    stretches: Sequence[spans.Stretch] = ()
    clocks: Sequence[ClockFacts] = ()
    time: Sequence[TimeFacts] = ()
    raised: Sequence[RaisedFacts] = ()
    late: Sequence[Late] = ()


class _Days:
    """Counts by day and agent; days are days of `zone`."""

    def __init__(self, keys: Keys, zone: tzinfo) -> None:
        self.keys, self.zone = keys, zone
        self._days: dict[tuple[date, int], dict[str, int]] = {}

    def of(self, at: datetime) -> date:
        return at.astimezone(self.zone).date()

    def count(self, at: datetime, agent: int | None = None, **values: int) -> None:
        found = self._days.setdefault((self.of(at), self.keys.agent if agent is None else agent), {})
        for name, value in values.items():
            found[name] = found.get(name, 0) + value

    def parts(self) -> tuple[Contribution, ...]:
        return tuple(
            Contribution(day, self.keys._replace(agent=agent), tuple(found.get(name, 0) for name in COUNTERS))
            for (day, agent), found in sorted(self._days.items())
            if any(found.values())
        )


def counted(facts: Facts, zone: tzinfo) -> Counted:
    """What the ticket adds, in order of days.

    Its own counts go under the client, team, priority, owner and so on that it has now; booked time under the agent
    who booked it.
    """
    days = _Days(facts.keys, zone)
    _count_ends(facts, days)
    for clock in facts.clocks:
        days.count(clock.finished_at, **_verdict(clock))
    if facts.escalated_at:
        days.count(facts.escalated_at, escalated=1)
    for entry in facts.time:
        name = "billable_seconds" if entry.is_billable else "nonbillable_seconds"
        days.count(entry.ended_at, entry.agent, **{name: entry.seconds})
    for one in facts.raised:
        days.count(one.at, raised=1)
    return Counted(days.parts(), _stretches(facts, days), _raised(facts, days), tuple(facts.late))


def _count_ends(facts: Facts, days: _Days) -> None:
    """Opened, answered, reopened, ended: where the ticket came and went."""
    days.count(facts.opened_at, opened=1)
    if facts.finished_at and facts.status in FINISHED:
        days.count(
            facts.finished_at,
            finished=1,
            closed=int(facts.status == Category.CLOSED),
            excluded=int(facts.is_excluded),
            resolve_seconds=_seconds(facts.opened_at, facts.finished_at),
        )
    if facts.first_responded_at:
        seconds = _seconds(facts.opened_at, facts.first_responded_at)
        days.count(facts.first_responded_at, answered=1, answer_seconds=seconds)
    for place, stretch in enumerate(facts.stretches):
        if place:
            days.count(stretch.from_at, reopened=1)
        if stretch.to_at:
            days.count(stretch.to_at, ended=1, **{IN_CATEGORY[name]: n for name, n in stretch.seconds.items()})


def _verdict(clock: ClockFacts) -> Mapping[str, int]:
    verdict = "breached" if clock.is_breached else "met"
    is_late = clock.is_breached and clock.is_retroactive
    found = {
        f"{clock.kind}_{verdict}": 1,
        f"{clock.kind}_corrected": int(clock.is_corrected),
        f"{clock.kind}_paused": int(clock.paused > 0),
        "retroactive" if clock.kind == "resolution" else "response_retroactive": int(is_late),
    }
    if clock.burned is not None:
        name = "resolve" if clock.kind == "resolution" else "answer"
        found |= {f"{name}_timed": 1, f"{name}_work_seconds": clock.burned}
    return found


def _stretches(facts: Facts, days: _Days) -> tuple[Stretch, ...]:
    """Those that a day ended in: what is opened and finished within one day was in no day's backlog."""
    opened_on = days.of(facts.opened_at)
    found = [
        Stretch(days.of(one.from_at), days.of(one.to_at) if one.to_at else FOREVER, opened_on, facts.keys)
        for one in facts.stretches
    ]
    return tuple(one for one in found if one.day < one.until)


def _raised(facts: Facts, days: _Days) -> tuple[Raised, ...]:
    found: dict[tuple[date, str, int], int] = {}
    for one in facts.raised:
        key = (days.of(one.at), one.trigger, one.level)
        found[key] = found.get(key, 0) + 1
    return tuple(Raised(*key, times, facts.keys) for key, times in sorted(found.items()))


def _seconds(start: datetime, end: datetime) -> int:
    """Never below zero: clocks of two systems differ."""
    return max(0, int((end - start).total_seconds()))
