"""From a ticket's facts to its clocks and the columns that rows show."""

from __future__ import annotations

from datetime import timedelta

import pytest

from helpdesk.core.formatting import FOREVER
from helpdesk.tickets import clocks
from helpdesk.tickets.models import TicketClock
from tests.factories import NOW, make_clock, make_policy, make_priority, make_status, make_target, make_ticket

pytestmark = pytest.mark.django_db


def derive(ticket, **given):
    found = clocks.derive(
        ticket, status=given.pop("status", ticket.status), target=given.pop("target", None),
        before=given.pop("before", {}), now=NOW, **given,
    )  # fmt: skip
    return {c.kind: c for c in found}


def test_the_default_promise_counts_from_the_opening() -> None:
    ticket = make_ticket(opened_at=NOW - timedelta(hours=1))
    found = derive(ticket)
    assert found["response"].due_at == NOW + timedelta(hours=3)
    assert found["resolution"].due_at == NOW + timedelta(hours=7)
    assert found["resolution"].source == "default"
    assert ticket.next_clock == "response"
    assert ticket.next_due_at == NOW + timedelta(hours=3)


def test_the_policy_comes_before_the_default() -> None:
    priority = make_priority()
    ticket = make_ticket(priority=priority, opened_at=NOW, psa_account=priority.psa_account)
    target = make_target(make_policy(psa_account=priority.psa_account), priority, response_seconds=600)
    found = derive(ticket, target=target)
    assert found["response"].due_at == NOW + timedelta(minutes=10)
    assert found["response"].source == "policy"


def test_the_psas_own_date_comes_first() -> None:
    ticket = make_ticket(resolution_due_at=NOW + timedelta(days=3))
    found = derive(ticket)
    assert found["resolution"].due_at == NOW + timedelta(days=3)
    assert found["resolution"].source == "psa"


def test_a_policy_that_promises_nothing_starts_no_clock() -> None:
    ticket = make_ticket()
    priority = ticket.priority
    policy = make_policy(psa_account=priority.psa_account)
    target = make_target(policy, priority, response_seconds=None, resolution_seconds=None)
    found = derive(ticket, target=target)
    assert {c.state for c in found.values()} == {"not_started"}
    assert ticket.next_due_at == FOREVER


def test_a_waiting_status_pauses_and_keeps_what_is_left() -> None:
    waiting = make_status("waiting_client")
    ticket = make_ticket(status=waiting, opened_at=NOW - timedelta(hours=1), psa_account=waiting.psa_account)
    found = derive(ticket, paused_at=NOW - timedelta(minutes=30))
    assert found["resolution"].state == "paused"
    assert found["resolution"].remaining_seconds == 7 * 3600 + 1800
    assert ticket.next_due_at == FOREVER
    assert ticket.clock_state == "paused"


def test_a_pause_goes_on_from_where_it_began() -> None:
    waiting = make_status("waiting_client")
    ticket = make_ticket(status=waiting, psa_account=waiting.psa_account)
    began = NOW - timedelta(hours=1)
    old = {"resolution": TicketClock(ticket=ticket, kind="resolution", paused_since=began)}
    assert derive(ticket, before=old)["resolution"].paused_since == began


def test_the_first_answer_ends_the_response_clock() -> None:
    ticket = make_ticket(opened_at=NOW - timedelta(hours=1), first_responded_at=NOW - timedelta(minutes=48))
    found = derive(ticket)
    assert found["response"].state == "met"
    assert ticket.next_clock == "resolution"


def test_a_finished_ticket_shows_its_resolution() -> None:
    done = make_status("resolved")
    ticket = make_ticket(
        status=done,
        psa_account=done.psa_account,
        opened_at=NOW - timedelta(hours=2),
        resolved_at=NOW - timedelta(hours=1),
    )
    found = derive(ticket)
    assert {c.state for c in found.values()} == {"met"}
    assert (ticket.next_clock, ticket.clock_seconds) == ("resolution", 3600)


def test_saving_twice_leaves_one_row_of_each_kind() -> None:
    ticket = make_ticket()
    make_clock(ticket)
    clocks.save_clocks(list(derive(ticket).values()))
    clocks.save_clocks(list(derive(ticket).values()))
    assert ticket.clocks.count() == 2
