"""desk.morph in Chromium: what stays is the same node, and what people hold is left alone."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser
SCRIPT = Path(__file__).resolve().parents[3] / "static" / "js" / "morph.js"


@pytest.fixture
def board(page: Any) -> Any:
    """A page with morph.js and nothing else; `start` sets its content and remembers every node."""
    page.goto("about:blank")
    page.set_content("<!doctype html><body><div id='box'></div></body>")
    page.add_script_tag(path=str(SCRIPT))
    page.evaluate(
        """() => {
            window.start = (html) => {
                const box = document.getElementById('box');
                box.innerHTML = html;
                let n = 0;
                for (const node of box.querySelectorAll('*')) node.mark = ++n;
            };
            window.same = (selector) => Boolean(document.querySelector(selector).mark);
            window.to = (html) => desk.morph(document.getElementById('box'), html);
            window.now = () => document.getElementById('box').innerHTML;
        }"""
    )
    return page


def lane(*cards: str) -> str:
    return f"<section data-key='lane'>{''.join(cards)}</section>"


def card(pk: int, words: str = "", more: str = "") -> str:
    return f"<article data-ticket='{pk}'{more}><h3>{words or pk}</h3></article>"


def order(page: Any) -> list[str]:
    return page.evaluate("[...document.querySelectorAll('[data-ticket]')].map(n => n.dataset.ticket)")


CHANGES = [
    ([1, 2, 3], [1, 2, 3]),
    ([1, 2, 3], [3, 1, 2]),
    ([1, 2, 3], [3, 2, 1]),
    ([1, 2, 3], [2]),
    ([2], [1, 2, 3]),
    ([1, 2, 3], []),
    ([], [1, 2]),
    ([1, 2, 3, 4, 5], [5, 9, 1, 8, 3]),
]


@pytest.mark.parametrize(("before", "after"), CHANGES)
def test_cards_come_go_and_move(board: Any, before: list[int], after: list[int]) -> None:
    board.evaluate("html => start(html)", lane(*map(card, before)))
    board.evaluate("html => to(html)", lane(*map(card, after)))
    assert order(board) == [str(pk) for pk in after]
    for pk in set(before) & set(after):
        assert board.evaluate(f"same(\"[data-ticket='{pk}']\")"), f"{pk} was made anew"


def test_the_result_is_what_was_asked_for(board: Any) -> None:
    """Any of a thousand random changes ends with exactly the new markup."""
    wrong = board.evaluate(
        """() => {
            let seed = 7;
            const rnd = (n) => { seed = (seed * 1103515245 + 12345) % 2147483648; return seed % n; };
            const make = () => {
                let out = '';
                const pool = [1, 2, 3, 4, 5, 6, 7, 8].sort(() => rnd(3) - 1).slice(0, rnd(9));
                for (const lane of ['a', 'b', 'c'].slice(0, 1 + rnd(3))) {
                    const cards = pool.splice(0, 1 + rnd(4)).map((pk) =>
                        `<article data-ticket="${pk}" class="c${rnd(2)}">` +
                        `${rnd(2) ? 'text ' + rnd(3) : ''}<p>${rnd(5)}</p>` +
                        `${rnd(2) ? '<b>b</b>' : ''}${rnd(2) ? '<i id="i' + pk + '">x</i>' : ''}</article>`);
                    out += `<section data-key="${lane}"><h2>${rnd(9)}</h2>${cards.join(rnd(2) ? ' ' : '')}</section>`;
                }
                return out;
            };
            for (let i = 0; i < 1000; i++) {
                const html = make();
                start(make());
                to(html);
                const want = document.createElement('div');
                want.innerHTML = html;
                if (want.innerHTML !== now()) return [want.innerHTML, now()];
            }
            return null;
        }"""
    )
    assert wrong is None, "\n".join(wrong)


def test_a_card_goes_to_another_lane_as_itself(board: Any) -> None:
    two = "<section data-key='a'>{}</section><section data-key='b'>{}</section>"
    for first, second in ((card(1, more=" data-selected"), ""), ("", card(1, more=" data-selected"))):
        board.evaluate("html => start(html)", two.format(first, second))
        board.evaluate("html => to(html)", two.format(card(1) if second else "", card(1) if first else ""))
        assert board.evaluate("same(\"[data-ticket='1']\")")
        assert board.evaluate("document.querySelector('[data-ticket]').hasAttribute('data-selected')")
        assert board.evaluate(
            f"document.querySelector('[data-ticket]').parentNode.dataset.key === '{'b' if first else 'a'}'"
        )


def test_rows_of_a_table(board: Any) -> None:
    table = "<table><tbody id='rows'>{}</tbody></table>"
    row = "<tr data-ticket='{0}'><td><input type='checkbox' name='pick' value='{0}'><td>{1}</tr>"
    board.evaluate("html => start(html)", table.format(row.format(1, "old") + row.format(2, "b")))
    board.check("input[value='1']")
    board.evaluate("html => to(html)", table.format(row.format(3, "n") + row.format(2, "b") + row.format(1, "new")))
    assert order(board) == ["3", "2", "1"]
    assert board.is_checked("input[value='1']")
    assert not board.is_checked("input[value='3']")
    assert board.inner_text("tr[data-ticket='1'] td:last-child") == "new"


def test_typed_text_cursor_and_selection_stay(board: Any) -> None:
    form = "<form><h2>{}</h2><textarea id='t'></textarea><input id='n' value='{}'><input id='m' value='{}'></form>"
    board.evaluate("html => start(html)", form.format("a", "one", "x"))
    board.fill("#t", "half a sentence")
    board.evaluate("document.querySelector('#t').setSelectionRange(2, 6)")
    board.evaluate("document.querySelector('#n').value = 'typed'")
    board.evaluate("html => to(html)", form.format("b", "two", "y"))
    assert board.inner_text("h2") == "b"
    assert board.input_value("#t") == "half a sentence"
    assert board.input_value("#n") == "typed"
    assert board.input_value("#m") == "y"
    assert board.evaluate("document.activeElement.id") == "t"
    assert board.evaluate("[document.activeElement.selectionStart, document.activeElement.selectionEnd]") == [2, 6]


def test_focus_survives_a_move(board: Any) -> None:
    one = "<li data-key='{0}'><a href='#' id='a{0}'>{0}</a></li>"
    board.evaluate("html => start(html)", "".join(one.format(n) for n in "123"))
    board.focus("#a3")
    board.evaluate("html => to(html)", "".join(one.format(n) for n in "321"))
    assert board.evaluate("document.activeElement.id") == "a3"


def test_what_somebody_holds_is_not_taken_away(board: Any) -> None:
    board.evaluate(
        "html => start(html)",
        card(1, more=" ")
        + "<form data-key='c'><textarea id='t'></textarea></form><p data-keep id='k'>kept</p><p>x</p>",
    )
    board.fill("#t", "not sent yet")
    board.evaluate("document.activeElement.blur()")
    board.evaluate("html => to(html)", card(2))
    assert board.input_value("#t") == "not sent yet"
    assert board.inner_text("#k") == "kept"
    assert order(board) == ["2"]


def test_open_details_selects_and_boxes(board: Any) -> None:
    html = (
        "<details id='d'><summary>{0}</summary>more</details><select id='s'><option>a<option>b<option>c</select>"
        "<input type='checkbox' id='c'><span>{0}</span>"
    )
    board.evaluate("html => start(html)", html.format(1))
    board.click("summary")
    board.select_option("#s", "b")
    board.check("#c")
    board.evaluate("html => to(html)", html.format(2))
    assert board.evaluate("document.querySelector('#d').open")
    assert board.input_value("#s") == "b"
    assert board.is_checked("#c")
    assert board.inner_text("span") == "2"


def test_scroll_stays(board: Any) -> None:
    cards = "".join(card(n, more=" class='tall'") for n in range(40))
    board.add_style_tag(content=".lane-cards { height: 200px; overflow: auto } .tall { height: 40px }")
    html = "<div class='lane-cards' data-key='l'>{}</div>"
    board.evaluate("html => start(html)", html.format(cards))
    board.evaluate("document.querySelector('.lane-cards').scrollTop = 400")
    board.evaluate("html => to(html)", html.format(cards.replace("<h3>7<", "<h3>seven<")))
    assert board.evaluate("document.querySelector('.lane-cards').scrollTop") == 400


def test_equal_parts_are_not_touched(board: Any) -> None:
    board.evaluate("html => start(html)", lane(card(1), card(2, "two")))
    board.evaluate(
        """() => {
            window.touched = [];
            new MutationObserver((all) => window.touched.push(...all.map((m) => m.target.nodeName)))
                .observe(document.getElementById('box'),
                    {subtree: true, childList: true, attributes: true, characterData: true});
        }"""
    )
    board.evaluate("html => to(html)", lane(card(1), card(2, "new")))
    assert board.evaluate("new Promise((done) => setTimeout(() => done(window.touched), 20))") == ["#text"]


def test_the_root_itself_may_change(board: Any) -> None:
    board.evaluate("html => start(html)", "<div id='part' data-state='running'><b>1</b></div>")
    board.evaluate("desk.morph(document.getElementById('part'), '<div id=\"part\" data-state=\"late\"><b>2</b></div>')")
    assert board.evaluate("now()") == '<div id="part" data-state="late"><b>2</b></div>'
    assert board.evaluate("same('#part')")


def test_scripts_in_an_answer_do_not_run(board: Any) -> None:
    board.evaluate("html => start(html)", "<p>1</p>")
    board.evaluate("html => to(html)", "<p>2</p><script>window.ran = 1</script>")
    assert board.evaluate("window.ran") is None


def test_it_stays_small() -> None:
    code = re.sub(r"/\*.*?\*/|//[^\n]*", "", SCRIPT.read_text(), flags=re.DOTALL)
    assert len([line for line in code.splitlines() if line.strip()]) < 220
