"""How many ticket records a pull applies in a second: the ticket lane alone, from a local sandbox, its budget lifted.

Runs as a process of its own (`python -m tests.bench.pulling URL`), so that its memory is its own; prints JSON.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from contextlib import redirect_stdout
from io import StringIO
from typing import Any

from tests.bench import places, usage

TICKET_FEEDS = {"open_tickets", "closed_tickets"}
BUDGET = 10_000_000


def pulled(address: str, place: places.Place) -> dict[str, Any]:
    """Connect to the sandbox in an empty database, and read its tickets."""
    import os

    places.use(place)
    from django.core.management import call_command
    from django.utils import timezone

    from connectors.sync import pull
    from connectors.sync.models import Cursor
    from helpdesk.directory.models import PsaAccount
    from helpdesk.tickets.models import Ticket

    logging.disable(logging.WARNING)
    call_command("migrate", verbosity=0, interactive=False)
    words = [w for pair in ("client_id=demo", "client_secret=demo-secret") for w in ("--set", pair)]
    with redirect_stdout(StringIO()):
        call_command("connect", "halopsa", "bench", "--url", f"{address}/halopsa", *words)
    PsaAccount.objects.update(calls_per_minute=BUDGET)
    account = PsaAccount.objects.get()
    marks: list[tuple[float, float, int, float]] = []

    def seen(cursor: Cursor) -> None:
        is_ticket = cursor.feed in TICKET_FEEDS
        if is_ticket or not marks:
            now = (time.monotonic(), time.process_time(), Ticket.objects.count(), usage.memory_mib([os.getpid()])[1])
            if is_ticket:
                marks.append(now)
            else:
                start[:] = [now]

    start: list[tuple[float, float, int, float]] = []
    tally = pull.Tally()
    while not tally.errors and pull.tickets_slice(account, clock=timezone.now, seconds=600, on_page=seen, counts=tally):
        account.refresh_from_db()
    if tally.errors or not marks:
        raise SystemExit(f"the pull failed: {tally.errors}")
    first, last = (start or marks)[0], marks[-1]
    records = last[2] - first[2]
    return {
        "records": records,
        "per_second": records / (last[0] - first[0]),
        "per_cpu_second": records / (last[1] - first[1]),
        "memory_early_mib": marks[min(len(marks) - 1, max(1, len(marks) // 4))][3],
        "memory_end_mib": last[3],
        "calls": tally.calls,
    }


if __name__ == "__main__":
    print(json.dumps(pulled(sys.argv[1], places.Place(sys.argv[2]))))
