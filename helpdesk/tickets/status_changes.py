"""Status changes that the PSA tells of to the second: its own become events, ours come back get their key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from helpdesk.outbox.models import OutboxItem
from helpdesk.tickets.models import Status, Ticket, TicketEvent


@dataclass(frozen=True, kw_only=True)
class RemoteStatusChange:
    """A status change that the PSA tells of to the second. `key` is unique within the ticket."""

    key: str
    old_id: int | None
    new_id: int
    at: datetime
    actor: str = ""


OWN_WINDOW = timedelta(minutes=10)


def apply_status_changes(*, ticket: Ticket, rows: Sequence[RemoteStatusChange], now: datetime) -> int:
    """Write the PSA's exact status changes as events, once each; our own, come back, only get their key."""
    if not rows:
        return 0
    names = {s.pk: s.name for s in Status.objects.filter(psa_account_id=ticket.psa_account_id).only("name")}
    seen = list(ticket.events.of_field("status"))
    keys = {e.remote_key for e in seen}
    events = []
    for row in rows:
        if row.key in keys:
            continue
        ours = _own_event(ticket, seen, row)
        if ours is not None:
            ours.remote_key = row.key
            ours.save(update_fields=["remote_key"])
            continue
        events.append(
            TicketEvent(
                ticket=ticket,
                field="status",
                old=str(row.old_id or ""),
                new=str(row.new_id),
                old_label=names.get(row.old_id or 0, ""),
                new_label=names.get(row.new_id, ""),
                at=row.at,
                known_at=now,
                origin="psa",
                actor=row.actor[:120],
                remote_key=row.key,
            )
        )
    TicketEvent.objects.bulk_create(events, ignore_conflicts=True)
    return len(events)


def _own_event(ticket: Ticket, seen: Sequence[TicketEvent], row: RemoteStatusChange) -> TicketEvent | None:
    """Our own change of status, come back: made here at about that time, or sent from here at about that time."""
    for event in seen:
        is_ours = event.remote_key is None and event.origin in ("desk", "client", "system")
        if not is_ours or event.new != str(row.new_id):
            continue
        if abs(event.at - row.at) <= OWN_WINDOW or (event.at < row.at and _was_sent(ticket, row)):
            return event
    return None


def _was_sent(ticket: Ticket, row: RemoteStatusChange) -> bool:
    """Whether a change of ours to this status left the outbox about then, however long it had waited there."""
    remote_id = Status.objects.filter(pk=row.new_id).values_list("remote_id", flat=True).first()
    sent = OutboxItem.objects.in_lane(ticket.lane).filter(
        write_started_at__range=(row.at - OWN_WINDOW, row.at + OWN_WINDOW)
    )
    return any(remote_id in (i.fields.get("status"), i.fields.get("new_status")) for i in sent)
