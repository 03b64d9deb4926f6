"""Change what is promised: rows, their version, the audit entry, and the tickets that follow, in one transaction."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from helpdesk.accounts.models import AuditEntry, User
from helpdesk.accounts.services import record_audit
from helpdesk.core.errors import Refused
from helpdesk.desk.sla_lists import use_lines
from helpdesk.desk.sla_planning import Touched
from helpdesk.desk.sla_words import calendar_changes, policy_changes
from helpdesk.directory import groups
from helpdesk.directory.models import PsaAccount
from helpdesk.sla import editing, holiday_feed
from helpdesk.sla.editing import CalendarWanted, PolicyWanted
from helpdesk.sla.models import Calendar, Policy, PolicyUse
from helpdesk.sla.versions import save_calendar_version, save_policy_version, use_policy
from helpdesk.tickets import clock_jobs

SHOWN = "sla_shown"
OURS, THEIRS = "ours", "theirs"


@transaction.atomic
def save_calendar(
    *, calendar: Calendar | None, wanted: CalendarWanted, by: User, now: datetime, request_id: str = ""
) -> Calendar:
    """Make or change a calendar of ours. Raises Refused."""
    _name_once(Calendar.objects.filter(psa_account=None, archived_at=None), calendar, wanted.name)
    if calendar is not None:
        _only_ours(calendar)
        # What it said before this change is kept too, where nobody had written it down yet.
        save_calendar_version(calendar, now=now)
    row = editing.write_calendar(calendar=calendar, wanted=wanted, now=now)
    has_changed = save_calendar_version(row, now=now, user=by)
    verb = "calendar.change" if calendar else "calendar.add"
    _note(by, verb, f"calendar:{row.pk}", {"name": row.name, "changes": last_calendar_changes(row, has_changed)}, now,
          request_id)  # fmt: skip
    if has_changed and calendar is not None:
        clock_jobs.request(now=now)
    return row


@transaction.atomic
def save_policy(
    *, policy: Policy | None, wanted: PolicyWanted, by: User, now: datetime, request_id: str = ""
) -> Policy:
    """Make or change a policy of ours. Raises Refused."""
    _name_once(Policy.objects.filter(psa_account=None, archived_at=None), policy, wanted.name)
    if policy is not None:
        _only_ours(policy)
        save_policy_version(policy, now=now)
    row = editing.write_policy(policy=policy, wanted=wanted)
    has_changed = save_policy_version(row, now=now, user=by)
    verb = "policy.change" if policy else "policy.add"
    _note(by, verb, f"policy:{row.pk}", {"name": row.name, "changes": last_policy_changes(row, has_changed)}, now,
          request_id)  # fmt: skip
    if has_changed and policy is not None:
        clock_jobs.request(now=now)
    return row


@transaction.atomic
def take_over_calendar(*, calendar: Calendar, by: User, now: datetime, request_id: str = "") -> Calendar:
    """An own calendar with the same hours and holidays; nothing counts by it yet."""
    row = editing.copy_calendar(calendar=calendar, now=now)
    save_calendar_version(row, now=now, user=by)
    _note(by, "calendar.take_over", f"calendar:{row.pk}", {"name": row.name, "from": calendar.pk}, now, request_id)
    return row


@transaction.atomic
def take_over_policy(
    *, policy: Policy, who: str, key: Any, by: User, now: datetime, request_id: str = "", seen: int | None = None
) -> Policy:
    """An own policy with the same targets, own copies of its calendars, given to `key` (None = to nobody yet).

    With `who` "replaces" and the policy itself, the copy counts wherever the PSA gives the policy. `seen`: the newest
    policy of ours that the page knew; pressed twice, the copy of the first press is what both give.
    """
    Policy.objects.select_for_update().get(pk=policy.pk)
    if seen is not None and (made := _taken_since(policy, seen)) is not None:
        return made
    copied = editing.copy_policy(policy=policy, now=now)
    for calendar in copied.calendars:
        save_calendar_version(calendar, now=now, user=by)
    save_policy_version(copied.policy, now=now, user=by)
    detail = {"name": copied.policy.name, "from": policy.pk, "calendars": [c.name for c in copied.calendars]}
    _note(by, "policy.take_over", f"policy:{copied.policy.pk}", detail, now, request_id)
    if key is not None:
        give_policy(policy=copied.policy, who=who, row=key, by=by, now=now, request_id=request_id)
    return copied.policy


def _taken_since(policy: Policy, seen: int) -> Policy | None:
    copies = AuditEntry.objects.filter(verb="policy.take_over", detail__from=policy.pk).order_by("-pk")
    last = copies.values_list("subject", flat=True).first() or "policy:0"
    key = int(last.partition(":")[2])
    return Policy.objects.filter(pk=key, archived_at=None).first() if key > seen else None


def newest_policy() -> int:
    return Policy.objects.filter(psa_account=None).order_by("-pk").values_list("pk", flat=True).first() or 0


def would_take_over(*, policy: Policy, who: str, key: Any, now: datetime) -> Touched:
    """The rows of a take-over, for a transaction that is rolled back."""
    copied = editing.copy_policy(policy=policy, now=now)
    uses = would_give(policy=copied.policy, who=who, row=key).uses if key is not None else {}
    return Touched(calendars=tuple(c.pk for c in copied.calendars), policies=(copied.policy.pk,), uses=uses)


@transaction.atomic
def give_policy(
    *, policy: Policy | None, who: str, row: Any, by: User, now: datetime, request_id: str = ""
) -> None:  # fmt: skip
    """Give a policy to a contract, client, team or account, or to all that a PSA's policy is given to.

    A client that is linked with others is one customer: each of them gets it. None takes away what was given here.
    Raises Refused.
    """
    moved = False
    for one in _all_of(who, row):
        moved |= _give_one(policy=policy, who=who, row=one, by=by, now=now, request_id=request_id)
    if moved:
        clock_jobs.request(now=now)


def _give_one(*, policy: Policy | None, who: str, row: Any, by: User, now: datetime, request_id: str) -> bool:
    before = PolicyUse.objects.filter(**{who: row}, to_at=None).select_related("policy").first()
    if (before.policy_id if before else None) == (policy.pk if policy else None):
        return False
    use_policy(policy=policy, now=now, user=by, **{who: row})
    detail = {
        "name": str(row), "policy": policy.name if policy else "", "before": before.policy.name if before else "",
    }  # fmt: skip
    _note(by, "policy.give" if policy else "policy.take_away", f"{who}:{row.pk}", detail, now, request_id)
    return True


def would_give(*, policy: Policy | None, who: str, row: Any) -> Touched:
    """Who would get another policy by it than they have."""
    wanted = policy.pk if policy else None
    keys = [one.pk for one in _all_of(who, row)]
    held = dict(PolicyUse.objects.filter(**{f"{who}__in": keys}, to_at=None).values_list(f"{who}_id", "policy_id"))
    return Touched(uses={(who, key): wanted for key in keys if held.get(key) != wanted})


def _all_of(who: str, row: Any) -> list[Any]:
    return [row, *groups.relatives(row)] if who == "client" else [row]


@transaction.atomic
def choose_shown(*, account: PsaAccount, shown: str, by: User, now: datetime, request_id: str = "") -> bool:
    """Whose deadline tickets of this account show first. True when that changed."""
    if shown not in (OURS, THEIRS):
        raise Refused({"shown": _("Choose one from the list.")})
    row = PsaAccount.objects.select_for_update().get(pk=account.pk)
    before = row.settings.get(SHOWN, OURS)
    if before == shown:
        return False
    row.settings = {**row.settings, SHOWN: shown}
    row.save(update_fields=["settings"])
    _note(by, "account.sla_shown", f"account:{row.name}", {"from": before, "to": shown}, now, request_id)
    clock_jobs.request(now=now)
    return True


@transaction.atomic
def archive(*, row: Calendar | Policy, by: User, now: datetime, request_id: str = "") -> None:
    """Offer it no more. Raises Refused while something counts by it."""
    _only_ours(row)
    if isinstance(row, Calendar):
        used = Policy.objects.filter(Q(calendar=row) | Q(targets__calendar=row), archived_at=None).distinct()
        text = _("Policies count by it: %s. Give them another calendar first.")
        names, word = [str(one) for one in used[:5]], "calendar"
    else:
        names = [line.told for line in use_lines(policy=row)[0][:5]]
        text, word = _("It is given to %s. Give them another policy first."), "policy"
    if names:
        raise Refused({"": text % ", ".join(names)})
    row.archived_at = now
    row.save(update_fields=["archived_at"])
    _note(by, f"{word}.archive", f"{word}:{row.pk}", {"name": row.name}, now, request_id)


@transaction.atomic
def restore(*, row: Calendar | Policy, by: User, now: datetime, request_id: str = "") -> Calendar | Policy:
    """Offer it again, with the calendars that it counts by; under a free name where another one has its own now.

    Nobody gets it by that: what it was given to ended before it was archived.
    """
    _only_ours(row)
    held = type(row)._default_manager.select_for_update().get(pk=row.pk)
    if held.archived_at is None:
        return held
    _offer(held)
    word = "calendar" if isinstance(held, Calendar) else "policy"
    _note(by, f"{word}.restore", f"{word}:{held.pk}", {"name": held.name, "was": row.name}, now, request_id)
    for calendar in _archived_calendars(held):
        restore(row=calendar, by=by, now=now, request_id=request_id)
    return held


def would_restore(*, row: Calendar | Policy) -> Touched:
    """The rows of a restoring, for a transaction that is rolled back."""
    rows = [copy.copy(row), *_archived_calendars(row)]
    for one in rows:
        _offer(one)
    return Touched(
        calendars=tuple(one.pk for one in rows if isinstance(one, Calendar)),
        policies=tuple(one.pk for one in rows if isinstance(one, Policy)),
    )


def _offer(row: Calendar | Policy) -> None:
    others = type(row)._default_manager.filter(psa_account=None, archived_at=None).exclude(pk=row.pk)
    row.name = editing.free_name(row.name, list(others.values_list("name", flat=True)))
    row.archived_at = None
    row.save(update_fields=["name", "archived_at"])


def _archived_calendars(row: Calendar | Policy) -> list[Calendar]:
    if isinstance(row, Calendar):
        return []
    keys = [key for key in (row.calendar_id, *row.targets.values_list("calendar_id", flat=True)) if key]
    return list(Calendar.objects.filter(pk__in=keys, psa_account=None, archived_at__isnull=False))


def refresh_feeds(*, now: datetime) -> int:
    """Feed every calendar that is due, each for itself. Counts those whose days changed."""
    changed = 0
    for calendar in holiday_feed.due(now=now):
        changed += _refresh_feed(calendar, now)
    return changed


@transaction.atomic
def _refresh_feed(calendar: Calendar, now: datetime) -> bool:
    save_calendar_version(calendar, now=now)
    holiday_feed.refresh(calendar, now=now)
    if not save_calendar_version(calendar, now=now):
        return False
    detail = {"name": calendar.name, "changes": last_calendar_changes(calendar, True)}
    record_audit(actor=_("Holiday feed"), verb="calendar.feed", subject=f"calendar:{calendar.pk}", detail=detail,
                 now=now)  # fmt: skip
    clock_jobs.request(now=now)
    return True


# ---- what a save changed --------------------------------------------------------------------------------------------


def last_calendar_changes(row: Calendar, has_changed: bool) -> Sequence[str]:
    if not has_changed:
        return []
    new, *old = row.versions.order_by("-number").values_list("content", flat=True)[:2]
    return calendar_changes(old[0] if old else None, new)


def last_policy_changes(row: Policy, has_changed: bool) -> Sequence[str]:
    if not has_changed:
        return []
    new, *old = row.versions.order_by("-number").values_list("content", flat=True)[:2]
    return policy_changes(old[0] if old else None, new, calendars=calendar_names(), priorities={})


def calendar_names() -> Mapping[int, str]:
    return dict(Calendar.objects.values_list("pk", "name"))


def _name_once(rows: Any, row: Calendar | Policy | None, name: str) -> None:
    others = rows.filter(name__iexact=name)
    if (others.exclude(pk=row.pk) if row else others).exists():
        raise Refused({"name": _("There is one of this name already.")})


def _only_ours(row: Calendar | Policy) -> None:
    if row.psa_account_id is not None:
        raise Refused({"": _("The PSA keeps it: take it over, and change the copy.")})


def _note(by: User, verb: str, subject: str, detail: Mapping[str, Any], now: datetime, request_id: str) -> None:
    record_audit(user=by, verb=verb, subject=subject, detail=detail, now=now, request_id=request_id)
