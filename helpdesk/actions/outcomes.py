"""A PSA's outcomes: which fit a ticket, what each asks for, and what it does to status, clocks and visibility."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from django.core.cache import cache
from django.utils.translation import gettext as _

from helpdesk.actions.choices import Kind
from helpdesk.actions.models import Outcome
from helpdesk.core.origin import Origin
from helpdesk.directory.models import PsaAccount
from helpdesk.tickets.holds import hold_clocks
from helpdesk.tickets.models import Status, Ticket

if TYPE_CHECKING:
    from helpdesk.actions.asked import NewAction

KEPT_SECONDS = 300
RULES = ("new_status_id", "must_add_note", "must_assign", "sla_hold", "sla_release", "default_seconds")
"""Columns by which an outcome does more than carry words."""
_PLAIN_KINDS = (Kind.NOTE, Kind.REPLY, Kind.CALL, Kind.VISIT, "time")


def outcomes_of(account: PsaAccount) -> list[Outcome]:
    """The account's outcomes in its own order, each with `type_keys`; none while the account has no such thing.

    Kept for some minutes, and read again after each pull of them (`forget`).
    """
    if not account.can("outcomes"):
        return []
    found: list[Outcome] | None = cache.get(_key(account.pk))
    if found is None:
        rows = Outcome.objects.filter(psa_account=account, is_hidden=False, remote_id__isnull=False)
        found = list(rows.defer("raw").prefetch_related("ticket_types"))
        for one in found:
            one.type_keys = frozenset(t.pk for t in one.ticket_types.all())  # type: ignore[attr-defined]
            one._prefetched_objects_cache = {}  # type: ignore[attr-defined]
        cache.set(_key(account.pk), found, KEPT_SECONDS)
    return found


def forget(account_id: int) -> None:
    """The account's outcomes have just been read anew."""
    cache.delete(_key(account_id))


def _key(account_id: int) -> str:
    return f"actions:outcomes:{account_id}"


def outcomes_for(ticket: Ticket) -> list[Outcome]:
    """Those that fit the ticket's type; an outcome without types fits all."""
    return [
        one
        for one in outcomes_of(ticket.psa_account)
        if not one.type_keys or ticket.ticket_type_id in one.type_keys  # type: ignore[attr-defined]
    ]


def outcome_for(ticket: Ticket, key: object) -> Outcome | None:
    """The one of this key, when it fits the ticket."""
    return next((one for one in outcomes_for(ticket) if str(one.pk) == str(key)), None)


def is_plain(outcome: Outcome, account: PsaAccount) -> bool:
    """What a note, reply, call or visit is written with anyway, and that asks for and does nothing of its own."""
    chosen = account.settings.get("outcomes") or {}
    used = {str(chosen.get(kind)) for kind in _PLAIN_KINDS if chosen.get(kind)}
    return outcome.remote_id in used and not has_rules(outcome)


def has_rules(outcome: Outcome) -> bool:
    """Whether it does more than carry words."""
    return any(getattr(outcome, name) for name in RULES)


def settled(new: NewAction) -> NewAction:
    """The action as its outcome wants it: what hides stays hidden whatever was asked, and its status is the one after.

    A mail goes out only where the outcome sends one.
    """
    one = new.outcome
    if one is None:
        return new
    if one.hide_from_client and not new.is_internal:
        kind = Kind.NOTE if new.kind == Kind.REPLY else new.kind
        new = replace(new, kind=kind, is_internal=True, sends_email=False, email_to="", email_cc="")
    if not one.sends_email:
        new = replace(new, sends_email=False)
    return replace(new, status=one.new_status) if one.new_status is not None else new


def problems(ticket: Ticket, new: NewAction) -> Mapping[str, str]:
    """What the outcome asks for and the action lacks, by field."""
    one = new.outcome
    errors: dict[str, str] = {}
    if one is None:
        return errors
    if one.psa_account_id != ticket.psa_account_id:
        errors["outcome"] = _("There is no such outcome for this ticket.")
    if one.must_add_note and not new.text.strip():
        errors["text"] = _("“%(outcome)s” needs a note.") % {"outcome": one}
    elif not new.is_internal and not new.text.strip() and not new.files:
        errors["text"] = _("The client sees this: write what they should read.")
    if one.must_assign and ticket.agent_id is None and new.assignee is None:
        errors["assignee"] = _("“%(outcome)s” needs an owner: choose who works on it.") % {"outcome": one}
    return errors


def hold_word(outcome: Outcome | None) -> str:
    """What it does to the clocks: hold, release or nothing. Release wins, as the PSA carries it out last."""
    if outcome is None:
        return ""
    return "release" if outcome.sla_release else "hold" if outcome.sla_hold else ""


def move_clocks(ticket: Ticket, outcome: Outcome | None, *, origin: Origin, now: datetime) -> None:
    """Begin or end the hold that the outcome brings, at once; the PSA's own flag confirms it later."""
    word = hold_word(outcome)
    if word:
        hold_clocks(ticket=ticket, is_held=word == "hold", by=str(outcome), origin=origin, now=now)


def clock_effect(outcome: Outcome, status: Status | None) -> str:
    """hold, release or "" as people will see it: by the outcome itself, else by the status it leads to."""
    word = hold_word(outcome)
    if word or status is None:
        return word
    return "hold" if status.sla_clock == "paused" else ""
