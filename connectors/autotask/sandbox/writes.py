"""Which code creates, changes and deletes the records of an entity."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

from connectors.autotask.sandbox import attachments, companies, hooks, links, notes, tickets, time_entries
from connectors.autotask.sandbox.attachments import Allowance
from connectors.autotask.sandbox.binding import bound
from connectors.autotask.sandbox.fields import Entity, Row
from connectors.autotask.sandbox.tenant import Actor, Tenant, one
from connectors.autotask.sandbox.wire import bare, errors

PEOPLE = ("Company", "CompanyLocation", "Contact")


@dataclass(frozen=True)
class Write:
    """One write of one record. `parent` is the id in the path of a child."""

    tenant: Tenant
    conn: sqlite3.Connection
    entity: Entity
    actor: Actor
    parent: int | None
    allowance: Allowance

    def _values(self, body: Any) -> Row:
        values = bound(self.entity, body)
        if self.entity.parent is not None and self.parent is not None:
            values[self.entity.parent[2]] = self.parent
        return values

    def _check_parent(self) -> None:
        """A child is written below something that is there."""
        if self.entity.parent is None:
            return
        owner = self.tenant.entity(self.entity.parent[0])
        if one(self.conn, owner.table, self.parent) is None:
            raise bare(404)

    def create(self, body: Any) -> int:
        self._check_parent()
        tenant, conn, entity, actor = self.tenant, self.conn, self.entity, self.actor
        if entity.name.endswith("Attachment") and self.parent is not None:
            number = attachments.create(tenant, conn, entity, body, self.parent, actor, self.allowance)
            self._touch(one(conn, entity.table, number))
            return number
        values = self._values(body)
        if entity.name == "Ticket":
            number = tickets.create(tenant, conn, values, actor)
        elif entity.name == "TicketNote":
            number = notes.create(tenant, conn, values, actor)
        elif entity.name == "TimeEntry":
            number = time_entries.create(tenant, conn, values, actor)
        elif entity.name in PEOPLE:
            number = companies.create(tenant, conn, entity, values, actor)
        elif "Webhook" in entity.name:
            number = hooks.create(tenant, conn, entity, values)
        else:
            number = links.create(tenant, conn, entity, values, actor)
        self._touch(one(conn, entity.table, number))
        return number

    def update(self, body: Any, *, clears: bool) -> int:
        self._check_parent()
        tenant, conn, entity, actor = self.tenant, self.conn, self.entity, self.actor
        values = self._values(body)
        number = values.get("id")
        if not number and number != 0:
            raise errors("id is required", status=tenant.profile.problem_status)
        if entity.name == "Ticket":
            tickets.update(tenant, conn, number, values, actor, clears=clears)
        elif entity.name == "TicketNote":
            notes.update(tenant, conn, number, values, actor, clears=clears)
        elif entity.name == "TimeEntry":
            time_entries.update(tenant, conn, number, values, actor, clears=clears)
        elif entity.name in PEOPLE:
            companies.update(tenant, conn, entity, number, values, actor, clears=clears)
        else:
            hooks.update(tenant, conn, entity, number, values, clears=clears)
        self._touch(one(conn, entity.table, number))
        return int(number)

    def delete(self, number: int) -> None:
        tenant, conn, entity, actor = self.tenant, self.conn, self.entity, self.actor
        self._touch(one(conn, entity.table, number))
        if entity.name.endswith("Attachment"):
            attachments.delete(tenant, conn, entity, number, self.parent, actor)
        elif entity.name == "TimeEntry":
            time_entries.delete(tenant, conn, number, actor)
        elif entity.name in PEOPLE:
            companies.delete(tenant, conn, entity, number, actor)
        elif "Webhook" in entity.name:
            hooks.delete(conn, entity, number)
        else:
            links.delete(tenant, conn, entity, number, self.parent, actor)

    def _touch(self, row: Row | None) -> None:
        ticket = None if row is None else row["id"] if self.entity.name == "Ticket" else row.get("ticketID")
        if ticket is not None:
            tickets.touch(self.tenant, self.conn, ticket)
