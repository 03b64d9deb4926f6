"""What a press on a ticket's page answers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from helpdesk.tickets.models import Ticket


def answer(
    request: HttpRequest, ticket: Ticket, words: str, *, more: Sequence[str] = (), undo: str = "", shown: str = ""
) -> HttpResponse:
    """To script: the toast, the word that something changed, and `shown` (see `told`); `undo` is where a press takes
    it back. Without script: back to the ticket."""
    if getattr(request, "htmx", False):
        toast = {"text": words, "undo_url": undo} if undo else {"text": words}
        return told({"toast": toast, "desk:changed": "", **dict.fromkeys(more, "")}, shown)
    messages.success(request, words)
    return redirect(ticket.get_absolute_url())


def told(events: Mapping[str, Any], shown: str = "") -> HttpResponse:
    """Events for the page, and what of it looks different now: `desk.show` puts each part into the place of the one
    of the same id or ticket, so that the change is seen without asking again."""
    headers = {"HX-Trigger": json.dumps(events)}
    if not shown:
        return HttpResponse(status=204, headers=headers)
    return HttpResponse(shown, headers=headers | {"HX-Reswap": "none"})


def page_of(request: HttpRequest) -> tuple[str, dict[str, str]]:
    """Path and query of the page on which script pressed; an empty path without script."""
    address = getattr(getattr(request, "htmx", None), "current_url_abs_path", None) or ""
    path, _mark, query = address.partition("?")
    return path, dict(parse_qsl(query))
