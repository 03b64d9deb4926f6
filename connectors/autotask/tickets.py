"""Tickets: lists and deltas, one by one, created and changed with a look at what came of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, TypeVar

from connectors.autotask import search
from connectors.autotask.client import AutotaskClient, Filter, Row, path_id, where
from connectors.autotask.lookups import Lookups
from connectors.autotask.mapping import history, picklists, writes
from connectors.autotask.mapping.tickets import has_verdict, removed_record, ticket_record
from connectors.autotask.mapping.values import fine_stamp, identifier
from connectors.base.errors import AuthFailed, Forbidden, NotFound, RateLimited, Rejected, Unavailable, Unknown
from connectors.base.records import Page, StatusChangeRecord, TicketRecord

T = TypeVar("T")

SETTLE_SECONDS = 1.5
"""After this long a workflow that reverts a change has done so. Source: recorded behaviour."""


class Tickets:
    """Tickets of one account."""

    def __init__(self, client: AutotaskClient, lookups: Lookups, *, settle_seconds: float) -> None:
        self._client = client
        self._lookups = lookups
        self._settle_seconds = settle_seconds
        self._has_results = True

    # Reads

    def changed(
        self, *, since: datetime | None, until: datetime, is_open: bool | None, token: str | None
    ) -> Iterator[Page[TicketRecord]]:
        """A token is the last id that was read. A delta begins with what was deleted meanwhile."""
        conditions = self._conditions(since, until, is_open)
        if since and is_open is None and token is None and (gone := self._deleted(since)):
            yield Page(rows=gone, next_token="0")
        for rows, following, total in self._pages(conditions, token):
            results = self._results(rows)
            yield Page(
                rows=tuple(
                    record for row in rows if (record := self._record(row, results.get(row.get("id")))).remote_id
                ),
                next_token=following,
                total=total,
            )

    def ids(self, *, token: str | None) -> Iterator[Page[str]]:
        for rows, following, total in self._pages([], token, "id"):
            found = tuple(remote_id for row in rows if (remote_id := identifier(row.get("id"))))
            yield Page(rows=found, next_token=following, total=total)

    def _pages(
        self, conditions: list[Filter], token: str | None, *include: str
    ) -> Iterator[tuple[list[Row], str | None, int | None]]:
        """The total costs one more call, and only for a list of several pages."""
        after = int(token) if token and token.isdigit() else None
        total: int | None = None
        for page in self._client.query("Tickets", conditions, include=include, after=after):
            if total is None:
                is_whole = page.last is None and not after
                every = [*conditions, where("id", "gte", 0)]
                total = len(page.rows) if is_whole else self._client.count("Tickets", every)
            yield page.rows, None if page.last is None else str(page.last), total

    def _conditions(self, since: datetime | None, until: datetime, is_open: bool | None) -> list[Filter]:
        conditions = []
        if since:
            conditions = [
                where("lastActivityDate", "gte", fine_stamp(since)),
                where("lastActivityDate", "lte", fine_stamp(until)),
            ]
        if is_open is not None:
            finished = sorted(int(value) for value in self._lookups.finished())
            if not finished:
                raise Rejected("no status of this account ends a ticket", fields={"": "no finished status"})
            conditions.append(where("status", "notIn" if is_open else "in", finished))
        return conditions

    def _results(self, rows: list[Row]) -> dict[Any, Row]:
        """SLA results of a page of tickets by ticket, in one call; none where they may not be read.

        A ticket that nobody has answered has none to tell.
        """
        ids = [row.get("id") for row in rows if has_verdict(row)]
        if not ids or not self._has_results:
            return {}
        try:
            found = self._client.rows("ServiceLevelAgreementResults", [where("ticketID", "in", ids)])
        except (Forbidden, NotFound, Rejected):
            self._has_results = False
            return {}
        return {row.get("ticketID"): row for row in found}

    def _deleted(self, since: datetime) -> tuple[TicketRecord, ...]:
        """From the log of deletions, where it may be read; the sweep finds the rest."""
        try:
            rows = self._client.rows("DeletedTicketLogs", [where("deletedDateTime", "gte", fine_stamp(since))])
        except (Forbidden, NotFound, Rejected):
            return ()
        return tuple(record for row in rows if (record := removed_record(row)).remote_id)

    def one(self, remote_id: str) -> TicketRecord:
        row = self._client.one(f"/Tickets/{path_id(remote_id)}")
        if identifier(row.get("id")) != identifier(remote_id):
            raise Unavailable("another ticket came back")
        return self._record(row)

    def status_changes(self, remote_id: str) -> tuple[StatusChangeRecord, ...]:
        """None of them where the history may not be read."""
        try:
            rows = self._client.history(int(path_id(remote_id)))
        except (Forbidden, NotFound, Rejected):
            return ()
        return history.status_changes(rows, fields=self._lookups.tickets())

    def queue(self, remote_id: str) -> str | None:
        """The queue that a ticket is in."""
        team = self.one(remote_id).team
        return team if isinstance(team, str) else None

    # Writes

    def create(self, fields: Mapping[str, Any], *, marker: str) -> TicketRecord:
        row = writes.ticket_row(fields, info=self._lookups.tickets(), is_new=True)
        if fields.get("agent"):
            row |= self._assignment(fields, lambda: identifier(fields.get("team")))
        remote_id = self._client.create("/Tickets", row | {writes.EXTERNAL_ID: marker})
        return after_write(lambda: self.one(remote_id))

    def update(self, remote_id: str, fields: Mapping[str, Any]) -> TicketRecord:
        """Read back, since a workflow may revert a change a moment after Autotask said yes; then once more.

        Rejected when the status is still another one; of other fields the record says what Autotask made of them.
        """
        key = path_id(remote_id)
        row = writes.ticket_row(fields, info=self._lookups.tickets())
        if "agent" in fields or "agent_role" in fields:
            row |= self._assignment(
                self._with_agent(key, fields), lambda: identifier(fields.get("team")) or self.queue(key)
            )
        if row:
            self._client.change("/Tickets", {"id": int(key), **row})
        return after_write(lambda: self._settled(key, fields, row))

    def _settled(self, key: str, fields: Mapping[str, Any], row: Row) -> TicketRecord:
        reason = str(fields.get("escalation_reason") or "").strip()
        if reason and "escalationReason" not in row:
            self._note_reason(key, reason)
        record = self.one(key)
        if not writes.unconfirmed(fields, record):
            return record
        time.sleep(self._settle_seconds)
        self._client.change("/Tickets", {"id": int(key), **row})
        record = self.one(key)
        if "status" in writes.unconfirmed(fields, record):
            name = picklists.label_of(self._lookups.tickets(), "status", record.status)
            text = f"Autotask set the status back to {name}: a workflow rule of its own may do that"
            raise Rejected(text, fields={"status": text})
        return record

    def _assignment(self, fields: Mapping[str, Any], queue: Callable[[], str | None]) -> Row:
        """Resource and role, together or not at all."""
        if not fields["agent"]:
            return {"assignedResourceID": None, "assignedResourceRoleID": None}
        agent = str(writes.integer("agent", fields["agent"]))
        role = self._lookups.role_for(agent, queue=queue, wanted=identifier(fields.get("agent_role")))
        return {"assignedResourceID": int(agent), "assignedResourceRoleID": int(role)}

    def _with_agent(self, key: str, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        """A role is never written without the resource that takes it."""
        return fields if "agent" in fields else {**fields, "agent": self.one(key).agent}

    def _note_reason(self, key: str, reason: str) -> None:
        """Where there is no field for the reason of an escalation an internal note keeps it, unless one says it
        already."""
        text = f"Escalated: {reason}"[: writes.BODY_LENGTH]
        mine = [where("ticketID", "eq", int(key))]
        said = (str(row.get("description") or "") for row in self._client.rows("TicketNotes", mine))
        if any(" ".join(text.split()) in " ".join(words.split()) for words in said):
            return
        fields = self._lookups.notes()
        publish, kind = self._lookups.publish(fields, is_internal=True), picklists.note_type(fields)
        row: Row = {"ticketID": int(key), "title": "Escalation", "description": text, "publish": int(publish)}
        self._client.create(f"/Tickets/{key}/Notes", row | ({"noteType": int(kind)} if kind else {}))

    # Was it applied?

    def find(self, fields: Mapping[str, Any], *, marker: str, since: datetime) -> TicketRecord | None:
        marked = self._client.rows("Tickets", [where(writes.EXTERNAL_ID, "eq", marker)])
        if marked:
            return self._record(marked[0])
        conditions = [where("createDate", "gte", fine_stamp(since - search.SKEW))]
        if fields.get("client"):
            conditions.append(where("companyID", "eq", writes.integer("client", fields["client"])))
        records = (self._record(row) for row in self._client.rows("Tickets", conditions))
        return next((record for record in records if search.is_alike(record, fields, since)), None)

    def _record(self, row: Row, result: Row | None = None) -> TicketRecord:
        return ticket_record(row, fields=self._lookups.tickets(), result=result)


def after_write(read: Callable[[], T]) -> T:
    """Run what follows an applied write: whatever keeps it from ending is Unknown now, never "not applied"."""
    try:
        return read()
    except (Unavailable, RateLimited, AuthFailed, NotFound) as error:
        raise Unknown(f"written, but not read back: {error.text}", status=error.status) from error
