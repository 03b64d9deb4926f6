"""What the pages of a calendar and of a policy have in common: read, change, look before saving, archive, restore."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from helpdesk.accounts.permissions import can
from helpdesk.accounts.requests import SignedIn
from helpdesk.core.errors import Refused
from helpdesk.core.htmx import render_page
from helpdesk.desk import sla_changes, sla_planning
from helpdesk.desk.sla_pages import Looked, following, look
from helpdesk.desk.sla_planning import Touched
from helpdesk.sla.models import Calendar, Policy


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What differs. `name` is calendar or policy, as templates and addresses are called; `listed` the list's address.

    `form(data, row, now)` and `write(row, wanted, now)` make and write; `context(form, row)` is what its page shows
    beside the form, `read_context(row, now)` what the page of a row that cannot be changed shows.
    """

    name: str
    listed: str
    rows: Callable[[], QuerySet[Any]]
    form: Callable[[Any, Any, datetime], Any]
    write: Callable[[Any, Any, datetime], Calendar | Policy]
    save: Callable[..., Calendar | Policy]
    context: Callable[[Any, Any], Mapping[str, Any]]
    read_context: Callable[[Any, datetime], Mapping[str, Any]]

    def page(self, row: Calendar | Policy) -> HttpResponse:
        return redirect(f"desk:sla_{self.name}", row.pk)

    def touched(self, row: Calendar | Policy) -> Touched:
        return Touched(**{self.listed_as: (row.pk,)})  # type: ignore[arg-type]

    @property
    def listed_as(self) -> str:
        return {"calendar": "calendars", "policy": "policies"}[self.name]


def show(request: SignedIn, kind: Kind, pk: int) -> HttpResponse:
    """One row: its form for who may change it, else what it says."""
    row = get_object_or_404(kind.rows(), pk=pk)
    if can(request.user, "settings.change") and row.psa_account_id is None and row.archived_at is None:
        return edit(request, kind, row)
    if request.method != "POST":
        return read(request, kind, row)
    if row.archived_at is None or not can(request.user, "settings.change"):
        raise PermissionDenied("settings.change")
    messages.error(request, _("%s was archived meanwhile: nothing was saved.") % row.name)
    return kind.page(row)


def read(
    request: SignedIn, kind: Kind, row: Calendar | Policy, *, status: int = 200, partial: str = "", **more: Any
) -> HttpResponse:
    now = timezone.now()
    page = f"settings/sla_{kind.name}_read.html"
    context = {
        "tab": kind.listed_as, "row": row, "may_change": can(request.user, "settings.change"), "now": now,
        **kind.read_context(row, now), **more,
    }  # fmt: skip
    return render_page(request, page=page, partial=partial or page, context=context, status=status)


def edit(request: SignedIn, kind: Kind, row: Any) -> HttpResponse:
    """The form of a row, or of a new one. Saving is for what was looked at, and for the version that was opened."""
    now = timezone.now()
    form = kind.form(request.POST if request.method == "POST" else None, row, now)
    if request.method != "POST" or (hasattr(form, "rearrange") and form.rearrange(request.POST.get("verb", "preview"))):
        return _form_page(request, kind, form, row)
    if not form.is_valid():
        return _form_page(request, kind, form, row, status=422)
    wanted = form.wanted()
    content = sla_planning.tried(lambda: kind.touched(kind.write(copy.copy(row), wanted, now)))
    is_old = row is not None and request.POST.get("version", str(row.version)) != str(row.version)
    found = look(request, content, now=now, is_old=is_old)
    if not found.may_save:
        return _form_page(request, kind, form, row, **found.context)
    try:
        saved = kind.save(row, wanted, by=request.user, now=now, request_id=request.id)
    except Refused as refusal:
        for field, text in refusal.fields.items():
            form.add_error(field or None, text)
        return _form_page(request, kind, form, row, status=422)
    messages.success(request, _("%s is saved.") % saved.name)
    return kind.page(saved)


def _form_page(
    request: SignedIn, kind: Kind, form: Any, row: Any, *, status: int = 200, **more: Any
) -> HttpResponse:  # fmt: skip
    context = {
        "tab": kind.listed_as, "form": form, "row": row, "may_change": True, "now": timezone.now(),
        **kind.context(form, row), **following(request), **more,
    }  # fmt: skip
    return render_page(
        request, page=f"settings/sla_{kind.name}.html", partial=f"settings/_sla_{kind.name}_form.html", context=context,
        status=status,
    )  # fmt: skip


def archive(request: SignedIn, kind: Kind, pk: int) -> HttpResponse:
    """Offered no more; refused while something counts by it."""
    row = get_object_or_404(kind.rows(), pk=pk, psa_account=None)
    try:
        sla_changes.archive(row=row, by=request.user, now=timezone.now(), request_id=request.id)
    except Refused as refusal:
        messages.error(request, " ".join(refusal.fields.values()))
        return kind.page(row)
    messages.success(request, _("%s is archived.") % row.name)
    return redirect(kind.listed)


def restore(request: SignedIn, kind: Kind, pk: int) -> HttpResponse:
    """Offered again, once what it would move was looked at, as any change."""
    row, now = get_object_or_404(kind.rows(), pk=pk, psa_account=None), timezone.now()
    if row.archived_at is None:
        return kind.page(row)
    found: Looked = look(request, sla_planning.tried(lambda: sla_changes.would_restore(row=row)), now=now)
    if not found.may_save:
        return read(request, kind, row, **found.context)
    held, was = row.name, sla_changes.restore(row=row, by=request.user, now=now, request_id=request.id)
    text = _("%(old)s is offered again.")
    if was.name != held:
        text = _("%(old)s is offered again, as %(new)s: another one has its name.")
    messages.success(request, text % {"old": held, "new": was.name})
    return kind.page(was)
