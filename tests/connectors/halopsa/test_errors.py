"""HaloPSA's error bodies, as recorded."""

from __future__ import annotations

import json

import pytest

from connectors.halopsa.faults import explain, wait_in

OUTCOME = "An Outcome must be entered for this Action"
BINDING = "Could not convert string to integer: abc. Path '[0].outcome_id', line 1, position 139."


@pytest.mark.parametrize(
    ("body", "text", "fields"),
    [
        ({"[0].outcome_id": [BINDING]}, BINDING, {"outcome": BINDING}),
        (
            {"id": ["The value 'probe' is not valid."]},
            "The value 'probe' is not valid.",
            {"": "The value 'probe' is not valid."},
        ),
        (
            {"ClassName": "System.Exception", "Message": OUTCOME, "Data": None, "HResult": -2146233088},
            OUTCOME,
            {"outcome": OUTCOME},
        ),
        ("tickettype_id invalid", "tickettype_id invalid", {"ticket_type": "tickettype_id invalid"}),
        ({"error": "client_id required"}, "client_id required", {"client": "client_id required"}),
        ({"error": {"error_description": "status_id invalid"}}, "status_id invalid", {"status": "status_id invalid"}),
        (
            {"error": "invalid_client", "error_description": "No such client"},
            "No such client",
            {"client": "No such client"},
        ),
        (
            {"resultCode": 4, "errorMessage": "<b>priority_id</b> invalid"},
            "priority_id invalid",
            {"priority": "priority_id invalid"},
        ),
        ({"Message": "Client ID required"}, "Client ID required", {"client": "Client ID required"}),
        (
            {"Message": "You do not have access to this Action at the moment"},
            "You do not have access to this Action at the moment",
            {"": "You do not have access to this Action at the moment"},
        ),
        ({"something": ["a", {"b": "c"}]}, "a c", {"": "a c"}),
        ([], "", {}),
        ({}, "", {}),
        (None, "", {}),
        (5, "", {}),
    ],
)
def test_words_and_fields(body: object, text: str, fields: dict[str, str]) -> None:
    said, blamed = explain(json.dumps(body).encode())
    assert said == text
    assert blamed == fields


@pytest.mark.parametrize("body", [b"", b"<html><body>Bad gateway</body></html>", b"\xff\x00", b"{"])
def test_bodies_that_say_nothing_do_not_break(body: bytes) -> None:
    said, _ = explain(body)
    assert "<" not in said


def test_markup_never_gets_out() -> None:
    said, _ = explain(json.dumps({"Message": "<script>alert(1)</script><img src=x onerror=y>No"}).encode())
    assert said == "No"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Try again in 30 seconds", 30.0),
        ("wait 2 minutes", 120.0),
        ("Rate Limit Reached - 300 Requests per rolling 5 minute window", None),
        ("", None),
    ],
)
def test_waits_in_words(text: str, seconds: float | None) -> None:
    assert wait_in(text) == seconds
