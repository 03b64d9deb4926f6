"""From what is known of a ticket to what it adds to its days. Pure: the same facts give the same contributions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo

from helpdesk.reports.slices import COUNTERS, Contribution
from helpdesk.tickets.choices import FINISHED, Category


@dataclass(frozen=True, kw_only=True)
class ClockFacts:
    """A clock that has come to its end with a verdict."""

    kind: str
    is_breached: bool
    finished_at: datetime
    is_retroactive: bool = False


@dataclass(frozen=True, kw_only=True)
class TimeFacts:
    """Time booked: who (0 = nobody we know), when it ended, seconds."""

    agent: int
    ended_at: datetime
    seconds: int
    is_billable: bool


@dataclass(frozen=True, kw_only=True)
class Facts:
    """All that reports want of a ticket, as it is now. Row ids; 0 = none."""

    client: int
    team: int
    rank: int
    agent: int
    category: str
    opened_at: datetime
    finished_at: datetime | None = None
    first_responded_at: datetime | None = None
    escalated_at: datetime | None = None
    reopened_at: datetime | None = None
    """The last time it went from finished back to open."""
    clocks: Sequence[ClockFacts] = ()
    time: Sequence[TimeFacts] = ()


def contributions(facts: Facts, zone: tzinfo) -> list[Contribution]:
    """One per day and agent on which something is counted, in order of days.

    The ticket's own counts go under the client, team, priority and owner that it has now; booked time under the agent
    who booked it. Days are days of `zone`.
    """
    days: dict[tuple[date, int], dict[str, int]] = {}

    def count(at: datetime, agent: int | None = None, **values: int) -> None:
        key = (at.astimezone(zone).date(), facts.agent if agent is None else agent)
        found = days.setdefault(key, {})
        for name, value in values.items():
            found[name] = found.get(name, 0) + value

    count(facts.opened_at, opened=1)
    if facts.finished_at and facts.category in FINISHED:
        count(
            facts.finished_at,
            finished=1,
            closed=int(facts.category == Category.CLOSED),
            resolve_seconds=_seconds(facts.opened_at, facts.finished_at),
        )
    if facts.first_responded_at:
        count(facts.first_responded_at, answered=1, answer_seconds=_seconds(facts.opened_at, facts.first_responded_at))
    for clock in facts.clocks:
        verdict = f"{clock.kind}_{'breached' if clock.is_breached else 'met'}"
        late = clock.is_breached and clock.is_retroactive and clock.kind == "resolution"
        count(clock.finished_at, **{verdict: 1, "retroactive": int(late)})
    if facts.reopened_at:
        count(facts.reopened_at, reopened=1)
    if facts.escalated_at:
        count(facts.escalated_at, escalated=1)
    for entry in facts.time:
        name = "billable_seconds" if entry.is_billable else "nonbillable_seconds"
        count(entry.ended_at, entry.agent, **{name: entry.seconds})
    return [
        Contribution(day, facts.client, facts.team, facts.rank, agent, tuple(found.get(name, 0) for name in COUNTERS))
        for (day, agent), found in sorted(days.items())
        if any(found.values())
    ]


def _seconds(start: datetime, end: datetime) -> int:
    """Never below zero: clocks of two systems differ."""
    return max(0, int((end - start).total_seconds()))
