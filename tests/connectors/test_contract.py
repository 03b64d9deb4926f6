"""What every connector promises, asked of each registered one over real HTTP against its sandbox."""

from __future__ import annotations

import hashlib
import html
import io
import json
import logging
import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import stamina

from connectors.base.connector import AccountConfig, Connector
from connectors.base.errors import (
    AuthFailed,
    Conflict,
    ConnectorError,
    Forbidden,
    NotFound,
    RateLimited,
    Rejected,
    Unavailable,
    Unknown,
    WrongAddress,
)
from connectors.base.records import UNSET, ActionDraft, FileDraft, Record, TicketRecord
from connectors.registry import CONNECTORS, connector_class
from tests.connectors.sandbox.running import Running, running_sandbox

TICKETS = 260
KINDS = ("teams", "agents", "calendars", "policies", "statuses", "priorities", "ticket_types", "categories", "outcomes")
ONLY_IN_BULK = {"autotask": {"sla_response_state", "sla_resolution_state"}}
"""Asked for a page of tickets in one call, and not again for each of them."""
ACCOUNTS: dict[str, Callable[[str], AccountConfig]] = {
    "atera": lambda url: AccountConfig(
        name="contract",
        url=f"{url}/atera",
        secrets={"api_key": "demo-secret"},
        allow_private_addresses=True,
    ),
    "autotask": lambda url: AccountConfig(
        name="contract",
        url=f"{url}/autotask",
        settings={
            "username": "api@demo.test",
            "integration_code": "demo",
            "impersonate": "yes",
            "page_size": 100,
            "settle_seconds": 0.05,
            "attachment_budget_bytes": 1024**3,
        },
        secrets={"secret": "demo-secret"},
        allow_private_addresses=True,
    ),
    "halopsa": lambda url: AccountConfig(
        name="contract",
        url=f"{url}/halopsa",
        settings={"client_id": "demo"},
        secrets={"client_secret": "demo-secret"},
        allow_private_addresses=True,
    ),
}
LISTS = {"atera": "/api/v3/tickets$", "halopsa": "/api/Tickets$", "autotask": "/Tickets/query$"}
WRITES = {
    "atera": ("POST", "/api/v3/tickets(/[0-9]+/(comments|workhours))?$"),
    "halopsa": ("POST", "/api/(Tickets|Actions|Attachment)$"),
    "autotask": ("POST", "/(Tickets|Tickets/[0-9]+/(Notes|Attachments))$"),
}
NO_WRITES = {"atera": "billableduration", "halopsa": "token", "autotask": "/query"}
"""What stands in the path of a POST that changes nothing."""
SINGLES = {"atera": "/api/v3/tickets/[0-9]+$", "halopsa": "/api/Tickets/", "autotask": "/Tickets/[0-9]+$"}
WRONG = {"atera": {"api_key": "wrong"}, "halopsa": {"client_secret": "wrong"}, "autotask": {"secret": "wrong"}}
NARROW: dict[str, dict[str, Any]] = {
    "atera": {"fault": {"mode": "status_before", "status": 403, "path": "/contacts"}},
    "halopsa": {"settings": {"client_id": "demo", "scope": "read:kb"}},
    "autotask": {"fault": {"mode": "status_before", "status": 403, "path": "/Companies/"}},
}
"""How an account comes to lack a right: settings of its own, or the PSA's answer."""
MARKERS = {"atera": "", "halopsa": "third_party_id_string", "autotask": "externalID"}
LOSES_STATUS: dict[str, list[dict[str, Any]]] = {
    "atera": [{"mode": "reset_before", "path": "/tickets/[0-9]+$", "times": 1, "method": "POST"}],
    "halopsa": [
        {"mode": "strip", "fields": ["new_status"], "path": "/api/Actions$"},
        {"mode": "reset_after", "path": "/api/Actions$", "times": 1, "method": "POST"},
    ],
    "autotask": [{"mode": "reset_before", "path": "/Tickets$", "times": 1, "method": "PATCH"}],
}
"""Faults after which an action is written, its answer lost, and its new status not taken."""
REFUSALS: dict[str, tuple[int, Any, str]] = {
    "atera": (400, {"detail": "<b>Invalid</b> priority"}, "Invalid priority"),
    "halopsa": (400, {"[0].priority_id": ["<b>priority_id</b> invalid"]}, "priority_id invalid"),
    "autotask": (500, {"errors": ["<b>Picklist value [9]</b> does not exist for priority"]},
                 "Picklist value [9] does not exist for priority"),
}  # fmt: skip
UNDATED = {"atera"}
"""PSAs that tell neither when a ticket changed nor keep a mark of ours."""
SMALL_FILES = {"autotask"}
"""PSAs whose files are a few megabytes at most."""


