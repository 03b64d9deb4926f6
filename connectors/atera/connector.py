"""Atera behind the desk's interface: joins paths (`client`) and meaning (`mapping`)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from connectors.atera import reading, rules, search
from connectors.atera.client import AteraClient, Row
from connectors.atera.mapping import actions as action_mapping
from connectors.atera.mapping import choices, writes
from connectors.atera.mapping import tickets as ticket_mapping
from connectors.atera.mapping.values import identifier, stamp
from connectors.base.connector import Connector, Download, Setting
from connectors.base.errors import (
    AuthFailed,
    Conflict,
    Forbidden,
    NotFound,
    RateLimited,
    Rejected,
    Unavailable,
    Unknown,
    WrongAddress,
)
from connectors.base.paging import Place
from connectors.base.records import (
    ActionDraft,
    ActionRecord,
    AttachmentRecord,
    FileDraft,
    Page,
    Record,
    TicketRecord,
    TimeRecord,
)
from connectors.base.rules import Description

log = logging.getLogger("connectors.atera")

T = TypeVar("T")

_NO_WORK_HOURS = "This Atera account takes no booked time by its API"


class AteraConnector(Connector):
    """One Atera account. `account.url` is the address in front of `/api/v3`."""

    kind = "atera"
    title = "Atera"
    mark = "wave"
    is_ordered = False
    call_limit = (600, 60.0)
    settings = (
        Setting(name="api_key", label="API key", is_secret=True, help="Admin > Data management > API"),
        Setting(
            name="default_technician_id",
            label="Default technician id",
            is_required=False,
            help="Writes comments for people of ours whom Atera does not know",
        ),
        Setting(
            name="auth_style",
            label="Kind of key",
            is_required=False,
            help="bearer or key; empty tells it by the key's shape",
        ),
        Setting(
            name="open_statuses",
            label="More open statuses",
            is_required=False,
            help="Statuses of your own that are read first, with commas between them",
        ),
        Setting(name="strict_body", label="Send only the members that Atera names", is_required=False),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._client = AteraClient(self.account, budget=self.budget, rank=self.rank, http=self.http, clock=self.clock)
        self._default_technician = identifier(self.account.settings.get("default_technician_id"))
        own = str(self.account.settings.get("open_statuses") or "").split(",")
        named = (*choices.OPEN_STATUSES, *(s for s in map(choices.spelt, own) if s))
        self._open = tuple({name.casefold(): name for name in named}.values())
        self._last: Row = {}

    def close(self) -> None:
        self._client.close()

    @property
    def calls(self) -> int:
        return self._client.transport.calls

    # Connection

    def check(self) -> str:
        try:
            return self._check()
        except WrongAddress as error:
            raise WrongAddress(f"Address: {error.text} ({self.account.url})", status=error.status) from error
        except Unavailable as error:
            text = f"Address: Atera does not answer at {self.account.url}: {error.text}"
            raise Unavailable(text, status=error.status) from error
        except AuthFailed as error:
            text = f"Credentials: {error.text or 'the key is not accepted. It may have expired'}"
            raise AuthFailed(text, status=error.status) from error

    def _check(self) -> str:
        total = 0
        for path, area in (("/customers", "Customers"), ("/contacts", "Contacts"), ("/tickets/noComments", "Tickets")):
            try:
                total = self._client.page(path, 1, {"itemsInPage": "1"}).total or 0
            except Forbidden as error:
                raise Forbidden(f"Scope: the key may not read {area}", status=error.status) from error
            except NotFound as error:
                raise WrongAddress("Atera's API is not there", status=error.status) from error
            except Unavailable as error:
                if error.status and error.status < 400:
                    raise WrongAddress(error.text, status=error.status) from error
                raise
        return f"Atera answers, {total} tickets to see"

    def describe(self) -> Description:
        """Work hours are taken by the API of today only, which also lists those of the whole account."""
        return rules.description(
            contracts=self._offers("/contracts"),
            work_hours=self._offers("/workhours"),
            has_technician=self._default_technician is not None,
        )

    def _offers(self, path: str) -> bool:
        try:
            self._client.page(path, 1, {"itemsInPage": "1"})
        except (Forbidden, NotFound, Rejected):
            return False
        except WrongAddress as error:
            if error.status in (403, 404, 405):
                return False
            raise
        return True

    # Reads

    def reference(self) -> Iterator[tuple[str, tuple[Record, ...]]]:
        """The fixed lists. Technicians and more statuses have no list: they are learned from what names them."""
        yield "priorities", choices.PRIORITIES
        yield "statuses", choices.STATUSES
        yield "ticket_types", choices.TICKET_TYPES

    def directory(self, *, since: datetime | None, token: str | None = None) -> Iterator[tuple[str, Page[Record]]]:
        """As `reading.directory` gives it: the tokens run on from one kind to the next."""
        return reading.directory(self._client, since=since, token=token)

    def tickets(
        self, *, since: datetime | None, until: datetime, is_open: bool | None = None, token: str | None = None
    ) -> Iterator[Page[TicketRecord]]:
        """In Atera's own order. Tickets in a status of the tenant's own come with the closed ones, unless the account's
        settings name it among the open ones. Nothing tells when a ticket changed, so `until` does not narrow anything.
        """
        if is_open is not None:
            read = reading.open_tickets if is_open else reading.other_tickets
            for rows, following, total in read(self._client, self._open, token):
                yield Page(rows=ticket_mapping.ticket_records(rows), next_token=following, total=total)
            return
        path, params = "/tickets", {}
        if since is not None:
            path, params = "/tickets/lastmodified", {"date": stamp(since), "includeComments": "true"}
        for page, place in self._client.pages(path, "TicketID", params, start=Place.parse(token)):
            yield Page(
                rows=ticket_mapping.ticket_records(page.rows),
                next_token=str(place) if place else None,
                total=page.total,
            )

    def ticket(self, remote_id: str) -> TicketRecord:
        path = f"/tickets/{_path_id(remote_id)}"
        row = self._ticket_row(path, remote_id)
        if not ticket_mapping.has_booked_time(row):
            return ticket_mapping.ticket_record(row, billable=0, nonbillable=0)
        billable, other = ticket_mapping.booked(self._optional(f"{path}/workhours"))
        return ticket_mapping.ticket_record(row, billable=billable, nonbillable=other)

    def _ticket_row(self, path: str, remote_id: str) -> Row:
        try:
            row = self._client.one(path)
        except Rejected as error:
            if error.status == 400:
                raise NotFound(error.text, status=400) from error
            raise
        if ticket_mapping.ticket_id(row) != identifier(remote_id):
            raise Unavailable("another ticket came back")
        self._last = row
        return row

    def _optional(self, path: str) -> Row:
        """What a key, or an older API, may not give."""
        try:
            return self._client.one(path)
        except (Forbidden, NotFound, Rejected):
            return {}

    def ticket_ids(self, *, token: str | None = None) -> Iterator[Page[str]]:
        return reading.ticket_ids(self._client, token)

    def actions(self, ticket: str) -> tuple[ActionRecord, ...]:
        """All comments but the first where that one is the description."""
        row = self._row_of(ticket)
        known = (self._default_technician, identifier(row.get("TechnicianContactID")))
        return action_mapping.comment_records(
            self._client.rows(f"/tickets/{_path_id(ticket)}/comments", "CommentID"),
            ticket=ticket,
            opening=ticket_mapping.opening_text(row),
            end_user=identifier(row.get("EndUserID")),
            technicians=[i for i in known if i],
        )

    def _row_of(self, ticket: str) -> Row:
        """The ticket's row, which most callers have read just before."""
        if ticket_mapping.ticket_id(self._last) != identifier(ticket):
            self._ticket_row(f"/tickets/{_path_id(ticket)}", ticket)
        return self._last

    def times(self, ticket: str) -> tuple[TimeRecord, ...]:
        if not ticket_mapping.has_booked_time(self._row_of(ticket)):
            return ()
        return self._time_rows(ticket)

    def _time_rows(self, ticket: str) -> tuple[TimeRecord, ...]:
        rows = self._client.rows(f"/tickets/{_path_id(ticket)}/workhoursrecords", "WorkHoursID")
        records = (action_mapping.time_record(row, ticket=ticket) for row in rows)
        return tuple(record for record in records if record.remote_id)

    def attachments(self, ticket: str) -> tuple[AttachmentRecord, ...]:
        return action_mapping.attachment_records(self._attachment_urls(ticket), ticket=ticket)

    def _attachment_urls(self, ticket: str) -> list[Any]:
        found = self._client.get(f"/tickets/{_path_id(ticket)}/attachments")
        if not isinstance(found, list):
            raise Unavailable("the answer is no list")
        return found

    def download(self, attachment: str, *, ticket: str) -> AbstractContextManager[Download]:
        """The address is asked for again, since a signed one may have expired."""
        for url in self._attachment_urls(ticket):
            if isinstance(url, str) and action_mapping.attachment_id(url) == attachment:
                return self._client.download(url)
        raise NotFound("the ticket has no such file")

    # Writes

    def create_ticket(self, fields: Mapping[str, Any], *, marker: str) -> TicketRecord:
        """Status and owner are not always taken at once: one more write where the new ticket has others."""
        made = ticket_mapping.created_id(self._client.post("/tickets", writes.create_body(fields)))
        if made is None:
            raise Unknown("the answer to a create names no ticket")
        return self._after_write(lambda: self._corrected(made, fields))

    def _corrected(self, remote_id: str, fields: Mapping[str, Any]) -> TicketRecord:
        record = self.ticket(remote_id)
        missing = writes.unmet(fields, record)
        if not missing:
            return record
        try:
            return self.update_ticket(remote_id, missing)
        except (Rejected, Conflict, Forbidden) as error:
            log.warning("atera keeps its own %s of ticket %s: %s", ", ".join(missing), remote_id, error.text)
            return record

    def update_ticket(self, remote_id: str, fields: Mapping[str, Any]) -> TicketRecord:
        path = f"/tickets/{_path_id(remote_id)}"
        if body := writes.update_body(fields):
            self._client.post(path, body)
        return self._after_write(lambda: self.ticket(remote_id))

    def create_action(self, draft: ActionDraft) -> ActionRecord:
        """Booked time, comment and new status are three writes. Time goes first and is looked for before it is written,
        so that a second try books it once; the comment is the one that counts; the status follows.

        `new_status` of the record is None when Atera kept the old status all the same.
        """
        booked = self._book(draft) if draft.time_seconds else None
        if not writes.comment_text(draft):
            if booked is None:
                raise Rejected("There is nothing to write", fields={"body": "is empty"})
            return self._after_write(lambda: self._with_status(draft, action_mapping.time_alone(booked)))
        body = writes.comment_body(
            draft, default_technician=self._default_technician, is_strict=bool(self.account.settings.get("strict_body"))
        )
        since = self._now()
        try:
            self._client.post(f"/tickets/{_path_id(draft.ticket)}/comments", body)
        except NotFound as error:
            if "invalid" in error.text.lower():  # how older keys refuse the body
                raise Rejected(error.text, fields={"": error.text}, status=404) from error
            raise
        return self._after_write(lambda: self._read_back(draft, since))

    def _book(self, draft: ActionDraft) -> TimeRecord:
        author = self._author(draft)
        found = search.time_among(self._time_rows(draft.ticket), draft, author=author)
        if found is not None:
            return found
        body = writes.work_hours_body(draft, default_technician=self._default_technician)
        self._last = {}  # its row tells how much is booked
        try:
            self._client.post(f"/tickets/{_path_id(draft.ticket)}/workhours", body)
        except (NotFound, Rejected) as error:
            if error.status not in (404, 405):
                raise
            self.ticket(draft.ticket)  # NotFound when it is the ticket that is gone
            raise Rejected(_NO_WORK_HOURS, fields={"time_seconds": _NO_WORK_HOURS}, status=error.status) from error
        written = self._after_write(lambda: search.time_among(self._time_rows(draft.ticket), draft, author=author))
        if written is None:
            raise Unknown("the booked time is accepted, not yet visible")
        return written

    def _read_back(self, draft: ActionDraft, since: datetime) -> ActionRecord:
        rows = self.actions(draft.ticket)
        found = search.comment_among(rows, draft, author=self._author(draft), since=since, taken=frozenset())
        if found is None:
            raise Unknown("the comment is accepted, not yet visible")
        return self._with_status(draft, found)

    def _with_status(self, draft: ActionDraft, record: ActionRecord) -> ActionRecord:
        """The record with the status that the ticket really has now."""
        if not draft.new_status:
            return record
        wanted = choices.spelt(draft.new_status)
        try:
            now = self.ticket(draft.ticket).status
            if now != wanted:
                now = self.update_ticket(draft.ticket, {"status": wanted}).status
        except (Rejected, Conflict, Forbidden) as error:
            log.warning("atera kept the status of ticket %s: %s", draft.ticket, error.text)
            return replace(record, new_status=None)
        return replace(record, new_status=wanted if now == wanted else None)

    def _after_write(self, read: Callable[[], T]) -> T:
        """Run what follows an applied write: whatever keeps it from ending is Unknown now, never "not applied"."""
        try:
            return read()
        except (Unavailable, RateLimited, AuthFailed, Forbidden, NotFound) as error:
            raise Unknown(f"written, but not read back: {error.text}", status=error.status) from error

    def upload(self, draft: FileDraft) -> AttachmentRecord:
        text = "Atera's API takes no files. Upload in Atera, or send a link"
        raise Rejected(text, fields={"": text})

    # Was it applied?

    def find_ticket(self, fields: Mapping[str, Any], *, marker: str, since: datetime) -> TicketRecord | None:
        """Atera keeps nothing of ours: by title, contact and words among the tickets changed since then."""
        for page in self.tickets(since=since - search.SKEW, until=since):
            for record in page.rows:
                if search.is_alike(record, fields, since):
                    return self._finished(record.remote_id, fields)
        return None

    def _finished(self, remote_id: str, fields: Mapping[str, Any]) -> TicketRecord:
        return self._after_write(lambda: self._corrected(remote_id, fields))

    def find_action(self, draft: ActionDraft, *, since: datetime, taken: frozenset[str]) -> ActionRecord | None:
        """What is found, and was to move the ticket and did not, moves it now: the write is finished here."""
        if not writes.comment_text(draft):
            time = search.time_among(self._time_rows(draft.ticket), draft, author=self._author(draft), taken=taken)
            return (
                self._after_write(lambda: self._with_status(draft, action_mapping.time_alone(time))) if time else None
            )
        rows = self.actions(draft.ticket)
        found = search.comment_among(rows, draft, author=self._author(draft), since=since, taken=taken)
        return self._after_write(lambda: self._with_status(draft, found)) if found else None

    def find_attachment(self, draft: FileDraft, *, since: datetime, taken: frozenset[str]) -> AttachmentRecord | None:
        return None

    def _author(self, draft: ActionDraft) -> str | None:
        return identifier(draft.author_agent) or self._default_technician

    def _now(self) -> datetime:
        return self.clock() if self.clock else datetime.now(UTC)


def _path_id(remote_id: str) -> str:
    """An id that may stand in a path; NotFound for anything that is no id of Atera."""
    found = identifier(remote_id)
    if found is None:
        raise NotFound("this is no id of Atera")
    return found
