"""The list of tickets: filters and order in the address, keyset pages, columns and saved views."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from helpdesk.accounts.permissions import can, requires
from helpdesk.accounts.requests import SignedIn
from helpdesk.core.htmx import render_page, wants_partial
from helpdesk.core.paging import BadCursor, Cursor, keyset_page, read_cursor
from helpdesk.tickets import rows
from helpdesk.tickets.access import desk_tickets, view_for, view_named, views_for
from helpdesk.tickets.counting import MOST, count_up_to, open_count
from helpdesk.tickets.filter_reading import options, read_filters
from helpdesk.tickets.filters import NAMES, VIEWS, Filters
from helpdesk.tickets.preferences import delete_saved_view, save_ticket_view, set_preferences
from helpdesk.tickets.search import by_number

PAGE_SIZE = 50
SHORT_NUMBER = 8
"""Digits of a number that a narrow column holds."""
HEADS: dict[str, Any] = {
    "client": ("client", gettext_noop("Client")),
    "status": ("status", gettext_noop("Status")),
    "owner": ("owner", gettext_noop("Owner")),
    "due": ("due", gettext_noop("Due")),
    "updated": ("updated", gettext_noop("Updated")),
    "psa": ("", gettext_noop("PSA and sync")),
    "opened": ("opened", gettext_noop("Opened")),
    "team": ("", gettext_noop("Team")),
    "type": ("", gettext_noop("Type")),
    "contact": ("", gettext_noop("Contact")),
}


@require_GET
@requires("tickets.view")
def ticket_list(request: SignedIn) -> HttpResponse:
    """The whole page, or with `part=table` (live refresh) or an htmx swap only the list itself."""
    now, zone, user = timezone.now(), timezone.get_current_timezone(), request.user
    tickets = desk_tickets(user)
    filters = read_filters(request.GET, user=user, now=now, zone=zone)
    jump = _jump(filters, user) if not wants_partial(request) and "part" not in request.GET else None
    if jump:
        return redirect(jump)
    columns = rows.shown_columns(user.preferences)
    found = filters.apply(tickets, user=user, now=now, zone=zone)
    cursor = _cursor(request.GET.get("cursor", ""), filters)
    page = _page(filters, found, cursor, columns)
    reading = rows.Reading(now, zone)
    most = PAGE_SIZE if filters.text else MOST  # beyond a page, counting a common word costs more than showing it
    total = count_up_to(found, most) if (cursor or page.following) else len(page.rows)
    context = {
        "now": now,
        "filters": filters,
        "chips": filters.chips(),
        "title": _title(filters, user),
        "quick": _quick(filters),
        "total": total,
        "most": most,
        "open_total": None if filters.is_plain or filters.state != "open" else open_count(tickets),
        "finished": _finished(filters, tickets, user, now),
        **_heads(filters, columns, page.rows),
        "rows": rows.rows_html(page.rows, columns=columns, reading=reading),
        "has_rows": bool(page.rows),
        "following": filters.query(cursor=page.following) if page.following else "",
        "previous": filters.query(cursor=page.previous) if page.previous else "",
        "here": filters.query(cursor=request.GET["cursor"]) if cursor else filters.query(),
        "query": filters.query(),
        "emptier": _emptier(filters, tickets, user, now) if not page.rows else None,
    }
    partial = "tickets/_table.html"
    if request.GET.get("part") == "table":
        return render(request, partial, context)
    return render_page(request, page="tickets/list.html", partial=partial, context=context)


def _finished(filters: Filters, tickets: Any, user: Any, now: datetime) -> dict[str, Any] | None:
    """A search of words that nobody asked to stay among open tickets: how many more are closed, and where."""
    if not filters.text or "state" in filters.values:
        return None
    closed = replace(filters, values={**filters.values, "state": ["closed"]}, ignored=[])
    narrowed = closed.apply(tickets, user=user, now=now, zone=timezone.get_current_timezone())
    count = count_up_to(narrowed, PAGE_SIZE)
    return {"count": count, "href": filters.query(state="closed")} if count else None


def _page(filters: Filters, found: Any, cursor: Cursor | None, columns: Sequence[str]) -> Any:
    column, is_down = filters.key
    extra = [c for c in columns if c not in rows.FIXED]

    def fetch(at: Cursor | None, is_back: bool, limit: int) -> list[rows.Facts]:
        tickets = filters.ordered(found, reverse=is_back)
        if at:
            tickets = tickets.past(column, at.value, at.pk, descending=is_down != is_back)
        return rows.row_facts(tickets[:limit], extra)

    return keyset_page(
        fetch=fetch, key_of=lambda row: (_KEYS[column](row), row.pk), order=filters.sort, cursor=cursor, size=PAGE_SIZE
    )


_KEYS: dict[str, Any] = {
    "next_due_at": lambda r: r.next_due_at,
    "number": lambda r: r.number,
    "subject": lambda r: r.subject,
    "client_name": lambda r: r.client or "",
    "status_category": lambda r: r.category,
    "owner_name": lambda r: r.person if r.person is not None else r.agent or "",
    "rank": lambda r: r.rank,
    "last_activity_at": lambda r: r.last_activity_at,
    "opened_at": lambda r: r.opened_at,
}


def _cursor(text: str, filters: Filters) -> Cursor | None:
    if not text:
        return None
    try:
        cursor = read_cursor(text, order=filters.sort)
        if _is_instant(filters) != isinstance(cursor.value, datetime):
            raise BadCursor(text)
        if not _is_instant(filters) and isinstance(cursor.value, str) == (filters.key[0] == "rank"):
            raise BadCursor(text)
    except BadCursor:
        filters.ignored.append(_("page (this is the first)"))
        return None
    return cursor


def _is_instant(filters: Filters) -> bool:
    return filters.key[0].endswith("_at")


def _jump(filters: Filters, user: Any) -> str:
    """The address of the one ticket whose number was typed; several, or none, give a list."""
    text = filters.text
    if not text or " " in text or not any(c.isdigit() for c in text) or len(text) > 40:
        return ""
    found = by_number(text, user=user)
    return found[0].get_absolute_url() if len(found) == 1 else ""


def _title(filters: Filters, user: Any) -> str:
    if filters.view and not filters.values:
        return str(VIEWS[filters.view])
    if filters.is_plain and filters.sort == "due":
        return _("Tickets")
    return view_named(user, filters.query().lstrip("?")) or str(VIEWS.get(filters.view) or _("Tickets"))


def _quick(filters: Filters) -> list[dict[str, Any]]:
    """One-press filters: pressed again, they are off."""
    chosen = filters.values.get("agent", [])
    return [
        {"label": label, "href": filters.query(**{name: value})}
        for name, value, label in (("agent", "none", _("No owner")), ("agent", "me", _("Mine")))
        if value not in chosen
    ]


@dataclass(frozen=True, kw_only=True)
class Head:
    """A column's head: what it says, the class of its width, and the list sorted by it."""

    label: str = ""
    width: str = ""
    hidden: bool = False
    hush: bool = False
    href: str = ""
    direction: str = ""


