"""From the neutral data set into the tenant, in one transaction: a crash in the middle leaves nothing behind."""

from __future__ import annotations

import json
import mimetypes
import sqlite3
from typing import Any

from connectors.halopsa.sandbox import people, seeds, sla, text_index
from connectors.halopsa.sandbox.actions import INSERT as INSERT_ACTION
from connectors.halopsa.sandbox.attachments import INSERT as INSERT_FILE
from connectors.halopsa.sandbox.schema import TICKET_COLUMNS
from connectors.halopsa.sandbox.tenant import Row, Tenant, config, put_config
from connectors.halopsa.sandbox.tickets import INSERT as INSERT_TICKET
from connectors.halopsa.sandbox.wire import as_html, plain_text
from connectors.sandbox.dataset import Dataset, Record, Story

PICTURE = 'src="/attachment/image/'
"""How the data set points at a picture of its own."""
BATCH = 2_000
SUMMARY = TICKET_COLUMNS.index("summary")
KINDS = {"email_in": seeds.USER_REPLY, "email_out": seeds.EMAIL_USER, "phone": seeds.PHONE, "visit": seeds.VISIT,
         "time": seeds.LOG_TIME}  # fmt: skip
SYNONYMS = {"waiting on customer": "waiting on client", "waiting on vendor": "waiting on third party"}
EXTRA_STATUSES = {"scheduled": "N", "escalated": "N"}
SLA_OF_TIER = {"Silver": seeds.EXTENDED_SLA, "Bronze": seeds.OFFICE_SLA}
RUNS_ON_EVERY = 31
"""Of so many finished tickets one was let run on by hand wherever its status would have held it."""
PUT_OFF_EVERY, PUT_OFF_BY, PUT_OFF_FROM = 29, 8 * 3_600_000, 2 * 3_600_000
"""Of so many open tickets one has a date that was agreed by hand: later by so much working time. Only where the usual
date is still some time off."""


def load(tenant: Tenant, data: Dataset) -> dict[str, int]:
    """Write everything; ids are kept where they are free, else that whole file is shifted past the last id
    in use; tickets are shifted as soon as there are any."""
    with tenant.store.write() as conn:
        return _Loader(tenant, conn, data).run()


