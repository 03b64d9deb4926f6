"""A tenant of Autotask inside the test: answers by verb and path, remembers, and holds every request to the vendor's
own description."""

from __future__ import annotations

import json
from typing import Any

import httpx

from connectors.autotask.connector import AutotaskConnector
from connectors.base.auth import MemoryTokens
from connectors.base.connector import AccountConfig
from tests.connectors.autotask import vendor

LOOKUP = "https://webservices.autotask.net"
ZONE = "https://webservices3.autotask.net"
API = f"{ZONE}/ATServicesRest/V1.0"
SECRET = "s3cret#of$ours"


def picklist(name: str, *values: tuple[Any, ...], required: bool = False) -> dict[str, Any]:
    """A field with (value, label) or (value, label, parent, is_active) rows."""
    rows = [
        {
            "value": str(v[0]),
            "label": v[1],
            "isDefaultValue": False,
            "sortOrder": number,
            "parentValue": str(v[2]) if len(v) > 2 else "",
            "isActive": v[3] if len(v) > 3 else True,
            "isSystem": False,
        }
        for number, v in enumerate(values, start=1)
    ]
    return {"name": name, "isRequired": required, "isPickList": True, "picklistValues": rows}


STATUSES = [(1, "New"), (5, "Complete"), (7, "Waiting Customer"), (8, "In Progress"), (9, "Waiting Materials"),
            (11, "Escalate"), (12, "Waiting Vendor"), (20, "Cancelled", "", False)]  # fmt: skip
TICKET_FIELDS = [
    picklist("status", *STATUSES, required=True),
    picklist("priority", (1, "High"), (2, "Medium"), (3, "Low"), (4, "Critical"), required=True),
    picklist("queueID", (8, "Level I Support"), (29, "Level II Support"), (30, "Old", "", False)),
    picklist("issueType", (5, "Computer"), (6, "Network")),
    picklist("subIssueType", (12, "Outlook", 5), (13, "Other", 5), (14, "Other", 6)),
    picklist("ticketType", (1, "Service Request"), (2, "Incident"), (3, "Problem"), (4, "Change Request")),
    picklist("source", (2, "Phone"), (4, "Email")),
    picklist("serviceLevelAgreementID", (1, "Gold")),
    {"name": "assignedResourceID", "isRequired": False, "isPickList": False, "picklistValues": None},
]
NOTE_FIELDS = [
    picklist("publish", (1, "All Autotask Users"), (2, "Internal Only"), (4, "Internal & Co-Managed")),
    picklist("noteType", (1, "Task Summary"), (2, "Task Detail"), (3, "Task Notes"), (13, "Workflow Rule Note - Task")),
]
FILE_FIELDS = [picklist("publish", (4, "Internal & Co-Managed"), (2, "Internal Users Only"), (1, "All Autotask Users"))]


def items(*rows: dict[str, Any], following: str | None = None) -> dict[str, Any]:
    details = {"count": len(rows), "requestCount": 500, "prevPageUrl": None, "nextPageUrl": following}
    return {"items": list(rows), "pageDetails": details}


def errors(*texts: Any, status: int = 500) -> httpx.Response:
    return httpx.Response(status, json={"errors": list(texts)})


class Tenant:
    """Answers by "VERB /Path" below the version; an answer may be a list (one each call) or a function."""

    def __init__(self, answers: dict[str, Any] | None = None, *, zones: list[Any] | None = None) -> None:
        self.requests: list[httpx.Request] = []
        self.zones = zones or [{"url": f"{ZONE}/ATServicesRest/", "webUrl": "https://ww3.autotask.net/", "ci": 1}]
        self.answers: dict[str, Any] = {
            "GET /Tickets/entityInformation/fields": {"fields": TICKET_FIELDS},
            "GET /TicketNotes/entityInformation/fields": {"fields": NOTE_FIELDS},
            "GET /TicketAttachments/entityInformation/fields": {"fields": FILE_FIELDS},
            "GET /ThresholdInformation": {
                "externalRequestThreshold": 10_000,
                "requestThresholdTimeframe": 60,
                "currentTimeframeRequestCount": 400,
            },
            **(answers or {}),
        }

    def __call__(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        body = json.loads(request.content) if request.content else None
        found = vendor.problems(request.method, request.url.path, body)
        assert not found, found
        if "zoneInformation" in request.url.path:
            return self._answer(self.zones if len(self.zones) > 1 else self.zones[0], request)
        key = f"{request.method} {request.url.path.removeprefix('/ATServicesRest/V1.0')}"
        return self._answer(self.answers.get(key, httpx.Response(404)), request)

    def _answer(self, answer: Any, request: httpx.Request) -> httpx.Response:
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if callable(answer):
            answer = answer(request)
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)

    def sent(self, method: str, path: str) -> list[dict[str, Any]]:
        """Bodies of the calls of this verb to this path below the version."""
        whole = f"/ATServicesRest/V1.0{path}"
        rows = (r for r in self.requests if (r.method, r.url.path) == (method, whole))
        return [json.loads(r.content) if r.content else {} for r in rows]

    def connect(self, *, url: str = LOOKUP, rank: int = 0, tokens: MemoryTokens | None = None, **settings: Any) -> Any:
        account = AccountConfig(
            name="msp",
            url=url,
            settings={"username": "api@msp.test", "integration_code": "CODE1234", "settle_seconds": 0.01, **settings},
            secrets={"secret": SECRET},
        )
        return AutotaskConnector(account, rank=rank, http=httpx.MockTransport(self), tokens=tokens)
