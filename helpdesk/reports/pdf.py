"""Reports as PDF, where WeasyPrint is installed (the extra `pdf`). It reads no address: everything is in the page."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any, NoReturn

PDF = "application/pdf"


@cache
def is_there() -> bool:
    """Whether the library can be loaded: it needs shared libraries of the system, too."""
    if find_spec("weasyprint") is None:
        return False
    try:
        import_module("weasyprint")
    except (ImportError, OSError):
        return False
    return True


def kinds() -> tuple[str, ...]:
    """The kinds of file that a report can be had as."""
    return ("csv", "xlsx", "pdf") if is_there() else ("csv", "xlsx")


def refuse(url: str, *_args: Any, **_how: Any) -> NoReturn:
    """Instead of fetching: a report names nothing outside itself, and a name of somebody else's must not be asked."""
    raise ValueError(f"a report fetches nothing: {url[:100]}")


def pdf_bytes(html: str, style: str) -> bytes:
    """A finished page as PDF. What it names outside itself is left out."""
    weasyprint, fetcher = import_module("weasyprint"), _fetcher()
    sheet = weasyprint.CSS(string=style, url_fetcher=fetcher)
    found: bytes = weasyprint.HTML(string=html, url_fetcher=fetcher).write_pdf(stylesheets=[sheet])
    return found


@cache
def _fetcher() -> Any:
    """As the library wants it: an object since it has a class for it, a function before."""
    base: Any = getattr(import_module("weasyprint.urls"), "URLFetcher", None)
    return refuse if base is None else type("Refusing", (base,), {"fetch": lambda self, url, *_more: refuse(url)})()
