"""What every page shows around itself: the firm, the PSAs' health, the rail. Read late, kept for seconds.

A page that shows no frame (a fragment) pays nothing; one that does pays the cache, and a query when that is cold.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache as remember
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from django.conf import settings
from django.core.cache import cache
from django.db.models import Count, Q
from django.http import HttpRequest
from django.urls import Resolver404, resolve, reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from helpdesk.accounts.permissions import Can, can
from helpdesk.core import chips, formatting, live
from helpdesk.desk import brand, later
from helpdesk.desk.brand import Firm, brand_digest, firm
from helpdesk.desk.counts import Link, current_of, section_links, view_links
from helpdesk.directory.choices import Health
from helpdesk.directory.models import PsaAccount
from helpdesk.outbox.choices import UNFINISHED, State
from helpdesk.sla.opening import open_spans
from helpdesk.tickets.unmapped import unmapped_of

MAPPING = "/settings/mapping/"
_HEALTH_KEY = "frame:health"
_HEALTH_SECONDS = 2
_STALE_PULLS = 3
_STALE_SECONDS = 20
"""A PSA that was not heard of for so many polls, and so many seconds at least, is shown as slow."""


@dataclass(frozen=True, kw_only=True)
class AccountHealth:
    """One dot in the top bar. `age` is seconds since the last pull, or since the PSA stopped answering."""

    title: str
    mark: str
    health: str
    state: str
    hint: str
    age: int | None
    since: int | None
    href: str
    is_paused: bool = False
    colour: str = ""
    code: str = ""
    silent_since: str = ""
    """A word for since when it has not answered; empty unless it is down."""
    waiting: int = 0
    sync_href: str = ""


@dataclass(frozen=True, kw_only=True)
class Rail:
    sections: tuple[Link, ...] = ()
    views: tuple[Link, ...] = ()
    address: str = ""


class Frame:
    """Everything a layout asks for, worked out when it asks."""

    def __init__(self, request: HttpRequest, now: datetime) -> None:
        self.request = request
        self.user: Any = getattr(request, "user", None)
        self.now = now

    @property
    def is_demo(self) -> bool:
        return bool(settings.DEMO)

    @property
    def is_staff(self) -> bool:
        return bool(self.user and self.user.is_authenticated and self.user.is_desk)

    @cached_property
    def _preferences(self) -> dict[str, Any]:
        return getattr(self.user, "preferences", None) or {}

    @property
    def theme(self) -> str:
        theme = self._preferences.get("theme", "")
        return theme if theme in {"light", "dark"} else ""

    @property
    def density(self) -> str:
        return "dense" if self._preferences.get("density") == "dense" else ""

    @property
    def seconds(self) -> int:
        """Server's clock, for those that count down."""
        return int(self.now.timestamp())

    @property
    def clock_words(self) -> str:
        """What clocks.js says of a clock that runs, is at risk, and is breached."""
        said = chips.phrases()
        return "|".join(said[key] for key in ("running", "at_risk", "breached_by"))

    @property
    def open_hours(self) -> str:
        """When the desks open next, for clocks that stand still meanwhile."""
        return open_spans(self.now)

    @cached_property
    def _kept(self) -> dict[str, Any]:
        """What the cache holds of the frame, in one look."""
        return cache.get_many([brand.KEY, _HEALTH_KEY])

    @cached_property
    def organisation(self) -> Firm:
        return firm(self._kept.get(brand.KEY) if self.is_staff else None)

    @property
    def brand_css(self) -> str:
        return reverse("desk:brand", args=[brand_digest(self.organisation.colour)])

    @cached_property
    def can(self) -> Can:
        return Can(self.user)

    @property
    def new_ticket(self) -> str:
        """Where this person makes a ticket; empty for those who may not."""
        return "/tickets/new/" if can(self.user, "tickets.create") and has_page("/tickets/new/") else ""

    @property
    def later(self) -> str:
        """Where this person's browser fetches what pages show only after a key or a mishap."""
        return later.address() if self.is_staff else ""

    @property
    def sought(self) -> str:
        """What the page is the answer to, for the search field."""
        return self.request.GET.get("q", "")

    @cached_property
    def poll(self) -> str:
        """Where the page asks whether anything changed. A page with its own scope passes `poll` instead."""
        return self._look.poll_address(live.DESK) if self.is_staff else ""

    @property
    def poll_tag(self) -> str:
        return self._look.desk

    @cached_property
    def health_poll(self) -> str:
        return self._look.poll_address(live.HEALTH) if self.is_staff else ""

    @property
    def health_tag(self) -> str:
        return self._look.health

    @cached_property
    def _look(self) -> live.Look:
        return live.look_of(self.request)

    @cached_property
    def _accounts(self) -> list[dict[str, Any]]:
        return _health_rows(self._look.health, self._kept.get(_HEALTH_KEY)) if self.is_staff else []

    @cached_property
    def health(self) -> list[AccountHealth]:
        may_see = self.is_staff and can(self.user, "settings.view") and has_page("/settings/accounts/")
        return [_account_health(row, self.now, may_see) for row in self._accounts]

    @cached_property
    def unmapped(self) -> int:
        """Values of PSAs that nobody has said the meaning of, for those who can."""
        if not (self.is_staff and can(self.user, "settings.change") and has_page(MAPPING)):
            return 0
        return sum(row["unmapped"] for row in self._accounts)

    @cached_property
    def rail(self) -> Rail:
        if not self.is_staff:
            return Rail()
        path, query = split_address(self.request.get_full_path())
        return Rail(
            sections=current_of(section_links(self.user, has_page), path, query),
            views=current_of(view_links(), path, query),
            address=reverse("desk:rail"),
        )

    @cached_property
    def settings(self) -> tuple[Link, ...]:
        """Sections of the settings that exist and that this person may see."""
        links = [
            replace(one, count=self.unmapped or None) if one.href == MAPPING else one
            for one in _settings_links(self.user)
        ]
        return current_of(links, self.request.path, {}, exact=False)


