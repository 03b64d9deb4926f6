"""SLA settings: one policy, read or changed, its versions, and a PSA's taken over."""

from __future__ import annotations

import copy
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from helpdesk.accounts.permissions import can, requires
from helpdesk.accounts.requests import SignedIn
from helpdesk.core.errors import Refused
from helpdesk.core.htmx import render_page
from helpdesk.desk import sla_changes, sla_lists, sla_planning, sla_uses
from helpdesk.desk.sla_pages import following, look
from helpdesk.desk.sla_planning import Touched
from helpdesk.desk.sla_policy_form import PolicyForm
from helpdesk.desk.sla_versions import policy_versions
from helpdesk.sla import editing
from helpdesk.sla.models import Policy
from helpdesk.sla.versions import REPLACES

NOBODY = "nobody"


@require_http_methods(["GET", "HEAD", "POST"])
@requires("settings.change")
def policy_add(request: SignedIn) -> HttpResponse:
    return _form(request, None)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("settings.view")
def policy(request: SignedIn, pk: int) -> HttpResponse:
    row = get_object_or_404(sla_lists.policy_rows(), pk=pk)
    if can(request.user, "settings.change") and row.psa_account_id is None:
        return _form(request, row)
    if request.method == "POST":
        raise PermissionDenied("settings.change")
    return _read(request, row)


def _read(request: SignedIn, row: Policy, *, status: int = 200, **more: Any) -> HttpResponse:
    given_value = f"{REPLACES}:{row.pk}" if row.psa_account_id else NOBODY
    context = {
        "tab": "policies", "row": row,
        "line": sla_lists.policy_line(row),
        "versions": policy_versions(row), "may_change": can(request.user, "settings.change"),
        "to": given_value, "given_value": given_value, "account_value": f"psa_account:{row.psa_account_id}",
        "instead": sla_uses.one(REPLACES, str(row.pk)), "held": sla_lists.open_with_policy(row), "now": timezone.now(),
        **more,
    }  # fmt: skip
    return render_page(
        request, page="settings/sla_policy_read.html", partial="settings/_sla_take.html", context=context,
        status=status,
    )  # fmt: skip


def _form(request: SignedIn, row: Policy | None) -> HttpResponse:
    form = PolicyForm(request.POST if request.method == "POST" else None, policy=row)
    if request.method != "POST":
        return _page(request, form)
    if not form.is_valid():
        return _page(request, form, status=422)
    wanted = form.wanted()

    def change() -> Touched:
        return Touched(policies=(editing.write_policy(policy=copy.copy(row), wanted=wanted).pk,))

    found = look(request, sla_planning.tried(change), now=timezone.now())
    if found.may_save:
        return _save(request, form)
    return _page(request, form, **found.context)


def _save(request: SignedIn, form: PolicyForm) -> HttpResponse:
    try:
        row = sla_changes.save_policy(
            policy=form.policy, wanted=form.wanted(), by=request.user, now=timezone.now(), request_id=request.id
        )
    except Refused as refusal:
        for field, text in refusal.fields.items():
            form.add_error(field or None, text)
        return _page(request, form, status=422)
    messages.success(request, _("%s is saved.") % row.name)
    return redirect("desk:sla_policy", row.pk)


def _page(request: SignedIn, form: PolicyForm, *, status: int = 200, **more: Any) -> HttpResponse:
    row = form.policy
    uses, has_more = sla_lists.use_lines(policy=row) if row else ([], False)
    context = {
        "tab": "policies", "form": form, "row": row, "may_change": True, "now": timezone.now(),
        "versions": policy_versions(row) if row else [], "uses": uses, "has_more": has_more,
        **following(request), **more,
    }  # fmt: skip
    return render_page(
        request, page="settings/sla_policy.html", partial="settings/_sla_policy_form.html", context=context,
        status=status,
    )  # fmt: skip


@require_POST
@requires("settings.change")
def policy_take(request: SignedIn, pk: int) -> HttpResponse:
    """A PSA's policy as one of ours, given to whom one chooses; looked at first by another button."""
    row = get_object_or_404(sla_lists.policy_rows(), pk=pk, psa_account__isnull=False)
    now, verb, to = timezone.now(), request.POST.get("verb", ""), request.POST.get("to", NOBODY)
    who, _sep, key = to.partition(":")
    target = sla_uses.row_of(who, key) if to != NOBODY else None
    if who == REPLACES and target != row:
        target = None
    words = sla_uses.clean_words(request.POST.get("q", ""))
    if verb == "find":
        return _read(request, row, to=to, q=words, found=sla_uses.search(words, among=sla_uses.takers(row)))
    if to != NOBODY and target is None:
        return _read(request, row, status=422, wrong=_("Choose who gets it, or nobody yet."))
    if verb == "preview":
        content = sla_planning.tried(
            lambda: sla_changes.would_take_over(policy=row, who=who, key=target, now=now)
        )  # fmt: skip
        chosen = [sla_uses.one(who, key)] if target is not None else []
        return _read(request, row, to=to, q=words, found=chosen, **look(request, content, now=now).context)
    made = sla_changes.take_over_policy(
        policy=row, who=who, key=target, by=request.user, now=now, request_id=request.id
    )  # fmt: skip
    messages.success(request, _("%s is ours now.") % made.name)
    return redirect("desk:sla_policy", made.pk)


@require_POST
@requires("settings.change")
def policy_archive(request: SignedIn, pk: int) -> HttpResponse:
    """Offered no more; refused while somebody gets it."""
    row = get_object_or_404(sla_lists.policy_rows(), pk=pk, psa_account=None)
    try:
        sla_changes.archive(row=row, by=request.user, now=timezone.now(), request_id=request.id)
    except Refused as refusal:
        messages.error(request, " ".join(refusal.fields.values()))
        return redirect("desk:sla_policy", row.pk)
    messages.success(request, _("%s is archived.") % row.name)
    return redirect("desk:sla")
