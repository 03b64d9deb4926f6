"""Atera's fixed lists. Only the statuses are open: a tenant may have more, which are taken as they are seen."""

from __future__ import annotations

from typing import Any

from connectors.atera.mapping.values import words
from connectors.base.configuration import PriorityRecord, StatusRecord, TicketTypeRecord

STATUSES = (
    StatusRecord(remote_id="Open", name="Open", category="open", sla_clock="running", sequence=1),
    StatusRecord(remote_id="Pending", name="Pending", category="waiting_client", sla_clock="paused", sequence=2),
    StatusRecord(remote_id="Resolved", name="Resolved", category="resolved", sla_clock="stopped", sequence=3),
    StatusRecord(remote_id="Closed", name="Closed", category="closed", sla_clock="stopped", sequence=4),
)
PRIORITIES = tuple(
    PriorityRecord(remote_id=name, name=name, rank=rank, is_active=True)
    for rank, name in enumerate(("Critical", "High", "Medium", "Low"), start=1)
)
TICKET_TYPES = tuple(
    TicketTypeRecord(
        remote_id=name,
        name=name,
        kind=name.lower(),
        initial_status="Open",
        default_priority="Medium",
        reopened_status="Open",
        is_active=True,
        allow_attachments=False,
        sequence=sequence,
    )
    for sequence, name in enumerate(("Problem", "Incident", "Request", "Change"), start=1)
)
IMPACTS = ("NoImpact", "Minor", "Major", "ServerIssue", "SiteDown", "Crisis")
OPEN_STATUSES = ("Open", "Pending")

_KNOWN = {r.remote_id.casefold(): r.remote_id for r in (*STATUSES, *PRIORITIES, *TICKET_TYPES)} | {
    name.casefold(): name for name in IMPACTS
}


def spelt(value: Any) -> str | None:
    """A choice as the fixed lists spell it, whatever its case; an unknown one as it was sent."""
    text = words(value)
    return _KNOWN.get(text.strip().casefold(), text.strip()) if text else None
