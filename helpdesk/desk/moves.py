"""One change of one ticket, as a row, a card, a drop or a bulk asks for it: owner, team, status or priority.

The asker names a target that means something in every PSA (a person, a team's name, a category, a rank) or a row of the
ticket's own account; here it becomes a row of the ticket's account, or a refusal with its reason.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from helpdesk.accounts.models import User
from helpdesk.actions.resolving import is_resolving, resolve_ticket
from helpdesk.core.errors import NeedsConfirmation, Refused
from helpdesk.core.formatting import FOREVER, moment
from helpdesk.core.origin import Origin
from helpdesk.directory import persons
from helpdesk.directory.models import Agent, Team
from helpdesk.tickets import rules, services
from helpdesk.tickets.choices import Category, Rank
from helpdesk.tickets.models import Priority, Status, Ticket
from helpdesk.tickets.writing import events_of

FIELDS = ("agent", "team", "status", "priority")
NOBODY = "none"


class Ask(Exception):
    """The target stands for several rows of this PSA."""

    def __init__(self, options: Sequence[Any]) -> None:
        super().__init__("several fit")
        self.options = list(options)


@dataclass(frozen=True, kw_only=True)
class Option:
    """One line of a chooser."""

    value: str
    label: str
    note: str = ""
    blocked: str = ""
    shape: str = ""
    """prio, status or avatar: which mark stands before it."""
    key: str = ""
    is_current: bool = False


@dataclass(frozen=True, kw_only=True)
class Result:
    """What became of one ticket. `state` is done, same, refused, warned, ask (several fit) or resolve (the texts of
    `asks` come first: what was done, why it is escalated). `errors` are by field."""

    ticket: Ticket
    state: str
    text: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)
    asks: Sequence[str] = field(default_factory=tuple)
    button: str = ""
    event_ids: Sequence[int] = field(default_factory=tuple)
    options: Sequence[Option] = field(default_factory=tuple)


# ---- targets --------------------------------------------------------------------------------------------------------


def resolve(ticket: Ticket, name: str, value: str) -> Any:
    """The row of the ticket's account behind a target. Raises Refused, or Ask when several fit."""
    if value == NOBODY and name in ("agent", "team"):
        return None
    found = _RESOLVERS[name](ticket, value)
    if found is None:
        raise Refused({name: _("There is no such choice for this ticket.")})
    return found


def _agent(ticket: Ticket, value: str) -> Agent | None:
    """ "u<user>", "a<agent>": a person; their agent in the ticket's account counts."""
    person, here = persons.in_account(value, ticket.psa_account_id)
    if person and here is None:
        raise Refused({"agent": no_agent(person, ticket.psa_account.title)})
    return here


def no_agent(person: str, psa: str) -> str:
    return _("%(person)s has no agent in %(psa)s. Drop elsewhere, or join one in Settings.") % {
        "person": person.split(" ")[0],
        "psa": psa,
    }


def _team(ticket: Ticket, value: str) -> Team | None:
    """ "t<team>": that team, or the one of the same name in the ticket's account."""
    if not value[1:].isdecimal() or len(value) > 15:
        return None
    meant = Team.objects.filter(pk=int(value[1:])).first()
    if meant is None:
        return None
    here = Team.objects.filter(psa_account=ticket.psa_account_id, name__iexact=meant.name, is_active=True).first()
    if here is None:
        raise Refused(
            {"team": _("%(psa)s has no team “%(team)s”.") % {"psa": ticket.psa_account.title, "team": meant.name}}
        )
    return here


def _status(ticket: Ticket, value: str) -> Status | None:
    """ "s<status>", or a category: none fits, one fits, or a person chooses."""
    choices = rules.status_choices(ticket)
    if value[:1] == "s" and value[1:].isdecimal():
        return next((c.status for c in choices if str(c.status.pk) == value[1:]), None)
    if value not in Category.values:
        return None
    fitting = [c for c in choices if c.status.category == value]
    if not fitting:
        raise Refused(
            {
                "status": _("%(psa)s has no status for “%(category)s”.")
                % {"psa": ticket.psa_account.title, "category": Category(value).label}
            }
        )
    if ticket.status_category == value:
        return ticket.status
    allowed = [c for c in fitting if not c.why_not]
    if allowed and allowed[0].status.pk == rules.reopened_status(ticket):
        return allowed[0].status  # reopening: the type says where
    if len(allowed) > 1:
        raise Ask([c.status for c in allowed])
    return (allowed or fitting)[0].status


