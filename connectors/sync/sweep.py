"""The slow look for tickets that were deleted in the PSA: its lists never tell of them.

First every id is listed, page by page; each page is kept, so that a sweep that is killed goes on where it was. Then
what we have and the list has not is asked for, ticket by ticket: only a ticket that the PSA itself does not know any
more is marked. A missing page, an error, an empty or a short answer can therefore cost calls, never a ticket.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import QuerySet

from connectors.base.errors import NotFound, Unavailable
from connectors.sync import cursors, reread
from connectors.sync.feeds import Run
from connectors.sync.journal import log
from connectors.sync.models import Cursor, SweptPage
from connectors.sync.seen import SeenIds
from helpdesk.tickets import upkeep
from helpdesk.tickets.models import Ticket

MANY = 20
MANY_SHARE = 0.05
SAMPLE = 20
"""Of many that are missing, so many are asked for first: one that is there after all unmasks the list."""
CHUNK = 500
STALE = timedelta(days=2)
LISTED = "listed"


def read_ids(run: Run, cursor: Cursor) -> bool:
    """A whole sweep, or the rest of one. What cannot be read raises, and nothing more is marked."""
    now = run.clock()
    if cursor.run_started_at is not None and cursor.run_started_at < now - STALE:
        cursors.save(cursor, now=now, run_started_at=None)
    if cursor.run_started_at is None:
        SweptPage.objects.filter(cursor=cursor).delete()
    cursors.begin(cursor, now=now)
    if cursor.token != LISTED:
        _list(run, cursor)
    with SeenIds() as seen:
        for ids in SweptPage.objects.filter(cursor=cursor).values_list("ids", flat=True).iterator(chunk_size=50):
            seen.add(i for i in ids.split("\n") if i)
        _mark(run, cursor, seen)
        _bring_back(run, cursor, seen)
    cursors.finish(cursor, since=cursor.run_started_at, now=run.clock())
    SweptPage.objects.filter(cursor=cursor).delete()
    return True


def _list(run: Run, cursor: Cursor) -> None:
    """Every id there is. The page is stored before the cursor moves on: at worst it is read twice."""
    number, _sep, token = cursor.token.partition("|")
    done = int(number or 0)
    for page in run.connector.ticket_ids(token=token or None):
        done += 1
        SweptPage.objects.update_or_create(cursor=cursor, number=done, defaults={"ids": "\n".join(page.rows)})
        place = f"{done}|{page.next_token}" if page.next_token else LISTED
        cursors.save(cursor, now=run.clock(), token=place, done=cursor.done + len(page.rows), total=page.total)
        run.page_done(cursor)
    if cursor.token != LISTED:
        cursors.save(cursor, now=run.clock(), token=LISTED)


def _mark(run: Run, cursor: Cursor, seen: SeenIds) -> None:
    total = _known(run, cursor).count()
    missing = sum(1 for _ in _missing(run, cursor, seen))
    if not missing:
        return
    is_mass = missing > MANY and missing > total * MANY_SHARE
    if is_mass and not _is_believable(run, cursor, seen, missing, total):
        return
    for pk, remote_id in _missing(run, cursor, seen):
        if _is_gone(run, remote_id):
            run.applied["removed"] += upkeep.mark_removed(ticket_ids=[pk], now=run.clock())
        cursors.save(cursor, now=run.clock())


def _known(run: Run, cursor: Cursor) -> QuerySet[Ticket]:
    """What the list should name: tickets that we had before it was begun."""
    rows = Ticket.objects.present().filter(psa_account=run.account, created_at__lt=cursor.run_started_at)
    return rows.exclude(remote_id=None).order_by("pk")


def _missing(run: Run, cursor: Cursor, seen: SeenIds) -> Iterator[tuple[int, str]]:
    last = 0
    rows = _known(run, cursor)
    while chunk := list(rows.filter(pk__gt=last).values_list("pk", "remote_id")[:CHUNK]):
        last = chunk[-1][0]
        there = seen.of(str(remote_id) for _pk, remote_id in chunk)
        yield from ((pk, str(remote_id)) for pk, remote_id in chunk if str(remote_id) not in there)


def _is_gone(run: Run, remote_id: str) -> bool:
    try:
        run.connector.ticket(remote_id)
    except NotFound:
        return True
    return False


def _is_believable(run: Run, cursor: Cursor, seen: SeenIds, missing: int, total: int) -> bool:
    """Many at once: a listed ticket must be readable, and none of a sample of the missing ones may be there."""
    listed = next((i for i in _one_by_one(run, cursor) if seen.of([i])), None)
    why = ""
    if not len(seen) or listed is None:
        why = "the list is empty"
    elif _is_gone(run, listed):
        why = "tickets that are listed cannot be read"
    else:
        for number, (_pk, remote_id) in enumerate(_missing(run, cursor, seen)):
            if number >= SAMPLE:
                break
            if not _is_gone(run, remote_id):
                why = "the list is not whole"
                break
    if why:
        log.error("sweep not believed", account=run.account.pk, missing=missing, known=total, why=why)
        if why != "the list is not whole":
            raise Unavailable(f"deleted tickets: {why}")
    return not why


def _one_by_one(run: Run, cursor: Cursor) -> Iterator[str]:
    for remote_id in _known(run, cursor).values_list("remote_id", flat=True).iterator(chunk_size=CHUNK):
        yield str(remote_id)


def _bring_back(run: Run, cursor: Cursor, seen: SeenIds) -> None:
    """Tickets that we hold as deleted, and that are listed: restored in the PSA."""
    gone = Ticket.objects.filter(psa_account=run.account, removed_at__lt=cursor.run_started_at).exclude(remote_id=None)
    last = 0
    while chunk := list(gone.filter(pk__gt=last).order_by("pk").values_list("pk", "remote_id")[:CHUNK]):
        last = chunk[-1][0]
        for remote_id in sorted(seen.of(str(remote_id) for _pk, remote_id in chunk)):
            reread.read_with(account=run.account, connector=run.connector, remote_id=remote_id, clock=run.clock)
            cursors.save(cursor, now=run.clock())
            run.applied["tickets"] += 1
