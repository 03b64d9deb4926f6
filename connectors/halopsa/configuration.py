"""Statuses, outcomes and ticket types, one at a time: read, write, delete, and look for one by its name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from connectors.base.configuration import StatusRecord
from connectors.base.errors import AuthFailed, Forbidden, NotFound, RateLimited, Rejected, Unavailable, Unknown
from connectors.base.records import Record
from connectors.halopsa.client import HaloClient
from connectors.halopsa.envelopes import Row
from connectors.halopsa.lookups import Lookups
from connectors.halopsa.mapping import reference
from connectors.halopsa.mapping.configuration import PATHS, config_row
from connectors.halopsa.mapping.values import identifier, words

ASKED = {"status": {"domain": "reqs"}, "outcome": {"showhidden": "true"}, "ticket_type": {"domain": "reqs"}}
LISTED = {"status": "statuses", "outcome": "outcomes", "ticket_type": "tickettypes"}
NAMES = {"status": "name", "outcome": "outcome", "ticket_type": "name"}
NOT_ADMIN = (
    "HaloPSA does not let this desk change its configuration: give its API application the admin permission, "
    "then send this again"
)


class Configuration:
    def __init__(self, client: HaloClient, lookups: Lookups) -> None:
        self._client = client
        self._lookups = lookups

    def one(self, kind: str, remote_id: str) -> Record:
        key = identifier(remote_id)
        if key is None:
            raise NotFound("this is no id of HaloPSA")
        row = self._client.one(f"{PATHS[kind]}/{key}", {"includedetails": "true"})
        if identifier(row.get("id")) != key:
            raise Unavailable("another object came back")
        return self._record(kind, row)

    def save(self, kind: str, remote_id: str | None, fields: Mapping[str, Any]) -> Record:
        row = config_row(kind, fields, team_name=self._lookups.team_name)
        if remote_id is not None:
            row["id"] = int(identifier(remote_id) or 0)
        with _in_words():
            answer = self._client.post(PATHS[kind], row)
        try:
            record = self.one(kind, identifier(answer.get("id")) or "")
        except (Unavailable, RateLimited, AuthFailed, NotFound) as error:
            raise Unknown(f"written, but not read back: {error.text}", status=error.status) from error
        return reference.guessed(record) if remote_id is None and isinstance(record, StatusRecord) else record

    def delete(self, kind: str, remote_id: str) -> None:
        key = identifier(remote_id)
        if key is None:
            raise NotFound("this is no id of HaloPSA")
        with _in_words():
            self._client.delete(f"{PATHS[kind]}/{key}")

    def named(self, kind: str, name: str) -> Record | None:
        wanted = name.strip().casefold()
        for row in self._client.rows(PATHS[kind], LISTED[kind], ASKED[kind]):
            if (words(row.get(NAMES[kind])) or "").strip().casefold() == wanted and identifier(row.get("id")):
                found = self.one(kind, str(row["id"]))
                return reference.guessed(found) if isinstance(found, StatusRecord) else found
        return None

    def _record(self, kind: str, row: Row) -> Record:
        if kind == "status":
            return reference.status_record(row)
        if kind == "outcome":
            return reference.outcome_record(row)
        return reference.ticket_type_record(row, teams=self._lookups.team_ids())


@contextmanager
def _in_words() -> Iterator[None]:
    """A bare 403 says nothing to people; HaloPSA's own words, where it has some, stand."""
    try:
        yield
    except Forbidden as error:
        raise Forbidden(error.text or NOT_ADMIN, status=error.status) from error
    except Rejected as error:
        raise Rejected(error.text, fields={"": error.text}, status=error.status) from error
