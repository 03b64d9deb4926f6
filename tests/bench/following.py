"""How long open tickets take to follow an edited calendar."""

from __future__ import annotations

import time

from django.utils import timezone

from helpdesk.sla.models import Calendar
from helpdesk.sla.versions import save_calendar_version
from helpdesk.tickets import clock_jobs
from helpdesk.tickets.choices import Category
from helpdesk.tickets.models import ClockJob, Status, Ticket
from tests.bench.report import Line

PER_SECOND = 100_000 / 60
"""A hundred thousand open tickets within a minute."""


def measured() -> Line:
    """On a copy of a filled desk, all of whose tickets are opened: afterwards it is of no use."""
    now = timezone.now()
    calendar = Calendar.objects.get(policies__isnull=False)
    save_calendar_version(calendar, now=now)
    status = Status.objects.filter(category=Category.OPEN).first()
    Ticket.objects.update(
        status=status, status_category=Category.OPEN, is_open=True, resolved_at=None, closed_at=None, finished_at=None
    )
    Calendar.objects.filter(pk=calendar.pk).update(is_always_open=not calendar.is_always_open)
    save_calendar_version(calendar, now=now)
    clock_jobs.request(now=now)
    started = time.monotonic()
    while clock_jobs.run(clock=timezone.now, seconds=600):
        pass
    seconds = time.monotonic() - started
    job = ClockJob.objects.get()
    return Line(
        "clocks: open tickets follow an edited calendar",
        f"{job.done / seconds:.0f} tickets/s, {job.changed:,} of {job.done:,} moved, {seconds:.0f} s",
        f"{PER_SECOND:.0f}/s",
        job.done / seconds < PER_SECOND or not job.changed,
        {"per_second": job.done / seconds, "tickets": job.done, "changed": job.changed, "seconds": seconds},
    )
