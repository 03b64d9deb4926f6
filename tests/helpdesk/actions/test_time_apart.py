"""Where a PSA keeps time apart from notes: two items in order, and still one thing on the page."""

from __future__ import annotations

from datetime import timedelta

import pytest

from helpdesk.actions.mirror import RemoteAction, apply_actions, confirm_action
from helpdesk.actions.models import Action, TimeEntry
from helpdesk.actions.services import NewAction, add_action
from helpdesk.actions.times import RemoteTime, apply_times
from helpdesk.core.origin import Origin
from helpdesk.desk.story import Window, story_of
from helpdesk.outbox import services as outbox
from helpdesk.outbox.choices import Reason, State
from helpdesk.outbox.models import OutboxItem
from helpdesk.tickets.models import Ticket
from tests.factories import NOW, make_account, make_ticket
from tests.people import make_theo

pytestmark = pytest.mark.django_db


@pytest.fixture
def ticket() -> Ticket:
    account = make_account()
    account.capabilities = {**account.capabilities, "time_in_action": False}
    account.save()
    return make_ticket(psa_account=account)


def add(ticket: Ticket, **values: object) -> tuple[Action, OutboxItem, OutboxItem]:
    theo = make_theo(ticket.psa_account)
    new = NewAction(**{"text": "New toner", "seconds": 900, **values})  # type: ignore[arg-type]
    action = add_action(ticket=ticket, new=new, origin=Origin.desk(theo), now=NOW, user=theo, hold_seconds=5)
    assert isinstance(action, Action)
    note, time = OutboxItem.objects.in_lane(ticket.lane)
    return action, note, time


def test_a_note_with_time_is_two_items_in_order(ticket: Ticket) -> None:
    action, note, time = add(ticket)
    assert (note.subject, time.subject) == (f"action:{action.pk}", f"time:{action.time_entry.pk}")
    assert "time_seconds" not in note.fields
    assert (time.fields["kind"], time.fields["time_seconds"], time.fields["body_text"]) == ("time", 900, "")
    assert (time.depends_on, time.sequence) == (note, note.sequence + 1)
    assert note.not_before_at == time.not_before_at
    later = NOW + timedelta(seconds=10)
    assert list(OutboxItem.objects.due(later)) == [note]


def settle(item: OutboxItem, remote_id: str) -> None:
    later = NOW + timedelta(seconds=10)
    taken = outbox.claim(now=later, lease_seconds=60)[0]
    assert taken == item
    outbox.begin_write(item=taken, now=later)
    outbox.complete(item=taken, now=later)
    confirm_action(subject=item.subject, remote_id=remote_id, now=later, has_time="time_apart" not in item.fields)


def test_each_has_its_own_state_and_id(ticket: Ticket) -> None:
    action, note, time = add(ticket)
    settle(note, "9")
    action.refresh_from_db()
    entry = TimeEntry.objects.get()
    assert (action.sync_state, action.remote_id) == ("sent", "9")
    assert (entry.sync_state, entry.remote_id) == ("pending", None)
    settle(time, "t70")
    entry.refresh_from_db()
    assert (entry.sync_state, entry.remote_id, entry.action) == ("sent", "t70", action)


def test_a_pull_knows_both_again(ticket: Ticket) -> None:
    """The time comes back as a record of its own: it must not become a second entry."""
    action, note, time = add(ticket)
    settle(note, "9")
    settle(time, "t70")
    values = {"kind": "note", "is_internal": True, "body": "New toner", "occurred_at": NOW}
    booked = [
        RemoteTime(remote_id="t70", ended_at=NOW, seconds=900),
        RemoteTime(remote_id="t71", ended_at=NOW, seconds=5),
    ]
    for _ in range(2):
        apply_actions(ticket_id=ticket.pk, rows=[RemoteAction(key="9", values=values)], now=NOW)
        apply_times(ticket_id=ticket.pk, rows=booked, now=NOW)
    assert list(Action.objects.filter(removed_at=None)) == [action]
    assert sorted(TimeEntry.objects.values_list("remote_id", "seconds", "action__remote_id", "removed_at")) == [
        ("t70", 900, "9", None), ("t71", 5, None, None),
    ]  # fmt: skip


def test_a_pull_that_was_faster_than_the_answer_leaves_one(ticket: Ticket) -> None:
    _action, note, time = add(ticket)
    settle(note, "9")
    rows = [RemoteTime(remote_id="t70", ended_at=NOW, seconds=900)]
    apply_times(ticket_id=ticket.pk, rows=rows, now=NOW)
    settle(time, "t70")
    apply_times(ticket_id=ticket.pk, rows=rows, now=NOW)
    assert list(TimeEntry.objects.values_list("remote_id", "seconds")) == [("t70", 900)]


def test_undo_takes_both_back(ticket: Ticket) -> None:
    action, note, time = add(ticket)
    outbox.discard_item(item=note, now=NOW)
    time.refresh_from_db()
    entry = TimeEntry.objects.get()
    assert (time.state, entry.removed_at) == (State.DISCARDED, NOW)
    action.refresh_from_db()
    assert action.removed_at == NOW


def test_time_that_was_refused_shows_on_its_note(ticket: Ticket) -> None:
    action, note, time = add(ticket)
    settle(note, "9")
    later = NOW + timedelta(seconds=10)
    taken = outbox.claim(now=later, lease_seconds=60)[0]
    outbox.refuse(item=taken, reason=Reason.VALIDATION, text="no role", now=later)
    time.refresh_from_db()
    story = story_of(ticket, Window(), items=[time], files=[], now=later)
    entry = next(e for e in story.entries if e.key == f"action-{action.pk}")
    assert (entry.item, entry.sync) == (time, "refused")


def test_where_a_psa_joins_them_it_stays_one_item() -> None:
    joined = make_ticket()
    theo = make_theo(joined.psa_account)
    new = NewAction(text="New toner", seconds=900)
    add_action(ticket=joined, new=new, origin=Origin.desk(theo), now=NOW, user=theo)
    assert OutboxItem.objects.get().fields["time_seconds"] == 900
