"""Judges what our users want to submit, with the rules that the PSA account declares."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.utils.translation import gettext as _

from helpdesk.core.rules import (
    Verdict,
    judge_required,
    judge_together,
    judge_transition,
    required_fields,
    transition_rules,
)
from helpdesk.directory import roles
from helpdesk.directory.models import PsaAccount
from helpdesk.tickets import type_rules
from helpdesk.tickets.choices import Sync
from helpdesk.tickets.fields import FIELDS
from helpdesk.tickets.models import Priority, Status, Ticket, TicketType

ASKED = ("resolution", "escalation_reason")
"""Texts that a status may still need and a person can give on the way."""


@dataclass(frozen=True, kw_only=True)
class StatusChoice:
    """A status on offer. `blocked` says why it is not to be had; `missing` are fields that would open it.

    `asks` are those of them that a person can fill in on the way. `via` is a status to pass through, in one act.
    """

    status: Status
    blocked: str = ""
    missing: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    via: Status | None = None

    @property
    def asks(self) -> tuple[str, ...]:
        return self.missing if set(self.missing) <= set(ASKED) else ()

    @property
    def said_before(self) -> tuple[str, ...]:
        """What a person confirms by going on: the way around a rule, and warnings."""
        return (*([f"{self.blocked}."] if self.via is not None else []), *self.warnings)

    @property
    def why_not(self) -> str:
        """Why it cannot be had, not even with the texts that may be given on the way."""
        return "" if self.asks or self.via else self.blocked

    @property
    def label(self) -> str:
        """ "Resolved, then Closed" where the way leads through another status."""
        if self.via is None:
            return self.status.name
        return _("%(first)s, then %(last)s") % {"first": self.via.name, "last": self.status.name}


def filled_fields(ticket: Ticket, changes: Mapping[str, Any] | None = None) -> set[str]:
    """Names of the fields that hold a value, with `changes` applied."""
    held = {name for name, field in FIELDS.items() if getattr(ticket, field.attname)}
    for name, value in (changes or {}).items():
        held.discard(name)
        if value not in (None, ""):
            held.add(name)
    return held


def judge_status(ticket: Ticket, status: Status, changes: Mapping[str, Any] | None = None) -> Verdict:
    """May this ticket go to this status, with these other changes made at the same time?"""
    if status.pk == ticket.status_id:
        return Verdict()
    if status.category == ticket.status_category:
        return _judge_type(ticket, status, changes)
    return _judge_move(ticket, ticket.status, status, changes)


def _judge_type(ticket: Ticket, status: Status, changes: Mapping[str, Any] | None) -> Verdict:
    """Whether the ticket's type, which may change at the same time, knows this status."""
    if not status.ticket_types:
        return Verdict()  # nobody has to ask for the type
    why = type_rules.why_not(status, (changes or {}).get("ticket_type") or ticket.ticket_type)
    return Verdict(errors={"status": why} if why else {})


def _judge_move(ticket: Ticket, old: Status, new: Status, changes: Mapping[str, Any] | None) -> Verdict:
    by_type = _judge_type(ticket, new, changes)
    if by_type.errors:
        return by_type
    return judge_transition(
        transition_rules(ticket.psa_account.transition_rules),
        old=old.category,
        new=new.category,
        old_value=old.remote_id or "",
        new_value=new.remote_id or "",
        filled=filled_fields(ticket, changes),
    )


def statuses_of(account_id: int) -> list[Status]:
    """What may be chosen: active and known to the PSA, in its order, those of its quick choice first.

    Those that were only seen on tickets come after the ones that it lists, and are nobody's first choice.
    """
    found = Status.objects.filter(psa_account=account_id, is_active=True, remote_id__isnull=False)
    return sorted(found, key=lambda status: (not status.is_quick, status.is_placeholder))


