"""Write calendars and policies that are made here, and copy those of a PSA. Rows only: versions are the caller's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from django.db import transaction

from helpdesk.sla import holiday_feed
from helpdesk.sla.choices import OnChange, OnReopen, ResponseBy
from helpdesk.sla.models import Calendar, Holiday, OpenInterval, Policy, Target, usual_thresholds

HAND = "hand"


@dataclass(frozen=True, kw_only=True)
class DayWanted:
    """A holiday entered here: closed, or open from `opens` to `closes` (minutes after midnight) only."""

    name: str
    starts_on: date
    ends_on: date
    opens: int | None = None
    closes: int | None = None


@dataclass(frozen=True, kw_only=True)
class CalendarWanted:
    """A calendar as a form says it. Of fed days, those in `seen_days` are ignored or not by `ignored_days`."""

    name: str
    time_zone: str = ""
    is_always_open: bool = False
    weekly: tuple[tuple[int, int, int], ...] = ()
    days: tuple[DayWanted, ...] = ()
    country: str = ""
    region: str = ""
    seen_days: frozenset[date] = frozenset()
    ignored_days: frozenset[date] = frozenset()


@dataclass(frozen=True, kw_only=True)
class TargetWanted:
    rank: int
    response_seconds: int | None = None
    response_in_days: bool = False
    resolution_seconds: int | None = None
    resolution_in_days: bool = False
    calendar_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class PolicyWanted:
    name: str
    calendar_id: int | None = None
    targets: tuple[TargetWanted, ...] = ()
    risk_minutes: int = 60
    short_target_minutes: int = 240
    short_percent: int = 25
    on_change: str = OnChange.START
    on_reopen: str = OnReopen.RESUMES
    response_by: str = ResponseBy.MESSAGE
    thresholds: tuple[int, ...] = field(default_factory=lambda: tuple(usual_thresholds()))
    escalates: bool = True


@transaction.atomic
def write_calendar(*, calendar: Calendar | None, wanted: CalendarWanted, now: datetime) -> Calendar:
    """Make or change a calendar of ours, with its hours, holidays and feed."""
    row = calendar or Calendar()
    has_moved = (row.holiday_country, row.holiday_region) != (wanted.country, wanted.region)
    row.name, row.time_zone, row.is_always_open = wanted.name, wanted.time_zone, wanted.is_always_open
    row.holiday_country, row.holiday_region = wanted.country, wanted.region
    row.save()
    row.intervals.all().delete()
    OpenInterval.objects.bulk_create(
        OpenInterval(calendar=row, weekday=day, opens=opens, closes=closes) for day, opens, closes in wanted.weekly
    )
    row.holidays.exclude(source=holiday_feed.FEED).delete()
    Holiday.objects.bulk_create(
        Holiday(
            calendar=row, name=one.name, starts_on=one.starts_on, ends_on=one.ends_on, opens=one.opens,
            closes=one.closes, source=HAND,
        )
        for one in wanted.days
    )  # fmt: skip
    if has_moved:
        holiday_feed.drop(row)
        if wanted.country:
            holiday_feed.refresh(row, now=now)
    fed = row.holidays.filter(source=holiday_feed.FEED, starts_on__in=wanted.seen_days)
    fed.filter(starts_on__in=wanted.ignored_days).update(is_ignored=True)
    fed.exclude(starts_on__in=wanted.ignored_days).update(is_ignored=False)
    return row


@transaction.atomic
def write_policy(*, policy: Policy | None, wanted: PolicyWanted) -> Policy:
    """Make or change a policy of ours, with its targets."""
    row = policy or Policy()
    for name in (
        "name", "calendar_id", "risk_minutes", "short_target_minutes", "short_percent", "on_change", "on_reopen",
        "response_by", "escalates",
    ):  # fmt: skip
        setattr(row, name, getattr(wanted, name))
    row.thresholds = list(wanted.thresholds)
    row.save()
    row.targets.all().delete()
    Target.objects.bulk_create(
        Target(
            policy=row, priority=str(one.rank), rank=one.rank, calendar_id=one.calendar_id,
            response_seconds=one.response_seconds, response_in_days=one.response_in_days,
            resolution_seconds=one.resolution_seconds, resolution_in_days=one.resolution_in_days,
        )
        for one in wanted.targets
    )  # fmt: skip
    return row


def calendar_wanted(calendar: Calendar) -> CalendarWanted:
    """A stored calendar as it would be written; what a PSA entered becomes ours."""
    days = calendar.holidays.exclude(source=holiday_feed.FEED).filter(is_ignored=False)
    fed = list(calendar.holidays.filter(source=holiday_feed.FEED).values_list("starts_on", "is_ignored"))
    return CalendarWanted(
        name=calendar.name,
        time_zone=calendar.time_zone,
        is_always_open=calendar.is_always_open,
        weekly=tuple(calendar.intervals.values_list("weekday", "opens", "closes")),
        days=tuple(
            DayWanted(name=d.name, starts_on=d.starts_on, ends_on=d.ends_on, opens=d.opens, closes=d.closes)
            for d in days
        ),
        country=calendar.holiday_country,
        region=calendar.holiday_region,
        seen_days=frozenset(day for day, _is_ignored in fed),
        ignored_days=frozenset(day for day, is_ignored in fed if is_ignored),
    )


def free_name(wanted: str, taken: Sequence[str]) -> str:
    """The name, or with a number behind it where something of ours has it already."""
    known = {one.casefold() for one in taken}
    name, number = wanted[:120], 1
    while name.casefold() in known:
        number += 1
        name = f"{wanted[:110]} {number}"
    return name


@transaction.atomic
def copy_calendar(*, calendar: Calendar, now: datetime) -> Calendar:
    """An own calendar with the same hours, holidays and feed."""
    wanted = calendar_wanted(calendar)
    taken = list(Calendar.objects.filter(psa_account=None).values_list("name", flat=True))
    return write_calendar(calendar=None, wanted=replace(wanted, name=free_name(wanted.name, taken)), now=now)


def policy_wanted(policy: Policy) -> PolicyWanted:
    """A stored policy by rank. Of several priorities of one rank the one with the nearest resolution counts; those
    without a rank have no place."""
    best = {rank: found[0] for rank, found in targets_by_rank(policy).items() if rank is not None}
    return PolicyWanted(
        name=policy.name,
        calendar_id=policy.calendar_id,
        targets=tuple(
            TargetWanted(
                rank=rank, response_seconds=t.response_seconds, response_in_days=t.response_in_days,
                resolution_seconds=t.resolution_seconds, resolution_in_days=t.resolution_in_days,
                calendar_id=t.calendar_id,
            )
            for rank, t in sorted(best.items())
        ),
        risk_minutes=policy.risk_minutes, short_target_minutes=policy.short_target_minutes,
        short_percent=policy.short_percent, on_change=policy.on_change, on_reopen=policy.on_reopen,
        response_by=policy.response_by, thresholds=tuple(policy.thresholds), escalates=policy.escalates,
    )  # fmt: skip


def targets_by_rank(policy: Policy) -> dict[int | None, list[Target]]:
    """Those of each rank, the one that counts first: a copy promises by rank, as it is for other accounts too."""
    found: dict[int | None, list[Target]] = {}
    for target in sorted(policy.targets.all(), key=_strictness):
        found.setdefault(target.rank, []).append(target)
    return found


def _strictness(target: Target) -> tuple[float, float]:
    ever = float("inf")
    return target.resolution_seconds or ever, target.response_seconds or ever


@dataclass(frozen=True, kw_only=True)
class Copied:
    policy: Policy
    calendars: tuple[Calendar, ...]


@transaction.atomic
def copy_policy(*, policy: Policy, now: datetime) -> Copied:
    """An own policy with the same targets, and own copies of every calendar of a PSA that it counts by."""
    wanted = policy_wanted(policy)
    keys = [key for key in (wanted.calendar_id, *(t.calendar_id for t in wanted.targets)) if key]
    theirs = Calendar.objects.filter(pk__in=keys, psa_account__isnull=False).order_by("pk")
    copies = {row.pk: copy_calendar(calendar=row, now=now) for row in theirs}

    def ours(key: int | None) -> int | None:
        return copies[key].pk if key in copies else key

    taken = list(Policy.objects.filter(psa_account=None).values_list("name", flat=True))
    targets = tuple(replace(t, calendar_id=ours(t.calendar_id)) for t in wanted.targets)
    made = write_policy(
        policy=None,
        wanted=replace(
            wanted, name=free_name(wanted.name, taken), calendar_id=ours(wanted.calendar_id), targets=targets
        ),
    )
    return Copied(policy=made, calendars=tuple(copies.values()))
