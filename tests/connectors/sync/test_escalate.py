"""Escalating, all the way into each PSA: what it finds there, and that a client never sees a word of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from connectors.sync import accounts
from connectors.sync.accounts import Wanted
from helpdesk.actions.escalating import Asked, escalate_ticket, next_priority
from helpdesk.actions.models import Action, ClientMail
from helpdesk.directory.models import Agent
from helpdesk.tickets import rules
from helpdesk.tickets.models import Status, Ticket
from tests.connectors.sandbox.running import running_sandbox
from tests.connectors.sync.helpers import Clock, Desk
from tests.people import make_mona, make_theo

pytestmark = pytest.mark.django_db
WHY = "The ward cannot print wristbands."
GIVEN = {
    "halopsa": {"client_id": "demo", "client_secret": "demo-secret"},
    "autotask": {"username": "api@demo.test", "integration_code": "demo", "secret": "demo-secret"},
    "atera": {"api_key": "demo-secret", "default_technician_id": "9001"},
}


@contextmanager
def desk_on(kind: str, **options: Any) -> Iterator[Desk]:
    clock = Clock()
    with running_sandbox(tickets=12, psas=(kind,), **options) as sandbox:
        values = {**GIVEN[kind], "calls_per_minute": "1000000"}
        wanted = Wanted.sort(kind=kind, name="north", url=getattr(sandbox, kind), values=values)
        found = Desk(sandbox, clock, accounts.connect(wanted=wanted, clock=clock)[0], make_theo())
        assert not found.pull().errors
        found.account.refresh_from_db()
        make_mona()
        yield found


def escalate(found: Desk) -> Ticket:
    ticket = Ticket.objects.filter(psa_account=found.account, is_open=True, rank__gt=1).in_full().first()
    assert ticket is not None
    others = Agent.objects.filter(psa_account=found.account, is_active=True).exclude(pk=ticket.agent_id)
    asked = Asked(
        reason=WHY,
        agent=others.exclude(teams=None).first() or others.first(),
        priority=next_priority(ticket, rules.priority_choices(found.account.pk, ticket.sla_policy_id)),
        is_confirmed=True,
    )
    escalate_ticket(ticket=ticket, asked=asked, user=found.user, origin=found.origin, now=found.clock())
    assert set(found.settle()) == {"done"}
    actions = Action.objects.filter(ticket=ticket).present().count()
    assert not found.pull().errors
    assert Action.objects.filter(ticket=ticket).present().count() == actions, "what we wrote is not taken for news"
    assert not Action.objects.filter(ticket=ticket, body__contains="wristbands").public().exists()
    ticket.refresh_from_db()
    assert (ticket.agent, ticket.priority) == (asked.agent, asked.priority)
    assert ticket.is_escalated
    assert ticket.escalation_reason == WHY
    return ticket


@pytest.mark.parametrize("profile", ["vendor", "brief"])
def test_a_psa_that_mails_has_the_note_and_the_mail_as_hidden_actions(profile: str) -> None:
    with desk_on("halopsa", profile=profile) as found:
        ticket = escalate(found)
        rows = [a for a in found.remote(ticket)["actions"] if "wristbands" in str(a)]
        assert [bool(row["hiddenfromuser"]) for row in rows] == [True, True]
        assert [bool(row.get("sendemail")) for row in rows] == [False, True]
        assert rows[1]["emailto"] == "mona@harbour.test"
        assert not ClientMail.objects.exists()


@pytest.mark.parametrize("profile", ["vendor", "brief"])
def test_a_psa_with_a_status_has_it_with_one_internal_note(profile: str) -> None:
    with desk_on("autotask", profile=profile) as found:
        ticket = escalate(found)
        wanted = Status.objects.get(psa_account=found.account, category="escalated")
        there = found.sandbox.ticket(int(ticket.remote_id or 0), "autotask")
        assert str(there["status"]) == wanted.remote_id
        notes = [n for n in there["notes"] if "wristbands" in n["description"]]
        assert len(notes) == 1
        assert notes[0]["publish"] != 1
        assert there.get("escalationReason", WHY) == WHY
        assert ClientMail.objects.get().to == "mona@harbour.test"


@pytest.mark.parametrize("profile", ["vendor", "brief"])
def test_a_psa_with_neither_has_an_internal_comment(profile: str) -> None:
    with desk_on("atera", profile=profile) as found:
        ticket = escalate(found)
        there = found.sandbox.ticket(int(ticket.remote_id or 0), "atera")
        (comment,) = [c for c in there["actions"] if WHY in str(c)]
        assert "'IsInternal': True" in str(comment)
        assert ClientMail.objects.get().to == "mona@harbour.test"
