"""Head of one ticket's page: its clocks, who looks at it, what of it is on its way to the PSA."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from helpdesk.accounts.models import User
from helpdesk.actions.models import Escalation
from helpdesk.core import chips
from helpdesk.core.formatting import FOREVER, duration, moment
from helpdesk.desk.presence import present
from helpdesk.outbox.choices import State, Verb
from helpdesk.outbox.models import OutboxItem
from helpdesk.tickets.fields import FIELDS
from helpdesk.tickets.models import Ticket, TicketClock


@dataclass(frozen=True, kw_only=True)
class ClockCard:
    kind: str
    label: str
    state: str
    icon: str
    text: str
    due: int | None
    risk: int | None
    lines: Sequence[str]
    tone: str
    percent: int


ICONS = {
    "not_started": "circle-dashed", "running": "clock", "at_risk": "triangle-alert", "paused": "circle-pause",
    "met": "circle-check", "breached": "octagon-alert",
}  # fmt: skip
TONES = {"at_risk": "risk", "breached": "breach", "met": "met"}


def clock_cards(ticket: Ticket, now: datetime) -> list[ClockCard]:
    zone = timezone.get_current_timezone()
    found = sorted(ticket.clocks.all(), key=lambda c: c.kind != "response")
    return [_card(clock, now, zone) for clock in found]


def _card(clock: TicketClock, now: datetime, zone: Any) -> ClockCard:
    seconds = _seconds(clock)
    shown = chips.chip(clock.kind, clock.state, clock.due_at, clock.at_risk_at, seconds, now, zone)
    ticks = seconds is None and clock.due_at is not None and clock.due_at < FOREVER and shown.state not in chips.ENDED
    lines = []
    if clock.target_seconds:
        lines.append(_("Target %(time)s") % {"time": duration(clock.target_seconds)})
    if clock.finished_at:
        lines.append(_("done %(when)s") % {"when": moment(clock.finished_at, now, zone)})
    elif clock.paused_since and shown.state == "paused":
        lines.append(_("since %(when)s") % {"when": moment(clock.paused_since, now, zone)})
    elif clock.due_at and clock.due_at < FOREVER:
        word = _("was due %(when)s") if shown.state == "breached" else _("due %(when)s")
        lines.append(word % {"when": moment(clock.due_at, now, zone)})
    return ClockCard(
        kind=clock.kind,
        label=str(clock.get_kind_display()),
        state=shown.state,
        icon=ICONS[shown.state],
        text=shown.text,
        due=int(clock.due_at.timestamp()) if ticks and clock.due_at else None,
        risk=int(clock.at_risk_at.timestamp()) if ticks and clock.at_risk_at and shown.state == "running" else None,
        lines=lines,
        tone=TONES.get(shown.state, ""),
        percent=_percent(clock, shown.state, now),
    )


def _seconds(clock: TicketClock) -> float | None:
    if clock.state == "paused":
        return clock.remaining_seconds
    stopped = clock.finished_at or (clock.paused_since if clock.state == "breached" else None)
    if stopped is None:
        return None
    since = clock.due_at if clock.state == "breached" else clock.started_at
    return (stopped - since).total_seconds() if since else None


def _percent(clock: TicketClock, state: str, now: datetime) -> int:
    """How much of the promise is used."""
    if state == "breached":
        return 100
    if state == "paused" and clock.target_seconds:
        return max(0, min(100, 100 - round(100 * (clock.remaining_seconds or 0) / clock.target_seconds)))
    if clock.started_at is None or clock.due_at is None or clock.due_at <= clock.started_at:
        return 0
    used = ((clock.finished_at or now) - clock.started_at) / (clock.due_at - clock.started_at)
    return max(0, min(100, round(used * 100)))


def head_context(ticket: Ticket, user: User, now: datetime, items: Sequence[OutboxItem]) -> dict[str, Any]:
    return {
        "cards": clock_cards(ticket, now),
        "watching": present([ticket.pk], but=user.pk, now=now.timestamp()).get(ticket.pk, []),
        "moving": moving_fields(items),
        "psa_url": psa_url(ticket),
        "owner": owner_name(ticket),
        "escalation": _escalation(ticket),
    }


def owner_name(ticket: Ticket) -> str:
    if ticket.agent is None:
        return ""
    return str(ticket.agent.user.name if ticket.agent.user else ticket.agent.name)


def _escalation(ticket: Ticket) -> Escalation | None:
    """The last one, while somebody still works on the ticket."""
    if ticket.escalated_at is None or ticket.is_finished:
        return None
    return ticket.escalations.select_related("user").last()


def psa_url(ticket: Ticket) -> str:
    """The record in the PSA's own pages."""
    address = ticket.psa_account.ticket_url
    if not ticket.remote_id or not address.startswith(("https://", "http://")):
        return ""
    return address.replace("{remote_id}", ticket.remote_id)


def refused_fields(items: Sequence[OutboxItem]) -> dict[str, str]:
    """field -> what the PSA said against the value that stands there."""
    refused = (i for i in items if i.state == State.REFUSED and i.verb in (Verb.UPDATE_TICKET, Verb.CREATE_TICKET))
    return {name: str(text) for item in refused for name, text in item.error_fields.items() if name in FIELDS and text}


def moving_fields(items: Sequence[OutboxItem]) -> dict[str, str]:
    """field -> the sync word of its change under way; the worst counts."""
    worst = {"refused": 3, "checking": 2, "pending": 1}
    found: dict[str, str] = {}
    for item in items:
        names = set(item.fields) & set(FIELDS) if item.verb == Verb.UPDATE_TICKET else set()
        if item.verb == Verb.CREATE_ACTION and item.fields.get("new_status"):
            names = {"status"}
        for name in names:
            if worst.get(item.sync, 0) > worst.get(found.get(name, ""), 0):
                found[name] = item.sync
    return found
