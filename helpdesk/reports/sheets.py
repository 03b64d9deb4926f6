"""A table of a report: told once, then drawn on a page, written into a file or put into a mail. Pure.

What stands on the page and in the file is the same cell, so that no number can differ between them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from helpdesk.core.formatting import duration, open_duration
from helpdesk.reports import shapes
from helpdesk.reports.shapes import Delta


class Kind(StrEnum):
    """What a column holds. A missing value is None: a dash on the page, an empty cell in a file."""

    TEXT = "text"
    COUNT = "count"
    PERCENT = "percent"
    HOURS = "hours"
    """Hours with two decimals."""
    SPAN = "span"
    """Seconds: "3 h 10 min" on the page, whole minutes in a file."""
    NEAR = "near"
    """A `Near`: "≈ 3 h 10 min" on the page, whole minutes in a file."""
    MOMENT = "moment"


class Near(NamedTuple):
    """Seconds with how sure they are: nothing, or the sign of what is read off a histogram. Open time has no days."""

    seconds: int
    sign: str = ""
    is_open_time: bool = False

    def __str__(self) -> str:
        said = (open_duration if self.is_open_time else duration)(self.seconds)
        return f"{self.sign} {said}".strip()


@dataclass(frozen=True, kw_only=True)
class Column:
    label: Any
    kind: Kind = Kind.COUNT
    is_spare: bool = False
    """Left out on a narrow screen; never in a file."""
    hint: Any = ""


@dataclass(frozen=True)
class Cell:
    value: Any = None
    href: str = ""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A share as a bar: width and what is missing to the goal in percent; `said` for those who cannot see it."""

    width: float
    missing: float | None = None
    goal: int | None = None
    href: str = ""
    said: str = ""


@dataclass(frozen=True, kw_only=True)
class Line:
    name: str
    cells: Sequence[Cell]
    href: str = ""
    rank: int = 0
    """A priority, whose mark stands before its name; 0 = something else."""
    picture: Picture | None = None
    delta: Delta | None = None


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """`key` names it within its page. The first column is the name of a line."""

    key: str
    title: Any
    definition: Any
    first: Any
    columns: Sequence[Column]
    lines: Sequence[Line]
    foot: Line | None = None
    has_pictures: bool = False
    is_wide: bool = True
    has_deltas: bool = False
    empty: Any = ""
    aside: Any = ""

    @property
    def shows_deltas(self) -> bool:
        """Not over a period before which nothing was counted."""
        return self.has_deltas and any(line.delta for line in self.every_line)

    @property
    def every_line(self) -> Iterable[Line]:
        return (*self.lines, self.foot) if self.foot else self.lines


def words(kind: Kind, value: Any) -> str:
    """A value as the page says it."""
    if value is None or value == "":
        return "" if kind in (Kind.TEXT, Kind.MOMENT) else shapes.NONE
    if kind == Kind.COUNT:
        return shapes.number(value)
    if kind == Kind.PERCENT:
        return shapes.percent(value)
    if kind == Kind.HOURS:
        return f"{value:,.2f}"
    if kind == Kind.SPAN:
        return duration(value)
    if kind == Kind.NEAR:
        return str(value)
    return f"{value:%Y-%m-%d %H:%M}" if isinstance(value, datetime) else str(value)


def plain(kind: Kind, value: Any) -> Any:
    """The same value as a file holds it: numbers stay numbers, instants are wall times of the report's zone."""
    if value is None:
        return None
    if kind == Kind.SPAN:
        return int(value // 60)
    if kind == Kind.NEAR:
        return int(value.seconds // 60)
    if kind == Kind.MOMENT and isinstance(value, datetime):
        return value.replace(tzinfo=None, microsecond=0)
    return value if kind in (Kind.COUNT, Kind.PERCENT, Kind.HOURS) else str(value)


def heads(sheet: Sheet) -> list[str]:
    """Column titles of a file, with the unit where the page writes it at each number."""
    units = {Kind.SPAN: _("minutes"), Kind.NEAR: _("minutes"), Kind.HOURS: _("hours")}
    return [str(sheet.first)] + [
        f"{column.label} ({units[column.kind]})" if column.kind in units else str(column.label)
        for column in sheet.columns
    ]


def rows(sheet: Sheet) -> list[list[Any]]:
    """The lines of a file, the foot last."""
    return [
        [line.name, *(plain(column.kind, cell.value) for column, cell in zip(sheet.columns, line.cells, strict=True))]
        for line in sheet.every_line
    ]
