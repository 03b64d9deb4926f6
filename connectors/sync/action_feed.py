"""The second lane: what no list tells, ticket by ticket: details (resolution, text as HTML, booked hours), actions
and attachment lists. Changed tickets first, then open, then closed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import DataError, IntegrityError
from django.db.models import F, Q, QuerySet

from connectors.base.connector import Connector
from connectors.base.errors import Forbidden, NotFound, Rejected
from connectors.sync import cursors, inbound, inbound_actions
from connectors.sync.feeds import Run
from connectors.sync.journal import log
from connectors.sync.keys import Keys
from connectors.sync.models import Cursor
from helpdesk.directory.models import PsaAccount
from helpdesk.tickets import upkeep
from helpdesk.tickets.models import Ticket

CHUNK = 50
MARGIN = timedelta(minutes=1)
OPEN, REST = "open", "rest"


def read_ticket_actions(
    *, account: PsaAccount, connector: Connector, ticket: Ticket, keys: Keys, run: Run
) -> tuple[int, int]:
    """Actions, and the attachment list where there is more than we know. Gives the numbers of new rows.

    What the PSA will not tell of one ticket is noted and not asked for again until the ticket changes.
    """
    remote_id, up_to = str(ticket.remote_id), _changed_at(ticket) or run.clock()
    try:
        rows = connector.actions(remote_id)
        actions = inbound_actions.apply_actions(
            account=account, ticket=ticket, rows=rows, keys=keys, now=run.clock(), up_to=up_to
        )
        if account.capabilities.get("time_in_action") is False:
            times = connector.times(remote_id)
            inbound_actions.apply_times(ticket=ticket, rows=times, keys=keys, now=run.clock())
        inbound_actions.sharpen(account=account, ticket=ticket, connector=connector, keys=keys, now=run.clock())
        files = 0
        if inbound_actions.wants_files(account, ticket, rows):
            listed = connector.attachments(remote_id)
            files = inbound_actions.apply_files(ticket=ticket, rows=listed, now=run.clock())
    except NotFound:
        _perhaps_gone(connector, ticket, run)
        return 0, 0
    except (Rejected, Forbidden, DataError, IntegrityError, ValueError, OverflowError) as error:
        log.error("actions left out", account=account.pk, ticket=ticket.pk, error=str(error)[:300])
        Ticket.objects.filter(pk=ticket.pk).update(actions_pulled_at=up_to)
        return 0, 0
    return actions, files


def _read_details(run: Run, ticket: Ticket) -> bool:
    """What the PSA's lists leave out of a ticket. False when it was deleted meanwhile."""
    try:
        record = run.connector.ticket(str(ticket.remote_id))
    except NotFound:
        upkeep.mark_removed(ticket_ids=[ticket.pk], now=run.clock())
        return False
    except (Rejected, Forbidden) as error:
        log.error("details left out", account=run.account.pk, ticket=ticket.pk, error=error.text[:300])
        return True
    inbound.apply_details(account=run.account, record=record, ticket=ticket, keys=run.keys, now=run.clock())
    return True


def _perhaps_gone(connector: Connector, ticket: Ticket, run: Run) -> None:
    """Only a ticket that cannot be read either is gone."""
    try:
        connector.ticket(str(ticket.remote_id))
    except NotFound:
        upkeep.mark_removed(ticket_ids=[ticket.pk], now=run.clock())
        return
    Ticket.objects.filter(pk=ticket.pk).update(actions_pulled_at=_changed_at(ticket) or run.clock())


def _changed_at(ticket: Ticket) -> datetime | None:
    """The last change; where the PSA does not tell, when something was last said."""
    return ticket.remote_updated_at or ticket.last_activity_at


def stale(account_id: int) -> QuerySet[Ticket]:
    """Tickets whose actions are not known up to their last change."""
    known = Q(actions_pulled_at__lt=F("remote_updated_at"))
    said = Q(remote_updated_at=None, actions_pulled_at__lt=F("last_activity_at"))
    behind = Q(actions_pulled_at=None) | known | said
    return Ticket.objects.present().filter(behind, psa_account=account_id).exclude(remote_id=None)


def read_changed(run: Run, cursor: Cursor) -> bool:
    """Actions of tickets that changed lately: at once, open ones first. True when none is left."""
    started = run.clock()
    rows = stale(run.account.pk)
    if cursor.since:
        rows = rows.filter(changed_at__gte=cursor.since - MARGIN)
    if not cursor.finished_at:
        rows = rows.filter(Q(is_open=True) | Q(actions_pulled_at__isnull=False))
    if cursor.total is None and not cursor.finished_at:
        _count(run, cursor)
    while not run.is_over:
        chunk = list(rows.order_by("-is_open", "-changed_at")[:CHUNK])
        for ticket in chunk:
            _read_one(run, cursor, ticket)
            if not cursor.finished_at:
                cursors.save(cursor, now=run.clock(), done=cursor.done + 1)
            if run.is_over:
                return False
        if len(chunk) < CHUNK:
            cursors.save(cursor, now=run.clock(), since=started)
            return True
    return False


def read_backlog(run: Run, cursor: Cursor, *, with_rest: bool) -> bool:
    """The first reading of all actions, newest tickets first; resumed at the last ticket. True when nothing is left
    for now: the closed tickets (`with_rest`) have their turn once they are all here.
    """
    if cursor.finished_at:
        return True
    if cursor.run_started_at is None:
        cursors.save(cursor, now=run.clock(), run_started_at=run.clock(), token=f"{OPEN}:")
        _count(run, cursor)
    for ticket in _walk(run, cursor, with_rest):
        _read_one(run, cursor, ticket)
        lane = OPEN if cursor.token.startswith(OPEN) else REST
        cursors.save(cursor, now=run.clock(), token=f"{lane}:{ticket.pk}", done=cursor.done + 1)
        if run.is_over:
            return False
    if with_rest:
        cursors.save(cursor, now=run.clock(), run_started_at=None, token="", finished_at=run.clock())
    return True


def _count(run: Run, cursor: Cursor) -> None:
    cursors.save(cursor, now=run.clock(), total=cursor.done + stale(run.account.pk).count())


def _walk(run: Run, cursor: Cursor, with_rest: bool) -> Iterator[Ticket]:
    while True:
        lane, _sep, last = cursor.token.partition(":")
        rows = stale(run.account.pk)
        if lane == OPEN:
            rows = rows.filter(is_open=True)
        if last:
            rows = rows.filter(pk__lt=int(last))
        chunk = list(rows.order_by("-pk")[:CHUNK])
        yield from chunk
        if len(chunk) == CHUNK:
            continue
        if lane == REST or not with_rest:
            return
        cursors.save(cursor, now=run.clock(), token=f"{REST}:")
        _count(run, cursor)


def _read_one(run: Run, cursor: Cursor, ticket: Ticket) -> None:
    if not _read_details(run, ticket):
        run.page_done(cursor)
        return
    actions, files = read_ticket_actions(
        account=run.account, connector=run.connector, ticket=ticket, keys=run.keys, run=run
    )
    run.applied["actions"] += actions
    run.applied["attachments"] += files
    run.page_done(cursor)
