"""From a ticket's events to the stretches of time it spent in each category, with each agent and team.

The fold is pure: events in any order, told twice or late, give the same story. Kept are only the spans; the rest of a
story is for who counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple

from django.db.models import Model, QuerySet

from helpdesk.core import bulk
from helpdesk.directory.models import Agent, Team
from helpdesk.tickets.choices import FINISHED, Category
from helpdesk.tickets.models import Status, TicketEvent, TicketSpan
from helpdesk.tickets.stories import CREATED

FIELDS = ("status", "agent", "team")
MET = "met"
"""Beside them: the status in which we met the ticket, which its first event tells."""
_DIGITS = re.compile(r"(\d+)")


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A ticket as its row says it stands now. Row ids; 0 = none."""

    opened_at: datetime
    category: str
    finished_at: datetime | None = None
    agent: int = 0
    team: int = 0


class Step(NamedTuple):
    """One change as an event tells it; `key` is the same each time it is told."""

    at: datetime
    key: str
    old: str
    new: str


class Span(NamedTuple):
    """Row ids; None = none. `to_at` None = still."""

    category: str
    agent: int | None
    team: int | None
    from_at: datetime
    to_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """A ticket was open from here to there (None = still), and how many seconds of it in which category."""

    from_at: datetime
    to_at: datetime | None
    seconds: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Story:
    """`stretches`: the first begins as the ticket is opened, each other with a reopening, however short it was."""

    spans: tuple[Span, ...]
    stretches: tuple[Stretch, ...]
    escalated_at: datetime | None = None
    """When it first came into an escalated status."""


Track = list[tuple[datetime, str]]
"""Since when it stands in what, in order; what is left in the very instant it came stays in it."""


# ---- the fold -------------------------------------------------------------------------------------------------------


def fold(now: Standing, steps: Mapping[str, Sequence[Step]], categories: Mapping[str, str]) -> Story:
    """`steps` by field; `categories`: status, as events spell it -> category. What the row says now is how it ends."""
    moves = _categories(now, steps.get("status", ()), steps.get(MET, ()), categories)
    agents = _track(now.opened_at, steps.get("agent", ()), str(now.agent or ""))
    teams = _track(now.opened_at, steps.get("team", ()), str(now.team or ""))
    return Story(
        spans=_spans(moves, agents, teams),
        stretches=_stretches(moves),
        escalated_at=next((at for at, category in moves if category == Category.ESCALATED), None),
    )


def _categories(now: Standing, steps: Sequence[Step], met: Sequence[Step], categories: Mapping[str, str]) -> Track:
    told = _in_order(steps)
    # It counts where nothing else is told, or what is told goes on from there: a stamp may be older than its history.
    told = [*(one for one in met if not told or (one.at <= told[0].at and one.new == told[0].old)), *told]
    known = [
        step._replace(old=categories.get(step.old, ""), new=categories[step.new])
        for step in told
        if step.new in categories
    ]
    first = (known[0].old or Category.NEW.value) if known else now.category
    track = _walk(now.opened_at, first, known)
    if not known and now.category in FINISHED:
        # Nobody told how it got there: it was open until it was finished.
        track = [(now.opened_at, Category.NEW.value), (now.opened_at, now.category)]
    elif track[-1][1] != now.category:
        if now.category in FINISHED and track[-1][1] not in FINISHED:
            track.append((max(track[-1][0], now.finished_at or track[-1][0]), now.category))
        else:
            track[-1] = (track[-1][0], now.category)
    return _stamped(track, now.finished_at) if now.category in FINISHED else track


def _stamped(track: Track, finished_at: datetime | None) -> Track:
    """The last finish is when the ticket says it was, if that is no earlier than the last opening."""
    end = len(track)
    while end and track[end - 1][1] in FINISHED:
        end -= 1
    begin = end
    while begin and track[begin - 1][1] not in FINISHED:
        begin -= 1
    if finished_at is None or begin == end or finished_at < track[begin][0]:
        return track
    before = [(min(at, finished_at), value) for at, value in track[:end]]
    rest = [(max(at, finished_at), value) for at, value in track[end + 1 :]]
    return [*before, (finished_at, track[end][1]), *rest]


def _track(opened_at: datetime, steps: Sequence[Step], now: str) -> Track:
    ordered = _in_order(steps)
    track = _walk(opened_at, ordered[0].old if ordered else now, ordered)
    track[-1] = (track[-1][0], now)
    return track


def _walk(opened_at: datetime, first: str, steps: Iterable[Step]) -> Track:
    track = [(opened_at, first)]
    for step in steps:
        if step.new != track[-1][1]:
            track.append((max(step.at, opened_at), step.new))
    return track


def _in_order(steps: Iterable[Step]) -> list[Step]:
    """By time; of one instant, so that each goes on where the one before it led."""
    told = {step.key: step for step in steps}
    found: list[Step] = []
    by_time = sorted(told.values(), key=lambda step: (step.at, _natural(step.key)))
    for _at, some in groupby(by_time, key=lambda step: step.at):
        left = list(some)
        while left:
            stands = found[-1].new if found else None
            following = next((step for step in left if step.old == stands), left[0])
            left.remove(following)
            found.append(following)
    return found


