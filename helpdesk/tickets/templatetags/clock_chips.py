"""A ticket's clock as a chip, for templates; loaded in every one of them."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Any

from django import template
from django.template import Context
from django.utils import timezone
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from helpdesk.core import chips
from helpdesk.sla.opening import hours_of
from helpdesk.tickets.clock_facts import calendar_of, seconds_of

register = template.Library()


@register.simple_tag(takes_context=True)
def sla(context: Context, ticket: Any) -> SafeString:
    """The clock that a row or card shows, from the ticket's own columns: no query."""
    return _chip(
        context, ticket.next_clock, ticket.clock_state, ticket.next_due_at, ticket.next_at_risk_at,
        ticket.clock_seconds, ticket.clock_calendar,
    )  # fmt: skip


@register.simple_tag(takes_context=True)
def clock_chip(context: Context, clock: Any) -> SafeString:
    """The same chip for one TicketClock."""
    return _chip(
        context, clock.kind, clock.state, clock.due_at, clock.at_risk_at, seconds_of(clock), calendar_of(clock)
    )


def _chip(
    context: Context,
    kind: str,
    state: str,
    due_at: datetime | None,
    at_risk_at: datetime | None,
    seconds: float | None,
    calendar: int,
) -> SafeString:
    now = context.get("now") or timezone.now()
    zone = timezone.get_current_timezone()
    return mark_safe(chip_html(kind, state, due_at, at_risk_at, seconds, calendar, now, zone))


def chip_html(
    kind: str,
    state: str,
    due_at: datetime | None,
    at_risk_at: datetime | None,
    seconds: float | None,
    calendar: int,
    now: datetime,
    zone: tzinfo,
) -> str:
    """A clock's chip, every value escaped; also for tables that are written without a template."""
    shown = chips.chip(kind, state, due_at, at_risk_at, seconds, now, zone, hours_of(calendar))
    ticks = ""
    if due_at and chips.ticks(due_at, state, seconds):
        ticks = f' data-due="{int(due_at.timestamp())}"'
        ticks += f' data-stood="{-int(seconds)}"' if seconds else ""
        if at_risk_at and shown.state == "running":
            ticks += f' data-risk="{int(at_risk_at.timestamp())}"'
        ticks += f' data-cal="{calendar}"' if calendar else ""
    title = escape(shown.title)
    return (
        f'<span class="sla" data-clock="{kind or "resolution"}" data-state="{shown.state}"{ticks} title="{title}">'
        f'{escape(shown.text)}<span class="hush">, {title}</span></span>'
    )
