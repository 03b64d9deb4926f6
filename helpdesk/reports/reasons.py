"""Why a promise was not kept, in one line, from who had the ticket while its clock ran. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.utils.translation import gettext as _

from helpdesk.core.formatting import duration
from helpdesk.reports.burns import AS_NOW, Burn, Change, Facts, Held, Part, burn_of
from helpdesk.sla.ledger import Run
from helpdesk.tickets.choices import WAITING, Category

MUCH = 0.4
"""Of the time that ran: what took this share, and more than anything else, is the reason."""
MANY = 3
"""Hand-overs, from which on they may be the reason themselves."""


@dataclass(frozen=True, kw_only=True)
class Reason:
    """`over` is open time past the deadline; `took` the open time that ran; both in seconds."""

    text: str
    over: int | None
    took: int
    marks: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Names:
    """Who has the ticket now and where it stands, for what nothing ever changed.

    `is_for_client`: persons by their first names, and our words for where it stood.
    """

    agent: str = ""
    team: str = ""
    status: str = ""
    is_for_client: bool = False

    def of(self, part: Part) -> Part:
        agent = self.agent if part.agent is AS_NOW else part.agent
        status = self.status if part.status is AS_NOW else part.status
        if self.is_for_client:
            agent = first_name(agent)
            status = str(Category(part.category).label) if part.category in Category.values else ""
        return part._replace(agent=agent, team=self.team if part.team is AS_NOW else part.team, status=status)


def first_name(name: str) -> str:
    return name.split()[0] if name.split() else ""


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


def added_up(parts: Sequence[Part]) -> Burned:
    """Parts with their names, in the order of time."""
    found, last = Burned(), None
    of_agent: dict[str, Counter[str]] = {}
    for part in parts:
        agent, team, status, seconds = part.agent or "", part.team or "", part.status or "", part.seconds
        found.total += seconds
        found.agents[agent] += seconds
        found.teams[team] += seconds
        found.statuses[part.category, status] += seconds
        of_agent.setdefault(agent, Counter())[status] += seconds
        here = (agent, team)
        if last is not None and here != last and last != ("", ""):
            found.hand_overs += 1
        if agent and (not found.agents_seen or found.agents_seen[-1] != agent):
            found.agents_seen.append(agent)
        last = here
    found.of_agent = of_agent
    return found


def explain(facts: Facts, run: Run | None, held: Sequence[Held], changes: Sequence[Change], now: datetime) -> Reason:
    """The line for one clock, from its slices; who held it has names."""
    return told(burn_of(facts, run, held, changes, now), kind=facts.kind, is_open=facts.ended_at is None, names=Names())


def told(burn: Burn, *, kind: str, is_open: bool, names: Names) -> Reason:
    """The line for one clock, in the reader's language."""
    asked = Asked(kind=kind, is_ours=burn.is_ours)
    burned = added_up([names.of(part) for part in burn.parts])
    text = _by_change(burn, names) or next(
        (said for rule in _RULES if (said := rule(asked, burned))), _("It took longer than was promised")
    )
    marks = [_("retroactive")] if burn.is_retroactive else []
    marks += [_("corrected by hand")] if burn.is_corrected else []
    marks += [_("by the PSA’s own date")] if burn.is_theirs else []
    return Reason(text=_ended(text, burn.over, is_open), over=burn.over, took=burned.total, marks=tuple(marks))


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Of which clock the reason is. Not `is_ours`: we do not know what makes it stand still."""

    kind: str
    is_ours: bool


def _ended(text: str, over: int | None, is_open: bool) -> str:
    if not over:
        return f"{text}."
    said = {"what": text, "over": duration(over)}
    return (_("%(what)s; %(over)s over by now.") if is_open else _("%(what)s; %(over)s over.")) % said


# ---- the reasons, the first that fits -------------------------------------------------------------------------------


def _by_change(burn: Burn, names: Names) -> str:
    """A later change of the promise itself."""
    if not burn.is_retroactive:
        return ""
    cause = burn.cause
    if cause is None:
        return _("A later change of priority, policy or calendar put the deadline into the past")
    who = first_name(cause.actor) if names.is_for_client else cause.actor
    said = {"old": cause.old or _("none"), "new": cause.new or _("none"), "who": who}
    if cause.field == "priority" and who:
        text = _("%(who)s changed the priority from %(old)s to %(new)s: counted from the start, it was late")
    elif cause.field == "priority":
        text = _("Priority changed from %(old)s to %(new)s: counted from the start, it was late at once")
    else:
        text = _("Moved to the client %(new)s, whose promise is shorter: counted from the start, it was late")
    return text % said


def _nobody(asked: Asked, burned: Burned) -> str:
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


def _waiting(asked: Asked, burned: Burned) -> str:
    """It stood in a waiting status for which this clock does not pause."""
    (category, name), seconds = max(burned.statuses.items(), key=lambda pair: pair[1], default=(("", ""), 0))
    if category not in {one.value for one in WAITING} or seconds < MUCH * burned.total or not seconds:
        return ""
    said = {"time": duration(seconds), "status": name or str(Category(category).label)}
    if not asked.is_ours:
        return _("Stood %(time)s in “%(status)s”") % said
    return _("Stood %(time)s in “%(status)s”, for which this clock does not pause") % said


def _handed_over(asked: Asked, burned: Burned) -> str:
    """Nobody had it for long."""
    longest = max(burned.agents.values(), default=0)
    if burned.hand_overs < MANY or longest > 0.6 * burned.total:
        return ""
    teams = [name for name, _n in burned.teams.most_common(2) if name]
    said = {"n": burned.hand_overs, "time": duration(burned.total), "teams": _(" and ").join(teams)}
    if len(teams) == 2:
        return _("%(n)d hand-overs between %(teams)s in %(time)s") % said
    return _("%(n)d hand-overs in %(time)s, nobody had it for long") % said


def _somebody(asked: Asked, burned: Burned) -> str:
    """One person had it for most of the time."""
    named = [(name, seconds) for name, seconds in burned.agents.most_common() if name]
    if not named:
        return ""
    who, seconds = named[0]
    status, most = burned.of_agent[who].most_common(1)[0]
    said = {"who": who, "time": duration(seconds), "status": status, "of": duration(burned.total)}
    if asked.kind == "response":
        return _("%(who)s had it for %(time)s without an answer to the client") % said
    if status and most > 0.5 * seconds:
        return _("%(who)s had it for %(time)s, most of it in “%(status)s”") % said
    if seconds == burned.total:
        return _("%(who)s had it all the time, %(time)s") % said
    return _("%(who)s had it for %(time)s of the %(of)s that ran") % said


def _leads(burned: Burned, counted: Counter[str], key: str) -> bool:
    seconds = counted[key]
    return bool(seconds) and seconds >= MUCH * burned.total and seconds == max(counted.values())


_RULES: Sequence[Callable[[Asked, Burned], str]] = (
    _nobody, _waiting, _handed_over, _somebody,
)  # fmt: skip


def over_words(reason: Reason) -> str:
    """ "35 min over", for the badge."""
    return _("%(time)s over") % {"time": duration(reason.over)} if reason.over else _("late")