def shows(kind: str, action: dict[str, Any]) -> bool:
    """Whether the client sees a stored action."""
    if kind == "atera":
        return action.get("IsInternal", action.get("is_internal")) in (False, 0)
    return bool(action["publish"] == 1 if kind == "autotask" else action["hiddenfromuser"] is False)


def hours(kind: str, row: dict[str, Any]) -> float:
    """Hours of a stored time entry."""
    if kind == "atera":
        start, end = (datetime.fromisoformat(row[name]) for name in ("StartWorkHour", "EndWorkHour"))
        return (end - start).total_seconds() / 3600
    return float(row["hoursWorked" if kind == "autotask" else "timetaken"])


BENCHES = [(kind, profile) for kind in sorted(CONNECTORS) for profile in ("vendor", "brief")]
"""The real vendor's shapes, and those of the short description: the sandbox serves both."""


class Bench:
    """One connector kind with its sandbox and a few things that are in it."""

    def __init__(self, kind: str, sandbox: Running) -> None:
        self.kind = kind
        self.sandbox = sandbox
        self.account = ACCOUNTS[kind](sandbox.url)
        self.connector = self.connect()
        self.reference = dict(self.connector.reference())
        if "agents" not in self.reference:
            self.account = replace(self.account, settings={"default_technician_id": self.agent()})
            self.connector = self.connect()
        described = self.connector.describe()
        self.can = described.capabilities
        self.needs = {name for rule in described.required_fields if rule.verb == "create" for name in rule.fields}

    def connect(self, **more: Any) -> Connector:
        return connector_class(self.kind)(replace(self.account, **more))

    def fault(self, **values: Any) -> None:
        self.sandbox.control("POST", "faults", {"psa": self.kind, **values})

    def write_fault(self, **values: Any) -> None:
        method, path = WRITES[self.kind]
        self.fault(method=method, path=path, **values)

    def stored(self, ticket: str) -> dict[str, Any]:
        found: dict[str, Any] = self.sandbox.ticket(int(ticket), self.kind)
        return found

    def status(self, category: str) -> str:
        """A status of that category; open where the PSA has none for new."""
        found = {vars(r)["category"]: r.remote_id for r in reversed(self.reference["statuses"])}
        return found[category] if category != "new" else found.get("new") or found["open"]

    def agent(self) -> str:
        """Somebody who works; learned from the tickets where the PSA has no list."""
        if "agents" not in self.reference:
            return next(
                str(r.agent) for p in self.connector.tickets(since=None, until=_later()) for r in p.rows if r.agent
            )
        return next(r.remote_id for r in self.reference["agents"] if vars(r)["teams"])

    def fields(self, **more: Any) -> dict[str, Any]:
        """Canonical fields of a new ticket, for the first active contact."""
        contact = next(
            row
            for kind, page in self.connector.directory(since=None)
            for row in page.rows
            if kind == "contacts" and vars(row)["is_active"] and vars(row)["client"]
        )
        return {
            "subject": f"Contract {uuid.uuid4().hex[:8]}",
            "description": "It does not\nwork <at all>",
            "client": vars(contact)["client"],
            "site": vars(contact)["site"] or None,
            "contact": contact.remote_id,
            "ticket_type": self.reference["ticket_types"][0].remote_id,
            "status": self.status("new"),
            "priority": self.reference["priorities"][0].remote_id,
            **({"team": self.reference["teams"][0].remote_id} if "team" in self.needs else {}),
            **more,
        }

    def ticket(self, **more: Any) -> TicketRecord:
        return self.connector.create_ticket(self.fields(**more), marker=str(uuid.uuid4()))

    def draft(self, ticket: str, **more: Any) -> ActionDraft:
        text = f"Looked at it {uuid.uuid4().hex[:8]}"
        values: dict[str, Any] = {
            "ticket": ticket,
            "kind": "note",
            "body_html": f"<p>{text}</p>",
            "body_text": text,
            "is_internal": True,
            "marker": str(uuid.uuid4()),
            "occurred_at": datetime.now(UTC),
        }
        return ActionDraft(**(values | more))

    def time(self, ticket: str, **more: Any) -> ActionDraft:
        """A note with time; time alone where the PSA keeps it apart."""
        if self.can["time_in_action"]:
            return self.draft(ticket, **more)
        return self.draft(ticket, kind="time", body_html="", body_text="", author_agent=self.agent(), **more)

    def booked(self, ticket: str) -> tuple[int, bool]:
        """Seconds of the newest time, and whether they are billed, as the connector reads them."""
        if self.can["time_in_action"]:
            read = self.connector.actions(ticket)[-1]
            seconds = read.time_seconds if isinstance(read.time_seconds, int) else 0
            return seconds, read.time_is_billable is True
        entry = self.connector.times(ticket)[-1]
        return entry.seconds, entry.is_billable


