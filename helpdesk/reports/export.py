"""The tickets behind a figure as CSV: one line per ticket, with what its clocks say."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from datetime import datetime, tzinfo
from typing import Any

from django.db.models import Min, Sum
from django.utils.translation import gettext as _

from helpdesk.reports.drill import Drill, clocks_of, every_key, shares, tickets_in_order
from helpdesk.reports.models import TicketDay
from helpdesk.sla.choices import ClockState
from helpdesk.tickets.choices import FINISHED
from helpdesk.tickets.models import Ticket, TicketClock, TicketSpan
from helpdesk.tickets.querysets import TicketQuerySet

COUNTED = (
    "opened", "finished", "reopened", "escalated", "response_met", "response_breached", "resolution_met",
    "resolution_breached", "billable_seconds", "nonbillable_seconds",
)  # fmt: skip
"""What the ticket adds to the figures of the period: the sums of these columns are the figures."""
_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What begins a formula; the wide ones do in a spreadsheet of East Asia."""
_DANGEROUS = (*_FORMULA, "\t", "\r", "\n")


def safe_cell(value: object) -> str:
    """Text that a spreadsheet shows and never runs: an apostrophe before what could begin a formula."""
    text = "" if value is None else str(value)
    if text.startswith(_DANGEROUS) or text.lstrip().startswith(_FORMULA):
        return f"'{text}"
    return text


class _Line:
    """What csv.writer writes into: hands the line back."""

    def write(self, line: str) -> str:
        return line


def header(zone: tzinfo) -> list[str]:
    at = {"zone": str(zone)}
    return [
        _("Number"), _("PSA account"), _("Subject"), _("Client"), _("Team"), _("Owner"), _("Type"), _("Priority"),
        _("Status"), _("Status kind"), _("Opened (%(zone)s)") % at, _("First answer (%(zone)s)") % at,
        _("Finished (%(zone)s)") % at, _("Response due (%(zone)s)") % at, _("Response result"),
        _("Response breached at (%(zone)s)") % at, _("Resolution due (%(zone)s)") % at, _("Resolution result"),
        _("Resolution breached at (%(zone)s)") % at, _("Retroactive"), _("Due date from"), _("Hours to first answer"),
        _("Hours to resolution"), _("Open hours to first answer"), _("Open hours to resolution"),
        _("Open hours paused"), _("Corrected by hand"), _("First finished (%(zone)s)") % at,
        *(_("Counted: %(name)s") % {"name": name.replace("_", " ")} for name in COUNTED),
        _("Counts in this figure (times or seconds)"),
    ]  # fmt: skip


def lines(drill: Drill, seen: TicketQuerySet, zone: tzinfo) -> Iterator[str]:
    """Line by line, 500 tickets in memory at most. Begins with a byte order mark: Excel reads UTF-8 by it."""
    writer = csv.writer(_Line(), lineterminator="\r\n")
    yield "\ufeff" + writer.writerow(header(zone))  # type: ignore[operator]
    for row in rows(drill, seen, zone):
        yield writer.writerow([safe_cell(cell) for cell in row])  # type: ignore[misc]


def rows(drill: Drill, seen: TicketQuerySet, zone: tzinfo) -> Iterator[list[Any]]:
    """Ticket by ticket, as a file holds it: each once, with all that it adds to the period."""
    told: set[int] = set()
    for piece in every_key(drill, seen):
        ids = piece
        if drill.metric.is_cyclic:
            ids = [pk for pk in dict.fromkeys(piece) if pk not in told]
            told.update(ids)
        clocks, counted, own = clocks_of(ids), _counted(drill, ids), shares(drill, ids)
        ended = first_ends(ids)
        for ticket in tickets_in_order(seen, ids):
            sums = counted.get(ticket.pk, [0] * len(COUNTED))
            cells = _cells(ticket, clocks.get(ticket.pk, {}), zone)
            yield [*cells, _at(ended.get(ticket.pk), zone), *sums, own.get(ticket.pk, 0)]


def first_ends(ids: Sequence[int]) -> dict[int, datetime]:
    """ticket -> when it was finished for the first time; the last time stands beside it."""
    spans = TicketSpan.objects.filter(ticket__in=ids, category__in=FINISHED).order_by()
    return dict(spans.values_list("ticket_id").annotate(at=Min("from_at")))


def _counted(drill: Drill, ids: Sequence[int]) -> dict[int, list[int]]:
    rows = TicketDay.objects.between(drill.first, drill.last).under(drill.filters.dimensions).of_tickets(ids)
    sums = rows.order_by().values_list("ticket_id").annotate(*(Sum(name) for name in COUNTED))
    return {row[0]: list(row[1:]) for row in sums}


def _cells(ticket: Ticket, clocks: dict[str, TicketClock], zone: tzinfo) -> list[Any]:
    response, resolution = clocks.get("response"), clocks.get("resolution")
    return [
        ticket.label, ticket.psa_account.title, ticket.subject, ticket.client or "", ticket.team or "",
        ticket.agent or "", ticket.ticket_type or "", ticket.priority, ticket.status,
        ticket.get_status_category_display(), _at(ticket.opened_at, zone), _at(ticket.first_responded_at, zone),
        _at(ticket.finished_at, zone), *_clock_cells(response, zone), *_clock_cells(resolution, zone),
        _("yes") if resolution and resolution.is_retroactive else "", resolution.source if resolution else "",
        _hours(ticket.opened_at, ticket.first_responded_at), _hours(ticket.opened_at, ticket.finished_at),
        _burned(response), _burned(resolution), _decimal(resolution.paused_seconds) if resolution else "",
        _("yes") if any(c is not None and c.is_corrected for c in (response, resolution)) else "",
    ]  # fmt: skip


def _burned(clock: TicketClock | None) -> str:
    return "" if clock is None or clock.burned_seconds is None else _decimal(clock.burned_seconds)


def _clock_cells(clock: TicketClock | None, zone: tzinfo) -> list[str]:
    if clock is None or clock.state == ClockState.NOT_STARTED:
        return ["", "", ""]
    return [_at(clock.due_at, zone), str(ClockState(clock.state).label), _at(clock.breached_at, zone)]


def _at(at: datetime | None, zone: tzinfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S}" if at else ""


def _hours(start: datetime, end: datetime | None) -> str:
    return _decimal(max(0.0, (end - start).total_seconds())) if end else ""


def _decimal(seconds: float) -> str:
    return f"{seconds / 3600:.2f}"
