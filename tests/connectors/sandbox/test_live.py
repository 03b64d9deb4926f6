"""Things that happen by themselves: believable, in a steady state, repeatable, and never in a user's way."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.sandbox import day
from connectors.sandbox.generator import generated
from connectors.sandbox.generator.plan import arrivals
from connectors.sandbox.sandbox import Sandbox
from tests.connectors.sandbox.running import running_sandbox
from tests.patience import until

MONDAY = datetime(2026, 6, 8, 6, 0, tzinfo=UTC).timestamp()


class Demo:
    """A sandbox that nobody serves, on a clock that stands until it is moved."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.time = MONDAY
        self.steps: list[tuple[float, str, int]] = []

    def run(self, seconds: int, step: int = 30) -> None:
        for _ in range(seconds // step):
            self.time += step
            while self.sandbox.live._one():
                _, verb, *rest = self.sandbox.live.last.split()
                self.steps.append((self.time, verb, int(rest[-1])))

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with self.sandbox.store.read() as conn:
            return [tuple(row) for row in conn.execute(query, values)]

    def open(self) -> int:
        return int(self.rows("SELECT count(*) FROM halo_tickets WHERE is_done = 0")[0][0])

    def verbs(self) -> Counter[str]:
        return Counter(verb for _, verb, _ in self.steps)


@contextmanager
def demo(tickets: int = 400, seed: int = 1, state: Path | None = None) -> Iterator[Demo]:
    made: list[Demo] = []
    with Sandbox(state=state, seed=seed, psas=("halopsa",), source=lambda: made[0].time if made else MONDAY) as sandbox:
        made.append(Demo(sandbox))
        if sandbox.is_empty():
            sandbox.load(generated(tickets=tickets, seed=1, now_ms=sandbox.clock.now()))
        yield made[0]


def test_the_queue_moves_and_does_not_grow() -> None:
    with demo(tickets=2_000) as world:
        before = world.open()
        world.sandbox.live.set_rate(3)
        sizes = []
        for _ in range(28):
            world.run(3_600, step=60)
            sizes.append(world.open())
        assert before == 150
        assert all(0.75 * before < size < 1.3 * before for size in sizes), sizes
        assert set(world.verbs()) >= {"new", *day.CHOICES}
        assert world.verbs()["new"] > 250
        statuses = dict(world.rows("SELECT status_id, count(*) FROM halo_tickets WHERE is_closed = 0 GROUP BY 1"))
        assert 10 < statuses[5] < 60
        assert statuses[8] < 30


def test_new_tickets_follow_the_day() -> None:
    with demo(tickets=2_000) as world:
        world.sandbox.live.set_rate(3)
        world.run(24 * 3_600, step=60)
        new = Counter(datetime.fromtimestamp(at, UTC).hour for at, verb, _ in world.steps if verb == "new")
    morning, night = sum(new[hour] for hour in (8, 9, 10)), sum(new[hour] for hour in (0, 1, 2))
    assert morning > 1.5 * night > 0
    assert arrivals(int(MONDAY * 1000) + 3 * 3_600_000) > 1.5
    assert arrivals(int(MONDAY * 1000) - 6 * 3_600_000) < 0.5


def test_same_seed_and_clock_same_day() -> None:
    def told(seed: int) -> list[Any]:
        with demo(seed=seed) as world:
            world.sandbox.live.set_rate(10)
            world.run(3_600)
            notes = world.rows("SELECT ticket_id, id, at, who, note, new_status FROM halo_actions ORDER BY 1, 2")
            return [world.steps, notes]

    first = told(3)
    assert len(first[0]) > 400
    assert first == told(3)
    assert first != told(4)


def test_who_starts_again_goes_on(tmp_path: Path) -> None:
    steps = []
    for _ in range(2):
        with demo(state=tmp_path / "state.sqlite3") as world:
            world.sandbox.live.set_rate(10)
            world.run(600)
            steps.append(world.steps)
    assert steps[0] != steps[1]


def test_what_the_api_changed_is_left_alone_for_a_minute() -> None:
    with running_sandbox(tickets=60) as sandbox:
        auth = sandbox.token()
        with httpx.Client(base_url=f"{sandbox.halopsa}/api", headers=auth) as api:
            rows = api.get("/Tickets?open_only=true&count=500").json()["tickets"]
            ways = (
                lambda number: api.post("/Tickets", json=[{"id": number, "summary": "Changed"}]),
                lambda number: api.post("/Actions", json=[{"ticket_id": number, "outcome_id": 7, "note": "x"}]),
                lambda number: api.post(
                    "/Attachment", json=[{"ticket_id": number, "filename": "a", "data_base64": "aGk="}]
                ),
            )
            free = {row["id"] for row in rows[:2]}
            for place, row in enumerate(rows[2:]):
                assert ways[place % 3](row["id"]).status_code == 201
        live, dice, touched = sandbox.sandbox.imitations["halopsa"], random.Random(1), set()
        made: set[int] = set()
        for _ in range(150):
            told = live.live_event(dice).split()
            number = int(told[-1])
            (made if told[0] == "new" else touched).add(number)
        assert touched <= free | made
        with sandbox.sandbox.store.write() as conn:
            conn.execute("UPDATE halo_touched SET at = at - 60000")
        told = [live.live_event(dice).split() for _ in range(150)]
        assert {int(words[-1]) for words in told if words[0] != "new"} - free - made


def test_nobody_acts_as_the_people_whom_guests_play() -> None:
    guests = ("Dana Whitlock", "Priya Nair", "Marcus Oyelaran")
    with demo() as world:
        last = dict(world.rows("SELECT ticket_id, max(id) FROM halo_actions GROUP BY 1"))
        world.sandbox.live.set_rate(20)
        world.run(3_600)
        rows = world.rows("SELECT ticket_id, id, who, who_type, outcome FROM halo_actions WHERE outcome <> 'Opened'")
        fresh = [row for row in rows if row[1] > last.get(row[0], 0)]
        assert len(fresh) > 500
        assert not [row for row in fresh if row[2] in guests]
        assert {row[3] for row in fresh} == {0, 1}


def test_what_is_done_leaves_the_traces_of_real_work() -> None:
    with demo() as world:
        world.sandbox.live.set_rate(20)
        world.run(2 * 3_600)
        by_verb: dict[str, int] = {verb: number for _, verb, number in world.steps}
        outcome = dict(world.rows("SELECT outcome, count(*) FROM halo_actions GROUP BY 1"))
        assert {"Email User", "User Update", "Resolve", "Close", "Phone Call", "Log Time", "Internal Note"} <= set(
            outcome
        )
        (new,) = world.rows(
            "SELECT agent_id, user_id, category_1, team_id FROM halo_tickets WHERE id = ?", by_verb["new"]
        )
        assert new[1] > 0
        assert new[2]
        assert new[3] > 0
        timed = "SELECT count(*) FROM halo_actions WHERE timetaken > 0 AND at > ?"
        assert world.rows(timed, int(MONDAY * 1000))[0][0] > 100


def test_time_that_is_jumped_over_is_skipped() -> None:
    with demo() as world:
        world.sandbox.live.set_rate(60)
        world.time += 10 * 86_400
        assert world.sandbox.live.run_due() < 150
        assert world.sandbox.live.run_due() == 0


def test_pausing_and_going_on() -> None:
    with running_sandbox(tickets=60, live=6_000) as sandbox:
        _wait_for_events(sandbox, 20)
        assert sandbox.control("POST", "live", {"rate": 0})["rate"] == 0
        before = sandbox.control("GET", "live")["events"]
        time.sleep(0.4)
        assert sandbox.control("GET", "live")["events"] == before
        sandbox.control("POST", "live", {"rate": 6_000})
        _wait_for_events(sandbox, before + 20)
        for rate in (-1, "fast", 1e9):
            assert httpx.post(f"{sandbox.url}/_control/live", json={"rate": rate}).status_code == 400


def _wait_for_events(sandbox: Any, count: int) -> None:
    until(lambda: sandbox.control("GET", "live")["events"] >= count, what=f"{count} events")


def test_it_stops_cleanly(capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(3):
        with running_sandbox(tickets=60, live=20_000) as sandbox:
            _wait_for_events(sandbox, 5)
    assert "Traceback" not in capsys.readouterr().err
    assert not [thread for thread in threading.enumerate() if thread.name == "sandbox-live"]


def test_without_anybody_nothing_breaks() -> None:
    with running_sandbox(tickets=0) as sandbox:
        sandbox.control("POST", "reset")
        assert "nobody" in sandbox.sandbox.imitations["halopsa"].live_event(random.Random(1))


def test_a_small_queue_grows_to_a_small_steady_state() -> None:
    with demo(tickets=1) as world:
        world.sandbox.live.set_rate(20)
        world.run(6 * 3_600)
        assert 5 <= world.open() <= 40