@pytest.fixture(scope="module", params=BENCHES, ids="-".join)
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    kind, profile = request.param
    assert kind in ACCOUNTS, "a new connector needs an account in the sandbox"
    with running_sandbox(tickets=TICKETS, seed=7, profile=profile, psas=(kind,)) as sandbox:
        yield Bench(kind, sandbox)


@pytest.fixture(autouse=True)
def calm(bench: Bench) -> Iterator[None]:
    """No fault outlives its test, and retries do not wait."""
    with stamina.set_testing(True, attempts=3):
        yield
    bench.sandbox.control("DELETE", "faults")
    bench.sandbox.control("POST", "rate_limit", {"psa": bench.kind, "requests": None})


def file_draft(ticket: str, data: bytes, **more: Any) -> FileDraft:
    values: dict[str, Any] = {
        "ticket": ticket,
        "name": "screen shot.png",
        "content_type": "image/png",
        "size": len(data),
        "is_public": True,
        "sha256": hashlib.sha256(data).hexdigest(),
        "open": lambda: io.BytesIO(data),
    }
    return FileDraft(**(values | more))


# Connection


def test_a_good_account_answers(bench: Bench) -> None:
    assert bench.connector.check()


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"url": "http://127.0.0.1:9/nothing"}, Unavailable),
        ({"path": "/elsewhere"}, WrongAddress),
        ({"secrets": "wrong"}, AuthFailed),
        ({"scope": "narrow"}, Forbidden),
        ({"allow_private_addresses": False}, WrongAddress),
    ],
)
def test_connect_says_which_of_the_three_is_wrong(bench: Bench, change: dict[str, Any], error: type) -> None:
    if "path" in change:
        change = {"url": bench.sandbox.url + change["path"]}
    if "secrets" in change:
        change = {"secrets": WRONG[bench.kind]}
    if "scope" in change:
        narrow = NARROW[bench.kind]
        change = {"settings": narrow["settings"]} if "settings" in narrow else {}
        if "fault" in narrow:
            bench.fault(**narrow["fault"])
    with pytest.raises(error) as caught:
        bench.connect(**change).check()
    assert str(caught.value)
    assert "demo-secret" not in str(caught.value)


def test_a_web_page_is_a_wrong_address(bench: Bench) -> None:
    bench.fault(mode="wrong_body", body="<html>hello</html>", headers={"Content-Type": "text/html"}, status=200)
    with pytest.raises(WrongAddress):
        bench.connect().check()


def test_what_it_can_do_is_plain_json(bench: Bench) -> None:
    description = bench.connector.describe()
    stored = json.loads(json.dumps(description.to_json()))
    assert stored["capabilities"]["sites"] in (True, False)
    assert stored["required_fields"]
    assert stored["transition_rules"]
    promised = stored["capabilities"]["usual_targets"]
    assert sorted(promised) == ["1", "2", "3", "4"]
    assert [promised[rank][0] for rank in "1234"] == sorted(promised[rank][0] for rank in "1234")
    assert all(r["level"] in ("error", "warning") and r["text"] for r in stored["transition_rules"])


# Reads


def test_reference_comes_complete_and_in_order(bench: Bench) -> None:
    kinds = [kind for kind, _ in bench.connector.reference()]
    assert set(kinds) <= set(KINDS)
    assert {"statuses", "priorities", "ticket_types"} <= set(kinds)
    known = {kind: {r.remote_id for r in rows} for kind, rows in bench.reference.items()}
    assert all(known[kind] and "" not in known[kind] for kind in known)
    assert {vars(r)["category"] for r in bench.reference["statuses"]} >= {"open", "closed"}
    assert {vars(r)["rank"] for r in bench.reference["priorities"]} == {1, 2, 3, 4}
    for policy in bench.reference.get("policies", ()):
        assert {t.priority for t in vars(policy)["targets"] or ()} <= known["priorities"]


def test_the_directory_is_whole_and_resumable(bench: Bench) -> None:
    seen: list[tuple[str, str | None, set[str]]] = [
        (kind, page.next_token, {r.remote_id for r in page.rows})
        for kind, page in bench.connector.directory(since=None)
    ]
    assert seen[-1][1] is None
    clients = set().union(*(ids for kind, _, ids in seen if kind == "clients"))
    for kind, page in bench.connector.directory(since=None):
        if kind == "contacts":
            assert {vars(r)["client"] for r in page.rows if vars(r)["client"]} <= clients
    kind, token, _ = seen[0]
    rest = [(k, p.next_token) for k, p in bench.connector.directory(since=None, token=token)]
    assert rest == [(k, t) for k, t, _ in seen[1:]]


