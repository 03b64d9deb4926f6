"""An outcome from the desk to the PSA and back: one action there, the hold there, and the PSA's word on it here."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from helpdesk.actions.models import Outcome
from helpdesk.actions.resolving import resolve_ticket
from helpdesk.actions.services import NewAction, add_action
from helpdesk.directory.models import Agent
from helpdesk.outbox.choices import State
from helpdesk.tickets.models import Status, Ticket
from helpdesk.tickets.services import change_ticket
from tests.connectors.sync.helpers import Desk, desk

pytestmark = pytest.mark.django_db


def press(found: Desk, ticket: Ticket, name: str, **values: object) -> None:
    new = NewAction(outcome=Outcome.objects.get(name=name), **{"text": "Toner is ordered", **values})  # type: ignore[arg-type]
    add_action(ticket=ticket, new=new, origin=found.origin, now=found.clock(), user=found.user, is_confirmed=True)


@pytest.mark.parametrize("profile", ["vendor", "brief"])
def test_a_hold_is_confirmed_by_the_psa_and_ended_by_a_release(profile: str) -> None:
    with desk(tickets=8, profile=profile) as found:
        outcome = Outcome.objects.get(name="Waiting for Parts")
        assert (outcome.sla_hold, outcome.must_add_note, outcome.new_status) == (
            True, True, Status.objects.get(name="In Progress"),
        )  # fmt: skip
        ticket = found.ticket(clock_state__in=["running", "at_risk", "breached", "paused"])
        change_ticket(
            ticket=ticket, changes={"status": outcome.new_status}, origin=found.origin, now=found.clock(),
            is_confirmed=True,
        )  # fmt: skip
        found.settle()
        before = len(found.remote(ticket)["actions"])
        press(found, ticket, "Waiting for Parts", seconds=900)
        ticket.refresh_from_db()
        assert ticket.sla_paused, "here at once"
        assert set(found.settle()) == {State.DONE}
        stored = found.remote(ticket)
        assert len(stored["actions"]) == before + 1
        assert (stored["actions"][-1]["outcome"], stored["onhold"]) == ("Waiting for Parts", True)
        found.clock.advance(5)
        found.pull()
        ticket.refresh_from_db()
        assert ticket.sla_paused
        assert ticket.status == outcome.new_status
        press(found, ticket, "Release from Hold")
        ticket.refresh_from_db()
        assert not ticket.sla_paused
        found.settle()
        found.clock.advance(timedelta(seconds=5).total_seconds())
        found.pull()
        ticket.refresh_from_db()
        assert (ticket.sla_paused, found.remote(ticket)["onhold"]) == (False, False)
        assert ticket.events.filter(field__in=["hold", "release"]).count() == 2


def test_the_owner_is_there_before_the_action_that_needs_one() -> None:
    with desk(tickets=8) as found:
        kinds = Outcome.objects.get(name="Book an Engineer").ticket_types.all()
        ticket = found.ticket(ticket_type__in=kinds)
        change_ticket(ticket=ticket, changes={"agent": None}, origin=found.origin, now=found.clock())
        found.settle()
        agent = Agent.objects.filter(psa_account=found.account, is_active=True, remote_id__isnull=False).last()
        press(found, ticket, "Book an Engineer", assignee=agent)
        assert set(found.settle()) == {State.DONE}
        stored = found.remote(ticket)
        assert agent is not None
        assert str(stored["agent_id"]) == agent.remote_id
        assert "Book an Engineer" in [a["outcome"] for a in stored["actions"]]


def test_a_shared_summary_is_one_closing_action_that_the_client_reads() -> None:
    with desk(tickets=8) as found:
        ticket = found.ticket()
        before = len(found.remote(ticket)["actions"])
        resolve_ticket(
            ticket=ticket, status=Status.objects.get(name="Resolved"), text="The driver is pinned.", is_shared=True,
            origin=found.origin, now=found.clock(), user=found.user, is_confirmed=True,
        )  # fmt: skip
        assert set(found.settle()) == {State.DONE}
        stored = found.remote(ticket)
        assert len(stored["actions"]) == before + 1
        last = stored["actions"][-1]
        assert (last["outcome"], last["hiddenfromuser"], stored["status_id"]) == ("Resolve", False, 8)
        assert "The driver is pinned." in last["note"]


@pytest.mark.parametrize("profile", ["vendor", "brief"])
def test_a_hold_begun_in_the_psa_is_told_to_the_second(profile: str) -> None:
    with desk(tickets=60, profile=profile) as found:
        ticket = found.ticket(status__name="In Progress", sla_paused=False)
        header, path = found.sandbox.token(), f"{found.sandbox.halopsa}/api/Tickets"
        body = [{"id": int(ticket.remote_id or 0), "onhold": True}]
        httpx.post(path, headers=header, json=body).raise_for_status()
        found.pull()
        event = ticket.events.get(field="hold")
        assert (event.origin, event.precision) == ("psa", "exact")
        shown = httpx.get(f"{path}/{ticket.remote_id}?includeslaactiondate=true", headers=header).json()
        assert event.at == datetime.fromisoformat(shown["slaactiondate"]).replace(tzinfo=UTC)
        found.pull(is_full=True)
        assert ticket.events.filter(field="hold").count() == 1
