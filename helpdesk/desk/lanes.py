"""A lane of the board drawn straight from its figures: twenty of them through a template cost more than the database.

The same markup as the design's; every value that comes from people or a PSA is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from helpdesk.core.markup import escape
from helpdesk.core.templatetags import words
from helpdesk.desk.board_lanes import OWNER, Lane


def lanes_html(lanes: Iterable[Lane], query: str) -> SafeString:
    """All lanes of a page; `query` is the board's own part of the address."""
    more = reverse("desk:board_more")
    return mark_safe("".join(_lane(lane, more, query) for lane in lanes))


def more_html(lane: Lane, cursor: str, query: str) -> SafeString:
    """The link to the next cards, which follows itself when it is scrolled into sight."""
    return mark_safe(_more(lane, reverse("desk:board_more"), cursor, query))


def _lane(lane: Lane, more: str, query: str) -> str:
    title = escape(lane.title)
    is_owner = lane.key == OWNER
    target = f' data-target="{escape(lane.target)}"' if lane.target else ""
    return (
        f'<section class="lane{" lane-owner" if is_owner else ""}" id=lane-{lane.key} data-lane={lane.key}'
        f" data-digest={lane.digest} data-open={lane.open}{target} aria-labelledby=name-{lane.key}>"
        f"<header class=lane-head>{_mark(lane)}<h2 id=name-{lane.key}>{title}</h2>"
        f"<div class=tally>{_tally(lane)}</div><div class=capacity>{_capacity(lane)}</div></header>\n"
        f"<div class=lane-cards tabindex=0 role=group aria-labelledby=name-{lane.key}>{lane.html}"
        f"{_foot(lane, more, query)}</div></section>"
    )


def _mark(lane: Lane) -> str:
    if lane.shape == "avatar":
        return words.avatar(lane.title, size="m")
    if lane.shape == "status":
        return words.status_mark(lane.shape_key, "", word=False)
    if lane.shape == "prio":
        return words.prio(int(lane.shape_key), "")
    return words.icon(lane.shape)


def _tally(lane: Lane) -> str:
    text = f"<span>{_('%(n)s open') % {'n': lane.open}}</span>"
    if lane.late:
        text += _hot("hot late", "octagon-alert", lane.late, _("breached"))
    if lane.risky:
        text += _hot("hot", "triangle-alert", lane.risky, _("at risk"))
    return text


def _hot(name: str, icon: str, count: int, word: str) -> str:
    word = escape(word)
    return (
        f'<span class="{name}" title="{count} {word}">{words.icon(icon)}{count}<span class="hush"> {word}</span></span>'
    )


def _capacity(lane: Lane) -> str:
    if not lane.hours:
        return f"<span>{escape(_('Next deadline first'))}</span>"
    tone = ' data-tone="risk"' if lane.is_over else ""
    unit = escape(_("h, over") if lane.is_over else _("h booked"))
    return (
        f'<svg class="meter"{tone} aria-hidden="true"><rect width="{lane.percent}%" height="100%"/></svg>'
        f"<span><b>{lane.booked}</b> / {lane.hours_text} {unit}</span>"
    )


def _foot(lane: Lane, more: str, query: str) -> str:
    if lane.more:
        return _more(lane, more, lane.more, query)
    if lane.open:
        return ""
    if lane.key == OWNER:
        text = f"<b>{escape(_('Everything has an owner'))}</b>{escape(_('New tickets appear here by themselves.'))}"
    elif lane.target == "resolved":
        text = escape(_("Drop a ticket here to resolve it."))
    else:
        text = escape(_("Nothing open."))
    return f'<p class="lane-empty" data-key="empty-{lane.key}">{text}</p>'


def _more(lane: Lane, more: str, cursor: str, query: str) -> str:
    address = escape(f"{more}?lane={lane.key}&cursor={cursor}{'&' if query else ''}{query}")
    return (
        f'<a class="button button-small lane-more" data-key="more-{lane.key}" href="{address}">{escape(_("More"))}</a>'
    )
