"""Actions and attachment lists of a PSA as rows of the helpdesk, one ticket at a time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q

from connectors.base.connector import Connector
from connectors.base.records import UNSET, ActionRecord, AttachmentRecord, TimeRecord
from connectors.sync import values
from connectors.sync.inbound import marker_of
from connectors.sync.keys import Keys
from helpdesk.actions import mirror
from helpdesk.actions import times as actions_times
from helpdesk.actions.choices import Kind
from helpdesk.actions.mirror import RemoteAction, RemoteFile
from helpdesk.actions.models import Action, Attachment, TimeEntry
from helpdesk.actions.times import RemoteTime
from helpdesk.directory.models import PsaAccount
from helpdesk.sla.choices import ClockState, Difference
from helpdesk.tickets import status_changes
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.status_changes import RemoteStatusChange

_PLAIN = ("title", "body", "body_is_html", "is_internal", "is_from_client", "author_name", "email_to", "email_cc")
_COLUMNS = {name: Action._meta.get_field(name) for name in _PLAIN}
_SECONDS = TimeEntry._meta.get_field("seconds")


def apply_actions(
    *, account: PsaAccount, ticket: Ticket, rows: Sequence[ActionRecord], keys: Keys, now: datetime,
    up_to: datetime | None,
) -> int:  # fmt: skip
    """Bring all actions of a ticket to what the PSA has; counts the new ones."""
    prime(rows, keys)
    return mirror.apply_actions(
        ticket_id=ticket.pk,
        rows=[remote_action(row, account=account, ticket=ticket, keys=keys) for row in rows],
        now=now,
        up_to=up_to,
    )


def prime(rows: Sequence[ActionRecord], keys: Keys) -> None:
    pairs = (
        ("agent", "author_agent"), ("contact", "author_contact"), ("outcome", "outcome"), ("status", "old_status"),
        ("status", "new_status"),
    )  # fmt: skip
    for name, column in pairs:
        keys.prime(name, (v for r in rows if isinstance(v := getattr(r, column), str)))


def remote_action(record: ActionRecord, *, account: PsaAccount, ticket: Ticket, keys: Keys) -> RemoteAction:
    row: dict[str, Any] = {
        name: values.fit(_COLUMNS[name], value) for name in _PLAIN if (value := getattr(record, name)) is not UNSET
    }
    row["kind"] = record.kind if record.kind in Kind.values else Kind.NOTE
    row["occurred_at"] = record.occurred_at if isinstance(record.occurred_at, datetime) else ticket.opened_at
    _set_people(record, row, ticket, keys)
    change = status_change(record, keys)
    if change is not None and row["kind"] != Kind.SYSTEM:
        row["new_status_id"] = change.new_id
    if record.outcome is not UNSET:
        row["outcome_id"] = keys.find("outcome", record.outcome)
    seconds = record.time_seconds
    return RemoteAction(
        key=record.remote_id,
        values=row,
        is_fingerprint=account.capabilities.get("comment_ids", True) is False,
        marker=marker_of(record.marker),
        seconds=values.fit(_SECONDS, seconds) if isinstance(seconds, int) else None,
        is_billable=record.time_is_billable if isinstance(record.time_is_billable, bool) else True,
        status_change=change,
        raw=values.raw(record.raw),
    )


def _set_people(record: ActionRecord, row: dict[str, Any], ticket: Ticket, keys: Keys) -> None:
    name = str(row.get("author_name") or "")
    if record.author_agent is not UNSET:
        row["author_agent_id"] = keys.get("agent", record.author_agent, label=name, **_email(record))
    if record.author_contact is not UNSET:
        extra = {"client_id": ticket.client_id}
        row["author_contact_id"] = keys.get("contact", record.author_contact, label=name, **extra)
    if not name:
        found = ""
        if isinstance(record.author_agent, str):
            found = keys.label("agent", record.author_agent)
        elif isinstance(record.author_contact, str):
            found = keys.label("contact", record.author_contact)
        if found:
            row["author_name"] = found[:120]


def _email(record: ActionRecord | TimeRecord) -> dict[str, str]:
    email = record.author_email
    return {"email": values.text(email)[:254]} if isinstance(email, str) else {}


def apply_times(*, ticket: Ticket, rows: Sequence[TimeRecord], keys: Keys, now: datetime) -> int:
    """Bring the time booked on a ticket to what the PSA has; counts the new entries."""
    return actions_times.apply_times(ticket_id=ticket.pk, rows=[_remote_time(row, keys, now) for row in rows], now=now)


def _remote_time(record: TimeRecord, keys: Keys, now: datetime) -> RemoteTime:
    name = values.text(record.author_name or None)[:120]
    agent = record.agent if isinstance(record.agent, str) else None
    return RemoteTime(
        remote_id=record.remote_id,
        agent_id=keys.get("agent", agent, label=name, **_email(record)),
        author_name=name or keys.label("agent", agent),
        started_at=record.started_at if isinstance(record.started_at, datetime) else None,
        ended_at=record.ended_at if isinstance(record.ended_at, datetime) else now,
        seconds=values.fit(_SECONDS, record.seconds),
        is_billable=record.is_billable,
        note=values.text(record.note),
    )


def status_change(record: ActionRecord, keys: Keys) -> RemoteStatusChange | None:
    """The change of status that an action tells of; None when it tells of none."""
    new = record.new_status
    if not isinstance(new, str) or new == record.old_status or not isinstance(record.occurred_at, datetime):
        return None
    old = record.old_status if isinstance(record.old_status, str) else None
    if old is None and record.is_ours is not True:
        return None
    return RemoteStatusChange(
        key=f"action:{record.remote_id}",
        old_id=keys.get("status", old),
        new_id=keys.required("status", new),
        at=record.occurred_at,
        actor=record.author_name if isinstance(record.author_name, str) else "",
    )


def sharpen(*, account: PsaAccount, ticket: Ticket, connector: Connector, keys: Keys, now: datetime) -> int:
    """Ask the PSA's history about changes of status that nobody told us of: one call, and only where it matters.

    That is after a change that was only seen between two pulls, and at the first reading of a ticket whose dates show
    that it stood still before we met it.
    """
    is_seen = bool(account.can("status_history") and status_changes.seen_only(ticket, now=now))
    if not is_seen and not (account.can("status_history") and _stood_still_before(ticket)):
        return 0
    rows = connector.status_changes(str(ticket.remote_id))
    keys.prime("agent", (row.agent for row in rows if row.agent))
    told = [
        RemoteStatusChange(
            key=f"history:{row.remote_id}",
            old_id=keys.get("status", row.old),
            new_id=keys.required("status", row.new),
            at=row.at,
            actor=keys.label("agent", row.agent) if keys.find("agent", row.agent) else "",
        )
        for row in rows
    ]
    tell = status_changes.sharpen if is_seen else status_changes.tell_before
    return tell(ticket=ticket, rows=told, now=now)


def _stood_still_before(ticket: Ticket) -> bool:
    """At the first reading: it waits, since when nobody knows, or the PSA's dates are not to be explained."""
    if ticket.actions_pulled_at is not None:
        return False
    strange = Q(difference__in=[Difference.UNKNOWN, Difference.PAUSE]) | Q(state=ClockState.PAUSED)
    return ticket.clocks.filter(strange).exists()


