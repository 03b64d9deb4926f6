"""Tables of promises: one line per priority, client, team or owner."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from helpdesk.directory.groups import customers_of
from helpdesk.directory.models import Agent, PsaAccount
from helpdesk.directory.persons import Person, persons_of
from helpdesk.reports import shapes
from helpdesk.reports.figures import VERDICTS, Totals, lowest, nameless, names_of, sums
from helpdesk.reports.filters import NAMES
from helpdesk.reports.querysets import Span
from helpdesk.reports.shapes import Address, Delta, change
from helpdesk.reports.trends import GOAL, label_of, spans_of
from helpdesk.tickets.choices import Rank

FEW = 5
"""Fewer judged tickets than this say little: such rows stand in the full list only."""
SHORT = 8
MOST_ROWS = 300
MOST_PEOPLE = 1000
"""Owners of all accounts that are looked at to join those who are one person."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A line of a table: the totals of one priority, client, team or owner."""

    key: int
    name: str
    href: str
    totals: Totals
    before: Totals | None
    tickets: str
    responses: str
    resolutions: str
    late: str

    @property
    def response(self) -> str:
        return shapes.percent(self.totals.percent("response"))

    @property
    def resolution(self) -> str:
        return shapes.percent(self.totals.percent("resolution"))

    @property
    def kept(self) -> float | None:
        return self.totals.percent("resolution")

    @property
    def missing(self) -> float | None:
        """What lacks to the goal, in percent."""
        return round(GOAL - self.kept, 1) if self.kept is not None and self.kept < GOAL else None

    @property
    def delta(self) -> Delta | None:
        if self.before is None:
            return None
        before = self.before.percent("resolution")
        return change(self.kept, before, more_is="good", words=lambda n: f"{n:.1f}", digits=1)


def _row(
    address: Address,
    dimension: str,
    key: int,
    name: str,
    totals: Totals,
    before: Totals | None,
    keys: tuple[int, ...] = (),
) -> Row:
    own = narrowed_to(dimension, Who(name, keys or (key,)))
    return Row(
        key=key,
        name=name,
        href=address.page(**own),
        totals=totals,
        before=before,
        tickets=address.tickets("finished", **own),
        responses=address.tickets("response", **own),
        resolutions=address.tickets("resolution", **own),
        late=address.tickets("resolution_breached", **own),
    )


def by_priority(address: Address) -> list[Row]:
    """One query. Every known priority has its row, with nothing too."""
    period, keys = address.period, address.filters.dimensions
    then = (period.before_first, period.before_last) if address.compare else None
    found = sums(keys=keys, first=period.first, last=period.last, by=("rank",), columns=VERDICTS, then=then)
    return [
        _row(
            address, "priority", rank.value, str(rank.label), found.get((1, rank.value), Totals()),
            found.get((2, rank.value), Totals()) if address.compare else None,
        )
        for rank in Rank
        if rank.value in keys.get("rank", Rank.values)
    ]  # fmt: skip


def all_row(address: Address, now: Totals, before: Totals) -> Row:
    """The foot of the table of priorities: everything that the page is about."""
    return Row(
        key=0,
        name=_("All"),
        href=address.page(),
        totals=now,
        before=before if address.compare else None,
        tickets=address.tickets("finished"),
        responses=address.tickets("response"),
        resolutions=address.tickets("resolution"),
        late=address.tickets("resolution_breached"),
    )


@dataclass(frozen=True, kw_only=True)
class Table:
    rows: list[Row]
    total: int
    is_all: bool


