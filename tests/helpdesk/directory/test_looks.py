"""How accounts are told apart: a colour for each, letters where several are of one kind, and no state's colour."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

from helpdesk.core.errors import Refused
from helpdesk.directory.choices import Colour
from helpdesk.directory.looks import change_look, give_look, letters
from helpdesk.directory.models import PsaAccount
from tests.factories import make_account

GROUNDS = ("canvas", "surface", "surface-sunken", "surface-raised", "surface-hover", "surface-active", "accent-tint")


def tokens() -> dict[str, tuple[str, str]]:
    text = (Path(settings.BASE_DIR) / "static/css/tokens.css").read_text()
    found = re.findall(r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)", text)
    return {name: (light, dark) for name, light, dark in found}


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [0, 1])
@pytest.mark.parametrize("colour", Colour.values)
def test_every_colour_is_readable_on_every_ground(colour: str, theme: int) -> None:
    known = tokens()
    ink = known[f"of-{colour}"][theme]
    assert min(contrast(ink, known[ground][theme]) for ground in GROUNDS) >= 4.5


def test_every_colour_is_drawn_and_its_own() -> None:
    css = (Path(settings.BASE_DIR) / "static/css/desk.css").read_text()
    assert all(f'[data-psa$="-{colour}"] {{ --mark-ink: var(--of-{colour}); }}' in css for colour in Colour.values)
    assert len({tokens()[f"of-{colour}"] for colour in Colour.values}) == len(Colour.values)


@pytest.mark.parametrize(
    ("name", "taken", "found"),
    [("halo-south", (), "S"), ("halo-south", ("S",), "SO"), ("s", ("S",), "S1"), ("--", (), "A"), ("north_2", (), "2")],
)
def test_letters(name: str, taken: tuple[str, ...], found: str) -> None:
    assert letters(name, taken) == found


@pytest.mark.django_db
def test_a_second_of_a_kind_gives_both_letters_and_a_title_of_its_own() -> None:
    first = make_account("halo-north", title="HaloPSA", colour="teal")
    alone = make_account("atera", kind="atera", colour="pink")
    second = PsaAccount(name="halo-south", kind="halopsa")
    give_look(second, "HaloPSA")
    first.refresh_from_db()
    alone.refresh_from_db()
    assert (first.code, first.title, second.code, second.title) == ("N", "HaloPSA", "S", "HaloPSA halo-south")
    assert alone.code == ""
    assert second.colour not in (first.colour, alone.colour, "")


@pytest.mark.django_db
def test_a_ninth_account_has_a_colour_too() -> None:
    for number, colour in enumerate(Colour.values):
        make_account(f"a{number}", colour=colour, kind=f"k{number}")
    ninth = PsaAccount(name="b", kind="b")
    give_look(ninth, "B")
    assert ninth.colour in Colour.values


@pytest.mark.django_db
def test_a_title_or_letters_of_another_are_refused() -> None:
    make_account("north", title="North", code="N")
    south = make_account("south", title="South", code="S")
    with pytest.raises(Refused) as caught:
        change_look(account=south, title="NORTH", colour="teal", code="n")
    assert set(caught.value.fields) == {"title", "code"}
    assert change_look(account=south, title="South", colour="plum", code="so") == {"colour": "plum", "code": "SO"}
