"""The ledger in words: each line with its times in the reader's zone, its length in open time, and its cause."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from helpdesk.core.formatting import clock_time, day, duration, moment, open_duration
from helpdesk.desk.clock_cards import ICONS, ClockCard, clock_cards, correction_words, corrections_of
from helpdesk.sla import book
from helpdesk.sla.choices import DATED
from helpdesk.tickets import ledger_lines
from helpdesk.tickets.ledger import Again, Cycle, InForce, Ledger, ledgers_of
from helpdesk.tickets.ledger_lines import Bar, Line
from helpdesk.tickets.models import Ticket, TicketClock

Worded = Callable[[float | None], str]


@dataclass(frozen=True, kw_only=True)
class LineWords:
    kind: str
    word: str
    when: str
    cause: str
    length: str
    is_counted: bool
    seen: str = ""
    closed: str = ""
    nights: Sequence[str] = field(default_factory=tuple)


@dataclass(frozen=True, kw_only=True)
class CycleWords:
    """A cycle before the ticket was reopened. `state` met, breached or empty."""

    state: str
    icon: str
    verdict: str
    when: str
    sum: str
    lines: Sequence[LineWords]


@dataclass(frozen=True, kw_only=True)
class LedgerWords:
    """One clock on the ledger page. `sum` is its story in a sentence, `again` what a reopened ticket adds to it."""

    kind: str
    label: str
    card: ClockCard
    sum: str
    first: Sequence[LineWords]
    hidden: Sequence[LineWords]
    last: Sequence[LineWords]
    promises: Sequence[str]
    marks: Sequence[tuple[str, str, bool]]
    burn: Sequence[tuple[str, Sequence[tuple[str, str, int]]]]
    bars: Sequence[Bar]
    due_x: str
    now_x: str
    started: str
    due: str
    ended: str
    """Where the picture ends behind the deadline; else empty."""
    again: str = ""
    earlier: Sequence[CycleWords] = ()


BY = {"agent": lambda: _("Owner"), "team": lambda: _("Team"), "status": lambda: _("Status")}
KINDS = {
    "running": ("", lambda: _("Running")), "paused": ("pause", lambda: _("Paused")),
    "closed": ("closed", lambda: _("Closed hours")),
}  # fmt: skip


def ledger_context(ticket: Ticket, now: datetime) -> dict[str, Any]:
    zone = timezone.get_current_timezone()
    cards = {card.kind: card for card in clock_cards(ticket, now)}
    found = [_words(one, cards[one.clock.kind], now, zone) for one in ledgers_of(ticket, book.current(), now)]
    fixed = corrections_of(ticket) if any(one.card.is_corrected for one in found) else []
    return {
        "ledgers": found,
        "corrections": [(one.pk, str(one.get_kind_display()), correction_words(one, now, zone)) for one in fixed],
    }


def _words(ledger: Ledger, card: ClockCard, now: datetime, zone: tzinfo) -> LedgerWords:
    worded = open_duration if card.calendar else duration
    first, hidden, last = (
        [_line(one, now, zone, worded) for one in part] for part in ledger_lines.folded(ledger.lines)
    )
    return LedgerWords(
        kind=card.kind, label=card.label, card=card, sum=_sum(ledger, worded), first=first, hidden=hidden, last=last,
        promises=[_promise(one, now, zone, place == 0) for place, one in enumerate(ledger.promises)],
        marks=_marks(ledger, now, zone),
        burn=[(BY[name](), _shares(shares, worded)) for name, shares in ledger.burn if shares],
        bars=ledger.bars, due_x=ledger.due_x, now_x=ledger.now_x,
        started=moment(ledger.clock.started_at, now, zone),
        due=_("due %(when)s") % {"when": moment(ledger.clock.due_at, now, zone)} if ledger.clock.due_at else "",
        ended=_ended(ledger.clock, now, zone),
        again=_again(ledger.again, now, zone, worded) if ledger.again else "",
        earlier=[_cycle(one, now, zone, worded) for one in ledger.earlier],
    )  # fmt: skip


def _ended(clock: TicketClock, now: datetime, zone: tzinfo) -> str:
    end = clock.finished_at or now
    if clock.due_at is None or end <= clock.due_at:
        return ""
    return _("done %(when)s") % {"when": moment(end, now, zone)} if clock.finished_at else _("now")


def _again(again: Again, now: datetime, zone: tzinfo, worded: Worded) -> str:
    """ "Reopened once. First finished Tue 10:00, after 8 h; 12 h in all." """
    said = {"when": moment(again.first_at, now, zone), "used": worded(again.first_used), "all": worded(again.used)}
    times = ngettext("Reopened once.", "Reopened %(n)d times.", again.times) % {"n": again.times}
    return f"{times} " + _("First finished %(when)s, after %(used)s; %(all)s in all.") % said


def _cycle(one: Cycle, now: datetime, zone: tzinfo, worded: Worded) -> CycleWords:
    verdict = {"met": _("kept"), "breached": _("breached")}.get(one.state, _("nothing promised"))
    if one.is_retroactive:
        verdict = _("breached, only by a later change")
    parts = [_("%(used)s used.") % {"used": worded(one.used)}]
    if one.stood:
        parts.append(_("%(time)s stood still, not counted.") % {"time": worded(one.stood)})
    return CycleWords(
        state=one.state, icon=ICONS[one.state or "not_started"], verdict=verdict,
        when=_from_to(one.started_at, one.ended_at, now, zone), sum=" ".join(parts),
        lines=[_line(line, now, zone, worded) for line in one.lines],
    )  # fmt: skip


def _sum(ledger: Ledger, worded: Worded) -> str:
    """ "7 h 18 min of 8 h used. Priya 3 h 40 min, Marcus 1 h 40 min. 50 min stood still." """
    target = None if ledger.clock.source in DATED else ledger.clock.target_seconds
    said = {"used": worded(ledger.used), "target": worded(target)}
    parts = [(_("%(used)s of %(target)s used.") if target else _("%(used)s used.")) % said]
    owners = next((shares for name, shares in ledger.burn if name == "agent"), ())
    if owners:
        parts.append(", ".join(f"{name} {worded(seconds)}" for name, seconds in owners[:3]) + ".")
    if ledger.stood:
        parts.append(_("%(time)s stood still, not counted.") % {"time": worded(ledger.stood)})
    return " ".join(parts)


def _line(line: Line, now: datetime, zone: tzinfo, worded: Worded) -> LineWords:
    mark, word = KINDS[line.kind]
    cause = _("%(what)s, %(who)s") % {"what": line.cause, "who": line.by} if line.cause and line.by else line.cause
    return LineWords(
        kind=mark,
        word=word(),
        when=_from_to(line.from_at, line.to_at, now, zone, line.is_going_on),
        cause=cause or line.by,
        length=worded(line.seconds) if line.kind != "closed" else _("not counted"),
        is_counted=line.kind == "running",
        seen=_("seen between two pulls") if line.is_seen else "",
        closed=ledger_lines.closed_words(line.closed, line.holidays),
        nights=[_from_to(s.from_at, s.to_at, now, zone) for s in line.closed[:100]],
    )


def _from_to(start: datetime, end: datetime, now: datetime, zone: tzinfo, is_going_on: bool = False) -> str:
    """ "Mon 15:44 to 17:30", "Mon 15:44 to now"."""
    same = day(start, now, zone) == day(end, now, zone)
    until = _("now") if is_going_on else clock_time(end, zone) if same else moment(end, now, zone)
    return _("%(start)s to %(end)s") % {"start": moment(start, now, zone), "end": until}


def _promise(one: InForce, now: datetime, zone: tzinfo, is_first: bool) -> str:
    """ "Gold, version 3: 4 h by Office hours, since Wed 3 Jun 09:00, priority to High by Dana." """
    name = one.policy or _("Usual targets")
    if one.number:
        name = _("%(name)s, version %(n)d") % {"name": name, "n": one.number}
    if one.days is not None:
        target = _("%(n)d business days") % {"n": one.days}
    else:
        target = (open_duration if one.calendar else duration)(one.seconds) if one.seconds else _("nothing promised")
    by = _("by %(calendar)s") % {"calendar": one.calendar} if one.calendar else _("around the clock")
    since = _("from the start") if is_first else _("since %(when)s") % {"when": moment(one.since, now, zone)}
    return ", ".join(part for part in (f"{name}: {target} {by}", since, one.cause) if part)


def _marks(ledger: Ledger, now: datetime, zone: tzinfo) -> list[tuple[str, str, bool]]:
    found = [(f"{one.percent} %", moment(one.at, now, zone) or _("stands still"), one.is_over) for one in ledger.marks]
    if ledger.clock.breached_at:
        found.append((_("breached"), moment(ledger.clock.breached_at, now, zone), True))
    return found


def _shares(shares: Sequence[tuple[str, int]], worded: Worded) -> list[tuple[str, str, int]]:
    whole = sum(seconds for _name, seconds in shares) or 1
    return [(name, worded(seconds), round(100 * seconds / whole)) for name, seconds in shares[:8]]
