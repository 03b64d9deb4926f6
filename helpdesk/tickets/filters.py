"""The filters and the order of a list, as its address spells them.

Every filter takes several values, comma separated. What is not understood is left out and named in `ignored`, so that
an old link opens a list and says what it could not do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.db.models import F, Model, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from helpdesk.accounts.models import User
from helpdesk.core.formatting import day
from helpdesk.directory.models import Agent, Client, PsaAccount, Team
from helpdesk.sla.choices import ClockState
from helpdesk.tickets.choices import Category, Rank, Sync, TypeKind
from helpdesk.tickets.models import Status, TicketType
from helpdesk.tickets.querysets import TicketQuerySet
from helpdesk.tickets.search import matching

if TYPE_CHECKING:
    from django.http import QueryDict
    from django.utils.functional import Promise

STATES = {"open": gettext_lazy("open"), "closed": gettext_lazy("closed"), "all": gettext_lazy("all")}
VIEWS: dict[str, str | Promise] = {
    "due_week": gettext_lazy("Due this week"),
    "mine": gettext_lazy("My tickets"),
    "unassigned": gettext_lazy("Needs an owner"),
    "replied": gettext_lazy("Client replied"),
    "waiting": gettext_lazy("Waiting on client"),
    "breached": gettext_lazy("Breached, open"),
    "at_risk": gettext_lazy("At risk"),
}
NAMES: dict[str, str | Promise] = {
    "state": gettext_lazy("State"),
    "category": gettext_lazy("Status"),
    "status": gettext_lazy("PSA status"),
    "priority": gettext_lazy("Priority"),
    "team": gettext_lazy("Team"),
    "agent": gettext_lazy("Owner"),
    "client": gettext_lazy("Client"),
    "account": gettext_lazy("PSA"),
    "type": gettext_lazy("Type"),
    "due": gettext_lazy("Due"),
    "clock": gettext_lazy("Clock"),
    "replied": gettext_lazy("Client replied"),
    "sync": gettext_lazy("Sync"),
    "q": gettext_lazy("Search"),
}
"""Filters in the order of their chips."""
OTHER_NAMES = frozenset({"view", "sort", "cursor", "part", "saved", "preview"})
"""What else the address of a list may hold."""

SORTS: dict[str, tuple[str, str | Promise, str | Promise]] = {
    "due": ("next_due_at", gettext_lazy("next deadline first"), gettext_lazy("last deadline first")),
    "number": ("number", gettext_lazy("by number"), gettext_lazy("by number, last first")),
    "subject": ("subject", gettext_lazy("by subject"), gettext_lazy("by subject, Z first")),
    "client": ("client_name", gettext_lazy("by client"), gettext_lazy("by client, Z first")),
    "status": ("status_category", gettext_lazy("by status"), gettext_lazy("by status, reversed")),
    "owner": ("owner_name", gettext_lazy("by owner"), gettext_lazy("by owner, Z first")),
    "priority": ("rank", gettext_lazy("most urgent first"), gettext_lazy("least urgent first")),
    "updated": ("last_activity_at", gettext_lazy("longest untouched first"), gettext_lazy("last changed first")),
    "opened": ("opened_at", gettext_lazy("oldest first"), gettext_lazy("newest first")),
}
"""name -> (column, words ascending, words descending); "-name" turns it round."""
_ANNOTATED = {
    "client_name": Coalesce(F("client__name"), Value("")),
    "owner_name": Coalesce(F("agent__user__name"), F("agent__name"), Value("")),
}
_SPAN = re.compile(r"^(\d{1,3})([hd])$")
MAX_VALUES = 40


@dataclass(frozen=True, kw_only=True)
class Chip:
    name: str
    label: str
    value: str
    without: str
    """The list's query string without this filter."""


