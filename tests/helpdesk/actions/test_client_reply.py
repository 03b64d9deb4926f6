"""A client's answer to a ticket that waits for them: the clock runs again, in the same transaction."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from helpdesk.actions.models import Action
from helpdesk.actions.services import add_client_reply
from helpdesk.core.origin import Origin
from helpdesk.directory.models import PsaAccount
from helpdesk.outbox import services as outbox
from helpdesk.outbox.models import OutboxItem
from helpdesk.tickets import writing
from helpdesk.tickets.mirror import RemoteTicket, apply_tickets
from helpdesk.tickets.models import Status, Ticket, TicketEvent
from helpdesk.tickets.status_changes import RemoteStatusChange, apply_status_changes
from tests.factories import NOW, make_account, make_clock, make_contact, make_status, make_ticket, make_ticket_type

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def make_statuses(account: PsaAccount) -> dict[str, Status]:
    return {
        "new": make_status("new", psa_account=account, remote_id="1", name="New", sequence=1),
        "open": make_status("open", psa_account=account, remote_id="2", name="In Progress", sequence=2),
        "updated": make_status("open", psa_account=account, remote_id="3", name="Updated", sequence=3),
        "waiting": make_status("waiting_client", psa_account=account, remote_id="5", name="With client", sequence=5),
        "closed": make_status("closed", psa_account=account, remote_id="9", name="Closed", sequence=9),
    }


def make_waiting(account: PsaAccount | None = None, **values: Any) -> Ticket:
    account = account or make_account()
    given = {"status": make_statuses(account)["waiting"], "sla_paused": True, "first_responded_at": NOW - 2 * HOUR}
    contact = make_contact(psa_account=account)
    ticket = make_ticket(contact=contact, psa_account=account, opened_at=NOW - 3 * HOUR, **{**given, **values})
    make_clock(ticket, state="paused", due_at=None, at_risk_at=None, paused_since=NOW - HOUR)
    return ticket


def answer(ticket: Ticket, **values: Any) -> Action:
    assert ticket.contact is not None
    origin = Origin.client(ticket.contact)
    action = add_client_reply(
        ticket=ticket, contact=ticket.contact, text="It is the blue one", origin=origin, now=NOW, **values
    )
    ticket.refresh_from_db()
    return action


def test_an_answer_makes_the_clock_run_again() -> None:
    ticket = make_waiting()
    action = answer(ticket)
    assert (ticket.status.name, ticket.status_category) == ("In Progress", "open")
    assert (ticket.clock_state, ticket.next_due_at) == ("running", NOW + 8 * HOUR), "it waited from its first day"
    assert ticket.client_replied_at == NOW
    assert action.new_status == ticket.status


def test_an_answer_resumes_where_no_status_could_follow_it() -> None:
    ticket = make_waiting()
    Status.objects.exclude(pk=ticket.status_id).update(is_active=False)
    TicketEvent.objects.create(
        ticket=ticket, field="status", old=str(Status.objects.get(name="New").pk), new=str(ticket.status_id),
        at=NOW - HOUR, known_at=NOW, origin="psa",
    )  # fmt: skip
    answer(ticket)
    assert (ticket.status.name, ticket.clock_state) == ("With client", "running")
    assert ticket.next_due_at == NOW + 6 * HOUR, "eight hours, of which two had run"


def test_it_leaves_with_the_answer_and_once() -> None:
    ticket = make_waiting()
    answer(ticket)
    item = OutboxItem.objects.get()
    assert (item.verb, item.fields["new_status"], item.base) == ("create_action", "2", {"status": "5"})
    assert item.fields["is_from_client"]


def test_the_same_form_twice_resumes_once() -> None:
    ticket = make_waiting()
    marker = "7a2b6d4e-0000-4000-8000-000000000009"
    assert answer(ticket, marker=marker) == answer(ticket, marker=marker)
    assert ticket.events.of_field("status").count() == 1


def test_the_history_says_so_in_the_clients_name() -> None:
    ticket = make_waiting()
    answer(ticket)
    status, clock = ticket.events.order_by("pk")
    assert (status.field, status.old_label, status.new_label) == ("status", "With client", "In Progress")
    assert (clock.field, clock.new_label) == ("clock", "clock running again")
    assert {e.origin for e in (status, clock)} == {"client"}
    assert status.actor == str(ticket.contact)


@pytest.mark.parametrize(
    ("after", "reopened", "expected"),
    [
        ("3", None, "Updated"),
        (None, None, "In Progress"),
        ("9", None, "In Progress"),  # a finished one is no work in progress
        (None, "3", "Updated"),
        ("9", "3", "Updated"),
        (None, "9", "In Progress"),
    ],
)
def test_the_ticket_type_chooses_the_status(after: str | None, reopened: str | None, expected: str) -> None:
    ticket = make_waiting()
    kind = make_ticket_type(psa_account=ticket.psa_account)
    kind.after_client_status = Status.objects.filter(remote_id=after).first() if after else None
    kind.reopened_status = Status.objects.filter(remote_id=reopened).first() if reopened else None
    kind.save()
    Ticket.objects.filter(pk=ticket.pk).update(ticket_type=kind)
    answer(ticket)
    assert ticket.status.name == expected


def test_a_status_of_other_types_is_passed_over() -> None:
    ticket = make_waiting()
    kind = make_ticket_type(psa_account=ticket.psa_account)
    Ticket.objects.filter(pk=ticket.pk).update(ticket_type=kind)
    Status.objects.filter(name="In Progress").update(ticket_types=["another"])
    answer(ticket)
    assert ticket.status.name == "Updated"


def test_new_stands_in_where_nothing_is_in_progress() -> None:
    ticket = make_waiting()
    Status.objects.filter(category="open").update(is_active=False)
    answer(ticket)
    assert ticket.status.name == "New"


def test_an_account_may_leave_it_to_the_psa() -> None:
    ticket = make_waiting(make_account(settings={"resume_on_client_reply": False}))
    answer(ticket)
    assert (ticket.status_category, ticket.events.count()) == ("waiting_client", 0)
    assert "new_status" not in OutboxItem.objects.get().fields


@pytest.mark.parametrize("name", ["new", "open", "closed"])
def test_what_does_not_wait_for_the_client_stays(name: str) -> None:
    ticket = make_waiting()
    Ticket.objects.filter(pk=ticket.pk).update(
        status=Status.objects.filter(category=name).first(), status_category=name
    )
    answer(ticket)
    assert ticket.status_category == name
    assert not ticket.events.exists()


def test_a_rule_against_it_does_not_stop_the_words() -> None:
    rules = [{"from_categories": ["waiting_client"], "needs": ["team"], "text": "Queue first"}]
    ticket = make_waiting(make_account(transition_rules=rules))
    assert answer(ticket).pk
    assert ticket.status_category == "waiting_client"
    assert "new_status" not in OutboxItem.objects.get().fields


def test_the_psa_doing_the_same_is_one_event() -> None:
    ticket = make_waiting()
    answer(ticket)
    outbox.complete(item=OutboxItem.objects.get(), now=NOW)
    waiting, progress = Status.objects.get(remote_id="5"), Status.objects.get(remote_id="2")
    change = RemoteStatusChange(key="action:7", old_id=waiting.pk, new_id=progress.pk, at=NOW + timedelta(seconds=3))
    assert apply_status_changes(ticket=ticket, rows=[change], now=NOW + timedelta(seconds=9)) == 0
    assert ticket.events.of_field("status").count() == 1


def test_a_pull_before_it_is_sent_does_not_pause_it_again() -> None:
    ticket = make_waiting(resolution_due_at=NOW + HOUR)
    answer(ticket)
    waiting = Status.objects.get(remote_id="5")
    row = RemoteTicket(
        remote_id=ticket.remote_id or "",
        values={"status_id": waiting.pk, "sla_paused": True, "subject": ticket.subject},
        confirmed={"status": "5"},
        remote_updated_at=NOW + timedelta(seconds=5),
    )
    apply_tickets(account_id=ticket.psa_account_id, rows=[row], now=NOW + timedelta(seconds=5))
    ticket.refresh_from_db()
    assert (ticket.status_category, ticket.clock_state) == ("open", "running")


def test_two_presses_at_once_are_one_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    ticket, marker = make_waiting(), "7a2b6d4e-0000-4000-8000-000000000011"
    lock, faster = writing.lock_ticket, []

    def lock_after_the_other(ticket_id: int) -> Ticket:
        if not faster:
            faster.append(None)
            faster[0] = answer(ticket, marker=marker)
        return lock(ticket_id)

    monkeypatch.setattr(writing, "lock_ticket", lock_after_the_other)
    assert answer(ticket, marker=marker) == faster[0]
    assert Action.objects.count() == 1


def test_a_marker_of_another_ticket_swallows_no_words() -> None:
    marker = "7a2b6d4e-0000-4000-8000-000000000012"
    theirs, ticket = answer(make_waiting(), marker=marker), make_ticket(contact=make_contact())
    ours = answer(ticket, marker=marker)
    assert (ours.ticket, ours.pk == theirs.pk) == (ticket, False)
    assert str(ours.marker) != marker
