"""A report as it is taken away: what it is about, its figures, and its tables, for a file or a mail."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from helpdesk.directory.models import Client
from helpdesk.reports import backlog, breaches, client_review, compliance, live, overview, tables, times, workload
from helpdesk.reports.asking import Asked, breach_kind, clock_kind
from helpdesk.reports.shapes import Figure
from helpdesk.reports.sheets import Cell, Column, Kind, Line, Sheet
from helpdesk.reports.trends import Step
from helpdesk.tickets.querysets import TicketQuerySet


@dataclass(frozen=True, kw_only=True)
class Told:
    """`late` are breaches with their reasons, which a mail shows as lines."""

    title: str
    about: Sequence[str]
    figures: Sequence[Figure]
    sheets: Sequence[Sheet]
    late: Sequence[breaches.Breach] = ()

    @property
    def every_sheet(self) -> list[Sheet]:
        return [*([figures_sheet(self.figures)] if self.figures else []), *self.sheets]


def tell(asked: Asked, seen: TicketQuerySet, now: datetime, *, client: Client | None = None) -> Told:
    """What the page of this address says. A review needs its client."""
    title, figures, sheets, late = _TELLERS[asked.address.where](asked, seen, now, client)
    return Told(title=title, about=about(asked, title, now), figures=figures, sheets=sheets, late=late)


def about(asked: Asked, title: str, now: datetime) -> list[str]:
    """What every file says first."""
    period, zone = asked.period, asked.zone
    lines = [title, _("Period: %(days)s") % {"days": period.words}]
    if asked.address.compare:
        lines.append(_("Against: %(days)s") % {"days": period.before_words})
    lines += [f"{chip.label}: {chip.value}" for chip in asked.filters.chips()]
    lines += [*asked.notes, _("Days in %(zone)s. Written %(at)s.") % {
        "zone": str(zone), "at": f"{now.astimezone(zone):%Y-%m-%d %H:%M}"
    }]  # fmt: skip
    if asked.filters.ignored:
        lines.append(_("Left out, because this desk does not know it: %(what)s.") % {
            "what": ", ".join(asked.filters.ignored)
        })  # fmt: skip
    return lines


def figures_sheet(figures: Sequence[Figure]) -> Sheet:
    return Sheet(
        key="figures", title=_("Key figures"), definition=_("What the report says first."), first=_("Figure"),
        columns=(
            Column(label=_("Value"), kind=Kind.TEXT), Column(label=_("Change"), kind=Kind.TEXT),
            Column(label=_("Note"), kind=Kind.TEXT),
        ),
        lines=[
            Line(name=str(f.label), cells=[Cell(f.value), Cell(change_words(f)), Cell(str(f.note))]) for f in figures
        ],
    )  # fmt: skip


def change_words(figure: Figure) -> str:
    """ "+4 points", "-12", in plain text."""
    if figure.delta is None:
        return ""
    sign = {"up": "+", "down": "−"}.get(figure.delta.way, "")
    return f"{sign}{figure.delta.text}"


def steps_sheet(steps: Sequence[Step], step: str) -> Sheet:
    names = {"day": _("Day"), "week": _("Week from"), "month": _("Month")}
    return Sheet(
        key="trend", title=_("Opened and finished"), first=names[step],
        definition=_("Tickets by the day they were opened, and by the day they were resolved or closed."),
        columns=(
            Column(label=_("Opened")), Column(label=_("Finished")), Column(label=_("Resp. %"), kind=Kind.PERCENT),
            Column(label=_("Resol. %"), kind=Kind.PERCENT),
        ),
        lines=[
            Line(
                name=one.first.isoformat(),
                cells=[
                    Cell(one.totals["opened"]), Cell(one.totals["finished"]), Cell(one.totals.percent("response")),
                    Cell(one.totals.percent("resolution")),
                ],
            )
            for one in steps
        ],
    )  # fmt: skip


Parts = tuple[str, Sequence[Figure], Sequence[Sheet], Sequence[breaches.Breach]]


def _overview(asked: Asked, seen: TicketQuerySet, now: datetime, client: Client | None) -> Parts:
    address = asked.address
    found = overview.read_sums(address)
    open_now = live.count_live(seen, asked.filters, now)
    by = [compliance.read(address, name, is_all=False).sheet for name in ("priority", asked.by)]
    late = _late(asked, "resolution", seen, now, most=6)
    figures = [
        *overview.key_figures(address, found, open_now, now), *overview.other_figures(address, found, open_now)
    ]  # fmt: skip
    title = _("Did we keep our promises?")
    ranks = overview.open_by_priority(address, tables.by_priority(address), open_now)
    stands = overview.stand_sheets(overview.by_status(address, found.now, open_now), ranks)
    sheets = [steps_sheet(found.steps, asked.period.step), *by, *stands, compliance.escalations(address)]
    return title, figures, sheets, late.breaches


def _compliance(asked: Asked, seen: TicketQuerySet, now: datetime, client: Client | None) -> Parts:
    kept = compliance.read(asked.address, asked.by, is_all=True)
    sheets = [kept.both, kept.sheet, compliance.escalations(asked.address)]
    return _("What was promised, and kept"), compliance.figures(asked.address, kept), sheets, ()


def _times(asked: Asked, seen: TicketQuerySet, now: datetime, client: Client | None) -> Parts:
    found = times.read(asked.address, asked.by, clock_kind(asked), is_all=True)
    return _("How long it took"), (), [found.whole, found.parts], ()


def _late(asked: Asked, kind: str, seen: TicketQuerySet, now: datetime, most: int = breaches.MOST) -> breaches.Found:
    wanted = breaches.wanted(kind, asked.filters, asked.period.first, asked.period.last, now)
    return breaches.every(wanted, kind, seen, most=most)


def _breaches(asked: Asked, seen: TicketQuerySet, now: datetime, client: Client | None) -> Parts:
    kind = breach_kind(asked)
    found = _late(asked, kind, seen, now)
    if found.count > len(found.breaches):
        said = {"shown": len(found.breaches), "count": found.count}
        asked.notes.append(_("The first %(shown)d of %(count)d: choose fewer days for the others.") % said)
    return _("What was late, and why"), (), [breaches.sheet(found, kind, asked.zone)], ()


def _backlog(asked: Asked, seen: TicketQuerySet, now: datetime, client: Client | None) -> Parts:
    found = backlog.read(asked.address, seen, now, asked.zone)
    days = backlog.days_sheet(asked.address, found.points)
    return _("What is open"), found.figures, [days, found.ages, found.waits, found.spent], ()


def _workload(asked: Asked, seen: TicketQuerySet, now: datetime, client: Client | None) -> Parts:
    work = workload.read(asked.address, asked.by, seen, now, is_all=True)
    return _("Who did what"), workload.figures(asked.address, work), [work.sheet], ()


def _clients(asked: Asked, seen: TicketQuerySet, now: datetime, client: Client | None) -> Parts:
    found = client_review.read_clients(asked.address, seen, now, is_all=True)
    return _("Clients"), (), [found.sheet], ()


def _review(asked: Asked, seen: TicketQuerySet, now: datetime, client: Client | None) -> Parts:
    if client is None:
        raise ValueError("a review is of a client")
    review = client_review.read_review(asked.address, client, seen, now)
    trend = steps_sheet(review.found.steps, asked.period.step)
    return client.name, review.figures, [trend, *client_review.sheets(review, asked.zone)], review.late.breaches


_TELLERS: Mapping[str, Callable[[Asked, TicketQuerySet, datetime, Client | None], Parts]] = {
    "overview": _overview,
    "compliance": _compliance,
    "times": _times,
    "breaches": _breaches,
    "backlog": _backlog,
    "workload": _workload,
    "clients": _clients,
    "review": _review,
}
