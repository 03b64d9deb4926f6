"""What a press on a ticket's page answers."""

from __future__ import annotations

import json
from collections.abc import Sequence

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from helpdesk.tickets.models import Ticket


def answer(
    request: HttpRequest, ticket: Ticket, words: str, *, more: Sequence[str] = (), undo: str = ""
) -> HttpResponse:
    """To script: the toast and the word that something changed; `undo` is where a press takes it back. Without script:
    back to the ticket."""
    if getattr(request, "htmx", False):
        toast = {"text": words, "undo_url": undo} if undo else {"text": words}
        events = {"toast": toast, "desk:changed": "", **dict.fromkeys(more, "")}
        return HttpResponse(status=204, headers={"HX-Trigger": json.dumps(events)})
    messages.success(request, words)
    return redirect(ticket.get_absolute_url())
