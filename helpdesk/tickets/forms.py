"""One field of a ticket: what a person may choose, and what they typed as a clean value."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from helpdesk.core.errors import Refused
from helpdesk.directory.models import Agent, Client, Contact, Contract, PsaAccount, Site, Team
from helpdesk.directory.roles import roles_of
from helpdesk.sla.models import Policy
from helpdesk.tickets.fields import FIELDS, event_key
from helpdesk.tickets.models import Ticket, TicketCategory, TicketType

MOST = 12
"""Clients and contacts offered for what was typed: never a list of all."""
SEARCHED = ("client", "contact")
LONG = ("description", "resolution", "escalation_reason", "cc")
_CAMEL = re.compile(r"(?<=[a-z])[A-Z](?=[a-z])")
LEVELS = {"category": 1, "subcategory": 2, "category_3": 3, "category_4": 4}


@dataclass(frozen=True, kw_only=True)
class Choice:
    value: str
    label: str
    note: str = ""


def shape_of(name: str, choices: Sequence[Choice]) -> str:
    """How the field is edited: search, select, long, instant or line."""
    if name in SEARCHED:
        return "search"
    if FIELDS[name].is_reference or choices:
        return "select"
    if name in LONG:
        return "long"
    return "instant" if FIELDS[name].is_instant else "line"


def choices_of(ticket: Ticket, name: str, typed: str = "") -> list[Choice]:
    """Values a reference or category may take; of clients and contacts only what fits the typed words."""
    account = ticket.psa_account_id
    if name == "client":
        return find_clients(account, typed)
    if name == "contact":
        return find_contacts(account, ticket.client_id, typed)
    if name in LEVELS:
        rows = TicketCategory.objects.filter(psa_account=account, level=LEVELS[name], is_active=True)
        if name == "subcategory":
            rows = rows.filter(parent__in=["", *_parents(ticket)])
        rows = rows[:500]
        return [Choice(value=r.value, label=r.name or r.value) for r in rows]
    if name in ("impact", "urgency"):
        return scale_of(ticket.psa_account, name)
    if name == "source":
        return told_values(ticket.psa_account, name)
    if name == "agent_role":
        return [Choice(value=role.key, label=role.name) for role in roles_of(ticket.agent)]
    if name not in _ROWS:
        return []
    return [Choice(value=str(r.pk), label=str(r)) for r in _ROWS[name](ticket)[:300]]


def _parents(ticket: Ticket) -> list[str]:
    """Remote ids behind the ticket's category: what belongs to another one is not offered beneath it."""
    if not ticket.category:
        return []
    rows = TicketCategory.objects.filter(psa_account=ticket.psa_account_id, level=1, value=ticket.category)
    return [key for key in rows.values_list("remote_id", flat=True) if key]


def told_values(account: PsaAccount, name: str) -> list[Choice]:
    """The PSA's own fixed values of a field; none where it tells none."""
    told = account.capabilities.get(f"{name}_values")
    return [Choice(value=str(v), label=scale_word(str(v))) for v in told] if isinstance(told, list) else []


def scale_of(account: PsaAccount, name: str) -> list[Choice]:
    """How wide or how soon: the PSA's own words, else three steps."""
    return told_values(account, name) or [Choice(value=v, label=w) for v, w in scale_words().items()]


def scale_word(value: str) -> str:
    """A step as people read it: ours in words, `SiteDown` of a PSA as "Site down"."""
    return scale_words().get(value) or _CAMEL.sub(lambda found: f" {found[0].lower()}", value)


def scale_words() -> dict[str, str]:
    """How wide and how soon, where the PSA tells no words of its own."""
    return {"1": _("High"), "2": _("Medium"), "3": _("Low")}


_ROWS: dict[str, Any] = {
    "site": lambda t: Site.objects.filter(client=t.client_id, psa_account=t.psa_account_id, is_active=True),
    "team": lambda t: Team.objects.filter(psa_account=t.psa_account_id, is_active=True),
    "agent": lambda t: Agent.objects.filter(psa_account=t.psa_account_id, is_active=True),
    "ticket_type": lambda t: TicketType.objects.filter(psa_account=t.psa_account_id).offered(t.ticket_type_id),
    "contract": lambda t: Contract.objects.filter(client=t.client_id, psa_account=t.psa_account_id),
    "sla_policy": lambda t: Policy.objects.filter(psa_account=t.psa_account_id),
}


def find_clients(account_id: int, typed: str, limit: int = MOST) -> list[Choice]:
    typed = typed.strip().replace("\x00", "")[:80]
    if not typed:
        return []
    rows = Client.objects.filter(psa_account=account_id, is_active=True, name__icontains=typed)
    return [Choice(value=str(pk), label=label) for pk, label in rows.values_list("pk", "name")[:limit]]


def find_contacts(account_id: int, client_id: int | None, typed: str, limit: int = MOST) -> list[Choice]:
    """People of the client; without words, the first few of them."""
    typed = typed.strip().replace("\x00", "")[:80]
    rows = Contact.objects.filter(psa_account=account_id, is_active=True, erased_at=None)
    if client_id:
        rows = rows.filter(client=client_id)
    elif not typed:
        return []
    for word in typed.split()[:4]:
        rows = rows.filter(Q(first_name__icontains=word) | Q(last_name__icontains=word) | Q(email__icontains=word))
    return [Choice(value=str(c.pk), label=str(c), note=c.email) for c in rows.defer("raw")[:limit]]


def read_value(ticket: Ticket, name: str, text: str, zone: tzinfo) -> Any:
    """What was typed or chosen as an object, instant or text. Raises Refused at the field."""
    field = FIELDS[name]
    text = text.replace("\r\n", "\n").strip() if name not in LONG else text.replace("\r\n", "\n")
    if "\x00" in text:
        raise Refused({name: _("This holds a character that cannot be kept (NUL).")})
    if field.is_reference:
        return _read_row(ticket, name, text)
    if field.is_instant:
        return read_instant(name, text, zone)
    if len(text) > 200_000:
        raise Refused({name: _("At most 200,000 characters; this has %(has)d.") % {"has": len(text)}})
    return text


def _read_row(ticket: Ticket, name: str, text: str) -> Any:
    if not text:
        return None
    model: Any = Ticket._meta.get_field(name).related_model
    found = None
    if text.isdecimal() and len(text) < 19:
        found = model.objects.filter(pk=int(text), psa_account=ticket.psa_account_id).first()
    if found is None or (name in ("site", "contact", "contract") and ticket.client_id != found.client_id):
        raise Refused({name: _("There is no such choice for this ticket.")})
    return found


def read_instant(name: str, text: str, zone: tzinfo) -> datetime | None:
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
        at = (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Refused({name: _("This is no date and time.")}) from error
    if not 2000 <= at.year <= 2100:
        raise Refused({name: _("The year must be between 2000 and 2100.")})
    return at


def shown_value(ticket: Ticket, name: str, zone: tzinfo) -> str:
    """The value as its input holds it."""
    value = getattr(ticket, name)
    if value is None:
        return ""
    if FIELDS[name].is_reference:
        return str(value.pk)
    if FIELDS[name].is_instant:
        return f"{value.astimezone(zone):%Y-%m-%dT%H:%M}"
    return str(value)


def base_of(ticket: Ticket, name: str) -> str:
    """The value an edit starts from; another one on saving means that somebody was faster."""
    return event_key(name, getattr(ticket, name))[:255]
