"""The tables of a report as files: CSV for one of them or all below each other, XLSX with a sheet for each.

Text of others is never run by a spreadsheet: an apostrophe before it in CSV, cells typed as text in XLSX.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from helpdesk.reports.export import safe_cell
from helpdesk.reports.sheets import Sheet, heads, rows

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def csv_text(about: Sequence[str], sheets: Sequence[Sheet]) -> str:
    """Every table below its title. Begins with a byte order mark: Excel reads UTF-8 by it."""
    found = io.StringIO()
    writer = csv.writer(found, lineterminator="\r\n")
    for line in about:
        writer.writerow([safe_cell(line)])
    for sheet in sheets:
        writer.writerow([])
        writer.writerow([safe_cell(sheet.title)])
        writer.writerow([safe_cell(head) for head in heads(sheet)])
        writer.writerows([[_csv_cell(value) for value in row] for row in rows(sheet)])
    return "\ufeff" + found.getvalue()


def _csv_cell(value: Any) -> Any:
    return value if isinstance(value, int | float) else safe_cell(value)


def xlsx_bytes(about: Sequence[str], sheets: Sequence[Sheet]) -> bytes:
    """A first sheet that says what this is, then one for each table."""
    from helpdesk.reports import workbooks  # only now: it weighs ten megabytes, and few processes ever write one

    return workbooks.with_sheets(about, sheets)


def xlsx_table(title: str, head: Sequence[str], lines: Iterable[Sequence[Any]]) -> bytes:
    """One long table; only the workbook's own temporary file grows with it."""
    from helpdesk.reports import workbooks

    return workbooks.with_table(title, head, lines)
