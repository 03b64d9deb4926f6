"""What every change of a ticket does: lock its row, write its clocks and events, tell open pages."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import ForeignKey

from helpdesk.core import live
from helpdesk.core.origin import Origin
from helpdesk.directory.models import PsaAccount
from helpdesk.directory.roles import role_name
from helpdesk.sla import book
from helpdesk.tickets import clocks
from helpdesk.tickets.choices import Sync
from helpdesk.tickets.fields import FIELDS, event_key, event_label
from helpdesk.tickets.models import Status, Ticket, TicketClock, TicketEvent
from helpdesk.tickets.promises import rules_of
from helpdesk.tickets.stories import CREATED, read_stories
from helpdesk.tickets.timeline import Meanings


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


def clock_context(account: PsaAccount, now: datetime) -> clocks.Context:
    """What the account's tickets are worked out by, just now. One query while no promise was added."""
    return clocks.Context(account=rules_of(account), meanings=Meanings(), book=book.current(), now=now)


def is_promised_by(fields: Collection[str]) -> bool:
    """Whether a policy was ever given here by one of these fields, so that a change of it may move the clocks."""
    return bool(fields) and any(who in fields for who, _key in book.current().uses)


def save_clocks(ticket: Ticket, *, now: datetime) -> list[TicketClock]:
    """Write both clocks, and what the row shows of them. What happened to the ticket is recorded before."""
    derived = write_clocks(ticket, now=now)
    Ticket.objects.filter(pk=ticket.pk).update(**{name: getattr(ticket, name) for name in clocks.ROW_FIELDS})
    return derived


def write_clocks(ticket: Ticket, *, now: datetime, statuses: Iterable[Status] = ()) -> list[TicketClock]:
    """Write both clocks and set the row's columns, which the caller saves. What happened is recorded before.

    `statuses` that are at hand are not read again.
    """
    context = clock_context(ticket.psa_account, now)
    context.meanings.statuses.update({one.pk: one for one in statuses})
    contract = ticket._state.fields_cache.get("contract")
    if contract is not None and "sla_policy_id" in vars(contract):
        context.meanings.contracts[contract.pk] = contract.sla_policy_id
    (derived,) = clocks.derive_many([ticket], read_stories([ticket]), context)
    clocks.save_clocks(derived)
    ticket.written_clocks = derived
    return derived


def record_events(ticket: Ticket, diff: Sequence[tuple[str, Any, Any]], origin: Origin, now: datetime) -> None:
    made = TicketEvent.objects.bulk_create(
        TicketEvent(
            ticket=ticket,
            field=name,
            old=event_key(name, old) if name in FIELDS else "",
            new=event_key(name, new) if name in FIELDS else str(ticket.status_id) if name == CREATED else "",
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
    if ticket.written_events is not None:
        ticket.written_events = [*ticket.written_events, *made]


def events_of(ticket: Ticket, user_id: int, now: datetime) -> list[int]:
    """Keys of what this person has just changed; no query where this very object was changed and nothing beside it."""
    if not ticket.written_events or any(e.pk is None for e in ticket.written_events):
        return list(ticket.events.made_by(user_id, now).values_list("pk", flat=True))
    return [e.pk for e in ticket.written_events if e.user_id == user_id and e.at == now]


def _label(ticket: Ticket, name: str, value: Any, changed: Collection[str]) -> str:
    """What the timeline says. A role that came with its owner goes without saying."""
    if name != "agent_role":
        return event_label(value)
    return "" if "agent" in changed or not value else event_label(role_name(ticket.agent, value))


def tell_pages(ticket: Ticket) -> None:
    live.touch(live.DESK, live.ticket_scope(ticket.pk))
