"""Settings, linked clients: one customer in several PSAs, suggested by domain and name, confirmed by a person."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from helpdesk.accounts.permissions import requires
from helpdesk.accounts.requests import SignedIn
from helpdesk.accounts.services import record_audit
from helpdesk.core import live
from helpdesk.core.errors import Refused
from helpdesk.desk import sla_uses
from helpdesk.directory import groups

PER_PAGE = 50


@require_GET
@requires("clients.link")
def clients(request: SignedIn) -> HttpResponse:
    return _page(request)


@require_POST
@requires("clients.link")
def link(request: SignedIn) -> HttpResponse:
    given = [text for text in request.POST.getlist("client") if text.isdecimal() and len(text) < 16]
    ids = [int(text) for text in given[: groups.MOST]]
    if "find" in request.POST:
        return _page(request, picked=ids)
    try:
        rows = groups.link(client_ids=ids, user_id=request.user.pk, now=timezone.now())
    except Refused as refusal:
        return _page(request, wrong=" ".join(refusal.fields.values()), picked=ids)
    _note(request, "clients.link", rows[0].pk, {"clients": [row.pk for row in rows], "names": [r.name for r in rows]})
    messages.success(request, _("%s is one customer now.") % rows[0].name)
    if apart := sla_uses.given_apart(rows):
        told = "; ".join(f"{client}: {policy}" for client, policy in apart)
        text = _("Not all of it has the same SLA policy from here (%(given)s). Under SLA, who gets which, choose one.")
        messages.warning(request, text % {"given": told})
    return redirect("desk:linked_clients")


@require_POST
@requires("clients.link")
def unlink(request: SignedIn, pk: int) -> HttpResponse:
    try:
        row = groups.unlink(client_id=pk)
    except Refused as refusal:
        return _page(request, wrong=" ".join(refusal.fields.values()))
    _note(request, "clients.unlink", row.pk, {"name": row.name})
    messages.success(request, _("%s stands alone again.") % row.name)
    return redirect("desk:linked_clients")


def _note(request: SignedIn, verb: str, pk: int, detail: dict[str, object]) -> None:
    record_audit(
        user=request.user, verb=verb, subject=f"client:{pk}", detail=detail, now=timezone.now(), request_id=request.id
    )
    live.touch(live.DESK)


def _page(request: SignedIn, *, wrong: str = "", picked: Sequence[int] = ()) -> HttpResponse:
    data = request.POST if request.method == "POST" else request.GET
    text = data.get("q", "").replace("\x00", "").strip()[:100]
    given = request.GET.get("from", "")
    start = int(given) if given.isdecimal() and len(given) < 7 else 0
    linked, has_more = groups.linked(start, PER_PAGE)
    context = {
        "suggestions": groups.suggestions(),
        "linked": linked,
        "following": start + PER_PAGE if has_more else None,
        "found": groups.named(text, picked),
        "q": text,
        "picked": picked,
        "wrong": wrong,
    }
    return render(request, "settings/linked_clients.html", context, status=422 if wrong else 200)
