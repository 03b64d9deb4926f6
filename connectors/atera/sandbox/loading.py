"""From the neutral data set into the account, in one transaction: a crash in the middle leaves nothing behind."""

from __future__ import annotations

import json
import mimetypes
import sqlite3
from typing import Any

from connectors.atera.sandbox import documents, seeds, stored
from connectors.atera.sandbox.attachments import INSERT as INSERT_FILE
from connectors.atera.sandbox.attachments import place
from connectors.atera.sandbox.comments import INSERT as INSERT_COMMENT
from connectors.atera.sandbox.comments import note_effects
from connectors.atera.sandbox.custom_values import INSERT as INSERT_VALUE
from connectors.atera.sandbox.people import INSERT_CONTACT, INSERT_CUSTOMER
from connectors.atera.sandbox.schema import TICKET_COLUMNS
from connectors.atera.sandbox.tenant import Row, Tenant, add_status, next_doc, put_doc
from connectors.atera.sandbox.wire import instant_out, plain_text
from connectors.atera.sandbox.workhours import INSERT as INSERT_HOURS
from connectors.atera.sandbox.workhours import in_hours
from connectors.sandbox.dataset import Dataset, Record, Story

BATCH = 2_000
CUSTOMERS, CONTACTS, TECHNICIANS, CONTRACTS, DEVICES = 300, 6_000, 9_000, 70, 40_000
"""Where ids begin: every kind elsewhere, so that nobody can take one for another unnoticed."""
STATUSES = {
    "new": seeds.OPEN, "in progress": seeds.OPEN, "waiting on client": seeds.PENDING,
    "waiting on customer": seeds.WAITING_CUSTOMER, "pending": seeds.PENDING, "on hold": seeds.ON_HOLD,
    "waiting on third party": seeds.WAITING_THIRD, "waiting on vendor": seeds.WAITING_THIRD,
}  # fmt: skip
PRIORITIES = {1: "Critical", 2: "High", 3: "Medium", 4: "Low"}
IMPACTS = {1: "Crisis", 2: "Major", 3: "Minor", 4: "Minor"}
TYPES = {"incident": "Incident", "problem": "Problem", "change": "Change", "request": "Request",
         "service request": "Request"}  # fmt: skip
SOURCES = ("Email", "Portal", "Agent")
MINUTE_MS = 60_000
EVERY_NTH_HAS_ALERT, EVERY_NTH_IS_NAMELESS = 3, 50
GUEST = "@demo.test"


def load(tenant: Tenant, data: Dataset) -> dict[str, int]:
    """Write everything. A second data set comes after the first, with ids past it."""
    with tenant.store.write() as conn:
        return _Loader(tenant, conn, data).run()


