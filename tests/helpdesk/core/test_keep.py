"""Pieces of templates that are drawn once: what they see, what tells them apart, and how many there may be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.template import Context, RequestContext, Template, TemplateSyntaxError
from django.test import RequestFactory
from django.utils import translation
from django.utils.safestring import mark_safe

from helpdesk.core.templatetags.keep import MOST, KeepNode
from helpdesk.tickets.choices import Rank


@dataclass(frozen=True)
class Word:
    text: str


def drawn(template: Template, **values: Any) -> str:
    return template.render(Context(values))


def node(template: Template) -> KeepNode:
    return template.nodelist.get_nodes_by_type(KeepNode)[0]  # type: ignore[return-value]


def test_it_sees_what_its_tag_names_and_nothing_else() -> None:
    body = "[{{ name }}{{ reader.name }}{{ user }}{{ csrf_token }}{{ request.path }}]"
    template = Template(f"{{% keep name=reader.name %}}{body}{{% endkeep %}}")
    request = RequestFactory().get("/secret/")
    request.user = AnonymousUser()  # type: ignore[attr-defined]
    context = RequestContext(request, {"reader": {"name": "Dana"}})
    assert template.render(context) == "[Dana]"


def test_each_value_has_its_own_text() -> None:
    template = Template("{% keep name=name %}<b>{{ name }}</b>{% endkeep %}")
    assert [drawn(template, name=n) for n in ("Dana", "Theo", "Dana")] == ["<b>Dana</b>", "<b>Theo</b>", "<b>Dana</b>"]
    assert len(node(template).kept) == 2


def test_it_is_drawn_once() -> None:
    template = Template("{% keep words=words %}{{ words }}{% cycle 'a' 'b' %}{% endkeep %}")
    first = drawn(template, words="x")
    node(template).nodelist.clear()
    assert drawn(template, words="x") == first == "xa"


def test_each_language_has_its_own_text() -> None:
    template = Template("{% load i18n %}{% keep %}{% get_current_language as now %}{{ now }}{% endkeep %}")
    seen = []
    for language in ("en-gb", "de", "en-gb"):
        with translation.override(language):
            seen.append(drawn(template))
    assert seen == ["en-gb", "de", "en-gb"]


def test_text_trusted_as_markup_never_lends_its_trust() -> None:
    template = Template("{% keep name=name %}{{ name }}{% endkeep %}")
    assert drawn(template, name=mark_safe("<b>x</b>")) == "<b>x</b>"
    assert drawn(template, name="<b>x</b>") == "&lt;b&gt;x&lt;/b&gt;"


@pytest.mark.parametrize(("first", "second"), [(1, True), (0, False), (1, Rank.CRITICAL)])
def test_equal_is_not_the_same(first: Any, second: Any) -> None:
    template = Template("{% keep value=value %}{{ value }}{% endkeep %}")
    assert [drawn(template, value=v) for v in (first, second)] == [str(first), str(second)]


def test_records_are_compared_by_what_they_say() -> None:
    template = Template("{% keep words=words %}{% for word in words %}{{ word.text }};{% endfor %}{% endkeep %}")
    assert drawn(template, words=(Word("<a>"), Word("b"))) == "&lt;a&gt;;b;"
    assert drawn(template, words=(Word("<a>"), Word("c"))) == "&lt;a&gt;;c;"


@pytest.mark.parametrize("value", [["a list"], {"a": "dict"}, 1.5, object(), (object(),), AnonymousUser()])
def test_what_cannot_be_told_apart_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="keep takes"):
        drawn(Template("{% keep value=value %}{{ value }}{% endkeep %}"), value=value)


@pytest.mark.parametrize(
    "source", ["{% keep name %}{% endkeep %}", "{% keep %}{% block main %}{% endblock %}{% endkeep %}"]
)
def test_a_mistake_is_found_when_the_template_is_read(source: str) -> None:
    with pytest.raises(TemplateSyntaxError):
        Template(source)


def test_it_cannot_fill_memory() -> None:
    template = Template("{% keep name=name %}{{ name }}{% endkeep %}")
    for number in range(3 * MOST):
        assert drawn(template, name=number) == str(number)
    assert len(node(template).kept) <= MOST
