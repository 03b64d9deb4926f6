"""The one sheet of icons: lucide's, taken from its package at run time, and our own mark.

Served once under an address that changes with its content, and kept by browsers for a year; a page then pays some 60
bytes per icon. Names come from one list, so that the sheet stays small and a wrong name is found by a test.
"""

from __future__ import annotations

import hashlib
import re
from functools import cache
from xml.etree import ElementTree

from lucide.templatetags.lucide import lucide

_NAMES = """
arrow-down arrow-left arrow-left-right arrow-right arrow-up ban bell book-open building-2 calendar chart-column
check chevron-down chevron-left chevron-right chevron-up circle-arrow-up circle-check
circle-dashed circle-pause circle-play clock
cloud-alert cloud-check cloud-cog cloud-off cloud-upload columns-3 copy download ellipsis external-link eye
file-text flag git-compare globe grip-vertical history hourglass house image inbox key-round keyboard link
list-filter lock log-in log-out mail map-pin menu merge message-square monitor moon octagon-alert paperclip pencil
phone plug plus printer refresh-cw reply rotate-cw save scroll-text search send settings shield-check
sliders-horizontal square-kanban star sun ticket timer trash-2 triangle-alert undo-2 unlink upload user user-plus
users wifi-off x zap
"""
NAMES = frozenset(_NAMES.split())

_MARK = (
    "M12 3.2a2.2 2.2 0 0 1 1.2 4.05V9h3.3v2.2h-3.3v7.9c2.9-.5 5-2.5 5.5-5.1l-1.9.8-.9-2 4.6-2 1.2 4.7-1.3.3C19.6 19 "
    "16.2 21.6 12 21.6S4.4 19 3.6 15.85l-1.3-.3 1.2-4.7 4.6 2-.9 2-1.9-.8c.5 2.6 2.6 4.6 5.5 5.1v-7.9H7.5V9h3.3V7.25A"
    "2.2 2.2 0 0 1 12 3.2Z"
)
_SHAPES = re.compile(r"^<svg[^>]*>(.*)</svg>$", re.DOTALL)


@cache
def sheet() -> str:
    """The sheet itself: an SVG with one symbol per icon."""
    symbols = "".join(f'<symbol id="{name}" viewBox="0 0 24 24">{_shapes(name)}</symbol>' for name in sorted(NAMES))
    mark = f'<symbol id="m-brand" viewBox="0 0 24 24"><path d="{_MARK}" fill="currentColor"/></symbol>'
    return f'<svg xmlns="http://www.w3.org/2000/svg">{symbols}{mark}</svg>'


@cache
def digest() -> str:
    """Names this content of the sheet."""
    return hashlib.sha256(sheet().encode()).hexdigest()[:8]


def address(name: str) -> str:
    """Where an icon is: `/i/<digest>.svg#<name>`. Unknown names are a mistake in a template."""
    if name not in NAMES:
        raise KeyError(f"no icon {name!r}: add it to core.icons.NAMES")
    return f"{_sheet_address()}#{name}"


def mark_address() -> str:
    return f"{_sheet_address()}#m-brand"


@cache
def _sheet_address() -> str:
    from django.urls import reverse

    return reverse("core:icons", args=[digest()])


def _shapes(name: str) -> str:
    """What stands inside lucide's own svg element."""
    found = _SHAPES.match(str(lucide(name, size=None)).strip())
    if not found:  # pragma: no cover - the package changed its output
        raise ValueError(f"lucide wrote {name!r} in a form we do not read")
    shapes = ElementTree.fromstring(f"<g>{found[1]}</g>")
    return "".join(ElementTree.tostring(shape, encoding="unicode").strip().replace(" />", "/>") for shape in shapes)
