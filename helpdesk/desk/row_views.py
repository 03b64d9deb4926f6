"""What a row or a card opens: the preview, the choosers, one change, and its undo."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from helpdesk.accounts.permissions import requires
from helpdesk.accounts.requests import SignedIn
from helpdesk.core.errors import Refused
from helpdesk.core.htmx import render_page
from helpdesk.core.origin import Origin
from helpdesk.desk import answers, moves
from helpdesk.desk.answers import page_of
from helpdesk.desk.clock_options import with_clocks
from helpdesk.desk.peek import preview_of
from helpdesk.desk.presence import present
from helpdesk.desk.resolve_form import asked_again, kept, read_answers, resolve_dialog
from helpdesk.desk.ticket_page import head_shown
from helpdesk.tickets import rows
from helpdesk.tickets.access import desk_tickets, glimpse_for, ticket_for, tickets_to_change
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.undoing import undo_change

TITLES = {
    "agent": lambda: _("Give %(what)s to"),
    "team": lambda: _("Route %(what)s to"),
    "status": lambda: _("Status of %(what)s"),
    "priority": lambda: _("Priority of %(what)s"),
}


@require_GET
@requires("tickets.view")
def preview(request: SignedIn, pk: int) -> HttpResponse:
    ticket = glimpse_for(request.user, pk)
    context = {
        **preview_of(ticket),
        "now": timezone.now(),
        "present": present([pk], but=request.user.pk).get(pk, []),
        "back": back_of(request),
    }
    return render_page(request, page="tickets/preview_page.html", partial="tickets/_preview.html", context=context)


@require_GET
@requires("tickets.change")
def choose(request: SignedIn, pk: int, field: str) -> HttpResponse:
    """Who or what this ticket may go to."""
    if field not in moves.FIELDS:
        raise Http404
    ticket = ticket_for(request.user, pk)
    problem = moves.rules.why_off(ticket, field)
    return _chooser(request, ticket, field, [] if problem else _options(ticket, field), problem=problem)


def _options(ticket: Ticket, field: str) -> list[moves.Option]:
    """What the ticket may become, and what each would do to its deadline."""
    now, zone = timezone.now(), timezone.get_current_timezone()
    return with_clocks(ticket, field, moves.options_for(ticket, field), now, zone)


@require_POST
@requires("tickets.change")
def change(request: SignedIn, pk: int, field: str) -> HttpResponse:
    """Set one field. 422 with the reason when it may not be; a warning asks for one confirming press."""
    if field not in moves.FIELDS:
        raise Http404
    ticket = ticket_for(request.user, pk)
    now, zone = timezone.now(), timezone.get_current_timezone()
    value = request.POST.get("value", "")
    result = moves.move(
        ticket=ticket,
        name=field,
        value=value,
        user=request.user,
        now=now,
        zone=zone,
        is_confirmed=request.POST.get("confirmed") == "yes",
        **read_answers(request.POST),
    )
    if asked_again(result, request.POST):
        word = next((o.label for o in moves.options_for(ticket, field) if o.value == value), _("Resolved"))
        return resolve_dialog(
            request, tickets=[ticket], count=1, word=word, action=reverse("tickets:row_change", args=[pk, field]),
            hidden=[("value", value)], back=back_of(request), result=result,
        )  # fmt: skip
    if result.state == "ask":
        return _chooser(request, ticket, field, result.options, status=422, problem=_("Which one?"))
    if result.state in ("refused", "warned"):
        return _chooser(
            request,
            ticket,
            field,
            _options(ticket, field),
            status=422,
            problem=result.text,
            confirm=value if result.state == "warned" else "",
        )
    toast = {"text": result.text, "detail": moves.still_due(result.ticket, now, zone)}
    if result.event_ids:
        toast["undo_url"] = moves.undo_address([result])
    return told(request, toast, _shown(request, result.ticket, now))


def _shown(request: SignedIn, ticket: Ticket, now: datetime) -> str:
    """What of the page looks different now: the ticket's line in the list, the head of its own page."""
    path, _query = page_of(request)
    if path == reverse("tickets:list"):
        found, zone = desk_tickets(request.user).only_ids([ticket.pk]), timezone.get_current_timezone()
        return rows.drawn(found, request.user.preferences, now, zone)
    return head_shown(request, ticket, request.user, now)


