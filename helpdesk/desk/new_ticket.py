"""Opening a ticket: one form for every PSA, checked by the account's own rules before anything leaves."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from helpdesk.accounts.models import User
from helpdesk.accounts.permissions import requires
from helpdesk.accounts.requests import SignedIn
from helpdesk.actions.drafts import draft_of, drop_draft, save_draft
from helpdesk.actions.files import store_file
from helpdesk.actions.forms import read_ids
from helpdesk.actions.mails import queue_acknowledgement
from helpdesk.actions.services import attach_file
from helpdesk.actions.text import BODY_LIMIT
from helpdesk.core.errors import Refused
from helpdesk.core.htmx import render_page, wants_partial
from helpdesk.core.origin import Origin
from helpdesk.desk.new_ticket_form import NAMES, ROWS, TEXTS, Filled, fresh_marker, read_form
from helpdesk.desk.new_ticket_hints import add_hints, similar_form
from helpdesk.tickets.forms import find_clients
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.rules import judge_create
from helpdesk.tickets.services import create_once, ticket_of_marker


@require_http_methods(["GET", "POST"])
@requires("tickets.create")
def new(request: SignedIn) -> HttpResponse:
    user, now = request.user, timezone.now()
    if request.method == "GET":
        return _page(request, _opened(user, request.GET, now))
    filled = _fill(request.POST, user, now)
    problems = _keep_plain_files(request, filled, now)
    if problems:
        filled.errors["files"] = " ".join(problems)
    if request.POST.get("look"):
        # Without script: show what the account, client or type asks for, create nothing.
        filled.errors.clear()
        return _page(request, filled)
    made = ticket_of_marker(filled.marker)
    if made is not None and _says_the_same(filled, made):
        return _gone_to(request, made)  # pressed twice, sent again by a reload, or from a second tab
    _check(filled)
    if not filled.errors:
        _ask(filled, made, is_confirmed=request.POST.get("confirmed") == "yes")
    if filled.errors or filled.confirm:
        return _page(request, filled, status=422)
    try:
        ticket = _create(filled, user, now)
    except Refused as refusal:
        filled.errors |= refusal.fields
        return _page(request, filled, status=422)
    return _gone_to(request, ticket)


def _page(request: SignedIn, filled: Filled, status: int = 200) -> HttpResponse:
    context = {"form": filled, "values": filled.values, "now": timezone.now()}
    return render_page(
        request, page="tickets/new.html", partial="tickets/_new_form.html", context=context, status=status
    )


def _gone_to(request: SignedIn, ticket: Ticket) -> HttpResponse:
    if wants_partial(request):
        return HttpResponse(status=204, headers={"HX-Redirect": ticket.get_absolute_url()})
    return redirect(ticket)


def _fill(data: Mapping[str, Any], user: User, now: datetime) -> Filled:
    filled = read_form(data, user, timezone.localdate(now))
    add_hints(filled, now)
    return filled


def _opened(user: User, data: QueryDict, now: datetime) -> Filled:
    """Empty, or the draft; the address may name an account or a client."""
    draft = draft_of(user, None)
    given: dict[str, str] = {n: str(v) for n, v in (draft.fields if draft else {}).items() if n in NAMES}
    given |= {name: str(data[name])[:255] for name in ("account", "client", "subject") if name in data}
    filled = _fill(given, user, now)
    if draft is not None:
        filled.saved_at = draft.saved_at if draft.fields else None
        filled.files = list(draft.attachments.present())
        filled.public_files = frozenset(i for i in draft.fields.get("public_files", []) if isinstance(i, int))
    filled.errors.clear()
    return filled


def _says_the_same(filled: Filled, made: Ticket) -> bool:
    """Whether the form asks once more for what it has made: its subject as it was then, the client as it is."""
    opened = made.events.of_field("created").first()
    subjects = {made.subject, opened.new_label if opened else ""}
    return filled.values["subject"].strip() in subjects and filled.client == made.client


def _check(filled: Filled) -> None:
    """What needs no PSA; the account's own rules come with the creation."""
    values = filled.values
    if not values["subject"].strip():
        filled.errors["subject"] = _("Say in one line who is affected, what is wrong, and since when.")
    for name in TEXTS:
        most = BODY_LIMIT if name == "description" else 255
        if "\x00" in values[name]:
            filled.errors[name] = _("This holds a character that cannot be kept (NUL).")
        elif len(values[name]) > most and name != "cc":
            filled.errors[name] = _("At most %(most)d characters; this has %(has)d.") % {
                "most": most,
                "has": len(values[name]),
            }
    if filled.files and filled.no_files:
        filled.errors["files"] = filled.no_files
    if filled.client is None and "client" not in filled.errors:
        filled.errors["client"] = _("A ticket belongs to a client: type the first letters.")
    for name in ("status", "priority"):
        if filled.account is not None and filled.rows.get(name) is None:
            filled.errors[name] = _("%(psa)s has not told its choices yet: try after the next pull.") % {
                "psa": filled.account.title
            }
    if filled.account is not None:
        # All that is missing at once, not the PSA's part after ours.
        for name, text in judge_create(filled.account, _fields(filled)).errors.items():
            filled.errors.setdefault(name, text)


