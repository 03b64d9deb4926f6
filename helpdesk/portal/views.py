"""What clients open: with a link, or signed in."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from helpdesk.accounts.requests import SignedIn
from helpdesk.actions.choices import FileState
from helpdesk.actions.models import Attachment
from helpdesk.core.errors import Refused
from helpdesk.portal import access, services
from helpdesk.portal.files import download
from helpdesk.portal.forms import AnswerForm
from helpdesk.portal.limits import ANSWERS_PER_ADDRESS, ANSWERS_PER_LINK, FETCHES_PER_LINK, address_of, allow
from helpdesk.portal.models import StatusLink, hash_token
from helpdesk.portal.pages import list_context, ticket_context
from helpdesk.tickets.models import Ticket

View = Callable[..., HttpResponseBase]
SHOWN = frozenset({"open", "yours", "late", "done"})
TAKEN = 302


def kept_private(view: View) -> View:
    """A link's page is nobody else's: not stored, not indexed, its address told to no other site. Lost = calm 404."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            response = view(request, *args, **kwargs)
        except Http404:
            response = _lost(request, signed_in=False)
        response["Cache-Control"] = "no-store"
        response["Referrer-Policy"] = "no-referrer"
        response["X-Robots-Tag"] = "noindex, nofollow"
        return response

    return wrapped


