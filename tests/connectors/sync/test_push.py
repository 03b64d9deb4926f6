"""Every way in which a write can go wrong leaves exactly one record in the PSA."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from connectors.sync import outbound, push
from connectors.sync.retry import is_surely_absent, lookup_seconds, retry_seconds
from helpdesk.actions import services as actions
from helpdesk.actions.files import store_file
from helpdesk.actions.models import Action, TimeEntry
from helpdesk.actions.services import NewAction
from helpdesk.core.origin import Origin
from helpdesk.directory.models import Agent, Contact
from helpdesk.outbox import services as outbox
from helpdesk.outbox.choices import State
from helpdesk.outbox.models import OutboxItem
from helpdesk.tickets import conflicts
from helpdesk.tickets import services as tickets
from helpdesk.tickets.models import Priority, Status, Ticket, TicketType
from tests.connectors.sync.helpers import Desk, desk

pytestmark = pytest.mark.django_db
JSON = {"Content-Type": "application/json"}


def say(found: Desk, ticket: Ticket, text: str = "We look at it now", **values: Any) -> Any:
    new = NewAction(text=text, **{"is_internal": False, "kind": "reply", **values})
    return actions.add_action(
        ticket=ticket, new=new, origin=found.origin, now=found.clock(), user=found.user, is_confirmed=True
    )


def open_one(found: Desk, subject: str = "Printer on fire") -> Ticket:
    like = found.ticket()
    fields = {
        "subject": subject,
        "description": "It smells",
        "client": like.client,
        "contact": like.contact,
        "status": Status.objects.filter(category="new").first(),
        "priority": like.priority,
        "ticket_type": TicketType.objects.first(),
    }
    return tickets.create_ticket(
        psa_account=found.account, fields=fields, origin=found.origin, now=found.clock(), is_confirmed=True
    )


def change(found: Desk, ticket: Ticket, **changes: Any) -> None:
    tickets.change_ticket(ticket=ticket, changes=changes, origin=found.origin, now=found.clock(), is_confirmed=True)


def there(found: Desk, ticket: Ticket, text: str) -> int:
    rows = found.remote(ticket)["actions"]
    return sum(text in str(row.get("note_html") or row.get("note") or "") for row in rows)


def test_a_reply_with_time_and_status_arrives_in_one_write() -> None:
    with desk(tickets=8) as found:
        ticket = found.ticket()
        status = Status.objects.filter(category="waiting_client").first()
        action = say(found, ticket, seconds=900, status=status)
        assert found.settle() == [State.DONE]
        action.refresh_from_db()
        assert action.remote_id
        assert action.sync_state == "sent"
        remote = found.remote(ticket)
        assert str(remote["status_id"]) == status.remote_id  # type: ignore[union-attr]
        assert len(remote["time_entries"]) >= 1
        assert there(found, ticket, "We look at it now") == 1


def test_a_new_ticket_gets_its_number_and_later_changes_follow() -> None:
    with desk(tickets=8) as found:
        ticket = open_one(found)
        change(found, ticket, agent=Agent.objects.exclude(remote_id=None).first())
        say(found, ticket)
        assert found.settle() == [State.DONE] * 3
        ticket.refresh_from_db()
        assert ticket.number
        assert there(found, ticket, "We look at it now") == 1
        found.pull()
        assert Ticket.objects.filter(subject="Printer on fire").count() == 1


FAULTS: list[tuple[str, dict[str, Any]]] = [
    ("status_before", {"status": 503}),
    ("status_after", {"status": 503}),
    ("status_after", {"status": 500}),
    ("reset_before", {}),
    ("reset_after", {}),
    ("half_body", {}),
    ("wrong_body", {"body": "<html>gateway</html>"}),
    ("not_applied", {}),
    ("strip", {"fields": ["third_party_id_string", "<!-- -->"], "times": None}),
]


@pytest.mark.parametrize(("mode", "values"), FAULTS, ids=[f"{m}-{v.get('status', '')}" for m, v in FAULTS])
def test_an_action_arrives_once(mode: str, values: dict[str, Any]) -> None:
    with desk(tickets=8) as found:
        ticket = found.ticket()
        say(found, ticket, "Exactly once")
        found.fault(mode, path="/Actions", **values)
        states = found.settle()
        found.sandbox.control("DELETE", "faults")
        assert states == [State.DONE]
        assert there(found, ticket, "Exactly once") == 1
        found.pull()
        assert ticket.actions.filter(body__contains="Exactly once", removed_at=None).count() == 1


@pytest.mark.parametrize("seconds", [None, 900], ids=["words", "time alone"])
@pytest.mark.parametrize("mode", ["status_after", "reset_after"])
def test_an_action_that_a_pull_saw_before_its_answer_arrives_once(mode: str, seconds: int | None) -> None:
    """The pull knows our marker and names the action; the look-up must not take that for another write's."""
    with desk(tickets=8) as found:
        ticket = found.ticket()
        kind = {"kind": "note", "is_internal": True} if seconds else {}
        say(found, ticket, "" if seconds else "Seen first", seconds=seconds, **kind)
        found.fault(mode, path="/Actions", status=500)
        found.push()
        found.pull()
        assert found.settle() == [State.DONE]
        writes = [r for r in found.sandbox.requests() if r["applied"] and r["path"].lower().endswith("/actions")]
        assert len(writes) == 1


