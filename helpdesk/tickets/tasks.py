"""Read the clock, call one function."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from helpdesk.tickets import upkeep


@shared_task(name="tickets.tick_clocks")
def tick_clocks() -> None:
    upkeep.tick_clocks(now=timezone.now())
