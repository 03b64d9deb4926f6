"""Both ledgers of one ticket, read from its story in a fixed number of queries and laid out by `ledger_lines`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import Any

from django.utils.translation import gettext as _

from helpdesk.sla.book import Book
from helpdesk.sla.choices import DATED
from helpdesk.sla.ledger import Run, read
from helpdesk.sla.models import Holiday
from helpdesk.tickets import ledger_lines
from helpdesk.tickets.choices import Precision
from helpdesk.tickets.ledger_lines import Bar, Happening, Held, Line, Mark
from helpdesk.tickets.models import Ticket, TicketClock, TicketEvent
from helpdesk.tickets.promises import Promise, rules_of
from helpdesk.tickets.stories import HOLD, PROMISED, RELEASE, Story, read_stories
from helpdesk.tickets.timeline import Meanings, Told, of_its_time, tell

HELD = {"agent": lambda: _("Nobody"), "team": lambda: _("No team"), "status": lambda: _("Unknown")}
TOLD = ("status", HOLD, RELEASE, *PROMISED, "agent")


@dataclass(frozen=True, kw_only=True)
class InForce:
    """A promise, since when, and what brought it."""

    since: datetime
    policy: str
    number: int
    seconds: int | None
    days: int | None
    calendar: str
    cause: str


@dataclass(frozen=True, kw_only=True)
class Cycle:
    """A cycle that ended, and was followed by another when the ticket was reopened. `state` empty = nothing was
    promised, `used` and `stood` are open seconds."""

    number: int
    started_at: datetime
    ended_at: datetime
    state: str
    is_retroactive: bool
    lines: Sequence[Line]
    used: int
    stood: int


@dataclass(frozen=True, kw_only=True)
class Again:
    """A reopened ticket: when it was finished first, the open seconds until then, and those of all of it."""

    first_at: datetime
    first_used: int
    used: int
    times: int
    """How often it was reopened."""


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """One clock's ledger. `burn` is (by what, [(who, seconds)]). `lines` and all beside `earlier` and `again` are of
    the cycle that counts now."""

    clock: TicketClock
    lines: Sequence[Line]
    promises: Sequence[InForce]
    marks: Sequence[Mark]
    burn: Sequence[tuple[str, Sequence[tuple[str, int]]]]
    bars: Sequence[Bar]
    due_x: str
    now_x: str
    used: int
    stood: int
    earlier: Sequence[Cycle] = ()
    again: Again | None = None


def ledgers_of(ticket: Ticket, book: Book, now: datetime) -> list[Ledger]:
    """The response's first. Five queries, and up to four where its story names more than it has at hand."""
    stories = read_stories([ticket])
    meanings = Meanings()
    (told,) = tell(
        [ticket], stories, account=rules_of(ticket.psa_account), meanings=meanings, book=book, now=now
    )  # fmt: skip
    events = list(TicketEvent.objects.filter(ticket=ticket, field__in=TOLD).order_by("at", "pk"))
    clocks = sorted(ticket.clocks.all(), key=lambda c: c.kind != "response")
    happened = _happened(ticket, events, stories[ticket.pk])
    days_off = _days_off(told, book)
    return [_ledger(clock, told, ticket, events, happened, days_off, book, now) for clock in clocks]


def _ledger(
    clock: TicketClock, told: Told, ticket: Ticket, events: Sequence[TicketEvent], happened: Sequence[Happening],
    days_off: Sequence[Holiday], book: Book, now: datetime,
) -> Ledger:  # fmt: skip
    run = told.runs.response if clock.kind == "response" else told.runs.resolution
    run = replace(run, finished_at=clock.finished_at)
    promise = told.promises[len(run.terms) - 1]
    hours = run.terms[-1].calendar
    holidays = _between(days_off, hours.zone, run.started_at, now)
    found = ledger_lines.lines(run, now=now, happened=happened, holidays=holidays)
    end = max(now if clock.finished_at is None else clock.finished_at, clock.due_at or run.started_at)
    earlier: list[Cycle] = []
    if clock.kind != "response":
        earlier = [_cycle(n, one, happened, holidays, now) for n, one in enumerate(told.runs.earlier, 1)]
    thresholds = promise.policy.thresholds if promise.policy else (50, 75, 90, 100)
    return Ledger(
        clock=clock,
        lines=found,
        promises=_in_force(told.promises[: len(run.terms)], clock.kind, events, book),
        marks=_marks(clock, run, thresholds, now),
        burn=[
            (name, ledger_lines.burn(found, hours, held_by(ticket, events, name, none())))
            for name, none in HELD.items()
        ],
        bars=ledger_lines.bars(run, now=now, end=end),
        due_x=_x(run, clock.due_at, end),
        now_x=_x(run, now, end) if clock.finished_at is None else "",
        used=_sum(found, "running"),
        stood=_sum(found, "paused"),
        earlier=earlier,
        again=_again(told, found, earlier) if clock.kind != "response" else None,
    )


def _cycle(
    number: int, cycle: Run, happened: Sequence[Happening], holidays: Mapping[str, tuple[datetime, datetime]],
    now: datetime,
) -> Cycle:  # fmt: skip
    """By what was promised until its end, as its verdict is."""
    run = of_its_time(cycle)
    found, lines = read(run, now=now), ledger_lines.lines(run, now=now, happened=happened, holidays=holidays)
    return Cycle(
        number=number, started_at=run.started_at, ended_at=run.finished_at or now,
        state=found.state if found.state in ("met", "breached") else "", is_retroactive=found.is_retroactive,
        lines=lines, used=_sum(lines, "running"), stood=_sum(lines, "paused"),
    )  # fmt: skip


