"""HaloPSA behind the desk's interface: joins paths (`client`) and meaning (`mapping`)."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, TypeVar

from connectors.base.connector import Connector, Download, HookCall, HookState, Setting
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
from connectors.base.paging import Place
from connectors.base.records import (
    ActionDraft,
    ActionRecord,
    AttachmentRecord,
    FileDraft,
    Page,
    Record,
    TicketRecord,
)
from connectors.base.rules import Description
from connectors.base.uploads import json_upload
from connectors.halopsa import checkup, directory, hooks, rules, search
from connectors.halopsa.client import HaloClient
from connectors.halopsa.configuration import Configuration
from connectors.halopsa.envelopes import Row, allowed
from connectors.halopsa.lookups import Lookups
from connectors.halopsa.mapping import actions as action_mapping
from connectors.halopsa.mapping import tickets as ticket_mapping
from connectors.halopsa.mapping import writes
from connectors.halopsa.mapping.values import identifier, stamp

log = logging.getLogger("connectors.halopsa")

T = TypeVar("T")

UPLOAD_BYTES = 20 * 1024 * 1024
ACTIONS_AT_ONCE = 500
_WITH_HOLDS = {"includeslaactiondate": "true"}
"""Asks for the instant of a ticket's last hold or release."""
_GUID = re.compile(r"[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}")
_IMAGE = re.compile(r"attachment/image/(" + _GUID.pattern + ")", re.IGNORECASE)


