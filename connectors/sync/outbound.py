"""From the outbox to a PSA, each change exactly once: claim, look, write, keep the answer, or say why not."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from connectors.base.connector import Connector
from connectors.base.errors import (
    AuthFailed,
    Conflict,
    ConnectorError,
    Forbidden,
    NotFound,
    RateLimited,
    Rejected,
    Unavailable,
    Unknown,
)
from connectors.base.records import Record
from connectors.sync import health, journal, retry
from connectors.sync.health import OnHold
from connectors.sync.jobs import job_of
from connectors.sync.keys import Keys
from connectors.sync.verbs import Already, Contradicted, Job
from helpdesk.outbox import services as outbox
from helpdesk.outbox.choices import Reason, State, Verb
from helpdesk.outbox.models import OutboxItem

LEASE_SECONDS = 60
PROGRESS_EVERY = timedelta(seconds=1)
WAIT_FOR_SUBJECT = timedelta(seconds=15)

Clock = Callable[[], datetime]


class _LeaseLost(Exception):
    """Another worker has the item: this one's word counts no more."""


def push_item(item: OutboxItem, connector: Connector, *, clock: Clock) -> str:
    """Bring one claimed item a step further; the state it is in afterwards."""
    started, calls = time.monotonic(), connector.calls
    _work(item, connector, clock)
    state = OutboxItem.objects.filter(pk=item.pk).values_list("state", flat=True).first() or ""
    fresh = OutboxItem.objects.filter(pk=item.pk).values_list("error_text", flat=True).first()
    words = {
        State.DONE: _("sent"), State.CHECKING: _("outcome unknown: being looked up"), State.REFUSED: _("refused"),
        State.WAITING: _("will be tried again"),
    }  # fmt: skip
    text = f"{Verb(item.verb).label}: {words.get(State(state), state) if state else ''}"
    journal.note(
        account_id=item.psa_account_id,
        what="push",
        text=f"{text}: {fresh}" if fresh and state != State.DONE else text,
        now=clock(),
        ok=state in (State.DONE, State.WAITING),
        ticket_id=_ticket_id(item),
        calls=connector.calls - calls,
        seconds=time.monotonic() - started,
    )
    return state


def _work(item: OutboxItem, connector: Connector, clock: Clock) -> None:
    job = job_of(item, connector, Keys(item.psa_account_id))
    if job is None:
        text = _("The ticket is gone.") if item.lane.startswith("ticket:") else _("It is gone.")
        outbox.refuse(item=item, reason=Reason.GONE, text=text, now=clock())
        return
    if job.needs_subject and not job.is_known:
        _wait_for_subject(job, clock())
        return
    in_doubt = item.write_started_at is not None
    try:
        _try(job, clock, in_doubt=in_doubt)
    except _LeaseLost:
        return
    except ConnectorError as error:
        _settle(job, error, clock, in_doubt=in_doubt)


def _try(job: Job[Any], clock: Clock, *, in_doubt: bool) -> None:
    try:
        with health.watching(job.item.psa_account_id, clock=clock):
            if in_doubt:
                _look_up(job, clock)
            else:
                _send(job, clock)
    except Already as already:
        _finish(job, already.record, clock)
    except Contradicted as found:
        _refuse_conflict(job, found, clock())


def _ticket_id(item: OutboxItem) -> int | None:
    """The ticket that the item is about; None for one of another lane."""
    place, _colon, pk = item.lane.partition(":")
    return int(pk) if place == "ticket" else None


def _wait_for_subject(job: Job[Any], now: datetime) -> None:
    """What it is about has not reached the PSA: its creation was refused, or given up."""
    if text := job.lost():
        outbox.refuse(item=job.item, reason=Reason.GONE, text=text, now=now)
        return
    is_ticket = job.item.lane.startswith("ticket:")
    text = _("Waits for the ticket to be created.") if is_ticket else _("Waits until it is created.")
    outbox.postpone(item=job.item, until=now + WAIT_FOR_SUBJECT, text=text, now=now)


def _send(job: Job[Any], clock: Clock) -> None:
    job.check()
    if not outbox.begin_write(item=job.item, now=clock()):
        raise _LeaseLost
    record = job.send(_Progress(job, clock))
    try:
        is_there = job.is_there(record)
    except ConnectorError as error:
        raise Unknown(error.text) from error
    if not is_there:
        raise Unknown(_("The PSA said yes and does not show it yet."))
    _finish(job, record, clock)


def _look_up(job: Job[Any], clock: Clock) -> None:
    item, since = job.item, job.item.write_started_at
    assert since is not None
    record = job.look_up(since=since)
    if record is not None:
        _finish(job, record, clock)
        return
    now = clock()
    if retry.is_surely_absent(lookups=item.lookups + 1, since_write=now - since, is_harmless=job.is_harmless):
        outbox.postpone(item=item, until=now, text="", now=now)
        return
    outbox.check_later(
        item=item,
        until=now + timedelta(seconds=retry.lookup_seconds(item.lookups + 1)),
        text=_("Not seen in the PSA yet."),
        now=now,
    )


def _finish(job: Job[Any], record: Record, clock: Clock) -> None:
    """The PSA has it: its answer and the end of the item in one transaction."""
    moved = job.after(record)
    now = clock()
    with transaction.atomic():
        if not outbox.complete(item=job.item, now=now):
            raise _LeaseLost
        job.keep(record, now=now)
        if moved is not None:
            job.apply(moved, now=now)


