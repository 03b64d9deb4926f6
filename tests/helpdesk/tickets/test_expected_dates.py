"""Which date a clock shows: ours or the PSA's, as the account chooses; ours while a change of ours is not in theirs."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from helpdesk.core.origin import Origin
from helpdesk.desk import moves
from helpdesk.outbox import services as outbox
from helpdesk.outbox.choices import Reason, State
from helpdesk.outbox.models import OutboxItem
from helpdesk.tickets import conflicts, rows, services, upkeep
from helpdesk.tickets.mirror import RemoteTicket, apply_tickets
from helpdesk.tickets.models import Priority, Ticket, TicketClock, TicketEvent
from tests.factories import (
    NOW,
    make_account,
    make_policy,
    make_priority,
    make_status,
    make_target,
    make_ticket,
)
from tests.people import make_dana

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
OPENED = NOW - 2 * HOUR
LATER = NOW + timedelta(minutes=1)
ZONE = ZoneInfo("Europe/London")


@pytest.fixture
def origin() -> Origin:
    return Origin.desk(make_dana())


def make_promised(*, shows: str = "theirs", **values: Any) -> Ticket:
    """A medium ticket (8 h) with the PSA's dates, half an hour later than ours."""
    account = make_account(settings={"sla_shown": shows})
    return make_ticket(
        **{
            "psa_account": account,
            "opened_at": OPENED,
            "priority": values.get("priority") or make_priority(3, remote_id="3"),
            "response_due_at": OPENED + 4.5 * HOUR,
            "resolution_due_at": OPENED + 8.5 * HOUR,
            "first_responded_at": None,
            **values,
        }
    )


def change(ticket: Ticket, origin: Origin, **changes: Any) -> Ticket:
    services.change_ticket(ticket=ticket, changes=changes, origin=origin, now=NOW)
    ticket.refresh_from_db()
    return ticket


def clock_of(ticket: Ticket, kind: str = "resolution") -> TicketClock:
    return ticket.clocks.get(kind=kind)


def pull(ticket: Ticket, priority: Priority, at: datetime = LATER, **values: Any) -> Ticket:
    row = RemoteTicket(
        remote_id=ticket.remote_id or "",
        values={"subject": ticket.subject, "priority_id": priority.pk, "status_id": ticket.status_id, **values},
        confirmed={"priority": priority.remote_id},
        remote_updated_at=at,
    )
    apply_tickets(account_id=ticket.psa_account_id, rows=[row], now=at)
    ticket.refresh_from_db()
    return ticket


@pytest.mark.parametrize(("shows", "due", "source"), [("ours", 8, "default"), ("theirs", 8.5, "psa")])
def test_the_account_chooses_and_the_other_stands_beside(shows: str, due: float, source: str) -> None:
    clock = clock_of(pull(ticket := make_promised(shows=shows), ticket.priority))
    assert (clock.due_at, clock.source) == (OPENED + due * HOUR, source)
    assert (clock.our_due_at, clock.their_due_at) == (OPENED + 8 * HOUR, OPENED + 8.5 * HOUR)


def test_without_the_psas_dates_ours_are_shown(origin: Origin) -> None:
    ticket = change(make_promised(response_due_at=None, resolution_due_at=None), origin, priority=make_priority(2))
    assert (clock_of(ticket).due_at, clock_of(ticket).source) == (OPENED + 4 * HOUR, "default")


def test_where_nothing_is_promised_here_the_psas_date_is_shown(origin: Origin) -> None:
    policy = make_policy()
    ticket = make_promised(shows="ours", sla_policy=policy)
    make_target(policy, ticket.priority, response_seconds=600, resolution_seconds=None)
    clock = clock_of(pull(ticket, ticket.priority))
    assert (clock.due_at, clock.source, clock.our_due_at) == (OPENED + 8.5 * HOUR, "psa", None)


