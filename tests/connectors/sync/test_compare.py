"""`manage.py compare`: the mirror is whole, or it says where it is not."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.core.management import call_command
from django.db.models import F

from connectors.sync.seen import SeenIds
from helpdesk.actions.models import Action, Attachment, TimeEntry
from helpdesk.outbox import services as outbox
from helpdesk.outbox.models import OutboxItem
from helpdesk.tickets import rules, upkeep
from helpdesk.tickets import services as tickets
from helpdesk.tickets.models import Priority, Status, Ticket
from tests.connectors.sync.helpers import Desk, desk

pytestmark = pytest.mark.django_db


def compared(*words: str) -> tuple[dict[str, Any], int]:
    """The only account's report, and the exit status."""
    out, status = io.StringIO(), 0
    try:
        call_command("compare", "--json", *words, stdout=out)
    except SystemExit as end:
        status = int(end.code or 0)
    report: dict[str, Any] = json.loads(out.getvalue())["accounts"][0]
    return report, status


def fields(report: dict[str, Any]) -> set[tuple[str, str]]:
    return {(row["ticket"], row["field"]) for row in report["differences"]}


def counts(found: Desk) -> tuple[int, int]:
    state = found.sandbox.control("GET", "state")["halopsa"]
    return state["tickets"], state["actions"]


def test_after_a_pull_nothing_differs() -> None:
    with desk(tickets=60) as found:
        report, status = compared()
        assert (report["differences"], report["missing_here"], report["missing_there"], status) == ([], [], [], 0)
        assert report["waiting"] == []
        assert (report["tickets"], report["actions"]) == counts(found)
        assert report["attachments"] == Attachment.objects.filter(inline_reference="").count() > 0
        assert report["calls"] >= 2 * report["tickets"]


def test_every_kind_of_difference_is_named() -> None:
    with desk(tickets=30) as found:
        ticket = found.ticket(actions__kind="note")
        key = str(ticket.remote_id)
        first, second, third = Action.objects.filter(ticket__psa_account=found.account).order_by("pk")[:3]
        entry = TimeEntry.objects.exclude(remote_id=None).order_by("pk").last()
        file = Attachment.objects.filter(inline_reference="").order_by("pk").first()
        assert entry
        assert file
        other = Status.objects.exclude(pk=ticket.status_id).order_by("pk")[0]
        Ticket.objects.filter(pk=ticket.pk).update(subject="Painted over", agent=None, deadline_at=None, status=other)
        Action.objects.filter(pk=first.pk).update(body="Something else")
        Action.objects.filter(pk=second.pk).update(is_internal=not second.is_internal)
        third.delete()
        TimeEntry.objects.filter(pk=entry.pk).update(seconds=F("seconds") + 60)
        Attachment.objects.filter(pk=file.pk).update(size=1)
        report, status = compared()
        assert status == 1
        wanted = {
            (key, "subject"),
            (str(first.ticket.remote_id), f"action {first.remote_id} text"),
            (str(second.ticket.remote_id), f"action {second.remote_id} is_internal"),
            (str(third.ticket.remote_id), f"action {third.remote_id}"),
            (str(entry.ticket.remote_id), f"action {entry.remote_id} time"),
            (str(file.ticket and file.ticket.remote_id), f"file {file.remote_id} size"),
        }
        assert wanted <= fields(report)
        row = next(r for r in report["differences"] if r["field"] == "subject")
        assert row["ours"] == "Painted over"
        assert row["theirs"] == found.remote(ticket)["summary"]


def test_what_is_missing_on_either_side_is_named() -> None:
    with desk(tickets=12) as found:
        lost, extra = Ticket.objects.order_by("pk")[:2]
        upkeep.mark_removed(ticket_ids=[lost.pk], now=found.clock())
        found.sandbox.control("DELETE", f"halopsa/tickets/{extra.remote_id}")
        report, status = compared()
        assert (report["missing_here"], report["missing_there"], status) == ([lost.remote_id], [extra.remote_id], 1)


def test_what_waits_to_be_sent_is_no_difference() -> None:
    with desk(tickets=8) as found:
        ticket = found.ticket()
        tickets.change_ticket(
            ticket=ticket, changes={"subject": "Mine, not sent"}, origin=found.origin, now=found.clock()
        )
        report, status = compared()
        assert (report["differences"], status) == ([], 0)
        assert {"ticket": ticket.remote_id, "field": "subject", "why": "not sent yet"} in report["waiting"]
        found.settle()
        found.pull()
        assert compared()[0]["waiting"] == []


def test_what_the_next_pull_brings_is_no_difference() -> None:
    with desk(tickets=8) as found:
        ticket = found.ticket()
        found.clock.advance(400)
        found.pull()
        found.sandbox.control("POST", "clock", {"offset_seconds": 500})
        found.sandbox.control("POST", f"halopsa/tickets/{ticket.remote_id}", {"summary": "Just now"})
        report, status = compared()
        assert (report["differences"], status) == ([], 0)
        assert [row["why"] for row in report["waiting"]] == ["not read yet"]


def test_what_is_given_up_after_a_conflict_is_the_psas_again() -> None:
    with desk(tickets=8) as found:
        ticket = found.ticket(priority__remote_id__in=["2", "3"])
        mine = Priority.objects.get(psa_account=found.account, remote_id="4", pk__in=priority_keys(ticket))
        tickets.change_ticket(
            ticket=ticket, changes={"priority": mine, "subject": "Mine"}, origin=found.origin, now=found.clock(),
            is_confirmed=True,
        )  # fmt: skip
        path = f"halopsa/tickets/{ticket.remote_id}"
        found.sandbox.control("POST", path, {"summary": "Theirs", "priority_id": 1})
        found.pull()
        found.settle()
        for item in OutboxItem.objects.refused():
            outbox.discard_item(item=item, now=found.clock())
        assert "discarded" in found.states()
        found.clock.advance(1)
        found.pull()
        report, status = compared()
        assert (report["differences"], report["waiting"], status) == ([], [], 0)


def priority_keys(ticket: Ticket) -> list[int]:
    return [p.pk for p in rules.priority_choices(ticket.psa_account_id, ticket.sla_policy_id)]


def test_a_limit_reads_no_more_than_asked() -> None:
    with desk(tickets=30):
        report, status = compared("--limit", "3")
        assert (report["tickets"], status, report["missing_there"]) == (3, 0, [])
        assert report["calls"] < 12


def test_details_that_no_list_tells_arrive() -> None:
    with desk(tickets=60):
        closed = Ticket.objects.exclude(closed_at=None)
        assert closed.exclude(resolution="").exists()
        assert Ticket.objects.filter(description_is_html=True).exists()
        assert Ticket.objects.filter(billable_seconds__gt=0).exists()


def test_many_ids_are_kept_outside_memory() -> None:
    with SeenIds() as seen:
        seen.add(str(n) for n in range(3000))
        seen.add(["7", "x"])
        assert len(seen) == 3001
        assert seen.of(["2999", "3000", "x", *map(str, range(1200))]) == {"2999", "x", *map(str, range(1200))}
