"""The API under `/api/v3`: who may call, how often, and which resource answers."""

from __future__ import annotations

import math
from collections.abc import Callable

from connectors.atera.sandbox import (
    attachments,
    custom_values,
    documents,
    people_calls,
    seeds,
    ticket_calls,
    workhours,
)
from connectors.atera.sandbox.auth import is_known, may
from connectors.atera.sandbox.call import Call, refuse_method
from connectors.atera.sandbox.profiles import PROFILES
from connectors.atera.sandbox.tenant import Tenant
from connectors.atera.sandbox.wire import Problem, zipped
from connectors.sandbox.messages import Request, Response, empty, json_response

METHODS = ("GET", "POST", "PUT", "DELETE")


def _account(call: Call) -> Response:
    return json_response(seeds.ACCOUNT) if (call.method, call.rest) == ("GET", []) else refuse_method()


def _workhours(call: Call) -> Response:
    return call.listing(workhours.all_records) if (call.method, call.rest) == ("GET", []) else refuse_method()


RESOURCES: dict[str, Callable[[Call], Response]] = {
    "account": _account, "tickets": ticket_calls.answer, "customers": people_calls.customers,
    "contacts": people_calls.contacts, "contracts": documents.contracts, "alerts": documents.alerts,
    "agents": documents.agents, "departments": documents.departments, "rates": documents.rates,
    "knowledgebases": documents.knowledge, "customvalues": custom_values.answer, "workhours": _workhours,
}  # fmt: skip
"""There is none for technicians, statuses, agreements on service levels, teams or categories: the vendor has none."""


class Calls:
    """Answers everything under the mount."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        self._profile = PROFILES[tenant.profile]

    def answer(self, request: Request) -> Response:
        parts = [part for part in request.path.split("/") if part]
        try:
            return zipped(request, self._answer(request, parts))
        except Problem as problem:
            return zipped(request, problem.response(request))

    def _answer(self, request: Request, parts: list[str]) -> Response:
        if request.method == "GET" and len(parts) == 3 and parts[0] == "files":
            return attachments.served(self._tenant, parts[1])
        if [part.lower() for part in parts[:2]] != ["api", "v3"] or len(parts) < 3:
            return empty(404)
        if not is_known(request):
            return empty(401)
        if (wait := self._tenant.limit.wait_for(self._tenant.now())) is not None:
            return Response(429, b"", {"Retry-After": str(math.ceil(wait))})
        handler = RESOURCES.get(parts[2].lower())
        if handler is None:
            return empty(404)
        if request.method not in METHODS:
            return empty(405)
        if not may(request, parts):
            return empty(403)
        return handler(Call(self._tenant, self._profile, request, parts[3:]))
