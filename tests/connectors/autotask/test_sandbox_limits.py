"""The vendor's limits, made small: threads, the hourly allowance, bytes of files."""

from __future__ import annotations

import base64
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.connectors.autotask.calling import client_of, made, new_ticket, problems
from tests.connectors.sandbox.running import Running, running_sandbox


@pytest.fixture
def sandbox() -> Iterator[Running]:
    with running_sandbox(tickets=5, psas=("autotask",)) as running:
        settings = settings_of(running)
        settings.half_latency = settings.full_latency = 0.0
        yield running


@pytest.fixture
def api(sandbox: Running) -> Iterator[httpx.Client]:
    with client_of(sandbox) as client:
        yield client


def settings_of(sandbox: Running) -> Any:
    item: Any = sandbox.sandbox.imitations["autotask"]
    return item.settings


def limit(sandbox: Running, requests: int | None, seconds: float = 60, **more: Any) -> None:
    sandbox.control("POST", "rate_limit", {"psa": "autotask", "requests": requests, "seconds": seconds, **more})


def test_the_allowance_is_told_and_runs_out(sandbox: Running, api: httpx.Client) -> None:
    fresh = api.get("ThresholdInformation").json()
    assert (fresh["externalRequestThreshold"], fresh["requestThresholdTimeframe"]) == (10_000, 60)
    assert fresh["currentTimeframeRequestCount"] == 1
    limit(sandbox, 3, 1.5, retry_after=True)
    codes = [api.get("Version").status_code for _ in range(5)]
    assert codes == [200, 200, 200, 429, 429]
    refused = api.get("Version")
    assert "has been exceeded" in problems(refused, 429)[0]
    assert 1 <= int(refused.headers["Retry-After"]) <= 2
    assert httpx.get(f"{sandbox.autotask}/atservicesrest/v1.0/zoneInformation?user=api@demo.test").status_code == 200
    limit(sandbox, 3, 60)
    for _ in range(3):
        api.get("Version")
    assert "Retry-After" not in api.get("Version").headers


def test_calls_are_slower_above_half_and_three_quarters(sandbox: Running, api: httpx.Client) -> None:
    settings = settings_of(sandbox)
    settings.half_latency, settings.full_latency = 1.0, 2.0
    limit(sandbox, 8)
    took = []
    for _ in range(6):
        started = time.monotonic()
        api.get("Version")
        took.append(time.monotonic() - started)
    assert min(took[:3]) < 1
    assert all(seconds >= 1 for seconds in took[3:5])
    assert took[5] >= 2


def test_three_at_once_for_each_endpoint(sandbox: Running) -> None:
    """Calls above half of the allowance are slow, so that they meet."""
    settings_of(sandbox).half_latency = 1.5
    limit(sandbox, 20)
    with client_of(sandbox) as api:
        for _ in range(9):
            assert api.get("Version").status_code == 200

        def call(path: str) -> httpx.Response:
            return api.get(path)

        paths = ["Tickets/entityInformation", "Tickets/50001", "Tickets/50001/Notes", "tickets/50002", "Companies/0"]
        with ThreadPoolExecutor(5) as pool:
            answers = list(pool.map(call, paths))
    codes = Counter(answer.status_code for answer in answers)
    assert codes == {200: 4, 429: 1}
    assert answers[4].status_code == 200
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert problems(refused, 429) == ["The Autotask API thread threshold of 3 threads has been exceeded."]


def body(size: int) -> dict[str, Any]:
    data = base64.b64encode(b"x" * size).decode()
    return {"attachmentType": "FILE_ATTACHMENT", "fullPath": "a.bin", "title": "a.bin", "publish": 1, "data": data}


def test_files_have_a_size_and_an_allowance(sandbox: Running, api: httpx.Client) -> None:
    ticket = new_ticket(api)
    path = f"Tickets/{ticket}/Attachments"
    settings = settings_of(sandbox)
    assert (settings.most_file_bytes, settings.most_window_bytes, settings.bytes_window_seconds) == (
        7_000_000,
        10_000_000,
        300,
    )
    assert "maximum size of 7000000 bytes" in problems(api.post(path, json=body(7_000_001)))[0]
    settings.most_window_bytes = 5_000
    assert made(api, path, **body(3_000))
    assert made(api, path, **body(2_000))
    assert problems(api.post(path, json=body(1))) == [
        "The attachment limit of 5000 bytes in 5 minutes has been exceeded."
    ]
    sandbox.control("POST", "clock", {"offset_seconds": 299})
    assert problems(api.post(path, json=body(1)))
    sandbox.control("POST", "clock", {"offset_seconds": 302})
    assert made(api, path, **body(1))


def test_a_big_file_arrives_whole(api: httpx.Client) -> None:
    ticket = new_ticket(api)
    number = made(api, f"Tickets/{ticket}/Attachments", **body(6_000_000))
    row = api.get(f"Tickets/{ticket}/Attachments/{number}").json()["items"][0]
    assert base64.b64decode(row["data"]) == b"x" * 6_000_000
