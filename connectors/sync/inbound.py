"""Tickets, actions and files of a PSA as rows of the helpdesk: references resolved, nothing dropped."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import DataError, IntegrityError
from django.db.models import BooleanField, ExpressionWrapper, Q

from connectors.base.records import UNSET, TicketRecord
from connectors.sync import values
from connectors.sync.journal import log
from connectors.sync.keys import Keys
from helpdesk.directory.models import PsaAccount
from helpdesk.tickets import mirror, upkeep
from helpdesk.tickets.fields import FIELDS
from helpdesk.tickets.mirror import Applied, RemoteTicket
from helpdesk.tickets.models import Ticket

BATCH = 100
SAME_TIME_SECONDS = 60
"""Sums of booked time that differ by less were rounded."""

_PLAIN = (
    "number", "subject", "resolution", "resolution_type", "reported_by", "impact", "urgency", "category",
    "subcategory", "category_3", "category_4", "agent_role", "source", "escalation_reason", "occurred_at",
    "first_responded_at", "resolved_at", "closed_at", "last_activity_at", "response_due_at", "resolution_due_at",
    "deadline_at", "sla_response_state", "sla_resolution_state", "sla_paused", "sla_excluded", "billable_seconds",
    "nonbillable_seconds", "cc", "attachment_count",
)  # fmt: skip
_REFERENCES = (
    "client", "site", "contact", "status", "priority", "ticket_type", "agent", "team", "contract", "sla_policy",
    "parent",
)  # fmt: skip
_REQUIRED = ("status", "priority")
_COLUMNS = {name: Ticket._meta.get_field(name) for name in _PLAIN}
_NAMES = {"client": "client_name", "site": "site_name", "contact": "contact_name", "team": "team_name",
          "agent": "agent_name"}  # fmt: skip


class Seen(NamedTuple):
    """A ticket that we have, as far as one needs to know before reading its news."""

    updated_at: datetime | None
    has_description: bool


def tells_status_changes(account: PsaAccount) -> bool:
    """Whether the PSA's actions tell of status changes to the second."""
    return account.can("status_events") or account.can("action_with_status")


def apply(
    *, account: PsaAccount, rows: Sequence[TicketRecord], keys: Keys, now: datetime, is_forced: bool = False
) -> Applied:
    """Bring tickets to what the PSA has, in transactions of at most a hundred."""
    whole = Applied()
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH]
        try:
            part = _apply_batch(account, batch, keys, now, is_forced)
        except (DataError, IntegrityError, ValueError, OverflowError):
            part = _apply_singly(account, batch, keys, now, is_forced)
        whole.created += part.created
        whole.changed += part.changed
        whole.unchanged += part.unchanged
        whole.tickets |= part.tickets
        whole.touched += part.touched
    return whole


def apply_details(*, account: PsaAccount, record: TicketRecord, ticket: Ticket, keys: Keys, now: datetime) -> bool:
    """Bring one ticket to a record of its own, which tells more than a list's row. False when it told nothing new.

    `ticket` is read again where it changed.
    """
    row = remote_tickets([record], account_id=account.pk, keys=keys)[0]
    is_known = row.remote_updated_at is None or row.remote_updated_at == ticket.remote_updated_at
    if is_known and ticket.removed_at is None and all(getattr(ticket, k) == v for k, v in row.values.items()):
        return False
    apply(account=account, rows=[record], keys=keys, now=now, is_forced=True)
    ticket.refresh_from_db()
    return True


def _apply_singly(
    account: PsaAccount, batch: Sequence[TicketRecord], keys: Keys, now: datetime, is_forced: bool
) -> Applied:
    """One row that no column takes must not hold up the ninety-nine beside it."""
    whole = Applied()
    keys.forget()
    for record in batch:
        try:
            part = _apply_batch(account, [record], keys, now, is_forced)
        except (DataError, IntegrityError, ValueError, OverflowError) as error:
            log.error("ticket left out", account=account.pk, remote_id=record.remote_id, error=str(error)[:300])
            continue
        whole.created += part.created
        whole.changed += part.changed
        whole.unchanged += part.unchanged
        whole.tickets |= part.tickets
        whole.touched += part.touched
    return whole


def _apply_batch(
    account: PsaAccount, batch: Sequence[TicketRecord], keys: Keys, now: datetime, is_forced: bool
) -> Applied:
    removed = [r.remote_id for r in batch if r.is_removed]
    if removed:
        gone = Ticket.objects.present().filter(psa_account=account, remote_id__in=removed).values_list("pk", flat=True)
        upkeep.mark_removed(ticket_ids=list(gone), now=now)
    present = [r for r in batch if not r.is_removed]
    if not present:
        return Applied()
    known = _known(account.pk, present)
    news = present if is_forced else [r for r in present if not _is_seen(r, known)]
    applied = Applied()
    if news:
        applied = mirror.apply_tickets(
            account_id=account.pk,
            rows=_remote_tickets(news, keys, known),
            now=now,
            has_status_events=tells_status_changes(account),
            is_forced=is_forced,
        )
    applied.unchanged += len(present) - len(news)
    _ask_for_time(account, present, now)
    return applied


