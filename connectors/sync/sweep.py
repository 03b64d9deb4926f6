"""The slow look for tickets that were deleted in the PSA: its lists never tell of them."""

from __future__ import annotations

from connectors.base.errors import NotFound
from connectors.sync import cursors
from connectors.sync.feeds import Run
from connectors.sync.journal import log
from connectors.sync.models import Cursor
from helpdesk.tickets import services as tickets
from helpdesk.tickets.models import Ticket

SAMPLE = 5
MANY = 20
MANY_SHARE = 0.05


def read_ids(run: Run, cursor: Cursor) -> bool:
    """Read every id there is, then mark what is missing. A list that ends early raises: nothing is marked then."""
    started = run.clock()
    cursors.begin(cursor, now=started)
    there: set[str] = set()
    for ids in run.connector.ticket_ids():
        there.update(ids)
        cursors.save(cursor, now=run.clock(), done=len(there))
    known = Ticket.objects.present().filter(psa_account=run.account, created_at__lt=started).exclude(remote_id=None)
    total = known.count()
    missing = {
        pk: remote_id for pk, remote_id in known.values_list("pk", "remote_id").iterator() if remote_id not in there
    }
    gone = [pk for pk, remote_id in missing.items() if len(missing) > MANY or _is_gone(run, str(remote_id))]
    if len(missing) > MANY and not _is_believable(run, missing, total):
        log.error("sweep not believed", account=run.account.pk, missing=len(missing), known=total)
        gone = []
    if gone:
        run.applied["removed"] += tickets.mark_removed(ticket_ids=gone, now=run.clock())
    cursors.finish(cursor, since=started, now=run.clock())
    return True


def _is_gone(run: Run, remote_id: str) -> bool:
    try:
        run.connector.ticket(remote_id)
    except NotFound:
        return True
    return False


def _is_believable(run: Run, missing: dict[int, str | None], total: int) -> bool:
    """Many at once are looked at by sample; a large share of all needs a person, not a sweep."""
    sample = [str(r) for r in list(missing.values())[:SAMPLE]]
    return len(missing) <= max(MANY, total * MANY_SHARE) and all(_is_gone(run, r) for r in sample)
