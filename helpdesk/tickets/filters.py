"""The filters and the order of a list, as its address spells them.

Every filter takes several values, comma separated. What is not understood is left out and named in `ignored`, so that
an old link opens a list and says what it could not do.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.db.models import F, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from helpdesk.accounts.models import User
from helpdesk.core.formatting import day
from helpdesk.tickets.querysets import TicketQuerySet
from helpdesk.tickets.search import matching

if TYPE_CHECKING:
    from django.utils.functional import Promise

STATES = {"open": gettext_lazy("open"), "closed": gettext_lazy("closed"), "all": gettext_lazy("all")}
VIEWS: dict[str, str | Promise] = {
    "due_week": gettext_lazy("Due this week"),
    "mine": gettext_lazy("My tickets"),
    "unassigned": gettext_lazy("Needs an owner"),
    "replied": gettext_lazy("Client replied"),
    "waiting": gettext_lazy("Waiting on client"),
    "breached": gettext_lazy("Breached, open"),
    "escalated": gettext_lazy("Escalated"),
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
    "escalated": gettext_lazy("Escalated"),
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
    "escalated": lambda t, _user, _now: t.escalated(),
    "at_risk": lambda t, _user, now: t.at_risk(now),
}

Narrow = Callable[[TicketQuerySet, list[str], list[int], User, datetime, tzinfo], TicketQuerySet]


def _due(tickets: TicketQuerySet, values: list[str], _ids: object, _user: object, now: datetime, zone: tzinfo) -> Any:
    return tickets.due_before(due_limit(values[0], now, zone) or now)


_NARROW: dict[str, Narrow] = {
    "category": lambda t, values, ids, user, now, zone: t.with_categories(values),
    "status": lambda t, values, ids, user, now, zone: t.with_statuses(ids),
    "priority": lambda t, values, ids, user, now, zone: t.with_priorities(values),
    "team": lambda t, values, ids, user, now, zone: t.in_teams(ids, or_none="none" in values),
    "agent": lambda t, values, ids, user, now, zone: t.of_agents(ids, or_nobody="none" in values),
    "client": lambda t, values, ids, user, now, zone: t.of_clients(ids),
    "account": lambda t, values, ids, user, now, zone: t.in_accounts(ids),
    "type": lambda t, values, ids, user, now, zone: t.of_types(ids),
    "due": _due,
    "clock": lambda t, values, ids, user, now, zone: t.in_clock_states(values, now),
    "replied": lambda t, values, ids, user, now, zone: t.client_replied(),
    "escalated": lambda t, values, ids, user, now, zone: t.escalated(),
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
