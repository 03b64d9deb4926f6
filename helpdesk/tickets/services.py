"""One function per verb on a ticket, for browser, pull and worker alike. Each is one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F

from helpdesk.core import bell, live
from helpdesk.core.errors import NeedsConfirmation, Refused
from helpdesk.core.origin import Origin
from helpdesk.directory.models import Agent, PsaAccount
from helpdesk.outbox import services as outbox
from helpdesk.outbox.choices import State, Verb
from helpdesk.outbox.models import OutboxItem
from helpdesk.sla.models import Target
from helpdesk.tickets import clocks, rules
from helpdesk.tickets.choices import FINISHED, Category, SlaClock, Sync
from helpdesk.tickets.fields import FIELDS, event_key, event_label, spell
from helpdesk.tickets.models import Priority, Status, Ticket, TicketClock, TicketEvent
from helpdesk.tickets.search import refresh_search_text

SENT_SHOWN = timedelta(seconds=60)
"""How long a row or card says that a change was sent."""


def lock_ticket(ticket_id: int) -> Ticket:
    """The ticket's row, held until the transaction ends: also the lock of its outbox lane."""
    return (
        Ticket.objects.select_for_update(of=("self",))
        .select_related("psa_account", "status", "priority", "client", "site", "contact", "agent", "team")
        .select_related("ticket_type", "contract", "sla_policy")
        .get(pk=ticket_id)
    )


@transaction.atomic
def create_ticket(
    *,
    psa_account: PsaAccount,
    fields: Mapping[str, Any],
    origin: Origin,
    now: datetime,
    is_confirmed: bool = False,
    marker: str | None = None,
) -> Ticket:
    """Open a ticket here and put its creation into the outbox.

    `fields` holds objects and text by canonical name. `marker` is the form's own UUID: the same form sent twice gives
    the same ticket. Raises Refused (by field) or NeedsConfirmation.
    """
    if marker:
        known = Ticket.objects.filter(marker=marker).first()
        if known:
            return known
    values = {name: value for name, value in fields.items() if value not in (None, "")}
    verdict = rules.judge_create(psa_account, values)
    if verdict.errors:
        raise Refused(verdict.errors)
    if verdict.warnings and not is_confirmed:
        raise NeedsConfirmation(verdict.warnings)
    ticket = Ticket(psa_account=psa_account, opened_at=now, changed_at=now, last_activity_at=now)
    if marker:
        ticket.marker = marker  # type: ignore[assignment]
    errors = rules.check_values(ticket, values)
    if errors:
        raise Refused(errors)
    for name, value in values.items():
        setattr(ticket, name, value)
    if ticket.sla_policy_id is None and ticket.ticket_type:
        ticket.sla_policy = ticket.ticket_type.default_sla_policy
    _derive_columns(ticket)
    ticket.save()
    _save_clocks(ticket, before={}, now=now)
    _record(ticket, [("created", None, ticket.subject)], origin, now)
    outbox.enqueue(
        psa_account_id=psa_account.pk,
        lane=ticket.lane,
        verb=Verb.CREATE_TICKET,
        subject=f"ticket:{ticket.pk}",
        fields={name: spell(name, value) for name, value in values.items()},
        origin=origin,
        now=now,
    )
    refresh_search_text(ticket)
    _tell_pages(ticket)
    return ticket