def test_the_backfill_gives_every_ticket_once_by_ascending_id(bench: Bench) -> None:
    pages = list(bench.connector.tickets(since=None, until=_later()))
    ids = [int(r.remote_id) for page in pages for r in page.rows]
    assert len(ids) == len(set(ids))
    assert ids == sorted(ids) or not bench.connector.is_ordered
    assert len(ids) == bench.sandbox.control("GET", "state")[bench.kind]["tickets"] == pages[0].total
    assert pages[-1].next_token is None
    resumed = [
        int(r.remote_id)
        for page in bench.connector.tickets(since=None, until=_later(), token=pages[0].next_token)
        for r in page.rows
    ]
    assert resumed == ids[len(pages[0].rows) :]


def test_open_and_closed_make_the_whole(bench: Bench) -> None:
    parts = [
        {r.remote_id for page in bench.connector.tickets(since=None, until=_later(), is_open=flag) for r in page.rows}
        for flag in (True, False, None)
    ]
    assert parts[0] | parts[1] == parts[2]
    assert not parts[0] & parts[1]
    assert parts[0]


def test_the_delta_has_what_changed_and_nothing_old(bench: Bench) -> None:
    since = datetime.now(UTC) - timedelta(seconds=1)
    made = bench.ticket()
    changed = next(iter(bench.connector.tickets(since=None, until=_later()))).rows[0].remote_id
    bench.sandbox.control("POST", f"{bench.kind}/tickets/{changed}", {"summary": "Edited in the PSA"})
    rows = {r.remote_id: r for page in bench.connector.tickets(since=since, until=_later()) for r in page.rows}
    assert {made.remote_id, changed} <= set(rows)
    assert rows[changed].subject == "Edited in the PSA"
    assert len(rows) < TICKETS
    if bench.kind not in UNDATED:
        assert all(isinstance(r.remote_updated_at, datetime) and r.remote_updated_at >= since for r in rows.values())


def test_records_are_canonical(bench: Bench) -> None:
    page = next(iter(bench.connector.tickets(since=None, until=_later())))
    for row in page.rows:
        for name, value in row.known().items():
            assert not isinstance(value, float), name
            if isinstance(value, datetime):
                assert value.utcoffset() == timedelta(0), name
                assert value.year > 1980, name
    whole = bench.connector.ticket(page.rows[0].remote_id)
    assert isinstance(whole.description, str)
    assert isinstance(whole.opened_at, datetime)
    in_bulk = {"description_text"} | ONLY_IN_BULK.get(bench.kind, set())
    assert set(page.rows[0].known()) - in_bulk <= set(whole.known())


def test_every_id_for_the_sweep(bench: Bench) -> None:
    ids = [i for page in bench.connector.ticket_ids() for i in page.rows]
    assert len(ids) == len(set(ids)) == bench.sandbox.control("GET", "state")[bench.kind]["tickets"]


def test_a_deleted_ticket_is_not_found(bench: Bench) -> None:
    made = bench.ticket()
    bench.sandbox.control("DELETE", f"{bench.kind}/tickets/{made.remote_id}")
    with pytest.raises(NotFound):
        bench.connector.ticket(made.remote_id)
    with pytest.raises((NotFound, Rejected)):
        bench.connector.update_ticket(made.remote_id, {"subject": "x"})
    for strange in ("0", "../Client", "abc", ""):
        with pytest.raises(NotFound):
            bench.connector.ticket(strange)


# Writes


def test_create(bench: Bench) -> None:
    fields, marker = bench.fields(), str(uuid.uuid4())
    made = bench.connector.create_ticket(fields, marker=marker)
    read = bench.connector.ticket(made.remote_id)
    for name in ("subject", "client", "contact", "status", "priority", "ticket_type"):
        assert getattr(read, name) == fields[name], name
    assert "<at all>" in html.unescape(str(read.description))
    assert read.description_is_html is ("&lt;" in str(read.description))
    assert read.marker == (UNSET if bench.kind in UNDATED else marker)
    assert isinstance(read.opened_at, datetime)


def test_create_without_a_contact(bench: Bench) -> None:
    fields = bench.fields(contact=None, agent=None)
    fields.pop("site")
    if "contact" in bench.needs:
        with pytest.raises(Rejected) as caught:
            bench.connector.create_ticket(fields, marker=str(uuid.uuid4()))
        assert "contact" in caught.value.fields
        return
    made = bench.connector.create_ticket(fields, marker=str(uuid.uuid4()))
    assert bench.connector.ticket(made.remote_id).agent is None


