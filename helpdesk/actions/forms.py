"""What a composer posts, as clean values. What is wrong is named at its field; nothing that was typed is lost."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from helpdesk.actions.addresses import is_address, split_addresses
from helpdesk.actions.asked import MAX_SECONDS
from helpdesk.actions.choices import Kind

KINDS = [Kind.REPLY, Kind.NOTE, Kind.CALL, Kind.VISIT]
_COLON = re.compile(r"^(\d{1,3})[:.](\d{2})$")
_UNITS = re.compile(r"^(?:(\d{1,3}(?:[.,]\d{1,2})?)h(?:ours?|rs?)?)?(?:(\d{1,4})(?:m(?:in(?:utes?)?)?)?)?$")
MOST_ADDRESSES = 20


def read_time(text: str) -> int | None:
    """Seconds of "0:18", "18", "1h30", "90m", "1.5h", "1 h 05 min"; None when empty. ValueError for anything else."""
    text = re.sub(r"\s+", "", text.lower())
    if not text:
        return None
    found = _COLON.match(text)
    if found:
        hours, minutes = int(found[1]), int(found[2])
        if minutes > 59:
            raise ValueError(text)
        return hours * 3600 + minutes * 60
    found = _UNITS.match(text)
    if not found or (found[1] is None and found[2] is None):
        raise ValueError(text)
    hours_text = (found[1] or "0").replace(",", ".")
    return round(float(hours_text) * 3600) + int(found[2] or 0) * 60


class TimeField(forms.CharField):
    """Hours and minutes as people type them; seconds, or None for nothing."""

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        try:
            seconds = read_time(text)
        except ValueError as error:
            raise forms.ValidationError(_("Time is hours and minutes: 0:18, 18, 1h30 or 90m.")) from error
        if seconds is not None and seconds > MAX_SECONDS:
            raise forms.ValidationError(_("At most 24 hours in one entry."))
        return seconds or None


class AddressesField(forms.CharField):
    """Mail addresses, comma or space between them; a clean ", " list."""

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        found = split_addresses(text)
        wrong = [a for a in found if not is_address(a)]
        if wrong:
            raise forms.ValidationError(_("“%(wrong)s” is no mail address.") % {"wrong": wrong[0][:80]})
        if len(found) > MOST_ADDRESSES:
            raise forms.ValidationError(_("At most %(most)d addresses.") % {"most": MOST_ADDRESSES})
        return ", ".join(found)


def read_ids(values: Iterable[str]) -> list[int]:
    """Row keys out of a form; anything else is left out."""
    return [int(v) for v in values if v.isdecimal() and v.isascii() and len(v) < 19]


_OUT_OF_DATE = gettext_lazy("This form is out of date. Reload the page; your draft is kept.")
_CHOOSE = dict.fromkeys(
    ("invalid", "invalid_choice", "min_value", "max_value"), gettext_lazy("Choose one from the list.")
)


class ComposerForm(forms.Form):
    """A reply, note, call or visit, with time, a status afterwards and files. An internal note unless chosen."""

    marker = forms.UUIDField(error_messages={"required": _OUT_OF_DATE, "invalid": _OUT_OF_DATE})
    kind = forms.ChoiceField(
        choices=[(k.value, k.label) for k in KINDS], initial=Kind.NOTE, required=False, error_messages=_CHOOSE
    )
    visibility = forms.ChoiceField(
        choices=[("internal", gettext_lazy("Internal")), ("public", gettext_lazy("Client sees it"))],
        required=False,
        error_messages=_CHOOSE,
    )
    to = AddressesField(required=False, max_length=2000)
    cc = AddressesField(required=False, max_length=2000)
    text = forms.CharField(required=False, strip=False)
    time = TimeField(required=False, max_length=20)
    billable = forms.BooleanField(required=False)
    status = forms.IntegerField(required=False, min_value=1, max_value=2**62, error_messages=_CHOOSE)
    resolution = forms.CharField(required=False, max_length=20_000)
    escalation_reason = forms.CharField(required=False, max_length=8000)
    share = forms.BooleanField(required=False)
    outcome = forms.IntegerField(required=False, min_value=1, max_value=2**62, error_messages=_CHOOSE)
    assignee = forms.CharField(required=False, max_length=20)
    confirmed = forms.CharField(required=False, max_length=100)

    def clean_kind(self) -> str:
        return str(self.cleaned_data["kind"] or Kind.NOTE)

    def clean_text(self) -> str:
        return str(self.cleaned_data["text"]).replace("\r\n", "\n").strip("\n")

    @property
    def is_internal(self) -> bool:
        """A reply is for the client, a note for us; a call or visit says so itself and is ours by default."""
        kind = self.cleaned_data.get("kind")
        if kind == Kind.REPLY:
            return False
        return kind == Kind.NOTE or self.cleaned_data.get("visibility") != "public"

    @property
    def confirmed_words(self) -> set[str]:
        return set(str(self.cleaned_data.get("confirmed", "")).split(","))


KEPT = ("kind", "visibility", "to", "cc", "text", "time", "status", "resolution", "escalation_reason", "outcome",
        "assignee")  # fmt: skip
"""What a draft holds of the form, as typed."""


def draft_fields(data: Mapping[str, Any], files: Iterable[int], public: Iterable[int]) -> dict[str, Any]:
    """The form as a draft keeps it: raw text, so that half a word of a time survives too."""
    fields: dict[str, Any] = {name: str(data.get(name, ""))[:200_000].replace("\x00", "") for name in KEPT}
    fields["billable"], fields["share"] = bool(data.get("billable")), bool(data.get("share"))
    fields["files"], fields["public_files"] = list(files), list(public)
    return fields
