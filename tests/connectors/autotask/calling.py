"""What the tests of the imitation share: a client with the three headers, and short words for queries."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import httpx

from tests.connectors.sandbox.running import Running

HEADERS = {"ApiIntegrationCode": "demo", "UserName": "api@demo.test", "Secret": "demo-secret"}
AGENT, OTHER_AGENT, ROLE = 29744153, 29744154, 29683459
"""Two people of the service desk, and the role in which they work."""
EVERYTHING = {"op": "exist", "field": "id"}


def client_of(sandbox: Running, **headers: str) -> httpx.Client:
    """Closes with the test's `with`; addresses are below the version."""
    base = f"{sandbox.autotask}/ATServicesRest/V1.0/"
    return httpx.Client(base_url=base, headers={**HEADERS, **headers}, timeout=60, trust_env=False)


def where(field: str, op: str, value: Any = None) -> dict[str, Any]:
    return {"op": op, "field": field, "value": value}


def instant(text: str) -> datetime:
    """Instants drop trailing zeros of a second, so their texts do not sort."""
    return datetime.fromisoformat(text)


def found(api: httpx.Client, entity: str, *filters: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    """The rows of the first page."""
    answer = api.post(f"{entity}/query", json={"filter": list(filters) or [EVERYTHING], **more})
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.json()["items"]
    return rows


def one(api: httpx.Client, entity: str, number: int) -> dict[str, Any]:
    answer = api.get(f"{entity}/{number}")
    assert answer.status_code == 200, answer.text
    row: dict[str, Any] = answer.json()["item"]
    return row


def made(api: httpx.Client, path: str, **values: Any) -> int:
    answer = api.post(path, json=values)
    assert answer.status_code == 200, answer.text
    number: int = answer.json()["itemId"]
    return number


def changed(api: httpx.Client, path: str, **values: Any) -> None:
    answer = api.patch(path, json=values)
    assert answer.status_code == 200, answer.text
    assert answer.json() == {"itemId": values["id"]}


def company_of(api: httpx.Client) -> int:
    """A client's company."""
    number: int = found(api, "Companies", where("id", "gt", 0), MaxRecords=1)[0]["id"]
    return number


def new_ticket(api: httpx.Client, **values: Any) -> int:
    given = {"companyID": company_of(api), "title": "Unable to access email", "queueID": 8, "priority": 3, "status": 1}
    return made(api, "Tickets", **{**given, **values})


def problems(answer: httpx.Response, status: int = 500) -> list[str]:
    assert answer.status_code == status, answer.text
    texts: list[str] = answer.json()["errors"]
    return texts
