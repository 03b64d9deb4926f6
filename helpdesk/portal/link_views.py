"""Links to a client's page, made and ended by staff."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from helpdesk.accounts.requests import SignedIn
from helpdesk.core.htmx import render_page
from helpdesk.directory.models import Contact
from helpdesk.portal import access, services
from helpdesk.portal.models import StatusLink


@require_POST
def link_create(request: SignedIn, pk: int) -> HttpResponse:
    """A fresh link to one ticket for its contact; the address is shown once."""
    if not request.user.is_desk:
        raise PermissionDenied
    ticket, now = access.staff_ticket(request.user, pk), timezone.now()
    _link, token = services.create_link(
        ticket=ticket, contact=ticket.contact, created_by=request.user, now=now, request_id=request.id
    )
    links = access.open_links(ticket, now)
    return _made(request, token=token, back=ticket.get_absolute_url(), contact=ticket.contact, links=links)


@require_POST
def client_link_create(request: SignedIn, pk: int) -> HttpResponse:
    """A fresh read-only link to all requests of one client."""
    if not request.user.is_desk:
        raise PermissionDenied
    client = access.staff_client(request.user, pk)
    _link, token = services.create_link(
        client=client, created_by=request.user, now=timezone.now(), request_id=request.id
    )
    return _made(request, token=token, back="/", contact=None, links=[])


@require_POST
def link_revoke(request: SignedIn, pk: int) -> HttpResponse:
    if not request.user.is_desk:
        raise PermissionDenied
    link = access.link_to_revoke(pk)
    if link.ticket_id:
        access.staff_ticket(request.user, link.ticket_id)
    services.revoke_link(link=link, user=request.user, now=timezone.now(), request_id=request.id)
    if request.headers.get("HX-Request"):
        return render(request, "portal/_revoked.html", {"link": link})
    messages.success(request, _("The link is closed."))
    return redirect(link.ticket.get_absolute_url() if link.ticket else "/")


def _made(
    request: SignedIn, *, token: str, back: str, contact: Contact | None, links: list[StatusLink]
) -> HttpResponse:
    context = {
        "address": settings.BASE_URL + reverse("portal:status", args=[token]),
        "contact": contact,
        "links": links,
        "back": back,
        "firm": access.organisation(),
    }
    response = render_page(request, page="portal/link.html", partial="portal/_link.html", context=context)
    response["Cache-Control"] = "no-store"
    return response
