"""Read the clock, call one function."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from celery import shared_task
from django.utils import timezone

from helpdesk.reports import report_mails, schedules, services


@shared_task(name="reports.aggregate")
def aggregate() -> None:
    """One bounded step; rings again at once while there is more to count."""
    if services.fold(now=timezone.now()).is_more:
        aggregate.delay()


@shared_task(name="reports.send_due")
def send_due() -> None:
    """Write the jobs of what is due, and send what waits; rings again while there is more."""
    schedules.plan_due(now=timezone.now(), zone=ZoneInfo(services.organisation_zone()))
    if not report_mails.deliver_due(clock=timezone.now):
        send_due.delay()
