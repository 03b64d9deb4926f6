"""Open tickets follow a changed calendar or policy: asked for with the change, done by a worker in batches."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import QuerySet

from helpdesk.core import bell, live
from helpdesk.core.halves import by_halves
from helpdesk.tickets import rederiving
from helpdesk.tickets.models import ClockJob, Ticket

BATCH = 100
"""Tickets per transaction: some tens of milliseconds of SQLite's one write lock."""
BATCH_OF_ROWS = 500
"""The same where each ticket is locked by itself."""
SECONDS = 10.0
"""One go of a worker's thread."""
PAUSE_SECONDS = 0.01
"""Between two batches, so that who waits for SQLite's lock gets it."""
FAILED = "clocks not worked out"
CHECK_AFTER = timedelta(minutes=1)
"""Longer than any writer holds a ticket whose clocks it has worked out."""


@transaction.atomic
def request(*, now: datetime) -> ClockJob:
    """Let every open ticket follow what is promised now. What is under way begins anew."""
    ClockJob.objects.get_or_create(pk=1, defaults={"requested_at": now, "finished_at": now})
    job = ClockJob.objects.select_for_update().get(pk=1)
    job.place, job.done, job.changed, job.total = 0, 0, 0, _open().count()
    job.requested_at, job.finished_at, job.check_at = now, None, None
    job.save()
    live.touch(live.DESK)
    transaction.on_commit(_ring, robust=True)
    return job


def _ring() -> None:
    bell.ring("tickets.follow_promises")


def _open() -> QuerySet[Ticket]:
    return Ticket.objects.present().open()


def progress() -> ClockJob | None:
    """How far the last change has been followed; None = there was none."""
    return ClockJob.objects.filter(pk=1).first()


def run(*, clock: Callable[[], datetime], seconds: float = SECONDS) -> bool:
    """Work for a few seconds. True when something is left. Two workers take turns."""
    until = time.monotonic() + seconds
    while step(now=clock()) or _check_step(now=clock()) is not None:
        if time.monotonic() > until:
            return True
        time.sleep(PAUSE_SECONDS)
    return ClockJob.objects.filter(finished_at=None).exists()


@transaction.atomic
def step(*, now: datetime, size: int | None = None) -> bool:
    """The next batch, together with the place it reaches. False when nothing is left, or another worker is at it."""
    can_skip = connection.features.has_select_for_update_skip_locked
    size = size or _size()
    job = ClockJob.objects.select_for_update(skip_locked=can_skip).filter(finished_at=None).first()
    if job is None:
        return False
    rows = _open().filter(pk__gt=job.place).order_by("pk").values_list("pk", "psa_account_id")
    found = list(rows[:size])
    job.changed += _follow(found, now)
    job.done += len(found)
    if found:
        job.place = found[-1][0]
    if len(found) < size:
        job.finished_at, job.check_at, job.place = now, now + CHECK_AFTER, 0
    job.save()
    return job.finished_at is None


def _size() -> int:
    return BATCH_OF_ROWS if connection.features.has_select_for_update_skip_locked else BATCH


def _follow(found: list[tuple[int, int]], now: datetime) -> int:
    by_account: dict[int, list[int]] = {}
    for ticket, account in found:
        by_account.setdefault(account, []).append(ticket)
    return sum(by_halves(_rederive(key, now), ids, what=FAILED) for key, ids in sorted(by_account.items()))


def _rederive(account_id: int, now: datetime) -> Callable[[Sequence[int]], int]:
    return lambda ids: rederiving.rederive(account_id=account_id, ids=ids, now=now)


def check(*, now: datetime, size: int | None = None) -> int:
    """Once more those that were written while the change went through: their writer may have read what was before."""
    moved = 0
    while (found := _check_step(now=now, size=size)) is not None:
        moved += found
    return moved


@transaction.atomic
def _check_step(*, now: datetime, size: int | None = None) -> int | None:
    """The next batch of them, as `step` takes its own: most of them are those that it moved. None = nothing to do."""
    size = size or _size()
    job = ClockJob.objects.select_for_update().filter(check_at__lte=now, finished_at__isnull=False).first()
    if job is None:
        return None
    rows = _open().filter(changed_at__gte=job.requested_at - CHECK_AFTER, pk__gt=job.place).order_by("pk")
    found = list(rows.values_list("pk", "psa_account_id")[:size])
    moved = _follow(found, now)
    if len(found) < size:
        job.check_at = None
    else:
        job.place = found[-1][0]
    job.save(update_fields=["check_at", "place"])
    return moved
