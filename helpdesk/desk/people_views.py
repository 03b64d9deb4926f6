"""People: who signs in, as what, and whom they are in the PSAs."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from helpdesk.accounts import services
from helpdesk.accounts.choices import Role
from helpdesk.accounts.models import User
from helpdesk.accounts.permissions import can, requires
from helpdesk.accounts.requests import SignedIn
from helpdesk.core.errors import Refused
from helpdesk.desk import people as directory
from helpdesk.desk.forms import PersonChangeForm, PersonForm, zone_names
from helpdesk.directory.services import join_users


@require_GET
@requires("settings.view")
def people(request: SignedIn) -> HttpResponse:
    text, kind = request.GET.get("q", "").replace("\x00", "").strip()[:100], request.GET.get("kind", "staff")
    page = Paginator(directory.people(text=text, kind=kind), directory.PER_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "q": text, "kind": kind, "may_change": can(request.user, "people.change")}
    return render(request, "settings/people.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("people.change")
def person_add(request: SignedIn) -> HttpResponse:
    form = PersonForm(request.POST or None, initial={"role": Role.AGENT})
    if request.method == "POST" and form.is_valid():
        now = timezone.now()
        try:
            person = services.create_person(**form.cleaned_data, by=request.user, now=now, request_id=request.id)
        except Refused as refusal:
            _name(form, refusal)
        else:
            join_users(now=now)
            messages.success(request, _("%s may sign in now.") % person)
            return redirect("desk:person", pk=person.pk)
    status = 422 if request.method == "POST" else 200
    return render(request, "settings/person_add.html", {"form": form, "zones": zone_names()}, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("settings.view")
def person(request: SignedIn, pk: int) -> HttpResponse:
    found = _person(pk)
    if request.method != "POST":
        initial = {"name": found.name, "role": found.role, "time_zone": found.time_zone}
        return _person_page(request, found, PersonChangeForm(initial=initial))
    _admin_only(request)
    form = PersonChangeForm(request.POST)
    if not form.is_valid():
        return _person_page(request, found, form, status=422)
    now = timezone.now()
    try:
        changed = services.change_person(
            person=found, by=request.user, now=now, request_id=request.id, **form.cleaned_data
        )
    except Refused as refusal:
        _name(form, refusal)
        return _person_page(request, found, form, status=422)
    if changed.is_desk != found.is_desk:
        directory.untie_all(person=changed)
        join_users(now=now)
    messages.success(request, _("Saved."))
    return redirect("desk:person", pk=pk)


@require_POST
@requires("people.change")
def person_access(request: SignedIn, pk: int) -> HttpResponse:
    """Open or end somebody's access."""
    found = _person(pk)
    act = services.activate_person if request.POST.get("open") else services.deactivate_person
    try:
        act(person=found, by=request.user, now=timezone.now(), request_id=request.id)
    except Refused as refusal:
        return _person_page(request, found, None, status=422, wrong=" ".join(refusal.fields.values()))
    return redirect("desk:person", pk=pk)


@require_POST
@requires("people.change")
def person_tie(request: SignedIn, pk: int) -> HttpResponse:
    """Tie to an agent, or untie from one."""
    found = _person(pk)
    agent = request.POST.get("agent") or request.POST.get("off") or ""
    if not agent.isdecimal() or len(agent) > 18:
        return _person_page(request, found, None, status=422, wrong=_("Choose an agent first."))
    act = directory.untie_agent if request.POST.get("off") else directory.tie_agent
    try:
        act(person=found, agent_id=int(agent), by=request.user, now=timezone.now(), request_id=request.id)
    except Refused as refusal:
        return _person_page(request, found, None, status=422, wrong=" ".join(refusal.fields.values()))
    return redirect("desk:person", pk=pk)


@require_POST
@requires("people.change")
def join(request: SignedIn) -> HttpResponse:
    """Tie everybody to the PSAs' people who share their e-mail."""
    count = join_users(now=timezone.now())
    messages.success(request, _("Ties made by e-mail: %d.") % count)
    return redirect("desk:people")


def _person(pk: int) -> User:
    found = directory.person_of(pk)
    if found is None:
        raise Http404
    return found


def _admin_only(request: SignedIn) -> None:
    if not can(request.user, "people.change"):
        raise PermissionDenied("people.change")


def _name(form: Any, refusal: Refused) -> None:
    for field, reason in refusal.fields.items():
        form.add_error(field if field in form.fields else None, reason)


def _person_page(
    request: SignedIn, found: User, form: PersonChangeForm | None, *, status: int = 200, wrong: str = ""
) -> HttpResponse:
    if form is None:
        form = PersonChangeForm(initial={"name": found.name, "role": found.role, "time_zone": found.time_zone})
    context = {
        "person": found,
        "form": form,
        "ties": directory.ties_of(found),
        "may_change": can(request.user, "people.change"),
        "is_self": found.pk == request.user.pk,
        "wrong": wrong,
        "zones": zone_names(),
    }
    return render(request, "settings/person.html", context, status=status)
