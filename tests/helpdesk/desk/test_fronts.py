"""Markup that is written in Python: the same as a template's, with everything foreign escaped."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import pytest
from django.template.loader import render_to_string
from django.utils.html import format_html

from helpdesk.desk.entries import Entry
from helpdesk.desk.fronts import outcome_of
from helpdesk.desk.outcome_buttons import Button
from helpdesk.desk.ticket_side import Line
from tests.factories import NOW

HOSTILE = """<img src=x onerror="alert('1')">&"""


class _Reader(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data


def read(line: Line) -> _Reader:
    return _Reader(str(line.drawn))


def test_an_open_property_leads_to_its_input_with_and_without_script() -> None:
    seen = read(Line(name="team", label="Team", value="Network", is_open=True, address="/tickets/7/field/team/"))
    assert seen.tags[0] == ("dd", {"id": "field-team"})
    assert seen.tags[1] == (
        "a",
        {
            "class": "edit",
            "href": "/tickets/7/field/team/",
            "hx-get": "/tickets/7/field/team/",
            "hx-target": "#field-team",
            "hx-swap": "outerHTML",
        },
    )
    assert seen.words == "Team: Network"


def test_an_empty_property_says_what_a_press_does_and_a_closed_one_why_it_does_nothing() -> None:
    assert read(Line(name="team", label="Team", value="", is_open=True, address="/a/")).words == "Team: Set"
    closed = read(Line(name="team", label="Team", value="", why="Nobody may."))
    assert closed.words == "None. Nobody may."
    assert not [tag for tag, _attributes in closed.tags if tag == "a"]
    assert ("span", {"class": "edit", "title": "Nobody may."}) in closed.tags


def test_a_property_on_its_way_says_so() -> None:
    for is_open in (True, False):
        marks = [a for _tag, a in read(Line(name="team", label="T", value="N", sync="pending", is_open=is_open)).tags]
        assert [a["data-sync"] for a in marks if "data-sync" in a] == ["pending"]


def test_nothing_foreign_becomes_markup() -> None:
    for is_open in (True, False):
        line = Line(name=HOSTILE, label=HOSTILE, value=HOSTILE, is_open=is_open, why=HOSTILE, address=HOSTILE)
        seen = read(line)
        assert {tag for tag, _attributes in seen.tags} <= {"dd", "a", "span", "svg", "use"}
        assert not [name for _tag, attributes in seen.tags for name in attributes if name.startswith("on")]
        assert seen.words.count(HOSTILE) == 2


def drawn(*entries: Entry) -> str:
    return render_to_string("actions/_entries.html", {"entries": entries, "ticket": None})


@pytest.mark.parametrize("shape", ["day", "line", "message"])
def test_an_entry_that_nothing_hangs_on_looks_like_one_of_the_template(shape: str) -> None:
    entry = Entry(shape=shape, at=NOW, key="action-7", clock="15:04", name=HOSTILE, words=HOSTILE, icon="pencil",
                  visibility="internal", sync="pending", body_clean="<p>Hi</p>", long="10 min",
                  is_billable=True)  # fmt: skip
    whole = _Reader(drawn(entry))
    assert not [tag for tag, _attributes in whole.tags if tag == "img"]
    assert HOSTILE in whole.words
    more = Entry(**{**vars(entry), "leads_earlier": True})
    assert more.whole == ""
    told = _Reader(drawn(more))
    assert whole.tags == told.tags
    assert "".join(whole.words.split()) == "".join(told.words.split())


def test_markup_of_ours_in_a_line_stays_markup() -> None:
    words = format_html("<b>{}</b> took it", HOSTILE)
    assert f"<span>{words}</span>" in drawn(Entry(shape="line", at=NOW, icon="user-plus", words=words))


def test_an_outcome_s_button_says_why_it_cannot_be_pressed() -> None:
    button = Button(key=7, label=HOSTILE, about=HOSTILE, colour="#aa0000")
    tags = dict(_Reader(outcome_of(button, "/tickets/7/outcome/")).tags)
    assert not {"img", "span"} & set(tags)
    assert (tags["button"]["title"], tags["circle"]["fill"]) == (HOSTILE, "#aa0000")
    assert "disabled" not in tags["button"]
    off = _Reader(outcome_of(replace(button, blocked=HOSTILE, colour=""), "/tickets/7/outcome/"))
    assert "disabled" in dict(off.tags)["button"]
    assert "fill" not in dict(off.tags)["circle"]
    assert off.words == f"{HOSTILE}: {HOSTILE}"