def _ask_for_time(account: PsaAccount, batch: Sequence[TicketRecord], now: datetime) -> None:
    """Where no list says when a ticket changed, time that was booked on it shows in the sum only."""
    told = {r.remote_id: r.booked_seconds for r in batch if r.billable_seconds is UNSET}
    sums = {remote_id: seconds for remote_id, seconds in told.items() if isinstance(seconds, int)}
    if not sums or not account.can("time_entry_create"):
        return
    rows = Ticket.objects.filter(psa_account=account, remote_id__in=sums, actions_pulled_at__isnull=False)
    for pk, remote_id, *ours in rows.values_list("pk", "remote_id", "billable_seconds", "nonbillable_seconds"):
        if abs(sum(n or 0 for n in ours) - sums[str(remote_id)]) >= SAME_TIME_SECONDS:
            upkeep.read_again(ticket_id=pk, now=now)


def remote_tickets(batch: Iterable[TicketRecord], *, account_id: int, keys: Keys) -> list[RemoteTicket]:
    """Records in our keys. A placeholder stands in for every id that nobody has seen yet."""
    batch = list(batch)
    return _remote_tickets(batch, keys, _known(account_id, batch))


def _remote_tickets(batch: Sequence[TicketRecord], keys: Keys, known: Mapping[str, Seen]) -> list[RemoteTicket]:
    for name in _REFERENCES:
        keys.prime(name, (v for r in batch if isinstance(v := getattr(r, name), str)))
    return [_remote_ticket(record, keys, known.get(record.remote_id)) for record in batch]


def _known(account_id: int, batch: Sequence[TicketRecord]) -> dict[str, Seen]:
    """By remote id, what we have of these tickets."""
    rows = Ticket.objects.filter(psa_account=account_id, remote_id__in=[r.remote_id for r in batch])
    is_filled = ExpressionWrapper(~Q(description=""), output_field=BooleanField())
    found = rows.values_list("remote_id", "remote_updated_at", is_filled)
    return {str(remote_id): Seen(updated_at, bool(filled)) for remote_id, updated_at, filled in found}


def _is_seen(record: TicketRecord, known: Mapping[str, Seen]) -> bool:
    """Whether this very version was applied before: windows overlap, so most rows of a quiet poll are."""
    seen = known.get(record.remote_id)
    return bool(seen and record.remote_updated_at and seen.updated_at == record.remote_updated_at)


def _remote_ticket(record: TicketRecord, keys: Keys, seen: Seen | None) -> RemoteTicket:
    has_description = seen.has_description if seen else None
    row: dict[str, Any] = {}
    confirmed: dict[str, Any] = {}
    for name in _PLAIN:
        value = getattr(record, name)
        if value is not UNSET:
            row[name] = values.fit(_COLUMNS[name], value)
            if name in FIELDS:
                confirmed[name] = _spelt(row[name])
    labels = _set_references(record, row, confirmed, keys, is_new=has_description is None)
    _set_description(record, row, confirmed, has_description)
    if isinstance(record.opened_at, datetime):
        row["opened_at"] = record.opened_at
    elif has_description is None and isinstance(record.occurred_at, datetime):
        row["opened_at"] = record.occurred_at
    updated_at = record.remote_updated_at
    return RemoteTicket(
        remote_id=record.remote_id,
        values=row,
        confirmed=confirmed,
        remote_updated_at=updated_at if isinstance(updated_at, datetime) else None,
        raw=values.raw(record.raw),
        marker=marker_of(record.marker),
        labels=labels,
        paused_at=record.sla_paused_at if isinstance(record.sla_paused_at, datetime) else None,
    )


def _set_references(
    record: TicketRecord, row: dict[str, Any], confirmed: dict[str, Any], keys: Keys, *, is_new: bool
) -> dict[str, str]:
    """Keys of what the ticket points at; gives back the names that the record or our own rows tell."""
    labels: dict[str, str] = {}
    for name in _REFERENCES:
        remote_id = getattr(record, name)
        if name in _REQUIRED and (remote_id is None or (remote_id is UNSET and is_new)):
            row[f"{name}_id"] = keys.required(name, None)
            if remote_id is None:
                confirmed[name] = None
            continue
        if remote_id is UNSET:
            continue
        given = getattr(record, _NAMES[name]) if name in _NAMES else ""
        label = values.text(given) if isinstance(given, str) else ""
        row[f"{name}_id"] = _key(name, remote_id, label, record, row, keys)
        if name in FIELDS:
            confirmed[name] = remote_id
        if found := label or keys.label(name, remote_id):
            labels[name] = found
    return labels


def _key(
    name: str, remote_id: str | None, label: str, record: TicketRecord, row: dict[str, Any], keys: Keys
) -> int | None:
    extra: dict[str, Any] = {}
    if name in {"site", "contact", "contract"}:
        extra["client_id"] = row.get("client_id")
    email = {"contact": record.contact_email, "agent": record.agent_email}.get(name)
    if isinstance(email, str):
        extra["email"] = values.text(email)[:254]
    return keys.get(name, remote_id, label=label, **extra)


def _set_description(
    record: TicketRecord, row: dict[str, Any], confirmed: dict[str, Any], has_description: bool | None
) -> None:
    if record.description is not UNSET:
        row["description"] = values.text(record.description)
        row["description_is_html"] = bool(record.description_is_html)
        confirmed["description"] = _spelt(row["description"])
    elif isinstance(record.description_text, str) and not has_description:
        row["description"], row["description_is_html"] = values.text(record.description_text), False


def _spelt(value: Any) -> Any:
    if isinstance(value, datetime):
        return values.iso(value)
    return None if value in (None, "") else str(value)


def marker_of(value: Any) -> str | None:
    """Our own UUID as the desk spells it; None for anything else."""
    try:
        return str(uuid.UUID(value)) if isinstance(value, str) else None
    except ValueError:
        return None
