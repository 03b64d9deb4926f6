"""Why a promise was not kept, in one line: from the clock's slices and from who held the ticket meanwhile. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from django.utils.translation import gettext as _

from helpdesk.core.formatting import duration
from helpdesk.sla.hours import Calendar, Hours
from helpdesk.sla.ledger import Run, Terms, slices
from helpdesk.tickets.choices import FINISHED, WAITING, Category

MUCH = 0.4
"""Of the time that ran: what took this share, and more than anything else, is the reason."""
MANY = 3
"""Hand-overs, from which on they may be the reason themselves."""
ALWAYS = Calendar(Hours(is_always=True))


@dataclass(frozen=True, kw_only=True)
class Held:
    """Who had the ticket in [from_at, to_at), and where it stood; None = still. Empty names = nobody, no team."""

    from_at: datetime
    to_at: datetime | None = None
    agent: str = ""
    team: str = ""
    category: str = Category.OPEN.value
    status: str = ""
    rank: str = ""


@dataclass(frozen=True, kw_only=True)
class Change:
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
    is_ours: bool = True
    """We know the terms: what runs and what stands still is ours to say."""


@dataclass(frozen=True, kw_only=True)
class Reason:
    """`over` is open time past the deadline; `took` the open time that ran; both in seconds."""

    text: str
    over: int | None
    took: int
    marks: tuple[str, ...] = ()


_FIELDS = ("agent", "team", "status", "priority")


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
    if name == "agent":
        return replace(held, agent=value)
    return replace(held, team=value) if name == "team" else replace(held, rank=value)


@dataclass
class Burned:
    """Seconds that ran, by who had it and where it stood."""

    total: int = 0
    agents: Counter[str] = field(default_factory=Counter)
    teams: Counter[str] = field(default_factory=Counter)
    statuses: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(category, name) -> seconds."""
    of_agent: Mapping[str, Counter[str]] = field(default_factory=dict)
    """agent -> status -> seconds."""
    agents_seen: list[str] = field(default_factory=list)
    hand_overs: int = 0


def burned_by(run: Run, held: Sequence[Held], until: datetime) -> Burned:
    """Each running slice laid over who held the ticket."""
    found, last = Burned(of_agent={}), None
    of_agent: dict[str, Counter[str]] = {}
    for piece in slices(run, until=until):
        if piece.kind != "running":
            continue
        for one in held:
            begun, ended = max(one.from_at, piece.from_at), min(one.to_at or piece.to_at, piece.to_at)
            seconds = int((ended - begun).total_seconds())
            if seconds <= 0:
                continue
            found.total += seconds
            found.agents[one.agent] += seconds
            found.teams[one.team] += seconds
            found.statuses[one.category, one.status] += seconds
            of_agent.setdefault(one.agent, Counter())[one.status] += seconds
            here = (one.agent, one.team)
            if last is not None and here != last and last != ("", ""):
                found.hand_overs += 1
            if one.agent and (not found.agents_seen or found.agents_seen[-1] != one.agent):
                found.agents_seen.append(one.agent)
            last = here
    found.of_agent = of_agent
    return found


def explain(facts: Facts, run: Run | None, held: Sequence[Held], changes: Sequence[Change], now: datetime) -> Reason:
    """The line for one clock. Without terms of ours it is told in time around the clock."""
    end = min(facts.ended_at or now, now)
    if run is None or not run.terms:
        start = run.started_at if run else held[0].from_at
        run = Run(started_at=start, terms=(), finished_at=facts.ended_at)
        facts = replace(facts, is_ours=False)
        return _told(facts, _around_the_clock(run, held, end), ALWAYS, changes, end)
    return _told(facts, burned_by(run, held, end), run.terms[-1].calendar, changes, end)


def _around_the_clock(run: Run, held: Sequence[Held], end: datetime) -> Burned:
    """For clocks of which only the PSA knows the hours."""
    stand_in = replace(run, terms=(Terms(since=run.started_at, calendar=ALWAYS),))
    open_only = [one for one in held if one.category not in FINISHED]
    return burned_by(stand_in, open_only, end)


def _told(facts: Facts, burned: Burned, calendar: Calendar, changes: Sequence[Change], end: datetime) -> Reason:
    over = calendar.elapsed(facts.due_at, end) if facts.due_at else None
    text = _by_change(facts, changes) or next(
        (said for rule in _RULES if (said := rule(facts, burned))), _("It took longer than was promised")
    )
    marks = [_("retroactive")] if facts.is_retroactive else []
    marks += [_("corrected by hand")] if facts.is_corrected else []
    marks += [_("by the PSA’s own date")] if facts.is_theirs else []
    return Reason(text=_ended(text, over, facts.ended_at is None), over=over, took=burned.total, marks=tuple(marks))


