"""The manager's pages beside the overview: what was kept, what was not and why, and each of them as a file."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from helpdesk.accounts.permissions import requires
from helpdesk.accounts.services import record_audit
from helpdesk.core.htmx import render_page
from helpdesk.reports import backlog as standing
from helpdesk.reports import breaches as late
from helpdesk.reports import client_review as reviewing
from helpdesk.reports import compliance as kept
from helpdesk.reports import files, live, markup, pdf
from helpdesk.reports import times as took
from helpdesk.reports import workload as work
from helpdesk.reports.asking import PAGES, as_file, breach_kind, choices, clock_kind, person_of, read, shared, terms
from helpdesk.reports.head_markup import links
from helpdesk.reports.metrics import METRICS
from helpdesk.reports.printed import printed_page
from helpdesk.reports.shapes import number
from helpdesk.reports.sheet_markup import sheet_html
from helpdesk.reports.told import tell
from helpdesk.reports.why_markup import waiting_html, why_html
from helpdesk.tickets.access import desk_tickets

FILED = frozenset({*PAGES, "review"})
"""Pages that can be had as a file."""


def show(request: HttpRequest, name: str, title: str, context: dict[str, Any]) -> HttpResponse:
    """One of the pages, or its body alone."""
    body = f"reports/_{name}.html"
    known = {**context, "title": title, "body": body}
    return render_page(request, page="reports/page.html", partial=body, context=known)


@require_GET
@requires("reports.view")
def compliance(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    asked = read(request.GET.dict(), now, where="compliance")
    found = kept.read(asked.address, asked.by, is_all="all" in request.GET)
    raised = kept.escalations(asked.address)
    context = {
        **shared(request, asked, now),
        "figures": markup.figures(kept.figures(asked.address, found)),
        "both": found.both,
        "both_table": sheet_html(found.both),
        "raised": raised,
        "raised_table": sheet_html(raised),
        "sheet": found.sheet,
        "table": sheet_html(found.sheet),
        "choices": choices(asked),
        "all_href": "" if found.is_all else f"{asked.address.page(all='1')}#{found.sheet.key}",
    }
    return show(request, "compliance", _("What was promised, and kept"), context)


@require_GET
@requires("reports.view")
def times(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    asked = read(request.GET.dict(), now, where="times")
    clock, address = clock_kind(asked), asked.address
    found = took.read(address, asked.by, clock, is_all="all" in request.GET)
    context = {
        **shared(request, asked, now),
        "whole": found.whole,
        "whole_table": sheet_html(found.whole),
        "sheet": found.parts,
        "table": sheet_html(found.parts),
        "choices": choices(asked),
        "clocks": links((address.page(clock=name), label, name == clock) for name, label in took.CLOCKS.items()),
        "all_href": "" if found.is_all else f"{address.page(all='1')}#{found.parts.key}",
        "terms": terms("answered", "answer_timed", "finished", "resolve_timed"),
    }
    return show(request, "times", _("How long it took"), context)


@require_GET
@requires("reports.view")
def breaches(request: HttpRequest) -> HttpResponse:
    """Each breached ticket with its reason, 25 to a page."""
    now = timezone.now()
    asked = read(request.GET.dict(), now, where="breaches")
    kind, address = breach_kind(asked), asked.address
    period = asked.period
    wanted = late.wanted(kind, asked.filters, period.first, period.last, now)
    found = late.find(wanted, kind, desk_tickets(person_of(request)), cursor=request.GET.get("cursor", ""))
    if found.is_lost:
        asked.filters.ignored.append(_("page (this is the first)"))
    context = {
        **shared(request, asked, now),
        "kinds": links((address.page(kind=name), label, name == kind) for name, label in late.LABELS.items()),
        "label": late.LABELS[kind],
        "definition": METRICS[late.KINDS[kind]].definition,
        "count": found.count,
        "tickets_href": address.tickets(late.KINDS[kind]),
        "why": why_html(found.breaches, now, timezone.get_current_timezone()),
        "following": address.page(cursor=found.following) if found.following else "",
        "previous": address.page(cursor=found.previous) if found.previous else "",
    }
    return show(request, "breaches", _("What was late, and why"), context)


@require_GET
@requires("reports.view")
def latest(request: HttpRequest) -> HttpResponse:
    """The part of the overview that comes after it: what was resolved late last and why, and what presses now."""
    now, zone = timezone.now(), timezone.get_current_timezone()
    asked, seen = read(request.GET.dict(), now), desk_tickets(person_of(request))
    wanted = late.wanted("resolution", asked.filters, asked.period.first, asked.period.last, now)
    found = late.every(wanted, "resolution", seen, most=6, count=0)
    at_risk, breached = live.pressing(seen, asked.filters, live.Live(at_risk=1, breached=1), now)
    context = {
        "why": why_html(found.breaches, now, zone),
        "pressing": markup.pressing_rows([*at_risk, *breached], now, zone),
    }
    return show(request, "latest_part", _("What was late, and why"), context)


@require_GET
@requires("reports.view")
def backlog(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    asked = read(request.GET.dict(), now, where="backlog")
    found = standing.read(asked.address, desk_tickets(person_of(request)), now, asked.zone)
    days = standing.days_sheet(asked.address, found.points)
    context = {
        **shared(request, asked, now),
        "figures": markup.figures(found.figures),
        "bars": markup.levels(asked.address, found.points),
        "days": days,
        "days_table": sheet_html(days),
        "sheets": [(sheet, sheet_html(sheet)) for sheet in (found.ages, found.waits, found.spent)],
        "terms": terms("backlog", "opened", "reopened", "ended", "open"),
    }
    return show(request, "backlog", _("What is open"), context)


@require_GET
@requires("reports.view")
def workload(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    asked = read(request.GET.dict(), now, where="workload")
    seen = desk_tickets(person_of(request))
    found = work.read(asked.address, asked.by, seen, now, is_all="all" in request.GET)
    context = {
        **shared(request, asked, now),
        "figures": markup.figures(work.figures(asked.address, found)),
        "sheet": found.sheet,
        "table": sheet_html(found.sheet),
        "choices": choices(asked),
        "all_href": "" if found.is_all else f"{asked.address.page(all='1')}#{found.sheet.key}",
    }
    context["terms"] = terms(
        "opened", "finished", "answered", "reopened", "resolution_breached", "open", "breached_now", "billable",
        "nonbillable",
    )  # fmt: skip
    return show(request, "workload", _("Who did what"), context)


@require_GET
@requires("reports.view")
def clients(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    asked = read(request.GET.dict(), now, where="clients")
    address = asked.address
    found = reviewing.read_clients(address, desk_tickets(person_of(request)), now, is_all="all" in request.GET)
    context = {
        **shared(request, asked, now),
        "sheet": found.sheet,
        "table": sheet_html(found.sheet),
        "begin_href": address.other("review", found.first) if found.first else "",
        "terms": terms("opened", "finished", "response", "resolution", "resolution_breached", "open", "time"),
        "all_href": "" if found.is_all else f"{address.page(all='1')}#{found.sheet.key}",
    }
    return show(request, "clients", _("Clients"), context)


@require_GET
@requires("reports.view")
def review(request: HttpRequest, pk: int) -> HttpResponse:
    """One client on one page."""
    now = timezone.now()
    client = reviewing.client_for(pk)
    asked = read(request.GET.dict(), now, where="review", client=client)
    address = asked.address
    found = reviewing.read_review(address, client, desk_tickets(person_of(request)), now)
    place = reviewing.place(address, pk)
    steps = {"previous_href": place.previous if place else 0, "following_href": place.following if place else 0}
    context = {
        **shared(request, asked, now),
        **{name: address.other("review", key) if key else "" for name, key in steps.items()},
        "place": place,
        "chips": [],
        "client": client,
        "figures": markup.figures(found.figures),
        "trend": markup.trend(address, found.found.steps),
        "opened": number(found.found.now["opened"]),
        "finished": number(found.found.now["finished"]),
        "sheets": [(sheet, sheet_html(sheet)) for sheet in (found.promised, *found.tables)],
        "waiting": waiting_html(found.waiting, now, timezone.get_current_timezone()),
        "open_count": found.open,
        "open_href": address.tickets("open"),
        "late": found.late,
        "why": why_html(found.late.breaches, now, timezone.get_current_timezone(), with_client=False),
        "late_href": address.tickets("resolution_breached"),
        "terms": terms("opened", "finished", "response", "resolution", "answered", "reopened", "escalated", "time"),
    }
    return show(request, "review", client.name, context)


@require_GET
@requires("reports.export")
def page_file(request: HttpRequest, page: str, kind: str) -> HttpResponse:
    """A page with all its lines as a file; who took it is written down first."""
    if page not in FILED or kind not in pdf.kinds():
        raise Http404
    now, person = timezone.now(), person_of(request)
    data = request.GET.dict()
    client = reviewing.client_for(_key(data.get("of", ""))) if page == "review" else None
    asked = read(data, now, where=page, client=client)
    told = tell(asked, desk_tickets(person), now, client=client)
    days = f"{asked.period.first}-{asked.period.last}"
    record_audit(
        user=person, verb="report.export", subject=f"report:{page}",
        detail={"from": asked.period.first.isoformat(), "to": asked.period.last.isoformat(),
                "filters": asked.filters.query(), "format": kind},
        now=now, request_id=getattr(request, "id", ""),
    )  # fmt: skip
    if kind == "csv":
        response = HttpResponse(files.csv_text(told.about, told.every_sheet), content_type="text/csv; charset=utf-8")
    elif kind == "xlsx":
        response = HttpResponse(files.xlsx_bytes(told.about, told.every_sheet), content_type=files.XLSX)
    else:
        response = HttpResponse(printed_page(told), content_type=pdf.PDF)
    return as_file(response, f"{page}-{days}.{kind}")


def _key(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 16 else 0
