"""Autotask behind the desk's interface: what is asked of it goes to tickets, notes, files, lists and lookups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

from connectors.autotask import checkup, directory, hooks, rules
from connectors.autotask.client import AutotaskClient, path_id, where
from connectors.autotask.files import UPLOAD_BYTES, Files
from connectors.autotask.gates import FILE_BYTES
from connectors.autotask.lookups import Lookups
from connectors.autotask.mapping import picklists
from connectors.autotask.mapping.values import truth
from connectors.autotask.notes import Notes
from connectors.autotask.tickets import SETTLE_SECONDS, Tickets
from connectors.base.connector import Connector, Download, HookCall, HookState, Setting
from connectors.base.errors import ConnectorError, Forbidden, NotFound
from connectors.base.records import (
    ActionDraft,
    ActionRecord,
    AttachmentRecord,
    FileDraft,
    Page,
    Record,
    StatusChangeRecord,
    TicketRecord,
    TimeRecord,
)
from connectors.base.rules import Description


class AutotaskConnector(Connector):
    """One Autotask account. `account.url` is where the zone is looked up; everything else goes to the zone."""

    kind = "autotask"
    title = "Autotask"
    mark = "peak"
    call_limit = (3000, 3600.0)
    """Ten thousand are shared by all integrations of a customer, and above half of that each call is held up."""
    settings = (
        Setting(name="username", label="API user name", help="A user with the security level API User (API-only)"),
        Setting(name="secret", label="Secret", is_secret=True),
        Setting(
            name="integration_code", label="Tracking identifier", help="Of the API user's custom (internal) integration"
        ),
        Setting(
            name="impersonate",
            label="Write as the agent",
            is_required=False,
            help="yes: notes and time bear the agent's own name, where the API user's security level allows it",
        ),
        Setting(
            name="role",
            label="Role",
            is_required=False,
            help="Id of the role to assign tickets in, for agents that have it; else each agent's default",
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = self.account.settings
        self._client = AutotaskClient(
            self.account, budget=self.budget, rank=self.rank, tokens=self.tokens, http=self.http, clock=self.clock
        )
        self._client.gates.file_bytes = int(known.get("attachment_budget_bytes") or FILE_BYTES)
        self._lookups = Lookups(self._client, settings=known, user=str(known.get("username") or ""))
        self._tickets = Tickets(
            self._client, self._lookups, settle_seconds=float(known.get("settle_seconds") or SETTLE_SECONDS)
        )
        impersonates = str(known.get("impersonate") or "").strip().lower() in ("yes", "true", "on", "1")
        self._notes = Notes(self._client, self._lookups, self._tickets, impersonates=impersonates)
        self._files = Files(self._client, self._lookups, limit=int(known.get("attachment_bytes") or UPLOAD_BYTES))

    def close(self) -> None:
        self._client.close()

    @property
    def calls(self) -> int:
        return self._client.transport.calls

    # Connection

    def check(self) -> str:
        return checkup.check(self._client, self.account.url)

    def describe(self) -> Description:
        queues = picklists.team_records(self._lookups.tickets())
        return rules.description(
            has_queues=any(q.is_active for q in queues),
            contracts=self._may_read("Contracts"),
            upload_bytes=self._files.limit,
            webhooks=self._calls_out(),
            sources=[c.label for c in picklists.choices_of(self._lookups.tickets(), "source").values() if c.is_active],
        )

    def _may_read(self, entity: str) -> bool:
        try:
            self._client.count(entity, [where("id", "gte", 0)])
        except (Forbidden, NotFound):
            return False
        return True

    def _calls_out(self) -> bool:
        """Whether tickets can be watched by webhooks, as the entity tells of itself."""
        try:
            info = self._client.get("/Tickets/entityInformation").get("info")
        except (AttributeError, Forbidden, NotFound):
            return False
        return isinstance(info, dict) and truth(info.get("supportsWebhookCallouts"))

    def ticket_url(self, remote_id: str) -> str:
        """Known once the zone is. Source: the product's own pages."""
        try:
            web = self._client.zones.current().web
        except ConnectorError:
            return ""
        page = f"Mvc/ServiceDesk/TicketDetail.mvc?ticketId={path_id(remote_id)}"
        return f"{web.rstrip('/')}/{page}" if web else ""

    # Reads

    def reference(self) -> Iterator[tuple[str, tuple[Record, ...]]]:
        yield from self._lookups.reference()

    def directory(self, *, since: datetime | None, token: str | None = None) -> Iterator[tuple[str, Page[Record]]]:
        """As `directory.read` gives it: the tokens run on from one kind to the next."""
        return directory.read(self._client, since=since, token=token)

    def tickets(
        self, *, since: datetime | None, until: datetime, is_open: bool | None = None, token: str | None = None
    ) -> Iterator[Page[TicketRecord]]:
        return self._tickets.changed(since=since, until=until, is_open=is_open, token=token)

    def ticket(self, remote_id: str) -> TicketRecord:
        return self._tickets.one(remote_id)

    def ticket_ids(self, *, token: str | None = None) -> Iterator[Page[str]]:
        return self._tickets.ids(token=token)

    def actions(self, ticket: str) -> tuple[ActionRecord, ...]:
        return self._notes.of(ticket)

    def times(self, ticket: str) -> tuple[TimeRecord, ...]:
        return self._notes.times(ticket)

    def status_changes(self, ticket: str) -> tuple[StatusChangeRecord, ...]:
        return self._tickets.status_changes(ticket)

    def attachments(self, ticket: str) -> tuple[AttachmentRecord, ...]:
        return self._files.of(ticket)

    def download(self, attachment: str, *, ticket: str) -> AbstractContextManager[Download]:
        return self._files.download(attachment, ticket=ticket)

    # Writes

    def create_ticket(self, fields: Mapping[str, Any], *, marker: str) -> TicketRecord:
        return self._tickets.create(fields, marker=marker)

    def update_ticket(self, remote_id: str, fields: Mapping[str, Any]) -> TicketRecord:
        return self._tickets.update(remote_id, fields)

    def create_action(self, draft: ActionDraft) -> ActionRecord:
        return self._notes.create(draft)

    def upload(self, draft: FileDraft) -> AttachmentRecord:
        return self._files.upload(draft)

    # Was it applied?

    def find_ticket(self, fields: Mapping[str, Any], *, marker: str, since: datetime) -> TicketRecord | None:
        return self._tickets.find(fields, marker=marker, since=since)

    def find_action(self, draft: ActionDraft, *, since: datetime, taken: frozenset[str]) -> ActionRecord | None:
        return self._notes.find(draft, since=since, taken=taken)

    def find_attachment(self, draft: FileDraft, *, since: datetime, taken: frozenset[str]) -> AttachmentRecord | None:
        return self._files.find(draft, since=since, taken=taken)

    # Webhooks

    def hook_register(self, *, url: str, secret: str, known: str | None = None) -> str:
        return hooks.register(self._client, url=url, secret=secret, name=self.account.name, known=known)

    def hook_state(self, *, url: str, known: str | None = None) -> HookState | None:
        return hooks.state(self._client, url=url, name=self.account.name, known=known)

    def hook_remove(self, *, url: str, known: str | None = None) -> None:
        hooks.remove(self._client, url=url, name=self.account.name, known=known)

    @classmethod
    def read_hook(cls, headers: Mapping[str, str], body: bytes, secret: str) -> HookCall:
        return hooks.read(headers, body, secret)
