"""An outcome of a PSA: which fit, what they ask for, and what one press does."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from helpdesk.actions.models import Action, Outcome
from helpdesk.actions.outcomes import forget, is_plain, outcomes_for
from helpdesk.actions.services import NewAction, add_action
from helpdesk.core.errors import Refused
from helpdesk.core.origin import Origin
from helpdesk.directory.models import PsaAccount
from helpdesk.outbox import services as outbox
from helpdesk.outbox.models import OutboxItem
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.services import change_ticket
from tests.factories import (
    NOW,
    make_account,
    make_agent,
    make_clock,
    make_outcome,
    make_status,
    make_ticket,
    make_ticket_type,
)
from tests.people import make_theo

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(minutes=30)


@pytest.fixture
def account() -> PsaAccount:
    return make_account(capabilities={"outcomes": True, "attachments_upload": True})


@pytest.fixture
def ticket(account: PsaAccount) -> Ticket:
    running = make_status("open", psa_account=account, sla_clock="running")
    ticket = make_ticket(
        psa_account=account, status=running, agent=None, opened_at=NOW - timedelta(hours=1),
        resolution_due_at=NOW + timedelta(hours=4),
    )  # fmt: skip
    make_clock(ticket)
    return ticket


def press(ticket: Ticket, outcome: Outcome, now: Any = NOW, **values: Any) -> Action:
    theo = make_theo(ticket.psa_account)
    given = {"text": "Toner is ordered.", "outcome": outcome, **values}
    made = add_action(ticket=ticket, new=NewAction(**given), origin=Origin.desk(theo), now=now, user=theo)
    ticket.refresh_from_db()
    assert isinstance(made, Action)
    return made


def clock_of(ticket: Ticket) -> Any:
    return ticket.clocks.get(kind="resolution")


# ---- which ----


def test_they_come_in_the_psas_order_and_only_those_that_fit(account: PsaAccount, ticket: Ticket) -> None:
    last, first = make_outcome("Close", sequence=9), make_outcome("Wait", sequence=1)
    make_outcome("Gone", is_hidden=True)
    make_outcome("For requests").ticket_types.add(make_ticket_type("Request"))
    mine = make_outcome("For these", sequence=5)
    mine.ticket_types.add(make_ticket_type("Incident"))
    ticket.ticket_type = mine.ticket_types.get()
    assert outcomes_for(ticket) == [first, mine, last]
    account.capabilities = {"outcomes": False}
    ticket.psa_account = account
    assert outcomes_for(ticket) == []


def test_they_are_read_once_until_a_pull_brings_others(ticket: Ticket, django_assert_num_queries: Any) -> None:
    make_outcome("Wait")
    outcomes_for(ticket)
    make_outcome("New")
    with django_assert_num_queries(0):
        assert len(outcomes_for(ticket)) == 1
    forget(ticket.psa_account_id)
    assert len(outcomes_for(ticket)) == 2


def test_what_a_tab_writes_with_anyway_is_plain(account: PsaAccount) -> None:
    note, rule = make_outcome("Internal Note"), make_outcome("Visit", must_add_note=True)
    account.settings = {"outcomes": {"note": note.remote_id, "visit": rule.remote_id, "close": "77"}}
    assert is_plain(note, account)
    assert not is_plain(rule, account)
    assert not is_plain(make_outcome("Close", remote_id="77"), account)


# ---- one press ----


def test_one_press_is_one_item_with_all_of_it(ticket: Ticket) -> None:
    waiting = make_status("waiting_client", sla_clock="paused")
    outcome = make_outcome("Ask", new_status=waiting, hide_from_client=False, sends_email=True, must_add_note=True)
    press(ticket, outcome, kind="reply", is_internal=False, email_to="a@b.test", sends_email=True, seconds=900)
    item = OutboxItem.objects.get()
    assert item.fields["outcome"] == outcome.remote_id
    assert item.fields["new_status"] == waiting.remote_id
    assert (item.fields["time_seconds"], item.fields["is_internal"], item.fields["send_email"]) == (900, False, True)
    assert ticket.status == waiting


@pytest.mark.parametrize("kind", ["reply", "note", "call", "visit"])
def test_what_hides_is_never_made_public(ticket: Ticket, kind: str) -> None:
    action = press(ticket, make_outcome("Hold"), kind=kind, is_internal=False, email_to="a@b.test", sends_email=True)
    assert action.is_internal
    fields = OutboxItem.objects.get().fields
    assert (fields["is_internal"], fields["send_email"], fields["email_to"]) == (True, False, "")
    assert ticket.first_responded_at is None


def test_an_outcome_that_mails_nobody_mails_nobody(ticket: Ticket) -> None:
    action = press(ticket, make_outcome("Public note", hide_from_client=False), kind="reply", is_internal=False,
                   sends_email=True, email_to="a@b.test")  # fmt: skip
    assert not action.is_internal
    assert not action.sends_email


@pytest.mark.parametrize(
    ("rules", "given", "field"),
    [
        ({"must_add_note": True}, {"text": " "}, "text"),
        ({"must_add_note": True}, {"text": "", "seconds": 60}, "text"),
        ({"must_assign": True}, {}, "assignee"),
        ({"hide_from_client": False}, {"text": "", "kind": "reply", "is_internal": False}, "text"),
    ],
)
def test_what_it_asks_for_is_named_and_nothing_kept(
    ticket: Ticket, rules: dict[str, Any], given: dict[str, Any], field: str
) -> None:
    with pytest.raises(Refused) as refusal:
        press(ticket, make_outcome("Rule", **rules), **given)
    assert set(refusal.value.fields) == {field}
    assert not Action.objects.exists()
    assert not OutboxItem.objects.exists()


def test_anothers_outcome_is_refused(ticket: Ticket) -> None:
    with pytest.raises(Refused) as refusal:
        press(ticket, make_outcome("Elsewhere", psa_account=make_account("other")))
    assert "outcome" in refusal.value.fields


def test_without_words_it_is_still_an_action(ticket: Ticket) -> None:
    action = press(ticket, make_outcome("Put on hold", sla_hold=True), text="")
    assert action.body_clean == ""
    assert OutboxItem.objects.get().verb == "create_action"


def test_the_owner_leaves_before_the_action(ticket: Ticket) -> None:
    agent = make_agent("Priya Nair")
    press(ticket, make_outcome("Book", must_assign=True), assignee=agent)
    first, second = OutboxItem.objects.order_by("sequence")
    assert (first.verb, first.fields) == ("update_ticket", {"agent": agent.remote_id})
    assert second.verb == "create_action"
    assert ticket.agent == agent


def test_a_blocked_status_keeps_all_of_it_back(account: PsaAccount, ticket: Ticket) -> None:
    rule = {"to_categories": ["resolved"], "needs": ["resolution"], "text": "Resolution is required"}
    PsaAccount.objects.filter(pk=account.pk).update(transition_rules=[rule])
    ticket.refresh_from_db()
    outcome = make_outcome("Resolve", new_status=make_status("resolved"), must_assign=True)
    with pytest.raises(Refused) as refusal:
        press(ticket, outcome, assignee=make_agent())
    assert "resolution" in refusal.value.fields
    ticket.refresh_from_db()
    assert ticket.agent is None
    assert not OutboxItem.objects.exists()


# ---- hold and release ----


def test_a_hold_stops_the_clock_in_a_running_status(ticket: Ticket) -> None:
    press(ticket, make_outcome("Waiting for parts", sla_hold=True))
    assert ticket.status.sla_clock == "running"
    clock = clock_of(ticket)
    assert (clock.state, clock.paused_since, clock.due_at) == ("paused", NOW, None)
    event = ticket.events.get(field="hold")
    assert (event.new_label, event.actor) == ("Waiting for parts", "Theo Marsh")
    assert OutboxItem.objects.get().fields["hold"] == "hold"


def test_a_release_moves_the_due_date_by_what_was_held(ticket: Ticket) -> None:
    due = ticket.opened_at + timedelta(hours=8)
    press(ticket, make_outcome("Waiting for parts", sla_hold=True))
    press(ticket, make_outcome("Go on", sla_release=True), now=LATER)
    clock = clock_of(ticket)
    assert clock.state != "paused"
    assert clock.due_at == due + (LATER - NOW)
    assert ticket.events.get(field="release").new_label == "Go on"


def test_a_release_wins_over_a_status_that_pauses_until_the_next_status(ticket: Ticket) -> None:
    paused = make_status("waiting", sla_clock="paused")
    press(ticket, make_outcome("Told", new_status=paused, sla_release=True))
    assert ticket.status == paused
    assert clock_of(ticket).paused_since is None
    other = make_status("waiting_client", sla_clock="paused")
    change_ticket(ticket=ticket, changes={"status": other}, origin=Origin.system(), now=LATER)
    assert clock_of(ticket).paused_since == LATER


def test_a_hold_that_was_given_up_is_none(ticket: Ticket) -> None:
    press(ticket, make_outcome("Waiting for parts", sla_hold=True))
    outbox.discard_item(item=OutboxItem.objects.get(), now=LATER)
    ticket.refresh_from_db()
    assert not ticket.sla_paused
    assert clock_of(ticket).paused_since is None


def test_a_running_status_afterwards_ends_the_hold(ticket: Ticket) -> None:
    press(ticket, make_outcome("Waiting for parts", sla_hold=True))
    back = make_status("open", psa_account=ticket.psa_account, name="Back to work", sla_clock="running")
    theo = make_theo(ticket.psa_account)
    change_ticket(ticket=ticket, changes={"status": back}, origin=Origin.desk(theo), now=LATER)
    assert clock_of(ticket).paused_since is None
