"""The form of one routing rule: what a ticket must be, and where it then goes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from helpdesk.desk.new_ticket_choices import load_choices
from helpdesk.desk.ticket_side import category_words
from helpdesk.directory.models import Client, PsaAccount
from helpdesk.tickets.forms import Choice, find_clients
from helpdesk.tickets.models import RoutingRule, TicketType

ROWS = ("ticket_type", "team", "agent", "priority")
_WRONG = {"invalid_choice": gettext_lazy("Choose one from the list.")}


class RuleForm(forms.Form):
    client_text = forms.CharField(
        label=gettext_lazy("Client"), max_length=255, required=False,
        help_text=gettext_lazy("First letters; empty for every client"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip
    ticket_type = forms.ChoiceField(label=gettext_lazy("Type"), required=False, error_messages=_WRONG)
    category = forms.ChoiceField(label=gettext_lazy("Category"), required=False, error_messages=_WRONG)
    subcategory = forms.ChoiceField(label=gettext_lazy("Subcategory"), required=False, error_messages=_WRONG)
    team = forms.ChoiceField(label=gettext_lazy("Team"), required=False, error_messages=_WRONG)
    agent = forms.ChoiceField(label=gettext_lazy("Owner"), required=False, error_messages=_WRONG)
    priority = forms.ChoiceField(label=gettext_lazy("Priority"), required=False, error_messages=_WRONG)

    def __init__(self, data: Any = None, *, account: PsaAccount, rule: RoutingRule | None = None) -> None:
        self.account, self.rule = account, rule
        self.client: Client | None = rule.client if rule else None
        self.clients: Sequence[Choice] = ()
        super().__init__(data, initial=_initial(rule))
        lists = load_choices(account, None)
        types = list(TicketType.objects.filter(psa_account=account, is_active=True).defer("raw"))
        self.rows: dict[str, list[Any]] = {name: lists.get(name, types) for name in ROWS}
        names = {"ticket_type": _("Every type"), "team": _("None"), "agent": _("Nobody"), "priority": _("As it comes")}
        for name, empty in names.items():
            self._offer(name, empty, [(str(row.pk), str(row)) for row in self.rows[name]])
        for name, level, empty in (("category", 1, _("Every category")), ("subcategory", 2, _("Every subcategory"))):
            values = [(c.value, category_words(c.value)) for c in lists["category"] if c.level == level]
            self._offer(name, empty, values)
        self.has_subcategories = any(c.level == 2 for c in lists["category"]) or bool(rule and rule.subcategory)
        self.has_teams = account.capabilities.get("teams") is not False

    def _offer(self, name: str, empty: str, choices: list[tuple[str, str]]) -> None:
        """What is in use; and what the rule says now, though it is not any more."""
        held = str(self.initial.get(name) or "")
        if held and held not in dict(choices):
            words = str(getattr(self.rule, name))
            choices = [*choices, (held, _("%(name)s (not in use any more)") % {"name": words})]
        self.fields[name].choices = [("", empty), *choices]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        values = self.cleaned_data
        self._find_client(values.get("client_text", "").strip())
        for name in ROWS:
            key = values.get(name)
            values[name] = next((row for row in self.rows[name] if str(row.pk) == key), None)
            if key and values[name] is None and name not in self.errors:
                self.add_error(name, _("This is not in use any more: choose another one."))
        if not self.has_teams:
            values["team"] = None
        lead = "team" if self.has_teams else "agent"
        if values.get(lead) is None and lead not in self.errors:
            text = _("Choose the team that the ticket goes to.") if self.has_teams else _("Choose who gets the ticket.")
            self.add_error(lead, text)
        return values

    def _find_client(self, typed: str) -> None:
        """The one ticked below, while its name holds what is typed; else the only one of this name."""
        self.client = None
        if not typed or "client_text" in self.errors:
            return
        known = Client.objects.filter(psa_account=self.account, is_active=True).defer("raw")
        key = str(self.data.get("client", ""))
        if key.isdecimal() and len(key) < 19:
            ticked = known.filter(pk=int(key)).first()
            if ticked is not None and typed.casefold() in ticked.name.casefold():
                self.client = ticked
                return
        exact = list(known.filter(name__iexact=typed)[:2])
        if len(exact) == 1:
            self.client = exact[0]
            return
        self.clients = find_clients(self.account.pk, typed)
        text = _("Choose one of these.") if self.clients else _("No client of this name is known.")
        self.add_error("client_text", text)

    @property
    def values(self) -> dict[str, Any]:
        """As `save_rule` takes it."""
        kept = {name: self.cleaned_data.get(name) for name in ROWS}
        texts = {name: self.cleaned_data.get(name) or "" for name in ("category", "subcategory")}
        return {**kept, **texts, "client": self.client}

    def rule_as_typed(self) -> RoutingRule:
        """Unsaved, with whatever of the form makes sense so far."""
        rule = RoutingRule(psa_account=self.account)
        if self.rule is not None:
            rule.pk, rule.position, rule.is_active = self.rule.pk, self.rule.position, self.rule.is_active
        for name, value in self.values.items():
            setattr(rule, name, value)
        return rule


def _initial(rule: RoutingRule | None) -> dict[str, Any]:
    if rule is None:
        return {}
    keys = {name: getattr(rule, f"{name}_id") or "" for name in ROWS}
    return {
        **keys, "category": rule.category, "subcategory": rule.subcategory,
        "client_text": rule.client.name if rule.client else "",
    }  # fmt: skip
