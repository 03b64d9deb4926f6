"""Leases and progress of feeds. A worker's word counts only while its fence number is the cursor's."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, Q

from connectors.sync.models import Cursor, Feed
from helpdesk.core import live

LEASE_SECONDS = 90


class LeaseLost(Exception):
    """Another worker has taken the feed over: stop without a word."""


def cursor_of(account_id: int, feed: str) -> Cursor:
    return Cursor.objects.get_or_create(psa_account_id=account_id, feed=feed)[0]


def take(*, account_id: int, feed: str, now: datetime) -> Cursor | None:
    """Lease a feed for one worker; None when another one has it, or after an error that is waited out."""
    cursor = cursor_of(account_id, feed)
    free = Q(lease_until=None) | Q(lease_until__lte=now)
    ready = Q(not_before_at=None) | Q(not_before_at__lte=now)
    taken = Cursor.objects.filter(free, ready, pk=cursor.pk, fence=cursor.fence).update(
        fence=F("fence") + 1, lease_until=now + timedelta(seconds=LEASE_SECONDS)
    )
    if not taken:
        return None
    cursor.refresh_from_db()
    return cursor


def save(cursor: Cursor, *, now: datetime, **values: Any) -> None:
    """Note progress after its page is committed, and push the lease out. LeaseLost when it is no longer ours."""
    values["lease_until"] = now + timedelta(seconds=LEASE_SECONDS)
    if not Cursor.objects.filter(pk=cursor.pk, fence=cursor.fence).update(**values):
        raise LeaseLost(str(cursor))
    for name, value in values.items():
        setattr(cursor, name, value)
    live.touch(live.HEALTH)


def release(cursor: Cursor, *, error: str = "", not_before: datetime | None = None) -> None:
    """Give the lease back. What was saved stays; after an error nobody tries again before `not_before`."""
    Cursor.objects.filter(pk=cursor.pk, fence=cursor.fence).update(
        lease_until=None, error=error[:300], not_before_at=not_before
    )


def begin(cursor: Cursor, *, now: datetime) -> None:
    """Start a run, or go on with the one that was interrupted: its bounds stay as they were."""
    if cursor.run_started_at is None:
        save(cursor, now=now, run_started_at=now, token="", done=0, total=None)


def finish(cursor: Cursor, *, since: datetime | None, now: datetime) -> None:
    """The run is complete: everything changed before `since` is here."""
    save(cursor, now=now, run_started_at=None, token="", since=since, finished_at=now, error="")


def running(*, now: datetime) -> int:
    """How many feeds are being read in slices now, of all accounts."""
    return Cursor.objects.filter(lease_until__gt=now).exclude(feed=Feed.SWEEP).count()


def restart(*, account_id: int, feeds: Collection[str]) -> None:
    """Read these feeds from their beginning; a worker that is reading one loses its lease."""
    empty = dict.fromkeys(("lease_until", "not_before_at", "run_started_at", "since", "finished_at", "total"))
    rows = Cursor.objects.filter(psa_account=account_id, feed__in=list(feeds))
    rows.update(fence=F("fence") + 1, token="", done=0, **empty)