@dataclass
class Filters:
    """Clean values by name. `ignored` are words for what the address asked and nobody understands."""

    values: dict[str, list[str]] = field(default_factory=dict)
    view: str = ""
    sort: str = "due"
    ignored: list[str] = field(default_factory=list)
    labels: dict[str, str] = field(default_factory=dict)
    ids: dict[str, list[int]] = field(default_factory=dict)

    @property
    def state(self) -> str:
        return self.values.get("state", ["open"])[0]

    @property
    def text(self) -> str:
        return " ".join(self.values.get("q", []))

    @property
    def is_plain(self) -> bool:
        """Nothing but open tickets."""
        return not self.view and not (set(self.values) - {"state"}) and self.state == "open"

    @property
    def sort_words(self) -> str:
        column = SORTS[self.sort.lstrip("-")]
        return str(column[2 if self.sort.startswith("-") else 1])

    def query(self, **changes: str | None) -> str:
        """The address of this list, with some parts changed or (None) taken out; the page is never part of it."""
        parts = {name: ",".join(values) for name, values in self.values.items() if name != "q"}
        if self.text:
            parts["q"] = self.text
        if self.view:
            parts["view"] = self.view
        if self.sort != "due":
            parts["sort"] = self.sort
        for name, value in changes.items():
            if value is None:
                parts.pop(name, None)
            else:
                parts[name] = value
        if parts.get("sort") == "due":
            del parts["sort"]
        return "?" + urlencode(parts, safe=",") if parts else "?"

    def chips(self) -> list[Chip]:
        found = []
        for name, label in NAMES.items():
            if name in self.values:
                found.append(
                    Chip(
                        name=name, label=str(label), value=self.labels.get(name, ""), without=self.query(**{name: None})
                    )
                )
        if "state" not in self.values:
            found.insert(
                0, Chip(name="state", label=str(NAMES["state"]), value=_("open"), without=self.query(state="all"))
            )
        return found

    # ---- to rows ----

    def apply(self, tickets: TicketQuerySet, *, user: User, now: datetime, zone: tzinfo) -> TicketQuerySet:
        """Narrow, without order."""
        if self.state == "open":
            tickets = tickets.open()
        elif self.state == "closed":
            tickets = tickets.finished()
        tickets = _VIEW_QUERIES[self.view](tickets, user, now) if self.view else tickets
        for name, values in self.values.items():
            narrow = _NARROW.get(name)
            if narrow:
                tickets = narrow(tickets, values, self.ids.get(name, []), user, now, zone)
        return matching(self.text, tickets) if self.text else tickets

    def ordered(self, tickets: TicketQuerySet, *, reverse: bool = False) -> TicketQuerySet:
        column, is_down = self.key
        if column in _ANNOTATED:
            tickets = tickets.alias(**{column: _ANNOTATED[column]})
        sign = "-" if is_down != reverse else ""
        return tickets.order_by(f"{sign}{column}", f"{sign}pk")

    @property
    def key(self) -> tuple[str, bool]:
        """The column that sorts, and whether it goes down."""
        return SORTS[self.sort.lstrip("-")][0], self.sort.startswith("-")


_VIEW_QUERIES: dict[str, Callable[[TicketQuerySet, User, datetime], TicketQuerySet]] = {
    "due_week": lambda t, _user, now: t.due_within(now, 7),
    "mine": lambda t, user, _now: t.mine(user),
    "unassigned": lambda t, _user, _now: t.unassigned(),
    "replied": lambda t, _user, _now: t.client_replied(),
    "waiting": lambda t, _user, _now: t.waiting_on_client(),
    "breached": lambda t, _user, now: t.breached(now),
    "at_risk": lambda t, _user, now: t.at_risk(now),
}

Narrow = Callable[[TicketQuerySet, list[str], list[int], User, datetime, tzinfo], TicketQuerySet]


def _due(tickets: TicketQuerySet, values: list[str], _ids: object, _user: object, now: datetime, zone: tzinfo) -> Any:
    return tickets.due_before(due_limit(values[0], now, zone) or now)


_NARROW: dict[str, Narrow] = {
    "category": lambda t, values, ids, user, now, zone: t.with_categories(values),
    "status": lambda t, values, ids, user, now, zone: t.with_statuses(ids),
    "priority": lambda t, values, ids, user, now, zone: t.with_ranks(int(v) for v in values),
    "team": lambda t, values, ids, user, now, zone: t.in_teams(ids, or_none="none" in values),
    "agent": lambda t, values, ids, user, now, zone: t.of_agents(ids, or_nobody="none" in values),
    "client": lambda t, values, ids, user, now, zone: t.of_clients(ids),
    "account": lambda t, values, ids, user, now, zone: t.in_accounts(ids),
    "type": lambda t, values, ids, user, now, zone: t.of_types(ids),
    "due": _due,
    "clock": lambda t, values, ids, user, now, zone: t.in_clock_states(values, now),
    "replied": lambda t, values, ids, user, now, zone: t.client_replied(),
    "sync": lambda t, values, ids, user, now, zone: t.in_sync_states(values),
}


