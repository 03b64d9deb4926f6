"""An imitation of Atera's REST API version 3, from the vendor's published documents; it knows no connector code."""

from __future__ import annotations

from typing import Any

from connectors.atera.sandbox import hints, loading
from connectors.atera.sandbox.behind import Behind
from connectors.atera.sandbox.calls import Calls
from connectors.atera.sandbox.live import LiveDesk
from connectors.atera.sandbox.profiles import PROFILES
from connectors.atera.sandbox.schema import SCHEMA
from connectors.atera.sandbox.tenant import DEFAULT_SETTINGS, Tenant
from connectors.sandbox.dataset import Dataset
from connectors.sandbox.imitation import ProfileNotServed, Refused, World
from connectors.sandbox.messages import Request, Response


class AteraSandbox:
    """Serves `/atera/api/v3`, and under `/atera/files` what attachments' addresses lead to."""

    def __init__(self, world: World) -> None:
        if world.profile not in PROFILES:
            raise ProfileNotServed(f"profile {world.profile} is not served for atera")
        world.store.create(SCHEMA)
        self._tenant = Tenant(world)
        with world.store.write() as conn:
            self._tenant.seed(conn)
        self._calls = Calls(self._tenant)
        self._behind = Behind(self._tenant)
        self._live = LiveDesk(self._tenant, self._behind)
        self._deliverer = hints.Deliverer(self._tenant)

    def handle(self, request: Request) -> Response:
        return self._calls.answer(request)

    def load(self, data: Dataset) -> dict[str, int]:
        self._live.forget()
        return loading.load(self._tenant, data)

    def is_empty(self) -> bool:
        with self._tenant.store.read() as conn:
            return conn.execute("SELECT 1 FROM atera_tickets LIMIT 1").fetchone() is None

    def counts(self) -> dict[str, int]:
        queries = {
            "tickets": "SELECT count(*) FROM atera_tickets WHERE deleted = 0",
            "actions": "SELECT count(*) FROM atera_comments",
            "time_entries": "SELECT count(*) FROM atera_hours",
            "attachments": "SELECT count(*) FROM atera_files",
        }
        with self._tenant.store.read() as conn:
            return {name: int(conn.execute(query).fetchone()[0]) for name, query in queries.items()}

    def reset(self) -> None:
        with self._tenant.store.write() as conn:
            self._live.forget()
            self._tenant.store.set_meta(hints.HOOKS_META, "[]")
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

    def configure(self, part: str, values: Any | None) -> Any:
        """What is set up in the vendor's portal only: `webhooks` (with their log under `hints`) and `settings`."""
        if part == "webhooks":
            if values is not None:
                hints.set_hooks(self._tenant, values)
            return hints.hooks(self._tenant)
        if part == "hints" and values is None:
            with self._tenant.store.read() as conn:
                return hints.sent(conn)
        if part == "settings":
            if values is not None:
                self._set(values)
            return self._tenant.settings()
        raise Refused(f"nothing to set up under {part}")

    def _set(self, values: Any) -> None:
        known = isinstance(values, dict) and all(name in DEFAULT_SETTINGS for name in values)
        if not known or not all(isinstance(value, bool) for value in values.values()):
            raise Refused(f"settings are {', '.join(DEFAULT_SETTINGS)}, true or false")
        self._tenant.set_settings(values)

    def tick(self) -> None:
        """Nothing is due by the clock: the account's rules act at once."""

    def live_event(self, dice: Any) -> str:
        return self._live.event(dice)

    def close(self) -> None:
        self._deliverer.close()


def imitation(world: World) -> AteraSandbox:
    return AteraSandbox(world)
