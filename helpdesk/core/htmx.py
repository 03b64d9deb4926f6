"""One view, two doors: the whole page, or only its partial."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers


def wants_partial(request: HttpRequest) -> bool:
    """True for an htmx swap; plain, boosted and history-restore requests get the page."""
    htmx = getattr(request, "htmx", None)
    return htmx is not None and bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def render_page(
    request: HttpRequest, *, page: str, partial: str, context: Mapping[str, Any], status: int = 200
) -> HttpResponse:
    """Answer with `partial` for an htmx swap and `page` otherwise; caches are told which headers decide."""
    template = partial if wants_partial(request) else page
    response = render(request, template, dict(context), status=status)
    patch_vary_headers(response, ["HX-Request", "HX-Boosted", "HX-History-Restore-Request"])
    return response
