"""The desk in front of Autotask: pulled, and written to, with time as a record of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.sync import accounts
from connectors.sync.accounts import Wanted
from helpdesk.actions import services as actions
from helpdesk.actions.models import Action, TimeEntry
from helpdesk.actions.services import NewAction
from helpdesk.directory.models import Agent, Team
from helpdesk.tickets.models import Priority, Status, Ticket
from tests.connectors.sandbox.running import running_sandbox
from tests.connectors.sync.helpers import Clock, Desk
from tests.people import make_theo

pytestmark = pytest.mark.django_db


@pytest.fixture
def found() -> Iterator[Desk]:
    clock = Clock()
    given = {"username": "api@demo.test", "integration_code": "demo", "secret": "demo-secret", "impersonate": "yes",
             "calls_per_minute": "1000000"}  # fmt: skip
    with running_sandbox(tickets=12, psas=("autotask",)) as sandbox:
        wanted = Wanted.sort(kind="autotask", name="north", url=sandbox.autotask, values=given)
        account = accounts.connect(wanted=wanted, clock=clock)[0]
        desk = Desk(sandbox, clock, account, make_theo())
        assert not desk.pull().errors
        account.refresh_from_db()
        yield desk


def test_the_whole_way(found: Desk) -> None:
    """Pull, then a note with time and a new status: each arrives once, and a second pull makes no second one."""
    assert Ticket.objects.count() == found.sandbox.control("GET", "state")["autotask"]["tickets"]
    assert not Status.objects.filter(is_mapped=False).exists()
    assert set(Priority.objects.filter(is_active=True).values_list("rank", flat=True)) == {1, 2, 3, 4}
    assert Team.objects.filter(is_active=True).exists()
    assert "secret" not in found.account.settings
    agent = Agent.objects.filter(psa_account=found.account, is_active=True, teams__isnull=False).first()
    assert agent is not None
    agent.user = found.user
    agent.save()
    ticket = found.ticket()
    wanted = Status.objects.filter(category="waiting_client", is_active=True).first()
    before = len(found.sandbox.ticket(int(ticket.remote_id or 0), "autotask")["notes"])
    times = TimeEntry.objects.count()
    action = actions.add_action(
        ticket=ticket,
        new=NewAction(text="Waiting for your call", kind="reply", is_internal=False, seconds=900, status=wanted),
        origin=found.origin,
        now=found.clock(),
        user=found.user,
        is_confirmed=True,
    )
    assert isinstance(action, Action)
    assert found.settle() == ["done", "done"]
    there = found.sandbox.ticket(int(ticket.remote_id or 0), "autotask")
    assert len(there["notes"]) == before + 1
    assert (there["notes"][-1]["publish"], there["notes"][-1]["description"]) == (1, "Waiting for your call")
    assert there["time_entries"][-1]["hoursWorked"] == 0.25
    assert str(there["status"]) == str(wanted.remote_id if wanted else "")
    notes = Action.objects.filter(ticket=ticket, removed_at=None).count()
    assert not found.pull().errors
    assert Action.objects.filter(ticket=ticket, removed_at=None).count() == notes
    assert TimeEntry.objects.count() == times + 1
    entry = TimeEntry.objects.get(action=action)
    assert (entry.sync_state, entry.remote_id, entry.removed_at) == (
        "sent",
        f"t{there['time_entries'][-1]['id']}",
        None,
    )


def test_what_came_of_the_sla_is_told_of_what_is_finished(found: Desk) -> None:
    finished = Ticket.objects.filter(psa_account=found.account, is_open=False)
    assert finished.exists()
    assert not finished.exclude(sla_resolution_state__in=["met", "breached"]).exists()
    for ticket in finished:
        assert ticket.sla_resolution_state == ("met" if ticket.resolved_at <= ticket.resolution_due_at else "breached")
        assert ticket.raw["serviceLevelAgreementResult"]["resolutionElapsedHours"] >= 0
        assert ticket.deadline_at is None
