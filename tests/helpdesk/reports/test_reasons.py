"""Why a promise was not kept, over clocks of a Monday to Friday 09:00-17:30 calendar."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from helpdesk.reports.burns import Change, Facts, Held, holders
from helpdesk.reports.reasons import explain
from helpdesk.sla.hours import Calendar, Hours, Weekly
from helpdesk.sla.ledger import Pause, Run, Terms

OFFICE = Calendar(Hours(zone="UTC", weekly=tuple(Weekly(d, 9 * 60, 17 * 60 + 30) for d in range(5))))
START = datetime(2026, 6, 3, 10, tzinfo=UTC)
"""A Wednesday."""


def after(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def run(ended: float | None = None, *, seconds: int = 4 * 3600, pauses: tuple[Pause, ...] = ()) -> Run:
    return Run(
        started_at=START, terms=(Terms(since=START, calendar=OFFICE, seconds=seconds),), pauses=pauses,
        finished_at=after(ended) if ended is not None else None,
    )  # fmt: skip


def facts(ended: float | None, due: float = 4, **values: Any) -> Facts:
    return Facts(**{
        "kind": "resolution", "due_at": after(due), "ended_at": after(ended) if ended is not None else None, **values
    })  # fmt: skip


def took(at: float, name: str, old: str = "") -> Change:
    return Change(field="agent", at=after(at), old=old, new=name)


def told(changes: list[Change], ended: float | None, now: float = 100, **values: Any) -> str:
    held = holders(Held(from_at=START, status="In progress"), changes)
    return explain(facts(ended, **values), run(ended), held, changes, after(now)).text


def test_it_waited_without_an_owner() -> None:
    said = told([took(3 + 10 / 60, "Priya Nair")], 5 + 20 / 60)
    assert said == "Waited 3 h 10 min without an owner before Priya Nair took it; 1 h 20 min over."


def test_nobody_has_it_yet() -> None:
    assert told([], None, now=5) == "Waited 5 h without an owner; 1 h over by now."


def test_somebody_had_it() -> None:
    said = told([took(0.5, "Marcus")], 6)
    assert said == "Marcus had it for 5 h 30 min, most of it in “In progress”; 2 h over."


def test_an_answer_that_nobody_gave() -> None:
    said = told([took(0.1, "Marcus")], 5, kind="response")
    assert said == "Marcus had it for 4 h 54 min without an answer to the client; 1 h over."


def test_it_went_from_hand_to_hand() -> None:
    moves = [took(0, "A")]
    for at, old, new, teams in ((1.5, "A", "B", ("Desk", "Field")), (3, "B", "C", ("Field", "Desk")),
                                (4.5, "C", "D", ("Desk", "Field"))):  # fmt: skip
        moves += [took(at, new, old), Change(field="team", at=after(at), old=teams[0], new=teams[1])]
    assert told(moves, 6).startswith("3 hand-overs between ")


def test_a_status_for_which_the_clock_runs_on() -> None:
    changes = [
        took(0.2, "Priya"),
        Change(field="status", at=after(1), old="In progress", new="With supplier", category="waiting_third_party",
               old_category="open"),
    ]  # fmt: skip
    assert "Stood 4 h 30 min in “With supplier”, for which this clock does not pause" in told(changes, 5.5)


def test_a_raised_priority_says_so_and_who() -> None:
    change = Change(field="priority", at=after(5), old="Low", new="High", actor="Dana")
    said = told([change, took(0.1, "Priya")], 6, is_retroactive=True, breached_at=after(5))
    assert said.startswith("Dana changed the priority from Low to High: counted from the start")
    plain = told([], 6, is_retroactive=True, breached_at=after(5))
    assert plain.startswith("A later change of priority, policy or calendar")


def test_over_is_open_time_and_a_night_costs_nothing() -> None:
    assert told([took(0.1, "Priya")], 24).endswith("; 4 h 30 min over.")  # due 14:00; open again at 09:00


def test_a_pause_is_nobodys_time() -> None:
    paused = run(7, pauses=(Pause(from_at=after(1), to_at=after(5)),))
    held = holders(Held(from_at=START), [took(5, "Priya")])
    found = explain(facts(7, due=6.5), paused, held, [], after(50))
    assert found.took == 3 * 3600
    assert found.text.startswith("Priya had it for 2 h")


@pytest.mark.parametrize(("is_given", "over"), [(False, 3600), (True, 3 * 3600)])
def test_what_it_stood_still_after_the_deadline_is_not_over_it(is_given: bool, over: int) -> None:
    paused = run(7, pauses=(Pause(from_at=after(4.5), to_at=after(6.5)),))
    held = holders(Held(from_at=START), [took(0.1, "Priya Nair")])
    assert explain(facts(7, is_given=is_given), paused, held, [], after(50)).over == over


def test_without_terms_of_ours_it_is_told_around_the_clock() -> None:
    held = holders(Held(from_at=START, status="Open"), [took(1, "Priya")])
    found = explain(facts(30, due=24, is_theirs=True), None, held, [], after(90))
    assert found.text == "Priya had it for 1 d 5 h, most of it in “Open”; 6 h over."
    assert found.marks == ("by the PSA’s own date",)


def test_what_was_corrected_is_said() -> None:
    found = explain(facts(6, is_corrected=True), run(6), [Held(from_at=START)], [], after(50))
    assert found.marks == ("corrected by hand",)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_changes_within_one_second_hold_nobody_in_between(order: tuple[int, int]) -> None:
    changes = [took(1, "A"), took(1, "B", "A")]
    found = holders(Held(from_at=START), [changes[i] for i in order])
    assert [held.from_at for held in found] == [START, after(1)]
