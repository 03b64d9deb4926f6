"""One property of a ticket, edited in place: the field swaps itself for its input and back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from helpdesk.accounts.permissions import requires
from helpdesk.accounts.requests import SignedIn
from helpdesk.actions.text import html_to_text
from helpdesk.core.errors import NeedsConfirmation, Refused
from helpdesk.core.htmx import render_page
from helpdesk.core.origin import Origin
from helpdesk.desk import ticket_head, ticket_page, ticket_side
from helpdesk.desk.clock_options import MODELS, consequences
from helpdesk.tickets import forms
from helpdesk.tickets.access import ticket_for
from helpdesk.tickets.fields import FIELDS
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.services import change_ticket

ELSEWHERE = {"status", "priority", "agent"}
"""Fields with a chooser of their own in the head."""


@require_http_methods(["GET", "POST"])
@requires("tickets.change")
def field(request: SignedIn, pk: int, name: str) -> HttpResponse:
    """GET: the input (or, with `show`, the words again). POST: save; 422 with the reason at the field."""
    if name not in FIELDS or name in ELSEWHERE:
        raise Http404
    ticket = ticket_for(request.user, pk)
    if request.method == "GET":
        return _line(request, ticket, name) if "show" in request.GET else _input(request, ticket, name)
    now, zone = timezone.now(), timezone.get_current_timezone()
    typed = request.POST.get("value", "")
    base = request.POST.get("base")
    if base is not None and base != forms.base_of(ticket, name) and "mine" not in request.POST:
        return _input(request, ticket, name, typed=typed, clash=_clash(ticket, name))
    try:
        value = forms.read_value(ticket, name, typed, zone)
        changed = change_ticket(
            ticket=ticket,
            changes={name: value},
            origin=Origin.desk(request.user),
            now=now,
            is_confirmed=request.POST.get("confirmed") == "yes",
        )
    except Refused as refusal:
        return _input(request, ticket, name, typed=typed, problem=" ".join(refusal.fields.values()))
    except NeedsConfirmation as warning:
        return _input(request, ticket, name, typed=typed, problem=" ".join(warning.warnings), confirm=True)
    if not getattr(request, "htmx", False):
        return redirect(ticket.get_absolute_url() + "#details")
    response = _line(request, changed, name)
    response["HX-Trigger"] = "desk:changed"
    return response


def _clash(ticket: Ticket, name: str) -> dict[str, str]:
    """Somebody changed the field while it was being edited here."""
    last = ticket.events.of_field(name).last()
    words = ticket_side.value_words(ticket, name, timezone.now()) or _("nothing")
    return {"words": words, "who": last.actor if last else ""}


def _line(request: SignedIn, ticket: Ticket, name: str) -> HttpResponse:
    items = ticket_page.open_items(ticket)
    moving, refused = ticket_head.moving_fields(items), ticket_head.refused_fields(items)
    line = ticket_side.line_of(ticket, name, request.user, timezone.now(), moving, refused)
    context = {"ticket": ticket, "line": line, "name": name}
    return render_page(request, page="tickets/field_page.html", partial=_partial(name), context=context)


def _partial(name: str) -> str:
    return "tickets/_subject.html" if name == "subject" else "tickets/_field.html"


def _refused(ticket: Ticket, name: str) -> str:
    """What the PSA said against the value that stands in the input."""
    return ticket_head.refused_fields(ticket_page.open_items(ticket)).get(name, "")


def _with_clocks(ticket: Ticket, name: str, choices: list[forms.Choice]) -> list[forms.Choice]:
    """Each choice with what it would do to the deadline."""
    held = str(getattr(ticket, f"{name}_id") or "")
    keys = [int(one.value) for one in choices if one.value != held and one.value.isdecimal()]
    said = consequences(ticket, name, keys, timezone.now(), timezone.get_current_timezone())
    found = [(one, said.get(int(one.value), "") if one.value.isdecimal() else "") for one in choices]
    if name == "client":
        return [replace(one, note=", ".join(part for part in (one.note, words) if part)) for one, words in found]
    return [replace(one, label=f"{one.label} ({words})" if words else one.label) for one, words in found]


def _input(
    request: SignedIn,
    ticket: Ticket,
    name: str,
    *,
    typed: str | None = None,
    problem: str = "",
    confirm: bool = False,
    clash: dict[str, str] | None = None,
) -> HttpResponse:
    zone = timezone.get_current_timezone()
    why = ticket_side.why_fixed(ticket, name, request.user)
    searched = request.GET.get("q", "")
    choices = forms.choices_of(ticket, name, searched)
    if name in forms.LEVELS:
        choices = [replace(one, label=ticket_side.category_words(one.label)) for one in choices]
    elif name in MODELS and not why:
        choices = _with_clocks(ticket, name, choices)
    value = forms.shown_value(ticket, name, zone) if typed is None else typed
    if typed is None and name == "description" and ticket.description_is_html:
        value = html_to_text(value)
    context: dict[str, Any] = {
        "ticket": ticket,
        "name": name,
        "label": FIELDS[name].label,
        "is_required": FIELDS[name].is_required or name == "agent_role",  # never without one while it has an owner
        "shape": forms.shape_of(name, choices),
        "choices": choices,
        "value": value,
        "words": ticket_side.value_words(ticket, name, timezone.now()),
        "base": forms.base_of(ticket, name),
        "problem": problem or why or _refused(ticket, name),
        "why": why,
        "confirm": confirm,
        "clash": clash,
        "searched": searched,
        "is_known": not value or any(c.value == value for c in choices),
    }
    only_found = "q" in request.GET and request.headers.get("HX-Target") == "found"
    partial = "tickets/_found.html" if only_found else "tickets/_input.html"
    code = 422 if problem or clash else 200
    return render_page(request, page="tickets/field_page.html", partial=partial, context=context, status=code)
