"""Versions of calendars and policies: what was promised at any instant can be worked out for ever.

A version is written when what counts has changed, and is in force from then on; the first one from ever. Who gets a
policy is kept the same way: a use ends, and another one begins.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from helpdesk.accounts.models import User
from helpdesk.core.errors import Refused
from helpdesk.directory.models import Organisation
from helpdesk.sla.models import EVER, Calendar, CalendarVersion, Policy, PolicyUse, PolicyVersion, Target

AROUND_THE_CLOCK = 0
"""Stands for a calendar's key where time always runs."""


def calendar_content(calendar: Calendar) -> dict[str, Any]:
    """All of a calendar that moves a deadline, with the names of its days off."""
    days = [
        [h.starts_on.isoformat(), h.ends_on.isoformat(), h.opens, h.closes, h.name]
        for h in calendar.holidays.all()
        if not h.is_ignored
    ]
    return {
        "zone": calendar.time_zone or organisation_zone(),
        "always": calendar.is_always_open,
        "weekly": sorted([i.weekday, i.opens, i.closes] for i in calendar.intervals.all()),
        "off": sorted(days, key=lambda day: (day[0], day[1], day[4])),
    }


def organisation_zone() -> str:
    return Organisation.objects.order_by("pk").values_list("time_zone", flat=True).first() or "UTC"


def policy_content(policy: Policy) -> dict[str, Any]:
    """All of a policy that moves a deadline or tells somebody. Seconds; days are counted apart."""
    return {
        "risk": [policy.risk_minutes * 60, policy.short_target_minutes * 60, policy.short_percent],
        "on_change": policy.on_change,
        "on_reopen": policy.on_reopen,
        "response_by": policy.response_by,
        "thresholds": sorted({int(one) for one in policy.thresholds}),
        "escalates": policy.escalates,
        "targets": {t.priority: _target_content(policy, t) for t in policy.targets.all()},
    }


def _target_content(policy: Policy, target: Target) -> dict[str, Any]:
    return {
        "rank": target.rank,
        "response": [target.response_seconds, target.response_in_days],
        "resolution": [target.resolution_seconds, target.resolution_in_days],
        "calendar": target.calendar_id or policy.calendar_id or AROUND_THE_CLOCK,
    }


@transaction.atomic
def save_calendar_version(calendar: Calendar, *, now: datetime, user: User | None = None) -> bool:
    """Write a version where what counts differs from the last one. True when it did."""
    Calendar.objects.select_for_update().get(pk=calendar.pk)
    fresh = Calendar.objects.prefetch_related("intervals", "holidays").get(pk=calendar.pk)
    content = calendar_content(fresh)
    last = fresh.versions.order_by("-number").first()
    if last is not None and last.content == content:
        return False
    number = last.number + 1 if last else 1
    CalendarVersion.objects.create(
        calendar=fresh, number=number, from_at=now if last else EVER, content=content, user=user
    )
    Calendar.objects.filter(pk=fresh.pk).update(version=number)
    calendar.version = number
    return True


@transaction.atomic
def save_policy_version(policy: Policy, *, now: datetime, user: User | None = None) -> bool:
    """Write a version where what counts differs from the last one. True when it did."""
    Policy.objects.select_for_update().get(pk=policy.pk)
    fresh = Policy.objects.prefetch_related("targets").get(pk=policy.pk)
    content = policy_content(fresh)
    last = fresh.versions.order_by("-number").first()
    if last is not None and last.content == content:
        return False
    number = last.number + 1 if last else 1
    PolicyVersion.objects.create(
        policy=fresh, number=number, from_at=now if last else EVER, known_at=now, content=content, user=user
    )
    Policy.objects.filter(pk=fresh.pk).update(version=number)
    policy.version = number
    return True


@transaction.atomic
def follow_organisation(*, now: datetime, user: User | None = None) -> int:
    """The organisation's zone may have changed: calendars that go by it get a new version. Counts them."""
    rows = Calendar.objects.filter(time_zone="")
    return sum(save_calendar_version(one, now=now, user=user) for one in rows)


REPLACES = "replaces"
USERS = ("contract", "client", "team", "psa_account", REPLACES)
"""Who can get a policy here, the nearest to the ticket first; and a PSA's policy that one of ours stands for."""


@transaction.atomic
def use_policy(*, policy: Policy | None, now: datetime, user: User | None = None, **who: Any) -> PolicyUse | None:
    """Give a policy to exactly one of `USERS` (a row under its name); None takes it away.

    The use before it ends; what is so already stays as it is. The use that stands now. Raises Refused.
    """
    ((name, row),) = who.items()
    if name not in USERS:
        raise ValueError(f"nobody called {name!r} can get a policy")
    if name == REPLACES and policy is not None:
        refuse_chains(policy=policy, replaced=row)
    key: Mapping[str, Any] = {name: row}
    type(row)._default_manager.select_for_update().values_list("pk").get(pk=row.pk)  # two first presses take turns
    standing = PolicyUse.objects.select_for_update().filter(**key, to_at=None).first()
    if standing is not None and policy is not None and standing.policy_id == policy.pk:
        return standing
    if standing is not None:
        standing.to_at = now
        standing.save(update_fields=["to_at"])
    if policy is None:
        return None
    return PolicyUse.objects.create(policy=policy, from_at=now, user=user, **key)


def refuse_chains(*, policy: Policy, replaced: Policy) -> None:
    """Only a policy of a PSA is replaced, and only by one of ours: so that no replacement is replaced in turn."""
    if replaced.psa_account_id is None:
        raise Refused({"policy": _("Only a policy of a PSA can be replaced.")})
    if policy.psa_account_id is not None:
        raise Refused({"policy": _("Only a policy of ours can replace one of a PSA.")})
