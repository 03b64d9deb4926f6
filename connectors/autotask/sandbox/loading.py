"""From the neutral data set into the tenant, in one transaction: a crash in the middle leaves nothing behind."""

from __future__ import annotations

import mimetypes
import sqlite3
from datetime import UTC, datetime
from typing import Any

from connectors.autotask.sandbox import people_loading, seeds, sla, tickets
from connectors.autotask.sandbox.attachments import OF_NOTE, OF_TICKET, OF_TIME
from connectors.autotask.sandbox.fields import Row
from connectors.autotask.sandbox.profiles import (
    ADMINISTRATOR,
    COMPLETE,
    FIRST_QUEUE,
    HOUR_MS,
    NEW,
    STANDARD_CATEGORY,
    STANDARD_SLA,
)
from connectors.autotask.sandbox.schema import COLUMNS
from connectors.autotask.sandbox.tenant import Tenant, labelled
from connectors.autotask.sandbox.wire import DAY_MS, plain_text
from connectors.sandbox.dataset import Dataset, Record, Story

BATCH = 2_000
PUT_OFF_EVERY, PUT_OFF_BY, PUT_OFF_FROM = 29, 8 * HOUR_MS, 2 * HOUR_MS
"""Of so many open tickets one has a date that was agreed by hand, where the usual one is still some time off."""
SOURCES = (4, 2, -1)
TYPES = {"change": "Change Request", "alarm": "Alert"}
WRITTEN = {
    table: tuple(COLUMNS[table]) for table in ("at_notes", "at_time_entries", "at_attachments", "at_sla_results")
}
TICKET_COLUMNS = (*COLUMNS["at_tickets"], "udfs")


def load(tenant: Tenant, data: Dataset) -> dict[str, int]:
    """Write everything; ids are the data set's, each past the last one in use."""
    with tenant.store.write() as conn:
        return _Loader(tenant, conn, data).run()


