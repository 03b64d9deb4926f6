"""How long it took: to the first answer and to the end, around the clock and in opening hours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from helpdesk.core.formatting import duration
from helpdesk.reports import tables
from helpdesk.reports.figures import Quantiles, Totals, all_quantiles
from helpdesk.reports.models import Quantile
from helpdesk.reports.quantiles import DIMENSIONS, grain_from
from helpdesk.reports.shapes import Address, Delta, change, number
from helpdesk.reports.sheets import Cell, Column, Kind, Line, Near, Sheet
from helpdesk.reports.slices import BUCKETS_OF, KINDS

SHORT, MOST = 25, 300
CLOCKS = {"wall": gettext_lazy("Around the clock"), "open": gettext_lazy("Opening hours")}
KINDS_OF = {"wall": ("answer", "resolve"), "open": ("answer_work", "resolve_work")}
"""What is measured by each clock: to the first answer, and to the end."""
METRIC_OF = {kind: measure.flag for kind, measure in KINDS.items()}
"""The figure whose tickets are measured."""
LABELS = {
    "answer": gettext_lazy("First answer, around the clock"),
    "answer_work": gettext_lazy("First answer, opening hours"),
    "resolve": gettext_lazy("Resolution, around the clock"),
    "resolve_work": gettext_lazy("Resolution, opening hours"),
}
_PARTS = (
    Column(label=gettext_lazy("Mean"), kind=Kind.NEAR, is_spare=True),
    Column(label=gettext_lazy("Median"), kind=Kind.NEAR),
    Column(label=gettext_lazy("90 % within"), kind=Kind.NEAR),
)
_HEADS = (
    Column(label=gettext_lazy("First answers"), is_spare=True),
    Column(label=gettext_lazy("Answer, mean"), kind=Kind.NEAR, is_spare=True),
    Column(label=gettext_lazy("Answer, median"), kind=Kind.NEAR),
    Column(label=gettext_lazy("Answer, 90 % within"), kind=Kind.NEAR),
    Column(label=gettext_lazy("Resolved"), is_spare=True),
    Column(label=gettext_lazy("Resol., mean"), kind=Kind.NEAR, is_spare=True),
    Column(label=gettext_lazy("Resol., median"), kind=Kind.NEAR),
    Column(label=gettext_lazy("Resol., 90 % within"), kind=Kind.NEAR),
)


def columns_of(kinds: Sequence[str]) -> list[str]:
    """What has to be summed up for them."""
    return [name for kind in kinds for name in (KINDS[kind].flag, KINDS[kind].seconds, *BUCKETS_OF[kind])]


@dataclass(frozen=True, kw_only=True)
class Times:
    whole: Sheet
    parts: Sheet
    is_all: bool


def read(address: Address, by: str, clock: str, *, is_all: bool, most: int = MOST) -> Times:
    """At most seven queries, whatever the number of lines. `clock`: wall or open."""
    now, before = tables.whole(address, columns_of(tuple(KINDS)))
    exact = all_quantiles(address.period, address.filters, totals=now)
    kinds = KINDS_OF[clock]
    found, total = tables.parts(address, by, columns_of(kinds), most if is_all else SHORT)
    kept = _kept(address, by, found, kinds)
    lines = [_line(address, by, one, kinds, kept) for one in found]
    foot = (tables.Who(_("All"), (0,)), now, before)
    sheet = Sheet(
        key=f"by-{by}", title=f"{tables.TITLES[by]}: {CLOCKS[clock]}", first=_first(address, by), columns=_HEADS,
        definition=_definition(len(lines), total, by), lines=lines, has_deltas=address.compare and by != "day",
        foot=_line(address, "", foot, kinds, {(0, kind): exact[kind] for kind in kinds}),
        empty=_("Nothing was answered or finished in this period."),
    )  # fmt: skip
    return Times(whole=whole_sheet(address, now, before, exact), parts=sheet, is_all=is_all or len(lines) == total)


def _first(address: Address, by: str) -> str:
    return str(tables.STEPS[address.period.step] if by == "day" else tables.HEADS[by])


def _definition(shown: int, total: int, by: str) -> str:
    said = {"shown": number(shown), "total": number(total)}
    order = _("The least kept promises first, %(shown)s of %(total)s.") % said
    if by == "day":
        return _("In the order of days. Every number of tickets opens them.")
    return order + " " + _("Every number of tickets opens them. The change is that of the mean time to resolution.")


def whole_sheet(address: Address, now: Totals, before: Totals | None, exact: Mapping[str, Quantiles]) -> Sheet:
    """Everything that the page is about: a line for each measure."""
    lines = [
        Line(
            name=str(LABELS[kind]),
            cells=[Cell(now[KINDS[kind].flag], address.tickets(METRIC_OF[kind])), *cells(kind, now, exact.get(kind))],
            delta=_delta(kind, now, before),
        )
        for kind in KINDS
    ]
    return Sheet(
        key="times", title=_("How long it took"), first=_("From opening to"),
        columns=(Column(label=_("Tickets")), *_PARTS), lines=lines, has_deltas=before is not None,
        definition=_(
            "From opening to the first answer to the client, and to the end. Opening hours are those of the ticket’s "
            "calendar, without its pauses. ≈ is read off a histogram. The change is that of the mean."
        ),
    )  # fmt: skip


def cells(kind: str, totals: Totals, exact: Quantiles | None = None) -> list[Cell]:
    """Mean, median and 90th percentile."""
    is_open = kind.endswith("_work")
    mean = totals.mean(kind)
    found = [Near(mean, "", is_open) if mean is not None else None]
    found += [near(kind, totals, share, exact) for share in (0.5, 0.9)]
    return [Cell(one) for one in found]


def near(kind: str, totals: Totals, share: float, exact: Quantiles | None = None) -> Near | None:
    """Exact where it is kept so, else off the histogram; None when nothing was counted."""
    is_open = kind.endswith("_work")
    if exact and exact.is_exact:
        value = exact.median if share == 0.5 else exact.p90
        return None if value is None else Near(value, "", is_open)
    found = totals.near(kind, share)
    return Near(found[0], _("over") if found[1] else "≈", is_open) if found else None


def _delta(kind: str, now: Totals, before: Totals | None) -> Delta | None:
    if before is None:
        return None
    new, old = now.mean(kind), before.mean(kind)
    minutes = [None if value is None else value // 60 for value in (new, old)]
    return change(*minutes, more_is="bad", words=lambda n: duration(n * 60))


def _line(
    address: Address, by: str, part: tables.Part, kinds: Sequence[str], kept: Mapping[tuple[int, str], Quantiles]
) -> Line:
    who, now, before = part
    own, key = tables.narrowed_to(by, who), who.keys[0]
    shown: list[Cell] = []
    for kind in kinds:
        found = kept.get((key, kind)) if len(who.keys) == 1 else None
        shown += [Cell(now[KINDS[kind].flag], address.tickets(METRIC_OF[kind], **own)), *cells(kind, now, found)]
    return Line(
        name=who.name, cells=shown, href=address.page(**own, by=None) if by else "",
        rank=key if by == "priority" else 0, delta=_delta(kinds[1], now, before),
    )  # fmt: skip


def _kept(
    address: Address, by: str, lines: Sequence[tables.Part], kinds: Sequence[str]
) -> dict[tuple[int, str], Quantiles]:
    """Exact ones of the lines, where they are kept for just these tickets: of whole weeks, months, quarters and years,
    under no filter. One query."""
    column = "rank" if by == "priority" else by
    grain = grain_from(address.period.first, address.period.last)
    if grain is None or address.filters.keys or column not in DIMENSIONS or not lines:
        return {}
    counts = {(who.keys[0], kind): now[KINDS[kind].flag] for who, now, _before in lines for kind in kinds}
    rows = Quantile.objects.filter(
        grain=grain.grain, day=grain.first, dimension=column, kind__in=kinds, key__in={key for key, _kind in counts}
    )
    return {
        (key, kind): Quantiles(median, p90, True)
        for key, kind, count, median, p90 in rows.values_list("key", "kind", "count", "median", "p90")
        if counts[key, kind] == count
    }
