"""Fetch scheduled reports and what was sent of them, or 404."""

from __future__ import annotations

from django.http import Http404

from helpdesk.reports.models import ReportSchedule, ReportSent

LOGGED = 50


def schedules() -> list[ReportSchedule]:
    """All of them with their readers; four queries."""
    rows = ReportSchedule.objects.select_related("client__psa_account", "team").prefetch_related("people", "contacts")
    return list(rows.order_by("about", "pk"))


def schedule_for(pk: int) -> ReportSchedule:
    found = ReportSchedule.objects.select_related("client", "team").filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def log() -> list[ReportSent]:
    """The latest, with their readers."""
    return list(ReportSent.objects.select_related("user", "contact", "schedule").order_by("-pk")[:LOGGED])


def sending_for(pk: int) -> ReportSent:
    found = ReportSent.objects.filter(pk=pk).first()
    if found is None:
        raise Http404
    return found