class HaloPSAConnector(Connector):
    """One HaloPSA account. `account.url` is the tenant's address: the API is under it, and usually the token."""

    kind = "halopsa"
    title = "HaloPSA"
    mark = "ring"
    action_ids_per_ticket = True
    call_limit = (500, 300.0)
    settings = (
        Setting(name="client_id", label="Client ID", help="Config > Integrations > HaloPSA API > Applications"),
        Setting(name="client_secret", label="Client secret", is_secret=True),
        Setting(name="tenant", label="Tenant", is_required=False, help="Needed on shared hosting only"),
        Setting(
            name="auth_url",
            label="Authorisation server",
            is_required=False,
            help="Only where it is not the one that HaloPSA names itself",
        ),
        Setting(name="scope", label="Scope", is_required=False, default="all"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._client = HaloClient(
            self.account, budget=self.budget, rank=self.rank, tokens=self.tokens, http=self.http, clock=self.clock
        )
        self._unassigned = str(self.account.settings.get("unassigned_agent") or "1")
        self._lookups = Lookups(self._client, unassigned=self._unassigned)
        self._configuration = Configuration(self._client, self._lookups)

    def close(self) -> None:
        self._client.close()

    @property
    def calls(self) -> int:
        return self._client.transport.calls

    # Connection

    def check(self) -> str:
        return checkup.check(self._client, self.account.url)

    def describe(self) -> Description:
        outcomes: Any = dict(self.account.settings.get("outcomes") or {})
        if not outcomes:
            try:
                outcomes = self._lookups.discovered_outcomes() or True
            except ConnectorError as error:
                if not allowed(error):
                    raise
                outcomes = False
        return rules.description(outcomes=outcomes, contracts=self._has_contracts(), upload_bytes=self._upload_bytes)

    def _has_contracts(self) -> bool:
        try:
            self._client.page("/ClientContract", "contracts", {"page_size": "1"}, 1)
        except (Forbidden, NotFound):
            return False
        except WrongAddress as error:
            if error.status in (403, 404):
                return False
            raise
        return True

    @property
    def _upload_bytes(self) -> int:
        return int(self.account.settings.get("attachment_bytes") or UPLOAD_BYTES)

    # Reads

    def reference(self) -> Iterator[tuple[str, tuple[Record, ...]]]:
        yield from self._lookups.reference()

    def directory(self, *, since: datetime | None, token: str | None = None) -> Iterator[tuple[str, Page[Record]]]:
        """As `directory.read` gives it: the tokens run on from one kind to the next."""
        return directory.read(self._client, since=since, token=token)

    def tickets(
        self, *, since: datetime | None, until: datetime, is_open: bool | None = None, token: str | None = None
    ) -> Iterator[Page[TicketRecord]]:
        """A token is good for the same `since`, `until` and `is_open` only: they fix the list that it counts in."""
        params = {**_changed(since, until), **_WITH_HOLDS}
        if is_open is not None:
            params["open_only" if is_open else "closed_only"] = "true"
        for page, place in self._client.pages("/Tickets", "tickets", params, start=Place.parse(token)):
            records = (self._ticket(row, is_list=True) for row in page.rows)
            rows = tuple(record for record in records if record.remote_id)
            yield Page(rows=rows, next_token=str(place) if place else None, total=page.total)

    def ticket(self, remote_id: str) -> TicketRecord:
        row = self._client.one(f"/Tickets/{_path_id(remote_id)}", {"includedetails": "true", **_WITH_HOLDS})
        if identifier(row.get("id")) != identifier(remote_id):
            raise Unavailable("another ticket came back")
        return self._ticket(row)

    def ticket_ids(self, *, token: str | None = None) -> Iterator[Page[str]]:
        only_ids = {"ticketidonly": "true"}
        for page, place in self._client.pages("/Tickets", "tickets", only_ids, start=Place.parse(token)):
            ids = tuple(found for row in page.rows if (found := identifier(row.get("id"))))
            yield Page(rows=ids, next_token=str(place) if place else None, total=page.total)

    def actions(self, ticket: str) -> tuple[ActionRecord, ...]:
        rows = self._action_rows(ticket, ACTIONS_AT_ONCE)
        records = [
            action_mapping.action_record(row, ticket=ticket, unassigned=self._unassigned)
            for row in rows
            if identifier(row.get("id"))
        ]
        records.sort(key=lambda a: int(a.remote_id))
        return tuple(records)

    def _action_rows(self, ticket: str, count: int) -> list[Row]:
        params = {
            "ticket_id": _path_id(ticket),
            "excludesys": "false",
            "includehtmlnote": "true",
            "includeattachments": "true",
            "includeagentdetails": "true",
            "count": str(count),
        }
        page = self._client.list_of("/Actions", "actions", params)
        if page.total is not None and page.total > len(page.rows) and count < page.total:
            return self._action_rows(ticket, page.total)
        return page.rows

    def attachments(self, ticket: str) -> tuple[AttachmentRecord, ...]:
        rows = self._client.all_rows("/Attachment", "attachments", {"ticket_id": _path_id(ticket)})
        return tuple(action_mapping.attachment_record(row, ticket=ticket) for row in rows if identifier(row.get("id")))

    def download(self, attachment: str, *, ticket: str) -> AbstractContextManager[Download]:
        return self._client.download(f"/Attachment/{_path_id(attachment)}")

    def inline_image(self, reference: str) -> AbstractContextManager[Download]:
        """`reference` is the address in the HTML, or the GUID alone."""
        found = _IMAGE.search(reference)
        guid = found[1] if found else reference if _GUID.fullmatch(reference) else None
        if guid is None:
            raise NotFound("this is no picture of HaloPSA")
        return self._client.download(f"/Attachment/image/{guid}")

    # Writes

    def create_ticket(self, fields: Mapping[str, Any], *, marker: str) -> TicketRecord:
        row = self._ticket_row(fields, is_new=True)
        row |= {"third_party_id_string": marker, "donotapplytemplateintheapi": True}
        answer = self._client.post("/Tickets", row)
        return self._ticket(answer)

    def update_ticket(self, remote_id: str, fields: Mapping[str, Any]) -> TicketRecord:
        """Read again when the answer does not show a change; the record then says what HaloPSA made of it."""
        row = {"id": int(_path_id(remote_id)), **self._ticket_row(fields)}
        record = self._ticket(self._client.post("/Tickets", row))
        if record.remote_id != identifier(remote_id) or writes.unconfirmed(fields, record):
            return self._after_write(lambda: self.ticket(remote_id))
        return record

    def _ticket_row(self, fields: Mapping[str, Any], *, is_new: bool = False) -> Row:
        row = writes.ticket_row(fields, team_name=self._lookups.team_name, unassigned=self._unassigned, is_new=is_new)
        if row.get("user_id") and not row.get("site_id"):
            row["site_id"] = self._lookups.site_of(str(row["user_id"]))
        for name in ("_forcereassign", "_novalidate", "dont_do_rules"):
            if self.account.settings.get(name.strip("_")):
                row[name] = True
        return {name: value for name, value in row.items() if not (name == "site_id" and value is None)}

    def create_action(self, draft: ActionDraft) -> ActionRecord:
        """A new status is looked up afterwards; where the action did not move the ticket, the ticket is written.

        `new_status` of the record is None when HaloPSA kept the old status all the same.
        """
        author = self._lookups.agent_name(draft.author_agent) if draft.author_agent and not draft.author_name else ""
        row = writes.action_row(draft, outcome=self._outcome(draft), author_name=author)
        if draft.resolution:
            self._client.post("/Tickets", {"id": row["ticket_id"], **_resolution(draft.resolution)})
        answer = self._client.post("/Actions", row)
        record = action_mapping.action_record(answer, ticket=draft.ticket, unassigned=self._unassigned)
        return self._after_write(lambda: self._with_status(draft, record)) if draft.new_status else record

    def _outcome(self, draft: ActionDraft) -> str:
        if draft.outcome:
            return draft.outcome
        chosen = dict(self.account.settings.get("outcomes") or {})
        kind = draft.kind if draft.kind in rules.OUTCOME_KINDS else "note"
        if chosen.get("close") and draft.new_status and draft.new_status in self._lookups.finished_statuses():
            return str(chosen["close"])
        if kind == "reply" and draft.is_internal:
            kind = "note"
        if not chosen.get(kind):
            chosen = {**self._lookups.discovered_outcomes(), **{k: v for k, v in chosen.items() if v}}
        found = chosen.get(kind) or chosen.get("note" if draft.is_internal else "reply")
        if not found:
            text = f"No outcome is chosen for a {kind} in the settings of this account"
            raise Rejected(text, fields={"outcome": text})
        return str(found)

    def _with_status(self, draft: ActionDraft, record: ActionRecord) -> ActionRecord:
        """The record with the status that the ticket really has now, after one more try."""
        wanted = identifier(draft.new_status)
        if self.ticket(draft.ticket).status == wanted:
            return search.with_status(record, wanted)
        try:
            row = {"id": int(_path_id(draft.ticket)), "status_id": int(wanted or 0)}
            moved = self._ticket(self._client.post("/Tickets", row))
            if moved.status != wanted:
                moved = self.ticket(draft.ticket)
        except (Rejected, Conflict, Forbidden) as error:
            log.warning("halopsa kept the status of ticket %s: %s", draft.ticket, error.text)
            return search.with_status(record, None)
        return search.with_status(record, wanted if moved.status == wanted else None)

    def _after_write(self, read: Callable[[], T]) -> T:
        """Run what follows an applied write: whatever keeps it from ending is Unknown now, never "not applied"."""
        try:
            return read()
        except (Unavailable, RateLimited, AuthFailed) as error:
            raise Unknown(f"written, but not read back: {error.text}", status=error.status) from error

    def upload(self, draft: FileDraft) -> AttachmentRecord:
        if draft.size > self._upload_bytes:
            text = f"the file is larger than {self._upload_bytes // (1024 * 1024)} MB"
            raise Rejected(text, fields={"": text})
        prefix = f"data:{draft.content_type or 'application/octet-stream'};base64,"
        body = json_upload(draft, lambda uri: [writes.attachment_row(draft, uri)], prefix=prefix)
        row = self._client.post_stream("/Attachment", body.chunks, body.length)
        return search.completed(action_mapping.attachment_record(row, ticket=draft.ticket), draft)

    # Was it applied?

    def find_ticket(self, fields: Mapping[str, Any], *, marker: str, since: datetime) -> TicketRecord | None:
        params = {"lastupdatefromdate": stamp(since - search.SKEW), "orderdesc": "true"}
        if fields.get("client"):
            params["client_id"] = str(fields["client"])
        alike: list[TicketRecord] = []
        for page, _ in self._client.pages("/Tickets", "tickets", params):
            for row in page.rows:
                record = self._ticket(row, is_list=True)
                if record.marker == marker:
                    return self.ticket(record.remote_id)
                if search.is_alike(record, fields, since):
                    alike.append(record)
        for record in alike:
            whole = self.ticket(record.remote_id)
            if whole.marker == marker or (not whole.marker and search.has_same_text(whole, fields)):
                return whole
        return None

    def find_action(self, draft: ActionDraft, *, since: datetime, taken: frozenset[str]) -> ActionRecord | None:
        """A found action that was to move the ticket, and did not, moves it now: the write is finished here."""
        found = search.action_among(self.actions(draft.ticket), draft, since=since, taken=taken)
        if found and draft.new_status and found.new_status != identifier(draft.new_status):
            record = found
            return self._after_write(lambda: self._with_status(draft, record))
        return found

    def find_attachment(self, draft: FileDraft, *, since: datetime, taken: frozenset[str]) -> AttachmentRecord | None:
        return search.attachment_among(self.attachments(draft.ticket), draft, since=since, taken=taken)

    # Configuration

    def config(self, kind: str, remote_id: str) -> Record:
        return self._configuration.one(kind, remote_id)

    def save_config(self, kind: str, remote_id: str | None, fields: Mapping[str, Any]) -> Record:
        return self._configuration.save(kind, remote_id, fields)

    def delete_config(self, kind: str, remote_id: str) -> None:
        self._configuration.delete(kind, remote_id)

    def find_config(self, kind: str, name: str) -> Record | None:
        return self._configuration.named(kind, name)

    def ticket_url(self, remote_id: str) -> str:
        return f"{self._client.base}/tickets?id={_path_id(remote_id)}"

    # Webhooks

    def hook_register(self, *, url: str, secret: str, known: str | None = None) -> str:
        self._client.transport.hide(secret)
        return hooks.register(self._client, url=url, secret=secret, name=self.account.name, known=known)

    def hook_state(self, *, url: str, known: str | None = None) -> HookState | None:
        return hooks.state(self._client, url=url, name=self.account.name, known=known)

    def hook_remove(self, *, url: str, known: str | None = None) -> None:
        hooks.remove(self._client, url=url, name=self.account.name, known=known)

    @classmethod
    def read_hook(cls, headers: Mapping[str, str], body: bytes, secret: str) -> HookCall:
        return hooks.read(headers, body, secret)

    def _ticket(self, row: Row, *, is_list: bool = False) -> TicketRecord:
        has_team = row.get("team_id") is not None or not row.get("team")
        teams = {} if has_team else self._lookups.team_ids()
        return ticket_mapping.ticket_record(row, teams=teams, unassigned=self._unassigned, is_list=is_list)


def _changed(since: datetime | None, until: datetime) -> dict[str, str]:
    """Datetimes, whatever the vendor's OpenAPI says of their type; they filter on `last_update`."""
    params = {"lastupdatetodate": stamp(until)}
    if since:
        params["lastupdatefromdate"] = stamp(since)
    return params


def _resolution(text: str) -> dict[str, str]:
    return {"closure_note": text, "resolution": text}


def _path_id(remote_id: str) -> str:
    """An id that may stand in a path; NotFound for anything that is no id of HaloPSA."""
    found = identifier(remote_id)
    if found is None:
        raise NotFound("this is no id of HaloPSA")
    return found
