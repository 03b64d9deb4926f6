from __future__ import annotations

import uuid

from django import forms
from django.utils.translation import gettext_lazy as _

MAX_TEXT = 20_000


class AnswerForm(forms.Form):
    """What a client writes. The marker travels with the form, so that a double press is one answer."""

    body = forms.CharField(
        max_length=MAX_TEXT,
        error_messages={
            "required": _("Write a few words first."),
            "max_length": _("That is longer than we can take (20,000 characters). Send it in two parts."),
        },
        widget=forms.Textarea(attrs={"class": "input", "rows": 3, "id": "answer"}),
    )
    marker = forms.CharField(initial=uuid.uuid4, required=False, max_length=64, widget=forms.HiddenInput)

    def clean_body(self) -> str:
        text: str = self.cleaned_data["body"]
        return text.replace("\r\n", "\n").replace("\x00", "")

    def clean_marker(self) -> uuid.UUID:
        """A form without a readable marker still counts; it only cannot be told from its double."""
        try:
            return uuid.UUID(self.cleaned_data["marker"])
        except ValueError:
            return uuid.uuid4()
