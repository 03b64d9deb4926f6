"""Webhooks of Autotask: one for tickets and one for notes, their fields, and what arrives from them.

Source: vendor's help for registering, ready and Deactivated; recorded behaviour for the signature.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from connectors.autotask.client import AutotaskClient, Row, path_id, where
from connectors.autotask.mapping.values import identifier, truth
from connectors.base.connector import HookCall, HookState
from connectors.base.errors import BadSignature, Forbidden, NotFound, Rejected, Unavailable

TICKET, NOTE = "Ticket", "TicketNote"
KINDS = (TICKET, NOTE)
HEADER = "X-Hook-Signature"
NAME_LENGTH = 50
PARENT = "ticketid"
"""The field of a note that tells its ticket, as its label reads without blanks and capitals."""
_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')
_ESCAPED = re.compile(r"\\\\|\\\"|[&<>'`+]|[^\x00-\x7f]")


def register(client: AutotaskClient, *, url: str, secret: str, name: str, known: str | None) -> str:
    """Make or mend ours and switch them on; their ids. Doing it again changes nothing.

    What our own API user changes is left out: a push reads back what it wrote. Notes are told where Autotask offers to
    tell their ticket; else the ticket's last activity tells of them.
    """
    title, found = _title(url, name), []
    for kind in KINDS:
        numbers = _field_ids(client, kind)
        if kind == NOTE and PARENT not in numbers:
            continue
        mine = _mine(client, kind, url=url, title=title, known=known)
        row = _wanted(url, secret, title)
        for extra in mine[1:]:
            _delete(client, kind, extra)
        if mine:
            number = str(mine[0]["id"])
            client.change(f"/{kind}Webhooks", {"id": int(number), **row})
        else:
            number = client.create(f"/{kind}Webhooks", row)
        _add_fields(client, kind, number, numbers)
        _leave_ourselves_out(client, kind, number)
        found.append(f"{kind}:{number}")
    return " ".join(found)


def state(client: AutotaskClient, *, url: str, name: str, known: str | None) -> HookState | None:
    """What Autotask holds of ours; None when there is none. Each has to be switched on and to have a field."""
    title, rows = _title(url, name), []
    for kind in KINDS:
        if kind == TICKET or NOTE in _numbers(known):
            mine = _mine(client, kind, url=url, title=title, known=known)
            if not mine:
                return None
            rows.append((kind, mine[0]))
    return HookState(
        remote_id=" ".join(f"{kind}:{identifier(row.get('id'))}" for kind, row in rows),
        url=next((str(row.get("webhookUrl")) for _, row in rows if row.get("webhookUrl") != url), url),
        is_active=all(truth(row.get("isActive")) for _, row in rows),
        is_bound=all(truth(row.get("isReady")) for _, row in rows),
    )


def remove(client: AutotaskClient, *, url: str, name: str, known: str | None) -> None:
    """Delete what is ours; nothing happens when it is gone already."""
    title = _title(url, name)
    for kind in KINDS:
        try:
            mine = _mine(client, kind, url=url, title=title, known=known)
        except (Forbidden, NotFound):
            if kind == TICKET:
                raise
            continue
        for row in mine:
            _delete(client, kind, row)


def read(headers: Mapping[str, str], body: bytes, secret: str) -> HookCall:
    """What a call says. BadSignature unless its header holds the signature of the body.

    One that switches the webhook off is checked like any other: unsigned ones have been used to silence a desk.
    """
    given = next((value for key, value in headers.items() if key.lower() == HEADER.lower()), "").strip()
    if not secret or not any(_fits(given, form, secret) for form in _signed_forms(body)):
        raise BadSignature("the signature does not fit")
    try:
        told = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadSignature("signed, but no JSON") from error
    row = _lower(told)
    if str(row.get("action") or "").lower() == "deactivated":
        return HookCall(is_switched_off=True)
    found = row.get("id")
    if str(row.get("entitytype") or TICKET).lower() != TICKET.lower():
        found = _lower(row.get("fields")).get(PARENT)
    ticket = identifier(found)
    return HookCall(tickets=(ticket,) if ticket and ticket != "0" else ())


def _fits(given: str, body: bytes, secret: str) -> bool:
    digest = base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha1).digest()).decode()
    return hmac.compare_digest(given.encode("utf-8", "replace"), f"sha1={digest}".encode())


def _signed_forms(body: bytes) -> Iterator[bytes]:
    """The body as it came; then with what HTML might take amiss escaped, as some bodies are signed but not sent.

    The second only of what is JSON: a quote that nothing closes would be looked for again from every place behind it.
    """
    yield body
    try:
        text = body.decode()
        json.loads(text)
    except (ValueError, RecursionError):
        return
    yield _TEXT.sub(lambda match: f'"{_ESCAPED.sub(_escape, match[0][1:-1])}"', text).encode()


def _escape(match: re.Match[str]) -> str:
    if match[0] == "\\\\":
        return match[0]
    units = match[0][-1].encode("utf-16-be")
    return "".join(f"\\u{units[at]:02X}{units[at + 1]:02X}" for at in range(0, len(units), 2))


def _lower(row: Any) -> Row:
    """Names without capitals; an empty one for what is no object."""
    return {str(key).lower(): value for key, value in row.items()} if isinstance(row, dict) else {}


def _title(url: str, name: str) -> str:
    """Two desks, or two accounts of one, must not take each other's: what is too long ends in a digest of the whole."""
    title = f"Helpdesk {name} ({urlsplit(url).netloc})"
    if len(title) <= NAME_LENGTH:
        return title
    digest = hashlib.sha256(title.encode()).hexdigest()[:8]
    return f"{title[: NAME_LENGTH - 9]} {digest}"


