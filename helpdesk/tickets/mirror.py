"""What a PSA says of tickets, applied in batches: one transaction, a fixed number of statements per batch.

The bridge resolves references to our keys first, so that nothing here knows a PSA. A field with an unsent or unclear
change of ours is left alone: its PSA value goes to `confirmed`, and another one makes the waiting change a conflict.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from helpdesk.core import bulk, live
from helpdesk.core.formatting import FOREVER
from helpdesk.directory.models import PsaAccount
from helpdesk.outbox import services as outbox
from helpdesk.outbox.choices import Reason, State, Verb
from helpdesk.outbox.models import OutboxItem
from helpdesk.sla import book
from helpdesk.tickets import clocks, holds
from helpdesk.tickets.choices import FINISHED, Precision, SlaClock
from helpdesk.tickets.conflicts import conflicting_fields
from helpdesk.tickets.fields import FIELDS
from helpdesk.tickets.models import Priority, SearchText, Status, Ticket, TicketClock, TicketEvent
from helpdesk.tickets.moments import last_seen
from helpdesk.tickets.promises import rules_of
from helpdesk.tickets.search import TEXT_LIMIT, plain, refresh_search_texts, save_search_texts
from helpdesk.tickets.stories import CREATED, SETTLES, Story, add_event, read_stories
from helpdesk.tickets.timeline import Meanings
from helpdesk.tickets.verdicts import record_changed, verdicts_of

EVENT_FIELDS = ("status", "priority", "agent", "team", "client", "ticket_type", "subject", "contract", "sla_policy")
_KEPT_APART = {"id", "psa_account", "marker", "created_at", "sync_state", "client_replied_at", "description_clean",
               "actions_pulled_at", "estimate_seconds", "escalated_at"}  # fmt: skip
_SEARCHED = {"number", "subject", "description", "resolution", "reported_by", "client_id", "contact_id"}
_WRITTEN = [f.name for f in Ticket._meta.concrete_fields if f.name not in _KEPT_APART and f.name != "remote_id"]


@dataclass(frozen=True, kw_only=True)
class RemoteTicket:
    """One ticket as the PSA has it, in our keys.

    `values`: column name (`client_id`, `subject`, ...) -> value, only what the feed carries. `confirmed`: editable
    field -> spelling. `labels`: reference field -> name for the timeline. `marker`: our own UUID where the PSA kept it.
    """

    remote_id: str
    values: Mapping[str, Any]
    confirmed: Mapping[str, Any]
    remote_updated_at: datetime | None = None
    raw: Mapping[str, Any] = field(default_factory=dict)
    marker: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    paused_at: datetime | None = None
    """When the PSA's hold began, or ended, where it tells."""


