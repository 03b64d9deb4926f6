"""What the preview beside a list shows: the ticket's head and the last things said."""

from __future__ import annotations

from typing import Any

from helpdesk.actions.models import Action
from helpdesk.actions.text import html_to_text, without_marker
from helpdesk.tickets.models import Ticket

LAST = 4
MOST = 700
"""Characters shown of one of them."""
_SHOWN = (
    "kind", "occurred_at", "is_internal", "author_name", "body", "body_is_html", "author_user__name",
    "author_user__email", "author_agent__name", "author_contact__first_name", "author_contact__last_name",
    "author_contact__email",
)  # fmt: skip


def preview_of(ticket: Ticket) -> dict[str, Any]:
    """Clocks and the last few messages, newest first: two queries, however long the story."""
    actions = list(
        Action.objects.filter(ticket=ticket)
        .messages()
        .select_related("author_user", "author_agent", "author_contact")
        .only(*_SHOWN)
        .order_by("-occurred_at", "-pk")[:LAST]
    )
    clocks = sorted(ticket.clocks.all(), key=lambda c: c.kind != "response")
    words = html_to_text(ticket.description) if ticket.description_is_html else ticket.description
    return {"ticket": ticket, "clocks": clocks, "said": [_said(a) for a in actions], "words": words[:MOST]}


def _said(action: Action) -> dict[str, Any]:
    author = action.author_user or action.author_agent or action.author_contact
    return {
        "pk": action.pk,
        "who": action.author_name or (str(author) if author else ""),
        "at": action.occurred_at,
        "kind": action.get_kind_display(),
        "is_internal": action.is_internal,
        "text": words_of(action),
    }


def words_of(action: Action) -> str:
    """Plain words, cut: a preview never carries a stranger's HTML."""
    body = without_marker(action.body[:20_000])
    words = html_to_text(body) if action.body_is_html else body.strip()
    return words if len(words) <= MOST else words[:MOST].rsplit(" ", 1)[0] + " …"
