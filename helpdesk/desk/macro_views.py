"""Macros: the list, one form, and the switch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from helpdesk.accounts.permissions import requires
from helpdesk.accounts.requests import SignedIn
from helpdesk.actions.choices import Assigns, Kind
from helpdesk.actions.models import Macro
from helpdesk.core.errors import Refused
from helpdesk.desk import macros as kept
from helpdesk.desk.macro_forms import MacroForm, owner_key
from helpdesk.desk.macro_use import tab_words, variables
from helpdesk.tickets.choices import Category


@dataclass(frozen=True, kw_only=True)
class Row:
    macro: Macro
    adds: str
    status: str
    owner: str


@require_GET
@requires("macros.change")
def macros(request: SignedIn) -> HttpResponse:
    words, names = tab_words(), dict(Category.choices)
    rows = [
        Row(
            macro=m,
            adds=words.get(Kind(m.kind), m.get_kind_display()),
            status=str(names.get(m.status_category, "")),
            owner=_("who runs it") if m.assigns == Assigns.ME else str(m.assignee or ""),
        )
        for m in Macro.objects.select_related("assignee").order_by("-is_active", "name")
    ]
    return render(request, "settings/macros.html", {"rows": rows})


@require_http_methods(["GET", "HEAD", "POST"])
@requires("macros.change")
def macro_add(request: SignedIn) -> HttpResponse:
    form = MacroForm(request.POST or None, initial={"kind": Kind.REPLY.value})
    return _form(request, form, None)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("macros.change")
def macro(request: SignedIn, pk: int) -> HttpResponse:
    found = _macro(pk)
    names = ("name", "kind", "body", "status_category", "minutes")
    initial = {name: getattr(found, name) for name in names} | {"owner": owner_key(found)}
    form = MacroForm(request.POST or None, macro=found, initial=initial)
    return _form(request, form, found)


def _form(request: SignedIn, form: MacroForm, found: Macro | None) -> HttpResponse:
    if request.method == "POST" and form.is_valid():
        try:
            made = kept.save_macro(
                macro=found, values=form.values, by=request.user, now=timezone.now(), request_id=request.id
            )
        except Refused as refusal:
            for field, reason in refusal.fields.items():
                form.add_error(field if field in form.fields else None, reason)
        else:
            messages.success(request, _("“%s” is kept: type / in a ticket to use it.") % made.name)
            return redirect("desk:macros")
    context: dict[str, Any] = {"form": form, "macro": found, "variables": variables()}
    return render(request, "settings/macro.html", context, status=422 if request.method == "POST" else 200)


@require_POST
@requires("macros.change")
def macro_switch(request: SignedIn, pk: int) -> HttpResponse:
    """Off: offered to nobody any more. On: offered again."""
    is_active = request.POST.get("on") == "yes"
    kept.switch_macro(macro=_macro(pk), is_active=is_active, by=request.user, now=timezone.now(), request_id=request.id)
    return redirect("desk:macros")


def _macro(pk: int) -> Macro:
    if pk >= 2**63:
        raise Http404
    return get_object_or_404(Macro, pk=pk)