def test_a_file_that_a_pull_saw_before_its_answer_arrives_once() -> None:
    with desk(tickets=8) as found:
        ticket = found.ticket()
        file = store_file(
            upload=SimpleUploadedFile("log.txt", b"all is well"), name="log.txt", account=found.account,
            user=found.user, draft=None, now=found.clock(),
        )  # fmt: skip
        say(found, ticket, "With a file", files=[file])
        found.fault("status_after", path="/Attachment", status=500)
        found.push()
        found.pull()
        assert found.settle() == [State.DONE, State.DONE]
        assert [a["filename"] for a in found.remote(ticket)["attachments"]].count("log.txt") == 1


@pytest.mark.parametrize(("mode", "values"), FAULTS, ids=[f"{m}-{v.get('status', '')}" for m, v in FAULTS])
def test_a_ticket_is_created_once(mode: str, values: dict[str, Any]) -> None:
    with desk(tickets=8) as found:
        open_one(found, "Created once")
        found.fault(mode, path="/Tickets", **values)
        states = found.settle()
        found.sandbox.control("DELETE", "faults")
        assert states == [State.DONE]
        found.pull()
        assert Ticket.objects.filter(subject="Created once").count() == 1
        assert sum("Created once" in str(t.get("body")) for t in found.sandbox.requests() if t["applied"]) == 1


@pytest.mark.parametrize(("mode", "values"), FAULTS[:-2], ids=[f"{m}-{v.get('status', '')}" for m, v in FAULTS[:-2]])
def test_a_change_arrives(mode: str, values: dict[str, Any]) -> None:
    with desk(tickets=8) as found:
        ticket = found.ticket()
        change(found, ticket, subject="Changed here")
        found.fault(mode, path="/Tickets", **values)
        assert found.settle() == [State.DONE]
        assert found.remote(ticket)["summary"] == "Changed here"


def test_lists_that_show_a_write_late_do_not_make_it_twice() -> None:
    with desk(tickets=8) as found:
        ticket = found.ticket()
        say(found, ticket, "Late to show")
        found.fault("stale_reads", method=None, seconds=3600, times=None)
        found.fault("reset_after", path="/Actions")
        found.push()
        assert found.states() == [State.CHECKING]
        found.clock.advance(2.1)
        found.push()
        assert found.states() == [State.CHECKING]
        found.sandbox.control("DELETE", "faults")
        assert found.settle() == [State.DONE]
        assert there(found, ticket, "Late to show") == 1


def test_a_slow_answer_is_no_second_write() -> None:
    with desk(tickets=8) as found:
        found.account.settings["read_timeout"] = 1.5
        found.account.save()
        ticket = found.ticket()
        say(found, ticket, "Slowly")
        found.fault("delay_after", path="/Actions", seconds=4)
        assert found.settle() == [State.DONE]
        assert there(found, ticket, "Slowly") == 1


