"""What is open: day by day over the period, how old it is, and on whom it waits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo

from django.utils.translation import gettext as _

from helpdesk.core.formatting import duration
from helpdesk.reports import figures
from helpdesk.reports.figures import Age, Level, Spent, Standing
from helpdesk.reports.periods import Period, day_words
from helpdesk.reports.shapes import Address, Figure, change, number
from helpdesk.reports.sheets import Cell, Column, Kind, Line, Picture, Sheet
from helpdesk.reports.trends import MONTHS
from helpdesk.tickets.choices import Category
from helpdesk.tickets.querysets import TicketQuerySet

BARS = 62
"""Days up to which each has its bar; longer periods show the ends of their weeks or months."""


@dataclass(frozen=True, kw_only=True)
class Point:
    """The end of a day, week or month: what was open then, and what came and went since the point before."""

    level: Level
    first: date
    label: str
    opened: int
    reopened: int
    ended: int


@dataclass(frozen=True, kw_only=True)
class Backlog:
    points: Sequence[Point]
    figures: Sequence[Figure]
    ages: Sheet
    waits: Sheet
    spent: Sheet


def read(address: Address, seen: TicketQuerySet, now: datetime, zone: tzinfo) -> Backlog:
    """Five queries."""
    period, filters = address.period, address.filters
    points = points_of(figures.backlog_by_day(period, filters), period)
    ages = figures.ages_now(filters, tickets=seen, now=now, zone=zone)
    standing = figures.waiting_now(filters, tickets=seen, now=now)
    return Backlog(
        points=points,
        figures=_figures(address, points, ages, standing),
        ages=_ages(address, ages),
        waits=_waits(address, standing),
        spent=_spent(address, figures.waiting(period, filters)),
    )


def points_of(levels: Sequence[Level], period: Period) -> list[Point]:
    """The last day always has its point."""
    step = "day" if period.days <= BARS else "week" if period.days <= 280 else "month"
    found, since = [], 0
    for place, level in enumerate(levels):
        if place + 1 == len(levels) or _ends(level, levels[place + 1], step):
            some = levels[since : place + 1]
            found.append(
                Point(
                    level=level, first=some[0].day, label=_label(level, step), opened=sum(one.opened for one in some),
                    reopened=sum(one.reopened for one in some), ended=sum(one.ended for one in some),
                )
            )  # fmt: skip
            since = place + 1
    return found


def _ends(level: Level, following: Level, step: str) -> bool:
    if step == "week":
        return following.day.weekday() == 0
    return step == "day" or following.day.month != level.day.month


def _label(level: Level, step: str) -> str:
    month = MONTHS[level.day.month - 1]
    return f"{month} {level.day.year % 100:02d}" if step == "month" else f"{level.day.day} {month}"


def _figures(
    address: Address, points: Sequence[Point], ages: Sequence[Age], standing: Sequence[Standing]
) -> list[Figure]:
    open_now = sum(age.number for age in ages)
    first, last = (points[0], points[-1]) if points else (None, None)
    opened, reopened, ended = (sum(getattr(p, name) for p in points) for name in ("opened", "reopened", "ended"))
    begun = first.level.open - first.opened - first.reopened + first.ended if first else 0
    theirs = next((s.number for s in standing if s.category == Category.WAITING_CLIENT), 0)
    delta = change(last.level.open, begun, more_is="bad", words=lambda n: number(int(n))) if last else None
    return [
        Figure(
            label=_("Open at the end"), value=number(last.level.open if last else 0), delta=delta,
            href=address.tickets("backlog"), note=day_words(address.period.last),
        ),
        Figure(label=_("Opened"), value=number(opened), href=address.tickets("opened")),
        Figure(label=_("Reopened"), value=number(reopened), href=address.tickets("reopened")),
        Figure(label=_("Finished, every time"), value=number(ended), href=address.tickets("ended")),
        Figure(
            label=_("Open now"), value=number(open_now), href=address.tickets("open"),
            note=_("live, %(n)s wait for the client") % {"n": number(theirs)},
        ),
    ]  # fmt: skip


def _ages(address: Address, ages: Sequence[Age]) -> Sheet:
    most = max((age.number for age in ages), default=0) or 1
    return Sheet(
        key="ages", title=_("How old is what is open now"), first=_("Age"), has_pictures=True, is_wide=False,
        definition=_("Open tickets by the days since they were opened, live."),
        columns=(Column(label=_("Open")),),
        lines=[
            Line(
                name=age.name[:1].upper() + age.name[1:], cells=[Cell(age.number, address.tickets(age.metric))],
                picture=_picture(age.name, age.number, most, address.tickets(age.metric)),
            )
            for age in ages
        ],
    )  # fmt: skip


def _picture(name: str, count: int, most: int, href: str) -> Picture:
    said = _("%(name)s: %(n)s") % {"name": name, "n": number(count)}
    return Picture(width=round(100 * count / most, 1), href=href, said=said)


def _waits(address: Address, standing: Sequence[Standing]) -> Sheet:
    most = max((one.number for one in standing), default=0) or 1
    return Sheet(
        key="waits", title=_("On whom it waits now"), first=_("Status"), has_pictures=True, is_wide=False,
        definition=_("Open tickets by where they stand, and for how long each has on average, live."),
        columns=(Column(label=_("Open")), Column(label=_("On average since"), kind=Kind.SPAN)),
        lines=[
            Line(
                name=one.name,
                cells=[
                    Cell(one.number, address.tickets("open", status=one.category)),
                    Cell(one.seconds // one.number if one.number else None),
                ],
                picture=_picture(one.name, one.number, most, address.tickets("open", status=one.category)),
            )
            for one in standing
        ],
    )  # fmt: skip


def _spent(address: Address, spent: Sequence[Spent]) -> Sheet:
    total = sum(one.seconds for one in spent) or 1
    most = max((one.seconds for one in spent), default=0) or 1
    return Sheet(
        key="spent", title=_("Where the time went"), first=_("Status"), has_pictures=True,
        definition=_("Of tickets that ended in the period: time in each status, around the clock, and its share."),
        columns=(Column(label=_("Hours"), kind=Kind.HOURS), Column(label=_("Share %"), kind=Kind.PERCENT)),
        lines=[
            Line(
                name=one.name,
                cells=[
                    Cell(round(one.seconds / 3600, 2), address.tickets(one.metric)),
                    Cell(round(100 * one.seconds / total, 1)),
                ],
                picture=Picture(
                    width=round(100 * one.seconds / most, 1), href=address.tickets(one.metric),
                    said=_("%(name)s: %(time)s") % {"name": one.name, "time": duration(one.seconds)},
                ),
            )
            for one in spent
        ],
    )  # fmt: skip


def days_sheet(address: Address, points: Sequence[Point]) -> Sheet:
    """The picture as a table."""

    def line(p: Point) -> Line:
        of = address.tickets_of(p.first, p.level.day)
        on = address.tickets_of(p.level.day, p.level.day)
        cells = [Cell(p.opened, f"{of}opened"), Cell(p.reopened, f"{of}reopened"), Cell(p.ended, f"{of}ended")]
        return Line(name=p.level.day.isoformat(), cells=[*cells, Cell(p.level.open, f"{on}backlog")])

    return Sheet(
        key="days", title=_("Open at the end of each day"), first=_("Up to"),
        definition=_("What was opened and finished since the line before, and what was open at the end of the day."),
        columns=(
            Column(label=_("Opened")), Column(label=_("Reopened")), Column(label=_("Finished")),
            Column(label=_("Open at its end")),
        ),
        lines=[line(p) for p in points],
    )  # fmt: skip
