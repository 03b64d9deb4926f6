"""Many tickets at once: choose what they become, then a result per ticket, the failed ones to be tried again."""

from __future__ import annotations

import json
import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from helpdesk.accounts.permissions import requires
from helpdesk.accounts.requests import SignedIn
from helpdesk.actions.escalating import check_reason
from helpdesk.core.errors import Refused
from helpdesk.core.htmx import render_page
from helpdesk.desk import bulk, escalation, moves
from helpdesk.desk.escalate_views import ask_many
from helpdesk.desk.macro_use import asked_by, macro_of, plan
from helpdesk.desk.picks import wanted
from helpdesk.desk.resolve_form import read_answers, resolve_dialog
from helpdesk.desk.row_views import back_of, gone, told
from helpdesk.directory.services import agent_of
from helpdesk.tickets.access import accounts_of, tickets_for
from helpdesk.tickets.choices import FINISHED
from helpdesk.tickets.rules import wants_reason

FEW = 10
"""Up to so many tickets, all of them changed, a toast says it; more, or a refusal, have a page of results."""
TITLES = {
    "agent": lambda n: ngettext("Give %(n)d ticket to", "Give %(n)d tickets to", n) % {"n": n},
    "team": lambda n: ngettext("Route %(n)d ticket to", "Route %(n)d tickets to", n) % {"n": n},
    "status": lambda n: ngettext("Status of %(n)d ticket", "Status of %(n)d tickets", n) % {"n": n},
    escalation.FIELD: lambda n: ngettext("Escalate %(n)d ticket", "Escalate %(n)d tickets", n) % {"n": n},
    "priority": lambda n: ngettext("Priority of %(n)d ticket", "Priority of %(n)d tickets", n) % {"n": n},
    "macro": lambda n: ngettext("Macro on %(n)d ticket", "Macro on %(n)d tickets", n) % {"n": n},
}


@require_GET
@requires("tickets.bulk")
def choose(request: SignedIn, field: str) -> HttpResponse:
    """Who or what all of them may go to, in words that hold in each of their PSAs."""
    if field not in bulk.FIELDS:
        raise Http404
    ids, too_many = wanted(request, request.GET)
    if not ids:
        messages.info(request, _("Select at least one ticket first."))
        return redirect(back_of(request))
    if not accounts_of(request.user, ids):
        return gone(request)
    return _chooser(request, field, ids, too_many)


@require_POST
@requires("tickets.bulk")
def apply(request: SignedIn) -> HttpResponse:
    """Begin, or go on with, a bulk change: a part of the tickets per request."""
    now, zone, user = timezone.now(), timezone.get_current_timezone(), request.user
    job = bulk.read_job(request.POST.get("job", ""), user)
    if job is None and request.POST.get("field") == escalation.FIELD:
        begun = _escalation(request)
        if isinstance(begun, HttpResponse):
            return begun
        job = begun
    if job is None:
        field, value = request.POST.get("field", ""), request.POST.get("value", "")
        ids, too_many = wanted(request, request.POST)
        accounts = accounts_of(user, ids)
        if field not in bulk.FIELDS or not accounts:
            return gone(request)
        options = bulk.options_for(field, accounts)
        label = next((o.label for o in options if o.value == value), "")
        if not label:
            return _chooser(request, field, ids, too_many, problem=_("Choose one of these."), status=422)
        if field == bulk.MACRO and request.POST.get("run") != "yes":
            return _macro_dialog(request, value, ids, accounts)
        answers = read_answers(request.POST)
        asks = _asks(options, value, accounts) if field == "status" else []
        if any(answers[_ANSWERS[name]] is None for name in asks):
            return resolve_dialog(
                request, tickets=list(tickets_for(user, ids[:1])), count=len(ids), word=label,
                action=reverse("tickets:bulk"), back=back_of(request), asks=asks,
                # These very tickets: words about them must not reach the client of one that came to the list since.
                hidden=[("field", field), *(("pick", pk) for pk in ids), ("value", value)],
            )  # fmt: skip
        job = bulk.Job(
            user_id=user.pk,
            name=field,
            value=value,
            label=label,
            rest=ids,
            total=len(ids),
            is_confirmed=request.POST.get("confirmed") == "yes",
            marker=escalation.read_marker(request.POST) if field == bulk.MACRO else "",
            **answers,
        )
    results = bulk.do_part(job, user=user, now=now, zone=zone)
    if request.htmx and job.name != bulk.MACRO and job.total <= FEW and not job.rest and not job.failed:
        response = told(request, _toast(job, results))
        response["HX-Trigger"] = json.dumps({**json.loads(response["HX-Trigger"]), "desk:handled": ""})
        return response
    context = {
        "job": job,
        "spelt": job.spell() if job.rest else "",
        "title": f"{TITLES[job.name](job.total)}: {job.label}",
        "failed": bulk.failed_rows(job, user),
        "results": [r for r in results if r.state in ("done", "same")],
        "now": now,
        "back": back_of(request),
        "retry": [row[0] for row in job.failed if row[1] != "gone"],
        "only_warned": bool(job.failed) and all(row[1] == "warned" for row in job.failed),
    }
    response = render_page(request, page="desk/bulk_page.html", partial="desk/_bulk_result.html", context=context)
    response["HX-Trigger"] = json.dumps({"desk:changed": ""})
    return response


