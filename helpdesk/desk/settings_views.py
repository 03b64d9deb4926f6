"""The settings' first page, the organisation's, and everybody's own."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from helpdesk.accounts.permissions import can, requires
from helpdesk.accounts.requests import SignedIn
from helpdesk.accounts.services import change_personal
from helpdesk.desk.forms import OrganisationForm, PersonalForm, zone_names
from helpdesk.desk.frame import Frame
from helpdesk.desk.organisation import change_organisation, organisation_row


@require_GET
def index(request: SignedIn) -> HttpResponse:
    """Every section this person may see; for most people that is their own page."""
    if not can(request.user, "settings.view"):
        return redirect("desk:settings_personal")
    return render(request, "settings/index.html", {"sections": Frame(request, timezone.now()).settings})


@require_http_methods(["GET", "HEAD", "POST"])
@requires("settings.view")
def organisation(request: SignedIn) -> HttpResponse:
    row = organisation_row()
    may_change = can(request.user, "settings.change")
    if request.method != "POST":
        names = ("name", "colour", "time_zone", "phone")
        form = OrganisationForm(initial={name: getattr(row, name) for name in names})
        return _organisation_page(request, form, may_change=may_change)
    if not may_change:
        raise PermissionDenied("settings.change")
    form = OrganisationForm(request.POST, request.FILES)
    if not form.is_valid():
        return _organisation_page(request, form, may_change=True, status=422)
    values = dict(form.cleaned_data)
    logo, drop_logo = values.pop("logo"), values.pop("drop_logo")
    change_organisation(
        values=values, logo=logo, drop_logo=drop_logo, by=request.user, now=timezone.now(), request_id=request.id
    )
    messages.success(request, _("Saved. Client pages show it from now on."))
    return redirect("desk:settings_organisation")


def _organisation_page(
    request: SignedIn, form: OrganisationForm, *, may_change: bool, status: int = 200
) -> HttpResponse:
    context = {"form": form, "may_change": may_change, "zones": zone_names()}
    return render(request, "settings/organisation.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def personal(request: SignedIn) -> HttpResponse:
    """Open to everybody who signs in, clients too."""
    user = request.user
    if request.method != "POST":
        initial = {
            "name": user.name, "time_zone": user.time_zone, "language": user.language,
            "hold_seconds": user.hold_seconds, "theme": user.preferences.get("theme", ""),
            "density": user.preferences.get("density", ""),
        }  # fmt: skip
        return _personal_page(request, PersonalForm(initial=initial, is_desk=user.is_desk))
    form = PersonalForm(request.POST, is_desk=user.is_desk)
    if not form.is_valid():
        return _personal_page(request, form, status=422)
    change_personal(user=user, values=form.cleaned_data)
    messages.success(request, _("Saved."))
    return redirect("desk:settings_personal")


def _personal_page(request: SignedIn, form: PersonalForm, *, status: int = 200) -> HttpResponse:
    context = {
        "form": form,
        "zones": zone_names(),
        "layout": "settings/base.html" if request.user.is_desk else "client.html",
    }
    return render(request, "settings/personal.html", context, status=status)
