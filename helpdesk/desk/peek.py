"""What the preview beside a list shows: the ticket's head and the last things said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from helpdesk.actions.choices import Kind
from helpdesk.actions.models import Action
from helpdesk.actions.text import html_to_text, without_marker
from helpdesk.desk.story_rows import AUTHOR, author_in
from helpdesk.tickets.models import Ticket

LAST = 4
MOST = 700
"""Characters shown of one of them."""
_SHOWN = ("pk", "kind", "occurred_at", "is_internal", "author_name", "body", "body_is_html")
_KINDS = dict(Kind.choices)


def preview_of(ticket: Ticket) -> dict[str, Any]:
    """Clocks and the last few messages, newest first: two queries, however long the story."""
    found = Action.objects.filter(ticket=ticket).messages().order_by("-occurred_at", "-pk")
    said = [_said(values) for values in found.values_list(*_SHOWN, *AUTHOR)[:LAST]]
    clocks = sorted(ticket.clocks.all(), key=lambda c: c.kind != "response")
    return {"ticket": ticket, "clocks": clocks, "said": said, "words": "" if said else _described(ticket)}


def _described(ticket: Ticket) -> str:
    words = html_to_text(ticket.description) if ticket.description_is_html else ticket.description
    return words[:MOST]


def _said(values: Sequence[Any]) -> dict[str, Any]:
    pk, kind, at, is_internal, written, body, is_html, *author = values
    who, text = written or author_in(author), words_of(body, is_html=is_html)
    return {"pk": pk, "who": who, "at": at, "kind": _KINDS[kind], "is_internal": is_internal, "text": text}


def words_of(body: str, *, is_html: bool) -> str:
    """Plain words, cut: a preview never carries a stranger's HTML."""
    body = without_marker(body[:20_000])
    words = html_to_text(body) if is_html else body.strip()
    return words if len(words) <= MOST else words[:MOST].rsplit(" ", 1)[0] + " …"
