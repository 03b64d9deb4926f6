"""The configuration of a PSA account as people read it: every value with what it does, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count
from django.utils.translation import gettext as _

from helpdesk.actions.models import Outcome
from helpdesk.core.formatting import duration, safe_colour
from helpdesk.desk.config_changes import Change
from helpdesk.desk.ticket_side import category_words
from helpdesk.directory.models import PsaAccount
from helpdesk.tickets.choices import SlaAction, SlaClock
from helpdesk.tickets.fields import FIELDS
from helpdesk.tickets.models import Priority, Status, Ticket, TicketCategory, TicketType

MOST = 1000
HOUR = 3600


@dataclass(frozen=True, kw_only=True)
class Line:
    """One value. `mark` is a status's category or a priority's rank; `facts` say what it does."""

    row: Any
    name: str
    colour: str = ""
    category: str = ""
    rank: int = 0
    meaning: str = ""
    facts: Sequence[str] = ()
    number: int | None = None
    """Its place in the PSA's own order."""
    count: int | None = None
    """Open tickets that have it."""
    is_off: bool = False
    changes: Sequence[Change] = ()
    """What of it is under way to the PSA, or refused."""


def titles() -> dict[str, str]:
    """Every kind by its word in an address."""
    return {
        "statuses": _("Statuses"),
        "types": _("Ticket types"),
        "outcomes": _("Outcomes"),
        "categories": _("Categories"),
        "priorities": _("Priorities"),
    }


def kinds_of(account: PsaAccount) -> dict[str, str]:
    """The kinds that this PSA knows, with their titles."""
    flags = {"outcomes": "outcomes", "categories": "categories"}
    off = {kind for kind, flag in flags.items() if account.capabilities.get(flag) is False}
    return {kind: title for kind, title in titles().items() if kind not in off}


def lines_of(account: PsaAccount, kind: str) -> list[Line]:
    """Every value of a kind in the PSA's order; what is not offered any more among them. Queries do not grow."""
    return _READERS[kind](account)


def used_in(account: PsaAccount, column: str) -> Mapping[Any, int]:
    """Value of a ticket's column -> how many open tickets have it."""
    rows = Ticket.objects.present().filter(psa_account=account, is_open=True).order_by()
    return dict(rows.values_list(column).annotate(n=Count("pk")))


def hours(value: float | None) -> str:
    """ "8 h", "24 h": never days, for working hours make none; empty for none."""
    if not value:
        return ""
    return _("%(hours)s h") % {"hours": f"{value:g}"} if value >= 1 else duration(value * HOUR)


# ---- statuses -------------------------------------------------------------------------------------------------------


def _statuses(account: PsaAccount) -> list[Line]:
    types = list(TicketType.objects.filter(psa_account=account).select_related("initial_status", "reopened_status"))
    rows = Status.objects.filter(psa_account=account).select_related("change_to").defer("raw", "change_to__raw")
    counts = used_in(account, "status")
    return [
        Line(
            row=row,
            name=row.name,
            colour=safe_colour(row.colour),
            category=row.category,
            meaning=_meaning(row),
            facts=_status_facts(row, types),
            number=row.sequence,
            count=counts.get(row.pk, 0),
            is_off=not row.is_active,
        )
        for row in rows[:MOST]
    ]


def _meaning(row: Status) -> str:
    if not row.is_mapped:
        return _("not mapped yet")
    clock = {
        SlaClock.RUNNING: _("clock runs"), SlaClock.PAUSED: _("clock pauses"), SlaClock.STOPPED: _("clock stops"),
    }  # fmt: skip
    return f"{row.get_category_display()}, {clock[SlaClock(row.sla_clock)]}"


def _status_facts(row: Status, types: Sequence[TicketType]) -> list[str]:
    facts = []
    if row.is_quick:
        facts.append(_("Offered first"))
    if row.sla_action == SlaAction.HOLD:
        ends = hours(row.hold_hours)
        facts.append(_("Holds the SLA for at most %(time)s") % {"time": ends} if ends else _("Holds the SLA"))
    elif row.sla_action == SlaAction.RELEASE:
        facts.append(_("Ends a hold of the SLA"))
    if row.ignores_release:
        facts.append(_("Stays on hold whatever the SLA's limit"))
    if row.change_to is not None and row.change_hours:
        words = _("Moves on to %(status)s after %(time)s of working hours") if row.counts_working_hours else None
        words = words or _("Moves on to %(status)s after %(time)s")
        facts.append(words % {"status": row.change_to.name, "time": hours(row.change_hours)})
    if row.ticket_types:
        facts.append(_("Only for %(types)s") % {"types": _names(types, row.ticket_types)})
    active = [t for t in types if t.is_active]
    starts = [t.name for t in active if t.initial_status_id == row.pk]
    reopens = [t.name for t in active if t.reopened_status_id == row.pk]
    if starts:
        facts.append(_("Start of %(types)s") % {"types": _some(starts, active)})
    if reopens:
        facts.append(_("Reopened: %(types)s") % {"types": _some(reopens, active)})
    return facts


def _some(names: Sequence[str], all_of: Sequence[Any]) -> str:
    return _("every type") if len(names) == len(all_of) > 1 else ", ".join(names)


def _names(types: Sequence[TicketType], remote_ids: Sequence[str]) -> str:
    known = {t.remote_id: t.name for t in types}
    return ", ".join(known.get(i, f"#{i}") for i in remote_ids)


