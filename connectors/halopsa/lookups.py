"""HaloPSA's reference lists: read for the desk, and kept for what the connector itself must look up by id or name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from connectors.base.configuration import (
    CalendarRecord,
    CategoryRecord,
    OutcomeRecord,
    PolicyRecord,
    StatusRecord,
    TicketTypeRecord,
)
from connectors.base.errors import ConnectorError, NotFound, Rejected
from connectors.base.records import AgentRecord, Record, TeamRecord
from connectors.halopsa.client import HaloClient
from connectors.halopsa.envelopes import Row, allowed
from connectors.halopsa.mapping import directory, promises, reference
from connectors.halopsa.mapping.actions import choose_outcomes
from connectors.halopsa.mapping.values import identifier, truth, words

READ_SINGLY = 60
"""Lists up to this long are completed row by row where they leave out what only the single object has."""
_FINISHED = ("resolved", "closed")


class Lookups:
    """Lists are read when first needed and kept for the life of the connector."""

    def __init__(self, client: HaloClient, *, unassigned: str) -> None:
        self._client = client
        self._unassigned = unassigned
        self._kept: dict[str, Any] = {}

    def reference(self) -> Iterator[tuple[str, tuple[Record, ...]]]:
        """Every list anew, in an order in which references are known before they are used."""
        self._kept.clear()
        readers: tuple[tuple[str, Callable[[], tuple[Record, ...]]], ...] = (
            ("teams", self._teams),
            ("agents", self._agents),
            ("calendars", self._calendars),
            ("priorities", lambda: reference.priority_records(self._priority_rows())),
            ("policies", self._policies),
            ("statuses", self._statuses),
            ("ticket_types", self._types),
            ("categories", self._categories),
            ("outcomes", self._outcomes),
        )
        for kind, read in readers:
            try:
                rows = read()
            except ConnectorError as error:
                if not allowed(error):
                    raise
                continue
            yield kind, rows

    # What the connector looks up

    def team_ids(self) -> dict[str, str]:
        """Team name (casefolded) to id; empty where teams may not be read."""
        try:
            return {(words(row.get("name")) or "").strip().casefold(): i for i, row in self._team_rows().items()}
        except ConnectorError as error:
            if not allowed(error):
                raise
            return {}

    def team_name(self, remote_id: str) -> str:
        """HaloPSA writes a ticket's team by its name."""
        row = self._team_rows().get(remote_id)
        if row is None:
            self._kept.pop("teams", None)
            row = self._team_rows().get(remote_id)
        if row is None:
            raise Rejected("the team is not there any more", fields={"team": "is not there any more"})
        return words(row.get("name")) or ""

    def agent_name(self, remote_id: str) -> str:
        """An agent's name; empty when agents may not be read or this one is unknown."""
        try:
            return words(self._agent_rows().get(remote_id, {}).get("name")) or ""
        except ConnectorError as error:
            if not allowed(error):
                raise
            return ""

    def site_of(self, contact: str) -> int | None:
        """The site of a contact: a ticket with a user needs the site as well. Source: recorded behaviour."""
        try:
            row = self._client.one(f"/Users/{contact}")
        except NotFound as error:
            raise Rejected("the contact is not there any more", fields={"contact": "is not there any more"}) from error
        site = identifier(row.get("site_id_int")) or identifier(row.get("site_id"))
        return int(site) if site else None

    def discovered_outcomes(self) -> dict[str, str]:
        """Outcomes by what they are for, as their names tell."""
        found: dict[str, str] = self._keep("chosen", lambda: choose_outcomes(self._outcomes()))
        return found

    def finished_statuses(self) -> frozenset[str]:
        """Remote ids of the statuses that mean resolved or closed."""
        found: frozenset[str] = self._keep(
            "finished", lambda: frozenset(s.remote_id for s in self._statuses() if s.category in _FINISHED)
        )
        return found

    # Lists

    def _teams(self) -> tuple[TeamRecord, ...]:
        return tuple(directory.team_record(row) for row in self._team_rows().values())

    def _agents(self) -> tuple[AgentRecord, ...]:
        teams = self.team_ids()
        rows = (row for key, row in self._agent_rows().items() if key != self._unassigned)
        return tuple(directory.agent_record(row, teams=teams) for row in rows)

    def _calendars(self) -> tuple[CalendarRecord, ...]:
        rows = self._client.rows("/Workday", "workdays", {"showholidays": "true"})
        return tuple(promises.calendar_record(row) for row in rows if identifier(row.get("id")))

    def _policies(self) -> tuple[PolicyRecord, ...]:
        rows = self._client.rows("/SLA", "slas", {"showpriorities": "true"})
        return promises.policy_records(rows, self._priority_rows())

    def _statuses(self) -> tuple[StatusRecord, ...]:
        rows = self._client.rows("/Status", "statuses", {"domain": "reqs"})
        left = self._client.rows("/Status", "statuses", {"domain": "reqs", "excludeclosed": "true"})
        if len(rows) <= READ_SINGLY:
            rows = [row if "tickettypes" in row else self._whole(row, "Status") for row in rows]
        return reference.status_records(rows, reference.closed_ids(rows, left))

    def _types(self) -> tuple[TicketTypeRecord, ...]:
        teams = self.team_ids()
        rows = [row for row in self._client.rows("/TicketType", "tickettypes", {"domain": "reqs"}) if row.get("id")]
        if len(rows) <= READ_SINGLY:
            rows = [self._whole(row, "TicketType") if _is_short(row) else row for row in rows]
        return tuple(reference.ticket_type_record(row, teams=teams) for row in rows if identifier(row.get("id")))

    def _whole(self, row: Row, path: str) -> Row:
        """A list row may leave things out that the single object has."""
        try:
            return row | self._client.one(f"/{path}/{identifier(row['id'])}", {"includedetails": "true"})
        except ConnectorError as error:
            if not allowed(error):
                raise
            return row

    def _categories(self) -> tuple[CategoryRecord, ...]:
        rows = self._client.rows("/Category", "categories")
        return tuple(reference.category_record(row) for row in rows if identifier(row.get("id")))

    def _outcomes(self) -> tuple[OutcomeRecord, ...]:
        rows = self._client.rows("/Outcome", "outcomes", {"showhidden": "true"})
        return tuple(reference.outcome_record(row) for row in rows if identifier(row.get("id")))

    def _team_rows(self) -> dict[str, Row]:
        params = {"showall": "true", "includeenabled": "true", "includedisabled": "true"}
        found: dict[str, Row] = self._keep("teams", lambda: _by_id(self._client.rows("/Team", "teams", params)))
        return found

    def _agent_rows(self) -> dict[str, Row]:
        params = {"includeenabled": "true", "includedisabled": "true", "includeunassigned": "false"}
        found: dict[str, Row] = self._keep("agents", lambda: _by_id(self._client.rows("/Agent", "agents", params)))
        return found

    def _priority_rows(self) -> list[Row]:
        found: list[Row] = self._keep("priorities", lambda: self._client.rows("/Priority", "priorities"))
        return found

    def _keep(self, name: str, read: Callable[[], Any]) -> Any:
        if name not in self._kept:
            self._kept[name] = read()
        return self._kept[name]


def _is_short(row: Row) -> bool:
    """Whether a type's list row lacks its rules, or says that there are mandatory fields without naming them."""
    return "initial_status" not in row or (truth(row.get("hasmandatorytechfields")) and "fields" not in row)


def _by_id(rows: list[Row]) -> dict[str, Row]:
    return {key: row for row in rows if (key := identifier(row.get("id")))}
