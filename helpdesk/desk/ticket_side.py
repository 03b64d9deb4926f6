"""Side of one ticket's page: properties, client, relatives, conflicts, sync."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from helpdesk.accounts.models import User
from helpdesk.accounts.permissions import can
from helpdesk.core.formatting import duration, moment
from helpdesk.desk.entries import refusal_of
from helpdesk.desk.fronts import property_of
from helpdesk.desk.story import is_conflict
from helpdesk.desk.ticket_head import moving_fields, refused_fields
from helpdesk.directory import groups, roles
from helpdesk.directory.models import Client
from helpdesk.outbox.choices import State, Verb
from helpdesk.outbox.models import OutboxItem
from helpdesk.tickets.conflicts import from_spelling
from helpdesk.tickets.fields import FIELDS
from helpdesk.tickets.forms import LEVELS, scale_word
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.rules import why_off

OTHERS = 5


@dataclass(frozen=True, kw_only=True)
class Line:
    """One property. `why` says why it cannot be changed; `is_open` = it can."""

    name: str
    label: str
    value: str
    sync: str = ""
    is_open: bool = False
    why: str = ""
    address: str = ""
    """Where it is changed."""
    refused: str = ""
    """What the PSA said against the value."""

    @property
    def drawn(self) -> SafeString:
        return property_of(self)

    @property
    def is_shown(self) -> bool:
        """At first sight: it says something, or somebody should fill it."""
        return bool(self.value or self.sync or self.refused or (self.name in ALWAYS and not self.why))


@dataclass(frozen=True, kw_only=True)
class Clash:
    """A field of a conflict: before, mine, theirs."""

    item: OutboxItem
    name: str
    label: str
    before: str
    mine: str
    theirs: str


SIDE_FIELDS = ("agent_role", "team", "ticket_type", "category", "subcategory", "category_3", "category_4", "impact",
               "urgency", "contract", "sla_policy", "source", "deadline_at", "resolution", "escalation_reason", "cc",
               "reported_by")  # fmt: skip
ALWAYS = frozenset({"team", "ticket_type", "contract", "resolution"})
"""Shown also while empty, where they can be filled; other empty ones are folded away."""
CLIENT_FIELDS = ("client", "contact", "site")
HIDDEN_WITHOUT = {"site": "sites", "team": "teams", "category": "categories", "subcategory": "categories",
                  "category_3": "categories", "category_4": "categories", "impact": "impact", "urgency": "urgency",
                  "contract": "contracts", "cc": "cc"}  # fmt: skip


def is_hidden(ticket: Ticket, name: str) -> bool:
    """A field this PSA does not know, and that holds nothing."""
    flag = HIDDEN_WITHOUT.get(name)
    off = flag is not None and ticket.psa_account.capabilities.get(flag) is False
    if name == "source" and ticket.source and not ticket.source_word:
        return True  # a number of the PSA's own says nothing to anybody
    if name == "agent_role":
        return ticket.agent_id is None or not ticket.psa_account.can(roles.FLAG)
    if name == "escalation_reason":
        return not ticket.escalation_reason  # given with the status that asks for it
    if name in ("subcategory", "category_3", "category_4") and not getattr(ticket, name):
        # Deeper levels appear once the level above is chosen.
        above = {"subcategory": "category", "category_3": "subcategory", "category_4": "category_3"}[name]
        return off or not getattr(ticket, above)
    return off and not getattr(ticket, FIELDS[name].attname)


def why_fixed(ticket: Ticket, name: str, user: User) -> str:
    """Why a field cannot be changed; empty when it can."""
    if not can(user, "tickets.change"):
        return _("You may read tickets, not change them.")
    if ticket.removed_at is not None:
        return _("It was deleted in %(psa)s.") % {"psa": ticket.psa_account.title}
    return why_off(ticket, name)


def value_words(ticket: Ticket, name: str, now: datetime) -> str:
    value = getattr(ticket, name)
    if value is None or value == "":
        return ""
    if FIELDS[name].is_instant:
        return moment(value, now, timezone.get_current_timezone())
    if name in ("impact", "urgency"):
        return scale_word(str(value))
    if name in LEVELS:
        return category_words(str(value))
    if name == "agent_role":
        return roles.role_name(ticket.agent, value)
    return str(value)


def category_words(text: str) -> str:
    """`Access>Password` as people read it; what is sent stays as the PSA spells it."""
    return ", ".join(part.strip() for part in text.split(">") if part.strip()) or text


def line_of(
    ticket: Ticket, name: str, user: User, now: datetime, moving: Mapping[str, str], refused: Mapping[str, str]
) -> Line:
    why = why_fixed(ticket, name, user)
    return Line(
        name=name,
        label=str(FIELDS[name].label),
        value=value_words(ticket, name, now),
        sync=moving.get(name, ""),
        is_open=not why,
        why=why,
        address=reverse("tickets:field", args=[ticket.pk, name]),
        refused=refused.get(name, ""),
    )


def lines_of(
    ticket: Ticket, names: Sequence[str], user: User, now: datetime, moving: Mapping[str, str],
    refused: Mapping[str, str],
) -> list[Line]:  # fmt: skip
    return [line_of(ticket, name, user, now, moving, refused) for name in names if not is_hidden(ticket, name)]


def clashes(ticket: Ticket, items: Sequence[OutboxItem]) -> list[Clash]:
    return [
        Clash(
            item=item,
            name=name,
            label=str(FIELDS[name].label),
            before=_spelt(ticket, name, item.base.get(name)),
            mine=_spelt(ticket, name, item.fields[name]),
            theirs=_spelt(ticket, name, theirs),
        )
        for item in items
        if is_conflict(item)
        for name, theirs in item.theirs.items()
        if name in FIELDS and name in item.fields
    ]


def _spelt(ticket: Ticket, name: str, value: Any) -> str:
    found = from_spelling(ticket.psa_account_id, name, value)
    if found is None or found == "":
        return _("nothing")
    if FIELDS[name].is_instant:
        return moment(found, timezone.now(), timezone.get_current_timezone())
    return str(found)[:300]


@dataclass(frozen=True, kw_only=True)
class Stuck:
    """A refused change of fields, or of the ticket's creation, in words."""

    item: OutboxItem
    what: str
    text: str
    loss: str


