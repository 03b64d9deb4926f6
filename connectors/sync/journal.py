"""The sync log: one line per pull, push, fetch and connection, for people; the newest few thousand per account."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

import structlog

from connectors.sync.models import SyncLogEntry

log: Any = structlog.wrap_logger(
    logging.getLogger("connectors.sync"),
    processors=[structlog.contextvars.merge_contextvars, structlog.stdlib.render_to_log_kwargs],
    wrapper_class=structlog.stdlib.BoundLogger,
)
"""One line per task, pull and push, with ids; by the standard library, so that the project's format and level hold."""

KEPT_ENTRIES = 2000
PRUNE_EVERY = 100


def note(
    *,
    account_id: int,
    what: str,
    text: str,
    now: datetime,
    ok: bool = True,
    ticket_id: int | None = None,
    calls: int = 0,
    seconds: float = 0.0,
) -> None:
    """Write one line into the sync log and one into the process log."""
    entry = SyncLogEntry.objects.create(
        psa_account_id=account_id,
        at=now,
        what=what,
        ok=ok,
        text=text[:300],
        ticket_id=ticket_id,
        calls=calls,
        milliseconds=round(seconds * 1000),
    )
    say = log.info if ok else log.warning
    say(what, account=account_id, ticket=ticket_id, text=text, calls=calls, ms=entry.milliseconds)
    if entry.pk % PRUNE_EVERY == 0:
        prune(account_id)


def prune(account_id: int) -> int:
    """Drop what is older than the newest entries that are kept."""
    rows = SyncLogEntry.objects.filter(psa_account=account_id)
    last = rows.order_by("-pk").values_list("pk", flat=True)[KEPT_ENTRIES : KEPT_ENTRIES + 1]
    edge = next(iter(last), None)
    return rows.filter(pk__lte=edge).delete()[0] if edge else 0
