"""One clock at one instant: a table of facts and what they read."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from helpdesk.sla.clock import Facts, read_clock, risk_instant
from tests.factories import NOW

START = NOW - timedelta(hours=2)


def facts(**values: Any) -> Facts:
    given = {"started_at": START, "due_at": START + timedelta(hours=8), "target_seconds": 8 * 3600, **values}
    return Facts(**given)


@pytest.mark.parametrize(
    ("given", "state", "seconds"),
    [
        ({}, "running", None),
        ({"due_at": None}, "not_started", None),
        ({"is_excluded": True}, "not_started", None),
        ({"due_at": NOW + timedelta(minutes=59)}, "at_risk", None),
        ({"due_at": NOW + timedelta(minutes=60)}, "running", None),
        ({"due_at": NOW + timedelta(minutes=60, seconds=-1)}, "at_risk", None),
        ({"due_at": NOW + timedelta(minutes=61)}, "running", None),
        ({"due_at": NOW}, "at_risk", None),
        ({"due_at": NOW - timedelta(seconds=1)}, "breached", None),
        ({"paused_since": NOW - timedelta(hours=1)}, "paused", 7 * 3600),
        ({"due_at": NOW - timedelta(hours=1), "paused_since": NOW - timedelta(minutes=90)}, "paused", 1800),
        ({"due_at": NOW - timedelta(hours=1), "paused_since": NOW - timedelta(minutes=30)}, "breached", 1800),
        ({"finished_at": START + timedelta(minutes=12)}, "met", 720),
        ({"finished_at": START - timedelta(minutes=1)}, "met", 0),
        ({"due_at": START + timedelta(hours=1), "finished_at": NOW}, "breached", 3600),
    ],
)
def test_state(given: dict[str, Any], state: str, seconds: int | None) -> None:
    reading = read_clock(facts(**given), now=NOW)
    assert (reading.state, reading.seconds) == (state, seconds)


SECOND = timedelta(seconds=1)


def test_a_short_target_is_at_risk_in_its_last_quarter() -> None:
    due = START + timedelta(hours=1)
    assert risk_instant(due, 3600) == due - timedelta(minutes=15) + SECOND
    assert risk_instant(due, 4 * 3600) == due - timedelta(hours=1) + SECOND
    assert risk_instant(due, None) == due - timedelta(hours=1) + SECOND


def test_a_paused_clock_has_no_due_instant() -> None:
    reading = read_clock(facts(paused_since=NOW - timedelta(hours=1)), now=NOW)
    assert reading.due_at is None
    assert reading.at_risk_at is None
    assert reading.remaining_seconds == 7 * 3600


def test_finishing_wins_over_a_pause() -> None:
    reading = read_clock(facts(paused_since=NOW - timedelta(hours=1), finished_at=NOW), now=NOW)
    assert reading.state == "met"


def test_what_is_over_does_not_grow_while_paused() -> None:
    late = facts(due_at=NOW - timedelta(hours=1), paused_since=NOW - timedelta(minutes=30))
    then, much_later = (read_clock(late, now=NOW + timedelta(days=d)) for d in (0, 5))
    assert then == much_later
    assert (then.state, then.seconds, then.due_at) == ("breached", 1800, NOW - timedelta(hours=1))


def test_a_running_overrun_is_left_to_the_reader_to_count() -> None:
    assert read_clock(facts(due_at=NOW - timedelta(hours=1)), now=NOW).seconds is None
