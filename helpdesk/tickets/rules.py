"""Judges what our users want to submit, with the rules that the PSA account declares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from helpdesk.core.rules import Verdict, judge_required, judge_transition, required_fields, transition_rules
from helpdesk.directory.models import PsaAccount
from helpdesk.tickets.fields import FIELDS
from helpdesk.tickets.models import Priority, Status, Ticket


@dataclass(frozen=True, kw_only=True)
class StatusChoice:
    """A status on offer. `blocked` says why it is not to be had; `missing` are fields that would open it."""

    status: Status
    blocked: str = ""
    missing: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


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
    if status.category == ticket.status_category:
        return Verdict()
    return judge_transition(
        transition_rules(ticket.psa_account.transition_rules),
        old=ticket.status_category,
        new=status.category,
        filled=filled_fields(ticket, changes),
    )


def status_choices(ticket: Ticket) -> list[StatusChoice]:
    """Every active status of the account, the blocked ones with the reason. Required text can be given on the way."""
    choices = []
    for status in Status.objects.filter(psa_account=ticket.psa_account_id, is_active=True):
        verdict = judge_status(ticket, status)
        choices.append(
            StatusChoice(
                status=status,
                blocked=" ".join(verdict.errors.values()),
                missing=tuple(verdict.errors),
                warnings=verdict.warnings,
            )
        )
    return choices


def judge_create(account: PsaAccount, fields: Mapping[str, Any]) -> Verdict:
    filled = {name for name, value in fields.items() if value not in (None, "")}
    return judge_required(required_fields(account.required_fields), verb="create", filled=filled)


def priority_choices(account_id: int, policy_id: int | None) -> list[Priority]:
    """Priorities that the ticket's SLA knows; all of the account when it has none, or knows none."""
    active = Priority.objects.filter(psa_account=account_id, is_active=True)
    if policy_id is None:
        return list(active)
    from helpdesk.sla.models import Target

    known = set(Target.objects.filter(policy=policy_id).values_list("priority", flat=True))
    return [p for p in active if p.remote_id in known] or list(active)


def check_values(ticket: Ticket, changes: Mapping[str, Any]) -> dict[str, str]:
    """Errors by field that need no PSA: unknown field, wrong account, capability off, empty, too long."""
    errors: dict[str, str] = {}
    for name, value in changes.items():
        field = FIELDS.get(name)
        if field is None:
            errors[name] = _("There is no such field.")
        elif field.flag and ticket.psa_account.capabilities.get(field.flag) is False:
            errors[name] = _("%(psa)s does not let this be changed.") % {"psa": ticket.psa_account.title}
        elif name == "agent" and value is None and ticket.psa_account.capabilities.get("unassign") is False:
            errors[name] = _("%(psa)s cannot take the owner off a ticket. Choose another one.") % {
                "psa": ticket.psa_account.title
            }
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
