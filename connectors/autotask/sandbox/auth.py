"""Who calls: three headers, and a resource to impersonate on writes."""

from __future__ import annotations

import sqlite3

from connectors.autotask.sandbox.fields import Entity
from connectors.autotask.sandbox.profiles import API_LICENSE, API_RESOURCE
from connectors.autotask.sandbox.seeds import API_USER
from connectors.autotask.sandbox.tenant import Actor, Tenant, one
from connectors.autotask.sandbox.wire import not_permitted
from connectors.sandbox.messages import Request

CREDENTIALS = {"username": API_USER, "secret": "demo-secret", "apiintegrationcode": "demo"}
IMPERSONATION = "impersonationresourceid"


def is_known(request: Request) -> bool:
    """Whether the three headers are there and right; user names are read in any case."""
    found = {name: request.headers.get(name, "") for name in CREDENTIALS}
    found["username"] = found["username"].lower()
    return found == CREDENTIALS


def refuse_on_read(request: Request) -> None:
    """Impersonation is for writes only. Raises an Answer."""
    if request.headers.get(IMPERSONATION):
        raise not_permitted("query")


def actor(tenant: Tenant, conn: sqlite3.Connection, request: Request, entity: Entity, verb: str) -> Actor:
    """The API's own resource, or the one it acts for. Entities without impersonation pay no heed to the header."""
    given = request.headers.get(IMPERSONATION, "").strip()
    if not given or not entity.is_impersonated:
        return Actor()
    row = one(conn, "at_resources", int(given)) if given.isdigit() else None
    is_barred = entity.root.lower() in {root.lower() for root in tenant.settings.no_impersonation}
    if row is None or not row["isActive"] or row["licenseType"] == API_LICENSE or is_barred:
        raise not_permitted(verb)
    return Actor(row["id"], None, API_RESOURCE)
