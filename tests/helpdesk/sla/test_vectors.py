"""The promises of the clock, case by case: business hours, pauses, changed terms, reopening."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from helpdesk.sla.history import USUAL, Choices, Moment, runs
from helpdesk.sla.hours import Calendar, DayOff, Hours, NeverOpen, Weekly
from helpdesk.sla.ledger import Pause, Run, Terms, crossed, level_of, read, slices, what_if

LONDON, HOUR = ZoneInfo("Europe/London"), 3600
WEEK = tuple(Weekly(day, 9 * 60, 17 * 60 + 30) for day in range(5))
LON = Calendar(Hours(zone="Europe/London", weekly=WEEK))
LUNCH = Calendar(
    Hours(
        zone="Europe/London", weekly=tuple(Weekly(d, o * 60, c * 60) for d in range(5) for o, c in ((9, 12), (13, 17)))
    )
)
NIGHT = Calendar(Hours(zone="Europe/London", weekly=tuple(Weekly(d, 22 * 60, 30 * 60) for d in range(7))))
ALWAYS = Calendar(Hours(zone="Europe/London", is_always=True))
LATER = datetime(2027, 1, 1, tzinfo=UTC)


def at(day: int, month: int, clock: str, zone: ZoneInfo = LONDON) -> datetime:
    hour, minute, *second = (int(part) for part in clock.split(":"))
    return datetime(2026, month, day, hour, minute, *second, tzinfo=zone).astimezone(UTC)


def run(start: datetime, seconds: int, *pauses: tuple[datetime, datetime | None], calendar: Calendar = LON) -> Run:
    return Run(
        started_at=start,
        terms=(Terms(since=start, calendar=calendar, seconds=seconds),),
        pauses=tuple(Pause(from_at=a, to_at=b) for a, b in pauses),
    )


def due_of(one: Run, now: datetime | None = None) -> datetime | None:
    return read(one, now=now or one.started_at).due_at


FRIDAY = at(5, 6, "15:00")


@pytest.mark.parametrize(
    ("start", "seconds", "calendar", "expected"),
    [
        pytest.param(at(27, 3, "16:30"), 2 * HOUR, LON, at(30, 3, "10:00"), id="over the spring change"),
        pytest.param(FRIDAY, 4 * HOUR, LON, at(8, 6, "10:30"), id="over a weekend"),
        pytest.param(at(3, 6, "11:30"), HOUR, LUNCH, at(3, 6, "13:30"), id="over lunch"),
        pytest.param(at(3, 6, "12:15"), HOUR // 2, LUNCH, at(3, 6, "13:30"), id="from lunch"),
        pytest.param(at(3, 6, "17:30"), HOUR // 2, LON, at(4, 6, "09:30"), id="from closing"),
        pytest.param(at(3, 6, "16:30"), HOUR, LON, at(3, 6, "17:30"), id="until closing"),
        pytest.param(at(24, 10, "23:50"), 4 * HOUR, ALWAYS, at(25, 10, "02:50"), id="around the clock, autumn"),
    ],
)
def test_due_without_a_pause(start: datetime, seconds: int, calendar: Calendar, expected: datetime) -> None:
    assert due_of(run(start, seconds, calendar=calendar)) == expected


def test_the_spring_deadline_in_utc() -> None:
    assert due_of(run(at(27, 3, "16:30"), 2 * HOUR)) == datetime(2026, 3, 30, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("pause", "expected"),
    [
        pytest.param((at(5, 6, "16:30"), at(8, 6, "09:30")), at(8, 6, "12:00"), id="reaching into hours"),
        pytest.param((at(5, 6, "18:00"), at(8, 6, "08:00")), at(8, 6, "10:30"), id="outside hours"),
    ],
)
def test_a_pause_counts_business_time_only(pause: tuple[datetime, datetime], expected: datetime) -> None:
    assert due_of(run(FRIDAY, 4 * HOUR, pause)) == expected


def test_a_holiday_closes_its_local_date() -> None:
    bank = DayOff(date(2026, 5, 25), date(2026, 5, 25))
    calendar = Calendar(Hours(zone="Europe/London", weekly=WEEK, days_off=(bank,)))
    assert due_of(run(at(22, 5, "17:00"), HOUR, calendar=calendar)) == at(26, 5, "09:30")


def test_a_half_day_is_open_within_its_hours() -> None:
    eve = DayOff(date(2026, 12, 24), date(2026, 12, 24), hours=(9 * 60, 12 * 60))
    calendar = Calendar(Hours(zone="Europe/London", weekly=WEEK, days_off=(eve,)))
    assert due_of(run(at(24, 12, "11:00"), 2 * HOUR, calendar=calendar)) == at(25, 12, "10:00")


def test_a_holiday_cuts_a_night_shift() -> None:
    off = DayOff(date(2026, 6, 4), date(2026, 6, 4))
    calendar = Calendar(Hours(zone="Europe/London", weekly=NIGHT.hours.weekly, days_off=(off,)))
    assert calendar.elapsed(at(3, 6, "12:00"), at(5, 6, "12:00")) == (2 + 6) * HOUR


def test_new_york_hours_for_a_ticket_of_london() -> None:
    zone = ZoneInfo("America/New_York")
    calendar = Calendar(Hours(zone=zone.key, weekly=tuple(Weekly(d, 9 * 60, 17 * 60) for d in range(5))))
    for month in (3, 6):
        assert due_of(run(at(16, month, "08:00"), HOUR, calendar=calendar)) == at(16, month, "10:00", zone)
        assert at(16, month, "10:00", zone) == datetime(2026, month, 16, 14, tzinfo=UTC)


@pytest.mark.parametrize(("day", "month", "hours"), [(28, 3, 7), (24, 10, 9)])
def test_a_night_shift_over_the_change_of_clocks(day: int, month: int, hours: int) -> None:
    assert NIGHT.elapsed(at(day, month, "12:00"), at(day + 1, month, "12:00")) == hours * HOUR


def status(when: datetime, standing: str, *, waits: bool = False, cause: str = "") -> Moment:
    return Moment(
        at=when,
        key=f"{when.isoformat()} {standing}",
        standing=standing,
        waits_for_client=waits,
        cause=cause,  # type: ignore[arg-type]
    )


def resolution(
    start: datetime, seconds: int, *moments: Moment, choices: Choices = USUAL, calendar: Calendar = LON
) -> Run:
    terms = (Terms(since=start, calendar=calendar, seconds=seconds),)
    return runs(moments, started_at=start, response=terms, resolution=terms, choices=choices).resolution


def test_closed_time_of_a_reopened_ticket_is_a_pause() -> None:
    start = at(1, 6, "10:00")
    moments = status(at(2, 6, "10:00"), "stopped"), status(at(4, 6, "10:00"), "running")
    found = resolution(start, 12 * HOUR, *moments)
    assert due_of(found, at(4, 6, "10:00")) == at(4, 6, "13:30")
    anew = resolution(start, 12 * HOUR, *moments, choices=Choices(reopen="restarts"))
    assert anew.started_at == at(4, 6, "10:00")
    assert due_of(anew) == at(5, 6, "13:30")


def test_a_raised_priority_counts_from_the_start() -> None:
    start, raised = at(3, 6, "16:00"), at(4, 6, "09:30")
    low = Terms(since=start, calendar=LON, seconds=8 * HOUR)
    assert read(Run(started_at=start, terms=(low,)), now=raised).due_at == at(4, 6, "15:30")
    high = Terms(since=raised, calendar=LON, seconds=4 * HOUR)
    reading = read(Run(started_at=start, terms=(low, high)), now=raised)
    assert (reading.due_at, reading.state) == (at(4, 6, "11:30"), "running")
    around = Terms(since=raised, calendar=ALWAYS, seconds=4 * HOUR)
    reading = read(Run(started_at=start, terms=(low, around)), now=at(4, 6, "10:00"))
    assert (reading.due_at, reading.breached_at, reading.is_retroactive) == (at(3, 6, "20:00"), raised, True)
    assert reading.state == "breached"


def test_a_breach_before_the_change_is_not_retroactive() -> None:
    start = at(3, 6, "10:00")
    terms = (
        Terms(since=start, calendar=LON, seconds=HOUR),
        Terms(since=at(3, 6, "12:00"), calendar=LON, seconds=HOUR // 2),
    )
    reading = read(Run(started_at=start, terms=terms), now=at(3, 6, "13:00"))
    assert (reading.breached_at, reading.is_retroactive) == (at(3, 6, "11:00"), False)
    eased = (*terms, Terms(since=at(3, 6, "12:30"), calendar=LON, seconds=8 * HOUR))
    assert read(Run(started_at=start, terms=eased), now=at(3, 6, "13:00")).state == "running"


def test_terms_that_keep_what_was_consumed() -> None:
    start, raised = at(3, 6, "09:00"), at(3, 6, "11:00")
    terms = (
        Terms(since=start, calendar=LON, seconds=8 * HOUR),
        Terms(since=raised, calendar=LON, seconds=3 * HOUR, keeps_consumed=True),
    )
    one = Run(started_at=start, terms=terms)
    assert read(one, now=raised).due_at == at(3, 6, "12:00")
    reading = read(replace(one, finished_at=at(3, 6, "11:59")), now=at(3, 6, "13:00"))
    assert (reading.target, reading.state) == (3 * HOUR, "met"), "the whole promise, not what was left of it"
    assert reading.burned == 3 * HOUR - 60
    assert crossed(one, 0.9) == at(3, 6, "11:42")


def test_a_pause_of_twenty_seconds() -> None:
    start = at(3, 6, "10:00")
    assert due_of(run(start, HOUR, (at(3, 6, "10:00:50"), at(3, 6, "10:01:10")))) == at(3, 6, "11:00:20")


def test_nothing_burns_until_the_first_running_status() -> None:
    start = at(3, 6, "10:00")
    found = resolution(start, HOUR, status(start, "paused"))
    reading = read(found, now=at(9, 6, "10:00"))
    assert (reading.state, reading.left, reading.due_at) == ("paused", HOUR, None)
    found = resolution(start, HOUR, status(start, "paused"), status(at(4, 6, "10:00"), "running"))
    assert due_of(found, LATER) == at(4, 6, "11:00")
    assert read(resolution(start, HOUR, status(start, "stopped")), now=LATER).state == "met"


def client(when: datetime) -> Moment:
    return Moment(at=when, key=f"{when.isoformat()} client", is_client_message=True)


def test_a_message_of_the_client_resumes() -> None:
    start = at(3, 6, "10:00")
    waits = status(at(3, 6, "10:30"), "paused", waits=True)
    found = resolution(start, HOUR, waits, client(at(3, 6, "12:00")))
    assert due_of(found, at(3, 6, "12:00")) == at(3, 6, "12:30")
    kept = resolution(start, HOUR, waits, client(at(3, 6, "12:00")), choices=Choices(client_resumes=False))
    assert read(kept, now=at(3, 6, "13:00")).state == "paused"
    third = status(at(3, 6, "10:30"), "paused")
    assert read(resolution(start, HOUR, third, client(at(3, 6, "12:00"))), now=at(3, 6, "13:00")).state == "paused"


def test_only_what_the_client_sees_of_a_person_is_a_response() -> None:
    start = at(3, 6, "10:00")
    terms = (Terms(since=start, calendar=LON, seconds=HOUR),)
    told = [
        client(at(3, 6, "10:05")),
        status(at(3, 6, "10:10"), "running"),
        Moment(at=at(3, 6, "10:40"), key="mail", is_response=True),
    ]
    found = runs(told, started_at=start, response=terms, resolution=terms)
    assert found.response.finished_at == at(3, 6, "10:40")
    assert runs(told[:2], started_at=start, response=terms, resolution=terms).response.finished_at is None


def test_pauses_join_and_skew_counts_nothing() -> None:
    start = at(3, 6, "10:00")
    found = run(
        start, HOUR,
        (at(3, 6, "10:10"), at(3, 6, "10:10:20")), (at(3, 6, "10:10:30"), at(3, 6, "10:10:40")),
        (at(3, 6, "10:20"), at(3, 6, "10:30")), (at(3, 6, "10:25"), at(3, 6, "10:40")),
        (at(3, 6, "10:50"), at(3, 6, "10:45")),
    )  # fmt: skip
    assert due_of(found) == at(3, 6, "11:20:30")


def test_resolved_in_the_second_it_is_due() -> None:
    start = at(3, 6, "10:00")
    found = resolution(start, HOUR, status(at(3, 6, "11:00"), "stopped"))
    assert read(found, now=LATER).state == "met"
    late = resolution(start, HOUR, status(at(3, 6, "11:00:01"), "stopped"))
    reading = read(late, now=LATER)
    assert (reading.state, reading.over, reading.breached_at) == ("breached", 1, at(3, 6, "11:00"))


def test_what_a_press_would_do() -> None:
    one = run(FRIDAY, 4 * HOUR)
    now = at(5, 6, "16:00")
    assert what_if(one, now=now, pauses_now=True).state == "paused"
    assert what_if(one, now=now, terms=Terms(since=now, calendar=LON, seconds=2 * HOUR)).due_at == at(5, 6, "17:00")
    resumed = what_if(run(FRIDAY, 4 * HOUR, (at(5, 6, "15:30"), None)), now=now, pauses_now=False)
    assert resumed.due_at == at(8, 6, "11:00")


def test_two_working_days_are_not_sixteen_hours() -> None:
    def days(start: datetime, count: int, *pauses: Pause) -> datetime | None:
        terms = (Terms(since=start, calendar=LON, days=count),)
        return read(Run(started_at=start, terms=terms, pauses=pauses), now=start).due_at

    assert days(FRIDAY, 2) == at(9, 6, "15:00")
    assert days(at(6, 6, "15:00"), 1) == at(9, 6, "09:00")
    pause = Pause(from_at=at(8, 6, "10:00"), to_at=at(8, 6, "11:00"))
    assert days(FRIDAY, 2, pause) == at(9, 6, "16:00")


def test_a_calendar_that_never_opens_says_so() -> None:
    shut = Calendar(Hours(zone="Europe/London", weekly=()))
    assert read(run(FRIDAY, HOUR, calendar=shut), now=FRIDAY).problem == "never_open"
    with pytest.raises(NeverOpen):
        shut.next_open(FRIDAY)
    with pytest.raises(NeverOpen):
        LON.due(FRIDAY, 200 * 365 * 86_400)
    with pytest.raises(ValueError, match="unknown time zone"):
        Calendar(Hours(zone="Europe/Atlantis"))


def test_the_ledger_leaves_no_gap_and_adds_up() -> None:
    one = run(FRIDAY, 4 * HOUR, (at(5, 6, "16:30"), at(8, 6, "09:30")))
    found = slices(one, until=at(8, 6, "18:00"))
    assert [(s.kind, s.seconds) for s in found] == [
        ("running", 5400), ("paused", 5400), ("running", 8 * HOUR), ("closed", 0),
    ]  # fmt: skip
    assert all(a.to_at == b.from_at for a, b in pairwise(found))
    assert (found[0].from_at, found[-1].to_at) == (FRIDAY, at(8, 6, "18:00"))


@pytest.mark.parametrize(("hours", "level"), [(0, 1), (3.99, 1), (4, 2), (7.99, 2), (8, 3), (90, 3)])
def test_escalation_levels(hours: float, level: int) -> None:
    assert level_of(timedelta(hours=hours)) == level


def test_a_breached_clock_stays_breached_while_it_stands_still() -> None:
    one = run(at(3, 6, "10:00"), HOUR, (at(3, 6, "11:30"), None))
    reading = read(one, now=at(4, 6, "12:00"))
    assert (reading.state, reading.breached_at) == ("breached", at(3, 6, "11:00"))


def test_what_stands_still_after_the_answer_moves_no_response() -> None:
    start, terms = at(3, 6, "10:00"), Terms(since=at(3, 6, "10:00"), calendar=LON, seconds=4 * HOUR)
    moments = [
        Moment(at=at(3, 6, "11:00"), key="answer", is_response=True),
        Moment(at=at(3, 6, "12:00"), key="waits", standing="paused"),
        Moment(at=at(3, 6, "13:00"), key="goes on", standing="running"),
    ]
    found = runs(moments, started_at=start, response=(terms,), resolution=(terms,))
    now = at(3, 6, "13:30")
    assert due_of(found.response, now) == at(3, 6, "14:00")
    assert due_of(found.resolution, now) == at(3, 6, "15:00")


def test_hours_that_were_mended_speak_again_though_they_never_opened_before() -> None:
    start, mended = at(3, 6, "10:00"), at(4, 6, "10:00")
    never = Terms(since=start, calendar=Calendar(Hours(zone="Europe/London")), seconds=HOUR)
    one = Run(started_at=start, terms=(never, Terms(since=mended, calendar=LON, seconds=HOUR)))
    reading = read(one, now=at(4, 6, "12:00"))
    assert (reading.state, reading.problem, reading.due_at) == ("breached", "", at(3, 6, "11:00"))
    assert (reading.breached_at, reading.is_retroactive) == (mended, True)


def test_a_part_of_the_second_in_which_it_is_due_is_in_time() -> None:
    start = at(3, 6, "10:00")
    for part, state in ((999_999, "met"), (1_000_000, "breached")):
        end = at(3, 6, "11:00") + timedelta(microseconds=part)
        one = replace(run(start, HOUR), finished_at=end)
        assert read(one, now=LATER).state == state


def test_a_night_with_exactly_the_margin_left_is_at_no_risk() -> None:
    one = run(at(3, 6, "09:00"), 8 * HOUR + HOUR // 2 + HOUR)
    night = read(one, now=at(3, 6, "22:00"))
    assert (night.state, night.left, night.due_at) == ("running", HOUR, at(4, 6, "10:00"))
    assert night.at_risk_at == at(4, 6, "09:00:01")
    assert read(one, now=at(4, 6, "09:00")).state == "running"
    assert read(one, now=night.at_risk_at).state == "at_risk"
