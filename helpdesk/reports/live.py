"""What is open now: counted from the tickets themselves, in one query over the open ones."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import FilteredRelation, Q

from helpdesk.reports.filters import Filters
from helpdesk.reports.models import FoldState
from helpdesk.reports.slices import AGE_EDGES
from helpdesk.sla.choices import ClockKind, ClockState
from helpdesk.tickets.choices import WAITING
from helpdesk.tickets.models import TicketClock
from helpdesk.tickets.querysets import TicketQuerySet
from helpdesk.tickets.rows import Facts, row_facts

LONG = timedelta(days=7)
RISKY, LATE = 3, 2


@dataclass
class Live:
    """Counts of open tickets. `judged`: with a resolution target; `kept`: of those, not past it."""

    open: int = 0
    at_risk: int = 0
    breached: int = 0
    unassigned: int = 0
    waiting_long: int = 0
    judged: int = 0
    kept: int = 0
    oldest_at: datetime | None = None
    by_category: dict[str, int] = field(default_factory=dict)
    by_rank: dict[int, int] = field(default_factory=dict)


def narrow(tickets: TicketQuerySet, metric: str, now: datetime) -> TicketQuerySet:
    """The open tickets behind one live figure."""
    tickets = tickets.open()
    if metric == "at_risk":
        return tickets.at_risk(now)
    if metric == "breached_now":
        return tickets.breached(now)
    if metric == "unassigned":
        return tickets.unassigned()
    if metric == "waiting_long":
        return tickets.filter(_waiting_long(now))
    if metric == "compliance":
        return with_resolution(tickets).filter(_judged())
    if metric.startswith("open_age_"):
        name = FoldState.objects.values_list("time_zone", flat=True).first() or "UTC"
        return _of_age(tickets, int(metric.removeprefix("open_age_")), age_edges(now, ZoneInfo(name)))
    return tickets


def age_edges(now: datetime, zone: tzinfo) -> list[datetime]:
    """The instants from which on a ticket was opened that is in one of the younger buckets of AGE_EDGES.

    Days are days of `zone`: what was opened today is in the first, however early.
    """
    today = now.astimezone(zone).date()
    days = [today - timedelta(days=edge - 1) for edge in AGE_EDGES]
    return [datetime.combine(day, time(), zone).astimezone(UTC) for day in days]


def _of_age(tickets: TicketQuerySet, bucket: int, edges: list[datetime]) -> TicketQuerySet:
    if bucket:
        tickets = tickets.filter(opened_at__lt=edges[bucket - 1])
    return tickets.filter(opened_at__gte=edges[bucket]) if bucket < len(edges) else tickets


def _waiting_long(now: datetime) -> Q:
    return Q(status_category__in=[c.value for c in WAITING], last_activity_at__lt=now - LONG)


def with_resolution(tickets: TicketQuerySet) -> TicketQuerySet:
    return tickets.alias(promise=FilteredRelation("clocks", condition=Q(clocks__kind=ClockKind.RESOLUTION)))


def _judged() -> Q:
    return Q(promise__isnull=False, promise__finished_at=None) & ~Q(promise__state=ClockState.NOT_STARTED)


_COLUMNS = (
    "id", "status_category", "rank", "next_at_risk_at", "next_due_at", "agent_id", "last_activity_at", "opened_at",
)  # fmt: skip
_COUNTING = """
SELECT COALESCE(t.status_category, ''), COALESCE(t."rank", 0), COUNT(*),
  SUM(CASE WHEN t.next_at_risk_at <= %s AND t.next_due_at >= %s THEN 1 ELSE 0 END),
  SUM(CASE WHEN t.next_due_at < %s THEN 1 ELSE 0 END),
  SUM(CASE WHEN t.agent_id IS NULL THEN 1 ELSE 0 END),
  SUM(CASE WHEN t.status_category IN ({waiting}) AND t.last_activity_at < %s THEN 1 ELSE 0 END),
  COUNT(c.ticket_id),
  SUM(CASE WHEN c.ticket_id IS NOT NULL AND (c.due_at >= %s OR c.due_at IS NULL) AND c.breached_at IS NULL
    AND c.state <> %s THEN 1 ELSE 0 END),
  MIN(t.opened_at)
FROM ({tickets}) t
LEFT JOIN {clocks} c ON c.ticket_id = t.id AND c.kind = %s AND c.finished_at IS NULL AND c.state <> %s
GROUP BY 1, 2
"""
"""Grouped by expressions, so that SQLite reads the index of open tickets and not that of all categories. In SQL for the
same reason as the sums: the ORM takes longer to spell it than the database to answer."""


def count_live(tickets: TicketQuerySet, filters: Filters, now: datetime) -> Live:
    """One query. `tickets`: those that the person may see."""
    chosen = filters.apply(tickets.open()).order_by().values_list(*_COLUMNS)
    at, long_ago = (connection.ops.adapt_datetimefield_value(when) for when in (now, now - LONG))
    sql, narrowing = chosen.query.sql_with_params()
    statement = _COUNTING.format(
        tickets=sql, clocks=TicketClock._meta.db_table, waiting=", ".join(["%s"] * len(WAITING))
    )
    values = [at, at, at, *(c.value for c in WAITING), long_ago, at, ClockState.BREACHED.value]
    ends = [ClockKind.RESOLUTION.value, ClockState.NOT_STARTED.value]
    live = Live()
    with connection.cursor() as cursor:
        cursor.execute(statement, [*values, *narrowing, *ends])
        for category, rank, n, risk, late, ownerless, long, judged, kept, oldest in cursor.fetchall():
            live.open += n
            live.at_risk += risk
            live.breached += late
            live.unassigned += ownerless
            live.waiting_long += long
            live.judged += judged
            live.kept += kept
            live.by_category[category] = live.by_category.get(category, 0) + n
            live.by_rank[rank] = live.by_rank.get(rank, 0) + n
            live.oldest_at = min(filter(None, (live.oldest_at, _instant(oldest))), default=None)
    return live


def _instant(value: datetime | str | None) -> datetime | None:
    """SQLite keeps instants as text, in UTC."""
    return datetime.fromisoformat(value).replace(tzinfo=UTC) if isinstance(value, str) else value


def pressing(tickets: TicketQuerySet, filters: Filters, live: Live, now: datetime) -> tuple[list[Facts], list[Facts]]:
    """The next tickets at risk, and the ones breached last. Keys first, in one query: a row has seven tables."""
    chosen = filters.apply(tickets)
    wanted = []
    if live.at_risk:
        wanted.append(("risky", chosen.at_risk(now).by_due()[:RISKY]))
    if live.breached:
        wanted.append(("late", chosen.breached(now).order_by("-next_due_at", "-pk")[:LATE]))
    if not wanted:
        return [], []
    pieces = [(name, *rows.values_list("pk").query.sql_with_params()) for name, rows in wanted]
    statement = " UNION ALL ".join(f"SELECT '{name}', found.* FROM ({sql}) found" for name, sql, _values in pieces)
    with connection.cursor() as cursor:
        cursor.execute(statement, [value for _name, _sql, values in pieces for value in values])
        names = {pk: name for name, pk in cursor.fetchall()}
    rows = sorted(row_facts(tickets.only_ids(names).order_by()), key=lambda row: (row.next_due_at, row.pk))
    return [r for r in rows if names[r.pk] == "risky"], [r for r in reversed(rows) if names[r.pk] == "late"]