def by_dimension(address: Address, dimension: str, *, is_all: bool) -> Table:
    """Clients (or teams, owners), the least kept promises first. Three queries, whatever their number."""
    period, keys = address.period, address.filters.dimensions
    if dimension == "agent":
        return _by_person(address, is_all=is_all)
    found, total = lowest(
        keys=keys, first=period.first, last=period.last, dimension=dimension, fewest=0 if is_all else FEW,
        limit=MOST_ROWS if is_all else SHORT,
    )  # fmt: skip
    enough = [(key, totals) for key, totals in found if is_all or totals.judged("resolution") >= FEW]
    worst = dict(enough or found)
    shown = list(worst)
    before: dict[tuple[Any, ...], Totals] = {}
    if address.compare and shown:
        linked = customers_of([key for key in shown if key]) if dimension == "client" else {}
        who = [Who("", linked.get(key, (key,))) for key in shown]
        rows_before = sums(
            keys={**keys, dimension: [key for one in who for key in one.keys]}, first=period.before_first,
            last=period.before_last, by=(dimension,), columns=VERDICTS,
        )  # fmt: skip
        before = {(1, one.keys[0]): together(rows_before, 1, one, VERDICTS) for one in who}
    names = names_of(dimension, shown)
    rows = [
        _row(
            address, dimension, key, names[key], worst[key],
            before.get((1, key), Totals()) if address.compare else None,
        )
        for key in shown
    ]  # fmt: skip
    return Table(rows=rows, total=total, is_all=is_all or len(rows) == total)


def _by_person(address: Address, *, is_all: bool) -> Table:
    """Owners, each of all their accounts together; four queries, whatever their number."""
    found, total = parts(address, "agent", VERDICTS, MOST_ROWS)
    enough = [one for one in found if is_all or one[1].judged("resolution") >= FEW]
    shown = (enough or found)[: MOST_ROWS if is_all else SHORT]
    rows = [_row(address, "agent", who.keys[0], who.name, now, before, who.keys) for who, now, before in shown]
    return Table(rows=rows, total=total, is_all=is_all or len(rows) == total)


# ---- any dimension --------------------------------------------------------------------------------------------------

TITLES = {
    "client": gettext_lazy("By client"), "team": gettext_lazy("By team"), "agent": gettext_lazy("By owner"),
    "priority": gettext_lazy("By priority"), "type": gettext_lazy("By type"),
    "category": gettext_lazy("By category"), "account": gettext_lazy("By PSA account"), "day": gettext_lazy("By day"),
}  # fmt: skip
DAY = gettext_lazy("Day")
ANY = {**NAMES, "day": DAY}
"""What a table of any dimension can be about."""
HEADS = ANY
STEPS = {"day": DAY, "week": gettext_lazy("Week from"), "month": gettext_lazy("Month")}
"""What a line of days is called: long periods go by weeks or months."""


@dataclass(frozen=True)
class Who:
    """A line of a table: one key, or all keys of one person."""

    name: str
    keys: tuple[int, ...]
    days: Span | None = None
    """Of a line that is about some days."""


def narrowed_to(by: str, who: Who) -> dict[str, str | None]:
    """The filter that leaves this line only; one client names all that are linked with it."""
    if who.days:
        first, last = who.days
        return {"period": None, "from": first.isoformat(), "to": last.isoformat()}
    found = narrowed(by, who.keys[0])
    return {by: ",".join(map(str, who.keys))} if len(who.keys) > 1 and by != "client" else found


def people(keys: Sequence[int]) -> list[Who]:
    """Owners of several PSA accounts who are one person are one line; two queries, one more where two people share a
    name: then it stands with their accounts."""
    known = persons_of([key for key in keys if key], Agent.objects.all())
    found: dict[str, list[int]] = {}
    for key in keys:
        found.setdefault(known[key].key if key in known else f"k{key}", []).append(key)
    names = {one: _person(known.get(some[0]), some[0]) for one, some in found.items()}
    twice = {name for name, times in Counter(names.values()).items() if times > 1}
    if twice:
        titles = dict(PsaAccount.objects.values_list("pk", "title"))
        for one, some in found.items():
            if names[one] in twice and some[0] in known:
                own = sorted({titles.get(known[key].agents[key], "") for key in some})
                names[one] = f"{names[one]} ({', '.join(filter(None, own))})"
    return [Who(names[one], tuple(some)) for one, some in found.items()]


def _person(person: Person | None, key: int) -> str:
    if person:
        return person.name
    return nameless("agent", key)


