"""Three PSAs in one process: each has its own tickets, counts, faults, limit and live events."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from connectors.sandbox import IMITATIONS
from tests.connectors.sandbox.running import Running, running_sandbox

PSAS = ("halopsa", "autotask", "atera")
TICKETS = 240
ATERA = {"X-API-KEY": "demo-secret"}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Running]:
    with running_sandbox(tickets=TICKETS, psas=PSAS) as running:
        yield running


def state(sandbox: Running) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = sandbox.control("GET", "state")
    return found


def test_every_registered_psa_is_here() -> None:
    assert set(PSAS) == set(IMITATIONS)


def test_they_share_the_tickets(sandbox: Running) -> None:
    counts = state(sandbox)
    assert set(counts) == set(PSAS)
    assert sum(row["tickets"] for row in counts.values()) == TICKETS
    for row in counts.values():
        assert row["tickets"] > TICKETS / 6
        assert row["actions"] > row["tickets"]
        assert row["time_entries"] > 0


def test_a_write_to_one_leaves_the_others_alone(sandbox: Running) -> None:
    before = state(sandbox)
    contact = httpx.get(f"{sandbox.atera}/api/v3/contacts", headers=ATERA, trust_env=False).json()["items"][0]
    body = {"TicketTitle": "One", "Description": "more", "EndUserID": contact["EndUserID"]}
    answer = httpx.post(f"{sandbox.atera}/api/v3/tickets", json=body, headers=ATERA, trust_env=False)
    assert answer.status_code == 201
    after = state(sandbox)
    assert after["atera"]["tickets"] == before["atera"]["tickets"] + 1
    assert after["atera"]["requests"] == before["atera"]["requests"] + 2
    assert [after[name] for name in PSAS[:2]] == [before[name] for name in PSAS[:2]]
    assert [row["psa"] for row in sandbox.requests("atera")] == ["atera"] * after["atera"]["requests"]


def test_faults_strike_the_named_psa_only(sandbox: Running) -> None:
    def codes() -> list[int]:
        urls = (f"{sandbox.halopsa}/api/Status", f"{sandbox.atera}/api/v3/account")
        headers = (sandbox.token(), ATERA)
        return [httpx.get(url, headers=keys, trust_env=False).status_code
                for url, keys in zip(urls, headers, strict=True)]  # fmt: skip

    try:
        for psa, expected in (("atera", [200, 503]), ("autotask", [200, 200])):
            sandbox.control("DELETE", "faults")
            sandbox.control("POST", "faults", {"psa": psa, "mode": "status_before", "status": 503})
            assert codes() == expected
        sandbox.control("DELETE", "faults")
        everyone = {"mode": "status_before", "status": 503, "path": "/(Status|account)$"}
        sandbox.control("POST", "faults", everyone)
        assert codes() == [503, 503]
    finally:
        sandbox.control("DELETE", "faults")


def test_limits_are_their_own(sandbox: Running) -> None:
    sandbox.control("POST", "rate_limit", {"psa": "halopsa", "requests": 1, "seconds": 600})
    try:
        headers = sandbox.token()
        codes = [sandbox.client.get(f"{sandbox.halopsa}/api/Status", headers=headers).status_code for _ in range(2)]
        assert codes == [200, 429]
        assert sandbox.client.get(f"{sandbox.atera}/api/v3/account", headers=ATERA).status_code == 200
    finally:
        sandbox.control("POST", "rate_limit", {"psa": "halopsa", "requests": None})


@pytest.mark.parametrize("psa", PSAS)
def test_each_lets_things_happen(sandbox: Running, psa: str) -> None:
    imitation: Any = sandbox.sandbox.imitations[psa]
    before = state(sandbox)
    dice = random.Random(3)
    said = [imitation.live_event(dice) for _ in range(40)]
    assert not [text for text in said if text.startswith("refused")]
    after = state(sandbox)
    assert after[psa]["actions"] > before[psa]["actions"]
    for other in set(PSAS) - {psa}:
        assert after[other] == before[other]


def test_live_chooses_among_all(sandbox: Running) -> None:
    live = sandbox.sandbox.live
    names = {live._name(random.Random(number), sorted(sandbox.sandbox.imitations)) for number in range(30)}
    assert names == set(PSAS)


def test_a_reset_empties_all_of_them() -> None:
    with running_sandbox(tickets=30, psas=PSAS) as sandbox:
        found = sandbox.control("POST", "reset")
    assert {name: row["tickets"] for name, row in found.items()} == dict.fromkeys(PSAS, 0)
