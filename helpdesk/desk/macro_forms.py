"""The form of one macro."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from helpdesk.accounts.choices import STAFF
from helpdesk.accounts.models import User
from helpdesk.actions.choices import Assigns, Kind
from helpdesk.actions.models import Macro
from helpdesk.desk.macro_use import unknown_variables
from helpdesk.tickets.choices import Category

KINDS = [(Kind.REPLY.value, _("Reply: the client sees it")), (Kind.NOTE.value, _("Internal note"))]
MOST_TEXT = 20_000


class MacroForm(forms.Form):
    name = forms.CharField(
        label=_("Name"), max_length=80, help_text=_("What one types after / in a ticket"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip
    kind = forms.ChoiceField(
        label=_("Adds"), choices=KINDS, error_messages={"invalid_choice": _("Choose one from the list.")}
    )
    body = forms.CharField(
        label=_("Text"), max_length=MOST_TEXT, strip=False, widget=forms.Textarea(attrs={"rows": 7}),
        error_messages={"required": _("Write what the macro puts into the box.")},
    )  # fmt: skip
    status_category = forms.ChoiceField(
        label=_("Status afterwards"), required=False, choices=[("", _("Stays as it is")), *Category.choices],
        help_text=_("Each PSA's own status of this kind is taken"),
        error_messages={"invalid_choice": _("Choose one from the list.")},
    )  # fmt: skip
    owner = forms.ChoiceField(
        label=_("Owner afterwards"), required=False, help_text=_("Their own agent in each ticket’s PSA is taken"),
        error_messages={"invalid_choice": _("Choose one from the list.")},
    )  # fmt: skip
    minutes = forms.IntegerField(
        label=_("Minutes"), required=False, help_text=_("Booked with it; can be changed before sending"),
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}), min_value=1, max_value=1440,
        error_messages=dict.fromkeys(("invalid", "min_value", "max_value"), _("Whole minutes, from 1 to 1440.")),
    )  # fmt: skip

    def __init__(self, *args: Any, macro: Macro | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self.macro = macro
        people = User.objects.filter(is_active=True, role__in=STAFF).order_by("name")
        kept = macro.assignee if macro is not None else None
        named = [(str(person.pk), str(person)) for person in people]
        if kept is not None and str(kept.pk) not in dict(named):
            named.append((str(kept.pk), str(kept)))
        first = [("", _("Stays as it is")), (Assigns.ME.value, _("Who runs the macro"))]
        owner = self.fields["owner"]
        assert isinstance(owner, forms.ChoiceField)
        owner.choices = [*first, *named]

    def clean_name(self) -> str:
        name = " ".join(str(self.cleaned_data["name"]).split())
        others = Macro.objects.filter(name__iexact=name)
        if self.macro is not None:
            others = others.exclude(pk=self.macro.pk)
        if others.exists():
            raise forms.ValidationError(_("There is a macro of this name."))
        return name

    def clean_body(self) -> str:
        text = str(self.cleaned_data["body"]).replace("\r\n", "\n").strip("\n")
        if not text.strip():
            raise forms.ValidationError(_("Write what the macro puts into the box."))
        unknown = unknown_variables(text)
        if unknown:
            raise forms.ValidationError(
                _("%(word)s is not known here: choose one from the list below."), params={"word": unknown[0]}
            )
        return text

    @property
    def values(self) -> dict[str, Any]:
        """As `save_macro` takes it: a reply is for the client, a note is ours."""
        found = dict(self.cleaned_data)
        owner = found.pop("owner")
        is_person = owner not in ("", Assigns.ME.value)
        return {
            **found,
            "is_internal": found["kind"] == Kind.NOTE,
            "assigns": Assigns.PERSON.value if is_person else owner,
            "assignee_id": int(owner) if is_person else None,
        }


def owner_key(macro: Macro) -> str:
    """How the form spells whom a macro gives the ticket to."""
    return str(macro.assignee_id or "") if macro.assigns == Assigns.PERSON else str(macro.assigns)