@require_POST
@requires("tickets.change")
def undo(request: SignedIn, pk: int) -> HttpResponse:
    """Take back what these events of one's own changed."""
    given = request.POST.get("events", request.GET.get("events", "")).split(",")
    ids = [int(e) for e in given if e.isdecimal() and len(e) < 19][:100]
    return _undo(request, [(ticket_for(request.user, pk).pk, ids)])


@require_POST
@requires("tickets.change")
def undo_many(request: SignedIn) -> HttpResponse:
    """The same for every ticket of one drop or bulk."""
    return _undo(request, moves.read_moves(request.GET.get("moves", request.POST.get("moves", ""))))


def _undo(request: SignedIn, wanted: list[tuple[int, list[int]]]) -> HttpResponse:
    now, zone = timezone.now(), timezone.get_current_timezone()
    origin = Origin.desk(request.user)
    tickets = tickets_to_change(request.user, [pk for pk, _ids in wanted])
    done: list[Ticket] = []
    stays: list[tuple[Ticket, str]] = []
    for pk, ids in wanted:
        if pk not in tickets:
            continue
        try:
            done.append(undo_change(ticket=tickets[pk], event_ids=ids, origin=origin, now=now))
        except Refused as refusal:
            stays.append((tickets[pk], " ".join(refusal.fields.values())))
    if stays:
        return told(request, _not_undone(done, stays))
    if not done:
        return gone(request)
    if len(done) == 1:
        text = _("%(ticket)s is back where it was") % {"ticket": done[0].label}
        detail = moves.still_due(done[0], now, zone)
        return told(request, {"text": text, "detail": detail, "ticket": done[0].pk})
    return told(request, {"text": _("%(count)d tickets are back where they were") % {"count": len(done)}})


def _not_undone(done: list[Ticket], stays: list[tuple[Ticket, str]]) -> dict[str, Any]:
    """The PSA's rules let some of them not go back: which, or how many, and why."""
    first, why = stays[0]
    text = _("%(ticket)s stays where it is") % {"ticket": first.label}
    if len(stays) + len(done) > 1:
        text = _("%(done)d tickets are back, %(failed)d stay where they are") % {
            "done": len(done),
            "failed": len(stays),
        }
    return {"text": text, "detail": why}


def told(request: SignedIn, toast: dict[str, Any], shown: str = "") -> HttpResponse:
    """To script: the toast, the word that something changed, and `shown`. Without script: back to the page."""
    if getattr(request, "htmx", False):
        return answers.told({"toast": toast, "desk:changed": ""}, shown)
    messages.success(request, f"{toast['text']}. {toast.get('detail', '')}".strip())
    return redirect(back_of(request))


def gone(request: SignedIn) -> HttpResponse:
    """The tickets meant are not there: a word to script, a page to everybody else."""
    if not getattr(request, "htmx", False):
        raise Http404
    response = HttpResponse(status=404)
    response["HX-Trigger"] = json.dumps({"toast": {"text": _("It is no longer there.")}})
    return response


def back_of(request: SignedIn) -> str:
    """The page a person came from, when it is ours."""
    back = request.POST.get("back") or request.GET.get("back") or request.headers.get("Referer", "")
    is_ours = url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()})
    is_address = back.startswith(("/", "http://", "https://"))  # else `redirect` would look for a view of that name
    return back if is_address and is_ours else reverse("tickets:list")


def _chooser(
    request: SignedIn,
    ticket: Any,
    field: str,
    options: Any,
    *,
    status: int = 200,
    problem: str = "",
    confirm: str = "",
) -> HttpResponse:
    context = {
        "title": TITLES[field]() % {"what": ticket.label},
        "subject": ticket.subject,
        "action": reverse("tickets:row_change", args=[ticket.pk, field]),
        "options": options,
        "problem": problem,
        "confirm": confirm,
        "back": back_of(request),
        "hidden": kept(request.POST) if confirm else [],
    }
    return render_page(request, page="desk/choose.html", partial="desk/_chooser.html", context=context, status=status)
