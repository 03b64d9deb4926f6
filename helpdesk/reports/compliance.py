"""What was promised and kept, by any one dimension: both clocks, and what was late only by a later change."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from helpdesk.actions.titles import kind_word
from helpdesk.reports import tables
from helpdesk.reports.figures import Totals
from helpdesk.reports.figures import escalations as raises
from helpdesk.reports.metrics import METRICS
from helpdesk.reports.shapes import Address, Delta, Figure, change, number, percent_sign, points
from helpdesk.reports.sheets import Cell, Column, Kind, Line, Picture, Sheet
from helpdesk.reports.trends import GOAL

SHORT, MOST = 25, 300
_CLOCKS = {
    "response": (
        "response_met", "response_breached", "response_retroactive", "response_corrected", "response_paused",
    ),
    "resolution": (
        "resolution_met", "resolution_breached", "retroactive", "resolution_corrected", "resolution_paused",
    ),
}  # fmt: skip
COUNTED = ("finished", "excluded", *(name for names in _CLOCKS.values() for name in names))
_METRICS = (*_CLOCKS["response"], "response", *_CLOCKS["resolution"], "resolution")
"""What each column's number opens; those named as a clock are its share."""
_LATER = {"hint": METRICS["retroactive"].definition, "label": gettext_lazy("Retro."), "is_spare": True}
_BY_HAND = {"hint": METRICS["resolution_corrected"].definition, "label": gettext_lazy("By hand"), "is_spare": True}
_PAUSED = {"hint": METRICS["resolution_paused"].definition, "label": gettext_lazy("Paused"), "is_spare": True}
_HEADS = (
    Column(label=gettext_lazy("Answered in time"), is_spare=True),
    Column(label=gettext_lazy("Answered late")),
    Column(**_LATER),
    Column(**_BY_HAND),
    Column(**_PAUSED),
    Column(label=gettext_lazy("Resp. %"), kind=Kind.PERCENT),
    Column(label=gettext_lazy("Resolved in time"), is_spare=True),
    Column(label=gettext_lazy("Resolved late")),
    Column(**_LATER),
    Column(**_BY_HAND),
    Column(**_PAUSED),
    Column(label=gettext_lazy("Resol. %"), kind=Kind.PERCENT),
)


@dataclass(frozen=True, kw_only=True)
class Kept:
    """The whole, and the table of its parts."""

    now: Totals
    before: Totals | None
    both: Sheet
    sheet: Sheet
    total: int
    is_all: bool


def read(address: Address, by: str, *, is_all: bool, most: int = MOST) -> Kept:
    """At most five queries, whatever the number of lines."""
    whole = tables.whole(address, COUNTED)
    parts, total = tables.parts(address, by, COUNTED, most if is_all else SHORT)
    lines = [_line(address, by, who, now, before) for who, now, before in parts]
    sheet = Sheet(
        key=f"by-{by}",
        title=tables.TITLES[by],
        definition=_definition(len(lines), total, by),
        first=tables.STEPS[address.period.step] if by == "day" else tables.HEADS[by],
        columns=_HEADS,
        lines=lines,
        foot=_line(address, "", tables.Who(_("All"), (0,)), *whole),
        has_pictures=True,
        has_deltas=address.compare and by != "day",
        empty=_("Nothing that was promised came to its end in this period."),
    )
    is_all = is_all or len(lines) == total
    both = _both(address, *whole)
    return Kept(now=whole[0], before=whole[1], both=both, sheet=sheet, total=total, is_all=is_all)


