"""Agents of an account whose PSA lists nobody: those that were learned, and those that an administrator adds."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from helpdesk.accounts.permissions import requires
from helpdesk.accounts.requests import SignedIn
from helpdesk.core.errors import Refused
from helpdesk.directory import by_hand
from helpdesk.directory.models import Agent, PsaAccount


class AgentForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=120)
    email = forms.EmailField(
        label=_("E-mail"), max_length=254, required=False, help_text=_("Joins them with the user of this address")
    )
    remote_id = forms.CharField(
        label=_("Id in the PSA"), max_length=64, help_text=_("By which the PSA knows them; nothing else fits it")
    )


@require_http_methods(["GET", "HEAD", "POST"])
@requires("accounts.change")
def agents(request: SignedIn, name: str) -> HttpResponse:
    """All of them, and a form for one more."""
    return _page(request, _account(name), None)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("accounts.change")
def agent(request: SignedIn, name: str, pk: int) -> HttpResponse:
    """One of them, to be changed."""
    account = _account(name)
    return _page(request, account, _agent(account, pk))


@require_POST
@requires("accounts.change")
def agent_switch(request: SignedIn, name: str, pk: int) -> HttpResponse:
    """Retire somebody, or take them back."""
    account = _account(name)
    found = _agent(account, pk)
    is_active = request.POST.get("on") == "yes"
    by_hand.switch_agent(agent=found, is_active=is_active, by=request.user, now=timezone.now(), request_id=request.id)
    return redirect("sync:agents", account.name)


def _page(request: SignedIn, account: PsaAccount, chosen: Agent | None) -> HttpResponse:
    initial = {n: getattr(chosen, n) for n in ("name", "email", "remote_id")} if chosen else None
    form = AgentForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            kept = by_hand.save_agent(
                account=account, agent=chosen, by=request.user, now=timezone.now(), request_id=request.id,
                **form.cleaned_data,
            )  # fmt: skip
        except Refused as refusal:
            for field, reason in refusal.fields.items():
                form.add_error(field if field in form.fields else None, reason)
        else:
            messages.success(request, _t("%(name)s is kept.") % {"name": kept.name})
            return redirect("sync:agents", account.name)
    context: dict[str, Any] = {"account": account, "form": form, "chosen": chosen, "rows": by_hand.agents_of(account)}
    return render(request, "settings/agents.html", context, status=422 if request.method == "POST" else 200)


def _account(name: str) -> PsaAccount:
    found = get_object_or_404(PsaAccount, name=name)
    if not by_hand.lists_nobody(found):
        raise Http404
    return found


def _agent(account: PsaAccount, pk: int) -> Agent:
    if pk >= 2**63:
        raise Http404
    return get_object_or_404(Agent, pk=pk, psa_account=account)
