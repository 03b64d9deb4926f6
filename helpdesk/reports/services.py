"""Counting: changed tickets are counted anew, and the difference to what they added before goes into the sums.

Where changes are found:

- `changed`: tickets in the order of `changed_at`, once as soon as possible,
- `again`: the same order two minutes late, for what was committed late with an earlier instant,
- `time`, `events`, `escalations`: new time entries, changes of status, owner and team, and escalations, which may come
  after their ticket's own change, or without one,
- `patrol`: all tickets by key, some with every step: finds whatever else was missed, deletions too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db.models import Max, Q

from helpdesk.actions.models import Escalation, TimeEntry
from helpdesk.directory.models import Organisation
from helpdesk.reports import quantiles
from helpdesk.reports.counting import count_tickets, mend_month
from helpdesk.reports.models import DailyMetric, FoldState, LateClock, OpenStretch, TicketDay, TicketRaised
from helpdesk.tickets import spans
from helpdesk.tickets.models import Ticket, TicketEvent

STEP = 2000
"""Tickets per call of `fold`."""
CHUNK = 400
PATROL = 200
LATE = timedelta(minutes=2)
LEASE = timedelta(minutes=5)


@dataclass(frozen=True, kw_only=True)
class Folded:
    """`tickets` looked at, `changed` of them counted differently; `is_more`: the limit came before the end."""

    tickets: int = 0
    changed: int = 0
    is_more: bool = False


def organisation_zone() -> str:
    """The name of the zone whose days are reported; UTC when the organisation's is not known here."""
    name = Organisation.objects.order_by("pk").values_list("time_zone", flat=True).first() or "UTC"
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return "UTC"
    return name


def fold(*, now: datetime, limit: int = STEP) -> Folded:
    """Count what changed since the last step, at most `limit` tickets. Does nothing while another one is at it."""
    state = _claim(now)
    if state is None:
        return Folded()
    try:
        return _fold(state, now, limit)
    finally:
        FoldState.objects.filter(pk=state.pk).update(busy_until=None, folded_at=now)


def _claim(now: datetime) -> FoldState | None:
    state, _made = FoldState.objects.get_or_create(pk=1)
    free = Q(busy_until=None) | Q(busy_until__lt=now)
    if not FoldState.objects.filter(free, pk=1).update(busy_until=now + LEASE):
        return None
    zone = organisation_zone()
    if not state.cursors or state.time_zone != zone:
        _start_over(state, zone, now)
    return state


def _start_over(state: FoldState, zone: str, now: datetime) -> None:
    """Count every ticket anew: the first time, and when days begin at another hour. What is kept stays readable."""
    state.time_zone, state.caught_up_at = zone, None
    state.cursors = {
        "changed": None,
        "time": TimeEntry.objects.aggregate(m=Max("pk"))["m"] or 0,
        "events": TicketEvent.objects.aggregate(m=Max("pk"))["m"] or 0,
        "escalations": Escalation.objects.aggregate(m=Max("pk"))["m"] or 0,
        "again": [(now - LATE).isoformat(), 0],
        "patrol": 0,
    }
    state.save(update_fields=["time_zone", "caught_up_at", "cursors"])


Found = tuple[list[int], Any]
"""Ticket ids, and where the source goes on; no ids = its end."""


def _fold(state: FoldState, now: datetime, limit: int) -> Folded:
    zone = ZoneInfo(state.time_zone)
    seen = changed = 0
    sources: list[tuple[str, Callable[[Any, int], Found]]] = [
        ("changed", _changed),
        ("time", _with_new_time),
        ("events", _with_new_events),
        ("escalations", _with_new_escalations),
        ("again", lambda cursor, count: _changed(cursor, count, until=now - LATE)),
    ]
    for name, find in sources:
        while seen < limit:
            ids, cursor = find(state.cursors.get(name), min(CHUNK, limit - seen))
            if not ids:
                break
            changed += count_tickets(ids, zone, now)
            seen += len(ids)
            _advance(state, name, cursor)
        if seen >= limit:
            return Folded(tickets=seen, changed=changed, is_more=True)
        if name == "changed":
            state.caught_up_at = now
            state.save(update_fields=["caught_up_at"])
    changed += _patrol(state, zone, now)
    return Folded(tickets=seen, changed=changed, is_more=quantiles.refresh())


def _advance(state: FoldState, name: str, cursor: Any) -> None:
    state.cursors = {**state.cursors, name: cursor}
    state.save(update_fields=["cursors"])


