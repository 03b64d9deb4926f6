from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from helpdesk.portal.steps import steps
from helpdesk.portal.words import (
    TABLE,
    Facts,
    Reader,
    Situation,
    first_name,
    headline,
    is_late,
    line,
    promise,
    question_in,
    situation,
    summary,
)
from helpdesk.tickets.choices import Category

NOW = datetime(2026, 11, 17, 14, 22, tzinfo=UTC)
LONDON = Reader(now=NOW, zone=ZoneInfo("Europe/London"), zone_words="your time")
HOUR = timedelta(hours=1)


def facts(category: str = "open", **values: Any) -> Facts:
    return Facts(**{"category": category, "opened_at": NOW - 2 * HOUR, "who": "Priya", **values})


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (facts("new"), "Yes. Priya has it and looks at it next."),
        (facts("new", who=""), "We have it. Somebody looks at it next."),
        (facts(in_work_at=NOW - HOUR), "Yes. Priya is working on it right now."),
        (facts(in_work_at=NOW - 9 * HOUR), "Yes. Priya is working on it."),
        (facts(in_work_at=NOW - 9 * HOUR, worked_at=NOW - HOUR), "Yes. Priya is working on it right now."),
        (facts(who=""), "Yes. Our team is working on it."),
        (facts("escalated"), "Yes. Priya is on it, ahead of other work."),
        (facts("waiting"), "Yes. Priya has it and goes on at the next step."),
        (facts("waiting_third_party", who=""), "Yes. We are waiting for a supplier."),
        (facts("waiting_client"), "Yes, and Priya needs your answer."),
        (facts("waiting_client", client_wrote_at=NOW), "Yes. Priya has your answer."),
        (facts("resolved", fixed_at=NOW - HOUR), "It is fixed."),
        (facts("closed", fixed_at=NOW - HOUR), "It is done."),
        (
            facts("resolved", fixed_at=NOW - HOUR, client_wrote_at=NOW),
            "We have your message and look at it again.",
        ),
    ],
)
def test_headline_answers_whether_anybody_is_on_it(given: Facts, says: str) -> None:
    assert headline(given, NOW) == says


def test_every_category_and_situation_has_its_sentences() -> None:
    assert {situation(facts(c), NOW) for c in Category.values} <= set(TABLE)
    assert set(TABLE) == set(Situation)


def test_promise_says_by_when_in_the_readers_zone_then_what_comes_next() -> None:
    given = facts(answered_at=NOW - HOUR, fix_due_at=NOW + timedelta(minutes=42))
    assert promise(given, LONDON) == (
        "We expect it to be fixed <b>by 15:04 today</b>, your time. Priya writes to you with the result."
    )
    new_york = Reader(now=NOW, zone=ZoneInfo("America/New_York"), zone_words="New York time")
    assert "<b>by 10:04 today</b>, New York time" in promise(given, new_york)


def test_promise_before_the_first_answer_names_both_instants() -> None:
    given = facts("new", answer_due_at=NOW + HOUR, fix_due_at=NOW + 26 * HOUR)
    assert promise(given, LONDON).startswith(
        "You hear from us <b>by 15:22 today</b>, your time. We expect it to be fixed <b>by 16:22 tomorrow</b>."
    )


def test_a_passed_promise_is_admitted() -> None:
    given = facts(answered_at=NOW - HOUR, fix_due_at=NOW - timedelta(minutes=18))
    assert is_late(given, NOW)
    assert "We said <b>today 14:04</b> and are late. We are sorry." in promise(given, LONDON)
    assert line(given, LONDON) == "Priya is working on it, later than we said"


def test_waiting_for_the_client_is_never_our_lateness() -> None:
    given = facts("waiting_client", fix_due_at=NOW - HOUR, question="Which extension is on the sticker?")
    assert not is_late(given, NOW)
    assert line(given, LONDON) == "We need your answer: Which extension is on the sticker?"


def test_names_and_times_are_escaped() -> None:
    assert "<script>" not in promise(facts(who="<script>x</script>"), LONDON)
    assert headline(facts(who="{0.__class__}"), NOW) == "Yes. {0.__class__} is working on it."


def test_steps_follow_the_work() -> None:
    given = facts(answered_at=NOW - timedelta(hours=1, minutes=48), in_work_at=NOW - HOUR, fix_due_at=NOW + HOUR)
    told = [(s.name, s.when, s.is_done, s.is_current) for s in steps(given, LONDON)]
    assert told == [
        ("Received", "today 12:22", True, False),
        ("Answered", "after 12 min", True, False),
        ("In work", "since 13:22", False, True),
        ("Fixed", "by 15:22", False, False),
    ]


@pytest.mark.parametrize("category", Category.values)
def test_exactly_one_step_is_current(category: str) -> None:
    assert sum(s.is_current for s in steps(facts(category), LONDON)) == 1
    assert sum(s.is_current for s in steps(facts(category, answered_at=NOW), LONDON)) == 1


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("It is pinned. Could you print one page, please?", "Could you print one page, please?"),
        ("Done for today.", ""),
        ("Thanks!\nOn Mon, 16 Nov Aoife wrote:\n> is anybody on it?", ""),
        ("First? And which extension is on the sticker? Thank you.", "And which extension is on the sticker?"),
        ("?", ""),
        ("x" * 300 + "?", ""),
    ],
)
def test_question_in(text: str, asks: str) -> None:
    assert question_in(text) == asks


@pytest.mark.parametrize(
    ("name", "first"),
    [("Priya Nair", "Priya"), ("Nair, Priya", "Priya"), ("priya.nair@harbour.test", ""), ("", ""), ("Cher", "Cher")],
)
def test_first_name(name: str, first: str) -> None:
    assert first_name(name) == first


@pytest.mark.parametrize(
    ("counts", "says"),
    [
        ((9, 4, 1, 0), "Everything is on time. One thing needs you."),
        ((9, 4, 0, 2), "2 requests are late. Nothing needs you."),
        ((9, 0, 0, 0), "Nothing is open. Everything is done."),
        ((0, 0, 0, 0), "You have not asked us for anything yet."),
    ],
)
def test_summary(counts: tuple[int, int, int, int], says: str) -> None:
    total, opened, yours, late = counts
    assert summary(total=total, opened=opened, yours=yours, late=late) == says
