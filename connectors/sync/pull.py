"""From a PSA to the mirror: which feed is due, in slices short enough that pushes are never starved."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from connectors.base.connector import Connector
from connectors.base.errors import ConnectorError, RateLimited
from connectors.sync import action_feed, cursors, feeds, gateway, health, journal, sweep
from connectors.sync.feeds import Run
from connectors.sync.models import Cursor, Feed
from helpdesk.core import live
from helpdesk.directory.models import PsaAccount

SLICE_SECONDS = 20
SHORTEST_SLICE_SECONDS = 3
"""Accounts that are due share the slice: the backlog of one may not make the others' tickets old."""
REFERENCE_EVERY = timedelta(minutes=10)
SWEEP_EVERY = timedelta(hours=1 if settings.DEMO else 24)
SLICES_AT_ONCE = 2
"""Of a worker's four threads at most two read; two are left for pushes and for people who wait for a file. A third may
read open tickets that are not here yet, so that no backlog keeps people waiting for them."""

Reader = Callable[[Run, Cursor], bool]


@dataclass
class Tally:
    """What a whole pull came to, for the command line."""

    applied: Counter[str] = field(default_factory=Counter)
    calls: int = 0
    errors: list[str] = field(default_factory=list)

    def add(self, applied: Counter[str], calls: int, error: str) -> None:
        self.applied.update(applied)
        self.calls += calls
        if error:
            self.errors.append(error)


@dataclass(frozen=True)
class Step:
    """One feed: how it is read, at which rank, and when it is due."""

    feed: Feed
    read: Reader
    rank: int
    is_due: Callable[[PsaAccount, dict[str, Cursor], datetime], bool]


def _is_old(account: PsaAccount, found: dict[str, Cursor], now: datetime, feed: Feed) -> bool:
    cursor = found.get(feed)
    return cursor is None or cursor.finished_at is None or _runs(cursor) or cursor.finished_at < now - REFERENCE_EVERY


def _runs(cursor: Cursor) -> bool:
    return cursor.run_started_at is not None


def _is_unfinished(found: dict[str, Cursor], feed: Feed) -> bool:
    cursor = found.get(feed)
    return cursor is None or cursor.finished_at is None


def _changes_due(account: PsaAccount, found: dict[str, Cursor], now: datetime) -> bool:
    cursor = found.get(Feed.CHANGES)
    return bool(cursor and _runs(cursor)) or account.next_pull_at is None or account.next_pull_at <= now


def _sweep_due(account: PsaAccount, found: dict[str, Cursor], now: datetime) -> bool:
    cursor = found.get(Feed.SWEEP)
    last = cursor.finished_at if cursor and cursor.finished_at else account.backfill_done_at
    return account.backfill_done_at is not None and bool(last and last < now - SWEEP_EVERY)


TICKETS_LANE = (
    Step(Feed.REFERENCE, feeds.read_reference, gateway.POLL, lambda a, c, n: _is_old(a, c, n, Feed.REFERENCE)),
    Step(Feed.DIRECTORY, feeds.read_directory, gateway.POLL, lambda a, c, n: _is_old(a, c, n, Feed.DIRECTORY)),
    Step(
        Feed.OPEN_TICKETS,
        feeds.read_open_tickets,
        gateway.POLL,
        lambda a, c, n: _is_unfinished(c, Feed.OPEN_TICKETS),
    ),
    Step(Feed.CHANGES, feeds.read_changes, gateway.POLL, _changes_due),
    Step(
        Feed.CLOSED_TICKETS,
        feeds.read_closed_tickets,
        gateway.BACKFILL,
        lambda a, c, n: _is_unfinished(c, Feed.CLOSED_TICKETS),
    ),
)
"""In this order; a later feed never starts while an earlier one is being read."""
QUEUE_LANE = tuple(step for step in TICKETS_LANE if step.feed not in (Feed.CHANGES, Feed.CLOSED_TICKETS))
"""What it takes until people can work."""


