"""A macro on one ticket: what it would say and do in that ticket's PSA, why it cannot, and doing it.

One macro speaks the canonical words; here they become the ticket's own status, agent and time. What its PSA does not
take is a reason not to begin, found out before anything is sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from helpdesk.accounts.models import User
from helpdesk.actions.asked import NewAction, no_author, no_time
from helpdesk.actions.choices import Assigns, Kind
from helpdesk.actions.models import Action, Macro
from helpdesk.actions.resolving import add_with_summary, mail_to_contact
from helpdesk.core.errors import Refused
from helpdesk.core.formatting import hours_minutes
from helpdesk.core.origin import Origin
from helpdesk.desk import moves
from helpdesk.desk.ticket_page import statuses_of
from helpdesk.directory.models import Agent
from helpdesk.directory.services import agent_of
from helpdesk.tickets import rules
from helpdesk.tickets.choices import FINISHED, Category
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.rules import StatusChoice

_VARIABLE = re.compile(r"\{\{\s*([a-z_]{1,20})\.([a-z_]{1,20})\s*\}\}")
MOST = 20
"""Macros offered at once."""


def tab_words() -> dict[str, str]:
    return {
        Kind.REPLY: _("Reply"),
        Kind.NOTE: _("Internal note"),
        Kind.CALL: _("Call"),
        Kind.VISIT: _("Visit"),
    }


# ---- words ----------------------------------------------------------------------------------------------------------


def variables() -> list[tuple[str, str]]:
    """What may stand in a macro, and what it becomes."""
    words = {
        "contact.first_name": _("First name of the contact"),
        "contact.name": _("Name of the contact"),
        "contact.email": _("Their e-mail"),
        "client.name": _("The client"),
        "ticket.number": _("Number of the ticket"),
        "ticket.subject": _("Its subject"),
        "agent.name": _("Your name"),
        "agent.first_name": _("Your first name"),
    }
    return [(f"{{{{{name}}}}}", about) for name, about in words.items()]


def unknown_variables(text: str) -> list[str]:
    known = {word for word, _about in variables()}
    return [m[0] for m in _VARIABLE.finditer(text) if f"{{{{{m[1]}.{m[2]}}}}}" not in known]


def fill(text: str, ticket: Ticket, user: User) -> str:
    """`{{contact.first_name}}` and its kin, out of a fixed list; what is unknown stays as it is written."""
    contact = ticket.contact
    known = {
        ("contact", "first_name"): (contact.first_name if contact else "") or _("there"),
        ("contact", "name"): str(contact or ""),
        ("contact", "email"): contact.email if contact else "",
        ("client", "name"): str(ticket.client or ""),
        ("ticket", "number"): ticket.number or "",
        ("ticket", "subject"): ticket.subject,
        ("agent", "name"): str(user),
        ("agent", "first_name"): str(user).split(" ")[0],
    }
    return _VARIABLE.sub(lambda m: known.get((m[1], m[2]), m[0]), text)


# ---- what it would do -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A macro on one ticket. `refused` says why it cannot be had there; `asks` are texts that it still needs."""

    macro: Macro
    ticket: Ticket
    text: str
    choice: StatusChoice | None = None
    agent: Agent | None = None
    assignee: str = ""
    """As the composer spells a person; empty = the owner stays."""
    refused: str = ""
    asks: Sequence[str] = ()

    @property
    def pk(self) -> int:
        return self.macro.pk

    @property
    def name(self) -> str:
        return self.macro.name

    @property
    def does(self) -> str:
        """ "reply, then Waiting Customer, to Priya Nair, 5 min"."""
        kind = str(tab_words().get(Kind(self.macro.kind), self.macro.get_kind_display())).lower()
        words = [kind]
        if self.choice is not None:
            words.append(self.choice.label)
        if self.agent is not None:
            words.append(_("to %(person)s") % {"person": self.agent.user or self.agent})
        if self.macro.minutes:
            words.append(_("%(n)d min") % {"n": self.macro.minutes})
        if "escalation_reason" in self.asks:
            words.append(_("asks why"))
        return ", ".join(words)

    @property
    def values(self) -> dict[str, Any]:
        """What it sets in the composer's form."""
        values: dict[str, Any] = {"text": self.text, "kind": self.macro.kind}
        values["visibility"] = "internal" if self.macro.is_internal else "public"
        if self.choice is not None:
            values["status"] = self.choice.status.pk
        if self.macro.minutes:
            values["time"] = hours_minutes(self.macro.minutes * 60)
        if self.assignee:
            values["assignee"] = self.assignee
        return values

    @property
    def person(self) -> str:
        """Who gets the ticket, in words."""
        return str(self.agent.user or self.agent) if self.agent is not None else ""


def macros_for(ticket: Ticket, user: User, typed: str = "") -> list[Plan]:
    """Those whose name holds the words, each as it would be here; what cannot be had comes with its reason."""
    found = Macro.objects.filter(is_active=True).select_related("assignee")
    if typed:
        found = found.filter(name__icontains=typed)
    mine = agent_of(user.pk, ticket.psa_account_id)
    return [plan(macro, ticket, user, mine=mine) for macro in found[:MOST]]


def macro_of(key: str) -> Macro | None:
    found = Macro.objects.filter(is_active=True).select_related("assignee")
    return found.filter(pk=key).first() if key.isdecimal() and len(key) < 19 else None


