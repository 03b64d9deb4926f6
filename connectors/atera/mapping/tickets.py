"""A ticket of Atera as a record. Both name sets are read: the vendor's, and the short description's."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from connectors.atera.mapping.actions import time_record
from connectors.atera.mapping.choices import spelt
from connectors.atera.mapping.values import (
    Row,
    first,
    has,
    hours_of,
    id_of,
    identifier,
    instant,
    instant_of,
    number,
    person,
    text_of,
    words,
)
from connectors.base.records import UNSET, Instant, Number, Text, TicketRecord

_ACTIVITY = (
    "LastActivityDate", "LastEndUserCommentTimestamp", "LastTechnicianCommentTimestamp", "TechnicianFirstCommentDate",
)  # fmt: skip


def ticket_record(row: Row, *, billable: Number = UNSET, nonbillable: Number = UNSET) -> TicketRecord:
    """Comment fields that are null or empty are UNSET, whatever was asked for: a description is never cleared there.

    Atera tells no instant of the last change, so there is no `remote_updated_at`; `closed_at` is ours to stamp.
    """
    description = words(first(row, "Description", "FirstComment"))
    return TicketRecord(
        remote_id=ticket_id(row) or "",
        raw=row,
        number=words(row.get("TicketNumber")) or UNSET,
        subject=words(row.get("TicketTitle")) or "" if "TicketTitle" in row else UNSET,
        description=description or UNSET,
        description_is_html=False if description else UNSET,
        client=id_of(row, "CustomerID"),
        client_name=text_of(row, "CustomerName"),
        contact=id_of(row, "EndUserID"),
        contact_name=_person_of(row, "EndUserFirstName", "EndUserLastName"),
        contact_email=text_of(row, "EndUserEmail"),
        status=_choice_of(row, "TicketStatus"),
        priority=_choice_of(row, "TicketPriority"),
        impact=_choice_of(row, "TicketImpact"),
        ticket_type=_choice_of(row, "TicketType"),
        agent=id_of(row, "TechnicianContactID"),
        agent_name=text_of(row, "TechnicianFullName"),
        agent_email=text_of(row, "TechnicianEmail"),
        source=text_of(row, "TicketSource"),
        contract=id_of(row, "ContractID"),
        opened_at=instant_of(row, "TicketCreatedDate"),
        first_responded_at=instant_of(row, "TechnicianFirstCommentDate", "FirstResponseDate"),
        resolved_at=instant_of(row, "TicketResolvedDate"),
        last_activity_at=_activity(row),
        response_due_at=instant_of(row, "FirstResponseFinalDueDate", "FirstResponseDueDate"),
        resolution_due_at=instant_of(row, "ClosedTicketFinalDueDate", "ClosedTicketDueDate", "DueDate"),
        billable_seconds=billable,
        nonbillable_seconds=nonbillable,
        booked_seconds=_booked_in(row),
    )


def ticket_id(row: Row) -> str | None:
    """The id of a ticket's row."""
    return identifier(row.get("TicketID"))


def created_id(row: Row) -> str | None:
    """The id in the answer to a create: `TicketID` where there is one, else `ActionID`, which is a text."""
    return identifier(row.get("TicketID")) or identifier(row.get("ActionID"))


def _booked_in(row: Row) -> Number:
    total = number(row.get("TotalDurationSeconds"))
    return UNSET if total is None else round(total)


def has_booked_time(row: Row) -> bool:
    """False only where the row says that nothing was booked."""
    total = number(row.get("TotalDurationSeconds"))
    return total is None or total > 0


def booked(summary: Row) -> tuple[Number, Number]:
    """Billable and other seconds of a ticket's summary of work hours, or of the list that others give instead."""
    if isinstance(summary.get("items"), list):
        hours = [time_record(row, ticket="") for row in summary["items"] if isinstance(row, dict)]
        return sum(t.seconds for t in hours if t.is_billable), sum(t.seconds for t in hours if not t.is_billable)
    parts = (summary.get("Billable"), summary.get("NonBillable"))
    billable, other = (hours_of(part) if isinstance(part, dict) else UNSET for part in parts)
    return billable, other


def opening_text(row: Row) -> str:
    """What the first comment says when it is the description."""
    return words(first(row, "Description", "FirstComment")) or ""


def _choice_of(row: Row, name: str) -> Text:
    return spelt(row[name]) if name in row else UNSET


def _person_of(row: Row, *names: str) -> Text:
    return person(*(row.get(name) for name in names)) if has(row, *names) else UNSET


def _activity(row: Row) -> Instant:
    """The newest stamp of what was said; UNSET when there is none, since a row may come without comment fields."""
    values: list[Any] = [instant(row.get(name)) for name in _ACTIVITY]
    found = [at for at in values if isinstance(at, datetime)]
    return max(found) if found else UNSET


def ticket_records(rows: Iterable[Row]) -> tuple[TicketRecord, ...]:
    """A ticket that slipped onto two pages counts once per page; what has no id is no ticket."""
    found = {key: ticket_record(row) for row in rows if (key := ticket_id(row))}
    return tuple(found.values())
