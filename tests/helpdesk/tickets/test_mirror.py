"""What a PSA says of tickets: idempotent, never over an unsent change, in a fixed number of statements."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from helpdesk.core.origin import Origin
from helpdesk.directory.models import PsaAccount
from helpdesk.outbox import services as outbox
from helpdesk.outbox.choices import Reason, State
from helpdesk.outbox.models import OutboxItem
from helpdesk.sla import book
from helpdesk.tickets import conflicts, holds, services, upkeep
from helpdesk.tickets.mirror import RemoteTicket, apply_tickets
from helpdesk.tickets.models import Status, Ticket
from helpdesk.tickets.search import matching
from helpdesk.tickets.status_changes import RemoteStatusChange, apply_status_changes
from tests.factories import NOW, make_agent, make_client, make_priority, make_status, make_ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def base(account: PsaAccount) -> dict[str, Any]:
    status = make_status("new", psa_account=account, remote_id="1", name="New")
    make_status("open", psa_account=account, remote_id="2", name="In Progress")
    make_status("closed", psa_account=account, remote_id="9", name="Closed", sla_clock="stopped")
    make_status("waiting_client", psa_account=account, remote_id="5", name="Waiting", sla_clock="paused")
    priority = make_priority(3, psa_account=account, remote_id="3")
    client = make_client(psa_account=account)
    return {"status_id": status.pk, "priority_id": priority.pk, "client_id": client.pk}


def remote(base: dict[str, Any], now: datetime, remote_id: str = "100", **values: Any) -> RemoteTicket:
    confirmed = values.pop("confirmed", {"subject": values.get("subject", "Printer"), "status": "1"})
    options = {name: values.pop(name) for name in ("marker", "paused_at") if name in values}
    return RemoteTicket(
        remote_id=remote_id,
        values={"subject": "Printer", "number": remote_id, "opened_at": now - timedelta(hours=1), **base, **values},
        confirmed=confirmed,
        remote_updated_at=options.pop("at", None) or now,
        **options,
    )


def later(row: RemoteTicket, minutes: int, **values: Any) -> RemoteTicket:
    confirmed = values.pop("confirmed", row.confirmed)
    return RemoteTicket(
        remote_id=row.remote_id,
        values={**row.values, **values},
        confirmed=confirmed,
        remote_updated_at=(row.remote_updated_at or NOW) + timedelta(minutes=minutes),
    )


def test_a_new_ticket_gets_clocks_columns_event_and_search(account: PsaAccount, base: Any, now: datetime) -> None:
    PsaAccount.objects.filter(pk=account.pk).update(settings={"sla_shown": "theirs"})
    row = remote(base, now, resolution_due_at=now + timedelta(minutes=30), description="the toner is out")
    applied = apply_tickets(account_id=account.pk, rows=[row], now=now)
    ticket = Ticket.objects.get(remote_id="100")
    assert (applied.created, applied.tickets) == (1, {"100": ticket.pk})
    assert (ticket.status_category, ticket.is_open, ticket.rank) == ("new", True, 3)
    assert {c.kind: c.source for c in ticket.clocks.all()} == {"response": "default", "resolution": "psa"}
    assert ticket.next_clock == "resolution"
    assert ticket.clock_state == "at_risk"
    assert [e.field for e in ticket.events.all()] == ["created"]
    assert list(matching("toner", Ticket.objects.all())) == [ticket]


def test_the_same_record_twice_changes_nothing(account: PsaAccount, base: Any, now: datetime) -> None:
    row = remote(base, now)
    apply_tickets(account_id=account.pk, rows=[row], now=now)
    applied = apply_tickets(account_id=account.pk, rows=[row], now=now + timedelta(minutes=1))
    assert (applied.created, applied.changed, applied.unchanged) == (0, 0, 1)
    assert Ticket.objects.get().changed_at == now


def test_a_changed_record_is_written_with_events(account: PsaAccount, base: Any, now: datetime) -> None:
    row = remote(base, now)
    apply_tickets(account_id=account.pk, rows=[row], now=now)
    agent = make_agent(psa_account=account)
    closed = Status.objects.get(remote_id="9")
    changed = later(row, 5, agent_id=agent.pk, status_id=closed.pk, resolved_at=now + timedelta(minutes=4))
    for _ in range(2):
        apply_tickets(account_id=account.pk, rows=[changed], now=now + timedelta(minutes=6), is_forced=True)
    ticket = Ticket.objects.get()
    assert (ticket.agent_id, ticket.is_open, ticket.finished_at) == (agent.pk, False, now + timedelta(minutes=4))
    events = {e.field: (e.new_label, e.origin, e.precision) for e in ticket.events.all() if e.field != "created"}
    assert events == {"agent": ("Priya Nair", "psa", "polled"), "status": ("Closed", "psa", "polled")}
    assert ticket.events.count() == 3
    assert ticket.clocks.get(kind="resolution").state == "met"


def test_status_changes_are_left_to_exact_events_where_the_psa_has_them(
    account: PsaAccount, base: Any, now: datetime
) -> None:
    row = remote(base, now)
    apply_tickets(account_id=account.pk, rows=[row], now=now)
    open_ = Status.objects.get(remote_id="2")
    apply_tickets(account_id=account.pk, rows=[later(row, 5, status_id=open_.pk)], now=now, has_status_events=True)
    ticket = Ticket.objects.get()
    assert not ticket.events.of_field("status").exists()
    change = RemoteStatusChange(key="action:4", old_id=base["status_id"], new_id=open_.pk, at=now, actor="Pat")
    for _ in range(2):
        apply_status_changes(ticket=ticket, rows=[change], now=now)
    event = ticket.events.of_field("status").get()
    assert (event.old_label, event.new_label, event.actor, event.at) == ("New", "In Progress", "Pat", now)


def test_our_own_status_change_come_back_is_no_second_event(account: PsaAccount, base: Any, now: datetime) -> None:
    apply_tickets(account_id=account.pk, rows=[remote(base, now, agent_id=make_agent(psa_account=account).pk)], now=now)
    ticket, open_ = Ticket.objects.get(), Status.objects.get(remote_id="2")
    services.change_ticket(ticket=ticket, changes={"status": open_}, origin=Origin(place="desk", name="D"), now=now)
    echo = RemoteStatusChange(key="action:2", old_id=None, new_id=open_.pk, at=now + timedelta(seconds=3))
    assert apply_status_changes(ticket=ticket, rows=[echo], now=now) == 0
    assert [e.remote_key for e in ticket.events.of_field("status")] == ["action:2"]


def test_a_pull_leaves_an_unsent_change_alone(account: PsaAccount, base: Any, now: datetime) -> None:
    row = remote(base, now)
    apply_tickets(account_id=account.pk, rows=[row], now=now)
    ticket = Ticket.objects.get()
    services.change_ticket(ticket=ticket, changes={"subject": "Mine"}, origin=Origin(place="desk", name="D"), now=now)
    apply_tickets(account_id=account.pk, rows=[later(row, 1, reported_by="Sam")], now=now)
    ticket.refresh_from_db()
    assert (ticket.subject, ticket.reported_by, ticket.confirmed["subject"]) == ("Mine", "Sam", "Printer")
    assert OutboxItem.objects.get().state == State.WAITING


def test_the_same_field_changed_on_both_sides_is_a_conflict(account: PsaAccount, base: Any, now: datetime) -> None:
    row = remote(base, now)
    apply_tickets(account_id=account.pk, rows=[row], now=now)
    ticket = Ticket.objects.get()
    services.change_ticket(ticket=ticket, changes={"subject": "Mine"}, origin=Origin(place="desk", name="D"), now=now)
    theirs = later(row, 1, subject="Theirs", confirmed={"subject": "Theirs", "status": "1"})
    apply_tickets(account_id=account.pk, rows=[theirs], now=now)
    item = OutboxItem.objects.get()
    ticket.refresh_from_db()
    assert (item.state, item.reason, item.theirs) == (State.REFUSED, Reason.CONFLICT, {"subject": "Theirs"})
    assert (item.base, item.fields, ticket.subject) == ({"subject": "Printer"}, {"subject": "Mine"}, "Mine")
    assert ticket.sync_state == "refused"
    conflicts.take_theirs(item=item, origin=Origin(place="desk", name="D"), now=now)
    ticket.refresh_from_db()
    assert (ticket.subject, ticket.sync_state) == ("Theirs", "")


def test_a_value_that_is_just_being_written_is_no_conflict(account: PsaAccount, base: Any, now: datetime) -> None:
    """The pull may see our first change in the PSA before its writer has come back."""
    row = remote(base, now)
    apply_tickets(account_id=account.pk, rows=[row], now=now)
    origin = Origin(place="desk", name="D")
    services.change_ticket(ticket=Ticket.objects.get(), changes={"subject": "Mine"}, origin=origin, now=now)
    first = outbox.claim(now=now, lease_seconds=60)[0]
    assert outbox.begin_write(item=first, now=now)
    services.change_ticket(ticket=Ticket.objects.get(), changes={"subject": "Mine again"}, origin=origin, now=now)
    seen = later(row, 1, subject="Mine", confirmed={"subject": "Mine", "status": "1"})
    apply_tickets(account_id=account.pk, rows=[seen], now=now)
    second = OutboxItem.objects.exclude(pk=first.pk).get()
    assert (second.state, second.fields, Ticket.objects.get().subject) == (
        State.WAITING, {"subject": "Mine again"}, "Mine again",
    )  # fmt: skip


def test_keeping_mine_goes_out_on_their_base(account: PsaAccount, base: Any, now: datetime) -> None:
    row = remote(base, now)
    apply_tickets(account_id=account.pk, rows=[row], now=now)
    origin = Origin(place="desk", name="D")
    services.change_ticket(ticket=Ticket.objects.get(), changes={"subject": "Mine"}, origin=origin, now=now)
    theirs = later(row, 1, subject="Theirs", confirmed={"subject": "Theirs"})
    apply_tickets(account_id=account.pk, rows=[theirs], now=now)
    conflicts.keep_mine(item=OutboxItem.objects.get(), origin=origin, now=now)
    item = OutboxItem.objects.get()
    assert (item.state, item.base, item.theirs) == (State.WAITING, {"subject": "Theirs"}, {})
    apply_tickets(account_id=account.pk, rows=[later(theirs, 1)], now=now)
    assert OutboxItem.objects.get().state == State.WAITING


def test_a_ticket_of_ours_is_found_by_its_marker(account: PsaAccount, base: Any, now: datetime) -> None:
    ticket = make_ticket(psa_account=account, remote_id=None, number="")
    apply_tickets(account_id=account.pk, rows=[remote(base, now, "77", marker=str(ticket.marker))], now=now)
    ticket.refresh_from_db()
    assert (Ticket.objects.count(), ticket.remote_id, ticket.label) == (1, "77", "77")


def test_a_pause_keeps_what_was_left(account: PsaAccount, base: Any, now: datetime) -> None:
    waiting = Status.objects.get(remote_id="5")
    row = remote(
        base, now, status_id=waiting.pk, resolution_due_at=now + timedelta(hours=3), paused_at=now,
        first_responded_at=now,
    )  # fmt: skip
    apply_tickets(account_id=account.pk, rows=[row], now=now + timedelta(hours=2))
    ticket = Ticket.objects.get()
    clock = ticket.clocks.get(kind="resolution")
    assert (clock.state, clock.remaining_seconds, clock.due_at) == ("paused", 3 * 3600, None)
    assert (ticket.clock_state, ticket.clock_seconds, ticket.next_due_at.year) == ("paused", 3 * 3600, 9999)


def test_a_batch_costs_the_same_statements_whatever_its_size(account: PsaAccount, base: Any, now: datetime) -> None:
    # At most 13 rows: beyond that SQLite splits one statement into several, by its limit of parameters.
    def count(ids: range, at: datetime, subject: str) -> int:
        rows = [remote(base, at, str(i), subject=f"{subject} {i}") for i in ids]
        with CaptureQueriesContext(connection) as seen:
            apply_tickets(account_id=account.pk, rows=rows, now=now)
        return len(seen)

    book.current()  # read once by a process, not by every batch
    few, many = count(range(3), now, "a"), count(range(100, 113), now, "a")
    assert few == many
    few, many = (
        count(range(3), now + timedelta(minutes=1), "b"),
        count(range(100, 113), now + timedelta(minutes=1), "b"),
    )
    assert few == many


def test_a_removed_ticket_that_shows_up_again_is_back(account: PsaAccount, base: Any, now: datetime) -> None:
    row = remote(base, now)
    apply_tickets(account_id=account.pk, rows=[row], now=now)
    upkeep.mark_removed(ticket_ids=[Ticket.objects.get().pk], now=now)
    assert not Ticket.objects.present().exists()
    apply_tickets(account_id=account.pk, rows=[later(row, 1)], now=now)
    assert Ticket.objects.present().exists()


def test_words_that_the_psa_changed_are_found_and_cleaned_anew(account: PsaAccount, base: Any, now: datetime) -> None:
    row = remote(base, now, description="toner")
    apply_tickets(account_id=account.pk, rows=[row], now=now)
    Ticket.objects.update(cleaner_version=1, description_clean="toner")
    apply_tickets(account_id=account.pk, rows=[later(row, 1, description="drum")], now=now)
    assert list(matching("drum", Ticket.objects.all()))
    assert not list(matching("toner", Ticket.objects.all()))
    assert Ticket.objects.get().cleaner_version == 0


def test_a_hold_that_is_on_its_way_outlives_a_pull(account: PsaAccount, base: Any, now: datetime) -> None:
    row = remote(base, now, sla_paused=False)
    apply_tickets(account_id=account.pk, rows=[row], now=now)
    ticket = Ticket.objects.get()
    origin = Origin.system()
    holds.hold_clocks(ticket=ticket, is_held=True, by="Waiting for parts", origin=origin, now=now)
    item = outbox.enqueue(
        psa_account_id=account.pk, lane=ticket.lane, verb="create_action", subject="action:1", origin=origin, now=now,
        fields={"hold": "hold"},
    )  # fmt: skip
    apply_tickets(account_id=account.pk, rows=[later(row, 1)], now=now + timedelta(minutes=1))
    ticket.refresh_from_db()
    assert ticket.sla_paused
    outbox.complete(item=outbox.claim(now=now, lease_seconds=60, limit=1)[0], now=now)
    item.refresh_from_db()
    assert item.state == State.DONE
    apply_tickets(account_id=account.pk, rows=[later(row, 2)], now=now + timedelta(minutes=2))
    ticket.refresh_from_db()
    assert not ticket.sla_paused  # the PSA's own word, once it has heard of ours


def test_the_psas_hold_and_a_new_status_end_our_release(account: PsaAccount, base: Any, now: datetime) -> None:
    row = remote(base, now, sla_paused=False, status_id=Status.objects.get(remote_id="5").pk)
    apply_tickets(account_id=account.pk, rows=[row], now=now)
    for minutes, values, stands_still in ((1, {}, False), (2, {"sla_paused": True}, True)):
        holds.hold_clocks(ticket=Ticket.objects.get(), is_held=False, by="Told", origin=Origin.system(), now=now)
        apply_tickets(account_id=account.pk, rows=[later(row, minutes, **values)], now=now + timedelta(minutes=minutes))
        assert (Ticket.objects.get().clock_state == "paused") is stands_still


def held_events(ticket: Ticket) -> list[tuple[str, str, str, datetime]]:
    rows = ticket.events.filter(field__in=(holds.HOLD, holds.RELEASE))
    return [(e.field, e.origin, e.precision, e.at) for e in rows]


def test_a_hold_of_the_psa_is_told_once_at_its_time(account: PsaAccount, base: Any, now: datetime) -> None:
    row = remote(base, now, sla_paused=False)
    apply_tickets(account_id=account.pk, rows=[row], now=now)
    for minutes, is_held in ((5, True), (9, True), (20, False)):
        for seconds in (30, 60):  # told twice
            seen = now + timedelta(minutes=minutes, seconds=seconds)
            change = later(row, minutes, sla_paused=is_held)
            apply_tickets(account_id=account.pk, rows=[change], now=seen, is_forced=True)
    assert held_events(Ticket.objects.get()) == [
        ("hold", "psa", "polled", now + timedelta(minutes=5)),
        ("release", "psa", "polled", now + timedelta(minutes=20)),
    ]


def test_a_ticket_that_comes_held_says_since_when(account: PsaAccount, base: Any, now: datetime) -> None:
    since = now - timedelta(minutes=40)
    rows = [
        remote(base, now, sla_paused=True, paused_at=since),
        remote(base, now, "101", sla_paused=True, status_id=Status.objects.get(remote_id="5").pk),
    ]
    apply_tickets(account_id=account.pk, rows=rows, now=now)
    assert held_events(Ticket.objects.get(remote_id="100")) == [("hold", "psa", "exact", since)]
    assert held_events(Ticket.objects.get(remote_id="101")) == []  # its status says so already


def test_a_hold_that_a_status_explains_is_no_event_of_its_own(account: PsaAccount, base: Any, now: datetime) -> None:
    waiting, open_ = Status.objects.get(remote_id="5").pk, Status.objects.get(remote_id="2").pk
    row = remote(base, now, sla_paused=False)
    apply_tickets(account_id=account.pk, rows=[row], now=now)
    for minutes, status, is_held in ((1, waiting, True), (2, open_, False)):
        change = later(row, minutes, status_id=status, sla_paused=is_held)
        apply_tickets(account_id=account.pk, rows=[change], now=now + timedelta(minutes=minutes))
    assert held_events(Ticket.objects.get()) == []


def test_a_hold_that_outlived_a_pausing_status_is_released(account: PsaAccount, base: Any, now: datetime) -> None:
    waiting, open_ = Status.objects.get(remote_id="5").pk, Status.objects.get(remote_id="2").pk
    row = remote(base, now, sla_paused=False)
    apply_tickets(account_id=account.pk, rows=[row], now=now)
    steps = ((1, open_, True), (2, waiting, True), (3, open_, False))
    for minutes, status, is_held in steps:
        change = later(row, minutes, status_id=status, sla_paused=is_held)
        apply_tickets(account_id=account.pk, rows=[change], now=now + timedelta(minutes=minutes))
    assert [e[0] for e in held_events(Ticket.objects.get())] == ["hold", "release"]


def test_released_in_a_pausing_status_the_clocks_run_on(account: PsaAccount, base: Any, now: datetime) -> None:
    row = remote(base, now, sla_paused=True, status_id=Status.objects.get(remote_id="5").pk)
    apply_tickets(account_id=account.pk, rows=[row], now=now)
    assert Ticket.objects.get().clock_state == "paused"
    apply_tickets(account_id=account.pk, rows=[later(row, 1, sla_paused=False)], now=now + timedelta(minutes=1))
    ticket = Ticket.objects.get()
    assert [e[0] for e in held_events(ticket)] == ["release"]
    assert ticket.clock_state != "paused"


def test_a_running_status_set_here_ends_the_psas_hold(account: PsaAccount, base: Any, now: datetime) -> None:
    apply_tickets(account_id=account.pk, rows=[remote(base, now, sla_paused=True)], now=now)
    services.change_ticket(
        ticket=Ticket.objects.get(), changes={"status": Status.objects.get(remote_id="2")},
        origin=Origin(place="desk", name="Dana"), now=now + timedelta(minutes=3),
    )  # fmt: skip
    assert [e[:2] for e in held_events(Ticket.objects.get())] == [("hold", "psa"), ("release", "desk")]
