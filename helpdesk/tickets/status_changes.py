"""Status changes that the PSA tells of to the second: its own become events, ours come back get their key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from helpdesk.outbox.models import OutboxItem
from helpdesk.tickets.choices import Precision
from helpdesk.tickets.models import Status, Ticket, TicketEvent
from helpdesk.tickets.writing import lock_ticket, save_clocks


@dataclass(frozen=True, kw_only=True)
class RemoteStatusChange:
    """A status change that the PSA tells of to the second. `key` is unique within the ticket."""

    key: str
    old_id: int | None
    new_id: int
    at: datetime
    actor: str = ""


OWN_WINDOW = timedelta(minutes=10)
POLLED_KEY = "poll:status:"
"""How the key of a change begins that was seen between two pulls, instead of being told."""
FRESH = timedelta(hours=1)
"""So long after it was seen the PSA's history is asked for a change; what it does not tell by then it never does."""
SKEW = timedelta(minutes=2)
"""Between the PSA's clock and ours."""


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


def seen_only(ticket: Ticket, *, now: datetime) -> list[TicketEvent]:
    """Changes of status that were lately seen between two pulls: their instants, persons and steps are not known."""
    rows = ticket.events.of_field("status").filter(remote_key__startswith=POLLED_KEY, known_at__gte=now - FRESH)
    return list(rows.order_by("known_at", "pk"))


@transaction.atomic
def sharpen(*, ticket: Ticket, rows: Sequence[RemoteStatusChange], now: datetime) -> int:
    """Put what the PSA's history tells in the place of changes that were only seen. Counts those that became exact.

    The last step to the status that was seen takes the seen event's place, those before it are written beside it; what
    the history does not tell stays as it was seen.
    """
    whole = list(ticket.events.of_field("status").order_by("known_at", "pk"))
    told = {e.remote_key for e in whole}
    rest = [r for r in rows if r.key not in told and _own_event(ticket, whole, r) is None]
    names = {s.pk: s.name for s in Status.objects.filter(psa_account_id=ticket.psa_account_id).only("name")}
    count = 0
    for event in seen_only(ticket, now=now):
        before = [e.known_at for e in whole if e.known_at < event.known_at]
        steps = _steps(rest, event, since=max(before, default=ticket.opened_at) - SKEW)
        if not steps:
            continue
        rest = [row for row in rest if row not in steps]
        _tell(event, steps[-1], names)
        event.save()
        between = [_tell(TicketEvent(ticket=ticket, field="status", known_at=now), row, names) for row in steps[:-1]]
        TicketEvent.objects.bulk_create(between, ignore_conflicts=True)
        count += 1
    if count:
        Ticket.objects.filter(pk=ticket.pk).update(changed_at=now)
        save_clocks(lock_ticket(ticket.pk), now=now)
    return count


@transaction.atomic
def tell_before(*, ticket: Ticket, rows: Sequence[RemoteStatusChange], now: datetime) -> int:
    """Write what the PSA's history tells of a ticket that we met in the midst of its life. Counts the changes."""
    count = apply_status_changes(ticket=ticket, rows=rows, now=now)
    if count:
        Ticket.objects.filter(pk=ticket.pk).update(changed_at=now)
        save_clocks(lock_ticket(ticket.pk), now=now)
    return count


def _steps(rows: Sequence[RemoteStatusChange], event: TicketEvent, *, since: datetime) -> list[RemoteStatusChange]:
    """From the old status of a seen change to its new one, in order; empty when the rows do not lead there."""
    found = [row for row in rows if since <= row.at <= event.known_at + SKEW]
    ends = [place for place, row in enumerate(found) if str(row.new_id) == event.new]
    steps = found[: ends[-1] + 1] if ends else []
    starts = [place for place, row in enumerate(steps) if str(row.old_id or "") == event.old]
    return steps[starts[0] :] if starts else []


def _tell(event: TicketEvent, row: RemoteStatusChange, names: Mapping[int, str]) -> TicketEvent:
    event.old, event.new = str(row.old_id or ""), str(row.new_id)
    event.old_label, event.new_label = names.get(row.old_id or 0, ""), names.get(row.new_id, "")
    event.at, event.actor, event.remote_key = row.at, row.actor[:120], row.key
    event.origin, event.precision = "psa", Precision.EXACT
    return event
