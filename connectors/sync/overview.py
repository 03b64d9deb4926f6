"""What the account and sync pages show, read in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

from django.db.models import Count, Min
from django.utils.translation import gettext as _

from connectors.sync import hooks, throttle
from connectors.sync.models import Connection, Cursor, Feed, Hook, SyncLogEntry
from helpdesk.actions.config_kinds import KINDS
from helpdesk.actions.models import ClientMail
from helpdesk.directory.choices import Health
from helpdesk.directory.models import PsaAccount
from helpdesk.outbox.choices import State, Verb
from helpdesk.outbox.models import OutboxItem
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.unmapped import unmapped_of

BACKFILL = (Feed.REFERENCE, Feed.DIRECTORY, Feed.OPEN_TICKETS, Feed.CLOSED_TICKETS, Feed.ACTIONS)
LOG_LINES = 60
ITEMS = 100


@dataclass
class FeedProgress:
    """One bar of the first reading."""

    name: str
    done: int
    total: int | None
    is_done: bool
    is_running: bool
    error: str

    @property
    def percent(self) -> int:
        if self.is_done:
            return 100
        return min(99, round(100 * self.done / self.total)) if self.total else 0


@dataclass
class Card:
    """One account on the page."""

    account: PsaAccount
    tickets: int = 0
    pending: int = 0
    refused: int = 0
    oldest_at: datetime | None = None
    test: Connection | None = None
    feeds: list[FeedProgress] = field(default_factory=list)
    used: int = 0
    capacity: int = 1

    @property
    def host(self) -> str:
        return urlsplit(self.account.url).netloc

    @property
    def health(self) -> str:
        return Health.SLOW if self.account.is_paused else self.account.health

    @property
    def is_filling(self) -> bool:
        return self.account.backfill_done_at is None

    @property
    def used_percent(self) -> int:
        return min(100, round(100 * self.used / self.capacity))

    @property
    def percent(self) -> int:
        """Of the first reading."""
        return round(sum(f.percent for f in self.feeds) / len(self.feeds)) if self.feeds else 0


def cards(*, now: datetime) -> list[Card]:
    """Every account with its figures."""
    found = {account.pk: Card(account) for account in PsaAccount.objects.annotate(unmapped=unmapped_of())}
    counts = Ticket.objects.present().values_list("psa_account").annotate(n=Count("pk")).order_by()
    for pk, number in counts:
        found[pk].tickets = number
    for pk, row in OutboxItem.objects.all().count_by_account().items():
        found[pk].pending, found[pk].refused = row["pending"], row["refused"]
    oldest = OutboxItem.objects.unfinished().values_list("psa_account").annotate(first=Min("created_at")).order_by()
    for pk, first in oldest:
        found[pk].oldest_at = first
    for test in Connection.objects.filter(psa_account__in=found).order_by("pk"):
        found[test.psa_account_id or 0].test = test
    cursors: dict[int, list[Cursor]] = {}
    for cursor in Cursor.objects.filter(psa_account__in=found):
        cursors.setdefault(cursor.psa_account_id, []).append(cursor)
    for pk, card in found.items():
        card.feeds = progress(cursors.get(pk, []), now=now)
        left, capacity = throttle.left(pk, calls_per_minute=card.account.calls_per_minute)
        card.used, card.capacity = max(0, round(capacity - left)), max(1, round(capacity))
    return list(found.values())


@dataclass(frozen=True)
class HookLine:
    """How an account's webhook is doing. `word` is for the style sheet and for tests."""

    word: str
    title: str
    tone: str
    text: str
    heard_at: datetime | None
    may_be: bool
    again_at: datetime | None = None
    """When it is switched on again after the PSA switched it off."""

    @property
    def is_on(self) -> bool:
        return self.word != "off"


def hook_of(account: PsaAccount) -> HookLine:
    hook = Hook.objects.filter(psa_account=account).first()
    is_wanted, why = hooks.wanted(account)
    may_be = account.can("webhooks")
    if not is_wanted:
        return HookLine("off", _("Off"), "off", why, None, may_be)
    if hook is None or hook.state in (Hook.State.OFF, Hook.State.REGISTERING):
        return HookLine("registering", _("Being registered"), "slow", hook.text if hook else "", None, may_be)
    if hook.state == Hook.State.REFUSED:
        return HookLine("refused", _("Refused by %(psa)s") % {"psa": account.title}, "down", hook.text, None, may_be)
    if hook.state == Hook.State.DEACTIVATED:
        title = _("Switched off by %(psa)s") % {"psa": account.title}
        return HookLine("deactivated", title, "down", "", None, may_be, again_at=hook.check_at)
    if hook.heard_at is None:
        return HookLine("waiting", _("Registered, waiting for the first call"), "slow", "", None, may_be)
    return HookLine("working", _("Working"), "ok", "", hook.heard_at, may_be)