def _escalation(request: SignedIn) -> bulk.Job | HttpResponse:
    """The bulk change that the dialog asks for; the dialog again while it gives no reason."""
    ids = bulk.picked_ids(request.POST.getlist("pick"), request.user)[: bulk.MOST]
    if not accounts_of(request.user, ids):
        return gone(request)
    wish = escalation.read_wish(request.POST)
    try:
        check_reason(wish.reason)
    except Refused as refusal:
        return ask_many(request, ids, wish, problems=refusal.fields, status=422)
    return bulk.Job(
        user_id=request.user.pk, name=escalation.FIELD, value="", label=Truncator(wish.reason.strip()).chars(60),
        rest=ids, total=len(ids), is_confirmed=request.POST.get("confirmed") == "yes", wish=wish.spell(),
    )  # fmt: skip


def _toast(job: bulk.Job, results: list[moves.Result]) -> dict[str, Any]:
    """All went well with a few: one line and its undo."""
    if job.name == "agent" and job.value == moves.NOBODY:
        text = ngettext("%(n)d ticket has no owner now", "%(n)d tickets have no owner now", job.total)
    elif job.name == "agent":
        text = ngettext("%(n)d ticket is %(what)s’s now", "%(n)d tickets are %(what)s’s now", job.total)
    elif job.name == escalation.FIELD:
        text = ngettext("%(n)d ticket is escalated", "%(n)d tickets are escalated", job.total)
    elif job.name == "team":
        text = ngettext("%(n)d ticket is with %(what)s now", "%(n)d tickets are with %(what)s now", job.total)
    else:
        text = ngettext("%(n)d ticket is %(what)s now", "%(n)d tickets are %(what)s now", job.total)
    what = job.label.split(" ")[0] if job.name == "agent" else job.label
    said = text % {"n": job.total, "what": what}
    if job.total == 1 and results and results[0].text:
        said = results[0].text
    return {"text": said, "undo_url": job.undo_url} if job.undo_url else {"text": said}


def _chosen(request: SignedIn, field: str, ids: list[int]) -> list[tuple[str, Any]]:
    """Which tickets and which field, as fields of a form that asks something first."""
    data = request.POST if request.method == "POST" else request.GET
    if data.get("all") == "yes":
        return [("field", field), ("all", "yes"), ("query", data.get("query", ""))]
    return [("field", field), *(("pick", pk) for pk in ids)]


def _macro_dialog(request: SignedIn, key: str, ids: list[int], account_ids: list[int]) -> HttpResponse:
    """What a macro is about to say and do, on the first ticket that takes it; its press runs it over all."""
    macro = macro_of(key)
    if macro is None:
        return gone(request)
    first = list(tickets_for(request.user, ids[: bulk.PART]))
    plans = [plan(macro, t, request.user, mine=agent_of(request.user.pk, t.psa_account_id)) for t in first]
    asks = asked_by(macro, account_ids)
    context = {
        "title": f"{TITLES[bulk.MACRO](len(ids))}: {macro.name}",
        "shown": next((p for p in plans if not p.refused), None),
        "refused": [p for p in plans if p.refused][:5],
        "goes_out": not macro.is_internal,
        "count": len(ids),
        "hidden": [
            ("field", bulk.MACRO),
            ("value", key),
            ("run", "yes"),
            ("marker", str(uuid.uuid4())),
            *(("pick", pk) for pk in ids),
        ],
        "asks": bool(asks),
        "asks_resolution": "resolution" in asks,
        "asks_reason": "escalation_reason" in asks,
        "back": back_of(request),
    }
    return render_page(
        request, page="desk/bulk_macro_page.html", partial="desk/_bulk_macro.html", context=context, status=422
    )


_ANSWERS = {"resolution": "resolution", "escalation_reason": "reason"}


def _asks(options: list[moves.Option], value: str, account_ids: list[int]) -> list[str]:
    """What the chosen status wants to be told, in any of their PSAs."""
    category = next((o.key for o in options if o.value == value), "")
    asks = ["resolution"] if category in FINISHED else []
    return [*asks, *(["escalation_reason"] if wants_reason(category, account_ids) else [])]


def _chooser(
    request: SignedIn, field: str, ids: list[int], too_many: bool, *, problem: str = "", status: int = 200
) -> HttpResponse:
    hidden = _chosen(request, field, ids)
    if too_many:
        problem = _("At most %(most)d at once: these are the first %(most)d of the list.") % {"most": bulk.MOST}
    context = {
        "title": TITLES[field](len(ids)),
        "action": reverse("tickets:bulk"),
        "options": bulk.options_for(field, accounts_of(request.user, ids)),
        "problem": problem,
        "hidden": hidden,
        "back": back_of(request),
    }
    return render_page(request, page="desk/choose.html", partial="desk/_chooser.html", context=context, status=status)