@dataclass
class Applied:
    """Counts of one batch, and which tickets are new or changed (their actions are worth a read)."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0
    tickets: dict[str, int] = field(default_factory=dict)
    """remote id -> our key, for every row of the batch."""
    touched: list[int] = field(default_factory=list)


@dataclass
class _Batch:
    account_id: int
    now: datetime
    statuses: dict[int, Status]
    priorities: dict[int, Priority]
    items: dict[str, list[OutboxItem]]
    has_status_events: bool
    held: set[int]
    """Tickets with a hold of their own, beside what their status does."""
    reworded: list[Ticket] = field(default_factory=list)
    """Known tickets whose own text changed: their search text is written anew."""


@transaction.atomic
def apply_tickets(
    *,
    account_id: int,
    rows: Sequence[RemoteTicket],
    now: datetime,
    has_status_events: bool = False,
    is_forced: bool = False,
) -> Applied:
    """Upsert a batch (at most a few hundred rows) as the PSA has it.

    `has_status_events`: the PSA's actions tell of status changes to the second, so a change of status seen between
    two pulls is left to them. `is_forced` applies a row although its change time is the one we know.
    """
    applied = Applied()
    known = _known(account_id, rows)
    batch = _load(account_id, rows, known, now, has_status_events)
    new: list[Ticket] = []
    changed: list[Ticket] = []
    events: list[TicketEvent] = []
    for row in rows:
        ticket = known.get(row.remote_id)
        if ticket is None:
            ticket = _blank(account_id, row, now)
            _set(ticket, row, set())
            new.append(ticket)
        elif not is_forced and _is_known(ticket, row):
            applied.unchanged += 1
            continue
        else:
            events += _merge(ticket, row, batch)
            changed.append(ticket)
        ticket.changed_at = ticket.read_at = now
        ticket.removed_at = None
        _derive(ticket, batch)
    _write(new, changed, events, batch, rows)
    applied.created, applied.changed = len(new), len(changed)
    applied.tickets = {t.remote_id: t.pk for t in (*known.values(), *new) if t.remote_id}
    applied.touched = [t.pk for t in (*new, *changed)]
    if applied.touched:
        live.touch(live.DESK, *(live.ticket_scope(t.pk) for t in changed))
    return applied


def _is_known(ticket: Ticket, row: RemoteTicket) -> bool:
    """Whether this very state was applied before. What was deleted there, and is back, comes back whatever its date."""
    if ticket.removed_at is not None or row.remote_updated_at is None:
        return False
    return ticket.remote_updated_at == row.remote_updated_at


def _known(account_id: int, rows: Sequence[RemoteTicket]) -> dict[str, Ticket]:
    """Rows we have, by remote id; a ticket of ours that the PSA has just taken is found by its marker."""
    ids = [r.remote_id for r in rows]
    lock = Ticket.objects.select_for_update().order_by("pk")  # as every batch takes them: none waits crosswise
    known = {t.remote_id: t for t in lock.filter(psa_account_id=account_id, remote_id__in=ids) if t.remote_id}
    markers = {r.marker: r.remote_id for r in rows if r.marker and r.remote_id not in known}
    if markers:
        for ticket in lock.filter(psa_account_id=account_id, remote_id=None, marker__in=list(markers)):
            remote_id = markers[str(ticket.marker)]
            Ticket.objects.filter(pk=ticket.pk).update(remote_id=remote_id)
            ticket.remote_id = remote_id
            known[remote_id] = ticket
    return known


def _load(
    account_id: int, rows: Sequence[RemoteTicket], known: Mapping[str, Ticket], now: datetime, has_events: bool
) -> _Batch:
    statuses = Status.objects.filter(psa_account_id=account_id).defer("raw").in_bulk()
    priorities = Priority.objects.filter(psa_account_id=account_id).defer("raw").in_bulk()
    released = [
        t.pk
        for row in rows
        if (t := known.get(row.remote_id)) and t.sla_paused and row.values.get("sla_paused") is False
    ]
    items: dict[str, list[OutboxItem]] = {}
    if known:
        for item in OutboxItem.objects.in_lanes(t.lane for t in known.values()).open():
            items.setdefault(item.lane, []).append(item)
    held = holds.standing(released) if released else set()
    return _Batch(account_id, now, statuses, priorities, items, has_events, held)


def _blank(account_id: int, row: RemoteTicket, now: datetime) -> Ticket:
    ticket = bulk.blank(Ticket)
    ticket.psa_account_id, ticket.remote_id = account_id, row.remote_id
    ticket.changed_at, ticket.opened_at = now, row.values.get("opened_at") or now
    if row.marker:
        ticket.marker = row.marker  # type: ignore[assignment]
    return ticket


def _set(ticket: Ticket, row: RemoteTicket, held: set[str]) -> None:
    if "status" not in held and row.values.get("status_id", ticket.status_id) != ticket.status_id:
        ticket.sla_released = False
    if "sla_paused" not in held and row.values.get("sla_paused"):
        ticket.sla_released = False
    for name, value in row.values.items():
        if name.removesuffix("_id") not in held:
            if name == "description" and value != ticket.description:
                ticket.cleaner_version = 0
            setattr(ticket, name, value)
    ticket.confirmed = {**ticket.confirmed, **row.confirmed}
    ticket.remote_updated_at = row.remote_updated_at or ticket.remote_updated_at
    ticket.raw = dict(row.raw) if row.raw else ticket.raw


def _merge(ticket: Ticket, row: RemoteTicket, batch: _Batch) -> list[TicketEvent]:
    held = _held_fields(ticket, row, batch)
    events = [
        event
        for name in EVENT_FIELDS
        if name not in held and not (name == "status" and batch.has_status_events)
        for event in _event(ticket, name, row, batch)
    ]
    if "sla_paused" not in held:
        status_id = ticket.status_id if "status" in held else row.values.get("status_id", ticket.status_id)
        events += _hold_events(ticket, row, status_id, batch)
    if any(name in row.values and row.values[name] != getattr(ticket, name) for name in _SEARCHED - held):
        batch.reworded.append(ticket)
    _set(ticket, row, held)
    return events


def _held_fields(ticket: Ticket, row: RemoteTicket, batch: _Batch) -> set[str]:
    """Fields with a change of ours that is not settled. A waiting one that the PSA meanwhile changed is a conflict."""
    held: set[str] = set()
    for item in batch.items.get(ticket.lane, ()):
        held |= set(item.fields) & set(FIELDS)
        if item.verb == Verb.UPDATE_TICKET and item.state == State.WAITING and item.lease_until is None:
            theirs = conflicting_fields(item, row.confirmed)
            if theirs:
                outbox.refuse(item=item, reason=Reason.CONFLICT, text="", theirs=theirs, now=batch.now)
        if item.verb == Verb.CREATE_ACTION and item.fields.get("new_status"):
            held.add("status")
        if item.verb == Verb.CREATE_ACTION and item.fields.get("hold"):
            held.add("sla_paused")
    if "status" in held and batch.statuses[ticket.status_id].sla_clock == SlaClock.RUNNING:
        held.add("sla_paused")  # the PSA's hold belongs to its own status
    if not held & {"status", "sla_paused"} and not _dates_are_of_another_promise(ticket, row, batch):
        ticket.are_dates_old = False
    return held


def _dates_are_of_another_promise(ticket: Ticket, row: RemoteTicket, batch: _Batch) -> bool:
    """Whether a change of ours that decides the dates is not in the PSA: its dates belong to its own priority."""
    wanted: dict[str, Any] = {}
    for item in batch.items.get(ticket.lane, ()):
        if item.verb == Verb.UPDATE_TICKET:
            wanted |= {name: item.fields[name] for name in clocks.DATING if name in item.fields}
    return any(row.confirmed.get(name) != mine for name, mine in wanted.items())


def _event(ticket: Ticket, name: str, row: RemoteTicket, batch: _Batch) -> Iterable[TicketEvent]:
    attname = FIELDS[name].attname
    if attname not in row.values:
        return
    old, new = getattr(ticket, attname), row.values[attname]
    if old == new:
        return
    yield TicketEvent(
        ticket=ticket,
        field=name,
        old="" if old is None else str(old)[:255],
        new="" if new is None else str(new)[:255],
        old_label=_label(name, old, ticket, batch)[:255],
        new_label=(row.labels.get(name) or _label(name, new, None, batch))[:255],
        at=row.remote_updated_at or batch.now,
        known_at=batch.now,
        precision=Precision.POLLED,
        origin="psa",
        remote_key=f"poll:{name}:{row.remote_updated_at or batch.now:%Y%m%d%H%M%S%f}",
    )


def _hold_events(ticket: Ticket, row: RemoteTicket, status_id: int, batch: _Batch) -> Iterable[TicketEvent]:
    """The PSA's hold, where it is one of its own. Released in a status that pauses, the clocks run on."""
    if "sla_paused" not in row.values:
        return
    old, new = batch.statuses[ticket.status_id], batch.statuses[status_id]
    is_held = bool(row.values["sla_paused"])
    word = holds.psas_word(ticket, is_held=is_held, old=old, new=new, stands=ticket.pk in batch.held)
    if not word:
        return
    if word == holds.RELEASE and old.pk == new.pk and new.sla_clock == SlaClock.PAUSED:
        ticket.sla_released = True
    at = row.remote_updated_at or batch.now
    yield holds.psas_event(ticket, word, told_at=row.paused_at, seen_at=at, now=batch.now)


