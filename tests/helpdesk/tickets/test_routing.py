"""Where a new ticket goes: the first rule that fits, then the type's own word, and never an error."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from helpdesk.directory.models import PsaAccount
from helpdesk.tickets import routing
from helpdesk.tickets.models import RoutingRule
from helpdesk.tickets.routing import Facts, Finding, findings, open_counts, route, rule_words, rules_of
from tests.factories import (
    make_agent,
    make_client,
    make_priority,
    make_rule,
    make_status,
    make_team,
    make_ticket,
    make_ticket_type,
)

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("rule", "facts", "wanted"),
    [
        ({}, {}, True),
        ({"client_id": 1}, {"client_id": 1}, True),
        ({"client_id": 1}, {"client_id": 2}, False),
        ({"client_id": 1}, {}, False),
        ({"ticket_type_id": 3}, {"type_id": 3, "client_id": 9}, True),
        ({"ticket_type_id": 3}, {"type_id": 4}, False),
        ({"category": "Network"}, {"category": "network"}, True),
        ({"category": "Network"}, {"category": "Network>Wi-Fi"}, True),
        ({"category": "Network>Wi-Fi"}, {"category": "Network"}, False),
        ({"category": "Net"}, {"category": "Network"}, False),
        ({"category": "Network", "subcategory": "Outage"}, {"category": "Network"}, False),
        ({"category": "Network", "subcategory": "Outage"}, {"category": "Network", "subcategory": "Outage"}, True),
        ({"client_id": 1, "category": "Network"}, {"client_id": 1, "category": "Mail"}, False),
    ],
)
def test_what_a_rule_fits(rule: dict, facts: dict, wanted: bool) -> None:
    assert routing.fits(RoutingRule(**rule), Facts(**facts)) is wanted


def test_the_first_that_fits_wins_and_broken_ones_are_passed_over(account: PsaAccount) -> None:
    acme, field, desk = make_client("Acme"), make_team("Field team"), make_team("Service desk")
    gone = make_team("Old team", is_active=False)
    kind = make_ticket_type(default_team=desk, default_agent=make_agent("Priya"))
    facts = Facts(client_id=acme.pk, type_id=kind.pk, category="Network")
    assert route(rules_of(account.pk), facts, kind).team == desk, "no rule: the type's own"
    make_rule(gone, client=acme)
    off = make_rule(desk, client=acme, is_active=False)
    wanted = make_rule(field, client=acme, category="Network", priority=make_priority(1))
    make_rule(desk)
    way = route(rules_of(account.pk), facts, kind)
    assert (way.rule, way.team, way.agent, way.priority.rank) == (wanted, field, None, 1)
    assert way.words == "Acme, category Network → Field team, priority Critical"
    RoutingRule.objects.filter(pk=off.pk).update(is_active=True)
    assert route(rules_of(account.pk), facts, kind).team == desk


def test_the_types_own_words_come_last(account: PsaAccount) -> None:
    kind = make_ticket_type(default_agent=make_agent("Priya"))
    way = route([], Facts(), kind)
    assert (str(way.agent), way.team, way.words) == ("Priya", None, "type Incident")
    kind.default_agent.is_active = False
    assert route([], Facts(), kind) == routing.Route()
    assert route([], Facts()) == routing.Route()


def test_an_agent_who_left_is_left_out(account: PsaAccount) -> None:
    rule = make_rule(make_team(), agent=make_agent(is_active=False), priority=make_priority(is_active=False))
    way = route(rules_of(account.pk), Facts())
    assert (way.team, way.agent, way.priority) == (rule.team, None, None)
    texts = [f.text for f in findings([rule], [])[rule.pk]]
    assert texts == [
        "Priya Nair is not active any more: tickets get no owner.",
        "Priority Medium is not in use any more: it is left out.",
    ]


def test_a_deleted_team_breaks_nothing(account: PsaAccount) -> None:
    rule = make_rule(make_team())
    rule.team.delete()
    rules = rules_of(account.pk)
    assert route(rules, Facts()) == routing.Route()
    assert findings(rules, [])[rule.pk] == [Finding(text="Its team is gone: this rule is skipped.", skips=True)]
    assert rule_words(rules[0]) == "every ticket → nobody"


def test_what_is_never_reached_is_said(account: PsaAccount) -> None:
    acme, field, desk = make_client("Acme"), make_team("Field team"), make_team("Service desk")
    first = make_rule(field, client=acme)
    narrower = make_rule(field, client=acme, category="Network")
    same = make_rule(desk, client=acme)
    other = make_rule(desk, category="Network")
    found = findings(rules_of(account.pk), {"Network>Wi-Fi"})
    assert found[first.pk] == []
    assert found[other.pk] == []
    assert [f.text for f in found[narrower.pk]] == ["Never reached: rule 1 takes all of these before."]
    assert [f.text for f in found[same.pk]] == ["Contradicts rule 1, which asks for the same and comes first."]
    RoutingRule.objects.filter(pk=first.pk).update(is_active=False)
    assert findings(rules_of(account.pk), {"Network"})[narrower.pk] == []


def test_conditions_that_no_ticket_meets_any_more(account: PsaAccount) -> None:
    rule = make_rule(client=make_client("Acme", is_active=False), category="Telex")
    texts = [f.text for f in findings(rules_of(account.pk), {"Network"})[rule.pk]]
    assert texts == [
        "Acme is not active any more: no new ticket fits.",
        "Category Telex is not offered any more: no new ticket fits.",
    ]


def test_open_tickets_are_counted_as_the_rules_would_take_them(account: PsaAccount) -> None:
    acme, other = make_client("Acme"), make_client("Umbrella")
    for category in ("Network", "Network>Wi-Fi", "Mail"):
        make_ticket(client=acme, category=category)
    make_ticket(client=other, category="Network")
    make_ticket(client=acme, category="Network", status=make_status("closed"))
    first, second, third = make_rule(client=acme), make_rule(category="Network"), make_rule()
    broken = make_rule(make_team(is_active=False))
    found = open_counts(rules_of(account.pk), account.pk)
    assert [(found[r.pk].fits, found[r.pk].takes) for r in (first, second, third, broken)] == [
        (3, 3), (3, 1), (4, 0), (4, 0),
    ]  # fmt: skip


def test_counting_more_rules_asks_no_more(account: PsaAccount) -> None:
    make_ticket(client=make_client("Acme"))

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            open_counts(rules_of(account.pk), account.pk)
        return len(seen)

    make_rule(make_team())
    few = queries()
    for n in range(40):
        make_rule(make_team(f"Team {n}"), category=f"Category {n}", client=make_client(f"Client {n}"))
    assert queries() == few == 3