def due_limit(word: str, now: datetime, zone: tzinfo) -> datetime | None:
    """The instant before which it is due: "overdue", "today", "week", "8h", "3d", or a date (its end excluded)."""
    midnight = datetime.combine(now.astimezone(zone).date(), time.min, tzinfo=zone)
    if word == "overdue":
        return now
    if word == "today":
        return midnight + timedelta(days=1)
    if word == "week":
        return midnight + timedelta(days=7 - midnight.weekday())
    span = _SPAN.match(word)
    if span:
        return now + (timedelta(hours=int(span[1])) if span[2] == "h" else timedelta(days=int(span[1])))
    try:
        return datetime.combine(date.fromisoformat(word), time.min, tzinfo=zone)
    except ValueError:
        return None


def due_words(word: str, now: datetime, zone: tzinfo) -> str:
    fixed = {"overdue": _("overdue"), "today": _("today"), "week": _("this week")}
    if word in fixed:
        return fixed[word]
    span = _SPAN.match(word)
    if span:
        return _("within %(span)s") % {"span": f"{int(span[1])} {'h' if span[2] == 'h' else 'd'}"}
    limit = due_limit(word, now, zone)
    return _("before %(day)s") % {"day": day(limit, now, zone)} if limit else word


# ---- from the address -----------------------------------------------------------------------------------------------

_CHOICES: Mapping[str, Mapping[str, str | Promise]] = {
    "category": {c.value: c.label for c in Category},
    "priority": {str(r.value): r.label for r in Rank},
    "clock": {c.value: c.label for c in ClockState},
    "sync": {s.value: s.label for s in Sync if s.value},
    "state": STATES,
    "replied": {"yes": gettext_lazy("yes")},
}
_RANK_WORDS = {r.name.lower(): str(r.value) for r in Rank}


def read_filters(data: QueryDict | Mapping[str, str], *, user: User, now: datetime, zone: tzinfo) -> Filters:
    """The address of a list as clean values. One query per filter that names rows (team, owner, client, ...)."""
    filters = Filters()
    for name in data:
        text = str(data[name]).strip()[:500].replace("\x00", "")
        if not text:
            continue
        if name == "view":
            if text in VIEWS:
                filters.view = text
            else:
                filters.ignored.append(_("view “%(value)s”") % {"value": text[:60]})
        elif name == "sort":
            if text.lstrip("-") in SORTS and not text.startswith("--"):
                filters.sort = text
            else:
                filters.ignored.append(_("order “%(value)s”") % {"value": text[:60]})
        elif name in NAMES:
            _read_one(filters, name, text, user, now, zone)
        elif name not in OTHER_NAMES:
            filters.ignored.append(_("filter “%(name)s”") % {"name": str(name)[:60]})
    return filters


def _read_one(filters: Filters, name: str, text: str, user: User, now: datetime, zone: tzinfo) -> None:
    if name == "q":
        filters.values["q"], filters.labels["q"] = [text[:200]], text[:200]
        return
    given = [v.strip() for v in text.split(",") if v.strip()][:MAX_VALUES]
    if name == "state":
        given = given[:1]
    if name == "due":
        given = [v for v in given[:1] if due_limit(v, now, zone)]
        labels = [due_words(v, now, zone) for v in given]
        unknown = [] if given else [text]
    elif name in _CHOICES:
        if name == "priority":
            given = [_RANK_WORDS.get(v.lower(), v) for v in given]
        choices = _CHOICES[name]
        unknown = [v for v in given if v not in choices]
        given = [v for v in given if v in choices]
        labels = [str(choices[v]) for v in given]
    else:
        given, labels, unknown = _read_rows(filters, name, given, user)
    filters.ignored += [_("%(filter)s “%(value)s”") % {"filter": NAMES[name], "value": v[:60]} for v in unknown]
    if given:
        filters.values[name], filters.labels[name] = given, ", ".join(labels)


_MODELS: dict[str, tuple[type[Model], str]] = {
    "status": (Status, "name"),
    "team": (Team, "name"),
    "client": (Client, "name"),
    "account": (PsaAccount, "title"),
    "type": (TicketType, "name"),
}


