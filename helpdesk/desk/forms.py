"""Forms of the settings that join apps."""

from __future__ import annotations

from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from helpdesk.accounts.choices import Role
from helpdesk.desk.brand import ENOUGH, HEX, contrast, nearest_readable
from helpdesk.desk.organisation import LOGO_BYTES, logo_type


@cache
def zone_names() -> tuple[str, ...]:
    """Names offered while typing; any name of the zone database is taken."""
    return tuple(sorted(n for n in _zones() if "/" in n and not n.startswith(("Etc/", "SystemV/"))))


@cache
def _zones() -> frozenset[str]:
    """But those that mean another zone on another machine, or none."""
    return frozenset(available_timezones() - {"localtime", "posixrules", "Factory"})


class ZoneField(forms.CharField):
    """A time zone by its name, checked against the zone database."""

    def __init__(self, **options: Any) -> None:
        given = {"label": _("Time zone"), "max_length": 64, **options}
        super().__init__(
            widget=forms.TextInput(attrs={"list": "zones", "autocomplete": "off", "spellcheck": "false"}), **given
        )

    def clean(self, value: Any) -> str:
        name: str = super().clean(value).strip().replace(" ", "_")
        if not name:
            return ""
        try:
            if ZoneInfo(name).key not in _zones():
                raise ZoneInfoNotFoundError(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise forms.ValidationError(
                _("There is no time zone “%(name)s”. They are spelt like Europe/London."), params={"name": name}
            ) from error
        return name


class PersonForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=120)
    email = forms.EmailField(
        label=_("E-mail"),
        max_length=254,
        help_text=_("Signs in with it, by a code we mail. Ties to the PSAs' people with the same address."),
    )
    role = forms.ChoiceField(label=_("Role"), choices=Role.choices)
    time_zone = ZoneField(required=False, help_text=_("Empty: the organisation's"))


class PersonChangeForm(PersonForm):
    email = None  # type: ignore[assignment]


class PersonalForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=120)
    time_zone = ZoneField(required=False, help_text=_("Empty: the organisation's"))
    language = forms.ChoiceField(label=_("Language"), required=False)
    theme = forms.ChoiceField(
        label=_("Theme"), required=False,
        choices=[("", _("As the system")), ("light", _("Light")), ("dark", _("Dark"))],
    )  # fmt: skip
    density = forms.ChoiceField(
        label=_("Density"), required=False, choices=[("", _("Comfortable")), ("dense", _("Dense"))]
    )
    hold_seconds = forms.TypedChoiceField(
        label=_("Undo send"), required=False, coerce=int, empty_value=0,  # type: ignore[arg-type]
        choices=[(0, _("Off: a reply leaves at once")), *((n, f"{n} s") for n in (5, 10, 20, 30))],
        help_text=_("How long a reply waits here before it leaves"),
    )  # fmt: skip

    def __init__(self, *args: Any, is_desk: bool = True, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["language"].choices = [("", _("The organisation's")), *settings.LANGUAGES]  # type: ignore[attr-defined]
        if not is_desk:
            for name in ("density", "hold_seconds"):
                del self.fields[name]


class OrganisationForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=120, help_text=_("On every page, also those of clients"))
    colour = forms.CharField(
        label=_("Colour"), max_length=7, widget=forms.TextInput(attrs={"type": "color"}),
        help_text=_("Of client pages and the sign-in. White text must be readable on it"),
    )  # fmt: skip
    logo = forms.FileField(
        label=_("Logo"), required=False, help_text=_("PNG, JPEG or WebP, up to 512 kB"),
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg,image/webp"}),
    )  # fmt: skip
    drop_logo = forms.BooleanField(label=_("Remove the logo"), required=False)
    time_zone = ZoneField(help_text=_("Reporting days begin and end in it"))
    phone = forms.CharField(
        label=_("Phone"), required=False, max_length=60, help_text=_("Shown to clients for what cannot wait")
    )

    def clean_colour(self) -> str:
        colour: str = self.cleaned_data["colour"].strip().lower()
        if not HEX.match(colour):
            raise forms.ValidationError(_("A colour is # and six digits from 0 to f, like #0b5f6b."))
        ratio = contrast(colour, "#ffffff")
        if ratio < ENOUGH:
            raise forms.ValidationError(
                _("White text on %(colour)s cannot be read well (%(ratio).1f to 1; 4.5 is needed). %(near)s can."),
                params={"colour": colour, "ratio": ratio, "near": nearest_readable(colour)},
            )
        return colour

    def clean_logo(self) -> UploadedFile | None:
        logo: UploadedFile | None = self.cleaned_data.get("logo")
        if not logo:
            return None
        if logo.size is not None and logo.size > LOGO_BYTES:
            raise forms.ValidationError(_("That file is larger than 512 kB."))
        kind = logo_type(logo.read(512))
        logo.seek(0)
        if kind is None:
            raise forms.ValidationError(_("That is no PNG, JPEG or WebP picture."))
        return logo
