"""The overview: every sum it shows, in a fixed number of queries, turned into figures, tables and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from helpdesk.core.formatting import duration
from helpdesk.reports import shapes
from helpdesk.reports.figures import ALL_COLUMNS, Totals, all_quantiles, share, sums
from helpdesk.reports.live import Live
from helpdesk.reports.metrics import METRICS
from helpdesk.reports.shapes import Address, Delta, Figure, change
from helpdesk.reports.sheets import Cell, Column, Line, Near, Picture, Sheet
from helpdesk.reports.tables import Row
from helpdesk.reports.times import near
from helpdesk.reports.trends import Step, steps
from helpdesk.tickets.choices import FINISHED, Category


@dataclass(frozen=True, kw_only=True)
class Stand:
    """A line of a distribution."""

    key: str
    name: str
    count: int
    href: str
    width: float
    finished: int = 0
    finished_href: str = ""


@dataclass(frozen=True, kw_only=True)
class Sums:
    now: Totals
    before: Totals
    steps: list[Step]


def read_sums(address: Address) -> Sums:
    """The whole period and its steps; one query."""
    period, keys = address.period, address.filters.dimensions
    then = (period.before_first, period.before_last)
    found = sums(
        keys=keys, first=period.first, last=period.last, by=("day",), columns=ALL_COLUMNS, then=then,
        daily=period.step != "month",
    )  # fmt: skip
    days: tuple[dict[date, Totals], dict[date, Totals]] = ({}, {})
    for (which, day), totals in found.items():
        days[which - 1][day] = totals
    whole = [Totals.of(list(some.values()), ALL_COLUMNS) for some in days]
    shown = steps(period.first, period.last, period.step, days[0], days[1], period.before_first)
    return Sums(now=whole[0], before=whole[1], steps=shown)


def key_figures(address: Address, found: Sums, live: Live, now: datetime) -> list[Figure]:
    t, b = found.now, found.before if address.compare else Totals()
    # Before the first ticket there is nothing to compare with: everything would be "more".
    is_compared = address.compare and bool(b)

    def against(new: float | None, old: float | None, **how: Any) -> Delta | None:
        return change(new, old, **how) if is_compared else None

    def of(clock: str) -> str:
        return _("%(met)s of %(all)s") % {
            "met": shapes.number(t[f"{clock}_met"]), "all": shapes.number(t.judged(clock))
        }  # fmt: skip

    def minutes(value: tuple[int, bool] | None) -> float | None:
        return value[0] // 60 if value else None

    judged = t.judged("resolution") + live.judged
    kept = t["resolution_met"] + live.kept
    age = (now - live.oldest_at).days if live.oldest_at else None
    flow = t["opened"] - t["finished"]
    exact = all_quantiles(address.period, address.filters, kinds=("answer", "resolve"), totals=t)
    points = {"more_is": "good", "words": shapes.points, "digits": 1}
    return [
        Figure(
            label=_("Resolved in time"), value=shapes.percent_sign(t.percent("resolution")), note=of("resolution"),
            href=address.tickets("resolution"),
            delta=against(t.percent("resolution"), b.percent("resolution"), **points),
        ),
        Figure(
            label=_("Answered in time"), value=shapes.percent_sign(t.percent("response")), note=of("response"),
            href=address.tickets("response"), delta=against(t.percent("response"), b.percent("response"), **points),
        ),
        Figure(
            label=_("First answer, median"), value=took(near("answer", t, 0.5, exact["answer"])),
            href=address.tickets("answered"), note=within(near("answer", t, 0.9, exact["answer"])),
            delta=against(
                minutes(t.median_answer), minutes(b.median_answer), more_is="bad", words=lambda n: duration(n * 60)
            ),
        ),
        Figure(
            label=_("Resolved late"), value=shapes.number(t["resolution_breached"]),
            href=address.tickets("resolution_breached"),
            note=_("%(n)s retroactive") % {"n": t["retroactive"]} if t["retroactive"] else "",
            delta=against(t["resolution_breached"], b["resolution_breached"], more_is="bad", words=_whole),
        ),
        Figure(
            label=_("Open now"), value=shapes.number(live.open), href=address.tickets("open"),
            note=ngettext("oldest %d day", "oldest %d days", age) % age if age is not None else "",
            delta=change(flow, 0, more_is="bad", words=_whole) if address.compare else None,
            definition=_("change: opened less finished in the period"),
        ),
        Figure(
            label=_("SLA compliance"), value=shapes.percent_sign(share(kept, judged)),
            href=address.tickets("compliance"),
            note=_("%(met)s of %(all)s, with those open now")
            % {"met": shapes.number(kept), "all": shapes.number(judged)},
        ),
        Figure(
            label=_("Average resolution time"), value=shapes.hours(t.mean_resolution_hours),
            href=address.tickets("finished"),
            note=_("median %(time)s") % {"time": took(near("resolve", t, 0.5, exact["resolve"]))}
            + f", {within(near('resolve', t, 0.9, exact['resolve']))}" if t["finished"] else "",
            delta=against(
                t.mean_resolution_hours, b.mean_resolution_hours, more_is="bad", words=lambda n: f"{n:.2f} h", digits=2
            ),
        ),
        _count(address, "opened", t, b, is_compared, ""),
        _count(address, "finished", t, b, is_compared, ""),
        _count(address, "escalated", t, b, is_compared, "bad"),
    ]  # fmt: skip


def took(value: Near | None) -> str:
    return str(value) if value else shapes.NONE


def within(value: Near | None) -> str:
    """ "90 % within 3 h"."""
    return _("90 %% within %(time)s") % {"time": value} if value else ""


def _hours(seconds: float) -> str:
    """In the unit of the figure beside it."""
    return shapes.hours(round(seconds / 3600, 2))


def _whole(value: float) -> str:
    return shapes.number(int(value))


def _count(address: Address, metric: str, t: Totals, b: Totals, is_compared: bool, more_is: str) -> Figure:
    return Figure(
        label=METRICS[metric].label,
        value=shapes.number(t[metric]),
        href=address.tickets(metric),
        delta=change(t[metric], b[metric], more_is=more_is, words=_whole) if is_compared else None,
        definition=METRICS[metric].definition,
    )


def other_figures(address: Address, found: Sums, live: Live) -> list[Figure]:
    """What is counted beside the key figures; each line carries its definition."""
    t, b, is_compared = found.now, found.before, address.compare and bool(found.before)
    lines = [
        _count(address, "reopened", t, b, is_compared, "bad"), _count(address, "ended", t, b, is_compared, ""),
        _count(address, "retroactive", t, b, is_compared, "bad"), _count(address, "raised", t, b, is_compared, "bad"),
    ]  # fmt: skip
    for metric in ("billable", "nonbillable"):
        column = f"{metric}_seconds"
        lines.append(
            Figure(
                label=METRICS[metric].label, value=shapes.hours(round(t[column] / 3600, 2)),
                href=address.tickets(metric), definition=METRICS[metric].definition,
                delta=change(t[column], b[column], words=_hours) if is_compared else None,
            )
        )  # fmt: skip
    for metric, count in (
        ("unassigned", live.unassigned), ("waiting_long", live.waiting_long), ("at_risk", live.at_risk),
        ("breached_now", live.breached),
    ):  # fmt: skip
        one = METRICS[metric]
        lines.append(
            Figure(
                label=one.label, value=shapes.number(count), href=address.tickets(metric), definition=one.definition,
                note=_("live"),
            )
        )  # fmt: skip
    return lines


# ---- where tickets stand --------------------------------------------------------------------------------------------


def by_status(address: Address, totals: Totals, live: Live) -> list[Stand]:
    """Open tickets as they stand now, and those finished in the period. Every known status has its row."""
    finished = {Category.CLOSED.value: totals["closed"], Category.RESOLVED.value: totals["finished"] - totals["closed"]}
    counts = {c: finished[c.value] if c in FINISHED else live.by_category.get(c.value, 0) for c in Category}
    most = max(counts.values()) or 1
    return [
        Stand(
            key=category.value,
            name=str(category.label),
            count=count,
            width=round(100 * count / most, 1),
            href=address.tickets(category.value)
            if category in FINISHED
            else address.tickets("open", status=category.value),
        )
        for category, count in counts.items()
    ]


def open_by_priority(address: Address, rows: Sequence[Row], live: Live) -> list[Stand]:
    counts = {row.key: live.by_rank.get(row.key, 0) for row in rows}
    most = max(counts.values(), default=0) or 1
    return [
        Stand(
            key=str(row.key), name=row.name, count=counts[row.key], width=round(100 * counts[row.key] / most, 1),
            href=address.tickets("open", priority=str(row.key)), finished=row.totals["finished"],
            finished_href=row.tickets,
        )
        for row in rows
    ]  # fmt: skip


def stand_sheets(statuses: Sequence[Stand], ranks: Sequence[Stand]) -> list[Sheet]:
    """Both distributions, for a file."""

    def picture(one: Stand) -> Picture:
        return Picture(width=one.width)

    return [
        Sheet(
            key="statuses", title=_("By status"), first=_("Status"), columns=(Column(label=_("Tickets")),),
            definition=_("Open tickets as they stand now, and those resolved or closed in the period."),
            lines=[Line(name=one.name, cells=[Cell(one.count, one.href)], picture=picture(one)) for one in statuses],
            has_pictures=True,
        ),
        Sheet(
            key="open", title=_("Open now, by priority"), first=_("Priority"),
            columns=(Column(label=_("Open")), Column(label=_("Finished"))),
            definition=_("Open tickets as they stand now, beside those finished in the period."),
            lines=[
                Line(
                    name=one.name, cells=[Cell(one.count, one.href), Cell(one.finished, one.finished_href)],
                    picture=picture(one),
                )
                for one in ranks
            ],
            has_pictures=True,
        ),
    ]  # fmt: skip
