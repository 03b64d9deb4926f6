"""A batch works out of each ticket what it would be alone, whatever lies beside it."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from helpdesk.directory.models import PsaAccount
from helpdesk.sla.models import Calendar, OpenInterval
from helpdesk.sla.versions import save_calendar_version, save_policy_version, use_policy
from helpdesk.tickets import clocks
from helpdesk.tickets.choices import FINISHED, Category
from helpdesk.tickets.models import Correction, Priority, Status, Ticket, TicketClock, TicketEvent
from helpdesk.tickets.rederiving import COLUMNS, rederive
from helpdesk.tickets.stories import CORRECTION, HOLD, RELEASE
from tests.factories import (
    NOW,
    make_action,
    make_client,
    make_policy,
    make_priority,
    make_status,
    make_target,
    make_ticket,
)

pytestmark = pytest.mark.django_db
BEFORE = NOW - timedelta(days=20)


def promise(account: PsaAccount, priorities: list[Priority]) -> None:
    """A policy for the whole account and another for a client, by office hours that were edited on the way."""
    calendar = Calendar.objects.create(name="Days", time_zone="Europe/London")
    OpenInterval.objects.bulk_create(
        OpenInterval(calendar=calendar, weekday=day, opens=540, closes=1050) for day in range(5)
    )
    save_calendar_version(calendar, now=BEFORE)
    for name, hours in (("Usual", 8), ("Gold", 3)):
        policy = make_policy(name, psa_account=None, calendar=calendar)
        for priority in priorities:
            seconds = hours * 900 * priority.rank
            make_target(policy, priority, rank=priority.rank, response_seconds=1800, resolution_seconds=seconds)
        save_policy_version(policy, now=BEFORE)
        who: dict[str, Any] = {"psa_account": account} if name == "Usual" else {"client": make_client("Gold")}
        use_policy(policy=policy, now=BEFORE, **who)
    calendar.intervals.filter(weekday=4).delete()
    save_calendar_version(calendar, now=NOW - timedelta(days=2))


def a_ticket(rng: random.Random, statuses: list[Status], priorities: list[Priority], clients: list[Any]) -> Ticket:
    opened = NOW - timedelta(minutes=rng.randint(10, 6000))
    due = rng.choice([None, None, opened + timedelta(hours=rng.randint(1, 90))])
    status = rng.choice(statuses)
    at, old, moves = opened, rng.choice(statuses), []
    for _ in range(rng.randint(0, 4)):
        at += (NOW - at) / rng.randint(2, 5)
        new = rng.choice([s for s in statuses if s != old])
        moves.append((at, old, new))
        old = new
    ended = at if status.category in FINISHED else None
    ticket = make_ticket(
        psa_account=statuses[0].psa_account, status=status, priority=rng.choice(priorities), client=rng.choice(clients),
        opened_at=opened, resolution_due_at=due, response_due_at=due, resolved_at=ended, actions_pulled_at=NOW,
        answered_at=rng.choice([None, opened + timedelta(minutes=rng.randint(1, 300))]),
        sla_paused=rng.random() < 0.1, sla_excluded=rng.random() < 0.1, last_activity_at=at,
    )  # fmt: skip
    rows = [("status", str(a.pk), str(b.pk), when) for when, a, b in moves]
    if rng.random() < 0.3:
        rows += [(HOLD, "", "", opened + timedelta(minutes=5)), (RELEASE, "", "", opened + timedelta(minutes=95))]
    if rng.random() < 0.2:
        rows.append((CORRECTION, "", "due", NOW - timedelta(minutes=1)))
        Correction.objects.create(
            ticket=ticket, kind="resolution", what=rng.choice(["due", "finished"]), instant=NOW - timedelta(minutes=2),
            reason="agreed by phone", at=NOW,
        )  # fmt: skip
    for field, before, after, when in rows:
        TicketEvent.objects.create(
            ticket=ticket, field=field, old=before, new=after, at=when, known_at=when, origin="psa"
        )
    if rng.random() < 0.5:
        make_action(ticket, is_from_client=True, occurred_at=opened + timedelta(minutes=rng.randint(1, 4000)))
    return ticket


def shown(tickets: list[Ticket]) -> dict[int, Any]:
    """Everything that is worked out, by ticket."""
    ids = [t.pk for t in tickets]
    rows = {pk: [found] for pk, *found in Ticket.objects.filter(pk__in=ids).values_list("pk", *COLUMNS)}
    stored = TicketClock.objects.filter(ticket__in=ids).order_by("kind")
    for pk, *found in stored.values_list("ticket_id", "kind", *clocks.CLOCK_FIELDS):
        rows[pk].append(found)
    return rows


@pytest.mark.parametrize("seed", range(4))
def test_together_as_alone(account: PsaAccount, seed: int) -> None:
    rng = random.Random(seed)
    kinds = [(c, "stopped" if c in FINISHED else how) for c in Category.values for how in ("running", "paused")]
    statuses = [make_status(c, psa_account=account, sla_clock=how) for c, how in kinds]
    priorities = [make_priority(rank, psa_account=account) for rank in (1, 2, 3, 4)]
    promise(account, priorities)
    clients = [make_client(psa_account=account), make_client("Gold")]
    tickets = [a_ticket(rng, statuses, priorities, clients) for _ in range(40)]
    with transaction.atomic():
        rederive(account_id=account.pk, ids=[t.pk for t in tickets], now=NOW)
        together = shown(tickets)
        transaction.set_rollback(True)
    assert shown(tickets) != together
    for ticket in rng.sample(tickets, len(tickets)):
        rederive(account_id=account.pk, ids=[ticket.pk], now=NOW)
    assert shown(tickets) == together
    stored = TicketClock.objects.filter(ticket__in=[t.pk for t in tickets])
    assert {"running", "paused", "met", "breached"} <= set(stored.values_list("state", flat=True)), "a mixed bag"
    assert {"policy", "hand"} <= set(stored.values_list("source", flat=True))