def plan(macro: Macro, ticket: Ticket, user: User, *, mine: Agent | None) -> Plan:
    """`mine`: who the person is in the ticket's account."""
    text = fill(macro.body, ticket, user)
    try:
        agent, assignee = _owner(macro, ticket, user, mine)
        choice = _status(macro, ticket, agent)
        _check_account(macro, ticket, mine)
    except Refused as refusal:
        return Plan(macro=macro, ticket=ticket, text=text, refused=" ".join(refusal.fields.values()))
    asks = list(choice.asks) if choice is not None else []
    if not macro.is_internal and "resolution" in asks:
        asks.remove("resolution")  # what the client is told is the resolution
    return Plan(macro=macro, ticket=ticket, text=text, choice=choice, agent=agent, assignee=assignee, asks=tuple(asks))


def _status(macro: Macro, ticket: Ticket, agent: Agent | None) -> StatusChoice | None:
    """The account's own status of the macro's category, the first that may be had; None when the ticket is there."""
    if not macro.status_category or macro.status_category == ticket.status_category:
        return None
    statuses = statuses_of(ticket.psa_account_id)
    changes = {"agent": agent} if agent is not None else None
    fitting = [s for s in statuses if s.category == macro.status_category]
    if not fitting and macro.status_category in FINISHED:
        # Some PSAs know one way to end the work, not two: the list names the status before it is chosen.
        fitting = [s for s in statuses if s.category in FINISHED]
    if not fitting:
        words = {"psa": ticket.psa_account.title, "category": Category(macro.status_category).label}
        raise Refused({"status": _("%(psa)s has no status for “%(category)s”.") % words})
    choices = [rules.choice_of(ticket, status, statuses, changes) for status in fitting]
    found = next((choice for choice in choices if not choice.why_not), None)
    if found is None:
        raise Refused({"status": choices[0].why_not})
    return found


def _owner(macro: Macro, ticket: Ticket, user: User, mine: Agent | None) -> tuple[Agent | None, str]:
    """Whom it gives the ticket to, and how a form spells them; nobody when the ticket is theirs already."""
    if macro.assigns == Assigns.STAYS:
        return None, ""
    person = user if macro.assigns == Assigns.ME else macro.assignee
    if person is None:
        raise Refused({"agent": _("The person whom it names is gone.")})
    agent = mine if person.pk == user.pk else agent_of(person.pk, ticket.psa_account_id)
    if agent is None:
        raise Refused({"agent": moves.no_agent(str(person), ticket.psa_account.title)})
    if agent.pk == ticket.agent_id:
        return None, ""
    errors = rules.judge_assignment(ticket, rules.with_role(ticket, {"agent": agent}))
    if errors:
        raise Refused(errors)
    return agent, f"u{person.pk}"


def _check_account(macro: Macro, ticket: Ticket, mine: Agent | None) -> None:
    """Whether the PSA takes the time, and words of somebody who is nobody there."""
    account = ticket.psa_account
    why = (no_time(account) if macro.minutes else "") or no_author(account, mine, with_time=bool(macro.minutes))
    if why:
        raise Refused({"seconds": why})


# ---- doing it -------------------------------------------------------------------------------------------------------


def run_macro(
    *, macro: Macro, ticket: Ticket, user: User, now: datetime, answers: Mapping[str, Any], is_confirmed: bool = False,
    rank: int = 0, marker: str | None = None,
) -> moves.Result:  # fmt: skip
    """The whole macro on one ticket as one act, and what became of it. Nothing is sent where a part cannot be had.

    `answers`: what was done, whether the client gets it, why; as `moves.move` takes them. `marker`: a UUID of this
    press on this ticket; the same one again does nothing again.
    """
    if marker and Action.objects.filter(marker=marker, ticket=ticket).exists():
        return moves.Result(ticket=ticket, state="same")
    found = plan(macro, ticket, user, mine=agent_of(user.pk, ticket.psa_account_id))
    if found.refused:
        return moves.Result(ticket=ticket, state="refused", text=found.refused)
    choice = found.choice
    if choice is not None and choice.said_before and not is_confirmed:
        return moves.Result(ticket=ticket, state="warned", text=" ".join(choice.said_before))
    status = choice.status if choice is not None else None
    is_reply = macro.kind == Kind.REPLY and not macro.is_internal
    mail = mail_to_contact(ticket) if is_reply else {}
    new = NewAction(
        kind=Kind(macro.kind),
        text=found.text,
        is_internal=macro.is_internal,
        seconds=macro.minutes * 60 if macro.minutes else None,
        status=status,
        escalation_reason=str(answers.get("reason") or "").strip() if status is not None else "",
        assignee=found.agent,
        marker=marker,
        rank=rank,
        **mail,
    )
    try:
        made = add_with_summary(
            ticket=ticket,
            new=new,
            summary=str(answers.get("resolution") or "") if status is not None and status.category in FINISHED else "",
            is_shared=bool(answers.get("is_shared")),
            origin=Origin.desk(user),
            now=now,
            user=user,
            is_confirmed=True,
            keeps_draft=True,
        )
    except Refused as refusal:
        return moves.Result(ticket=ticket, state="refused", text=" ".join(refusal.fields.values()))
    said = _("%(ticket)s: %(does)s") % {"ticket": ticket.label, "does": found.does}
    return moves.Result(ticket=made.ticket, state="done", text=said)


def asked_by(macro: Macro, account_ids: Iterable[int]) -> list[str]:
    """Texts that the macro's status wants to be told in any of these accounts, before it runs over many tickets."""
    category = macro.status_category
    asks = ["resolution"] if category in FINISHED and macro.is_internal else []
    return [*asks, *(["escalation_reason"] if rules.wants_reason(category, list(account_ids)) else [])]