def split_address(at: str) -> tuple[str, dict[str, str]]:
    parts = urlsplit(at)
    return parts.path, dict(parse_qsl(parts.query))


@remember
def has_page(path: str) -> bool:
    """Whether an address of the plan is built."""
    try:
        resolve(path)
    except Resolver404:
        return False
    return True


def _settings_links(user: Any) -> list[Link]:
    sections = [
        (_("PSA accounts"), "/settings/accounts/", "plug", "settings.view", _("Connections, credentials, allowance")),
        (_("Sync"), "/settings/sync/", "refresh-cw", "settings.view", _("What came in, what waits, what was refused")),
        (_("Mapping"), MAPPING, "git-compare", "settings.view", _("What a PSA's words mean here")),
        (
            _("Configuration"),
            "/settings/configuration/",
            "sliders-horizontal",
            "settings.view",
            _("Statuses, types, outcomes of a PSA"),
        ),
        (_("SLA"), "/settings/sla/", "timer", "settings.view", _("What is promised to whom, open hours and holidays")),
        (
            _("Routing"),
            "/settings/routing/",
            "arrow-left-right",
            "settings.change",
            _("Which team a new ticket goes to"),
        ),
        (_("People"), "/settings/people/", "users", "settings.view", _("Who signs in, and as what")),
        (_("Linked clients"), "/settings/clients/", "link", "clients.link", _("One customer in several PSAs")),
        (_("Macros"), "/settings/macros/", "zap", "macros.change", _("Replies and changes in one press")),
        (_("Organisation"), "/settings/organisation/", "building-2", "settings.view", _("Name, colour, logo, hours")),
        (_("Audit log"), "/settings/audit/", "scroll-text", "audit.view", _("Who did what, and when")),
        (_("Notices"), "/settings/notices/", "bell", "tickets.view", _("What you are told, in the desk and by mail")),
        (_("Personal"), "/settings/personal/", "user", "", _("Time zone, theme, undo send")),
    ]
    return [
        Link(name=name, href=href, icon=icon, about=about)
        for name, href, icon, flag, about in sections
        if (not flag or can(user, flag)) and has_page(href)
    ]


