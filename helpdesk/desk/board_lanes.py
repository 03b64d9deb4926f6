"""The lanes of a board: who or what each stands for, before any card is dealt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from helpdesk.desk.board_scope import Scope
from helpdesk.directory import groups, persons
from helpdesk.directory.models import Agent, Client, Team
from helpdesk.tickets import rows
from helpdesk.tickets.choices import FINISHED, Category, Rank

MOST_LANES = 20
WORKING_HOURS = 7.5
OWNER = "owner"


@dataclass
class Lane:
    """`target` is what a drop here asks for, in the words of `moves`; empty = nothing can be dropped."""

    key: str
    title: str
    values: list[Any]
    target: str = ""
    shape: str = ""
    shape_key: str = ""
    user_id: int | None = None
    is_machine: bool = False
    """An agent whom nobody could be: shown only while it has open tickets."""
    hours: float | None = None
    accounts: set[int] = field(default_factory=set)
    open: int = 0
    late: int = 0
    risky: int = 0
    booked_seconds: int = 0
    cards: list[rows.CardFacts] = field(default_factory=list)
    more: str = ""
    digest: str = ""
    html: SafeString = field(default_factory=SafeString)

    @property
    def booked_hours(self) -> float:
        return round(self.booked_seconds / 900) / 4

    @property
    def booked(self) -> str:
        return f"{self.booked_hours:g}"

    @property
    def hours_text(self) -> str:
        return f"{self.hours:g}"

    @property
    def percent(self) -> int:
        return min(100, round(100 * self.booked_hours / self.hours)) if self.hours else 0

    @property
    def is_over(self) -> bool:
        return bool(self.hours) and self.booked_hours > (self.hours or 0)

    @property
    def short(self) -> str:
        return self.title.split(" ")[0] if self.shape == "avatar" else self.title


def people_lanes(scope: Scope, tallies: Mapping[Any, Any]) -> list[Lane]:
    """Nobody first; then a lane per person, with all agents of one person."""
    owner = Lane(key=OWNER, title=_("Needs an owner"), values=[None], target="none", shape="inbox")
    agents = Agent.objects.filter(is_active=True)
    if scope.accounts:
        agents = agents.filter(psa_account__in=scope.accounts)
    in_teams: set[int] | None = None
    if scope.teams:
        members = Agent.teams.through.objects.filter(team__in=scope.teams).values_list("agent_id", flat=True)
        in_teams = set(members)
    lanes = []
    for person in persons.people(agents):
        if in_teams is not None and not in_teams & set(person.agents):
            continue
        hours = person.preferences.get("working_hours", WORKING_HOURS)
        lanes.append(
            Lane(
                key=person.key,
                title=person.name,
                values=list(person.agents),
                target=person.key,
                shape="avatar",
                user_id=person.user_id,
                is_machine=not person.user_id and not person.email,
                hours=hours if isinstance(hours, int | float) and 0 < hours <= 24 else WORKING_HOURS,
                accounts=person.accounts,
            )
        )
    return [owner, *lanes]


def team_lanes(scope: Scope, tallies: Mapping[Any, Any]) -> list[Lane]:
    """A team of one name in several PSAs is one lane."""
    teams = Team.objects.filter(is_active=True)
    if scope.teams:
        teams = teams.filter(pk__in=scope.teams)
    lanes: dict[str, Lane] = {}
    for pk, name, account_id in teams.values_list("pk", "name", "psa_account_id"):
        lane = lanes.setdefault(name.lower(), Lane(key=f"t{pk}", title=name, values=[], target=f"t{pk}", shape="users"))
        lane.values.append(pk)
        lane.accounts.add(account_id)
    return [Lane(key="t0", title=_("No team"), values=[None], target="none", shape="inbox"), *lanes.values()]


def status_lanes(scope: Scope, tallies: Mapping[Any, Any]) -> list[Lane]:
    return [
        Lane(
            key=f"c-{c.value}", title=str(c.label), values=[c.value], target=c.value, shape="status", shape_key=c.value
        )
        for c in Category
        if c not in FINISHED or c == Category.RESOLVED
    ]


def priority_lanes(scope: Scope, tallies: Mapping[Any, Any]) -> list[Lane]:
    return [
        Lane(
            key=f"r{r.value}",
            title=str(r.label),
            values=[r.value],
            target=str(r.value),
            shape="prio",
            shape_key=str(r.value),
        )
        for r in Rank
    ]


def client_lanes(scope: Scope, tallies: Mapping[Any, Any]) -> list[Lane]:
    """The clients with most open tickets. A ticket does not change its client by a drop."""
    counts = {v: tally[0] for v, tally in tallies.items() if v is not None}
    # Linked ones count together: three times as many as are shown leave room for that.
    busiest = sorted(counts, key=lambda v: -counts[v])[: 3 * MOST_LANES]
    rows = Client.objects.filter(pk__in=busiest).order_by("pk").values_list("pk", "name", "group")
    found = groups.first_of_each(rows)
    found.sort(key=lambda one: -sum(counts[v] for v in one[2]))
    return [Lane(key=f"k{pk}", title=name, values=kin, shape="building-2") for pk, name, kin in found[:MOST_LANES]]


LANES: Mapping[str, Any] = {
    "agent": people_lanes,
    "team": team_lanes,
    "status": status_lanes,
    "priority": priority_lanes,
    "client": client_lanes,
}
