"""People of the PSAs who have no sign-in here, as the persons they are; and who leads which team."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from helpdesk.accounts.choices import Role
from helpdesk.accounts.models import User
from helpdesk.accounts.services import record_audit
from helpdesk.core.errors import Refused
from helpdesk.directory import persons
from helpdesk.directory.models import Agent, PsaAccount, Team
from helpdesk.directory.persons import Person

PER_PAGE = 50


@dataclass(frozen=True, kw_only=True)
class Line:
    """One person, and their agents with the account of each."""

    person: Person
    agents: Sequence[Agent] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class TeamLine:
    """A team of one name in several PSAs is one line; `key` is its name."""

    key: str
    accounts: Sequence[PsaAccount]
    lead: User | None


def unsigned(text: str = "") -> list[Person]:
    """Everybody of the PSAs without a user, by name."""
    found = persons.people(Agent.objects.filter(is_active=True, user=None))
    wanted = text.lower()
    return [one for one in found if wanted in one.name.lower() or wanted in one.email.lower()]


def lines_of(people: Sequence[Person]) -> list[Line]:
    """One query, whatever their number."""
    keys = [pk for one in people for pk in one.agents]
    rows = Agent.objects.select_related("psa_account").defer("raw", "psa_account__capabilities").in_bulk(keys)
    return [Line(person=one, agents=[rows[pk] for pk in one.agents if pk in rows]) for one in people]


@transaction.atomic
def join(*, agents: Sequence[int], by: User, now: datetime, request_id: str = "") -> Person:
    """Say by hand that these agents are one human, with all they are joined with already. Raises Refused."""
    found = persons.persons_of(list(agents), Agent.objects.filter(is_active=True, user=None))
    if len(found) < 2 or len({one.key for one in found.values()}) < 2:
        raise Refused({"agent": _("Choose somebody else to join them with.")})
    everybody = {one.key: one for one in found.values()}.values()
    rows = list(Agent.objects.select_for_update().filter(pk__in=[pk for one in everybody for pk in one.agents]))
    twice = _account_twice(rows)
    if twice is not None:
        raise Refused({"agent": _("Both have an agent in %(psa)s: they are two people there.") % {"psa": twice}})
    word = f"a{min(row.pk for row in rows)}"
    Agent.objects.filter(pk__in=[row.pk for row in rows]).update(joined_as=word)
    _record(by, "agents.join", rows, now, request_id)
    joined = persons.person_of(word)
    assert joined is not None  # they were just read
    return joined


def _account_twice(rows: Sequence[Agent]) -> PsaAccount | None:
    seen: set[int] = set()
    for row in rows:
        if row.psa_account_id in seen:
            return PsaAccount.objects.get(pk=row.psa_account_id)
        seen.add(row.psa_account_id)
    return None


@transaction.atomic
def separate(*, agent_id: int, by: User, now: datetime, request_id: str = "") -> None:
    """This agent is somebody else, whatever the e-mail says."""
    row = _locked(agent_id)
    row.joined_as = f"a{row.pk}"
    # The word may name a person that others are joined as: they keep one of their own.
    rest = Agent.objects.filter(joined_as=row.joined_as).exclude(pk=row.pk).order_by("pk")
    if first := rest.first():
        rest.update(joined_as=f"a{first.pk}")
    row.save(update_fields=["joined_as"])
    _record(by, "agents.separate", [row], now, request_id)


@transaction.atomic
def by_email(*, agent_id: int, by: User, now: datetime, request_id: str = "") -> None:
    """Nobody says anything by hand any more: the e-mail tells."""
    row = _locked(agent_id)
    row.joined_as = ""
    row.save(update_fields=["joined_as"])
    _record(by, "agents.by_email", [row], now, request_id)


def _locked(agent_id: int) -> Agent:
    row = Agent.objects.select_for_update().filter(pk=agent_id, user=None).first()
    if row is None:
        raise Refused({"agent": _("That agent is no longer there, or has a sign-in now.")})
    return row


def _record(by: User, verb: str, rows: Sequence[Agent], now: datetime, request_id: str) -> None:
    detail = {"agents": [row.pk for row in rows], "names": sorted({row.name for row in rows})}
    record_audit(user=by, verb=verb, subject=f"agent:{rows[0].pk}", detail=detail, now=now, request_id=request_id)


# ---- teams ----------------------------------------------------------------------------------------------------------


def teams() -> list[TeamLine]:
    rows = Team.objects.filter(is_active=True).select_related("psa_account", "lead").defer("raw")
    found: dict[str, list[Team]] = {}
    for row in rows:
        found.setdefault(row.name.lower(), []).append(row)
    return [
        TeamLine(
            key=same[0].name,
            accounts=[row.psa_account for row in same if row.psa_account],
            lead=next((row.lead for row in same if row.lead), None),
        )
        for _name, same in sorted(found.items())
    ]


def leaders() -> list[User]:
    """Who may lead a team: everybody who works here."""
    return list(User.objects.filter(is_active=True).exclude(role=Role.CLIENT).order_by("name", "pk"))


@transaction.atomic
def set_lead(*, team: str, lead: User | None, by: User, now: datetime, request_id: str = "") -> None:
    """The team of this name, in every PSA that has it."""
    rows = list(Team.objects.filter(name__iexact=team, is_active=True))
    if not rows:
        raise Refused({"team": _("That team is no longer there.")})
    if lead is not None and not (lead.is_active and lead.is_desk):
        raise Refused({"lead": _("A lead has to work here.")})
    Team.objects.filter(pk__in=[row.pk for row in rows]).update(lead=lead)
    detail = {"team": rows[0].name, "lead": str(lead) if lead else ""}
    record_audit(user=by, verb="team.lead", subject=f"team:{rows[0].pk}", detail=detail, now=now, request_id=request_id)
