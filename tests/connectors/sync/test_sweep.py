"""Deleted tickets: found by the slow sweep, and never one too many."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client as Browser

from connectors.sync import pull, sweep
from connectors.sync.models import Cursor, Feed, SweptPage
from helpdesk.outbox.models import OutboxItem
from helpdesk.reports.facts import read_facts
from helpdesk.tickets import services as tickets
from helpdesk.tickets import upkeep
from helpdesk.tickets.models import Ticket
from tests.connectors.sync.helpers import Desk, desk
from tests.factories import NOW
from tests.people import make_dana

pytestmark = pytest.mark.django_db


def swept(found: Desk) -> Cursor:
    found.clock.advance(120)
    pull.sweep_account(found.account, clock=found.clock)
    return Cursor.objects.get(psa_account=found.account, feed=Feed.SWEEP)


def present() -> int:
    return Ticket.objects.present().count()


def delete(found: Desk, *rows: Ticket) -> None:
    for ticket in rows:
        found.sandbox.control("DELETE", f"halopsa/tickets/{ticket.remote_id}")


def reads(found: Desk, since: int) -> list[str]:
    """Single tickets asked for."""
    paths = [r["path"] for r in found.sandbox.requests()[since:]]
    return [p.rpartition("/")[2] for p in paths if p.rpartition("/")[2].isdigit()]


def test_a_deleted_ticket_leaves_every_list_and_keeps_its_page() -> None:
    with desk(tickets=12) as found:
        gone, stays = Ticket.objects.open().order_by("pk")[:2]
        tickets.change_ticket(
            ticket=gone, changes={"subject": "Never sent"}, origin=found.origin, now=found.clock(), is_confirmed=True
        )
        delete(found, gone)
        cursor = swept(found)
        gone.refresh_from_db()
        assert gone.removed_at
        assert present() == 11
        assert (cursor.run_started_at, cursor.token, SweptPage.objects.count()) == (None, "", 0)
        item = OutboxItem.objects.get()
        assert (item.state, item.reason) == ("refused", "gone")
        browser = Browser()
        browser.force_login(make_dana())
        for address in ("/tickets/", "/board/"):
            page = browser.get(address).content.decode()
            assert f"/tickets/{gone.pk}/" not in page
            assert f"/tickets/{stays.pk}/" in page
        record = browser.get(f"/tickets/{gone.pk}/")
        assert record.status_code == 200
        shown = record.content.decode()
        assert "Deleted in" in shown
        assert gone.subject in shown
        assert 'id="composer"' not in shown
        assert "id=composer" not in shown
        assert browser.post(f"/tickets/{gone.pk}/set/agent/", {"value": "none"}).status_code == 404
        assert not read_facts([gone.pk], NOW).facts


def test_a_ticket_restored_in_the_psa_comes_back_by_pull_and_by_sweep() -> None:
    with desk(tickets=8) as found:
        first, second = Ticket.objects.order_by("pk")[:2]
        upkeep.mark_removed(ticket_ids=[first.pk, second.pk], now=found.clock())
        found.sandbox.control("POST", f"halopsa/tickets/{first.remote_id}", {"summary": "Back again"})
        found.pull()
        assert Ticket.objects.present().filter(pk=first.pk).exists()
        swept(found)
        assert present() == 8


@pytest.mark.parametrize("mode", ["status_before", "half_body", "reset_before"])
def test_a_list_that_breaks_off_marks_nothing(mode: str) -> None:
    with desk(tickets=8) as found:
        ticket = found.ticket()
        delete(found, ticket)
        found.fault(mode, method="GET", path="/Tickets$", times=9, **({"status": 503} if mode[0:2] == "st" else {}))
        cursor = swept(found)
        assert present() == 8
        assert cursor.run_started_at
        found.sandbox.control("DELETE", "faults")
        found.clock.advance(400)
        swept(found)
        assert present() == 7


@pytest.mark.parametrize(
    "body", [{"record_count": 0, "tickets": []}, {"record_count": 3, "tickets": [{"id": 1}, {"id": 2}, {"id": 3}]}]
)
def test_an_empty_or_short_list_costs_calls_and_no_ticket(body: dict[str, Any]) -> None:
    with desk(tickets=60) as found:
        found.fault("wrong_body", method="GET", path="/Tickets$", times=9, body=body)
        before = len(found.sandbox.requests())
        swept(found)
        assert present() == 60
        assert len(reads(found, before)) <= 1 + sweep.SAMPLE


def test_few_missing_ones_are_each_asked_for() -> None:
    with desk(tickets=12) as found:
        one, two = Ticket.objects.order_by("pk")[:2]
        delete(found, one, two)
        before = len(found.sandbox.requests())
        swept(found)
        assert sorted(reads(found, before)) == sorted([str(one.remote_id), str(two.remote_id)])
        assert present() == 10


def test_many_at_once_are_believed_when_each_of_them_is_gone() -> None:
    with desk(tickets=60) as found:
        rows = list(Ticket.objects.order_by("pk")[:30])
        delete(found, *rows)
        before = len(found.sandbox.requests())
        swept(found)
        assert present() == 30
        assert {str(t.remote_id) for t in rows} <= set(reads(found, before))


def test_many_at_once_are_not_believed_when_no_ticket_can_be_read() -> None:
    """A scope that was taken away looks like deletions: then a listed ticket cannot be read either."""
    with desk(tickets=60) as found:
        delete(found, *Ticket.objects.order_by("pk")[:30])
        found.fault("status_before", method="GET", path=r"/Tickets/\d+", times=None, rate=1.0, status=404)
        cursor = swept(found)
        assert present() == 60
        assert "cannot be read" in cursor.error


def test_a_killed_sweep_goes_on_after_its_last_page(monkeypatch: pytest.MonkeyPatch) -> None:
    with desk(tickets=250) as found:
        ticket = found.ticket()
        delete(found, ticket)
        found.fault("status_before", method="GET", path=r"/Tickets\?.*page_no=3", status=503, times=9)
        found.fault("status_before", method="GET", path="/Tickets$", status=503, times=0)
        pages = {"seen": 0}
        original = found.sandbox.requests
        cursor = Cursor.objects.get_or_create(psa_account=found.account, feed=Feed.SWEEP)[0]

        class Killed(BaseException):
            """As a kill -9: nobody catches it."""

        class Connector:
            def __init__(self, inner: Any) -> None:
                self.inner = inner

            def ticket_ids(self, *, token: str | None = None) -> Any:
                for page in self.inner.ticket_ids(token=token):
                    pages["seen"] += 1
                    yield page
                    if pages["seen"] == 2:
                        raise Killed

            def __getattr__(self, name: str) -> Any:
                return getattr(self.inner, name)

        from connectors.sync import cursors, gateway
        from connectors.sync.feeds import Run

        found.sandbox.control("DELETE", "faults")
        taken = cursors.take(account_id=found.account.pk, feed=Feed.SWEEP, now=found.clock())
        assert taken
        with gateway.opened(found.account, rank=gateway.BACKFILL, clock=found.clock) as connector:
            run = Run(found.account, Connector(connector), found.clock, found.clock())  # type: ignore[arg-type]
            with pytest.raises(Killed):
                sweep.read_ids(run, taken)
        assert SweptPage.objects.filter(cursor=cursor).count() == 2
        before = len(original())
        swept(found)
        lists = [r for r in original()[before:] if r["path"].endswith("/Tickets")]
        assert [str(r["query"].get("page_no")) for r in lists] == ["3"]
        assert present() == 249
        assert not SweptPage.objects.exists()


def test_a_ticket_that_came_after_the_list_was_begun_is_left_alone() -> None:
    with desk(tickets=5) as found:
        cursor = Cursor.objects.get_or_create(psa_account=found.account, feed=Feed.SWEEP)[0]
        Ticket.objects.update(created_at=found.clock())
        first = found.ticket()
        Cursor.objects.filter(pk=cursor.pk).update(run_started_at=first.created_at, token=sweep.LISTED)
        SweptPage.objects.create(cursor=cursor, number=1, ids="")
        before = len(found.sandbox.requests())
        swept(found)
        assert reads(found, before) == []
        assert present() == 5