def _ask(filled: Filled, made: Ticket | None, *, is_confirmed: bool) -> None:
    """What the account's rules refuse; else everything that is worth a second press, all of it at once."""
    assert filled.account is not None
    verdict = judge_create(filled.account, _fields(filled))
    filled.errors |= verdict.errors
    if filled.errors:
        return
    filled.warnings = () if is_confirmed else verdict.warnings
    if made is not None:
        # The form went back to and was changed: neither the first ticket nor these words may get lost.
        filled.made, filled.marker = made, fresh_marker()
        filled.seen |= {made.pk}
    filled.confirm = bool(made or filled.repeats or filled.warnings)


def _fields(filled: Filled) -> dict[str, Any]:
    shown = filled.shown
    fields: dict[str, Any] = {n: filled.values[n].strip() for n in TEXTS if shown.get(n, True)}
    fields |= {n: filled.rows[n] for n in ROWS if shown.get(n, True)}
    return {**fields, "client": filled.client}


@transaction.atomic
def _create(filled: Filled, user: User, now: datetime) -> Ticket:
    """The ticket, routed, with its files, and the draft gone: all of it or nothing. Everything was confirmed before."""
    assert filled.account is not None
    origin = Origin.desk(user)
    ticket, is_new = create_once(
        psa_account=filled.account,
        fields=_fields(filled),
        origin=origin,
        now=now,
        is_confirmed=True,
        marker=filled.marker,
    )
    if not is_new:
        return ticket  # the same form at the same instant: it was faster, and did the rest
    for file in filled.files:
        is_public = file.pk in filled.public_files
        attach_file(file=file, ticket=ticket, action=None, is_public=is_public, origin=origin, now=now)
    queue_acknowledgement(ticket=ticket, now=now)
    drop_draft(user=user, ticket=None)
    return ticket


def _keep_plain_files(request: SignedIn, filled: Filled, now: datetime) -> list[str]:
    problems: list[str] = []
    kept = list(filled.files)
    for given in request.FILES.getlist("upload")[:20]:
        try:
            kept.append(
                store_file(
                    upload=given,
                    name=given.name or "",
                    account=filled.account,
                    user=request.user,
                    draft=None,
                    now=now,
                )
            )
        except Refused as refusal:
            problems.extend(refusal.fields.values())
    filled.files = kept
    return problems


@require_POST
@requires("tickets.create")
def draft(request: SignedIn) -> HttpResponse:
    """Keep what is half typed."""
    fields: dict[str, Any] = {n: request.POST.get(n, "")[:BODY_LIMIT].replace("\x00", "") for n in NAMES}
    fields["public_files"] = read_ids(request.POST.getlist("public_file"))
    kept = save_draft(user=request.user, ticket=None, fields=fields, now=timezone.now())
    if wants_partial(request):
        return render(request, "actions/_draft.html", {"saved_at": kept.saved_at if kept else None})
    return redirect("tickets:new")


@require_GET
@requires("tickets.create")
def clients(request: SignedIn) -> HttpResponse:
    """Clients whose name holds what was typed."""
    account, typed = request.GET.get("account", ""), request.GET.get("q", "")
    key = int(account) if account.isdecimal() and len(account) < 19 else 0
    context = {"clients": find_clients(key, typed), "typed": typed.strip()}
    if not wants_partial(request):
        return redirect("tickets:new")
    return render(request, "tickets/_new_clients.html", context)


@require_GET
@requires("tickets.create")
def similar(request: SignedIn) -> HttpResponse:
    """Open tickets of the client whose subject is like the one being typed."""
    if not wants_partial(request):
        return redirect("tickets:new")
    return render(request, "tickets/_new_similar.html", {"form": similar_form(request.GET)})


@require_GET
@requires("tickets.create")
def parts(request: SignedIn) -> HttpResponse:
    """What depends on account, client, type, impact and urgency, as chosen so far."""
    if not wants_partial(request):
        return redirect("tickets:new")
    filled = _fill(request.GET, request.user, timezone.now())
    filled.errors.clear()
    return render(request, "tickets/_new_refresh.html", {"form": filled, "values": filled.values})
