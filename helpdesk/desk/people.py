"""People of the desk beside the people of the PSAs: who is whose agent or contact."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext as _

from helpdesk.accounts.models import User
from helpdesk.accounts.services import record_audit
from helpdesk.core.errors import Refused
from helpdesk.directory.models import Agent, Contact

PER_PAGE = 100


@dataclass(frozen=True, kw_only=True)
class Ties:
    """What a person is tied to, and who in the PSAs is still nobody here."""

    agents: list[Agent] = field(default_factory=list)
    contacts: list[Contact] = field(default_factory=list)
    free_agents: list[Agent] = field(default_factory=list)


def people(*, text: str = "", kind: str = "") -> QuerySet[User]:
    """Everybody, with their agents; staff first. `kind` is staff, clients or off."""
    found = User.objects.prefetch_related(
        Prefetch("agents", Agent.objects.select_related("psa_account").defer("raw").order_by("psa_account__name")),
        Prefetch("contacts", Contact.objects.select_related("psa_account", "client").defer("raw", "client__raw")),
    )
    if kind == "off":
        found = found.filter(is_active=False)
    elif kind == "clients":
        found = found.filter(is_active=True, role="client")
    else:
        found = found.filter(is_active=True).exclude(role="client")
    if text:
        found = found.filter(name__icontains=text) | found.filter(email__icontains=text)
    return found.order_by("name", "pk")


def person_of(pk: int) -> User | None:
    return User.objects.filter(pk=pk).first()


def ties_of(person: User) -> Ties:
    free = Agent.objects.filter(user=None, is_active=True).select_related("psa_account").defer("raw")
    return Ties(
        agents=list(person.agents.select_related("psa_account").defer("raw")),
        contacts=list(person.contacts.select_related("psa_account", "client").defer("raw", "client__raw")),
        free_agents=list(free.order_by("psa_account__name", "name")[:300]) if person.is_desk else [],
    )


@transaction.atomic
def tie_agent(*, person: User, agent_id: int, by: User, now: datetime, request_id: str = "") -> Agent:
    """Say by hand that this agent of a PSA is this person. One agent an account."""
    agent = Agent.objects.select_for_update().select_related("psa_account").filter(pk=agent_id).first()
    if agent is None:
        raise Refused({"agent": _("That agent is no longer there.")})
    if not person.is_desk:
        raise Refused({"agent": _("A client's person cannot be an agent.")})
    if agent.user_id == person.pk:
        return agent
    if agent.user_id:
        raise Refused({"agent": _("That agent belongs to somebody else: untie it there first.")})
    if person.agents.filter(psa_account=agent.psa_account_id).exists():
        raise Refused({"agent": _("%s has an agent there already: untie that one first.") % person})
    agent.user = person
    agent.save(update_fields=["user"])
    record_audit(
        user=by, verb="person.tie", subject=f"person:{person.pk}", detail={"agent": agent.pk, "name": agent.name},
        now=now, request_id=request_id,
    )  # fmt: skip
    return agent


@transaction.atomic
def untie_agent(*, person: User, agent_id: int, by: User, now: datetime, request_id: str = "") -> None:
    if Agent.objects.filter(pk=agent_id, user=person).update(user=None):
        record_audit(
            user=by, verb="person.untie", subject=f"person:{person.pk}", detail={"agent": agent_id}, now=now,
            request_id=request_id,
        )  # fmt: skip


@transaction.atomic
def untie_all(*, person: User) -> None:
    """After a change between staff and client, old ties would open the wrong tickets."""
    Agent.objects.filter(user=person).update(user=None)
    Contact.objects.filter(user=person).update(user=None)
