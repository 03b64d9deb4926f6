"""SLA settings: one policy, read or changed, its versions, and a PSA's taken over."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from helpdesk.accounts.permissions import requires
from helpdesk.accounts.requests import SignedIn
from helpdesk.desk import sla_changes, sla_lists, sla_planning, sla_row_pages, sla_uses
from helpdesk.desk.sla_pages import look
from helpdesk.desk.sla_policy_form import PolicyForm
from helpdesk.desk.sla_row_pages import Kind
from helpdesk.desk.sla_versions import policy_versions
from helpdesk.sla import editing
from helpdesk.sla.editing import PolicyWanted
from helpdesk.sla.models import Policy
from helpdesk.sla.versions import REPLACES

NOBODY = "nobody"


def _context(form: PolicyForm, row: Policy | None) -> Mapping[str, Any]:
    uses, has_more = sla_lists.use_lines(policy=row) if row else ([], False)
    return {"versions": policy_versions(row) if row else [], "uses": uses, "has_more": has_more}


def _read_context(row: Policy, now: datetime) -> Mapping[str, Any]:
    given_value = f"{REPLACES}:{row.pk}" if row.psa_account_id else NOBODY
    return {
        "line": sla_lists.policy_line(row), "versions": policy_versions(row), "to": given_value,
        "given_value": given_value, "account_value": f"psa_account:{row.psa_account_id}",
        "instead": sla_uses.one(REPLACES, str(row.pk)), "held": sla_lists.open_with_policy(row),
        "newest": sla_changes.newest_policy(),
        "merged": sla_lists.merged_words(row) if row.psa_account_id else [],
    }  # fmt: skip


def _write(row: Policy | None, wanted: PolicyWanted, now: datetime) -> Policy:
    return editing.write_policy(policy=row, wanted=wanted)


def _save(row: Policy | None, wanted: PolicyWanted, **by: Any) -> Policy:
    return sla_changes.save_policy(policy=row, wanted=wanted, **by)


KIND = Kind(
    name="policy", listed="desk:sla", rows=sla_lists.policy_rows, write=_write, save=_save,
    form=lambda data, row, now: PolicyForm(data, policy=row), context=_context, read_context=_read_context,
)  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@requires("settings.change")
def policy_add(request: SignedIn) -> HttpResponse:
    return sla_row_pages.edit(request, KIND, None)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("settings.view")
def policy(request: SignedIn, pk: int) -> HttpResponse:
    return sla_row_pages.show(request, KIND, pk)


@require_POST
@requires("settings.change")
def policy_archive(request: SignedIn, pk: int) -> HttpResponse:
    return sla_row_pages.archive(request, KIND, pk)


@require_POST
@requires("settings.change")
def policy_restore(request: SignedIn, pk: int) -> HttpResponse:
    return sla_row_pages.restore(request, KIND, pk)


def _take_page(request: SignedIn, row: Policy, **more: Any) -> HttpResponse:
    return sla_row_pages.read(request, KIND, row, partial="settings/_sla_take.html", **more)


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
        return _take_page(request, row, to=to, q=words, found=sla_uses.search(words, among=sla_uses.takers(row)))
    if to != NOBODY and target is None:
        return _take_page(request, row, status=422, wrong=_("Choose who gets it, or nobody yet."))
    if verb == "preview":
        content = sla_planning.tried(
            lambda: sla_changes.would_take_over(policy=row, who=who, key=target, now=now)
        )  # fmt: skip
        chosen = [sla_uses.one(who, key)] if target is not None else []
        return _take_page(request, row, to=to, q=words, found=chosen, **look(request, content, now=now).context)
    newest = request.POST.get("newest", "")
    made = sla_changes.take_over_policy(
        policy=row, who=who, key=target, by=request.user, now=now, request_id=request.id,
        seen=int(newest) if newest.isdecimal() and len(newest) < 18 else None,
    )  # fmt: skip
    messages.success(request, _("%s is ours now.") % made.name)
    return redirect("desk:sla_policy", made.pk)
