"""One sheet, made from the package, served to anybody and kept for a year."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from django.test import Client

from helpdesk.core import icons


def test_the_sheet_holds_every_name_once() -> None:
    root = ElementTree.fromstring(icons.sheet())
    ids = [symbol.attrib["id"] for symbol in root]
    assert ids == [*sorted(icons.NAMES), "m-brand"]
    assert all(len(symbol) for symbol in root), "an icon without shapes"
    assert "style" not in icons.sheet()
    assert "<script" not in icons.sheet()


@pytest.mark.django_db
def test_anybody_gets_it_and_keeps_it() -> None:
    response = Client().get(f"/i/{icons.digest()}.svg")
    assert response.status_code == 200
    assert response["Content-Type"] == "image/svg+xml"
    assert "immutable" in response["Cache-Control"]


@pytest.mark.django_db
def test_an_old_address_still_gives_icons_but_not_for_long() -> None:
    response = Client().get("/i/0ld0ld0l.svg")
    assert response.status_code == 200
    assert response["Cache-Control"] == "public, max-age=60"
