"""What a page asks for: figures of a period under filters, from kept rows; only what is open now is read live.

Every function takes the days as its page has them and reads at most MOST_DAYS of them, the last ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import NamedTuple, Protocol

from django.db.models import (
    Case,
    Count,
    DateTimeField,
    DurationField,
    ExpressionWrapper,
    FilteredRelation,
    IntegerField,
    Q,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from helpdesk.actions.choices import Trigger
from helpdesk.directory.models import Client
from helpdesk.reports.filters import NOBODY, Filters, named_rows
from helpdesk.reports.live import Live, age_edges
from helpdesk.reports.metrics import age_name
from helpdesk.reports.models import OpenStretch, Quantile, TicketRaised
from helpdesk.reports.periods import MOST_DAYS
from helpdesk.reports.quantiles import grain_from
from helpdesk.reports.querysets import Span
from helpdesk.reports.slices import AGE_EDGES, BUCKETS_OF, COUNTERS, IN_CATEGORY, KINDS
from helpdesk.reports.sums import (
    ALL_COLUMNS,
    VERDICTS,
    Keys,
    Spans,
    Totals,
    cut,
    lowest,
    share,
    sums,
)
from helpdesk.tickets.choices import Category, Rank
from helpdesk.tickets.querysets import TicketQuerySet

__all__ = [
    "ALL_COLUMNS", "VERDICTS", "Keys", "Spans", "Totals", "ages_now", "ages_on", "all_quantiles", "backlog_by_day",
    "backlog_on", "by", "cut", "distribution", "escalations", "lowest", "nameless", "names_of", "quantiles",
    "share", "sums", "waiting", "waiting_now", "whole",
]  # fmt: skip

BEGINNING = date(1970, 1, 1)
"""Before any ticket."""
FLOW = ("opened", "reopened", "ended")


class Days(Protocol):
    """What a period is here."""

    @property
    def first(self) -> date: ...

    @property
    def last(self) -> date: ...


def bounded(period: Days) -> Span | None:
    """First and last day to read; None when there is none."""
    if period.first > period.last:
        return None
    return max(period.first, period.last - timedelta(days=MOST_DAYS - 1)), period.last


def whole(period: Days, filters: Filters, columns: Sequence[str] = ALL_COLUMNS) -> Totals:
    """One query."""
    span = bounded(period)
    found = sums(keys=filters.dimensions, first=span[0], last=span[1], columns=columns) if span else {}
    return found.get((1,), Totals())


# ---- by a dimension -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Line:
    """Figures of one client, team, owner, priority, type, category or account. `keys`: of all that it is made of."""

    key: int
    name: str
    totals: Totals
    keys: tuple[int, ...] = ()


def by(
    dimension: str,
    period: Days,
    filters: Filters,
    *,
    columns: Sequence[str] = COUNTERS,
    linked: bool = False,
) -> list[Line]:
    """Most tickets first; two queries. `dimension`: client, team, agent, rank, type, category or account.

    `linked`: clients that are one customer are one line. Known priorities have their line with nothing, too.
    """
    span = bounded(period)
    keys = filters.dimensions
    if span is None:
        return []
    found = sums(keys=keys, first=span[0], last=span[1], by=(dimension,), columns=columns)
    totals = {key: one for (_which, key), one in found.items() if one}
    if dimension == "rank":
        wanted = keys.get("rank", Rank.values)
        return [Line(key=r, name=str(Rank(r).label), totals=totals.get(r, Totals()), keys=(r,)) for r in wanted]
    lines = _joined(totals, columns) if linked and dimension == "client" else _lines(dimension, totals)
    return sorted(lines, key=lambda one: (-one.totals["opened"] - one.totals["finished"], one.name.casefold(), one.key))


def _lines(dimension: str, totals: Mapping[int, Totals]) -> list[Line]:
    names = names_of(dimension, list(totals))
    return [Line(key=key, name=names[key], totals=one, keys=(key,)) for key, one in totals.items()]


def _joined(totals: Mapping[int, Totals], columns: Sequence[str]) -> list[Line]:
    names = names_of("client", list(totals))
    groups = dict(Client.objects.filter(pk__in=totals, group__isnull=False).values_list("pk", "group"))
    sets: dict[tuple[str, int], list[int]] = {}
    for key in sorted(totals):
        sets.setdefault(("group", groups[key]) if key in groups else ("client", key), []).append(key)
    return [
        Line(key=some[0], name=names[some[0]], totals=Totals.of([totals[k] for k in some], columns), keys=tuple(some))
        for some in sets.values()
    ]


def names_of(dimension: str, keys: Sequence[int]) -> dict[int, str]:
    """A name for each of these keys, also of what is gone, or is none."""
    known = dict(named_rows(dimension).filter(pk__in=[k for k in keys if k]).values_list("pk", "label"))
    return {key: known.get(key) or nameless(dimension, key) for key in keys}


def nameless(dimension: str, key: int) -> str:
    """What a line is called whose row is gone, or that is about none."""
    nothing = str(NOBODY[dimension])
    return _("gone, key %(key)s") % {"key": key} if key else nothing[:1].upper() + nothing[1:]


# ---- medians --------------------------------------------------------------------------------------------------------


class Quantiles(NamedTuple):
    """Seconds; None = nothing was counted. Not exact: read off a histogram ("≈"), where the last edge means or more."""

    median: int | None
    p90: int | None
    is_exact: bool


def quantiles(kind: str, period: Days, filters: Filters) -> Quantiles:
    """`kind`: answer, answer_work, resolve or resolve_work; work = business seconds. Two queries."""
    return all_quantiles(period, filters, kinds=(kind,))[kind]


def all_quantiles(
    period: Days, filters: Filters, *, kinds: Sequence[str] = tuple(KINDS), totals: Totals | None = None
) -> dict[str, Quantiles]:
    """All at once in two queries, or one when the page has the `totals` of the period already, buckets and all.

    An exact row is taken where it is about just as many tickets as the sums are.
    """
    if totals is None:
        totals = whole(period, filters, [*(KINDS[k].flag for k in kinds), *(n for k in kinds for n in BUCKETS_OF[k])])
    rows = _exact(period, filters)
    found = {}
    for kind in kinds:
        row, count = rows.get(kind), totals[KINDS[kind].flag]
        if not count:
            found[kind] = Quantiles(None, None, True)
        elif row and row[0] == count:
            found[kind] = Quantiles(row[1], row[2], True)
        else:
            median, p90 = totals.near(kind, 0.5), totals.near(kind, 0.9)
            found[kind] = Quantiles(median[0] if median else None, p90[0] if p90 else None, False)
    return found


def _exact(period: Days, filters: Filters) -> dict[str, tuple[int, int, int]]:
    """kind -> (count, median, 90th percentile) of a week, month, quarter or year, where one is kept for this."""
    keys, grain = filters.dimensions, grain_from(period.first, period.last)
    (dimension, ids), *others = keys.items() or [("", [0])]
    if grain is None or others or len(ids) != 1:
        return {}
    rows = Quantile.objects.filter(grain=grain.grain, day=grain.first, dimension=dimension, key=ids[0])
    return {
        kind: (count, median, p90) for kind, count, median, p90 in rows.values_list("kind", "count", "median", "p90")
    }


# ---- backlog --------------------------------------------------------------------------------------------------------


class Level(NamedTuple):
    """What came and went on a day, and how many were open at its end."""

    day: date
    opened: int
    reopened: int
    ended: int
    open: int


def backlog_by_day(period: Days, filters: Filters) -> list[Level]:
    """Two queries. Each day's number is that of the tickets behind the figure `backlog` with this as its last day."""
    span = bounded(period)
    if span is None:
        return []
    first, last = span
    keys = filters.dimensions
    before = sums(keys=keys, first=BEGINNING, last=first - timedelta(days=1), columns=FLOW)
    days = sums(keys=keys, first=first, last=last, by=("day",), columns=FLOW, daily=True)
    level, found = before.get((1,), Totals()).backlog_change, []
    for place in range((last - first).days + 1):
        day = first + timedelta(days=place)
        one = days.get((1, day), Totals())
        level += one.backlog_change
        found.append(Level(day, one["opened"], one["reopened"], one["ended"], level))
    return found


