"""A report as a page of its own, for paper: no frame, no script, everything inside it."""

from __future__ import annotations

from functools import cache

from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

from helpdesk.core.formatting import safe_colour
from helpdesk.directory.models import Organisation
from helpdesk.reports.pdf import pdf_bytes
from helpdesk.reports.sheet_markup import sheet_html
from helpdesk.reports.told import Told, change_words


def printed_page(told: Told) -> bytes:
    """The PDF."""
    firm = Organisation.objects.first() or Organisation()
    html = render_to_string(
        "reports/printed.html",
        {
            "told": told,
            "firm": firm,
            "figures": [(f.label, f.value, change_words(f), f.note) for f in told.figures],
            "sheets": [(sheet, _drawn(sheet_html(sheet))) for sheet in told.sheets],
        },
    )
    return pdf_bytes(html, _style().replace("#5145cd", safe_colour(firm.colour) or "#5145cd"))


_PAINT = (
    ('<rect class="rail-of"', '<rect fill="#e8e8ed"'),
    ('<rect class="short"', '<rect fill="#c46f00"'),
    ('<rect class="rest"', '<rect fill="#8b8b97"'),
    ('<rect y="4"', '<rect fill="#70707e" y="4"'),
    ("<line x1", '<line stroke="#1a1a20" stroke-width="1.2" x1'),
)
"""On paper a style sheet does not reach into a drawing."""


def _drawn(table: SafeString) -> SafeString:
    found = str(table)
    for before, after in _PAINT:
        found = found.replace(before, after)
    return mark_safe(found)


@cache
def _style() -> str:
    return render_to_string("reports/printed.css")