def _again(told: Told, lines: Sequence[Line], earlier: Sequence[Cycle]) -> Again | None:
    """None for what was never reopened. Where the clock went on, the closed time is a pause among its lines."""
    first = told.runs.first_closed_at
    if first is None or not told.runs.reopened:
        return None
    before = [line for line in lines if line.from_at < first]
    return Again(
        first_at=first,
        first_used=earlier[0].used if earlier else _sum(before, "running"),
        used=_sum(lines, "running") + sum(one.used for one in earlier),
        times=told.runs.reopened,
    )


def _sum(lines: Iterable[Line], kind: str) -> int:
    return sum(line.seconds for line in lines if line.kind == kind)


def _marks(clock: TicketClock, run: Run, thresholds: Sequence[int], now: datetime) -> Sequence[Mark]:
    """As they are told of (`actions.steps`): where a date is simply given, shares of the time until it."""
    if clock.source not in DATED:
        return ledger_lines.marks(run, thresholds, now) if clock.target_seconds else ()
    if clock.due_at is None:
        return ()
    end, whole = clock.finished_at or now, clock.due_at - run.started_at
    found = [(percent, run.started_at + whole * percent / 100) for percent in sorted({*thresholds, 100})]
    return [
        Mark(percent=percent, at=at, is_over=at <= end)
        for percent, at in found
        if at <= end or clock.finished_at is None
    ]


def _x(run: Run, at: datetime | None, end: datetime) -> str:
    whole = (end - run.started_at).total_seconds()
    if at is None or whole <= 0 or at < run.started_at:
        return ""
    return f"{min(100.0, 100 * (at - run.started_at).total_seconds() / whole):.2f}%"


def _happened(ticket: Ticket, events: Sequence[TicketEvent], story: Story) -> list[Happening]:
    found = [Happening(at=ticket.opened_at, words=_("opened"))]
    for message in story.messages or ():
        found.append(Happening(at=message.at, words=_("the client wrote"), by=message.author))
    for event in events:
        if event.field in ("status", HOLD, RELEASE):
            seen = event.precision == Precision.POLLED
            found.append(Happening(at=event.at, words=_words(event), by=event.actor, is_seen=seen))
    return found


def _words(event: TicketEvent) -> str:
    if event.field == HOLD:
        return _("held: %(name)s") % {"name": event.new_label} if event.new_label else _("held")
    if event.field == RELEASE:
        return _("released: %(name)s") % {"name": event.new_label} if event.new_label else _("released")
    return event.new_label


def held_by(ticket: Ticket, events: Sequence[TicketEvent], name: str, none: str) -> list[Held]:
    """Who or what had the ticket from its start on, in the words of the time."""
    moves = [e for e in events if e.field == name]
    first = moves[0].old_label if moves else str(getattr(ticket, name) or "")
    found = [Held(from_at=ticket.opened_at, name=first or none)]
    found += [Held(from_at=e.at, name=e.new_label or none) for e in moves]
    return found


def _in_force(
    promised: Sequence[Promise], kind: str, events: Sequence[TicketEvent], book: Book
) -> list[InForce]:  # fmt: skip
    found = []
    for place, one in enumerate(promised):
        terms = one.response if kind == "response" else one.resolution
        found.append(
            InForce(
                since=one.since, policy=one.policy.name if one.policy else "",
                number=one.policy.number if one.policy else 0, seconds=terms.seconds, days=terms.days,
                calendar=book.calendar_names.get(one.calendar, ""),
                cause=_cause(one, events) if place else "",
            )
        )  # fmt: skip
    return found


def _cause(promise: Promise, events: Sequence[TicketEvent]) -> str:
    """What brought a promise: a change of the ticket in that very instant, else what was promised itself."""
    for event in events:
        if event.field in PROMISED and event.at == promise.since:
            said: dict[str, Any] = {"what": _FIELDS[event.field](), "new": event.new_label, "who": event.actor}
            return (_("%(what)s to %(new)s by %(who)s") if event.actor else _("%(what)s to %(new)s")) % said
    return _("policy or calendar changed")


_FIELDS = {
    "priority": lambda: _("priority"), "sla_policy": lambda: _("policy"), "contract": lambda: _("contract"),
    "client": lambda: _("client"), "team": lambda: _("team"),
}  # fmt: skip


def _days_off(told: Told, book: Book) -> list[Holiday]:
    keys = {p.calendar for p in told.promises if p.calendar}
    if not keys:
        return []
    return list(Holiday.objects.filter(calendar__in=keys, is_ignored=False).order_by("starts_on", "pk"))


def _between(
    days: Sequence[Holiday], zone: Any, start: datetime, end: datetime
) -> dict[str, tuple[datetime, datetime]]:
    found = {}
    for one in days:
        a = datetime.combine(one.starts_on, time.min, tzinfo=zone)
        b = datetime.combine(one.ends_on, time.min, tzinfo=zone) + timedelta(days=1)
        if a < end and start < b:
            found[one.name] = (a, b)
    return found
