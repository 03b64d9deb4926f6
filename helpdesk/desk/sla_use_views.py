"""SLA settings: who gets which policy."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from helpdesk.accounts.permissions import can, requires
from helpdesk.accounts.requests import SignedIn
from helpdesk.core.errors import Refused
from helpdesk.core.htmx import render_page
from helpdesk.desk import sla_changes, sla_lists, sla_planning, sla_uses
from helpdesk.desk.sla_pages import following, look
from helpdesk.desk.sla_uses import Found
from helpdesk.sla.models import Policy
from helpdesk.sla.versions import REPLACES, refuse_chains


@require_GET
@requires("settings.view")
def uses(request: SignedIn) -> HttpResponse:
    words = sla_uses.clean_words(request.GET.get("find", ""))
    given = request.GET.get("from", "")
    start = int(given) if given.isdecimal() and len(given) < 7 else 0
    lines, has_more = sla_lists.use_lines(start=start)
    policy = sla_uses.policy_of(request.GET.get("policy", ""))
    context = {
        "tab": "uses",
        "lines": lines,
        "following": start + sla_lists.PER_PAGE if has_more else None,
        "q": words,
        "found": sla_uses.search(words, among=sla_uses.takers(policy)),
        "policy": policy,
        "accounts": [one for one in sla_uses.accounts() if not one.policy],
        "may_change": can(request.user, "settings.change"),
        "now": timezone.now(),
        **following(request),
    }
    return render(request, "settings/sla_uses.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("settings.change")
def use(request: SignedIn, who: str, key: int) -> HttpResponse:
    """Choose the policy of one contract, client, team or account, or what replaces a PSA's; none takes it away."""
    target = sla_uses.one(who, str(key))
    if target is None:
        raise Http404
    standing = sla_uses.standing_policy(who, target.key)
    if request.method != "POST":
        return _page(request, target, request.GET.get("policy") or str(standing or ""))
    chosen = request.POST.get("policy", "")
    policy = sla_uses.policy_of(chosen)
    wrong = _wrong(target, chosen, policy)
    if wrong:
        return _page(request, target, "", status=422, wrong=wrong)
    now, row = timezone.now(), sla_uses.row_of(who, str(key))
    found = look(
        request, sla_planning.tried(lambda: sla_changes.would_give(policy=policy, who=who, row=row)), now=now
    )  # fmt: skip
    if not found.may_save:
        return _page(request, target, chosen, **found.context)
    sla_changes.give_policy(policy=policy, who=who, row=row, by=request.user, now=now, request_id=request.id)
    messages.success(request, _done(target, policy))
    return redirect("desk:sla_uses")


def _wrong(target: Found, chosen: str, policy: Policy | None) -> str:
    if chosen and policy is None:
        return _("Choose one from the list.")
    try:
        if policy is not None and target.who == REPLACES:
            refuse_chains(policy=policy, replaced=sla_uses.row_of(target.who, str(target.key)))
    except Refused as refusal:
        return refusal.fields["policy"]
    return ""


def _done(target: Found, policy: Policy | None) -> str:
    names = {"name": target.name, "policy": policy, "psa": target.account.title}
    if target.who != REPLACES:
        text = _("%(name)s gets %(policy)s.") if policy else _("%(name)s gets no policy from here any more.")
    elif policy:
        text = _("Wherever %(psa)s gives %(name)s, %(policy)s counts.")
    else:
        text = _("%(name)s counts again as %(psa)s has it.")
    return text % names


def _page(request: SignedIn, target: Found, chosen: str, *, status: int = 200, **more: Any) -> HttpResponse:
    context = {
        "tab": "uses", "target": target, "chosen": chosen, "policies": sla_uses.policies(target.who),
        "kin": sla_uses.kin_of(target),
        "may_change": True, "now": timezone.now(), **more,
    }  # fmt: skip
    return render_page(
        request, page="settings/sla_use.html", partial="settings/_sla_use_form.html", context=context, status=status
    )
