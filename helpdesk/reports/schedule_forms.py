"""Input of a scheduled report to what is wanted. What it is about is chosen first: it decides who may get it."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django import forms
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from helpdesk.accounts.models import User
from helpdesk.directory.models import Client, Contact, Team
from helpdesk.reports.schedule_models import About, Every, ReportSchedule, Weekday
from helpdesk.reports.schedules import Wanted, may_have, may_read

MOST_CONTACTS = 100


class AboutForm(forms.Form):
    """The first step; asked by the address."""

    about = forms.ChoiceField(label=_("About"), choices=About.choices)
    client = forms.ModelChoiceField(label=_("Client"), queryset=Client.objects.none(), required=False)
    team = forms.ModelChoiceField(label=_("Team"), queryset=Team.objects.none(), required=False)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["client"].queryset = Client.objects.filter(is_active=True).order_by("name")  # type: ignore[attr-defined]
        self.fields["team"].queryset = Team.objects.filter(is_active=True).order_by("name")  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        about = data.get("about")
        for name in ("client", "team"):
            if about != name:
                data[name] = None
            elif not data.get(name) and name not in self.errors:
                self.add_error(name, _now("Choose which one."))
        return data


class ScheduleForm(forms.Form):
    """When, and to whom."""

    every = forms.ChoiceField(label=_("How often"), choices=Every.choices)
    weekday = forms.TypedChoiceField(
        label=_("On"), choices=Weekday.choices, coerce=int, help_text=_("Every week: Monday to Sunday before it")
    )
    month_day = forms.IntegerField(
        label=_("Day of the month"), min_value=1, max_value=28, help_text=_("Every month: the month before it")
    )
    hour = forms.TypedChoiceField(label=_("At"), choices=[(n, f"{n:02d}:00") for n in range(24)], coerce=int)
    time_zone = forms.CharField(label=_("Time zone"), max_length=64, help_text=_("Of who reads it"))
    people = forms.MultipleChoiceField(
        label=_("People of the desk"), required=False, widget=forms.CheckboxSelectMultiple
    )
    contacts = forms.MultipleChoiceField(
        label=_("People of the client"), required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, data: Any = None, *, about: str, client: Client | None, **options: Any) -> None:
        super().__init__(data, **options)
        self.about, self.client = about, client
        self.known = {str(one.pk): one for one in User.objects.filter(is_active=True).order_by("name") if may_read(one)}
        self.theirs: dict[str, Contact] = {}
        if about == About.CLIENT and client is not None:
            rows = Contact.objects.filter(client=client, is_active=True, sees_company=True, erased_at=None)
            rows = rows.exclude(email="").select_related("user").order_by("first_name", "last_name", "pk")
            chosen = rows.filter(pk__in=self.initial.get("contacts", []))
            known = {one.pk: one for one in (*chosen, *rows[:MOST_CONTACTS])}
            self.theirs = {str(pk): one for pk, one in known.items() if may_have(one, client)}
        else:
            del self.fields["contacts"]
        self._offer("people", {key: f"{one.name}, {one.email}" for key, one in self.known.items()})
        self._offer("contacts", {key: f"{one}, {one.email}" for key, one in self.theirs.items()})

    def _offer(self, name: str, rows: dict[str, str]) -> None:
        field = self.fields.get(name)
        if isinstance(field, forms.MultipleChoiceField):
            field.choices = list(rows.items())

    def clean_time_zone(self) -> str:
        zone = str(self.cleaned_data["time_zone"]).strip()
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise forms.ValidationError(_now("This is no time zone: write Europe/London.")) from None
        return zone

    def wanted(self, team: Team | None) -> Wanted:
        """What the person asks for."""
        data = self.cleaned_data
        return Wanted(
            about=self.about, client=self.client, team=team, every=data["every"], weekday=data["weekday"],
            month_day=data["month_day"], hour=data["hour"], time_zone=data["time_zone"],
            people=[self.known[key] for key in data["people"]],
            contacts=[self.theirs[key] for key in data.get("contacts", [])],
        )  # fmt: skip


def initial_of(schedule: ReportSchedule | None, user: User, zone: str) -> dict[str, Any]:
    """What the form begins with."""
    if schedule is None:
        return {
            "every": Every.WEEK, "weekday": 0, "month_day": 1, "hour": 7, "time_zone": user.time_zone or zone,
            "people": [str(user.pk)],
        }  # fmt: skip
    names = ("every", "weekday", "month_day", "hour", "time_zone")
    return {
        **{name: getattr(schedule, name) for name in names},
        "people": [str(pk) for pk in schedule.people.values_list("pk", flat=True)],
        "contacts": [str(pk) for pk in schedule.contacts.values_list("pk", flat=True)],
    }
