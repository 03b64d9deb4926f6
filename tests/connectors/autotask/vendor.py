"""A request against the vendor's own description: is there such a path and verb, are the body's members its own?"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

DOCUMENT = json.loads((Path(__file__).parent / "openapi.json").read_text())
ROOT = "/ATServicesRest"

PATHS = {
    ("GET", "/atservicesrest/v1.0/zoneInformation"): "the document spells it ZoneInformation; the vendor's requests so",
    ("POST", "/V1.0/DeletedTicketLogs/query"): "newer than the document; in the vendor's help",
    ("GET", "/V1.0/TicketNotes/{id}/Attachments/{id}"): "newer than the document; in clients made from that of 2021",
    ("GET", "/V1.0/TimeEntries/{id}/Attachments/{id}"): "newer than the document; in clients made from that of 2021",
}
"""Verbs and paths that the document does not have, and why we send them all the same."""
TWINS = re.compile("/Ticket(Note)?Webhook")
"""Webhooks of tickets and notes are newer than the document; those of companies, which it has, are made the same way
(vendor's help)."""

_TYPES: dict[str, type | tuple[type, ...]] = {
    "integer": int,
    "number": (int, float),
    "string": str,
    "boolean": bool,
    "array": list,
}


def problems(method: str, path: str, body: Any) -> list[str]:
    """What the vendor's document has against a request; `path` begins with ROOT (or is the zone look-up's)."""
    if (method, re.sub(r"^.*(?=/atservicesrest/)", "", path)) in PATHS:
        return []
    if not path.startswith(f"{ROOT}/"):
        return [f"{path} is not below {ROOT}"]
    path = TWINS.sub("/CompanyWebhook", path.removeprefix(ROOT))
    if (method, re.sub(r"/\d+(?=/|$)", "/{id}", path)) in PATHS:
        return []
    operation = _operation(method, path.removesuffix("/next") if path.endswith("/query/next") else path)
    if operation is None:
        return [f"there is no {method} {path}"]
    if body is None:
        return []
    return _against(body, next((p["schema"] for p in operation["parameters"] if p.get("in") == "body"), None))


def _operation(method: str, path: str) -> dict[str, Any] | None:
    for pattern, operations in _patterns():
        if pattern.fullmatch(path) and method.lower() in operations:
            found: dict[str, Any] = operations[method.lower()]
            return found
    return None


@cache
def _patterns() -> list[tuple[re.Pattern[str], dict[str, Any]]]:
    return [(re.compile(re.sub(r"\{[^}]+\}", r"\\d+", path)), found) for path, found in DOCUMENT["paths"].items()]


def _against(body: Any, schema: dict[str, Any] | None) -> list[str]:
    if schema is None:
        return ["no body is taken"]
    if not isinstance(body, dict):
        return ["the body is no object"]
    name = schema["$ref"].rpartition("/")[2]
    known = {key.lower(): inner for key, inner in DOCUMENT["definitions"][name]["properties"].items()}
    found = []
    for key, value in body.items():
        inner = known.get(key.lower())
        if inner is None:
            found.append(f"{name} has no {key}")
        elif value is not None and "type" in inner and not _fits(value, inner["type"]):
            found.append(f"{name}.{key} is no {inner['type']}: {value!r}"[:200])
    return found


def _fits(value: Any, kind: str) -> bool:
    return isinstance(value, _TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))
