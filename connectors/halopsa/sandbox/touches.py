"""Remembers which tickets the API's client changed lately, so that nobody else interferes with its user."""

from __future__ import annotations

import sqlite3

from connectors.halopsa.sandbox.tenant import Tenant

KEEP_MS = 600_000


def touch(tenant: Tenant, conn: sqlite3.Connection, ticket_id: int | None) -> None:
    """By the machine's clock: the sandbox's may be moved."""
    conn.execute("INSERT OR REPLACE INTO halo_touched VALUES (?, ?)", (ticket_id, tenant.clock.wall()))


def forget_old(tenant: Tenant) -> None:
    old = tenant.clock.wall() - KEEP_MS
    with tenant.store.read() as conn:
        found = conn.execute("SELECT 1 FROM halo_touched WHERE at < ? LIMIT 1", (old,)).fetchone()
    if found is not None:
        with tenant.store.write() as conn:
            conn.execute("DELETE FROM halo_touched WHERE at < ?", (old,))
