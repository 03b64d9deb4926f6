"""An Atera of a few lines behind `httpx.MockTransport`: it answers from a table and checks what it is sent."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from openapi_schema_validator import OAS30Validator

from connectors.atera.connector import AteraConnector
from connectors.base.connector import AccountConfig

DOCUMENT: dict[str, Any] = json.loads((Path(__file__).parent / "openapi.json").read_text())
URL = "https://app.atera.test"

# Members of our requests that the vendor's document does not name.
UNNAMED = {
    "AddCommentToTicketModel": {
        "IsInternal": "for servers that know no details objects; left out by the setting `strict_body`"
    },
}

Answer = Callable[[httpx.Request], httpx.Response] | httpx.Response | dict[str, Any] | list[Any]


class Api:
    """`routes`: "METHOD /path" (a pattern under /api/v3) to an answer, or a list of answers used up in turn."""

    def __init__(self, routes: dict[str, Any]) -> None:
        self.routes = routes
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        assert request.url.host == "app.atera.test"
        check(request)
        path = request.url.path.removeprefix("/api/v3")
        for pattern, answer in self.routes.items():
            method, _, wanted = pattern.partition(" ")
            if request.method == method and re.fullmatch(wanted, path):
                if isinstance(answer, Turns):
                    answer = answer.take()
                answer = answer(request) if callable(answer) else answer
                return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)
        return httpx.Response(404, json={"title": "Not Found", "detail": f"no route {request.method} {path}"})

    def connector(self, **settings: Any) -> AteraConnector:
        key = settings.pop("api_key", "0123456789abcdef0123456789abcdef")
        settings.setdefault("default_technician_id", "111")
        account = AccountConfig(name="a", url=URL, settings=settings, secrets={"api_key": key})
        return AteraConnector(account, http=httpx.MockTransport(self))

    def sent(self, method: str, path: str) -> list[Any]:
        """The bodies that were sent there."""
        found = [r for r in self.requests if r.method == method and r.url.path == f"/api/v3{path}"]
        return [json.loads(r.content) for r in found]


class Turns:
    """Answers given one after the other; the last one stays."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)

    def take(self) -> Any:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def page(rows: list[Any], *, total: int | None = None, number: int = 1, pages: int | None = None) -> dict[str, Any]:
    """A page as the vendor wraps it."""
    count = len(rows) if total is None else total
    return {
        "items": rows,
        "totalItemCount": count,
        "page": number,
        "itemsInPage": 50,
        "totalPages": pages if pages is not None else -(-count // 50),
        "prevLink": "",
        "nextLink": "",
    }


def check(request: httpx.Request) -> None:
    """The request is one that the vendor's document allows: path, method, parameters, body."""
    operation = _operation(request.method, request.url.path)
    assert operation is not None, f"the document has no {request.method} {request.url.path}"
    names = {p["name"] for p in operation.get("parameters", ()) if p["in"] == "query"}
    assert set(request.url.params) <= names, f"{request.url} has parameters beyond {names}"
    if request.method == "GET":
        assert not request.content
        return
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    assert not list(OAS30Validator({**schema, "components": _components()}).iter_errors(json.loads(request.content)))


@cache
def _components() -> dict[str, Any]:
    components: dict[str, Any] = copy.deepcopy(DOCUMENT["components"])
    for owner, names in UNNAMED.items():
        for name in names:
            assert name not in components["schemas"][owner]["properties"], "the exception is not needed any more"
            components["schemas"][owner]["properties"][name] = {"type": "boolean"}
    return components


def _operation(method: str, path: str) -> dict[str, Any] | None:
    best: dict[str, Any] | None = None
    for template, operations in DOCUMENT["paths"].items():
        pattern = re.sub(r"\{[^}]+\}", r"[^/]+", template)
        if re.fullmatch(pattern, path) and method.lower() in operations:
            found: dict[str, Any] = operations[method.lower()]
            if "{" not in template:
                return found
            best = best or found
    return best