def backlog_on(day: date, filters: Filters, dimension: str = "") -> dict[int, int]:
    """How many were open at the end of a day, by the keys of a dimension (without one: all under 0). One query."""
    rows = OpenStretch.objects.open_on(day).under(filters.dimensions).order_by()
    if not dimension:
        return {0: rows.count()}
    return dict(rows.values_list(dimension).annotate(n=Count("pk")))


class Age(NamedTuple):
    """`metric` lists the tickets: of a past day `backlog_age_<bucket>`, of now `open_age_<bucket>`."""

    bucket: int
    name: str
    number: int
    metric: str


def ages_on(day: date, filters: Filters) -> list[Age]:
    """How old the tickets were that were open at the end of a day. One query."""
    whens = [
        When(opened_on__gt=day - timedelta(days=edge), then=Value(bucket)) for bucket, edge in enumerate(AGE_EDGES)
    ]
    bucket = Case(*whens, default=Value(len(AGE_EDGES)), output_field=IntegerField())
    rows = OpenStretch.objects.open_on(day).under(filters.dimensions).order_by()
    return _ages(dict(rows.annotate(bucket=bucket).values_list("bucket").annotate(n=Count("pk"))), "backlog_age")


def ages_now(filters: Filters, *, tickets: TicketQuerySet, now: datetime, zone: tzinfo) -> list[Age]:
    """How old the tickets are that are open now, live. `tickets`: those that the person may see. One query."""
    whens = [When(opened_at__gte=edge, then=Value(bucket)) for bucket, edge in enumerate(age_edges(now, zone))]
    bucket = Case(*whens, default=Value(len(AGE_EDGES)), output_field=IntegerField())
    rows = filters.apply(tickets.open()).order_by()
    return _ages(dict(rows.annotate(bucket=bucket).values_list("bucket").annotate(n=Count("pk"))), "open_age")