def pull_due(*, clock: Callable[[], datetime]) -> bool:
    """One slice for each account that has something due. True when there is more to do at once.

    Open tickets that are not here yet go before everything else of any account.
    """
    more = False
    due = due_accounts(clock())
    for account in _without_queue(due):
        if cursors.running(now=clock()) > SLICES_AT_ONCE:
            return False
        more |= tickets_slice(account, clock=clock, lane=QUEUE_LANE)
    seconds = max(SHORTEST_SLICE_SECONDS, SLICE_SECONDS / max(1, len(due)))
    for account in due:
        if cursors.running(now=clock()) >= SLICES_AT_ONCE:
            return False
        more |= tickets_slice(account, clock=clock, seconds=seconds)
        if cursors.running(now=clock()) < SLICES_AT_ONCE:
            more |= actions_slice(account, clock=clock, seconds=seconds)
    return more


def _without_queue(accounts: Sequence[PsaAccount]) -> list[PsaAccount]:
    here = Cursor.objects.filter(feed=Feed.OPEN_TICKETS, finished_at__isnull=False)
    pulled = set(here.values_list("psa_account_id", flat=True))
    return [account for account in accounts if account.pk not in pulled]


def due_accounts(now: datetime) -> list[PsaAccount]:
    """Accounts that may be called, and whose next pull has come or whose backfill is under way."""
    due = Q(next_pull_at=None) | Q(next_pull_at__lte=now) | Q(backfill_done_at=None)
    return list(PsaAccount.objects.filter(due, pk__in=health.callable_accounts(now)))


def pull_to_end(
    account: PsaAccount, *, clock: Callable[[], datetime], is_full: bool = False,
    on_page: Callable[[Cursor], None] | None = None, sleep: Callable[[float], None] = time.sleep,
) -> Tally:  # fmt: skip
    """One whole pull in the foreground. Stops at an error of the PSA; waits for the allowance and for other workers."""
    tally = Tally()
    if is_full:
        cursors.restart(account_id=account.pk, feeds=[f.value for f in Feed if f not in (Feed.SWEEP, Feed.ACTIONS)])
    PsaAccount.objects.filter(pk=account.pk).update(next_pull_at=clock())
    account.refresh_from_db()
    started = clock()
    while not tally.errors:
        more = tickets_slice(account, clock=clock, on_page=on_page, counts=tally)
        more |= actions_slice(account, clock=clock, on_page=on_page, counts=tally)
        account.refresh_from_db()
        if not more and _is_pulled_since(account, started):
            break
        if account.is_paused:
            tally.errors.append(account.paused_reason or "the account is paused")
        elif not more:
            sleep(0.2)
    return tally


def _is_pulled_since(account: PsaAccount, started: datetime) -> bool:
    return bool(account.last_pull_at and account.last_pull_at >= started and account.backfill_done_at)


def tickets_slice(
    account: PsaAccount, *, clock: Callable[[], datetime], seconds: float = SLICE_SECONDS,
    on_page: Callable[[Cursor], None] | None = None, counts: Tally | None = None, lane: Sequence[Step] = TICKETS_LANE,
) -> bool:  # fmt: skip
    """Read what is due of the first lane until it is done or time is up. True when something is left."""
    deadline = clock() + timedelta(seconds=seconds)
    for step in lane:
        found = {c.feed: c for c in account.cursors.all()}
        if not step.is_due(account, found, clock()):
            continue
        cursor = cursors.take(account_id=account.pk, feed=step.feed, now=clock())
        if cursor is None:
            if _may_wait(step.feed, found, clock()):
                continue
            return False
        if step.feed == Feed.CHANGES and cursor.since is None:
            cursor.since = _backfill_start(found, clock())
        run_to = deadline
        if step.rank == gateway.BACKFILL and account.next_pull_at:
            run_to = max(clock(), min(deadline, account.next_pull_at))  # fresh changes go before old tickets
        outcome = _read(account, step.feed, step.read, step.rank, cursor, run_to, clock, on_page, counts)
        account.refresh_from_db()
        if outcome is None:
            return False
        if not outcome:
            return True
        if clock() >= deadline:
            return True
    return False