def _label(name: str, key: Any, ticket: Ticket | None, batch: _Batch) -> str:
    if key is None:
        return ""
    if name == "status":
        return str(batch.statuses.get(key) or "")
    if name == "priority":
        return str(batch.priorities.get(key) or "")
    if FIELDS[name].is_reference:
        # A changed reference is rare: one small query for a name that stays readable for ever.
        return str(getattr(ticket, name) or "") if ticket is not None else _name_of(name, key)
    return str(key)


def _name_of(name: str, key: Any) -> str:
    model = Ticket._meta.get_field(name).related_model
    found = model.objects.filter(pk=key).first()  # type: ignore[union-attr]
    return str(found or "")


def _derive(ticket: Ticket, batch: _Batch) -> None:
    status = batch.statuses[ticket.status_id]
    priority = batch.priorities[ticket.priority_id]
    ticket.status_category, ticket.rank = status.category, priority.rank
    ticket.is_open = status.category not in FINISHED
    ticket.next_due_at = ticket.next_due_at or FOREVER
    ticket.last_activity_at = ticket.last_activity_at or ticket.opened_at


def _write(
    new: list[Ticket],
    changed: list[Ticket],
    events: list[TicketEvent],
    batch: _Batch,
    rows: Sequence[RemoteTicket],
) -> None:
    paused = {r.remote_id: r.paused_at for r in rows}
    openings = {id(t): list(_first(t, paused.get(t.remote_id or ""), batch)) for t in new}
    clock_rows = _clocks(new, changed, openings, events, batch)
    if new:
        bulk.insert(new)
        for ticket in new:
            for event in openings[id(ticket)]:
                event.ticket_id = ticket.pk  # it had no key yet
                events.append(event)
    if changed:
        bulk.upsert(changed, unique=("psa_account", "remote_id"), update=_WRITTEN)
    before = verdicts_of(t.pk for t in changed) if changed else {}
    clocks.save_clocks(clock_rows)
    record_changed(before, clock_rows, now=batch.now, why="pull")
    bulk.insert(events, ignore_known=True)
    _index(new, rows)
    refresh_search_texts(batch.reworded)