def test_update_changes_only_what_was_named(bench: Bench) -> None:
    made = bench.ticket()
    before = bench.connector.ticket(made.remote_id)
    changes = {
        "agent": bench.agent(),
        "priority": bench.reference["priorities"][-1].remote_id,
        "subject": "Other",
    }
    if bench.can["teams"]:
        changes["team"] = bench.reference["teams"][-1].remote_id
    if bench.can["categories"]:
        rows = bench.reference["categories"]
        changes["category"] = next(vars(c)["value"] for c in rows if vars(c)["level"] == 1)
    after = bench.connector.update_ticket(made.remote_id, changes)
    for name, value in changes.items():
        assert getattr(after, name) == value, name
    for name in ("client", "contact", "status", "ticket_type", "opened_at", "description"):
        assert getattr(bench.connector.ticket(made.remote_id), name) == getattr(before, name), name
    if bench.can.get("unassign") is False:
        with pytest.raises(Rejected):
            bench.connector.update_ticket(made.remote_id, {"agent": None})
    else:
        assert bench.connector.update_ticket(made.remote_id, {"agent": None}).agent is None


def test_close_with_a_resolution(bench: Bench) -> None:
    if not bench.can["resolution_field"]:
        pytest.skip("a resolution is a comment there")
    made = bench.ticket()
    closed = bench.status("closed")
    after = bench.connector.update_ticket(made.remote_id, {"status": closed, "resolution": "New toner"})
    assert after.status == closed
    assert after.resolution == "New toner"
    assert isinstance(after.closed_at, datetime)


def test_an_internal_note_stays_internal(bench: Bench) -> None:
    made = bench.ticket()
    draft = bench.draft(made.remote_id, author_agent=bench.agent())
    written = bench.connector.create_action(draft)
    read = next(a for a in bench.connector.actions(made.remote_id) if a.remote_id == written.remote_id)
    assert (read.is_internal, read.kind, read.author_agent) == (True, "note", bench.agent())
    assert draft.body_text in str(read.body)
    assert draft.marker not in str(read.body)
    stored = bench.stored(made.remote_id)["actions"][-1]
    assert not shows(bench.kind, stored)
    assert not stored.get("sendemail")


def test_a_reply_is_public(bench: Bench) -> None:
    made = bench.ticket()
    draft = bench.draft(
        made.remote_id,
        kind="reply",
        is_internal=False,
        send_email=True,
        email_to="sam@acme.test",
        email_cc="b@acme.test",
    )
    written = bench.connector.create_action(draft)
    read = next(a for a in bench.connector.actions(made.remote_id) if a.remote_id == written.remote_id)
    assert (read.is_internal, read.kind, read.is_from_client) == (False, "reply", False)
    if bench.can["mails"] == "psa" and "reply" in bench.can["mail_switches"]:
        assert (read.email_to, read.email_cc) == ("sam@acme.test", "b@acme.test")


@pytest.mark.parametrize("kind", ["note", "reply", "call", "visit"])
@pytest.mark.parametrize("is_internal", [True, False])
def test_visibility_is_what_was_asked_whatever_the_outcome_says(bench: Bench, kind: str, is_internal: bool) -> None:
    made = bench.ticket()
    written = bench.connector.create_action(bench.draft(made.remote_id, kind=kind, is_internal=is_internal))
    assert written.is_internal is is_internal
    assert shows(bench.kind, bench.stored(made.remote_id)["actions"][-1]) is not is_internal


@pytest.mark.parametrize("seconds", [31, 900, 5400, 28_800])
def test_time_arrives_to_the_second(bench: Bench, seconds: int) -> None:
    made = bench.ticket()
    bench.connector.create_action(bench.time(made.remote_id, time_seconds=seconds))
    assert bench.booked(made.remote_id) == (seconds, True)
    stored = bench.stored(made.remote_id)["time_entries"][0]
    assert hours(bench.kind, stored) == pytest.approx(seconds / 3600, abs=1e-4)


def test_time_that_is_not_billed(bench: Bench) -> None:
    made = bench.ticket()
    bench.connector.create_action(bench.time(made.remote_id, time_seconds=600, time_is_billable=False))
    assert bench.booked(made.remote_id) == (600, False)


def test_note_time_and_status_are_one_action(bench: Bench) -> None:
    made = bench.ticket()
    count = len(bench.connector.actions(made.remote_id))
    wanted = bench.status("waiting_client")
    draft = bench.draft(made.remote_id, time_seconds=60, new_status=wanted, author_agent=bench.agent())
    written = bench.connector.create_action(draft)
    assert bench.booked(made.remote_id)[0] == 60
    assert written.new_status == wanted
    assert bench.connector.ticket(made.remote_id).status == wanted
    assert len(bench.connector.actions(made.remote_id)) == count + 1


