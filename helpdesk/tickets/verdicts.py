"""A verdict that is not what it was: a finished clock that counted as met and is breached now, or the other way round.

Late news and changed meanings may turn one. It is never silent: each stands in the audit log, with what it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from helpdesk.accounts.models import AuditEntry
from helpdesk.sla.choices import ClockState
from helpdesk.tickets.models import TicketClock

VERDICTS = frozenset({ClockState.MET.value, ClockState.BREACHED.value})
VERB = "clock.verdict_changed"
Key = tuple[int, str]


def verdicts_of(ids: Iterable[int]) -> dict[Key, str]:
    """(ticket, clock) -> the verdict that stands. One query; nothing for clocks that run."""
    rows = TicketClock.objects.filter(ticket__in=list(ids), finished_at__isnull=False, state__in=VERDICTS)
    return {(ticket, kind): state for ticket, kind, state in rows.values_list("ticket_id", "kind", "state")}


def record_changed(
    before: Mapping[Key, str], after: Iterable[TicketClock], *, now: datetime, why: str, actor: str = ""
) -> int:  # fmt: skip
    """Write down what turned, in one statement; counts them. `why` is what made us look: pull, rules, message."""
    entries = []
    for clock in after:
        was = before.get((clock.ticket_id, clock.kind))
        if was is None or clock.finished_at is None or clock.state not in VERDICTS or clock.state == was:
            continue
        detail = {"clock": clock.kind, "was": was, "is": str(clock.state), "why": why}
        entries.append(
            AuditEntry(at=now, actor=actor, verb=VERB, subject=f"ticket:{clock.ticket_id}", detail=detail)
        )  # fmt: skip
    if entries:
        AuditEntry.objects.bulk_create(entries, batch_size=500)
    return len(entries)
