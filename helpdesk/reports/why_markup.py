"""Tickets as lines with a reason: why they were late, or for whom they wait. Written from values, each escaped."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo
from html import escape

from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from helpdesk.core.formatting import moment
from helpdesk.reports.breaches import Breach
from helpdesk.reports.client_review import Waiting
from helpdesk.tickets.rows import ticket_prefix


def why_html(breaches: Sequence[Breach], now: datetime, zone: tzinfo, *, with_client: bool = True) -> SafeString:
    """One line each: what, whose, and why it was late."""
    before, after = ticket_prefix()
    due, ended = _("%(clock)s due %(at)s"), _(", ended %(at)s")
    lines = [_line(one, f"{before}{one.ticket.pk}{after}", due, ended, now, zone, with_client) for one in breaches]
    return mark_safe("\n".join(lines))


def _line(one: Breach, href: str, due: str, ended: str, now: datetime, zone: tzinfo, with_client: bool) -> str:
    title = due % {"clock": one.clock, "at": moment(one.due_at, now, zone)} if one.due_at else one.clock
    title += ended % {"at": moment(one.ended_at, now, zone)} if one.ended_at else ""
    marks = "".join(f' <span class="mark-word">{escape(mark)}</span>' for mark in one.reason.marks)
    ticket, client = one.ticket, (one.ticket.client or "") if with_client else ""
    return (
        f'<li data-ticket="{ticket.pk}"><span class="number">{escape(ticket.label)}</span><span class="subject-line">'
        f'<a class="subject" href="{href}">{escape(ticket.subject)}</a> '
        f'<span class="client">{escape(client)}</span><br>'
        f'<span class="reason">{escape(one.reason.text)}</span>{marks}</span>'
        f'<span class="sla" data-clock="{one.kind}" data-state="breached" title="{escape(title)}">{escape(one.over)}'
        "</span></li>"
    )


def waiting_html(waiting: Sequence[Waiting], now: datetime, zone: tzinfo) -> SafeString:
    """Rows of a table: an open request, and for whom it waits."""
    before, after = ticket_prefix()
    return mark_safe("\n".join(_waiting(one, f"{before}{one.ticket.pk}{after}", now, zone) for one in waiting))


def _waiting(one: Waiting, href: str, now: datetime, zone: tzinfo) -> str:
    ticket, what = one.ticket, escape(one.what)
    return (
        f'<tr><td><span class="prio" data-rank="{ticket.rank}">{escape(ticket.priority)}</span> {escape(ticket.label)}'
        f'</td><th scope="row"><a href="{href}">{escape(ticket.subject)}</a></th>'
        f'<td class="spare">{moment(ticket.opened_at, now, zone)}</td>'
        f'<td class="spare">{escape(ticket.standing)}</td><td>{f"<b>{what}</b>" if one.is_yours else what}</td></tr>'
    )
