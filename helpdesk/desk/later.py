"""What pages show only after a key or a mishap: palette, key sheet, toasts, "no connection". Words and nothing else, so
that one text per language serves everybody, under an address that changes with its content."""

from __future__ import annotations

import hashlib
from functools import cache

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation


def address() -> str:
    """In the reader's language, when it is one of the desk's own."""
    language = translation.get_language() or ""
    return _address(language if language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE)


@cache
def content(language: str) -> str:
    """Drawn once per process."""
    with translation.override(language):
        return render_to_string("shared/_later.html").strip()


@cache
def digest(language: str) -> str:
    return hashlib.sha256(content(language).encode()).hexdigest()[:8]


@cache
def _address(language: str) -> str:
    return reverse("desk:later", args=[language, digest(language)])