@transaction.atomic
def change_ticket(
    *,
    ticket: Ticket,
    changes: Mapping[str, Any],
    origin: Origin,
    now: datetime,
    is_confirmed: bool = False,
    rank: int = 0,
    leaves: bool = True,
) -> Ticket:
    """Change fields of a ticket: row, events, clocks and outbox item in one transaction.

    `changes` holds objects, text or instants by canonical name; what is already so is left out. `leaves` is off when
    another item (an action with its new status) carries the change to the PSA. Raises Refused or NeedsConfirmation.
    """
    ticket = lock_ticket(ticket.pk)
    changes = {
        name: value
        for name, value in changes.items()
        if name not in FIELDS or event_key(name, getattr(ticket, name)) != event_key(name, value)
    }
    if not changes:
        return ticket
    if origin.place in ("desk", "client"):
        # What a PSA or a fall-back says is data; rules are for what our people submit.
        _judge(ticket, changes, is_confirmed)
    changes = _with_consequences(ticket, changes)
    diff = [(name, getattr(ticket, name), value) for name, value in changes.items()]
    paused_before = _stands_still(ticket)
    promised = clocks.promises(ticket, _target(ticket))
    for name, _old, new in diff:
        setattr(ticket, name, new)
    if "description" in changes:
        ticket.description_is_html, ticket.cleaner_version = False, 0
    _stamp_ends(ticket, changes, now)
    _derive_columns(ticket)
    ticket.changed_at = ticket.last_activity_at = now
    before = {c.kind: c for c in ticket.clocks.all()}
    if origin.place in ("desk", "client") and "status" in changes and ticket.status.sla_clock == SlaClock.RUNNING:
        ticket.sla_paused = False  # entering a running status ends the PSA's hold, too
    if leaves and origin.leaves and {*clocks.DATING, "client"} & set(changes):
        clocks.expect_dates(ticket, old=promised, new=clocks.promises(ticket, _target(ticket)))
    if paused_before and not _stands_still(ticket):
        _expect_later_dates(ticket, before, now)
    _save_clocks(ticket, before=before, now=now)
    ticket.save()
    _record(ticket, diff, origin, now)
    if leaves and origin.leaves:
        outbox.enqueue_fields(
            psa_account_id=ticket.psa_account_id,
            lane=ticket.lane,
            subject=f"ticket:{ticket.pk}",
            fields={name: spell(name, new) for name, _old, new in diff},
            base={name: ticket.confirmed.get(name, spell(name, old)) for name, old, _new in diff},
            origin=origin,
            now=now,
            rank=rank,
        )
        ticket.refresh_from_db(fields=["sync_state"])
    if {"subject", "description", "client", "contact", "resolution"} & set(changes):
        refresh_search_text(ticket)
    _tell_pages(ticket)
    return ticket


def assign_ticket(
    *, ticket: Ticket, agent: Agent | None, origin: Origin, now: datetime, is_confirmed: bool = False, rank: int = 0
) -> Ticket:
    """Give the ticket to an agent of its own account, or to nobody."""
    return change_ticket(
        ticket=ticket, changes={"agent": agent}, origin=origin, now=now, is_confirmed=is_confirmed, rank=rank
    )


@transaction.atomic
def undo_change(*, ticket: Ticket, event_ids: Sequence[int], origin: Origin, now: datetime) -> Ticket:
    """Put fields back to what they were before these events: a change of its own, sent like any other.

    A field that somebody changed again since is left alone.
    """
    ticket = lock_ticket(ticket.pk)
    changes: dict[str, Any] = {}
    mine = ticket.events.filter(pk__in=event_ids, user__isnull=False, user=origin.user_id)
    for event in mine:
        if event.field in FIELDS and event_key(event.field, getattr(ticket, event.field)) == event.new:
            changes[event.field] = _from_key(ticket, event.field, event.old)
    return change_ticket(ticket=ticket, changes=changes, origin=origin, now=now, is_confirmed=True)


def _from_key(ticket: Ticket, name: str, key: str) -> Any:
    field = FIELDS[name]
    if not key:
        return None if field.is_reference or field.is_instant else ""
    if field.is_reference:
        return Ticket._meta.get_field(name).related_model.objects.filter(pk=key).first()  # type: ignore[union-attr]
    return datetime.fromisoformat(key) if field.is_instant else key


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
    if set(clocks.DATING) & set(fields) and not set(clocks.DATING) & held and clocks.take_psas_dates(ticket):
        _save_clocks(ticket, before={c.kind: c for c in ticket.clocks.all()}, now=now)
        ticket.save(update_fields=[*clocks.DUE_FIELDS.values(), "confirmed"])
    for name in fields:
        if name in FIELDS and name not in held:
            changes[name] = from_spelling(ticket.psa_account_id, name, values.get(name, ticket.confirmed.get(name)))
    if changes:
        change_ticket(ticket=ticket, changes=changes, origin=origin, now=now, leaves=False)


def from_spelling(account_id: int, name: str, text: Any) -> Any:
    """The object, text or instant behind a spelling (see `fields.spell`); None when unknown."""
    field = FIELDS[name]
    if text is None:
        return None if field.is_reference or field.is_instant else ""
    if field.is_reference:
        model = Ticket._meta.get_field(name).related_model
        return model.objects.filter(psa_account=account_id, remote_id=text).first()  # type: ignore[union-attr]
    return datetime.fromisoformat(text) if field.is_instant else text


@transaction.atomic
def resume_for_client(*, ticket: Ticket, origin: Origin, now: datetime) -> Status | None:
    """The client answered what it was asked: the ticket waits no longer. The status it has now; None = unchanged.

    Nothing leaves by itself: the answer carries the new status to the PSA.
    """
    status = _status_resumed(ticket)
    if status is None:
        return None
    try:
        change_ticket(
            ticket=ticket, changes={"status": status}, origin=origin, now=now, is_confirmed=True, leaves=False
        )
    except Refused:
        return None  # a rule asks for more than a client can give: their words come through all the same
    _record(ticket, [("clock", None, "clock running again")], origin, now)
    return status


