"""Telling people of an escalation: whom, how each of them wants to hear of it, the notice in the desk, the mail.

Nothing of it goes into a PSA, and none of it to a client.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models.functions import Lower

from helpdesk.accounts.choices import Role
from helpdesk.accounts.models import User
from helpdesk.actions import mails, notices, wishes
from helpdesk.actions.choices import Trigger
from helpdesk.actions.models import Escalation, Notice
from helpdesk.actions.steps import WHOLE
from helpdesk.directory.models import Contact, Team
from helpdesk.tickets.models import Ticket

LEAD, MANAGEMENT = 2, 3
"""Levels from which the lead, and management, are told."""


@dataclass(frozen=True, kw_only=True)
class Staff:
    """Who leads which team, and who manages: read once for many tickets."""

    managers: Sequence[User] = ()
    leads: Mapping[int, User] = field(default_factory=dict)

    @classmethod
    def of(cls, tickets: Iterable[Ticket]) -> Staff:
        """Two queries, however many tickets."""
        teams = Team.objects.filter(pk__in={one.team_id for one in tickets if one.team_id}, lead__isnull=False)
        leads = {team.pk: team.lead for team in teams.select_related("lead").defer("raw") if _is_here(team.lead)}
        managers = User.objects.filter(is_active=True, role=Role.MANAGER)
        return cls(managers=list(managers), leads={pk: lead for pk, lead in leads.items() if lead is not None})

    def lead_of(self, ticket: Ticket) -> list[User]:
        """The lead of its team; nobody where it has none."""
        found = self.leads.get(ticket.team_id) if ticket.team_id else None
        return [found] if found is not None else []

    def owner_of(self, ticket: Ticket) -> list[User]:
        """Who it is assigned to, else as `lead_of`."""
        person = ticket.agent.user if ticket.agent is not None else None
        return [person] if person is not None and _is_here(person) else self.lead_of(ticket)

    def to_tell(self, ticket: Ticket, trigger: str, level: int) -> list[User]:
        """The owner; of level 2 and of what nobody owns the lead; of level 3 management.

        Where neither is there managers are told, since somebody is to know of it; but not of a deadline still ahead:
        a manager who hears of every clock of the desk soon reads none.
        """
        if trigger == Trigger.BREACH and level >= MANAGEMENT:
            return list(self.managers)
        is_for_lead = trigger == Trigger.UNASSIGNED or (trigger == Trigger.BREACH and level == LEAD)
        found = self.lead_of(ticket) if is_for_lead else self.owner_of(ticket)
        if found or (trigger == Trigger.THRESHOLD and level < WHOLE):
            return found
        return list(self.managers)


def _is_here(person: User | None) -> bool:
    return person is not None and person.is_active and person.is_desk


def tell(*, made: Escalation, people: Sequence[User], now: datetime) -> list[User]:
    """Tell these people, each in the way they want; who heard of it. The mail is this desk's own."""
    key = wishes.key_of(made.trigger, made.level)
    desk, mail = wishes.in_desk(people, key), wishes.by_mail(people, key)
    Notice.objects.bulk_create(Notice(user=one, escalation=made, created_at=now) for one in desk)
    if desk:
        notices.tell(*(one.pk for one in desk))
    addresses = staff_addresses(made.ticket, mail)
    if addresses:
        mails.queue_escalation(made=made, to=addresses, now=now)
    return [one for one in people if one in desk or one in mail]


def names(people: Iterable[User]) -> str:
    """As `Escalation.told` keeps them."""
    return ", ".join(str(one) for one in people)[:500]


def staff_addresses(ticket: Ticket, people: Collection[User]) -> list[str]:
    """Where to mail them. An address that a contact of the ticket's client has, too, is the client's: left out."""
    wanted = {one.email.lower() for one in people if one.email}
    if not wanted:
        return []
    theirs = Contact.objects.filter(client=ticket.client_id).annotate(mail=Lower("email")).filter(mail__in=wanted)
    outside = set(theirs.values_list("mail", flat=True))
    if ticket.contact is not None:
        outside.add(ticket.contact.email.lower())
    return sorted(wanted - outside)
