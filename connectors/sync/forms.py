"""The form of a connection: what every account has, and what this PSA kind asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.core.validators import validate_slug
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from connectors.registry import CONNECTORS
from connectors.sync.accounts import Wanted, kind_class
from helpdesk.actions.choices import Occasion
from helpdesk.directory.choices import Colour, Mailer
from helpdesk.directory.models import PsaAccount

PREFIX = "s_"
MAIL_LABELS = {
    Occasion.ACKNOWLEDGEMENT: _("A new ticket is acknowledged by"),
    Occasion.REPLY: _("A reply is mailed by"),
    Occasion.STATUS: _("Resolved or closed is told by"),
}


def kinds() -> list[tuple[str, str]]:
    """Every PSA kind with its title."""
    return [(kind, kind_class(kind).title) for kind in CONNECTORS]


class ConnectionForm(forms.Form):
    """Credentials are never shown back: a blank one keeps what is stored."""

    name = forms.CharField(
        label=_("Short name"), max_length=60, validators=[validate_slug], help_text=_("Letters, digits, - and _")
    )
    url = forms.URLField(label=_("Address"), max_length=300, assume_scheme="https")
    calls_per_minute = forms.IntegerField(
        label=_("Calls in a minute"), min_value=1, max_value=100_000, required=False,
        help_text=_("What this desk may use of the PSA's allowance"),
    )  # fmt: skip

    def __init__(self, *args: Any, kind: str, account: PsaAccount | None = None, **kwargs: Any) -> None:
        if account is not None:
            kwargs.setdefault("initial", _initial(account))
        super().__init__(*args, **kwargs)
        self.kind = kind
        self.account = account
        if account is not None:
            del self.fields["name"]
        for setting in kind_class(kind).settings:
            self.fields[PREFIX + setting.name] = forms.CharField(
                label=_(setting.label),
                required=setting.is_required and (account is None or not setting.is_secret),
                initial=setting.default,
                help_text=_("Stored; type a new one to change it") if account and setting.is_secret else setting.help,
                widget=_widget(setting.is_secret),
                max_length=500,
            )

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if PsaAccount.objects.filter(name=name).exists():
            raise forms.ValidationError(_("There is an account of this name already."))
        return name

    def clean(self) -> dict[str, Any]:
        """Stored credentials go to the host they were typed for, and to no other."""
        cleaned: dict[str, Any] = super().clean() or {}
        if self.account is None or _places(self.account.url, self.account.settings) >= _places(
            cleaned.get("url", ""), {n.removeprefix(PREFIX): v for n, v in cleaned.items()}
        ):
            return cleaned
        for setting in kind_class(self.kind).settings:
            name = PREFIX + setting.name
            if setting.is_secret and setting.is_required and not cleaned.get(name) and name not in self.errors:
                self.add_error(name, _("The address is another one now: type this again."))
        return cleaned

    def wanted(self) -> Wanted:
        """What was typed, secrets apart."""
        values = {
            name.removeprefix(PREFIX): str(value)
            for name, value in self.cleaned_data.items()
            if name.startswith(PREFIX) and value
        }
        if self.cleaned_data.get("calls_per_minute"):
            values["calls_per_minute"] = str(self.cleaned_data["calls_per_minute"])
        name = self.account.name if self.account else self.cleaned_data["name"]
        return Wanted.sort(kind=self.kind, name=name, url=self.cleaned_data["url"], values=values)


class LookForm(forms.Form):
    """How an account is shown beside the others."""

    title = forms.CharField(label=_("Title"), max_length=60, help_text=_("What people read: the PSA, and whose it is"))
    colour = forms.ChoiceField(
        label=_("Colour"), choices=Colour.choices, widget=forms.RadioSelect,
        help_text=_("Of its mark in lists, on the board and on tickets"),
    )  # fmt: skip
    code = forms.CharField(
        label=_("Letters beside the mark"), max_length=2, required=False,
        help_text=_("One or two, where several accounts are of one PSA. Empty: none"),
    )  # fmt: skip

    def __init__(self, *args: Any, account: PsaAccount, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {name: getattr(account, name) for name in ("title", "colour", "code")})
        super().__init__(*args, **kwargs)

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"].strip().upper()
        if code and not code.isalnum():
            raise forms.ValidationError(_("Letters and digits only."))
        if len(code) > 2:  # some letters are two as capitals
            raise forms.ValidationError(_("Two letters at most."))
        return code


class ClientMailForm(forms.Form):
    """Who mails the client on each occasion. What the PSA cannot do is not offered."""

    reply_to = forms.EmailField(
        label=_("Answers to our mails go to"), required=False,
        help_text=_("An address that the PSA reads, so that an answer lands on its ticket. Empty: the sender's."),
    )  # fmt: skip

    def __init__(self, *args: Any, account: PsaAccount, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {o: account.mailer(o) for o in MAIL_LABELS} | {
            "reply_to": account.client_mail.get("reply_to", "")})  # fmt: skip
        super().__init__(*args, **kwargs)
        self.account = account
        fields = {occasion.value: self._choice(occasion) for occasion in MAIL_LABELS}
        self.fields = {**fields, "reply_to": self.fields["reply_to"]}

    def _choice(self, occasion: Occasion) -> forms.ChoiceField:
        title, can_mail = self.account.title, self.account.capabilities.get("mails") == Mailer.PSA
        choices = [(Mailer.DESK.value, _("This desk")), (Mailer.OFF.value, _("Nobody"))]
        obeys = occasion.value in (self.account.capabilities.get("mail_switches") or ())
        hint = gettext("%(psa)s mails by its own rules: switch that off there unless it is chosen here.")
        return forms.ChoiceField(
            label=MAIL_LABELS[occasion],
            choices=[(Mailer.PSA.value, title), *choices] if can_mail else choices,
            help_text=hint % {"psa": title} if can_mail and not obeys else "",
        )

    def values(self) -> dict[str, str]:
        return {name: str(value) for name, value in self.cleaned_data.items()}


def _places(url: str, values: Mapping[str, Any]) -> set[str]:
    """Scheme, host and port of every address among these."""
    found = [url, *(str(v) for v in values.values() if str(v).startswith(("http://", "https://")))]
    return {"://".join(urlsplit(address)[:2]).lower() for address in found if address}


def _widget(is_secret: bool) -> forms.Widget:
    attrs = {"autocomplete": "off", "spellcheck": "false"}
    if is_secret:
        return forms.PasswordInput(render_value=False, attrs={**attrs, "autocomplete": "new-password"})
    return forms.TextInput(attrs=attrs)


def _initial(account: PsaAccount) -> dict[str, Any]:
    values = {PREFIX + name: value for name, value in account.settings.items() if isinstance(value, str | int)}
    return {"url": account.url, "calls_per_minute": account.calls_per_minute, **values}
