"""What a press on a ticket's page answers."""

from __future__ import annotations

import json
from collections.abc import Sequence

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from helpdesk.tickets.models import Ticket


def answer(request: HttpRequest, ticket: Ticket, words: str, *, more: Sequence[str] = ()) -> HttpResponse:
    """To script: the toast and the word that something changed. Without it: back to the ticket."""
    if getattr(request, "htmx", False):
        events = {"toast": {"text": words}, "desk:changed": "", **dict.fromkeys(more, "")}
        return HttpResponse(status=204, headers={"HX-Trigger": json.dumps(events)})
    messages.success(request, words)
    return redirect(ticket.get_absolute_url())
