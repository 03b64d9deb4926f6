"""Rows, cards and fronts are written as strings: whatever strangers call things, no element or attribute is added."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from html.parser import HTMLParser
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from helpdesk.core.chips import Chip
from helpdesk.desk.fronts import front_of
from helpdesk.tickets.rows import COLUMNS, CardFacts, Facts, Reading, card_html, rows_html, sync_words, value
from tests.factories import NOW

PIECES = (
    '"', "'", "<", ">", "&", "=", "/", "`", " ", "\t", "\n", "\r", "\f", "\x0b", "\x00", "\u00a0", "\u2028", "\u3000",
    "\ufeff", "<b>", "</b>", "<script>", "</a>", "<!--", "-->", "<![CDATA[", "]]>", "&lt;", "&quot;", "&#34",
    " onload=x", "x onclick=y", "data-who", "%s", "%(psa)s", "{x}", "{{ x }}", "{% x %}",
    "\\", "a", "Zoë", "é²", "🎫", "-", ".",
)  # fmt: skip
READING = Reading(NOW, ZoneInfo("Europe/Dublin"))


class Skeleton(HTMLParser):
    """Elements with the names of their attributes, in order."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[tuple[Any, ...]] = []
        self.words = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.parts.append((tag, *(name for name, _value in attrs)))

    def handle_endtag(self, tag: str) -> None:
        self.parts.append((f"/{tag}",))

    def handle_data(self, data: str) -> None:
        self.words += data

    def handle_comment(self, data: str) -> None:
        self.parts.append(("comment",))

    handle_decl = handle_pi = unknown_decl = handle_comment


def _row(text: Callable[[], str]) -> str:
    row = Facts(
        pk=7, number=text(), subject=text(), rank=2, priority=text(), client=text(), account_id=1, mark=text(),
        account=text(), next_clock="response", clock_state="running", next_due_at=NOW + timedelta(hours=1),
        next_at_risk_at=None, clock_seconds=None, clock_calendar=0, sync_state=text.sync, agent_id=3, category="new",  # type: ignore[attr-defined]
        status=text(), agent=text(), person=text(), last_activity_at=NOW, opened_at=NOW, team=text(), kind=text(),
        contact=text(), code=text(),
    )  # fmt: skip
    return rows_html([row], columns=list(COLUMNS), reading=READING)


def _card(text: Callable[[], str]) -> str:
    card = CardFacts(
        pk=7, number=text(), subject=text(), rank=2, priority=text(), client=text(), account_id=1, mark=text(),
        account=text(), next_clock="response", clock_state="running", next_due_at=NOW + timedelta(hours=1),
        next_at_risk_at=NOW, clock_seconds=None, clock_calendar=0, sync_state=text.sync, changed_at=NOW, column=None,  # type: ignore[attr-defined]
        owner=text(), escalated_at=NOW, category="open", colour="teal", code=text(),
    )  # fmt: skip
    present = [(text(), True), (text(), False)]
    return card_html(
        card, Chip("running", text(), text()), reading=READING, words=sync_words(), address=("/t/", "/"),
        present=present,
    )  # fmt: skip


def _front(text: Callable[[], str]) -> str:
    return front_of(
        SimpleNamespace(
            key=text(), at=NOW, clock=text(), name=text(), words=text(), visibility="internal", is_from_client=True,
            sync=text.sync, long=text(), is_billable=True,  # type: ignore[attr-defined]
        )
    )  # fmt: skip


class Told:
    """A stranger's next text; plain letters where `chance` is None."""

    def __init__(self, sync: str, chance: random.Random | None) -> None:
        self.sync, self.chance = sync, chance
        self.said: list[str] = []

    def __call__(self) -> str:
        if self.chance is None:
            return "x"
        self.said.append("x" + "".join(self.chance.choices(PIECES, k=self.chance.randint(1, 5))))
        return self.said[-1]


@pytest.mark.parametrize("write", [_row, _card, _front])
@pytest.mark.parametrize("sync", ["", "pending", "refused"])
def test_no_text_adds_an_element_or_an_attribute(write: Callable[[Any], str], sync: str) -> None:
    wanted = Skeleton(write(Told(sync, None))).parts
    for seed in range(150):
        told = Told(sync, random.Random(seed))
        found = Skeleton(write(told))
        assert found.parts == wanted, told.said


@pytest.mark.parametrize("piece", PIECES)
def test_a_bare_value_is_one_word(piece: str) -> None:
    for text in (piece, f"a{piece}b", f"{piece}a"):
        parser = Skeleton(f"<i title={value(text)} data-last>")
        assert parser.parts == [("i", "title", "data-last")]
