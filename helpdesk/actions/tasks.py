"""Read the clock, call one function."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from helpdesk.actions import alerts, cleaning, files, standing

ALERT_SLICE = timedelta(seconds=20)
"""Less than beat waits between two rings."""


@shared_task(name="actions.clean_texts")
def clean_texts() -> None:
    cleaning.clean_stale()


@shared_task(name="actions.sweep_drafts")
def sweep_drafts() -> None:
    files.sweep(now=timezone.now())


@shared_task(name="actions.raise_alerts")
def raise_alerts() -> None:
    """Batch after batch while there is something to tell, for as long as a beat."""
    until = timezone.now() + ALERT_SLICE
    while alerts.raise_due(now=timezone.now()) and timezone.now() < until:
        pass


@shared_task(name="actions.look_at_standing")
def look_at_standing() -> None:
    until = timezone.now() + ALERT_SLICE
    while standing.look_at_standing(now=timezone.now()) and timezone.now() < until:
        pass
