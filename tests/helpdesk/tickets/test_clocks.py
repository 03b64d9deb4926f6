"""From a ticket's facts to its clocks and the columns that rows show."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from helpdesk.core.formatting import FOREVER
from helpdesk.sla.models import EVER, Policy, Target
from helpdesk.sla.versions import save_policy_version, use_policy
from helpdesk.tickets import clocks
from helpdesk.tickets.models import Ticket, TicketClock, TicketEvent
from helpdesk.tickets.stories import read_stories
from helpdesk.tickets.writing import clock_context
from tests.factories import NOW, make_clock, make_policy, make_priority, make_status, make_target, make_ticket

pytestmark = pytest.mark.django_db


def derive(ticket: Ticket) -> dict[str, TicketClock]:
    context = clock_context(ticket.psa_account, NOW)
    (found,) = clocks.derive_many([ticket], read_stories([ticket]), context)
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
    ticket.sla_policy = make_policy(psa_account=priority.psa_account)
    make_target(ticket.sla_policy, priority, response_seconds=600)
    found = derive(ticket)
    assert found["response"].due_at == NOW + timedelta(minutes=10)
    assert found["response"].source == "policy"


def test_a_policy_that_promises_nothing_starts_no_clock() -> None:
    ticket = make_ticket()
    priority = ticket.priority
    policy = make_policy(psa_account=priority.psa_account)
    make_target(policy, priority, response_seconds=None, resolution_seconds=None)
    ticket.sla_policy = policy
    found = derive(ticket)
    assert {c.state for c in found.values()} == {"not_started"}
    assert ticket.next_due_at == FOREVER


def paused_since(ticket: Ticket, at: datetime) -> None:
    TicketEvent.objects.create(
        ticket=ticket, field="status", new=str(ticket.status_id), at=at, known_at=at, origin="psa"
    )


def test_a_waiting_status_pauses_and_keeps_what_is_left() -> None:
    waiting = make_status("waiting_client")
    ticket = make_ticket(status=waiting, opened_at=NOW - timedelta(hours=1), psa_account=waiting.psa_account)
    paused_since(ticket, NOW - timedelta(minutes=30))
    found = derive(ticket)
    assert found["resolution"].state == "paused"
    assert found["resolution"].remaining_seconds == 7 * 3600 + 1800
    assert ticket.next_due_at == FOREVER
    assert ticket.clock_state == "paused"


def test_a_note_moves_no_pause() -> None:
    waiting = make_status("waiting_client")
    ticket = make_ticket(status=waiting, psa_account=waiting.psa_account)
    began = NOW - timedelta(hours=1)
    paused_since(ticket, began)
    ticket.last_activity_at = NOW
    assert derive(ticket)["resolution"].paused_since == began


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


def test_the_psas_date_beside_ours_says_why_it_is_another() -> None:
    ticket = make_ticket(opened_at=NOW - timedelta(hours=1))
    for hours, reason in ((8, ""), (4, "target"), (9, "unknown")):
        ticket.resolution_due_at = ticket.opened_at + timedelta(hours=hours)
        clock = derive(ticket)["resolution"]
        assert (clock.their_due_at, clock.difference) == (ticket.resolution_due_at, reason)
    ticket.deadline_at = ticket.resolution_due_at
    assert derive(ticket)["resolution"].difference == "hand"
    ticket.are_dates_old = True
    assert derive(ticket)["resolution"].difference == "", "a change of ours has not come back yet"


def test_a_policy_that_is_only_a_name_stands_in_nobodys_way() -> None:
    ticket = make_ticket(opened_at=NOW)
    ticket.sla_policy = Policy.objects.create(psa_account=ticket.psa_account, remote_id="1", name="Gold")
    assert derive(ticket)["resolution"].source == "default"
    own = make_policy("House", psa_account=None)
    Target.objects.create(policy=own, priority="3", rank=3, response_seconds=60, resolution_seconds=120)
    save_policy_version(own, now=NOW)
    use_policy(policy=own, now=EVER, psa_account=ticket.psa_account)
    found = derive(ticket)["resolution"]
    assert (found.source, found.target_seconds) == ("policy", 120)
