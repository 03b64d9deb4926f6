"""Reading one feed: pages in, rows applied, cursor saved after each page. Every reader may stop and go on later."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from connectors.base.connector import Connector
from connectors.base.records import TicketRecord
from connectors.base.rules import Description
from connectors.sync import cursors, health, inbound, reference
from connectors.sync.keys import Keys
from connectors.sync.models import Cursor
from helpdesk.core import live
from helpdesk.directory.models import PsaAccount, default_client_mail
from helpdesk.directory.services import join_users
from helpdesk.tickets import clock_jobs

OVERLAP = timedelta(minutes=5)
"""Read again: rows that the PSA committed later than it stamped them."""
AHEAD = timedelta(days=400)
"""How far beyond our own clock a window reaches: a PSA whose clock runs ahead may not hide its newest changes. What
changes while a list is read lies after the run's start and is in the next window anyway."""


@dataclass
class Run:
    """One slice of work on one account: where to, until when, and what came of it."""

    account: PsaAccount
    connector: Connector
    clock: Callable[[], datetime]
    deadline: datetime
    keys: Keys = field(init=False)
    applied: Counter[str] = field(default_factory=Counter)
    touched: list[int] = field(default_factory=list)
    on_page: Callable[[Cursor], None] | None = None

    def __post_init__(self) -> None:
        self.keys = Keys(self.account.pk)

    @property
    def is_over(self) -> bool:
        return self.clock() >= self.deadline

    def page_done(self, cursor: Cursor) -> None:
        health.answered(account_id=self.account.pk, now=self.clock())
        if self.on_page:
            self.on_page(cursor)


def read_reference(run: Run, cursor: Cursor) -> bool:
    """Everything at once: it is small. Capabilities and rules come with it."""
    now = run.clock()
    cursors.begin(cursor, now=now)
    run.account.mark = run.connector.mark
    keep_description(run.account, run.connector.describe(), now=now)
    done = 0
    for kind, rows in run.connector.reference():
        count = reference.apply(account=run.account, kind=kind, rows=rows, keys=run.keys, now=run.clock())
        run.applied[kind] += count
        done += count
        cursors.save(cursor, now=run.clock(), done=done)
        run.page_done(cursor)
    if run.account.capabilities.get("list_agents") is False:
        join_users(
            now=run.clock()
        )  # agents are learned from tickets: no list of them comes that would tie people to them
    cursors.finish(cursor, since=now, now=run.clock())
    return True


def keep_description(account: PsaAccount, description: Description, *, now: datetime) -> None:
    """Store what the PSA can do and asks for. What an administrator chose stays."""
    found = description.to_json()
    usual = account.capabilities.get("usual_targets")
    is_promised_anew = bool(account.capabilities) and found["capabilities"].get("usual_targets") != usual
    account.capabilities = found["capabilities"]
    account.required_fields = found["required_fields"]
    account.transition_rules = found["transition_rules"]
    account.client_mail = {**default_client_mail(account.capabilities), **account.client_mail}
    outcomes = account.capabilities.get("outcomes")
    names = ["capabilities", "required_fields", "transition_rules", "client_mail", "mark"]
    if isinstance(outcomes, dict) and not account.settings.get("outcomes"):
        account.settings = {**account.settings, "outcomes": outcomes}
        names.append("settings")
    account.save(update_fields=names)
    if is_promised_anew:
        clock_jobs.request(now=now)
    live.touch(live.HEALTH)


def read_directory(run: Run, cursor: Cursor) -> bool:
    """Clients, sites, contacts and contracts changed since the last run."""
    cursors.begin(cursor, now=run.clock())
    since = cursor.since - OVERLAP if cursor.since else None
    for kind, page in run.connector.directory(since=since, token=cursor.token or None):
        count = reference.apply(account=run.account, kind=kind, rows=page.rows, keys=run.keys, now=run.clock())
        run.applied[kind] += count
        if page.next_token:
            cursors.save(cursor, now=run.clock(), token=page.next_token, done=cursor.done + count)
        else:
            cursors.save(cursor, now=run.clock(), done=cursor.done + count)
        run.page_done(cursor)
        if run.is_over and page.next_token:
            return False
    cursors.finish(cursor, since=cursor.run_started_at, now=run.clock())
    return True


def read_open_tickets(run: Run, cursor: Cursor) -> bool:
    return _read_tickets(run, cursor, is_open=True)


def read_closed_tickets(run: Run, cursor: Cursor) -> bool:
    return _read_tickets(run, cursor, is_open=False)


def read_changes(run: Run, cursor: Cursor) -> bool:
    """Tickets changed since the last complete run."""
    return _read_tickets(run, cursor, is_open=None)


def _read_tickets(run: Run, cursor: Cursor, *, is_open: bool | None) -> bool:
    """True when the run is complete, False when time is up."""
    cursors.begin(cursor, now=run.clock())
    assert cursor.run_started_at is not None
    since = cursor.since - OVERLAP if cursor.since and is_open is None else None
    pages = run.connector.tickets(
        since=since, until=cursor.run_started_at + AHEAD, is_open=is_open, token=cursor.token or None
    )
    for page in pages:
        _apply_page(run, page.rows)
        if page.next_token is None:
            cursors.save(cursor, now=run.clock(), done=cursor.done + len(page.rows))
            run.page_done(cursor)
            break
        cursors.save(
            cursor,
            now=run.clock(),
            token=page.next_token,
            done=cursor.done + len(page.rows),
            total=page.total,
        )
        run.page_done(cursor)
        if run.is_over:
            return False
    cursors.finish(cursor, since=cursor.run_started_at, now=run.clock())
    return True


def _apply_page(run: Run, rows: Iterable[TicketRecord]) -> None:
    found = tuple(rows)
    applied = inbound.apply(account=run.account, rows=found, keys=run.keys, now=run.clock())
    run.applied["tickets"] += applied.created + applied.changed
    run.applied["unchanged"] += applied.unchanged
    run.touched += applied.touched
