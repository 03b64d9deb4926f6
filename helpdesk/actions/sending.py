"""An action or a time entry as the outbox carries it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from helpdesk.actions import mails, outcomes
from helpdesk.actions.asked import NewAction
from helpdesk.actions.models import Action, TimeEntry
from helpdesk.core.origin import Origin
from helpdesk.directory.choices import Mailer
from helpdesk.outbox import services as outbox
from helpdesk.outbox.choices import Verb
from helpdesk.outbox.models import OutboxItem
from helpdesk.tickets.fields import spell
from helpdesk.tickets.models import Status, Ticket


def status_fields(new: NewAction) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if new.status is not None:
        fields["new_status"] = spell("status", new.status)
    if new.resolution:
        fields["resolution"] = new.resolution
    if new.escalation_reason:
        fields["escalation_reason"] = new.escalation_reason
    if new.outcome is not None:
        fields["outcome"] = new.outcome.remote_id
        if word := outcomes.hold_word(new.outcome):
            fields["hold"] = word
    return fields


def send_action(
    ticket: Ticket, action: Action, new: NewAction, entry: TimeEntry | None, origin: Origin, now: datetime,
    hold: int, before: Status, *, was_held: bool = False, last: int | None = None,
) -> OutboxItem:  # fmt: skip
    """`before` and `was_held` are what the ticket had: the way back, should the action be given up."""
    fields = {
        "kind": action.kind,
        "body_html": action.body,
        "body_text": new.text,
        "is_internal": action.is_internal,
        "marker": str(action.marker),
        "occurred_at": action.occurred_at.isoformat(),
        "send_email": action.sends_email,
        "mailed_by": mails.mailer_of(ticket, action),
        "email_to": action.email_to,
        "email_cc": action.email_cc,
        "author_agent": action.author_agent.remote_id if action.author_agent else None,
        "author_name": action.author_name,
        "is_from_client": action.is_from_client,
        **status_fields(new),
    }
    if new.is_to_staff:
        fields |= {"mailed_by": Mailer.PSA.value, "is_to_staff": True, "title": new.title}
    goes_apart = entry is not None and ticket.psa_account.capabilities.get("time_in_action") is False
    if entry is not None:
        fields |= {"time_apart" if goes_apart else "time_seconds": entry.seconds, "time_is_billable": entry.is_billable}
    item = enqueue_action(
        ticket,
        action.subject_key,
        fields,
        origin,
        now,
        hold,
        before,
        was_held=was_held,
        rank=new.rank,
        last=last,
    )
    if entry is not None and goes_apart:
        send_time(ticket, entry, origin, now, hold, before, rank=new.rank, after=item)
    return item


def send_time(
    ticket: Ticket, entry: TimeEntry, origin: Origin, now: datetime, hold: int, before: Status,
    *, more: Mapping[str, Any] | None = None, rank: int = 0, last: int | None = None, after: OutboxItem | None = None,
) -> OutboxItem:  # fmt: skip
    """Time as an item of its own: alone, or `after` its action where the PSA cannot take both at once."""
    fields = {
        "kind": "time",
        "body_html": "",
        "body_text": "",
        "is_internal": True,
        "marker": str(entry.marker),
        "occurred_at": entry.ended_at.isoformat(),
        "time_seconds": entry.seconds,
        "time_is_billable": entry.is_billable,
        "author_agent": entry.agent.remote_id if entry.agent else None,
        "author_name": entry.author_name,
        **(more or {}),
    }
    last = after.sequence if after is not None else last
    return enqueue_action(
        ticket, f"time:{entry.pk}", fields, origin, now, hold, before, rank=rank, last=last, after=after
    )


def enqueue_action(
    ticket: Ticket, subject: str, fields: dict[str, Any], origin: Origin, now: datetime, hold: int, before: Status,
    *, was_held: bool = False, rank: int = 0, last: int | None = None, after: OutboxItem | None = None,
) -> OutboxItem:  # fmt: skip
    """Append it to the ticket's lane; the caller writes "pending" on the ticket (`last` as in `outbox.enqueue`)."""
    base: dict[str, Any] = {"status": before.remote_id} if "new_status" in fields else {}
    if "hold" in fields:
        base["hold"] = was_held
    return outbox.enqueue(
        psa_account_id=ticket.psa_account_id,
        lane=ticket.lane,
        verb=Verb.CREATE_ACTION,
        subject=subject,
        fields=fields,
        base=base,
        origin=origin,
        now=now,
        hold_seconds=hold,
        rank=rank,
        last=last,
        depends_on=after,
        is_shown=True,
    )
