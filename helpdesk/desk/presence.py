"""Who looks at a ticket and who types on it: kept in the cache for as long as the page says so."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.cache import cache

from helpdesk.accounts.models import User
from helpdesk.core import live

SECONDS = 25
"""A page that has not been heard of for this long is gone; it says so every ten."""
MOST = 8
BUCKETS = 16
_TELL_EVERY = 3


def beat(user: User, ticket_id: int, *, is_typing: bool, now: float) -> None:
    """The person is still there. Others hear of it when somebody came, or began or ended typing."""
    key = _key(ticket_id)
    people = _fresh(cache.get(key), now)
    before = people.get((ticket_id, user.pk))
    people[ticket_id, user.pk] = (str(user), is_typing, now + SECONDS)
    cache.set(key, people, timeout=SECONDS)
    if before is None or before[1] != is_typing:
        _tell(ticket_id)


def leave(user: User, ticket_id: int, *, now: float) -> None:
    key = _key(ticket_id)
    people = _fresh(cache.get(key), now)
    if people.pop((ticket_id, user.pk), None) is not None:
        cache.set(key, people, timeout=SECONDS)
        _tell(ticket_id)


def present(ticket_ids: Iterable[int], *, but: int | None = None, now: float = 0) -> dict[int, list[tuple[str, bool]]]:
    """(name, is typing) per ticket, in one look at the cache; `but` leaves out the reader."""
    wanted = set(ticket_ids)
    found: dict[int, list[tuple[str, bool]]] = {}
    for people in cache.get_many({_key(pk) for pk in wanted}).values():
        for (ticket_id, user_id), (name, is_typing, _end) in _fresh(people, now).items():
            if ticket_id in wanted and user_id != but:
                found.setdefault(ticket_id, []).append((name, is_typing))
    return {pk: sorted(people, key=lambda p: not p[1])[:MOST] for pk, people in found.items()}


def _key(ticket_id: int) -> str:
    """Tickets share a few entries, so that a board of 500 asks for sixteen and not for 500. Two beats at the same
    instant may lose one: the next comes in ten seconds."""
    return f"presence:{ticket_id % BUCKETS}"


def _fresh(people: Any, now: float) -> dict[tuple[int, int], tuple[str, bool, float]]:
    return {who: row for who, row in people.items() if row[2] > now} if isinstance(people, dict) else {}


def _tell(ticket_id: int) -> None:
    """Boards hear of presence at most every few seconds: it is a courtesy, not a change."""
    live.touch(live.ticket_scope(ticket_id))
    if cache.add("presence:told", 1, timeout=_TELL_EVERY):
        live.touch(live.DESK)
