"""Which agents are one human: a user's, those that somebody joined, and those with an e-mail of their own."""

from __future__ import annotations

from typing import Any

import pytest

from helpdesk.directory import persons
from helpdesk.directory.models import Agent
from helpdesk.directory.persons import Person
from tests.factories import make_account, make_agent
from tests.people import make_theo

pytestmark = pytest.mark.django_db


def agent(account: str, name: str = "Callum Reid", email: str = "callum@msp.test", **values: Any) -> Agent:
    return make_agent(name, psa_account=make_account(account), email=email, **values)


def found() -> list[tuple[str, set[int]]]:
    return [(one.key, set(one.agents)) for one in persons.people(Agent.objects.filter(is_active=True))]


def test_one_e_mail_is_one_person_in_whatever_case() -> None:
    first, second = agent("halo"), agent("atera", email=" Callum@MSP.test")
    other = agent("halo", "Ann Ash", "ann@msp.test")
    assert found() == [(f"a{other.pk}", {other.pk}), (f"a{first.pk}", {first.pk, second.pk})]


def test_no_e_mail_joins_nobody() -> None:
    agent("halo", email=""), agent("atera", email="")
    assert [len(agents) for _key, agents in found()] == [1, 1]


def test_a_mailbox_that_two_of_one_account_share_joins_nobody() -> None:
    agent("halo", "A", "desk@msp.test"), agent("halo", "B", "desk@msp.test"), agent("atera", "C", "desk@msp.test")
    assert [len(agents) for _key, agents in found()] == [1, 1, 1]


def test_a_user_has_all_agents_that_are_theirs_and_no_other() -> None:
    theo = make_theo()
    mine = [agent("halo", user=theo), agent("atera", email="", user=theo)]
    free = agent("autotask")
    assert found() == [(f"a{free.pk}", {free.pk}), (f"u{theo.pk}", {one.pk for one in mine})]


def test_what_somebody_joined_stands_over_the_e_mail() -> None:
    first, second = agent("halo"), agent("atera", email="c.reid@elsewhere.test")
    third = agent("autotask")
    Agent.objects.filter(pk__in=[first.pk, second.pk]).update(joined_as="x")
    assert {frozenset(agents) for _key, agents in found()} == {
        frozenset({first.pk, second.pk}), frozenset({third.pk}),
    }  # fmt: skip


def test_any_agent_of_theirs_names_the_person() -> None:
    first, second = agent("halo"), agent("atera")
    for one in (first, second):
        person = persons.person_of(f"a{one.pk}")
        assert isinstance(person, Person)
        assert set(person.agents) == {first.pk, second.pk}
        assert persons.agent_in(person, second.psa_account_id) == second.pk
        assert persons.agent_in(person, 0) is None


@pytest.mark.parametrize("key", ["", "u", "a", "x1", "a-1", "a999999", "u999999", "a" + "9" * 40, "aⅣ"])
def test_what_names_nobody(key: str) -> None:
    assert persons.person_of(key) is None


def test_more_people_cost_no_more_queries(django_assert_num_queries: Any) -> None:
    for number in range(11):
        agent("halo", f"P{number}", f"p{number}@msp.test")
        agent("atera", f"P{number}", f"p{number}@msp.test")
    with django_assert_num_queries(1):
        assert len(persons.people(Agent.objects.all())) == 11
    keys = list(Agent.objects.values_list("pk", flat=True))
    with django_assert_num_queries(2):
        assert len(persons.persons_of(keys, Agent.objects.all())) == 22
