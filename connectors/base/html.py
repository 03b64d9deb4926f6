"""The little that a connector does with HTML: make it plain to compare, and plain text to HTML to send."""

from __future__ import annotations

import hashlib
import html
import re

# No pattern here may look past the next "<", or a text of nothing but "<a" would take minutes.
_OPENING = re.compile(r"<(!--|(?:script|style|head|title)\b)", re.IGNORECASE)
_BREAK = re.compile(r"<\s*(br|/p|/div|/li|/tr|/h[1-6])\b[^<>]*>", re.IGNORECASE)
_TAG = re.compile(r"<[a-zA-Z/!?][^<>]*>")
_SPACE = re.compile(r"\s+")


def to_text(markup: str) -> str:
    """Markup without tags and comments, entities resolved, blanks squeezed. Not a cleaner: never show it as HTML."""
    if "<" in markup:
        markup = _TAG.sub("", _BREAK.sub("\n", _without_hidden(markup)))
    return _SPACE.sub(" ", html.unescape(markup)).strip()


def _without_hidden(markup: str) -> str:
    """Without comments, scripts, styles and heads. What is not closed once is not closed later: it is not sought again,
    so that the time grows with the text and not with its square."""
    kept, at, unclosed = [], 0, set()
    for found in _OPENING.finditer(markup):
        name = found[1].lower()
        if found.start() < at or name in unclosed:
            continue
        closing = "-->" if name == "!--" else rf"</{name}\s*>"
        end = re.compile(closing, re.IGNORECASE).search(markup, found.end())
        if end is None:
            unclosed.add(name)
            continue
        kept += [markup[at : found.start()], " "]
        at = end.end()
    return "".join([*kept, markup[at:]])


def to_html(text: str) -> str:
    """Plain text as HTML that shows the same lines."""
    return html.escape(text, quote=False).replace("\r\n", "\n").replace("\n", "<br>")


def text_hash(text: str, *, is_html: bool = True) -> str:
    """A hash of the words of markup or text, blind to case, blanks and markup: how a stripped note is found."""
    plain = to_text(text) if is_html else text
    return hashlib.sha256(_SPACE.sub("", plain).casefold().encode("utf-8", "replace")).hexdigest()


def shown(text: str, limit: int = 500) -> str:
    """A PSA's message, safe to show: no markup, one line, not endless."""
    plain = to_text(text)
    return plain if len(plain) <= limit else plain[: limit - 1] + "…"
