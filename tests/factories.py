"""Rows for tests: plain functions with overrides. `make_ticket(priority=...)` makes whatever it still needs."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from helpdesk.actions.models import Action, Outcome, TimeEntry
from helpdesk.core.formatting import FOREVER
from helpdesk.directory.models import Agent, Client, Contact, Contract, Organisation, PsaAccount, Site, Team
from helpdesk.sla.models import Calendar, Policy, Target
from helpdesk.tickets.choices import FINISHED, WAITING, Category, Rank, SlaClock, TypeKind
from helpdesk.tickets.models import (
    Priority,
    RoutingRule,
    SavedView,
    Status,
    Ticket,
    TicketCategory,
    TicketClock,
    TicketType,
)

NOW = datetime(2026, 11, 17, 14, 22, tzinfo=UTC)
"""A Tuesday afternoon: what tests call now unless they say otherwise."""

_numbers = itertools.count(1001)


def _next() -> str:
    return str(next(_numbers))


def make_organisation(**values: Any) -> Organisation:
    return Organisation.objects.create(**{"name": "Harbour IT", **values})


def make_account(name: str = "halo", **values: Any) -> PsaAccount:
    """The account of this name, made when it is not there yet (overrides then count)."""
    found = PsaAccount.objects.filter(name=name).first()
    if found:
        return found
    given = {
        "kind": "halopsa",
        "title": name.title(),
        "mark": "halo",
        "colour": "teal",
        "url": f"https://{name}.psa.test",
        "last_pull_at": NOW - timedelta(seconds=8),
        "backfill_done_at": NOW - timedelta(days=30),
        **values,
    }
    return PsaAccount.objects.create(name=name, **given)


def _in_account(values: dict[str, Any]) -> dict[str, Any]:
    """An account for the row, and a remote id unless one is given (None = the PSA has not answered)."""
    values.setdefault("psa_account", None)
    values["psa_account"] = values["psa_account"] or make_account()
    values.setdefault("remote_id", _next())
    return values


def make_client(name: str = "Northwind Dental", **values: Any) -> Client:
    return Client.objects.create(name=name, **_in_account(values))


def make_site(client: Client | None = None, name: str = "Park Road", **values: Any) -> Site:
    client = client or make_client(psa_account=values.get("psa_account"))
    return Site.objects.create(client=client, name=name, **_in_account({"psa_account": client.psa_account, **values}))


def make_contact(client: Client | None = None, **values: Any) -> Contact:
    client = client or make_client(psa_account=values.get("psa_account"))
    given = {"first_name": "Aoife", "last_name": "Brennan", "email": f"contact{_next()}@client.test", **values}
    return Contact.objects.create(client=client, **_in_account({"psa_account": client.psa_account, **given}))


def make_team(name: str = "Service desk", **values: Any) -> Team:
    return Team.objects.create(name=name, **_in_account(values))


def make_agent(name: str = "Priya Nair", *, teams: list[Team] | None = None, **values: Any) -> Agent:
    agent = Agent.objects.create(name=name, **_in_account({"email": f"agent{_next()}@desk.test", **values}))
    if teams:
        agent.teams.set(teams)
    return agent


def make_contract(client: Client | None = None, name: str = "Managed Silver", **values: Any) -> Contract:
    client = client or make_client(psa_account=values.get("psa_account"))
    return Contract.objects.create(
        client=client, name=name, **_in_account({"psa_account": client.psa_account, **values})
    )


def make_calendar(name: str = "Office hours", **values: Any) -> Calendar:
    return Calendar.objects.create(name=name, **_in_account(values))


def make_policy(name: str = "Standard", **values: Any) -> Policy:
    return Policy.objects.create(name=name, **_in_account(values))


def make_target(policy: Policy | None = None, priority: Priority | None = None, **values: Any) -> Target:
    policy = policy or make_policy()
    priority = priority or make_priority(psa_account=policy.psa_account)
    given = {"response_seconds": 3600, "resolution_seconds": 4 * 3600, "rank": priority.rank, **values}
    return Target.objects.create(policy=policy, priority=priority.remote_id, **given)


def make_status(category: str = Category.OPEN, **values: Any) -> Status:
    """A status of this category; its clock runs, pauses or stops as the category says."""
    clock = SlaClock.STOPPED if category in FINISHED else SlaClock.PAUSED if category in WAITING else SlaClock.RUNNING
    given = {"name": str(Category(category).label), "sla_clock": clock, **values}
    return Status.objects.create(category=category, **_in_account(given))


def make_priority(rank: int = Rank.MEDIUM, **values: Any) -> Priority:
    return Priority.objects.create(rank=rank, **_in_account({"name": str(Rank(rank).label), **values}))


def make_ticket_type(name: str = "Incident", **values: Any) -> TicketType:
    return TicketType.objects.create(name=name, **_in_account({"kind": TypeKind.INCIDENT, **values}))


def make_category(value: str = "Network", **values: Any) -> TicketCategory:
    return TicketCategory.objects.create(
        **_in_account({"value": value, "name": value.rsplit(">", 1)[-1], "level": 1, **values})
    )


def make_rule(team: Team | None = None, **values: Any) -> RoutingRule:
    """A routing rule at the end of the account's list; without conditions it fits every ticket."""
    account = values.pop("psa_account", None) or (team.psa_account if team else make_account())
    team = team or (None if "team" in values else make_team(psa_account=account))
    position = RoutingRule.objects.filter(psa_account=account).count() + 1
    return RoutingRule.objects.create(**{"psa_account": account, "position": position, "team": team, **values})