def _priority(ticket: Ticket, value: str) -> Priority | None:
    """ "p<priority>", or a rank."""
    choices = rules.priority_choices(ticket.psa_account_id, ticket.sla_policy_id)
    if value[:1] == "p" and value[1:].isdecimal():
        return next((c for c in choices if str(c.pk) == value[1:]), None)
    if value not in {str(r) for r in Rank.values}:
        return None
    if str(ticket.rank) == value:
        return ticket.priority
    fitting = [c for c in choices if str(c.rank) == value]
    if not fitting:
        raise Refused(
            {
                "priority": _("The SLA of this ticket has no priority “%(rank)s” in %(psa)s.")
                % {"rank": Rank(int(value)).label, "psa": ticket.psa_account.title}
            }
        )
    if len(fitting) > 1:
        raise Ask(fitting)
    return fitting[0]


_RESOLVERS: Mapping[str, Any] = {"agent": _agent, "team": _team, "status": _status, "priority": _priority}


# ---- the change -----------------------------------------------------------------------------------------------------


def move(
    *,
    ticket: Ticket,
    name: str,
    value: str,
    user: User,
    now: datetime,
    zone: tzinfo,
    is_confirmed: bool = False,
    takes_first: bool = False,
    rank: int = 0,
    resolution: str | None = None,
    is_shared: bool = False,
    reason: str | None = None,
) -> Result:
    """Change one field of one ticket and say what became of it. Never raises for what a rule or a PSA forbids.

    `resolution` is what was done, for a status that ends the work: None asks for it first, and `is_shared` sends it to
    the client. `reason` is why, for one that escalates. `takes_first` answers Ask by itself (bulk over several PSAs):
    the first status or priority in the PSA's own order.
    """
    try:
        try:
            target = resolve(ticket, name, value)
        except Ask as ask:
            if not takes_first:
                return Result(ticket=ticket, state="ask", options=[_option(name, row) for row in ask.options])
            target = ask.options[0]
        held = getattr(ticket, f"{name}_id")
        if held == (target.pk if target is not None else None):
            return Result(ticket=ticket, state="same", text=_("Nothing to change."))
        how: Any = {"origin": Origin.desk(user), "now": now, "is_confirmed": is_confirmed, "rank": rank}
        resolves = name == "status" and is_resolving(ticket, target)
        if name == "status":
            given = {"resolution": resolution, "escalation_reason": reason}
            asked = _ask_first(ticket, target, {n for n, text in given.items() if text is not None})
            if asked is not None:
                return asked
        if resolves:
            text = (resolution or "").strip()
            changed = resolve_ticket(ticket=ticket, status=target, text=text, is_shared=is_shared, user=user, **how)
        else:
            more = {"escalation_reason": reason.strip()} if name == "status" and reason and reason.strip() else {}
            changed = services.change_ticket(ticket=ticket, changes={name: target, **more}, **how)
    except Refused as refusal:
        return Result(ticket=ticket, state="refused", text=" ".join(refusal.fields.values()), errors=refusal.fields)
    except NeedsConfirmation as warning:
        return Result(ticket=ticket, state="warned", text=" ".join(warning.warnings))
    if resolves and is_shared and (resolution or "").strip():
        # The client is told: what has gone to them cannot be taken back with an undo of the status.
        return Result(ticket=changed, state="done", text=_("%s, and the client is told") % said(changed, name))
    events = events_of(changed, user.pk, now)
    return Result(ticket=changed, state="done", text=said(changed, name), event_ids=events)


def _ask_first(ticket: Ticket, status: Status, given: Collection[str]) -> Result | None:
    """What a status wants to be told before it is entered; None when nothing is open. `text` holds the warnings.

    What words cannot open is refused at once.
    """
    choice = rules.choice_of(ticket, status)
    if choice.why_not:
        raise Refused({"status": choice.why_not})
    asks = [*(["resolution"] if is_resolving(ticket, status) else []), *choice.asks]
    asks = list(dict.fromkeys(asks))
    if set(asks) <= set(given):
        return None
    return Result(ticket=ticket, state="resolve", text=" ".join(choice.said_before), asks=asks, button=choice.label)


def said(ticket: Ticket, name: str) -> str:
    """ "48207 is Priya's now"."""
    if name == "agent":
        if ticket.agent is None:
            return _("%(ticket)s has no owner now") % {"ticket": ticket.label}
        who = ticket.agent.user.name if ticket.agent.user else ticket.agent.name
        return _("%(ticket)s is %(person)s’s now") % {"ticket": ticket.label, "person": who.split(" ")[0]}
    if name == "team":
        return _("%(ticket)s is with %(team)s now") % {"ticket": ticket.label, "team": ticket.team or _("no team")}
    return _("%(ticket)s is %(word)s now") % {"ticket": ticket.label, "word": getattr(ticket, name)}


def still_due(ticket: Ticket, now: datetime, zone: tzinfo) -> str:
    """ "Still due today 16:57.", or why no deadline runs."""
    if ticket.clock_state == "breached" and ticket.next_due_at < now:
        return _("Was due %(when)s.") % {"when": moment(ticket.next_due_at, now, zone)}
    if ticket.next_due_at < FOREVER:
        return _("Due %(when)s.") % {"when": moment(ticket.next_due_at, now, zone)}
    return _("Its clock is paused.") if ticket.clock_state == "paused" else ""