def choice_of(
    ticket: Ticket, status: Status, statuses: Sequence[Status] | None = None, changes: Mapping[str, Any] | None = None
) -> StatusChoice:
    """One status as it is on offer. `statuses` are the account's, to pass through where a rule offers that; they are
    read when they are needed and not given. `changes` are made at the same time."""
    verdict = judge_status(ticket, status, changes)
    via = None
    if verdict.via and set(verdict.errors) == {"status"}:
        known = statuses_of(ticket.psa_account_id) if statuses is None else statuses
        via = _passed_through(ticket, status, [s for s in known if s.category == verdict.via])
    missing = tuple(_judge_move(ticket, ticket.status, via, None).errors) if via else tuple(verdict.errors)
    return StatusChoice(
        status=status,
        blocked=" ".join(verdict.errors.values()),
        missing=missing,
        warnings=verdict.warnings,
        via=via,
    )


def _passed_through(ticket: Ticket, status: Status, between: Sequence[Status]) -> Status | None:
    """The first of these that may be entered from here, and from which one may go on."""
    for one in between:
        entered, left = _judge_move(ticket, ticket.status, one, None), _judge_move(ticket, one, status, None)
        if set(entered.errors) <= set(ASKED) and not left.errors:
            return one
    return None


def status_choices(ticket: Ticket) -> list[StatusChoice]:
    """Every active status of the account, the blocked ones with the reason. Required text can be given on the way.

    Of a finished ticket the one that its type reopens into comes first.
    """
    statuses = statuses_of(ticket.psa_account_id)
    again = reopened_status(ticket)
    found = [choice_of(ticket, status, statuses) for status in statuses]
    return sorted(found, key=lambda choice: choice.status.pk != again) if again else found


def reopened_status(ticket: Ticket) -> int | None:
    """Key of the status into which the ticket's type reopens; None for an open ticket and a type that names none."""
    if not ticket.is_finished or ticket.ticket_type is None:
        return None
    return ticket.ticket_type.reopened_status_id


def is_final(account: PsaAccount, status: Status) -> bool:
    """Whether the PSA lets nobody leave this status again."""
    found = transition_rules(account.transition_rules)
    return any(
        rule.is_final
        and (not rule.from_categories or status.category in rule.from_categories)
        and (not rule.from_values or status.remote_id in rule.from_values)
        for rule in found
    )


def wants_reason(category: str, account_ids: Collection[int]) -> bool:
    """Whether one of these accounts asks for a reason before a ticket goes to this category."""
    found = PsaAccount.objects.filter(pk__in=account_ids).values_list("transition_rules", flat=True)
    return any(
        "escalation_reason" in rule.needs and category in rule.to_categories
        for rows in found
        for rule in transition_rules(rows)
    )


def needed_to_create(account: PsaAccount, kind: TicketType | None = None) -> frozenset[str]:
    """Fields that the account, or the type, asks for before it takes a new ticket."""
    found = required_fields(account.required_fields)
    rules = [rule for rule in found if rule.verb == "create" and rule.level == "error"]
    return frozenset([name for rule in rules for name in rule.fields] + type_rules.needed(kind, account))


def judge_create(account: PsaAccount, fields: Mapping[str, Any]) -> Verdict:
    filled = {name for name, value in fields.items() if value not in (None, "")}
    verdict = judge_required(required_fields(account.required_fields), verb="create", filled=filled)
    by_type = type_rules.missing(fields.get("ticket_type"), account, filled)
    return replace(verdict, errors={**by_type, **verdict.errors}) if by_type else verdict


def priority_choices(account_id: int, policy_id: int | None) -> list[Priority]:
    """Priorities that the ticket's SLA knows; all of the account when it has none, or knows none."""
    active = Priority.objects.filter(psa_account=account_id, is_active=True)
    if policy_id is None:
        return list(active)
    from helpdesk.sla.models import Target

    known = set(Target.objects.filter(policy=policy_id).values_list("priority", flat=True))
    return [p for p in active if p.remote_id in known] or list(active)


def with_role(ticket: Ticket, changes: Mapping[str, Any]) -> dict[str, Any]:
    """A new owner takes the ticket in their own role, unless one is given; nobody takes it in none."""
    found = dict(changes)
    if "agent" not in changes or "agent_role" in changes or not ticket.psa_account.can(roles.FLAG):
        return found
    found["agent_role"] = roles.default_role(changes["agent"], changes.get("team", ticket.team))
    if found["agent_role"] == ticket.agent_role:
        del found["agent_role"]
    return found


