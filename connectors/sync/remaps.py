"""Tickets follow a changed mapping: asked for with the change, done by a worker in batches, resumed after any kill."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from connectors.sync.models import Remap
from helpdesk.accounts.services import record_audit
from helpdesk.core import bell, live
from helpdesk.directory.models import PsaAccount
from helpdesk.sla.models import Policy, Target
from helpdesk.sla.versions import save_policy_version
from helpdesk.tickets import rederiving
from helpdesk.tickets.choices import FINISHED, Category, SlaClock
from helpdesk.tickets.models import Priority, Status, Ticket, TicketEvent, TicketType

BATCH = 100
"""Tickets per transaction: some tens of milliseconds of SQLite's one write lock."""
EVENTS = 2000
"""Events looked through per transaction."""
SECONDS = 10.0
"""One go of a worker's thread."""
PAUSE_SECONDS = 0.01
"""Between two batches, so that who waits for SQLite's lock gets it."""
CHECK_AFTER = timedelta(minutes=1)
"""Longer than any request holds a ticket that it has read."""

STATUS, PRIORITY, PAST = "status", "priority", "past"
CHECKED = "checked"
"""Behind the work of a check: it asks for no other check."""

Meant = Status | Priority | TicketType
MEANT: Mapping[str, type[Meant]] = {"statuses": Status, "priorities": Priority, "ticket_types": TicketType}
"""Kinds of values that mean something here."""


@transaction.atomic
def request(
    *, account_id: int, statuses: Iterable[int] = (), priorities: Iterable[int] = (), past: Iterable[int] = (),
    now: datetime,
) -> None:  # fmt: skip
    """Let the tickets follow. `past` names statuses whose category counts differently in reports, for whoever was in
    one of them once. What is under way for the same value begins anew."""
    asked = [
        *((STATUS, pk) for pk in statuses), *((PRIORITY, pk) for pk in priorities), *((PAST, pk) for pk in past)
    ]  # fmt: skip
    counts = {(what, key): _count(what, key) for what, key in asked}
    wanted = [[what, key] for what, key in asked if counts[what, key] or what == PAST]
    if not wanted:
        return
    Remap.objects.get_or_create(pk=account_id, defaults={"requested_at": now, "finished_at": now})
    job = Remap.objects.select_for_update().get(pk=account_id)
    if job.finished_at:
        job.todo, job.total, job.done, job.changed = [], 0, 0, 0
    fresh = [unit for unit in wanted if [*unit, 0] not in job.todo]
    left = [unit for unit in job.todo if unit[:2] not in fresh]
    job.todo = [*left, *([*unit, 0] for unit in fresh)]
    job.total += sum(counts[what, key] for what, key in asked if [what, key] in fresh)
    job.requested_at, job.finished_at, job.check_at = now, None, None
    job.save()
    live.touch(live.HEALTH)
    transaction.on_commit(_ring, robust=True)


def request_for(*, account_id: int, changes: Sequence[tuple[Meant, Meant]], now: datetime) -> None:
    """As `request`, for rows before and after their change; a type's kind stands on no ticket."""
    statuses, priorities, past = [], [], []
    for old, new in changes:
        if isinstance(new, Priority):
            priorities.append(new.pk)
            _rank_targets(account_id, new, now)
        elif isinstance(old, Status) and isinstance(new, Status):
            statuses.append(new.pk)
            if _in_reports(old.category) != _in_reports(new.category):
                past.append(new.pk)
    request(account_id=account_id, statuses=statuses, priorities=priorities, past=past, now=now)


@contextmanager
def following(*, account: PsaAccount, kind: str, now: datetime) -> Iterator[None]:
    """What a pull changes inside about the meaning of words, the tickets follow; written down as the PSA's doing."""
    model = MEANT.get(kind)
    if model is None:
        yield
        return
    before = rows_of(model, account.pk)
    yield
    after = rows_of(model, account.pk)
    changes = [(before[pk], row) for pk, row in after.items() if pk in before and meaning(before[pk]) != meaning(row)]
    for old, new in changes:
        record_audit(
            actor=account.title or account.name,
            verb="mapping.read",
            subject=f"account:{account.name}",
            detail={"value": new.name, "from": words(old), "to": words(new)},
            now=now,
        )
    request_for(account_id=account.pk, changes=changes, now=now)


def rows_of(model: type[Meant], account_id: int) -> dict[int, Meant]:
    return {row.pk: row for row in model.objects.filter(psa_account=account_id).defer("raw")}


def meaning(row: Meant) -> tuple[str | int, ...]:
    """What a value of a PSA counts as here."""
    if isinstance(row, Status):
        return row.category, row.sla_clock
    return (row.rank,) if isinstance(row, Priority) else (row.kind,)


def words(row: Meant) -> str:
    """The same for people; says so where nobody has chosen it."""
    if isinstance(row, Status):
        said = f"{row.get_category_display()}, {row.get_sla_clock_display()}"
    else:
        said = str(row.get_rank_display() if isinstance(row, Priority) else row.get_kind_display())
    return said if row.is_mapped else f"{said} ({_('not mapped')})"


