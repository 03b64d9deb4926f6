"""The PSA's rules as data, judged before anything leaves."""

from __future__ import annotations

import pytest

from helpdesk.tickets import rules
from tests.factories import (
    make_account,
    make_client,
    make_policy,
    make_priority,
    make_status,
    make_target,
    make_ticket,
)

pytestmark = pytest.mark.django_db
RULES = [
    {"to_categories": ["resolved", "closed"], "needs": ["resolution"], "text": "Resolution is required"},
    {"from_categories": ["new"], "to_categories": ["resolved"], "level": "warning", "text": "Closing without a step"},
    {"to_categories": ["open"], "needs": ["agent"], "level": "warning", "text": "No agent assigned"},
    {"from_categories": ["closed"], "text": "Closed is final"},
]


def account():
    return make_account(transition_rules=RULES, capabilities={"sites": False})


def test_a_missing_field_blocks_and_is_named() -> None:
    ticket = make_ticket(psa_account=account())
    verdict = rules.judge_status(ticket, make_status("resolved"))
    assert verdict.errors == {"resolution": "Resolution is required"}
    assert not verdict.can_transition


def test_the_field_given_on_the_way_opens_it() -> None:
    ticket = make_ticket(psa_account=account())
    assert rules.judge_status(ticket, make_status("resolved"), {"resolution": "Toner changed"}).can_transition


def test_a_warning_does_not_block() -> None:
    new = make_status("new", psa_account=account())
    verdict = rules.judge_status(make_ticket(status=new, resolution="x"), make_status("resolved"))
    assert verdict.can_transition
    assert verdict.warnings == ("Closing without a step",)


def test_a_final_state_is_final() -> None:
    closed = make_status("closed", psa_account=account())
    assert rules.judge_status(make_ticket(status=closed), make_status("open")).errors == {"status": "Closed is final"}


def test_the_same_category_is_never_judged() -> None:
    closed = make_status("closed", psa_account=account())
    assert rules.judge_status(make_ticket(status=closed), make_status("closed")).can_transition


def test_choices_carry_the_reason() -> None:
    ticket = make_ticket(psa_account=account())
    make_status("resolved")
    make_status("waiting", is_active=False)
    found = {c.status.category: c for c in rules.status_choices(ticket)}
    assert found["resolved"].blocked == "Resolution is required"
    assert found["resolved"].missing == ("resolution",)
    assert "waiting" not in found


def test_priorities_are_those_of_the_policy() -> None:
    high, low = make_priority(2), make_priority(4)
    policy = make_policy()
    make_target(policy, high)
    assert rules.priority_choices(high.psa_account_id, policy.pk) == [high]
    assert rules.priority_choices(high.psa_account_id, None) == [high, low]
    assert rules.priority_choices(high.psa_account_id, make_policy("Empty").pk) == [high, low]


def test_values_are_checked_before_they_leave() -> None:
    ticket = make_ticket(psa_account=account())
    elsewhere = make_client(psa_account=make_account("other", title="Other"))
    unknown = make_client("Fresh", psa_account=ticket.psa_account, remote_id=None)
    found = rules.check_values(
        ticket,
        {"subject": "x" * 256, "site": None, "client": elsewhere, "priority": None, "cc": "a\x00b", "nonsense": 1},
    )
    assert set(found) == {"subject", "site", "client", "priority", "cc", "nonsense"}
    assert rules.check_values(ticket, {"client": unknown})
