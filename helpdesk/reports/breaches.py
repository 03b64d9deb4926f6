"""Breached tickets with the reason of each: those finished late in the period, or open and past due now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, tzinfo

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from helpdesk.core.paging import BadCursor, read_cursor
from helpdesk.reports import drill
from helpdesk.reports.filters import Filters
from helpdesk.reports.metrics import METRICS
from helpdesk.reports.reasons import Change, Facts, Held, Reason, explain, holders, over_words
from helpdesk.reports.sheets import Cell, Column, Kind, Line, Sheet
from helpdesk.sla.book import current
from helpdesk.sla.choices import ClockKind, ClockSource
from helpdesk.sla.history import Runs
from helpdesk.sla.ledger import Run
from helpdesk.tickets.choices import Category
from helpdesk.tickets.models import Status, Ticket, TicketClock, TicketEvent
from helpdesk.tickets.querysets import TicketQuerySet
from helpdesk.tickets.timeline import runs_of

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


@dataclass(frozen=True, kw_only=True)
class Breach:
    ticket: Ticket
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
    tickets = drill.tickets_in_order(seen, [pk for _value, pk in page.rows])
    return Found(
        breaches=why(tickets, kind, asked.now),
        count=drill.count(asked, seen),
        following=page.following,
        previous=page.previous,
        is_lost=is_lost,
    )


def every(asked: drill.Drill, kind: str, seen: TicketQuerySet, *, for_client: bool = False, most: int = MOST) -> Found:
    """All of them for a file, `most` at the most; `count` says how many there are."""
    breaches: list[Breach] = []
    cursor = None
    while len(breaches) < most:
        page = drill.page(asked, seen, cursor, size=min(200, most - len(breaches)))
        tickets = drill.tickets_in_order(seen, [pk for _value, pk in page.rows])
        breaches += why(tickets, kind, asked.now, for_client=for_client)
        if not page.following:
            break
        cursor = read_cursor(page.following, order=asked.order)
    return Found(breaches=breaches, count=drill.count(asked, seen))


def why(tickets: Sequence[Ticket], kind: str, now: datetime, *, for_client: bool = False) -> list[Breach]:
    """The reason of each, out of its own ledger. `for_client`: first names, and our words for where it stood."""
    if not tickets:
        return []
    ids = [ticket.pk for ticket in tickets]
    clocks, runs, changes = drill.clocks_of(ids), runs_of(tickets, current(), now), _changes(ids)
    found = []
    for ticket in tickets:
        which = kind if kind != "open" else (ticket.next_clock or ClockKind.RESOLUTION.value)
        clock = clocks.get(ticket.pk, {}).get(which)
        told = changes.get(ticket.pk, [])
        held = holders(_now_is(ticket), told)
        if for_client:
            told, held = [_for_client(c) for c in told], [_held_for_client(h) for h in held]
        facts = _facts(ticket, which, clock)
        reason = explain(facts, _run(runs.get(ticket.pk), which), held, told, now)
        found.append(
            Breach(ticket=ticket, kind=which, reason=reason, due_at=facts.due_at, ended_at=facts.ended_at)
        )  # fmt: skip
    return found


def _run(runs: Runs | None, kind: str) -> Run | None:
    return None if runs is None else runs.response if kind == ClockKind.RESPONSE else runs.resolution


def _facts(ticket: Ticket, kind: str, clock: TicketClock | None) -> Facts:
    if clock is None:
        return Facts(kind=kind, due_at=None, ended_at=ticket.finished_at)
    return Facts(
        kind=kind,
        due_at=clock.due_at,
        ended_at=clock.finished_at,
        breached_at=clock.breached_at,
        is_retroactive=clock.is_retroactive,
        is_corrected=clock.is_corrected or clock.source == ClockSource.HAND,
        is_theirs=clock.source == ClockSource.PSA,
    )


def _now_is(ticket: Ticket) -> Held:
    return Held(
        from_at=ticket.opened_at,
        agent=str(ticket.agent or ""),
        team=str(ticket.team or ""),
        category=ticket.status_category,
        status=ticket.status.name,
        rank=ticket.priority.name,
    )


def _changes(ids: Sequence[int]) -> Mapping[int, list[Change]]:
    """What moved each ticket from hand to hand; two queries."""
    columns = ("ticket", "field", "at", "old", "new", "old_label", "new_label", "actor")
    fields = ("agent", "team", "status", "priority", "client")
    rows = list(TicketEvent.objects.filter(ticket__in=ids, field__in=fields).order_by("at", "pk").values_list(*columns))
    keys = {int(key) for row in rows if row[1] == "status" for key in row[3:5] if key.isdecimal()}
    categories = {str(pk): c for pk, c in Status.objects.filter(pk__in=keys).values_list("pk", "category")}
    found: dict[int, list[Change]] = {}
    for ticket, name, at, old, new, old_label, new_label, actor in rows:
        is_status = name == "status"
        found.setdefault(ticket, []).append(
            Change(
                field=name, at=at, old=old_label, new=new_label, actor=actor,
                category=categories.get(new, "") if is_status else "",
                old_category=categories.get(old, "") if is_status else "",
            )
        )  # fmt: skip
    return found


# ---- for a client's eyes --------------------------------------------------------------------------------------------


def _first(name: str) -> str:
    return name.split()[0] if name.split() else ""


def _held_for_client(held: Held) -> Held:
    label = str(Category(held.category).label) if held.category in Category.values else ""
    return replace(held, agent=_first(held.agent), status=label)


def _for_client(change: Change) -> Change:
    if change.field != "agent":
        return replace(change, actor=_first(change.actor))
    return replace(change, actor=_first(change.actor), old=_first(change.old), new=_first(change.new))


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
    people = [] if for_client else [Cell(str(ticket.client or "")), Cell(str(ticket.agent or ""))]
    return Line(
        name=ticket.label,
        cells=[
            Cell(ticket.subject), *people, Cell(one.clock), Cell(local(one.due_at)), Cell(local(one.ended_at)),
            Cell(reason.over), Cell(reason.text), Cell(", ".join(reason.marks)),
        ],
    )  # fmt: skip
