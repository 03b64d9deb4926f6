"""Both clocks in a ticket's head: what is left in open time, until when, by which promise, and what the PSA says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from helpdesk.core import chips
from helpdesk.core.formatting import FOREVER, duration, moment, open_duration
from helpdesk.sla.book import recent
from helpdesk.sla.choices import ClockSource
from helpdesk.sla.hours import Calendar
from helpdesk.sla.opening import hours_of, opens_at
from helpdesk.tickets.clock_facts import calendar_of, seconds_of, used_share
from helpdesk.tickets.models import Correction, Ticket, TicketClock


@dataclass(frozen=True, kw_only=True)
class ClockCard:
    """`by` says whose promise it is, `facts` stand behind it (word, text), `notes` are what is odd about it."""

    kind: str
    label: str
    state: str
    icon: str
    text: str
    due: int | None
    stood: int
    risk: int | None
    calendar: int
    lines: Sequence[str]
    tone: str
    percent: int
    by: str = ""
    facts: Sequence[tuple[str, str]] = field(default_factory=tuple)
    notes: Sequence[str] = field(default_factory=tuple)
    is_corrected: bool = False


ICONS = {
    "not_started": "circle-dashed", "running": "clock", "at_risk": "triangle-alert", "paused": "circle-pause",
    "met": "circle-check", "breached": "octagon-alert",
}  # fmt: skip
TONES = {"at_risk": "risk", "breached": "breach", "met": "met"}


@dataclass(frozen=True)
class _Look:
    """Who looks, when, and how the PSA is called."""

    now: datetime
    zone: tzinfo
    psa: str

    def at(self, instant: datetime | None) -> str:
        return moment(instant, self.now, self.zone)


def clock_cards(ticket: Ticket, now: datetime) -> list[ClockCard]:
    """Both clocks, the response first. One query unless they were just worked out, another where one was set right."""
    found = sorted(ticket.written_clocks or ticket.clocks.all(), key=lambda c: c.kind != "response")
    look = _Look(now, timezone.get_current_timezone(), ticket.psa_account.title)
    fixed = corrections_of(ticket) if any(c.is_corrected for c in found) else []
    return [_card(clock, [c for c in fixed if c.kind == clock.kind], look) for clock in found]


def corrections_of(ticket: Ticket) -> list[Correction]:
    """Those that hold."""
    return list(Correction.objects.filter(ticket=ticket, undone_at=None).select_related("user"))


def _card(clock: TicketClock, fixed: Sequence[Correction], look: _Look) -> ClockCard:
    key, seconds = calendar_of(clock), seconds_of(clock)
    hours = hours_of(key)
    shown = chips.chip(
        clock.kind, clock.state, clock.due_at, clock.at_risk_at, seconds, look.now, look.zone, hours
    )  # fmt: skip
    due = clock.due_at if clock.due_at and clock.due_at < FOREVER else None
    ticks = chips.ticks(due, shown.state, seconds)
    return ClockCard(
        kind=clock.kind,
        label=str(clock.get_kind_display()),
        state=shown.state,
        icon=ICONS[shown.state],
        text=shown.text,
        due=int(due.timestamp()) if ticks and due else None,
        stood=-int(seconds) if ticks and seconds else 0,
        risk=int(clock.at_risk_at.timestamp()) if ticks and clock.at_risk_at and shown.state == "running" else None,
        calendar=key if hours else 0,
        lines=_lines(clock, shown.state, hours, look),
        tone=TONES.get(shown.state, ""),
        percent=used_share(clock, shown.state, look.now),
        by=_by(clock, look),
        facts=_facts(clock, key, hours, look),
        notes=_notes(clock, fixed, look),
        is_corrected=clock.is_corrected,
    )


def _lines(clock: TicketClock, state: str, hours: Calendar | None, look: _Look) -> list[str]:
    """The absolute time, and where the desk is closed now, when time runs again."""
    if clock.finished_at:
        return [_("done %(when)s") % {"when": look.at(clock.finished_at)}]
    if clock.paused_since and state == "paused":
        return [_("since %(when)s") % {"when": look.at(clock.paused_since)}]
    if clock.due_at is None or clock.due_at >= FOREVER:
        return []
    word = _("was due %(when)s") if state == "breached" else _("due %(when)s")
    opens = opens_at(hours, look.now)
    closed = [_("closed, opens %(when)s") % {"when": look.at(opens)}] if opens else []
    return [word % {"when": look.at(clock.due_at)}, *closed]


def _policy(clock: TicketClock) -> str:
    terms = recent().policy(clock.policy_id, clock.finished_at or clock.started_at or clock.ticket.opened_at)
    return terms.name if terms else ""


def _by(clock: TicketClock, look: _Look) -> str:
    """Whose promise is shown, in a few words; the other one beside it where it differs."""
    if clock.problem:
        return ""
    if clock.source == ClockSource.PSA:
        words = _("by %(psa)s") % {"psa": look.psa}
        other = _("ours %(when)s") % {"when": look.at(clock.our_due_at)} if clock.our_due_at else ""
    elif clock.source == ClockSource.NONE:
        return _("nothing promised")
    else:
        words = _("corrected by hand") if clock.source == ClockSource.HAND else _policy(clock) or _("usual targets")
        theirs = {"psa": look.psa, "when": look.at(clock.their_due_at)}
        other = _("%(psa)s says %(when)s") % theirs if clock.their_due_at else ""
    return f"{words} · {other}" if other and clock.difference else words


def _facts(clock: TicketClock, key: int, hours: Calendar | None, look: _Look) -> list[tuple[str, str]]:
    """What stands behind the deadline, for whoever asks."""
    name, worded = _policy(clock), open_duration if hours else duration
    version = _("%(name)s, version %(n)d") % {"name": name, "n": clock.policy_version}
    calendar = {"name": recent().calendar_names.get(key, ""), "zone": hours.hours.zone if hours else ""}
    stands = _("stands still") if clock.state == "paused" and clock.source != ClockSource.PSA else ""
    rows: list[tuple[str, Any]] = [
        (_("Policy"), (version if clock.policy_version else name) or str(clock.get_source_display())),
        (_("Counts"), _("%(name)s, %(zone)s") % calendar if hours else _("around the clock")),
        (_("Target"), worded(clock.target_seconds) if clock.target_seconds else ""),
        (_("Stood still"), worded(clock.paused_seconds) if clock.paused_seconds else ""),
        (_("Ours"), look.at(clock.our_due_at) or stands or _("none")),
        (look.psa, look.at(clock.their_due_at) or _("says nothing")),
        (_("They differ by"), str(clock.get_difference_display()) if clock.difference else ""),
    ]
    return [(word, str(text)) for word, text in rows if text]


def _notes(clock: TicketClock, fixed: Sequence[Correction], look: _Look) -> list[str]:
    found = []
    if clock.problem:
        found.append(_("No deadline: %(why)s.") % {"why": clock.get_problem_display()})
    if clock.is_retroactive:
        found.append(_("Late only by a later change (%(when)s): it had been in time before.")
                     % {"when": look.at(clock.breached_at)})  # fmt: skip
    if clock.cycle > 1:
        found.append(_("Started anew when the ticket was reopened, time %(n)d.") % {"n": clock.cycle})
    for one in fixed:
        found.append(correction_words(one, look.now, look.zone))
    return found


def correction_words(one: Correction, now: datetime, zone: tzinfo) -> str:
    """ "Corrected by Mona: it ended at Mon 10:00. Called the client." """
    what = f"{one.get_what_display()} {moment(one.instant, now, zone)}".strip()
    said = {"who": str(one.user or _("somebody")), "what": what, "reason": one.reason}
    return _("Corrected by %(who)s: %(what)s. %(reason)s") % said
