"""Reports by mail: when they are due, for which days, one job for each reader, claimed and settled.

As with every mail of the desk: one reader, one report, one mail. `key` is unique, a claim is a conditional update, and
a worker that lost its lease changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.translation import gettext as _

from helpdesk.accounts.models import User
from helpdesk.accounts.permissions import can
from helpdesk.actions.addresses import only_address
from helpdesk.core import bell
from helpdesk.core.errors import Refused, Stale
from helpdesk.core.halves import by_halves
from helpdesk.directory.models import Client, Contact, Team
from helpdesk.reports.models import FoldState, ReportSchedule, ReportSent
from helpdesk.reports.periods import month_before
from helpdesk.reports.schedule_models import About, Every, SendState
from helpdesk.reports.services import LATE

LEASE_SECONDS = 300
"""A report with its workbook is written within seconds; a hung mail server is waited for."""
BACKOFF_SECONDS = (60, 300, 1800, 7200, 21600)
TASK = "reports.send_due"
MOST_READERS = 30
MOST_CLAIMS = 12
"""A job that takes its worker down with it must not do so for ever."""


# ---- when, and about what -------------------------------------------------------------------------------------------


def next_time(*, every: str, weekday: int, month_day: int, hour: int, zone: str, after: datetime) -> datetime:
    """The first instant after `after` at which it is that hour of that day in the reader's zone."""
    there = ZoneInfo(zone)
    day = after.astimezone(there).date()
    for _step in range(63):
        wanted = day.weekday() == weekday if every == Every.WEEK else day.day == month_day
        at = datetime.combine(day, time(hour), tzinfo=there)
        if wanted and at.timestamp() > after.timestamp():
            return at
        day += timedelta(days=1)
    raise ValueError("no such day within two months")  # pragma: no cover - month_day is at most 28


def days_before(every: str, today: date) -> tuple[date, date]:
    """The whole week (Monday to Sunday) or month before this day."""
    if every == Every.WEEK:
        monday = today - timedelta(days=today.weekday())
        return monday - timedelta(days=7), monday - timedelta(days=1)
    return month_before(today), today.replace(day=1) - timedelta(days=1)


# ---- create and change ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a person asks for."""

    about: str
    client: Client | None = None
    team: Team | None = None
    every: str = Every.WEEK.value
    weekday: int = 0
    month_day: int = 1
    hour: int = 7
    time_zone: str = "UTC"
    people: Sequence[User] = ()
    contacts: Sequence[Contact] = ()


@transaction.atomic
def save_schedule(
    *, wanted: Wanted, user: User, now: datetime, schedule: ReportSchedule | None = None
) -> ReportSchedule:
    """Create or change one. Raises Refused by field."""
    _check(wanted)
    row = schedule or ReportSchedule(created_by=user, created_at=now)
    for name in ("about", "client", "team", "every", "weekday", "month_day", "hour", "time_zone"):
        setattr(row, name, getattr(wanted, name))
    is_due = row.is_active and row.next_at is not None and row.next_at <= now
    if not is_due:  # else this one still goes out, as it is wanted now
        row.next_at = _following(row, now) if row.is_active else None
    row.save()
    row.people.set(wanted.people)
    row.contacts.set(wanted.contacts)
    return row


def _check(wanted: Wanted) -> None:
    errors = {}
    if not wanted.people and not wanted.contacts:
        errors["people"] = _("Choose somebody who gets it.")
    if len(wanted.people) + len(wanted.contacts) > MOST_READERS:
        errors["people"] = _("At most %(n)d people.") % {"n": MOST_READERS}
    if any(not may_read(person) for person in wanted.people):
        errors["people"] = _("Somebody of these may not see reports.")
    if wanted.contacts and (wanted.about != About.CLIENT or not wanted.client):
        errors["contacts"] = _("A client’s people get the report of their own client only.")
    elif any(not may_have(contact, wanted.client) for contact in wanted.contacts):
        errors["contacts"] = _("Somebody of these may not see all of this client.")
    if errors:
        raise Refused(errors)


def may_read(person: User) -> bool:
    """Whether somebody of the desk may get a report."""
    return person.is_active and person.is_desk and can(person, "reports.view")


def may_have(contact: Contact, client: Client | None) -> bool:
    """Whether a client's contact may get the review of this client: it must be theirs, and wholly theirs."""
    is_theirs = client is not None and contact.client_id == client.pk
    is_here = contact.is_active and contact.erased_at is None and bool(only_address(contact.email))
    is_shut_out = contact.user is not None and not contact.user.is_active
    return is_theirs and is_here and contact.sees_company and not is_shut_out


def _following(row: ReportSchedule, after: datetime) -> datetime:
    return next_time(
        every=row.every, weekday=row.weekday, month_day=row.month_day, hour=row.hour, zone=row.time_zone, after=after
    )


@transaction.atomic
def pause_schedule(*, schedule: ReportSchedule, now: datetime) -> None:
    ReportSchedule.objects.filter(pk=schedule.pk).update(is_active=False, next_at=None)


@transaction.atomic
def resume_schedule(*, schedule: ReportSchedule, now: datetime) -> None:
    """What fell into the pause is not made up for."""
    ReportSchedule.objects.filter(pk=schedule.pk).update(is_active=True, next_at=_following(schedule, now))


@transaction.atomic
def delete_schedule(*, schedule: ReportSchedule) -> None:
    """What has not left is not sent; the log stays."""
    waiting = ReportSent.objects.filter(schedule=schedule, state=SendState.WAITING)
    waiting.update(state=SendState.CANCELLED, error_text="its schedule was deleted")
    schedule.delete()


