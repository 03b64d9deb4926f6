"""What a PSA cannot do is refused here, with words, before anything is sent."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest

from helpdesk.actions.asked import NewAction, check_action
from helpdesk.core.errors import Refused
from helpdesk.desk.composer import blank, composer_of
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.rules import check_values
from tests import factories

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def ticket(**capabilities: Any) -> Ticket:
    account = factories.make_account(
        f"psa-{uuid.uuid4().hex[:8]}", capabilities={"attachments_upload": True} | capabilities
    )
    return factories.make_ticket(psa_account=account)


def problems(found: Ticket, **values: Any) -> set[str]:
    try:
        check_action(found, NewAction(text="Looked at it", **values), NOW)
    except Refused as error:
        return set(error.fields)
    return set()


def test_time_is_refused_where_the_psa_takes_none() -> None:
    assert problems(ticket(time_entry_create=False), seconds=60) == {"seconds"}
    assert problems(ticket(time_entry_create=False)) == set()
    assert problems(ticket(), seconds=60) == set()


@pytest.mark.parametrize("flag", [True, False])
def test_the_composer_asks_for_no_time_that_the_psa_would_refuse(flag: bool) -> None:
    found = ticket(time_entry_create=flag)
    assert composer_of(found, blank(found), files=()).takes_time is flag


def test_an_owner_stays_where_the_psa_cannot_take_one_off() -> None:
    assert set(check_values(ticket(unassign=False), {"agent": None})) == {"agent"}
    assert check_values(ticket(), {"agent": None}) == {}


@pytest.mark.parametrize(
    ("capabilities", "wrong"), [({"urgency": False}, {"urgency"}), ({"impact": False}, {"impact"})]
)
def test_impact_and_urgency_are_two_things(capabilities: dict[str, Any], wrong: set[str]) -> None:
    assert set(check_values(ticket(**capabilities), {"impact": "Major", "urgency": "1"})) == wrong
