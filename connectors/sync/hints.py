"""What webhooks name, ticket by ticket: kept for a moment, then read. A lost hint costs nothing but freshness."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, F, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from connectors.base.errors import ConnectorError
from connectors.sync import cursors, gateway, health, reread
from connectors.sync.hooks import FOR_SIGNATURE
from connectors.sync.models import Cursor, Feed, Hint, Hook, HookCount
from helpdesk.core import bell, live
from helpdesk.directory.models import PsaAccount, PsaSecret

MOST_WAITING = 500
"""Per account: beyond it a pull reads the same changes a hundred to a call."""
SETTLES = timedelta(milliseconds=300)
"""One change in a PSA makes several calls within moments: they are read once."""
APART = timedelta(seconds=2)
"""Between two readings of the same ticket."""
KEPT = timedelta(seconds=10)
SLICE_SECONDS = 5.0
AT_ONCE = 20
SHOWN_EVERY = timedelta(seconds=5)


# ---- the door -------------------------------------------------------------------------------------------------------


def door(name: str) -> Hook | None:
    """The hook of an account by its name, with the encrypted `signature` and the number `waiting`, in one query."""
    if "\x00" in name:
        return None  # PostgreSQL takes no such text, and anybody may spell this address
    signature = PsaSecret.objects.filter(psa_account=OuterRef("pk"), name=FOR_SIGNATURE).values("token")[:1]
    waiting = Hint.objects.filter(psa_account=OuterRef("pk"), is_waiting=True).order_by().values("psa_account")
    counted = waiting.annotate(n=Count("pk")).values("n")
    return (
        Hook.objects.select_related("psa_account")
        .annotate(signature=Subquery(signature), waiting=Coalesce(Subquery(counted, IntegerField()), 0))
        .filter(psa_account__name=name)
        .first()
    )


@transaction.atomic
def heard(*, hook: Hook, remote_ids: Collection[str], now: datetime) -> None:
    """A genuine call: note what it names. Too many at once only make the next pull come earlier."""
    Hook.objects.filter(pk=hook.pk).update(heard=F("heard") + 1, heard_at=now)
    if hook.strikes and hook.state == Hook.State.REGISTERED:
        Hook.objects.filter(pk=hook.pk).update(strikes=0)
    if hook.heard_at is None or now - hook.heard_at > SHOWN_EVERY:
        live.touch(live.HEALTH)
    account_id = hook.psa_account_id
    if hook.waiting + len(remote_ids) > MOST_WAITING:  # type: ignore[attr-defined]
        PsaAccount.objects.filter(pk=account_id, next_pull_at__gt=now).update(next_pull_at=now)
        return
    rows = [Hint(psa_account_id=account_id, remote_id=i[:64], asked_at=now) for i in remote_ids]
    Hint.objects.bulk_create(
        rows, update_conflicts=True, update_fields=["is_waiting"], unique_fields=["psa_account", "remote_id"]
    )
    transaction.on_commit(lambda: bell.ring("sync.hints_due"))


def count(what: str) -> None:
    """One more of the calls that were turned away."""
    if not HookCount.objects.filter(what=what).update(number=F("number") + 1):
        HookCount.objects.get_or_create(what=what, defaults={"number": 1})


# ---- the worker -----------------------------------------------------------------------------------------------------


def are_waiting() -> bool:
    return Hint.objects.filter(is_waiting=True).exists()


def drain(*, clock: Callable[[], datetime], sleep: Callable[[float], None] = time.sleep) -> bool:
    """Read what is due for a few seconds. True when something is left. One thread of a worker, at polling rank."""
    deadline = clock() + timedelta(seconds=SLICE_SECONDS)
    Hint.objects.filter(is_waiting=False, read_at__lt=clock() - KEPT).delete()
    while clock() < deadline and are_waiting():
        if _is_crowded(clock()):
            return False  # beat rings again; a pull that runs brings most of it anyway
        due = list(_due(clock())[:AT_ONCE])
        if not due:
            sleep(0.1)
            continue
        for account_id in dict.fromkeys(hint.psa_account_id for hint in due):
            _read(account_id, [h for h in due if h.psa_account_id == account_id], clock, deadline)
    return are_waiting()


def _is_crowded(now: datetime) -> bool:
    """Two slices and a sweep are at work: the worker's last thread belongs to pushes."""
    sweeps = Cursor.objects.filter(feed=Feed.SWEEP, lease_until__gt=now).exists()
    return sweeps and cursors.running(now=now) >= 2


def _due(now: datetime) -> QuerySet[Hint]:
    rested = Q(read_at=None) | Q(read_at__lte=now - APART)
    return Hint.objects.filter(rested, is_waiting=True, asked_at__lte=now - SETTLES).order_by("asked_at", "pk")


def _read(account_id: int, hints: list[Hint], clock: Callable[[], datetime], deadline: datetime) -> None:
    account = PsaAccount.objects.filter(pk=account_id, pk__in=health.callable_accounts(clock())).first()
    if account is None:
        Hint.objects.filter(psa_account=account_id).delete()  # the pull after the pause brings it
        return
    try:
        with gateway.opened(account, rank=gateway.POLL, clock=clock) as connector:
            for hint in hints:
                if clock() >= deadline:
                    return
                claim = Hint.objects.filter(pk=hint.pk, is_waiting=True)
                if claim.update(is_waiting=False, read_at=clock()):
                    with health.watching(account.pk, clock=clock, calls=lambda: connector.calls):
                        reread.read_with(account=account, connector=connector, remote_id=hint.remote_id, clock=clock)
    except ConnectorError:
        # Health and breaker know. The tickets that were named are changed tickets: a pull finds them.
        Hint.objects.filter(psa_account=account_id).delete()
        PsaAccount.objects.filter(pk=account_id, next_pull_at__gt=clock()).update(next_pull_at=clock())
