"""Every fault mode, over a real socket, with what the state and the log hold afterwards."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.sandbox.faults import MODES, BadFault, fault_from, stripped
from tests.connectors.sandbox.running import Running, running_sandbox
from tests.patience import until


@pytest.fixture(scope="module")
def shared() -> Iterator[Running]:
    with running_sandbox(tickets=30) as running:
        yield running


@pytest.fixture
def sandbox(shared: Running) -> Iterator[Running]:
    yield shared
    shared.control("DELETE", "faults")


def fault(sandbox: Running, mode: str, **values: Any) -> None:
    sandbox.control(
        "POST", "faults", {"psa": "halopsa", "method": "POST", "path": "/api/", "mode": mode, "times": 1, **values}
    )


def post(sandbox: Running, **values: Any) -> httpx.Response:
    body = [{"summary": "Faulty", **values}]
    return httpx.post(f"{sandbox.halopsa}/api/Tickets", headers=sandbox.token(), json=body, timeout=10)


def count(sandbox: Running) -> int:
    return int(sandbox.control("GET", "state")["halopsa"]["tickets"])


def last(sandbox: Running) -> dict[str, Any]:
    return [row for row in sandbox.requests() if row["path"].endswith("/Tickets")][-1]


def test_status_before_applies_nothing(sandbox: Running) -> None:
    before = count(sandbox)
    fault(sandbox, "status_before", status=503, body={"error": "later"}, headers={"Retry-After": "7"})
    answer = post(sandbox)
    assert (answer.status_code, answer.json(), answer.headers["Retry-After"]) == (503, {"error": "later"}, "7")
    assert count(sandbox) == before
    assert (last(sandbox)["status"], last(sandbox)["applied"]) == (503, False)
    assert post(sandbox).status_code == 201


def test_status_after_applies(sandbox: Running) -> None:
    before = count(sandbox)
    fault(sandbox, "status_after", status=504)
    answer = post(sandbox)
    assert (answer.status_code, answer.content) == (504, b"")
    assert count(sandbox) == before + 1
    assert (last(sandbox)["status"], last(sandbox)["applied"]) == (504, True)


@pytest.mark.parametrize(("mode", "grows"), [("reset_before", 0), ("reset_after", 1)])
def test_resets(sandbox: Running, mode: str, grows: int) -> None:
    before = count(sandbox)
    fault(sandbox, mode)
    with pytest.raises(httpx.TransportError):
        post(sandbox)
    assert count(sandbox) == before + grows
    assert last(sandbox)["applied"] is bool(grows)


@pytest.mark.parametrize(("mode", "grows"), [("delay_before", 0), ("delay_after", 1)])
def test_delays(sandbox: Running, mode: str, grows: int) -> None:
    before = count(sandbox)
    fault(sandbox, mode, seconds=4)
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{sandbox.halopsa}/api/Tickets", headers=sandbox.token(), json=[{"summary": "x"}], timeout=0.3)
    if grows:
        until(lambda: count(sandbox) == before + 1)
    else:
        assert count(sandbox) == before
        until(lambda: count(sandbox) == before + 1)


def test_half_body(sandbox: Running) -> None:
    before = count(sandbox)
    fault(sandbox, "half_body")
    with pytest.raises(httpx.RemoteProtocolError):
        post(sandbox)
    assert count(sandbox) == before + 1


def test_wrong_body(sandbox: Running) -> None:
    before = count(sandbox)
    fault(sandbox, "wrong_body")
    answer = post(sandbox)
    assert answer.status_code == 201
    assert "<html>" in answer.text
    assert count(sandbox) == before + 1
    fault(sandbox, "wrong_body", body={"tickets": []})
    assert post(sandbox).json() == {"tickets": []}


def test_not_applied_looks_like_success(sandbox: Running) -> None:
    before = count(sandbox)
    fault(sandbox, "not_applied")
    answer = post(sandbox)
    assert answer.status_code == 201
    assert answer.json()["summary"] == "Faulty"
    assert count(sandbox) == before
    assert (last(sandbox)["status"], last(sandbox)["applied"]) == (201, False)
    header = sandbox.token()
    assert httpx.get(f"{sandbox.halopsa}/api/Tickets/{answer.json()['id']}", headers=header).status_code == 404
    assert post(sandbox).status_code == 201


def test_stale_reads_show_what_was_before(sandbox: Running) -> None:
    old = post(sandbox, summary="Old wording").json()
    began = time.time()
    time.sleep(2)
    httpx.post(
        f"{sandbox.halopsa}/api/Tickets", headers=sandbox.token(), json=[{"id": old["id"], "summary": "New wording"}]
    )
    new = post(sandbox, summary="Brand new").json()
    sandbox.control(
        "POST",
        "faults",
        {"psa": "halopsa", "path": "Tickets$", "mode": "stale_reads", "seconds": time.time() - began - 0.1},
    )
    header = sandbox.token()

    def listed() -> dict[int, str]:
        page = httpx.get(f"{sandbox.halopsa}/api/Tickets?pageinate=true&page_size=100", headers=header).json()
        assert page["record_count"] == len(page["tickets"])
        return {row["id"]: row["summary"] for row in page["tickets"]}

    rows = listed()
    assert rows[old["id"]] == "Old wording"
    assert new["id"] not in rows
    one = httpx.get(f"{sandbox.halopsa}/api/Tickets/{new['id']}", headers=header)
    assert one.json()["summary"] == "Brand new"
    until(lambda: listed()[old["id"]] == "New wording" and listed().get(new["id"]) == "Brand new")


def test_strip_drops_a_field(sandbox: Running) -> None:
    fault(sandbox, "strip", field="third_party_id_string")
    assert post(sandbox, third_party_id_string="mine").json()["third_party_id_string"] == ""
    fault(sandbox, "strip", field="<!-- -->")
    body = [{"ticket_id": 1, "outcome_id": 7, "note_html": "<p>a</p><!-- helpdesk:1 -->"}]
    made = httpx.post(f"{sandbox.halopsa}/api/Actions", headers=sandbox.token(), json=body).json()
    assert made["note_html"] == "<p>a</p>"


def test_rate_is_the_same_for_the_same_seed(sandbox: Running) -> None:
    header = sandbox.token()

    def run() -> list[int]:
        sandbox.control("DELETE", "faults")
        sandbox.control(
            "POST", "faults", {"psa": "halopsa", "mode": "status_before", "status": 500, "rate": 0.3, "seed": 5}
        )
        return [httpx.get(f"{sandbox.halopsa}/api/Status", headers=header).status_code for _ in range(20)]

    first = run()
    assert set(first) == {200, 500}
    assert run() == first


def test_matching_by_method_and_path(sandbox: Running) -> None:
    sandbox.control("POST", "faults", {"psa": "halopsa", "method": "get", "path": "/team", "mode": "status_before"})
    header = sandbox.token()
    assert httpx.get(f"{sandbox.halopsa}/api/Team", headers=header).status_code == 500
    assert httpx.get(f"{sandbox.halopsa}/api/Status", headers=header).status_code == 200
    assert sandbox.control("GET", "faults")["faults"][0]["hits"] == 1
    assert sandbox.control("DELETE", "faults") == {"faults": []}
    assert httpx.get(f"{sandbox.halopsa}/api/Team", headers=header).status_code == 200


@pytest.mark.parametrize(
    "values",
    [
        {"mode": "explode"},
        {},
        {"mode": "strip"},
        {"mode": "half_body", "path": "("},
        {"mode": "half_body", "what": 1},
        [],
    ],
)
def test_senseless_faults_are_refused(values: Any) -> None:
    with pytest.raises(BadFault):
        fault_from(values)


def test_all_modes_are_tested_here() -> None:
    text = Path(__file__).read_text(encoding="utf-8")
    assert [mode for mode in MODES if f'"{mode}"' not in text] == []


def test_stripping_goes_deep() -> None:
    value = [{"a": 1, "b": [{"a": 2, "c": "x<!-- y\n -->z"}]}]
    assert stripped(value, ("a", "<!-- -->")) == [{"b": [{"c": "xz"}]}]