def _heads(filters: Filters, columns: Sequence[str], page: Sequence[Any]) -> dict[str, Head | tuple[Head, ...]]:
    """Column heads, hidden ones included where the style sheet counts cells. Short numbers leave room to subjects."""
    is_short = all(len(row.label) <= SHORT_NUMBER for row in page)
    shown = (*rows.FIXED, *(c for c in rows.COLUMNS if c not in rows.FIXED and c in columns))
    return {
        "number": Head(width="number-col short-col" if is_short else "number-col", **_sorting(filters, "number")),
        "subject": Head(**_sorting(filters, "subject")),
        "heads": tuple(
            Head(
                label=_(HEADS[name][1]),
                width=rows.COLUMNS[name],
                hidden=name not in columns,
                hush=name == "psa",
                **_sorting(filters, HEADS[name][0]),
            )
            for name in shown
        ),
    }


def _sorting(filters: Filters, sort: str) -> dict[str, Any]:
    if not sort:
        return {}
    is_up, is_down = filters.sort == sort, filters.sort == f"-{sort}"
    return {
        "href": filters.query(sort=f"-{sort}" if is_up else sort),
        "direction": "ascending" if is_up else "descending" if is_down else "",
    }


def _column_choices(columns: Sequence[str]) -> list[dict[str, Any]]:
    return [{"name": c, "label": _(HEADS[c][1]), "is_on": c in columns} for c in rows.COLUMNS]


def _emptier(filters: Filters, tickets: Any, user: Any, now: datetime) -> dict[str, Any] | None:
    """Which single filter stands most in the way, and how many there would be without it."""
    zone = timezone.get_current_timezone()
    best: dict[str, Any] | None = None
    for chip in filters.chips()[:6]:
        fewer = Filters(
            values={k: v for k, v in filters.values.items() if k != chip.name}, view=filters.view, ids=filters.ids
        )
        if chip.name == "state":
            fewer.values["state"] = ["all"]
        count = count_up_to(fewer.apply(tickets, user=user, now=now, zone=zone))
        if count and (best is None or count > best["count"]):
            best = {"chip": chip, "count": count}
    return best