def customers(keys: Sequence[int]) -> list[Who]:
    """Clients that are linked are one line; two queries. `keys`: the first client of each customer, as `lowest` has
    them."""
    names, linked = names_of("client", keys), customers_of([key for key in keys if key])
    return [Who(names[key], linked.get(key, (key,))) for key in keys]


def together(rows: Mapping[tuple[Any, ...], Totals], which: int, who: Who, columns: Sequence[str]) -> Totals:
    """The totals of all keys of a line."""
    some = [rows[which, key] for key in who.keys if (which, key) in rows]
    return some[0] if len(some) == 1 else Totals.of(some, columns)


def lines_of(by: str, keys: Sequence[int]) -> list[Who]:
    """In the order of the keys."""
    if by == "agent":
        return people(keys)
    if by == "client":
        return customers(keys)
    names = called(by, keys)
    return [Who(names.get(key) or _("gone, key %(key)s") % {"key": key}, (key,)) for key in keys]


def narrowed(by: str, key: int) -> dict[str, str | None]:
    """The filter that leaves this line only."""
    return {by: str(key) if key or by == "priority" else "none"} if by else {}


def _spans(address: Address) -> dict[str, Any]:
    period = address.period
    then = (period.before_first, period.before_last) if address.compare else None
    return {"first": period.first, "last": period.last, "then": then}


def whole(address: Address, columns: Sequence[str]) -> tuple[Totals, Totals | None]:
    """Everything that the page is about, and the same of the period before when it is compared; one query."""
    found = sums(keys=address.filters.dimensions, columns=columns, **_spans(address))
    before = found.get((2,), Totals()) if address.compare else None
    return found.get((1,), Totals()), before


Part = tuple[Who, Totals, Totals | None]
"""A line, its totals and those of the period before when it is compared."""


def parts(address: Address, by: str, columns: Sequence[str], most: int) -> tuple[list[Part], int]:
    """The lines of a table, least kept first, and how many there are. Of people those of all their accounts."""
    if by == "day":
        return _steps(address, columns)
    keys, column = address.filters.dimensions, "rank" if by == "priority" else by
    if by == "priority":
        order = [rank.value for rank in Rank if rank.value in keys.get("rank", Rank.values)]
        total = len(order)
    else:
        spans = {"first": address.period.first, "last": address.period.last}
        limit = MOST_PEOPLE if by == "agent" else most
        found, total = lowest(keys=keys, dimension=column, fewest=1, limit=limit, **spans)
        order = [key for key, _totals in found]
    if not order:
        return [], 0
    who = lines_of(by, order)
    wanted = [key for one in who for key in one.keys]
    rows = sums(keys={**keys, column: wanted}, by=(column,), columns=columns, **_spans(address))
    lines = [
        (one, together(rows, 1, one, columns), together(rows, 2, one, columns) if address.compare else None)
        for one in who
    ]
    if by == "agent":
        lines.sort(key=_least_kept)
        return lines[:most], len(lines)
    return lines, total


def _steps(address: Address, columns: Sequence[str]) -> tuple[list[Part], int]:
    """The days, weeks or months of the period in their order; nothing stands against them. One query."""
    period = address.period
    found = sums(
        keys=address.filters.dimensions, first=period.first, last=period.last, by=("day",), columns=columns,
        daily=period.step != "month",
    )  # fmt: skip
    lines: list[Part] = []
    for first, last in spans_of(period.first, period.last, period.step):
        own = [totals for (_which, day), totals in found.items() if first <= day <= last]
        who = Who(label_of(first, period.step), (first.toordinal(),), (first, last))
        lines.append((who, Totals.of(own, columns), None))
    return lines, len(lines)


def _least_kept(part: Part) -> tuple[bool, float, int]:
    share = part[1].percent("resolution")
    return share is None, share or 0.0, -part[1].judged("resolution")


def called(by: str, keys: Sequence[int]) -> dict[int, str]:
    """A name for each of these keys of a table."""
    return {rank.value: str(rank.label) for rank in Rank} if by == "priority" else names_of(by, keys)
