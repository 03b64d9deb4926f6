"""The form of one status, outcome or ticket type, made from what its kind says of its fields."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from helpdesk.actions.config_kinds import ConfigField, ConfigKind, blank, spelled
from helpdesk.core.models import ConfiguredRow
from helpdesk.directory.models import Agent, PsaAccount, Team
from helpdesk.sla.models import Policy
from helpdesk.tickets.choices import SlaAction
from helpdesk.tickets.models import Priority, Status, TicketType

MOST_HOURS = 10_000
MOST_NUMBER = 1_000_000
MOST_MINUTES = 24 * 60
_WRONG = {"invalid_choice": gettext_lazy("Choose one from the list.")}
_ROWS: Mapping[str, Any] = {
    "status": Status, "priority": Priority, "team": Team, "agent": Agent, "sla_policy": Policy,
    "ticket_type": TicketType,
}  # fmt: skip
_LAST = ("flag", "many")
"""Shapes that stand below the others."""


class ConfigForm(forms.Form):
    """`values` are spelled as the outbox spells them; of a row that there is, only those that a person changed."""

    def __init__(
        self, data: Any = None, *, account: PsaAccount, kind: ConfigKind, row: ConfiguredRow | None = None
    ) -> None:
        self.account, self.kind, self.row = account, kind, row
        known = spelled(row) if row is not None else blank(kind, account)
        initial = {f.name: _shown(f, known.get(f.name)) for f in kind.fields}
        super().__init__(data, initial={**initial, "seen": json.dumps(known)})
        self.fields["seen"] = forms.CharField(required=False, widget=forms.HiddenInput)
        self._offered: dict[str, list[tuple[str, str]]] = {}
        for field in kind.fields:
            self.fields[field.name] = self._field(field, known.get(field.name))

    def _field(self, field: ConfigField, held: Any) -> forms.Field:
        given: dict[str, Any] = {"label": field.label, "help_text": field.help, "required": field.is_required}
        if field.shape == "flag":
            return forms.BooleanField(**given)
        if field.shape == "action":
            choices = [("", _("Left alone")), *((v, str(words).capitalize()) for v, words in SlaAction.choices)]
            return forms.ChoiceField(choices=choices, error_messages=_WRONG, **given)
        if field.shape == "one":
            choices = [("", _("None")), *self._rows(field.of, held)]
            return forms.ChoiceField(choices=choices, error_messages=_WRONG, **given)
        if field.shape == "many":
            widget = forms.CheckboxSelectMultiple(attrs={"class": "check"})
            choices = self._rows(field.of, *(held or ()))
            return forms.MultipleChoiceField(choices=choices, widget=widget, error_messages=_WRONG, **given)
        if field.shape == "number":
            return forms.IntegerField(min_value=-MOST_NUMBER, max_value=MOST_NUMBER, **given)
        if field.shape == "hours":
            return forms.FloatField(min_value=0, max_value=MOST_HOURS, **given)
        if field.shape == "whole_hours":
            return forms.IntegerField(min_value=0, max_value=MOST_HOURS, **given)
        if field.shape == "minutes":
            return forms.IntegerField(min_value=0, max_value=MOST_MINUTES, **given)
        return forms.CharField(max_length=field.most, widget=forms.TextInput(attrs={"autocomplete": "off"}), **given)

    def _rows(self, of: str, *held: Any) -> list[tuple[str, str]]:
        """What is in use by remote id; and what is held now, though it is not any more."""
        if of not in self._offered:
            rows = _ROWS[of]._default_manager.filter(psa_account=self.account, remote_id__isnull=False).defer("raw")
            if of != "sla_policy":
                rows = rows.filter(is_active=True)
            self._offered[of] = [(row.remote_id, str(row)) for row in rows]
        known = dict(self._offered[of])
        missing = [key for key in held if key and key not in known]
        if not missing:
            return self._offered[of]
        rows = _ROWS[of]._default_manager.filter(psa_account=self.account, remote_id__in=missing).defer("raw")
        names = {row.remote_id: str(row) for row in rows}
        gone = [(key, _("%(name)s (not in use any more)") % {"name": names.get(key, f"#{key}")}) for key in missing]
        return [*self._offered[of], *gone]

    def clean_colour(self) -> str:
        text = str(self.cleaned_data["colour"]).strip()
        if text and not re.fullmatch(r"#[0-9a-fA-F]{6}", text):
            raise forms.ValidationError(_("A colour is # and six digits, such as #2b7de9."))
        return text.lower()

    @property
    def first_fields(self) -> Sequence[Any]:
        return [self[f.name] for f in self.kind.fields if f.shape not in _LAST]

    @property
    def flags(self) -> Sequence[Any]:
        return [self[f.name] for f in self.kind.fields if f.shape == "flag"]

    @property
    def lists(self) -> Sequence[Any]:
        return [self[f.name] for f in self.kind.fields if f.shape == "many" and self.fields[f.name].choices]  # type: ignore[attr-defined]

    @property
    def values(self) -> dict[str, Any]:
        found = {f.name: _read(f, self.cleaned_data.get(f.name)) for f in self.kind.fields}
        if self.row is None:
            return found
        seen = self._seen()
        return {name: value for name, value in found.items() if name not in seen or seen[name] != value}

    def _seen(self) -> dict[str, Any]:
        """What stood in the fields when the form was opened: what somebody else saved since is not taken back by it."""
        try:
            known = json.loads(self.cleaned_data.get("seen") or "{}")
            fields = [f for f in self.kind.fields if f.name in known]
            return {f.name: _read(f, self.fields[f.name].to_python(_shown(f, known[f.name]))) for f in fields}
        except (ValueError, TypeError, RecursionError, forms.ValidationError):
            return {}


def _shown(field: ConfigField, value: Any) -> Any:
    if field.shape == "minutes":
        return round(value / 60) if value else None
    if field.shape in ("hours", "whole_hours"):
        return f"{value:g}" if value else None
    return value


def _read(field: ConfigField, value: Any) -> Any:
    if field.shape == "minutes":
        return value * 60 if value else None
    if field.shape == "hours":
        return float(value) if value else None
    if field.shape == "whole_hours":
        return value or None
    if field.shape == "one":
        return value or None
    if field.shape == "many":
        return sorted(value or ())
    if field.shape == "number":
        return value or 0
    if field.shape == "flag":
        return bool(value)
    return str(value or "").strip()