def _health_rows(stamp: str, kept: Any) -> list[dict[str, Any]]:
    """One query, kept for two seconds for everybody; asked anew as soon as somebody says that it changed."""
    rows = kept[1] if isinstance(kept, tuple) and kept[0] == stamp else None
    if rows is None:
        waiting = Count("outbox", filter=Q(outbox__state__in=[s.value for s in UNFINISHED]))
        refused = Count("outbox", filter=Q(outbox__state=State.REFUSED.value))
        rows = list(
            PsaAccount.objects.annotate(waiting=waiting, refused=refused, unmapped=unmapped_of()).values(
                "name", "title", "mark", "colour", "code", "health", "health_text", "is_paused", "paused_reason",
                "down_since",
                "last_pull_at", "last_answer_at", "backfill_done_at", "waiting", "refused", "unmapped",
            )
        )  # fmt: skip
        cache.set(_HEALTH_KEY, (stamp, rows), _HEALTH_SECONDS)
    return rows


def _is_silent(row: dict[str, Any], now: datetime) -> bool:
    """Whether an account that was read to its end has not been heard of for several polls."""
    heard = max((t for t in (row["last_pull_at"], row["last_answer_at"]) if t), default=None)
    limit = timedelta(seconds=max(_STALE_SECONDS, _STALE_PULLS * settings.PSA_POLL_SECONDS))
    return bool(row["backfill_done_at"] and heard and now - heard > limit)


def _account_health(row: dict[str, Any], now: datetime, may_see: bool) -> AccountHealth:
    if row["health"] == Health.OK and _is_silent(row, now):
        row = {**row, "health": Health.SLOW.value, "health_text": _("no answer lately")}
    since = row["down_since"] if row["health"] == Health.DOWN else row["last_pull_at"]
    age = max(0, int((now - since).total_seconds())) if since else None
    health, state = row["health"], str(Health(row["health"]).label)
    if row["is_paused"]:
        health, state = Health.SLOW.value, _("Paused")
    title = row["title"] or row["name"]
    return AccountHealth(
        title=title,
        mark=row["mark"],
        colour=row["colour"],
        code=row["code"],
        health=health,
        state=state,
        hint=f"{title}: {_hint(row, age)}",
        age=age,
        since=int(since.timestamp()) if since else None,
        href="/settings/accounts/" if may_see else "",
        is_paused=row["is_paused"],
        silent_since=_silent_since(row, now),
        waiting=row["waiting"],
        sync_href=f"/settings/sync/?account={quote(row['name'])}" if may_see else "",
    )


def _silent_since(row: dict[str, Any], now: datetime) -> str:
    """ "13:58", or with its day when that was not today; empty unless the account is down and nobody paused it."""
    if row["is_paused"] or row["health"] != Health.DOWN or not row["down_since"]:
        return ""
    zone = timezone.get_current_timezone()
    is_today = row["down_since"].astimezone(zone).date() == now.astimezone(zone).date()
    if is_today:
        return formatting.clock_time(row["down_since"], zone)
    return formatting.moment(row["down_since"], now, zone)


def _hint(row: dict[str, Any], age: int | None) -> str:
    parts = []
    if row["is_paused"]:
        parts.append(row["paused_reason"] or _("paused by a person"))
    elif row["health"] == Health.DOWN:
        parts.append(_("not answering since %s") % formatting.moment(
            row["down_since"], timezone.now(), timezone.get_current_timezone()
        ) if row["down_since"] else _("not answering"))  # fmt: skip
    elif row["health"] == Health.SLOW:
        parts.append(row["health_text"] or _("answers slowly"))
    if row["last_pull_at"] is None:
        parts.append(_("not read yet"))
    elif row["health"] != Health.DOWN and age is not None:
        parts.append(_("last pull %s ago") % formatting.ago(age))
    waiting, refused = row["waiting"], row["refused"]
    parts.append(
        ngettext("%d change waiting", "%d changes waiting", waiting) % waiting if waiting else _("nothing waiting")
    )
    if refused:
        parts.append(ngettext("%d refused", "%d refused", refused) % refused)
    return ", ".join(parts)
