"""What Autotask calls with: whose ticket, whose signature, and the word that it calls no more."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import pytest

from connectors.autotask import hooks
from connectors.base.connector import HookCall
from connectors.base.errors import BadSignature, Unavailable
from tests.connectors.autotask.tenant import Tenant, items, picklist

SECRET = "32 random characters of a secret"
URL = "https://desk.example/hooks/msp/secret/"


def signed(body: bytes) -> dict[str, str]:
    digest = base64.b64encode(hmac.new(SECRET.encode(), body, hashlib.sha1).digest()).decode()
    return {"x-hook-signature": f"sha1={digest}"}


def call(**values: Any) -> bytes:
    told = {"Action": "Update", "Guid": "a1da62a4", "EntityType": "Ticket", "Id": 54321, "Fields": {}, **values}
    return json.dumps(told, ensure_ascii=False).encode()


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({}, HookCall(tickets=("54321",))),
        ({"Action": "Delete", "PersonId": 4}, HookCall(tickets=("54321",))),
        ({"EntityType": "TicketNote", "Id": 7, "Fields": {"TicketID": 54321}}, HookCall(tickets=("54321",))),
        ({"EntityType": "TicketNote", "Id": 7, "Fields": {"ticketID": "54321"}}, HookCall(tickets=("54321",))),
        ({"EntityType": "TicketNote", "Id": 7, "Fields": None}, HookCall()),
        ({"EntityType": "Account", "Id": 7}, HookCall()),
        ({"Id": "../../x"}, HookCall()),
        ({"Id": 0}, HookCall()),
        ({"Id": None}, HookCall()),
        ({"Action": "Deactivated", "Id": None}, HookCall(is_switched_off=True)),
        ({"Action": "deactivated", "EntityType": "TicketNote"}, HookCall(is_switched_off=True)),
    ],
)
def test_what_a_call_says(values: dict[str, Any], found: HookCall) -> None:
    body = call(**values)
    assert hooks.read(signed(body), body, SECRET) == found


@pytest.mark.parametrize("body", [b"7", b"[]", b"null"])
def test_a_signed_body_that_names_nothing(body: bytes) -> None:
    assert hooks.read(signed(body), body, SECRET) == HookCall()


def test_nobody_silences_the_desk_without_the_secret() -> None:
    body = call(Action="Deactivated")
    for headers in ({}, {"X-Hook-Signature": "sha1="}, {"X-Hook-Signature": ""}, signed(body + b" ")):
        with pytest.raises(BadSignature):
            hooks.read(headers, body, SECRET)
    with pytest.raises(BadSignature):
        hooks.read(signed(body), body, "")
    with pytest.raises(BadSignature):
        hooks.read(signed(b"\xff{"), b"\xff{", SECRET)


def test_a_body_that_was_signed_with_its_odd_characters_escaped() -> None:
    """Recorded: what HTML might take amiss is written as \\uXXXX in the bytes that are signed, not in those sent."""
    body = rb"""{"Action":"Update","Id":54321,"EntityType":"Ticket","Fields":{"Title":"R&D <b> \"it's\" 1+1 `\\ \n"}}"""
    body = body.replace(b"R&D", "Ü 😀 R&D".encode())
    escaped = (
        rb"""{"Action":"Update","Id":54321,"EntityType":"Ticket","Fields":{"Title":"\u00DC \uD83D\uDE00 R\u0026D """
        rb"""\u003Cb\u003E \u0022it\u0027s\u0022 1\u002B1 \u0060\\ \n"}}"""
    )
    assert json.loads(body) == json.loads(escaped)
    assert hooks.read(signed(escaped), body, SECRET) == HookCall(tickets=("54321",))


@pytest.mark.parametrize("piece", [b'\\"', b'"\\"', b"[", b'{"a":', b"9"])
def test_no_unsigned_body_takes_long_to_turn_away(piece: bytes) -> None:
    """Who has learned the address, but not the secret, must not keep a process busy."""
    body = b'"' + piece * (256 * 1024 // len(piece))
    before = time.process_time()
    with pytest.raises(BadSignature):
        hooks.read({"X-Hook-Signature": "sha1=x"}, body, SECRET)
    assert time.process_time() - before < 2


def test_a_long_name_stays_unique_within_fifty_characters() -> None:
    names = {hooks._title(f"https://{host}.helpdesk.example/x/", "a-rather-long-account-name") for host in "ab"}
    assert len(names) == 2
    assert max(map(len, names)) <= hooks.NAME_LENGTH


def registering(notes: bool) -> Tenant:
    answers: dict[str, Any] = {
        "GET /TicketWebhookFields/entityInformation/fields": {
            "fields": [picklist("fieldID", (1, "Status"), (2, "Title"), (3, "Old", "", False))]
        },
        "POST /TicketWebhooks/query": items(),
        "POST /TicketWebhooks": {"itemId": 4},
        "POST /TicketWebhookFields/query": items({"id": 1, "webhookID": 4, "fieldID": 2}),
        "POST /TicketWebhooks/4/Fields": {"itemId": 11},
        "GET /TicketWebhooks/4": {"item": {"id": 4, "ownerResourceID": 29744100}},
        "POST /TicketWebhookExcludedResources/query": items(),
        "POST /TicketWebhooks/4/ExcludedResources": {"itemId": 2},
    }
    if notes:
        answers["GET /TicketNoteWebhookFields/entityInformation/fields"] = {
            "fields": [picklist("fieldID", (1, "Publish"))]
        }
    return Tenant(answers)


@pytest.mark.parametrize("notes", [False, True])
def test_notes_are_left_to_the_ticket_where_they_cannot_name_it(notes: bool) -> None:
    """And only fields that can be watched are, each once; what we write ourselves is not told."""
    tenant = registering(notes)
    assert tenant.connect().hook_register(url=URL, secret=SECRET) == "Ticket:4"
    (hook,) = tenant.sent("POST", "/TicketWebhooks")
    assert (hook["webhookUrl"], hook["deactivationUrl"], hook["secretKey"]) == (URL, URL, SECRET)
    assert [row["fieldID"] for row in tenant.sent("POST", "/TicketWebhooks/4/Fields")] == [1]
    assert [row["resourceID"] for row in tenant.sent("POST", "/TicketWebhooks/4/ExcludedResources")] == [29744100]
    state = tenant.connect().hook_state(url=URL, known="Ticket:4")
    assert state is None  # the tenant's list is empty


def test_without_a_field_to_watch_nothing_is_made() -> None:
    tenant = Tenant({"GET /TicketWebhookFields/entityInformation/fields": {"fields": [picklist("fieldID")]}})
    with pytest.raises(Unavailable):
        tenant.connect().hook_register(url=URL, secret=SECRET)
    assert not tenant.sent("POST", "/TicketWebhooks")
