"""`{% keep name=value ... %}...{% endkeep %}`: a piece of a template that is drawn once and then kept as text.

The frame around every page is the same for everybody but for a few words: drawing it anew costs as much as the page
inside it. What stands in the block sees the values named in its tag and nothing else (no user, no request, no token),
and is kept per language and per exactly these values: what one reader gets can never hold what belongs to another.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import is_dataclass
from typing import Any

from django import template
from django.template import Context
from django.template.base import FilterExpression, NodeList, Parser, Token, token_kwargs
from django.template.loader_tags import BlockNode
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import get_language

register = template.Library()

MOST = 256
"""Texts kept per place and process; a place that comes to more starts again, so that an address cannot fill memory."""


class KeepNode(template.Node):
    """Nodes live as long as the process and are shared by its threads: `kept` only ever gains finished texts."""

    child_nodelists = ("nodelist",)

    def __init__(self, nodelist: NodeList, values: dict[str, FilterExpression]) -> None:
        self.nodelist = nodelist
        self.values = values
        self.kept: dict[Hashable, SafeString] = {}

    def render(self, context: Context) -> SafeString:
        values = {name: _plain(value.resolve(context)) for name, value in self.values.items()}
        # With its type: a text that is trusted as markup equals the same text that is not, and 1 equals True.
        key = (get_language(), *[(type(value), value) for value in values.values()])
        found = self.kept.get(key)
        if found is None:
            alone = Context(values)
            alone.template = context.template
            with alone.render_context.push_state(context.template):  # type: ignore[arg-type]
                found = self.nodelist.render(alone)
            if len(self.kept) >= MOST:
                self.kept.clear()
            self.kept[key] = found
        return found


def _plain(value: Any) -> Any:
    """Words, numbers, and frozen records of them: what can be compared. Anything that knows more has no place here."""
    if isinstance(value, Promise):
        value = str(value)
    if (
        value is None
        or isinstance(value, str | int)
        or all(map(_is_record, value if type(value) is tuple else [value]))
    ):
        return value
    raise TypeError(f"keep takes words, numbers and tuples of frozen records, not {type(value).__name__}")


def _is_record(value: Any) -> bool:
    return is_dataclass(value) and type(value).__hash__ is not None


@register.tag
def keep(parser: Parser, token: Token) -> KeepNode:
    bits = token.split_contents()[1:]
    values = token_kwargs(bits, parser)
    if bits:
        raise template.TemplateSyntaxError(f"keep: every value needs a name, {bits[0]!r} has none")
    nodelist = parser.parse(("endkeep",))
    parser.delete_first_token()
    if nodelist.get_nodes_by_type(BlockNode):
        raise template.TemplateSyntaxError("keep: a block differs from page to page")
    return KeepNode(nodelist, values)
