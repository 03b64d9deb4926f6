"""The tenant's own rules on the sandbox's clock: changing statuses, ending holds, closing, reopening."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from tests.connectors.sandbox.running import Running, running_sandbox
from tests.connectors.sandbox.test_loader import write_folder

HOUR = 3600
FRIDAY = datetime(2026, 6, 5, 16, 0, tzinfo=UTC)


class Desk:
    """A sandbox with one call for each thing that the tests do."""

    def __init__(self, sandbox: Running) -> None:
        self.sandbox = sandbox
        self._hours = 0.0

    def post(self, path: str, **values: Any) -> Any:
        answer = httpx.post(f"{self.sandbox.halopsa}/api{path}", headers=self.sandbox.token(), json=[values])
        assert answer.status_code == 201, answer.text
        return answer.json()

    def get(self, path: str) -> Any:
        return httpx.get(f"{self.sandbox.halopsa}/api{path}", headers=self.sandbox.token()).json()

    def ticket(self, **values: Any) -> int:
        return int(self.post("/Tickets", summary="Made by a test", **values)["id"])

    def wait(self, hours: float) -> None:
        """Let the clock pass; what is due has happened when the call answers."""
        self._hours += hours
        self.sandbox.control("POST", "clock", {"offset_seconds": self._hours * HOUR})

    def read(self, ticket_id: int) -> Any:
        return self.sandbox.ticket(ticket_id)

    def status(self, ticket_id: int) -> int:
        return int(self.read(ticket_id)["status_id"])

    def reply(self, ticket_id: int) -> None:
        self.sandbox.control("POST", f"halopsa/tickets/{ticket_id}/actions", {"note": "Hello", "user_id": 1})


@pytest.fixture
def desk(tmp_path: Any) -> Iterator[Desk]:
    with running_sandbox(load=write_folder(tmp_path, tickets=[], actions=[], attachments=[]), now=FRIDAY) as running:
        yield Desk(running)


def hours_between(first: str, second: str) -> float:
    return (datetime.fromisoformat(second) - datetime.fromisoformat(first)).total_seconds() / HOUR


def test_nothing_happens_without_a_rule(desk: Desk) -> None:
    numbers = [desk.ticket(status_id=status) for status in (1, 2, 3, 4, 5, 6, 8, 9)]
    before = [desk.read(number)["actions"] for number in numbers]
    desk.wait(5000)
    assert [desk.read(number)["actions"] for number in numbers] == before


def test_a_status_changes_by_itself(desk: Desk) -> None:
    desk.post("/Status", id=5, statuschangeto=8, statuschangetofreq=72)
    number, other = desk.ticket(status_id=5), desk.ticket(status_id=3)
    desk.wait(71.9)
    assert desk.status(number) == 5
    desk.wait(0.2)
    record = desk.read(number)
    assert (record["status_id"], desk.status(other)) == (8, 3)
    last = record["actions"][-1]
    assert (last["old_status"], last["new_status"], last["who"], last["hiddenfromuser"]) == (5, 8, "Automation", True)
    assert (last["emaildirection"], last["note"]) == ("", "Waiting on Client for 72 hours")
    assert hours_between(record["dateoccurred"], last["datetime"]) == pytest.approx(72, abs=0.01)


def test_the_time_counts_from_entering_the_status(desk: Desk) -> None:
    desk.post("/Status", id=5, statuschangeto=8, statuschangetofreq=10)
    number = desk.ticket()
    desk.wait(9)
    desk.post("/Tickets", id=number, status_id=5)
    desk.wait(9)
    assert desk.status(number) == 5
    desk.post("/Actions", ticket_id=number, outcome_id=7, note="A note does not start it again")
    desk.wait(1.1)
    assert desk.status(number) == 8


def test_working_hours_of_the_sla(desk: Desk) -> None:
    desk.post("/Status", id=5, statuschangeto=8, statuschangetofreq=4, useworkinghours=1)
    always, office = desk.ticket(status_id=5), desk.ticket(status_id=5, sla_id=2)
    desk.wait(4.1)
    assert (desk.status(always), desk.status(office)) == (8, 5)
    desk.wait(62)  # Monday 10:06
    assert desk.status(office) == 5
    desk.wait(1.5)
    assert desk.status(office) == 8


def test_one_rule_leads_to_the_next_when_the_clock_jumps(desk: Desk) -> None:
    desk.post("/Status", id=5, statuschangeto=8, statuschangetofreq=72)
    desk.post("/TicketType", id=1, autoCloseHours=48)
    number = desk.ticket(status_id=5)
    before = desk.read(number)["last_update"]
    desk.wait(1000)
    record = desk.read(number)
    assert [row["new_status"] for row in record["actions"]] == [5, 8, 9]
    assert hours_between(record["dateoccurred"], record["dateclosed"]) == pytest.approx(72, abs=0.01)
    assert hours_between(record["dateoccurred"], record["actions"][-1]["datetime"]) == pytest.approx(120, abs=0.01)
    assert hours_between(before, record["last_update"]) == pytest.approx(1000, abs=0.01)


def test_a_ring_of_rules_does_not_hang(desk: Desk) -> None:
    desk.post("/Status", id=3, statuschangeto=4, statuschangetofreq=1)
    desk.post("/Status", id=4, statuschangeto=3, statuschangetofreq=1)
    number = desk.ticket(status_id=3)
    desk.wait(20.5)
    assert len(desk.read(number)["actions"]) == 21


def test_a_hold_ends_after_its_time(desk: Desk) -> None:
    desk.post("/Status", id=4, timeuntilloffhold=5)
    number, other = desk.ticket(status_id=4, priority_id=3), desk.ticket(status_id=3)
    desk.wait(6)
    record = desk.read(number)
    assert (record["onhold"], record["status_id"], desk.read(other)["onhold"]) == (False, 4, True)
    assert record["slaholdtime"] == pytest.approx(5, abs=0.01)
    assert hours_between(record["dateoccurred"], record["fixbydate"]) == pytest.approx(13, abs=0.01)
    desk.wait(100)
    assert len(desk.read(number)["actions"]) == len(record["actions"])


def test_the_sla_releases_what_is_held_too_long(desk: Desk) -> None:
    desk.post("/SLA", id=1, autoreleaselimit=24, statusafterautorelease=2)
    desk.post("/Status", id=6, slaignorerelease=True)
    numbers = [desk.ticket(status_id=5), desk.ticket(status_id=6), desk.ticket(status_id=5, sla_id=2)]
    desk.wait(25)
    assert [desk.status(number) for number in numbers] == [2, 6, 5]
    record = desk.read(numbers[0])
    assert (record["onhold"], record["actions"][-1]["outcome"]) == (False, "Release from Hold")
    assert record["slaholdtime"] == pytest.approx(24, abs=0.01)


def test_resolved_tickets_of_a_type_close(desk: Desk) -> None:
    desk.post("/TicketType", id=2, autoCloseHours=24)
    mine, other, still = (desk.ticket(status_id=8, tickettype_id=kind) for kind in (2, 1, 2))
    desk.wait(20)
    desk.reply(still)
    desk.wait(5)
    assert [desk.status(number) for number in (mine, other, still)] == [9, 8, 2]


def test_after_an_update_of_the_contact(desk: Desk) -> None:
    desk.post("/TicketType", id=1, statusafteruserupdate=3, reopenedstatus=4)
    new, assigned, waiting = desk.ticket(), desk.ticket(agent_id=3, status_id=2), desk.ticket(status_id=5)
    resolved, closed = desk.ticket(status_id=8), desk.ticket(status_id=9)
    for number in (new, assigned, waiting, resolved, closed):
        desk.reply(number)
    assert [desk.status(number) for number in (new, assigned, waiting, resolved, closed)] == [1, 3, 3, 4, 4]
    assert "dateclosed" not in desk.read(closed)
    through_the_api = desk.ticket(status_id=5)
    desk.post("/Actions", ticket_id=through_the_api, outcome_id=12, note="The contact wrote")
    assert desk.status(through_the_api) == 3


def test_without_a_setting_an_update_changes_nothing(desk: Desk) -> None:
    desk.post("/TicketType", id=1, statusafteruserupdate=0, reopenedstatus=0)
    waiting, closed = desk.ticket(status_id=5), desk.ticket(status_id=9)
    desk.reply(waiting)
    desk.reply(closed)
    assert [desk.status(waiting), desk.status(closed)] == [5, 9]


def test_after_an_update_of_an_agent(desk: Desk) -> None:
    desk.post("/TicketType", id=1, statusaftertechupdate=5)
    public, private, told, done = desk.ticket(), desk.ticket(), desk.ticket(), desk.ticket(status_id=9)
    desk.post("/Actions", ticket_id=public, outcome_id=2, note="Hello")
    desk.post("/Actions", ticket_id=private, outcome_id=7, note="Among us")
    desk.post("/Actions", ticket_id=told, outcome_id=2, note="Hello", new_status=2)
    desk.post("/Actions", ticket_id=done, outcome_id=2, note="By the way")
    assert [desk.status(number) for number in (public, private, told, done)] == [5, 1, 2, 9]


def test_rules_are_found_again_by_who_asks_for_changes(desk: Desk) -> None:
    desk.post("/Status", id=5, statuschangeto=8, statuschangetofreq=1)
    number = desk.ticket(status_id=5)
    desk.wait(10)
    since = datetime.fromtimestamp(FRIDAY.timestamp() + 9 * HOUR, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    rows = desk.get(f"/Tickets?lastupdatefromdate={since}")["tickets"]
    assert [row["id"] for row in rows] == [number]


def test_a_rule_tells_the_webhooks(desk: Desk) -> None:
    hook = desk.post("/Webhook", name="n", url="http://127.0.0.1:9/")["id"]
    desk.post("/Notification", webhook_id=hook, eventno="76", type=-2, delivery_method=6)
    desk.post("/Status", id=5, statuschangeto=8, statuschangetofreq=1)
    desk.ticket(status_id=5)
    desk.wait(2)
    assert [row["entity_id"] for row in desk.get("/WebhookEvent")["events"]] == [1]


def test_many_at_once(desk: Desk) -> None:
    desk.post("/Status", id=5, statuschangeto=8, statuschangetofreq=1)
    numbers = [desk.ticket(status_id=5) for _ in range(30)]
    with desk.sandbox.sandbox.store.write() as conn:
        names = "guid, summary, client_id, status_id, tickettype_id, sla_id, deleted, status_since, last_update"
        values = ", ".join(f"t.{name.strip()}" for name in names.split(","))
        few = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200) "
        copied = f"INSERT INTO halo_tickets ({names}) {few} SELECT {values} FROM halo_tickets t, n WHERE t.id = ?"
        conn.execute(copied, (numbers[0],))
    desk.wait(2)
    with desk.sandbox.sandbox.store.read() as conn:
        left = conn.execute("SELECT count(*) FROM halo_tickets WHERE status_id = 5").fetchone()[0]
    assert left == 0