def _may_wait(feed: Feed, found: dict[str, Cursor], now: datetime) -> bool:
    """Whether tickets may be read before this feed has recovered from an error: names come later, nothing is lost."""
    cursor = found.get(feed)
    if cursor is None or (cursor.lease_until and cursor.lease_until > now):
        return False
    return feed == Feed.DIRECTORY or (feed == Feed.REFERENCE and cursor.since is not None)


def _backfill_start(found: dict[str, Cursor], now: datetime) -> datetime:
    """Changes are read from where the reading of open tickets began."""
    first = found.get(Feed.OPEN_TICKETS)
    return (first.since if first else None) or now


def actions_slice(
    account: PsaAccount, *, clock: Callable[[], datetime], seconds: float = SLICE_SECONDS,
    on_page: Callable[[Cursor], None] | None = None, counts: Tally | None = None,
) -> bool:  # fmt: skip
    """Read actions of changed tickets, then of the backlog. True when something is left."""
    first = account.cursors.filter(feed=Feed.OPEN_TICKETS).first()
    if first is None or first.finished_at is None:
        return False
    cursor = cursors.take(account_id=account.pk, feed=Feed.ACTIONS, now=clock())
    if cursor is None:
        return False
    if cursor.since is None:
        cursor.since = first.finished_at
    deadline = clock() + timedelta(seconds=seconds)
    rank = gateway.BACKFILL if cursor.finished_at is None else gateway.POLL
    outcome = _read(account, Feed.ACTIONS, _actions, rank, cursor, deadline, clock, on_page, counts)
    _note_backfill(account, clock())
    return outcome is False


def _actions(run: Run, cursor: Cursor) -> bool:
    if not action_feed.read_changed(run, cursor):
        return False
    closed = run.account.cursors.filter(feed=Feed.CLOSED_TICKETS, finished_at__isnull=False).exists()
    return action_feed.read_backlog(run, cursor, with_rest=closed)


def is_sweep_due(*, clock: Callable[[], datetime]) -> bool:
    return bool(_to_sweep(clock()))


def sweep_due(*, clock: Callable[[], datetime]) -> None:
    """Look for deleted tickets where it is time; beside the slices, since its list cannot be resumed."""
    for account in _to_sweep(clock()):
        sweep_account(account, clock=clock)


def _to_sweep(now: datetime) -> list[PsaAccount]:
    ready = PsaAccount.objects.filter(pk__in=health.callable_accounts(now), backfill_done_at__lt=now - SWEEP_EVERY)
    return [a for a in ready if _sweep_due(a, {c.feed: c for c in a.cursors.filter(feed=Feed.SWEEP)}, now)]


def sweep_account(account: PsaAccount, *, clock: Callable[[], datetime], counts: Tally | None = None) -> None:
    cursor = cursors.take(account_id=account.pk, feed=Feed.SWEEP, now=clock())
    if cursor is not None:
        _read(account, Feed.SWEEP, sweep.read_ids, gateway.BACKFILL, cursor, clock(), clock, None, counts)


def _read(
    account: PsaAccount, feed: Feed, read: Reader, rank: int, cursor: Cursor, deadline: datetime,
    clock: Callable[[], datetime], on_page: Callable[[Cursor], None] | None, counts: Tally | None,
) -> bool | None:  # fmt: skip
    """Read one feed. True = complete, False = more to do, None = stopped by an error, which is noted."""
    started = time.monotonic()
    connector: Connector | None = None
    run: Run | None = None
    error_text, is_news = "", True
    not_before: datetime | None = clock() + timedelta(seconds=settings.PSA_POLL_SECONDS)
    try:
        with gateway.using(account, rank=rank, clock=clock, is_patient=feed == Feed.SWEEP) as connector:
            run = Run(account, connector, clock, deadline, on_page=on_page)
            done = read(run, cursor)
            if feed == Feed.CHANGES and done:
                _pulled(account, clock())
            not_before = None
            return done
    except cursors.LeaseLost:
        return None
    except ConnectorError as error:
        error_text = error.text or type(error).__name__
        not_before = clock() + timedelta(seconds=_wait_for(error))
        is_news = not _is_own_allowance(error)
        return None
    finally:
        cursors.release(cursor, error=error_text if is_news else "", not_before=not_before)
        shown = error_text if is_news else ""
        _journal(account, feed, run, connector, shown, clock(), time.monotonic() - started, counts)