def _status_resumed(ticket: Ticket) -> Status | None:
    """The status that a client's answer leads to while the ticket waits for it; None = it stays as it is.

    What the ticket type wants after a client's update, else the account's first active status of work in progress.
    """
    is_wanted = ticket.psa_account.settings.get("resume_on_client_reply", True)
    if not is_wanted or ticket.status_category != Category.WAITING_CLIENT:
        return None
    fitting = list(
        Status.objects.filter(
            psa_account=ticket.psa_account_id,
            is_active=True,
            remote_id__isnull=False,
            category__in=[Category.OPEN, Category.NEW],
            sla_clock=SlaClock.RUNNING,
        )
    )
    kind = ticket.ticket_type
    if kind is not None:
        after = str(kind.raw.get("statusafteruserupdate") or "")
        for wanted in ((s for s in fitting if s.remote_id == after), (s for s in fitting if s == kind.reopened_status)):
            found = next(wanted, None)
            if found is not None:
                return found
    return min(fitting, key=lambda s: s.category != Category.OPEN, default=None)


@transaction.atomic
def note_client_message(*, ticket: Ticket, at: datetime, now: datetime) -> None:
    """The client wrote: somebody should answer. `resume_for_client` is what lets a clock run again."""
    Ticket.objects.filter(pk=ticket.pk).update(client_replied_at=at, last_activity_at=now, changed_at=now)
    _tell_pages(ticket)


@transaction.atomic
def note_staff_message(*, ticket: Ticket, at: datetime, is_public: bool, now: datetime) -> None:
    """Staff wrote: the first public one stops the response clock, and nobody is owed an answer any more."""
    ticket = lock_ticket(ticket.pk)
    ticket.last_activity_at = ticket.changed_at = now
    if is_public:
        ticket.client_replied_at = None
        if ticket.first_responded_at is None or at < ticket.first_responded_at:
            ticket.first_responded_at = at
            _save_clocks(ticket, before={c.kind: c for c in ticket.clocks.all()}, now=now)
    ticket.save()
    _tell_pages(ticket)


def ask_for_reading(*, ticket: Ticket) -> bool:
    """Somebody looks at a ticket whose notes are not here yet: they are read next, before the backfill's turn."""
    if ticket.remote_id is None or ticket.actions_pulled_at is not None:
        return False
    bell.ring("sync.read_ticket", ticket.pk)
    return True


@transaction.atomic
def mark_removed(*, ticket_ids: Iterable[int], now: datetime) -> int:
    """Deleted in the PSA: out of every list, kept for the record."""
    ids = list(ticket_ids)
    count = Ticket.objects.filter(pk__in=ids, removed_at=None).update(removed_at=now, changed_at=now)
    live.touch(live.DESK, *(live.ticket_scope(pk) for pk in ids))
    return count


@transaction.atomic
def tick_clocks(*, now: datetime, limit: int = 500) -> int:
    """Write down the edges that passed by themselves: at risk, breached. Pages count on their own between.

    Marks "sent" that have stood long enough go with it; they are not counted.
    """
    due = list(Ticket.objects.open().filter(next_due_at__lt=now, clock_state__in=["running", "at_risk"])[:limit])
    risky = list(
        Ticket.objects.open().filter(next_at_risk_at__lte=now, next_due_at__gte=now, clock_state="running")[:limit]
    )
    for ticket in due:
        TicketClock.objects.filter(ticket=ticket, finished_at=None, due_at__lt=now, breached_at=None).update(
            state="breached", breached_at=F("due_at"), at_risk_at=None
        )
    Ticket.objects.filter(pk__in=[t.pk for t in due]).update(
        clock_state="breached", next_at_risk_at=None, changed_at=now
    )
    TicketClock.objects.filter(
        ticket__in=[t.pk for t in risky], finished_at=None, at_risk_at__lte=now, due_at__gte=now, state="running"
    ).update(state="at_risk")
    Ticket.objects.filter(pk__in=[t.pk for t in risky]).update(clock_state="at_risk", changed_at=now)
    faded = _fade_sent(now, limit)
    if due or risky or faded:
        live.touch(live.DESK, *(live.ticket_scope(pk) for pk in (*(t.pk for t in (*due, *risky)), *faded)))
    return len(due) + len(risky)


def _fade_sent(now: datetime, limit: int) -> list[int]:
    """The mark "sent" has been seen: it goes. Only where it still stands, should a change come in between."""
    marked = Ticket.objects.filter(sync_state=Sync.SENT, changed_at__lt=now - SENT_SHOWN)
    faded = list(marked.values_list("pk", flat=True)[:limit])
    if faded:
        marked.filter(pk__in=faded).update(sync_state=Sync.NONE, changed_at=now)
    return faded


