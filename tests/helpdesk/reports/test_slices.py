from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest

from helpdesk.reports.contributions import ClockFacts, Facts, TimeFacts
from helpdesk.reports.contributions import counted as all_counted
from helpdesk.reports.shapes import hours
from helpdesk.reports.slices import ANSWER_EDGES, COUNTERS, SLICES, SUMS, Contribution, Keys, differences, quantile
from helpdesk.reports.trends import _tick

LONDON = ZoneInfo("Europe/London")
OPENED = datetime(2026, 6, 3, 23, 30, tzinfo=UTC)
"""Half past midnight on 4 June in London."""


def facts(**values: object) -> Facts:
    given = {"keys": Keys(client=1, team=2, rank=3, agent=4), "status": "open", "opened_at": OPENED, **values}
    return Facts(**given)  # type: ignore[arg-type]


def contributions(known: Facts, zone: tzinfo) -> tuple[Contribution, ...]:
    return all_counted(known, zone).parts


def counted(**values: object) -> list[tuple[date, int, dict[str, int]]]:
    return [
        (part.day, part.keys.agent, {n: v for n, v in zip(COUNTERS, part.counts, strict=True) if v})
        for part in contributions(facts(**values), LONDON)
    ]


def test_days_are_those_of_the_organisations_zone() -> None:
    assert counted() == [(date(2026, 6, 4), 4, {"opened": 1})]
    assert [p.day for p in contributions(facts(), UTC)] == [date(2026, 6, 3)]


def test_a_finished_ticket_counts_on_its_own_days() -> None:
    end = OPENED + timedelta(days=2)
    found = counted(
        status="closed", finished_at=end, first_responded_at=OPENED + timedelta(minutes=5),
        clocks=[
            ClockFacts(kind="response", is_breached=False, finished_at=OPENED + timedelta(minutes=5)),
            ClockFacts(kind="resolution", is_breached=True, finished_at=end, is_retroactive=True),
        ],
        time=[TimeFacts(agent=9, ended_at=end, seconds=900, is_billable=True)],
    )  # fmt: skip
    assert found == [
        (date(2026, 6, 4), 4, {"opened": 1, "answered": 1, "answer_seconds": 300, "response_met": 1}),
        (
            date(2026, 6, 6), 4,
            {"finished": 1, "closed": 1, "resolution_breached": 1, "retroactive": 1, "resolve_seconds": 172800},
        ),
        (date(2026, 6, 6), 9, {"billable_seconds": 900}),
    ]  # fmt: skip


def test_a_finish_that_was_taken_back_is_none() -> None:
    assert counted(status="open", finished_at=OPENED) == [(date(2026, 6, 4), 4, {"opened": 1})]


def test_clocks_of_two_systems_never_give_time_below_zero() -> None:
    assert "answer_seconds" not in counted(first_responded_at=OPENED - timedelta(minutes=1))[0][2]


def test_a_contribution_is_part_of_every_slice_once() -> None:
    part = contributions(facts(), LONDON)
    sums = differences([], part)
    assert sorted(key.slice for key in sums) == sorted(SLICES)
    assert all(vector[SUMS.index("opened")] == 1 and vector[0] == 1 for vector in sums.values())
    assert {key.day for key in sums if key.slice[0] == "m"} == {date(2026, 6, 1)}
    assert differences(part, part) == {}


@pytest.mark.parametrize(
    ("buckets", "expected"),
    [
        ([0] * 10, None),
        ([4] + [0] * 9, (150, False)),
        ([0, 2, 2] + [0] * 7, (900, False)),
        ([0] * 9 + [3], (ANSWER_EDGES[-1], True)),
    ],
)
def test_the_median_is_read_off_a_histogram(buckets: list[int], expected: tuple[int, bool] | None) -> None:
    assert quantile(buckets, ANSWER_EDGES) == expected


@pytest.mark.parametrize(("value", "text"), [(0, "0"), (2.5, "2.5"), (999, "999"), (1000, "1k"), (7500, "7.5k")])
def test_labels_of_an_axis_stay_short(value: float, text: str) -> None:
    assert _tick(value) == text


def test_hours_are_read_in_thousands() -> None:
    assert hours(27321.0) == "27,321.00 h"