def test_a_killed_worker_looks_first() -> None:
    with desk(tickets=8) as found:
        ticket = found.ticket()
        say(found, ticket, "Before the kill")
        item = push.claim(found.clock())[0]
        assert outbox.begin_write(item=item, now=found.clock())
        connector_says(found, item, ticket)
        found.clock.advance(outbound.LEASE_SECONDS + 1)
        assert found.settle() == [State.DONE]
        assert there(found, ticket, "Before the kill") == 1


def connector_says(found: Desk, item: OutboxItem, ticket: Ticket) -> None:
    """The write of a worker that dies before it can keep the answer."""
    from connectors.sync import drafts, gateway

    with gateway.using(found.account, rank=gateway.PUSH, clock=found.clock) as connector:
        connector.create_action(drafts.action_draft(item, account=found.account, ticket=ticket))


def test_order_holds_within_a_ticket() -> None:
    with desk(tickets=8) as found:
        ticket = found.ticket()
        for number in range(6):
            say(found, ticket, f"Step {number}.")
        found.fault("status_before", path="/Actions", status=503, times=3)
        assert found.settle() == [State.DONE] * 6
        notes = [str(a.get("note_html") or a.get("note")) for a in found.remote(ticket)["actions"]]
        order = [n for note in notes for n in range(6) if f"Step {n}." in note]
        assert order == list(range(6))


def test_a_stuck_ticket_blocks_no_other() -> None:
    with desk(tickets=20) as found:
        first, second = Ticket.objects.filter(is_open=True).order_by("pk")[:2]
        say(found, first, "Stuck")
        say(found, second, "Free")
        found.fault("status_after", path="/Actions", status=500)
        found.push()
        assert found.states() == [State.CHECKING, State.DONE]


def test_what_the_psa_refuses_needs_a_person_and_can_be_edited_and_sent_again() -> None:
    with desk(tickets=8) as found:
        ticket = found.ticket()
        action = say(found, ticket, "Refused")
        found.fault("status_before", path="/Actions", status=400, body='"Outcome is not valid"', headers=JSON)
        assert found.settle() == [State.REFUSED]
        item = OutboxItem.objects.get()
        assert item.reason == "validation"
        assert item.error_text
        actions.edit_refused(item=item, origin=found.origin, now=found.clock(), text="Better")
        assert found.settle() == [State.DONE]
        assert there(found, ticket, "Better") == 1
        action.refresh_from_db()
        assert action.sync_state == "sent"


def test_a_conflict_is_noticed_before_the_write() -> None:
    with desk(tickets=8) as found:
        ticket = found.ticket()
        change(found, ticket, subject="Mine")
        found.sandbox.control("POST", f"halopsa/tickets/{ticket.remote_id}", {"summary": "Theirs"})
        assert found.settle() == [State.REFUSED]
        item = OutboxItem.objects.get()
        assert (item.reason, item.theirs) == ("conflict", {"subject": "Theirs"})
        conflicts.keep_mine(item=item, origin=found.origin, now=found.clock())
        assert found.settle() == [State.DONE]
        assert found.remote(ticket)["summary"] == "Mine"


def test_a_ticket_deleted_there_is_gone_here() -> None:
    with desk(tickets=8) as found:
        ticket = found.ticket()
        found.sandbox.control("DELETE", f"halopsa/tickets/{ticket.remote_id}")
        say(found, ticket)
        assert found.settle() == [State.REFUSED]
        assert OutboxItem.objects.get().reason == "gone"
        ticket.refresh_from_db()
        assert ticket.removed_at


def test_refused_credentials_pause_the_account_and_everything_waits() -> None:
    with desk(tickets=8) as found:
        ticket = found.ticket()
        say(found, ticket)
        found.fault("status_before", method=None, status=401, times=None)
        found.push()
        found.account.refresh_from_db()
        assert found.account.is_paused
        assert found.states() == [State.WAITING]
        asked = len(found.sandbox.requests())
        found.push()
        assert len(found.sandbox.requests()) == asked


