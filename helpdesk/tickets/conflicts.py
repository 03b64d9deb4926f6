"""A change that the PSA did not take, or took differently: ours again, theirs, or back to what it was."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from helpdesk.core.origin import Origin
from helpdesk.outbox import services as outbox
from helpdesk.outbox.choices import UNFINISHED, State, Verb
from helpdesk.outbox.models import OutboxItem
from helpdesk.tickets import clocks
from helpdesk.tickets.fields import FIELDS, spell
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.services import change_ticket
from helpdesk.tickets.writing import lock_ticket, save_clocks


def conflicting_fields(item: OutboxItem, confirmed: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a waiting change that the PSA changed since: field -> the PSA's value. Same value as ours is none.

    Nor is a value that an earlier change of our own has put there while this one was waiting.
    """
    found = {
        name: confirmed[name]
        for name, mine in item.fields.items()
        if name in confirmed and name in item.base and confirmed[name] not in (item.base[name], mine)
    }
    return {name: value for name, value in found.items() if value not in _sent_meanwhile(item, name)} if found else {}


def _sent_meanwhile(item: OutboxItem, name: str) -> list[Any]:
    """What earlier changes of the lane have written into a field since this one was made, or may just be writing."""
    done = Q(state=State.DONE, done_at__gte=item.created_at)
    on_its_way = Q(state__in=UNFINISHED, write_started_at__isnull=False)
    sent = OutboxItem.objects.in_lane(item.lane).filter(done | on_its_way, sequence__lt=item.sequence)
    key = "new_status" if name == "status" else name
    rows = [i.fields for i in sent]
    return [row[k] for row in rows for k in (name, key) if k in row]


@transaction.atomic
def send_again(*, item: OutboxItem, origin: Origin, now: datetime) -> None:
    """A refused change goes out once more. A new ticket goes as it is now, with what was put right meanwhile."""
    fields = None
    if item.verb == Verb.CREATE_TICKET:
        ticket = lock_ticket(int(item.lane.partition(":")[2]))
        now_held = {name: spell(name, getattr(ticket, name)) for name in FIELDS}
        fields = {name: value for name, value in now_held.items() if value is not None}
    outbox.retry_item(item=item, origin=origin, now=now, fields=fields)


@transaction.atomic
def keep_mine(*, item: OutboxItem, origin: Origin, now: datetime) -> None:
    """A conflict settled for us: what the PSA has now becomes the base, and our values go out again."""
    outbox.retry_item(item=item, origin=origin, now=now, base={**item.base, **item.theirs})


@transaction.atomic
def take_theirs(*, item: OutboxItem, origin: Origin, now: datetime) -> None:
    """A conflict settled for the PSA: our values of the fields it changed are given up, those fall back to the PSA's.

    What else the same change carries was not in conflict: it goes out again.
    """
    theirs = dict(item.theirs)
    rest = {name: value for name, value in item.fields.items() if name not in theirs}
    if not theirs or not rest:
        outbox.discard_item(item=item, now=now)
        return
    base = {name: value for name, value in item.base.items() if name in rest}
    outbox.retry_item(item=item, origin=origin, now=now, fields=rest, base=base)
    ticket_id = int(item.lane.partition(":")[2])
    fall_back(ticket_id=ticket_id, fields=theirs, values=theirs, origin=Origin.system(), now=now)


@transaction.atomic
def fall_back(
    *, ticket_id: int, fields: Iterable[str], values: Mapping[str, Any], origin: Origin, now: datetime
) -> None:
    """After a change was given up: put the fields back to the PSA's last known value, without sending anything."""
    ticket = lock_ticket(ticket_id)
    held = set()
    for other in OutboxItem.objects.in_lane(ticket.lane).open():
        held |= set(other.fields)
    changes = {}
    fields = list(fields)
    for name in fields:
        if name in FIELDS and name not in held:
            changes[name] = from_spelling(ticket.psa_account_id, name, values.get(name, ticket.confirmed.get(name)))
    if changes:
        change_ticket(ticket=ticket, changes=changes, origin=origin, now=now, leaves=False)
    if ticket.are_dates_old and not {*clocks.DATING, "status"} & held:
        ticket = lock_ticket(ticket_id)
        ticket.are_dates_old = False  # the PSA's dates are those of the values that stand again
        save_clocks(ticket, now=now)
        ticket.save(update_fields=["are_dates_old"])


def from_spelling(account_id: int, name: str, text: Any) -> Any:
    """The object, text or instant behind a spelling (see `fields.spell`); None when unknown."""
    field = FIELDS[name]
    if text is None:
        return None if field.is_reference or field.is_instant else ""
    if field.is_reference:
        model = Ticket._meta.get_field(name).related_model
        return model.objects.filter(psa_account=account_id, remote_id=text).first()  # type: ignore[union-attr]
    return datetime.fromisoformat(text) if field.is_instant else text
