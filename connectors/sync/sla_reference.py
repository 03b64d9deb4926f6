"""Calendars, policies and targets of a PSA."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import F

from connectors.base.records import UNSET
from connectors.sync import values
from connectors.sync.keys import Keys
from helpdesk.directory.models import PsaAccount
from helpdesk.directory.services import RemoteRecord, upsert_records
from helpdesk.sla.models import Calendar, Holiday, OpenInterval, Policy, Target
from helpdesk.tickets.models import Priority

FROM_PSA = "psa"


@transaction.atomic
def apply_calendars(*, account: PsaAccount, rows: Sequence[Any]) -> int:
    """Calendars with their open hours and the PSA's own holidays; holidays entered here stay."""
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
    return len(rows)


def _set_intervals(calendar: Calendar, row: Any) -> None:
    if row.intervals is UNSET:
        return
    wanted = {(i.weekday, i.opens, i.closes) for i in row.intervals if i.closes > i.opens}
    have = set(calendar.intervals.values_list("weekday", "opens", "closes"))
    if wanted == have:
        return
    calendar.intervals.all().delete()
    OpenInterval.objects.bulk_create(
        OpenInterval(calendar=calendar, weekday=day, opens=opens, closes=closes) for day, opens, closes in wanted
    )


def _set_holidays(calendar: Calendar, row: Any) -> None:
    if row.holidays is UNSET:
        return
    theirs = calendar.holidays.filter(source=FROM_PSA)
    wanted = {(values.text(h.name)[:120], h.starts_on, h.ends_on) for h in row.holidays}
    if wanted == set(theirs.values_list("name", "starts_on", "ends_on")):
        return
    theirs.delete()
    Holiday.objects.bulk_create(
        Holiday(calendar=calendar, name=name, starts_on=first, ends_on=last, source=FROM_PSA)
        for name, first, last in sorted(wanted, key=lambda h: h[1])
    )


@transaction.atomic
def apply_policies(*, account: PsaAccount, rows: Sequence[Any], keys: Keys) -> int:
    """Policies with a target per priority. A change of targets is a new version of the policy."""
    ranks = dict(Priority.objects.filter(psa_account=account, is_mapped=True).values_list("remote_id", "rank"))
    for row in rows:
        found: dict[str, Any] = {"name": row.name or f"#{row.remote_id}"}
        if row.calendar is not UNSET:
            found["calendar_id"] = keys.find("calendar", row.calendar)
        record = RemoteRecord(remote_id=row.remote_id, values=values.fitted(Policy, found), raw=values.raw(row.raw))
        upsert_records(Policy, account_id=account.pk, rows=[record])
        if row.targets is not UNSET:
            policy = Policy.objects.get(psa_account=account, remote_id=row.remote_id)
            _set_targets(policy, row.targets, ranks)
    return len(rows)


_TARGET = ("priority", "rank", "response_seconds", "resolution_seconds", "response_in_days", "resolution_in_days")


def _set_targets(policy: Policy, targets: Sequence[Any], ranks: dict[str | None, int]) -> None:
    wanted = {
        (
            t.priority, ranks.get(t.priority), t.response_seconds, t.resolution_seconds, t.response_in_days,
            t.resolution_in_days,
        )
        for t in {t.priority: t for t in targets}.values()
    }  # fmt: skip
    if wanted == set(policy.targets.values_list(*_TARGET)):
        return
    is_change = policy.targets.exists()
    policy.targets.all().delete()
    Target.objects.bulk_create(Target(policy=policy, **dict(zip(_TARGET, row, strict=True))) for row in wanted)
    if is_change:
        Policy.objects.filter(pk=policy.pk).update(version=F("version") + 1)