def _clocks(
    new: list[Ticket],
    changed: list[Ticket],
    openings: Mapping[int, Sequence[TicketEvent]],
    events: Sequence[TicketEvent],
    batch: _Batch,
) -> list[TicketClock]:
    """What is stored of these tickets, with what this batch adds to it, worked out."""
    stories = read_stories(changed) if changed else {}
    for event in events:
        add_event(stories[event.ticket.pk], event)
    for key, rows in openings.items():
        stories[key] = story = Story()
        for event in rows:
            add_event(story, event)
    context = clocks.Context(
        account=rules_of(PsaAccount.objects.get(pk=batch.account_id)),
        meanings=Meanings(statuses=batch.statuses, priorities=batch.priorities),
        book=book.current(),
        now=batch.now,
    )
    return [clock for both in clocks.derive_many([*new, *changed], stories, context) for clock in both]


def _first(ticket: Ticket, paused_at: datetime | None, batch: _Batch) -> Iterable[TicketEvent]:
    """What is told of a ticket that is new to us: its opening, the status it stands in, and the PSA's hold."""
    at = paused_at or last_seen(ticket)
    yield TicketEvent(
        ticket=ticket,
        field=CREATED,
        old="" if at - ticket.opened_at < SETTLES else at.isoformat(),
        new=str(ticket.status_id),
        new_label=ticket.subject,
        at=ticket.opened_at,
        known_at=batch.now,
        origin="psa",
        remote_key="created",
    )
    if ticket.sla_paused and batch.statuses[ticket.status_id].sla_clock == SlaClock.RUNNING:
        yield holds.psas_event(ticket, holds.HOLD, told_at=paused_at, seen_at=last_seen(ticket), now=batch.now)


def _index(new: list[Ticket], rows: Sequence[RemoteTicket]) -> None:
    """Search text of new tickets straight from the batch; what actions add comes with the actions."""
    labels = {r.remote_id: r.labels for r in rows}
    save_search_texts(
        [
            SearchText(
                ticket_id=t.pk,
                text=plain(
                    "\n".join(
                        [t.number, t.subject, t.description, t.resolution, t.reported_by]
                        + [v for k, v in labels.get(t.remote_id or "", {}).items() if k in ("client", "contact")]
                    )
                )[:TEXT_LIMIT],
            )
            for t in new
        ]
    )
