"""Notes and time entries of a ticket, and drafts that become one or the other, and a new status.

Autotask has no write that does all of it. The order is note, time, status; what a lost answer or a killed process left
undone is found again by `find` and finished there, so that nothing is written twice.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime
from typing import Any

from connectors.autotask import search
from connectors.autotask.client import AutotaskClient, Row, path_id, where
from connectors.autotask.lookups import Lookups
from connectors.autotask.mapping import actions as mapping
from connectors.autotask.mapping import picklists, writes
from connectors.autotask.mapping.values import identifier
from connectors.autotask.tickets import Tickets, after_write
from connectors.base.errors import Conflict, Forbidden, Rejected, Unavailable
from connectors.base.records import ActionDraft, ActionRecord, TimeRecord

log = logging.getLogger("connectors.autotask")


class Notes:
    """`impersonates`: write in the agent's own name where the security level allows it."""

    def __init__(self, client: AutotaskClient, lookups: Lookups, tickets: Tickets, *, impersonates: bool) -> None:
        self._client = client
        self._lookups = lookups
        self._tickets = tickets
        self._impersonates = impersonates

    def of(self, ticket: str) -> tuple[ActionRecord, ...]:
        """Notes, oldest first."""
        rows = self._client.rows("TicketNotes", [where("ticketID", "eq", int(path_id(ticket)))])
        return tuple(sorted((self._record(row, ticket) for row in rows), key=_order))

    def times(self, ticket: str) -> tuple[TimeRecord, ...]:
        """Time entries; none where they may not be read."""
        try:
            rows = self._client.rows("TimeEntries", [where("ticketID", "eq", int(path_id(ticket)))])
        except Forbidden as error:
            log.warning("autotask does not let us read time entries: %s", error.text)
            return ()
        return tuple(mapping.time_record(row, ticket=ticket) for row in rows)

    def create(self, draft: ActionDraft) -> ActionRecord:
        """`new_status` of the record is None when Autotask kept the old status all the same."""
        entry = self._time_row(draft) if draft.time_seconds else None
        if not _has_note(draft):
            if entry is None:
                raise Rejected("nothing to write", fields={"body": "is empty"})
            record = mapping.booked(self._write_time(draft, entry))
            return after_write(lambda: self._with_status(draft, record))
        fields = self._lookups.notes()
        publish = self._lookups.publish(fields, is_internal=draft.is_internal)
        as_agent = self._writer(draft)
        kind = picklists.note_type(fields)
        row = writes.note_row(draft, publish=publish, note_type=kind, signs=as_agent is None)
        remote_id = self._client.create(f"/Tickets/{path_id(draft.ticket)}/Notes", row, impersonate=as_agent)
        return after_write(lambda: self._finished(draft, self._note(draft.ticket, remote_id), entry))

    def find(self, draft: ActionDraft, *, since: datetime, taken: frozenset[str]) -> ActionRecord | None:
        """A found note whose time or status did not follow is finished now."""
        there = self._time_there(draft, taken) if draft.time_seconds else None
        if not _has_note(draft):
            if there is None:
                return None
            alone = mapping.booked(there)
            return after_write(lambda: self._with_status(draft, alone))
        known, own = self.of(draft.ticket), self._lookups.own_id()
        writers = {w for w in (draft.author_agent, own) if w} if own else set()
        found = search.note_among(known, draft, since=since, taken=taken, writers=writers)
        if found is None:
            return None
        entry = self._time_row(draft) if draft.time_seconds and there is None else None
        return after_write(lambda: self._finished(draft, found, entry))

    def _time_there(self, draft: ActionDraft, taken: frozenset[str]) -> TimeRecord | None:
        return search.time_among(self.times(draft.ticket), draft, taken=taken, resource=draft.author_agent)

    def _finished(self, draft: ActionDraft, record: ActionRecord, entry: Row | None) -> ActionRecord:
        if entry is not None:
            try:
                self._write_time(draft, entry)
            except (Rejected, Forbidden) as error:
                log.warning("autotask took no time on ticket %s: %s", draft.ticket, error.text)
        return self._with_status(draft, record)

    def _note(self, ticket: str, remote_id: str) -> ActionRecord:
        rows = self._client.rows("TicketNotes", [where("id", "eq", int(remote_id))])
        if not rows:
            raise Unavailable("the note is not to be seen yet")
        return self._record(rows[0], ticket)

    def _record(self, row: Row, ticket: str) -> ActionRecord:
        return mapping.note_record(
            row, ticket=ticket, fields=self._lookups.notes(), public=self._lookups.public_notes()
        )

    def _time_row(self, draft: ActionDraft) -> Row:
        """Time needs a person and a role, looked up before anything is written."""
        if not draft.author_agent:
            text = "Autotask books time on a person only: join your user with a resource"
            raise Rejected(text, fields={"author_agent": text})
        resource = str(writes.integer("author_agent", draft.author_agent))
        role = self._lookups.role_for(resource, queue=lambda: self._tickets.queue(draft.ticket))
        return writes.time_row(draft, resource=resource, role=role)

    def _write_time(self, draft: ActionDraft, row: Row) -> TimeRecord:
        remote_id = self._client.create("/TimeEntries", row, impersonate=self._writer(draft))
        return mapping.time_record({**row, "id": int(remote_id)}, ticket=draft.ticket)

    def _with_status(self, draft: ActionDraft, record: ActionRecord) -> ActionRecord:
        """The record with the status that the ticket really has now. A resolution goes with it in one write."""
        wanted = {
            "status": draft.new_status,
            "resolution": draft.resolution,
            "escalation_reason": draft.escalation_reason,
        }
        fields: dict[str, Any] = {name: value for name, value in wanted.items() if value}
        if not fields:
            return record
        try:
            self._tickets.update(draft.ticket, fields)
        except (Rejected, Conflict, Forbidden) as error:
            log.warning("autotask kept the status of ticket %s: %s", draft.ticket, error.text)
            return replace(record, new_status=None)
        return replace(record, new_status=identifier(draft.new_status)) if draft.new_status else record

    def _writer(self, draft: ActionDraft) -> str | None:
        return identifier(draft.author_agent) if self._impersonates else None


def _has_note(draft: ActionDraft) -> bool:
    return draft.kind != "time" and bool(writes.note_text(draft) or not draft.time_seconds)


def _order(action: ActionRecord) -> tuple[float, int]:
    at = action.occurred_at
    return at.timestamp() if isinstance(at, datetime) else 0.0, int(action.remote_id or 0)
