"""What a person asks for in one press of the composer, and whether it may be had."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from helpdesk.actions import outcomes
from helpdesk.actions.choices import Kind
from helpdesk.actions.models import Attachment, Outcome
from helpdesk.actions.text import BODY_LIMIT
from helpdesk.core.errors import Refused
from helpdesk.directory.models import Agent, PsaAccount
from helpdesk.tickets import type_rules
from helpdesk.tickets.models import Status, Ticket

MAX_SECONDS = 24 * 3600
"""The most time one entry may hold."""


@dataclass(frozen=True, kw_only=True)
class NewAction:
    """What a person asks for in one press. Internal unless `is_internal` says otherwise.

    `seconds` books time with it; a `text` that is empty books time alone. `status` is the status afterwards.
    """

    kind: Kind = Kind.NOTE
    text: str = ""
    is_internal: bool = True
    seconds: int | None = None
    is_billable: bool = True
    status: Status | None = None
    resolution: str = ""
    escalation_reason: str = ""
    outcome: Outcome | None = None
    assignee: Agent | None = None
    """Who works on it from now on; None = as it is. The PSA hears of it before the action."""
    email_to: str = ""
    email_cc: str = ""
    sends_email: bool = False
    is_to_staff: bool = False
    """An internal mail of the PSA to our own people: `email_to` holds addresses of users and of nobody else."""
    title: str = ""
    """Subject of that mail."""
    files: Sequence[Attachment] = ()
    public_files: frozenset[int] = frozenset()
    """Keys of the files the client may see."""
    occurred_at: datetime | None = None
    marker: str | None = None
    """The form's own UUID: sent twice, it is one action."""
    rank: int = 0
    """How soon it leaves: 0 a person waits, 2 bulk."""


def too_long(text: str) -> str:
    return _("This has %(has)d characters; %(most)d can be sent. Attach long text as a file.") % {
        "has": len(text),
        "most": BODY_LIMIT,
    }


def check_seconds(seconds: int) -> None:
    if not 0 < seconds <= MAX_SECONDS:
        raise Refused({"seconds": _("Time must be more than nothing and at most 24 hours.")})


def no_time(account: PsaAccount) -> str:
    """Why no time can be booked; empty when it can."""
    if account.capabilities.get("time_entry_create") is False:
        return _("%(psa)s takes no time from here.") % {"psa": account.title}
    return ""


def no_author(account: PsaAccount, agent: Agent | None, *, with_time: bool) -> str:
    """Why this person, who is `agent` there, cannot write or book time; empty when they can."""
    needs = account.capabilities.get("needs_author")
    if agent is not None or not (needs == "always" or (needs == "time" and with_time)):
        return ""
    psa = {"psa": account.title}
    if needs == "time":
        return _("%(psa)s books time on a person only: you have no agent there. Join one in Settings.") % psa
    return _("%(psa)s takes words of its own people only: you have no agent there. Join one in Settings.") % psa


def check_author(ticket: Ticket, new: NewAction, agent: Agent | None) -> None:
    """Raises Refused before anything is written for a person whom the PSA does not know and would not take."""
    if why := no_author(ticket.psa_account, agent, with_time=bool(new.seconds)):
        raise Refused({"seconds" if new.seconds else "text": why})


def check_action(ticket: Ticket, new: NewAction, now: datetime) -> None:
    errors: dict[str, str] = {}
    if "\x00" in new.text:
        errors["text"] = _("This holds a character that cannot be kept (NUL).")
    elif len(new.text) > BODY_LIMIT:
        errors["text"] = too_long(new.text)
    elif not new.text.strip() and not new.seconds and not new.files and new.outcome is None:
        errors["text"] = _("Write something, or enter time.")
    if new.kind == Kind.REPLY and not new.text.strip() and not new.files and new.seconds:
        errors["text"] = _("A reply needs words. Time alone can be saved as an internal note.")
    if new.seconds is not None and not 0 < new.seconds <= MAX_SECONDS:
        errors["seconds"] = _("Time must be more than nothing and at most 24 hours.")
    elif new.seconds and (why := no_time(ticket.psa_account)):
        errors["seconds"] = why
    if new.occurred_at is not None and new.occurred_at > now + timedelta(minutes=5):
        errors["occurred_at"] = _("This lies in the future.")
    errors = {**outcomes.problems(ticket, new), **errors}
    if new.files and (why := type_rules.no_files(ticket.psa_account, ticket.ticket_type, is_sure=True)):
        errors["files"] = why
    if errors:
        raise Refused(errors)