def account_named(name: str) -> PsaAccount | None:
    """The account of this name; None when there is none."""
    return PsaAccount.objects.filter(name=name).first() if name and "\x00" not in name else None


def progress(rows: list[Cursor], *, now: datetime) -> list[FeedProgress]:
    """The feeds of the first reading, in their order."""
    found = {row.feed: row for row in rows}
    bars = []
    for feed in BACKFILL:
        row = found.get(feed)
        bars.append(
            FeedProgress(
                name=str(Feed(feed).label),
                done=row.done if row else 0,
                total=row.total if row else None,
                is_done=bool(row and row.finished_at),
                is_running=bool(row and row.lease_until and row.lease_until > now),
                error=row.error if row else "",
            )
        )
    return bars


def new_connections() -> list[Connection]:
    """Connections that somebody is making, or that did not work, and that are no account yet."""
    return list(Connection.objects.filter(psa_account=None)[:3])


@dataclass(frozen=True)
class Setting:
    """A status, outcome or ticket type that a change is about."""

    kind: str
    name: str
    word: str
    pk: int


def open_items(account: PsaAccount | None) -> list[tuple[OutboxItem, Ticket | None, Setting | None]]:
    """What needs a person first, then what waits, oldest first, each with its ticket or part of the configuration."""
    rows = OutboxItem.objects.open().select_related("psa_account")
    if account:
        rows = rows.filter(psa_account=account)
    refused = list(rows.filter(state=State.REFUSED).order_by("pk")[:ITEMS])
    items = refused + list(rows.exclude(state=State.REFUSED).order_by("pk")[: ITEMS - len(refused)])
    ids = {i.pk: int(i.lane.partition(":")[2]) for i in items if i.lane.startswith("ticket:")}
    tickets = Ticket.objects.only("number", "subject", "remote_id").in_bulk(set(ids.values()))
    named = settings_named(i.lane for i in items)
    return [(i, tickets.get(ids.get(i.pk, 0)), named.get(i.lane)) for i in items]


def settings_named(lanes: Iterable[str]) -> dict[str, Setting]:
    """Lane -> the part of a PSA's configuration behind it, for lanes of that kind."""
    keys: dict[str, set[int]] = {}
    for lane in lanes:
        place, _colon, rest = lane.partition(":")
        word, _colon, pk = rest.partition(":")
        if place == "config" and word in KINDS and pk.isdecimal():
            keys.setdefault(word, set()).add(int(pk))
    return {
        f"config:{word}:{row.pk}": Setting(f"{KINDS[word].title}".capitalize(), str(row), word, row.pk)
        for word, pks in keys.items()
        for row in KINDS[word].model._default_manager.filter(pk__in=pks).defer("raw")
    }


def failed_mails(account: PsaAccount | None) -> list[ClientMail]:
    """Mails of ours that a person must look at, newest first."""
    rows = ClientMail.objects.failed().select_related("ticket")
    if account:
        rows = rows.filter(ticket__psa_account=account)
    return list(rows.defer("ticket__raw", "ticket__description").order_by("-pk")[:ITEMS])


def log_lines(account: PsaAccount | None) -> list[SyncLogEntry]:
    rows = SyncLogEntry.objects.select_related("psa_account")
    if account:
        rows = rows.filter(psa_account=account)
    found = list(rows.order_by("-at", "-pk")[:LOG_LINES])
    for entry in found:
        if entry.what == "push":
            entry.text = _in_words(entry.text)
    return found


def _in_words(text: str) -> str:
    """A push as people say it: the log keeps the verb of the outbox and what became of it."""
    nouns = {
        Verb.CREATE_TICKET: (_("Ticket"), _("Ticket created")),
        Verb.UPDATE_TICKET: (_("Change"), _("Change sent")),
        Verb.CREATE_ACTION: (_("Note or reply"), _("Note or reply sent")),
        Verb.UPLOAD_FILE: (_("File"), _("File sent")),
        Verb.CREATE_CONFIG: (_("New setting"), _("Setting created")),
        Verb.UPDATE_CONFIG: (_("Setting"), _("Setting changed")),
        Verb.DELETE_CONFIG: (_("Setting to delete"), _("Setting deleted")),
    }
    verb, colon, rest = text.partition(": ")
    for known, (noun, done) in nouns.items():
        if colon and verb == str(known.label):
            return done if rest == _("sent") else f"{noun}: {rest}"
    return text
