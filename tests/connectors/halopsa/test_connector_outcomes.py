"""Outcomes through the connector, over real HTTP in both profiles: their rules arrive, and a press is one action."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.base.connector import AccountConfig
from connectors.base.errors import Rejected
from connectors.base.records import ActionDraft
from connectors.halopsa.connector import HaloPSAConnector
from connectors.halopsa.sandbox import seeds
from tests.connectors.sandbox.running import Running, running_sandbox

TICKET = "3"


@pytest.fixture(scope="module", params=["vendor", "brief"])
def sandbox(request: pytest.FixtureRequest) -> Iterator[Running]:
    with running_sandbox(tickets=20, profile=request.param) as running:
        yield running


@pytest.fixture(scope="module")
def halo(sandbox: Running) -> HaloPSAConnector:
    return HaloPSAConnector(
        AccountConfig(
            name="outcomes", url=f"{sandbox.url}/halopsa",
            settings={"client_id": "demo", "outcomes": {"close": str(seeds.RESOLVE)}},
            secrets={"client_secret": "demo-secret"}, allow_private_addresses=True,
        )
    )  # fmt: skip


def draft(**values: Any) -> ActionDraft:
    return ActionDraft(
        ticket=TICKET, kind="note", body_html="<p>Toner is ordered</p>", body_text="Toner is ordered", is_internal=True,
        marker=str(uuid.uuid4()), occurred_at=datetime.now(UTC), **values,
    )  # fmt: skip


def test_their_rules_arrive(halo: HaloPSAConnector) -> None:
    found = {o.remote_id: o for o in dict(halo.reference())["outcomes"]}
    parts: Any = found[str(seeds.WAIT_PARTS)]
    assert (parts.name, parts.colour, parts.new_status) == ("Waiting for Parts", "#b07d2b", str(seeds.IN_PROGRESS))
    assert (parts.sla_hold, parts.must_add_note, parts.hide_from_client) == (True, True, True)
    book: Any = found[str(seeds.BOOK)]
    assert (book.must_assign, book.default_seconds, book.ticket_types) == (True, 900, ("1", "2"))


def test_a_hold_and_its_release(sandbox: Running, halo: HaloPSAConnector) -> None:
    halo.update_ticket(TICKET, {"status": str(seeds.IN_PROGRESS)})
    before = len(sandbox.ticket(int(TICKET))["actions"])
    status = str(seeds.IN_PROGRESS)
    record = halo.create_action(draft(outcome=str(seeds.WAIT_PARTS), new_status=status, time_seconds=900))
    assert record.outcome == str(seeds.WAIT_PARTS)
    read = halo.ticket(TICKET)
    assert (read.status, read.sla_paused) == (status, True)
    halo.create_action(draft(outcome=str(seeds.RELEASE), new_status=status))
    assert halo.ticket(TICKET).sla_paused is False
    assert len(sandbox.ticket(int(TICKET))["actions"]) == before + 2


def test_a_missing_note_is_refused_in_the_psas_words(halo: HaloPSAConnector) -> None:
    empty = replace(draft(outcome=str(seeds.WAIT_PARTS)), body_html="", body_text="")
    with pytest.raises(Rejected, match="Note must be entered"):
        halo.create_action(empty)


def test_the_owner_first_then_the_action(halo: HaloPSAConnector) -> None:
    halo.update_ticket(TICKET, {"agent": None, "ticket_type": "1"})
    book = draft(outcome=str(seeds.BOOK))
    with pytest.raises(Rejected, match="must be assigned"):
        halo.create_action(book)
    halo.update_ticket(TICKET, {"agent": "4"})
    assert halo.create_action(book).outcome == str(seeds.BOOK)


def test_a_shared_summary_closes_with_the_closing_outcome(sandbox: Running, halo: HaloPSAConnector) -> None:
    closing = replace(draft(new_status=str(seeds.RESOLVED), resolution="Pinned"), kind="reply", is_internal=False)
    record = halo.create_action(closing)
    assert (record.outcome, record.is_internal) == (str(seeds.RESOLVE), False)
    read = halo.ticket(TICKET)
    assert (read.status, read.resolution) == (str(seeds.RESOLVED), "Pinned")
