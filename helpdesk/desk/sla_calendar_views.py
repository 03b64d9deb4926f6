"""SLA settings: one calendar, read or changed, its versions, and a PSA's taken over."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from helpdesk.accounts.permissions import requires
from helpdesk.accounts.requests import SignedIn
from helpdesk.desk import sla_changes, sla_lists, sla_row_pages
from helpdesk.desk.forms import zone_names
from helpdesk.desk.sla_calendar_form import CalendarForm
from helpdesk.desk.sla_row_pages import Kind
from helpdesk.desk.sla_versions import calendar_versions
from helpdesk.sla import editing
from helpdesk.sla.editing import CalendarWanted
from helpdesk.sla.models import Calendar
from helpdesk.sla.versions import organisation_zone


def _context(form: CalendarForm, row: Calendar | None) -> Mapping[str, Any]:
    return {
        "zones": zone_names(), "versions": calendar_versions(row) if row else [],
        "users": sla_lists.users_of_calendar(row) if row else [],
    }  # fmt: skip


def _read_context(row: Calendar, now: datetime) -> Mapping[str, Any]:
    return {
        "line": sla_lists.calendar_line(row, sla_lists.users_of_calendar(row), organisation_zone(), now=now),
        "days_off": sla_lists.days_off(row, now=now), "versions": calendar_versions(row),
    }  # fmt: skip


def _write(row: Calendar | None, wanted: CalendarWanted, now: datetime) -> Calendar:
    return editing.write_calendar(calendar=row, wanted=wanted, now=now)


def _save(row: Calendar | None, wanted: CalendarWanted, **by: Any) -> Calendar:
    return sla_changes.save_calendar(calendar=row, wanted=wanted, **by)


KIND = Kind(
    name="calendar", listed="desk:sla_calendars", rows=sla_lists.calendar_rows, write=_write, save=_save,
    form=lambda data, row, now: CalendarForm(data, calendar=row, now=now), context=_context, read_context=_read_context,
)  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@requires("settings.change")
def calendar_add(request: SignedIn) -> HttpResponse:
    return sla_row_pages.edit(request, KIND, None)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("settings.view")
def calendar(request: SignedIn, pk: int) -> HttpResponse:
    return sla_row_pages.show(request, KIND, pk)


@require_POST
@requires("settings.change")
def calendar_archive(request: SignedIn, pk: int) -> HttpResponse:
    return sla_row_pages.archive(request, KIND, pk)


@require_POST
@requires("settings.change")
def calendar_restore(request: SignedIn, pk: int) -> HttpResponse:
    return sla_row_pages.restore(request, KIND, pk)


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
