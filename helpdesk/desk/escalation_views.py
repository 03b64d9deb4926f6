"""What is escalated now, and how each person wants to hear of it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from helpdesk.accounts.permissions import staff_required
from helpdesk.accounts.requests import SignedIn
from helpdesk.actions import wishes
from helpdesk.core.htmx import render_page
from helpdesk.desk import escalations


@require_GET
@staff_required
def open_now(request: SignedIn) -> HttpResponse:
    wanted = escalations.read_wanted(request.GET)
    context = {
        "shown": escalations.shown(request.user, wanted),
        "here": f"{request.path}{wanted.spell()}",
        "now": timezone.now(),
    }
    return render_page(request, page="desk/escalations.html", partial="desk/_escalations.html", context=context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required
def how_told(request: SignedIn) -> HttpResponse:
    """Everybody's own."""
    if request.method == "POST":
        wishes.save_wishes(user=request.user, desk=request.POST.getlist("desk"), mail=request.POST.getlist("mail"))
        messages.success(request, _("Saved."))
        return redirect("desk:settings_notices")
    return render(request, "settings/notices.html", {"wishes": wishes.wishes_of(request.user)})
