"""SLA settings: one calendar, read or changed, its versions, and a PSA's taken over."""

from __future__ import annotations

import copy
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from helpdesk.accounts.permissions import can, requires
from helpdesk.accounts.requests import SignedIn
from helpdesk.core.errors import Refused
from helpdesk.core.htmx import render_page
from helpdesk.desk import sla_changes, sla_lists, sla_planning
from helpdesk.desk.forms import zone_names
from helpdesk.desk.sla_calendar_form import CalendarForm
from helpdesk.desk.sla_pages import following, look
from helpdesk.desk.sla_planning import Touched
from helpdesk.desk.sla_versions import calendar_versions
from helpdesk.sla import editing
from helpdesk.sla.models import Calendar
from helpdesk.sla.versions import organisation_zone


@require_http_methods(["GET", "HEAD", "POST"])
@requires("settings.change")
def calendar_add(request: SignedIn) -> HttpResponse:
    return _form(request, None)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("settings.view")
def calendar(request: SignedIn, pk: int) -> HttpResponse:
    row = get_object_or_404(sla_lists.calendar_rows(), pk=pk)
    may_change = can(request.user, "settings.change") and row.psa_account_id is None
    if may_change:
        return _form(request, row)
    if request.method == "POST":
        raise PermissionDenied("settings.change")
    return _read(request, row)


def _read(request: SignedIn, row: Calendar) -> HttpResponse:
    now = timezone.now()
    context = {
        "tab": "calendars",
        "row": row,
        "line": sla_lists.calendar_line(row, sla_lists.users_of_calendar(row), organisation_zone(), now=now),
        "days_off": sla_lists.days_off(row, now=now),
        "versions": calendar_versions(row),
        "may_change": can(request.user, "settings.change"),
        "now": now,
    }
    return render(request, "settings/sla_calendar_read.html", context)


def _form(request: SignedIn, row: Calendar | None) -> HttpResponse:
    now = timezone.now()
    form = CalendarForm(request.POST if request.method == "POST" else None, calendar=row, now=now)
    if request.method != "POST":
        return _page(request, form)
    verb = request.POST.get("verb", "preview")
    if form.rearrange(verb):
        return _page(request, form)
    if not form.is_valid():
        return _page(request, form, status=422)
    wanted = form.wanted()

    def change() -> Touched:
        made = editing.write_calendar(calendar=copy.copy(row), wanted=wanted, now=now)
        return Touched(calendars=(made.pk,))

    found = look(request, sla_planning.tried(change), now=now)
    if found.may_save:
        return _save(request, form)
    return _page(request, form, **found.context)


def _save(request: SignedIn, form: CalendarForm) -> HttpResponse:
    try:
        row = sla_changes.save_calendar(
            calendar=form.calendar, wanted=form.wanted(), by=request.user, now=timezone.now(), request_id=request.id
        )
    except Refused as refusal:
        for field, text in refusal.fields.items():
            form.add_error(field or None, text)
        return _page(request, form, status=422)
    messages.success(request, _("%s is saved.") % row.name)
    return redirect("desk:sla_calendar", row.pk)


def _page(request: SignedIn, form: CalendarForm, *, status: int = 200, **more: Any) -> HttpResponse:
    row = form.calendar
    context = {
        "tab": "calendars", "form": form, "row": row, "now": form.now, "zones": zone_names(), "may_change": True,
        "versions": calendar_versions(row) if row else [],
        "users": sla_lists.users_of_calendar(row) if row else [],
        **following(request), **more,
    }  # fmt: skip
    return render_page(
        request, page="settings/sla_calendar.html", partial="settings/_sla_calendar_form.html", context=context,
        status=status,
    )  # fmt: skip


@require_POST
@requires("settings.change")
def calendar_take(request: SignedIn, pk: int) -> HttpResponse:
    """A PSA's calendar as one of ours."""
    theirs = get_object_or_404(sla_lists.calendar_rows(), pk=pk, psa_account__isnull=False)
    row = sla_changes.take_over_calendar(
        calendar=theirs, by=request.user, now=timezone.now(), request_id=request.id
    )  # fmt: skip
    messages.success(request, _("%s is ours now. Policies choose it in their form.") % row.name)
    return redirect("desk:sla_calendar", row.pk)


@require_POST
@requires("settings.change")
def calendar_archive(request: SignedIn, pk: int) -> HttpResponse:
    """Offered no more; refused while a policy counts by it."""
    row = get_object_or_404(sla_lists.calendar_rows(), pk=pk, psa_account=None)
    try:
        sla_changes.archive(row=row, by=request.user, now=timezone.now(), request_id=request.id)
    except Refused as refusal:
        messages.error(request, " ".join(refusal.fields.values()))
        return redirect("desk:sla_calendar", row.pk)
    messages.success(request, _("%s is archived.") % row.name)
    return redirect("desk:sla_calendars")
