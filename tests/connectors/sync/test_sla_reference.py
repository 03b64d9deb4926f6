"""What a PSA promises, as calendars, policies and their versions: written once, and again only where it counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from connectors.base.configuration import CalendarRecord, HolidayRecord, Interval, PolicyRecord, TargetRecord
from connectors.base.records import Record
from connectors.base.rules import Description
from connectors.sync import feeds, reference
from connectors.sync.keys import Keys
from helpdesk.directory.models import PsaAccount
from helpdesk.sla.models import EVER, Calendar, Holiday, OpenInterval, Policy, Target
from helpdesk.tickets import clock_jobs
from helpdesk.tickets.models import ClockJob
from tests.factories import make_priority, make_ticket

pytestmark = pytest.mark.django_db

OFFICE = CalendarRecord(
    remote_id="2",
    name="Office",
    time_zone="Europe/London",
    is_always_open=False,
    intervals=tuple(Interval(weekday=day, opens=540, closes=1050) for day in range(5)),
    holidays=(
        HolidayRecord(name="Christmas Eve", starts_on=date(2026, 12, 24), ends_on=date(2026, 12, 24), opens=0,
                      closes=780),
        HolidayRecord(name="Christmas", starts_on=date(2026, 12, 25), ends_on=date(2026, 12, 25)),
    ),
)  # fmt: skip
ALWAYS = CalendarRecord(remote_id="1", name="24x7", time_zone="", is_always_open=True, intervals=(), holidays=())
GOLD = PolicyRecord(
    remote_id="7",
    name="Gold",
    calendar="2",
    targets=(
        TargetRecord(priority="1", response_seconds=900, resolution_seconds=3600, calendar="1"),
        TargetRecord(priority="3", response_seconds=3600, resolution_seconds=2 * 86_400, resolution_in_days=True),
    ),
)


def bring(account: PsaAccount, kind: str, *rows: Record, now: datetime) -> None:
    reference.apply(account=account, kind=kind, rows=rows, keys=Keys(account.pk), now=now)


def test_a_calendar_comes_with_its_half_days_and_a_first_version(account: PsaAccount, now: datetime) -> None:
    bring(account, "calendars", OFFICE, now=now)
    calendar = Calendar.objects.get()
    assert list(calendar.holidays.values_list("name", "opens", "closes", "source")) == [
        ("Christmas Eve", 0, 780, "psa"), ("Christmas", None, None, "psa"),
    ]  # fmt: skip
    version = calendar.versions.get()
    assert (calendar.version, version.number, version.from_at) == (1, 1, EVER)
    assert version.content["off"][0] == ["2026-12-24", "2026-12-24", 0, 780, "Christmas Eve"]


def test_told_again_nothing_is_written(account: PsaAccount, now: datetime) -> None:
    for days in range(2):
        bring(account, "calendars", OFFICE, ALWAYS, now=now + timedelta(days=days))
        bring(account, "policies", GOLD, now=now + timedelta(days=days))
        if days == 0:
            before = [list(m.objects.values_list("pk", flat=True)) for m in (OpenInterval, Holiday, Target)]
    assert [list(m.objects.values_list("pk", flat=True)) for m in (OpenInterval, Holiday, Target)] == before
    assert [c.versions.count() for c in Calendar.objects.all()] == [1, 1]
    assert Policy.objects.get().versions.count() == 1


def test_a_change_of_hours_is_a_version_from_then_on(account: PsaAccount, now: datetime) -> None:
    bring(account, "calendars", OFFICE, now=now)
    mine = Holiday.objects.create(
        calendar=Calendar.objects.get(), name="Ours", starts_on=date(2026, 7, 1), ends_on=date(2026, 7, 1)
    )
    later = now + timedelta(days=3)
    bring(account, "calendars", replace(OFFICE, holidays=()), now=later)
    calendar = Calendar.objects.get()
    assert [h.pk for h in calendar.holidays.all()] == [mine.pk], "what was entered here stays"
    assert list(calendar.versions.values_list("number", "from_at")) == [(1, EVER), (2, later)]
    bring(account, "calendars", replace(OFFICE, holidays=(), name="Renamed"), now=later)
    assert calendar.versions.count() == 2, "a name moves no deadline"


def test_a_priority_keeps_its_own_calendar(account: PsaAccount, now: datetime) -> None:
    make_priority(1, psa_account=account, remote_id="1")
    bring(account, "calendars", OFFICE, ALWAYS, now=now)
    bring(account, "policies", GOLD, now=now)
    office, always = (Calendar.objects.get(remote_id=r).pk for r in ("2", "1"))
    policy = Policy.objects.get()
    assert policy.calendar_id == office
    first, third = policy.targets.order_by("priority")
    assert (first.calendar_id, first.rank, third.calendar_id) == (always, 1, None)
    content = policy.versions.get().content["targets"]
    assert (content["1"]["calendar"], content["3"]["calendar"]) == (always, office)
    assert content["3"]["resolution"] == [2 * 86_400, True]


def test_only_the_target_that_changed_is_written(account: PsaAccount, now: datetime) -> None:
    bring(account, "policies", GOLD, now=now)
    kept = Target.objects.get(priority="3")
    gone, later = Target.objects.get(priority="1"), now + timedelta(hours=1)
    other = TargetRecord(priority="4", response_seconds=None, resolution_seconds=60)
    bring(account, "policies", replace(GOLD, targets=(GOLD.targets[1], other)), now=later)  # type: ignore[index]
    assert {t.priority: t.pk for t in Target.objects.all()}["3"] == kept.pk
    assert not Target.objects.filter(pk=gone.pk).exists()
    policy = Policy.objects.get()
    assert list(policy.versions.values_list("number", "from_at")) == [(1, EVER), (2, later)]
    assert policy.version == 2


def test_a_policy_that_is_only_a_name_promises_nothing(account: PsaAccount, now: datetime) -> None:
    bring(account, "policies", PolicyRecord(remote_id="1", name="Gold"), now=now)
    policy = Policy.objects.get()
    assert (policy.version, policy.versions.count(), policy.targets.count()) == (0, 0, 0)


def asked() -> datetime | None:
    job = clock_jobs.progress()
    return job.requested_at if job else None


def test_open_tickets_follow_what_was_known_and_changed(account: PsaAccount, now: datetime) -> None:
    make_ticket(psa_account=account)
    first, second, third = (now + timedelta(hours=n) for n in range(3))
    bring(account, "calendars", OFFICE, ALWAYS, now=first)
    bring(account, "policies", GOLD, now=first)
    assert asked() is None, "what is new was promised to nobody"
    bring(account, "policies", GOLD, now=second)
    assert asked() is None
    bring(account, "policies", replace(GOLD, targets=GOLD.targets[:1]), now=second)  # type: ignore[index]
    assert asked() == second
    bring(account, "calendars", OFFICE, replace(ALWAYS, is_always_open=False, intervals=OFFICE.intervals), now=third)
    assert asked() == third
    assert ClockJob.objects.get().total == 1


def test_open_tickets_follow_other_usual_targets(account: PsaAccount, now: datetime) -> None:
    def described(hours: int, at: datetime) -> None:
        told = Description(capabilities={"usual_targets": {"3": [3600, hours * 3600]}})
        feeds.keep_description(account, told, now=at)

    account.capabilities = {}
    described(8, now)
    described(8, now)
    assert asked() is None
    described(4, now + timedelta(days=1))
    assert asked() == now + timedelta(days=1)


def test_a_holiday_that_is_not_wanted_here_stays_so(account: PsaAccount, now: datetime) -> None:
    bring(account, "calendars", OFFICE, now=now)
    Holiday.objects.filter(name="Christmas").update(is_ignored=True)
    new = HolidayRecord(name="Jubilee", starts_on=date(2026, 6, 2), ends_on=date(2026, 6, 2))
    kept = OFFICE.holidays[1:]  # type: ignore[index]
    bring(account, "calendars", replace(OFFICE, holidays=(*kept, new)), now=now)
    assert list(Holiday.objects.values_list("name", "is_ignored")) == [("Jubilee", False), ("Christmas", True)]