def _ended(text: str, over: int | None, is_open: bool) -> str:
    if not over:
        return f"{text}."
    said = {"what": text, "over": duration(over)}
    return (_("%(what)s; %(over)s over by now.") if is_open else _("%(what)s; %(over)s over.")) % said


# ---- the reasons, the first that fits -------------------------------------------------------------------------------


def _by_change(facts: Facts, changes: Sequence[Change]) -> str:
    """A later change of the promise itself."""
    if not facts.is_retroactive:
        return ""
    for change in changes:
        near = facts.breached_at and abs((change.at - facts.breached_at).total_seconds()) < 2
        if near and change.field in ("priority", "client"):
            said = {"old": change.old or _("none"), "new": change.new or _("none"), "who": change.actor}
            if change.field == "priority" and change.actor:
                text = _("%(who)s changed the priority from %(old)s to %(new)s: counted from the start, it was late")
            elif change.field == "priority":
                text = _("Priority changed from %(old)s to %(new)s: counted from the start, it was late at once")
            else:
                text = _("Moved to the client %(new)s, whose promise is shorter: counted from the start, it was late")
            return text % said
    return _("A later change of priority, policy or calendar put the deadline into the past")


def _nobody(facts: Facts, burned: Burned) -> str:
    """It waited without an owner."""
    if not _leads(burned, burned.agents, ""):
        return ""
    took = {"time": duration(burned.agents[""]), "who": burned.agents_seen[0] if burned.agents_seen else ""}
    if took["who"]:
        return _("Waited %(time)s without an owner before %(who)s took it") % took
    team = next((name for name, _n in burned.teams.most_common(1) if name), "")
    if team:
        return _("Waited %(time)s without an owner in %(team)s") % {**took, "team": team}
    return _("Waited %(time)s without an owner") % took


def _waiting(facts: Facts, burned: Burned) -> str:
    """It stood in a waiting status for which this clock does not pause."""
    (category, name), seconds = max(burned.statuses.items(), key=lambda pair: pair[1], default=(("", ""), 0))
    if category not in {one.value for one in WAITING} or seconds < MUCH * burned.total or not seconds:
        return ""
    said = {"time": duration(seconds), "status": name or str(Category(category).label)}
    if not facts.is_ours:
        return _("Stood %(time)s in “%(status)s”") % said
    return _("Stood %(time)s in “%(status)s”, for which this clock does not pause") % said


def _handed_over(facts: Facts, burned: Burned) -> str:
    """Nobody had it for long."""
    longest = max(burned.agents.values(), default=0)
    if burned.hand_overs < MANY or longest > 0.6 * burned.total:
        return ""
    teams = [name for name, _n in burned.teams.most_common(2) if name]
    said = {"n": burned.hand_overs, "time": duration(burned.total), "teams": _(" and ").join(teams)}
    if len(teams) == 2:
        return _("%(n)d hand-overs between %(teams)s in %(time)s") % said
    return _("%(n)d hand-overs in %(time)s, nobody had it for long") % said


def _somebody(facts: Facts, burned: Burned) -> str:
    """One person had it for most of the time."""
    named = [(name, seconds) for name, seconds in burned.agents.most_common() if name]
    if not named:
        return ""
    who, seconds = named[0]
    status, most = burned.of_agent[who].most_common(1)[0]
    said = {"who": who, "time": duration(seconds), "status": status, "of": duration(burned.total)}
    if facts.kind == "response":
        return _("%(who)s had it for %(time)s without an answer to the client") % said
    if status and most > 0.5 * seconds:
        return _("%(who)s had it for %(time)s, most of it in “%(status)s”") % said
    if seconds == burned.total:
        return _("%(who)s had it all the time, %(time)s") % said
    return _("%(who)s had it for %(time)s of the %(of)s that ran") % said


def _leads(burned: Burned, counted: Counter[str], key: str) -> bool:
    seconds = counted[key]
    return bool(seconds) and seconds >= MUCH * burned.total and seconds == max(counted.values())


_RULES: Sequence[Callable[[Facts, Burned], str]] = (
    _nobody, _waiting, _handed_over, _somebody,
)  # fmt: skip


def over_words(reason: Reason) -> str:
    """ "35 min over", for the badge."""
    return _("%(time)s over") % {"time": duration(reason.over)} if reason.over else _("late")
