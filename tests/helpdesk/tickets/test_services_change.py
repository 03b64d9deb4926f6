"""Open, change, assign, undo; conflicts and falling back. Row, event, clock and outbox item together."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db.models import QuerySet

from helpdesk.core import live
from helpdesk.core.errors import NeedsConfirmation, Refused, Stale
from helpdesk.core.origin import Origin
from helpdesk.outbox import services as outbox
from helpdesk.outbox.choices import Reason, State
from helpdesk.outbox.models import OutboxItem
from helpdesk.tickets import conflicts, messages, services, upkeep
from helpdesk.tickets.models import Ticket, TicketClock
from helpdesk.tickets.undoing import undo_change
from tests.factories import (
    NOW,
    make_account,
    make_agent,
    make_client,
    make_contact,
    make_priority,
    make_site,
    make_status,
    make_ticket,
    make_ticket_type,
)
from tests.people import make_dana

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(minutes=1)


@pytest.fixture
def origin() -> Origin:
    return Origin.desk(make_dana())


def items(ticket: Ticket) -> list[OutboxItem]:
    return list(OutboxItem.objects.in_lane(ticket.lane))


def refused(ticket: Ticket, origin: Origin, changes: dict, theirs: dict) -> OutboxItem:
    services.change_ticket(ticket=ticket, changes=changes, origin=origin, now=NOW)
    item = items(ticket)[-1]
    outbox.refuse(item=item, reason=Reason.CONFLICT, text="", theirs=theirs, now=LATER)
    return OutboxItem.objects.get(pk=item.pk)


# ---- open ----


def opening(account=None):
    account = account or make_account()
    client = make_client(psa_account=account)
    return account, {
        "subject": "Scan to folder stopped",
        "client": client,
        "status": make_status("new", psa_account=account),
        "priority": make_priority(3, psa_account=account),
        "ticket_type": make_ticket_type(psa_account=account),
    }


def test_a_new_ticket_is_here_at_once_and_on_its_way(origin: Origin) -> None:
    account, fields = opening()
    ticket = services.create_ticket(psa_account=account, fields=fields, origin=origin, now=NOW)
    ticket.refresh_from_db()
    assert ticket.label == f"new-{ticket.pk}"
    assert (ticket.sync_state, ticket.status_category, ticket.is_open) == ("pending", "new", True)
    assert ticket.clocks.count() == 2
    assert ticket.events.get().field == "created"
    item = items(ticket)[0]
    assert item.verb == "create_ticket"
    assert item.fields["client"] == fields["client"].remote_id


def test_the_same_form_twice_is_one_ticket(origin: Origin) -> None:
    account, fields = opening()
    marker = "7a2b6d4e-0000-4000-8000-000000000001"
    first = services.create_ticket(psa_account=account, fields=fields, origin=origin, now=NOW, marker=marker)
    again = services.create_ticket(psa_account=account, fields=fields, origin=origin, now=LATER, marker=marker)
    assert first.pk == again.pk
    assert OutboxItem.objects.count() == 1


def test_what_the_psa_requires_is_asked_before(origin: Origin) -> None:
    rules = [{"verb": "create", "fields": ["team"], "text": "No ticket without a queue"}]
    account = make_account(required_fields=rules)
    account, fields = opening(account)
    with pytest.raises(Refused) as refusal:
        services.create_ticket(psa_account=account, fields=fields, origin=origin, now=NOW)
    assert refusal.value.fields == {"team": "No ticket without a queue"}
    assert not Ticket.objects.exists()


# ---- change ----


def test_a_change_leaves_row_event_item_and_word(origin: Origin) -> None:
    ticket = make_ticket()
    high = make_priority(2)
    services.change_ticket(ticket=ticket, changes={"priority": high}, origin=origin, now=NOW)
    ticket.refresh_from_db()
    assert (ticket.rank, ticket.sync_state) == (2, "pending")
    event = ticket.events.get()
    assert (event.field, event.new, event.new_label, event.actor) == ("priority", str(high.pk), "High", "Dana Whitlock")
    item = items(ticket)[0]
    assert item.fields == {"priority": high.remote_id}


def test_what_is_already_so_is_no_change(origin: Origin) -> None:
    ticket = make_ticket()
    services.change_ticket(ticket=ticket, changes={"priority": ticket.priority}, origin=origin, now=NOW)
    assert not items(ticket)
    assert not ticket.events.exists()


def test_changes_of_one_person_travel_together(origin: Origin) -> None:
    ticket = make_ticket()
    services.change_ticket(ticket=ticket, changes={"priority": make_priority(2)}, origin=origin, now=NOW)
    services.change_ticket(ticket=ticket, changes={"impact": "2"}, origin=origin, now=LATER)
    item = items(ticket)[0]
    assert len(items(ticket)) == 1
    assert set(item.fields) == {"priority", "impact"}


def test_a_second_value_of_a_field_is_a_change_of_its_own(origin: Origin) -> None:
    ticket = make_ticket()
    services.change_ticket(ticket=ticket, changes={"priority": make_priority(2)}, origin=origin, now=NOW)
    services.change_ticket(ticket=ticket, changes={"priority": make_priority(1)}, origin=origin, now=LATER)
    assert len(items(ticket)) == 2


def test_a_claimed_item_takes_no_more(origin: Origin) -> None:
    ticket = make_ticket()
    services.change_ticket(ticket=ticket, changes={"priority": make_priority(2)}, origin=origin, now=NOW)
    outbox.claim(now=NOW, lease_seconds=60)
    services.change_ticket(ticket=ticket, changes={"impact": "2"}, origin=origin, now=LATER)
    assert len(items(ticket)) == 2


def test_what_came_from_the_psa_does_not_go_back() -> None:
    ticket = make_ticket()
    services.change_ticket(ticket=ticket, changes={"priority": make_priority(2)}, origin=Origin.psa("Ann"), now=NOW)
    assert not items(ticket)
    assert ticket.events.get().origin == "psa"


def test_pages_hear_of_it(origin: Origin, django_capture_on_commit_callbacks) -> None:
    ticket = make_ticket()
    before = live.stamp(live.ticket_scope(ticket.pk))
    with django_capture_on_commit_callbacks(execute=True):
        services.change_ticket(ticket=ticket, changes={"impact": "2"}, origin=origin, now=NOW)
    assert live.stamp(live.ticket_scope(ticket.pk)) != before


def test_a_new_client_takes_the_old_ones_people_along(origin: Origin) -> None:
    contact = make_contact()
    site = make_site(contact.client)
    ticket = make_ticket(contact=contact, site=site)
    services.change_ticket(ticket=ticket, changes={"client": make_client("Other")}, origin=origin, now=NOW)
    ticket.refresh_from_db()
    assert (ticket.contact, ticket.site) == (None, None)
    assert set(items(ticket)[0].fields) == {"client", "contact", "site"}


def test_resolving_stamps_and_reopening_clears(origin: Origin) -> None:
    ticket = make_ticket()
    services.change_ticket(ticket=ticket, changes={"status": make_status("resolved")}, origin=origin, now=NOW)
    ticket.refresh_from_db()
    assert (ticket.resolved_at, ticket.is_open, ticket.finished_at) == (NOW, False, NOW)
    services.change_ticket(ticket=ticket, changes={"status": make_status("open")}, origin=origin, now=LATER)
    ticket.refresh_from_db()
    assert (ticket.resolved_at, ticket.is_open, ticket.finished_at) == (None, True, None)


def test_a_warning_waits_for_one_confirming_press(origin: Origin) -> None:
    account = make_account(transition_rules=[{"to_categories": ["closed"], "level": "warning", "text": "Are you sure"}])
    ticket = make_ticket(psa_account=account)
    closed = make_status("closed")
    with pytest.raises(NeedsConfirmation):
        services.change_ticket(ticket=ticket, changes={"status": closed}, origin=origin, now=NOW)
    services.change_ticket(ticket=ticket, changes={"status": closed}, origin=origin, now=NOW, is_confirmed=True)
    ticket.refresh_from_db()
    assert ticket.status == closed


def test_a_pause_moves_the_deadline_by_its_length(origin: Origin) -> None:
    ticket = make_ticket(opened_at=NOW - timedelta(hours=2))
    services.change_ticket(ticket=ticket, changes={"status": make_status("waiting_client")}, origin=origin, now=NOW)
    later = NOW + timedelta(hours=2)
    services.change_ticket(ticket=ticket, changes={"status": make_status("open")}, origin=origin, now=later)
    assert ticket.clocks.get(kind="resolution").due_at == NOW + timedelta(hours=8)


# ---- assign, undo ----


def test_assign_to_somebody_and_to_nobody(origin: Origin) -> None:
    ticket = make_ticket()
    agent = make_agent()
    services.assign_ticket(ticket=ticket, agent=agent, origin=origin, now=NOW)
    services.assign_ticket(ticket=ticket, agent=None, origin=origin, now=LATER)
    assert [e.new_label for e in ticket.events.all()] == ["Priya Nair", ""]
    assert items(ticket)[-1].fields == {"agent": None}


def test_undo_is_a_change_of_its_own(origin: Origin) -> None:
    ticket = make_ticket()
    before = ticket.priority
    services.change_ticket(ticket=ticket, changes={"priority": make_priority(1)}, origin=origin, now=NOW)
    ids = [e.pk for e in ticket.events.all()]
    undo_change(ticket=ticket, event_ids=ids, origin=origin, now=LATER)
    ticket.refresh_from_db()
    assert ticket.priority == before
    assert items(ticket)[-1].fields == {"priority": before.remote_id}


def test_undo_leaves_what_somebody_changed_since(origin: Origin) -> None:
    ticket = make_ticket()
    services.change_ticket(ticket=ticket, changes={"priority": make_priority(1)}, origin=origin, now=NOW)
    ids = [e.pk for e in ticket.events.all()]
    low = make_priority(4)
    services.change_ticket(ticket=ticket, changes={"priority": low}, origin=Origin.psa("Ann"), now=LATER)
    undo_change(ticket=ticket, event_ids=ids, origin=origin, now=LATER)
    ticket.refresh_from_db()
    assert ticket.priority == low


# ---- conflicts ----


def test_keep_mine_sends_again_over_theirs(origin: Origin) -> None:
    ticket = make_ticket()
    mine, theirs = make_priority(2), make_priority(1)
    item = refused(ticket, origin, {"priority": mine}, {"priority": theirs.remote_id})
    conflicts.keep_mine(item=item, origin=origin, now=LATER)
    item.refresh_from_db()
    assert (item.state, item.base["priority"]) == (State.WAITING, theirs.remote_id)
    ticket.refresh_from_db()
    assert (ticket.priority, ticket.sync_state) == (mine, "pending")


def test_take_theirs_falls_back(origin: Origin) -> None:
    ticket = make_ticket()
    theirs = make_priority(1)
    item = refused(ticket, origin, {"priority": make_priority(2)}, {"priority": theirs.remote_id})
    conflicts.take_theirs(item=item, origin=origin, now=LATER)
    ticket.refresh_from_db()
    assert (ticket.priority, ticket.sync_state) == (theirs, "")
    assert not OutboxItem.objects.in_lane(ticket.lane).open().exists()


def test_taking_theirs_keeps_what_was_not_in_conflict(origin: Origin) -> None:
    ticket = make_ticket()
    theirs = make_priority(1)
    changes = {"priority": make_priority(2), "impact": "2"}
    item = refused(ticket, origin, changes, {"priority": theirs.remote_id})
    conflicts.take_theirs(item=item, origin=origin, now=LATER)
    ticket.refresh_from_db()
    item.refresh_from_db()
    assert (ticket.priority, ticket.impact) == (theirs, "2")
    assert (item.state, item.fields) == (State.WAITING, {"impact": "2"})


def test_discarding_a_change_puts_the_last_known_value_back(origin: Origin) -> None:
    ticket = make_ticket()
    before = ticket.priority
    ticket.confirmed = {"priority": before.remote_id}
    ticket.save()
    services.change_ticket(ticket=ticket, changes={"priority": make_priority(2)}, origin=origin, now=NOW)
    outbox.discard_item(item=items(ticket)[0], now=LATER)
    ticket.refresh_from_db()
    assert ticket.priority == before


def test_a_field_that_a_later_change_holds_does_not_fall_back(origin: Origin) -> None:
    ticket = make_ticket()
    ticket.confirmed = {"priority": ticket.priority.remote_id}
    ticket.save()
    mine = make_priority(1)
    services.change_ticket(ticket=ticket, changes={"priority": make_priority(2)}, origin=origin, now=NOW)
    services.change_ticket(ticket=ticket, changes={"priority": mine}, origin=origin, now=LATER)
    outbox.discard_item(item=items(ticket)[0], now=LATER)
    ticket.refresh_from_db()
    assert ticket.priority == mine


def test_settling_twice_is_stale(origin: Origin) -> None:
    ticket = make_ticket()
    item = refused(ticket, origin, {"impact": "2"}, {"impact": "1"})
    conflicts.keep_mine(item=item, origin=origin, now=LATER)
    with pytest.raises(Stale):
        conflicts.keep_mine(item=item, origin=origin, now=LATER)


def test_giving_up_a_new_ticket_takes_it_out_of_every_list(origin: Origin) -> None:
    account, fields = opening()
    ticket = services.create_ticket(psa_account=account, fields=fields, origin=origin, now=NOW)
    outbox.discard_item(item=items(ticket)[0], now=LATER)
    assert not Ticket.objects.present().exists()


# ---- messages and edges ----


def test_the_first_public_answer_ends_the_response_clock() -> None:
    ticket = make_ticket(client_replied_at=NOW)
    messages.note_staff_message(ticket=ticket, at=NOW, is_public=False, now=NOW)
    ticket.refresh_from_db()
    assert ticket.first_responded_at is None
    messages.note_staff_message(ticket=ticket, at=NOW, is_public=True, now=NOW)
    ticket.refresh_from_db()
    assert (ticket.first_responded_at, ticket.client_replied_at) == (NOW, None)


def test_edges_that_pass_by_themselves_are_written_down() -> None:
    late = make_ticket(next_due_at=NOW - timedelta(seconds=1), next_at_risk_at=None)
    risky = make_ticket(next_due_at=NOW + timedelta(minutes=5), next_at_risk_at=NOW - timedelta(minutes=1))
    assert upkeep.tick_clocks(now=NOW) == 2
    late.refresh_from_db()
    risky.refresh_from_db()
    assert (late.clock_state, risky.clock_state) == ("breached", "at_risk")
    assert upkeep.tick_clocks(now=NOW) == 0


def test_a_tick_leaves_alone_what_somebody_saved_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    late = make_ticket(next_due_at=NOW - timedelta(seconds=1), next_at_risk_at=None)

    def save_between(**facts: object) -> QuerySet[TicketClock]:
        if facts.get("ticket") == late:  # between the look and the writing
            Ticket.objects.filter(pk=late.pk).update(is_open=False, clock_state="met")
        return TicketClock.objects.none()

    monkeypatch.setattr(upkeep, "TicketClock", SimpleNamespace(objects=SimpleNamespace(filter=save_between)))
    upkeep.tick_clocks(now=NOW)
    late.refresh_from_db()
    assert late.clock_state == "met"


@pytest.mark.parametrize(
    ("settle", "word"),
    [
        (lambda i: outbox.complete(item=i, now=LATER), "sent"),
        (lambda i: outbox.refuse(item=i, reason=Reason.VALIDATION, text="no", now=LATER), "refused"),
        (lambda i: outbox.check_later(item=i, until=LATER, text="?", now=LATER), "checking"),
        (lambda i: outbox.postpone(item=i, until=LATER, text="busy", now=LATER), "pending"),
    ],
)
def test_the_ticket_says_how_its_changes_fare(origin: Origin, settle, word: str) -> None:
    ticket = make_ticket()
    services.change_ticket(ticket=ticket, changes={"impact": "2"}, origin=origin, now=NOW)
    settle(outbox.claim(now=NOW, lease_seconds=60)[0])
    ticket.refresh_from_db()
    assert ticket.sync_state == word
