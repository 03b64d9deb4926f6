"""Changes of status out of the text of a ticket's history."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from connectors.autotask.mapping import history
from connectors.autotask.mapping.picklists import read_fields
from tests.connectors.autotask.tenant import API, Tenant, errors, items, picklist

FIELDS = read_fields(
    [picklist("status", (1, "New"), (5, "Complete"), (8, "In Progress"), (9, "Return to Client"), (10, "Client"))]
)
AT = "2026-11-20T09:15:28.133Z"


def row(number: int, detail: Any, **more: Any) -> dict[str, Any]:
    return {"id": number, "ticketID": 7, "action": "Edit", "detail": detail, "date": AT, "resourceID": 4, **more}


@pytest.mark.parametrize(
    ("detail", "found"),
    [
        ("status: New to In Progress", ("1", "8")),
        ("status: 1 to 8", ("1", "8")),
        ("Status changed from New to Complete.", ("1", "5")),
        ("Ticket Status was changed from 'In Progress' to 'Complete'", ("8", "5")),
        ("Status: [New] -> [In Progress]", ("1", "8")),
        ("Status: new \u2192 IN PROGRESS", ("1", "8")),
        ("Status: Return to Client to Complete", ("9", "5")),
        ("Status: New to Return to Client", ("1", "9")),
        ("status: New to Gone", None),
        ("priority: 1 to 5", None),
        ("subStatus: New to Complete", None),
        ("statusText New to Complete", None),
        ("", None),
        (None, None),
        (12, None),
    ],
)
def test_what_the_text_says(detail: Any, found: tuple[str, str] | None) -> None:
    changes = history.status_changes([row(3, detail)], fields=FIELDS)
    assert [(c.old, c.new) for c in changes] == ([found] if found else [])
    for change in changes:
        assert (change.remote_id, change.agent) == ("3", "4")
        assert change.at == datetime(2026, 11, 20, 9, 15, 28, 133000, tzinfo=UTC)


def test_without_an_instant_or_an_id_it_is_none_and_the_rest_is_in_order() -> None:
    rows = [
        row(9, "status: New to Complete", date="2026-11-20T10:00:00Z"), row(2, "status: New to Complete", date=None),
        row(0, "status: New to Complete", id=None), row(4, "status: New to In Progress", resourceID=None),
    ]  # fmt: skip
    assert [(c.remote_id, c.agent) for c in history.status_changes(rows, fields=FIELDS)] == [("4", None), ("9", "4")]
    assert history.status_changes(rows, fields={}) == ()


def test_it_is_asked_by_the_ticket_alone_and_page_by_page() -> None:
    following = f"{API}/TicketHistory/query/next?paging=2"
    tenant = Tenant(
        {
            "POST /TicketHistory/query": items(row(1, "status: New to In Progress"), following=following),
            "POST /TicketHistory/query/next": items(row(2, "status: In Progress to Complete")),
        }
    )
    assert [c.remote_id for c in tenant.connect().status_changes("7")] == ["1", "2"]
    (asked,) = tenant.sent("POST", "/TicketHistory/query")
    assert asked["filter"] == [{"op": "eq", "field": "ticketID", "value": 7}]


@pytest.mark.parametrize("answer", [httpx.Response(404), httpx.Response(403), errors("adequate permissions"),
                                    errors("Unable to find ticketID in the TicketHistory Entity")])  # fmt: skip
def test_where_it_may_not_be_read_there_is_none(answer: httpx.Response) -> None:
    assert Tenant({"POST /TicketHistory/query": answer}).connect().status_changes("7") == ()
