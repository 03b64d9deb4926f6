"""What every change of a ticket does: lock its row, write its clocks and events, tell open pages."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import ForeignKey

from helpdesk.core import live
from helpdesk.core.origin import Origin
from helpdesk.directory.roles import role_name
from helpdesk.sla.models import Target
from helpdesk.tickets import clocks
from helpdesk.tickets.choices import Sync
from helpdesk.tickets.fields import FIELDS, event_key, event_label
from helpdesk.tickets.models import Ticket, TicketClock, TicketEvent


def lock_ticket(ticket_id: int) -> Ticket:
    """The ticket's row, held until the transaction ends: also the lock of its outbox lane."""
    return Ticket.objects.select_for_update().in_full().get(pk=ticket_id)


_REFERENCES = tuple(f for f in Ticket._meta.concrete_fields if isinstance(f, ForeignKey) and f.name != "parent")


def hold_ticket(ticket: Ticket) -> Ticket:
    """`lock_ticket` for a ticket that was just read: only its own row is read again.

    What it points to is taken from `ticket` wherever the row still points there.
    """
    if "status" not in ticket._state.fields_cache:
        return lock_ticket(ticket.pk)
    held = Ticket.objects.select_for_update().defer("raw", "description_clean").get(pk=ticket.pk)
    for field in _REFERENCES:
        if field.is_cached(ticket) and getattr(held, field.attname) == getattr(ticket, field.attname):
            setattr(held, field.name, getattr(ticket, field.name))
    return held


def columns_of(ticket: Ticket) -> dict[str, Any]:
    """The row as it was read, for `save_changed`."""
    return {f.attname: ticket.__dict__[f.attname] for f in Ticket._meta.concrete_fields if f.attname in ticket.__dict__}


def save_changed(ticket: Ticket, was: Mapping[str, Any]) -> None:
    """Write what differs from `was`, in one statement. Values are replaced, never changed in place."""
    changed = [name for name, value in was.items() if getattr(ticket, name) != value]
    if changed:
        ticket.save(update_fields=changed)


def show_pending(ticket: Ticket) -> None:
    """One more change of the ticket waits; what is refused or in doubt counts for more. Unsaved."""
    if ticket.sync_state not in (Sync.REFUSED, Sync.CHECKING):
        ticket.sync_state = Sync.PENDING


def targets_of(ticket: Ticket) -> dict[str, Target]:
    """Priority (as the PSA spells it) -> what the ticket's policy promises."""
    if not ticket.sla_policy_id:
        return {}
    return {t.priority: t for t in Target.objects.filter(policy=ticket.sla_policy_id)}


def target_of(ticket: Ticket) -> Target | None:
    if not ticket.sla_policy_id:
        return None
    return Target.objects.filter(policy=ticket.sla_policy_id, priority=ticket.priority.remote_id or "").first()


def save_clocks(ticket: Ticket, *, before: Mapping[str, TicketClock], now: datetime) -> None:
    """Write both clocks, and what the row shows of them."""
    write_clocks(ticket, target_of(ticket), before=before, now=now)
    if ticket.pk:
        Ticket.objects.filter(pk=ticket.pk).update(**{name: getattr(ticket, name) for name in clocks.ROW_FIELDS})


def write_clocks(ticket: Ticket, target: Target | None, *, before: Mapping[str, TicketClock], now: datetime) -> None:
    """Write both clocks and set the row's columns, which the caller saves."""
    clocks.save_clocks(clocks.derive(ticket, status=ticket.status, target=target, before=before, now=now))


def record_events(ticket: Ticket, diff: Sequence[tuple[str, Any, Any]], origin: Origin, now: datetime) -> None:
    TicketEvent.objects.bulk_create(
        TicketEvent(
            ticket=ticket,
            field=name,
            old=event_key(name, old) if name in FIELDS else "",
            new=event_key(name, new) if name in FIELDS else "",
            old_label=_label(ticket, name, old, {one for one, _old, _new in diff}),
            new_label=_label(ticket, name, new, {one for one, _old, _new in diff}),
            at=now,
            known_at=now,
            origin=origin.place,
            actor=origin.name[:120],
            user_id=origin.user_id,
        )
        for name, old, new in diff
    )


def _label(ticket: Ticket, name: str, value: Any, changed: Collection[str]) -> str:
    """What the timeline says. A role that came with its owner goes without saying."""
    if name != "agent_role":
        return event_label(value)
    return "" if "agent" in changed or not value else event_label(role_name(ticket.agent, value))


def tell_pages(ticket: Ticket) -> None:
    live.touch(live.DESK, live.ticket_scope(ticket.pk))
