"""The form of a policy made here: what is promised per priority, by which hours, and how breaches are told."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from helpdesk.core.formatting import is_blank
from helpdesk.sla.choices import OnChange, OnReopen, ResponseBy
from helpdesk.sla.editing import PolicyWanted, TargetWanted
from helpdesk.sla.models import Calendar, Policy, Target
from helpdesk.tickets.choices import Rank

MINUTES, HOURS, DAYS = "minutes", "hours", "days"
UNITS = ((MINUTES, gettext_lazy("minutes")), (HOURS, gettext_lazy("hours")), (DAYS, gettext_lazy("business days")))
_SECONDS = {MINUTES: 60, HOURS: 3600, DAYS: 86_400}
MOST_SECONDS = 366 * 86_400
MOST_THRESHOLDS = 12
KINDS = ("response", "resolution")
_WRONG = {"invalid_choice": gettext_lazy("Choose one from the list.")}


@dataclass(frozen=True)
class TargetFields:
    """The bound fields of one priority."""

    rank: int
    name: str
    response: Any
    response_unit: Any
    resolution: Any
    resolution_unit: Any
    calendar: Any

    @property
    def response_fields(self) -> tuple[Any, Any]:
        return self.response, self.response_unit

    @property
    def resolution_fields(self) -> tuple[Any, Any]:
        return self.resolution, self.resolution_unit


class PolicyForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    calendar = forms.ChoiceField(label=gettext_lazy("Calendar"), required=False, error_messages=_WRONG)
    risk_minutes = forms.IntegerField(
        label=gettext_lazy("At risk below, minutes"), min_value=0, max_value=10_080,
        help_text=gettext_lazy("Business time left"),
    )  # fmt: skip
    short_target_minutes = forms.IntegerField(
        label=gettext_lazy("A target is short below, minutes"), min_value=0, max_value=10_080,
        help_text=gettext_lazy("0: none is"),
    )  # fmt: skip
    short_percent = forms.IntegerField(
        label=gettext_lazy("A short target is at risk below, per cent"), min_value=0, max_value=100,
        help_text=gettext_lazy("Of the target left"),
    )  # fmt: skip
    on_change = forms.ChoiceField(
        label=gettext_lazy("A change of priority or policy counts"), choices=OnChange.choices, error_messages=_WRONG
    )
    on_reopen = forms.ChoiceField(
        label=gettext_lazy("After reopening"), choices=OnReopen.choices, error_messages=_WRONG
    )
    response_by = forms.ChoiceField(
        label=gettext_lazy("First response is"), choices=ResponseBy.choices, error_messages=_WRONG
    )
    thresholds = forms.CharField(
        label=gettext_lazy("Somebody is told at, per cent"), max_length=100, required=False,
        help_text=gettext_lazy("Of the target used, with commas: 50, 75, 90, 100"),
    )  # fmt: skip
    escalates = forms.BooleanField(label=gettext_lazy("Breaches raise the escalation levels"), required=False)

    def __init__(self, data: Any = None, *, policy: Policy | None = None) -> None:
        self.policy = policy
        super().__init__(data, initial=_initial(policy))
        calendars = _calendars(policy)
        self.fields["calendar"].choices = [("", _("Around the clock")), *calendars]  # type: ignore[attr-defined]
        self._add_targets(calendars)

    def _add_targets(self, calendars: list[tuple[str, str]]) -> None:
        for rank, priority in Rank.choices:
            for kind in KINDS:
                names = {"priority": priority, "kind": _kind_word(kind)}
                amount = _("%(priority)s: %(kind)s within") % names
                unit = _("%(priority)s: unit of the %(kind)s") % names
                self.fields[f"{kind}_{rank}"] = forms.DecimalField(
                    label=amount, required=False, min_value=Decimal(0), max_digits=8, decimal_places=2,
                    widget=forms.NumberInput(attrs={"step": "any", "min": "0", "aria-label": amount}),
                )  # fmt: skip
                self.fields[f"{kind}_unit_{rank}"] = forms.ChoiceField(
                    label=unit, choices=UNITS, error_messages=_WRONG, widget=forms.Select(attrs={"aria-label": unit})
                )
            hours = _("%(priority)s: hours") % {"priority": priority}
            self.fields[f"calendar_{rank}"] = forms.ChoiceField(
                label=hours, required=False, error_messages=_WRONG, widget=forms.Select(attrs={"aria-label": hours}),
                choices=[("", _("As the policy")), *calendars],
            )  # fmt: skip

    @property
    def targets(self) -> list[TargetFields]:
        return [
            TargetFields(
                rank, str(label), self[f"response_{rank}"], self[f"response_unit_{rank}"], self[f"resolution_{rank}"],
                self[f"resolution_unit_{rank}"], self[f"calendar_{rank}"],
            )
            for rank, label in Rank.choices
        ]  # fmt: skip

    @property
    def choices(self) -> Sequence[Any]:
        return [self[name] for name in ("on_change", "on_reopen", "response_by")]

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"])
        if is_blank(name):
            raise forms.ValidationError(_("Give it a name that can be read."))
        others = Policy.objects.filter(psa_account=None, archived_at=None, name__iexact=name)
        if others.exclude(pk=self.policy.pk if self.policy else 0).exists():
            raise forms.ValidationError(_("There is a policy of this name already."))
        return name

    def clean_thresholds(self) -> tuple[int, ...]:
        parts = [part for part in re.split(r"[\s,;%]+", self.cleaned_data["thresholds"]) if part]
        if any(not re.fullmatch(r"[0-9]{1,3}", part) or not 1 <= int(part) <= 500 for part in parts):
            raise forms.ValidationError(_("Whole numbers from 1 to 500, with commas."))
        found = tuple(sorted({int(part) for part in parts}))
        if len(found) > MOST_THRESHOLDS:
            raise forms.ValidationError(_("At most %(n)d of them.") % {"n": MOST_THRESHOLDS})
        return found

    def clean(self) -> dict[str, Any]:
        for rank in Rank.values:
            for kind in KINDS:
                self._judge_target(kind, rank)
            self._judge_order(rank)
        has_any = any(self._seconds(kind, rank) for kind in KINDS for rank in Rank.values)
        if not has_any and not any(name.startswith(KINDS) for name in self.errors):
            self.add_error("resolution_1", _("Promise something for one priority at least."))
        return self.cleaned_data

    def _judge_target(self, kind: str, rank: int) -> None:
        name = f"{kind}_{rank}"
        value, unit = self.cleaned_data.get(name), self.cleaned_data.get(f"{kind}_unit_{rank}", "")
        if value is None or not unit:
            return
        if not value:
            self.add_error(name, _("Leave it empty where nothing is promised."))
        elif unit == DAYS and value != int(value):
            self.add_error(name, _("Business days are whole; for a part of one, say hours."))
        elif unit == MINUTES and value != int(value):
            self.add_error(name, _("Minutes are whole."))
        elif value * _SECONDS[unit] > MOST_SECONDS:
            self.add_error(name, _("That is more than a year."))

    def _judge_order(self, rank: int) -> None:
        """Days and hours cannot be compared without a calendar; where they can, the response comes first."""
        response, resolution = (self._seconds(kind, rank) for kind in KINDS)
        are_days = [self.cleaned_data.get(f"{kind}_unit_{rank}") == DAYS for kind in KINDS]
        if response and resolution and are_days[0] == are_days[1] and response > resolution:
            self.add_error(f"response_{rank}", _("The response is promised later than the resolution."))

    def _seconds(self, kind: str, rank: int) -> int | None:
        value, unit = self.cleaned_data.get(f"{kind}_{rank}"), self.cleaned_data.get(f"{kind}_unit_{rank}")
        return round(value * _SECONDS[unit]) if value and unit in _SECONDS else None

    def wanted(self) -> PolicyWanted:
        values = self.cleaned_data
        found = {rank: {kind: self._seconds(kind, rank) for kind in KINDS} for rank in Rank.values}
        return PolicyWanted(
            name=values["name"], calendar_id=_key(values["calendar"]),
            targets=tuple(
                TargetWanted(
                    rank=rank, response_seconds=one["response"], resolution_seconds=one["resolution"],
                    response_in_days=bool(one["response"]) and values[f"response_unit_{rank}"] == DAYS,
                    resolution_in_days=bool(one["resolution"]) and values[f"resolution_unit_{rank}"] == DAYS,
                    calendar_id=_key(values[f"calendar_{rank}"]),
                )
                for rank, one in found.items()
                if any(one.values())
            ),
            risk_minutes=values["risk_minutes"], short_target_minutes=values["short_target_minutes"],
            short_percent=values["short_percent"], on_change=values["on_change"], on_reopen=values["on_reopen"],
            response_by=values["response_by"], thresholds=values["thresholds"], escalates=values["escalates"],
        )  # fmt: skip


def _kind_word(kind: str) -> str:
    return _("response") if kind == "response" else _("resolution")


def _key(text: str) -> int | None:
    return int(text) if text else None


def _calendars(policy: Policy | None) -> list[tuple[str, str]]:
    """Ours first, then those of each PSA with its title; an archived one only where it counts now."""
    held = set()
    if policy is not None:
        held = {policy.calendar_id, *(target.calendar_id for target in policy.targets.all())}
    rows = Calendar.objects.select_related("psa_account").defer("raw")
    offered = [row for row in rows if row.archived_at is None or row.pk in held]
    offered.sort(key=lambda row: (row.psa_account is not None, str(row.psa_account or ""), row.name.casefold()))
    return [(str(row.pk), f"{row.name} ({row.psa_account})" if row.psa_account else row.name) for row in offered]


def _initial(policy: Policy | None) -> dict[str, Any]:
    row = policy or Policy()
    values: dict[str, Any] = {
        "name": row.name, "calendar": str(row.calendar_id or ""), "risk_minutes": row.risk_minutes,
        "short_target_minutes": row.short_target_minutes, "short_percent": row.short_percent,
        "on_change": row.on_change, "on_reopen": row.on_reopen, "response_by": row.response_by,
        "thresholds": ", ".join(str(one) for one in row.thresholds), "escalates": row.escalates,
    }  # fmt: skip
    targets = {one.rank: one for one in policy.targets.all()} if policy else {}
    for rank in Rank.values:
        target = targets.get(rank, Target())
        for kind in KINDS:
            seconds = getattr(target, f"{kind}_seconds")
            unit = _unit(seconds, getattr(target, f"{kind}_in_days"))
            values[f"{kind}_unit_{rank}"] = unit
            values[f"{kind}_{rank}"] = f"{seconds / _SECONDS[unit]:g}" if seconds else None
        values[f"calendar_{rank}"] = str(target.calendar_id or "")
    return values


def _unit(seconds: int | None, in_days: bool) -> str:
    if in_days:
        return DAYS
    return MINUTES if seconds and seconds % 1800 else HOURS
