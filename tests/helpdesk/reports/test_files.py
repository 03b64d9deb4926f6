"""Files of reports: what a workbook and a CSV hold whatever the names are, and a PDF that fetches nothing."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from typing import Any

import pytest
from openpyxl import load_workbook

from helpdesk.reports import pdf
from helpdesk.reports.files import csv_text, xlsx_bytes
from helpdesk.reports.shapes import Delta
from helpdesk.reports.sheet_markup import sheet_html
from helpdesk.reports.sheets import Cell, Column, Kind, Line, Picture, Sheet, words

NASTY = '=HYPERLINK("http://x")<script>'


def sheet(title: str = "By client", name: str = NASTY) -> Sheet:
    return Sheet(
        key="by", title=title, definition="What it means.", first="Client",
        columns=(
            Column(label="Tickets"), Column(label="Kept %", kind=Kind.PERCENT), Column(label="Time", kind=Kind.HOURS),
            Column(label="Over", kind=Kind.SPAN), Column(label="Words", kind=Kind.TEXT),
            Column(label="Due", kind=Kind.MOMENT),
        ),
        lines=[
            Line(
                name=name, href="/a?b=1&c=2", picture=Picture(width=81.5, missing=8.5, goal=90),
                delta=Delta(text="3.1", way="up", tone="good"),
                cells=[
                    Cell(1234, "/x?a=1&b=2"), Cell(81.5), Cell(2.25), Cell(11_400), Cell("+cmd"),
                    Cell(datetime(2026, 6, 3, 10, 30)),  # noqa: DTZ001 - wall time of the report's zone
                ],
            )
        ],
        foot=Line(name="All", cells=[Cell(0), Cell(None), Cell(None), Cell(None), Cell(""), Cell(None)]),
        has_pictures=True, has_deltas=True,
    )  # fmt: skip


def test_a_workbook_keeps_numbers_and_never_runs_text() -> None:
    book = load_workbook(
        io.BytesIO(xlsx_bytes([NASTY, "\x00\x1bodd"], [sheet(), sheet("By client"), sheet("[a]:b*/?\\")]))
    )
    assert book.sheetnames == ["About", "By client", "By client 2", "a  b"]
    assert all(cell.data_type != "f" for page in book for row in page.iter_rows() for cell in row)
    head, line, foot = book["By client"].iter_rows(values_only=True)
    assert head == ("Client", "Tickets", "Kept %", "Time (hours)", "Over (minutes)", "Words", "Due")
    assert line == (NASTY, 1234, 81.5, 2.25, 190, "+cmd", datetime(2026, 6, 3, 10, 30))  # noqa: DTZ001
    assert foot[:5] == ("All", 0, None, None, None)


def test_a_csv_keeps_numbers_and_never_runs_text() -> None:
    text = csv_text(["Report", "@x"], [sheet()])
    assert text.startswith("\ufeff")
    rows = list(csv.reader(io.StringIO(text[1:])))
    assert rows[1] == ["'@x"]
    assert rows[-2] == [f"'{NASTY}", "1234", "81.5", "2.25", "190", "'+cmd", "2026-06-03 10:30:00"]
    assert rows[-1] == ["All", "0", "", "", "", "", ""]


def test_a_page_says_the_same_and_escapes_names() -> None:
    page = sheet_html(sheet())
    assert "<script>" not in page
    assert 'href="/x?a=1&amp;b=2">1,234</a>' in page
    assert "3 h 10 min" in page
    assert "style=" not in page


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [(Kind.COUNT, 0, "0"), (Kind.COUNT, None, "-"), (Kind.PERCENT, 100.0, "100.0"), (Kind.TEXT, None, ""),
     (Kind.HOURS, 1234.5, "1,234.50"), (Kind.SPAN, 59, "1 min")],
)  # fmt: skip
def test_words_of_a_value(kind: Kind, value: Any, said: str) -> None:
    assert words(kind, value) == said


def test_a_pdf_is_offered_only_where_it_can_be_made() -> None:
    assert pdf.kinds() == (("csv", "xlsx", "pdf") if pdf.is_there() else ("csv", "xlsx"))


@pytest.mark.parametrize("address", ["http://127.0.0.1/x", "file:///etc/passwd", "//host/share"])
def test_a_pdf_fetches_nothing(address: str) -> None:
    with pytest.raises(ValueError, match="fetches nothing"):
        pdf.refuse(address)
