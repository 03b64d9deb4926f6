"""Read the clock, call one function."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from helpdesk.actions.mails import ring_on_commit
from helpdesk.portal import delivery


@shared_task(name="portal.mail_due")
def mail_due() -> None:
    if not delivery.deliver_due(clock=timezone.now):
        ring_on_commit()
