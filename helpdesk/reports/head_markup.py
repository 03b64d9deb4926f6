"""What stands above every report, as finished pieces: a template would walk some forty links and fields anew."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from django.utils.safestring import SafeString, mark_safe

from helpdesk.core import icons

_DAYS = ("period", "from", "to")


def links(found: Iterable[tuple[str, Any, bool]], mark: str = "true") -> SafeString:
    """(address, words, is it this one)."""
    return mark_safe(
        "".join(
            f'<a href="{escape(href)}"{f" aria-current={mark}" if is_here else ""}>{escape(str(label))}</a>'
            for href, label, is_here in found
        )
    )


def take(found: Iterable[tuple[str, str]]) -> SafeString:
    """(kind of file, address)."""
    icon = f'<svg class="icon" aria-hidden="true"><use href="{icons.address("download")}"/></svg>'
    return mark_safe(
        "".join(f'<a class="button" href="{escape(href)}" download>{icon}{kind.upper()}</a>' for kind, href in found)
    )


def hidden(values: Mapping[str, str], *, but_days: bool = False) -> SafeString:
    """What a form's address keeps of the one that we are at."""
    kept = [(name, value) for name, value in values.items() if not (but_days and name in _DAYS)]
    return mark_safe(
        "".join(f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in kept)
    )