# ---- queue ----------------------------------------------------------------------------------------------------------


def plan_due(*, now: datetime, zone: ZoneInfo, most: int = 50) -> int:
    """Write the jobs of every schedule that is due, and when it is due next, in one transaction each; one that cannot
    be planned holds up no other. Counts them."""
    due = ReportSchedule.objects.filter(next_at__lte=now, is_active=True).order_by("next_at", "pk")
    work = partial(_plan, now=now, zone=zone)
    rows = list(due.values_list("pk", "next_at")[:most])
    return sum(by_halves(work, [row], what="report not planned") for row in rows)


@transaction.atomic
def _plan(rows: Sequence[tuple[int, datetime]], *, now: datetime, zone: ZoneInfo) -> int:
    ((pk, at),) = rows
    held = ReportSchedule.objects.select_for_update().filter(pk=pk, next_at=at, is_active=True).first()
    if held is None:
        return 0  # another worker was here, or somebody paused it
    # Where its reader is a day ahead of the desk, the week or month that ends now there is meant.
    today = max(now.astimezone(zone).date(), now.astimezone(ZoneInfo(held.time_zone)).date())
    queue(schedule=held, now=now, zone=zone, occasion=at.isoformat(), today=today)
    held.next_at = _following(held, now)
    held.save(update_fields=["next_at"])
    return 1


@transaction.atomic
def queue(
    *, schedule: ReportSchedule, now: datetime, zone: ZoneInfo, occasion: str, today: date | None = None
) -> list[ReportSent]:
    """A job for each reader, about the week or month before `today` (without one: of the desk's zone); the same
    occasion twice is one. It waits until those days are over in the desk's zone."""
    first, last = days_before(schedule.every, today or now.astimezone(zone).date())
    over = datetime.combine(last + timedelta(days=1), time(), tzinfo=zone).astimezone(UTC) + LATE
    readers: list[tuple[str, str, Mapping[str, Any]]] = [
        (f"u{one.pk}", one.email, {"user": one}) for one in schedule.people.all()
    ]
    readers += [(f"c{one.pk}", only_address(one.email), {"contact": one}) for one in schedule.contacts.all()]
    found = []
    for name, to, who in readers:
        columns = {
            "schedule": schedule, "title": str(schedule)[:255], "to": to, "first": first, "last": last,
            "not_before_at": max(now, over), "created_at": now, **who,
        }  # fmt: skip
        job, _made = ReportSent.objects.get_or_create(key=f"{schedule.pk}:{occasion}:{name}", defaults=columns)
        found.append(job)
    transaction.on_commit(ring, robust=True)
    return found


def ring() -> None:
    bell.ring(TASK)


# ---- claim and settle -----------------------------------------------------------------------------------------------


def claim(*, now: datetime) -> ReportSent | None:
    """Take one due job whose days are counted. Its fence number is what its results must show."""
    counted = _counted_before()
    if counted is None:
        return None
    for pk, fence in ReportSent.objects.due(now).filter(last__lt=counted).values_list("pk", "fence")[:4]:
        free = ReportSent.objects.unsent().filter(pk=pk, fence=fence)
        if fence >= MOST_CLAIMS:
            free.update(state=SendState.FAILED, lease_until=None, error_text="its worker died each time")
            continue
        if free.update(state=SendState.SENDING, fence=fence + 1, lease_until=now + timedelta(seconds=LEASE_SECONDS)):
            parts = ("schedule__client", "schedule__team", "user", "contact__user", "contact__client")
            return ReportSent.objects.select_related(*parts).get(pk=pk)
    return None


def _counted_before() -> date | None:
    """The first day that may not be wholly counted yet; None while everything is counted anew."""
    state = FoldState.objects.first()
    if state is None or state.caught_up_at is None:
        return None
    return (state.caught_up_at - LATE).astimezone(ZoneInfo(state.time_zone)).date()


def complete(*, job: ReportSent, to: str, now: datetime) -> bool:
    """The mail server has taken it. `to`: where it went, which is asked for when it leaves."""
    return _settle(job, state=SendState.SENT, to=to[:254], sent_at=now, attempts=job.attempts + 1, error_text="")


def postpone(*, job: ReportSent, text: str, now: datetime, is_final: bool = False) -> bool:
    """It could not be handed over: again later, or a person is needed."""
    tries = job.attempts + 1
    if is_final or tries > len(BACKOFF_SECONDS):
        return _settle(job, state=SendState.FAILED, attempts=tries, error_text=_short(text))
    at = now + timedelta(seconds=BACKOFF_SECONDS[tries - 1])
    return _settle(job, state=SendState.WAITING, attempts=tries, error_text=_short(text), not_before_at=at)


def cancel(*, job: ReportSent, text: str) -> bool:
    """It is not to be sent any more."""
    return _settle(job, state=SendState.CANCELLED, error_text=_short(text))


def _settle(job: ReportSent, **values: Any) -> bool:
    held = ReportSent.objects.filter(pk=job.pk, fence=job.fence, state=SendState.SENDING)
    return bool(held.update(lease_until=None, **values))


@transaction.atomic
def retry(*, job: ReportSent, now: datetime) -> None:
    """Try a failed one again. Stale when it is not failed any more."""
    failed = ReportSent.objects.filter(pk=job.pk, state=SendState.FAILED)
    if not failed.update(state=SendState.WAITING, attempts=0, not_before_at=now, error_text=""):
        raise Stale("this report has not failed")
    transaction.on_commit(ring, robust=True)


def _short(text: str) -> str:
    return " ".join(text.split())[:300]
