"""The resource server: which path and method does what."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from connectors.halopsa.sandbox import (
    actions,
    attachments,
    config_calls,
    people,
    seeds,
    ticket_rows,
    tickets,
    touches,
    webhooks,
)
from connectors.halopsa.sandbox.auth import CONFIG_KINDS, Tokens, may
from connectors.halopsa.sandbox.profiles import PROFILES
from connectors.halopsa.sandbox.tenant import Actor, Row, Tenant
from connectors.halopsa.sandbox.wire import Answer, Params, bare, bound, not_bound, rule_broken, too_many
from connectors.sandbox.messages import Request, Response, empty, json_response
from connectors.sandbox.spool import BadBase64

APPLICATION = "Helpdesk frontend"


@dataclass(frozen=True)
class Call:
    """One authorised call: resource, what follows it in the path, parameters, who calls."""

    request: Request
    resource: str
    rest: list[str]
    params: Params
    actor: Actor


class Calls:
    """Answers everything under the mount."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        self._profile = PROFILES[tenant.profile]
        self._tokens = Tokens(tenant)
        self._lists = ticket_rows.TicketLists(tenant)
        self._handlers: dict[str, Callable[[Call], Response]] = {
            "tickets": self._tickets, "actions": self._actions, "attachment": self._attachment, "client": self._people,
            "site": self._people, "users": self._people, "agent": self._agent, "team": self._team,
            "clientcontract": self._contracts, "webhookevent": self._events,
            **dict.fromkeys(CONFIG_KINDS, self._config),
        }  # fmt: skip

    def answer(self, request: Request) -> Response:
        parts = [part for part in request.path.split("/") if part]
        lower = [part.lower() for part in parts]
        if lower == ["auth", "token"]:
            return self._tokens.issue(request) if request.method == "POST" else empty(405)
        if lower == ["auth", ".well-known", "openid-configuration"]:
            base = f"{request.base_url}/auth"
            return json_response({"issuer": base, "token_endpoint": f"{base}/token"})
        if lower[:1] != ["api"] or len(lower) < 2:
            return empty(404)
        if lower[1:] in (["authinfo"], ["instanceinfo"]):
            return json_response(_info(request, lower[1]))
        try:
            return self._authorised(request, lower[1], parts[2:])
        except Answer as early:
            return early.response

    def _authorised(self, request: Request, resource: str, rest: list[str]) -> Response:
        scopes = self._tokens.scopes(request)
        if scopes is None:
            return empty(401)
        if (wait := self._tenant.limit.wait_for(self._tenant.now())) is not None:
            return too_many(self._tenant.limit, wait)
        handler = self._handlers.get(resource)
        if handler is None:
            return empty(404)
        if not may(scopes, resource, writes=request.method != "GET"):
            return empty(403)
        if request.method not in ("GET", "POST", "DELETE"):
            return empty(405)
        actor = Actor("Helpdesk API", seeds.API_AGENT, 0, APPLICATION)
        return handler(Call(request, resource, rest, Params(request.query, self._profile.is_brief), actor))

    def _objects(self, call: Call, types: dict[str, str]) -> list[Row]:
        """The body's array, each object with its values bound to their types."""
        try:
            body = call.request.body.json()
        except BadBase64:
            raise rule_broken("The data of this Attachment is not valid base64") from None
        except ValueError as error:
            raise not_bound("", f"Unable to parse the request body: {error}") from None
        if not isinstance(body, list) or not all(isinstance(item, dict) for item in body):
            raise not_bound("", "Cannot deserialize the current JSON into type 'System.Collections.Generic.List'")
        if not body:
            raise not_bound("", "A non-empty request body is required.")
        source = call.request.body.data.decode("utf-8", "replace")
        types = self._profile.types(call.resource, types)
        items = [self._profile.taken(call.resource, item) for item in body]
        return [bound(item, types, index, source) for index, item in enumerate(items)]

    def _saved(
        self, call: Call, types: dict[str, str], save: Callable[[sqlite3.Connection, Row], Any],
        show: Callable[[sqlite3.Connection, Any], Any],
    ) -> Response:  # fmt: skip
        """Write every object in one transaction; 201 with the last one, or all with `returnall`."""
        objects = self._objects(call, types)
        with self._tenant.store.write() as conn:
            keys = [save(conn, item) for item in objects]
            found = [show(conn, key) for key in keys]
        wants_all = call.params.flag("returnall")
        return json_response(self._profile.written(call.resource, found, wants_all=wants_all), 201)

    def _tickets(self, call: Call) -> Response:
        tenant, params = self._tenant, call.params

        def save(conn: sqlite3.Connection, body: Row) -> int:
            if body.get("id"):
                number = tickets.change(tenant, conn, body, call.actor)
            else:
                number = tickets.create(tenant, conn, self._profile.new_ticket(conn, body), call.actor)
            touches.touch(tenant, conn, number)
            return number

        def full(conn: sqlite3.Connection, key: int) -> Row:
            return self._with_actions(call, [ticket_rows.full(conn, key, tenant.now(), params, self._profile)])[0]

        if call.request.method == "POST" and not call.rest:
            return self._saved(call, tickets.TYPES, save, full)
        if call.request.method == "GET" and not call.rest:
            found = self._lists.answer(params, call.request.stale_before_ms)
            return json_response({**found, "tickets": self._with_actions(call, found["tickets"])})
        number = _path_id(call)
        if call.request.method == "DELETE":
            with tenant.store.write() as conn:
                found = full(conn, tickets.load(conn, number)["id"])
                tickets.delete(tenant, conn, number)
            return json_response(found)
        with tenant.store.read() as conn:
            tickets.load(conn, number)
            return json_response(full(conn, number))

    def _with_actions(self, call: Call, docs: list[Row]) -> list[Row]:
        """The tickets with `actions` in them where profile `brief` is asked to `includeactions`."""
        if not (self._profile.is_brief and call.params.flag("includeactions")):
            return docs
        asked = {"includehtmlnote": "true", "includeattachments": "true"}
        with self._tenant.store.read() as conn:
            for doc in docs:
                params = Params({**asked, "ticket_id": str(doc["id"])}, is_brief=True)
                found = actions.listed(conn, params, call.request.stale_before_ms, self._profile)
                doc["actions"] = found["actions"]
        return docs

    def _actions(self, call: Call) -> Response:
        tenant = self._tenant

        def save(conn: sqlite3.Connection, body: Row) -> tuple[int, int]:
            if body.get("id"):
                key = actions.update(tenant, conn, body)
            else:
                key = actions.add(tenant, conn, self._profile.new_action(conn, body), call.actor)
            touches.touch(tenant, conn, key[0])
            return key

        if call.request.method == "POST" and not call.rest:
            return self._saved(call, actions.TYPES, save, self._shown_action)
        if call.request.method == "GET" and not call.rest:
            with tenant.store.read() as conn:
                return json_response(actions.listed(conn, call.params, call.request.stale_before_ms, self._profile))
        ticket_id, number = call.params.integer("ticket_id"), _path_id(call)
        if call.request.method == "DELETE":
            with tenant.store.write() as conn:
                found = self._shown_action(conn, (ticket_id, number))
                actions.delete(tenant, conn, ticket_id, number)
                touches.touch(tenant, conn, ticket_id)
            return json_response(found)
        with tenant.store.read() as conn:
            return json_response(self._shown_action(conn, (ticket_id, number)))

    def _shown_action(self, conn: sqlite3.Connection, key: tuple[int | None, int]) -> Any:
        row = actions.one(conn, *key)
        found = self._profile.action(actions.wire(row, ticket_rows.Lookups(conn).statuses), row)
        found["attachments"] = attachments.of_action(conn, row["ticket_id"], row["id"], self._profile)
        return found

    def _attachment(self, call: Call) -> Response:
        tenant = self._tenant
        if call.request.method == "POST":
            return self._uploaded(call)
        if not call.rest:
            with tenant.store.read() as conn:
                return json_response(attachments.listed(conn, call.params, call.request.stale_before_ms, self._profile))
        if call.rest[0].lower() == "image" and len(call.rest) == 2:
            with tenant.store.read() as conn:
                return attachments.download(tenant, attachments.image_row(conn, call.rest[1]), inline=True)
        number = _path_id(call)
        if call.request.method == "DELETE":
            with tenant.store.write() as conn:
                return json_response(attachments.delete(tenant, conn, number, self._profile))
        with tenant.store.read() as conn:
            row = attachments.row_of(conn, number)
        if call.params.flag("includedetails"):
            return json_response(self._profile.attachment(attachments.single(row), row))
        return attachments.download(tenant, row)

    def _uploaded(self, call: Call) -> Response:
        is_form = call.request.body.content_type.lower().startswith("multipart/form-data")
        if call.rest and not (is_form and call.rest[0].lower() in ("image", "document")):
            return empty(404)
        objects = self._form(call) if is_form else self._objects(call, attachments.TYPES)
        with self._tenant.store.write() as conn:
            keys = [attachments.add(self._tenant, conn, item, call.actor) for item in objects]
            rows = [attachments.row_of(conn, key) for key in keys]
            for row in rows:
                touches.touch(self._tenant, conn, row["ticket_id"])
            found = [self._profile.attachment(attachments.single(row), row) for row in rows]
        return json_response(found if call.params.flag("returnall") else found[-1], 201)

    def _form(self, call: Call) -> list[Row]:
        try:
            objects = attachments.from_form(call.request.body)
        except ValueError as error:
            raise not_bound("", str(error)) from None
        if not objects:
            raise rule_broken("No data was received for this Attachment")
        return [bound(item, attachments.TYPES, index, "") for index, item in enumerate(objects)]

    def _people(self, call: Call) -> Response:
        table, tenant = people.TABLES[call.resource], self._tenant
        if call.rest and call.rest[0].lower() == "me":
            return empty(404 if call.resource == "users" else 401)
        if call.request.method == "POST" and not call.rest:
            return self._saved(
                call, table.types, lambda conn, body: people.save(tenant, conn, table, body),
                lambda conn, key: people.one(conn, table, key),
            )  # fmt: skip
        if not call.rest:
            with tenant.store.read() as conn:
                return json_response(people.listed(conn, table, call.params))
        number = _path_id(call)
        if call.request.method == "DELETE":
            with tenant.store.write() as conn:
                return json_response(people.delete(conn, table, number))
        with tenant.store.read() as conn:
            return json_response(people.one(conn, table, number))

    def _agent(self, call: Call) -> Response:
        with self._read_only(call) as conn:
            if not call.rest:
                return json_response(people.agents(conn, call.params))
            is_me = call.rest[0].lower() == "me"
            return json_response(people.one_agent(conn, seeds.API_AGENT if is_me else _path_id(call)))

    def _team(self, call: Call) -> Response:
        with self._read_only(call) as conn:
            found = people.teams(conn, call.params)
            if not call.rest:
                return json_response(found)
            number = _path_id(call)
            one = [doc for doc in found if doc["id"] == number]
            return json_response(one[0]) if one else empty(404)

    def _contracts(self, call: Call) -> Response:
        with self._read_only(call) as conn:
            if not call.rest:
                return json_response(people.contracts(conn, call.params))
            return json_response(config_calls.one(conn, "contract", str(_path_id(call)), call.params))

    def _events(self, call: Call) -> Response:
        with self._read_only(call) as conn:
            return json_response(webhooks.events(conn, call.params.text("webhook_id")))

    def _read_only(self, call: Call) -> Any:
        if call.request.method != "GET":
            raise bare(405)
        return self._tenant.store.read()

    def _config(self, call: Call) -> Response:
        kind, tenant = call.resource, self._tenant
        if call.request.method != "GET" and kind not in config_calls.WRITABLE:
            return empty(405)
        if call.request.method == "POST" and not call.rest:
            return self._saved(
                call, config_calls.TYPES[kind], lambda conn, body: config_calls.save(conn, kind, body),
                lambda conn, key: config_calls.one(conn, kind, key, call.params),
            )  # fmt: skip
        if call.request.method == "DELETE" and call.rest:
            with tenant.store.write() as conn:
                return json_response(config_calls.delete(conn, kind, call.rest[0]))
        with tenant.store.read() as conn:
            if not call.rest:
                return json_response(config_calls.listed(conn, kind, call.params))
            if kind not in ("priority", "webhook", "lookup", "notification"):
                _path_id(call)
            return json_response(config_calls.one(conn, kind, call.rest[0], call.params))


def _path_id(call: Call) -> int:
    if len(call.rest) != 1:
        raise bare(404)
    return people.number_in(call.rest[0])


def _info(request: Request, kind: str) -> dict[str, Any]:
    if kind == "authinfo":
        return {"auth_url": f"{request.base_url}/auth", "tenant_id": "demo"}
    return {"name": "Demo", "version": "sandbox", "product": "HaloPSA"}
