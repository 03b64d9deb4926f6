"""HaloPSA's error bodies: what they say, and which form field they mean.

Source: recorded behaviour (model binding, System.Exception, bare strings) and other clients' error shapes.
"""

from __future__ import annotations

import json
import re
from typing import Any

from connectors.base.html import shown

CANONICAL = {
    "summary": "subject",
    "details": "description",
    "details_html": "description",
    "client_id": "client",
    "client": "client",
    "site_id": "site",
    "user_id": "contact",
    "user": "contact",
    "status_id": "status",
    "status": "status",
    "new_status": "status",
    "priority_id": "priority",
    "priority": "priority",
    "tickettype_id": "ticket_type",
    "ticket type": "ticket_type",
    "tickettype": "ticket_type",
    "category_1": "category",
    "category_2": "subcategory",
    "category_3": "category_3",
    "category_4": "category_4",
    "agent_id": "agent",
    "agent": "agent",
    "team": "team",
    "team_id": "team",
    "impact": "impact",
    "urgency": "urgency",
    "contract_id": "contract",
    "sla_id": "sla_policy",
    "parent_id": "parent",
    "deadlinedate": "resolution_due_at",
    "fixbydate": "resolution_due_at",
    "closure_note": "resolution",
    "resolution": "resolution",
    "outcome_id": "outcome",
    "outcome": "outcome",
    "note": "body",
    "note_html": "body",
    "timetaken": "time_seconds",
    "emailto": "email_to",
    "emailcc": "email_cc",
    "filename": "name",
    "data_base64": "file",
}
"""HaloPSA's property names, and the words of its messages, to canonical field names."""

_INDEX = re.compile(r"^\[\d+\]\.|^\$?\.")
_WAIT = re.compile(r"(?:after|in|wait)\s+(\d+)\s*(s|sec|second|m|min|minute)s?\b", re.IGNORECASE)
_WORDS = re.compile(
    r"\b(" + "|".join(sorted((re.escape(w) for w in CANONICAL), key=len, reverse=True)) + r")\b", re.IGNORECASE
)


def explain(body: bytes) -> tuple[str, dict[str, str]]:
    """The message of an error body, safe to show, and the fields it blames ("" for no field)."""
    raw = body.decode("utf-8", "replace").strip()
    try:
        value: Any = json.loads(raw) if raw else ""
    except (ValueError, RecursionError):
        value = "" if raw.startswith("<") else raw
    named = _model_state(value)
    if named:
        return "; ".join(dict.fromkeys(named.values())), named
    text = shown(_text(value))
    return text, {_blamed(text): text} if text else {}


def wait_in(text: str) -> float | None:
    """Seconds to wait that a message names ("try again in 30 seconds"); None when it names none."""
    found = _WAIT.search(text)
    if not found:
        return None
    return float(found[1]) * (60 if found[2].lower().startswith("m") else 1)


def _model_state(value: Any) -> dict[str, str]:
    """Messages of a failed model binding, `{"[0].field": ["text"]}`, by canonical field."""
    if not isinstance(value, dict):
        return {}
    if isinstance(value.get("errors"), dict):
        value = value["errors"]
    if not value or not all(isinstance(v, list) and all(isinstance(t, str) for t in v) for v in value.values()):
        return {}
    found = {}
    for key, texts in value.items():
        name = _INDEX.sub("", str(key)).lower()
        found[CANONICAL.get(name, name if name in CANONICAL.values() else "")] = shown(" ".join(texts))
    return found


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return " ".join(_text(v) for v in value[:5])
    if not isinstance(value, dict):
        return ""
    for key in ("error_description", "error", "Message", "message", "errorMessage", "title", "detail"):
        inner = value.get(key)
        if isinstance(inner, dict):
            inner = inner.get("error_description") or inner.get("message") or _text(inner)
        if isinstance(inner, str) and inner.strip():
            return inner
    return _text(next(iter(value.values()), ""))


def _blamed(text: str) -> str:
    found = _WORDS.search(text)
    return CANONICAL[found[1].lower()] if found else ""