def _ages(counts: Mapping[int, int], metric: str) -> list[Age]:
    return [Age(i, age_name(i), counts.get(i, 0), f"{metric}_{i}") for i in range(len(AGE_EDGES) + 1)]


# ---- where the time goes, and who was told --------------------------------------------------------------------------


class Spent(NamedTuple):
    """Time in a category of statuses; `metric` lists the tickets."""

    category: str
    name: str
    seconds: int
    metric: str


def waiting(period: Days, filters: Filters) -> list[Spent]:
    """Where the time went of tickets that ended in the period: all categories, those with nothing too. One query."""
    totals = whole(period, filters, list(IN_CATEGORY.values()))
    return [
        Spent(name, str(Category(name).label), totals[column], f"{name}_time") for name, column in IN_CATEGORY.items()
    ]


class Standing(NamedTuple):
    """Open tickets that stand in a category now: how many, and for how many seconds together."""

    category: str
    name: str
    number: int
    seconds: int


def waiting_now(filters: Filters, *, tickets: TicketQuerySet, now: datetime) -> list[Standing]:
    """Of now, since each came there (to its owner and team): by the spans, or since it was opened where they have not
    been read yet. One query."""
    chosen = filters.apply(tickets.open()).order_by()
    chosen = chosen.alias(
        stand=FilteredRelation("spans", condition=Q(spans__to_at=None, spans__category__in=list(IN_CATEGORY)))
    )
    begun = Coalesce("stand__from_at", "opened_at")
    since = ExpressionWrapper(Value(now, DateTimeField()) - begun, output_field=DurationField())
    found = {
        category: (count, int(total.total_seconds()))
        for category, count, total in chosen.values_list("status_category").annotate(n=Count("pk"), total=Sum(since))
    }
    return [Standing(name, str(Category(name).label), *found.get(name, (0, 0))) for name in IN_CATEGORY]


class Raise(NamedTuple):
    """Escalations of one trigger and level; `level` None = none of this trigger. `metric` lists the tickets."""

    trigger: str
    name: str
    level: int | None
    times: int
    tickets: int
    metric: str


def escalations(period: Days, filters: Filters) -> list[Raise]:
    """By trigger and level; a trigger without any has its line. One query."""
    span = bounded(period)
    rows: list[tuple[str, int, int, int]] = []
    if span:
        chosen = TicketRaised.objects.between(*span).under(filters.dimensions).order_by("trigger", "level")
        counts = {"times": Sum("times"), "tickets": Count("ticket_id", distinct=True)}
        rows = list(chosen.values_list("trigger", "level").annotate(**counts))
    found = []
    for trigger in Trigger:
        own = [row for row in rows if row[0] == trigger]
        name = str(trigger.label)
        found += [Raise(trigger.value, name, row[1], row[2], row[3], f"raised_{trigger}_{row[1]}") for row in own]
        if not own:
            found.append(Raise(trigger.value, name, None, 0, 0, f"raised_{trigger}"))
    return found


# ---- how they are spread --------------------------------------------------------------------------------------------


class Spread(NamedTuple):
    """By status and by priority; every known value has its line. Open ones as of now, the rest of the period."""

    statuses: dict[Category, int]
    priorities: dict[Rank, Totals]
    """Sums of the period, with `open` for now."""


def distribution(period: Days, filters: Filters, live: Live) -> Spread:
    """Two queries. `live`: from `count_live`."""
    totals = whole(period, filters, ("finished", "closed"))
    ended = {Category.CLOSED: totals["closed"], Category.RESOLVED: totals["finished"] - totals["closed"]}
    lines = by("rank", period, filters, columns=("opened", "finished", "closed", "ended", "reopened"))
    return Spread(
        statuses={c: ended[c] if c in ended else live.by_category.get(c.value, 0) for c in Category},
        priorities={
            Rank(line.key): Totals({**line.totals.values, "open": live.by_rank.get(line.key, 0)}) for line in lines
        },
    )
