"""What an answer of Autotask means, by status and text. Texts are the ones that were recorded."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from connectors.autotask.faults import blamed, error_in, errors_in, has_errors
from connectors.base.errors import (
    AuthFailed,
    Conflict,
    ConnectorError,
    Forbidden,
    NotFound,
    RateLimited,
    Rejected,
    Unavailable,
    Unknown,
)
from connectors.base.transport import Answer


def answer(status: int, body: Any = None, *, is_write: bool = True) -> Answer:
    raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    return Answer(status=status, headers=httpx.Headers(), body=raw, request_id="r1", is_write=is_write)


def said(*texts: Any) -> dict[str, Any]:
    return {"errors": list(texts)}


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (401, None, AuthFailed),
        (500, said("IntegrationCode is invalid"), AuthFailed),
        (500, said("Zone information could not be determined"), AuthFailed),
        (403, said("no"), Forbidden),
        (
            500,
            said("The logged in Resource does not have the adequate permissions to query this entity type."),
            Forbidden,
        ),
        (404, None, NotFound),
        (500, said("No message. No matching records found. The logged in Resource may not have ..."), NotFound),
        (429, said("slow down"), RateLimited),
        (500, said("The Autotask API thread threshold of 3 threads has been exceeded."), RateLimited),
        (409, said("locked"), Conflict),
        (500, said("queueID is required"), Rejected),
        (400, said("Status transition not allowed"), Rejected),
        (200, said("Picklist value [3] does not exist for priority"), Rejected),
        (405, {"Message": "The requested resource does not support http method 'DELETE'."}, Rejected),
        (500, None, Unknown),
        (500, b"<html>oops</html>", Unknown),
        (500, {"other": 1}, Unknown),
        (500, {"errors": []}, Unknown),
        (502, None, Unknown),
        (503, b"<html>", Unknown),
        (504, None, Unknown),
    ],
)
def test_classes_of_a_write(status: int, body: Any, error: type[ConnectorError]) -> None:
    assert type(error_in(answer(status, body), retry_after=None)) is error


@pytest.mark.parametrize("body", [None, b"<html>", {"other": 1}])
def test_a_read_without_errors_is_only_unavailable(body: Any) -> None:
    assert type(error_in(answer(500, body, is_write=False), retry_after=None)) is Unavailable


def test_waits() -> None:
    threads = error_in(
        answer(500, said("The Autotask API thread threshold of 3 threads has been exceeded.")), retry_after=None
    )
    assert isinstance(threads, RateLimited)
    assert threads.retry_after == 1.0
    hour = error_in(answer(429), retry_after=None)
    assert isinstance(hour, RateLimited)
    assert hour.retry_after is None
    told = error_in(answer(429), retry_after=33.0)
    assert isinstance(told, RateLimited)
    assert told.retry_after == 33.0


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("Picklist value [3] does not exist for priority", "priority"),
        ("queueID is required", "team"),
        ("QueueID invalid", "team"),
        ("CompanyID required", "client"),
        ("Resolution required", "resolution"),
        ("Status transition invalid", "status"),
        ("When assigning a Resource, you must assign both a assignedResourceID and assignedResourceRoleID.", "agent"),
        ("The specified AssignedResourceID and AssignedRoleID combination is not currently defined", "agent"),
        ("Value does not exist for the required field resourceID", "author_agent"),
        ("TimeEntries for Tickets must have a roleID", "time_seconds"),
        ("Must have at least one of hoursWorked or startDateTime/endDateTime", "time_seconds"),
        ("TimeEntries for Service tickets require a start and stop time.", "time_seconds"),
        ("dateWorked is required when no value is supplied for startDateTime", "time_seconds"),
        ("hoursWorked greater than 24 hours or less than zero hours", "time_seconds"),
        ("The companyLocationID[7] cannot be associated with the Ticket. The Ticket and CompanyLocation must have the "
         "same companyID.", "site"),
        ("Unexpected character encountered while parsing value: t", ""),
    ],
)  # fmt: skip
def test_a_refusal_names_the_field_in_canonical_words(text: str, field: str) -> None:
    error = error_in(answer(500, said(text)), retry_after=None)
    assert isinstance(error, Rejected)
    assert error.fields == {field: text}
    assert blamed(text) == field


def test_several_errors_and_objects() -> None:
    body = said({"message": "is missing", "field": "QueueID"}, "priority is <b>bad</b>", {"message": "title too long"})
    error = error_in(answer(500, body), retry_after=None)
    assert isinstance(error, Rejected)
    assert error.fields == {"team": "is missing", "priority": "priority is bad", "subject": "title too long"}


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b"", None),
        (b"null", None),
        (b"[1]", None),
        (b'"text"', None),
        (b"{", None),
        (b'{"Errors": ["a"]}', [("a", "")]),
        (b'{"Message": "b"}', [("b", "")]),
    ],
)
def test_bodies(body: bytes, found: Any) -> None:
    assert errors_in(body) == found


def test_errors_inside_a_good_answer() -> None:
    assert has_errors(b'{"errors":["no"]}')
    assert not has_errors(b'{"items":[{"title":"\\"errors\\""}]}')
    assert not has_errors(b'{"errors":[]}')
