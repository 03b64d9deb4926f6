"""Escalate from a row, a card, a ticket's page or in bulk: what the dialog offers, and what became of each ticket."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from django.utils.translation import gettext as _

from helpdesk.accounts.models import User
from helpdesk.actions import escalating
from helpdesk.actions.escalating import Asked, escalate_ticket, people_to_tell
from helpdesk.core.errors import NeedsConfirmation, Refused
from helpdesk.core.formatting import FOREVER, moment
from helpdesk.core.origin import Origin
from helpdesk.desk import moves
from helpdesk.directory.models import Team
from helpdesk.tickets import rules
from helpdesk.tickets.models import Priority, Ticket
from helpdesk.tickets.what_if import due_with

FIELD = "escalate"
"""Its name among the things that can be done to many tickets."""
UP = "up"
"""One rank more urgent than each ticket is."""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """The dialog as it was filled in. `agent` and `priority` empty = as they are; `marker` is the form's own UUID."""

    reason: str = ""
    agent: str = ""
    priority: str = ""
    marker: str = ""

    def spell(self) -> dict[str, str]:
        return {"reason": self.reason, "agent": self.agent, "priority": self.priority, "marker": self.marker}

    def of(self, ticket: Ticket) -> Wish:
        """The same wish for one ticket of many: each has a marker of its own."""
        return Wish(**{**self.spell(), "marker": str(uuid.uuid5(uuid.UUID(self.marker), str(ticket.pk)))})


def read_wish(data: Mapping[str, Any]) -> Wish:
    """Too much text is cut a little behind what is refused, so that the refusal shows what was typed."""
    reason = str(data.get("reason", ""))[:20_000]
    return Wish(
        reason=reason, agent=str(data.get("agent", ""))[:20], priority=str(data.get("priority", ""))[:20],
        marker=read_marker(data),
    )  # fmt: skip


def read_marker(data: Mapping[str, Any]) -> str:
    """The form's own UUID; a new one where it is none."""
    try:
        return str(uuid.UUID(str(data.get("marker", ""))))
    except ValueError:
        return str(uuid.uuid4())


# ---- what the dialog offers -----------------------------------------------------------------------------------------


def suggested(ticket: Ticket, user: User) -> Wish:
    """To the team's lead, and one rank up: what most escalations are."""
    lead = _lead(ticket, user)
    above = escalating.next_priority(ticket, _priorities(ticket))
    return Wish(
        agent=lead, priority=f"p{above.pk}" if above is not None else "", marker=str(uuid.uuid4())
    )  # fmt: skip


def owner_options(ticket: Ticket, user: User) -> list[moves.Option]:
    lead = _lead(ticket, user)
    people = [o for o in moves.options_for(ticket, "agent") if o.value != moves.NOBODY and not o.is_current]
    first = [o for o in people if o.value == lead]
    return [*first, *(o for o in people if o.value != lead)]


def _lead(ticket: Ticket, user: User) -> str:
    """The lead of the ticket's team as a target; empty where there is none, or it is theirs already."""
    if not ticket.team_id:
        return ""
    lead = Team.objects.filter(pk=ticket.team_id).values_list("lead", flat=True).first()
    if lead is None or lead == user.pk:
        return ""
    offered = {o.value for o in moves.options_for(ticket, "agent") if not o.is_current}
    return f"u{lead}" if f"u{lead}" in offered else ""


def _priorities(ticket: Ticket) -> list[Priority]:
    return rules.priority_choices(ticket.psa_account_id, ticket.sla_policy_id)


def priority_options(ticket: Ticket, now: datetime, zone: tzinfo) -> list[moves.Option]:
    """The more urgent ones, the next one first, each with the deadline that it would give."""
    above = sorted((p for p in _priorities(ticket) if p.rank < ticket.rank), key=lambda p: -p.rank)
    due = due_with(ticket, above, now) if above else {}
    return [
        moves.Option(value=f"p{p.pk}", label=p.name, key=str(p.rank), note=_deadline(due[p.pk], now, zone))
        for p in above
    ]


def _deadline(due: datetime, now: datetime, zone: tzinfo) -> str:
    if due >= FOREVER:
        return ""
    words = _("was due %(when)s") if due < now else _("due %(when)s")
    return words % {"when": moment(due, now, zone)}


def told_words(tickets: Sequence[Ticket], user: User) -> str:
    """Who will be told, by name; empty when nobody leads its team and nobody is a manager."""
    people = dict.fromkeys(str(one) for ticket in tickets for one in people_to_tell(ticket, but=user))
    return ", ".join(people)


# ---- the act --------------------------------------------------------------------------------------------------------


def escalate(
    *, ticket: Ticket, wish: Wish, user: User, now: datetime, is_confirmed: bool = False, rank: int = 0
) -> tuple[moves.Result, Mapping[str, str]]:
    """Escalate one ticket and say what became of it, with the reasons against it by field."""
    try:
        asked = Asked(
            reason=wish.reason,
            agent=moves.resolve(ticket, "agent", wish.agent) if wish.agent else None,
            priority=_priority(ticket, wish.priority),
            marker=wish.marker or None,
            is_confirmed=is_confirmed,
        )
        made = escalate_ticket(ticket=ticket, asked=asked, user=user, origin=Origin.desk(user), now=now, rank=rank)
    except Refused as refusal:
        return moves.Result(ticket=ticket, state="refused", text=" ".join(refusal.fields.values())), refusal.fields
    except NeedsConfirmation as warning:
        return moves.Result(ticket=ticket, state="warned", text=" ".join(warning.warnings)), {}
    events = list(made.ticket.events.made_by(user.pk, made.at).values_list("pk", flat=True))
    return moves.Result(ticket=made.ticket, state="done", text=_words(made.ticket, made.told), event_ids=events), {}


def _priority(ticket: Ticket, value: str) -> Priority | None:
    if not value:
        return None
    if value == UP:
        return escalating.next_priority(ticket, _priorities(ticket))
    try:
        found: Priority = moves.resolve(ticket, "priority", value)
    except moves.Ask as ask:
        found = ask.options[0]
    return found


def _words(ticket: Ticket, told: str) -> str:
    if told:
        return _("%(ticket)s is escalated, and %(who)s told") % {"ticket": ticket.label, "who": told}
    return _("%(ticket)s is escalated") % {"ticket": ticket.label}