def _both(address: Address, now: Totals, before: Totals | None) -> Sheet:
    """Each promise with all parts of its verdict."""
    labels = {"response": _("First answer"), "resolution": _("Resolution")}
    lines = []
    for clock, names in _CLOCKS.items():
        delta = None
        if before:
            old = before.percent(clock)
            delta = change(now.percent(clock), old, more_is="good", words=lambda n: f"{n:.1f}", digits=1)
        cells = [
            Cell(now.judged(clock), address.tickets(clock)), *(Cell(now[m], address.tickets(m)) for m in names),
            Cell(now.percent(clock), address.tickets(clock)),
        ]  # fmt: skip
        lines.append(Line(name=labels[clock], cells=cells, delta=delta))
    nothing = [Cell()] * (len(lines[0].cells) - 1)
    excluded = Cell(now["excluded"], address.tickets("excluded"))
    lines.append(Line(name=str(METRICS["excluded"].label), cells=[excluded, *nothing]))
    return Sheet(
        key="both", title=_("Both promises, in all their parts"), first=_("Promise"), lines=lines,
        definition=_(
            "Clocks that came to their end in the period. Retroactive ones are among the late; corrected and paused "
            "ones among both. What a person took out is in neither."
        ),
        columns=(
            Column(label=_("Tickets")), Column(label=_("In time")), Column(label=_("Late")),
            Column(label=_("Retroactive"), hint=METRICS["retroactive"].definition),
            Column(label=_("Corrected"), hint=METRICS["resolution_corrected"].definition),
            Column(label=_("Paused"), hint=METRICS["resolution_paused"].definition),
            Column(label=_("In time %"), kind=Kind.PERCENT),
        ),
        has_deltas=before is not None,
    )  # fmt: skip


def escalations(address: Address) -> Sheet:
    """Who or what raised tickets, to which level. One query."""
    found = raises(address.period, address.filters)
    lines = []
    for one in found:
        name = one.name if one.level is None else kind_word(one.trigger, one.level)
        href = address.tickets(one.metric)
        lines.append(Line(name=name, cells=[Cell(one.times, href), Cell(one.tickets, href)]))
    return Sheet(
        key="escalations", title=_("Escalations"), first=_("What raised it"), lines=lines,
        definition=_("By what raised them and to which level, on the day it did; every rule and person counts."),
        columns=(Column(label=_("Times")), Column(label=_("Tickets"))),
    )  # fmt: skip


def _definition(shown: int, total: int, by: str) -> str:
    if by == "day":
        return _("By the day a clock came to its end; every number opens its tickets.")
    said = {"shown": number(shown), "total": number(total), "goal": GOAL}
    return (
        _(
            "Lowest first, %(shown)s of %(total)s. By the day a clock came to its end; every number opens its tickets. "
            "The upright line is the goal, %(goal)d %% resolved in time."
        )
        % said
    )


def _line(address: Address, by: str, who: tables.Who, now: Totals, before: Totals | None) -> Line:
    own, key, name = tables.narrowed_to(by, who), who.keys[0], who.name
    cells = [
        Cell(now.percent(m) if m in ("response", "resolution") else now[m], address.tickets(m, **own)) for m in _METRICS
    ]
    kept = now.percent("resolution")
    missing = round(GOAL - kept, 1) if kept is not None and kept < GOAL else None
    late = address.tickets("resolution_breached", **own)
    said = _("%(name)s: %(n)d resolved late") % {"name": name, "n": now["resolution_breached"]}
    href = ""
    if by:
        href = address.other("review", key) if by == "client" and key else address.page(**own, by=None)
    return Line(
        name=name,
        cells=cells,
        href=href,
        rank=key if by == "priority" else 0,
        picture=Picture(width=kept, missing=missing, goal=GOAL, href=late, said=said) if kept is not None else None,
        delta=kept_delta(kept, before),
    )


def kept_delta(kept: float | None, before: Totals | None) -> Delta | None:
    if before is None:
        return None
    return change(kept, before.percent("resolution"), more_is="good", words=lambda n: f"{n:.1f}", digits=1)


def figures(address: Address, kept: Kept) -> list[Figure]:
    """The whole in five numbers."""
    t, b = kept.now, kept.before

    def share(clock: str, label: str) -> Figure:
        delta = change(t.percent(clock), b.percent(clock), more_is="good", words=points, digits=1) if b else None
        note = _("%(met)s of %(all)s") % {"met": number(t[f"{clock}_met"]), "all": number(t.judged(clock))}
        value = percent_sign(t.percent(clock))
        return Figure(label=label, value=value, href=address.tickets(clock), note=note, delta=delta)

    return [
        share("resolution", _("Resolved in time")),
        share("response", _("Answered in time")),
        *(count(address, name, t, b, "bad") for name in ("resolution_breached", "response_breached", "retroactive")),
    ]


def count(address: Address, metric: str, t: Totals, b: Totals | None, more_is: str = "") -> Figure:
    """A number of tickets against the period before."""
    one = METRICS[metric]
    delta = change(t[metric], b[metric], more_is=more_is, words=lambda n: number(int(n))) if b else None
    return Figure(label=one.label, value=number(t[metric]), href=address.tickets(metric), delta=delta)
