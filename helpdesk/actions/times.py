"""Time booked on a ticket as a PSA has it, where it keeps time apart from what was said."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from helpdesk.actions.models import TimeEntry
from helpdesk.core import live
from helpdesk.tickets.choices import Sync
from helpdesk.tickets.models import Ticket

_NEAR = timedelta(seconds=1)


@dataclass(frozen=True, kw_only=True)
class RemoteTime:
    """One entry as the PSA has it, in our keys."""

    remote_id: str
    ended_at: datetime
    seconds: int
    is_billable: bool = True
    started_at: datetime | None = None
    agent_id: int | None = None
    author_name: str = ""
    note: str = ""


@transaction.atomic
def apply_times(*, ticket_id: int, rows: Sequence[RemoteTime], now: datetime) -> int:
    """Bring a ticket's time to what the PSA has; counts the new entries. What is on its way from here stays."""
    ticket = Ticket.objects.select_for_update().get(pk=ticket_id)
    have = list(TimeEntry.objects.filter(ticket=ticket))
    by_id = {entry.remote_id: entry for entry in have if entry.remote_id}
    created = changed = 0
    for row in rows:
        entry = by_id.get(row.remote_id) or _ours(have, row)
        is_new = entry is None
        if _set(entry or TimeEntry(ticket=ticket), row, is_new=is_new):
            created += is_new
            changed += not is_new
    there = {row.remote_id for row in rows}
    gone = [e.pk for e in have if e.remote_id and e.remote_id not in there and e.removed_at is None]
    changed += TimeEntry.objects.filter(pk__in=gone).update(removed_at=now) if gone else 0
    if created or changed:
        live.touch(live.ticket_scope(ticket.pk))
    return created


def _ours(have: Iterable[TimeEntry], row: RemoteTime) -> TimeEntry | None:
    """An entry of ours that the PSA has just named: same end, same length."""
    for entry in have:
        is_waiting = entry.sync_state and not entry.remote_id and entry.removed_at is None
        if is_waiting and abs(entry.ended_at - row.ended_at) <= _NEAR and abs(entry.seconds - row.seconds) <= 1:
            return entry
    return None


def _set(entry: TimeEntry, row: RemoteTime, *, is_new: bool) -> bool:
    """Copy the row; False when nothing differs. Who booked it here, and when, stays as it was booked."""
    values = {
        "remote_id": row.remote_id,
        "seconds": row.seconds,
        "is_billable": row.is_billable,
        "removed_at": None,
    }
    if not entry.sync_state:
        values |= {
            "agent_id": row.agent_id,
            "author_name": row.author_name[:120],
            "note": row.note,
            "started_at": row.started_at,
            "ended_at": row.ended_at,
        }
    elif entry.sync_state not in ("", Sync.SENT):
        values = {"remote_id": row.remote_id}
    if not is_new and all(getattr(entry, name) == value for name, value in values.items()):
        return False
    for name, value in values.items():
        setattr(entry, name, value)
    entry.save()
    return True
