"""Values of a PSA that no database takes: each ticket arrives all the same, whole but for the character or number."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connectors.halopsa.mapping.actions import action_record
from connectors.halopsa.mapping.tickets import ticket_record
from connectors.sync import inbound, inbound_actions
from connectors.sync.keys import Keys
from helpdesk.actions.models import Action
from helpdesk.tickets.models import SearchText, Ticket
from tests.factories import NOW, make_account

pytestmark = pytest.mark.django_db
HALF = "Printer on fire \ud83d"
"""As a PSA that cuts its texts at a number of UTF-16 units sends it: half of an emoji."""
SHOWN = "Printer on fire \ufffd"


@pytest.mark.parametrize(
    "row",
    [
        {"summary": HALF, "details": HALF, "user_name": HALF, "category_1": HALF},
        {"summary": "a\x00b", "custom": {"\x00": "\x00", HALF: [HALF, ["\x00"]]}, HALF: "x", "y\x00": 1},
        json.loads('{"summary": "x", "cost": NaN, "rate": [Infinity, {"a": -Infinity}]}'),
        {"summary": "x", "estimate": 10**400, "chargehours": 10**300, "impact": 10**30, "slatimeelapsed": -(10**20)},
        {"summary": "x", "attachment_count": 10**12, "chargehours": 1e11, "nonbillabletime": -5},
        {"summary": "x", "dateoccurred": "9999-12-31T23:59:59-23:00", "status_id": 10**18, "client_id": 1e18},
    ],
)
def test_no_value_of_a_psa_leaves_its_ticket_out(row: dict[str, Any]) -> None:
    account = make_account()
    rows = [ticket_record({"id": n, **row}) for n in (5, 6)]
    inbound.apply(account=account, rows=rows, keys=Keys(account.pk), now=NOW)
    found = Ticket.objects.filter(psa_account=account).order_by("remote_id")
    assert [t.remote_id for t in found] == ["5", "6"]
    ticket = found[0]
    assert ticket.subject == (SHOWN if row["summary"] == HALF else row["summary"].replace("\x00", ""))
    json.dumps(ticket.raw, allow_nan=False).encode()
    assert SearchText.objects.filter(ticket=ticket).exists()


def test_no_value_of_a_psa_leaves_an_action_out() -> None:
    account = make_account()
    keys = Keys(account.pk)
    inbound.apply(account=account, rows=[ticket_record({"id": 5, "summary": "x"})], keys=keys, now=NOW)
    ticket = Ticket.objects.get()
    rows = [
        action_record({"id": 1, "note": HALF, "who": HALF, "outcome": HALF, "timetaken": 10**400}, ticket="5"),
        action_record({"id": 2, "note": "plain", "timetaken": 10**11, "x\x00": float("nan")}, ticket="5"),
    ]
    inbound_actions.apply_actions(account=account, ticket=ticket, rows=rows, keys=keys, now=NOW, up_to=None)
    assert Action.objects.filter(ticket=ticket).count() == 2
    assert "\ufffd" in Action.objects.get(remote_id="1").body
