"""Put a change into the outbox, claim it, and say what became of it.

A worker's word counts only while its fence number is the item's: who lost the lease changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Max

from helpdesk.core.errors import Stale
from helpdesk.core.origin import Origin
from helpdesk.outbox.choices import UNFINISHED, Reason, State, Verb
from helpdesk.outbox.models import OutboxItem
from helpdesk.outbox.signals import item_changed


@transaction.atomic(savepoint=False)
def enqueue(
    *,
    psa_account_id: int,
    lane: str,
    verb: Verb,
    subject: str,
    fields: Mapping[str, Any],
    origin: Origin,
    now: datetime,
    base: Mapping[str, Any] | None = None,
    hold_seconds: int = 0,
    rank: int = 0,
    depends_on: OutboxItem | None = None,
    last: int | None = None,
    is_shown: bool = False,
) -> OutboxItem:
    """Append a change to its lane. The caller holds the lane's lock (the ticket's row), so sequences do not clash.

    `last` is the lane's last sequence where the caller has just read it. `is_shown`: the caller writes "pending" on
    the rows that it is about, so that nobody reads and writes them anew for it.
    """
    if last is None:
        last = OutboxItem.objects.filter(lane=lane).aggregate(last=Max("sequence"))["last"] or 0
    item = OutboxItem.objects.create(
        psa_account_id=psa_account_id,
        lane=lane,
        sequence=last + 1,
        verb=verb,
        subject=subject,
        fields=dict(fields),
        base=dict(base or {}),
        depends_on=depends_on,
        not_before_at=now + timedelta(seconds=hold_seconds),
        rank=rank,
        actor_id=origin.user_id,
        actor_name=origin.name[:120],
        created_at=now,
    )
    _tell(item, now, is_shown=is_shown)
    return item


@transaction.atomic(savepoint=False)
def enqueue_fields(
    *,
    psa_account_id: int,
    lane: str,
    subject: str,
    fields: Mapping[str, Any],
    base: Mapping[str, Any],
    origin: Origin,
    now: datetime,
    rank: int = 0,
    is_shown: bool = False,
    hold_seconds: int = 0,
) -> OutboxItem:
    """Like `enqueue` for changed fields, but joins the lane's last item when that one has not moved yet.

    Only other fields of the same person join: a second value of the same field is a change of its own. What is held
    goes alone, so that it can be taken back alone.
    """
    last = OutboxItem.objects.in_lane(lane).last()
    if (
        last is not None
        and not hold_seconds
        and last.not_before_at <= now
        and last.state == State.WAITING
        and last.verb == Verb.UPDATE_TICKET
        and last.attempts == 0
        and last.actor_id == origin.user_id
        and not set(last.fields) & set(fields)
    ):
        with_these = {
            "fields": {**last.fields, **fields},
            "base": {**last.base, **base},
            "rank": min(last.rank, rank),
        }
        still = OutboxItem.objects.filter(pk=last.pk, fence=last.fence, state=State.WAITING, lease_until=None)
        if still.update(**with_these):
            for name, value in with_these.items():
                setattr(last, name, value)
            _tell(last, now, is_shown=is_shown)
            return last
    return enqueue(
        psa_account_id=psa_account_id,
        lane=lane,
        verb=Verb.UPDATE_TICKET,
        subject=subject,
        fields=fields,
        base=base,
        origin=origin,
        now=now,
        rank=rank,
        last=last.sequence if last is not None else 0,
        hold_seconds=hold_seconds,
        is_shown=is_shown,
    )


def claim(
    *, now: datetime, lease_seconds: int, account_ids: Collection[int] | None = None, limit: int = 1
) -> list[OutboxItem]:
    """Take due items for one worker, at most `limit`. Each carries the fence number that its results must show."""
    due = OutboxItem.objects.due(now)
    if account_ids is not None:
        due = due.filter(psa_account_id__in=account_ids)
    taken: list[OutboxItem] = []
    for pk, fence in list(due.values_list("pk", "fence")[: limit * 4]):
        if len(taken) == limit:
            break
        item = _take(pk, fence, now=now, lease_seconds=lease_seconds)
        if item is not None:
            taken.append(item)
    return taken


@transaction.atomic
def _take(pk: int, fence: int, *, now: datetime, lease_seconds: int) -> OutboxItem | None:
    rows = OutboxItem.objects.filter(pk=pk, fence=fence, state__in=UNFINISHED)
    if not rows.update(fence=fence + 1, lease_until=now + timedelta(seconds=lease_seconds)):
        return None
    item = OutboxItem.objects.select_related("psa_account").get(pk=pk)
    if item.state == State.WAITING:
        item.state = State.SENDING
        item.save(update_fields=["state"])
        _tell(item, now)
    return item


def begin_write(*, item: OutboxItem, now: datetime) -> bool:
    """Note, before the first byte leaves, that the write may have been applied from now on. False = lease lost."""
    held = OutboxItem.objects.filter(pk=item.pk, fence=item.fence, state__in=UNFINISHED)
    started = item.write_started_at or now
    if not held.update(write_started_at=started, attempts=item.attempts + 1):
        return False
    item.write_started_at, item.attempts = started, item.attempts + 1
    return True


def renew(*, item: OutboxItem, now: datetime, lease_seconds: int, progress: int | None = None) -> bool:
    """A long write goes on: push the lease out and note the bytes sent. False = lease lost, stop."""
    values: dict[str, Any] = {"lease_until": now + timedelta(seconds=lease_seconds)}
    if progress is not None:
        values["progress"] = progress
    return bool(OutboxItem.objects.filter(pk=item.pk, fence=item.fence, state__in=UNFINISHED).update(**values))


def complete(*, item: OutboxItem, now: datetime) -> bool:
    """The PSA has it."""
    return _settle(item, now=now, state=State.DONE, done_at=now, error_text="", error_fields={}, reason="", theirs={})


def postpone(*, item: OutboxItem, until: datetime, text: str, now: datetime) -> bool:
    """Surely not applied: try again then. What was begun counts as not begun."""
    return _settle(
        item, now=now, state=State.WAITING, not_before_at=until, error_text=text[:2000], write_started_at=None
    )


def check_later(*, item: OutboxItem, until: datetime, text: str, now: datetime, was_looked_up: bool = True) -> bool:
    """The outcome is unknown: look it up then, and do not send it again before.

    `was_looked_up` is off when the PSA could not be asked: only answers count towards "surely absent".
    """
    return _settle(
        item,
        now=now,
        state=State.CHECKING,
        not_before_at=until,
        error_text=text[:2000],
        lookups=item.lookups + was_looked_up,
    )


def refuse(
    *,
    item: OutboxItem,
    reason: Reason,
    text: str,
    now: datetime,
    fields: Mapping[str, str] | None = None,
    theirs: Mapping[str, Any] | None = None,
) -> bool:
    """A person is needed; later changes of the lane go on."""
    return _settle(
        item,
        now=now,
        state=State.REFUSED,
        reason=reason,
        error_text=text[:2000],
        error_fields=dict(fields or {}),
        theirs=dict(theirs or {}),
        write_started_at=None,
    )


@transaction.atomic
def _settle(item: OutboxItem, *, now: datetime, state: State, **values: Any) -> bool:
    held = OutboxItem.objects.filter(pk=item.pk, fence=item.fence, state__in=UNFINISHED)
    if not held.update(state=state, lease_until=None, **values):
        return False
    item.refresh_from_db()
    _tell(item, now)
    return True


@transaction.atomic
def retry_item(
    *,
    item: OutboxItem,
    origin: Origin,
    now: datetime,
    fields: Mapping[str, Any] | None = None,
    base: Mapping[str, Any] | None = None,
) -> OutboxItem:
    """Send a refused change again, as it is or edited; or one in doubt, on a person's word that it did not arrive.

    Stale when it is neither any more (double press), or a worker holds it.
    """
    values: dict[str, Any] = {
        "state": State.WAITING,
        "not_before_at": now,
        "reason": "",
        "error_text": "",
        "error_fields": {},
        "theirs": {},
        "attempts": 0,
        "lookups": 0,
        "write_started_at": None,
        "actor_id": origin.user_id or item.actor_id,
    }
    if fields is not None:
        values["fields"] = dict(fields)
    if base is not None:
        values["base"] = dict(base)
    rows = OutboxItem.objects.filter(pk=item.pk, state__in=[State.REFUSED, State.CHECKING], lease_until=None)
    if not rows.update(**values):
        raise Stale("this change is no longer refused")
    item.refresh_from_db()
    _tell(item, now)
    return item


@transaction.atomic
def discard_item(*, item: OutboxItem, now: datetime) -> OutboxItem:
    """Give up a change that is refused, still waiting, or in doubt. What hangs on it goes with it."""
    idle = [State.REFUSED, State.WAITING, State.CHECKING]
    rows = OutboxItem.objects.filter(pk=item.pk, state__in=idle, lease_until=None)
    if not rows.update(state=State.DISCARDED, done_at=now):
        raise Stale("this change is already on its way")
    for dependant in OutboxItem.objects.filter(depends_on=item, state__in=[State.WAITING, State.REFUSED]):
        discard_item(item=dependant, now=now)
    item.refresh_from_db()
    _tell(item, now)
    return item


def _tell(item: OutboxItem, now: datetime, *, is_shown: bool = False) -> None:
    item_changed.send(sender=OutboxItem, item=item, now=now, is_shown=is_shown)
