"""An imitation of Autotask's REST API, from the vendor's published schema and recorded behaviour; it knows no
connector code."""

from __future__ import annotations

from typing import Any

from connectors.autotask.sandbox import loading
from connectors.autotask.sandbox.behind import Behind
from connectors.autotask.sandbox.calls import Calls
from connectors.autotask.sandbox.delivery import Deliverer
from connectors.autotask.sandbox.live import LiveDesk
from connectors.autotask.sandbox.profiles import PROFILES
from connectors.autotask.sandbox.schema import SCHEMA
from connectors.autotask.sandbox.tenant import Settings, Tenant
from connectors.sandbox.dataset import Dataset
from connectors.sandbox.imitation import ProfileNotServed, World
from connectors.sandbox.messages import Request, Response


class AutotaskSandbox:
    """Serves `/autotask/ATServicesRest/V1.0` and the zone lookup."""

    def __init__(self, world: World) -> None:
        if world.profile not in PROFILES:
            raise ProfileNotServed(f"profile {world.profile} is not served for autotask")
        world.store.create(SCHEMA)
        self._tenant = Tenant(world)
        with world.store.write() as conn:
            self._tenant.seed(conn)
        self._calls = Calls(self._tenant)
        self._behind = Behind(self._tenant)
        self._live = LiveDesk(self._tenant, self._behind)
        self._deliverer = Deliverer(self._tenant)

    @property
    def settings(self) -> Settings:
        """The vendor's limits, to be made smaller by a test."""
        return self._tenant.settings

    def handle(self, request: Request) -> Response:
        return self._calls.answer(request)

    def load(self, data: Dataset) -> dict[str, int]:
        self._live.forget()
        return loading.load(self._tenant, data)

    def is_empty(self) -> bool:
        with self._tenant.store.read() as conn:
            return conn.execute("SELECT 1 FROM at_tickets LIMIT 1").fetchone() is None

    def counts(self) -> dict[str, int]:
        tables = {
            "tickets": "at_tickets",
            "actions": "at_notes",
            "time_entries": "at_time_entries",
            "attachments": "at_attachments",
        }
        with self._tenant.store.read() as conn:
            return {
                name: int(conn.execute(f"SELECT count(*) FROM {table}").fetchone()[0]) for name, table in tables.items()
            }

    def reset(self) -> None:
        self._calls.allowance.clear()
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


def imitation(world: World) -> AutotaskSandbox:
    return AutotaskSandbox(world)
