"""A status that changed between two pulls: what the PSA's history tells of it takes the place of what was seen."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from connectors.sync import accounts
from connectors.sync.accounts import Wanted
from helpdesk.tickets.models import Status, Ticket, TicketClock, TicketEvent
from tests.connectors.sandbox.running import running_sandbox
from tests.connectors.sync.helpers import Clock, Desk
from tests.people import make_theo

pytestmark = pytest.mark.django_db
KEYS: dict[str, dict[str, str]] = {
    "autotask": {"username": "api@demo.test", "integration_code": "demo", "secret": "demo-secret"},
    "atera": {"api_key": "demo-secret"},
}


def desk(kind: str, profile: str, tickets: int = 12) -> Iterator[Desk]:
    clock = Clock()
    with running_sandbox(tickets=tickets, psas=(kind,), profile=profile) as sandbox:
        wanted = Wanted.sort(
            kind=kind, name="north", url=f"{sandbox.url}/{kind}", values={**KEYS[kind], "calls_per_minute": "1000000"}
        )
        found = Desk(sandbox, clock, accounts.connect(wanted=wanted, clock=clock)[0], make_theo())
        assert not found.pull().errors
        found.account.refresh_from_db()
        yield found


@pytest.fixture(params=["vendor", "brief"])
def found(request: Any) -> Iterator[Desk]:
    yield from desk("autotask", request.param)


@pytest.fixture
def undated() -> Iterator[Desk]:
    yield from desk("atera", "vendor")


def statuses(ticket: Ticket) -> list[Status]:
    """The ticket's own, then three others."""
    rows = Status.objects.filter(psa_account=ticket.psa_account, is_active=True, category__in=["new", "open",
        "waiting_client", "waiting_third_party", "waiting"]).exclude(pk=ticket.status_id)  # fmt: skip
    return [ticket.status, *rows.order_by("pk")[:3]]


def move(found: Desk, ticket: Ticket, *ways: Status) -> None:
    for status in ways:
        found.sandbox.control("POST", f"autotask/tickets/{ticket.remote_id}", {"status": int(status.remote_id or 0)})
        time.sleep(0.02)


def told(ticket: Ticket) -> list[TicketEvent]:
    return list(ticket.events.of_field("status").order_by("at", "pk"))


def asked(found: Desk) -> list[Any]:
    return [row for row in found.sandbox.requests("autotask") if "TicketHistory" in row["path"]]


def test_every_step_with_its_instant_and_person(found: Desk) -> None:
    ticket = found.ticket()
    first, second, third, fourth = statuses(ticket)
    began = found.clock()
    known, before = len(told(ticket)), len(asked(found))
    move(found, ticket, second, third, fourth)
    found.clock.advance(30)
    found.pull()
    events = told(ticket)[known:]
    assert [(e.old, e.new) for e in events] == [
        (str(first.pk), str(second.pk)), (str(second.pk), str(third.pk)), (str(third.pk), str(fourth.pk)),
    ]  # fmt: skip
    assert [(e.new_label, e.precision, e.origin) for e in events] == [
        (s.name, "exact", "psa") for s in (second, third, fourth)
    ]
    assert all(began <= e.at < found.clock() for e in events)
    assert len({e.at for e in events}) == 3
    assert all(e.actor for e in events)
    assert len(asked(found)) == before + 1
    found.pull()
    assert [e.pk for e in told(ticket)[known:]] == [e.pk for e in events]
    assert len(asked(found)) == before + 1


def test_another_change_asks_nothing(found: Desk) -> None:
    ticket, before = found.ticket(), len(asked(found))
    found.sandbox.control("POST", f"autotask/tickets/{ticket.remote_id}", {"title": "Another title"})
    found.pull()
    assert len(asked(found)) == before


def test_without_the_right_it_stays_as_it_was_seen(found: Desk) -> None:
    ticket = found.ticket()
    second, known = statuses(ticket)[1], len(told(ticket))
    found.fault("status_before", psa="autotask", path="/TicketHistory", status=403, times=None)
    move(found, ticket, second)
    assert not found.pull().errors
    (event,) = told(ticket)[known:]
    assert (event.new, event.precision, event.actor) == (str(second.pk), "polled", "")


def test_there_and_back_again_leaves_no_event(found: Desk) -> None:
    """Nothing was seen to change, so nothing is asked."""
    ticket = found.ticket()
    first, second, *_rest = statuses(ticket)
    known, before = told(ticket), len(asked(found))
    move(found, ticket, second, first)
    found.pull()
    assert told(ticket) == known
    assert len(asked(found)) == before


def test_a_psa_without_a_history_gives_the_instant_of_the_delta(undated: Desk) -> None:
    ticket = undated.ticket(status__name="Open")
    undated.sandbox.control("POST", f"atera/tickets/{ticket.remote_id}", {"TicketStatus": "Pending"})
    before = undated.clock()
    undated.pull()
    (event,) = told(ticket)
    assert (event.new_label, event.precision, event.origin) == ("Pending", "polled", "psa")
    assert before <= event.at <= undated.clock()


def test_the_first_reading_asks_what_made_a_ticket_wait() -> None:
    """Only where it waits, or its dates tell of more time than was promised; then our date is the PSA's."""
    for found in desk("autotask", "brief", tickets=60):
        waited = Ticket.objects.filter(events__field="status").distinct()
        assert 0 < len(asked(found)) < Ticket.objects.count() / 2
        assert waited.filter(is_open=False).exists()
        for ticket in waited:
            assert all(e.precision == "exact" and e.origin == "psa" for e in told(ticket))
        clocks = TicketClock.objects.filter(kind="resolution", ticket__in=waited, ticket__is_open=False)
        assert set(clocks.values_list("difference", flat=True)) == {""}
        assert any(c.paused_seconds > 600 for c in clocks)
