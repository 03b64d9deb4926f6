"""A ticket's clock as a chip: exact, in open time where a calendar counts."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.template import Context, Template

from helpdesk.core.formatting import FOREVER
from helpdesk.sla.models import OpenInterval
from helpdesk.tickets.models import TicketClock
from tests.factories import NOW, make_calendar


def render(source: str, **context: Any) -> str:
    return Template(source).render(Context({"now": NOW, **context}))


def ticket(**values: Any) -> SimpleNamespace:
    due = NOW + timedelta(minutes=190)
    given = {
        "next_clock": "resolution",
        "clock_state": "running",
        "next_due_at": due,
        "next_at_risk_at": due - timedelta(hours=1),
        "clock_seconds": None,
        "clock_calendar": 0,
    }
    return SimpleNamespace(**{**given, **values})


def test_a_running_clock_carries_its_instants() -> None:
    due = int((NOW + timedelta(minutes=190)).timestamp())
    assert render("{% sla t %}", t=ticket()) == (
        f'<span class="sla" data-clock="resolution" data-state="running" data-due="{due}" data-risk="{due - 3600}" '
        'title="Due today 17:32">On track 3 h 10 min'
        '<span class="hush">, Due today 17:32</span></span>'
    )


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"clock_state": "paused", "next_due_at": FOREVER, "clock_seconds": 4800}, "Paused 1 h 20 min left"),
        ({"clock_state": "met", "next_due_at": FOREVER, "clock_seconds": 720}, "Met in 12 min"),
        ({"clock_state": "breached", "next_due_at": FOREVER, "clock_seconds": 2100}, "Breached 35 min over"),
        ({"clock_state": "not_started", "next_due_at": FOREVER, "next_clock": ""}, "Not started"),
    ],
)
def test_a_clock_that_stands_does_not_tick(values: dict[str, Any], text: str) -> None:
    found = render("{% sla t %}", t=ticket(**values))
    assert text in found
    assert "data-due" not in found


def test_a_late_row_says_so_without_anybody_writing_it() -> None:
    found = render("{% sla t %}", t=ticket(next_due_at=NOW - timedelta(minutes=35)))
    assert 'data-state="breached"' in found
    assert "Breached 35 min over" in found


def test_a_finished_clock_counts_from_its_own_instants() -> None:
    clock = TicketClock(
        kind="response", state="breached", started_at=NOW - timedelta(hours=5), due_at=NOW - timedelta(hours=1),
        finished_at=NOW - timedelta(minutes=25),
    )  # fmt: skip
    assert "Breached 35 min over" in render("{% clock_chip c %}", c=clock)
    clock.state, clock.finished_at = "met", clock.started_at + timedelta(minutes=12)
    assert "Met in 12 min" in render("{% clock_chip c %}", c=clock)


@pytest.mark.django_db
def test_only_open_time_counts() -> None:
    """Tuesday 14:22, Wednesday 10:30: three hours and eight minutes today, an hour and a half tomorrow."""
    calendar = make_calendar(time_zone="Europe/London")
    calendar.intervals.bulk_create(
        OpenInterval(calendar=calendar, weekday=day, opens=540, closes=1050) for day in range(5)
    )
    row = ticket(clock_calendar=calendar.pk, next_due_at=NOW + timedelta(hours=20, minutes=8), next_at_risk_at=None)
    found = render("{% sla t %}", t=row)
    assert "On track 4 h 38 min" in found
    assert f'data-cal="{calendar.pk}"' in found
    row.next_due_at = NOW + timedelta(days=7)
    assert "On track 42 h" in render("{% sla t %}", t=row), "open time has no days"
    row.next_due_at = NOW - timedelta(hours=20)
    assert "Breached 5 h 22 min over" in render("{% sla t %}", t=row), "it was closed from Monday 18:22 to Tuesday 9:00"
    assert "Breached 20 h over" in render("{% sla t %}", t=ticket(next_due_at=row.next_due_at))
