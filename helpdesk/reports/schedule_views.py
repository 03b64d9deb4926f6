"""Reports by mail: what goes out, to whom and when; and what became of each."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from helpdesk.accounts.permissions import requires
from helpdesk.accounts.services import record_audit
from helpdesk.core.errors import Refused, Stale
from helpdesk.directory.models import Client, Team
from helpdesk.reports import schedule_access as access
from helpdesk.reports import schedules as planning
from helpdesk.reports.asking import person_of, read, shared
from helpdesk.reports.models import ReportSchedule
from helpdesk.reports.pdf import is_there
from helpdesk.reports.schedule_forms import AboutForm, ScheduleForm, initial_of
from helpdesk.reports.services import organisation_zone


@require_GET
@requires("reports.export")
def schedules(request: HttpRequest) -> HttpResponse:
    """All of them, and the log."""
    now = timezone.now()
    context = {**_shared(request), "schedules": access.schedules(), "log": access.log(), "now": now}
    return render(request, "reports/schedules.html", context)


def _shared(request: HttpRequest) -> dict[str, object]:
    now = timezone.now()
    known = shared(request, read({}, now, where="schedules"), now)
    return {"tabs": known["tabs"], "may_export": True, "is_schedules": True, "has_pdf": is_there()}


@require_http_methods(["GET", "POST"])
@requires("reports.export")
def add(request: HttpRequest) -> HttpResponse:
    """What it is about stands in the address; without it, it is asked for first."""
    about = AboutForm(request.GET if "about" in request.GET else None, initial={"about": "desk"})
    if not about.is_bound or not about.is_valid():
        status = 422 if about.is_bound else 200
        return render(request, "reports/schedule_about.html", {**_shared(request), "form": about}, status=status)
    known = about.cleaned_data
    return _edit(request, None, known["about"], known["client"], known["team"])


@require_http_methods(["GET", "POST"])
@requires("reports.export")
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    row = access.schedule_for(pk)
    return _edit(request, row, row.about, row.client, row.team)


def _edit(
    request: HttpRequest, row: ReportSchedule | None, about: str, client: Client | None, team: Team | None
) -> HttpResponse:
    person, now = person_of(request), timezone.now()
    initial = initial_of(row, person, organisation_zone())
    form = ScheduleForm(request.POST if request.method == "POST" else None, about=about, client=client, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            made = planning.save_schedule(wanted=form.wanted(team), user=person, now=now, schedule=row)
        except Refused as refused:
            for name, text in refused.fields.items():
                form.add_error(name if name in form.fields else None, text)
        else:
            _audit(request, "report.schedule", made)
            messages.success(request, _("Saved: the report about %(what)s.") % {"what": made})
            return redirect("reports:schedules")
    context = {**_shared(request), "form": form, "row": row, "what": client or team or _("the whole desk")}
    return render(request, "reports/schedule.html", context, status=422 if form.errors else 200)


def _audit(request: HttpRequest, verb: str, row: ReportSchedule) -> None:
    detail = {
        "about": row.about, "what": str(row), "people": [one.email for one in row.people.all()],
        "contacts": [one.email for one in row.contacts.all()],
    }  # fmt: skip
    record_audit(
        user=person_of(request), verb=verb, subject=f"schedule:{row.pk}", detail=detail, now=timezone.now(),
        request_id=getattr(request, "id", ""),
    )  # fmt: skip


@require_POST
@requires("reports.export")
def act(request: HttpRequest, pk: int, what: str) -> HttpResponse:
    """Pause, resume, send now or delete."""
    row, now = access.schedule_for(pk), timezone.now()
    _audit(request, f"report.{what}", row)
    if what == "pause":
        planning.pause_schedule(schedule=row, now=now)
    elif what == "resume":
        planning.resume_schedule(schedule=row, now=now)
    elif what == "send":
        made = planning.queue(
            schedule=row, now=now, zone=ZoneInfo(organisation_zone()), occasion=f"now:{now:%Y%m%d%H%M}"
        )
        messages.success(request, _("On its way to %(n)d people. The log below says what becomes of it.") % {
            "n": len(made)
        })  # fmt: skip
    else:
        planning.delete_schedule(schedule=row)
    return redirect("reports:schedules")


@require_POST
@requires("reports.export")
def retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Send a failed one again."""
    job, now = access.sending_for(pk), timezone.now()
    try:
        planning.retry(job=job, now=now)
    except Stale:
        messages.info(request, _("It has not failed any more."))
    else:
        record_audit(
            user=person_of(request), verb="report.retry", subject=f"schedule:{job.schedule_id or 0}",
            detail={"what": job.title, "to": job.to}, now=now, request_id=getattr(request, "id", ""),
        )  # fmt: skip
    return redirect(reverse("reports:schedules") + "#log")
