"""Autotask's reference lists: read for the desk, and kept for what the connector itself must look up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from connectors.autotask.client import AutotaskClient, Row, where
from connectors.autotask.mapping import directory, picklists
from connectors.autotask.mapping.picklists import Fields
from connectors.autotask.mapping.values import identifier, truth, words
from connectors.base.errors import ConnectorError, Forbidden, NotFound, Rejected
from connectors.base.records import AgentRecord, Record

TICKETS, NOTES, FILES = "Tickets", "TicketNotes", "TicketAttachments"


class Lookups:
    """Lists are read when first needed and kept for the life of the connector."""

    def __init__(self, client: AutotaskClient, *, settings: Mapping[str, Any], user: str) -> None:
        self._client = client
        self._settings = settings
        self._user = user
        self._kept: dict[str, Any] = {}

    def reference(self) -> Iterator[tuple[str, tuple[Record, ...]]]:
        """Every list anew, in an order in which references are known before they are used."""
        self._kept.clear()
        fields = self._client.fields(TICKETS, anew=True)
        readers: tuple[tuple[str, Callable[[], tuple[Record, ...]]], ...] = (
            ("teams", lambda: picklists.team_records(fields)),
            ("agents", self._agents),
            ("priorities", lambda: picklists.priority_records(fields)),
            ("policies", lambda: picklists.policy_records(fields)),
            ("statuses", lambda: picklists.status_records(fields)),
            ("ticket_types", lambda: picklists.type_records(fields)),
            ("categories", lambda: picklists.category_records(fields)),
        )
        for kind, read in readers:
            try:
                rows = read()
            except (Forbidden, NotFound):
                continue
            yield kind, rows

    def tickets(self) -> Fields:
        return self._client.fields(TICKETS)

    def notes(self) -> Fields:
        """Metadata of notes; empty where it may not be read, so that every note is internal."""
        return self._optional(NOTES)

    def files(self) -> Fields:
        return self._optional(FILES)

    def public_notes(self) -> frozenset[str]:
        return picklists.public_values(self.notes(), self._chosen("publish_public"))

    def public_files(self) -> frozenset[str]:
        return picklists.public_values(self.files(), self._chosen("publish_public"))

    def publish(self, fields: Fields, *, is_internal: bool) -> str:
        """The value of `publish` to write. Rejected where the picklist does not tell: nothing is shown by guess."""
        name = "publish_internal" if is_internal else "publish_public"
        found = picklists.publish_value(fields, is_internal=is_internal, chosen=self._chosen(name))
        if found is None:
            what = "internal" if is_internal else "public"
            text = f"Autotask does not tell which publish value is {what}: set {name} in the account's settings"
            raise Rejected(text, fields={"is_internal": text})
        return found

    def finished(self) -> frozenset[str]:
        """Values of the statuses that end a ticket."""
        return picklists.finished_statuses(self.tickets())

    def role_for(self, resource: str, *, queue: Callable[[], str | None], wanted: str | None = None) -> str:
        """The role in which a resource takes a ticket: resource and role are written together.

        The one asked for or set, else its default at the service desk, else one that serves the queue, else any.
        Rejected, before Autotask is asked, for a resource without an active role.
        """
        desk = self._rows_of("ResourceServiceDeskRoles", resource)
        general = self._rows_of("ResourceRoles", resource)
        roles = {role: None for row in (*desk, *general) if (role := identifier(row.get("roleID")))}
        if not roles:
            text = "has no active role in Autotask"
            raise Rejected(f"the resource {text}", fields={"agent": text})
        for asked in (wanted, self._chosen("role")):
            if asked in roles:
                return str(asked)
        default = next((identifier(row.get("roleID")) for row in desk if truth(row.get("isDefault"))), None)
        if default or len(roles) == 1:
            return default or next(iter(roles))
        serving = queue()
        fits = [r for row in general if identifier(row.get("queueID")) == serving and (r := identifier(row["roleID"]))]
        return fits[0] if serving and fits else next(iter(roles))

    def own_id(self) -> str | None:
        """The resource that we ourselves are; None where Autotask does not show it."""
        if "own" not in self._kept:
            try:
                rows = self._client.rows("Resources", [where("userName", "eq", self._user)], include=["id"])
            except ConnectorError:
                rows = []
            self._kept["own"] = identifier(rows[0].get("id")) if rows else None
        found: str | None = self._kept["own"]
        return found

    # Lists

    def _agents(self) -> tuple[AgentRecord, ...]:
        general = self._client.rows("ResourceRoles", [])
        names = {key: words(row.get("name")) or "" for row in self._optional_rows("Roles")
                 if (key := identifier(row.get("id")))}  # fmt: skip
        desk = self._optional_rows("ResourceServiceDeskRoles")
        teams = directory.teams_of(general)
        roles = directory.roles_of(general, desk, names, self._chosen("role"))
        rows = self._client.rows("Resources", [])
        return tuple(directory.agent_record(row, teams=teams, roles=roles) for row in rows if identifier(row.get("id")))

    def _optional_rows(self, entity: str) -> list[Row]:
        """Every row of a list; none where it may not be read."""
        try:
            return self._client.rows(entity, [])
        except (Forbidden, NotFound):
            return []

    def _rows_of(self, entity: str, resource: str) -> list[Row]:
        """Active rows of a resource; none where they may not be read."""
        key = f"{entity}:{resource}"
        if key not in self._kept:
            try:
                rows = self._client.rows(entity, [where("resourceID", "eq", int(resource))])
            except (Forbidden, NotFound):
                rows = []
            self._kept[key] = [row for row in rows if row.get("isActive") is not False]
        found: list[Row] = self._kept[key]
        return found

    def _optional(self, entity: str) -> Fields:
        try:
            return self._client.fields(entity)
        except (Forbidden, NotFound):
            return {}

    def _chosen(self, name: str) -> str | None:
        return identifier(self._settings.get(name))