def _changed(cursor: Any, count: int, until: datetime | None = None) -> Found:
    rows = Ticket.objects.order_by("changed_at", "pk").values_list("changed_at", "pk")
    if cursor:
        at, pk = datetime.fromisoformat(cursor[0]), cursor[1]
        rows = rows.filter(Q(changed_at__gt=at) | Q(changed_at=at, pk__gt=pk), changed_at__gte=at)
    if until:
        rows = rows.filter(changed_at__lte=until)
    found = list(rows[:count])
    return [pk for _at, pk in found], [found[-1][0].isoformat(), found[-1][1]] if found else cursor


def _newest() -> Any:
    """Behind every ticket there is."""
    last = Ticket.objects.order_by("-changed_at", "-pk").values_list("changed_at", "pk").first()
    return [last[0].isoformat(), last[1]] if last else None


def _with_new_time(cursor: Any, count: int) -> Found:
    return _newer(TimeEntry.objects.all(), cursor, count)


def _with_new_events(cursor: Any, count: int) -> Found:
    return _newer(TicketEvent.objects.filter(field__in=spans.FIELDS), cursor, count)


def _with_new_escalations(cursor: Any, count: int) -> Found:
    return _newer(Escalation.objects.all(), cursor, count)


def _newer(rows: Any, cursor: Any, count: int) -> Found:
    found = list(rows.filter(pk__gt=cursor or 0).order_by("pk").values_list("pk", "ticket_id")[:count])
    return list(dict.fromkeys(ticket for _pk, ticket in found)), found[-1][0] if found else cursor


def _patrol(state: FoldState, zone: ZoneInfo, now: datetime) -> int:
    """The next tickets by key, and contributions in that range whose ticket is gone."""
    start = state.cursors.get("patrol") or 0
    ids = list(Ticket.objects.filter(pk__gt=start).order_by("pk").values_list("pk", flat=True)[:PATROL])
    known = set(ids)
    for kept in (TicketDay, OpenStretch, TicketRaised, LateClock):
        behind = kept._default_manager.filter(ticket_id__gt=start)
        if len(known) == PATROL:
            behind = behind.filter(ticket_id__lte=max(known))
        more = behind.order_by().values_list("ticket_id", flat=True).distinct()[:STEP]
        ids += [pk for pk in more if pk not in ids]
    changed = count_tickets(ids, zone, now)
    _advance(state, "patrol", max(ids) if len(known) == PATROL else 0)
    return changed


# ---- recounting -----------------------------------------------------------------------------------------------------


def rebuild(*, now: datetime, since: date | None = None, say: Callable[[int], None] = lambda _done: None) -> Folded:
    """Count anew every ticket with a day at or after `since` (None = all), then add up the sums from scratch.

    Pages stay readable and right all the while: only what differs is written. `say` is told how many are done.
    """
    state, _made = FoldState.objects.get_or_create(pk=1)
    name = organisation_zone()
    if since is None or not state.cursors or state.time_zone != name:
        since = None
        _start_over(state, name, now)
        _advance(state, "changed", _newest())
    zone = ZoneInfo(name)
    seen = changed = 0
    for ids in _chunks(_ids_since(since, zone)):
        changed += count_tickets(ids, zone, now)
        seen += len(ids)
        say(seen)
    changed += _mend_sums(since)
    quantiles.start_over(since)
    while fold(now=now).is_more:
        pass
    return Folded(tickets=seen, changed=changed)


def _ids_since(since: date | None, zone: ZoneInfo) -> list[int]:
    tickets, days = Ticket.objects.order_by("pk"), TicketDay.objects.order_by("ticket_id")
    if since:
        at = datetime(since.year, since.month, since.day, tzinfo=zone)
        booked = TimeEntry.objects.filter(ended_at__gte=at).values("ticket")
        touched = Q(opened_at__gte=at) | Q(finished_at__gte=at) | Q(first_responded_at__gte=at) | Q(changed_at__gte=at)
        tickets = tickets.filter(touched | Q(pk__in=booked))
        days = days.filter(day__gte=since)
    return sorted(set(tickets.values_list("pk", flat=True)) | set(days.values_list("ticket_id", flat=True)))


def _chunks(ids: Sequence[int]) -> Iterable[Sequence[int]]:
    return (ids[i : i + CHUNK] for i in range(0, len(ids), CHUNK))


def _mend_sums(since: date | None) -> int:
    """Compare the sums of every month with its contributions. Counts the sums that were wrong."""
    months = {day.replace(day=1) for day in TicketDay.objects.order_by().values_list("day", flat=True).distinct()}
    months |= {day.replace(day=1) for day in DailyMetric.objects.order_by().values_list("day", flat=True).distinct()}
    first = since.replace(day=1) if since else date.min
    return sum(mend_month(month) for month in sorted(months) if month >= first)
