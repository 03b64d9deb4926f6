"""The front of a message in a timeline (who said it, to whom, how long it took, who may read it), and one property.

Written here and not in templates, because a page shows fifty of the one and twenty of the other. Whatever comes from
people or a PSA is escaped.
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from helpdesk.core.markup import escape
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


class Whole(Message, Protocol):
    """What the rest of it shows."""

    shape: str
    icon: str
    body_clean: str


class Press(Protocol):
    """What a button shows of `outcome_buttons.Button`."""

    @property
    def key(self) -> int: ...
    @property
    def label(self) -> str: ...
    @property
    def about(self) -> str: ...
    @property
    def colour(self) -> str: ...
    @property
    def blocked(self) -> str: ...


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


def outcome_of(button: Press, address: str) -> SafeString:
    """A button of the composer that chooses an outcome and sends nothing. A dot shows the PSA's own colour: a fill
    attribute, for nothing here may have a style."""
    way, fill = escape(address), f' fill="{escape(button.colour)}"' if button.colour else ""
    hint = button.blocked or button.about
    marks = (" disabled" if button.blocked else "") + (f' title="{escape(hint)}"' if hint else "")
    why = f'<span class="hush">: {escape(button.blocked)}</span>' if button.blocked else ""
    return mark_safe(
        f'<button class="outcome" name="press" value="{button.key}" formaction="{way}" formnovalidate hx-post="{way}" '
        f'hx-target="#composer" hx-swap="outerHTML"{marks}><svg class="outcome-dot" width="8" height="8" '
        f'viewBox="0 0 8 8" aria-hidden="true"><circle cx="4" cy="4" r="4"{fill}/></svg>'
        f"{escape(button.label)}{why}</button>"
    )


def front_of(entry: Message) -> SafeString:
    is_internal, key = entry.visibility == "internal", escape(entry.key)
    marks = ' data-from="client"' if entry.is_from_client else ""
    marks += f' data-visibility="{escape(entry.visibility)}"'
    marks += f' data-sync="{escape(entry.sync)}"' if entry.sync else ""
    end = f"{_spent(entry)}{sync(entry.sync, word=True)}"
    end += visibility(False) if entry.visibility == "public" and not entry.is_from_client else ""
    end += _when(entry)
    return mark_safe(
        f'<li class="entry" id="{key}" data-key="{key}"{marks}>{avatar(entry.name, size="l")}<div class="entry-body">'
        f'<div class="entry-head">{visibility(True) if is_internal else ""}<b>{escape(entry.name)}</b> '
        f'{escape(entry.words)}<span class="end">{end}</span></div>'
    )


def whole_of(entry: Whole) -> SafeString:
    """An entry that nothing hangs on: no file, no mail, no change under way. What is more than that has a template."""
    if entry.shape == "day":
        return mark_safe(f'<li class="day" data-key="{escape(entry.key)}">{escape(entry.words)}</li>\n')
    if entry.shape == "line":
        return mark_safe(
            f'<li class="entry" data-key="{escape(entry.key)}"><div class="entry-line">{icon(entry.icon)}'
            f"<span>{conditional_escape(entry.words)}</span>{_when(entry)}</div></li>\n"
        )
    # Only what the cleaner has left of a body is shown, here as in the template.
    return mark_safe(f'{front_of(entry)}<div class="entry-text">{entry.body_clean}</div></div></li>\n')


def _when(entry: Message) -> str:
    return f'<time datetime="{entry.at.isoformat()}">{escape(entry.clock)}</time>'


def _spent(entry: Message) -> str:
    if not entry.long:
        return ""
    billable = f", {escape(_('billable'))}" if entry.is_billable else ""
    return f'<span class="spent">{icon("timer", small=True)}{escape(entry.long)}{billable}</span>'
