"""Thresholds and levels at their exact edges, and when they are told: pure arithmetic."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from helpdesk.actions.steps import Clock, Step, due_steps, next_look, steps_of
from helpdesk.sla.hours import Calendar, Hours, Weekly
from helpdesk.sla.ledger import Pause, Run, Terms

LONDON = Calendar(Hours(zone="Europe/London", weekly=tuple(Weekly(day, 540, 1050) for day in range(5))))
ALWAYS = Calendar(Hours(is_always=True))
NEVER = Calendar(Hours())
USUAL = (50, 75, 90, 100)
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """June 2026: the 1st is a Monday. London is an hour ahead of UTC: 9:00 there is 8:00 here."""
    return datetime(2026, 6, day, hour, minute, tzinfo=UTC)


def make(
    start: datetime, hours: float, *, calendar: Calendar = ALWAYS, pauses: tuple[Pause, ...] = (), **values: Any
) -> Clock:
    terms = Terms(since=start, calendar=calendar, seconds=int(hours * 3600))
    run = Run(started_at=start, terms=(terms,), pauses=pauses)
    due = calendar.due(start, int(hours * 3600))
    return Clock(**{"started_at": start, "due_at": due, "calendar": calendar, "run": run, **values})


def steps(clock: Clock, **values: Any) -> list[Step]:
    return steps_of(clock, **{"thresholds": USUAL, "escalates": True, **values})


def told(clock: Clock, now: datetime, **values: Any) -> list[tuple[str, int]]:
    return [(s.trigger, s.level) for s in due_steps(clock, steps(clock, **values), now)]


def test_each_share_passes_when_it_has_run() -> None:
    found = steps(make(at(1, 8), 4))
    assert [(s.level, s.at) for s in found[:3]] == [(50, at(1, 10)), (75, at(1, 11)), (90, at(1, 11, 36))]


def test_the_whole_target_is_level_one_and_no_threshold_beside_it() -> None:
    found = steps(make(at(1, 8), 4))
    assert [(s.trigger, s.level) for s in found] == [
        ("threshold", 50), ("threshold", 75), ("threshold", 90), ("breach", 1), ("breach", 2), ("breach", 3),
    ]  # fmt: skip


def test_without_levels_the_whole_target_is_a_threshold() -> None:
    found = steps(make(at(1, 8), 4), escalates=False)
    assert [(s.trigger, s.level) for s in found][-1] == ("threshold", 100)
    assert found[-1].at == at(1, 12)


def test_a_policy_without_thresholds_still_raises_levels() -> None:
    first = steps(make(at(1, 8), 4), thresholds=())[0]
    assert (first.trigger, first.level) == ("breach", 1)


@pytest.mark.parametrize(
    ("late", "level"),
    [
        (timedelta(0), None),
        (SECOND, 1),
        (4 * HOUR - SECOND, 1),
        (4 * HOUR, 2),
        (8 * HOUR - SECOND, 2),
        (8 * HOUR, 3),
        (900 * HOUR, 3),
    ],
)
def test_levels_begin_at_their_exact_hour(late: timedelta, level: int | None) -> None:
    clock = make(at(1, 8), 4)
    found = [n for trigger, n in told(clock, at(1, 12) + late) if trigger == "breach"]
    assert max(found, default=None) == level


def test_a_share_is_told_at_its_very_second_and_not_before() -> None:
    clock = make(at(1, 8), 4)
    assert told(clock, at(1, 10) - SECOND) == []
    assert told(clock, at(1, 10)) == [("threshold", 50)]


def test_what_passes_in_closed_hours_is_told_at_the_next_opening() -> None:
    """Due on Friday the 5th at 17:00 there: level 1 at once, the others pass at night and are told on Monday at 9."""
    clock = make(at(5, 12), 4, calendar=LONDON)
    breach = [s for s in steps(clock) if s.trigger == "breach"]
    assert [s.at for s in breach] == [at(5, 16), at(5, 20), at(6, 0)]
    assert [s.tell_at for s in breach] == [at(5, 16), at(8, 8), at(8, 8)]
    assert told(clock, at(8, 8) - SECOND)[-1] == ("breach", 1)
    assert told(clock, at(8, 8))[-2:] == [("breach", 2), ("breach", 3)]


def test_what_passes_exactly_at_closing_is_told_at_the_next_opening() -> None:
    clock = make(at(5, 15, 30), 2, calendar=LONDON)  # half of it has run when the desk closes at 17:30
    first = steps(clock)[0]
    assert (first.at, first.tell_at) == (at(5, 16, 30), at(8, 8))


def test_around_the_clock_it_is_told_at_once() -> None:
    assert all(s.tell_at == s.at for s in steps(make(at(6, 1), 4)))


def test_levels_count_elapsed_hours_closed_ones_too() -> None:
    clock = make(at(5, 12), 4, calendar=LONDON)
    assert told(clock, at(8, 8))[-1] == ("breach", 3)


def test_a_pause_moves_what_it_stands_before() -> None:
    pause = Pause(from_at=at(1, 9), to_at=at(1, 11))
    clock = make(at(1, 8), 4, pauses=(pause,), due_at=at(1, 14))
    assert [s.at for s in steps(clock)][:2] == [at(1, 12), at(1, 13)]


def test_a_clock_that_stands_still_tells_nothing_and_is_not_looked_at() -> None:
    clock = make(at(1, 8), 4, pauses=(Pause(from_at=at(1, 11)),), due_at=None, is_paused=True)
    assert told(clock, at(1, 12)) == []
    assert next_look(clock, steps(clock), at(1, 12)) is None


def test_one_that_was_breached_before_it_paused_goes_on() -> None:
    clock = make(at(1, 8), 4, pauses=(Pause(from_at=at(1, 13)),), is_paused=True)
    assert told(clock, at(1, 16))[-1] == ("breach", 2)
    assert next_look(clock, steps(clock), at(1, 16)) == at(1, 20)


def test_a_clock_that_is_over_has_no_steps() -> None:
    assert steps(make(at(1, 8), 4, is_over=True)) == []


def test_a_breach_by_a_changed_promise_counts_from_the_change() -> None:
    clock = make(at(1, 8), 4, breached_at=at(1, 18))
    breach = [s for s in steps(clock) if s.trigger == "breach"]
    assert [s.at for s in breach] == [at(1, 18), at(1, 18), at(1, 20)]


def test_where_only_a_date_is_known_shares_are_of_the_time_until_it() -> None:
    clock = Clock(started_at=at(1, 8), due_at=at(1, 18), calendar=ALWAYS)
    assert [s.at for s in steps(clock)][:2] == [at(1, 13), at(1, 15, 30)]


def test_a_calendar_that_never_opens_hides_no_breach() -> None:
    clock = replace(make(at(1, 8), 4), calendar=NEVER)
    assert told(clock, at(1, 12) + SECOND)[-1] == ("breach", 1)


def test_the_next_look_is_at_the_next_step_and_after_the_last_there_is_none() -> None:
    clock = make(at(1, 8), 4)
    looks = [at(1, 8)]
    while (following := next_look(clock, steps(clock), looks[-1])) is not None:
        assert following > looks[-1]
        looks.append(following)
    assert looks[1:] == [
        at(1, 10), at(1, 11), at(1, 11, 36), at(1, 12), at(1, 12) + SECOND, at(1, 16), at(1, 20),
    ]  # fmt: skip
