"""An imitation of HaloPSA's REST API, from the vendor's published schema and recorded behaviour; it knows no
connector code."""

from __future__ import annotations

from typing import Any

from connectors.halopsa.sandbox import loading, text_index, ticket_rows
from connectors.halopsa.sandbox.behind import Behind
from connectors.halopsa.sandbox.calls import Calls
from connectors.halopsa.sandbox.live import LiveDesk
from connectors.halopsa.sandbox.profiles import PROFILES
from connectors.halopsa.sandbox.schema import SCHEMA
from connectors.halopsa.sandbox.tenant import Tenant
from connectors.halopsa.sandbox.webhooks import Deliverer
from connectors.sandbox.dataset import Dataset
from connectors.sandbox.imitation import ProfileNotServed, World
from connectors.sandbox.messages import Request, Response


class HaloSandbox:
    """Serves `/halopsa/auth` and `/halopsa/api`."""

    def __init__(self, world: World) -> None:
        if world.profile not in PROFILES:
            raise ProfileNotServed(f"profile {world.profile} is not served for halopsa")
        world.store.create(SCHEMA)
        text_index.create(world.store)
        self._tenant = Tenant(world)
        with world.store.write() as conn:
            self._tenant.seed(conn)
        self._calls = Calls(self._tenant)
        self._behind = Behind(self._tenant)
        self._live = LiveDesk(self._tenant, self._behind)
        self._deliverer = Deliverer(self._tenant, self._short)

    def _short(self, ticket_id: int) -> dict[str, Any] | None:
        with self._tenant.store.read() as conn:
            return ticket_rows.short(conn, ticket_id, self._tenant.now(), PROFILES[self._tenant.profile])

    def handle(self, request: Request) -> Response:
        return self._calls.answer(request)

    def load(self, data: Dataset) -> dict[str, int]:
        self._live.forget()
        return loading.load(self._tenant, data)

    def is_empty(self) -> bool:
        with self._tenant.store.read() as conn:
            return conn.execute("SELECT 1 FROM halo_tickets LIMIT 1").fetchone() is None

    def counts(self) -> dict[str, int]:
        queries = {
            "tickets": "SELECT count(*) FROM halo_tickets WHERE deleted = 0",
            "actions": "SELECT count(*) FROM halo_actions WHERE deleted = 0",
            "time_entries": "SELECT count(*) FROM halo_actions WHERE timetaken > 0 AND deleted = 0",
            "attachments": "SELECT count(*) FROM halo_attachments",
        }
        with self._tenant.store.read() as conn:
            return {name: int(conn.execute(query).fetchone()[0]) for name, query in queries.items()}

    def reset(self) -> None:
        with self._tenant.store.write() as conn:
            self._live.forget()
            self._tenant.empty(conn)

    def record(self, ticket_id: int) -> dict[str, Any] | None:
        return self._behind.record(ticket_id)

    def create(self, values: dict[str, Any]) -> int:
        return self._behind.create(values)

    def edit(self, ticket_id: int, values: dict[str, Any]) -> None:
        self._behind.edit(ticket_id, values)

    def add_action(self, ticket_id: int, values: dict[str, Any]) -> int:
        return self._behind.add_action(ticket_id, values)

    def delete(self, ticket_id: int) -> None:
        self._behind.delete(ticket_id)

    def tick(self) -> None:
        self._behind.tick()

    def live_event(self, dice: Any) -> str:
        return self._live.event(dice)

    def close(self) -> None:
        self._deliverer.close()


def imitation(world: World) -> HaloSandbox:
    return HaloSandbox(world)