class _Loader:
    def __init__(self, tenant: Tenant, conn: sqlite3.Connection, data: Dataset) -> None:
        self._tenant, self._conn, self._data, self._profile = tenant, conn, data, tenant.profile
        self._lists = tenant.picklists()
        self._known: dict[tuple[str, str, str], int] = {}
        self._offsets = {table: _last(conn, table) for table in seeds.FIRST_IDS}
        self._note, self._time, self._file = (
            self._offsets[table] for table in ("at_notes", "at_time_entries", "at_attachments")
        )
        self._days: dict[str, int] = {}
        self._rows: dict[str, list[Any]] = {table: [] for table in ("at_tickets", "at_history", *WRITTEN)}
        self._counts = {"tickets": 0, "actions": 0, "time_entries": 0, "attachments": 0}

    def run(self) -> dict[str, int]:
        data = self._data
        people = people_loading.load(self._conn, data, self._offsets, self._lists, self._tenant.now())
        self._roles = {record["id"]: seeds.role_of(record.get("team") or "") for record in data.agents}
        self._places = {record["id"]: record.get("site_id") for record in data.contacts}
        for story in data.stories():
            self._put(story)
            if len(self._rows["at_tickets"]) >= BATCH:
                self._flush()
        self._flush()
        self._conn.executemany(
            "INSERT INTO at_counters VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            [(f"ticket {day}", number) for day, number in self._days.items()],
        )
        self._tenant.set_picklists(self._lists)
        return {**people, **self._counts}

    def _value(self, name: str, label: str, parent: str = "", first: int = 100) -> int:
        key = (name, label, parent)
        if key not in self._known:
            self._known[key] = labelled(self._lists, name, label, parent=parent, first=first)
        return self._known[key]

    def _status(self, name: str) -> int:
        profile = self._profile
        known = {
            "new": NEW, "in progress": profile.in_progress, "waiting on client": profile.waiting_client,
            "waiting on customer": profile.waiting_client, "waiting on third party": profile.waiting_other,
            "waiting on vendor": profile.waiting_other, "on hold": profile.on_hold, "pending": profile.on_hold,
            "escalated": profile.escalated, "scheduled": profile.in_progress, "resolved": COMPLETE, "closed": COMPLETE,
        }  # fmt: skip
        return known.get(name.lower()) or self._value("Ticket.status", name, first=30)

    def _put(self, story: Story) -> None:
        ticket = story.ticket
        row = self._ticket(ticket)
        done = {record["id"]: self._action(row, record) for record in story.actions}
        self._settle(row, ticket)
        for record in story.attachments:
            self._attach(row, record, done.get(record.get("action_id")), story)
        self._rows["at_tickets"].append([row[name] for name in TICKET_COLUMNS])
        self._rows["at_sla_results"].append(_columns("at_sla_results", sla.result(row)))
        self._counts["tickets"] += 1

    def _ticket(self, ticket: Record) -> Row:
        created, contact, agent = ticket["created_at"], ticket.get("contact_id"), ticket.get("agent_id")
        offsets = self._offsets
        issue, _, part = (ticket.get("category") or "").partition(">")
        kind = TYPES.get((ticket.get("type") or "incident").lower(), ticket.get("type") or "Incident")
        issue_id = self._value("Ticket.issueType", issue) if issue else None
        site = ticket.get("site_id") or self._places.get(contact)
        details = ticket.get("details") or ""
        source = ticket.get("source")
        row = tickets.blank() | {
            "id": ticket["id"] + offsets["at_tickets"], "ticketNumber": self._number(created), "udfs": "[]",
            "title": ticket["summary"][:255], "companyID": ticket["client_id"] + offsets["at_companies"],
            "description": (plain_text(details) if details.lstrip().startswith("<") else details)[:8000],
            "contactID": contact + offsets["at_contacts"] if contact else None,
            "companyLocationID": site + offsets["at_locations"] if site else None,
            "assignedResourceID": agent + offsets["at_resources"] if agent else None,
            "assignedResourceRoleID": self._roles[agent] if agent else None,
            "queueID": self._value("Ticket.queueID", ticket.get("team") or "Client Portal", first=FIRST_QUEUE),
            "priority": self._profile.priority(ticket.get("priority") or 3), "status": NEW,
            "ticketType": self._value("Ticket.ticketType", kind), "ticketCategory": STANDARD_CATEGORY,
            "source": SOURCES[source % 3] if isinstance(source, int) else 4, "issueType": issue_id,
            "subIssueType": self._value("Ticket.subIssueType", part, str(issue_id)) if part else None,
            "serviceLevelAgreementID": STANDARD_SLA, "createDate": created, "lastActivityDate": created,
            "lastTrackedModificationDateTime": created, "creatorResourceID": None if contact else ADMINISTRATOR,
            "createdByContactID": contact + offsets["at_contacts"] if contact else None,
            "creatorType": 2 if contact else 1, "lastActivityPersonType": 2 if contact else 1, "changedAt": 0,
            "resolution": ticket.get("resolution"),
        }  # fmt: skip
        sla.start(self._profile, row)
        self._story(row, "Ticket Created", row["title"], created, None)
        return row

    def _number(self, at: int) -> str:
        day = datetime.fromtimestamp(at / 1000, UTC).strftime("%Y%m%d")
        if day not in self._days:
            old = self._conn.execute("SELECT value FROM at_counters WHERE name = ?", (f"ticket {day}",)).fetchone()
            self._days[day] = old["value"] if old else 0
        self._days[day] += 1
        return f"T{day}.{self._days[day]:04}"

    def _story(self, row: Row, action: str, detail: str, at: int, resource: int | None) -> None:
        self._rows["at_history"].append((row["id"], action, detail, at, resource))

    def _action(self, row: Row, record: Record) -> tuple[int, int]:
        """A note or a time entry, with the change of status that came with it; answers its parent type and id."""
        at, minutes = record["created_at"], record.get("minutes") or 0
        agent = record["agent_id"] + self._offsets["at_resources"] if record.get("agent_id") else None
        contact = record["contact_id"] + self._offsets["at_contacts"] if record.get("contact_id") else None
        is_public = not record.get("private")
        text = record.get("body") or ""
        text = (plain_text(text) if text.lstrip().startswith("<") else text)[:32000]
        if agent is not None and is_public:
            sla.respond(row, at, agent)
        if record.get("new_status"):
            self._move(row, self._status(record["new_status"]), at, agent)
        row["lastActivityDate"] = max(row["lastActivityDate"], at)
        row["lastActivityResourceID"], row["lastActivityPersonType"] = agent, 2 if contact else 1
        if is_public:
            row["lastCustomerVisibleActivityDateTime"] = at
        if record.get("new_status") == "Resolved" and text and not row["resolution"]:
            row["resolution"] = text
        made = OF_TICKET, row["id"]
        if minutes and agent is not None:
            made = OF_TIME, self._put_time(row, record, agent, "" if record["kind"] == "email_out" else text)
        if text and (record["kind"] == "email_out" or not minutes or agent is None):
            made = OF_NOTE, self._put_note(row, record, (agent, contact), text)
        return made

    def _move(self, row: Row, status: int, at: int, agent: int | None) -> None:
        if status != row["status"]:
            self._story(row, "Edit", f"status: {row['status']} to {status}", at, agent)
            sla.enter(self._profile, row, status, at, agent)

    def _put_note(self, row: Row, record: Record, who: tuple[int | None, int | None], text: str) -> int:
        profile, at = self._profile, record["created_at"]
        kinds = {
            "email_in": profile.portal_note if profile.is_brief else profile.mail_note,
            "email_out": profile.mail_note,
        }
        self._note += 1
        self._rows["at_notes"].append(_columns("at_notes", {
            "id": self._note, "ticketID": row["id"], "title": record["kind"].replace("_", " ").capitalize(),
            "description": text, "noteType": kinds.get(record["kind"], profile.plain_note),
            "publish": profile.internal if record.get("private") else profile.public, "createDateTime": at,
            "lastActivityDate": at, "creatorResourceID": who[0] or (None if who[1] else ADMINISTRATOR),
            "createdByContactID": who[1], "changedAt": 0,
        }))  # fmt: skip
        self._counts["actions"] += 1
        return self._note

    def _put_time(self, row: Row, record: Record, agent: int, text: str) -> int:
        end, hours = record["created_at"], round(record["minutes"] / 60, 4)
        unbilled = record.get("billable") is False
        work = seeds.ON_SITE_WORK if record["kind"] == "visit" else seeds.REMOTE_WORK
        begin = end - round(record["minutes"] * HOUR_MS / 60)
        self._time += 1
        self._rows["at_time_entries"].append(_columns("at_time_entries", {
            "id": self._time, "ticketID": row["id"], "resourceID": agent, "roleID": self._roles[record["agent_id"]],
            "dateWorked": begin - begin % DAY_MS, "startDateTime": begin, "endDateTime": end, "hoursWorked": hours,
            "hoursToBill": 0.0 if unbilled else hours, "offsetHours": 0.0, "isNonBillable": int(unbilled),
            "showOnInvoice": 1, "billingCodeID": work, "timeEntryType": 2, "createDateTime": end,
            "lastModifiedDateTime": end, "creatorUserID": agent, "lastModifiedUserID": agent, "changedAt": 0,
            "summaryNotes": None if record.get("private") else text or None,
            "internalNotes": text if record.get("private") else None,
        }))  # fmt: skip
        self._counts["time_entries"] += 1
        return self._time

    def _settle(self, row: Row, ticket: Record) -> None:
        """What the data set says of the ticket itself stands above what its actions led to."""
        last = max(row["lastActivityDate"], ticket.get("last_action_at") or 0)
        row["lastActivityDate"] = row["lastTrackedModificationDateTime"] = last
        status = self._status(ticket["status"])
        finished = ticket.get("resolved_at") or ticket.get("closed_at")
        self._move(row, status, finished or last, row["assignedResourceID"])
        if row["status"] == COMPLETE and finished:
            row["completedDate"] = row["resolvedDateTime"] = finished
        for name, given in (
            ("firstResponseDueDateTime", "response_due_at"),
            ("firstResponseDateTime", "first_responded_at"),
        ):
            if ticket.get(given):
                row[name] = ticket[given]
        if ticket.get("due_at"):
            row["dueDateTime"] = row["resolvedDueDateTime"] = ticket["due_at"]
        usual = row["dueDateTime"] > self._tenant.now() + PUT_OFF_FROM
        if row["id"] % PUT_OFF_EVERY == 0 and row["completedDate"] is None and usual:
            row["dueDateTime"] += PUT_OFF_BY

    def _attach(self, row: Row, record: Record, owner: tuple[int, int] | None, story: Story) -> None:
        kind, parent = owner or (OF_TICKET, row["id"])
        sha256, size = self._tenant.files.keep(record.get("data") or b"")
        author = next((one for one in story.actions if one["id"] == record.get("action_id")), {})
        agent = author.get("agent_id")
        guessed = (
            record.get("content_type") or mimetypes.guess_type(record["filename"])[0] or "application/octet-stream"
        )
        self._file += 1
        self._rows["at_attachments"].append(_columns("at_attachments", {
            "id": self._file, "ticketID": row["id"], "parentID": parent, "parentType": kind,
            "ticketNoteID": parent if kind == OF_NOTE else None, "timeEntryID": parent if kind == OF_TIME else None,
            "attachDate": record.get("created_at") or row["createDate"], "attachmentType": "FILE_ATTACHMENT",
            "attachedByResourceID": agent + self._offsets["at_resources"] if agent else None,
            "attachedByContactID": None if agent else row["contactID"], "contentType": guessed,
            "fileSize": float(size), "fullPath": record["filename"][:255], "title": record["filename"][:255],
            "publish": self._profile.internal if record.get("public") is False else self._profile.public,
            "sha256": sha256, "changedAt": 0,
        }))  # fmt: skip
        self._counts["attachments"] += 1

    def _flush(self) -> None:
        self._many("at_tickets", TICKET_COLUMNS)
        self._many("at_history", ("ticketID", "action", "detail", "date", "resourceID"))
        for table, names in WRITTEN.items():
            self._many(table, names)

    def _many(self, table: str, names: tuple[str, ...]) -> None:
        marks = ", ".join("?" * len(names))
        self._conn.executemany(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})", self._rows[table])
        self._rows[table].clear()


def _columns(table: str, row: Row) -> list[Any]:
    return [row.get(name) for name in WRITTEN[table]]


def _last(conn: sqlite3.Connection, table: str) -> int:
    """The id after which ours begin."""
    return max(seeds.FIRST_IDS[table], int(conn.execute(f"SELECT coalesce(max(id), 0) FROM {table}").fetchone()[0]))
