"""Press an outcome: the same composer, with what the outcome brings and asks for."""

from __future__ import annotations

from contextlib import suppress

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from helpdesk.accounts.permissions import requires
from helpdesk.accounts.requests import SignedIn
from helpdesk.actions.drafts import save_draft
from helpdesk.actions.files import store_file
from helpdesk.actions.forms import draft_fields, read_ids
from helpdesk.core.errors import Refused
from helpdesk.core.htmx import wants_partial
from helpdesk.desk import composer
from helpdesk.desk.outcome_buttons import picked_data
from helpdesk.tickets.access import ticket_for


@require_POST
@requires("actions.add")
def pick(request: SignedIn, pk: int) -> HttpResponse:
    """Choose an outcome, or take it off (`press` empty). Nothing is sent; the draft keeps the choice."""
    ticket = ticket_for(request.user, pk)
    data = picked_data(ticket, request.user, request.POST)
    fields = draft_fields(data, read_ids(data.getlist("file")), read_ids(data.getlist("public_file")))
    now = timezone.now()
    kept = save_draft(user=request.user, ticket=ticket, fields=fields, now=now)
    for given in request.FILES.getlist("upload")[:20] if kept is not None else ():
        # Without script a chosen file travels with the press: kept, or it would have to be chosen again.
        with suppress(Refused):
            name, account = given.name or "", ticket.psa_account
            store_file(upload=given, name=name, account=account, user=request.user, draft=kept, now=now)
    if not wants_partial(request):
        return redirect(ticket.get_absolute_url() + "#composer")
    box = composer.typed_composer(ticket, request.user, data, saved_at=kept.saved_at if kept else None, is_picked=True)
    return render(request, "actions/_composer.html", {"composer": box, "ticket": ticket})