def _numbers(known: str | None) -> dict[str, str]:
    """Kind to id, of what `register` gave."""
    return dict(word.split(":", 1) for word in (known or "").split() if ":" in word)


def _mine(client: AutotaskClient, kind: str, *, url: str, title: str, known: str | None) -> list[Row]:
    """Those made before, or that bear our name or address; the known one first."""
    number = _numbers(known).get(kind)
    rows = [
        row
        for row in client.rows(f"{kind}Webhooks", [])
        if number == identifier(row.get("id")) or row.get("name") == title or row.get("webhookUrl") == url
    ]
    return sorted(rows, key=lambda row: identifier(row.get("id")) != number)


def _wanted(url: str, secret: str, title: str) -> Row:
    return {
        "name": title,
        "isActive": True,
        "webhookUrl": url,
        "deactivationUrl": url,
        "secretKey": secret,
        "sendThresholdExceededNotification": False,
        "isSubscribedToCreateEvents": True,
        "isSubscribedToUpdateEvents": True,
        "isSubscribedToDeleteEvents": True,
    }


def _field_ids(client: AutotaskClient, kind: str) -> dict[str, int]:
    """What can be watched: label without blanks and capitals -> id. Empty where this kind is not offered."""
    try:
        fields = client.fields(f"{kind}WebhookFields", anew=True)
    except (Forbidden, NotFound):
        if kind == TICKET:
            raise
        return {}
    choices = fields["fieldid"].choices.values() if "fieldid" in fields else ()
    found = {
        re.sub(r"[^a-z0-9]", "", choice.label.lower()): int(choice.value)
        for choice in choices
        if choice.is_active and choice.value.isdigit()
    }
    if kind == TICKET and not found:
        raise Unavailable("Autotask names no field that a webhook may watch")
    return found


def _add_fields(client: AutotaskClient, kind: str, number: str, fields: Mapping[str, int]) -> None:
    """Watch every field, one call after the other: Autotask takes three at once. A webhook without one never calls."""
    rows = client.rows(f"{kind}WebhookFields", [where("webhookID", "eq", int(number))])
    here = {identifier(row.get("fieldID")) for row in rows}
    for label, field in fields.items():
        if str(field) not in here:
            row = {
                "webhookID": int(number),
                "fieldID": field,
                "isSubscribedField": True,
                "isDisplayAlwaysField": kind == NOTE and label == PARENT,
            }
            client.create(f"/{kind}Webhooks/{path_id(number)}/Fields", row)


def _leave_ourselves_out(client: AutotaskClient, kind: str, number: str) -> None:
    """A saving, not a need: a refusal is no matter."""
    try:
        owner = identifier(client.one(f"/{kind}Webhooks/{path_id(number)}").get("ownerResourceID"))
        rows = client.rows(f"{kind}WebhookExcludedResources", [where("webhookID", "eq", int(number))])
        if owner and owner not in {identifier(row.get("resourceID")) for row in rows}:
            row = {"webhookID": int(number), "resourceID": int(owner)}
            client.create(f"/{kind}Webhooks/{path_id(number)}/ExcludedResources", row)
    except (Forbidden, NotFound, Rejected):
        return


def _delete(client: AutotaskClient, kind: str, row: Row) -> None:
    try:
        client.delete(f"/{kind}Webhooks/{path_id(str(row['id']))}")
    except NotFound:
        return
