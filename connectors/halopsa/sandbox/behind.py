"""What people do inside HaloPSA, not through its API: the control API, the tenant's own automation, and live demos."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from connectors.halopsa.sandbox import actions, attachments, automation, seeds, ticket_rows, tickets, touches
from connectors.halopsa.sandbox.tenant import Actor, Row, Tenant, agent_name, config, user_row
from connectors.halopsa.sandbox.wire import Answer, Params, bound
from connectors.sandbox import delivery
from connectors.sandbox.imitation import Refused

NAMED = {"status": ("status", "status_id", "name"), "new_status": ("status", "new_status", "name"),
         "tickettype": ("tickettype", "tickettype_id", "name")}  # fmt: skip
PRIORITY_NAMES = {row[1].lower(): row[0] for row in seeds.TARGETS}
ACTION_FIELDS = {
    "note", "note_html", "private", "agent_id", "user_id", "timetaken", "new_status", "attachments", "outcome_id",
    "important",
    "emailto", "emailcc", "sendemail", "who",
}  # fmt: skip


class Behind:
    """Edits without the API's permissions, with the API's consequences: dates, actions, webhooks."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant

    def now(self) -> int:
        return self._tenant.now()

    def record(self, ticket_id: int) -> dict[str, Any] | None:
        """The stored ticket with its actions (oldest first), time entries and attachments; None when it is gone."""
        with self._tenant.store.read() as conn:
            if conn.execute("SELECT 1 FROM halo_tickets WHERE id = ? AND NOT deleted", (ticket_id,)).fetchone() is None:
                return None
            found = ticket_rows.full(conn, ticket_id, self._tenant.now(), Params({}))
            status_names = ticket_rows.Lookups(conn).statuses
            query = "SELECT * FROM halo_actions WHERE ticket_id = ? AND deleted = 0 ORDER BY id"
            found["actions"] = [actions.wire(row, status_names) for row in conn.execute(query, (ticket_id,))]
            query = "SELECT * FROM halo_attachments WHERE ticket_id = ? ORDER BY id"
            found["attachments"] = [
                {**attachments.single(row), "sha256": row["sha256"]} for row in conn.execute(query, (ticket_id,))
            ]
        found["time_entries"] = [
            {
                "action_id": row["id"],
                "timetaken": row["timetaken"],
                "agent_id": row["who_agentid"],
                "datetime": row["datetime"],
            }
            for row in found["actions"]
            if row["timetaken"]
        ]
        return found

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        """A transaction whose refusals come out as control errors."""
        try:
            with self._tenant.store.write() as conn:
                yield conn
        except Answer as answer:
            raise Refused(answer.response.body.decode() or f"status {answer.response.status}") from None

    def create(self, values: dict[str, Any]) -> int:
        with self._write() as conn:
            body = self._ticket_values(conn, values)
            user = user_row(conn, body.get("user_id"))
            if user is not None:
                body = {"client_id": user["client_id"], "site_id": user["site_id"], **body}
            return tickets.create(self._tenant, conn, body, self._person(conn, None))

    def edit(self, ticket_id: int, values: dict[str, Any]) -> None:
        with self._write() as conn:
            body = self._ticket_values(conn, values)
            row = tickets.load(conn, ticket_id)
            tickets.change(self._tenant, conn, {**body, "id": ticket_id}, self._person(conn, row["agent_id"]))

    def delete(self, ticket_id: int) -> None:
        with self._write() as conn:
            tickets.delete(self._tenant, conn, ticket_id)

    def _ticket_values(self, conn: sqlite3.Connection, values: dict[str, Any]) -> Row:
        """Wire names, or a status, type, priority or agent by its name."""
        body = {**values}
        for given, (kind, field, label) in NAMED.items():
            if isinstance(body.get(given), str):
                body[field] = _named(conn, kind, label, body.pop(given))
        if isinstance(body.get("priority"), str):
            body["priority_id"] = PRIORITY_NAMES.get(body.pop("priority").lower())
        if unknown := sorted(set(body) - set(tickets.TYPES)):
            raise Refused(f"a ticket has no field {unknown[0]}")
        return bound(body, tickets.TYPES, 0, "")

    def _person(self, conn: sqlite3.Connection, agent_id: int | None) -> Actor:
        """The given agent; else the first one who is a person, else the API's agent."""
        if agent_id is None or agent_id <= seeds.UNASSIGNED:
            query = "SELECT id FROM halo_agents WHERE id > ? AND isdisabled = 0 ORDER BY id LIMIT 1"
            row = conn.execute(query, (seeds.API_AGENT,)).fetchone()
            agent_id = row["id"] if row else seeds.API_AGENT
        name = agent_name(conn, agent_id)
        if name is None:
            raise Refused(f"no agent {agent_id}")
        return Actor(name, agent_id)

    def add_action(self, ticket_id: int, values: dict[str, Any]) -> int:
        """A note of an agent (private unless said otherwise), or with `user_id` a reply of a contact."""
        if unknown := sorted(set(values) - ACTION_FIELDS):
            raise Refused(f"an action has no field {unknown[0]}")
        with self._write() as conn:
            row = tickets.load(conn, ticket_id)
            if isinstance(values.get("new_status"), str) and not values["new_status"].isdigit():
                values = {**values, "new_status": _named(conn, "status", "name", values["new_status"])}
            body = bound({name: value for name, value in values.items() if name != "private"}, actions.TYPES, 0, "")
            body["ticket_id"] = ticket_id
            if values.get("user_id"):
                return self._reply(conn, row, body, int(values["user_id"]))
            is_private = bool(values.get("private", True))
            body.setdefault("outcome_id", seeds.INTERNAL_NOTE if is_private else seeds.EMAIL_USER)
            body["hiddenfromuser"] = is_private
            agent_id = values.get("agent_id") or row["agent_id"]
            return actions.add(self._tenant, conn, body, self._person(conn, int(agent_id)))[1]

    def _reply(self, conn: sqlite3.Connection, row: Row, body: Row, user_id: int) -> int:
        """A contact writes: the ticket type says which status that leads to."""
        user = user_row(conn, user_id)
        if user is None:
            raise Refused(f"no user {user_id}")
        body |= {"outcome_id": seeds.USER_REPLY, "hiddenfromuser": False}
        return actions.add(self._tenant, conn, body, Actor(user["name"], 0, user_id))[1]

    def tick(self) -> None:
        """The tenant's rules that are due; the delivery log is kept short."""
        automation.run(self._tenant)
        touches.forget_old(self._tenant)
        with self._tenant.store.read() as conn:
            old_events = conn.execute("SELECT count(*) > ? FROM halo_events", (2 * delivery.KEPT,)).fetchone()[0]
        if old_events:
            with self._write() as conn:
                newest = "SELECT id FROM halo_events ORDER BY at DESC LIMIT ?"
                conn.execute(
                    f"DELETE FROM halo_events WHERE next_at IS NULL AND id NOT IN ({newest})", (delivery.KEPT,)
                )


def _named(conn: sqlite3.Connection, kind: str, label: str, name: str) -> int:
    wanted = name.strip().lower()
    found = next((doc["id"] for doc in config(conn, kind) if doc[label].lower() == wanted), None)
    if found is None:
        raise Refused(f"no {kind} {name!r}")
    return int(found)