# ---- types ----------------------------------------------------------------------------------------------------------


def _types(account: PsaAccount) -> list[Line]:
    parts = (
        "initial_status", "default_priority", "reopened_status", "default_team", "default_agent", "default_sla_policy",
        "after_client_status", "after_agent_status",
    )  # fmt: skip
    rows = TicketType.objects.filter(psa_account=account).select_related(*parts)
    counts = used_in(account, "ticket_type")
    return [
        Line(
            row=row,
            name=row.name,
            meaning=str(row.get_kind_display()) if row.is_mapped else _("not mapped yet"),
            facts=_type_facts(row),
            number=row.sequence,
            count=counts.get(row.pk, 0),
            is_off=not row.is_active,
        )
        for row in rows[:MOST]
    ]


def _type_facts(row: TicketType) -> list[str]:
    named = (
        (_("Starts as %(name)s"), row.initial_status),
        (_("Priority %(name)s"), row.default_priority),
        (_("Team %(name)s"), row.default_team),
        (_("Owner %(name)s"), row.default_agent),
        (_("SLA %(name)s"), row.default_sla_policy),
        (_("Reopens as %(name)s"), row.reopened_status),
        (_("After the client's answer: %(name)s"), row.after_client_status),
        (_("After an agent's answer: %(name)s"), row.after_agent_status),
    )
    facts = [words % {"name": found} for words, found in named if found is not None]
    if row.required_fields:
        labels = [str(FIELDS[n].label).lower() for n in row.required_fields if n in FIELDS]
        facts.insert(0, _("Must have: %(fields)s") % {"fields": ", ".join(labels)})
    facts.append(_who_selects(row))
    if not row.allow_attachments:
        facts.append(_("No attachments"))
    if not row.client_may_reopen:
        facts.append(_("Clients may not reopen"))
    elif row.reopen_hours:
        facts.append(_("An answer reopens within %(time)s") % {"time": hours(row.reopen_hours)})
    if row.auto_close_hours:
        facts.append(_("Closed by itself %(time)s after it was resolved") % {"time": hours(row.auto_close_hours)})
    return facts


def _who_selects(row: TicketType) -> str:
    if row.agents_may_select and row.clients_may_select:
        return _("Agents and clients may choose it")
    if row.agents_may_select:
        return _("Only agents may choose it")
    return _("Only clients may choose it") if row.clients_may_select else _("Nobody may choose it")


# ---- outcomes, categories, priorities -------------------------------------------------------------------------------


def _outcomes(account: PsaAccount) -> list[Line]:
    rows = Outcome.objects.filter(psa_account=account).select_related("new_status", "child_ticket_type")
    rows = rows.prefetch_related("ticket_types").defer("raw", "new_status__raw", "child_ticket_type__raw")
    return [
        Line(
            row=row,
            name=str(row),
            colour=safe_colour(row.colour),
            meaning=_("colleagues only") if row.hide_from_client else _("colleagues and the client"),
            facts=_outcome_facts(row),
            number=row.sequence,
            is_off=row.is_hidden,
        )
        for row in rows[:MOST]
    ]


def _outcome_facts(row: Outcome) -> list[str]:
    flags = (
        (row.sends_email, _("Mails the client")),
        (row.must_add_note, _("Needs a note")),
        (row.must_assign, _("Needs an owner")),
        (row.sla_hold, _("Holds the SLA")),
        (row.sla_release, _("Ends a hold of the SLA")),
    )
    facts = [words for is_on, words in flags if is_on]
    if row.new_status is not None:
        facts.insert(0, _("Moves to %(status)s") % {"status": row.new_status})
    if row.default_seconds:
        facts.append(_("Books %(time)s") % {"time": duration(row.default_seconds)})
    if row.child_ticket_type is not None:
        facts.append(_("Opens a ticket of type %(type)s beneath") % {"type": row.child_ticket_type})
    types = [t.name for t in row.ticket_types.all()]
    if types:
        facts.append(_("Only for %(types)s") % {"types": ", ".join(types)})
    return facts


def _categories(account: PsaAccount) -> list[Line]:
    rows = list(TicketCategory.objects.filter(psa_account=account).defer("raw")[:MOST])
    names = {row.remote_id: row.name for row in rows}
    counts = Counter(used_in(account, "category"))
    counts.update(used_in(account, "subcategory"))
    return [
        Line(
            row=row,
            name=category_words(row.value),
            meaning=_("Category") if row.level == 1 else _("Level %(level)d") % {"level": row.level},
            facts=[_("Belongs to %(name)s") % {"name": names[row.parent]}] if row.parent in names else [],
            count=counts.get(row.value, 0),
            is_off=not row.is_active,
        )
        for row in rows
    ]


def _priorities(account: PsaAccount) -> list[Line]:
    counts = used_in(account, "priority")
    return [
        Line(
            row=row,
            name=row.name,
            colour=safe_colour(row.colour),
            rank=row.rank,
            meaning=str(row.get_rank_display()) if row.is_mapped else _("not mapped yet"),
            count=counts.get(row.pk, 0),
            is_off=not row.is_active,
        )
        for row in Priority.objects.filter(psa_account=account).defer("raw")[:MOST]
    ]


_READERS: Mapping[str, Callable[[PsaAccount], list[Line]]] = {
    "statuses": _statuses,
    "types": _types,
    "outcomes": _outcomes,
    "categories": _categories,
    "priorities": _priorities,
}
