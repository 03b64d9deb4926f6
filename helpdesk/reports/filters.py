"""Client, team, priority, owner, type, category and PSA account, as a report's address spells them.

Several values each, comma separated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import F, Model, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from helpdesk.directory.groups import kin_of
from helpdesk.directory.models import Agent, Client, PsaAccount, Team
from helpdesk.reports.models import CategoryName
from helpdesk.tickets.choices import Rank
from helpdesk.tickets.models import TicketType
from helpdesk.tickets.querysets import TicketQuerySet

NAMES = {
    "client": gettext_lazy("Client"),
    "team": gettext_lazy("Team"),
    "priority": gettext_lazy("Priority"),
    "agent": gettext_lazy("Owner"),
    "type": gettext_lazy("Type"),
    "category": gettext_lazy("Category"),
    "account": gettext_lazy("PSA account"),
}
NOBODY = {
    "client": gettext_lazy("no client"),
    "team": gettext_lazy("no team"),
    "agent": gettext_lazy("nobody"),
    "type": gettext_lazy("no type"),
    "category": gettext_lazy("no category"),
    "account": gettext_lazy("no PSA account"),
}
MODELS: Mapping[str, type[Model]] = {
    "client": Client,
    "team": Team,
    "agent": Agent,
    "type": TicketType,
    "category": CategoryName,
    "account": PsaAccount,
}
OTHER_NAMES = frozenset(
    {"period", "from", "to", "compare", "metric", "by", "all", "cursor", "status", "open_only", "span_from", "span_to"}
)
"""What else the address of a report may hold."""
MOST = 20
_RANK_WORDS = {r.name.lower(): r.value for r in Rank}


@dataclass(frozen=True, kw_only=True)
class Chip:
    name: str
    label: str
    value: str


@dataclass
class Filters:
    """Row ids (or ranks) by name; 0 = none. `ignored` are words for what nobody understood."""

    keys: dict[str, list[int]] = field(default_factory=dict)
    labels: dict[str, list[str]] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)

    @property
    def dimensions(self) -> dict[str, list[int]]:
        """The same by the names of our rows' columns."""
        return {("rank" if name == "priority" else name): keys for name, keys in self.keys.items()}

    def query(self) -> dict[str, str]:
        return {
            name: ",".join(str(k) if k or name == "priority" else "none" for k in keys)
            for name, keys in self.keys.items()
        }

    def chips(self) -> list[Chip]:
        return [
            Chip(name=name, label=str(label), value=", ".join(self.labels[name]))
            for name, label in NAMES.items()
            if name in self.keys
        ]

    def apply(self, tickets: TicketQuerySet) -> TicketQuerySet:
        """Narrow tickets as they are now, for what is counted live."""
        for name, keys in self.keys.items():
            if name == "priority":
                tickets = tickets.with_ranks(keys)
            elif name == "client":
                wanted = Q(client__in=[k for k in keys if k])
                tickets = tickets.filter(wanted | Q(client=None)) if 0 in keys else tickets.filter(wanted)
            elif name == "team":
                tickets = tickets.in_teams([k for k in keys if k], or_none=0 in keys)
            elif name == "agent":
                tickets = tickets.of_agents([k for k in keys if k], or_nobody=0 in keys)
            elif name == "account":
                tickets = tickets.in_accounts(keys)
            elif name == "type":
                wanted = Q(ticket_type__in=[k for k in keys if k])
                tickets = tickets.filter(wanted | Q(ticket_type=None)) if 0 in keys else tickets.filter(wanted)
            else:
                wanted = Q(category__in=CategoryName.objects.filter(pk__in=keys).values("name"))
                tickets = tickets.filter(wanted | Q(category="")) if 0 in keys else tickets.filter(wanted)
        return tickets


def read_filters(data: Mapping[str, Any], client: Client | None = None) -> Filters:
    """One query per filter that names rows. Values are keys, "none", or names (a part of one is enough).

    `client`: the one that `data` names by its key, where it is at hand.
    """
    filters = Filters()
    for name in data:
        text = str(data[name]).strip()[:300].replace("\x00", "")
        if not text or name in OTHER_NAMES:
            continue
        if name not in NAMES:
            filters.ignored.append(_("filter “%(name)s”") % {"name": str(name)[:60]})
            continue
        given = list(dict.fromkeys(v.strip() for v in text.split(",") if v.strip()))[:MOST]
        at_hand = client if name == "client" and client and given == [str(client.pk)] else None
        if at_hand:
            found: Known = {given[0]: [(at_hand.pk, at_hand.name)]}
        else:
            found = _ranks(given) if name == "priority" else _rows(name, given)
        keys = list(dict.fromkeys(key for value in given for key, _label in found.get(value, ())))
        if name == "client" and (at_hand is None or at_hand.group_id):
            keys = [*(k for k in keys if not k), *kin_of([k for k in keys if k])]
        if keys:
            filters.keys[name] = keys
            filters.labels[name] = list(dict.fromkeys(label for v in given for _key, label in found.get(v, ())))
        filters.ignored += [
            _("%(filter)s “%(value)s”") % {"filter": NAMES[name], "value": value[:60]}
            for value in given
            if value not in found
        ]
    return filters


Known = dict[str, Sequence[tuple[int, str]]]
"""What was typed -> the rows it means."""


def named_rows(name: str) -> QuerySet[Any]:
    """All rows that a dimension may name, with their `label`."""
    model = MODELS[name]
    return model._default_manager.annotate(label=F("title" if model is PsaAccount else "name"))


def _ranks(given: list[str]) -> Known:
    found: dict[str, Sequence[tuple[int, str]]] = {}
    for value in given:
        rank = int(value) if value.isdecimal() and len(value) < 3 else _RANK_WORDS.get(value.lower())
        if rank in Rank.values:
            found[value] = [(int(rank), str(Rank(rank).label))]
    return found


def _rows(name: str, given: list[str]) -> Known:
    keys = [int(v) for v in given if v.isdecimal() and len(v) < 16]
    words = [v for v in given if not v.isdecimal() and v != "none"]
    wanted = Q(pk__in=keys)
    for word in words:
        wanted |= Q(label__icontains=word)
    rows = list(named_rows(name).filter(wanted).order_by("label", "pk").values_list("pk", "label")[:200])
    found: dict[str, Sequence[tuple[int, str]]] = {"none": [(0, str(NOBODY[name]))]} if "none" in given else {}
    for value in given:
        if value.isdecimal():
            hits = [(pk, label) for pk, label in rows if str(pk) == value]
        else:
            hits = [(pk, label) for pk, label in rows if value.lower() in label.lower()]
            exact = [(pk, label) for pk, label in hits if label.lower() == value.lower()]
            hits = exact or hits[:MOST]
        if hits:
            found[value] = hits
    return found