def for_clients(view: View) -> View:
    """Signed in as a client's person. Staff has its own pages: reading goes home, writing is refused."""

    @wraps(view)
    def wrapped(request: SignedIn, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not access.is_client(request.user):
            if request.method in {"GET", "HEAD"}:
                return redirect("/")
            raise PermissionDenied
        try:
            response = view(request, *args, **kwargs)
        except Http404:
            response = _lost(request, signed_in=True)
        response["Cache-Control"] = "private, no-store"
        return response

    return wrapped


def _lost(request: HttpRequest, *, signed_in: bool) -> HttpResponse:
    context = {"firm": access.organisation(), "person": request.user if signed_in else None}
    return render(request, "portal/lost.html", context, status=404)


# With a link ----------------------------------------------------------------------------------------------------------
@require_GET
@kept_private
def status(request: HttpRequest, token: str) -> HttpResponse:
    link = access.link_for(token, timezone.now())
    if link.client is not None:
        return _status_list(request, link)
    return _status_page(request, link, token, AnswerForm())


def _status_list(request: HttpRequest, link: StatusLink) -> HttpResponse:
    now, firm = timezone.now(), access.organisation()
    reader = access.reader_for(now=now, firm=firm, contact=link.contact, client=link.client)
    show, page = _shown(request)
    client = link.client
    if client is None:
        raise Http404
    listing = access.listing_of_client(client, show=show, page=page, now=now)
    context = list_context(listing, reader=reader, firm=firm, show=show, page=page, title=client.name)
    return render(request, "portal/status_list.html", context)


def _status_page(request: HttpRequest, link: StatusLink, token: str, form: AnswerForm, code: int = 200) -> HttpResponse:
    ticket, firm = access.linked_ticket(link), access.organisation()
    contact = link.contact
    reader = access.reader_for(now=timezone.now(), firm=firm, contact=contact, site=ticket.site, client=ticket.client)
    context = ticket_context(ticket, contact=contact, firm=firm, reader=reader)
    may_answer = access.answering_contact(link) is not None
    context |= {
        "form": form if may_answer else None,
        "answer_address": reverse("portal:status_answer", args=[token]),
        "token": token,
        "was_sent": "sent" in request.GET,
    }
    return render(request, "portal/status.html", context, status=code)


# The address itself is the permission, no cookie is read, and browsers send "Origin: null" from a no-referrer page: a
# CSRF check could only refuse the honest.
@csrf_exempt
@require_POST
@kept_private
def status_answer(request: HttpRequest, token: str) -> HttpResponse:
    now = timezone.now()
    link = access.link_for(token, now)
    contact = access.answering_contact(link)
    if contact is None:
        raise Http404
    ticket, form = access.linked_ticket(link), AnswerForm(request.POST)
    code = _take(request, form, who=f"link:{link.pk}", ticket=ticket, contact=contact, link=link)
    if code != TAKEN:
        return _status_page(request, link, token, form, code)
    return redirect(f"{reverse('portal:status', args=[token])}?sent=1")


@require_GET
@kept_private
def status_file(request: HttpRequest, token: str, pk: int) -> HttpResponseBase:
    link = access.link_for(token, timezone.now())
    if link.ticket_id is None:
        raise Http404
    item = access.file_of(access.linked_ticket(link), pk)
    return _hand_over(request, item, who=f"link:{hash_token(token)[:16]}", back=reverse("portal:status", args=[token]))


# Signed in ------------------------------------------------------------------------------------------------------------
@require_GET
@for_clients
def index(request: SignedIn) -> HttpResponse:
    now, firm = timezone.now(), access.organisation()
    contacts = access.contacts_of(request.user)
    sees_all = any(c.sees_company and c.client_id for c in contacts)
    whose = "all" if sees_all and request.GET.get("whose", "all") != "mine" else "mine"
    show, page = _shown(request)
    first = contacts[0] if contacts else None
    client = first.client if first else None
    reader = access.reader_for(now=now, firm=firm, user=request.user, contact=first, client=client)
    listing = access.listing_for(request.user, contacts=contacts, whose=whose, show=show, page=page, now=now)
    names = {c.client.name for c in contacts if c.client}
    context = list_context(
        listing, reader=reader, firm=firm, show=show, page=page, title=" · ".join(sorted(names)) or request.user.name
    )
    context |= {
        "person": request.user, "whose": whose, "sees_all": sees_all, "can_open": True,
        "company": names.pop() if len(names) == 1 else _("our company"),
    }  # fmt: skip
    return render(request, "portal/list.html", context)


@require_GET
@for_clients
def detail(request: SignedIn, pk: int) -> HttpResponse:
    return _ticket_page(request, access.ticket_for(request.user, pk), AnswerForm())


def _ticket_page(request: SignedIn, ticket: Ticket, form: AnswerForm, code: int = 200) -> HttpResponse:
    firm = access.organisation()
    contact = access.contact_in(access.contacts_of(request.user), ticket)
    reader = access.reader_for(
        now=timezone.now(), firm=firm, user=request.user, contact=contact, site=ticket.site, client=ticket.client
    )
    context = ticket_context(ticket, contact=contact, firm=firm, reader=reader)
    context |= {
        "person": request.user,
        "form": form if contact else None,
        "answer_address": reverse("portal:answer", args=[ticket.pk]),
        "was_sent": "sent" in request.GET,
    }
    return render(request, "portal/ticket.html", context, status=code)


@require_POST
@for_clients
def answer(request: SignedIn, pk: int) -> HttpResponse:
    ticket = access.ticket_for(request.user, pk)
    contact = access.contact_in(access.contacts_of(request.user), ticket)
    if contact is None:
        raise Http404
    form = AnswerForm(request.POST)
    code = _take(request, form, who=f"user:{request.user.pk}", ticket=ticket, contact=contact, user=request.user)
    if code != TAKEN:
        return _ticket_page(request, ticket, form, code)
    return redirect(f"{reverse('portal:ticket', args=[ticket.pk])}?sent=1")


@require_GET
@for_clients
def file(request: SignedIn, pk: int) -> HttpResponseBase:
    item = access.file_for(request.user, pk)
    return _hand_over(
        request, item, who=f"user:{request.user.pk}", back=reverse("portal:ticket", args=[item.ticket_id])
    )


# Shared ---------------------------------------------------------------------------------------------------------------
def _shown(request: HttpRequest) -> tuple[str, int]:
    """Which requests and which page of them; anything odd in the address means the first of the open ones."""
    show, page = request.GET.get("show", ""), request.GET.get("page", "")
    number = int(page) if page.isascii() and page.isdigit() and len(page) < 5 else 1
    return (show if show in SHOWN else "open"), max(1, number)


def _take(request: HttpRequest, form: AnswerForm, *, who: str, **what: Any) -> int:
    """Send an answer. TAKEN, 422 when it says nothing or is refused, 429 when too many came."""
    if not form.is_valid():
        return 422
    if not (
        allow(what=f"answer:{who}", limit=ANSWERS_PER_LINK)
        and allow(what=f"answer:from:{address_of(request)}", limit=ANSWERS_PER_ADDRESS)
    ):
        form.add_error("body", _("That was a lot in a short time. Your text is kept: send it again in ten minutes."))
        return 429
    try:
        services.answer(text=form.cleaned_data["body"], marker=form.cleaned_data["marker"], now=timezone.now(), **what)
    except Refused:
        # The reason is told in words of the desk and of the PSA: not the client's.
        form.add_error("body", _("We could not take this just now. Your text is kept: please call us instead."))
        return 422
    return TAKEN


def _hand_over(request: HttpRequest, item: Attachment, *, who: str, back: str) -> HttpResponseBase:
    if request.headers.get("HX-Request"):
        return HttpResponseBadRequest()
    if item.state == FileState.STORED and item.file:
        try:
            return download(item)
        except FileNotFoundError as error:
            raise Http404 from error
    if item.state != FileState.FETCHING and allow(what=f"fetch:{who}", limit=FETCHES_PER_LINK):
        services.fetch(attachment=item, now=timezone.now())
    context = {"firm": access.organisation(), "item": item, "back": back, "again": request.path}
    return render(request, "portal/fetching.html", context, status=202)