def stuck_items(ticket: Ticket, items: Sequence[OutboxItem]) -> list[Stuck]:
    """Refused and doubtful changes that have no entry in the timeline."""
    found = []
    for item in items:
        if item.state not in (State.REFUSED, State.CHECKING) or is_conflict(item):
            continue
        if item.verb == Verb.CREATE_TICKET:
            what, loss = _("This new ticket"), _("the ticket")
        elif item.verb == Verb.UPDATE_TICKET:
            what = ", ".join(str(FIELDS[n].label) for n in item.fields if n in FIELDS)
            loss = what
        elif item.verb == Verb.UPLOAD_FILE:
            what = loss = str(item.fields.get("name", _("A file")))
        else:
            continue
        found.append(Stuck(item=item, what=what, text=refusal_of(item) or str(item.get_reason_display()), loss=loss))
    return found


def side_context(ticket: Ticket, user: User, now: datetime, items: Sequence[OutboxItem]) -> dict[str, Any]:
    moving, refused = moving_fields(items), refused_fields(items)
    waiting = [i for i in items if i.state in (State.WAITING, State.SENDING)]
    lines = lines_of(ticket, SIDE_FIELDS, user, now, moving, refused)
    kin = groups.relatives(ticket.client) if ticket.client else []
    return {
        "moving": moving,
        "lines": [one for one in lines if one.is_shown],
        "empty_lines": [one for one in lines if not one.is_shown],
        "client_lines": lines_of(ticket, CLIENT_FIELDS, user, now, moving, refused),
        "client_fixed": why_off(ticket, "client") and why_off(ticket, "contact"),
        "description_fixed": why_off(ticket, "description"),
        "dates": _dates(ticket, now),
        "clashes": clashes(ticket, items),
        "stuck": stuck_items(ticket, items),
        "waiting": len(waiting),
        "checking": sum(i.state == State.CHECKING for i in items),
        "refused": sum(i.state == State.REFUSED for i in items),
        "kin": kin,
        "others": others_of(ticket, kin),
        "children": children_of(ticket),
        "extras": extras_of(ticket),
        "local_time": local_time(ticket, now),
        "link_url": _link_url(ticket),
        "log_url": _log_url(ticket, user),
        "psa_says": _psa_says(ticket, now),
    }


