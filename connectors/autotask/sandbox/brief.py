"""What the short description of the API says and the real one lacks; served in profile `brief` only."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from connectors.autotask.sandbox.entities import ALL
from connectors.autotask.sandbox.fields import Entity, Row
from connectors.autotask.sandbox.profiles import COMPLETE, Choice, Profile
from connectors.autotask.sandbox.wire import errors, items

BY_NAME = {entity.name: entity for entity in ALL}
REQUIRED = ("companyID", "title", "status", "priority", "queueID")


def joined(conn: sqlite3.Connection, entity: Entity, rows: Sequence[sqlite3.Row], names: Sequence[str]) -> list[Row]:
    """For each row what its dotted IncludeFields (`Company.companyName`) name, under those names."""
    found: list[Row] = [{} for _ in rows]
    for name in names:
        owner, _, wanted = name.partition(".")
        link = next((one for one in entity.fields if one.refers_to.lower() == owner.lower()), None)
        target = BY_NAME.get(link.refers_to) if link is not None else None
        if link is None or target is None or wanted.lower() not in target.by_name:
            raise errors(f"Unable to find {name} in the {entity.name} Entity")
        keys = {row[link.name] for row in rows if row[link.name] is not None}
        marks = ", ".join("?" * len(keys))
        query = f"SELECT {target.selected} FROM {target.table} WHERE id IN ({marks})"
        shown = {row["id"]: target.shown(row) for row in conn.execute(query, list(keys))}
        column = target.by_name[wanted.lower()].name
        for row, more in zip(rows, found, strict=True):
            more[name] = shown.get(row[link.name], {}).get(column)
    return found


def queues(choices: list[Choice]) -> Row:
    """`/Queues`, which the real API has as a picklist only."""
    return items(({"id": int(row["value"]), "name": row["label"], "isActive": row["isActive"]} for row in choices), 500)


def check_ticket(profile: Profile, row: Row, values: Row) -> None:
    """The rules of the short description: what a status needs."""
    if values.get("status") == COMPLETE and not (row.get("resolution") or "").strip():
        raise errors("Resolution required: a resolution is required to complete a ticket", status=400)
    if values.get("status") == profile.escalated and not (row.get("escalationReason") or "").strip():
        raise errors("Escalation reason required", status=400)