def _read_rows(filters: Filters, name: str, given: list[str], user: User) -> tuple[list[str], list[str], list[str]]:
    """Values that name rows, by key or by name; the keys they stand for land in `filters.ids`."""
    if name == "agent":
        return _read_people(filters, given, user)
    model, column = _MODELS[name]
    keys = [int(v) for v in given if v.isdecimal() and len(v) < 16]
    words = [v for v in given if not v.isdecimal() and v != "none"]
    rows = list(model._default_manager.filter(pk__in=keys).values_list("pk", column)) if keys else []
    by_value: dict[str, list[tuple[int, str]]] = {str(pk): [(pk, label)] for pk, label in rows}
    if words:
        field_name = "name" if name != "type" else "kind"
        for pk, label, key in model._default_manager.filter(**{f"{field_name}__in": words}).values_list(
            "pk", column, field_name
        ):
            by_value.setdefault(key, []).append((pk, label))
    kept, labels, unknown = [], [], []
    for value in given:
        if value == "none" and name == "team":
            kept.append(value)
            labels.append(_("no team"))
        elif value in by_value:
            kept.append(value)
            filters.ids.setdefault(name, []).extend(pk for pk, _label in by_value[value])
            is_kind = name == "type" and value in TypeKind.values
            labels.append(str(TypeKind(value).label) if is_kind else by_value[value][0][1])
        else:
            unknown.append(value)
    return kept, labels, unknown


def _read_people(filters: Filters, given: list[str], user: User) -> tuple[list[str], list[str], list[str]]:
    """Owners: "me", "none", "u<user key>" for all agents of a person, or an agent's key."""
    people = {int(v[1:]) for v in given if v[:1] == "u" and v[1:].isdecimal() and len(v) < 16}
    if "me" in given:
        people.add(user.pk)
    agents = {int(v) for v in given if v.isdecimal() and len(v) < 16}
    rows: list[tuple[int, str, int | None, str | None]] = []
    if people or agents:
        columns = ("pk", "name", "user_id", "user__name")
        found = Agent.objects.filter(user__in=people) | Agent.objects.filter(pk__in=agents)
        rows = list(found.values_list(*columns))
    kept, labels, unknown = [], [], []
    for value in given:
        if value == "none":
            mine, label = [], _("nobody")
        elif value == "me":
            mine, label = [r for r in rows if r[2] == user.pk], _("me")
        elif value[:1] == "u" and value[1:].isdecimal():
            mine = [r for r in rows if r[2] == int(value[1:])]
            label = mine[0][3] or mine[0][1] if mine else ""
        else:
            mine = [r for r in rows if str(r[0]) == value]
            label = mine[0][1] if mine else ""
        if not label:
            unknown.append(value)
            continue
        kept.append(value)
        labels.append(label)
        filters.ids.setdefault("agent", []).extend(r[0] for r in mine)
    return kept, labels, unknown


def options(name: str, *, typed: str = "", limit: int = 60) -> list[tuple[str, str]]:
    """Values on offer for one filter, (value, words). Clients only by typing: there are too many to list."""
    if name in _CHOICES:
        return [(value, str(label)) for value, label in _CHOICES[name].items()]
    if name == "due":
        return [("overdue", _("overdue")), ("today", _("today")), ("week", _("this week")), ("8h", _("within 8 h"))]
    if name == "type":
        return [(str(k.value), str(k.label)) for k in TypeKind]
    if name == "account":
        return list(PsaAccount.objects.values_list("name", "title"))
    if name == "agent":
        return [("me", _("me")), ("none", _("nobody")), *_people_options(typed, limit)]
    if name in ("team", "status"):
        model: Any = Team if name == "team" else Status
        rows = model.objects.filter(is_active=True).values_list("name", flat=True)
        names = list(dict.fromkeys(rows))
        return [(n, n) for n in names if "," not in n and typed.lower() in n.lower()][:limit]
    if name == "client" and typed:
        rows = Client.objects.filter(name__icontains=typed, is_active=True)
        return [(str(pk), label) for pk, label in rows.values_list("pk", "name")[:limit]]
    return []


def _people_options(typed: str, limit: int) -> Iterable[tuple[str, str]]:
    rows = Agent.objects.filter(is_active=True).values_list("pk", "name", "user_id", "user__name")
    seen: dict[str, str] = {}
    for pk, name, user_id, person in rows:
        label = person or name
        if typed.lower() in label.lower():
            seen.setdefault(f"u{user_id}" if user_id else str(pk), label)
    return sorted(seen.items(), key=lambda item: item[1].lower())[:limit]
