"""The resource server: which path and verb does what."""

from __future__ import annotations

import gzip
import json
from typing import Any
from urllib.parse import urlencode

from connectors.autotask.sandbox import attachments, auth, brief, info, query
from connectors.autotask.sandbox.attachments import Allowance
from connectors.autotask.sandbox.fields import Entity, Row
from connectors.autotask.sandbox.limits import Limits
from connectors.autotask.sandbox.pages import Page, Pages
from connectors.autotask.sandbox.seeds import API_USER
from connectors.autotask.sandbox.tenant import Actor, Tenant
from connectors.autotask.sandbox.wire import Answer, bare, errors, items, wrong_verb
from connectors.autotask.sandbox.writes import Write
from connectors.sandbox.messages import Request, Response, empty, json_response
from connectors.sandbox.spool import BadBase64

LONGEST_URL = 2_048
VERSION = {"majorVersion": 2026, "minorVersion": 4, "build": 118, "customerType": "Production"}
VERBS = {"POST": "C", "PATCH": "U", "PUT": "U", "DELETE": "D"}


class Calls:
    """Answers everything under the mount."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        self._limits = Limits(tenant)
        self._pages = Pages(tenant)
        self.allowance = Allowance(tenant)

    def answer(self, request: Request) -> Response:
        parts = [part for part in request.path.split("/") if part]
        lower = [part.lower() for part in parts]
        try:
            if lower[:1] != ["atservicesrest"] or len(lower) < 2:
                return empty(404)
            if lower[1] == "versioninformation" and len(lower) == 2:
                return json_response({"apiVersions": ["V1.0"]})
            if lower[1] != "v1.0" or len(lower) < 3:
                return empty(404)
            if lower[2] == "zoneinformation":
                return self._zone(request)
            if not auth.is_known(request):
                return empty(401)
            with self._limits.slot(lower[2]):
                self._limits.count()
                return json_response(self._dispatch(request, lower[2:]))
        except Answer as early:
            return early.response

    def _zone(self, request: Request) -> Response:
        if request.query.get("user", "").lower() != API_USER:
            raise errors("Zone information could not be determined")
        base = request.base_url
        found = {"zoneName": "Sandbox", "url": f"{base}/ATServicesRest/", "webUrl": f"{base}/", "ci": 30595}
        return json_response(found)

    def _dispatch(self, request: Request, parts: list[str]) -> Row:
        root, rest = parts[0], parts[1:]
        if root in ("version", "thresholdinformation") and not rest:
            _only(request, "GET")
            return VERSION if root == "version" else self._limits.told()
        if root == "queues" and self._tenant.profile.is_brief:
            _only(request, "GET")
            return brief.queues(self._tenant.picklists()["Ticket.queueID"])
        entity = self._tenant.entities.get(root)
        if entity is None:
            raise bare(404)
        if request.method == "GET" and rest[-1:] != ["next"] and _length(request) > LONGEST_URL:
            raise bare(404)
        match rest:
            case []:
                return self._at_root(request, entity)
            case ["query", *more]:
                return self._query(request, entity, more)
            case ["entityinformation", *more]:
                return self._information(request, entity, more)
            case [number]:
                return self._single(request, entity, _id(number))
            case [parent, child, *more]:
                return self._child(request, self._child_of(entity, child), _id(parent), more)
        raise bare(404)

    def _child_of(self, entity: Entity, name: str) -> Entity:
        for one in self._tenant.entities.values():
            if one.parent is not None and one.parent[0] == entity.root and one.parent[1].lower() == name:
                return one
        raise bare(404)

    def _at_root(self, request: Request, entity: Entity) -> Row:
        """Creates and updates of what has no parent; a child is not there at the root."""
        if entity.parent is not None:
            if not (self._tenant.profile.is_brief and entity.name == "TicketNote"):
                raise bare(404)
            body = self._body(request)
            parent = body.get("ticketID", body.get("ticketId")) if isinstance(body, dict) else None
            return self._write(request, entity, parent if isinstance(parent, int) else None)
        if request.method not in ("POST", "PATCH", "PUT"):
            raise wrong_verb(request.method)
        return self._write(request, entity, None)

    def _write(self, request: Request, entity: Entity, parent: int | None) -> Row:
        if VERBS.get(request.method, "?") not in entity.verbs:
            raise wrong_verb(request.method)
        verb = "create" if request.method == "POST" else "update"
        body = self._body(request)
        with self._tenant.store.write() as conn:
            actor = auth.actor(self._tenant, conn, request, entity, verb)
            write = Write(self._tenant, conn, entity, actor, parent, self.allowance)
            number = write.create(body) if verb == "create" else write.update(body, clears=request.method == "PUT")
        return {"itemId": number}

    def _delete(self, entity: Entity, number: int, parent: int | None) -> Row:
        if "D" not in entity.verbs:
            raise wrong_verb("DELETE")
        with self._tenant.store.write() as conn:
            Write(self._tenant, conn, entity, Actor(), parent, self.allowance).delete(number)
        return {"itemId": number}

    def _single(self, request: Request, entity: Entity, number: int) -> Row:
        if request.method == "DELETE" and entity.parent is None:
            return self._delete(entity, number, None)
        _only(request, "GET")
        auth.refuse_on_read(request)
        return {"item": self._shown(entity, number)}

    def _shown(self, entity: Entity, number: int, where: str = "", *values: Any) -> Row:
        statement = f"SELECT {entity.selected} FROM {entity.table} WHERE id = ?{entity.where}{where}"
        with self._tenant.store.read() as conn:
            row = conn.execute(statement, (number, *values)).fetchone()
            if row is None:
                raise bare(404)
            found = entity.shown(row)
            if where and "data" in entity.by_name:
                found["data"] = attachments.content(self._tenant, row)
        return found

    def _child(self, request: Request, entity: Entity, parent: int, rest: list[str]) -> Row:
        if rest[:1] == ["entityinformation"]:
            return self._information(request, entity, rest[1:])
        assert entity.parent is not None
        if not rest:
            if request.method == "GET":
                auth.refuse_on_read(request)
                return self._children(entity, parent)
            return self._write(request, entity, parent)
        if len(rest) > 1 or not rest[0].isdigit():
            raise bare(404)
        if request.method == "DELETE":
            return self._delete(entity, _id(rest[0]), parent)
        _only(request, "GET")
        auth.refuse_on_read(request)
        found = self._shown(entity, _id(rest[0]), self._owned(entity), parent)
        return items([found], query.MOST_ROWS) if "data" in entity.by_name else {"item": found}

    @staticmethod
    def _owned(entity: Entity) -> str:
        assert entity.parent is not None
        more = f" AND parentType = {attachments.PARENTS[entity.name]}" if entity.name in attachments.PARENTS else ""
        return f"{more} AND {'parentID' if more else entity.parent[2]} = ?"

    def _children(self, entity: Entity, parent: int) -> Row:
        statement = (
            f"SELECT {entity.selected} FROM {entity.table} WHERE 1{entity.where}{self._owned(entity)} ORDER BY id"
        )
        with self._tenant.store.read() as conn:
            return items((entity.shown(row) for row in conn.execute(statement, (parent,))), query.MOST_ROWS)

    def _information(self, request: Request, entity: Entity, rest: list[str]) -> Row:
        _only(request, "GET")
        match rest:
            case []:
                return {"info": info.entity_information(entity)}
            case ["fields"]:
                return {"fields": info.fields(self._tenant, entity)}
            case ["userdefinedfields"]:
                return {"fields": info.user_defined_fields(entity)}
        raise bare(404)

    def _query(self, request: Request, entity: Entity, rest: list[str]) -> Row:
        if request.method not in ("GET", "POST"):
            raise wrong_verb(request.method)
        auth.refuse_on_read(request)
        url = f"{request.base_url}/ATServicesRest/V1.0/{entity.root}/query"
        if rest == ["next"]:
            page = self._pages.recall(request.query.get("paging", ""), request.method)
            if page.entity is not entity:
                raise bare(404)
            return self._pages.answer(page, url)
        if rest not in ([], ["count"]):
            raise bare(404)
        search = request.query.get("search", "") if request.method == "GET" else ""
        body = _parsed(search) if request.method == "GET" else self._body(request)
        read = query.read(entity, body, is_brief=self._tenant.profile.is_brief)
        if entity.name == "TicketHistory":
            _check_history(body)
        if rest:
            return {"queryCount": self._pages.count(entity, read)}
        return self._pages.answer(Page(entity, read, request.method, search, stale_before=request.stale_before_ms), url)

    @staticmethod
    def _body(request: Request) -> Any:
        try:
            if request.headers.get("content-encoding", "").lower() == "gzip":
                return json.loads(gzip.decompress(request.body.data))
            return request.body.json()
        except BadBase64:
            raise errors("Error converting value to type 'System.Byte[]'. Path 'data', line 1.") from None
        except (ValueError, OSError, EOFError) as error:
            raise errors(f"Unable to parse the request body: {error}") from None


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise errors("Invalid query syntax. The search parameter must hold a JSON object.") from None


def _check_history(body: Row) -> None:
    """The history answers exactly one filter: a ticket."""
    filters: Any = next((value for name, value in body.items() if name.lower() == "filter"), [])
    filters = [filters] if isinstance(filters, dict) else filters
    found = {str(name).lower(): value for name, value in filters[0].items()} if len(filters) == 1 else {}
    if str(found.get("field", "")).lower() != "ticketid" or str(found.get("op", "")).lower() != "eq":
        raise errors("Invalid query syntax. TicketHistory can be queried by ticketID eq only.")


def _only(request: Request, verb: str) -> None:
    if request.method != verb:
        raise wrong_verb(request.method)


def _id(text: str) -> int:
    if not text.lstrip("-").isdigit():
        raise bare(404)
    return int(text)


def _length(request: Request) -> int:
    """About how long the address was."""
    return len(request.base_url) + len(request.full_path) + len(urlencode(request.query))