def test_a_resolution_goes_with_the_closing_action(bench: Bench) -> None:
    if not bench.can["resolution_field"]:
        pytest.skip("a resolution is a comment there")
    made = bench.ticket()
    draft = bench.draft(
        made.remote_id, kind="reply", is_internal=False, new_status=bench.status("closed"), resolution="Solved"
    )
    bench.connector.create_action(draft)
    read = bench.connector.ticket(made.remote_id)
    assert (read.status, read.resolution) == (bench.status("closed"), "Solved")


def test_a_status_that_the_action_lost_is_written_to_the_ticket(bench: Bench) -> None:
    if not bench.can["action_with_status"]:
        pytest.skip("its actions carry no status")
    made = bench.ticket()
    bench.fault(mode="strip", fields=["new_status"], path="/api/Actions$", times=1)
    wanted = bench.status("open")
    written = bench.connector.create_action(bench.draft(made.remote_id, new_status=wanted))
    assert written.new_status == wanted
    assert bench.connector.ticket(made.remote_id).status == wanted


def test_upload_and_download(bench: Bench) -> None:
    if not bench.can["attachments_upload"]:
        pytest.skip("takes no files")
    made = bench.ticket()
    data = bytes(range(256)) * 4000
    told: list[int] = []
    draft = file_draft(made.remote_id, data, name='naïve "shot" \\ 1.png', on_progress=told.append)
    sent = bench.connector.upload(draft)
    assert sent.size == len(data)
    assert told[-1] == len(data)
    listed = bench.connector.attachments(made.remote_id)
    assert [(a.remote_id, a.name, a.size, a.is_public) for a in listed] == [
        (sent.remote_id, draft.name, len(data), True)
    ]
    assert bench.stored(made.remote_id)["attachments"][0]["sha256"] == draft.sha256
    with bench.connector.download(sent.remote_id, ticket=made.remote_id) as open_file:
        assert open_file.size in (None, len(data))
        assert b"".join(open_file.chunks) == data


def test_a_file_that_is_too_large_never_leaves(bench: Bench) -> None:
    made = bench.ticket()
    calls = bench.connector.calls
    with pytest.raises(Rejected):
        bench.connector.upload(replace(file_draft(made.remote_id, b""), size=500 * 1024 * 1024))
    assert bench.connector.calls == calls


def test_a_download_that_is_not_there(bench: Bench) -> None:
    with pytest.raises(NotFound), bench.connector.download("987654321", ticket="1"):
        pass


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of a process is read from /proc")
def test_200_mb_in_constant_memory(bench: Bench, tmp_path: Path) -> None:
    if not bench.can["attachments_upload"]:
        pytest.skip("takes no files")
    if bench.kind in SMALL_FILES:
        pytest.skip("takes a few megabytes only")
    made = bench.ticket()
    big = tmp_path / "big.bin"
    with big.open("wb") as stream:
        stream.truncate(200 * 1024 * 1024)
    grown, uploaded = _upload_elsewhere(bench, made.remote_id, big)
    assert uploaded == 200 * 1024 * 1024
    assert grown < 50 * 1024 * 1024


def _upload_elsewhere(bench: Bench, ticket: str, path: Path) -> tuple[int, int]:
    """Bytes of memory that a process of its own needed more at its peak for this upload, and the size that arrived."""
    settings = {**bench.account.settings, "attachment_bytes": 1024**3}
    arguments = [
        bench.kind,
        bench.account.url,
        json.dumps(settings),
        json.dumps(dict(bench.account.secrets)),
        ticket,
        str(path),
    ]
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", _UPLOADER, *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    grown, size = json.loads(done.stdout)
    return int(grown), int(size)


_UPLOADER = """
import json, pathlib, re, sys
from connectors.base.connector import AccountConfig
from connectors.base.records import FileDraft
from connectors.registry import connector_class
kind, url, settings, secrets, ticket, name = sys.argv[1:]
account = AccountConfig(name="big", url=url, settings=json.loads(settings), secrets=json.loads(secrets),
                        allow_private_addresses=True)
connector = connector_class(kind)(account)
path = pathlib.Path(name)
draft = FileDraft(ticket=ticket, name="big.bin", content_type="application/octet-stream", size=path.stat().st_size,
                  is_public=False, sha256="", open=lambda: path.open("rb"))
connector.check()
peak = lambda: int(re.search(r"VmHWM:\\s+(\\d+)", pathlib.Path("/proc/self/status").read_text())[1]) * 1024
before = peak()
sent = connector.upload(draft)
print(json.dumps([peak() - before, sent.size]))
"""