def test_a_429_is_waited_out_as_told() -> None:
    with desk(tickets=8) as found:
        ticket = found.ticket()
        say(found, ticket)
        found.fault("status_before", path="/Actions", status=429, headers={"Retry-After": "7"})
        found.push()
        item = OutboxItem.objects.get()
        assert item.state == State.WAITING
        assert timedelta(seconds=5) < item.not_before_at - found.clock() <= timedelta(seconds=7)


def test_own_writes_make_no_echo() -> None:
    with desk(tickets=12) as found:
        ticket = found.ticket()
        for number in range(4):
            say(found, ticket, f"Own words {number}", seconds=60)
        for status in Status.objects.exclude(category__in=["resolved", "closed", "escalated"]).exclude(
            pk=ticket.status_id
        )[:2]:
            change(found, ticket, status=status)
        for priority in Priority.objects.exclude(pk=ticket.priority_id)[:2]:
            change(found, ticket, priority=priority)
        states = found.settle()
        assert set(states) == {State.DONE}
        before = (Action.objects.count(), TimeEntry.objects.count(), OutboxItem.objects.count())
        events = list(ticket.events.exclude(remote_key__startswith="action:").values_list("field", "new"))
        found.pull()
        found.clock.advance(3600)
        found.pull()
        assert OutboxItem.objects.count() == before[2]
        assert TimeEntry.objects.count() == before[1]
        said = ticket.actions.filter(removed_at=None).exclude(kind="system").filter(body__contains="Own words")
        assert said.count() == 4
        since = found.clock() - timedelta(hours=2)
        echoes = ticket.events.filter(origin="psa", at__gt=since).exclude(field="created")
        after = [(e.field, e.new_label) for e in echoes]
        assert after == []
        assert events


def test_a_clients_words_are_sent_as_theirs_and_mailed_to_nobody() -> None:
    with desk(tickets=8) as found:
        ticket = found.ticket(contact__isnull=False)
        contact = Contact.objects.get(pk=ticket.contact_id)
        actions.add_client_reply(
            ticket=ticket, contact=contact, text="It works <again>", origin=Origin.client(contact), now=found.clock()
        )
        assert found.settle() == [State.DONE]
        row = next(a for a in found.remote(ticket)["actions"] if "It works" in str(a.get("note_html") or a.get("note")))
        assert str(contact) in str(row.get("note_html") or row.get("note"))
        assert not row.get("hiddenfromuser")
        assert not row.get("sendemail")
        found.pull()
        mine = ticket.actions.get(body__contains="It works")
        assert mine.is_from_client
        assert mine.author_name == str(contact)


def test_time_alone_stays_time() -> None:
    with desk(tickets=8) as found:
        ticket = found.ticket()
        say(found, ticket, "", kind="note", is_internal=True, seconds=600)
        assert found.settle() == [State.DONE]
        found.pull()
        assert ticket.time_entries.filter(seconds=600).count() == 1
        assert not ticket.actions.filter(time_entry__seconds=600).exists()


def test_one_in_doubt_can_be_settled_by_a_person() -> None:
    with desk(tickets=8) as found:
        ticket = found.ticket()
        say(found, ticket, "In doubt")
        found.fault("reset_before", path="/Actions")
        found.push()
        item = OutboxItem.objects.get()
        assert item.state == State.CHECKING
        outbox.retry_item(item=item, origin=found.origin, now=found.clock())
        assert found.settle() == [State.DONE]
        assert there(found, ticket, "In doubt") == 1


def test_the_pauses_grow_and_end() -> None:
    assert [retry_seconds(n, 0.999) for n in (0, 1, 3, 9)] == pytest.approx([1, 2, 8, 60], rel=0.01)
    assert [lookup_seconds(n) for n in range(7)] == [2, 5, 10, 20, 40, 80, 160]
    assert not is_surely_absent(lookups=9, since_write=timedelta(seconds=5), is_harmless=False)
    assert is_surely_absent(lookups=4, since_write=timedelta(seconds=37), is_harmless=False)
    assert is_surely_absent(lookups=1, since_write=timedelta(seconds=2), is_harmless=True)
