"""The manager's pages: the overview, the tickets behind a figure, and the same as CSV."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from helpdesk.accounts.models import User
from helpdesk.accounts.permissions import can, requires
from helpdesk.accounts.services import record_audit
from helpdesk.core.htmx import render_page
from helpdesk.core.paging import BadCursor
from helpdesk.reports import drill, export, live, markup, tables
from helpdesk.reports import overview as parts
from helpdesk.reports.filters import Filters, read_filters
from helpdesk.reports.metrics import DEFAULT, METRICS
from helpdesk.reports.models import FoldState
from helpdesk.reports.periods import NAMES as PERIODS
from helpdesk.reports.periods import Period, read_period
from helpdesk.reports.shapes import Address, hours, number
from helpdesk.reports.trends import GOAL
from helpdesk.tickets.access import desk_tickets
from helpdesk.tickets.choices import Category, Rank

BY = {"client": gettext_lazy("Client"), "team": gettext_lazy("Team"), "agent": gettext_lazy("Owner")}


def _person(request: HttpRequest) -> User:
    return cast(User, request.user)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The address of a report, read."""

    state: FoldState
    zone: ZoneInfo
    period: Period
    filters: Filters
    address: Address
    notes: list[str]


def _read(request: HttpRequest, now: datetime) -> Asked:
    state = FoldState.objects.first() or FoldState()
    zone = ZoneInfo(state.time_zone)
    period = read_period(request.GET, today=now.astimezone(zone).date())
    filters = read_filters(request.GET)
    by = request.GET.get("by", "")
    notes = list(period.notes)
    if by and by not in BY:
        filters.ignored.append(_("table by “%(value)s”") % {"value": by[:60]})
    address = Address(
        period=period,
        filters=filters,
        compare=request.GET.get("compare", "on") != "off",
        by=by if by in BY and by != "client" else "",
    )
    return Asked(state=state, zone=zone, period=period, filters=filters, address=address, notes=notes)


def _shared(request: HttpRequest, asked: Asked, now: datetime) -> dict[str, Any]:
    """What every report page says about itself."""
    return {
        "now": now,
        "period": asked.period,
        "filters": asked.filters,
        "address": asked.address,
        "zone": str(asked.zone),
        "counted_at": asked.state.caught_up_at.astimezone(asked.zone) if asked.state.caught_up_at else None,
        "notes": asked.notes,
        "may_export": can(request.user, "reports.export"),
    }


