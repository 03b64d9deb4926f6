from __future__ import annotations

from datetime import date

import pytest

from helpdesk.reports.figures import cut
from helpdesk.reports.periods import MOST_DAYS, read_period, span_words

TODAY = date(2026, 11, 17)


@pytest.mark.parametrize(
    ("name", "first", "last", "before_first", "before_last"),
    [
        ("today", "2026-11-17", "2026-11-17", "2026-11-16", "2026-11-16"),
        ("7d", "2026-11-11", "2026-11-17", "2026-11-04", "2026-11-10"),
        ("30d", "2026-10-19", "2026-11-17", "2026-09-19", "2026-10-18"),
        ("month", "2026-11-01", "2026-11-17", "2026-10-01", "2026-10-17"),
        ("quarter", "2026-10-01", "2026-11-17", "2026-07-01", "2026-08-17"),
        ("year", "2025-12-01", "2026-11-17", "2024-12-01", "2025-11-17"),
    ],
)
def test_named_periods(name: str, first: str, last: str, before_first: str, before_last: str) -> None:
    period = read_period({"period": name}, today=TODAY)
    assert [str(d) for d in (period.first, period.last, period.before_first, period.before_last)] == [
        first, last, before_first, before_last,
    ]  # fmt: skip
    assert period.notes == ()


@pytest.mark.parametrize(
    ("data", "first", "last", "said"),
    [
        ({"from": "2026-03-05", "to": "2026-03-01"}, "2026-03-01", "2026-03-05", "turned them round"),
        ({"from": "2026-11-10", "to": "2027-01-01"}, "2026-11-10", "2026-11-17", "ends today"),
        ({"from": "2027-01-01", "to": "2027-02-01"}, "2026-10-19", "2026-11-17", "still to come"),
        ({"period": "custom"}, "2026-10-19", "2026-11-17", "No days"),
        ({"period": "fortnight"}, "2026-10-19", "2026-11-17", "not one of ours"),
        ({"from": "soon", "to": "<b>"}, "2026-10-19", "2026-11-17", "not a day"),
        ({"period": "7d", "from": "2026-01-01"}, "2026-11-11", "2026-11-17", "left out"),
        ({"from": "2026-11-01"}, "2026-11-01", "2026-11-17", ""),
        ({"from": "0001-01-01", "to": "0001-01-02"}, "2026-10-19", "2026-11-17", ""),
    ],
)
def test_what_makes_no_sense_is_put_right_and_said(data: dict[str, str], first: str, last: str, said: str) -> None:
    period = read_period(data, today=TODAY)
    assert (str(period.first), str(period.last)) == (first, last)
    assert said in " ".join(period.notes)


@pytest.mark.parametrize(
    ("first", "last", "before_first", "before_last"),
    [
        ("2026-03-01", "2026-03-31", "2026-02-01", "2026-02-28"),
        ("2026-02-01", "2026-02-28", "2026-01-01", "2026-01-31"),
        ("2025-12-01", "2026-02-28", "2025-09-01", "2025-11-30"),
        ("2025-01-01", "2025-12-31", "2024-01-01", "2024-12-31"),
        ("2026-03-01", "2026-03-30", "2026-01-30", "2026-02-28"),
        ("2026-03-02", "2026-03-31", "2026-01-31", "2026-03-01"),
    ],
)
def test_whole_months_are_held_against_whole_months(
    first: str, last: str, before_first: str, before_last: str
) -> None:  # fmt: skip
    """As the mail of every month asks for them."""
    period = read_period({"from": first, "to": last}, today=TODAY)
    assert (str(period.before_first), str(period.before_last)) == (before_first, before_last)


def test_fifty_years_are_five() -> None:
    period = read_period({"from": "1976-01-01", "to": "2026-11-17"}, today=TODAY)
    assert period.days == MOST_DAYS
    assert "five years" in period.notes[0]


def test_what_stands_instead_of_days_to_come_is_said() -> None:
    assert read_period({"from": "2027-01-01", "to": "2027-02-01"}, today=TODAY).notes == (
        "These days are still to come: there is nothing to count yet.", "Instead, this is of the last 30 days.",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("first", "last", "months", "days"),
    [
        ((2026, 1, 1), (2026, 1, 31), [((2026, 1, 1), (2026, 1, 1))], []),
        ((2026, 1, 2), (2026, 1, 31), [], [((2026, 1, 2), (2026, 1, 31))]),
        (
            (2025, 11, 9), (2026, 2, 12), [((2025, 12, 1), (2026, 1, 1))],
            [((2025, 11, 9), (2025, 11, 30)), ((2026, 2, 1), (2026, 2, 12))],
        ),
    ],
)  # fmt: skip
def test_a_period_is_whole_months_and_the_days_around(first: tuple, last: tuple, months: list, days: list) -> None:
    found = cut(date(*first), date(*last))
    assert list(found.months) == [(date(*a), date(*b)) for a, b in months]
    assert list(found.days) == [(date(*a), date(*b)) for a, b in days]


def test_days_in_words() -> None:
    assert span_words(date(2025, 12, 1), date(2026, 11, 17)) == "1 Dec 2025 to 17 Nov 2026"
    assert span_words(TODAY, TODAY) == "17 Nov 2026"