def undo_address(results: Sequence[Result]) -> str:
    """Where a press takes these changes back: one address for one ticket or many."""
    moves = ",".join(f"{r.ticket.pk}:{'.'.join(map(str, r.event_ids))}" for r in results if r.event_ids)
    return f"{reverse('desk:undo')}?{urlencode({'moves': moves}, safe=':,.')}" if moves else ""


def undo_of(ticket: Ticket, user: User, now: datetime) -> str:
    """Where a press takes back what this person has just changed of this ticket; empty for nothing."""
    events = events_of(ticket, user.pk, now)
    return undo_address([Result(ticket=ticket, state="done", event_ids=events)])


def read_moves(text: str) -> list[tuple[int, list[int]]]:
    """Back from `undo_address`; what does not fit is left out."""
    found = []
    for part in text.split(",")[:500]:
        pk, _colon, events = part.partition(":")
        ids = [int(e) for e in events.split(".") if e.isdecimal() and len(e) < 19]
        if pk.isdecimal() and len(pk) < 19 and ids:
            found.append((int(pk), ids))
    return found


# ---- choosers -------------------------------------------------------------------------------------------------------


def _option(name: str, row: Any) -> Option:
    if name == "status":
        return Option(value=f"s{row.pk}", label=row.name, shape="status", key=row.category)
    if name == "priority":
        return Option(value=f"p{row.pk}", label=row.name, shape="prio", key=str(row.rank))
    return Option(value=f"{name[0]}{row.pk}", label=str(row))


def options_for(ticket: Ticket, name: str) -> list[Option]:
    """What one ticket may become, blocked ones with the reason."""
    if name == "agent":
        rows = Agent.objects.filter(psa_account=ticket.psa_account_id, is_active=True).select_related("user")
        rows = rows.only("name", "user__name")
        people = [
            Option(
                value=f"u{r.user_id}" if r.user_id else f"a{r.pk}",
                label=r.user.name if r.user else r.name,
                shape="avatar",
                is_current=r.pk == ticket.agent_id,
            )
            for r in rows
        ]
        people.sort(key=lambda o: o.label.lower())
        kept = rules.why_owned(ticket.psa_account) if ticket.agent_id is not None else ""
        return [*people, Option(value=NOBODY, label=_("Nobody"), blocked=kept, is_current=ticket.agent_id is None)]
    if name == "team":
        teams = Team.objects.filter(psa_account=ticket.psa_account_id, is_active=True)
        return [Option(value=f"t{t.pk}", label=t.name, is_current=t.pk == ticket.team_id) for t in teams]
    if name == "priority":
        return [
            Option(value=f"p{p.pk}", label=p.name, shape="prio", key=str(p.rank), is_current=p.pk == ticket.priority_id)
            for p in rules.priority_choices(ticket.psa_account_id, ticket.sla_policy_id)
        ]
    return [
        Option(
            value=f"s{c.status.pk}",
            label=c.label,
            note=note_of(ticket, c),
            blocked=c.why_not,
            shape="status",
            key=c.status.category,
            is_current=c.status.pk == ticket.status_id,
        )
        for c in rules.status_choices(ticket)
    ]


def note_of(ticket: Ticket, choice: rules.StatusChoice) -> str:
    """What a status says of itself before it is chosen: its warnings, the way it takes, what it will ask."""
    if choice.warnings:
        return " ".join(choice.warnings)
    if choice.via is not None:
        return choice.blocked
    if "escalation_reason" in choice.asks:
        return _("asks why")
    return _("asks what we did") if is_resolving(ticket, choice.status) else ""


def options_for_many(name: str, account_ids: Sequence[int]) -> list[Option]:
    """What several tickets may become, in words that hold in every PSA."""
    if name == "agent":
        people = persons.people(Agent.objects.filter(psa_account__in=account_ids, is_active=True))
        named = [Option(value=one.key, label=one.name, shape="avatar") for one in people]
        return [*named, Option(value=NOBODY, label=_("Nobody"))]
    if name == "priority":
        return [Option(value=str(r.value), label=str(r.label), shape="prio", key=str(r.value)) for r in Rank]
    if name == "team":
        teams: dict[str, Option] = {}
        for t in Team.objects.filter(psa_account__in=account_ids, is_active=True):
            teams.setdefault(t.name.lower(), Option(value=f"t{t.pk}", label=t.name))
        return list(teams.values())
    if len(set(account_ids)) == 1:
        rows = Status.objects.filter(psa_account=account_ids[0], is_active=True)
        return [_option("status", row) for row in rows]
    return [Option(value=str(c.value), label=str(c.label), shape="status", key=str(c.value)) for c in Category]
