"""Time that somebody books in a PSA whose lists do not say when a ticket changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connectors.sync import accounts
from connectors.sync.accounts import Wanted
from helpdesk.actions.models import TimeEntry
from tests.connectors.sandbox.running import running_sandbox
from tests.connectors.sync.helpers import Clock, Desk
from tests.people import make_theo

pytestmark = pytest.mark.django_db


def test_it_arrives_without_a_word_and_is_read_once() -> None:
    clock = Clock()
    with running_sandbox(tickets=20, psas=("atera",)) as sandbox:
        values = {"api_key": "demo-secret", "calls_per_minute": "1000000"}
        wanted = Wanted.sort(kind="atera", name="south", url=sandbox.atera, values=values)
        found = Desk(sandbox, clock, accounts.connect(wanted=wanted, clock=clock)[0], make_theo())
        assert not found.pull().errors
        found.account.refresh_from_db()
        ticket = found.ticket(agent__isnull=False)
        before = TimeEntry.objects.filter(ticket=ticket).count()
        ends = datetime.now(UTC)
        body = {
            "StartWorkHour": (ends - timedelta(minutes=30)).isoformat(), "EndWorkHour": ends.isoformat(),
            "TechnicianContactID": int(ticket.agent.remote_id or 0) if ticket.agent else 0, "Billiable": False,
            "OnCustomerSite": False, "Description": "Looked into it",
        }  # fmt: skip
        path = f"{sandbox.atera}/api/v3/tickets/{ticket.remote_id}/workhours"
        answer = sandbox.client.post(path, json=body, headers={"X-API-KEY": "demo-secret"})
        assert answer.status_code < 300, answer.text
        assert not found.pull().errors
        ticket.refresh_from_db()
        assert TimeEntry.objects.filter(ticket=ticket).count() == before + 1
        assert (ticket.nonbillable_seconds or 0) >= 1800
        asked = len(sandbox.requests("atera"))
        assert not found.pull().errors
        again = [row["path"] for row in sandbox.requests("atera")[asked:]]
        assert not [path for path in again if f"/tickets/{ticket.remote_id}" in path]
