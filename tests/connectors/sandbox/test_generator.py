"""The generated demo: exact size, the same for a seed, and on any date a first day with something to do."""

from __future__ import annotations

import zlib
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from connectors.sandbox.generator import generated, shapes
from tests.connectors.sandbox.running import Running, running_sandbox

DATES = [
    datetime(2026, 3, 29, 0, 30, tzinfo=UTC),
    datetime(2026, 6, 6, 14, 0, tzinfo=UTC),
    datetime(2027, 1, 1, 8, 0, tzinfo=UTC),
    datetime(2028, 2, 29, 23, 59, tzinfo=UTC),
]


def rows_of(sandbox: Running) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    with httpx.Client(base_url=f"{sandbox.halopsa}/api", headers=sandbox.token()) as api:
        for number in range(1, 30):
            page = api.get(f"/Tickets?pageinate=true&page_size=100&page_no={number}&order=id").json()["tickets"]
            rows += page
            if not page:
                return rows
    return rows


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize("now", DATES)
def test_first_day_has_work_of_every_kind(now: datetime) -> None:
    with running_sandbox(tickets=2_000, now=now) as sandbox:
        counts = sandbox.control("GET", "state")["halopsa"]
        rows = rows_of(sandbox)
    assert counts["tickets"] == len(rows) == 2_000
    assert 9_000 <= counts["actions"] <= 11_000
    assert 110 <= counts["attachments"] <= 200
    live = [row for row in rows if row["status_id"] not in (8, 9)]
    running = [row for row in live if not row["onhold"]]
    left = {row["id"]: at(row["fixbydate"]) - now for row in running}
    statuses = Counter(row["status_id"] for row in rows)
    assert len(live) == 150
    assert len([row for row in live if row["status_id"] == 1 and row["agent_id"] == 1]) == 12
    assert len([1 for time in left.values() if timedelta() < time < timedelta(minutes=60)]) == 6
    assert len([1 for time in left.values() if timedelta() < time < timedelta(hours=6)]) >= 18
    assert len([1 for time in left.values() if time < timedelta()]) == 5
    assert statuses[5] == 30
    assert all(statuses[number] for number in (3, 4, 6, 8))
    check_dates(rows, now)


def check_dates(rows: list[dict[str, Any]], now: datetime) -> None:
    assert [row["id"] for row in rows] == list(range(1, len(rows) + 1))
    for row in rows:
        assert at(row["dateoccurred"]) <= at(row["last_update"]) <= now
        if "dateclosed" in row:
            assert at(row["dateoccurred"]) < at(row["dateclosed"]) <= now
        if not row["responsedate"].startswith("1900"):
            assert at(row["responsedate"]) > at(row["dateoccurred"])
    days = {at(row["dateoccurred"]).date() for row in rows}
    assert len(days) > 60
    kept = [row for row in rows if row["status_id"] == 9]
    late = [row for row in kept if at(row["dateclosed"]) > at(row["fixbydate"])]
    assert 0.05 < len(late) / len(kept) < 0.3


def test_actions_are_in_order_and_lead_to_the_status() -> None:
    with running_sandbox(tickets=400) as sandbox:
        records = [sandbox.ticket(number) for number in range(1, 401)]
    reopened = 0
    for record in records:
        times = [at(row["datetime"]) for row in record["actions"]]
        assert times == sorted(times)
        assert [row["id"] for row in record["actions"]] == list(range(1, len(times) + 1))
        assert record["actions"][-1]["new_status"] == record["status_id"]
        for before, after in zip(record["actions"], record["actions"][1:], strict=False):
            assert before["new_status"] == after["old_status"]
        reopened += any(row["old_status"] in (8, 9) and row["new_status"] == 2 for row in record["actions"])
    assert reopened >= 5
    assert len({row["note"] for record in records for row in record["actions"]}) > 600


