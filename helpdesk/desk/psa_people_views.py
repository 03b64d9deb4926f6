"""Settings, people: who of the PSAs is one person, and who leads a team."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from helpdesk.accounts.permissions import can, requires
from helpdesk.accounts.requests import SignedIn
from helpdesk.core.errors import Refused
from helpdesk.desk import psa_people


@require_GET
@requires("settings.view")
def agents(request: SignedIn) -> HttpResponse:
    return _agents(request)


@require_POST
@requires("people.change")
def join(request: SignedIn) -> HttpResponse:
    """Two people of the PSAs are one."""
    given = [request.POST.get(name, "") for name in ("agent", "other")]
    keys = [int(text) for text in given if text.isdecimal() and len(text) < 16]
    try:
        found = psa_people.join(agents=keys, by=request.user, now=timezone.now(), request_id=request.id)
    except Refused as refusal:
        return _agents(request, wrong=" ".join(refusal.fields.values()), chosen=keys)
    messages.success(request, _("%s is one person now.") % found.name)
    return redirect("desk:psa_agents")


@require_POST
@requires("people.change")
def separate(request: SignedIn, pk: int) -> HttpResponse:
    """An agent is somebody else; or (`email`) what its e-mail says."""
    act = psa_people.by_email if request.POST.get("email") else psa_people.separate
    try:
        act(agent_id=pk, by=request.user, now=timezone.now(), request_id=request.id)
    except Refused as refusal:
        return _agents(request, wrong=" ".join(refusal.fields.values()))
    messages.success(request, _("Saved."))
    return redirect("desk:psa_agents")


def _agents(request: SignedIn, *, wrong: str = "", chosen: Sequence[int] = ()) -> HttpResponse:
    text = request.GET.get("q", "").replace("\x00", "").strip()[:100]
    everybody = psa_people.unsigned()
    page = Paginator(psa_people.unsigned(text) if text else everybody, psa_people.PER_PAGE).get_page(
        request.GET.get("page")
    )
    context = {
        "page": page,
        "lines": psa_people.lines_of(list(page)),
        "others": [(min(one.agents), one.name, one.email) for one in everybody],
        "q": text,
        "kind": "agents",
        "wrong": wrong,
        "at": chosen[0] if chosen else None,
        "chosen": chosen[1] if len(chosen) > 1 else None,
        "may_change": can(request.user, "people.change"),
    }
    return render(request, "settings/psa_agents.html", context, status=422 if wrong else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("settings.view")
def teams(request: SignedIn) -> HttpResponse:
    """Who leads a team is told first of what is escalated in it."""
    may_change, wrong = can(request.user, "people.change"), ""
    people = psa_people.leaders()
    if request.method == "POST" and may_change:
        chosen = request.POST.get("lead", "")
        lead = next((one for one in people if str(one.pk) == chosen), None)
        try:
            if chosen and lead is None:
                raise Refused({"lead": _("Choose one of these.")})
            team = request.POST.get("team", "").replace("\x00", "")
            psa_people.set_lead(team=team, lead=lead, by=request.user, now=timezone.now(), request_id=request.id)
        except Refused as refusal:
            wrong = " ".join(refusal.fields.values())
        else:
            messages.success(request, _("Saved."))
            return redirect("desk:psa_teams")
    elif request.method == "POST":
        wrong = _("Only an administrator changes this.")
    context = {"lines": psa_people.teams(), "people": people, "wrong": wrong, "kind": "teams", "may_change": may_change}
    status = 200 if not wrong else 422 if may_change else 403
    return render(request, "settings/psa_teams.html", context, status=status)
