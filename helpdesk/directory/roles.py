"""In which role an agent takes a ticket, where the PSA wants to be told: owner and role go together there."""

from __future__ import annotations

from dataclasses import dataclass

from helpdesk.directory.models import Agent, Team

FLAG = "agent_roles"
"""The capability of an account whose PSA has such roles."""


@dataclass(frozen=True, kw_only=True)
class Role:
    """`key` is the PSA's own; `teams` are remote ids of the teams that it serves."""

    key: str
    name: str
    is_default: bool = False
    teams: tuple[str, ...] = ()


def roles_of(agent: Agent | None) -> list[Role]:
    """Those that an agent may take a ticket in; none while the PSA has not told (see `are_roles_known`)."""
    rows = agent.roles if agent is not None else None
    return [
        Role(
            key=str(row["key"]),
            name=str(row.get("name") or row["key"]),
            is_default=bool(row.get("is_default")),
            teams=tuple(row.get("teams") or ()),
        )
        for row in rows or ()
        if row.get("key")
    ]


def are_roles_known(agent: Agent | None) -> bool:
    return agent is not None and agent.roles is not None


def default_role(agent: Agent | None, team: Team | None) -> str:
    """The agent's default; else their only one; else the first that serves the team; else the first."""
    roles = roles_of(agent)
    chosen = [r for r in roles if r.is_default] or (roles if len(roles) == 1 else [])
    serving = [r for r in roles if team is not None and team.remote_id in r.teams]
    return next((r.key for r in (*chosen, *serving, *roles)), "")


def role_name(agent: Agent | None, key: str) -> str:
    """What people call it; the PSA's own id where nobody knows."""
    return next((r.name for r in roles_of(agent) if r.key == key), key)
