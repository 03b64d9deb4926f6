"""Breached tickets with the reason of each: those finished late in the period, or open and past due now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from helpdesk.core.paging import BadCursor, read_cursor
from helpdesk.reports import drill, figures
from helpdesk.reports.burns import Burn, kept_burn
from helpdesk.reports.filters import Filters
from helpdesk.reports.lateness import CLOCK, facts_of, read_burns
from helpdesk.reports.metrics import METRICS
from helpdesk.reports.models import LateClock
from helpdesk.reports.reasons import Names, Reason, over_words, told
from helpdesk.reports.sheets import Cell, Column, Kind, Line, Sheet
from helpdesk.sla.choices import ClockKind
from helpdesk.tickets.models import TicketClock
from helpdesk.tickets.querysets import TicketQuerySet

SIZE = 20
MOST = 1000
"""In a file: more reasons than anybody reads, and a bounded time to find them."""
KINDS = {"resolution": "resolution_breached", "response": "response_breached", "open": "breached_now"}
"""What is listed -> the figure whose tickets these are."""
LABELS = {
    "resolution": gettext_lazy("Resolved late"),
    "response": gettext_lazy("Answered late"),
    "open": gettext_lazy("Open, past due"),
}


class Subject(NamedTuple):
    """The ticket of a breach: what its line shows, and how it stands for the reason."""

    pk: int
    number: str
    subject: str
    next_clock: str
    client: str | None
    agent: str | None
    team: str | None
    status: str

    @property
    def label(self) -> str:
        return self.number or f"new-{self.pk}"


_SUBJECT = ("pk", "number", "subject", "next_clock", "client__name", "agent__name", "team__name", "status__name")


@dataclass(frozen=True, kw_only=True)
class Breach:
    ticket: Subject
    kind: str
    reason: Reason
    due_at: datetime | None
    ended_at: datetime | None

    @property
    def clock(self) -> str:
        return str(ClockKind(self.kind).label)

    @property
    def over(self) -> str:
        return over_words(self.reason)


@dataclass(frozen=True, kw_only=True)
class Found:
    breaches: list[Breach]
    count: int
    following: str = ""
    previous: str = ""
    is_lost: bool = False
    """The address named a place in the list that is none."""


def wanted(kind: str, filters: Filters, first: date, last: date, now: datetime) -> drill.Drill:
    return drill.Drill(metric=METRICS[KINDS[kind]], filters=filters, first=first, last=last, now=now)


def find(asked: drill.Drill, kind: str, seen: TicketQuerySet, *, cursor: str = "", size: int = SIZE) -> Found:
    """One page of them, newest first (open ones: longest overdue first), in a fixed number of queries."""
    try:
        place, is_lost = drill.cursor_of(cursor, asked), False
    except BadCursor:
        place, is_lost = None, True
    page = drill.page(asked, seen, place, size=size)
    return Found(
        breaches=why(seen, [pk for _value, pk in page.rows], kind, asked.now),
        count=how_many(asked, seen),
        following=page.following,
        previous=page.previous,
        is_lost=is_lost,
    )


def every(
    asked: drill.Drill, kind: str, seen: TicketQuerySet, *, for_client: bool = False, most: int = MOST,
    count: int | None = None,
) -> Found:  # fmt: skip
    """All of them for a file, `most` at the most; `count` says how many there are, where nobody knows it yet."""
    breaches: list[Breach] = []
    cursor = None
    while len(breaches) < most:
        page = drill.page(asked, seen, cursor, size=min(200, most - len(breaches)))
        breaches += why(seen, [pk for _value, pk in page.rows], kind, asked.now, for_client=for_client)
        if not page.following:
            break
        cursor = read_cursor(page.following, order=asked.order)
    return Found(breaches=breaches, count=how_many(asked, seen) if count is None else count)


def how_many(asked: drill.Drill, seen: TicketQuerySet) -> int:
    """The figure itself: of what is finished from the kept sums, for its rows would be read by the ten thousand."""
    if asked.metric.is_live:
        return drill.count(asked, seen)
    return sum(figures.whole(asked, asked.filters, asked.metric.counters).values.values())


def why(
    seen: TicketQuerySet, ids: Sequence[int], kind: str, now: datetime, *, for_client: bool = False
) -> list[Breach]:
    """The reason of each, from what is kept of its ledger; what runs on is read from the ledger itself.

    `for_client`: first names, and our words for where it stood.
    """
    if not ids:
        return []
    known = {row[0]: Subject._make(row) for row in seen.only_ids(ids).order_by().values_list(*_SUBJECT)}
    subjects = [known[pk] for pk in ids if pk in known]
    late = _kept(ids, kind) if kind in ClockKind.values else {}
    late |= _read([one for one in subjects if one.pk not in late], kind, now)
    return [_breach(one, late[one.pk], for_client) for one in subjects if one.pk in late]


class _Late(NamedTuple):
    kind: str
    due_at: datetime | None
    ended_at: datetime | None
    burn: Burn


def _kept(ids: Sequence[int], kind: str) -> dict[int, _Late]:
    rows = LateClock.objects.filter(ticket_id__in=ids, kind=kind).values_list("ticket_id", "due_at", "ended_at", "burn")
    return {pk: _Late(kind, due_at, ended_at, kept_burn(burn)) for pk, due_at, ended_at, burn in rows}


def _read(subjects: Sequence[Subject], kind: str, now: datetime) -> dict[int, _Late]:
    """Of clocks that run on, and of those that were not counted yet."""
    if not subjects:
        return {}
    clocks = TicketClock.objects.filter(ticket__in=[one.pk for one in subjects]).values_list("ticket", "kind", *CLOCK)
    own = {(pk, which): clock for pk, which, *clock in clocks}
    asked = {}
    for one in subjects:
        which = kind if kind in ClockKind.values else (one.next_clock or ClockKind.RESOLUTION.value)
        asked[one.pk] = [facts_of(which, own.get((one.pk, which)) or (None,) * len(CLOCK))]
    burns = read_burns(asked, now)
    return {
        pk: _Late(one.kind, one.due_at, one.ended_at, burns[pk, one.kind])
        for pk, (one,) in asked.items()
        if (pk, one.kind) in burns
    }


def _breach(one: Subject, late: _Late, for_client: bool) -> Breach:
    names = Names(agent=one.agent or "", team=one.team or "", status=one.status, is_for_client=for_client)
    reason = told(late.burn, kind=late.kind, is_open=late.ended_at is None, names=names)
    return Breach(ticket=one, kind=late.kind, reason=reason, due_at=late.due_at, ended_at=late.ended_at)


# ---- as a table -----------------------------------------------------------------------------------------------------


def sheet(found: Found, kind: str, zone: tzinfo, *, for_client: bool = False) -> Sheet:
    """For a file."""
    at = {"zone": str(zone)}
    columns = [
        Column(label=_("Subject"), kind=Kind.TEXT), Column(label=_("Clock"), kind=Kind.TEXT),
        Column(label=_("Due (%(zone)s)") % at, kind=Kind.MOMENT),
        Column(label=_("Ended (%(zone)s)") % at, kind=Kind.MOMENT), Column(label=_("Over"), kind=Kind.SPAN),
        Column(label=_("Reason"), kind=Kind.TEXT), Column(label=_("Marked"), kind=Kind.TEXT),
    ]  # fmt: skip
    if not for_client:
        columns[1:1] = [Column(label=_("Client"), kind=Kind.TEXT), Column(label=_("Owner"), kind=Kind.TEXT)]
    return Sheet(
        key=f"breaches-{kind}", title=LABELS[kind], definition=METRICS[KINDS[kind]].definition, first=_("Number"),
        columns=columns, lines=[_line(one, zone, for_client) for one in found.breaches],
        empty=_("Nothing was late."),
    )  # fmt: skip


def _line(one: Breach, zone: tzinfo, for_client: bool) -> Line:
    def local(at: datetime | None) -> datetime | None:
        return at.astimezone(zone) if at else None

    ticket, reason = one.ticket, one.reason
    people = [] if for_client else [Cell(ticket.client or ""), Cell(ticket.agent or "")]
    return Line(
        name=ticket.label,
        cells=[
            Cell(ticket.subject), *people, Cell(one.clock), Cell(local(one.due_at)), Cell(local(one.ended_at)),
            Cell(reason.over), Cell(reason.text), Cell(", ".join(reason.marks)),
        ],
    )  # fmt: skip
