"""Which agents of several PSAs are one human.

A user of this desk is one person, with every agent that is theirs. An agent without a user is the same person as
those that somebody has joined it with, else as those with its e-mail. An address that two agents of one account share
is a mailbox and nobody's own: it joins nobody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q, QuerySet

from helpdesk.directory.models import Agent

_COLUMNS = ("pk", "name", "psa_account_id", "email", "joined_as", "user_id", "user__name", "user__preferences")


@dataclass
class Person:
    """`key` is what targets, lanes and filters call them: "u<user>", else "a<agent>" by the oldest of the agents."""

    key: str
    name: str
    user_id: int | None = None
    email: str = ""
    preferences: dict[str, Any] = field(default_factory=dict)
    agents: dict[int, int] = field(default_factory=dict)
    """agent -> its account."""

    @property
    def accounts(self) -> set[int]:
        return set(self.agents.values())


def people(agents: QuerySet[Agent]) -> list[Person]:
    """The persons behind these agents, by name. One query."""
    rows = list(agents.order_by("pk").values_list(*_COLUMNS))
    shared = _mailboxes((row[2], row[3]) for row in rows if not row[5] and not row[4])
    found: dict[str, Person] = {}
    for pk, name, account_id, email, joined_as, user_id, user_name, preferences in rows:
        identity = _identity(pk, email, joined_as, user_id, shared)
        person = found.get(identity)
        if person is None:
            key = f"u{user_id}" if user_id else f"a{pk}"
            person = found[identity] = Person(
                key=key, name=user_name or name, user_id=user_id, email=email, preferences=preferences or {}
            )
        person.agents[pk] = account_id
        person.email = person.email or email
    return sorted(found.values(), key=lambda one: (one.name.lower(), one.key))


def _identity(pk: int, email: str, joined_as: str, user_id: int | None, shared: set[str]) -> str:
    if user_id:
        return f"u{user_id}"
    if joined_as:
        return f"j{joined_as}"
    address = email.strip().lower()
    return f"e{address}" if address and address not in shared else f"a{pk}"


def _mailboxes(rows: Iterable[tuple[int, str]]) -> set[str]:
    """Addresses that several agents of one account have."""
    count = Counter((account_id, email.strip().lower()) for account_id, email in rows)
    return {email for (_account, email), times in count.items() if times > 1}


def person_of(key: str) -> Person | None:
    """The person whom a target names: "u<user>", or "a<agent>" for any agent of theirs. Active agents only."""
    if not key[1:].isdecimal() or key[:1] not in ("u", "a") or len(key) > 15:
        return None
    number, active = int(key[1:]), Agent.objects.filter(is_active=True)
    if key[0] == "u":
        return next(iter(people(active.filter(user=number))), None)
    return persons_of([number], active).get(number)


def persons_of(agent_ids: Collection[int], agents: QuerySet[Agent]) -> dict[int, Person]:
    """Agent -> the person it is, among these agents. Two queries."""
    rows = Agent.objects.filter(pk__in=agent_ids).values_list("user_id", "joined_as", "email")
    wanted = Q(pk__in=agent_ids)
    for user_id, joined_as, email in rows:
        if user_id:
            wanted |= Q(user=user_id)
        elif joined_as:
            wanted |= Q(user=None, joined_as=joined_as)
        elif email.strip():
            # Whoever has the address, the same account's others too: they tell that it is a mailbox.
            wanted |= Q(user=None, joined_as="", email__iexact=email.strip())
    return {pk: one for one in people(agents.filter(wanted)) for pk in one.agents if pk in agent_ids}


def in_account(key: str, account_id: int) -> tuple[str, Agent | None]:
    """The name of the person whom a target names, and their agent in this account; ("", None) for nobody.

    One query where the target is a user, or an agent of this very account: what nearly every press asks for.
    """
    if not key[1:].isdecimal() or key[:1] not in ("u", "a") or len(key) > 15:
        return "", None
    active = Agent.objects.filter(is_active=True).select_related("user").order_by("pk")
    rows = list(active.filter(user=int(key[1:])) if key[0] == "u" else active.filter(pk=int(key[1:])))
    if not rows:
        return "", None
    name = str(rows[0].user.name if rows[0].user else rows[0].name)
    here = next((row for row in rows if row.psa_account_id == account_id), None)
    if here is None and key[0] == "a":
        person = person_of(key)
        pk = agent_in(person, account_id) if person else None
        here = active.get(pk=pk) if pk else None
    return name, here


def agent_in(person: Person, account_id: int) -> int | None:
    """Their agent in an account; the oldest where they have several."""
    return min((pk for pk, account in person.agents.items() if account == account_id), default=None)