class _Loader:
    def __init__(self, tenant: Tenant, conn: sqlite3.Connection, data: Dataset) -> None:
        self._tenant, self._conn, self._data = tenant, conn, data
        self._now = tenant.now()
        self._counts = dict.fromkeys(("clients", "sites", "contacts", "agents", "tickets", "actions", "attachments"), 0)
        self._book = sla.Book(conn)
        self._docs: dict[str, Row] = {}
        self._types: dict[str, int] = {}
        self._teams: dict[str, int] = {}
        self._ticket_rows: list[list[Any]] = []
        self._text_rows: list[tuple[Any, ...]] = []
        self._action_rows: list[tuple[Any, ...]] = []
        self._file_rows: list[tuple[Any, ...]] = []

    def run(self) -> dict[str, int]:
        data, conn = self._data, self._conn
        self._clients = self._shift("halo_clients", data.clients)
        self._sites = self._shift("halo_sites", data.sites)
        self._users = self._shift("halo_users", data.contacts)
        self._agents = self._shift("halo_agents", data.agents)
        self._put_people()
        self._docs = {doc["name"].lower(): doc for doc in config(conn, "status")}
        self._types = {doc["name"].lower(): doc["id"] for doc in config(conn, "tickettype")}
        self._names = {record["id"]: record["name"] for record in data.agents}
        self._contacts = {record["id"]: record for record in data.contacts}
        self._first_site = {record["client_id"]: record["id"] for record in reversed(data.sites)}
        self._slas = {r["id"]: SLA_OF_TIER.get(r.get("tier") or "", seeds.STANDARD_SLA) for r in data.clients}
        used = conn.execute("SELECT coalesce(max(id), 0) FROM halo_tickets").fetchone()[0]
        self._offset = 0 if used == 0 else used
        self._file_id = conn.execute("SELECT coalesce(max(id), 0) FROM halo_attachments").fetchone()[0]
        for story in data.stories():
            self._put_story(story)
            if len(self._ticket_rows) >= BATCH:
                self._flush()
        self._flush()
        return self._counts

    def _shift(self, table: str, records: list[Record]) -> int:
        """What to add to the ids of a file: 0 when all of them are free."""
        used = {row["id"] for row in self._conn.execute(f"SELECT id FROM {table}")}
        if used.isdisjoint(record["id"] for record in records):
            return 0
        lowest: int = min(record["id"] for record in records)
        return int(max(used)) + 1 - lowest

    def _put_people(self) -> None:
        data, conn = self._data, self._conn
        sites = {record["client_id"]: record["id"] + self._sites for record in reversed(data.sites)}
        conn.executemany("INSERT INTO halo_clients VALUES (?,?,?,?,?,?)", (
            (r["id"] + self._clients, r["name"], int(r.get("active") is False), sites.get(r["id"], 0), self._now,
             json.dumps(
                {"phone": r.get("phone") or "", "domain": r.get("domain") or "", "ref": r.get("short") or "",
                 "notes": str(r.get("tier") or "")})) for r in data.clients))  # fmt: skip
        conn.executemany("INSERT INTO halo_sites VALUES (?,?,?,?,?,?)", (
            (r["id"] + self._sites, r["name"], r["client_id"] + self._clients, 0, self._now,
             json.dumps({"street": r.get("street") or "",
                 "city": r.get("city") or ""})) for r in data.sites))  # fmt: skip
        conn.executemany("INSERT INTO halo_users VALUES (?,?,?,?,?,?,?,?)", (
            (r["id"] + self._users, r["name"], r.get("email") or "", r["client_id"] + self._clients,
             r["site_id"] + self._sites if r.get("site_id") else sites.get(r["client_id"], 0), 0, self._now,
             json.dumps({"phone": r.get("phone") or "", "isimportantcontact": bool(r.get("vip"))}))
            for r in data.contacts))  # fmt: skip
        for record in data.agents:
            self._team(record.get("team"))
        conn.executemany("INSERT INTO halo_agents VALUES (?,?,?,?,?,?)", (
            (r["id"] + self._agents, r["name"], r.get("email") or "", r.get("team") or "",
             int(r.get("active") is False),
             json.dumps({"login": r.get("login") or ""})) for r in data.agents))  # fmt: skip
        self._put_contracts()
        for name, records in (
            ("clients", data.clients),
            ("sites", data.sites),
            ("contacts", data.contacts),
            ("agents", data.agents),
        ):
            self._counts[name] = len(records)

    def _put_contracts(self) -> None:
        names = {record["id"]: record["name"] for record in self._data.clients}
        first = max([0, *(int(doc["id"]) for doc in config(self._conn, "contract"))])
        for number, record in enumerate(self._data.contracts, start=first + 1):
            put_config(self._conn, "contract", {
                "id": number, "ref": record["name"], "client_id": record["client_id"] + self._clients,
                "client_name": names.get(record["client_id"], ""), "active": record.get("active") is not False,
                "expired": record.get("active") is False, "start_date": _day(record.get("starts_on")),
                "end_date": _day(record.get("ends_on")), "hours_left": record.get("block_hours_left"),
            })  # fmt: skip

    def _team(self, name: str | None) -> int:
        if not name:
            return 0
        if not self._teams:
            self._teams = {doc["name"].lower(): doc["id"] for doc in config(self._conn, "team")}
        if name.lower() not in self._teams:
            self._teams[name.lower()] = max([0, *self._teams.values()]) + 1
            put_config(self._conn, "team", people.team_doc(self._teams[name.lower()], name))
        return self._teams[name.lower()]

    def _status(self, name: str) -> Row:
        """The status of that name; an unknown one becomes a status of its own."""
        key = SYNONYMS.get(name.lower(), name.lower())
        if key not in self._docs:
            number = max(30, *(doc["id"] for doc in self._docs.values())) + 1
            self._docs[key] = seeds.status(number, name, "#7a7f87", EXTRA_STATUSES.get(key, "N"))
            put_config(self._conn, "status", self._docs[key])
        return self._docs[key]

    def _type(self, name: str | None) -> int:
        key = (name or "Incident").lower()
        if key not in self._types:
            self._types[key] = max(30, *self._types.values()) + 1
            put_config(self._conn, "tickettype", seeds.ticket_type(self._types[key], name or "", 1))
        return self._types[key]

    def _put_story(self, story: Story) -> None:
        ticket = story.ticket
        row = self._ticket_row(ticket)
        self._put_text(row, ticket)
        numbers = self._put_actions(row, ticket, story.actions, story.attachments)
        self._settle(row, ticket, self._status(ticket["status"]))
        for record in story.attachments:
            self._put_file(row, record, numbers)
        row["attachment_count"] = len(story.attachments)
        self._ticket_rows.append([row[name] for name in TICKET_COLUMNS])
        self._counts["tickets"] += 1

    def _ticket_row(self, ticket: Record) -> Row:
        row: Row = dict.fromkeys(TICKET_COLUMNS, 0)
        created = ticket["created_at"]
        category = ticket.get("category") or ""
        contact = ticket.get("contact_id")
        site = ticket.get("site_id") or (self._contacts[contact].get("site_id") if contact else None)
        site = site or self._first_site.get(ticket["client_id"])
        number = ticket["id"] + self._offset
        row.update(
            id=number, guid=f"{number:08x}-0000-4000-8000-000000000000", summary=ticket["summary"][:255],
            client_id=ticket["client_id"] + self._clients, site_id=site + self._sites if site else 0,
            user_id=contact + self._users if contact else 0,
            agent_id=ticket["agent_id"] + self._agents if ticket.get("agent_id") else seeds.UNASSIGNED,
            team_id=self._team(ticket.get("team")), status_id=seeds.NEW, priority_id=ticket.get("priority") or 3,
            tickettype_id=self._type(ticket.get("type")), sla_id=self._slas.get(
                ticket["client_id"], seeds.STANDARD_SLA), category_1=category, category_2="",
            category_3="", category_4="", impact=min(3, ticket.get("priority") or 3), urgency=min(3,
                ticket.get("priority") or 3),
            source=ticket["source"] if isinstance(ticket.get("source"), int) else 0, reportedby="",
                dateoccurred=created,
            datecreated=created, last_update=created, lastactiondate=created, third_party_id_string="",
            status_since=created,
        )  # fmt: skip
        row["respondbydate"], row["fixbydate"] = sla.due_dates(self._book, row["sla_id"], row["priority_id"], created)
        return row

    def _put_text(self, row: Row, ticket: Record) -> None:
        details = ticket.get("details") or ""
        markup = details if details.lstrip().startswith("<") else as_html(details)
        text = plain_text(details) if markup is details else details
        extra = json.dumps({"closure_note": ticket["resolution"]}) if ticket.get("resolution") else "{}"
        self._text_rows.append((row["id"], text, markup, extra))

    def _put_actions(self, row: Row, ticket: Record, records: list[Record], files: list[Record]) -> dict[Any, int]:
        """The opening entry, then the records; answers their numbers by the data set's ids."""
        contact = self._contacts.get(ticket.get("contact_id") or 0)
        who = (contact["name"], 0, 0, row["user_id"]) if contact else ("Helpdesk API", 1, seeds.API_AGENT, 0)
        details = self._text_rows[-1]
        with_file: dict[Any, int] = {}
        for item in files:
            with_file[item.get("action_id")] = with_file.get(item.get("action_id"), 0) + 1
        first = next((record["old_status"] for record in records if record.get("old_status")), "New")
        row["status_id"] = self._status(first)["id"]
        opening = (seeds.OPENED, "Opened", False, True, details[1], details[2], 0.0, False)
        self._add_action(row, 1, who, opening, row["dateoccurred"], row["status_id"], with_file.get(None, 0))
        numbers = {}
        for number, record in enumerate(records, start=2):
            numbers[record["id"]] = number
            old = row["status_id"]
            at = record["created_at"]
            shape = self._shape(record)
            if record.get("new_status"):
                doc = self._status(record["new_status"])
                if doc["id"] != old:
                    sla.enter_status(self._book, row, doc, at)
                    if row["id"] % RUNS_ON_EVERY == 0 and ticket.get("open") is False:
                        sla.release(self._book, row, at)
            author = self._author(record)
            is_answer = author[1] == 1 and not shape[2] and not shape[3]
            if is_answer and not row["responsedate"]:
                row["responsedate"] = at
            row["timetaken"] += shape[6]
            row["lastactiondate"] = max(row["lastactiondate"], at)
            self._add_action(row, number, author, shape, at, old, with_file.get(record["id"], 0))
        row["last_update"] = max(row["lastactiondate"], ticket.get("last_action_at") or 0)
        row["lastactiondate"] = row["last_update"]
        return numbers

    def _author(self, record: Record) -> tuple[str, int, int, int]:
        if record.get("agent_id"):
            return self._names[record["agent_id"]], 1, record["agent_id"] + self._agents, 0
        if record.get("contact_id"):
            return self._contacts[record["contact_id"]]["name"], 0, 0, record["contact_id"] + self._users
        return "System", 0, 0, 0

    @staticmethod
    def _shape(record: Record) -> tuple[int, str, bool, bool, str, str, float, bool]:
        """(outcome id, outcome, hidden, is system, text, HTML, hours, not billable)."""
        is_private = bool(record.get("private"))
        outcome = _outcome(record, is_private=is_private)
        text = record.get("body") or ""
        markup = (record.get("html") or "").replace(PICTURE, f'src="/halopsa/api{PICTURE[5:]}')
        markup = markup or (text if text.lstrip().startswith("<") else as_html(text))
        hours = round(float(record.get("minutes") or 0) / 60, 5)
        name = NAMES[outcome]
        is_system = outcome == seeds.STATUS_CHANGED
        plain = plain_text(text) if markup is text else text
        return outcome, name, is_private, is_system, plain, markup, hours, record.get("billable") is False

    def _add_action(
        self, row: Row, number: int, who: tuple[str, int, int, int], shape: tuple[int, str, bool, bool, str, str,
        float, bool],
        at: int, old_status: int, files: int,
    ) -> None:  # fmt: skip
        outcome, name, hidden, is_system, text, markup, hours, unbilled = shape
        way = "I" if outcome == seeds.USER_REPLY else "O" if outcome in (seeds.EMAIL_USER, seeds.RESOLVE) else ""
        extra = EXTRAS[(way, unbilled)]
        self._action_rows.append((
            row["id"], number, f"{row['id']:08x}-0000-4000-8000-{number:012x}", outcome, name, who[0], who[1], who[2],
                who[3],
            at, at, text, markup, hours, hours if unbilled else 0.0, int(hidden), 0, old_status, row["status_id"],
                files, "",
            int(is_system), 0, extra,
        ))  # fmt: skip
        self._counts["actions"] += 1

    def _put_file(self, row: Row, record: Record, numbers: dict[Any, int]) -> None:
        self._file_id += 1
        sha256, size = self._tenant.files.keep(record.get("data") or b"")
        kind = record.get("content_type") or mimetypes.guess_type(record["filename"])[0] or "application/octet-stream"
        guid = record.get("guid") or f"{self._file_id:08x}-0000-4000-9000-{row['id']:012x}"
        self._file_rows.append((
            self._file_id, guid, row["id"], numbers.get(record.get("action_id")), record["filename"], kind, size,
                sha256,
            record.get("created_at") or row["dateoccurred"], int(record.get("public") is not False),
            int(kind.startswith("image/")), "", "", 0, 0, 0,
        ))  # fmt: skip
        self._counts["attachments"] += 1

    def _settle(self, row: Row, ticket: Record, status: Row) -> None:
        """What the data set says of the ticket itself stands above what its actions led to."""
        if row["status_id"] != status["id"]:
            at = ticket.get("closed_at") or ticket.get("resolved_at") or row["last_update"]
            sla.enter_status(self._book, row, status, at)
        if ticket.get("open") is False and not row["is_done"]:
            row["is_done"] = row["is_closed"] = 1
        if row["is_done"]:
            row["dateclosed"] = (
                ticket.get("resolved_at") or ticket.get("closed_at") or row["dateclosed"] or row["last_update"]
            )
        given = {"fixbydate": "due_at", "respondbydate": "response_due_at", "responsedate": "first_responded_at"}
        for column, name in given.items():
            if ticket.get(name):
                row[column] = ticket[name]
        if row["id"] % PUT_OFF_EVERY == 0 and not row["is_done"] and row["fixbydate"] > self._now + PUT_OFF_FROM:
            self._put_off(row)

    def _put_off(self, row: Row) -> None:
        """A date of its own, in place of the SLA's."""
        row["fixbydate"] = self._book.hours_of(row).add(row["fixbydate"], PUT_OFF_BY)
        number, text, markup, extra = self._text_rows[-1]
        self._text_rows[-1] = (number, text, markup, json.dumps(json.loads(extra) | {"deadlinedate": row["fixbydate"]}))

    def _flush(self) -> None:
        named = zip(self._ticket_rows, self._text_rows, strict=True)
        text_index.put_many(self._conn, [(row[0], row[SUMMARY], text[1]) for row, text in named])
        self._many(INSERT_TICKET, self._ticket_rows)
        self._many("INSERT INTO halo_texts VALUES (?,?,?,?)", self._text_rows)
        self._many(INSERT_ACTION, self._action_rows)
        self._many(INSERT_FILE, self._file_rows)

    def _many(self, query: str, rows: list[Any]) -> None:
        self._conn.executemany(query, rows)
        rows.clear()


NAMES = {doc["id"]: doc["outcome"] for doc in seeds.OUTCOMES}
EXTRAS = {
    (way, unbilled): json.dumps({"emaildirection": way, "actisbillable": not unbilled})
    for way in ("I", "O", "")
    for unbilled in (False, True)
}


def _outcome(record: Record, *, is_private: bool) -> int:
    kind = record["kind"]
    if kind == "status":
        done = {"resolved": seeds.RESOLVE, "closed": seeds.CLOSE}
        return done.get((record.get("new_status") or "").lower(), seeds.STATUS_CHANGED)
    return KINDS.get(kind) or (seeds.INTERNAL_NOTE if is_private else seeds.PUBLIC_NOTE)


def _day(text: str | None) -> str | None:
    return f"{text[:10]}T00:00:00" if text else None