class _Loader:
    def __init__(self, tenant: Tenant, conn: sqlite3.Connection, data: Dataset) -> None:
        self._tenant, self._conn, self._data = tenant, conn, data
        self._now = tenant.now()
        names = ("clients", "sites", "contacts", "agents", "tickets", "actions", "attachments")
        self._counts = dict.fromkeys(names, 0)
        self._statuses = dict(STATUSES)
        self._contracts: dict[int, int] = {}
        self._ticket_rows: list[list[Any]] = []
        self._comment_rows: list[tuple[Any, ...]] = []
        self._hour_rows: list[tuple[Any, ...]] = []
        self._file_rows: list[tuple[Any, ...]] = []
        self._value_rows: list[tuple[Any, ...]] = []

    def run(self) -> dict[str, int]:
        data, conn = self._data, self._conn
        self._clients = self._first("atera_customers", CUSTOMERS)
        self._users = self._first("atera_contacts", CONTACTS)
        self._agents = self._first("atera_technicians", TECHNICIANS)
        self._contacts = {record["id"]: record for record in data.contacts}
        self._put_people()
        self._put_contracts()
        self._put_devices()
        self._offset = conn.execute("SELECT coalesce(max(id), 0) FROM atera_tickets").fetchone()[0]
        for story in data.stories():
            self._put_story(story)
            if len(self._ticket_rows) >= BATCH:
                self._flush()
        self._flush()
        return self._counts

    def _first(self, table: str, base: int) -> int:
        """What to add to the ids of a file."""
        last = self._conn.execute(f"SELECT coalesce(max(id), 0) FROM {table}").fetchone()[0]
        return max(base, int(last))

    def _put_people(self) -> None:
        data, conn, now = self._data, self._conn, self._now
        homes = {record["client_id"]: record for record in reversed(data.sites)}
        conn.executemany(INSERT_CUSTOMER, (
            (r["id"] + self._clients, r["name"], now, now, json.dumps({
                "BusinessNumber": r.get("short") or None, "Domain": r.get("domain") or None,
                "Address": homes.get(r["id"], {}).get("street"), "City": homes.get(r["id"], {}).get("city"),
                "Phone": r.get("phone") or None, "Notes": str(r.get("tier") or "") or None}))
            for r in data.clients))  # fmt: skip
        conn.executemany(INSERT_CONTACT, (self._contact_row(r) for r in data.contacts))
        conn.executemany("INSERT INTO atera_technicians VALUES (?,?,?,?)", (
            (r["id"] + self._agents, *_names(r["name"]), r.get("email") or "") for r in data.agents))  # fmt: skip
        tiers = [("Customer", r["id"] + self._clients, "Service tier", str(r["tier"])) for r in data.clients
                 if r.get("tier")]  # fmt: skip
        vips = [("Contact", r["id"] + self._users, "VIP", "true") for r in data.contacts if r.get("vip")]
        conn.executemany(INSERT_VALUE, [*tiers, *vips])
        for name in ("clients", "sites", "contacts", "agents"):
            self._counts[name] = len(getattr(data, name))

    def _contact_row(self, record: Record) -> tuple[Any, ...]:
        """Now and then one has an address and no name, as contacts have that came by mail."""
        email = record.get("email") or ""
        is_nameless = record["id"] % EVERY_NTH_IS_NAMELESS == 0 and not email.endswith(GUEST)
        first, last = (None, None) if is_nameless else _names(record["name"])
        doc = json.dumps({"IsContactPerson": bool(record.get("vip"))})
        return (record["id"] + self._users, record["client_id"] + self._clients, first, last, email,
                record.get("phone"), self._now, self._now, doc)  # fmt: skip

    def _put_contracts(self) -> None:
        names = {record["id"]: record["name"] for record in self._data.clients}
        first = max(CONTRACTS, next_doc(self._conn, "contract"))
        for number, record in enumerate(self._data.contracts, start=first):
            hours = record.get("block_hours_left")
            doc = documents.contract_doc(
                number, record["client_id"] + self._clients, names.get(record["client_id"], ""), record["name"],
                "BlockHours" if hours is not None else "RetainerFlatFee",
                **({"hours": hours} if hours is not None else {}), StartDate=_day(record.get("starts_on")),
                EndDate=_day(record.get("ends_on")), Active=record.get("active") is not False,
            )  # fmt: skip
            put_doc(self._conn, "contract", number, doc)
            if doc["Active"]:
                self._contracts.setdefault(record["client_id"], number)

    def _put_devices(self) -> None:
        """One monitored machine for each client, and alerts of some of them."""
        first = max(DEVICES, next_doc(self._conn, "agent"))
        for number, record in enumerate(self._data.clients, start=first):
            name = f"{record.get('short') or 'PC'}-WS{record['id']:03d}"
            seen = instant_out(self._now - record["id"] * MINUTE_MS)
            device = documents.agent_doc(number, record["id"] + self._clients, record["name"], name, seen)
            put_doc(self._conn, "agent", number, device)
            if (number - first) % EVERY_NTH_HAS_ALERT == 0:
                alert = next_doc(self._conn, "alert")
                severity = documents.SEVERITIES[record["id"] % 2 + 1]
                text = "Disk C: has less than 10 % free"
                put_doc(self._conn, "alert", alert, documents.alert_doc(
                    alert, device, "Low disk space", text, severity, seen) | {"AlertCategoryID": "Disk"})  # fmt: skip

    def _status(self, name: str) -> str:
        """The account's word; a status of another name becomes one of its own."""
        key = name.lower()
        if key not in self._statuses:
            self._statuses[key] = add_status(self._conn, name)
        return self._statuses[key]

    def _put_story(self, story: Story) -> None:
        ticket = story.ticket
        row = stored.new_row(ticket["id"] + self._offset, ticket["created_at"])
        self._describe(row, ticket)
        pictures = {record["guid"]: place(record["guid"], record["filename"]) for record in story.attachments
                    if record.get("guid")}  # fmt: skip
        details = ticket.get("details") or ""
        if details:
            self._add_comment(row, row["created"], details, "", row["user_id"], None)
        for record in story.actions:
            self._put_action(row, record, pictures)
        self._settle(row, ticket)
        for number, record in enumerate(story.attachments):
            self._put_file(row, record, number)
        if ticket.get("category"):
            self._value_rows.append(("Ticket", row["id"], seeds.CATEGORY_FIELD, ticket["category"]))
        self._ticket_rows.append([row[name] for name in TICKET_COLUMNS])
        self._counts["tickets"] += 1

    def _describe(self, row: Row, ticket: Record) -> None:
        priority = ticket.get("priority") or 3
        contact, agent, source = ticket.get("contact_id"), ticket.get("agent_id"), ticket.get("source")
        row |= {
            "title": ticket["summary"], "priority": PRIORITIES[priority], "impact": IMPACTS[priority],
            "type": TYPES.get((ticket.get("type") or "").lower(), seeds.PROBLEM),
            "source": SOURCES[source % len(SOURCES)] if isinstance(source, int) else SOURCES[0],
            "user_id": contact + self._users if contact else None,
            "customer_id": ticket["client_id"] + self._clients, "tech_id": agent + self._agents if agent else None,
            "contract_id": self._contracts.get(ticket["client_id"]), "first_comment": ticket.get("details") or "",
        }  # fmt: skip
        stored.set_due(row)

    def _put_action(self, row: Row, record: Record, pictures: dict[str, str]) -> None:
        at, text, markup = record["created_at"], record.get("body") or "", record.get("html") or ""
        user = record["contact_id"] + self._users if record.get("contact_id") else None
        agent = record["agent_id"] + self._agents if record.get("agent_id") else None
        is_internal = bool(record.get("private"))
        if text or markup:
            markup = _with_pictures(markup, pictures) if pictures else markup
            text = text or plain_text(markup)
            self._add_comment(row, at, text, markup, user, agent, is_internal=is_internal)
            note_effects(row, text, at, user_id=user, tech_id=agent, is_internal=is_internal)
        if minutes := float(record.get("minutes") or 0):
            starts, is_visit = at - int(minutes * MINUTE_MS), record["kind"] == "visit"
            stored.add_seconds(row, (at - starts) // 1000, on_site=is_visit, in_hours=in_hours(starts))
            is_billable = int(record.get("billable") is not False)
            self._hour_rows.append((None, row["id"], starts, at, agent, is_billable, int(is_visit), text[:200], None))
        row["modified"] = max(row["modified"], at)

    def _add_comment(
        self, row: Row, at: int, text: str, markup: str, user: int | None, agent: int | None, *,
        is_internal: bool = False,
    ) -> None:  # fmt: skip
        self._comment_rows.append((None, row["id"], at, text, markup, user, agent, int(is_internal), 0))
        self._counts["actions"] += 1

    def _settle(self, row: Row, ticket: Record) -> None:
        """Status and dates as the data set says of the ticket itself."""
        row["status"] = self._status(ticket["status"])
        if ticket.get("open") is False and row["status"] not in seeds.DONE:
            row["status"] = seeds.CLOSED
        row["modified"] = max(row["modified"], ticket.get("last_action_at") or 0)
        row["is_done"] = int(row["status"] in seeds.DONE)
        if row["is_done"]:
            row["resolved"] = ticket.get("resolved_at") or ticket.get("closed_at") or row["modified"]
        given = {"close_due": "due_at", "response_due": "response_due_at", "first_answer": "first_responded_at"}
        for column, name in given.items():
            row[column] = ticket.get(name) or row[column]

    def _put_file(self, row: Row, record: Record, number: int) -> None:
        sha256, size = self._tenant.files.keep(record.get("data") or b"")
        kind = record.get("content_type") or mimetypes.guess_type(record["filename"])[0] or "application/octet-stream"
        guid = record.get("guid") or f"{number:08x}-0000-4000-9000-{row['id']:012x}"
        at = record.get("created_at") or row["created"]
        self._file_rows.append((None, guid, row["id"], record["filename"], kind, size, sha256, at))
        self._counts["attachments"] += 1

    def _flush(self) -> None:
        for query, rows in (
            (stored.INSERT, self._ticket_rows), (INSERT_COMMENT, self._comment_rows), (INSERT_HOURS, self._hour_rows),
            (INSERT_FILE, self._file_rows), (INSERT_VALUE, self._value_rows),
        ):  # fmt: skip
            self._conn.executemany(query, rows)
            rows.clear()


def _names(name: str) -> tuple[str, str]:
    first, _, last = name.strip().partition(" ")
    return first, last


def _with_pictures(markup: str, pictures: dict[str, str]) -> str:
    """Pictures lead to this account's files, whatever address the data set gives them."""
    for guid, path in pictures.items():
        start, found, rest = markup.partition(guid)
        if found:
            before, opening, _ = start.rpartition('src="')
            end = rest.find('"')
            markup = before + opening + path + rest[end:] if opening and end >= 0 else markup
    return markup


def _day(text: str | None) -> str | None:
    return f"{text[:10]}T00:00:00Z" if text else None
