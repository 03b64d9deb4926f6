"""The words in the desk to one person: how many wait, which, and that they were seen."""

from __future__ import annotations

from datetime import datetime

from django.core.cache import cache
from django.db import transaction
from django.http import Http404

from helpdesk.accounts.models import User
from helpdesk.actions.models import Notice
from helpdesk.core import live

MOST = 50
KEPT_SECONDS = 300


def unseen_count(user: User) -> int:
    """Kept until something changes it, for every page asks."""
    key = _key(user.pk)
    found = cache.get(key)
    if found is None:
        found = Notice.objects.of(user.pk).unseen().count()
        cache.set(key, found, KEPT_SECONDS)
    return int(found)


def notices_of(user: User, *, before: int | None = None) -> list[Notice]:
    """The newest, at most one more than a page holds. `before` = the key of the last one that was shown."""
    rows = Notice.objects.of(user.pk).with_ticket()
    if before is not None:
        rows = rows.before(before)
    return list(rows[: MOST + 1])


def notice_for(user: User, pk: int) -> Notice:
    """One's own, or 404."""
    found = Notice.objects.of(user.pk).with_ticket().filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


@transaction.atomic
def see(*, user: User, now: datetime, notice: Notice | None = None) -> None:
    """One of them, or all, was read."""
    rows = Notice.objects.of(user.pk).unseen()
    if notice is not None:
        rows = rows.filter(pk=notice.pk)
    rows.update(seen_at=now)
    tell(user.pk)


def tell(*user_ids: int) -> None:
    """Their number has changed."""
    transaction.on_commit(lambda: cache.delete_many([_key(pk) for pk in user_ids]))
    live.touch(live.DESK)


def _key(user_id: int) -> str:
    return f"notices:{user_id}"
