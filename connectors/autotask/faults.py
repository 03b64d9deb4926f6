"""Autotask's error bodies: what they say, which error they mean, and which form field they blame.

Source: recorded behaviour. Validation comes as 500 with `{"errors": [...]}`; a 500 without it is a real failure.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

from connectors.base.answers import error_of
from connectors.base.errors import AuthFailed, ConnectorError, Forbidden, NotFound, RateLimited
from connectors.base.html import shown
from connectors.base.transport import Answer

CANONICAL = {
    "title": "subject",
    "description": "description",
    "companyid": "client",
    "company": "client",
    "companylocationid": "site",
    "contactid": "contact",
    "status": "status",
    "priority": "priority",
    "tickettype": "ticket_type",
    "issuetype": "category",
    "subissuetype": "subcategory",
    "assignedresourceid": "agent",
    "assignedresourceroleid": "agent",
    "assignedroleid": "agent",
    "queueid": "team",
    "source": "source",
    "contractid": "contract",
    "servicelevelagreementid": "sla_policy",
    "duedatetime": "deadline_at",
    "resolution": "resolution",
    "escalationreason": "escalation_reason",
    "resourceid": "author_agent",
    "roleid": "author_agent",
    "hoursworked": "time_seconds",
    "startdatetime": "time_seconds",
    "dateworked": "time_seconds",
    "timeentries": "time_seconds",
    "notetype": "kind",
    "publish": "is_internal",
    "fullpath": "name",
    "data": "file",
}
"""Autotask's names (lower case) to canonical field names; the first one that a text holds is blamed."""

THREAD_SECONDS = 1.0
"""A thread is free again as soon as one of the three calls ends."""

_AUTH = re.compile(r"IntegrationCode is invalid|Zone information could not", re.IGNORECASE)
_PERMISSION = re.compile(r"adequate permissions", re.IGNORECASE)
_GONE = re.compile(r"No matching records found", re.IGNORECASE)
_THREADS = re.compile(r"thread threshold", re.IGNORECASE)
_RATE = re.compile(r"\b(request|hourly|api)\b.{0,60}\b(threshold|limit)\b.{0,60}\bexceeded", re.IGNORECASE)
_WORDS = re.compile(r"\b(" + "|".join(sorted(CANONICAL, key=len, reverse=True)) + r")\b", re.IGNORECASE)
_STATUS_FIRST = re.compile(r"\bstatus transition\b", re.IGNORECASE)


def errors_in(body: bytes) -> list[tuple[str, str]] | None:
    """(text, field) of a JSON body's `errors`, or of its `Message`; None where it has neither."""
    try:
        value: Any = json.loads(body) if body.strip() else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    members = {str(key).lower(): inner for key, inner in value.items()}
    listed = members.get("errors")
    if isinstance(listed, list) and listed:
        return [_one(item) for item in listed[:20]]
    message = members.get("message")
    return [(shown(message), "")] if isinstance(message, str) and message.strip() else None


def has_errors(body: bytes) -> bool:
    """Whether a body that came with a good status is a refusal all the same."""
    return b'"errors"' in body[:200].lower() and bool(errors_in(body))


def error_in(answer: Answer, *, retry_after: float | None) -> ConnectorError:
    """The error that a refusing answer means."""
    found = errors_in(answer.body) or []
    text = shown("; ".join(dict.fromkeys(text for text, _ in found if text)))
    status = answer.status
    if status == 401 or (status >= 500 and _AUTH.search(text)):
        return _told(
            AuthFailed(text or "user name, secret or integration code are not accepted", status=status), answer
        )
    if status == 403 or _PERMISSION.search(text):
        return _told(Forbidden(text, status=status), answer)
    if status in (404, 410) or _GONE.search(text):
        return _told(NotFound(text, status=status), answer)
    if _THREADS.search(text):
        wait = THREAD_SECONDS if retry_after is None else retry_after
        return _told(RateLimited(text, retry_after=wait, status=status), answer)
    if status == 429 or _RATE.search(text):
        return _told(RateLimited(text, retry_after=retry_after, status=status), answer)
    if found and (status >= 500 or status < 400):
        answer = replace(answer, status=400)
    return error_of(answer, text=text, fields=_fields(found), retry_after=retry_after)


def is_refused_impersonation(error: ConnectorError) -> bool:
    """Whether a write was refused for lack of rights, which an impersonated user may lack and the API user not."""
    return isinstance(error, Forbidden) and bool(_PERMISSION.search(error.text))


def _told(error: ConnectorError, answer: Answer) -> ConnectorError:
    error.request_id = answer.request_id
    return error


def _one(item: Any) -> tuple[str, str]:
    if isinstance(item, dict):
        members = {str(key).lower(): inner for key, inner in item.items()}
        return shown(str(members.get("message") or members.get("error") or "")), str(members.get("field") or "")
    return shown(str(item)), ""


def _fields(found: list[tuple[str, str]]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for text, named in found:
        if text:
            name = CANONICAL.get(named.lower()) or blamed(text)
            fields[name] = f"{fields[name]}; {text}" if name in fields else text
    return fields


def blamed(text: str) -> str:
    """The canonical field that a text speaks of; "" for none."""
    if _STATUS_FIRST.search(text):
        return "status"
    found = _WORDS.search(text)
    return CANONICAL[found[1].lower()] if found else ""