def test_a_new_priority_shows_our_own_dates_at_once(origin: Origin) -> None:
    ticket = change(make_promised(), origin, priority=make_priority(1, remote_id="1"))
    clock = clock_of(ticket)
    assert (clock.target_seconds, clock.due_at, clock.state) == (3600, OPENED + HOUR, "breached")
    assert (clock.source, clock.is_retroactive, clock.breached_at) == ("default", True, NOW)
    assert (ticket.resolution_due_at, ticket.clock_state) == (OPENED + 8.5 * HOUR, "breached")


def test_the_policys_target_comes_before_the_default(origin: Origin) -> None:
    high, policy = make_priority(2, remote_id="2"), make_policy()
    make_target(policy, high, response_seconds=1800, resolution_seconds=3 * 3600)
    ticket = change(make_promised(sla_policy=policy), origin, priority=high)
    assert (clock_of(ticket).due_at, clock_of(ticket).source) == (OPENED + 3 * HOUR, "policy")


def test_a_clock_that_is_over_keeps_its_verdict(origin: Origin) -> None:
    ticket = make_promised(answered_at=OPENED + HOUR, first_responded_at=OPENED + HOUR)
    change(ticket, origin, priority=make_priority(1))
    assert clock_of(ticket, "response").state == "met"


def test_what_the_psa_says_moves_its_own_dates() -> None:
    ticket = change(make_promised(), Origin.psa("Ann"), priority=make_priority(1))
    assert (clock_of(ticket).due_at, clock_of(ticket).source) == (OPENED + 8.5 * HOUR, "psa")


def test_the_toast_says_the_new_date() -> None:
    ticket, user = make_promised(), make_dana()
    high = make_priority(2)
    result = moves.move(ticket=ticket, name="priority", value=f"p{high.pk}", user=user, now=NOW, zone=ZONE)
    assert result.state == "done"
    assert result.ticket.next_due_at == OPENED + HOUR
    assert moves.still_due(result.ticket, NOW, ZONE) == "Was due today 13:22."
    ticket = make_promised(answered_at=OPENED, first_responded_at=OPENED, priority=make_priority(3))
    result = moves.move(ticket=ticket, name="priority", value=f"p{high.pk}", user=user, now=NOW, zone=ZONE)
    assert moves.still_due(result.ticket, NOW, ZONE) == "Due today 16:22."


# ---- the PSA's own dates ----


def test_the_psas_dates_take_over_once_it_has_our_priority(origin: Origin) -> None:
    ticket = make_promised()
    high = make_priority(2, remote_id="2")
    change(ticket, origin, priority=high)
    OutboxItem.objects.update(state=State.DONE)
    pull(ticket, high, resolution_due_at=OPENED + 5 * HOUR, response_due_at=OPENED + 2 * HOUR)
    assert (clock_of(ticket).due_at, clock_of(ticket).source) == (OPENED + 5 * HOUR, "psa")


@pytest.mark.parametrize("is_refused", [True, False])
def test_dates_of_the_psas_other_priority_are_not_shown(origin: Origin, is_refused: bool) -> None:
    ticket = make_promised()
    medium, high, low = ticket.priority, make_priority(2, remote_id="2"), make_priority(4, remote_id="4")
    change(ticket, origin, priority=high)
    if is_refused:
        outbox.refuse(item=OutboxItem.objects.get(), reason=Reason.VALIDATION, text="no", now=NOW)
    theirs = low if is_refused else medium
    pull(ticket, theirs, resolution_due_at=OPENED + 24 * HOUR)
    clock = clock_of(ticket)
    assert (ticket.priority, clock.target_seconds, clock.due_at) == (high, 4 * 3600, OPENED + 4 * HOUR)
    assert clock.source == "default"
    outbox.discard_item(item=OutboxItem.objects.get(), now=LATER)
    ticket.refresh_from_db()
    assert (ticket.priority, clock_of(ticket).source) == (theirs, "psa")
    assert clock_of(ticket).due_at == OPENED + 24 * HOUR


