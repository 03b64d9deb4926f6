"""Public holidays of a place: fed into a calendar, read anew each year; a failure is said and breaks nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from helpdesk.sla import holiday_feed
from helpdesk.sla.holiday_feed import Feed
from helpdesk.sla.models import Calendar, Holiday
from tests.factories import NOW, make_account, make_calendar

pytestmark = pytest.mark.django_db
CHRISTMAS, BOXING = date(2026, 12, 25), date(2026, 12, 26)


def fed(**values: str) -> Calendar:
    calendar = Calendar.objects.create(**{"name": "UK", "holiday_country": "GB", "holiday_region": "ENG", **values})
    holiday_feed.refresh(calendar, now=NOW)
    return calendar


def days(calendar: Calendar) -> dict[date, str]:
    return dict(calendar.holidays.filter(source="feed").values_list("starts_on", "name"))


def test_the_days_of_a_region_are_read_for_the_years_around() -> None:
    found = days(fed())
    assert found[CHRISTMAS] == "Christmas Day"
    assert {day.year for day in found} == {2025, 2026, 2027, 2028}
    assert date(2026, 8, 31) in found, "late summer bank holiday of England"
    assert date(2026, 8, 3) not in found, "that one is Scotland's"
    assert date(2026, 8, 3) in days(fed(holiday_region="SCT"))


def test_a_second_reading_changes_nothing() -> None:
    calendar = fed()
    keys = set(calendar.holidays.values_list("pk", flat=True))
    assert holiday_feed.refresh(calendar, now=NOW) is False
    assert set(calendar.holidays.values_list("pk", flat=True)) == keys


def test_an_ignored_day_stays_ignored_and_so_do_its_next_years() -> None:
    calendar = fed()
    Holiday.objects.filter(calendar=calendar, name="Boxing Day").update(is_ignored=True)
    assert holiday_feed.refresh(calendar, now=datetime(2028, 1, 2, tzinfo=UTC)) is True
    ignored = calendar.holidays.filter(name="Boxing Day").values_list("starts_on__year", "is_ignored")
    assert dict(ignored)[2029] is True
    assert all(dict(ignored).values())
    assert not calendar.holidays.filter(name="Christmas Day", is_ignored=True).exists()
    assert date(2025, 12, 25) in days(calendar), "years behind the feed stay"


@pytest.mark.parametrize(
    ("country", "region", "text"),
    [("XX", "", "does not know the country"), ("GB", "Q9", "feed failed"), ("BV", "", "no holidays for 2026")],
)
def test_a_failure_is_said_and_keeps_what_was_fed(country: str, region: str, text: str) -> None:
    calendar = fed()
    before = days(calendar)
    calendar.holiday_country, calendar.holiday_region = country, region
    assert holiday_feed.refresh(calendar, now=NOW) is False
    calendar.refresh_from_db()
    assert text in calendar.feed_problem
    assert days(calendar) == before
    calendar.holiday_country, calendar.holiday_region = "GB", "ENG"
    holiday_feed.refresh(calendar, now=NOW)
    calendar.refresh_from_db()
    assert calendar.feed_problem == ""


def test_a_day_that_is_no_holiday_any_more_goes_and_a_renamed_one_keeps_its_row() -> None:
    calendar = fed()
    row = calendar.holidays.get(starts_on=CHRISTMAS)
    assert holiday_feed.apply(calendar, Feed(days=((CHRISTMAS, "Xmas"),)), now=NOW) is True
    left = calendar.holidays.filter(starts_on__year__gte=2026)
    assert [(one.pk, one.name) for one in left] == [(row.pk, "Xmas")]


def test_days_by_hand_are_left_alone() -> None:
    calendar = fed()
    Holiday.objects.create(calendar=calendar, name="Works outing", starts_on=BOXING, ends_on=BOXING)
    holiday_feed.apply(calendar, Feed(days=((CHRISTMAS, "Christmas Day"),)), now=NOW)
    assert calendar.holidays.filter(name="Works outing").exists()


def test_every_country_is_read_or_says_why_not() -> None:
    known = holiday_feed.countries()
    assert len(known) > 200
    assert dict(known)["GB"] == "United Kingdom"
    for code, _name in known:
        feed = holiday_feed.read(code, "", year=2026)
        assert bool(feed.days) != bool(feed.problem), code
    assert ("BY", "Bayern") in holiday_feed.regions("DE")
    assert holiday_feed.regions("XX") == ()


def test_who_is_due() -> None:
    calendar = fed()
    make_calendar(psa_account=make_account())
    Calendar.objects.create(name="No feed")
    assert holiday_feed.due(now=NOW) == []
    assert holiday_feed.due(now=datetime(2027, 1, 1, 3, tzinfo=UTC)) == [calendar]
    Calendar.objects.filter(pk=calendar.pk).update(feed_problem="The feed failed")
    assert holiday_feed.due(now=NOW) == [calendar], "a failed one is tried again"
