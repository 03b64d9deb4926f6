"""The ledger of a ticket's clocks, and setting one right by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from helpdesk.accounts.permissions import can, requires
from helpdesk.accounts.requests import SignedIn
from helpdesk.core.errors import Refused, Stale
from helpdesk.core.htmx import render_page, wants_partial
from helpdesk.desk import clock_ledger, ticket_page
from helpdesk.sla.choices import ClockKind
from helpdesk.tickets.access import correction_for, ticket_for
from helpdesk.tickets.correcting import correct_clock, undo_correction
from helpdesk.tickets.forms import read_instant
from helpdesk.tickets.models import Correction


@require_GET
@requires("tickets.view")
def clocks(request: SignedIn, pk: int) -> HttpResponse:
    """Who and what used the time: for the ticket's page, and as a page of its own."""
    return _page(request, pk)


@require_POST
@requires("clocks.correct")
def correct(request: SignedIn, pk: int) -> HttpResponse:
    """Set a clock right. 422 with the reason at the field, and what was typed."""
    ticket, now, zone = ticket_for(request.user, pk), timezone.now(), timezone.get_current_timezone()
    given = {name: request.POST.get(name, "") for name in ("kind", "what", "instant", "reason")}
    problems: dict[str, str] = {}
    instant = None
    if given["what"] != Correction.What.EXCLUDED:
        try:
            instant = read_instant("instant", given["instant"], zone)
        except Refused as refusal:
            problems = dict(refusal.fields)
    try:
        correct_clock(
            ticket=ticket, kind=given["kind"], what=given["what"], instant=instant, reason=given["reason"],
            user=request.user, now=now, problems=problems,
        )  # fmt: skip
    except Refused as refusal:
        return _page(request, pk, given, refusal.fields)
    return _done(request, pk, _("The clock is corrected."))


@require_POST
@requires("clocks.correct")
def uncorrect(request: SignedIn, pk: int, correction: int) -> HttpResponse:
    """Take a correction back."""
    held = correction_for(ticket_for(request.user, pk), correction)
    try:
        undo_correction(correction=held, user=request.user, now=timezone.now())
    except Stale as error:
        raise Http404 from error
    return _done(request, pk, _("The correction is taken back."))


def _done(request: SignedIn, pk: int, words: str) -> HttpResponse:
    if not wants_partial(request):
        messages.success(request, words)
        return redirect(reverse("tickets:clocks", args=[pk]))
    response = _page(request, pk)
    response["HX-Trigger"] = json.dumps({"toast": {"text": words}, "desk:changed": ""})
    return response


def _page(
    request: SignedIn, pk: int, given: Mapping[str, str] | None = None, problems: Mapping[str, str] | None = None
) -> HttpResponse:
    ticket, now = ticket_page.page_ticket(request.user, pk), timezone.now()
    context: dict[str, Any] = {
        "ticket": ticket,
        "now": now,
        **clock_ledger.ledger_context(ticket, now),
        "may_correct": can(request.user, "clocks.correct") and ticket.removed_at is None,
        "kinds": ClockKind.choices,
        "whats": Correction.What.choices,
        "given": given or {"kind": ClockKind.RESOLUTION},
        "problems": problems or {},
    }
    status = 422 if problems else 200
    return render_page(
        request, page="tickets/clocks_page.html", partial="tickets/_clocks.html", context=context, status=status
    )
