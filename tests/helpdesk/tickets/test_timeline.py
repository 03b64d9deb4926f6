"""From what is stored of a ticket to its runs: who resumes a pause, what counts as an answer, in any order."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.template import Context, Template

from helpdesk.actions.models import Action
from helpdesk.core.origin import Origin
from helpdesk.desk.clock_cards import clock_cards
from helpdesk.directory.models import PsaAccount
from helpdesk.sla import book
from helpdesk.sla.models import Policy
from helpdesk.sla.versions import use_policy
from helpdesk.tickets import clocks, services
from helpdesk.tickets.clock_facts import seconds_of
from helpdesk.tickets.ledger import ledgers_of
from helpdesk.tickets.mirror import RemoteTicket, apply_tickets
from helpdesk.tickets.models import Correction, Status, Ticket, TicketClock, TicketEvent
from helpdesk.tickets.readings import Reading
from helpdesk.tickets.rederiving import rederive
from helpdesk.tickets.stories import CORRECTION
from tests.factories import (
    NOW,
    make_account,
    make_agent,
    make_client,
    make_policy,
    make_priority,
    make_status,
    make_ticket,
)

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
OPENED = NOW - 6 * HOUR


def clock_of(ticket: Ticket, kind: str = "resolution", now: datetime = NOW) -> TicketClock:
    rederive(account_id=ticket.psa_account_id, ids=[ticket.pk], now=now)
    return ticket.clocks.get(kind=kind)


def moved(ticket: Ticket, old: Status, new: Status, at: datetime, key: str | None = None) -> None:
    TicketEvent.objects.create(
        ticket=ticket, field="status", old=str(old.pk), new=str(new.pk), at=at, known_at=NOW, origin="psa",
        remote_key=key,
    )  # fmt: skip


def said(ticket: Ticket, at: datetime, **values: Any) -> Action:
    return Action.objects.create(ticket=ticket, occurred_at=at, body="x", body_clean="x", **values)


def waiting_ticket(**values: Any) -> Ticket:
    """Asked the client something two hours after it was opened, four hours ago."""
    running, waiting = make_status("open"), make_status("waiting_client")
    ticket = make_ticket(status=waiting, opened_at=OPENED, priority=make_priority(3), **values)
    moved(ticket, running, waiting, OPENED + 2 * HOUR)
    return ticket


@pytest.mark.parametrize("settings", [{}, {"resume_on_client_reply": False}])
def test_any_message_of_the_client_resumes_unless_the_account_says_not(settings: dict[str, Any]) -> None:
    ticket = waiting_ticket(psa_account=make_account(settings=settings))
    assert clock_of(ticket).state == "paused"
    said(ticket, OPENED + HOUR, is_from_client=True, is_internal=False)
    assert clock_of(ticket).state == "paused", "written before it was asked"
    said(ticket, OPENED + 3 * HOUR, is_from_client=True, is_internal=False)
    clock = clock_of(ticket)
    if settings:
        assert clock.state == "paused"
        return
    assert (clock.state, clock.due_at) == ("running", OPENED + 9 * HOUR)
    assert clock.paused_seconds == 3600


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (2, 0, 3, 1)])
def test_reversed_and_late_news_give_the_same_deadline(order: tuple[int, ...]) -> None:
    running, waiting, third = make_status("open"), make_status("waiting_client"), make_status("waiting_third_party")
    ticket = make_ticket(status=running, opened_at=OPENED, priority=make_priority(3))
    steps = [
        (running, waiting, OPENED + HOUR), (waiting, running, OPENED + 2 * HOUR),
        (running, third, OPENED + 3 * HOUR), (third, running, OPENED + 5 * HOUR),
    ]  # fmt: skip
    for place in order:
        moved(ticket, *steps[place], key=f"k{place}")
        rederive(account_id=ticket.psa_account_id, ids=[ticket.pk], now=NOW)
    clock = clock_of(ticket)
    assert (clock.state, clock.due_at, clock.paused_seconds) == ("running", OPENED + 11 * HOUR, 3 * 3600)


def test_closed_time_of_a_reopened_ticket_is_a_pause_and_the_response_verdict_stays() -> None:
    running, closed = make_status("open"), make_status("closed")
    ticket = make_ticket(status=running, opened_at=OPENED, answered_at=OPENED + HOUR, priority=make_priority(3))
    moved(ticket, running, closed, OPENED + 2 * HOUR)
    moved(ticket, closed, running, OPENED + 5 * HOUR)
    assert (clock_of(ticket).due_at, clock_of(ticket).cycle) == (OPENED + 11 * HOUR, 1)
    assert clock_of(ticket, "response").state == "met"
    policy = Policy.objects.create(name="Anew", on_reopen="restarts")
    policy.targets.create(priority="3", rank=3, resolution_seconds=8 * 3600, response_seconds=3600)
    use_policy(policy=policy, now=OPENED - HOUR, client=ticket.client)
    clock = clock_of(ticket)
    assert (clock.due_at, clock.cycle) == (OPENED + 13 * HOUR, 2)


def test_what_a_late_clock_stood_still_is_not_over_on_any_page() -> None:
    """Due after two hours, held from the third to the fifth, now at the sixth: two hours over, everywhere."""
    running, waiting = make_status("open"), make_status("waiting_client")
    ticket = make_ticket(status=running, opened_at=OPENED, priority=make_priority(3), answered_at=OPENED)
    policy = Policy.objects.create(name="Two hours")
    policy.targets.create(priority="3", rank=3, resolution_seconds=2 * 3600)
    use_policy(policy=policy, now=OPENED - HOUR, client=ticket.client)
    moved(ticket, running, waiting, OPENED + 3 * HOUR)
    moved(ticket, waiting, running, OPENED + 5 * HOUR)
    clock = clock_of(ticket)
    assert (clock.state, clock.due_at, clock.remaining_seconds) == ("breached", OPENED + 2 * HOUR, -2 * 3600)
    row = Ticket.objects.get(pk=ticket.pk)
    assert row.clock_seconds == -2 * 3600
    shown = Template("{% sla t %}|{% clock_chip c %}").render(Context({"t": row, "c": clock, "now": NOW}))
    assert shown.count("Breached 2 h over<") == 2
    assert shown.count('data-stood="7200"') == 2
    assert Reading(NOW, UTC).chip(row).text == "Breached 2 h over"
    assert " data-stood=7200" in Reading(NOW, UTC).ticks(row, "breached")
    card = clock_cards(row, NOW)[1]
    assert (card.text, card.stood) == ("Breached 2 h over", 7200)
    (_response, ledger) = ledgers_of(row, book.current(), NOW)
    assert ledger.used - 2 * 3600 == 2 * 3600, "as the ledger counts"
    closed = make_status("closed")
    moved(ticket, running, closed, NOW)
    Ticket.objects.filter(pk=ticket.pk).update(status=closed, resolved_at=NOW)
    clock = clock_of(ticket, now=NOW + HOUR)
    clock.ticket = row = Ticket.objects.get(pk=ticket.pk)
    assert (row.clock_seconds, seconds_of(clock)) == (2 * 3600, 2 * 3600)


def test_the_psas_stamp_dates_the_end_whenever_it_was_seen() -> None:
    running, closed = make_status("open"), make_status("closed")
    end = OPENED + 7 * HOUR
    ticket = make_ticket(
        status=closed,
        status_category="closed",
        is_open=False,
        opened_at=OPENED,
        resolved_at=end,
        priority=make_priority(3),
    )
    moved(ticket, running, closed, end + 20 * HOUR)
    clock = clock_of(ticket, now=NOW + 30 * HOUR)
    assert (clock.state, clock.finished_at, clock.burned_seconds) == ("met", end, 7 * 3600)


def test_who_may_answer() -> None:
    """An internal note, an automatic reply and the client's own words answer nothing; a person's public word does."""
    ticket = make_ticket(opened_at=OPENED, actions_pulled_at=NOW, priority=make_priority(3))
    agent = make_agent()
    said(ticket, OPENED + HOUR, is_internal=True, author_agent=agent)
    said(ticket, OPENED + HOUR, is_internal=False)
    said(ticket, OPENED + HOUR, is_internal=False, is_from_client=True)
    assert Action.objects.of_staff_to_client(ticket.pk).count() == 0
    said(ticket, OPENED + 2 * HOUR, is_internal=False, author_agent=agent)
    assert Action.objects.of_staff_to_client(ticket.pk).count() == 1


def test_as_the_psa_says_where_the_policy_wants_it() -> None:
    policy = make_policy(response_by="psa")
    ticket = make_ticket(
        opened_at=OPENED, actions_pulled_at=NOW, first_responded_at=OPENED + HOUR, priority=make_priority(3),
        sla_policy=policy,
    )  # fmt: skip
    policy.targets.create(priority=ticket.priority.remote_id, rank=3, response_seconds=3 * 3600)
    assert clock_of(ticket, "response").state == "met"
    Policy.objects.filter(pk=policy.pk).update(response_by="message")
    policy.targets.create(priority="other", rank=4)  # the book is read anew
    assert clock_of(ticket, "response").state == "breached"


def test_a_priority_raised_late_breaches_at_the_change() -> None:
    low, high = make_priority(3), make_priority(1)
    ticket = make_ticket(opened_at=OPENED, priority=high)
    TicketEvent.objects.create(
        ticket=ticket, field="priority", old=str(low.pk), new=str(high.pk), at=NOW - HOUR, known_at=NOW, origin="psa"
    )
    clock = clock_of(ticket)
    assert (clock.state, clock.due_at) == ("breached", OPENED + HOUR)
    assert (clock.breached_at, clock.is_retroactive) == (NOW - HOUR, True)


@pytest.mark.parametrize(
    ("what", "instant", "expected"),
    [
        ("finished", OPENED + HOUR, ("met", "default")),
        ("due", NOW + HOUR, ("running", "hand")),
        ("excluded", None, ("not_started", "hand")),
    ],
)
def test_a_correction_counts(what: str, instant: datetime | None, expected: tuple[str, str]) -> None:
    ticket = make_ticket(opened_at=OPENED, priority=make_priority(1))
    assert clock_of(ticket).state == "breached"
    made = Correction.objects.create(
        ticket=ticket, kind="resolution", what=what, instant=instant, reason="Agreed by phone", at=NOW
    )
    TicketEvent.objects.create(ticket=ticket, field=CORRECTION, at=NOW, known_at=NOW, origin="desk")
    clock = clock_of(ticket)
    assert ((clock.state, clock.source), clock.is_corrected) == (expected, True)
    assert not clock_of(ticket, "response").is_corrected
    Correction.objects.filter(pk=made.pk).update(undone_at=NOW)
    assert (clock_of(ticket).state, clock_of(ticket).is_corrected) == ("breached", False)


def test_created_in_a_pausing_status_nothing_burns(account: PsaAccount) -> None:
    waiting = make_status("waiting", psa_account=account)
    ticket = services.create_ticket(
        psa_account=account, origin=Origin.system(), now=OPENED,
        fields={"subject": "x", "client": make_client(), "status": waiting, "priority": make_priority(3)},
    )  # fmt: skip
    Ticket.objects.filter(pk=ticket.pk).update(last_activity_at=NOW)
    assert (clock_of(ticket).state, clock_of(ticket).remaining_seconds) == ("paused", 8 * 3600)
    services.change_ticket(
        ticket=ticket, changes={"status": make_status("open")}, origin=Origin.system(), now=NOW, is_confirmed=True
    )
    assert clock_of(ticket).due_at == NOW + 8 * HOUR


@pytest.mark.parametrize("seed", range(15))
def test_any_history_pulled_step_by_step_ends_as_one_that_is_worked_out_at_once(account: PsaAccount, seed: int) -> None:
    dice = random.Random(seed)
    statuses = [make_status(c, psa_account=account) for c in ("new", "open", "waiting_client", "waiting", "closed")]
    priorities = [make_priority(rank, psa_account=account, remote_id=str(rank)) for rank in (1, 2, 3, 4)]
    client, at = make_client(psa_account=account), OPENED
    values: dict[str, Any] = {"opened_at": OPENED, "subject": "x", "number": "1", "client_id": client.pk}
    for _step in range(dice.randint(2, 9)):
        values |= {"status_id": dice.choice(statuses).pk, "priority_id": dice.choice(priorities).pk}
        values["last_activity_at"] = at
        row = RemoteTicket(remote_id="1", values=values, confirmed={}, remote_updated_at=at)
        apply_tickets(account_id=account.pk, rows=[row], now=at + timedelta(minutes=dice.randint(0, 50)))
        if dice.random() < 0.3:
            apply_tickets(account_id=account.pk, rows=[row], now=at, is_forced=True)
        at += timedelta(minutes=dice.randint(1, 90))
    ticket = Ticket.objects.get()
    end = at + HOUR
    rederive(account_id=account.pk, ids=[ticket.pk], now=end)
    stepwise = _facts(ticket)
    TicketClock.objects.all().delete()
    rederive(account_id=account.pk, ids=[ticket.pk], now=end)
    assert _facts(ticket) == stepwise


def _facts(ticket: Ticket) -> list[tuple[Any, ...]]:
    return list(TicketClock.objects.filter(ticket=ticket).order_by("kind").values_list("kind", *clocks.CLOCK_FIELDS))


def test_until_its_past_is_told_the_psas_own_date_stands(account: PsaAccount) -> None:
    waiting, running = make_status("waiting", psa_account=account), make_status("open", psa_account=account)
    values = {
        "opened_at": OPENED, "subject": "x", "client_id": make_client(psa_account=account).pk, "status_id": running.pk,
        "priority_id": make_priority(3, psa_account=account).pk, "last_activity_at": OPENED + 5 * HOUR,
        "resolution_due_at": OPENED + 11 * HOUR,
    }  # fmt: skip
    row = RemoteTicket(remote_id="1", values=values, confirmed={}, remote_updated_at=OPENED + 5 * HOUR)
    apply_tickets(account_id=account.pk, rows=[row], now=NOW)
    ticket = Ticket.objects.get()
    clock = ticket.clocks.get(kind="resolution")
    assert (clock.source, clock.due_at, clock.difference) == ("psa", OPENED + 11 * HOUR, "")
    moved(ticket, running, waiting, OPENED + HOUR)
    moved(ticket, waiting, running, OPENED + 4 * HOUR)
    Ticket.objects.filter(pk=ticket.pk).update(actions_pulled_at=NOW)
    assert (clock_of(ticket).source, clock_of(ticket).due_at) == ("default", OPENED + 11 * HOUR)


def test_what_a_clock_that_runs_ahead_stamped_is_judged_at_once() -> None:
    done = make_status("resolved")
    ahead = NOW + timedelta(seconds=9)
    ticket = make_ticket(status=done, opened_at=OPENED, priority=make_priority(3), resolved_at=ahead)
    assert clock_of(ticket).state == "met"
    late = make_ticket(status=done, opened_at=OPENED - 2 * HOUR, priority=make_priority(3))
    Ticket.objects.filter(pk=late.pk).update(resolved_at=ahead)
    assert clock_of(late).state == "breached", "due now, and ended nine seconds on"


def test_a_pause_that_a_clock_ahead_of_ours_told_stands_at_once() -> None:
    running, waiting = make_status("open"), make_status("waiting_client")
    ticket = make_ticket(status=waiting, opened_at=OPENED, priority=make_priority(3))
    moved(ticket, running, waiting, NOW + timedelta(seconds=30))
    clock = clock_of(ticket)
    assert (clock.state, clock.remaining_seconds) == ("paused", 2 * 3600 - 30)


def test_an_end_set_by_hand_is_judged_by_what_was_promised_then() -> None:
    low, high = make_priority(3), make_priority(1)
    ticket = make_ticket(opened_at=OPENED, priority=high)
    Correction.objects.create(
        ticket=ticket, kind="response", what="finished", instant=OPENED + HOUR, reason="By phone", at=NOW
    )
    TicketEvent.objects.create(ticket=ticket, field=CORRECTION, at=NOW, known_at=NOW, origin="desk")
    TicketEvent.objects.create(
        ticket=ticket, field="priority", old=str(low.pk), new=str(high.pk), at=NOW - HOUR, known_at=NOW, origin="psa"
    )
    clock = clock_of(ticket, "response")
    assert (clock.state, clock.due_at) == ("met", OPENED + 4 * HOUR), "a quarter of an hour was promised afterwards"


def test_what_changed_within_one_instant_is_one_change() -> None:
    low, high = make_priority(2), make_priority(1)
    ticket = make_ticket(opened_at=OPENED, priority=high)
    between = make_priority(4)
    for old, new in ((low, between), (between, high)):
        TicketEvent.objects.create(
            ticket=ticket, field="priority", old=str(old.pk), new=str(new.pk), at=NOW - HOUR, known_at=NOW, origin="psa"
        )
    clock = clock_of(ticket)
    assert (clock.state, clock.breached_at, clock.is_retroactive) == ("breached", OPENED + 4 * HOUR, False)
