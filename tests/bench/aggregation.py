"""How long counting takes: a day's changes in a full desk, and every ticket anew."""

from __future__ import annotations

import time
from datetime import timedelta

from django.db.models import F, Max
from django.utils import timezone

from helpdesk.actions.models import TimeEntry
from helpdesk.reports.models import (
    DailyMetric,
    FoldState,
    LateClock,
    OpenStretch,
    Quantile,
    QuantileMark,
    TicketDay,
    TicketRaised,
)
from helpdesk.reports.services import fold
from helpdesk.tickets.models import Ticket, TicketSpan
from tests.bench.report import Line

ANEW = 5_000
"""Tickets that are counted from nothing."""
DAY_SECONDS, ANEW_PER_SECOND = 30, 500
"""A day's changes are counted before the next step is due; a hundred thousand tickets in a few minutes."""


def measured() -> list[Line]:
    """On a copy of a filled desk, which is of no use afterwards."""
    return [_a_day(), _anew()]


def _a_day() -> Line:
    """Everything that counts on the last day of the desk changes once more."""
    day = TicketDay.objects.aggregate(m=Max("day"))["m"] - timedelta(days=1)
    ids = list(TicketDay.objects.between(day, day).order_by().values_list("ticket_id", flat=True).distinct())
    now = timezone.now()
    Ticket.objects.only_ids(ids).update(changed_at=now, opened_at=F("opened_at") - timedelta(minutes=7))
    TimeEntry.objects.filter(ticket__in=ids).update(seconds=F("seconds") + 60)
    started, steps, counted = time.monotonic(), 1, 0
    while True:
        done = fold(now=now)
        counted += done.changed
        if not done.is_more:
            break
        steps += 1
    seconds = time.monotonic() - started
    return Line(
        "report rows: changes of one day",
        f"{seconds:.1f} s for {counted} tickets in {steps} steps",
        f"{DAY_SECONDS} s",
        seconds > DAY_SECONDS or not counted,
        {"seconds": seconds, "tickets": counted, "steps": steps},
    )


def _anew() -> Line:
    for model in (
        TicketDay, DailyMetric, OpenStretch, TicketRaised, LateClock, Quantile, QuantileMark, TicketSpan, FoldState,
    ):  # fmt: skip
        model._default_manager.all().delete()
    started = time.monotonic()
    counted = fold(now=timezone.now(), limit=ANEW).tickets
    seconds = time.monotonic() - started
    return Line(
        "report rows: counted from nothing",
        f"{counted / seconds:.0f} tickets/s, {counted:,} tickets",
        f"{ANEW_PER_SECOND}/s",
        counted / seconds < ANEW_PER_SECOND,
        {"per_second": counted / seconds, "tickets": counted},
    )
