"""Tags give finished markup: exact, and deaf to what a PSA or a person writes into a name."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django import forms
from django.template import Context, Template

from helpdesk.core import icons
from tests.factories import NOW

NASTY = '"><script>alert(1)</script>'


def render(source: str, **context: Any) -> str:
    return Template(source).render(Context({"now": NOW, **context}))


def test_marks() -> None:
    account = SimpleNamespace(mark="halo", title="Halo & Co", colour="", code="")
    assert render('{% prio 3 "Medium" %}') == '<span class="prio" data-rank="3">Medium</span>'
    assert render('{% prio 3 "Medium" word=True %}') == '<span class="prio" data-rank="3" data-word>Medium</span>'
    assert render('{% status_mark "waiting_client" "With user" %}') == (
        '<span class="status" data-status="waiting">With user</span>'
    )
    assert render('{% status_mark "open" "Open" word=False %}') == (
        '<span class="status" data-status="open"><span class="hush">Open</span></span>'
    )
    assert render("{% psa a word=True %}", a=account) == (
        '<span class="psa" data-psa="halo" data-word>Halo &amp; Co</span>'
    )
    account.colour, account.code = "teal", "N"
    assert render("{% psa a %}", a=account) == (
        '<span class="psa" data-psa="halo-teal" title="Halo &amp; Co" data-code="N">Halo &amp; Co</span>'
    )
    assert render('{% sync "" %}') == ""
    assert 'data-sync="refused" data-word' in render('{% sync "refused" word=True %}')
    assert render('{% avatar "Priya Nair" size="m" live=True %}') == (
        '<span class="avatar" data-size="m" data-live title="Priya Nair" aria-hidden="true">PN</span>'
    )
    assert render("{% visibility True %}") == '<span class="internal-word">Internal</span>'
    assert render("{% visibility False %}") == '<span class="public-word">Public</span>'


@pytest.mark.parametrize(
    "source",
    [
        "{% prio 1 name %}",
        "{% status_mark name name %}",
        "{% status_mark name name word=False %}",
        "{% psa account %}",
        "{% psa account word=True %}",
        "{% avatar name size=name %}",
        '{% marked name "script" %}',
        "{% marked name name %}",
        '{% icon "x" class=name %}',
        "{{ name|initials }}{{ name|first_name }}",
    ],
)
def test_names_from_outside_are_only_text(source: str) -> None:
    found = render(source, name=NASTY, account=SimpleNamespace(mark=NASTY, title=NASTY, colour=NASTY, code=NASTY))
    assert "<script" not in found
    assert '"><' not in found.replace('"><use', "").replace('"><span class="hush">', "")


def test_marked_keeps_the_text_and_marks_once() -> None:
    assert render('{% marked "Glass & glass" "ASS" %}') == "Gl<mark>ass</mark> &amp; glass"
    assert render('{% marked "Glass" "" %}') == "Glass"


def test_icons() -> None:
    found = render('{% icon "x" small=True class="icon-edit" %}')
    assert found == (
        f'<svg class="icon icon-small icon-edit" aria-hidden=true><use href="/i/{icons.digest()}.svg#x"/></svg>'
    )
    with pytest.raises(KeyError, match="no icon"):
        render('{% icon "no-such-thing" %}')


def test_filters() -> None:
    context = {"at": NOW - timedelta(minutes=4), "none": None}
    assert render("{{ at|ago:now }}", **context) == "4 min"
    assert render("{{ 8|ago }}") == "8 s"
    assert render("{{ at|moment:now }}|{{ none|moment:now }}", **context) == "today 14:18|"
    assert render("{{ at|clock_time }}|{{ none|clock_time }}", **context) == "14:18|"
    assert render("{{ at|long_day:now }}", **context) == "Today"
    assert render("{{ 11400|duration }} {{ 4100000|file_size }} {{ 1080|hours_minutes }}") == "3 h 10 min 4.1 MB 0:18"
    assert render("{{ 'Priya Nair'|first_name }} {{ 1000|capped }} {{ 999|capped }}") == "Priya 999+ 999"


class NameForm(forms.Form):
    name = forms.CharField(help_text="As on the badge")
    agree = forms.BooleanField()


def test_inputs_name_their_hint_and_what_is_wrong() -> None:
    found = render("{% form_input form.name %}{% form_input form.agree %}", form=NameForm({"name": ""}))
    assert 'class="input"' in found
    assert 'aria-describedby="id_name-wrong id_name-hint"' in found
    assert 'aria-invalid="true"' in found
    assert 'class="check"' in found
