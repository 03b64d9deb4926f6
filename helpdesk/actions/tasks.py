"""Read the clock, call one function."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from helpdesk.actions import cleaning, files


@shared_task(name="actions.clean_texts")
def clean_texts() -> None:
    cleaning.clean_stale()


@shared_task(name="actions.sweep_drafts")
def sweep_drafts() -> None:
    files.sweep(now=timezone.now())