def _rank_targets(account_id: int, priority: Priority, now: datetime) -> None:
    """What the account's policies promise for a priority is promised for its new rank."""
    rows = Target.objects.filter(policy__psa_account=account_id, priority=priority.remote_id)
    moved = rows.exclude(rank=priority.rank) | rows.filter(rank=None)
    policies = list(Policy.objects.filter(targets__in=moved).distinct())
    rows.update(rank=priority.rank)
    for policy in policies:
        save_policy_version(policy, now=now)


def _in_reports(category: str) -> str:
    """As far as reports tell categories of the past apart: when work ended, and when it was escalated."""
    return "finished" if category in FINISHED else category if category == Category.ESCALATED else ""


def _ring() -> None:
    bell.ring("sync.remap_due")


def _count(what: str, key: int) -> int:
    if what == PAST:
        return 0
    return Ticket.objects.filter(**{what: key}).count()


def are_waiting(*, now: datetime) -> bool:
    return Remap.objects.filter(Q(finished_at=None) | Q(check_at__lte=now)).exists()


def run(*, clock: Callable[[], datetime], seconds: float = SECONDS) -> bool:
    """Work for a few seconds. True when something is left. One thread of a worker; two would take turns."""
    until = time.monotonic() + seconds
    for account_id in Remap.objects.filter(finished_at=None).values_list("pk", flat=True):
        while step(account_id=account_id, now=clock()):
            if time.monotonic() > until:
                return True
            time.sleep(PAUSE_SECONDS)
    for account_id in Remap.objects.filter(check_at__lte=clock()).values_list("pk", flat=True):
        check(account_id=account_id, now=clock())
    return Remap.objects.filter(finished_at=None).exists()


@transaction.atomic
def step(*, account_id: int, now: datetime, size: int = BATCH) -> bool:
    """The next batch, together with the place it reaches. False when nothing is left, or another worker is at it."""
    can_skip = connection.features.has_select_for_update_skip_locked
    jobs = Remap.objects.select_for_update(skip_locked=can_skip).filter(pk=account_id, finished_at=None)
    job = jobs.first()
    if job is None:
        return False
    what, key, place = job.todo[0] if job.todo else (CHECKED, 0, 0)
    end = 0
    if what == PAST:
        end = _past(job, key, place, now)
    elif what != CHECKED:
        end = _tickets(job, what, key, place, now, size)
    job.todo = [[what, key, end], *job.todo[1:]] if end else job.todo[1:]
    if not job.todo:
        job.finished_at, job.check_at = now, None if what == CHECKED else now + CHECK_AFTER
    job.save()
    live.touch(live.HEALTH)
    return bool(job.todo)


def _tickets(job: Remap, what: str, key: int, place: int, now: datetime, size: int) -> int:
    """The next tickets with this value. The key of the last one; 0 = these were all."""
    rows = Ticket.objects.filter(**{what: key}, psa_account=job.psa_account_id, pk__gt=place).order_by("pk")
    ids = list(rows.values_list("pk", flat=True)[:size])
    job.changed += rederiving.rederive(account_id=job.psa_account_id, ids=ids, now=now)
    job.done += len(ids)
    return ids[-1] if len(ids) == size else 0


def _past(job: Remap, key: int, place: int, now: datetime) -> int:
    """Tickets that were in this status once are counted again. The key of the last event; 0 = these were all."""
    last = TicketEvent.objects.filter(pk__gt=place).order_by("pk").values_list("pk", flat=True)[EVENTS - 1 : EVENTS]
    end = next(iter(last), 0)
    moved = TicketEvent.objects.of_field("status").filter(Q(old=str(key)) | Q(new=str(key)), pk__gt=place)
    if end:
        moved = moved.filter(pk__lte=end)
    rederiving.count_again(ids=set(moved.values_list("ticket", flat=True)), now=now)
    return end


@transaction.atomic
def check(*, account_id: int, now: datetime) -> None:
    """Look once more, after everybody who may have had the old meaning in hand has written."""
    job = Remap.objects.select_for_update().filter(pk=account_id, check_at__lte=now).first()
    if job is None:
        return
    Remap.objects.filter(pk=account_id).update(check_at=None)
    statuses = [s.pk for s in Status.objects.filter(psa_account=account_id) if _is_stale(s)]
    rows = Priority.objects.filter(psa_account=account_id)
    priorities = [p.pk for p in rows if Ticket.objects.filter(priority=p).exclude(rank=p.rank).exists()]
    request(account_id=account_id, statuses=statuses, priorities=priorities, now=now)
    job.refresh_from_db()
    if job.finished_at is None:
        job.todo = [*job.todo, [CHECKED, 0, 0]]
        job.save(update_fields=["todo"])


def _is_stale(status: Status) -> bool:
    """Whether a ticket of this status shows another meaning than the status has."""
    rows = Ticket.objects.filter(status=status)
    is_open = status.category not in FINISHED
    wrong = ~Q(status_category=status.category) | ~Q(is_open=is_open)
    if is_open and status.sla_clock == SlaClock.PAUSED:
        wrong |= Q(clock_state__in=["running", "at_risk"], sla_released=False)
    elif is_open:
        wrong |= Q(clock_state="paused", sla_paused=False)
    return rows.filter(wrong).exists()
