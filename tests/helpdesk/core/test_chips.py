"""The words on a clock, as the design spells them, at the instants where they change."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation

from helpdesk.core.chips import chip, phrases, state_at
from helpdesk.core.formatting import FOREVER
from tests.factories import NOW

LONDON = ZoneInfo("Europe/London")


def minutes(n: float) -> datetime:
    return NOW + timedelta(minutes=n)


TABLE = [
    # kind, stored state, due, at risk, seconds -> state, words, title
    ("resolution", "running", 190, 130, None, "running", "On track 3 h 10 min", "Due today 17:32"),
    ("response", "running", 190, 130, None, "running", "On track 3 h 10 min", "Response due today 17:32"),
    ("resolution", "running", 22, -38, None, "at_risk", "At risk 22 min", "Due today 14:44"),
    ("resolution", "at_risk", 22, -38, None, "at_risk", "At risk 22 min", "Due today 14:44"),
    ("resolution", "running", 60, 0, None, "at_risk", "At risk 1 h", "Due today 15:22"),
    ("resolution", "running", 0, -60, None, "at_risk", "At risk 0 min", "Due today 14:22"),
    ("resolution", "running", -35, -95, None, "breached", "Breached 35 min over", "Due today 13:47"),
    ("resolution", "breached", -35, None, None, "breached", "Breached 35 min over", "Due today 13:47"),
    ("resolution", "breached", -300, None, 2100, "breached", "Breached 35 min over", "Due today 09:22"),
    ("resolution", "breached", None, None, 2100, "breached", "Breached 35 min over", "Resolution"),
    ("resolution", "breached", 30, None, None, "breached", "Breached", "Due today 14:52"),
    ("resolution", "paused", None, None, 4800, "paused", "Paused 1 h 20 min left", "Resolution paused"),
    ("resolution", "paused", None, None, None, "paused", "Paused", "Resolution paused"),
    ("response", "met", None, None, 720, "met", "Met in 12 min", "Response"),
    ("response", "met", -60, None, 720, "met", "Met in 12 min", "Response due today 13:22"),
    ("resolution", "not_started", None, None, None, "not_started", "Not started", "Resolution not started"),
    ("resolution", "running", None, None, None, "not_started", "Not started", "Resolution not started"),
    ("", "not_started", None, None, None, "not_started", "Not started", "Resolution not started"),
]


@pytest.mark.parametrize(("kind", "stored", "due", "risk", "seconds", "state", "text", "title"), TABLE)
def test_words(kind, stored, due, risk, seconds, state, text, title) -> None:
    found = chip(
        kind,
        stored,
        None if due is None else minutes(due),
        None if risk is None else minutes(risk),
        seconds,
        NOW,
        LONDON,
    )
    assert found == (state, text, title)


def test_forever_is_no_deadline() -> None:
    assert chip("resolution", "running", FOREVER, None, None, NOW, LONDON).state == "not_started"


def test_the_zone_is_the_readers() -> None:
    assert chip("response", "running", minutes(60), None, None, NOW, ZoneInfo("Asia/Tokyo")).title.endswith(
        "tomorrow 00:22"
    )


def test_a_second_before_and_after() -> None:
    due, risk = minutes(60), minutes(0)
    assert state_at("running", due, risk, risk - timedelta(seconds=1)) == "running"
    assert state_at("running", due, risk, risk) == "at_risk"
    assert state_at("running", due, risk, due) == "at_risk"
    assert state_at("running", due, risk, due + timedelta(seconds=1)) == "breached"
    assert state_at("paused", due, risk, due + timedelta(seconds=1)) == "paused"


def test_phrases_follow_the_language() -> None:
    with translation.override("en-gb"):
        assert phrases()["met_in"] == "Met in %s"
