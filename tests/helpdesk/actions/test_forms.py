"""Time and addresses as people type them."""

from __future__ import annotations

import pytest

from helpdesk.actions.forms import AddressesField, ComposerForm, read_time

MARKER = "7a2b6d4e-0000-4000-8000-000000000001"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("", None), ("0:18", 1080), ("18", 1080), ("1h30", 5400), ("1h30m", 5400), ("90m", 5400), ("1.5h", 5400),
        ("1,5 h", 5400), ("2h", 7200), ("1 h 05 min", 3900), ("0:00", 0), ("10:00", 36000), ("5 min", 300),
    ],
)  # fmt: skip
def test_time(text: str, seconds: int | None) -> None:
    assert read_time(text) == seconds


@pytest.mark.parametrize("text", ["-5", "abc", "1:60", "1:5", "h", "m", "1h-5", "1e3", "5 days", "1:2:3"])
def test_garbage_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        read_time(text)


def form(**data: str) -> ComposerForm:
    return ComposerForm({"marker": MARKER, **data})


@pytest.mark.parametrize(
    ("data", "is_internal"),
    [
        ({}, True),
        ({"kind": "note", "visibility": "public"}, True),
        ({"kind": "reply"}, False),
        ({"kind": "reply", "visibility": "internal"}, False),
        ({"kind": "call"}, True),
        ({"kind": "call", "visibility": "public"}, False),
        ({"kind": "visit", "visibility": "internal"}, True),
    ],
)
def test_who_sees_it(data: dict[str, str], is_internal: bool) -> None:
    given = form(**data)
    assert given.is_valid()
    assert given.is_internal is is_internal


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"time": "-1"}, "time"),
        ({"time": "25:00"}, "time"),
        ({"text": "a\x00"}, "text"),
        ({"status": "abc"}, "status"),
        ({"status": "9" * 40}, "status"),
        ({"kind": "system"}, "kind"),
        ({"to": "nobody"}, "to"),
        ({"marker": "no"}, "marker"),
    ],
)
def test_what_is_wrong_is_named(data: dict[str, str], field: str) -> None:
    given = form(**data)
    assert not given.is_valid()
    assert field in given.errors


def test_addresses_become_one_clean_list() -> None:
    assert AddressesField().clean("a@b.test; c@d.test  a@b.test") == "a@b.test, c@d.test"