@require_GET
@requires("tickets.view")
def filter_options(request: SignedIn) -> HttpResponse:
    """The values of one filter, as a form that adds it to the list's address."""
    name = request.GET.get("filter", "")
    if not name:
        choices = [(n, label) for n, label in NAMES.items() if n not in ("q", "state")]
        context = {"choices": choices, "query": request.GET.get("query", "?")[:2000]}
        return render_page(
            request, page="tickets/filter_page.html", partial="tickets/_filter_names.html", context=context
        )
    typed = request.GET.get("typed", "").strip()[:80]
    if name not in NAMES or name in ("q", "state"):
        raise Http404
    now, zone = timezone.now(), timezone.get_current_timezone()
    given = dict(parse_qsl(request.GET.get("query", "").lstrip("?")))
    filters = read_filters(given, user=request.user, now=now, zone=zone)
    chosen = filters.values.get(name, [])
    # Every value is a plain link to the list with it: no script needed to choose one or several.
    found = []
    for value, label in options(name, typed=typed):
        others = [v for v in chosen if v != value]
        both = ",".join(others if value in chosen else [*chosen, value])
        if name in ("due", "replied"):
            both = "" if value in chosen else value
        found.append(
            {
                "label": label,
                "is_on": value in chosen,
                "href": reverse("tickets:list") + filters.query(**{name: both or None}),
            }
        )
    shown = {"name": name, "label": NAMES[name], "options": found, "typed": typed, "query": filters.query()}
    return render_page(request, page="tickets/filter_page.html", partial="tickets/_filter_options.html", context=shown)


@require_http_methods(["GET", "POST"])
@requires("tickets.view")
def choose_columns(request: SignedIn) -> HttpResponse:
    """Which columns and how much air, kept with the person."""
    if request.method == "GET":
        context = {
            "columns": _column_choices(rows.shown_columns(request.user.preferences)),
            "query": _query_of(request),
        }
        return render_page(request, page="tickets/columns_page.html", partial="tickets/_columns.html", context=context)
    columns = [c for c in request.POST.getlist("column") if c in rows.COLUMNS]
    density = request.POST.get("density", "")
    set_preferences(user=request.user, values={"columns": columns, "density": density if density == "dense" else ""})
    return redirect(_back(request))


@require_http_methods(["GET", "POST"])
@requires("views.change")
def save_view(request: SignedIn) -> HttpResponse:
    """Keep this list's address under a name, for the person or for everybody."""
    user = request.user
    if request.method == "GET":
        context = {"query": _query_of(request), "may_share": can(user, "views.share")}
        return render_page(request, page="tickets/save_page.html", partial="tickets/_save_view.html", context=context)
    name = request.POST.get("name", "").replace("\x00", "").strip()
    given = dict(parse_qsl(request.POST.get("query", "").lstrip("?")))
    filters = read_filters(given, user=user, now=timezone.now(), zone=timezone.get_current_timezone())
    is_shared = request.POST.get("shared") == "yes" and can(user, "views.share")
    problem = ""
    if not name:
        problem = _("A view needs a name.")
    elif len(name) > 60:
        problem = _("At most 60 characters.")
    elif any(v.name == name and (v.owner_id is None) == is_shared for v in views_for(user)):
        problem = _("There is a view of this name already.")
    if problem:
        context = {"problem": problem, "name": name, "query": filters.query(), "may_share": can(user, "views.share")}
        return render_page(
            request, page="tickets/save_page.html", partial="tickets/_save_view.html", context=context, status=422
        )
    save_ticket_view(owner=None if is_shared else user, name=name, query=filters.query().lstrip("?"))
    messages.success(request, _("Saved as “%(name)s”.") % {"name": name})
    back = reverse("tickets:list") + filters.query()
    return HttpResponse(status=204, headers={"HX-Redirect": back}) if request.htmx else redirect(back)


@require_POST
@requires("views.change")
def delete_view(request: SignedIn, pk: int) -> HttpResponse:
    """Take a view out of the rail: one's own, or a shared one for those who may share."""
    view = view_for(request.user, pk)
    if view.owner_id is None and not can(request.user, "views.share"):
        raise PermissionDenied
    delete_saved_view(view=view)
    return redirect("tickets:list")


def _query_of(request: SignedIn) -> str:
    """The list's address behind a popover, cleaned."""
    filters = read_filters(request.GET, user=request.user, now=timezone.now(), zone=timezone.get_current_timezone())
    return filters.query()


def _back(request: SignedIn) -> str:
    back = request.POST.get("back", "")
    if back.startswith("?"):
        return reverse("tickets:list") + back
    fits = url_has_allowed_host_and_scheme(back, allowed_hosts=None) and back.startswith("/")
    return back if fits else reverse("tickets:list")
