"""Who had a ticket, and where it stood, while one of its clocks ran: what the reason of a breach is told from. Pure.

A burn is data and no sentence: it is kept with the ticket's other rows, and told in the reader's language.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from helpdesk.sla.hours import Calendar, Hours
from helpdesk.sla.ledger import Run, Terms, burned, joined, slices
from helpdesk.tickets.choices import FINISHED, Category

ALWAYS = Calendar(Hours(is_always=True))
AS_NOW = None
"""In place of a name: the one that the ticket has now, because nothing ever changed it. Names that were told with a
change stay in the words of their time, as in the ledger."""
Name = str | None


@dataclass(frozen=True, kw_only=True)
class Held:
    """Who had the ticket in [from_at, to_at), and where it stood; None = still. Empty names = nobody, no team."""

    from_at: datetime
    to_at: datetime | None = None
    agent: Name = ""
    team: Name = ""
    category: str = Category.OPEN.value
    status: Name = ""


class Change(NamedTuple):
    """One event of a ticket, with the names that people read."""

    field: str
    at: datetime
    old: str = ""
    new: str = ""
    actor: str = ""
    category: str = ""
    """Of the new status."""
    old_category: str = ""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is asked of one breached clock. `due_at` and `ended_at` are the ones that count; None = it still runs."""

    kind: str
    due_at: datetime | None
    ended_at: datetime | None
    breached_at: datetime | None = None
    is_retroactive: bool = False
    is_corrected: bool = False
    is_theirs: bool = False
    """The due date is the PSA's own."""
    is_given: bool = False
    """The due date is simply given, by the PSA or a person: standing still moves nothing of it."""


class Part(NamedTuple):
    """Seconds that ran, and who had the ticket and where it stood meanwhile."""

    agent: Name
    team: Name
    category: str
    status: Name
    seconds: int


class Cause(NamedTuple):
    """The change of the promise itself that put the deadline into the past."""

    field: str
    old: str
    new: str
    actor: str


@dataclass(frozen=True, kw_only=True)
class Burn:
    """`parts` in the order of time; `over`: open seconds past the deadline. Not `is_ours`: we do not know the hours."""

    parts: tuple[Part, ...]
    over: int | None
    is_ours: bool = True
    is_retroactive: bool = False
    is_corrected: bool = False
    is_theirs: bool = False
    cause: Cause | None = None

    def named(self, name: Callable[[Part], Part]) -> Burn:
        return replace(self, parts=tuple(map(name, self.parts)))

    def kept(self) -> list[Any]:
        """As JSON keeps it."""
        marks = [self.is_ours, self.is_retroactive, self.is_corrected, self.is_theirs]
        cause = list(self.cause) if self.cause else None
        return [self.over, [int(mark) for mark in marks], cause, [list(part) for part in self.parts]]


def kept_burn(kept: Sequence[Any]) -> Burn:
    """Back from JSON."""
    over, marks, cause, parts = kept
    is_ours, is_retroactive, is_corrected, is_theirs = map(bool, marks)
    return Burn(
        parts=tuple(Part(*part) for part in parts), over=over, is_ours=is_ours, is_retroactive=is_retroactive,
        is_corrected=is_corrected, is_theirs=is_theirs, cause=Cause(*cause) if cause else None,
    )  # fmt: skip


# ---- who had it -----------------------------------------------------------------------------------------------------

_FIELDS = ("agent", "team", "status")


def holders(now_is: Held, changes: Sequence[Change]) -> list[Held]:
    """Stretches from the first instant on, from what it is now and every change in order of time."""
    told = [change for change in changes if change.field in _FIELDS]
    first: dict[str, Change] = {}
    for change in told:
        first.setdefault(change.field, change)
    state = now_is
    if "status" not in first and state.category in FINISHED:
        state = replace(state, status="", category=Category.OPEN.value)  # nobody told us where it stood before
    for change in first.values():
        state = _with(state, change.field, change.old, change.old_category)
    found = []
    for change in told:
        changed = _with(state, change.field, change.new, change.category)
        if change.at > state.from_at:
            found.append(replace(state, to_at=change.at))
            changed = replace(changed, from_at=change.at)
        state = changed
    return [*found, state]


def _with(held: Held, name: str, value: str, category: str) -> Held:
    if name == "status":
        return replace(held, status=value, category=category or held.category)
    return replace(held, agent=value) if name == "agent" else replace(held, team=value)


# ---- while it ran ---------------------------------------------------------------------------------------------------


def burn_of(facts: Facts, run: Run | None, held: Sequence[Held], changes: Sequence[Change], now: datetime) -> Burn:
    """What one clock's reason is told from. Without terms of ours it is counted around the clock."""
    end = min(facts.ended_at or now, now)
    is_ours = run is not None and bool(run.terms)
    if run is None or not run.terms:
        start = run.started_at if run else held[0].from_at
        run = Run(started_at=start, terms=(Terms(since=start, calendar=ALWAYS),), finished_at=facts.ended_at)
        held = [one for one in held if one.category not in FINISHED]
    return Burn(
        parts=tuple(_parts(run, held, end)),
        over=_over(facts, run, end),
        is_ours=is_ours,
        is_retroactive=facts.is_retroactive,
        is_corrected=facts.is_corrected,
        is_theirs=facts.is_theirs,
        cause=_cause(facts, changes),
    )


def _over(facts: Facts, run: Run, end: datetime) -> int | None:
    """As the clock itself counts it: a pause after the deadline is not over it."""
    if facts.due_at is None:
        return None
    pauses = () if facts.is_given else joined(run.pauses, start=run.started_at)
    return burned(run.terms[-1].calendar, pauses, facts.due_at, end)


def _parts(run: Run, held: Sequence[Held], until: datetime) -> list[Part]:
    """Each running slice laid over who held the ticket; a night between two slices begins no new part."""
    calendar, found = run.terms[-1].calendar, list[Part]()
    for piece in slices(run, until=until):
        if piece.kind != "running":
            continue
        for one in held:
            begun, ended = max(one.from_at, piece.from_at), min(one.to_at or piece.to_at, piece.to_at)
            seconds = calendar.elapsed(begun, ended)
            if seconds <= 0:
                continue
            part = Part(one.agent, one.team, one.category, one.status, seconds)
            if found and found[-1][:4] == part[:4]:
                found[-1] = part._replace(seconds=found[-1].seconds + seconds)
            else:
                found.append(part)
    return found


def _cause(facts: Facts, changes: Sequence[Change]) -> Cause | None:
    """A later change of the promise itself."""
    if not facts.is_retroactive or facts.breached_at is None:
        return None
    for change in changes:
        near = abs((change.at - facts.breached_at).total_seconds()) < 2
        if near and change.field in ("priority", "client"):
            return Cause(change.field, change.old, change.new, change.actor)
    return None


def changes_by_ticket(
    rows: Sequence[tuple[int, str, datetime, str, str, str, str, str]], categories: Mapping[str, str]
) -> dict[int, list[Change]]:
    """Rows of (ticket, field, at, old, new, old label, new label, actor); `categories`: status as events spell it."""
    found: dict[int, list[Change]] = {}
    for ticket, name, at, old, new, old_label, new_label, actor in rows:
        change = Change(name, at, old_label, new_label, actor)
        if name == "status":
            change = change._replace(category=categories.get(new, ""), old_category=categories.get(old, ""))
        found.setdefault(ticket, []).append(change)
    return found