@require_GET
@requires("reports.view")
def overview(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    asked = _read(request, now)
    address, seen = asked.address, desk_tickets(_person(request))
    found = parts.read_sums(address)
    open_now = live.count_live(seen, asked.filters, now)
    at_risk, breached = live.pressing(seen, asked.filters, open_now, now)
    priorities = tables.by_priority(address)
    foot = tables.all_row(address, found.now, found.before)
    table = tables.by_dimension(address, address.by or "client", is_all="all" in request.GET)
    context = {
        **_shared(request, asked, now),
        "periods": [(name, label, address.with_period(name)) for name, label in PERIODS.items()],
        "compare_href": address.page(compare="off" if address.compare else None),
        "csv": address.csv(DEFAULT),
        "chips": _chips(address),
        "ranks": [(rank, address.page(priority=str(rank.value))) for rank in Rank],
        "hidden": address.parts(),
        "figures": markup.figures(parts.key_figures(address, found, open_now, now)),
        "others": markup.other_rows(parts.other_figures(address, found, open_now)),
        "opened": number(found.now["opened"]),
        "finished": number(found.now["finished"]),
        "trend": markup.trend(address, found.steps),
        "priorities": markup.table_rows(priorities, is_priority=True, compare=address.compare),
        "all_row": markup.table_rows([foot], is_priority=False, compare=address.compare),
        "table": table,
        "table_rows": markup.table_rows(table.rows, is_priority=False, compare=address.compare),
        "table_by": address.by or "client",
        "table_choices": [
            (name, label, address.page(by=name if name != "client" else None)) for name, label in BY.items()
        ],
        "table_all": address.page(all="1"),
        "statuses": markup.stand_rows(parts.by_status(address, found.now, open_now)),
        "open_ranks": markup.stand_rows(parts.open_by_priority(address, priorities, open_now), is_priority=True),
        "pressing": markup.pressing_rows([*at_risk, *breached], now, timezone.get_current_timezone()),
        "at_risk_count": number(open_now.at_risk),
        "breached_count": number(open_now.breached),
        "at_risk_href": address.tickets("at_risk"),
        "breached_href": address.tickets("breached_now"),
        "goal": GOAL,
    }
    return render_page(request, page="reports/overview.html", partial="reports/_overview.html", context=context)


def _chips(address: Address) -> list[tuple[Any, str]]:
    return [(chip, address.page(**{chip.name: None})) for chip in address.filters.chips()]


def _drill(request: HttpRequest, asked: Asked, now: datetime) -> drill.Drill:
    wanted = request.GET.get("metric") or DEFAULT
    if wanted not in METRICS:
        asked.filters.ignored.append(_("figure “%(value)s”") % {"value": wanted[:60]})
        wanted = DEFAULT
    category = request.GET.get("status", "")
    if category and (category not in Category.values or wanted != "open"):
        asked.filters.ignored.append(_("status “%(value)s”") % {"value": category[:60]})
        category = ""
    return drill.Drill(
        metric=METRICS[wanted],
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
    asked = _read(request, now)
    wanted, seen, address = _drill(request, asked, now), desk_tickets(_person(request)), asked.address
    try:
        cursor = drill.cursor_of(request.GET.get("cursor", ""), wanted)
    except BadCursor:
        cursor = None
        asked.filters.ignored.append(_("page (this is the first)"))
    page = drill.page(wanted, seen, cursor)
    ids = [pk for _value, pk in page.rows]
    clocks, booked = drill.clocks_of(ids), drill.booked(wanted, ids)
    key = wanted.metric.key
    own = {"status": wanted.category or None}
    seconds = drill.booked_in_all(wanted)
    context = {
        **_shared(request, asked, now),
        "metric": wanted.metric,
        "category": Category(wanted.category).label if wanted.category else "",
        "count": drill.count(wanted, seen),
        "hours": hours(round(seconds / 3600, 2)) if seconds is not None else "",
        "rows": [
            (ticket, clocks.get(ticket.pk, {}), booked.get(ticket.pk)) for ticket in drill.tickets_in_order(seen, ids)
        ],
        "chips": [(chip, address.tickets(key, **{**own, chip.name: None})) for chip in address.filters.chips()],
        "following": address.tickets(key, **own, cursor=page.following) if page.following else "",
        "previous": address.tickets(key, **own, cursor=page.previous) if page.previous else "",
        "back": address.page(),
        "csv": address.csv(key, **own),
    }
    return render_page(request, page="reports/tickets.html", partial="reports/_tickets.html", context=context)


@require_GET
@requires("reports.export")
def csv_file(request: HttpRequest) -> HttpResponse:
    """The same tickets, streamed; who took them is written down first."""
    now = timezone.now()
    asked = _read(request, now)
    wanted, seen = _drill(request, asked, now), desk_tickets(_person(request))
    record_audit(
        user=_person(request),
        verb="report.export",
        subject=f"report:{wanted.metric.key}",
        detail={
            "from": wanted.first.isoformat(), "to": wanted.last.isoformat(), "filters": asked.filters.query(),
            "tickets": drill.count(wanted, seen), "format": "csv",
        },
        now=now,
        request_id=getattr(request, "id", ""),
    )  # fmt: skip
    response = StreamingHttpResponse(export.lines(wanted, seen, asked.zone), content_type="text/csv; charset=utf-8")
    name = f"{wanted.metric.key}-{wanted.first}-{wanted.last}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return cast(HttpResponse, response)
