"""The imitated tenant's working time: zones, days off, and that adding and measuring agree."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.halopsa.sandbox import holidays, seeds
from connectors.halopsa.sandbox.workdays import Workday

HOUR = 3_600_000


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def shown(instant: int) -> str:
    return datetime.fromtimestamp(instant / 1000, UTC).isoformat()[:16]


def office(**more: Any) -> Workday:
    doc = next(doc for doc in seeds.workdays(2026) if doc["id"] == seeds.OFFICE_HOURS)
    return Workday({**doc, **more})


@pytest.mark.parametrize(
    ("start", "hours", "due"),
    [
        ("2026-03-27T16:30", 2, "2026-03-30T09:00"),  # clocks go forward on the Sunday
        ("2026-06-05T14:00", 4, "2026-06-08T09:30"),
        ("2026-05-22T16:00", 1, "2026-05-26T08:30"),  # spring bank holiday
        ("2026-06-03T15:30", 1, "2026-06-03T16:30"),  # exactly closing
        ("2026-12-24T12:00", 2, "2026-12-29T10:00"),  # half of Christmas Eve, then three days off
        ("2026-06-06T03:00", 0, "2026-06-06T03:00"),
    ],
)
def test_working_time_is_added(start: str, hours: int, due: str) -> None:
    assert shown(office().add(at(start), hours * HOUR)) == due


def test_what_was_added_is_measured() -> None:
    dice, hours = random.Random(7), office()
    for _round in range(2_000):
        start = at("2026-01-01T00:00") + dice.randrange(2 * 365 * 24) * HOUR + dice.randrange(HOUR)
        wanted = dice.randrange(1, 80 * HOUR)
        due = hours.add(start, wanted)
        assert hours.between(start, due) == wanted
        assert hours.between(start, due - 1) == wanted - 1


def test_a_span_far_back_is_laid_out_again() -> None:
    hours = office()
    assert shown(hours.add(at("2026-06-05T14:00"), HOUR)) == "2026-06-05T15:00"
    assert shown(hours.add(at("2016-02-29T08:00"), 2 * HOUR)) == "2016-02-29T11:00"
    assert office().between(at("2026-06-05T17:00"), at("2028-06-05T07:00")) > 4_000 * HOUR
    assert office().between(at("2026-06-05T17:00"), at("2026-06-08T07:00")) == 0
    assert hours.between(at("2016-02-29T00:00"), at("2016-03-01T00:00")) == int(8.5 * HOUR)


def test_never_open_counts_every_hour() -> None:
    closed = office(**{f"inc{day}": False for day in seeds.DAYS})
    assert closed.add(at("2026-06-05T14:00"), HOUR) == at("2026-06-05T15:00")
    everyday_off = [{"date": "2000-01-01T00:00:00", "end_date": "2050-01-01T00:00:00", "allday": True}]
    assert office(holidays=everyday_off).add(at("2026-06-05T14:00"), HOUR) == at("2026-06-05T15:00")


def test_around_the_clock_is_plain_time() -> None:
    always = Workday(seeds.WORKDAYS[0])
    assert always.is_always
    assert (always.add(5, HOUR), always.between(5, 7), always.between(7, 5)) == (5 + HOUR, 2, 0)


def test_bank_holidays() -> None:
    found = {doc["date"][:10] for doc in holidays.of_years(2, range(2026, 2029), eve_closes=None)}
    assert found == {
        "2026-01-01", "2026-04-03", "2026-04-06", "2026-05-04", "2026-05-25", "2026-08-31", "2026-12-25", "2026-12-28",
        "2027-01-01", "2027-03-26", "2027-03-29", "2027-05-03", "2027-05-31", "2027-08-30", "2027-12-27", "2027-12-28",
        "2028-01-03", "2028-04-14", "2028-04-17", "2028-05-01", "2028-05-29", "2028-08-28", "2028-12-25", "2028-12-26",
    }  # fmt: skip