def _pulled(account: PsaAccount, now: datetime) -> None:
    PsaAccount.objects.filter(pk=account.pk).update(
        last_pull_at=now, next_pull_at=now + timedelta(seconds=settings.PSA_POLL_SECONDS)
    )
    live.touch(live.HEALTH)


def _wait_for(error: ConnectorError) -> float:
    """Seconds until the next try: what the PSA or our own allowance says, else the pace of polling."""
    wait = error.retry_after if isinstance(error, RateLimited) else None
    return min(300.0, max(1.0, wait if wait is not None else float(settings.PSA_POLL_SECONDS)))


def _is_own_allowance(error: ConnectorError) -> bool:
    return isinstance(error, RateLimited) and error.status is None


def _journal(
    account: PsaAccount, feed: Feed, run: Run | None, connector: Connector | None, error: str, now: datetime,
    seconds: float, counts: Tally | None,
) -> None:  # fmt: skip
    applied = +run.applied if run else Counter[str]()
    calls = connector.calls if connector else 0
    if counts is not None:
        counts.add(applied, calls, f"{feed}: {error}" if error else "")
    shown = {k: v for k, v in applied.items() if k != "unchanged"}
    if not shown and not error:
        return  # a poll that found nothing is no news
    text = ", ".join(_counted(k, v) for k, v in shown.items()) or _("nothing new")
    text = f"{Feed(feed).label}: {error or text}"
    journal.note(account_id=account.pk, what="pull", text=text, now=now, ok=not error, calls=calls, seconds=seconds)


def _counted(kind: str, number: int) -> str:
    """ "1 ticket", "3 tickets"."""
    words = {
        "tickets": lambda: ngettext("%(n)d ticket", "%(n)d tickets", number),
        "actions": lambda: ngettext("%(n)d note or reply", "%(n)d notes and replies", number),
        "attachments": lambda: ngettext("%(n)d file", "%(n)d files", number),
        "removed": lambda: ngettext("%(n)d removed", "%(n)d removed", number),
        "clients": lambda: ngettext("%(n)d client", "%(n)d clients", number),
        "sites": lambda: ngettext("%(n)d site", "%(n)d sites", number),
        "contacts": lambda: ngettext("%(n)d contact", "%(n)d contacts", number),
        "contracts": lambda: ngettext("%(n)d contract", "%(n)d contracts", number),
        "teams": lambda: ngettext("%(n)d team", "%(n)d teams", number),
        "agents": lambda: ngettext("%(n)d agent", "%(n)d agents", number),
        "calendars": lambda: ngettext("%(n)d calendar", "%(n)d calendars", number),
        "statuses": lambda: ngettext("%(n)d status", "%(n)d statuses", number),
        "priorities": lambda: ngettext("%(n)d priority", "%(n)d priorities", number),
        "policies": lambda: ngettext("%(n)d policy", "%(n)d policies", number),
        "ticket_types": lambda: ngettext("%(n)d ticket type", "%(n)d ticket types", number),
        "categories": lambda: ngettext("%(n)d category", "%(n)d categories", number),
        "outcomes": lambda: ngettext("%(n)d outcome", "%(n)d outcomes", number),
    }
    return words[kind]() % {"n": number} if kind in words else f"{number} {kind}"


def _note_backfill(account: PsaAccount, now: datetime) -> None:
    """The first reading is done once its four feeds and the actions are."""
    if account.backfill_done_at:
        return
    wanted = {Feed.REFERENCE, Feed.DIRECTORY, Feed.OPEN_TICKETS, Feed.CLOSED_TICKETS, Feed.ACTIONS}
    done = set(account.cursors.filter(finished_at__isnull=False).values_list("feed", flat=True))
    if wanted <= done:
        PsaAccount.objects.filter(pk=account.pk).update(backfill_done_at=now)
        live.touch(live.HEALTH)