@transaction.atomic
def show_sync_state(*, ticket_id: int, last: OutboxItem | None, now: datetime) -> None:
    """Sum up the ticket's outbox lane in one word for rows and cards: the worst of what is open, else sent."""
    states = set(OutboxItem.objects.in_lane(f"ticket:{ticket_id}").open().values_list("state", flat=True))
    if State.REFUSED in states:
        word = Sync.REFUSED
    elif State.CHECKING in states:
        word = Sync.CHECKING
    elif states:
        word = Sync.PENDING
    else:
        word = Sync.SENT if last is not None and last.state == State.DONE else Sync.NONE
    Ticket.objects.filter(pk=ticket_id).update(sync_state=word, changed_at=now)
    live.touch(live.DESK, live.ticket_scope(ticket_id))


# ---- parts ----------------------------------------------------------------------------------------------------------


def _judge(ticket: Ticket, changes: Mapping[str, Any], is_confirmed: bool) -> None:
    errors = rules.check_values(ticket, changes)
    warnings: tuple[str, ...] = ()
    status = changes.get("status")
    if isinstance(status, Status) and "status" not in errors:
        verdict = rules.judge_status(ticket, status, changes)
        errors = {**verdict.errors, **errors}
        warnings = verdict.warnings
    if errors:
        raise Refused(errors)
    if warnings and not is_confirmed:
        raise NeedsConfirmation(warnings)


def _with_consequences(ticket: Ticket, changes: Mapping[str, Any]) -> dict[str, Any]:
    """A new client takes its own site and contact: those of another client are cleared with it."""
    result = dict(changes)
    if "client" in changes:
        client = changes["client"]
        for name in ("site", "contact", "contract"):
            held = result.get(name, getattr(ticket, name))
            if held is not None and held.client_id != getattr(client, "pk", None):
                result[name] = None
    return result


def _stamp_ends(ticket: Ticket, changes: Mapping[str, Any], now: datetime) -> None:
    """Our own stamps for resolved and closed, until the PSA's arrive."""
    status = changes.get("status")
    if not isinstance(status, Status):
        return
    if status.category in FINISHED:
        ticket.resolved_at = ticket.resolved_at or now
        if status.category == FINISHED[1]:
            ticket.closed_at = ticket.closed_at or now
    else:
        ticket.resolved_at = ticket.closed_at = None


def _derive_columns(ticket: Ticket) -> None:
    status: Status = ticket.status
    priority: Priority = ticket.priority
    ticket.status_category = status.category
    ticket.is_open = status.category not in FINISHED
    ticket.rank = priority.rank


def _stands_still(ticket: Ticket) -> bool:
    return ticket.sla_paused or ticket.status.sla_clock == SlaClock.PAUSED


def _expect_later_dates(ticket: Ticket, before: Mapping[str, TicketClock], now: datetime) -> None:
    """A pause ended here: the PSA will move its dates by the pause. Show that until its own dates arrive."""
    ticket.sla_paused = False
    for kind, name in (("response", "response_due_at"), ("resolution", "resolution_due_at")):
        clock = before.get(kind)
        due = getattr(ticket, name)
        if clock and clock.paused_since and due:
            setattr(ticket, name, due + (now - clock.paused_since))


def _target(ticket: Ticket) -> Target | None:
    if not ticket.sla_policy_id:
        return None
    return Target.objects.filter(policy=ticket.sla_policy_id, priority=ticket.priority.remote_id or "").first()


def _save_clocks(ticket: Ticket, *, before: Mapping[str, TicketClock], now: datetime) -> None:
    clocks.save_clocks(clocks.derive(ticket, status=ticket.status, target=_target(ticket), before=before, now=now))
    if ticket.pk:
        Ticket.objects.filter(pk=ticket.pk).update(**{name: getattr(ticket, name) for name in clocks.ROW_FIELDS})


def _record(ticket: Ticket, diff: Sequence[tuple[str, Any, Any]], origin: Origin, now: datetime) -> None:
    TicketEvent.objects.bulk_create(
        TicketEvent(
            ticket=ticket,
            field=name,
            old=event_key(name, old) if name in FIELDS else "",
            new=event_key(name, new) if name in FIELDS else "",
            old_label=event_label(old),
            new_label=event_label(new),
            at=now,
            known_at=now,
            origin=origin.place,
            actor=origin.name[:120],
            user_id=origin.user_id,
        )
        for name, old, new in diff
    )


def _tell_pages(ticket: Ticket) -> None:
    live.touch(live.DESK, live.ticket_scope(ticket.pk))