class _Progress:
    """Bytes sent so far: onto the item and to open pages, about once a second; keeps the lease alive."""

    def __init__(self, job: Job[Any], clock: Clock) -> None:
        self._job = job
        self._clock = clock
        self._next: datetime | None = None

    def __call__(self, sent: int) -> None:
        now = self._clock()
        if self._next and now < self._next:
            return
        self._next = now + PROGRESS_EVERY
        if not outbox.renew(item=self._job.item, now=now, lease_seconds=LEASE_SECONDS, progress=sent):
            raise _LeaseLost
        self._job.touch()


# ---- what an error means --------------------------------------------------------------------------------------------


def _settle(job: Job[Any], error: ConnectorError, clock: Clock, *, in_doubt: bool) -> None:
    """`in_doubt`: an earlier write may have been applied, so nothing may be sent before that is known."""
    if isinstance(error, Unknown):
        _check_later(job, error, clock())
    elif isinstance(error, NotFound) and (job.needs_subject or not in_doubt):
        _not_found(job, error, clock, in_doubt=in_doubt)
    elif in_doubt:
        _stay_in_doubt(job.item, error, clock())
    elif isinstance(error, Unavailable | RateLimited | AuthFailed):
        _postpone(job.item, error, clock())
    elif isinstance(error, Conflict):
        _ask_what_is_there(job, error, clock)
    else:
        _refuse(job.item, error, clock())


def _check_later(job: Job[Any], error: ConnectorError, now: datetime) -> None:
    item = job.item
    if item.write_started_at is None:
        # Unknown belongs to writes; before ours began it can only be that nothing was applied.
        _postpone(item, error, now)
        return
    until = now + timedelta(seconds=retry.lookup_seconds(item.lookups))
    outbox.check_later(item=item, until=until, text=error.text, now=now, was_looked_up=False)


def _stay_in_doubt(item: OutboxItem, error: ConnectorError, now: datetime) -> None:
    """The PSA could not be asked: ask again later, and count nothing."""
    wait = error.retry_after if isinstance(error, RateLimited) else None
    if isinstance(error, OnHold) and error.until:
        wait = (error.until - now).total_seconds()
    seconds = wait if wait is not None else retry.lookup_seconds(item.lookups)
    until = now + timedelta(seconds=max(1.0, seconds))
    outbox.check_later(item=item, until=until, text=error.text, now=now, was_looked_up=False)


def put_aside(item: OutboxItem, error: ConnectorError, now: datetime) -> None:
    """It cannot be worked on now, for a reason that says nothing about the item."""
    if item.write_started_at is not None:
        _stay_in_doubt(item, error, now)
    else:
        _postpone(item, error, now)


def _postpone(item: OutboxItem, error: ConnectorError, now: datetime) -> None:
    """Surely not applied: wait as long as the PSA says, else longer each time."""
    if isinstance(error, RateLimited) and error.retry_after is not None:
        seconds = max(0.2, error.retry_after)
    elif isinstance(error, AuthFailed):
        seconds = 0.0  # the account is paused: the item waits with it
    elif isinstance(error, OnHold):
        seconds = max(0.5, (error.until - now).total_seconds()) if error.until else 1.0
    else:
        seconds = retry.retry_seconds(item.attempts, random.random())
    outbox.postpone(item=item, until=now + timedelta(seconds=seconds), text=error.text, now=now)


def _refuse(item: OutboxItem, error: ConnectorError, now: datetime) -> None:
    reason = Reason.AUTH if isinstance(error, Forbidden) else Reason.VALIDATION
    fields = error.fields if isinstance(error, Rejected) else {}
    outbox.refuse(item=item, reason=reason, text=error.text, fields=fields, now=now)


def _not_found(job: Job[Any], error: ConnectorError, clock: Clock, *, in_doubt: bool) -> None:
    """Gone is only what cannot be read either; else something that the change names is gone."""
    now = clock()
    try:
        if job.needs_subject:
            job.read()
    except NotFound:
        with transaction.atomic():
            outbox.refuse(item=job.item, reason=Reason.GONE, text=error.text or _("Deleted in the PSA."), now=now)
            job.mark_gone(now=now)
        return
    except ConnectorError as other:
        _settle(job, other, clock, in_doubt=in_doubt)
        return
    outbox.refuse(item=job.item, reason=Reason.GONE, text=error.text, now=now)


def _ask_what_is_there(job: Job[Any], error: ConnectorError, clock: Clock) -> None:
    """The PSA says that somebody else was there: show the person what it has now."""
    try:
        record = job.read()
    except ConnectorError as other:
        _settle(job, other if not isinstance(other, Conflict) else Unavailable(other.text), clock, in_doubt=False)
        return
    _refuse_conflict(job, Contradicted(job.theirs(record), record), clock(), text=error.text)


def _refuse_conflict(job: Job[Any], found: Contradicted, now: datetime, text: str = "") -> None:
    with transaction.atomic():
        if outbox.refuse(item=job.item, reason=Reason.CONFLICT, text=text, theirs=found.theirs, now=now):
            job.apply(found.record, now=now)
