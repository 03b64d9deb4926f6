"""Routing: the rules of an account in their order, one form, and the matrix of impact and urgency."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from helpdesk.accounts.permissions import requires
from helpdesk.accounts.requests import SignedIn
from helpdesk.core.errors import Refused
from helpdesk.core.htmx import wants_partial
from helpdesk.desk import routing as kept
from helpdesk.desk.routing_forms import RuleForm
from helpdesk.directory.models import PsaAccount
from helpdesk.tickets import matrix
from helpdesk.tickets.choices import Rank
from helpdesk.tickets.forms import scale_words
from helpdesk.tickets.models import RoutingRule
from helpdesk.tickets.routing import rule_words


@require_GET
@requires("settings.change")
def routing(request: SignedIn) -> HttpResponse:
    accounts = list(PsaAccount.objects.order_by("title", "pk"))
    wanted = request.GET.get("account", "")
    account = next((a for a in accounts if a.name == wanted), accounts[0] if accounts else None)
    return _page(request, account, accounts)


def _page(
    request: SignedIn, account: PsaAccount | None, accounts: list[PsaAccount] | None = None, **more: Any
) -> HttpResponse:
    context: dict[str, Any] = {
        "account": account,
        "accounts": accounts if accounts is not None else list(PsaAccount.objects.order_by("title", "pk")),
        "lines": kept.lines_of(account) if account else [],
        "ranks": Rank.choices,
        "levels": list(scale_words().values()),
        "matrix": _matrix_rows(more.get("cells") or matrix.matrix_of(account)) if account else [],
        **more,
    }
    return render(request, "settings/routing.html", context, status=422 if "cells" in more else 200)


def _matrix_rows(cells: dict[str, Any]) -> list[tuple[str, list[tuple[str, str, str]]]]:
    """Per impact: its word, and per urgency (cell, what it is called, rank)."""
    words = scale_words()
    return [
        (
            words[impact],
            [
                (
                    impact + urgency,
                    _("Impact %(impact)s, urgency %(urgency)s")
                    % {"impact": words[impact].lower(), "urgency": words[urgency].lower()},
                    str(cells.get(impact + urgency, "")),
                )
                for urgency in matrix.LEVELS
            ],
        )
        for impact in matrix.LEVELS
    ]


@require_http_methods(["GET", "HEAD", "POST"])
@requires("settings.change")
def rule_add(request: SignedIn, name: str) -> HttpResponse:
    account = get_object_or_404(PsaAccount, name=name)
    return _form(request, account, None)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("settings.change")
def rule(request: SignedIn, pk: int) -> HttpResponse:
    found = _rule(pk)
    return _form(request, found.psa_account, found)


def _form(request: SignedIn, account: PsaAccount, found: RoutingRule | None) -> HttpResponse:
    form = RuleForm(request.POST if request.method == "POST" else None, account=account, rule=found)
    line = None
    if request.method == "POST":
        is_valid = form.is_valid()
        if request.POST.get("look"):
            # Without script, or while the form is filled: what the rule would do, nothing is kept.
            line = kept.preview_of(account, form.rule_as_typed())
            if wants_partial(request):
                return render(request, "settings/_rule_preview.html", {"form": form, "line": line, "oob": True})
        elif is_valid and _save(request, form):
            return _back(account)
    elif found is not None:
        line = kept.preview_of(account, found)
    context = {"form": form, "rule": found, "account": account, "line": line}
    is_wrong = request.method == "POST" and not request.POST.get("look")
    return render(request, "settings/rule.html", context, status=422 if is_wrong else 200)


def _save(request: SignedIn, form: RuleForm) -> bool:
    try:
        made = kept.save_rule(
            account=form.account, rule=form.rule, values=form.values, by=request.user, now=timezone.now(),
            request_id=request.id,
        )  # fmt: skip
    except Refused as refusal:
        form.add_error(None, " ".join(refusal.fields.values()))
        return False
    messages.success(request, _("Saved: %s") % rule_words(made))
    return True


@require_POST
@requires("settings.change")
def rule_move(request: SignedIn, pk: int) -> HttpResponse:
    found = _rule(pk)
    is_up = request.POST.get("way") == "up"
    kept.move_rule(rule=found, is_up=is_up, by=request.user, now=timezone.now(), request_id=request.id)
    return _back(found.psa_account, f"#rule-{found.pk}")


@require_POST
@requires("settings.change")
def rule_switch(request: SignedIn, pk: int) -> HttpResponse:
    found, is_on = _rule(pk), request.POST.get("on") == "yes"
    kept.switch_rule(rule=found, is_active=is_on, by=request.user, now=timezone.now(), request_id=request.id)
    return _back(found.psa_account, f"#rule-{found.pk}")


@require_http_methods(["GET", "HEAD", "POST"])
@requires("settings.change")
def rule_delete(request: SignedIn, pk: int) -> HttpResponse:
    """Asked for on a page of its own, done by the press there."""
    found = _rule(pk)
    if request.method != "POST":
        return render(request, "settings/rule_delete.html", {"rule": found, "words": rule_words(found)})
    account, words = found.psa_account, rule_words(found)
    kept.delete_rule(rule=found, by=request.user, now=timezone.now(), request_id=request.id)
    messages.success(request, _("Deleted: %s") % words)
    return _back(account)


@require_POST
@requires("settings.change")
def priority_matrix(request: SignedIn, name: str) -> HttpResponse:
    account = get_object_or_404(PsaAccount, name=name)
    cells = {cell: request.POST.get(f"cell_{cell}", "") for cell in matrix.DEFAULT}
    try:
        kept.save_matrix(account=account, cells=cells, by=request.user, now=timezone.now(), request_id=request.id)
    except Refused as refusal:
        return _page(request, account, cells=cells, wrong_cells=list(refusal.fields))
    messages.success(request, _("Saved: new tickets suggest their priority by it from now on."))
    return _back(account)


def _back(account: PsaAccount, place: str = "") -> HttpResponse:
    return redirect(f"{reverse('desk:routing')}?account={account.name}{place}")


def _rule(pk: int) -> RoutingRule:
    if pk >= 2**63:
        raise Http404
    return get_object_or_404(RoutingRule.objects.with_parts().select_related("psa_account"), pk=pk)
