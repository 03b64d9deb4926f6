"""The mapping pages: what every value of a PSA means here, and a change of it, shown before it is made."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods

from connectors.sync import mapping, mapping_changes
from connectors.sync.mapping import Section
from connectors.sync.mapping_changes import Preview
from helpdesk.accounts.permissions import can, requires
from helpdesk.core import live
from helpdesk.core.errors import Stale
from helpdesk.core.htmx import render_page, wants_partial
from helpdesk.directory.models import PsaAccount


@require_GET
@requires("settings.view")
def mapping_index(request: HttpRequest) -> HttpResponse:
    context = {**_live(request), "accounts": mapping.overview(), "titles": mapping.titles()}
    return render_page(
        request, page="settings/mapping_index.html", partial="settings/_mapping_index.html", context=context
    )


@require_GET
@requires("settings.view")
def mapping_page(request: HttpRequest, name: str) -> HttpResponse:
    account = get_object_or_404(PsaAccount, name=name)
    if wants_partial(request):
        # The page asks while tickets follow: of it only that moves, and what is being chosen stays.
        context = {"account": account, "remap": mapping.remap_of(account), **_live(request)}
        return render(request, "settings/_mapping_progress.html", context)
    return _page(request, account, mapping.sections_of(account))


@require_http_methods(["GET", "HEAD", "POST"])
@requires("settings.change")
def mapping_change(request: HttpRequest, name: str, kind: str) -> HttpResponse:
    """One form: look at what it would do, or do that."""
    account = get_object_or_404(PsaAccount, name=name)
    if kind not in mapping.titles():
        raise Http404
    if request.method != "POST":
        return redirect(f"{reverse('sync:mapping_account', args=[account.name])}#{kind}")
    now, data, verb = timezone.now(), request.POST, request.POST.get("verb", "")
    sections = mapping.sections_of(account)
    section = next(s for s in sections if s.kind == kind)
    wanted = mapping.read(section, data.dict(), verb.removeprefix("reset-") if verb.startswith("reset-") else "")
    if any(line.error for line in section.lines):
        return _answer(request, account, sections, section, status=422)
    is_stale = False
    if verb == "save":
        try:
            made = mapping_changes.save(
                account=account, kind=kind, data=data.dict(), seen=data.get("seen", ""), by=request.user,  # type: ignore[arg-type]
                now=now, request_id=getattr(request, "id", ""),
            )  # fmt: skip
        except Stale:
            is_stale = bool(data.get("seen"))
        else:
            return _saved(request, account, kind, made)
    planned = mapping_changes.preview(account, section, wanted, now=now)
    return _answer(request, account, sections, section, preview=planned, is_stale=is_stale)


def _saved(request: HttpRequest, account: PsaAccount, kind: str, made: Preview) -> HttpResponse:
    count = len(made.changes)
    text = ngettext("%(n)d value changed.", "%(n)d values changed.", count) % {"n": count}
    if made.total and kind != "ticket_types":
        follow = ngettext("%(n)d ticket follows.", "%(n)d tickets follow.", made.total) % {"n": made.total}
        text = f"{text} {follow}"
    messages.success(request, text)
    return redirect("sync:mapping_account", account.name)


def _answer(
    request: HttpRequest, account: PsaAccount, sections: list[Section], section: Section, *, status: int = 200,
    **more: Any,
) -> HttpResponse:  # fmt: skip
    """The form alone for htmx, else its page."""
    if wants_partial(request):
        context = {"account": account, "section": section, "may_change": True, "asked": section.kind, **more}
        return render(request, "settings/_mapping_section.html", context, status=status)
    return _page(request, account, sections, status=status, asked=section.kind, **more)


def _page(
    request: HttpRequest, account: PsaAccount, sections: list[Section], *, status: int = 200, **more: Any
) -> HttpResponse:
    context = {
        **_live(request),
        "account": account,
        "accounts": PsaAccount.objects.only("name", "title").order_by("title", "pk"),
        "sections": sections,
        "remap": mapping.remap_of(account),
        "may_change": can(request.user, "settings.change"),
        **more,
    }
    return render(request, "settings/mapping.html", context, status=status)


def _live(request: HttpRequest) -> dict[str, Any]:
    return {
        "poll": live.poll_address(user_id=request.user.pk or 0, scope=live.HEALTH),
        "poll_tag": live.stamp(live.HEALTH),
    }
