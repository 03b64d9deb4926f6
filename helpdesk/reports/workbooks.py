"""Workbooks, a sheet for each table. Imported by those who write one: the library is large."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from helpdesk.reports.sheets import Sheet, heads, rows

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_NOT_IN_A_NAME = re.compile(r"[\[\]:*?/\\']")
MOST_LETTERS = 32_000
"""Of a cell: what a spreadsheet holds."""


def with_sheets(about: Sequence[str], sheets: Sequence[Sheet]) -> bytes:
    book = Workbook(write_only=True)
    page = book.create_sheet(_sheet_name(_("About"), set()))
    page.column_dimensions["A"].width = 90
    for line in about:
        page.append([_text(page, line)])
    for sheet in sheets:
        page.append([_text(page, f"{sheet.title}: {sheet.definition}")])
    taken = {page.title.lower()}
    for sheet in sheets:
        _add_sheet(book, _sheet_name(str(sheet.title), taken), heads(sheet), rows(sheet))
    return _saved(book)


def with_table(title: str, head: Sequence[str], lines: Iterable[Sequence[Any]]) -> bytes:
    book = Workbook(write_only=True)
    _add_sheet(book, _sheet_name(title, set()), head, lines)
    return _saved(book)


def _add_sheet(book: Workbook, name: str, head: Sequence[str], lines: Iterable[Sequence[Any]]) -> None:
    page = book.create_sheet(name)
    page.freeze_panes = "B2"
    for i, words in enumerate(head, start=1):
        page.column_dimensions[get_column_letter(i)].width = 34 if i == 1 else min(60, max(11, len(words) + 2))
    page.append([_text(page, words, is_bold=True) for words in head])
    for line in lines:
        page.append([_value(page, value) for value in line])


def _value(page: Any, value: Any) -> Any:
    if value is None or isinstance(value, int | float | datetime):
        return value
    return _text(page, value)


def _text(page: Any, value: Any, *, is_bold: bool = False) -> WriteOnlyCell:
    cell = WriteOnlyCell(page, value=_CONTROL.sub(" ", str(value))[:MOST_LETTERS])
    cell.data_type = "s"
    if is_bold:
        cell.font = Font(bold=True)
    return cell


def _sheet_name(title: str, taken: set[str]) -> str:
    """What a workbook allows: 31 letters, none of its own signs, none twice."""
    base = _NOT_IN_A_NAME.sub(" ", _CONTROL.sub(" ", title)).strip()[:28] or _("Table")
    name = next(n for n in _numbered(base) if n.lower() not in taken)
    taken.add(name.lower())
    return name


def _numbered(base: str) -> Iterator[str]:
    yield base
    number = 2
    while True:
        yield f"{base} {number}"
        number += 1


def _saved(book: Workbook) -> bytes:
    found = io.BytesIO()
    book.save(found)
    return found.getvalue()
