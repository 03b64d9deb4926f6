"""What every template keeps to: nothing inline, nothing that needs script to be read or saved, every word marked for
translation, every icon known."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.template.loader import get_template

from helpdesk.core import icons

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES = ROOT / "templates"
FILES = sorted(TEMPLATES.rglob("*.html"))
NAMES = [str(path.relative_to(TEMPLATES)) for path in FILES]
LONGEST = 120

_COMMENT = re.compile(r"\{#.*?#\}|\{% comment %\}.*?\{% endcomment %\}|<!--.*?-->", re.DOTALL)
_TAG = re.compile(r"\{[%{].*?[%}]\}", re.DOTALL)
_ELEMENT = re.compile(r"<([a-zA-Z][\w-]*)((?:[^<>\"']|\"[^\"]*\"|'[^']*')*)>")


def source(name: str) -> str:
    return (TEMPLATES / name).read_text()


def bare(name: str) -> str:
    """Without comments and without template tags, which may hold quotes and angle brackets."""
    return _TAG.sub("", _COMMENT.sub("", source(name)))


def elements(name: str) -> list[tuple[str, str]]:
    return [(tag.lower(), attributes) for tag, attributes in _ELEMENT.findall(bare(name))]


def has(attributes: str, name: str) -> bool:
    return (
        re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", re.sub(r"\"[^\"]*\"|'[^']*'", "", attributes)) is not None
    )


@pytest.mark.parametrize("name", NAMES)
def test_nothing_inline(name: str) -> None:
    text = bare(name)
    assert not re.search(r"<style\b", text), "inline style sheet"
    for tag, attributes in elements(name):
        assert not has(attributes, "style"), f"style= on <{tag}>"
        assert not re.search(r"(?<![\w-])on[a-z]+\s*=", attributes), f"event attribute on <{tag}>"
        assert "hx-on" not in attributes, f"hx-on on <{tag}>"
        assert "javascript:" not in attributes.lower(), f"javascript: on <{tag}>"
        assert not re.search(r"hx-(vals|vars|headers)\s*=\s*[\"']?js:", attributes), f"js: on <{tag}>"
        trigger = re.search(r"hx-trigger\s*=\s*(\"[^\"]*\"|'[^']*')", attributes)
        assert not (trigger and "[" in trigger[1]), f"trigger filter on <{tag}>: fires on every event under our policy"
        if tag == "script":
            assert has(attributes, "src"), "script without src"
    for script in re.findall(r"<script\b[^>]*>(.*?)</script>", text, re.DOTALL):
        assert not script.strip(), "inline script"


@pytest.mark.parametrize("name", NAMES)
def test_it_works_without_script(name: str) -> None:
    text = bare(name)
    for tag, attributes in elements(name):
        if has(attributes, "hx-get"):
            behind = text[text.find(attributes) + len(attributes) :]
            has_link = re.match(r">\s*<a\b[^>]*\bhref=", behind)
            assert has(attributes, "href") or tag == "form" or has_link, f"hx-get without href on <{tag}>"
        for verb in ("hx-post", "hx-put", "hx-patch", "hx-delete"):
            if has(attributes, verb):
                assert verb == "hx-post", f"{verb}: forms know get and post only"
                in_form = tag == "form" and has(attributes, "action")
                assert in_form or has(attributes, "formaction") or _inside_form(text, attributes), (
                    f"hx-post on <{tag}> outside a form with an action"
                )
    for attributes in re.findall(r"<form\b([^>]*)>", text):
        assert has(attributes, "action"), "form without action"


def _inside_form(text: str, attributes: str) -> bool:
    before = text[: text.find(attributes)]
    return before.rfind("<form") > before.rfind("</form")


@pytest.mark.parametrize("name", NAMES)
def test_every_form_that_posts_carries_its_token(name: str) -> None:
    text = _COMMENT.sub("", source(name))
    for form in re.findall(r"<form\b.*?</form>", text, re.DOTALL):
        head = _TAG.sub("", form.split(">", 1)[0])
        if re.search(r"method=[\"']?post", head, re.IGNORECASE):
            assert "csrf_token" in form or "{% slot body %}" in form, f"no token in {head}>"


@pytest.mark.parametrize("name", [n for n in NAMES if Path(n).name.startswith("_") and Path(n).name != "_layout.html"])
def test_partials(name: str) -> None:
    text = source(name)
    assert "{% extends" not in text, "a partial extends nothing"
    start = re.sub(r"^(\s*\{% load [^%]*%\}\s*)*", "", text)
    assert start.startswith("{#"), "a partial begins with a comment that names its context"
    assert "context" in start[: start.find("#}")].lower(), "the comment names the partial's context"


@pytest.mark.parametrize("name", NAMES)
def test_icons_are_on_the_sheet(name: str) -> None:
    for icon in re.findall(r"\{%\s*icon\s+[\"']([^\"']+)[\"']", source(name)):
        assert icon in icons.NAMES, icon
    for icon in re.findall(r"icon_name=[\"']([^\"']+)[\"']", source(name)):
        assert icon in icons.NAMES, icon
    assert "{% lucide" not in source(name), "use {% icon %}"


def test_icons_named_in_code_are_on_the_sheet() -> None:
    for path in (ROOT / "helpdesk").rglob("*.py"):
        for icon in re.findall(r"icon=\"([a-z0-9-]+)\"", path.read_text()):
            assert icon in icons.NAMES, f"{path}: {icon}"


WORDS_ATTRIBUTES = ("title", "aria-label", "placeholder", "alt", "label")
NOT_WORDS = re.compile(
    r"^(?:&\w+;|&#\d+;|Ctrl|Shift|Esc|Alt|Enter|Space|K|[A-Z?/.]|[\W\d_]+|dispatcher@.*|technician@.*|manager@.*|admin@.*"
    r"|client@.*|otherclient@.*|helpdesk-demo|PSA|SLA|CSV|XLSX|PDF|PNG|min|ms|h|s|v)$"
)


@pytest.mark.parametrize("name", NAMES)
def test_visible_words_are_marked_for_translation(name: str) -> None:
    """Heuristic: letters outside tags and of attributes that people read stand in translate or blocktranslate."""
    text = _COMMENT.sub("", source(name))
    text = re.sub(r"\{% block(?:trans|translate)\b.*?\{% endblock(?:trans|translate) %\}", "", text, flags=re.DOTALL)
    text = re.sub(r"\{% block body_class %\}.*?\{% endblock %\}", "", text)
    text = re.sub(r"\{% verbatim %\}.*?\{% endverbatim %\}", "", text, flags=re.DOTALL)
    text = _TAG.sub("", text)
    wrong = []
    for piece in re.split(r"<(?:[^<>\"']|\"[^\"]*\"|'[^']*')*>", re.sub(r"<(code|kbd)\b.*?</\1>", "", text)):
        for word in re.findall(r"[A-Za-z]{2,}[A-Za-z ,.']*", piece):
            if not NOT_WORDS.match(word.strip()):
                wrong.append(word.strip())
    for _tag, attributes in _ELEMENT.findall(text):
        for attribute in WORDS_ATTRIBUTES:
            for value in re.findall(rf"(?<![\w-]){attribute}=\"([^\"]*)\"", attributes):
                if re.search(r"[A-Za-z]{2,}", value) and not NOT_WORDS.match(value.strip()):
                    wrong.append(f"{attribute}={value}")
    assert not wrong, wrong


@pytest.mark.parametrize("name", NAMES)
def test_it_compiles_and_is_short(name: str) -> None:
    get_template(name)
    assert len(source(name).splitlines()) <= LONGEST


def test_every_page_has_a_title() -> None:
    wrong = [
        name
        for name in NAMES
        if not Path(name).name.startswith("_")
        and re.search(r"\{% extends \"(base|client|alone|settings/base)\.html\" %\}", source(name))
        and name not in {"settings/base.html"}
        and not re.search(r"\{% block (title|head_title) %\}", source(name))
    ]
    assert not wrong, wrong


def test_style_sheets_name_tokens_only() -> None:
    """Colours live in tokens.css; what areas add uses their names. (desk.css came with the design as it is.)"""
    wrong = []
    for path in sorted((ROOT / "static" / "css").glob("*.css")):
        if path.name in {"tokens.css", "brand.css", "desk.css"}:
            continue
        text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
        wrong += [
            f"{path.name}: {c}" for c in re.findall(r"(?<![\w&-])#[0-9a-fA-F]{3,8}\b(?=[;,\s)])", text) if c != "#fff"
        ]
    assert not wrong, wrong


def test_scripts_reach_nobody_else_and_run_no_text() -> None:
    for path in sorted((ROOT / "static" / "js").glob("*.js")):
        text = re.sub(r"/\*.*?\*/|(?<!:)//[^\n]*", "", path.read_text(), flags=re.DOTALL)
        text = text.replace("http://www.w3.org/2000/svg", "")
        for word in (
            "eval(",
            "new Function",
            "document.write",
            "https://",
            "http://",
            '.setAttribute("style"',
            "cssText",
        ):
            assert word not in text, f"{path.name}: {word}"
