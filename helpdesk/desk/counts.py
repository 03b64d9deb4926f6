"""Links of the rail and the numbers behind them. Numbers are capped and kept for seconds, and never asked by a page
itself: a fragment of their own brings them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from urllib.parse import parse_qsl

from django.core.cache import cache
from django.utils.translation import gettext as _

from helpdesk.accounts.models import User
from helpdesk.accounts.permissions import can
from helpdesk.actions.notices import unseen_count
from helpdesk.core import icons
from helpdesk.tickets.access import desk_tickets, views_for
from helpdesk.tickets.counting import count_up_to, open_count
from helpdesk.tickets.filter_reading import read_filters

CAP = 999
"""Counting stops behind this; people see 999+."""
_SECONDS = 5
LIST = "/tickets/"
NOTICES = "/notices/"
ESCALATIONS = "/escalations/"
PERSONAL = frozenset({"view=mine"})
"""Queries whose answer depends on who asks."""


@dataclass(frozen=True, kw_only=True)
class Link:
    """A line of the rail. `count` None = not counted; `current` is the word for aria-current."""

    name: str
    href: str
    icon: str
    current: str = ""
    count: int | None = None
    is_hot: bool = False
    about: str = ""
    query: str = ""


def section_links(user: User, has_page: Callable[[str], bool]) -> list[Link]:
    """Board, Tickets, Reports, Settings: what is built and what this person may see."""
    settings = "/settings/" if can(user, "settings.view") else "/settings/personal/"
    sections = [
        (_("Board"), "/board/", "square-kanban", "board.view"),
        (_("Tickets"), LIST, "ticket", "tickets.view"),
        (_("Notices"), NOTICES, "bell", "tickets.view"),
        (_("Reports"), "/reports/", "chart-column", "reports.view"),
        (_("Settings"), settings, "settings", "tickets.view"),
    ]
    return [
        Link(name=name, href=href, icon=icon)
        for name, href, icon, flag in sections
        if can(user, flag) and has_page(href)
    ]


def view_links() -> list[Link]:
    """Views that everybody has; the list spells them."""
    views = [
        (_("Due this week"), "due=week", "timer", False),
        (_("Needs an owner"), "view=unassigned", "inbox", True),
        (_("My tickets"), "view=mine", "user", False),
        (_("Client replied"), "view=replied", "reply", False),
        (_("Waiting on client"), "view=waiting", "hourglass", False),
        (_("Breached, open"), "view=breached", "octagon-alert", True),
        (_("Escalated"), "view=escalated", "circle-arrow-up", True),
    ]
    return [
        Link(name=name, href=f"{LIST}?{query}", icon=icon, is_hot=is_hot, query=query)
        for name, query, icon, is_hot in views
    ]


def saved_links(user: User) -> list[Link]:
    """The person's own views and those shared with everybody. One query."""
    return [
        Link(
            name=view.name, href=f"{LIST}?{view.query.lstrip('?')}", icon=_icon(view.icon), query=view.query.lstrip("?")
        )
        for view in views_for(user)[:MOST_SAVED]
    ]


MOST_SAVED = 12


def _icon(name: str) -> str:
    return name if name in icons.NAMES else "star"


def current_of(links: Sequence[Link], path: str, query: dict[str, str], *, exact: bool = True) -> tuple[Link, ...]:
    """Mark where one is. A link with a query is the page itself; one without is its section when a view is open."""
    return tuple(
        replace(link, current=current) if (current := _current(link, path, query, exact=exact)) else link
        for link in links
    )


def _current(link: Link, path: str, query: dict[str, str], *, exact: bool) -> str:
    href, _sep, own = link.href.partition("?")
    if own:
        return "page" if path == href and dict(parse_qsl(own)) == query else ""
    if path == href:
        return "true" if query.get("view") else "page"
    if href == NOTICES and path == ESCALATIONS:
        return "page"  # the other half of that section
    section = "/settings/" if href == "/settings/personal/" and exact else href
    return "page" if path.startswith(section) and section != "/" else ""


def with_counts(
    sections: Sequence[Link], views: Sequence[Link], *, user: User, now: datetime, zone: tzinfo
) -> tuple[list[Link], list[Link]]:
    """The same links, counted. Notices show a number only while some wait."""
    numbers = {LIST: open_count(desk_tickets(user)), NOTICES: unseen_count(user) or None}
    return (
        [replace(link, count=numbers.get(link.href), is_hot=link.href == NOTICES) for link in sections],
        [replace(link, count=_count(link.query, user, now, zone)) for link in views],
    )


def _count(query: str, user: User, now: datetime, zone: tzinfo) -> int:
    """What the list under this query would hold, by the list's own filters; kept for seconds, for all who share it."""
    is_own = query in PERSONAL or "me" in query
    key = f"frame:count:{user.pk if is_own else 'all'}:{zone}:{hash_of(query)}"
    number = cache.get(key)
    if number is None:
        filters = read_filters(dict(parse_qsl(query)), user=user, now=now, zone=zone)
        number = count_up_to(filters.apply(desk_tickets(user), user=user, now=now, zone=zone), CAP)
        cache.set(key, number, _SECONDS)
    return number


def hash_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
