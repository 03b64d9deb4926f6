"""What a file says of a ticket's clocks: open hours used and paused, the first end beside the last, corrections."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Any

import pytest

from helpdesk.reports import drill, export, services
from helpdesk.reports.filters import Filters
from helpdesk.reports.metrics import METRICS
from helpdesk.reports.models import TicketDay
from helpdesk.sla.models import Policy
from helpdesk.tickets.models import Correction, Status, Ticket, TicketEvent
from helpdesk.tickets.rederiving import rederive
from helpdesk.tickets.stories import CORRECTION
from tests.factories import NOW, make_priority, make_status, make_ticket

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
OPENED = NOW - 30 * HOUR


def moved(ticket: Ticket, old: Status, new: Status, at: Any) -> None:
    TicketEvent.objects.create(
        ticket=ticket, field="status", old=str(old.pk), new=str(new.pk), at=at, known_at=NOW, origin="psa"
    )


def test_a_reopened_ticket_says_when_it_ended_first_and_last() -> None:
    running, closed = make_status("open"), make_status("closed")
    ticket = make_ticket(
        status=closed, opened_at=OPENED, answered_at=OPENED + HOUR, first_responded_at=OPENED + HOUR,
        resolved_at=OPENED + 9 * HOUR, priority=make_priority(3),
    )  # fmt: skip
    moved(ticket, running, closed, OPENED + 2 * HOUR)
    moved(ticket, closed, running, OPENED + 6 * HOUR)
    moved(ticket, running, closed, OPENED + 9 * HOUR)
    rederive(account_id=ticket.psa_account_id, ids=[ticket.pk], now=NOW)
    services.rebuild(now=NOW)
    day = (OPENED + 9 * HOUR).date()
    wanted = drill.Drill(metric=METRICS["finished"], filters=Filters(), first=day, last=day, now=NOW)
    (row,) = export.rows(wanted, Ticket.objects.all(), UTC)
    said = dict(zip(export.header(UTC), row, strict=True))
    assert said["First finished (UTC)"] == f"{OPENED + 2 * HOUR:%Y-%m-%d %H:%M:%S}"
    assert said["Finished (UTC)"] == f"{OPENED + 9 * HOUR:%Y-%m-%d %H:%M:%S}"
    names = ("Open hours to first answer", "Open hours to resolution", "Open hours paused", "Hours to resolution")
    assert [said[name] for name in names] == ["1.00", "5.00", "4.00", "9.00"]
    assert said["Corrected by hand"] == ""
    Correction.objects.create(ticket=ticket, kind="resolution", what="excluded", reason="Agreed by phone", at=NOW)
    TicketEvent.objects.create(ticket=ticket, field=CORRECTION, at=NOW, known_at=NOW, origin="desk")
    rederive(account_id=ticket.psa_account_id, ids=[ticket.pk], now=NOW)
    (row,) = export.rows(wanted, Ticket.objects.all(), UTC)
    assert dict(zip(export.header(UTC), row, strict=True))["Corrected by hand"] == "yes"


def test_a_cycle_that_started_anew_keeps_the_verdict_of_the_one_before() -> None:
    running, closed = make_status("open"), make_status("closed")
    policy = Policy.objects.create(name="Anew", on_reopen="restarts")
    policy.targets.create(priority="3", rank=3, resolution_seconds=3600, response_seconds=3600)
    ticket = make_ticket(
        status=closed, opened_at=OPENED, answered_at=OPENED + HOUR / 2, first_responded_at=OPENED + HOUR / 2,
        resolved_at=OPENED + 8 * HOUR + HOUR / 2, priority=make_priority(3), sla_policy=policy,
    )  # fmt: skip
    moved(ticket, running, closed, OPENED + 2 * HOUR)
    moved(ticket, closed, running, OPENED + 8 * HOUR)
    moved(ticket, running, closed, OPENED + 8 * HOUR + HOUR / 2)
    rederive(account_id=ticket.psa_account_id, ids=[ticket.pk], now=NOW)
    clock = ticket.clocks.get(kind="resolution")
    assert (clock.cycle, clock.state, clock.burned_seconds) == (2, "met", 1800)
    assert clock.earlier == [[(OPENED + 2 * HOUR).isoformat(), True, False, 7200, 0]]
    assert rederive(account_id=ticket.psa_account_id, ids=[ticket.pk], now=NOW) == 0, "worked out the same again"
    services.rebuild(now=NOW)
    days = TicketDay.objects.filter(ticket_id=ticket.pk)
    assert sum(day.resolution_breached for day in days) == sum(day.resolution_met for day in days) == 1
