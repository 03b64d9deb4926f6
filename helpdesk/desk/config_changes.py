"""Changes of a PSA's configuration that are under way or refused, in words; and what uses a value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from helpdesk.actions.config_kinds import KINDS, ConfigField, ConfigKind, kind_of, lane_of
from helpdesk.actions.models import Action, Outcome
from helpdesk.core.formatting import duration
from helpdesk.core.models import ConfiguredRow
from helpdesk.directory.models import Agent, PsaAccount, Team
from helpdesk.outbox.choices import Reason, State, Verb
from helpdesk.outbox.models import OutboxItem
from helpdesk.sla.models import Policy
from helpdesk.tickets.choices import SlaAction
from helpdesk.tickets.models import Priority, RoutingRule, Status, Ticket, TicketType

_NAMED: Mapping[str, Any] = {
    "status": Status, "priority": Priority, "team": Team, "agent": Agent, "sla_policy": Policy,
    "ticket_type": TicketType,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Clash:
    """One field of a conflict."""

    label: str
    before: str
    mine: str
    theirs: str


@dataclass(frozen=True, kw_only=True)
class Change:
    """One change that has not arrived. `what` names its fields; `why` is the PSA's no."""

    item: OutboxItem
    what: str
    why: str
    clashes: Sequence[Clash]

    @property
    def is_decidable(self) -> bool:
        return self.item.state in (State.REFUSED, State.CHECKING)

    @property
    def is_conflict(self) -> bool:
        return self.item.state == State.REFUSED and self.item.reason == Reason.CONFLICT


def changes_of(account: PsaAccount, word: str, row: ConfiguredRow | None = None) -> dict[int, list[Change]]:
    """Key of a value -> its changes under way, oldest first."""
    if not word:
        return {}
    lanes = f"config:{word}:"
    rows = OutboxItem.objects.open().filter(psa_account=account)
    rows = rows.filter(lane=f"{lanes}{row.pk}") if row is not None else rows.filter(lane__startswith=lanes)
    found: dict[int, list[Change]] = {}
    items = list(rows.order_by("pk"))
    names = _names(account, KINDS[word], items)
    for item in items:
        clashes = [_clash(item, name, KINDS[word], names) for name in item.theirs]
        change = Change(item=item, what=words_of(item, KINDS[word]), why=_why(item), clashes=clashes)
        found.setdefault(int(item.lane.removeprefix(lanes)), []).append(change)
    return found


def item_of(row: ConfiguredRow, pk: int) -> OutboxItem | None:
    """A change of this very value; None when it has no such one."""
    return OutboxItem.objects.in_lane(lane_of(row)).filter(pk=pk).first() if pk < 2**63 else None


def words_of(item: OutboxItem, kind: ConfigKind) -> str:
    """What a change does, in a few words."""
    if item.verb == Verb.CREATE_CONFIG:
        return _("Being created")
    if item.verb == Verb.DELETE_CONFIG:
        return _("Being deleted")
    labels = [str(field.label) for name in item.fields if (field := kind.field(name))]
    return _("Changed: %(fields)s") % {"fields": ", ".join(labels)}


def _why(item: OutboxItem) -> str:
    if item.error_text:
        return item.error_text
    return str(item.get_reason_display()) if item.reason else ""


def _names(account: PsaAccount, kind: ConfigKind, items: Sequence[OutboxItem]) -> dict[tuple[str, str], str]:
    """(what, remote id) -> name, of everything that the conflicts among these name."""
    wanted: dict[str, set[str]] = {}
    for item in items:
        for name in item.theirs:
            field = kind.field(name)
            if field is not None and field.of:
                for values in (item.base, item.fields, item.theirs):
                    value = values.get(name)
                    wanted.setdefault(field.of, set()).update(value if isinstance(value, list) else [value or ""])
    return {
        (of, row.remote_id): str(row)
        for of, keys in wanted.items()
        for row in _NAMED[of]._default_manager.filter(psa_account=account, remote_id__in=keys).defer("raw")
    }


def _clash(item: OutboxItem, name: str, kind: ConfigKind, names: Mapping[tuple[str, str], str]) -> Clash:
    field = kind.field(name)
    if field is None:
        return Clash(label=name, before="", mine="", theirs="")
    return Clash(
        label=str(field.label),
        before=_words(field, item.base.get(name), names),
        mine=_words(field, item.fields.get(name), names),
        theirs=_words(field, item.theirs.get(name), names),
    )


def _words(field: ConfigField, value: Any, names: Mapping[tuple[str, str], str]) -> str:
    if field.shape == "flag":
        return _("Yes") if value else _("No")
    if value in (None, "", []):
        return _("None")
    if field.shape == "many":
        return ", ".join(names.get((field.of, key), f"#{key}") for key in value)
    if field.shape == "one":
        return names.get((field.of, value), f"#{value}")
    if field.shape == "action":
        return str(dict(SlaAction.choices).get(value, value))
    if field.shape in ("hours", "whole_hours"):
        return _("%(hours)s h") % {"hours": f"{value:g}"}
    return duration(value) if field.shape == "minutes" else str(value)


# ---- uses -----------------------------------------------------------------------------------------------------------


def uses_of(row: ConfiguredRow) -> list[str]:
    """What of the desk points to a value, with counts; empty when nothing does."""
    found = {"status": _status_uses, "ticket_type": _type_uses, "outcome": _outcome_uses}[kind_of(row).word](row)
    return [words for count, words in found if count]


def _status_uses(row: Any) -> list[tuple[int, str]]:
    tickets = Ticket.objects.present().filter(status=row).count()
    types = TicketType.objects.filter(
        Q(initial_status=row) | Q(reopened_status=row) | Q(after_client_status=row) | Q(after_agent_status=row),
        is_active=True,
    ).count()
    outcomes = Outcome.objects.filter(new_status=row, is_hidden=False).count()
    others = Status.objects.filter(change_to=row, is_active=True).count()
    return [
        (tickets, ngettext("%(n)d ticket has it", "%(n)d tickets have it", tickets) % {"n": tickets}),
        (types, ngettext("%(n)d ticket type leads to it", "%(n)d ticket types lead to it", types) % {"n": types}),
        (outcomes, ngettext("%(n)d outcome leads to it", "%(n)d outcomes lead to it", outcomes) % {"n": outcomes}),
        (others, ngettext("%(n)d status moves on to it", "%(n)d statuses move on to it", others) % {"n": others}),
    ]


def _type_uses(row: Any) -> list[tuple[int, str]]:
    tickets = Ticket.objects.present().filter(ticket_type=row).count()
    rules = RoutingRule.objects.filter(ticket_type=row).count()
    outcomes = row.outcomes.filter(is_hidden=False).count()
    return [
        (tickets, ngettext("%(n)d ticket has it", "%(n)d tickets have it", tickets) % {"n": tickets}),
        (rules, ngettext("%(n)d routing rule names it", "%(n)d routing rules name it", rules) % {"n": rules}),
        (outcomes, ngettext("%(n)d outcome is for it", "%(n)d outcomes are for it", outcomes) % {"n": outcomes}),
    ]


def _outcome_uses(row: Any) -> list[tuple[int, str]]:
    actions = Action.objects.filter(outcome=row).count()
    chosen = list((row.psa_account.settings.get("outcomes") or {}).values()).count(row.remote_id)
    return [
        (
            actions,
            ngettext("%(n)d note has it", "%(n)d notes have it", actions) % {"n": actions},
        ),
        (chosen, _("This desk writes notes with it: choose another one in the account's settings first")),
    ]
