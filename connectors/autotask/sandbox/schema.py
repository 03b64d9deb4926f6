"""The tables: one for each entity (some share one), a column for each field."""

from __future__ import annotations

from collections.abc import Iterator

from connectors.autotask.sandbox.entities import ALL
from connectors.autotask.sandbox.fields import COLUMN_TYPES, Field

INDEXES = (
    ("at_tickets", "lastActivityDate"), ("at_tickets", "companyID, id"), ("at_tickets", "contactID, id"),
    ("at_tickets", "assignedResourceID, id"), ("at_tickets", "status, id"), ("at_tickets", "queueID, id"),
    ("at_tickets", "createDate"), ("at_tickets", "completedDate"), ("at_tickets", "dueDateTime"),
    ("at_tickets", "externalID"), ("at_tickets", "ticketNumber"), ("at_notes", "ticketID, id"),
    ("at_notes", "lastActivityDate"), ("at_time_entries", "ticketID, id"), ("at_time_entries", "lastModifiedDateTime"),
    ("at_attachments", "ticketID, id"), ("at_attachments", "attachDate"), ("at_history", "ticketID, id"),
    ("at_sla_results", "ticketID"), ("at_locations", "companyID, id"), ("at_contacts", "companyID, id"),
    ("at_contracts", "companyID, id"), ("at_deleted", "deletedDateTime"), ("at_secondary", "ticketID"),
    ("at_additional", "ticketID"),
)  # fmt: skip
MORE = """
CREATE TABLE IF NOT EXISTS at_counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS at_touched (ticketID INTEGER PRIMARY KEY, at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS at_events (
    id INTEGER PRIMARY KEY AUTOINCREMENT, hook INTEGER NOT NULL, body TEXT NOT NULL, sequence INTEGER NOT NULL,
    url TEXT NOT NULL, tries INTEGER NOT NULL DEFAULT 0, next_at INTEGER, status INTEGER, answer TEXT);
CREATE INDEX IF NOT EXISTS at_events_due ON at_events (next_at) WHERE next_at IS NOT NULL;
"""


def columns(table: str) -> dict[str, Field]:
    """The columns of a table: the fields of every entity that lives in it."""
    found: dict[str, Field] = {}
    for entity in ALL:
        if entity.table == table:
            for item in entity.columns():
                if item.name != "data":
                    found.setdefault(item.name, item)
    return found


TABLES = tuple(dict.fromkeys(entity.table for entity in ALL))
COLUMNS = {table: tuple(columns(table)) for table in TABLES}
EVERY_TABLE = (*TABLES, "at_counters", "at_touched", "at_events")


def _statements() -> Iterator[str]:
    for table in TABLES:
        parts = [f"{item.name} {COLUMN_TYPES[item.kind]}" for item in columns(table).values() if item.name != "id"]
        udfs = "udfs TEXT NOT NULL DEFAULT '[]'"
        yield f"CREATE TABLE IF NOT EXISTS {table} (id INTEGER PRIMARY KEY AUTOINCREMENT, {', '.join([*parts, udfs])});"
    for number, (table, names) in enumerate(INDEXES):
        yield f"CREATE INDEX IF NOT EXISTS {table}_{number} ON {table} ({names});"


SCHEMA = "\n".join(_statements()) + MORE
