"""The front of a message in a timeline (who said it, to whom, how long it took, who may read it), and one property.

Written here and not in templates, because a page shows fifty of the one and twenty of the other. Whatever comes from
people or a PSA is escaped.
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from helpdesk.core.templatetags.words import avatar, icon, sync, visibility


class Message(Protocol):
    """What the front shows of `story.Entry`."""

    key: str
    at: datetime
    clock: str
    name: str
    words: str | SafeString
    visibility: str
    is_from_client: bool
    sync: str
    long: str
    is_billable: bool


class Property(Protocol):
    """What a property shows of `ticket_side.Line`."""

    @property
    def name(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def value(self) -> str: ...
    @property
    def sync(self) -> str: ...
    @property
    def is_open(self) -> bool: ...
    @property
    def why(self) -> str: ...
    @property
    def address(self) -> str: ...
    @property
    def refused(self) -> str: ...


def property_of(line: Property) -> SafeString:
    """A property's words, which a press swaps for its input; without script it leads to the input's own page."""
    at, way, why = f"field-{escape(line.name)}", escape(line.address), escape(line.why)
    held = f'<span class="held">{escape(line.value)}</span>' if line.value else ""
    moving = sync(line.sync, word=True)
    refused = f'<p class="wrong">{icon("octagon-alert", small=True)}{escape(line.refused)}</p>' if line.refused else ""
    if not line.is_open:
        held = held or f'<span class="muted">{escape(_("None"))}</span>'
        hush = f'<span class="hush">. {why}</span>'
        return mark_safe(f'<dd id="{at}"><span class="edit" title="{why}">{held}{moving}{hush}</span>{refused}</dd>')
    held = held or f'<span class="muted">{escape(_("Set"))}</span>'
    pencil = icon("pencil", small=True, **{"class": "icon-edit"})
    return mark_safe(
        f'<dd id="{at}"><a class="edit" href="{way}" hx-get="{way}" hx-target="#{at}" hx-swap="outerHTML">'
        f'<span class="hush">{escape(line.label)}: </span>{held}{moving}{pencil}</a>{refused}</dd>'
    )


def front_of(entry: Message) -> SafeString:
    is_internal, key = entry.visibility == "internal", escape(entry.key)
    marks = ' data-from="client"' if entry.is_from_client else ""
    marks += f' data-visibility="{escape(entry.visibility)}"'
    marks += f' data-sync="{escape(entry.sync)}"' if entry.sync else ""
    end = f"{_spent(entry)}{sync(entry.sync, word=True)}"
    end += visibility(False) if entry.visibility == "public" and not entry.is_from_client else ""
    end += f'<time datetime="{entry.at.isoformat()}">{escape(entry.clock)}</time>'
    return mark_safe(
        f'<li class="entry" id="{key}" data-key="{key}"{marks}>{avatar(entry.name, size="l")}<div class="entry-body">'
        f'<div class="entry-head">{visibility(True) if is_internal else ""}<b>{escape(entry.name)}</b> '
        f'{escape(entry.words)}<span class="end">{end}</span></div>'
    )


def _spent(entry: Message) -> str:
    if not entry.long:
        return ""
    billable = f", {escape(_('billable'))}" if entry.is_billable else ""
    return f'<span class="spent">{icon("timer", small=True)}{escape(entry.long)}{billable}</span>'
