"""A verdict that turns is never silent: late news and changed promises leave a line in the audit log."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from helpdesk.accounts.models import AuditEntry
from helpdesk.sla import book
from helpdesk.sla.models import Policy
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.rederiving import rederive
from helpdesk.tickets.verdicts import VERB, record_changed, verdicts_of
from tests.factories import NOW, make_account, make_policy, make_status, make_target, make_ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def ticket() -> Ticket:
    """Resolved after three of its four hours."""
    halo = make_account()
    policy = make_policy("Gold", psa_account=halo)
    status = make_status("resolved", psa_account=halo)
    found = make_ticket(
        psa_account=halo, sla_policy=policy, status=status, opened_at=NOW - timedelta(hours=6),
        resolved_at=NOW - timedelta(hours=3),
    )  # fmt: skip
    make_target(policy, found.priority, response_seconds=None, resolution_seconds=4 * 3600)
    rederive(account_id=halo.pk, ids=[found.pk], now=NOW)
    return found


def told() -> list[Any]:
    return list(AuditEntry.objects.filter(verb=VERB).values_list("subject", "detail"))


def test_the_first_verdict_is_no_change(ticket: Ticket) -> None:
    assert verdicts_of([ticket.pk])[(ticket.pk, "resolution")] == "met"
    assert told() == []


def test_a_changed_promise_that_turns_it_is_told_once(ticket: Ticket) -> None:
    Policy.objects.get().targets.update(resolution_seconds=2 * 3600)
    book.forget()
    for _again in range(2):
        rederive(account_id=ticket.psa_account_id, ids=[ticket.pk], now=NOW)
    assert told() == [
        (f"ticket:{ticket.pk}", {"clock": "resolution", "was": "met", "is": "breached", "why": "rules"})
    ]  # fmt: skip


def test_a_clock_that_runs_again_or_had_no_verdict_says_nothing(ticket: Ticket) -> None:
    clock = ticket.clocks.get(kind="resolution")
    clock.finished_at, clock.state = None, "breached"
    assert record_changed({(ticket.pk, "resolution"): "met"}, [clock], now=NOW, why="pull") == 0
    clock.finished_at = NOW
    assert record_changed({}, [clock], now=NOW, why="pull") == 0
    assert record_changed({(ticket.pk, "resolution"): "met"}, [clock], now=NOW, why="pull") == 1
