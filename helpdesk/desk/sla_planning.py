"""What a change of promises would do to the open tickets: asked for by a form, counted in batches, exact when done.

The change itself is made in a transaction that is rolled back, and what it would have written goes into the book that
the tickets are asked with: what is shown is what saving does.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from helpdesk.accounts.models import User
from helpdesk.core import bell
from helpdesk.sla import book as books
from helpdesk.sla.models import Calendar, PlannedChange, Policy, PolicyUse
from helpdesk.sla.versions import calendar_content, policy_content
from helpdesk.tickets import clock_preview
from helpdesk.tickets.models import Ticket

BATCH = 50
"""Tickets worked out at once while somebody waits: some hundredths of a second."""
WORKER_BATCH = 500
REQUEST_SECONDS = 0.4
"""What a page may take for it; the rest is a worker's."""
WORKER_SECONDS = 10.0
EXAMPLES = 8
KEEP = timedelta(days=1)
FRESH = timedelta(minutes=1)
"""How long a finished count is shown again instead of being made anew."""
TASK = "desk.count_planned"


@dataclass(frozen=True, kw_only=True)
class Touched:
    """Keys of what a change writes, and who gets which policy by it: (who, key) -> policy, None = taken away."""

    calendars: tuple[int, ...] = ()
    policies: tuple[int, ...] = ()
    uses: Mapping[tuple[str, int], int | None] = field(default_factory=dict)


def tried(change: Callable[[], Touched]) -> dict[str, Any]:
    """What the change would write, as JSON, and upon what; nothing of it stays. Raises what the change raises."""
    with transaction.atomic():
        touched = change()
        calendars = Calendar.objects.filter(pk__in=touched.calendars).prefetch_related("intervals", "holidays")
        policies = Policy.objects.filter(pk__in=touched.policies).prefetch_related("targets")
        content = {
            "calendars": {str(row.pk): calendar_content(row) for row in calendars},
            "policies": {str(row.pk): policy_content(row) for row in policies},
            "uses": [[who, key, policy] for (who, key), policy in sorted(touched.uses.items())],
            "base": [
                *([row.pk, row.version] for row in calendars),
                *([row.pk, row.version] for row in policies),
                *([who, key, _standing(who, key)] for who, key in sorted(touched.uses)),
            ],
        }
        transaction.set_rollback(True)
    return content


def _standing(who: str, key: int) -> int | None:
    found = PolicyUse.objects.filter(**{who: key}, to_at=None).values_list("policy_id", flat=True)
    return next(iter(found), None)


def digest_of(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]


def moves_nothing(content: Mapping[str, Any]) -> bool:
    """Whether no ticket can follow it: nobody gets another policy, and all of it is unused or as it was."""
    if content["uses"]:
        return False
    calendars = [int(key) for key, new in content["calendars"].items() if new != _calendar_now(int(key))]
    policies = [int(key) for key, new in content["policies"].items() if new != _policy_now(int(key))]
    used_calendars = Policy.objects.filter(Q(calendar__in=calendars) | Q(targets__calendar__in=calendars))
    if calendars and used_calendars.exists():
        return False
    theirs = Policy.objects.filter(pk__in=policies, psa_account__isnull=False)
    return not (policies and (theirs.exists() or PolicyUse.objects.filter(policy__in=policies, to_at=None).exists()))


def _calendar_now(key: int) -> Mapping[str, Any] | None:
    row = Calendar.objects.filter(pk=key).prefetch_related("intervals", "holidays").first()
    return calendar_content(row) if row else None


def _policy_now(key: int) -> Mapping[str, Any] | None:
    row = Policy.objects.filter(pk=key).prefetch_related("targets").first()
    return policy_content(row) if row else None


