"""What must hold of every calendar, over zones with odd rules and histories in any order."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpdesk.sla.history import Moment, Standing, runs
from helpdesk.sla.hours import Calendar, DayOff, Hours, NeverOpen, Weekly
from helpdesk.sla.ledger import Pause, Run, Terms, burned, due, joined, read, slices

ZONES = (
    "Australia/Lord_Howe", "Pacific/Chatham", "Africa/Casablanca", "Asia/Kolkata", "America/St_Johns",
    "Europe/London", "America/Havana", "Africa/Cairo", "UTC",
)  # fmt: skip
FIRST = datetime(2025, 1, 1, tzinfo=UTC)
CASES = settings(max_examples=1_200, deadline=None)
"""Eight properties of 1,200 cases and more: about 10,000."""

_known: dict[Hours, Calendar] = {}


def calendar_of(hours: Hours) -> Calendar:
    """Laid out once per drawing, as the desk keeps them."""
    if len(_known) > 300:
        _known.clear()
    return _known.setdefault(hours, Calendar(hours))


@st.composite
def all_hours(draw: st.DrawFn) -> Hours:
    """Weeks with lunch, split shifts, nights and holidays; open on one day at least."""
    edges = st.integers(0, 95).map(lambda quarter: quarter * 15)
    weekly = [
        Weekly(draw(st.integers(0, 6)), opens, opens + draw(st.integers(1, 56)) * 15)
        for opens in draw(st.lists(edges, min_size=1, max_size=5))
    ]
    off = [
        DayOff(day, day + timedelta(days=draw(st.integers(0, 3))), draw(st.sampled_from((None, (540, 720)))))
        for day in draw(st.lists(st.dates(date(2025, 1, 1), date(2026, 12, 31)), max_size=3))
    ]
    return Hours(zone=draw(st.sampled_from(ZONES)), weekly=tuple(weekly), days_off=tuple(off))


calendars = all_hours().map(calendar_of)
instants = st.integers(0, 2 * 365 * 86_400).map(lambda s: FIRST + timedelta(seconds=s))
lengths = st.integers(1, 40 * 3600)


@st.composite
def pause_lists(draw: st.DrawFn) -> tuple[Pause, ...]:
    spans = draw(st.lists(st.tuples(instants, st.integers(-3600, 5 * 86_400)), max_size=4))
    return tuple(Pause(from_at=at, to_at=at + timedelta(seconds=length)) for at, length in spans)


@CASES
@given(calendars, instants, lengths)
def test_elapsed_until_due_is_the_target(calendar: Calendar, start: datetime, seconds: int) -> None:
    try:
        end = calendar.due(start, seconds)
    except NeverOpen:
        return
    assert calendar.elapsed(start, end) == seconds
    assert calendar.elapsed(start, end - timedelta(seconds=1)) == seconds - 1


@CASES
@given(calendars, instants, st.integers(1, 20 * 86_400))
def test_due_of_what_elapsed_is_the_instant(calendar: Calendar, start: datetime, later: int) -> None:
    at = start + timedelta(seconds=later)
    if calendar.elapsed(at - timedelta(seconds=1), at) == 0:
        return  # not inside (open, close] of an interval
    assert calendar.due(start, calendar.elapsed(start, at)) == at


@CASES
@given(calendars, instants, lengths, lengths)
def test_a_longer_target_is_never_due_earlier(calendar: Calendar, start: datetime, first: int, more: int) -> None:
    try:
        assert calendar.due(start, first) < calendar.due(start, first + more)
    except NeverOpen:
        return


@CASES
@given(calendars, instants, lengths, pause_lists(), pause_lists())
def test_another_pause_never_brings_a_deadline_nearer(
    calendar: Calendar, start: datetime, seconds: int, pauses: tuple[Pause, ...], more: tuple[Pause, ...]
) -> None:
    try:
        before = due(calendar, joined(pauses, start=start), start, seconds)
        after = due(calendar, joined(pauses + more, start=start), start, seconds)
    except NeverOpen:
        return
    assert before is not None
    assert after is not None
    assert after >= before


@CASES
@given(calendars, instants, lengths, pause_lists())
def test_what_burns_until_due_is_the_target(
    calendar: Calendar, start: datetime, seconds: int, pauses: tuple[Pause, ...]
) -> None:
    whole = joined(pauses, start=start)
    try:
        end = due(calendar, whole, start, seconds)
    except NeverOpen:
        return
    assert end is not None
    assert burned(calendar, whole, start, end) == seconds


@CASES
@given(calendars, instants, pause_lists(), st.integers(1, 30 * 86_400), st.integers(0, 30 * 86_400))
def test_splitting_changes_nothing(
    calendar: Calendar, start: datetime, pauses: tuple[Pause, ...], length: int, cut: int
) -> None:
    end = start + timedelta(seconds=length)
    middle = min(end, start + timedelta(seconds=cut))
    whole = joined(pauses, start=start)
    total = burned(calendar, whole, start, end)
    assert burned(calendar, whole, start, middle) + burned(calendar, whole, middle, end) == total
    run = Run(started_at=start, terms=(Terms(since=start, calendar=calendar, seconds=3600),), pauses=pauses)
    told = slices(run, until=end)
    assert sum(s.seconds for s in told if s.kind == "running") == total
    assert (told[0].from_at, told[-1].to_at) == (start, end)
    assert all(a.to_at == b.from_at for a, b in pairwise(told))


@CASES
@given(calendars, instants, st.integers(1, 20))
def test_working_days_end_on_a_working_day_and_in_order(calendar: Calendar, start: datetime, days: int) -> None:
    try:
        first, second = calendar.due_in_days(start, days), calendar.due_in_days(start, days + 1)
    except NeverOpen:
        return
    assert start < first < second


STANDING: tuple[Standing | None, ...] = (None, "running", "paused", "stopped")


@st.composite
def histories(draw: st.DrawFn) -> list[Moment]:
    found = []
    for place, at in enumerate(draw(st.lists(instants, max_size=8))):
        found.append(
            Moment(
                at=at, key=str(place), order=place, standing=draw(st.sampled_from(STANDING)),
                waits_for_client=draw(st.booleans()), hold=draw(st.sampled_from((None, None, True, False))),
                is_client_message=draw(st.booleans()), is_response=draw(st.booleans()),
            )
        )  # fmt: skip
    return found


@CASES
@given(calendars, histories(), st.randoms(use_true_random=False))
def test_events_late_twice_or_backwards_give_the_same_runs(
    calendar: Calendar, told: list[Moment], chance: random.Random
) -> None:
    terms = (Terms(since=FIRST, calendar=calendar, seconds=8 * 3600),)
    usual = runs(told, started_at=FIRST, response=terms, resolution=terms)
    again = [*told, *told[::2]]
    chance.shuffle(again)
    assert runs(again, started_at=FIRST, response=terms, resolution=terms) == usual
    now = FIRST + timedelta(days=800)
    assert read(usual.resolution, now=now).state in ("not_started", "running", "at_risk", "paused", "met", "breached")


@pytest.mark.parametrize("zone", ZONES)
def test_always_open_is_plain_time(zone: str) -> None:
    calendar = Calendar(Hours(zone=zone, is_always=True))
    start = datetime(2026, 3, 28, 12, tzinfo=UTC)
    assert calendar.due(start, 86_400) == start + timedelta(days=1)
    assert calendar.elapsed(start, start + timedelta(days=1)) == 86_400
