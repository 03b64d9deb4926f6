"""The manager's overview, the tickets behind a figure, and the same as a file."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from helpdesk.accounts.permissions import requires
from helpdesk.accounts.services import record_audit
from helpdesk.core.htmx import render_page
from helpdesk.core.paging import BadCursor
from helpdesk.reports import behind, drill, export, files, head_markup, live, markup, tables
from helpdesk.reports import overview as parts
from helpdesk.reports.asking import Asked, as_file, can_take, choices, person_of, read, shared
from helpdesk.reports.breaches import KINDS as REASONS
from helpdesk.reports.metrics import DEFAULT, METRICS, find_metric
from helpdesk.reports.shapes import hours, number
from helpdesk.reports.trends import GOAL
from helpdesk.tickets.access import desk_tickets
from helpdesk.tickets.choices import Category
from helpdesk.tickets.querysets import TicketQuerySet

REASONED = {metric: kind for kind, metric in REASONS.items()}
"""Figures whose tickets have a reason -> what the page of breaches calls them."""
AGAIN = ("reopened", "ended")
"""Figures whose tickets may have been finished several times: the first time stands beside the last."""
MOST_IN_WORKBOOK = 10_000
"""Tickets: a workbook of so many takes some seconds to make. CSV leaves line by line and has no end."""


@require_GET
@requires("reports.view")
def overview(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    asked = read(request.GET.dict(), now)
    address, seen = asked.address, desk_tickets(person_of(request))
    found = parts.read_sums(address)
    open_now = live.count_live(seen, asked.filters, now)
    priorities = tables.by_priority(address)
    foot = tables.all_row(address, found.now, found.before)
    table = tables.by_dimension(address, address.by or "client", is_all="all" in request.GET)
    context = {
        **shared(request, asked, now),
        "title": _("Did we keep our promises?"),
        "figures": markup.figures(parts.key_figures(address, found, open_now, now)),
        "others": markup.other_rows(parts.other_figures(address, found, open_now)),
        "opened": number(found.now["opened"]),
        "finished": number(found.now["finished"]),
        "trend": markup.trend(address, found.steps),
        "priorities": markup.table_rows(priorities, is_priority=True, compare=address.compare),
        "all_row": markup.table_rows([foot], is_priority=False, compare=address.compare),
        "table": table,
        "table_rows": markup.table_rows(table.rows, is_priority=False, compare=address.compare),
        "table_by": asked.by,
        "table_choices": choices(asked),
        "table_all": address.page(all="1"),
        "statuses": markup.stand_rows(parts.by_status(address, found.now, open_now)),
        "open_ranks": markup.stand_rows(parts.open_by_priority(address, priorities, open_now), is_priority=True),
        "at_risk_count": number(open_now.at_risk),
        "breached_count": number(open_now.breached),
        "at_risk_href": address.tickets("at_risk"),
        "breached_href": address.tickets("breached_now"),
        "goal": GOAL,
        "breaches_href": address.other("breaches"),
        "latest_href": address.other("latest"),
        "is_pressing": bool(open_now.at_risk or open_now.breached),
    }
    return render_page(request, page="reports/overview.html", partial="reports/_overview.html", context=context)


def _drill(request: HttpRequest, asked: Asked, now: datetime) -> drill.Drill:
    wanted = request.GET.get("metric") or DEFAULT
    metric = find_metric(wanted)
    if metric is None:
        asked.filters.ignored.append(_("figure “%(value)s”") % {"value": wanted[:60]})
        metric = METRICS[DEFAULT]
    category = request.GET.get("status", "")
    if category and (category not in Category.values or metric.key != "open"):
        asked.filters.ignored.append(_("status “%(value)s”") % {"value": category[:60]})
        category = ""
    return drill.Drill(
        metric=metric,
        filters=asked.filters,
        first=asked.period.first,
        last=asked.period.last,
        now=now,
        category=category,
    )


@require_GET
@requires("reports.view")
def tickets(request: HttpRequest) -> HttpResponse:
    """The tickets behind one figure, 50 to a page."""
    now = timezone.now()
    asked = read(request.GET.dict(), now, where="tickets")
    wanted, seen, address = _drill(request, asked, now), desk_tickets(person_of(request)), asked.address
    try:
        cursor = drill.cursor_of(request.GET.get("cursor", ""), wanted)
    except BadCursor:
        cursor = None
        asked.filters.ignored.append(_("page (this is the first)"))
    page = drill.page(wanted, seen, cursor)
    ids = [pk for _value, pk in page.rows]
    key = wanted.metric.key
    own = {"status": wanted.category or None}
    seconds = drill.booked_in_all(wanted)
    beside = behind.Beside(
        booked=drill.booked(wanted, ids) if seconds is not None else None,
        first_ends=export.first_ends(ids) if key in AGAIN else None,
    )
    count = drill.count(wanted, seen)
    files_of = [("csv", address.csv(key, **own)), ("xlsx", address.xlsx(key, **own))]
    context = {
        **shared(request, asked, now),
        "metric": wanted.metric,
        "category": Category(wanted.category).label if wanted.category else "",
        "count": count,
        "times": drill.times_in_all(wanted),
        "hours": hours(round(seconds / 3600, 2)) if seconds is not None else "",
        "rows": behind.rows_html(seen, ids, beside, now, timezone.get_current_timezone()),
        "is_again": key in AGAIN,
        "chips": [(chip, address.tickets(key, **{**own, chip.name: None})) for chip in address.filters.chips()],
        "following": address.tickets(key, **own, cursor=page.following) if page.following else "",
        "previous": address.tickets(key, **own, cursor=page.previous) if page.previous else "",
        "back": address.other("overview"),
        "reasons": address.other("breaches", kind=REASONED[key]) if key in REASONED else "",
        "files": head_markup.take(files_of[: 1 if count > MOST_IN_WORKBOOK else 2]) if can_take(request) else "",
    }
    return render_page(request, page="reports/tickets.html", partial="reports/_tickets.html", context=context)


@require_GET
@requires("reports.export")
def csv_file(request: HttpRequest) -> HttpResponse:
    """The same tickets, streamed; who took them is written down first."""
    taken = _to_take(request)
    _write_down(request, taken, "csv")
    lines = export.lines(taken.wanted, taken.seen, taken.asked.zone)
    return as_file(StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8"), _name(taken.wanted, "csv"))


@require_GET
@requires("reports.export")
def xlsx_file(request: HttpRequest) -> HttpResponse:
    """The same tickets as a workbook, which is made whole before it leaves: of very many as CSV instead."""
    taken = _to_take(request)
    if taken.number > MOST_IN_WORKBOOK:
        return redirect(f"{reverse('reports:csv')}?{request.GET.urlencode()}")
    _write_down(request, taken, "xlsx")
    lines = export.rows(taken.wanted, taken.seen, taken.asked.zone)
    body = files.xlsx_table(str(taken.wanted.metric.label), export.header(taken.asked.zone), lines)
    return as_file(HttpResponse(body, content_type=files.XLSX), _name(taken.wanted, "xlsx"))


class _Taken(NamedTuple):
    """Tickets that go into a file: how many of those the reader may see."""

    asked: Asked
    wanted: drill.Drill
    seen: TicketQuerySet
    number: int
    now: datetime


def _to_take(request: HttpRequest) -> _Taken:
    now = timezone.now()
    asked = read(request.GET.dict(), now, where="tickets")
    wanted, seen = _drill(request, asked, now), desk_tickets(person_of(request))
    return _Taken(asked, wanted, seen, drill.count(wanted, seen), now)


def _write_down(request: HttpRequest, taken: _Taken, kind: str) -> None:
    record_audit(
        user=person_of(request),
        verb="report.export",
        subject=f"report:{taken.wanted.metric.key}",
        detail={
            "from": taken.wanted.first.isoformat(), "to": taken.wanted.last.isoformat(),
            "filters": taken.asked.filters.query(), "tickets": taken.number, "format": kind,
        },
        now=taken.now,
        request_id=getattr(request, "id", ""),
    )  # fmt: skip


def _name(wanted: drill.Drill, kind: str) -> str:
    return f"{wanted.metric.key}-{wanted.first}-{wanted.last}.{kind}"
