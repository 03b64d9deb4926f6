"""The desk around the tickets: organisation, people who sign in, one PSA account with its settings, clients and staff.

Ids are the generator's own, so that its records point at rows as they are.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.hashers import make_password

from connectors.halopsa import rules
from connectors.halopsa.sandbox import seeds
from connectors.sandbox.dataset import Record
from connectors.sandbox.generator import people
from helpdesk.accounts.choices import Role
from helpdesk.accounts.models import User
from helpdesk.actions.models import Macro, Outcome
from helpdesk.directory.models import Agent, Client, Contact, Contract, Organisation, PsaAccount, Site, Team
from helpdesk.sla.models import Calendar, OpenInterval, Policy, Target
from helpdesk.tickets.choices import FINISHED, WAITING, Category, Rank, SlaClock, TypeKind
from helpdesk.tickets.models import Priority, SavedView, Status, TicketCategory, TicketType
from tests.bench.store import free_numbers, store

CLIENTS = 400
TEAMS = {"Service Desk": 24, "Field": 12, "Infrastructure": 16, "Projects": 8}
PASSWORD = "bench-mark-password"
DISPATCHER, MANAGER = "dispatcher@bench.test", "manager@bench.test"
STAFF = (
    (DISPATCHER, "Dana Whitlock", Role.DISPATCHER),
    ("technician@bench.test", "Priya Nair", Role.AGENT),
    (MANAGER, "Marcus Oyelaran", Role.MANAGER),
    ("admin@bench.test", "Ada Lindqvist", Role.ADMIN),
)
CATEGORIES = {
    "New": Category.NEW, "In Progress": Category.OPEN, "Pending": Category.WAITING, "On Hold": Category.WAITING,
    "Waiting on Client": Category.WAITING_CLIENT, "Waiting on Third Party": Category.WAITING_THIRD_PARTY,
    "Resolved": Category.RESOLVED, "Closed": Category.CLOSED,
}  # fmt: skip
KINDS = {"Incident": TypeKind.INCIDENT, "Service Request": TypeKind.REQUEST, "Problem": TypeKind.PROBLEM}


@dataclass
class Desk:
    """What writing tickets needs to know of the rows around them."""

    account: PsaAccount
    contacts: list[Record]
    workers: dict[str, list[int]]
    clients: dict[int, Client]
    people: dict[int, Contact]
    agents: dict[int, Agent]
    teams: dict[str, int]
    statuses: dict[str, Status]
    priorities: dict[int, Priority]
    targets: dict[tuple[int, str], Target]
    types: dict[str, int]
    policy_id: int


def build(dice: random.Random, *, clients: int, now: datetime) -> Desk:
    """Write everything but tickets."""
    Organisation.objects.create(name="Harbour IT", colour="#0b5f6b", time_zone="Europe/London")
    account = _account(now)
    statuses, priorities, types, policy = _vocabulary(account)
    owners = people.clients(dice, clients)
    places = people.sites(dice, owners)
    contacts = people.contacts(dice, owners, places)
    _directory(account, owners, places, contacts)
    staff = list(_staff(account))
    store(staff)
    teams = {name: number for number, name in enumerate(TEAMS, start=1)}
    store(Team(pk=pk, psa_account=account, remote_id=str(pk), name=name) for name, pk in teams.items())
    workers = _shifts()
    store(
        Agent.teams.through(agent_id=agent, team_id=teams[team]) for team, agents in workers.items() for agent in agents
    )
    _users(staff)
    free_numbers(Client, Site, Contact, Contract, Team, Agent, Agent.teams.through, Status, Priority, TicketType)
    return Desk(
        account=account,
        contacts=contacts,
        workers=workers,
        clients=Client.objects.in_bulk(),
        people=Contact.objects.in_bulk(),
        agents={a.pk: a for a in staff},
        teams=teams,
        statuses={s.name: s for s in statuses},
        priorities={p.pk: p for p in priorities},
        targets={(t.policy_id, t.priority): t for t in Target.objects.all()},
        types=types,
        policy_id=policy.pk,
    )


def _account(now: datetime) -> PsaAccount:
    outcomes = {"note": "7", "reply": "2", "call": "3", "visit": "4", "time": "5", "close": "6"}
    can = rules.description(outcomes=outcomes, contracts=True, upload_bytes=20 * 1024 * 1024).to_json()
    mails = {"acknowledgement": "psa", "reply": "psa", "status": "psa"}
    return PsaAccount.objects.create(
        name="halo",
        kind="halopsa",
        title="HaloPSA",
        mark="halo",
        url="https://halo.example/halopsa",
        settings={"client_id": "bench", "tenant": "bench", "scope": "all", "outcomes": outcomes},
        client_mail=mails,
        ticket_url="https://halo.example/tickets?id={remote_id}",
        capabilities=can["capabilities"],
        required_fields=can["required_fields"],
        transition_rules=can["transition_rules"],
        last_answer_at=now,
        last_pull_at=now,
        backfill_done_at=now,
    )


def _vocabulary(account: PsaAccount) -> tuple[list[Status], list[Priority], dict[str, int], Policy]:
    def remote(doc: dict[str, Any], number: Any = None) -> dict[str, Any]:
        return {"psa_account": account, "remote_id": str(number or doc["id"]), "raw": doc}

    statuses = [
        Status(
            pk=doc["id"], **remote(doc), name=doc["name"], category=CATEGORIES[doc["name"]], colour=doc["colour"],
            sequence=doc["sequence"], sla_clock=_clock_of(CATEGORIES[doc["name"]]),
        )
        for doc in seeds.STATUSES
    ]  # fmt: skip
    store(statuses)
    priorities = [
        Priority(pk=row[0], psa_account=account, remote_id=str(row[0]), name=row[1], rank=row[0], colour=row[6])
        for row in seeds.TARGETS
    ]
    store(priorities)
    store(
        TicketType(
            pk=doc["id"], **remote(doc), name=doc["name"], kind=KINDS.get(doc["name"], TypeKind.OTHER),
            initial_status_id=doc["initial_status"], default_priority_id=doc["default_priority"],
            sequence=doc["sequence"],
        )
        for doc in seeds.TICKET_TYPES
    )  # fmt: skip
    for number, doc in enumerate(seeds.CATEGORIES, start=1):
        value = str(doc.get("value") or doc.get("category_name") or doc["id"])
        TicketCategory.objects.create(**remote(doc, f"1-{number}"), level=1, value=value, name=value)
    for doc in seeds.OUTCOMES:
        Outcome.objects.create(
            **remote(doc), name=doc["outcome"], label=doc["labellong"], sequence=doc["sequence"],
            is_hidden=doc["hidden"], hide_from_client=doc["hidefromuser"], sends_email=bool(doc["sendemail"]),
            new_status_id=doc["newstatus"] or None, must_add_note=doc["mustaddnote"], sla_hold=doc["slaholdischecked"],
            sla_release=doc["slareleaseischecked"],
        )  # fmt: skip
    calendar = Calendar.objects.create(psa_account=account, remote_id="1", name="24x7", is_always_open=True)
    for day in range(7):
        OpenInterval.objects.create(calendar=calendar, weekday=day, opens=0, closes=1440)
    policy = Policy.objects.create(psa_account=account, remote_id="1", name="Standard", calendar=calendar)
    for rank, (response, resolution) in zip(Rank.values, _promises(), strict=True):
        Target.objects.create(
            policy=policy, priority=str(rank), rank=rank, response_seconds=response, resolution_seconds=resolution
        )
    return statuses, priorities, {doc["name"]: doc["id"] for doc in seeds.TICKET_TYPES}, policy


def _promises() -> list[tuple[int, int]]:
    units = {"M": 60, "H": 3600}
    return [(int(row[2] * units[row[3]]), int(row[4] * units[row[5]])) for row in seeds.TARGETS]


def _clock_of(category: str) -> str:
    if category in FINISHED:
        return SlaClock.STOPPED
    return SlaClock.PAUSED if category in WAITING else SlaClock.RUNNING


def _directory(account: PsaAccount, owners: list[Record], places: list[Record], contacts: list[Record]) -> None:
    def of(record: Record) -> dict[str, Any]:
        return {"pk": record["id"], "psa_account": account, "remote_id": str(record["id"]), "raw": record}

    store(Client(**of(r), name=r["name"], phone=r["phone"], domain=r["domain"]) for r in owners)
    store(
        Site(**of(r), client_id=r["client_id"], name=r["name"], address=f"{r['street']}, {r['city']}") for r in places
    )
    store(
        Contact(
            **of(r), client_id=r["client_id"], site_id=r["site_id"], first_name=r["name"].partition(" ")[0],
            last_name=r["name"].partition(" ")[2], email=r["email"], phone=r["phone"], is_vip=r["vip"],
        )
        for r in contacts
    )  # fmt: skip
    store(Contract(**of(r), client_id=r["client_id"], name=r["name"]) for r in people.contracts(owners))


def _shifts() -> dict[str, list[int]]:
    """Team -> its agents, as the generator wants them: the first three are dispatcher, technician and manager."""
    numbers = iter(range(1, sum(TEAMS.values()) + 1))
    return {team: [next(numbers) for _ in range(size)] for team, size in TEAMS.items()}


def _staff(account: PsaAccount) -> Iterator[Agent]:
    names = [name for _email, name, _role in STAFF[:3]]
    names += [f"{first} {people.LAST[i % len(people.LAST)]}" for i, first in enumerate(people.FIRST * 3)]
    emails = [email for email, _name, _role in STAFF[:3]]
    for number in range(1, sum(TEAMS.values()) + 1):
        email = emails[number - 1] if number <= len(emails) else f"agent{number}@bench.test"
        yield Agent(
            pk=number, psa_account=account, remote_id=str(number), name=names[number - 1], email=email,
            raw={"id": number, "name": names[number - 1], "email": email},
        )  # fmt: skip


def _users(staff: list[Agent]) -> None:
    """Every agent signs in: a board's lane is a person."""
    password = make_password(PASSWORD)
    known = {email: (name, role) for email, name, role in STAFF}
    wanted = {a.email: known.get(a.email, (a.name, Role.AGENT)) for a in staff} | known
    User.objects.bulk_create(
        [User(email=email, name=name, role=role, password=password) for email, (name, role) in wanted.items()]
    )
    users = {u.email: u for u in User.objects.all()}
    for agent in staff:
        agent.user = users[agent.email]
    Agent.objects.bulk_update(staff, ["user"])
    for number, (name, query) in enumerate((("Servers", "q=server"), ("Critical and high", "priority=1,2"))):
        SavedView.objects.create(name=name, query=query, sequence=number)
    Macro.objects.create(name="restart first", body="Hi {{contact.first_name}}, could you restart once?", minutes=5)
