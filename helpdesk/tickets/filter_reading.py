"""From the address of a list to its filters, and the values that a filter may take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Any

from django.db.models import Model
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from helpdesk.accounts.models import User
from helpdesk.directory import groups, persons
from helpdesk.directory.models import Agent, Client, PsaAccount, Team
from helpdesk.sla.choices import ClockState
from helpdesk.tickets.choices import Category, Rank, Sync, TypeKind
from helpdesk.tickets.filters import NAMES, OTHER_NAMES, SORTS, STATES, VIEWS, Filters, due_limit, due_words
from helpdesk.tickets.models import Priority, Status, TicketType

if TYPE_CHECKING:
    from django.http import QueryDict
    from django.utils.functional import Promise

MAX_VALUES = 40

_CHOICES: Mapping[str, Mapping[str, str | Promise]] = {
    "category": {c.value: c.label for c in Category},
    "priority": {str(r.value): r.label for r in Rank},
    "clock": {c.value: c.label for c in ClockState},
    "sync": {s.value: s.label for s in Sync if s.value},
    "state": STATES,
    "replied": {"yes": gettext_lazy("yes")},
    "escalated": {"yes": gettext_lazy("yes")},
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
        choices = _CHOICES[name]
        if name == "priority":
            given = [_RANK_WORDS.get(v.lower(), v) for v in given]
            choices = {**choices, **_own_priorities(given)}
        unknown = [v for v in given if v not in choices]
        given = [v for v in given if v in choices]
        labels = [str(choices[v]) for v in given]
    else:
        given, labels, unknown = _read_rows(filters, name, given, user)
    filters.ignored += [_("%(filter)s “%(value)s”") % {"filter": NAMES[name], "value": v[:60]} for v in unknown]
    if given:
        filters.values[name], filters.labels[name] = given, ", ".join(labels)


def _own_priorities(given: Iterable[str]) -> dict[str, str]:
    """A PSA's own priorities among the values ("p12"), by name."""
    keys = [int(v[1:]) for v in given if v[:1] == "p" and v[1:].isdecimal() and len(v) < 16]
    rows = Priority.objects.filter(pk__in=keys).values_list("pk", "name") if keys else []
    return {f"p{pk}": name for pk, name in rows}


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
    if name == "client" and filters.ids.get(name):
        filters.ids[name] = groups.kin_of(filters.ids[name])
    return kept, labels, unknown


def _read_people(filters: Filters, given: list[str], user: User) -> tuple[list[str], list[str], list[str]]:
    """Owners: "me", "none", "u<user key>", or the key of any agent: all agents of the person count."""
    people = {int(v[1:]) for v in given if v[:1] == "u" and v[1:].isdecimal() and len(v) < 16}
    if "me" in given:
        people.add(user.pk)
    agents = {int(v) for v in given if v.isdecimal() and len(v) < 16}
    rows: list[tuple[int, str, int | None, str | None]] = []
    if people:
        rows = list(Agent.objects.filter(user__in=people).values_list("pk", "name", "user_id", "user__name"))
    found = persons.persons_of(agents, Agent.objects.all()) if agents else {}
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
            person = found.get(int(value)) if value.isdecimal() and len(value) < 16 else None
            mine, label = [], person.name if person else ""
            filters.ids.setdefault("agent", []).extend(person.agents if person else ())
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
        rows = Client.objects.filter(name__icontains=typed, is_active=True).values_list("pk", "name", "group")
        return [(str(pk), label) for pk, label, _kin in groups.first_of_each(rows[: limit * 2])][:limit]
    return []


def _people_options(typed: str, limit: int) -> Iterable[tuple[str, str]]:
    found = persons.people(Agent.objects.filter(is_active=True))
    wanted = [one for one in found if typed.lower() in one.name.lower()][:limit]
    return [(one.key if one.user_id else one.key[1:], one.name) for one in wanted]
