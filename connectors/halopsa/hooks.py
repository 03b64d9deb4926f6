"""Webhooks of HaloPSA: make ours and bind it to events, ask how it does, read what arrives.

Source: vendor's OpenAPI for `/Webhook`, `/Notification`, `/WebhookEvent`; other clients for what they send and verify.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from connectors.base.connector import HookCall, HookState
from connectors.base.errors import BadSignature, ConnectorError, NotFound
from connectors.halopsa.client import HaloClient
from connectors.halopsa.envelopes import Row, allowed
from connectors.halopsa.mapping.values import identifier, instant

EVENTS = (3, 19, 39, 61, 76, 1072)
"""New, updated by user, closed, updated, status changed, deleted. The warnings of HaloPSA's own SLA clock (42, 46, 70)
change nothing on a ticket and are left alone."""
HEADER = "Token"
_HMAC, _WEBHOOK, _POST = 3, 0, 0
_TO_WEBHOOK = 6
"""Delivery method of a notification. Source: vendor's web client."""


def register(client: HaloClient, *, url: str, secret: str, name: str, known: str | None) -> str:
    """Make or mend the one webhook of this desk and bind its events; its GUID. Doing it again changes nothing.

    Ours is the one that was made before (`known`), or that bears our name or address; what is left over of an
    earlier one goes.
    """
    title = _title(url, name)
    mine = [row for row in _all(client) if _is_ours(row, url=url, title=title, known=known)]
    mine.sort(key=lambda row: _guid(row) != known)
    row = _wanted(url, secret, title)
    for extra in mine[1:]:
        _delete(client, _guid(extra))
    if mine:
        row["id"] = mine[0]["id"]
    hook = str(client.post("/Webhook", row)["id"]).lower()
    for event in sorted(set(EVENTS) - _bound(client, hook)):
        client.post("/Notification", _binding(hook, event))
    return hook


def state(client: HaloClient, *, url: str, name: str, known: str | None) -> HookState | None:
    """What HaloPSA holds of our webhook, with its latest delivery; None when there is none."""
    title = _title(url, name)
    row = next((r for r in _all(client) if _is_ours(r, url=url, title=title, known=known)), None)
    if row is None:
        return None
    latest = _latest(client, _guid(row))
    return HookState(
        remote_id=_guid(row),
        url=str(row.get("url") or ""),
        is_active=row.get("active") is not False,
        is_bound=set(EVENTS) <= _bound(client, _guid(row)),
        delivered_at=instant(latest.get("timestamp")) if latest else None,
        answer=int(latest["responsestatus"]) if latest and latest.get("responsestatus") else None,
    )


def remove(client: HaloClient, *, url: str, name: str, known: str | None) -> None:
    """Delete what is ours; nothing happens when it is gone already."""
    title = _title(url, name)
    for row in _all(client):
        if _is_ours(row, url=url, title=title, known=known):
            _delete(client, _guid(row))


def read(headers: Mapping[str, str], body: bytes, secret: str) -> HookCall:
    """The tickets that a call names. BadSignature unless its header holds base64(HMAC-SHA256(secret, raw body))."""
    given = next((value for key, value in headers.items() if key.lower() == HEADER.lower()), "")
    expected = base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest())
    if not secret or not hmac.compare_digest(given.strip().encode("utf-8", "replace"), expected):
        raise BadSignature("the signature does not fit")
    try:
        told = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadSignature("signed, but no JSON") from error
    rows = told if isinstance(told, list) else [told]
    found = (_ticket_id(row) for row in rows if isinstance(row, dict))
    return HookCall(tickets=tuple(dict.fromkeys(remote_id for remote_id in found if remote_id)))


def _ticket_id(row: Row) -> str | None:
    ticket = row.get("ticket")
    values = [ticket.get("id")] if isinstance(ticket, dict) else []
    values += [row.get("ticket_id"), row.get("object_id"), row.get("id")]
    return next((found for value in values if (found := identifier(value))), None)


def _title(url: str, name: str) -> str:
    """Names are unique in a tenant: two desks, or two accounts of one, must not take each other's."""
    return f"Helpdesk {name} ({urlsplit(url).netloc})"


def _is_ours(row: Row, *, url: str, title: str, known: str | None) -> bool:
    return bool(known and _guid(row) == known.lower()) or row.get("name") == title or row.get("url") == url


def _guid(row: Row) -> str:
    return str(row.get("id") or "").lower()


def _all(client: HaloClient) -> list[Row]:
    return client.rows("/Webhook", "webhooks", {"type": str(_WEBHOOK)})


def _wanted(url: str, secret: str, title: str) -> dict[str, Any]:
    return {
        "name": title,
        "url": url,
        "type": _WEBHOOK,
        "method": _POST,
        "content_type": "application/json",
        "active": True,
        "authentication_type": _HMAC,
        "authentication_header": HEADER,
        "basic_password": secret,
        "algorithm": 0,
        "certificate_id": 0,
        "inbound_authentication_type": 0,
        "runbook_start_type": 0,
        "systemuse": "",
        "note": "faults",
        "major_version_number": 0,
        "minor_version_number": 1,
        "patch_version_number": 0,
        "version_number": "0.0.1",
    }


def _binding(hook: str, event: int) -> dict[str, Any]:
    """Never with the `guid` of another row: that would overwrite it."""
    return {
        "webhook_id": hook,
        "type": -2,
        "delivery_method": _TO_WEBHOOK,
        "eventno": str(event),
        "name": "",
        "agent_id": 0,
        "filter_type": 2,
        "restriction_type": 0,
        "interval": "0",
        "useworkinghours": "0",
        "emailtemplate_id": "32",
        "conditions": [],
    }


def _bound(client: HaloClient, hook: str) -> set[int]:
    """Numbers of the events that reach the webhook, as it tells itself, else by the list of notifications."""
    told = client.one(f"/Webhook/{hook}", {"includedetails": "true"}).get("events")
    if not isinstance(told, list):
        rows = client.rows("/Notification", "notifications", {"webhook_id": hook})
        told = [row for row in rows if str(row.get("webhook_id") or "").lower() == hook]
    found = (identifier(row.get("eventno")) for row in told if isinstance(row, dict))
    return {int(number) for number in found if number}


def _latest(client: HaloClient, hook: str) -> Row | None:
    try:
        rows = client.rows("/WebhookEvent", "events", {"webhook_id": hook})
    except ConnectorError as error:
        if allowed(error):
            return None  # the log is a help, not a need
        raise
    return max(rows, key=lambda row: str(row.get("timestamp") or ""), default=None)


def _delete(client: HaloClient, hook: str) -> None:
    try:
        client.delete(f"/Webhook/{hook}")
    except NotFound:
        return
