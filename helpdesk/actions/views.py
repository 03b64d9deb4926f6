"""Files: sent up one by one, handed out only through here."""

from __future__ import annotations

import html
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from helpdesk.accounts.permissions import requires
from helpdesk.accounts.requests import SignedIn
from helpdesk.actions.access import account_for, file_for, image_for, upload_for
from helpdesk.actions.choices import FileState
from helpdesk.actions.drafts import draft_to_hold_files, remove_upload
from helpdesk.actions.files import request_file, store_file
from helpdesk.actions.models import Attachment
from helpdesk.core import live
from helpdesk.core.errors import Refused
from helpdesk.core.htmx import render_page
from helpdesk.tickets.access import ticket_for

CLOSED = "sandbox; default-src 'none'"
"""What a stranger's bytes may do in a browser: nothing."""
MOST_TEXT = 200_000


@require_POST
@requires("actions.add")
def upload(request: SignedIn) -> HttpResponse:
    """Keep one file for a composer or a new ticket; answers with its line for the form. 422 says why not."""
    now = timezone.now()
    ticket_key, account_key = request.POST.get("ticket", ""), request.POST.get("account", "")
    ticket = ticket_for(request.user, int(ticket_key)) if ticket_key.isdecimal() and len(ticket_key) < 19 else None
    account = ticket.psa_account if ticket else account_for(account_key)
    given = request.FILES.get("file")
    if given is None:
        return _problem(request, _("No file came with it."))
    draft = draft_to_hold_files(user=request.user, ticket=ticket, now=now)
    try:
        kept = store_file(upload=given, name=given.name or "", account=account, user=request.user, draft=draft, now=now)
    except Refused as refusal:
        return _problem(request, " ".join(refusal.fields.values()))
    context = {"file": kept, "is_public": request.POST.get("visibility") == "public"}
    return render_page(request, page="actions/upload_page.html", partial="actions/_upload.html", context=context)


def _problem(request: SignedIn, text: str) -> HttpResponse:
    return render_page(
        request,
        page="actions/upload_page.html",
        partial="actions/_upload_problem.html",
        context={"problem": text},
        status=422,
    )


@require_POST
@requires("actions.add")
def remove(request: SignedIn, pk: int) -> HttpResponse:
    """Take back one's own file that is not sent yet."""
    kept = upload_for(request.user, pk)
    ticket_id = kept.draft.ticket_id if kept.draft else None
    remove_upload(attachment=kept)
    if getattr(request, "htmx", False):
        return HttpResponse("")
    return redirect("tickets:detail", ticket_id) if ticket_id else redirect("tickets:new")


@require_GET
def download(request: SignedIn, pk: int) -> HttpResponse:
    """The bytes, always as an attachment, and never to a request of htmx (a swap would put them into our page)."""
    if request.headers.get("HX-Request"):
        return HttpResponse(_("Files are opened, not swapped into a page."), status=400)
    kept = file_for(request.user, pk)
    if kept.state != FileState.STORED:
        return redirect("actions:preview", pk)
    return _bytes(kept, content_type=kept.content_type, is_attachment=True)


def _bytes(kept: Attachment, *, content_type: str, is_attachment: bool) -> HttpResponse:
    try:
        opened = kept.file.open("rb")
    except (FileNotFoundError, ValueError) as error:
        raise Http404 from error
    response = FileResponse(opened, as_attachment=is_attachment, filename=kept.name, content_type=content_type)
    return _shut(response)


def _shut(response: Any) -> Any:
    """Nothing inside may act, guess its type, be framed, or stay in a shared cache."""
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = CLOSED
    # django-csp leaves an answer alone that brings its own header.
    response["Cache-Control"] = "private, no-store"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    return response


@require_GET
def thumb(request: SignedIn, pk: int) -> HttpResponse:
    """A stored picture, as exactly the type its bytes are; anything else is not shown."""
    kept = file_for(request.user, pk)
    if request.headers.get("HX-Request") or not kept.is_image or kept.state != FileState.STORED:
        raise Http404
    return _bytes(kept, content_type=kept.content_type, is_attachment=False)


@require_GET
def preview(request: SignedIn, pk: int) -> HttpResponse:
    """A page about one file: picture, first text, or what can be done with it; while it is fetched, that."""
    kept = file_for(request.user, pk)
    scope = live.ticket_scope(kept.ticket_id) if kept.ticket_id else ""
    context = {
        "file": kept,
        "text": _first_text(kept) if kept.is_text and kept.state == FileState.STORED else "",
        "is_cut": (kept.size or 0) > MOST_TEXT,
        "psa": kept.psa_account,
        "back": kept.ticket.get_absolute_url() if kept.ticket else reverse("tickets:new"),
        "poll": live.poll_address(user_id=request.user.pk, scope=scope) if scope else "",
    }
    return render_page(request, page="actions/preview.html", partial="actions/_preview.html", context=context)


def _first_text(kept: Attachment) -> str:
    try:
        with kept.file.open("rb") as opened:
            return opened.read(MOST_TEXT).decode("utf-8", errors="replace").replace("\x00", "�")
    except (FileNotFoundError, ValueError):
        return ""


@require_POST
@requires("tickets.view")
def fetch(request: SignedIn, pk: int) -> HttpResponse:
    """Somebody wants bytes that are in the PSA: they are fetched, and the page changes when they are here."""
    request_file(attachment=file_for(request.user, pk), now=timezone.now())
    return redirect("actions:preview", pk)


@require_GET
def inline_image(request: SignedIn, pk: int, reference: str) -> HttpResponse:
    """An image inside a PSA's text. The first look has it fetched; until then a picture says so."""
    kept = image_for(request.user, pk, reference)
    if request.headers.get("HX-Request"):
        raise PermissionDenied
    if kept.state == FileState.STORED:
        if not kept.is_image:
            return _placeholder(_("This is no picture."))
        return _bytes(kept, content_type=kept.content_type, is_attachment=False)
    if kept.state == FileState.FAILED:
        return _placeholder(kept.state_text or _("The picture could not be fetched."))
    if kept.state == FileState.REMOTE:
        request_file(attachment=kept, now=timezone.now())
    return _placeholder(_("Picture is being fetched from %(psa)s") % {"psa": kept.psa_account.title})


def _placeholder(text: str) -> HttpResponse:
    """A picture of words, 321 x 61: the size by which ticket.js knows it and asks again."""
    picture = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="321" height="61" viewBox="0 0 321 61">'
        '<rect x="0.5" y="0.5" width="320" height="60" rx="6" fill="none" stroke="#8b8b97" stroke-dasharray="4 3"/>'
        f'<text x="160" y="35" text-anchor="middle" font-family="sans-serif" font-size="13" fill="#77777f">'
        f"{html.escape(text[:60])}</text></svg>"
    )
    return _shut(HttpResponse(picture, content_type="image/svg+xml"))
