"""The tickets behind a figure: the same contributions (or live conditions) that made it, page by page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Sum

from helpdesk.core.paging import BadCursor, Cursor, Page, keyset_page, read_cursor
from helpdesk.reports.filters import Filters
from helpdesk.reports.live import narrow
from helpdesk.reports.metrics import Metric
from helpdesk.reports.models import OpenStretch, TicketDay, TicketRaised
from helpdesk.reports.querysets import ContributionQuerySet
from helpdesk.tickets.models import Ticket, TicketClock
from helpdesk.tickets.querysets import TicketQuerySet

CHUNK = 500


@dataclass(frozen=True, kw_only=True)
class Drill:
    """What is listed: a metric, over days, under filters; `category` narrows what is open now to one status."""

    metric: Metric
    filters: Filters
    first: date
    last: date
    now: datetime
    category: str = ""

    def parts(self) -> ContributionQuerySet:
        """The rows that made the figure."""
        metric = self.metric
        if metric.source == "stretches":
            open_then = OpenStretch.objects.open_on(self.last).under(self.filters.dimensions)
            return open_then if metric.age is None else open_then.of_age(metric.age, self.last)
        if metric.source == "raised":
            raised = TicketRaised.objects.between(self.first, self.last).under(self.filters.dimensions)
            return raised.raised_by(metric.trigger, metric.level)
        found = TicketDay.objects.between(self.first, self.last).under(self.filters.dimensions)
        found = found.counting(*self.metric.counters)
        return found.filter(**dict.fromkeys(self.metric.without, 0)) if self.metric.without else found

    def live(self, seen: TicketQuerySet) -> TicketQuerySet:
        """Tickets as they are now."""
        found = narrow(self.filters.apply(seen), self.metric.key, self.now)
        return found.with_categories([self.category]) if self.category else found

    @property
    def has_live(self) -> bool:
        """Compliance is judged over finished tickets and open ones: never the same."""
        return self.metric.is_live or self.metric.key == "compliance"

    @property
    def is_daily(self) -> bool:
        """Every ticket stands in one contribution (one per cycle of its clock): listed by day, newest first."""
        return not self.metric.is_live and not self.metric.is_many

    @property
    def order(self) -> str:
        return "day" if self.is_daily else "due" if self.metric.is_live else "pk"


def count(drill: Drill, seen: TicketQuerySet) -> int:
    open_now = drill.live(seen).order_by().count() if drill.has_live else 0
    if drill.metric.is_live:
        return open_now
    parts = drill.parts().order_by()
    return open_now + (parts.count() if drill.is_daily else parts.tickets().distinct().count())


def cursor_of(text: str, drill: Drill) -> Cursor | None:
    """Raises BadCursor."""
    if not text:
        return None
    cursor = read_cursor(text, order=drill.order)
    if drill.is_daily:
        try:
            date.fromisoformat(cursor.value)
        except (TypeError, ValueError) as error:
            raise BadCursor(text) from error
    elif not isinstance(cursor.value, datetime if drill.order == "due" else int):
        raise BadCursor(text)
    return cursor


def page(drill: Drill, seen: TicketQuerySet, cursor: Cursor | None, size: int = 50) -> Page:
    """One page of (day or None, ticket key)."""

    def fetch(at: Cursor | None, is_back: bool, limit: int) -> Sequence[tuple[Any, int]]:
        if drill.is_daily:
            return _by_day(drill, at, is_back)[:limit]
        if drill.metric.is_live:
            return _by_due(drill.live(seen), at, is_back)[:limit]
        return _by_key(drill, seen, at, is_back, limit)

    def key_of(row: tuple[Any, int]) -> tuple[Any, int]:
        value, pk = row
        return (value.isoformat() if drill.is_daily else value), pk

    return keyset_page(fetch=fetch, key_of=key_of, order=drill.order, cursor=cursor, size=size)


def _by_day(drill: Drill, at: Cursor | None, is_back: bool) -> Any:
    """Newest day first."""
    parts = drill.parts()
    if at:
        day = date.fromisoformat(at.value)
        parts = parts.after(day, at.pk) if is_back else parts.before(day, at.pk)
    sign = "" if is_back else "-"
    return parts.order_by(f"{sign}day", f"{sign}ticket_id").values_list("day", "ticket_id")


def _by_due(tickets: TicketQuerySet, at: Cursor | None, is_back: bool) -> Any:
    """Next deadline first."""
    if at:
        tickets = tickets.past("next_due_at", at.value, at.pk, descending=is_back)
    sign = "-" if is_back else ""
    return tickets.order_by(f"{sign}next_due_at", f"{sign}pk").values_list("next_due_at", "pk")


def _by_key(drill: Drill, seen: TicketQuerySet, at: Cursor | None, is_back: bool, limit: int) -> list[tuple[int, int]]:
    """Newest ticket first, each once: contributions, and for compliance the open ones among them."""
    side, sign = ("gt", "") if is_back else ("lt", "-")
    parts = drill.parts().filter(**{f"ticket_id__{side}": at.pk}) if at else drill.parts()
    keys = list(parts.order_by(f"{sign}ticket_id").values_list("ticket_id", flat=True).distinct()[:limit])
    if drill.has_live:
        tickets = drill.live(seen).filter(**{f"pk__{side}": at.pk}) if at else drill.live(seen)
        keys += tickets.order_by(f"{sign}pk").values_list("pk", flat=True)[:limit]
    return [(pk, pk) for pk in sorted(set(keys), reverse=not is_back)[:limit]]


def every_key(drill: Drill, seen: TicketQuerySet) -> Iterator[list[int]]:
    """All ticket keys, in pieces, in the order of the pages. Each piece starts behind the last: memory stays flat."""
    cursor = None
    while True:
        piece = page(drill, seen, cursor, size=CHUNK)
        if not piece.rows:
            return
        yield [pk for _value, pk in piece.rows]
        if not piece.following:
            return
        cursor = read_cursor(piece.following, order=drill.order)


def clocks_of(ids: Sequence[int]) -> dict[int, dict[str, TicketClock]]:
    found: dict[int, dict[str, TicketClock]] = {}
    for clock in TicketClock.objects.filter(ticket__in=ids):
        found.setdefault(clock.ticket_id, {})[clock.kind] = clock
    return found


def booked(drill: Drill, ids: Sequence[int]) -> dict[int, int]:
    """Seconds that the figure counts in the period, per ticket; nothing for figures that are not about time."""
    return _amounts(drill, ids) if _is_time(drill) else {}


def booked_in_all(drill: Drill) -> int | None:
    """Seconds behind the figure; None for figures that are not about time."""
    return _amount(drill) if _is_time(drill) else None


def times(drill: Drill, ids: Sequence[int]) -> dict[int, int]:
    """How often each ticket counts, for figures to which a ticket may add several times; else nothing."""
    return _amounts(drill, ids) if _repeats(drill) else {}


def times_in_all(drill: Drill) -> int | None:
    """The figure itself, where it may be more than its tickets; else None."""
    return _amount(drill) if _repeats(drill) else None


def shares(drill: Drill, ids: Sequence[int]) -> dict[int, int]:
    """What each of these tickets is in the figure: how often, how many seconds, else one each. Their sum over all
    tickets is the figure."""
    if not (_repeats(drill) or _is_time(drill)):
        return dict.fromkeys(ids, 1)
    return _amounts(drill, ids)


def _repeats(drill: Drill) -> bool:
    return drill.metric.is_sum or drill.metric.is_cyclic


def _is_time(drill: Drill) -> bool:
    names = drill.metric.counters
    return bool(names) and all(name.endswith("_seconds") for name in names)


def _amounts(drill: Drill, ids: Sequence[int]) -> dict[int, int]:
    return dict(drill.parts().of_tickets(ids).order_by().values_list("ticket_id").annotate(n=_sum(drill)))


def _amount(drill: Drill) -> int:
    return drill.parts().aggregate(n=_sum(drill))["n"] or 0


def _sum(drill: Drill) -> Any:
    names = ("times",) if drill.metric.source == "raised" else drill.metric.counters
    first, *others = (Sum(name) for name in names)
    return first + others[0] if others else first


def tickets_in_order(seen: TicketQuerySet, ids: Sequence[int]) -> list[Ticket]:
    """With everything a row or a line of the export shows; one query."""
    rows = seen.only_ids(ids).for_rows().select_related("team", "ticket_type")
    by_key = {ticket.pk: ticket for ticket in rows}
    return [by_key[pk] for pk in ids if pk in by_key]
