"""Calendars, policies and targets of a PSA. A change of what counts is a new version, and moves what is open."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from connectors.base.records import UNSET
from connectors.sync import values
from connectors.sync.keys import Keys
from helpdesk.directory.models import PsaAccount
from helpdesk.directory.services import RemoteRecord, upsert_records
from helpdesk.sla.models import Calendar, Holiday, OpenInterval, Policy, Target
from helpdesk.sla.versions import save_calendar_version, save_policy_version
from helpdesk.tickets import clock_jobs
from helpdesk.tickets.models import Priority

FROM_PSA = "psa"


@transaction.atomic
def apply_calendars(*, account: PsaAccount, rows: Sequence[Any], now: datetime) -> int:
    """Calendars with their open hours and the PSA's own holidays; holidays entered here stay."""
    known = _known(Calendar, account)
    is_news = False
    for row in rows:
        found: dict[str, Any] = {"name": row.name or f"#{row.remote_id}"}
        if row.time_zone is not UNSET:
            found["time_zone"] = values.time_zone(row.time_zone)
        if row.is_always_open is not UNSET:
            found["is_always_open"] = row.is_always_open
        record = RemoteRecord(remote_id=row.remote_id, values=values.fitted(Calendar, found), raw=values.raw(row.raw))
        upsert_records(Calendar, account_id=account.pk, rows=[record])
        calendar = Calendar.objects.get(psa_account=account, remote_id=row.remote_id)
        _set_intervals(calendar, row)
        _set_holidays(calendar, row)
        is_news |= save_calendar_version(calendar, now=now) and row.remote_id in known
    _follow(is_news, now)
    return len(rows)


def _known(model: type[Calendar | Policy], account: PsaAccount) -> set[str | None]:
    rows = model._default_manager.filter(psa_account=account, remote_id__isnull=False)
    return set(rows.values_list("remote_id", flat=True))


def _follow(is_news: bool, now: datetime) -> None:
    """What was promised before is promised otherwise now: open tickets follow."""
    if is_news:
        clock_jobs.request(now=now)


def _set_intervals(calendar: Calendar, row: Any) -> None:
    if row.intervals is UNSET:
        return
    wanted = {(i.weekday, i.opens, i.closes) for i in row.intervals if i.closes > i.opens}
    have = set(calendar.intervals.values_list("weekday", "opens", "closes"))
    if wanted == have:
        return
    calendar.intervals.all().delete()
    OpenInterval.objects.bulk_create(
        OpenInterval(calendar=calendar, weekday=day, opens=opens, closes=closes)
        for day, opens, closes in sorted(wanted)
    )


_HOLIDAY = ("name", "starts_on", "ends_on", "opens", "closes")


def _set_holidays(calendar: Calendar, row: Any) -> None:
    """Only what differs is written: a holiday that somebody does not want here stays unwanted."""
    if row.holidays is UNSET:
        return
    have = {tuple(one): pk for pk, *one in calendar.holidays.filter(source=FROM_PSA).values_list("pk", *_HOLIDAY)}
    wanted = {(values.text(h.name)[:120], h.starts_on, h.ends_on, h.opens, h.closes) for h in row.holidays}
    calendar.holidays.filter(pk__in=[pk for one, pk in have.items() if one not in wanted]).delete()
    Holiday.objects.bulk_create(
        Holiday(calendar=calendar, source=FROM_PSA, **dict(zip(_HOLIDAY, one, strict=True)))
        for one in sorted(wanted - have.keys(), key=lambda h: (h[1], h[0]))
    )


@transaction.atomic
def apply_policies(*, account: PsaAccount, rows: Sequence[Any], keys: Keys, now: datetime) -> int:
    """Policies with a target per priority. One that is told by its name alone promises nothing: it has no version."""
    ranks = dict(Priority.objects.filter(psa_account=account, is_mapped=True).values_list("remote_id", "rank"))
    known = _known(Policy, account)
    is_news = False
    for row in rows:
        found: dict[str, Any] = {"name": row.name or f"#{row.remote_id}"}
        if row.calendar is not UNSET:
            found["calendar_id"] = keys.find("calendar", row.calendar)
        record = RemoteRecord(remote_id=row.remote_id, values=values.fitted(Policy, found), raw=values.raw(row.raw))
        upsert_records(Policy, account_id=account.pk, rows=[record])
        policy = Policy.objects.get(psa_account=account, remote_id=row.remote_id)
        if row.targets is not UNSET:
            _set_targets(policy, row.targets, ranks, keys)
            is_news |= save_policy_version(policy, now=now) and row.remote_id in known
    _follow(is_news, now)
    return len(rows)


_TARGET = (
    "rank", "response_seconds", "resolution_seconds", "response_in_days", "resolution_in_days", "calendar_id",
)  # fmt: skip


def _set_targets(policy: Policy, targets: Sequence[Any], ranks: dict[str | None, int], keys: Keys) -> None:
    """Only what differs is written: a target stays the row that it was."""
    wanted = {
        t.priority: (
            ranks.get(t.priority), t.response_seconds, t.resolution_seconds, t.response_in_days, t.resolution_in_days,
            keys.find("calendar", t.calendar),
        )
        for t in targets
    }  # fmt: skip
    have = {priority: tuple(rest) for priority, *rest in policy.targets.values_list("priority", *_TARGET)}
    if wanted == have:
        return
    policy.targets.exclude(priority__in=wanted).delete()
    for priority, row in wanted.items():
        if have.get(priority) != row:
            Target.objects.update_or_create(
                policy=policy, priority=priority, defaults=dict(zip(_TARGET, row, strict=True))
            )
