"""A PSA that nobody has heard of: what a fourth one needs at the least, and nothing outside its folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

from connectors.base.configuration import PriorityRecord, StatusRecord
from connectors.base.connector import Connector, Download, Setting
from connectors.base.errors import NotFound
from connectors.base.records import (
    ActionDraft,
    ActionRecord,
    AgentRecord,
    AttachmentRecord,
    ClientRecord,
    FileDraft,
    Page,
    Record,
    TicketRecord,
)
from connectors.base.rules import Description

OPENED = datetime(2026, 11, 20, 9, tzinfo=UTC)
TICKETS: dict[str, dict[str, Any]] = {}
"""What the PSA holds, by id: a test fills and reads it."""


class FourthConnector(Connector):
    kind = "fourth"
    title = "Fourth PSA"
    mark = "peak"
    settings = (Setting(name="key", label="Key", is_secret=True),)

    def close(self) -> None:
        """Nothing is open."""

    @property
    def calls(self) -> int:
        return 1

    def check(self) -> str:
        return f"Fourth PSA answers, {len(TICKETS)} tickets to see"

    def describe(self) -> Description:
        return Description(capabilities={"teams": False, "sites": False, "attachments_upload": False})

    def reference(self) -> Iterator[tuple[str, tuple[Record, ...]]]:
        yield "agents", (AgentRecord(remote_id="a1", name="Dana Whitlock", email="dana@harbour.test"),)
        yield "priorities", (PriorityRecord(remote_id="p", name="Sooner", rank=2),)
        yield (
            "statuses",
            (
                StatusRecord(remote_id="todo", name="To do", category="new", sla_clock="running"),
                StatusRecord(remote_id="doing", name="Doing", category="open", sla_clock="running"),
            ),
        )

    def directory(self, *, since: datetime | None, token: str | None = None) -> Iterator[tuple[str, Page[Record]]]:
        yield "clients", Page(rows=(ClientRecord(remote_id="c1", name="Acme Instruments"),), next_token=None)

    def tickets(
        self, *, since: datetime | None, until: datetime, is_open: bool | None = None, token: str | None = None
    ) -> Iterator[Page[TicketRecord]]:
        rows = tuple(self.ticket(key) for key in sorted(TICKETS)) if is_open is not False else ()
        yield Page(rows=rows, next_token=None)

    def ticket(self, remote_id: str) -> TicketRecord:
        if remote_id not in TICKETS:
            raise NotFound("there is no such ticket")
        return TicketRecord(remote_id=remote_id, opened_at=OPENED, client="c1", priority="p", **TICKETS[remote_id])

    def ticket_ids(self, *, token: str | None = None) -> Iterator[Page[str]]:
        yield Page(rows=tuple(TICKETS), next_token=None)

    def actions(self, ticket: str) -> tuple[ActionRecord, ...]:
        return ()

    def attachments(self, ticket: str) -> tuple[AttachmentRecord, ...]:
        return ()

    def download(self, attachment: str, *, ticket: str) -> AbstractContextManager[Download]:
        raise NotFound("there are no files")

    def create_ticket(self, fields: Mapping[str, Any], *, marker: str) -> TicketRecord:
        raise NotFound("not in this test")

    def update_ticket(self, remote_id: str, fields: Mapping[str, Any]) -> TicketRecord:
        TICKETS[remote_id] |= {**fields, "remote_updated_at": datetime.now(UTC)}
        return self.ticket(remote_id)

    def create_action(self, draft: ActionDraft) -> ActionRecord:
        raise NotFound("not in this test")

    def upload(self, draft: FileDraft) -> AttachmentRecord:
        raise NotFound("there are no files")

    def find_ticket(self, fields: Mapping[str, Any], *, marker: str, since: datetime) -> TicketRecord | None:
        return None

    def find_action(self, draft: ActionDraft, *, since: datetime, taken: frozenset[str]) -> ActionRecord | None:
        return None

    def find_attachment(self, draft: FileDraft, *, since: datetime, taken: frozenset[str]) -> AttachmentRecord | None:
        return None
