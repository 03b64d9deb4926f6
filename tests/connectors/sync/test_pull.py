"""Pulling from the sandbox over real HTTP: first reading, resuming, changes, deletions."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connectors.base.errors import Unavailable
from connectors.sync import cursors, pull, reread
from connectors.sync.models import Cursor, Feed, SyncLogEntry
from helpdesk.actions.models import Action
from helpdesk.core.origin import Origin
from helpdesk.directory.models import Agent, Client, Contact, Site, Team
from helpdesk.outbox.choices import State
from helpdesk.outbox.models import OutboxItem
from helpdesk.tickets import conflicts
from helpdesk.tickets import services as tickets
from helpdesk.tickets.models import Priority, Status, Ticket
from tests.connectors.sync.helpers import Desk, desk

pytestmark = pytest.mark.django_db


def counts(found: Desk) -> tuple[int, int]:
    state = found.sandbox.control("GET", "state")["halopsa"]
    return state["tickets"], state["actions"]


def test_the_first_reading_brings_everything() -> None:
    with desk(tickets=60) as found:
        there = counts(found)
        assert (Ticket.objects.count(), Action.objects.count()) == there
        assert found.account.backfill_done_at
        assert found.account.last_pull_at
        assert min(m.objects.count() for m in (Client, Site, Contact, Team, Agent, Status, Priority)) > 0
        assert not Ticket.objects.exclude(remote_id=None).filter(client=None).exists()
        assert not Status.objects.filter(is_placeholder=True).exists()


def test_a_second_pull_finds_nothing_new_and_writes_no_event() -> None:
    with desk(tickets=20) as found:
        before = list(Ticket.objects.order_by("pk").values_list("pk", "changed_at"))
        tally = found.pull()
        assert tally.applied["tickets"] == 0
        assert list(Ticket.objects.order_by("pk").values_list("pk", "changed_at")) == before


def test_changes_of_psa_users_arrive_with_their_actions() -> None:
    with desk(tickets=10) as found:
        ticket = found.ticket()
        path = f"halopsa/tickets/{ticket.remote_id}"
        found.sandbox.control("POST", path, {"summary": "Now the scanner too"})
        found.sandbox.control("POST", f"{path}/actions", {"note": "Called them back"})
        found.pull()
        ticket.refresh_from_db()
        assert ticket.subject == "Now the scanner too"
        assert ticket.actions.filter(body__contains="Called them back").exists()
        assert ticket.events.filter(field="subject", origin="psa").count() == 1


def test_a_new_ticket_of_the_psa_arrives() -> None:
    with desk(tickets=5) as found:
        client = Client.objects.exclude(remote_id=None).first()
        assert client
        made = found.sandbox.control(
            "POST", "halopsa/tickets", {"summary": "New one", "client_id": int(client.remote_id or 0)}
        )
        found.pull()
        assert Ticket.objects.get(remote_id=str(made["id"])).subject == "New one"


def test_unknown_ids_become_placeholders_and_are_named_later() -> None:
    with desk(tickets=10, pulled=False) as found:
        cursors.cursor_of(found.account.pk, Feed.DIRECTORY)
        Cursor.objects.filter(feed=Feed.DIRECTORY).update(not_before_at=found.clock() + timedelta(hours=1))
        pull.tickets_slice(found.account, clock=found.clock)
        assert Ticket.objects.count() == 10
        assert Client.objects.filter(is_placeholder=True).exists()
        Cursor.objects.filter(feed=Feed.DIRECTORY).update(not_before_at=None)
        found.pull()
        assert not Client.objects.filter(is_placeholder=True).exists()


def test_a_reading_that_breaks_off_goes_on_where_it_was() -> None:
    with desk(tickets=260, pulled=False) as found:
        pages = 0

        def breaks(cursor: Cursor) -> None:
            nonlocal pages
            if cursor.feed == Feed.CLOSED_TICKETS:
                pages += 1
                if pages == 2:
                    raise Unavailable("the cable")

        tally = found.pull(on_page=breaks)
        assert tally.errors
        cursor = Cursor.objects.get(feed=Feed.CLOSED_TICKETS)
        assert cursor.token
        assert cursor.done == 200
        assert cursor.finished_at is None
        asked = len(found.sandbox.requests())
        found.clock.advance(60)
        assert not found.pull().errors
        rows = found.sandbox.requests()[asked:]
        pages_after = [r for r in rows if r["path"].endswith("/Tickets") and "closed_only" in str(r["query"])]
        assert len(pages_after) <= 4
        assert (Ticket.objects.count(), Action.objects.count()) == counts(found)


def test_a_worker_that_lost_its_lease_changes_nothing() -> None:
    with desk(tickets=5, pulled=False) as found:
        mine = cursors.take(account_id=found.account.pk, feed=Feed.CHANGES, now=found.clock())
        assert mine
        assert cursors.take(account_id=found.account.pk, feed=Feed.CHANGES, now=found.clock()) is None
        found.clock.advance(cursors.LEASE_SECONDS + 1)
        theirs = cursors.take(account_id=found.account.pk, feed=Feed.CHANGES, now=found.clock())
        assert theirs
        with pytest.raises(cursors.LeaseLost):
            cursors.save(mine, now=found.clock(), token="old")
        cursors.release(mine)
        theirs.refresh_from_db()
        assert theirs.token == ""
        assert theirs.lease_until


def test_an_unsent_change_survives_a_pull_and_keeps_the_psas_value_beside_it() -> None:
    with desk(tickets=10) as found:
        ticket = found.ticket()
        mine = Priority.objects.exclude(pk=ticket.priority_id).first()
        tickets.change_ticket(
            ticket=ticket, changes={"priority": mine}, origin=found.origin, now=found.clock(), is_confirmed=True
        )
        found.sandbox.control("POST", f"halopsa/tickets/{ticket.remote_id}", {"summary": "Their words"})
        found.pull()
        ticket.refresh_from_db()
        assert ticket.subject == "Their words"
        assert ticket.priority == mine
        assert OutboxItem.objects.get().state == State.WAITING


def test_a_field_changed_on_both_sides_is_a_conflict_by_field() -> None:
    with desk(tickets=10) as found:
        ticket = found.ticket()
        tickets.change_ticket(ticket=ticket, changes={"subject": "Mine"}, origin=found.origin, now=found.clock())
        found.sandbox.control("POST", f"halopsa/tickets/{ticket.remote_id}", {"summary": "Theirs"})
        found.pull()
        item = OutboxItem.objects.get()
        assert (item.state, item.reason, item.theirs) == (State.REFUSED, "conflict", {"subject": "Theirs"})
        ticket.refresh_from_db()
        assert ticket.subject == "Mine"
        conflicts.take_theirs(item=item, origin=found.origin, now=found.clock())
        ticket.refresh_from_db()
        assert ticket.subject == "Theirs"


def test_a_ticket_deleted_there_is_found_by_the_sweep_only_when_its_list_is_whole() -> None:
    with desk(tickets=10) as found:
        ticket = found.ticket()
        found.sandbox.control("DELETE", f"halopsa/tickets/{ticket.remote_id}")
        found.clock.advance(1)
        found.fault("status_before", method="GET", path="/Tickets", status=503, times=3)
        pull.sweep_account(found.account, clock=found.clock)
        ticket.refresh_from_db()
        assert ticket.removed_at is None
        found.sandbox.control("DELETE", "faults")
        found.clock.advance(60)
        pull.sweep_account(found.account, clock=found.clock)
        ticket.refresh_from_db()
        assert ticket.removed_at
        assert Ticket.objects.present().count() == 9


def test_a_hint_reads_one_ticket_again() -> None:
    with desk(tickets=5) as found:
        ticket = found.ticket()
        found.sandbox.control("POST", f"halopsa/tickets/{ticket.remote_id}", {"summary": "Hinted"})
        assert reread.read_ticket(ticket_id=ticket.pk, clock=found.clock)
        ticket.refresh_from_db()
        assert ticket.subject == "Hinted"
        assert "<" in ticket.description or ticket.description


def test_an_administrators_mapping_stays() -> None:
    with desk(tickets=5) as found:
        status = Status.objects.filter(psa_account=found.account).first()
        assert status
        Status.objects.filter(pk=status.pk).update(category="escalated", is_edited=True)
        found.clock.advance(3600)
        found.pull()
        status.refresh_from_db()
        assert status.category == "escalated"


def test_nothing_due_asks_nothing() -> None:
    with desk(tickets=5) as found:
        asked = len(found.sandbox.requests())
        assert pull.pull_due(clock=found.clock) is False
        assert len(found.sandbox.requests()) == asked


def test_pulls_are_logged_and_the_log_is_bounded() -> None:
    with desk(tickets=5) as found:
        assert SyncLogEntry.objects.filter(what="pull", ok=True).exists()
        assert not SyncLogEntry.objects.filter(text__contains="_").exists(), "words, not names of tables"
        assert Origin.psa("x").leaves is False
        assert found.account.health == "ok"