def make_ticket(subject: str = "X-ray PC 2 cannot print since the Windows update", **values: Any) -> Ticket:
    """A ticket with every column that services keep filled as they would fill it.

    `status`, `priority` and `client` are found or made in the ticket's account; `remote_id=None` makes one the PSA does
    not know yet.
    """
    rows = [values.get(n) for n in ("client", "status", "priority", "contact", "agent", "team") if values.get(n)]
    values["psa_account"] = values.get("psa_account") or (rows[0].psa_account if rows else None)
    values = _in_account(values)
    account = values["psa_account"]
    contact = values.get("contact")
    if "client" not in values:
        values["client"] = contact.client if contact else make_client(psa_account=account)
    status = values["status"] = values.get("status") or _known(Status, account, category=Category.OPEN)
    priority = values["priority"] = values.get("priority") or _known(Priority, account, rank=Rank.MEDIUM)
    is_open = status.category not in FINISHED
    opened_at = values.get("opened_at") or NOW - timedelta(hours=2)
    given = {
        "number": values["remote_id"] or "",
        "opened_at": opened_at,
        "changed_at": opened_at,
        "last_activity_at": opened_at,
        "status_category": status.category,
        "rank": priority.rank,
        "is_open": is_open,
        "next_clock": "resolution",
        "clock_state": "running" if is_open else "met",
        "next_due_at": NOW + timedelta(hours=3) if is_open else FOREVER,
        "next_at_risk_at": NOW + timedelta(hours=2) if is_open else None,
        "clock_seconds": None if is_open else 720,
        "finished_at": None if is_open else NOW,
    }
    return Ticket.objects.create(subject=subject, **{**given, **values})


def _known(model: type[Status] | type[Priority], account: PsaAccount, **wanted: Any) -> Any:
    found = model.objects.filter(psa_account=account, **wanted).first()
    if found:
        return found
    return (
        make_status(psa_account=account, **wanted) if model is Status else make_priority(psa_account=account, **wanted)
    )


def make_clock(ticket: Ticket | None = None, kind: str = "resolution", **values: Any) -> TicketClock:
    ticket = ticket or make_ticket()
    given = {
        "state": "running",
        "target_seconds": 4 * 3600,
        "started_at": ticket.opened_at,
        "due_at": NOW + timedelta(hours=3),
        "at_risk_at": NOW + timedelta(hours=2),
        **values,
    }
    return TicketClock.objects.create(ticket=ticket, kind=kind, **given)


def make_outcome(name: str = "Put on hold", **values: Any) -> Outcome:
    """Hidden from the client unless told otherwise, as the PSA's are that say nothing."""
    return Outcome.objects.create(**_in_account({"name": name, "label": name, **values}))


def make_action(ticket: Ticket | None = None, body: str = "Printer driver rolled back.", **values: Any) -> Action:
    """A public note unless told otherwise."""
    ticket = ticket or make_ticket()
    given = {"kind": "note", "is_internal": False, "occurred_at": NOW, **values}
    given.setdefault("remote_id", _next())
    return Action.objects.create(ticket=ticket, body=body, **given)


def make_time_entry(ticket: Ticket | None = None, seconds: int = 900, **values: Any) -> TimeEntry:
    ticket = ticket or make_ticket()
    given = {"remote_id": _next(), "started_at": NOW - timedelta(seconds=seconds), "ended_at": NOW, **values}
    return TimeEntry.objects.create(ticket=ticket, seconds=seconds, **given)


def make_view(name: str = "Servers and network", query: str = "q=server", **values: Any) -> SavedView:
    return SavedView.objects.create(name=name, query=query, **values)