def _natural(key: str) -> list[str | int]:
    """ "action:9" before "action:10"."""
    return [int(part) if place % 2 else part for place, part in enumerate(_DIGITS.split(key))]


def _spans(moves: Track, agents: Track, teams: Track) -> tuple[Span, ...]:
    points = sorted({at for track in (moves, agents, teams) for at, _value in track})
    found: list[Span] = []
    for place, at in enumerate(points):
        agent, team = _key(_at(agents, at)), _key(_at(teams, at))
        until = points[place + 1] if place + 1 < len(points) else None
        span = Span(_at(moves, at), agent, team, at, until)
        if found and found[-1][:3] == span[:3]:
            found[-1] = found[-1]._replace(to_at=until)
        else:
            found.append(span)
    return tuple(found)


def _at(track: Track, at: datetime) -> str:
    return next(value for since, value in reversed(track) if since <= at)


def _key(text: str) -> int | None:
    return int(text) if text.isdecimal() else None


def _stretches(moves: Track) -> tuple[Stretch, ...]:
    found: list[Stretch] = []
    begun: datetime | None = None
    seconds: dict[str, int] = {}
    for place, (at, category) in enumerate(moves):
        if category not in FINISHED:
            begun = begun or at
            if place + 1 < len(moves):
                length = int((moves[place + 1][0] - at).total_seconds())
                seconds[category] = seconds.get(category, 0) + length
        elif begun is not None or not place:
            found.append(Stretch(from_at=begun or at, to_at=at, seconds=seconds))
            begun, seconds = None, {}
    if begun is not None:
        found.append(Stretch(from_at=begun, to_at=None, seconds=seconds))
    return tuple(found)


# ---- read and write -------------------------------------------------------------------------------------------------


def read_stories(standings: Mapping[int, Standing]) -> dict[int, Story]:
    """Stories of these tickets by their keys, in four queries at most."""
    steps: dict[int, dict[str, list[Step]]] = {}
    rows = TicketEvent.objects.filter(ticket__in=standings, field__in=(*FIELDS, CREATED)).order_by()
    for pk, ticket, name, old, new, at, key in rows.values_list(
        "pk", "ticket", "field", "old", "new", "at", "remote_key"
    ):
        step = Step(at, key or f"own:{pk}", old, new)
        if name == CREATED:
            name, step = MET, step._replace(at=datetime.fromisoformat(old) if old else at, old="")
        steps.setdefault(ticket, {}).setdefault(name, []).append(step)
    told = {name: _values(steps, name) for name in (*FIELDS, MET)}
    statuses = _rows(Status, told["status"] | told[MET])
    categories = {str(pk): c for pk, c in statuses.values_list("pk", "category")}
    here = {
        "agent": {str(pk) for pk in _rows(Agent, told["agent"]).values_list("pk", flat=True)},
        "team": {str(pk) for pk in _rows(Team, told["team"]).values_list("pk", flat=True)},
    }
    return {pk: fold(standing, _only_known(steps.get(pk, {}), here), categories) for pk, standing in standings.items()}


def _values(steps: Mapping[int, Mapping[str, Sequence[Step]]], name: str) -> set[int]:
    texts = {text for some in steps.values() for step in some.get(name, ()) for text in (step.old, step.new)}
    return {int(text) for text in texts if text.isdecimal() and len(text) < 19}


def _rows(model: type[Model], keys: set[int]) -> QuerySet[Any]:
    return model._default_manager.filter(pk__in=keys).order_by() if keys else model._default_manager.none()


def _only_known(steps: Mapping[str, Sequence[Step]], here: Mapping[str, set[str]]) -> dict[str, Sequence[Step]]:
    """Agents and teams that are gone are nobody."""
    found: dict[str, Sequence[Step]] = {name: steps.get(name, ()) for name in ("status", MET)}
    for name, keys in here.items():
        found[name] = [
            step._replace(old=step.old if step.old in keys else "", new=step.new if step.new in keys else "")
            for step in steps.get(name, ())
        ]
    return found


def write_spans(stories: Mapping[int, Story]) -> int:
    """Bring the kept spans of these tickets to their stories. Only what differs is written; counts the rows."""
    kept: dict[tuple[int, Span], int] = {}
    gone = []
    for span in TicketSpan.objects.filter(ticket__in=stories).order_by():
        one = (
            span.ticket_id,
            Span(span.category, span.agent_id, span.team_id, span.from_at, span.to_at),
        )
        if one in kept or one[1] not in stories[span.ticket_id].spans:
            gone.append(span.pk)
        else:
            kept[one] = span.pk
    new = span_rows({pk: [s for s in story.spans if (pk, s) not in kept] for pk, story in stories.items()})
    if gone:
        TicketSpan.objects.filter(pk__in=gone).delete()
    bulk.insert(new)
    return len(gone) + len(new)


def span_rows(spans: Mapping[int, Iterable[Span]]) -> list[TicketSpan]:
    return [
        TicketSpan(
            ticket_id=pk, category=s.category, agent_id=s.agent, team_id=s.team, from_at=s.from_at, to_at=s.to_at
        )
        for pk, some in spans.items()
        for s in some
    ]  # fmt: skip