def wants_files(account: PsaAccount, ticket: Ticket, actions: Sequence[ActionRecord]) -> bool:
    """Whether there may be attachments which we do not list yet: the records say so, or the PSA counts none."""
    if account.capabilities.get("attachment_counts") is False:
        return True
    told = sum(r.attachment_count for r in actions if isinstance(r.attachment_count, int))
    expected = max(told, ticket.attachment_count)
    if not expected:
        return False
    here = Attachment.objects.filter(ticket=ticket, removed_at=None).exclude(remote_id=None).count()
    return here < expected


def apply_files(*, ticket: Ticket, rows: Sequence[AttachmentRecord], now: datetime) -> int:
    """Bring the attachment list of a ticket to what the PSA has; counts the new ones."""
    return mirror.apply_files(ticket_id=ticket.pk, rows=[remote_file(row, now) for row in rows], now=now)


def remote_file(record: AttachmentRecord, now: datetime) -> RemoteFile:
    return RemoteFile(
        remote_id=record.remote_id,
        name=values.text(record.name or None) or f"file-{record.remote_id}",
        created_at=record.created_at if isinstance(record.created_at, datetime) else now,
        action_key=record.action if isinstance(record.action, str) else None,
        content_type=record.content_type if isinstance(record.content_type, str) else None,
        size=record.size if isinstance(record.size, int) else None,
        is_public=record.is_public if isinstance(record.is_public, bool) else None,
        raw=values.raw(record.raw),
    )
