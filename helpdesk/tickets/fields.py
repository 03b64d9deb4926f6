"""The fields of a ticket that people may change: how each is named, stored, and spelt for the outbox."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, kw_only=True)
class Field:
    """`flag` is the capability of the PSA account without which the field cannot be changed there."""

    name: str
    label: str | Promise
    is_reference: bool = False
    is_instant: bool = False
    is_required: bool = False
    flag: str = ""
    max_length: int | None = None

    @property
    def attname(self) -> str:
        return f"{self.name}_id" if self.is_reference else self.name


FIELDS: dict[str, Field] = {
    f.name: f
    for f in (
        Field(name="subject", label=_("Subject"), is_required=True, max_length=255),
        Field(name="description", label=_("Description"), flag="edit_description"),
        Field(name="resolution", label=_("Resolution"), flag="resolution_field"),
        Field(name="escalation_reason", label=_("Escalation reason"), max_length=8000),
        Field(name="client", label=_("Client"), is_reference=True, is_required=True, flag="set_client"),
        Field(name="site", label=_("Site"), is_reference=True, flag="sites"),
        Field(name="contact", label=_("Contact"), is_reference=True, flag="change_contact"),
        Field(name="reported_by", label=_("Reported by"), max_length=255),
        Field(name="status", label=_("Status"), is_reference=True, is_required=True),
        Field(name="priority", label=_("Priority"), is_reference=True, is_required=True),
        Field(name="impact", label=_("Impact"), flag="impact", max_length=40),
        Field(name="urgency", label=_("Urgency"), flag="urgency", max_length=40),
        Field(name="ticket_type", label=_("Type"), is_reference=True, is_required=True),
        Field(name="category", label=_("Category"), flag="categories", max_length=255),
        Field(name="subcategory", label=_("Subcategory"), flag="categories", max_length=255),
        Field(name="category_3", label=_("Category 3"), flag="categories", max_length=255),
        Field(name="category_4", label=_("Category 4"), flag="categories", max_length=255),
        Field(name="agent", label=_("Owner"), is_reference=True),
        Field(name="agent_role", label=_("Role"), flag="agent_roles", max_length=64),
        Field(name="team", label=_("Team"), is_reference=True, flag="teams"),
        Field(name="contract", label=_("Contract"), is_reference=True, flag="change_contract"),
        Field(name="sla_policy", label=_("SLA policy"), is_reference=True, flag="change_policy"),
        Field(name="deadline_at", label=_("Deadline"), is_instant=True, flag="set_due_date"),
        Field(name="source", label=_("Source"), flag="source", max_length=60),
        Field(name="cc", label=_("Cc"), max_length=2000),
    )
}


def spell(name: str, value: Any) -> Any:
    """A value as the outbox and `Ticket.confirmed` spell it: remote id, text, or ISO 8601 UTC; None = empty."""
    field = FIELDS[name]
    if value is None or value == "":
        return None
    if field.is_reference:
        return value.remote_id
    if field.is_instant:
        instant: datetime = value
        return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return str(value)


def event_key(name: str, value: Any) -> str:
    """A value as a `TicketEvent` keeps it."""
    if value is None or value == "":
        return ""
    if FIELDS[name].is_reference:
        return str(value.pk)
    if FIELDS[name].is_instant:
        return str(spell(name, value))
    return str(value)[:255]


def event_label(value: Any) -> str:
    """A value as people read it in the timeline."""
    return "" if value is None else str(value)[:255]
