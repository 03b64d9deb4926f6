"""Fragments and small files of the frame: counts in the rail, health, palette, theme, the firm's colour and logo."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from helpdesk.accounts.permissions import can, staff_required
from helpdesk.accounts.requests import SignedIn
from helpdesk.accounts.services import save_preferences
from helpdesk.desk import brand, counts, later, organisation
from helpdesk.desk.frame import Frame, has_page, split_address
from helpdesk.desk.palette import find, pages_for
from helpdesk.tickets.access import tickets_for
from helpdesk.tickets.models import Ticket

_YEAR = "public, max-age=31536000, immutable"
_MINUTE = "public, max-age=60"


@require_GET
@staff_required
def rail(request: SignedIn) -> HttpResponse:
    """The rail's links with their numbers, for the page that asks (or that `at` names)."""
    now = timezone.now()
    at = (request.GET.get("at") or request.htmx.current_url_abs_path or "/")[:2000]
    path, query = split_address(at)
    sections, views = counts.with_counts(
        counts.section_links(request.user, has_page),
        [*counts.view_links(), *counts.saved_links(request.user)],
        user=request.user,
        now=now,
        zone=timezone.get_current_timezone(),
    )
    shown = {
        "sections": counts.current_of(sections, path, query),
        "views": counts.current_of(views, path, query),
        "address": request.get_full_path(),
    }
    return _fragment(render(request, "shared/_rail_links.html", shown))


@require_GET
@staff_required
def health(request: SignedIn) -> HttpResponse:
    return _fragment(render(request, "shared/_health.html", {"accounts": Frame(request, timezone.now()).health}))


@require_GET
@staff_required
def palette(request: SignedIn) -> HttpResponse:
    """Options for the palette's list."""
    now = timezone.now()
    pages = pages_for(request.user, has_page, Frame(request, now).settings)
    found = find(request.GET.get("q", ""), user=request.user, pages=pages, here=_open_ticket(request))
    return _fragment(render(request, "desk/_palette.html", {"found": found, "now": now}))


_TICKET_PAGE = re.compile(r"/tickets/(\d{1,18})/")


def _open_ticket(request: SignedIn) -> Ticket | None:
    """The ticket whose page the palette was opened on, for people who may write on it."""
    at = _TICKET_PAGE.fullmatch(urlsplit(request.headers.get("HX-Current-URL", "")).path)
    if at is None or not can(request.user, "actions.add"):
        return None
    return next(iter(tickets_for(request.user, [int(at[1])])), None)


@require_GET
@staff_required
def later_parts(request: SignedIn, language: str, digest: str) -> HttpResponse:
    """Dialogs and banners of the frame. Under the address of its content the browser keeps it for a year."""
    if language not in dict(settings.LANGUAGES):
        raise Http404
    response = HttpResponse(later.content(language))
    is_current = digest == later.digest(language)
    response["Cache-Control"] = "private, max-age=31536000, immutable" if is_current else "private, max-age=60"
    return response


@require_POST
def theme(request: SignedIn) -> HttpResponse:
    """Keep light, dark or auto; without script, go back to where one was."""
    wanted = request.POST.get("theme", "")
    if wanted not in {"auto", "light", "dark"}:
        return HttpResponse(status=422)
    save_preferences(user=request.user, values={"theme": "" if wanted == "auto" else wanted})
    back = request.headers.get("Referer", "")
    if request.POST.get("back") and url_has_allowed_host_and_scheme(back, {request.get_host()}):
        return redirect(back)
    return HttpResponse(status=204)


@require_GET
def brand_css(request: HttpRequest, digest: str) -> HttpResponse:
    """The organisation's colour; under the address of its content it is kept for a year."""
    colour = brand.firm().colour
    response = HttpResponse(brand.brand_sheet(colour), content_type="text/css")
    response["Cache-Control"] = _YEAR if digest == brand.brand_digest(colour) else _MINUTE
    return response


@require_GET
def logo(request: HttpRequest, digest: str) -> HttpResponse:
    """The organisation's logo: a checked picture, never anything that could run."""
    picture = organisation.read_logo(brand.firm().logo)
    if picture is None:
        raise Http404
    response = HttpResponse(picture.content, content_type=picture.content_type)
    response["Cache-Control"] = _YEAR if digest == brand.firm().logo_digest else _MINUTE
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _fragment(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    return response