def plan(*, content: Mapping[str, Any], user: User | None, now: datetime) -> PlannedChange:
    """Begin to count it, or find the same count begun before by the same person; small ones are done at once."""
    PlannedChange.objects.filter(at__lt=now - KEEP).delete()
    digest = digest_of(content)
    same = PlannedChange.objects.filter(digest=digest, user=user)
    found = same.filter(Q(finished_at=None) | Q(at__gt=now - FRESH)).last()
    if found is None:
        found = PlannedChange.objects.create(
            digest=digest, content=content, user=user, at=now, total=Ticket.objects.present().open().count()
        )
    count(found.pk, now=now, seconds=REQUEST_SECONDS)
    found.refresh_from_db()
    if found.finished_at is None:
        transaction.on_commit(lambda: bell.ring(TASK), robust=True)
    return found


def count(key: int, *, now: datetime, seconds: float, size: int = BATCH) -> bool:
    """Work on one count for so long. True when something is left."""
    until = time.monotonic() + seconds
    while step(key, now=now, size=size):
        if time.monotonic() > until:
            return True
    return False


def count_all(*, clock: Callable[[], datetime], seconds: float = WORKER_SECONDS) -> bool:
    """Work on every count that is not done. True when something is left."""
    until = time.monotonic() + seconds
    unfinished = PlannedChange.objects.filter(finished_at=None).order_by("-pk").values_list("pk", flat=True)
    for key in list(unfinished):
        count(key, now=clock(), seconds=max(0.0, until - time.monotonic()), size=WORKER_BATCH)
        if time.monotonic() > until:
            break
    return PlannedChange.objects.filter(finished_at=None).exists()


def step(key: int, *, now: datetime, size: int = BATCH) -> bool:
    """The next batch. False when nothing is left.

    Worked out without a lock, and kept only where nobody else got to the same place meanwhile.
    """
    job = PlannedChange.objects.filter(pk=key, finished_at=None).first()
    if job is None:
        return False
    tickets = Ticket.objects.present().open().filter(pk__gt=job.place).order_by("pk")
    ids = list(tickets.values_list("pk", flat=True)[:size])
    is_last = len(ids) < size
    values: dict[str, Any] = {"finished_at": now if is_last else None}
    if ids:
        found = clock_preview.preview(_book(job), now=job.at, ids=ids)
        values |= {
            "place": ids[-1], "looked_at": job.looked_at + len(ids), "moved": job.moved + found.moved,
            "breached": job.breached + found.breached, "lifted": job.lifted + found.lifted,
            "examples": [*job.examples, *map(_example, found.examples)][:EXAMPLES],
        }  # fmt: skip
    PlannedChange.objects.filter(pk=key, place=job.place, finished_at=None).update(**values)
    return not is_last


def _book(job: PlannedChange) -> books.Book:
    told = job.content
    return books.current().replacing(
        at=job.at,
        calendars={int(key): content for key, content in told["calendars"].items()},
        policies={int(key): content for key, content in told["policies"].items()},
        uses={(who, key): policy for who, key, policy in told["uses"]},
    )


def _example(found: Any) -> dict[str, Any]:
    return {
        "ticket": found.ticket,
        "kind": found.kind,
        "old": found.old.isoformat() if found.old else None,
        "new": found.new.isoformat() if found.new else None,
    }


def own(user: User) -> QuerySet[PlannedChange]:
    """Counts that this person asked for."""
    return PlannedChange.objects.filter(user=user)


@dataclass(frozen=True, kw_only=True)
class Example:
    """A ticket whose deadline moves."""

    pk: int
    number: str
    subject: str
    kind: str
    old: datetime | None
    new: datetime | None


def examples_of(job: PlannedChange) -> list[Example]:
    rows = Ticket.objects.in_bulk([one["ticket"] for one in job.examples])
    found = []
    for one in job.examples:
        ticket = rows.get(one["ticket"])
        if ticket is None:
            continue
        old, new = (datetime.fromisoformat(one[name]) if one[name] else None for name in ("old", "new"))
        found.append(
            Example(
                pk=ticket.pk, number=ticket.number, subject=ticket.subject, kind=one["kind"], old=old, new=new
            )
        )  # fmt: skip
    return found
