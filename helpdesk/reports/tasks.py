"""Read the clock, call one function."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from helpdesk.reports import services


@shared_task(name="reports.aggregate")
def aggregate() -> None:
    """One bounded step; rings again at once while there is more to count."""
    if services.fold(now=timezone.now()).is_more:
        aggregate.delay()
