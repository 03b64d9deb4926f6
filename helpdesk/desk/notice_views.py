"""What a person was told in the desk, newest first."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from helpdesk.accounts.permissions import staff_required
from helpdesk.accounts.requests import SignedIn
from helpdesk.actions import notices


@require_GET
@staff_required
def inbox(request: SignedIn) -> HttpResponse:
    given = request.GET.get("before", "")
    before = int(given) if given.isdecimal() and len(given) < 19 else None
    rows = notices.notices_of(request.user, before=before)
    shown = rows[: notices.MOST]
    context = {
        "rows": shown,
        "unseen": notices.unseen_count(request.user),
        "older": shown[-1].pk if len(rows) > len(shown) else None,
        "now": timezone.now(),
    }
    return render(request, "desk/notices.html", context)


@require_POST
@staff_required
def follow(request: SignedIn, pk: int) -> HttpResponse:
    """On to the ticket it tells of; that counts as seen."""
    notice = notices.notice_for(request.user, pk)
    notices.see(user=request.user, notice=notice, now=timezone.now())
    return redirect(notice.escalation.ticket)


@require_POST
@staff_required
def see_all(request: SignedIn) -> HttpResponse:
    notices.see(user=request.user, now=timezone.now())
    messages.success(request, _("All are marked as seen."))
    return redirect("desk:notices")
