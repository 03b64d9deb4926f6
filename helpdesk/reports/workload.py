"""Who did what: finished and first answered tickets and time booked in the period, and what each has open now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from helpdesk.reports import tables
from helpdesk.reports.compliance import count
from helpdesk.reports.figures import Totals, sums
from helpdesk.reports.models import CategoryName
from helpdesk.reports.shapes import Address, Figure, hours, number
from helpdesk.reports.sheets import Cell, Column, Kind, Line, Picture, Sheet
from helpdesk.tickets.querysets import TicketQuerySet

SHORT, MOST = 40, 300
COUNTED = (
    "opened", "finished", "answered", "reopened", "billable_seconds", "nonbillable_seconds", "resolution_breached",
)  # fmt: skip
_FIELDS = {"priority": "rank", "type": "ticket_type_id", "category": "category", "account": "psa_account_id"}
"""What a ticket calls a dimension, where it is not as here."""
_HEADS = (
    Column(label=gettext_lazy("Opened"), is_spare=True),
    Column(label=gettext_lazy("Finished")),
    Column(label=gettext_lazy("Reopened"), is_spare=True),
    Column(label=gettext_lazy("First answers"), is_spare=True),
    Column(label=gettext_lazy("Resolved late")),
    Column(label=gettext_lazy("Open now")),
    Column(label=gettext_lazy("Past due now"), is_spare=True),
    Column(label=gettext_lazy("Billable"), kind=Kind.HOURS),
    Column(label=gettext_lazy("Not billable"), kind=Kind.HOURS, is_spare=True),
    Column(label=gettext_lazy("Time"), kind=Kind.HOURS),
)


@dataclass(frozen=True, kw_only=True)
class Work:
    now: Totals
    before: Totals | None
    open: int
    sheet: Sheet
    is_all: bool


@dataclass(frozen=True)
class Standing:
    """Open tickets of somebody, right now."""

    open: int = 0
    late: int = 0


Known = tuple[tables.Who, Totals, Standing | None]
"""A line: its totals, and what is open with it now (None of a day)."""


def standing(address: Address, seen: TicketQuerySet, by: str, now: datetime) -> dict[int, Standing]:
    """key -> what is open with it; one query, one more for categories."""
    rows = address.filters.apply(seen.open()).lane_tallies(_FIELDS.get(by, f"{by}_id"), now)
    found = {key or 0: Standing(n, late or 0) for key, n, late, _risky, _booked in rows}
    if by != "category":
        return found
    keys: dict[Any, int] = dict(
        CategoryName.objects.filter(name__in=[name for name in found if name]).values_list("name", "pk")
    )
    return {keys.get(name, 0): one for name, one in found.items() if name in keys or not name}


def read(address: Address, by: str, seen: TicketQuerySet, now: datetime, *, is_all: bool, most: int = MOST) -> Work:
    """Five queries, whatever the number of people."""
    whole = tables.whole(address, COUNTED)
    here = standing(address, seen, "account" if by == "day" else by, now)
    known = _known(address, by, here)
    shown = known[: most if is_all or by == "day" else SHORT]
    longest = max((_booked(t) for _who, t, _here in shown), default=0) or 1
    lines = [_line(address, by, who, t, stands, longest) for who, t, stands in shown]
    all_open = Standing(sum(s.open for s in here.values()), sum(s.late for s in here.values()))
    sheet = Sheet(
        key=f"by-{by}",
        title=tables.TITLES[by],
        definition=_definition(by, len(shown), len(known)),
        first=tables.STEPS[address.period.step] if by == "day" else tables.HEADS[by],
        columns=_HEADS,
        lines=lines,
        foot=_line(address, "", tables.Who(_("All"), (0,)), whole[0], all_open, 0),
        has_pictures=True,
        empty=_("Nothing was finished or booked in this period, and nothing is open."),
    )
    return Work(now=whole[0], before=whole[1], open=all_open.open, sheet=sheet, is_all=len(shown) == len(known))


def _known(address: Address, by: str, here: Mapping[int, Standing]) -> list[Known]:
    """Most finished first; days in their order."""
    if by == "day":
        return [(who, totals, None) for who, totals, _before in tables.parts(address, by, COUNTED, MOST)[0]]
    period, column = address.period, "rank" if by == "priority" else by
    rows = sums(keys=address.filters.dimensions, first=period.first, last=period.last, by=(column,), columns=COUNTED)
    parts = {key: totals for (_which, key), totals in rows.items()}
    lines = tables.lines_of(by, [key for key in {**parts, **here} if parts.get(key) or here.get(key)])
    known: list[Known] = [
        (who, Totals.of([parts[k] for k in who.keys if k in parts], COUNTED), together(here, who))
        for who in {who.keys: who for who in reversed(lines)}.values()  # linked clients are named by each of them
    ]
    return sorted(known, key=lambda one: (-one[1]["finished"], -one[2].open if one[2] else 0, one[0].keys))


def _definition(by: str, shown: int, total: int) -> str:
    order = _("Most finished first, %(shown)d of %(total)d.") % {"shown": shown, "total": total}
    if by == "day":
        order = _("In the order of days.")
    return order + " " + _(
        "Finished and answered tickets count for who owns them now; time for the person who booked it. The bar is the "
        "time, its dark part billable. Open tickets are live."
    )  # fmt: skip


def together(here: Mapping[int, Standing], who: tables.Who) -> Standing:
    some = [here[key] for key in who.keys if key in here]
    return Standing(sum(one.open for one in some), sum(one.late for one in some))


def _booked(totals: Totals) -> int:
    return totals["billable_seconds"] + totals["nonbillable_seconds"]


def _line(address: Address, by: str, who: tables.Who, t: Totals, here: Standing | None, longest: int) -> Line:
    own, name = tables.narrowed_to(by, who), who.name

    def counted(metric: str) -> Cell:
        return Cell(t[metric], address.tickets(metric, **own))

    def booked(metric: str, *columns: str) -> Cell:
        seconds = sum(t[column] for column in columns)
        return Cell(round(seconds / 3600, 2), address.tickets(metric, **own)) if seconds else Cell(None)

    time = booked("time", "billable_seconds", "nonbillable_seconds")
    picture = None
    if longest and _booked(t):
        width = round(100 * t["billable_seconds"] / longest, 1)
        rest = round(100 * t["nonbillable_seconds"] / longest, 1)
        said = _("%(name)s: %(time)s booked") % {"name": name, "time": hours(time.value)}
        picture = Picture(width=width, missing=rest or None, href=time.href, said=said)
    return Line(
        name=name,
        href=address.page(**own, by=None) if by else "",
        rank=who.keys[0] if by == "priority" else 0,
        cells=[
            counted("opened"), counted("finished"), counted("reopened"), counted("answered"),
            counted("resolution_breached"), *_live(address, own, here),
            booked("billable", "billable_seconds"), booked("nonbillable", "nonbillable_seconds"), time,
        ],
        picture=picture,
    )  # fmt: skip


def _live(address: Address, own: dict[str, str | None], here: Standing | None) -> list[Cell]:
    if here is None:
        return [Cell(), Cell()]
    return [Cell(here.open, address.tickets("open", **own)), Cell(here.late, address.tickets("breached_now", **own))]


def figures(address: Address, work: Work) -> list[Figure]:
    t, b = work.now, work.before
    seconds = t["billable_seconds"] + t["nonbillable_seconds"]
    share = _("%(n)s billable") % {"n": hours(round(t["billable_seconds"] / 3600, 2))} if seconds else ""
    return [
        count(address, "finished", t, b),
        count(address, "answered", t, b),
        count(address, "reopened", t, b, "bad"),
        Figure(label=_("Open now"), value=number(work.open), href=address.tickets("open")),
        Figure(
            label=_("Time booked"), value=hours(round(seconds / 3600, 2)), href=address.tickets("time"), note=share
        ),
    ]  # fmt: skip
