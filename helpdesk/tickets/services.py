"""One function per verb on a ticket's fields, for browser, pull and worker alike. Each is one transaction.

`messages` holds what a message does to its ticket, `conflicts` what becomes of a change that the PSA did not take.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from helpdesk.core.errors import NeedsConfirmation, Refused
from helpdesk.core.origin import Origin
from helpdesk.directory.models import Agent, PsaAccount
from helpdesk.outbox import services as outbox
from helpdesk.outbox.choices import Verb
from helpdesk.tickets import rules
from helpdesk.tickets.choices import FINISHED, Category, SlaClock
from helpdesk.tickets.fields import FIELDS, event_key, spell
from helpdesk.tickets.models import Priority, Status, Ticket
from helpdesk.tickets.search import refresh_search_text
from helpdesk.tickets.signals import ticket_escalated, ticket_finished
from helpdesk.tickets.stories import RELEASE
from helpdesk.tickets.writing import (
    columns_of,
    hold_ticket,
    is_promised_by,
    record_events,
    save_changed,
    save_clocks,
    show_pending,
    tell_pages,
    write_clocks,
)

_CLOCKED = frozenset({"status", "priority", "sla_policy", "contract"})
"""Fields whose change moves a clock or the dates it follows. The passing of time is written down by `upkeep`."""


def create_ticket(
    *,
    psa_account: PsaAccount,
    fields: Mapping[str, Any],
    origin: Origin,
    now: datetime,
    is_confirmed: bool = False,
    marker: str | None = None,
) -> Ticket:
    """As `create_once`, for those who need not know whether it was there."""
    ticket, _is_new = create_once(
        psa_account=psa_account, fields=fields, origin=origin, now=now, is_confirmed=is_confirmed, marker=marker
    )
    return ticket


@transaction.atomic
def create_once(
    *,
    psa_account: PsaAccount,
    fields: Mapping[str, Any],
    origin: Origin,
    now: datetime,
    is_confirmed: bool = False,
    marker: str | None = None,
) -> tuple[Ticket, bool]:
    """Open a ticket here and put its creation into the outbox. The ticket, and whether it is new.

    `fields` holds objects and text by canonical name. `marker` is the form's own UUID: the same form sent twice, even
    at the same instant, gives the same ticket. Raises Refused (by field) or NeedsConfirmation.
    """
    known = ticket_of_marker(marker)
    if known is not None:
        return known, False
    values = {name: value for name, value in fields.items() if value not in (None, "")}
    verdict = rules.judge_create(psa_account, values)
    if verdict.errors:
        raise Refused(verdict.errors)
    if verdict.warnings and not is_confirmed:
        raise NeedsConfirmation(verdict.warnings)
    ticket = Ticket(psa_account=psa_account, opened_at=now, changed_at=now, last_activity_at=now)
    if marker:
        ticket.marker = marker  # type: ignore[assignment]
    if values.get("agent") is not None:
        values = {name: value for name, value in rules.with_role(ticket, values).items() if value != ""}
    errors = {**rules.judge_assignment(ticket, values), **rules.check_values(ticket, values)}
    if errors:
        raise Refused(errors)
    for name, value in values.items():
        setattr(ticket, name, value)
    if ticket.sla_policy_id is None and ticket.ticket_type:
        ticket.sla_policy = ticket.ticket_type.default_sla_policy
    _derive_columns(ticket)
    try:
        with transaction.atomic():
            ticket.save()
    except IntegrityError:
        known = ticket_of_marker(marker)
        if known is None:
            raise
        return known, False
    record_events(ticket, [("created", None, ticket.subject)], origin, now)
    save_clocks(ticket, now=now)
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
    tell_pages(ticket)
    return ticket, True


def ticket_of_marker(marker: str | None) -> Ticket | None:
    """What a form with this marker has opened already."""
    return Ticket.objects.filter(marker=marker).first() if marker else None


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
    return change_held(
        ticket=hold_ticket(ticket), changes=changes, origin=origin, now=now, is_confirmed=is_confirmed, rank=rank,
        leaves=leaves,
    )  # fmt: skip


def change_held(
    *,
    ticket: Ticket,
    changes: Mapping[str, Any],
    origin: Origin,
    now: datetime,
    is_confirmed: bool = False,
    rank: int = 0,
    leaves: bool = True,
    is_undo: bool = False,
) -> Ticket:
    """`change_ticket` for a row that the caller holds in its transaction. `is_undo`: what is put back is no news."""
    was = columns_of(ticket)
    if origin.place in ("desk", "client"):
        changes = rules.with_role(ticket, changes)
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
    ends: list[tuple[str, Any, Any]] = []
    stood, was_category, was_finished = ticket.status, ticket.status_category, ticket.is_finished
    moves_clocks = bool(_CLOCKED & set(changes)) or is_promised_by({"client", "team"} & set(changes))
    for name, _old, new in diff:
        setattr(ticket, name, new)
    if "status" in changes:
        ticket.sla_released = False
    if "description" in changes:
        ticket.description_is_html, ticket.cleaner_version = False, 0
    _stamp_ends(ticket, changes, now)
    _derive_columns(ticket)
    ticket.changed_at = ticket.last_activity_at = now
    if origin.place in ("desk", "client") and "status" in changes and ticket.status.sla_clock == SlaClock.RUNNING:
        if ticket.sla_paused and stood.sla_clock == SlaClock.RUNNING:
            ends.append((RELEASE, None, str(ticket.status)))
        ticket.sla_paused = False  # entering a running status ends the PSA's hold, too
    record_events(ticket, diff + ends, origin, now)
    if moves_clocks:
        ticket.are_dates_old = ticket.are_dates_old or origin.leaves
        write_clocks(ticket, now=now, statuses=[stood])
    if leaves and origin.leaves:
        show_pending(ticket)
    save_changed(ticket, was)
    if leaves and origin.leaves:
        item = outbox.enqueue_fields(
            psa_account_id=ticket.psa_account_id,
            lane=ticket.lane,
            subject=f"ticket:{ticket.pk}",
            fields={name: spell(name, new) for name, _old, new in diff},
            base={name: ticket.confirmed.get(name, spell(name, old)) for name, old, _new in diff},
            origin=origin,
            now=now,
            rank=rank,
            is_shown=True,
            hold_seconds=_hold(ticket, changes, origin),
        )
        if ticket.is_finished and not was_finished:
            ticket_finished.send(sender=Ticket, ticket=ticket, item=item, now=now)
    if ticket.status_category == Category.ESCALATED != was_category and origin.place == "desk" and not is_undo:
        ticket_escalated.send(sender=Ticket, ticket=ticket, origin=origin, now=now)
        ticket.written_events = None  # who listens changes it, too
    if {"subject", "description", "client", "contact", "resolution"} & set(changes):
        refresh_search_text(ticket)
    tell_pages(ticket)
    return ticket


def assign_ticket(
    *, ticket: Ticket, agent: Agent | None, origin: Origin, now: datetime, is_confirmed: bool = False, rank: int = 0
) -> Ticket:
    """Give the ticket to an agent of its own account, or to nobody."""
    return change_ticket(
        ticket=ticket, changes={"agent": agent}, origin=origin, now=now, is_confirmed=is_confirmed, rank=rank
    )


FINAL_HOLD_SECONDS = 10
"""What the PSA lets nobody take back leaves this much later: as long as an undo is on offer."""


# ---- parts ----------------------------------------------------------------------------------------------------------


def _judge(ticket: Ticket, changes: Mapping[str, Any], is_confirmed: bool) -> None:
    errors = {**rules.judge_assignment(ticket, changes), **rules.check_values(ticket, changes)}
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


def _hold(ticket: Ticket, changes: Mapping[str, Any], origin: Origin) -> int:
    """Seconds until a change leaves. A change is undone by another one, but there is none out of a final state."""
    if origin.place != "desk" or "status" not in changes:
        return 0
    return FINAL_HOLD_SECONDS if rules.is_final(ticket.psa_account, ticket.status) else 0


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
        if not ticket.is_finished:
            # A stamp of an earlier end, or of a status that counted as finished then, says nothing of this one.
            ticket.resolved_at = ticket.closed_at = None
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