def test_a_conflict_settled_for_the_psa_takes_its_dates(origin: Origin) -> None:
    ticket = make_promised(confirmed={"priority": "3"})
    low = make_priority(4, remote_id="4")
    change(ticket, origin, priority=make_priority(1, remote_id="1"))
    pull(ticket, low, resolution_due_at=OPENED + 24 * HOUR)
    item = OutboxItem.objects.get()
    assert (item.state, item.theirs) == (State.REFUSED, {"priority": "4"})
    assert clock_of(ticket).due_at == OPENED + HOUR
    conflicts.take_theirs(item=item, origin=origin, now=LATER)
    ticket.refresh_from_db()
    assert (ticket.priority, clock_of(ticket).due_at) == (low, OPENED + 24 * HOUR)
    assert clock_of(ticket).target_seconds == 24 * 3600


def test_a_change_given_up_before_any_pull_gives_the_old_dates_back(origin: Origin) -> None:
    ticket = make_promised(confirmed={"priority": "3"})
    change(ticket, origin, priority=make_priority(1, remote_id="1"))
    outbox.discard_item(item=OutboxItem.objects.get(), now=LATER)
    ticket.refresh_from_db()
    assert (ticket.rank, clock_of(ticket).due_at) == (3, OPENED + 8.5 * HOUR)


def test_a_waiting_change_of_something_else_keeps_no_dates(origin: Origin) -> None:
    ticket = make_promised()
    change(ticket, origin, impact="2")
    pull(ticket, ticket.priority, resolution_due_at=OPENED + 9 * HOUR)
    assert clock_of(ticket).due_at == OPENED + 9 * HOUR


# ---- paused ----


def make_paused(hours_open: int, paused_after: timedelta) -> Ticket:
    account = make_account()
    opened = NOW - hours_open * HOUR
    waiting = make_status("waiting_client", psa_account=account)
    ticket = make_ticket(
        psa_account=account, status=waiting, priority=make_priority(4), opened_at=opened, first_responded_at=opened,
        answered_at=opened, resolution_due_at=opened + 24 * HOUR,
    )  # fmt: skip
    at = opened + paused_after
    TicketEvent.objects.create(ticket=ticket, field="status", new=str(waiting.pk), at=at, known_at=at, origin="psa")
    return ticket


def test_a_paused_ticket_with_a_shorter_promise_stays_paused(origin: Origin) -> None:
    ticket = change(make_paused(120, 2 * HOUR), origin, priority=make_priority(3))
    assert (ticket.clock_state, ticket.clock_seconds) == ("paused", 6 * 3600)


def test_a_paused_ticket_is_over_only_by_what_ran_before_the_pause(origin: Origin) -> None:
    ticket = change(make_paused(120, 10 * HOUR), origin, priority=make_priority(3))
    assert (ticket.clock_state, ticket.clock_seconds) == ("breached", 2 * 3600)
    row = rows.row_facts(Ticket.objects.filter(pk=ticket.pk))[0]
    html = rows.sla_html(row, rows.Reading(NOW + 9 * HOUR, ZONE))
    assert "Breached 2 h over" in html
    assert "data-due" not in html


# ---- the mark "sent" ----


def test_the_mark_sent_goes_after_a_minute() -> None:
    old = make_ticket(sync_state="sent", changed_at=NOW - timedelta(seconds=61))
    fresh = make_ticket(sync_state="sent", changed_at=NOW - timedelta(seconds=59))
    waits = make_ticket(sync_state="pending", changed_at=NOW - HOUR)
    assert upkeep.tick_clocks(now=NOW) == 0
    for ticket in (old, fresh, waits):
        ticket.refresh_from_db()
    assert [t.sync_state for t in (old, fresh, waits)] == ["", "sent", "pending"]
    assert old.changed_at == NOW


def test_pages_hear_of_it_only_when_a_mark_went(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(upkeep.live, "touch", lambda *scopes: told.extend(scopes))
    ticket = make_ticket(sync_state="sent", changed_at=NOW - timedelta(seconds=61))
    upkeep.tick_clocks(now=NOW)
    assert set(told) == {upkeep.live.DESK, upkeep.live.ticket_scope(ticket.pk)}
    told.clear()
    upkeep.tick_clocks(now=LATER)
    assert told == []
