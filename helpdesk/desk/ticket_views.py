"""One ticket's page, its parts, its composer, and the change of one field."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from helpdesk.accounts.permissions import can, requires
from helpdesk.accounts.requests import SignedIn
from helpdesk.actions.drafts import save_draft
from helpdesk.actions.files import drafted, store_file
from helpdesk.actions.forms import ComposerForm, draft_fields, read_ids
from helpdesk.actions.models import Action, TimeEntry
from helpdesk.actions.resolving import resolve_ticket
from helpdesk.core import live
from helpdesk.core.errors import NeedsConfirmation, Refused
from helpdesk.core.htmx import render_page, wants_partial
from helpdesk.core.origin import Origin
from helpdesk.desk import composer, macro_use, moves, presence, ticket_page
from helpdesk.desk.answers import answer
from helpdesk.desk.story import message, read_window, story_of, time_of
from helpdesk.desk.story_rows import said_of
from helpdesk.desk.ticket_head import head_context, owner_name
from helpdesk.desk.ticket_side import side_context
from helpdesk.tickets.access import desk_tickets, ticket_for
from helpdesk.tickets.filter_reading import read_filters
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.upkeep import ask_for_reading

PARTS = {"head": "tickets/_head.html", "timeline": "actions/_timeline.html", "side": "tickets/_side.html"}


@require_GET
@requires("tickets.view")
def detail(request: SignedIn, pk: int) -> HttpResponse:
    user, now = request.user, timezone.now()
    tag = live.stamp(live.ticket_scope(pk))
    ticket = ticket_page.page_ticket(user, pk)
    ask_for_reading(ticket=ticket)
    context = ticket_page.page_context(ticket, user, read_window(request.GET), now)
    macro = macro_use.macro_of(request.GET.get("macro", ""))
    pressed, files = request.GET.get("outcome", ""), context["draft_files"]
    box = composer.opened_composer(ticket, user, files=files, macro=macro, outcome=pressed)
    return _page(request, ticket, context | {"composer": box}, tag)


def _page(request: SignedIn, ticket: Ticket, context: dict[str, Any], tag: str, status: int = 200) -> HttpResponse:
    came = request.GET.get("in", "")[:600]
    context |= {
        "live_address": live.look_of(request).poll_address(live.ticket_scope(ticket.pk)),
        "live_tag": tag,
        "came_from": came,
        "step": f"?{urlencode({'in': came})}" if came else "",
        "may_change": can(request.user, "tickets.change") and ticket.removed_at is None,
    }
    if ticket.removed_at is not None:
        context["may_write"] = False
    return render(request, "tickets/detail.html", context, status=status)


@require_GET
@requires("tickets.view")
def part(request: SignedIn, pk: int, name: str) -> HttpResponse:
    """Head, timeline or side alone: what the live page and the filters fetch."""
    if name not in PARTS:
        raise Http404
    if not wants_partial(request):
        return redirect("tickets:detail", pk)
    user, now = request.user, timezone.now()
    ticket = ticket_page.page_ticket(user, pk)
    context = ticket_page.part_context(ticket, user, now, request.GET.get("in", ""))
    items = ticket_page.open_items(ticket)
    if name == "timeline":
        window, files = read_window(request.GET), ticket_page.ticket_files(ticket)
        story = story_of(ticket, window, items=items, files=files, now=now)
        context |= {"story": story, "window": window}
    elif name == "head":
        context |= head_context(ticket, user, now, items)
    else:
        context |= side_context(ticket, user, now, items)
    return render(request, PARTS[name], context)


@require_GET
@requires("tickets.view")
def step(request: SignedIn, pk: int, way: str) -> HttpResponse:
    """On to the next or previous ticket of the list one came from (`in` = its query); at the end, back to the list."""
    if way not in ("next", "previous"):
        raise Http404
    user, now, zone = request.user, timezone.now(), timezone.get_current_timezone()
    ticket = ticket_for(user, pk)
    came = request.GET.get("in", "")[:600]
    filters = read_filters(dict(parse_qsl(came.lstrip("?"))), user=user, now=now, zone=zone)
    is_back = way == "previous"
    found = filters.ordered(filters.apply(desk_tickets(user), user=user, now=now, zone=zone), reverse=is_back)
    column, is_down = filters.key
    value = {"client_name": str(ticket.client or ""), "owner_name": owner_name(ticket)}.get(column)
    value = getattr(ticket, column) if value is None else value
    neighbour = found.past(column, value, ticket.pk, descending=is_down != is_back).first()
    if neighbour is None:
        messages.info(request, _("That was the first one.") if is_back else _("That was the last one."))
        return redirect(reverse("tickets:list") + (came if came.startswith("?") else f"?{came}" if came else ""))
    query = f"?{urlencode({'in': came})}" if came else ""
    return redirect(neighbour.get_absolute_url() + query)


# ---- composer -------------------------------------------------------------------------------------------------------


@require_POST
@requires("actions.add")
def add(request: SignedIn, pk: int) -> HttpResponse:
    """Send what the composer holds: one press, one action, however often it arrives."""
    user, now = request.user, timezone.now()
    ticket = ticket_for(user, pk)
    form = ComposerForm(request.POST)
    kept, problems = _keep_plain_files(request, ticket, now)
    if not form.is_valid() or problems:
        errors = {name: [str(e) for e in found] for name, found in form.errors.items()}
        if problems:
            errors["files"] = problems
        return _typed(request, ticket, errors=errors, extra_files=kept)
    files = drafted(user=user, ids=[*read_ids(request.POST.getlist("file")), *kept])
    public = {*read_ids(request.POST.getlist("public_file")), *([] if form.is_internal else kept)}
    try:
        made = composer.send(ticket=ticket, user=user, form=form, files=files, public=public, now=now)
    except Refused as refusal:
        errors = {_FORM_NAMES.get(n, n): [text] for n, text in refusal.fields.items()}
        return _typed(request, ticket, errors=errors, extra_files=kept)
    except NeedsConfirmation as warning:
        word = "recipients" if isinstance(warning, composer.UnknownRecipients) else "status"
        confirm = ",".join(sorted({*form.confirmed_words, word} - {""}))
        return _typed(request, ticket, warnings=warning.warnings, confirm=confirm, extra_files=kept)
    return _sent(request, ticket, made, form, now)


_FORM_NAMES = {"seconds": "time", "agent": "assignee", "agent_role": "assignee"}


def _keep_plain_files(request: SignedIn, ticket: Ticket, now: datetime) -> tuple[list[int], list[str]]:
    """Files of the plain input (no script): kept first, so that a form that fails does not lose them."""
    kept: list[int] = []
    problems: list[str] = []
    for given in request.FILES.getlist("upload")[:20]:
        try:
            stored = store_file(
                upload=given,
                name=given.name or "",
                account=ticket.psa_account,
                user=request.user,
                draft=None,
                now=now,
            )
            kept.append(stored.pk)
        except Refused as refusal:
            problems.extend(refusal.fields.values())
    return kept, problems


def _typed(request: SignedIn, ticket: Ticket, **given: Any) -> HttpResponse:
    """422: the same form with everything that was typed."""
    box = composer.typed_composer(ticket, request.user, request.POST, **given)
    if wants_partial(request):
        return render(request, "actions/_composer.html", {"composer": box, "ticket": ticket}, status=422)
    full = ticket_page.page_ticket(request.user, ticket.pk)
    context = ticket_page.page_context(full, request.user, read_window(request.GET), timezone.now())
    tag = live.stamp(live.ticket_scope(ticket.pk))
    return _page(request, full, context | {"composer": box}, tag, status=422)


def _sent(
    request: SignedIn, ticket: Ticket, made: Action | TimeEntry, form: ComposerForm, now: datetime
) -> HttpResponse:
    held = 0 if not isinstance(made, Action) or made.is_internal else request.user.hold_seconds
    kind = form.cleaned_data["kind"]
    words = _("Kept, on its way to %(psa)s") % {"psa": ticket.psa_account.title}
    if held:
        words = _("Leaves in %(seconds)d s") % {"seconds": held}
    if not wants_partial(request):
        messages.success(request, words)
        return redirect(ticket.get_absolute_url() + "#composer")
    fresh = made.ticket
    # What was just used stays chosen in this open page; a page that is opened begins with an internal note.
    again = composer.blank(fresh) | {"kind": kind}
    box = composer.composer_of(fresh, again)
    html = render_to_string("actions/_composer.html", {"composer": box, "ticket": fresh}, request)
    if isinstance(made, Action):
        zone = timezone.get_current_timezone()
        time = time_of(made) if request.POST.get("time") else None
        has_files = "file" in request.POST or "upload" in request.FILES
        entry = message(said_of(made), time, list(made.attachments.all()) if has_files else [], zone)
        html += render_to_string("actions/_added.html", {"entries": [entry], "ticket": fresh, "now": now}, request)
    response = HttpResponse(html)
    toast: dict[str, Any] = {"text": words}
    if held and isinstance(made, Action):
        toast["undo_url"] = reverse("tickets:unsend", args=[ticket.pk, made.pk])
    response["HX-Trigger"] = json.dumps({"toast": toast, "desk:changed": "", "composer:sent": ""})
    return response


@require_POST
@requires("actions.add")
def draft(request: SignedIn, pk: int) -> HttpResponse:
    """Keep what is half typed; a draft is never an error."""
    ticket = ticket_for(request.user, pk)
    fields = draft_fields(
        request.POST, read_ids(request.POST.getlist("file")), read_ids(request.POST.getlist("public_file"))
    )
    kept = save_draft(user=request.user, ticket=ticket, fields=fields, now=timezone.now())
    if wants_partial(request):
        return render(request, "actions/_draft.html", {"saved_at": kept.saved_at if kept else None})
    return redirect(ticket.get_absolute_url() + "#composer")


@require_GET
@requires("actions.add")
def macros(request: SignedIn, pk: int) -> HttpResponse:
    """Canned replies with their words filled in for this ticket."""
    ticket = ticket_for(request.user, pk)
    typed = request.GET.get("q", "").strip().replace("\x00", "")[:80]
    context = {"ticket": ticket, "macros": macro_use.macros_for(ticket, request.user, typed), "typed": typed}
    context["may_change_macros"] = can(request.user, "macros.change")
    return render_page(request, page="actions/macros_page.html", partial="actions/_macros.html", context=context)


@require_POST
@requires("tickets.view")
def here(request: SignedIn, pk: int) -> HttpResponse:
    """The page says that somebody still looks at it, types, or left."""
    ticket = ticket_for(request.user, pk)
    now = timezone.now().timestamp()
    if request.POST.get("gone"):
        presence.leave(request.user, ticket.pk, now=now)
    else:
        presence.beat(request.user, ticket.pk, is_typing=request.POST.get("typing") == "yes", now=now)
    return HttpResponse(status=204)


# ---- status ---------------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
@requires("tickets.change")
def status(request: SignedIn, pk: int) -> HttpResponse:
    """Where the work stands: allowed statuses, what a status still asks for, and one press for a warning."""
    ticket = ticket_for(request.user, pk)
    key = (request.POST if request.method == "POST" else request.GET).get("value", "")
    chosen = ticket_page.then_to(ticket, key)
    context: dict[str, Any] = {"ticket": ticket, "chosen": chosen}
    if request.method != "POST":
        return _status_page(request, context | {"thens": ticket_page.thens_with_clocks(ticket, timezone.now())})
    if chosen is None:
        return _status_page(request, context | {"errors": {"status": _("Choose one of these.")}}, 422)
    resolution, reason = (request.POST.get(n, "").strip() for n in ("resolution", "escalation_reason"))
    asked = {"resolution": chosen.resolves or "resolution" in chosen.needs,
             "escalation_reason": "escalation_reason" in chosen.needs}  # fmt: skip
    context |= {"resolution": resolution, "needs": "resolution" in chosen.needs, "reason": reason,
                "share": request.POST.get("share") == "yes", "tells": str(ticket.contact or ""),
                "asks_resolution": asked["resolution"], "asks_reason": asked["escalation_reason"],
                "asks": any(asked.values()), "psa": ticket.psa_account.title}  # fmt: skip
    if any(wanted and name not in request.POST for name, wanted in asked.items()):
        first = {"share": True, "resolution": ticket.resolution, "warnings": chosen.warns}
        return _status_page(request, context | first, 422)
    now, shared = timezone.now(), bool(chosen.resolves and context["share"])
    try:
        changed = resolve_ticket(
            ticket=ticket,
            status=chosen.status,
            text=resolution,
            is_shared=shared,
            reason=reason,
            origin=Origin.desk(request.user),
            now=now,
            user=request.user,
            is_confirmed=request.POST.get("confirmed") == "yes",
        )
    except Refused as refusal:
        of_reason = refusal.fields.get("escalation_reason", "")
        rest = [text for name, text in refusal.fields.items() if name != "escalation_reason"]
        said = {"errors": refusal.fields, "resolve_error": " ".join(rest), "reason_error": of_reason}
        return _status_page(request, context | said, 422)
    except NeedsConfirmation as warning:
        return _status_page(request, context | {"warnings": warning.warnings}, 422)
    words = _("%(ticket)s is %(word)s now") % {"ticket": ticket.label, "word": chosen.status}
    # What has gone to the client cannot be taken back with an undo of the status.
    undo = "" if shared and resolution else moves.undo_of(changed, request.user, now)
    shown = ticket_page.head_shown(request, changed, request.user, now)
    return answer(request, ticket, words, undo=undo, shown=shown)


def _status_page(request: SignedIn, context: dict[str, Any], status: int = 200) -> HttpResponse:
    if "thens" not in context:
        context["thens"] = ticket_page.thens(context["ticket"])
    return render_page(
        request, page="tickets/status_page.html", partial="tickets/_status.html", context=context, status=status
    )
