"""The log of real incidents: how it is read, and how its incidents come back as tickets."""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from statistics import median
from typing import Any

import pytest

from connectors.sandbox import servicenow
from connectors.sandbox.incident_replay import dataset, resolved_at
from connectors.sandbox.servicenow import BadLog, incidents, parsed
from tests.connectors.sandbox.running import Running, running_sandbox

HEADER, *ROWS = gzip.decompress(servicenow.LOG.read_bytes()).decode().splitlines()


def lines(*changes: dict[str, str]) -> list[str]:
    """The log's first incident, a row for each of these changes."""
    names, values = HEADER.split(","), ROWS[0].split(",")
    return [HEADER, *(",".join((dict(zip(names, values, strict=True)) | change).values()) for change in changes)]


def test_the_whole_log_is_read() -> None:
    found = incidents()
    assert (len(found), sum(len(item.updates) for item in found)) == (890, 5_998)
    assert len({item.number for item in found}) == 890
    assert Counter(item.updates[-1].state for item in found) == {"Closed": 890}
    assert Counter(item.updates[-1].priority for item in found) == {3: 757, 4: 85, 2: 33, 1: 15}
    assert sum(item.resolved_at is None for item in found) == 29
    for item in found:
        times = [update.at for update in item.updates]
        assert times == sorted(times)


def test_one_incident() -> None:
    item = incidents()[0]
    assert (item.number, item.caller, item.opened_by, item.made_sla) == (
        "INC0000045",
        "Caller 2403",
        "Opened by 8",
        True,
    )
    assert item.opened_at == datetime(2016, 2, 29, 1, 16, tzinfo=UTC).timestamp() * 1000
    assert item.closed_at == datetime(2016, 3, 5, 12, 0, tzinfo=UTC).timestamp() * 1000
    assert [update.state for update in item.updates] == ["New", "Resolved", "Resolved", "Closed"]
    assert (item.updates[0].group, item.updates[0].assignee, item.updates[0].priority) == ("Group 56", None, 3)


def test_rows_come_in_order_of_update_then_of_the_file() -> None:
    (item,) = parsed(
        lines(
            {"sys_updated_at": "01-03-2016 10:00", "sys_mod_count": "5"},
            {"sys_updated_at": "29-02-2016 10:00", "sys_mod_count": "7"},
            {"sys_updated_at": "29-02-2016 10:00", "sys_mod_count": "6"},
        )
    )
    assert [update.modifications for update in item.updates] == [7, 6, 5]


def test_question_marks_are_unknown() -> None:
    (item,) = parsed(lines({"caller_id": "?", "resolved_at": "?", "assignment_group": "?"}))
    assert (item.caller, item.resolved_at, item.updates[0].group) == (None, None, None)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"incident_state": "-100"}, "row 2: unknown incident_state"),
        ({"sys_updated_at": "2016-02-29 10:00"}, "row 2: sys_updated_at"),
        ({"sys_updated_at": "31-02-2016 10:00"}, "row 2: day is out of range"),
        ({"sys_updated_at": "?"}, "row 2: sys_updated_at is unknown"),
        ({"priority": "9 - None"}, "row 2: priority"),
        ({"reopen_count": "-1"}, "row 2: reopen_count"),
        ({"number": "?"}, "row 2: number is missing"),
        ({"opened_at": "?"}, "INC0000045: opened_at"),
        ({"made_sla": "maybe"}, "made_sla"),
    ],
)
def test_a_broken_row_is_refused(change: dict[str, str], words: str) -> None:
    with pytest.raises(BadLog, match=words):
        parsed(lines(change))


def test_a_missing_column_is_refused() -> None:
    with pytest.raises(BadLog, match="sys_updated_at"):
        parsed(["number,priority", "INC1,3 - Moderate"])


def test_the_data_set_names_its_source() -> None:
    data = dataset(incidents()[:20])
    stories = list(data.stories())
    assert all("UCI Machine Learning Repository" in story.ticket["details"] for story in stories)
    assert all(
        story.ticket["summary"].endswith(f"({item.number})") for story, item in zip(stories, incidents(), strict=False)
    )
    places = {site["id"] for site in data.sites}
    assert all(contact["site_id"] in places for contact in data.contacts)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Running]:
    with running_sandbox() as running:
        loaded = running.control("POST", "load", {"dir": "servicenow"})["loaded"]["halopsa"]
        assert (loaded["tickets"], loaded["sites"], loaded["contacts"]) == (890, 85, 639)
        yield running


def rows(sandbox: Running, query: str, *values: Any) -> list[tuple[Any, ...]]:
    with sandbox.sandbox.store.read() as conn:
        return [tuple(row) for row in conn.execute(query, values)]


def test_counts_by_status_and_priority_are_those_of_the_log(sandbox: Running) -> None:
    query = "SELECT priority_id, status_id, is_closed, count(*) FROM halo_tickets GROUP BY 1, 2, 3"
    assert set(rows(sandbox, query)) == {(1, 9, 1, 15), (2, 9, 1, 33), (3, 9, 1, 757), (4, 9, 1, 85)}


def test_transitions_and_the_twelve_reopenings_are_those_of_the_log(sandbox: Running) -> None:
    names = dict(rows(sandbox, "SELECT id, json_extract(doc, '$.name') FROM halo_config WHERE kind = 'status'"))
    found = Counter()
    query = "SELECT old_status, new_status FROM halo_actions WHERE old_status <> new_status"
    for old, new in rows(sandbox, query):
        found[names[str(old)], names[str(new)]] += 1
    wanted: Counter[tuple[str, str]] = Counter()
    for item in incidents():
        states = [servicenow.STATUS_NAMES[update.state] for update in item.updates]
        wanted.update((old, new) for old, new in pairwise(states) if old != new)
    assert found == wanted
    assert found["Resolved", "In Progress"] + found["Resolved", "New"] == 12
    assert (found["New", "In Progress"], found["Resolved", "Closed"]) == (321, 889)


def test_resolution_times_are_those_of_the_log(sandbox: Running) -> None:
    query = "SELECT id, dateclosed - dateoccurred FROM halo_tickets ORDER BY id"
    wanted = [(number, (resolved_at(item) or 0) - item.opened_at) for number, item in enumerate(incidents(), start=1)]
    found = rows(sandbox, query)
    closed_at_once = {number for number, time in wanted if time < 0}
    assert len(closed_at_once) <= 1
    assert [row for row in found if row[0] not in closed_at_once] == [
        row for row in wanted if row[0] not in closed_at_once
    ]
    hours = sorted(time / 3_600_000 for _, time in found)
    assert median(hours) == pytest.approx(54.5, abs=3)


def test_a_ticket_of_the_log(sandbox: Running) -> None:
    record = sandbox.ticket(1)
    assert (record["dateoccurred"], record["dateclosed"]) == ("2016-02-29T01:16:00", "2016-02-29T11:29:00")
    assert (record["client_name"], record["site_name"], record["user_name"]) == (
        "Incident log company",
        "Location 143",
        "Caller 2403",
    )
    assert [(row["old_status"], row["new_status"]) for row in record["actions"]] == [(1, 1), (1, 8), (8, 9)]
