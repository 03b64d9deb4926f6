"""A person sets a clock right, with a reason: when it ended, when it is due, or that it does not count.

Taken back, never edited; both are events of the ticket, and stand in the audit log.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from helpdesk.accounts.models import User
from helpdesk.accounts.services import record_audit
from helpdesk.core.errors import Refused, Stale
from helpdesk.core.formatting import is_blank
from helpdesk.core.origin import Origin
from helpdesk.sla.choices import ClockKind
from helpdesk.tickets.models import Correction, Ticket, TicketEvent
from helpdesk.tickets.stories import CORRECTION
from helpdesk.tickets.writing import lock_ticket, save_clocks, tell_pages

What = Correction.What
REASON = 500
"""Characters of a reason."""
FURTHEST_YEARS = 5


@transaction.atomic
def correct_clock(
    *, ticket: Ticket, kind: str, what: str, instant: datetime | None, reason: str, user: User, now: datetime,
    problems: Mapping[str, str] | None = None,
) -> Correction:  # fmt: skip
    """Set one clock right; what was set before of the same kind gives way. Raises Refused by field, with `problems`
    that were found in the input before."""
    ticket = lock_ticket(ticket.pk)
    found = _problems(ticket, kind, what, instant, reason.strip(), now) | dict(problems or {})
    if found:
        raise Refused(found)
    for old in Correction.objects.filter(ticket=ticket, kind=kind, what=what, undone_at=None):
        _take_back(old, user, now)
    made = Correction.objects.create(
        ticket=ticket, kind=kind, what=what, instant=instant if what != What.EXCLUDED else None,
        reason=reason.strip(), user=user, at=now,
    )  # fmt: skip
    _record(ticket, made, user, now, verb="clock.corrected")
    return made


@transaction.atomic
def undo_correction(*, correction: Correction, user: User, now: datetime) -> Ticket:
    """Let the clock say again what follows from its events. Raises Stale when somebody was faster."""
    ticket = lock_ticket(correction.ticket_id)
    held = Correction.objects.filter(pk=correction.pk, undone_at=None).first()
    if held is None:
        raise Stale
    _take_back(held, user, now)
    _record(ticket, held, user, now, verb="clock.correction_undone")
    return ticket


def _take_back(correction: Correction, user: User, now: datetime) -> None:
    correction.undone_at, correction.undone_by = now, user
    correction.save(update_fields=["undone_at", "undone_by"])


def _problems(
    ticket: Ticket, kind: str, what: str, instant: datetime | None, reason: str, now: datetime
) -> dict[str, str]:
    problems: dict[str, str] = {}
    if kind not in ClockKind.values:
        problems["kind"] = _("Choose one of these.")
    if what not in What.values:
        problems["what"] = _("Choose one of these.")
    if is_blank(reason):
        problems["reason"] = _("Say why: it stands beside the clock and in every report.")
    elif len(reason) > REASON:
        problems["reason"] = _("At most %(n)d characters.") % {"n": REASON}
    elif "\x00" in reason:
        problems["reason"] = _("There is a character in it that cannot be kept.")
    if what in (What.FINISHED, What.DUE):
        problems |= _check_instant(ticket, what, instant, now)
    return problems


def _check_instant(ticket: Ticket, what: str, instant: datetime | None, now: datetime) -> dict[str, str]:
    if instant is None:
        return {"instant": _("Give a date and a time.")}
    if instant < ticket.opened_at.replace(second=0, microsecond=0):  # people give whole minutes
        return {"instant": _("The ticket was not open yet.")}
    if what == What.FINISHED and instant > now:
        return {"instant": _("That has not come yet.")}
    if (instant - now).days > FURTHEST_YEARS * 366:
        return {"instant": _("That is more than %(n)d years away.") % {"n": FURTHEST_YEARS}}
    return {}


def _record(ticket: Ticket, correction: Correction, user: User, now: datetime, *, verb: str) -> None:
    """Event, clocks, row, audit entry, open pages."""
    was = _verdict(ticket, correction.kind)
    origin = Origin.desk(user)
    is_undone = correction.undone_at is not None
    TicketEvent.objects.create(
        ticket=ticket, field=CORRECTION, old=str(correction.pk) if is_undone else "",
        new="" if is_undone else str(correction.pk), new_label=correction.reason[:255],
        old_label=f"{correction.get_kind_display()}"[:255], at=now, known_at=now, origin=origin.place,
        actor=origin.name[:120], user=user,
    )  # fmt: skip
    save_clocks(ticket, now=now)
    Ticket.objects.filter(pk=ticket.pk).update(changed_at=now)
    detail: dict[str, Any] = {
        "clock": correction.kind, "what": correction.what, "reason": correction.reason,
        "instant": correction.instant.isoformat() if correction.instant else None,
        "was": was, "is": _verdict(ticket, correction.kind),
    }  # fmt: skip
    record_audit(user=user, verb=verb, subject=f"ticket:{ticket.pk}", detail=detail, now=now)
    tell_pages(ticket)


def _verdict(ticket: Ticket, kind: str) -> str:
    return str(ticket.clocks.filter(kind=kind).values_list("state", flat=True).first() or "")
