"""Read the clock, call one function."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from helpdesk.desk import sla_changes, sla_planning


@shared_task(name="desk.count_planned")
def count_planned() -> None:
    sla_planning.count_all(clock=timezone.now)


@shared_task(name="desk.feed_holidays")
def feed_holidays() -> None:
    sla_changes.refresh_feeds(now=timezone.now())