def judge_assignment(ticket: Ticket, changes: Mapping[str, Any]) -> dict[str, str]:
    """Errors of owner and role, where the PSA wants both or neither, and a role that the owner has."""
    if not {"agent", "agent_role"} & set(changes):
        return {}
    agent, role = changes.get("agent", ticket.agent), changes.get("agent_role", ticket.agent_role)
    filled = filled_fields(ticket, changes)
    if agent is not None and not roles.are_roles_known(agent):
        return {}  # the connector finds one
    errors = judge_together(required_fields(ticket.psa_account.required_fields), verb="assign", filled=filled)
    if "agent_role" in errors and "agent_role" not in changes:
        what = {"who": agent, "psa": ticket.psa_account.title}
        return {"agent": _("%(who)s has no active role in %(psa)s, so that nothing can be assigned to them.") % what}
    if agent is not None and role and role not in {r.key for r in roles.roles_of(agent)}:
        errors["agent_role"] = _("%(who)s does not work in this role.") % {"who": agent}
    return errors


_OPENED_WITH = ("set_client", "change_contact", "edit_description")
"""Flags of fields that every PSA takes with a new ticket."""


def why_off(ticket: Ticket, name: str) -> str:
    """Why the PSA does not let a field be changed, and what to do instead; empty when it does.

    What a ticket is opened with is no change: that holds, too, while the PSA has refused to open it.
    """
    flag = FIELDS[name].flag if name in FIELDS else ""
    is_opened_with = (
        flag in _OPENED_WITH and ticket.remote_id is None and ticket.sync_state in (Sync.NONE, Sync.REFUSED)
    )
    if not flag or is_opened_with or ticket.psa_account.capabilities.get(flag) is not False:
        return ""
    psa = {"psa": ticket.psa_account.title}
    if flag in ("set_client", "change_contact"):
        return _("%(psa)s takes the client from the contact, who is chosen when the ticket is opened.") % psa
    if flag in ("edit_description", "set_due_date"):
        return _("%(psa)s does not let this be changed. Add a comment instead.") % psa
    if flag == "resolution_field":
        return _("%(psa)s has no field for it: say it in a note or a reply.") % psa
    if flag == "change_contract":
        return _("%(psa)s takes the contract from the client.") % psa
    return _("%(psa)s does not let this be changed.") % psa


def why_owned(account: PsaAccount) -> str:
    """Why a ticket cannot be left without an owner; empty when it can."""
    if account.capabilities.get("unassign") is not False:
        return ""
    return _("%(psa)s cannot take the owner off a ticket. Choose another one.") % {"psa": account.title}


def _why_closed(ticket: Ticket, name: str, value: Any) -> str:
    """Why the PSA takes no such change."""
    why = why_off(ticket, name)
    return why or (why_owned(ticket.psa_account) if name == "agent" and value is None else "")


def check_values(ticket: Ticket, changes: Mapping[str, Any]) -> dict[str, str]:
    """Errors by field that need no PSA: unknown field, wrong account, capability off, empty, too long."""
    errors: dict[str, str] = {}
    for name, value in changes.items():
        field = FIELDS.get(name)
        if field is None:
            errors[name] = _("There is no such field.")
        elif why := _why_closed(ticket, name, value):
            errors[name] = why
        elif field.is_required and value in (None, ""):
            errors[name] = _("This must not be empty.")
        elif field.max_length and len(value or "") > field.max_length:
            errors[name] = _("At most %(most)d characters; this has %(has)d.") % {
                "most": field.max_length,
                "has": len(value),
            }
        elif isinstance(value, str) and "\x00" in value:
            errors[name] = _("This holds a character that cannot be kept (NUL).")
        elif field.is_reference and value is not None:
            problem = _reference_problem(ticket, value)
            if problem:
                errors[name] = problem
    return errors


def _reference_problem(ticket: Ticket, value: Any) -> str:
    if value.psa_account_id not in (None, ticket.psa_account_id):
        return _("%(what)s is not in %(psa)s.") % {"what": value, "psa": ticket.psa_account.title}
    if value.remote_id is None:
        return _("%(psa)s does not know this one yet.") % {"psa": ticket.psa_account.title}
    return ""