# What goes wrong


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"mode": "status_before", "status": 500}, Unavailable),
        ({"mode": "status_before", "status": 503}, Unavailable),
        ({"mode": "status_before", "status": 504}, Unavailable),
        ({"mode": "reset_before"}, Unavailable),
        ({"mode": "half_body"}, Unavailable),
        ({"mode": "wrong_body"}, Unavailable),
        ({"mode": "wrong_body", "body": "<html>"}, Unavailable),
        ({"mode": "wrong_body", "body": {"a": 1}}, Unavailable),
        ({"mode": "status_before", "status": 403}, Forbidden),
        ({"mode": "status_before", "status": 401}, AuthFailed),
        ({"mode": "status_before", "status": 404}, NotFound),
        ({"mode": "status_before", "status": 429}, RateLimited),
        ({"mode": "status_before", "status": 409}, Conflict),
        ({"mode": "status_before", "status": 302}, Unavailable),
    ],
)
def test_a_read_that_goes_wrong(bench: Bench, fault: dict[str, Any], error: type[ConnectorError]) -> None:
    bench.fault(path=LISTS[bench.kind], **fault)
    with pytest.raises(error):
        next(iter(bench.connect().tickets(since=None, until=_later())))


@pytest.mark.parametrize("mode", ["status_before", "reset_before", "half_body", "wrong_body"])
def test_a_read_that_goes_wrong_once_is_not_noticed(bench: Bench, mode: str) -> None:
    bench.fault(path=LISTS[bench.kind], mode=mode, times=1)
    assert next(iter(bench.connector.tickets(since=None, until=_later()))).rows


def test_a_404_that_is_a_web_page_removes_no_ticket(bench: Bench) -> None:
    made = bench.ticket()
    bench.fault(
        mode="status_before",
        status=404,
        body="<html>maintenance</html>",
        headers={"Content-Type": "text/html"},
        path=SINGLES[bench.kind],
    )
    with pytest.raises(Unavailable):
        bench.connector.ticket(made.remote_id)


@pytest.mark.parametrize("status", [401, 403])
def test_a_token_that_is_refused_once_is_replaced(bench: Bench, status: int) -> None:
    if bench.kind != "halopsa":
        pytest.skip("it has no tokens")
    connector = bench.connect()
    bench.fault(path=LISTS[bench.kind], mode="status_before", status=status, times=1)
    assert next(iter(connector.tickets(since=None, until=_later()))).rows


@pytest.mark.parametrize(
    ("fault", "error", "applied"),
    [
        ({"mode": "status_before", "status": 500}, Unknown, False),
        ({"mode": "status_after", "status": 500}, Unknown, True),
        ({"mode": "status_after", "status": 504}, Unknown, True),
        ({"mode": "reset_before"}, Unknown, False),
        ({"mode": "reset_after"}, Unknown, True),
        ({"mode": "half_body"}, Unknown, True),
        ({"mode": "wrong_body"}, Unknown, True),
        ({"mode": "wrong_body", "body": "<html>"}, Unknown, True),
        ({"mode": "status_before", "status": 429}, RateLimited, False),
        ({"mode": "status_before", "status": 400, "body": {"Message": "status_id invalid"}}, Rejected, False),
        ({"mode": "status_before", "status": 409}, Conflict, False),
        ({"mode": "status_before", "status": 404}, NotFound, False),
    ],
)
def test_a_write_that_goes_wrong_is_made_once_and_can_be_looked_up(
    bench: Bench, fault: dict[str, Any], error: type[ConnectorError], applied: bool
) -> None:
    made = bench.ticket()
    draft, file = bench.draft(made.remote_id), file_draft(made.remote_id, b"abc")
    fields, marker = bench.fields(), str(uuid.uuid4())
    since = datetime.now(UTC)
    bench.write_fault(**fault)
    seen = bench.sandbox.requests(bench.kind)[-1]["seq"]
    writes: list[Callable[[], Any]] = [
        lambda: bench.connector.create_action(draft),
        lambda: bench.connector.create_ticket(fields, marker=marker),
    ]
    takes_files = bench.can["attachments_upload"]
    if takes_files:
        writes.insert(1, lambda: bench.connector.upload(file))
    for write in writes:
        with pytest.raises(error):
            write()
    rows = bench.sandbox.requests(bench.kind, seen)
    posts = [r for r in rows if r["method"] == "POST" and NO_WRITES[bench.kind] not in r["path"]]
    assert len(posts) == len(writes), "a write is never repeated by the connector"
    bench.sandbox.control("DELETE", "faults")
    found = (
        bench.connector.find_action(draft, since=since, taken=frozenset()),
        bench.connector.find_ticket(fields, marker=marker, since=since),
        *([bench.connector.find_attachment(file, since=since, taken=frozenset())] if takes_files else []),
    )
    assert [f is not None for f in found] == [applied] * len(writes)
    if isinstance(found[0], Record) and found[0].remote_id:
        assert bench.connector.find_action(draft, since=since, taken=frozenset({found[0].remote_id})) is None