def test_people_of_the_demo() -> None:
    data = generated(tickets=200, seed=1, now_ms=1_780_000_000_000)
    assert len(data.clients) == 40
    assert len(data.agents) == 12
    assert len({agent["team"] for agent in data.agents}) == 4
    assert 190 <= len(data.contacts) <= 220
    assert {"dispatcher@demo.test", "technician@demo.test", "manager@demo.test"} <= {
        row["email"] for row in data.agents
    }
    mails = [row["email"] for row in data.contacts]
    assert len(set(mails)) == len(mails)
    assert all(mail.endswith((".test", ".example")) for mail in mails)
    cleo = next(row["id"] for row in data.contacts if row["email"] == "client@demo.test")
    otto = next(row["id"] for row in data.contacts if row["email"] == "otherclient@demo.test")
    owners = Counter(story.ticket["contact_id"] for story in data.stories())
    assert owners[cleo] >= 5
    assert owners[otto] >= 3


def test_hostile_and_unicode_texts_are_there() -> None:
    stories = list(generated(tickets=2_000, seed=3, now_ms=1_780_000_000_000).stories())
    assert [story for story in stories if "<script>" in story.ticket["details"]]
    assert [story for story in stories if "プリンター" in story.ticket["summary"]]
    assert [story for story in stories if any("<ul>" in action.get("html", "") for action in story.actions)]


@pytest.mark.parametrize("tickets", [0, 1, 7, 30, 333])
def test_exact_number(tickets: int) -> None:
    stories = list(generated(tickets=tickets, seed=2, now_ms=1_780_000_000_000).stories())
    assert [story.ticket["id"] for story in stories] == list(range(1, tickets + 1))


def test_same_seed_same_words() -> None:
    def words(seed: int) -> list[Any]:
        return [
            (story.ticket, story.actions)
            for story in generated(tickets=100, seed=seed, now_ms=1_780_000_000_000).stories()
        ]

    assert words(5) == words(5)
    assert words(5) != words(6)


def test_pictures_are_valid() -> None:
    stories = generated(tickets=600, seed=1, now_ms=1_780_000_000_000).stories()
    files = {item["content_type"]: item["data"] for story in stories for item in story.attachments}
    assert set(files) == {"image/png", "text/plain", "application/pdf"}
    png = files["image/png"]
    at_data = png.index(b"IDAT")
    length = int.from_bytes(png[at_data - 4 : at_data], "big")
    body = png[at_data : at_data + 4 + length]
    assert zlib.crc32(body) == int.from_bytes(png[at_data + 4 + length : at_data + 8 + length], "big")
    assert len(zlib.decompress(body[4:])) == 64 * (1 + 96 * 3)


def test_histories_go_as_real_incidents_went() -> None:
    stories = list(generated(tickets=2_000, seed=1, now_ms=1_780_000_000_000).stories())
    closed = [story for story in stories if story.ticket["status"] == "Closed"]
    delays = [(story.ticket["closed_at"] - story.ticket["resolved_at"]) / 86_400_000 for story in closed]
    assert sum(4.9 < delay < 5.2 for delay in delays) > 0.6 * len(closed)
    moves = Counter(
        (action["old_status"], action["new_status"])
        for story in closed
        for action in story.actions
        if action.get("new_status")
    )
    share = {move: count / len(closed) for move, count in moves.items()}
    assert 0.15 < share["New", "Resolved"] < 0.35
    assert 0.25 < share["In Progress", "Waiting on Client"] < 0.5
    assert 0.02 < share["Resolved", "In Progress"] < 0.1
    assert moves["In Progress", "Pending"] > 20
    assert moves["In Progress", "Waiting on Third Party"] > 0
    hands = [len({action["agent_id"] for action in story.actions if action.get("agent_id")}) for story in closed]
    assert 0.3 < sum(count > 1 for count in hands) / len(closed) < 0.6
    assert all(story.actions[-1]["created_at"] <= 1_780_000_000_000 for story in closed)
    last = [next(a["agent_id"] for a in reversed(story.actions) if a.get("agent_id")) for story in closed]
    assert last == [story.ticket["agent_id"] for story in closed]


def test_shapes_come_from_the_log() -> None:
    found = shapes.shapes()
    assert len(found) == 890
    assert sum(shape.reopenings for shape in found) == 12
    assert Counter(shape.steps[0].status for shape in found) == {"New": 890}
    assert 0.4 < sum(shape.hand_overs > 0 for shape in found) / 890 < 0.5
    assert all(0 <= shape.response_rank < 1 for shape in found)
