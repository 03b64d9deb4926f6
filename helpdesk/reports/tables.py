"""Tables of promises: one line per priority, client, team or owner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from helpdesk.reports import shapes
from helpdesk.reports.figures import VERDICTS, Totals, lowest, sums
from helpdesk.reports.filters import MODELS, NOBODY
from helpdesk.reports.shapes import Address, Delta, change
from helpdesk.reports.trends import GOAL
from helpdesk.tickets.choices import Rank

FEW = 5
"""Fewer judged tickets than this say little: such rows stand in the full list only."""
SHORT = 8
MOST_ROWS = 300


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


def _row(address: Address, dimension: str, key: int, name: str, totals: Totals, before: Totals | None) -> Row:
    own = {dimension: str(key) if key or dimension == "priority" else "none"}
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
    found, total = lowest(
        keys=keys, first=period.first, last=period.last, dimension=dimension, fewest=0 if is_all else FEW,
        limit=MOST_ROWS if is_all else SHORT,
    )  # fmt: skip
    enough = [(key, totals) for key, totals in found if is_all or totals.judged("resolution") >= FEW]
    worst = dict(enough or found)
    shown = list(worst)
    before: dict[tuple[Any, ...], Totals] = {}
    if address.compare and shown:
        before = sums(
            keys={**keys, dimension: shown}, first=period.before_first, last=period.before_last, by=(dimension,),
            columns=VERDICTS,
        )  # fmt: skip
    names = names_of(dimension, shown)
    rows = [
        _row(
            address, dimension, key, names.get(key) or _("gone, key %(key)s") % {"key": key}, worst[key],
            before.get((1, key), Totals()) if address.compare else None,
        )
        for key in shown
    ]  # fmt: skip
    return Table(rows=rows, total=total, is_all=is_all or len(rows) == total)


def names_of(dimension: str, keys: Sequence[int]) -> dict[int, str]:
    if not keys:
        return {}
    rows = MODELS[dimension]._default_manager.filter(pk__in=[k for k in keys if k])
    return {**dict(rows.values_list("pk", "name")), 0: str(NOBODY[dimension]).capitalize()}
