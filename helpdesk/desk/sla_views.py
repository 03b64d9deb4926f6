"""SLA settings: the lists, whose deadline is shown first, and how far a count or the tickets are."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from helpdesk.accounts.permissions import can, requires
from helpdesk.accounts.requests import SignedIn
from helpdesk.core.errors import Refused
from helpdesk.core.htmx import render_page
from helpdesk.desk import sla_changes, sla_lists, sla_planning
from helpdesk.desk.sla_pages import following, preview_context
from helpdesk.directory.models import PsaAccount
from helpdesk.sla.models import Calendar, Policy


@require_GET
@requires("settings.view")
def policies(request: SignedIn) -> HttpResponse:
    context = {
        "tab": "policies",
        "lines": sla_lists.policy_lines(),
        "archived": sla_lists.archived(Policy.objects.only("name", "archived_at")),
        "now": timezone.now(),
        "accounts": sla_lists.shown_lines(),
        "may_change": can(request.user, "settings.change"),
        **following(request),
    }
    return render(request, "settings/sla_policies.html", context)


@require_GET
@requires("settings.view")
def calendars(request: SignedIn) -> HttpResponse:
    now = timezone.now()
    context = {
        "tab": "calendars",
        "lines": sla_lists.calendar_lines(now=now),
        "archived": sla_lists.archived(Calendar.objects.only("name", "archived_at")),
        "now": now,
        "may_change": can(request.user, "settings.change"),
        **following(request),
    }
    return render(request, "settings/sla_calendars.html", context)


@require_POST
@requires("settings.change")
def shown(request: SignedIn) -> HttpResponse:
    """Whose deadline the tickets of an account show first."""
    account = get_object_or_404(PsaAccount, name=request.POST.get("account", "").replace("\x00", ""))
    try:
        has_changed = sla_changes.choose_shown(
            account=account, shown=request.POST.get("shown", ""), by=request.user, now=timezone.now(),
            request_id=request.id,
        )  # fmt: skip
    except Refused as refusal:
        messages.error(request, " ".join(refusal.fields.values()))
    else:
        messages.success(request, _("Saved. The tickets follow.") if has_changed else _("Nothing to change."))
    return redirect("desk:sla")


@require_GET
@requires("settings.view")
def preview(request: SignedIn, pk: int) -> HttpResponse:
    """How far one's own count is, and what it found."""
    job = get_object_or_404(sla_planning.own(request.user), pk=pk)
    return render_page(
        request, page="settings/sla_preview.html", partial="settings/_sla_preview.html",
        context={"tab": "", "now": timezone.now(), **preview_context(job)},
    )  # fmt: skip


@require_GET
@requires("settings.view")
def progress(request: SignedIn) -> HttpResponse:
    """How far the tickets have followed the last change."""
    return render_page(
        request, page="settings/sla_progress.html", partial="settings/_sla_progress.html",
        context={"tab": "", **following(request)},
    )  # fmt: skip
