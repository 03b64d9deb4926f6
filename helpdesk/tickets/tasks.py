"""Read the clock, call one function."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from helpdesk.core import bell
from helpdesk.tickets import clock_jobs, upkeep


@shared_task(name="tickets.tick_clocks")
def tick_clocks() -> None:
    upkeep.tick_clocks(now=timezone.now())


@shared_task(name="tickets.follow_promises")
def follow_promises() -> None:
    """One bounded go; rings again at once while there is more to do."""
    if clock_jobs.run(clock=timezone.now):
        bell.ring("tickets.follow_promises")
