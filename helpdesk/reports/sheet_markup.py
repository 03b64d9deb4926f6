"""A report's table as markup: written from values, each of them escaped. Sizes are attributes of SVG."""

from __future__ import annotations

from functools import cache

from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from helpdesk.reports.markup import Arrows, bar, prio
from helpdesk.reports.sheets import Cell, Column, Kind, Line, Picture, Sheet, words
from helpdesk.tickets.rows import escape

MANY = 6
"""Columns, from which on the bars give way."""
_NUMBERS = (Kind.COUNT, Kind.PERCENT, Kind.HOURS, Kind.SPAN, Kind.NEAR)


def sheet_html(sheet: Sheet) -> SafeString:
    """The whole table; the words around it belong to a template."""
    arrows = Arrows()
    body = "\n".join(_line(line, sheet, arrows) for line in sheet.lines)
    foot = f"<tfoot>{_line(sheet.foot, sheet, arrows)}</tfoot>" if sheet.foot else ""
    many = " many" if len(sheet.columns) > MANY else ""
    return mark_safe(f'<table class="figures-table{many}">{_head(sheet)}<tbody>{body}</tbody>{foot}</table>')


@cache
def _classes(kind: Kind, is_spare: bool) -> str:
    found = [name for name, wanted in (("end", kind in _NUMBERS), ("spare", is_spare)) if wanted]
    return f' class="{" ".join(found)}"' if found else ""


def _head(sheet: Sheet) -> str:
    cells = [f'<th scope="col">{escape(str(sheet.first))}</th>']
    for column in sheet.columns:
        hint = f' title="{escape(str(column.hint))}"' if column.hint else ""
        cells.append(f'<th scope="col"{_classes(column.kind, column.is_spare)}{hint}>{escape(str(column.label))}</th>')
    if sheet.has_pictures:
        cells.append(f'<th class="bar-cell" scope="col"><span class="hush">{escape(_("As a bar"))}</span></th>')
    if sheet.shows_deltas:
        cells.append(f'<th class="end" scope="col">{escape(_("Change"))}</th>')
    return f"<thead><tr>{''.join(cells)}</tr></thead>"


def _line(line: Line, sheet: Sheet, arrows: Arrows) -> str:
    name = prio(line.rank, line.name) if line.rank else escape(str(line.name))
    if line.href:
        name = f'<a href="{escape(line.href)}">{name}</a>'
    cells = "".join(_cell(column, cell) for column, cell in zip(sheet.columns, line.cells, strict=True))
    picture = f'<td class="bar-cell">{_picture(line.picture)}</td>' if sheet.has_pictures else ""
    change = f'<td class="end">{arrows.delta(line.delta)}</td>' if sheet.shows_deltas else ""
    return f'<tr><th scope="row">{name}</th>{cells}{picture}{change}</tr>'


def _cell(column: Column, cell: Cell) -> str:
    text = escape(words(column.kind, cell.value))
    if cell.href and text:
        text = f'<a href="{escape(cell.href)}">{text}</a>'
    return f"<td{_classes(column.kind, column.is_spare)}>{text}</td>"


def _picture(picture: Picture | None) -> str:
    if picture is None:
        return ""
    drawn = bar(picture.width, picture.missing, picture.goal)
    if not picture.href:
        return drawn
    # For the pointer: a number of the line opens the same, and is the tab stop.
    return f'<a href="{escape(picture.href)}" tabindex="-1" aria-label="{escape(picture.said)}">{drawn}</a>'
