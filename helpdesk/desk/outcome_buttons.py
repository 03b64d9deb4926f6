"""A PSA's outcomes in the composer: the buttons of a ticket, and what the one that was pressed means in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from helpdesk.accounts.models import User
from helpdesk.actions.choices import Kind
from helpdesk.actions.models import Outcome
from helpdesk.actions.outcomes import clock_effect, is_plain, outcome_for, outcomes_for
from helpdesk.core.formatting import hours_minutes, safe_colour
from helpdesk.desk import moves
from helpdesk.desk.fronts import outcome_of
from helpdesk.desk.ticket_page import Then
from helpdesk.directory.services import agent_of
from helpdesk.tickets import rules
from helpdesk.tickets.models import Status, Ticket

FEW = 6
"""So many are buttons; the rest stand in "More"."""


@dataclass(frozen=True, kw_only=True)
class Button:
    """`colour` is the PSA's, six digits or nothing; it stands in a small mark only. `blocked` says why the status it
    leads to cannot be had from here."""

    key: int
    label: str
    about: str
    colour: str
    blocked: str = ""


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """The outcome that the composer is about to send. `effect` says what happens to status and clock."""

    key: int
    label: str
    colour: str
    effect: str
    hides: bool
    mails: bool
    needs_note: bool
    status: Status | None
    people: Sequence[moves.Option]


@dataclass(frozen=True, kw_only=True)
class Outcomes:
    """`first` and `more` are finished buttons, or nothing."""

    first: SafeString | None = None
    more: SafeString | None = None
    chosen: Chosen | None = None


def outcomes_on(ticket: Ticket, key: object, statuses: Sequence[Status]) -> Outcomes:
    """The buttons of a ticket, or the chosen one while `key` names one that fits. `statuses` are the account's."""
    chosen = outcome_for(ticket, key) if key else None
    if chosen is not None:
        return Outcomes(chosen=_chosen(ticket, chosen, statuses))
    buttons = [_button(ticket, one, statuses) for one in offered(ticket)]
    address = reverse("tickets:outcome", args=[ticket.pk])
    first, more = (mark_safe("".join(outcome_of(b, address) for b in part)) for part in (buttons[:FEW], buttons[FEW:]))
    return Outcomes(first=first, more=more)


def offered(ticket: Ticket) -> list[Outcome]:
    """What is worth a button: a tab that writes the same action anyway is its own."""
    return [one for one in outcomes_for(ticket) if not is_plain(one, ticket.psa_account)]


def _button(ticket: Ticket, one: Outcome, statuses: Sequence[Status]) -> Button:
    about = one.long_label if one.long_label != str(one) else ""
    blocked = why_blocked(ticket, one, statuses)
    return Button(key=one.pk, label=str(one), about=about, colour=safe_colour(one.colour), blocked=blocked)


def why_blocked(ticket: Ticket, one: Outcome, statuses: Sequence[Status]) -> str:
    """Why the ticket cannot go where the outcome leads; empty when it can, or stays where it is."""
    status = status_after(one, statuses)
    if status is None or status.pk == ticket.status_id:
        return ""
    return rules.choice_of(ticket, status, statuses).why_not


def _chosen(ticket: Ticket, one: Outcome, statuses: Sequence[Status]) -> Chosen:
    status = status_after(one, statuses)
    return Chosen(
        key=one.pk,
        label=str(one),
        colour=safe_colour(one.colour),
        effect=effect_of(ticket, one, status),
        hides=one.hide_from_client,
        mails=one.sends_email,
        needs_note=one.must_add_note,
        status=status,
        people=moves.options_for(ticket, "agent")[:-1] if one.must_assign else (),
    )


def status_after(one: Outcome, statuses: Sequence[Status]) -> Status | None:
    """The status it leads to; None when it leads to none."""
    return next((s for s in statuses if s.pk == one.new_status_id), None)


def effect_of(ticket: Ticket, one: Outcome, status: Status | None) -> str:
    """ "Moves to Waiting on Client, pauses the clock"."""
    words = {"hold": _("pauses the clock"), "release": _("lets the clock run again")}
    clock = words.get(clock_effect(one, status), "")
    if status is None or status.pk == ticket.status_id:
        return clock[:1].upper() + clock[1:]
    moves_to = _("Moves to %(status)s") % {"status": status.name}
    return f"{moves_to}, {clock}" if clock else moves_to


def thens_of(chosen: Chosen | None, found: Sequence[Then]) -> list[Then]:
    """The statuses that may follow: with an outcome that leads to one, that one only."""
    if chosen is None or chosen.status is None:
        return list(found)
    return [then for then in found if then.status.pk == chosen.status.pk]


# ---- a press --------------------------------------------------------------------------------------------------------


def picked(ticket: Ticket, key: object, user: User, values: Mapping[str, Any]) -> dict[str, Any]:
    """What a press changes in the composer; an empty key takes the outcome off again. Words that stand there stay."""
    before = outcome_for(ticket, values.get("outcome")) if values.get("outcome") else None
    changes: dict[str, Any] = {"outcome": "", "assignee": ""}
    if before is not None:
        changes |= _taken_off(before, values)
    one = outcome_for(ticket, key) if key else None
    if one is None:
        return changes
    kind = str(values.get("kind") or Kind.NOTE)
    changes |= {"outcome": one.pk, "kind": kind, "visibility": "internal" if one.hide_from_client else "public"}
    if kind not in (Kind.CALL, Kind.VISIT):
        changes["kind"] = str(Kind.NOTE if one.hide_from_client else Kind.REPLY)
    if one.new_status_id:
        changes["status"] = one.new_status_id
    if one.default_seconds and not str(changes.get("time", values.get("time")) or "").strip():
        changes["time"] = hours_minutes(one.default_seconds)
    if one.must_assign:
        changes["assignee"] = _default_assignee(ticket, user)
    return changes


def _taken_off(one: Outcome, values: Mapping[str, Any]) -> dict[str, Any]:
    changes: dict[str, Any] = {"visibility": "internal"}
    if values.get("kind") == Kind.REPLY:
        changes["kind"] = str(Kind.NOTE)  # it was public for the outcome's sake
    if one.new_status_id and str(values.get("status")) == str(one.new_status_id):
        changes["status"] = ""
    if one.default_seconds and values.get("time") == hours_minutes(one.default_seconds):
        changes["time"] = ""
    return changes


def _default_assignee(ticket: Ticket, user: User) -> str:
    """Who has it already; else the person who presses, if they work in this PSA."""
    if ticket.agent is not None:
        return f"u{ticket.agent.user_id}" if ticket.agent.user_id else f"a{ticket.agent.pk}"
    return f"u{user.pk}" if agent_of(user.pk, ticket.psa_account_id) is not None else ""


def picked_data(ticket: Ticket, user: User, data: QueryDict) -> QueryDict:
    """The posted form with the press carried out."""
    found = data.copy()
    for name, value in picked(ticket, data.get("press", ""), user, data.dict()).items():
        found[name] = str(value)
    return found