def _dates(ticket: Ticket, now: datetime) -> list[tuple[str, str]]:
    zone = timezone.get_current_timezone()
    rows = [
        (_("Opened"), ticket.opened_at),
        (_("Responded"), ticket.first_responded_at),
        (_("Resolved"), ticket.resolved_at),
        (_("Closed"), ticket.closed_at),
    ]
    found = [(label, moment(at, now, zone)) for label, at in rows if at]
    if ticket.billable_seconds:
        found.append((_("Billable"), duration(ticket.billable_seconds)))
    if ticket.nonbillable_seconds:
        found.append((_("Not billable"), duration(ticket.nonbillable_seconds)))
    return found


def others_of(ticket: Ticket, kin: Sequence[Client] = ()) -> list[Ticket]:
    """Other open tickets of the customer, next deadline first."""
    if ticket.client_id is None or ticket.client is None:
        return []
    ids = [ticket.client_id, *(one.pk for one in kin)]
    found = Ticket.objects.present().open().of_clients(ids).exclude(pk=ticket.pk)
    rows = list(_as_lines(found).by_due()[: OTHERS + 1])
    accounts = {one.psa_account_id: one.psa_account for one in kin} | {ticket.psa_account_id: ticket.psa_account}
    for row in rows if kin else ():
        if row.psa_account_id in accounts:
            row.psa_account = accounts[row.psa_account_id]
    return rows


def _as_lines(tickets: Any) -> Any:
    """With what one line of the side panel shows."""
    return tickets.select_related("priority").only(
        "number", "subject", "rank", "priority__name", "psa_account_id", "next_clock", "clock_state", "next_due_at",
        "next_at_risk_at", "clock_seconds", "clock_calendar",
    )  # fmt: skip


def children_of(ticket: Ticket) -> list[Ticket]:
    if not getattr(ticket, "has_children", False):
        return []
    return list(_as_lines(Ticket.objects.present().filter(parent=ticket.pk)).order_by("pk")[:20])


_EXTRA_WORDS = 60
MOST_EXTRAS = 40


def extras_of(ticket: Ticket) -> list[tuple[str, str]]:
    """What the PSA says of the ticket beyond our fields: plain values only, read as they are."""
    found = []
    for key, value in sorted((ticket.raw or {}).items()):
        if isinstance(value, str | int | float | bool) and value not in ("", 0, False) and len(str(value)) <= 200:
            found.append((str(key)[:_EXTRA_WORDS], str(value)))
    return found[:MOST_EXTRAS]


def local_time(ticket: Ticket, now: datetime) -> str:
    """What the client's own clock shows; empty when their zone is unknown."""
    name = (ticket.site.time_zone if ticket.site else "") or (ticket.client.time_zone if ticket.client else "")
    if not name:
        return ""
    try:
        return f"{now.astimezone(ZoneInfo(name)):%H:%M}"
    except (ZoneInfoNotFoundError, ValueError):
        return ""


def _link_url(ticket: Ticket) -> str:
    try:
        return reverse("portal:link_create", args=[ticket.pk])
    except NoReverseMatch:
        return ""


def _log_url(ticket: Ticket, user: User) -> str:
    if not can(user, "settings.view"):
        return ""
    try:
        return f"{reverse('sync:log')}?ticket={ticket.pk}"
    except NoReverseMatch:
        return ""


def _psa_says(ticket: Ticket, now: datetime) -> str:
    if not ticket.resolution_due_at:
        return ""
    return _("due %(when)s") % {"when": moment(ticket.resolution_due_at, now, timezone.get_current_timezone())}
