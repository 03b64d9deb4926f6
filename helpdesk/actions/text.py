"""Text of strangers made safe: the one HTML cleaner, and our own plain text as HTML.

The raw text is stored; the cleaned text stands beside it with the cleaner's version. Nothing cleaned can run script,
load from elsewhere, post a form, steal an id or name, or style the page around it.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from urllib.parse import urlsplit

import nh3

CLEANER_VERSION = 1
BODY_LIMIT = 200_000
"""Characters of one action or description that people may submit."""
_SHOWN_LIMIT = 400_000
_TAGS_LIMIT = 8_000
"""Opening brackets in one text; beyond it nobody formats, somebody attacks: parsing deep nests takes minutes."""

_TAGS = {
    "a", "b", "blockquote", "br", "code", "dd", "del", "div", "dl", "dt", "em", "h1", "h2", "h3", "h4", "h5", "h6",
    "hr", "i", "img", "ins", "li", "ol", "p", "pre", "s", "small", "span", "strong", "sub", "sup", "table", "tbody",
    "td", "tfoot", "th", "thead", "tr", "u", "ul",
}  # fmt: skip
_ATTRIBUTES = {"a": {"href"}, "img": {"src", "alt"}, "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}}
_INLINE_IMAGE = re.compile(r"/attachment/image/([0-9A-Za-z-]{8,64})(?:[?#].*)?$", re.IGNORECASE)
_MARKER = re.compile(r"<!--\s*helpdesk:[0-9a-fA-F-]{36}\s*-->")
_LINK = re.compile(r"\bhttps?://[^\s<>\"']{3,500}")


def inline_reference(source: str) -> str:
    """The PSA's name of an image inside its HTML; empty when the source is anything else."""
    found = _INLINE_IMAGE.search(source)
    return found.group(1) if found else ""


def inline_references(text: str) -> list[str]:
    """Names of all the PSA's own images in a text."""
    return list(dict.fromkeys(_INLINE_SRC.findall(text)))


# No pattern here may look past the next "<": on a text of nothing but "<img" that takes minutes.
_INLINE_SRC = re.compile(r"<img\b[^<>]*?/attachment/image/([0-9A-Za-z-]{8,64})", re.IGNORECASE)


def _attribute(ticket_id: int | None) -> Callable[[str, str, str], str | None]:
    def keep(tag: str, name: str, value: str) -> str | None:
        if tag == "a" and name == "href":
            return value if _is_safe_link(value) else None
        if tag == "img" and name == "src":
            reference = inline_reference(value)
            return f"/tickets/{ticket_id}/images/{reference}/" if reference and ticket_id else None
        if name in {"colspan", "rowspan"}:
            return value if value.isdigit() and len(value) < 3 else None
        return value

    return keep


def _is_safe_link(value: str) -> bool:
    """Absolute http(s), mailto and tel only: a relative link would act on our own pages."""
    try:
        parts = urlsplit(value.strip())
    except ValueError:
        return False
    if "\\" in value:
        return False
    return (parts.scheme in {"http", "https"} and bool(parts.netloc)) or parts.scheme in {"mailto", "tel"}


def clean_html(text: str, *, ticket_id: int | None = None) -> str:
    """Cleaned HTML of a stranger's HTML. Images point at our own proxy address, everything else remote is dropped."""
    cleaner = nh3.Cleaner(
        tags=_TAGS,
        clean_content_tags={"script", "style", "title", "head", "svg", "math", "template", "noscript", "iframe"},
        attributes=_ATTRIBUTES,
        attribute_filter=_attribute(ticket_id),
        strip_comments=True,
        link_rel="noopener noreferrer nofollow",
        url_schemes={"http", "https", "mailto", "tel"},
        set_tag_attribute_values={"a": {"target": "_blank"}},
    )
    text = text[:_SHOWN_LIMIT].replace("\x00", "")
    if text.count("<") > _TAGS_LIMIT:
        text = text_to_html(html_to_text(text))
    return _drop_empty_images(cleaner.clean(text))


_EMPTY_IMAGE = re.compile(r'<img(?:\s+alt="([^"]*)")?\s*>')


def _drop_empty_images(text: str) -> str:
    """An image whose source was refused leaves its words, never a broken frame."""
    return _EMPTY_IMAGE.sub(lambda m: f"[{m.group(1)}]" if m.group(1) else "", text)


def text_to_html(text: str) -> str:
    """Plain text as the HTML we store and send: paragraphs, line breaks, links; everything else escaped."""
    blocks = re.split(r"\n{2,}", text.replace("\r\n", "\n").replace("\r", "\n").strip("\n"))
    return "".join(f"<p>{_linked(block).replace(chr(10), '<br>')}</p>" for block in blocks if block.strip())


def _linked(text: str) -> str:
    parts: list[str] = []
    end = 0
    for found in _LINK.finditer(text):
        address = found.group(0).rstrip(".,;:!?)")
        parts.append(html.escape(text[end : found.start()]))
        parts.append(f'<a href="{html.escape(address)}">{html.escape(address)}</a>')
        end = found.start() + len(address)
    parts.append(html.escape(text[end:]))
    return "".join(parts)


def cleaned_body(text: str, *, is_html: bool, ticket_id: int | None) -> str:
    """What a page may show of a stored body."""
    return clean_html(text if is_html else text_to_html(text), ticket_id=ticket_id)


_BREAK = re.compile(r"<\s*(?:br|/p|/div|/li|/tr|/h\d)\s*/?>", re.IGNORECASE)
_ANY_TAG = re.compile(r"<[^<>]{0,2000}>")


def html_to_text(text: str) -> str:
    """Plain words of HTML, for previews, mails and comparisons."""
    text = _ANY_TAG.sub("", _BREAK.sub("\n", _without_comments(text)))
    return html.unescape(text).replace("\xa0", " ").strip()


def _without_comments(text: str) -> str:
    """Without complete comments. Found one by one: a pattern would try every "<!--" to the end of the text."""
    kept, at = [], 0
    while (start := text.find("<!--", at)) >= 0 and (end := text.find("-->", start + 4)) >= 0:
        kept.append(text[at:start])
        at = end + 3
    return "".join([*kept, text[at:]])


def without_marker(text: str) -> str:
    return _MARKER.sub("", text)