def test_a_refusal_names_the_field_in_canonical_words(bench: Bench) -> None:
    if bench.can["outcomes"]:
        with pytest.raises(Rejected) as caught:
            bench.connector.create_action(bench.draft(bench.ticket().remote_id, outcome="999999"))
        assert caught.value.text
    status, body, text = REFUSALS[bench.kind]
    bench.write_fault(mode="status_before", status=status, body=body)
    with pytest.raises(Rejected) as caught:
        bench.connector.create_ticket(bench.fields(), marker=str(uuid.uuid4()))
    assert caught.value.fields == {"priority": text}


def test_a_stripped_marker_is_made_up_for_by_the_text(bench: Bench) -> None:
    made = bench.ticket()
    bench.fault(mode="strip", fields=["<!-- -->"])
    draft = bench.draft(made.remote_id, author_agent=bench.agent())
    since = datetime.now(UTC)
    written = bench.connector.create_action(draft)
    found = bench.connector.find_action(draft, since=since, taken=frozenset())
    assert found is not None
    assert found.remote_id == written.remote_id
    assert bench.connector.find_action(draft, since=since, taken=frozenset({found.remote_id})) is None
    other = replace(draft, body_text="else", body_html="<p>else</p>")
    assert bench.connector.find_action(other, since=since, taken=frozenset()) is None
    public = replace(draft, is_internal=False)
    assert bench.connector.find_action(public, since=since, taken=frozenset()) is None


def test_a_stripped_ticket_marker_is_made_up_for_by_the_text(bench: Bench) -> None:
    bench.fault(mode="strip", fields=[MARKERS[bench.kind]])
    fields, marker, since = bench.fields(), str(uuid.uuid4()), datetime.now(UTC)
    made = bench.connector.create_ticket(fields, marker=marker)
    found = bench.connector.find_ticket(fields, marker=marker, since=since)
    assert found is not None
    assert found.remote_id == made.remote_id
    assert bench.connector.find_ticket(fields | {"subject": "?"}, marker=marker, since=since) is None


def test_an_action_found_later_still_moves_the_ticket(bench: Bench) -> None:
    """The action arrived without its status and the answer was lost: the look-up finishes the write."""
    made = bench.ticket()
    wanted = bench.status("waiting_client")
    draft, since = bench.draft(made.remote_id, new_status=wanted), datetime.now(UTC)
    for fault in LOSES_STATUS[bench.kind]:
        bench.fault(**fault)
    with pytest.raises(Unknown):
        bench.connector.create_action(draft)
    assert bench.connector.ticket(made.remote_id).status != wanted
    found = bench.connector.find_action(draft, since=since, taken=frozenset())
    assert found is not None
    assert found.new_status == wanted
    assert bench.connector.ticket(made.remote_id).status == wanted


def test_what_follows_an_applied_write_never_says_not_applied(bench: Bench) -> None:
    made = bench.ticket()
    bench.fault(mode="status_before", status=429, path=SINGLES[bench.kind])
    with pytest.raises(Unknown):
        bench.connector.create_action(bench.draft(made.remote_id, new_status=bench.status("open")))


@pytest.mark.parametrize("named", [True, False])
def test_the_rate_limit_is_told_with_its_wait(bench: Bench, named: bool) -> None:
    bench.sandbox.control(
        "POST", "rate_limit", {"psa": bench.kind, "requests": 1, "seconds": 120, "retry_after": named}
    )
    connector = bench.connect()
    with pytest.raises(RateLimited) as caught:
        _read_pages(connector, 4)
    is_named = named or bench.kind == "atera"  # which always says how long
    assert (caught.value.retry_after is not None) is is_named
    if is_named:
        assert 1 < float(caught.value.retry_after or 0) <= 121


def test_a_redirect_to_another_host_is_not_followed(bench: Bench) -> None:
    bench.fault(
        mode="status_before", status=302, headers={"Location": "http://169.254.169.254/latest"}, path=LISTS[bench.kind]
    )
    with pytest.raises(Unavailable):
        next(iter(bench.connect().tickets(since=None, until=_later())))


def test_nothing_secret_in_the_log(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "connectors"):
        bench.connect().check()
    text = "\n".join(r.getMessage() for r in caplog.records if r.name.startswith("connectors"))
    assert "GET" in text
    assert "demo-secret" not in text


def test_calls_are_counted_and_closed(bench: Bench) -> None:
    connector = bench.connect()
    connector.check()
    assert connector.calls > 0
    connector.close()


def _read_pages(connector: Connector, count: int) -> None:
    for _ in range(count):
        next(iter(connector.tickets(since=None, until=_later())))


def _later() -> datetime:
    return datetime.now(UTC) + timedelta(minutes=5)
