"""Attachments of a ticket: listed with those of its notes and time entries, sent and fetched as base64 in JSON."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime

from connectors.autotask import search
from connectors.autotask.client import AutotaskClient, path_id, where
from connectors.autotask.lookups import Lookups
from connectors.autotask.mapping import actions as mapping
from connectors.autotask.mapping import writes
from connectors.base.connector import Download
from connectors.base.errors import NotFound, Rejected, Unavailable
from connectors.base.records import AttachmentRecord, FileDraft
from connectors.base.uploads import json_upload

UPLOAD_BYTES = 6 * 1024 * 1024
"""Six to seven megabytes are taken. Source: vendor's help."""
CHUNK = 256 * 1024


class Files:
    """Attachments of one account; `limit` is the largest file that is sent."""

    def __init__(self, client: AutotaskClient, lookups: Lookups, *, limit: int) -> None:
        self._client = client
        self._lookups = lookups
        self.limit = limit

    def of(self, ticket: str) -> tuple[AttachmentRecord, ...]:
        rows = self._client.rows("TicketAttachments", [where("ticketID", "eq", int(path_id(ticket)))])
        public = self._lookups.public_files()
        return tuple(
            mapping.attachment_record(row, ticket=ticket, public=public) for row in rows if mapping.is_file(row)
        )

    def download(self, attachment: str, *, ticket: str) -> AbstractContextManager[Download]:
        """The bytes come as text in one answer of limited size: Autotask takes no file above seven megabytes."""
        path = mapping.attachment_path(attachment, path_id(ticket))
        if path is None:
            raise NotFound("this is no attachment of Autotask")
        return self._opened(path)

    @contextmanager
    def _opened(self, path: str) -> Iterator[Download]:
        row = self._client.one(path)
        try:
            data = base64.b64decode(str(row.get("data") or ""), validate=True)
        except (binascii.Error, ValueError) as error:
            raise Unavailable("the file cannot be read") from error
        yield Download(
            content_type=str(row.get("contentType") or "application/octet-stream"),
            size=len(data),
            chunks=(data[at : at + CHUNK] for at in range(0, len(data), CHUNK)),
        )

    def upload(self, draft: FileDraft) -> AttachmentRecord:
        """Streamed. Rejected before anything leaves when the file is too large."""
        if draft.size > self.limit:
            text = f"the file is larger than {self.limit // (1024 * 1024)} MB"
            raise Rejected(text, fields={"": text})
        key = path_id(draft.ticket)
        publish = self._lookups.publish(self._lookups.files(), is_internal=not draft.is_public)
        body = json_upload(draft, lambda data: writes.attachment_row(draft, data, publish=publish))
        remote_id = self._client.upload(f"/Tickets/{key}/Attachments", body.chunks, body.length, size=draft.size)
        return AttachmentRecord(
            remote_id=remote_id,
            ticket=draft.ticket,
            name=draft.name[-255:],
            content_type=draft.content_type,
            size=draft.size,
            is_public=draft.is_public,
        )

    def find(self, draft: FileDraft, *, since: datetime, taken: frozenset[str]) -> AttachmentRecord | None:
        return search.attachment_among(self.of(draft.ticket), draft, since=since, taken=taken)
