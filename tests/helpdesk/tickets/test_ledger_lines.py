"""The ledger as people read it: stretches, what is folded in them, who used the time, and the marks on the way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from helpdesk.sla.hours import Calendar, DayOff, Hours, Weekly
from helpdesk.sla.ledger import Pause, Run, Terms
from helpdesk.tickets.ledger_lines import (
    FEW,
    Happening,
    Held,
    bars,
    burn,
    closed_words,
    folded,
    lines,
    marks,
)

LONDON = Hours(zone="Europe/London", weekly=tuple(Weekly(day, 540, 1050) for day in range(5)))
OFFICE = Calendar(LONDON)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """Of June 2026, in London's summer time; the 1st is a Monday."""
    return datetime(2026, 6, day, hour, minute, tzinfo=UTC) - timedelta(hours=1)


MONDAY = at(1, 10)


def run_of(*pauses: Pause, start: datetime = MONDAY, calendar: Calendar = OFFICE, **values) -> Run:  # type: ignore[no-untyped-def]
    return Run(
        started_at=start, terms=(Terms(since=start, calendar=calendar, seconds=8 * 3600),), pauses=pauses, **values
    )


def test_a_night_is_folded_into_the_line_it_lies_in() -> None:
    (line,) = lines(run_of(), now=at(3, 11), happened=[Happening(at=at(1, 10), words="opened")], holidays={})
    assert (line.kind, line.from_at, line.to_at, line.cause) == ("running", at(1, 10), at(3, 11), "opened")
    assert line.seconds == (7.5 + 8.5 + 2) * 3600
    assert len(line.closed) == 2
    assert line.is_going_on
    assert closed_words(line.closed, ()) == "2 nights closed"


def test_a_weekend_and_a_holiday_are_named() -> None:
    hours = Hours(**{**vars(LONDON), "days_off": (DayOff(at(8, 12).date(), at(8, 12).date()),)})
    (line,) = lines(
        run_of(start=at(5, 16), calendar=Calendar(hours)), now=at(9, 10), happened=[],
        holidays={"Royal visit": (at(8, 0), at(9, 0)), "Boxing Day": (at(26, 0), at(27, 0))},
    )  # fmt: skip
    assert line.seconds == 2.5 * 3600
    assert line.holidays == ("Royal visit",)
    assert closed_words(line.closed, line.holidays) == "1 weekend closed, Royal visit"


def test_what_began_a_pause_and_what_ended_it_are_said() -> None:
    happened = [
        Happening(at=at(1, 10), words="opened"),
        Happening(at=at(1, 11), words="Waiting for you", by="Priya", is_seen=True),
        Happening(at=at(1, 12), words="the client wrote", by="Aoife"),
    ]
    found = lines(run_of(Pause(from_at=at(1, 11), to_at=at(1, 12))), now=at(1, 13), happened=happened, holidays={})
    assert [(x.kind, x.cause, x.by, x.is_seen) for x in found] == [
        ("running", "opened", "", False),
        ("paused", "Waiting for you", "Priya", True),
        ("running", "the client wrote", "Aoife", False),
    ]
    assert [x.is_going_on for x in found] == [False, False, True]


def test_a_finished_clock_goes_on_no_more() -> None:
    found = lines(run_of(finished_at=at(1, 12)), now=at(20, 9), happened=[], holidays={})
    assert [(x.to_at, x.is_going_on) for x in found] == [(at(1, 12), False)]


def test_only_closed_hours_are_a_line_of_their_own() -> None:
    (line,) = lines(run_of(start=at(6, 10)), now=at(6, 12), happened=[], holidays={})
    assert (line.kind, line.seconds) == ("closed", 0)


def test_many_changes_are_folded_between_the_first_and_the_last() -> None:
    pauses = [Pause(from_at=at(1, 10, n), to_at=at(1, 10, n + 1)) for n in range(1, 59, 2)]
    found = lines(run_of(*pauses), now=at(1, 12), happened=[], holidays={})
    first, hidden, last = folded(found)
    assert [*first, *hidden, *last] == found
    assert len(first) + len(last) == FEW
    assert folded(found[:FEW]) == (found[:FEW], (), ())


def test_the_time_is_whose_it_was() -> None:
    pause = Pause(from_at=at(1, 15), to_at=at(1, 16))
    found = lines(run_of(pause), now=at(2, 10), happened=[], holidays={})
    held = [Held(from_at=at(1, 10), name="Nobody"), Held(from_at=at(1, 12), name="Priya"),
            Held(from_at=at(1, 17), name="Marcus"), Held(from_at=at(2, 9, 30), name="Priya")]  # fmt: skip
    used = burn(found, OFFICE, held)
    assert used == [("Priya", (3 + 1 + 0.5) * 3600), ("Nobody", 2 * 3600), ("Marcus", 3600)]
    assert sum(seconds for _name, seconds in used) == sum(x.seconds for x in found if x.kind == "running")


def test_marks_say_when_each_share_was_used() -> None:
    found = marks(run_of(), (50, 75), at(1, 15))
    assert [(m.percent, m.at, m.is_over) for m in found] == [
        (50, at(1, 14), True), (75, at(1, 16), False), (100, at(2, 9, 30), False),
    ]  # fmt: skip
    paused = marks(run_of(Pause(from_at=at(1, 12))), (50,), at(1, 15))
    assert [(m.at, m.is_over) for m in paused] == [(None, False), (None, False)]
    assert [m.percent for m in marks(run_of(finished_at=at(1, 15)), (50,), at(3, 9))] == [50]


def test_bars_lie_side_by_side() -> None:
    found = bars(run_of(), now=at(1, 10) + timedelta(hours=24), end=at(1, 10) + timedelta(hours=24))
    assert [b.kind for b in found] == ["run", "closed", "run"]
    assert [b.x for b in found] == ["0.00%", "31.25%", "95.83%"]
    assert bars(run_of(), now=at(1, 10), end=at(1, 10)) == []


def test_parts_of_a_second_are_no_night() -> None:
    start = at(1, 10) + timedelta(microseconds=400_000)
    run = run_of(start=start, finished_at=at(1, 11) + timedelta(microseconds=700_000))
    (line,) = lines(run, now=at(2, 9), happened=[Happening(at=start, words="opened")], holidays={})
    assert (line.cause, line.closed) == ("opened", ())
