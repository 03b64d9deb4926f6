"""The dialog that escalates one ticket, or many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods

from helpdesk.accounts.permissions import requires
from helpdesk.accounts.requests import SignedIn
from helpdesk.core.htmx import render_page
from helpdesk.desk import bulk, escalation, moves
from helpdesk.desk.picks import wanted
from helpdesk.desk.row_views import back_of, gone, told
from helpdesk.tickets.access import accounts_of, ticket_for, tickets_for


@require_http_methods(["GET", "POST"])
@requires("tickets.change")
def one(request: SignedIn, pk: int) -> HttpResponse:
    """GET: the dialog with its suggestions. POST: escalate; 422 with the reason at the field, and what was typed."""
    ticket = ticket_for(request.user, pk)
    now, zone = timezone.now(), timezone.get_current_timezone()
    is_posted = request.method == "POST"
    wish = escalation.read_wish(request.POST) if is_posted else escalation.suggested(ticket, request.user)
    problems: Mapping[str, str] = {}
    warning = ""
    if is_posted:
        confirmed = request.POST.get("confirmed") == "yes"
        result, problems = escalation.escalate(
            ticket=ticket, wish=wish, user=request.user, now=now, is_confirmed=confirmed
        )
        if result.state == "done":
            toast = {"text": result.text, "detail": moves.still_due(result.ticket, now, zone)}
            if result.event_ids:
                toast["undo_url"] = moves.undo_address([result])
            return told(request, toast)
        warning = result.text if result.state == "warned" else ""
    context = {
        "title": _("Escalate %(what)s") % {"what": ticket.label},
        "subject": ticket.subject,
        "action": reverse("tickets:escalate", args=[pk]),
        "owners": escalation.owner_options(ticket, request.user),
        "owner": str(ticket.agent.user or ticket.agent) if ticket.agent else "",
        "priorities": escalation.priority_options(ticket, now, zone),
        "priority": ticket.priority.name,
        "tells": escalation.told_words([ticket], request.user),
        "psa": ticket.psa_account.title,
        "to_status": escalation.escalating.escalated_status(ticket),
    }
    return _dialog(request, context, wish, problems, warning, status=422 if is_posted else 200)


@require_GET
@requires("tickets.bulk")
def choose_many(request: SignedIn) -> HttpResponse:
    """The same dialog for the picked tickets."""
    ids, too_many = wanted(request, request.GET)
    if not ids:
        messages.info(request, _("Select at least one ticket first."))
        return redirect(back_of(request))
    if not accounts_of(request.user, ids):
        return gone(request)
    return ask_many(request, ids, escalation.read_wish({"priority": escalation.UP}), too_many=too_many)


def ask_many(
    request: SignedIn, ids: Sequence[int], wish: escalation.Wish, *, problems: Mapping[str, str] | None = None,
    too_many: bool = False, status: int = 200,
) -> HttpResponse:  # fmt: skip
    """Words about these very tickets: they travel one by one, whatever the list shows by then."""
    tickets = list(tickets_for(request.user, ids[: bulk.PART]))
    owners = moves.options_for_many("agent", accounts_of(request.user, ids))
    most = _("At most %(most)d at once: these are the first %(most)d of the list.") % {"most": bulk.MOST}
    n = len(ids)
    context = {
        "title": ngettext("Escalate %(n)d ticket", "Escalate %(n)d tickets", n) % {"n": n},
        "action": reverse("tickets:bulk"),
        "hidden": [("field", escalation.FIELD), *(("pick", pk) for pk in ids)],
        "owners": [o for o in owners if o.value != moves.NOBODY],
        "priorities": [moves.Option(value=escalation.UP, label=_("One rank up"))],
        "tells": escalation.told_words(tickets, request.user),
        "note": most if too_many else "",
    }
    return _dialog(request, context, wish, problems or {}, "", status=status)


def _dialog(
    request: SignedIn, context: dict[str, Any], wish: escalation.Wish, problems: Mapping[str, str], warning: str, *,
    status: int,
) -> HttpResponse:  # fmt: skip
    context |= {
        "wish": wish,
        "problems": problems,
        "general": " ".join(text for name, text in problems.items() if name not in ("reason", "agent", "priority")),
        "warning": warning,
        "confirms": bool(warning) or request.POST.get("confirmed") == "yes",
        "back": back_of(request),
    }
    return render_page(
        request, page="desk/escalate.html", partial="desk/_escalate.html", context=context, status=status
    )
