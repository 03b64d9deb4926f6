"""The repeated markup of a report, written from values: some 300 numbers with their links, each of them escaped.

As in `tickets.rows`, a template would cost more than all the queries of the page. No style attributes: sizes and places
are attributes of SVG.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from html import escape

from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from helpdesk.core import icons
from helpdesk.core.templatetags.words import STATUS_SHAPES
from helpdesk.reports import shapes
from helpdesk.reports.backlog import Point
from helpdesk.reports.overview import Stand
from helpdesk.reports.shapes import Address, Delta, Figure
from helpdesk.reports.tables import Row
from helpdesk.reports.trends import BOTTOM, GOAL, LEFT, RIGHT, TOP, Dot, Mark, Step, bar_chart, line_chart, nice
from helpdesk.tickets.rows import Facts, Reading, sla_html, ticket_prefix

_WIDE = 98


@dataclass(frozen=True)
class Trend:
    bars: SafeString
    lines: SafeString
    rows: SafeString


def _safe(parts: Iterable[str]) -> SafeString:
    """Parts in which every value is escaped, or a number of ours."""
    return mark_safe("\n".join(parts))


def _link(href: str, text: object) -> str:
    return f'<a href="{escape(href)}">{escape(str(text))}</a>'


class Arrows:
    """Arrow and word per way, spelt once per page."""

    def __init__(self) -> None:
        self._marks = {
            way: (
                f'<svg class="icon" aria-hidden="true"><use href="{icons.address(f"arrow-{way}")}"/></svg>',
                f'<span class="hush"> {escape(word)}</span>',
            )
            for way, word in (("up", _("up")), ("down", _("down")))
        }

    def delta(self, delta: Delta | None) -> str:
        if delta is None:
            return ""
        before, after = self._marks.get(delta.way, ("", ""))
        tone = f" data-{delta.tone}" if delta.tone else ""
        return f'<span class="delta"{tone}>{before}{escape(delta.text)}{after}</span>'


def figures(found: Sequence[Figure]) -> SafeString:
    arrows = Arrows()
    return _safe(
        f'<div class="key-figure"><h2>{escape(str(f.label))}</h2><p class="big">{_link(f.href, f.value)}</p>'
        f'<p class="row">{arrows.delta(f.delta)}<span class="def">{escape(f.note)}</span></p></div>'
        for f in found
    )


def other_rows(found: Sequence[Figure]) -> SafeString:
    arrows = Arrows()
    return _safe(
        f'<tr><th scope="row">{escape(str(f.label))}</th><td class="end">{_link(f.href, f.value)}</td>'
        f'<td class="end">{arrows.delta(f.delta)}<span class="def">{escape(f.note)}</span></td>'
        f'<td class="def spare">{escape(str(f.definition))}</td></tr>'
        for f in found
    )


# ---- tables ---------------------------------------------------------------------------------------------------------


def bar(width: float, missing: float | None = None, goal: int | None = None) -> str:
    """A share as a bar; amber is what is missing to the goal. Without a goal the second part is the rest of a whole."""
    kind = "short" if goal else "rest"
    short = f'<rect class="{kind}" x="{width}%" y="4" width="{missing}%" height="8"/>' if missing else ""
    line = f'<line x1="{goal}%" x2="{goal}%" y1="0" y2="16"/>' if goal else ""
    return (
        '<svg class="bar" aria-hidden="true"><rect class="rail-of" y="4" width="100%" height="8" rx="2"/>'
        f'<rect y="4" width="{width}%" height="8" rx="2"/>{short}{line}</svg>'
    )


def prio(key: object, name: str) -> str:
    return f'<span class="prio" data-rank="{escape(str(key))}" data-word>{escape(name)}</span>'


def table_rows(rows: Sequence[Row], *, is_priority: bool, compare: bool) -> SafeString:
    arrows, late = Arrows(), _("%(name)s: %(n)d resolved late")
    found = []
    for row in rows:
        name = prio(row.key, row.name) if is_priority else escape(row.name)
        picture = ""
        if row.kept is not None:
            label = escape(late % {"name": row.name, "n": row.totals["resolution_breached"]})
            picture = f'<a href="{escape(row.late)}" aria-label="{label}">{bar(row.kept, row.missing, GOAL)}</a>'
        change = f'<td class="end">{arrows.delta(row.delta)}</td>' if compare else ""
        found.append(
            f'<tr><th scope="row"><a href="{escape(row.href)}">{name}</a></th>'
            f'<td class="end">{_link(row.tickets, shapes.number(row.totals["finished"]))}</td>'
            f'<td class="end">{_link(row.responses, row.response)}</td>'
            f'<td class="end">{_link(row.resolutions, row.resolution)}</td>'
            f'<td class="bar-cell">{picture}</td>{change}</tr>'
        )
    return _safe(found)


def stand_rows(rows: Sequence[Stand], *, is_priority: bool = False) -> SafeString:
    found = []
    for row in rows:
        if is_priority:
            finished = _link(row.finished_href, shapes.number(row.finished))
            name, more = prio(row.key, row.name), f'<td class="end">{finished}</td>'
        else:
            shape = STATUS_SHAPES.get(row.key, row.key)
            name, more = f'<span class="status" data-status="{shape}">{escape(row.name)}</span>', ""
        found.append(
            f'<tr><th scope="row">{name}</th><td class="end">{_link(row.href, shapes.number(row.count))}</td>'
            f'<td class="bar-cell"><a href="{escape(row.href)}" tabindex="-1" '
            f'aria-label="{escape(row.name)}: {row.count}">'
            f"{bar(row.width)}</a></td>{more}</tr>"
        )
    return _safe(found)


def pressing_rows(tickets: Sequence[Facts], now: datetime, zone: tzinfo) -> SafeString:
    """Tickets at risk or breached now, with whose they are."""
    reading, (before, after) = Reading(now, zone), ticket_prefix()
    clocks = {"response": _("Response"), "resolution": _("Resolution")}
    nobody = _("no owner yet")
    return _safe(
        f'<li data-ticket="{t.pk}"><span class="subject-line"><a class="subject" href="{before}{t.pk}{after}">'
        f'{escape(t.subject)}</a><br><span class="client">{escape(t.label)}, {escape(t.client or "")}.</span> '
        f'<span class="reason">{escape(clocks.get(t.next_clock, ""))}, {escape(t.owner or nobody)}</span></span>'
        f"{sla_html(t, reading)}</li>"
        for t in tickets
    )


# ---- trend ----------------------------------------------------------------------------------------------------------


def trend(address: Address, steps: Sequence[Step]) -> Trend:
    """Both pictures, and their twin as a table. Every bar and number opens its tickets."""
    of_step = _addresses(address, steps)
    return Trend(_bars(of_step, steps), _lines(address, steps), _twin(of_step, steps))


def _addresses(address: Address, steps: Sequence[Step]) -> dict[date, str]:
    """By first day, escaped, up to the name of the metric: six links of a step share it."""
    return {step.first: escape(address.tickets_of(step.first, step.last)) for step in steps}


def _grid(up: Sequence[Mark], across: Sequence[Mark], right: float) -> list[str]:
    lines = [
        f'<line class="grid" x1="{LEFT:g}%" x2="{right:g}%" y1="{mark.at}" y2="{mark.at}"/>'
        f'<text x="3.2%" y="{mark.at}" dy="4" text-anchor="end">{mark.text}</text>'
        for mark in up
    ]
    names = [f'<text x="{mark.at}" y="100%" text-anchor="middle">{escape(mark.text)}</text>' for mark in across]
    return ['<g aria-hidden="true">', *lines, *names, "</g>"]


def _links(bars: Sequence[tuple[str, str, str]]) -> list[str]:
    """(address, words, the bar): one tab stop for all of them, the last; static/js/chart.js moves it by arrow keys.

    Both first ones escaped. The words are the name of the link and its tooltip.
    """
    return [
        f'<a href="{href}" tabindex="{0 if place == len(bars) else -1}"><title>{words}</title>{drawn}</a>'
        for place, (href, words, drawn) in enumerate(bars, start=1)
    ]


def _bars(of_step: Mapping[date, str], steps: Sequence[Step]) -> SafeString:
    chart = bar_chart(steps)
    words = {"opened": escape(_("opened")), "finished": escape(_("finished"))}
    return _safe(
        _grid(chart.up, chart.across, _WIDE)
        + _links(
            [
                (
                    f"{of_step[b.step.first]}{b.metric}",
                    f"{escape(b.step.label)}: {b.count} {words[b.metric]}",
                    f'<rect class="bar-{b.series}" x="{b.x}" y="{b.y}" width="{b.width}" height="{b.height}"/>',
                )
                for b in chart.bars
                if b.count
            ]
        )
    )


def levels(address: Address, points: Sequence[Point]) -> SafeString:
    """What was open at the end of each day, week or month. Every bar opens its tickets."""
    top = nice(max((p.level.open for p in points), default=0))
    slot = (_WIDE - LEFT) / max(1, len(points))
    width, height = min(slot * 0.72, 5), BOTTOM - TOP
    up = [Mark(at=f"{BOTTOM - height * share:g}%", text=f"{top * share:g}") for share in (0, 0.5, 1)]
    every = max(1, -(-len(points) // 8))
    middles = [LEFT + slot * (i + 0.5) for i in range(len(points))]
    across = [
        Mark(at=f"{m:.2f}%", text=p.label)
        for i, (m, p) in enumerate(zip(middles, points, strict=True))
        if i % every == 0
    ]
    words = escape(_("open"))
    bars = []
    for middle, p in zip(middles, points, strict=True):
        tall = height * p.level.open / top
        if tall > 0:
            bars.append(
                (
                    f"{escape(address.tickets_of(p.level.day, p.level.day))}backlog",
                    f"{escape(p.label)}: {p.level.open} {words}",
                    f'<rect class="bar-b" x="{middle - width / 2:.2f}%" y="{BOTTOM - tall:.2f}%" width="{width:.2f}%" '
                    f'height="{tall:.2f}%"/>',
                )
            )
    return _safe([*_grid(up, across, _WIDE), *_links(bars)])


def _lines(address: Address, steps: Sequence[Step]) -> SafeString:
    chart = line_chart(steps, with_before=address.compare)
    words = {"a": _("Response"), "b": _("Resolution")}
    goal = f'<line class="goal" x1="{LEFT:g}%" x2="{RIGHT:g}%" y1="{chart.goal}" y2="{chart.goal}"/>'
    return _safe(
        [*_grid(chart.up, chart.across, RIGHT), goal]
        + [
            f'<line class="{line.series}" x1="{line.x1}" y1="{line.y1}" x2="{line.x2}" y2="{line.y2}"/>'
            for line in chart.lines
        ]
        + [_dot(dot, words[dot.series]) for dot in chart.dots]
    )


def _dot(dot: Dot, word: str) -> str:
    return (
        f'<circle class="dot-{dot.series}" cx="{dot.x}" cy="{dot.y}" r="3.5"/><text class="tag-{dot.series}" '
        f'x="{dot.x}" dx="10" y="{dot.label_y}" dy="4"><tspan class="word">{escape(word)} </tspan>{dot.text}</text>'
    )


def _twin(of_step: Mapping[date, str], steps: Sequence[Step]) -> SafeString:
    found = []
    for step in steps:
        t, before = step.totals, of_step[step.first]
        cells = (
            ("opened", shapes.number(t["opened"])),
            ("finished", shapes.number(t["finished"])),
            ("response", shapes.percent(t.percent("response"))),
            ("resolution", shapes.percent(t.percent("resolution"))),
        )
        found.append(
            f'<tr><th scope="row">{escape(step.label)}</th>'
            + "".join(f'<td class="end"><a href="{before}{metric}">{text}</a></td>' for metric, text in cells)
            + "</tr>"
        )
    return _safe(found)
