"""Why our deadline and the PSA's differ: each reason by an example, and what is near enough to be the same."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from helpdesk.sla.hours import Calendar, Hours, Weekly
from helpdesk.sla.ledger import Pause, Run, Terms, crossed
from helpdesk.tickets.differing import ALWAYS, why

LONDON = Calendar(Hours(zone="Europe/London", weekly=tuple(Weekly(day, 540, 1050) for day in range(5))))
LONG = Calendar(Hours(zone="Europe/London", weekly=tuple(Weekly(day, 480, 1200) for day in range(6))))
START = datetime(2026, 6, 3, 9, 0, tzinfo=UTC)  # Wednesday 10:00 in London
HOUR = timedelta(hours=1)


def run(*pauses: tuple[float, float | None], seconds: int = 4 * 3600, **more: Any) -> Run:
    terms = Terms(since=START, calendar=more.pop("calendar", LONDON), seconds=seconds)
    found = tuple(Pause(from_at=START + a * HOUR, to_at=None if b is None else START + b * HOUR) for a, b in pauses)
    return Run(started_at=START, terms=(terms,), pauses=found, **more)


def ask(clock: Run, theirs: datetime | None, *, kind: str = "resolution", **more: Any) -> str:
    return why(kind=kind, run=clock, ours=crossed(clock, 1), theirs=theirs, **more)


@pytest.mark.parametrize("seconds", [0, 59, -60])
def test_near_enough_is_the_same(seconds: int) -> None:
    assert ask(run(), START + 4 * HOUR + timedelta(seconds=seconds)) == ""


def test_who_says_nothing_does_not_differ() -> None:
    assert ask(run(), None) == ""
    assert ask(Run(started_at=START, terms=()), START) == ""
    nothing = Run(started_at=START, terms=(Terms(since=START, calendar=LONDON),))
    assert ask(nothing, START) == ""
    never = run(calendar=Calendar(Hours(zone="UTC")))
    assert ask(never, START) == ""


def test_a_pause_that_the_psa_does_not_count() -> None:
    assert ask(run((1, 2)), START + 4 * HOUR) == "pause"
    both = run((1, 2), (3, 3.5))
    assert ask(both, START + 4.5 * HOUR) == "pause", "it counts the second one only"
    assert ask(both, START + 5 * HOUR) == "pause", "it counts the first one only"
    assert ask(both, START + 5.5 * HOUR) == ""


def test_a_pause_that_the_psa_counts_by_the_wall_clock() -> None:
    overnight = run((6, 24.5))  # 16:00 to 10:30: three open hours
    overnight = Run(started_at=START + 4 * HOUR, terms=overnight.terms, pauses=overnight.pauses)
    bare = datetime(2026, 6, 4, 8, 30, tzinfo=UTC)
    assert ask(overnight, bare + 18.5 * HOUR) == "pause"


def test_many_pauses_are_tried_one_by_one() -> None:
    many = run(*((0.1 * n, 0.1 * n + 0.05) for n in range(1, 10)))
    begun = time.process_time()
    assert ask(many, START + 4 * HOUR + timedelta(minutes=24)) == "pause"
    assert ask(many, START + 50 * HOUR) == "unknown"
    assert time.process_time() - begun < 0.5


def test_another_target_of_the_policy() -> None:
    others = [(3600, False), (8 * 3600, False), (2 * 86_400, True)]
    assert ask(run(), START + HOUR, targets=others) == "target"
    assert ask(run((0.5, 1.5)), START + 2 * HOUR, targets=[(3600, False)]) == "target", "with the pauses that were"
    assert ask(run(), START + 48 * HOUR, targets=others) == "target", "two working days on"
    assert ask(run(), START + 3 * HOUR, targets=others) == "unknown"


def test_other_opening_hours() -> None:
    clock = run(seconds=8 * 3600)  # Thursday 09:30 in London, for it is open 7.5 hours more
    assert crossed(clock, 1) == datetime(2026, 6, 4, 8, 30, tzinfo=UTC)
    assert ask(clock, START + 8 * HOUR) == "calendar", "around the clock"
    later = run(seconds=12 * 3600)
    by_long = datetime(2026, 6, 4, 9, 0, tzinfo=UTC)
    assert ask(later, by_long) == "unknown"
    assert ask(later, by_long, calendars=[LONG]) == "calendar"
    assert ask(run((1, 2), seconds=8 * 3600), START + 8 * HOUR) == "calendar", "and it counted no pause"
    assert ask(run(seconds=8 * 3600, calendar=ALWAYS), START + 9 * HOUR) == "unknown"


def test_edited_by_hand() -> None:
    theirs = START + 7 * HOUR
    assert ask(run(), theirs, deadline_at=theirs) == "hand"
    assert ask(run(), theirs, deadline_at=theirs + HOUR) == "unknown"
    assert ask(run((1, 2)), START + 4 * HOUR, deadline_at=START + 4 * HOUR) == "pause", "what can be shown comes first"
    corrected = why(kind="resolution", run=run(), ours=START + 9 * HOUR, theirs=START + 4 * HOUR, is_corrected=True)
    assert corrected == "hand"
    agreed = why(kind="resolution", run=run(), ours=theirs, theirs=theirs, is_corrected=True)
    assert agreed == ""


def test_a_clock_that_stands_still_is_compared_as_if_it_went_on() -> None:
    held = run((1, None))
    assert crossed(held, 1) is None
    assert ask(held, START + 4 * HOUR) == ""
    assert ask(held, START + HOUR, targets=[(3600, False)]) == "target"


def test_another_first_response() -> None:
    clock = run((1, 2), finished_at=START + 3 * HOUR)
    answered = START + HOUR / 2
    assert ask(clock, START + 4 * HOUR, kind="response", their_response_at=answered) == "response"
    assert ask(clock, START + 4 * HOUR, kind="resolution", their_response_at=answered) == "pause"
    same = START + 3 * HOUR
    assert ask(clock, START + 4 * HOUR, kind="response", their_response_at=same) == "pause"


def test_the_same_date_kept_by_one_response_and_missed_by_the_other() -> None:
    late = run(finished_at=START + 5 * HOUR)
    due = START + 4 * HOUR
    assert ask(late, due, kind="response", their_response_at=START + HOUR) == "response"
    assert ask(late, due, kind="response", their_response_at=START + 6 * HOUR) == ""
    assert ask(late, due, kind="response", their_response_at=None) == ""
    assert ask(late, due, kind="resolution", their_response_at=START + HOUR) == ""


def test_the_usual_case_costs_nothing() -> None:
    clock, theirs = run((1, 2)), START + 5 * HOUR
    begun = time.process_time()
    for _again in range(1_000):
        assert why(kind="resolution", run=clock, ours=theirs, theirs=theirs) == ""
    assert time.process_time() - begun < 0.1
