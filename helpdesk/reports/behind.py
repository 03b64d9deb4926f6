"""The lines of the tickets behind a figure: columns read as they are, and written without a template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import NamedTuple

from django.utils.safestring import SafeString, mark_safe

from helpdesk.core.formatting import duration, moment
from helpdesk.core.templatetags.words import STATUS_SHAPES
from helpdesk.tickets.clock_facts import calendar_between, seconds_between
from helpdesk.tickets.models import TicketClock
from helpdesk.tickets.querysets import TicketQuerySet
from helpdesk.tickets.rows import escape, ticket_prefix
from helpdesk.tickets.templatetags.clock_chips import chip_html


class Behind(NamedTuple):
    """A ticket behind a figure."""

    pk: int
    number: str
    subject: str
    rank: int
    priority: str
    client: str | None
    agent: str | None
    status: str
    category: str
    opened_at: datetime
    finished_at: datetime | None
    next_clock: str
    clock_calendar: int
    clock_seconds: int | None

    @property
    def label(self) -> str:
        return self.number or f"new-{self.pk}"


_TICKET = (
    "pk", "number", "subject", "rank", "priority__name", "client__name", "agent__name", "status__name",
    "status_category", "opened_at", "finished_at", "next_clock", "clock_calendar", "clock_seconds",
)  # fmt: skip


class Clock(NamedTuple):
    """What a chip is told from."""

    ticket_id: int
    kind: str
    state: str
    source: str
    policy_id: int | None
    started_at: datetime | None
    due_at: datetime | None
    at_risk_at: datetime | None
    remaining_seconds: int | None
    paused_since: datetime | None
    finished_at: datetime | None
    burned_seconds: int | None
    target_seconds: int | None


@dataclass(frozen=True, kw_only=True)
class Beside:
    """What some figures show more of each ticket: seconds booked, and when it was finished first. None = not shown."""

    booked: Mapping[int, int] | None = None
    first_ends: Mapping[int, datetime] | None = None


def rows_html(seen: TicketQuerySet, ids: Sequence[int], beside: Beside, now: datetime, zone: tzinfo) -> SafeString:
    """In the order of the ids; two queries."""
    if not ids:
        return mark_safe("")
    known = {row[0]: Behind._make(row) for row in seen.only_ids(ids).order_by().values_list(*_TICKET)}
    clocks = {
        (row[0], row[1]): Clock._make(row)
        for row in TicketClock.objects.filter(ticket__in=ids).values_list(*Clock._fields)
    }
    before, after = ticket_prefix()
    found = []
    for pk in ids:
        if (ticket := known.get(pk)) is None:
            continue
        chips = "".join(
            f"<td>{_chip(clocks.get((pk, kind)), ticket, now, zone)}</td>" for kind in ("response", "resolution")
        )
        found.append(_line(ticket, f"{before}{pk}{after}", beside, chips, now, zone))
    return mark_safe("\n".join(found))


def _line(ticket: Behind, href: str, beside: Beside, chips: str, now: datetime, zone: tzinfo) -> str:
    first = ended = ""
    if beside.first_ends is not None:
        first = f'<td class="when">{moment(beside.first_ends.get(ticket.pk), now, zone)}</td>'
    if beside.booked is not None:
        ended = f'<td class="end">{duration(beside.booked.get(ticket.pk))}</td>'
    status = escape(ticket.status)
    shape = STATUS_SHAPES.get(ticket.category, ticket.category)
    return (
        f'<tr data-ticket="{ticket.pk}"><td><span class="prio" data-rank="{ticket.rank}">'
        f"{escape(ticket.priority)}</span> {escape(ticket.label)}</td>"
        f'<th scope="row"><a href="{href}">{escape(ticket.subject)}</a></th>'
        f'<td class="spare name">{escape(ticket.client or "")}</td>'
        f'<td class="spare name">{escape(ticket.agent or "")}</td><td class="spare" title="{status}">'
        f'<span class="status" data-status="{shape}"><span class="hush">{status}</span></span></td>'
        f'<td class="when spare roomy">{moment(ticket.opened_at, now, zone)}</td>{first}'
        f'<td class="when">{moment(ticket.finished_at, now, zone)}</td>{ended}{chips}</tr>'
    )


def _chip(clock: Clock | None, ticket: Behind, now: datetime, zone: tzinfo) -> str:
    if clock is None:
        return ""
    calendar = calendar_between(clock, ticket)
    seconds = seconds_between(clock, ticket)
    return chip_html(clock.kind, clock.state, clock.due_at, clock.at_risk_at, seconds, calendar, now, zone)
