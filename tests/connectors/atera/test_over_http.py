"""The connector against the sandbox, over real HTTP, in both profiles: the promises of the desk's interface."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import stamina

from connectors.atera.connector import AteraConnector
from connectors.base.connector import AccountConfig
from connectors.base.errors import AuthFailed, NotFound, RateLimited, Rejected, Unknown, WrongAddress
from connectors.base.records import UNSET, ActionDraft, TicketRecord
from tests.connectors.atera.running import Atera, running_atera

TICKETS = 120


class Bench:
    """A sandbox, a connector on it, and somebody who can write."""

    def __init__(self, atera: Atera, profile: str) -> None:
        self.atera, self.profile = atera, profile
        self.connector = self.connect()
        self.rows = [r for p in self.connector.tickets(since=None, until=now()) for r in p.rows]
        self.technician = next(str(r.agent) for r in self.rows if r.agent)
        self.connector = self.connect(default_technician_id=self.technician)

    def connect(self, url: str = "", key: str = "demo-secret", **settings: Any) -> AteraConnector:
        account = AccountConfig(
            name="http",
            url=url or f"{self.atera.running.url}/atera",
            settings=settings,
            secrets={"api_key": key},
            allow_private_addresses=True,
        )
        return AteraConnector(account)

    def fields(self, **more: Any) -> dict[str, Any]:
        contact = next(
            r for kind, p in self.connector.directory(since=None) for r in p.rows
            if kind == "contacts" and vars(r)["is_active"] and vars(r)["client"]
        )  # fmt: skip
        return {
            "subject": f"Live {uuid.uuid4().hex[:8]}", "description": "It does not\nwork <at all>",
            "client": vars(contact)["client"], "contact": contact.remote_id, "ticket_type": "Incident",
            "status": "Open", "priority": "High", "agent": self.technician, **more,
        }  # fmt: skip

    def ticket(self, **more: Any) -> TicketRecord:
        return self.connector.create_ticket(self.fields(**more), marker="m")

    def draft(self, ticket: str, **more: Any) -> ActionDraft:
        text = f"Looked at it {uuid.uuid4().hex[:8]}"
        values: dict[str, Any] = {
            "ticket": ticket, "kind": "note", "body_html": f"<p>{text}</p>", "body_text": text, "is_internal": True,
            "marker": str(uuid.uuid4()), "occurred_at": now(),
        }  # fmt: skip
        return ActionDraft(**(values | more))

    def fault(self, **values: Any) -> None:
        self.atera.running.control("POST", "faults", {"psa": "atera", **values})


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(scope="module", params=["vendor", "brief"])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    with running_atera(tickets=TICKETS, seed=7, profile=request.param) as atera:
        yield Bench(atera, request.param)


@pytest.fixture(autouse=True)
def calm(bench: Bench) -> Iterator[None]:
    with stamina.set_testing(True, attempts=3):
        yield
    bench.atera.running.control("DELETE", "faults")


def test_connection(bench: Bench) -> None:
    assert "tickets to see" in bench.connector.check()
    with pytest.raises(AuthFailed):
        bench.connect(key="wrong").check()
    with pytest.raises(WrongAddress):
        bench.connect(url=f"{bench.atera.running.url}/elsewhere").check()
    assert bench.connect(auth_style="bearer").check()


def test_every_ticket_once_and_open_ones_first(bench: Bench) -> None:
    ids = [r.remote_id for r in bench.rows]
    assert len(ids) == len(set(ids)) == bench.atera.running.control("GET", "state")["atera"]["tickets"]
    assert {i for p in bench.connector.ticket_ids() for i in p.rows} >= set(ids)
    parts = [
        {r.remote_id for p in bench.connector.tickets(since=None, until=now(), is_open=flag) for r in p.rows}
        for flag in (True, False)
    ]
    assert parts[0]
    assert not parts[0] & parts[1]
    assert parts[0] | parts[1] >= set(ids)


def test_records_say_what_the_desk_needs(bench: Bench) -> None:
    for row in bench.rows:
        assert isinstance(row.subject, str)
        assert row.client
        assert isinstance(row.opened_at, datetime)
        assert {"status", "priority", "ticket_type", "agent"} <= set(row.known())
        for name, value in row.known().items():
            assert not isinstance(value, float), name
            assert not isinstance(value, datetime) or value.utcoffset() == timedelta(0), name
    named = {(r.agent, r.agent_name) for r in bench.rows if r.agent}
    assert all(name for _agent, name in named)
    assert {r.status for r in bench.rows} >= {"Open", "Resolved", "Closed"}
    whole = bench.connector.ticket(bench.rows[0].remote_id)
    assert whole.description
    assert isinstance(whole.billable_seconds, int)


def test_the_directory(bench: Bench) -> None:
    pages = list(bench.connector.directory(since=None))
    found: dict[str, set[str]] = {}
    for kind, page in pages:
        found.setdefault(kind, set()).update(r.remote_id for r in page.rows)
    assert list(found) == ["clients", "contacts", "contracts"]
    assert all(found.values())
    rest = [(k, p.next_token) for k, p in bench.connector.directory(since=None, token=pages[0][1].next_token)]
    assert rest == [(k, p.next_token) for k, p in pages[1:]]
    assert next(iter(bench.connector.directory(since=now())))[0] == "clients"


def test_create_and_changes(bench: Bench) -> None:
    since = now() - timedelta(seconds=1)
    fields = bench.fields()
    made = bench.connector.create_ticket(fields, marker="m")
    for name in ("subject", "client", "contact", "status", "priority", "ticket_type", "agent", "description"):
        assert getattr(made, name) == fields[name], name
    rows = {r.remote_id: r for p in bench.connector.tickets(since=since, until=now()) for r in p.rows}
    assert rows[made.remote_id].description == fields["description"]
    assert len(rows) < TICKETS
    found = bench.connector.find_ticket(fields, marker="m", since=since)
    assert found is not None
    assert found.remote_id == made.remote_id
    assert bench.connector.find_ticket(fields | {"subject": "?"}, marker="m", since=since) is None


def test_update_changes_only_what_was_named(bench: Bench) -> None:
    made = bench.ticket()
    other = next(str(r.agent) for r in bench.rows if r.agent and r.agent != bench.technician)
    changes = {"agent": other, "priority": "Low", "subject": "Other", "ticket_type": "Request", "impact": "Major"}
    after = bench.connector.update_ticket(made.remote_id, changes)
    for name, value in changes.items():
        assert getattr(after, name) == value, name
    for name in ("client", "contact", "status", "opened_at", "description"):
        assert getattr(after, name) == getattr(made, name), name
    with pytest.raises(Rejected):
        bench.connector.update_ticket(made.remote_id, {"agent": None})


def test_open_to_closed_goes_by_resolved(bench: Bench) -> None:
    made = bench.ticket()
    with pytest.raises(Rejected):
        bench.connector.update_ticket(made.remote_id, {"status": "Closed"})
    resolved = bench.connector.update_ticket(made.remote_id, {"status": "Resolved"})
    assert isinstance(resolved.resolved_at, datetime)
    assert bench.connector.update_ticket(made.remote_id, {"status": "Closed"}).status == "Closed"


@pytest.mark.parametrize("is_internal", [True, False])
def test_a_comment_arrives_once_with_its_visibility(bench: Bench, is_internal: bool) -> None:
    made = bench.ticket()
    assert bench.connector.actions(made.remote_id) == ()
    draft = bench.draft(made.remote_id, is_internal=is_internal, kind="note" if is_internal else "reply")
    written = bench.connector.create_action(draft)
    (read,) = bench.connector.actions(made.remote_id)
    assert read.remote_id == written.remote_id
    assert (read.is_internal, read.kind, read.is_from_client) == (is_internal, draft.kind, False)
    assert read.author_agent == bench.technician
    assert draft.body_text in str(read.body)
    assert bench.connector.ticket(made.remote_id).last_activity_at is not UNSET
    since = now()
    assert bench.connector.find_action(draft, since=since, taken=frozenset()) is not None
    assert bench.connector.find_action(draft, since=since, taken=frozenset({read.remote_id})) is None
    assert (
        bench.connector.find_action(replace(draft, is_internal=not is_internal), since=since, taken=frozenset()) is None
    )


def test_the_same_said_twice(bench: Bench) -> None:
    made = bench.ticket()
    draft = bench.draft(made.remote_id)
    bench.connector.create_action(draft)
    bench.connector.create_action(draft)
    rows = bench.connector.actions(made.remote_id)
    assert len({a.remote_id for a in rows}) == len(rows) == 2


def test_note_time_and_status(bench: Bench) -> None:
    assert bench.connector.describe().capabilities["time_entry_create"]
    made = bench.ticket()
    draft = bench.draft(made.remote_id, time_seconds=5400, time_is_billable=False, new_status="Pending")
    assert bench.connector.create_action(draft).new_status == "Pending"
    record = bench.connector.ticket(made.remote_id)
    assert (record.status, record.billable_seconds, record.nonbillable_seconds) == ("Pending", 0, 5400)
    (entry,) = bench.connector.times(made.remote_id)
    assert (entry.seconds, entry.is_billable, entry.agent) == (5400, False, bench.technician)
    assert isinstance(entry.ended_at, datetime)
    assert abs(entry.ended_at - draft.occurred_at) < timedelta(seconds=1)
    alone = bench.draft(made.remote_id, kind="time", body_html="", body_text="", time_seconds=60)
    assert bench.connector.create_action(alone).remote_id
    assert len(bench.connector.times(made.remote_id)) == 2
    assert len(bench.connector.actions(made.remote_id)) == 1


def test_files_are_listed_and_read(bench: Bench) -> None:
    lists = ((row, bench.connector.attachments(row.remote_id)) for row in bench.rows)
    row, listed = next((row, files) for row, files in lists if files)
    with bench.connector.download(listed[0].remote_id, ticket=row.remote_id) as file:
        assert b"".join(file.chunks)
    assert listed[0].name


def test_what_is_not_there(bench: Bench) -> None:
    for strange in ("999999999", "0", "abc"):
        with pytest.raises(NotFound):
            bench.connector.ticket(strange)
    with pytest.raises(NotFound), bench.connector.download("nothing", ticket=bench.rows[0].remote_id):
        pass


@pytest.mark.parametrize(
    ("fault", "error", "applied"),
    [
        ({"mode": "status_after", "status": 500}, Unknown, True),
        ({"mode": "reset_after"}, Unknown, True),
        ({"mode": "status_before", "status": 500}, Unknown, False),
        ({"mode": "status_before", "status": 429}, RateLimited, False),
    ],
)
def test_a_write_that_goes_wrong_is_made_once_and_can_be_looked_up(
    bench: Bench, fault: dict[str, Any], error: type[Exception], applied: bool
) -> None:
    made, fields, since = bench.ticket(), bench.fields(), now()
    draft = bench.draft(made.remote_id)
    bench.fault(method="POST", path="/api/v3/tickets", **fault)
    with pytest.raises(error):
        bench.connector.create_action(draft)
    with pytest.raises(error):
        bench.connector.create_ticket(fields, marker="m")
    bench.atera.running.control("DELETE", "faults")
    found = (
        bench.connector.find_action(draft, since=since, taken=frozenset()),
        bench.connector.find_ticket(fields, marker="m", since=since),
    )
    assert [f is not None for f in found] == [applied] * 2
    assert len(bench.connector.actions(made.remote_id)) == int(applied)
