"""Atera's error bodies: problem details on some routes, older shapes or nothing on others."""

from __future__ import annotations

import json
import re
from typing import Any

from connectors.base.html import shown

CANONICAL = {
    "tickettitle": "subject",
    "title": "subject",
    "description": "description",
    "enduserid": "contact",
    "enduser": "contact",
    "customer": "contact",
    "contact": "contact",
    "ticketpriority": "priority",
    "priority": "priority",
    "ticketstatus": "status",
    "status": "status",
    "tickettype": "ticket_type",
    "ticketimpact": "impact",
    "impact": "impact",
    "techniciancontactid": "agent",
    "technicianemail": "agent",
    "technicianid": "agent",
    "technician": "agent",
    "commenttext": "body",
    "startworkhour": "time_seconds",
    "endworkhour": "time_seconds",
}
"""Atera's property names, and the words of its messages, to canonical field names."""

_WORDS = re.compile(r"\b(" + "|".join(sorted(CANONICAL, key=len, reverse=True)) + r")\b", re.IGNORECASE)
_TEXTS = ("Message", "message", "title")


def explain(body: bytes) -> tuple[str, dict[str, str]]:
    """The message of an error body, safe to show, and the fields it blames ("" for no field).

    In this order: `detail`, `errors`, `Message`, `message`, `title`, the raw text; empty when there is nothing.
    """
    raw = body.decode("utf-8", "replace").strip()
    try:
        value: Any = json.loads(raw) if raw else ""
    except (ValueError, RecursionError):
        value = "" if raw.startswith("<") else raw
    if not isinstance(value, dict):
        return _told(value if isinstance(value, str) else "")
    if _is_text(value.get("detail")):
        return _told(value["detail"])
    if named := _named(value.get("errors")):
        return "; ".join(dict.fromkeys(named.values())), named
    return _told(next((value[name] for name in _TEXTS if _is_text(value.get(name))), ""))


def _told(text: str) -> tuple[str, dict[str, str]]:
    text = shown(text)
    return text, {_blamed(text): text} if text else {}


def _named(errors: Any) -> dict[str, str]:
    """Messages of a failed validation, `{"Field": ["text"]}`, by canonical field."""
    found: dict[str, str] = {}
    for key, texts in errors.items() if isinstance(errors, dict) else ():
        listed = texts if isinstance(texts, list) else [texts]
        text = shown(" ".join(t for t in listed if isinstance(t, str)))
        if text:
            name = re.sub(r"^\$?\.|\[\d+\]", "", str(key)).rpartition(".")[2].lower()
            found[CANONICAL.get(name, "")] = text
    return found


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _blamed(text: str) -> str:
    found = _WORDS.search(text)
    return CANONICAL[found[1].lower()] if found else ""
