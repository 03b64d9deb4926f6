"""Clients that are one customer: what is suggested, what a person may link, and what a link never opens."""

from __future__ import annotations

from typing import Any

import pytest

from helpdesk.core.errors import Refused
from helpdesk.directory import groups
from helpdesk.directory.models import Client, ClientGroup
from helpdesk.tickets.models import Ticket
from tests.factories import NOW, make_account, make_client, make_contact, make_ticket
from tests.people import make_ada, make_cleo

pytestmark = pytest.mark.django_db


def at(account: str, name: str = "Northwind Dental", **values: Any) -> Client:
    return make_client(name, psa_account=make_account(account), **values)


def link(*clients: Client) -> list[Client]:
    return groups.link(client_ids=[one.pk for one in clients], user_id=make_ada().pk, now=NOW)


def suggested() -> list[tuple[set[int], str]]:
    return [({client.pk for client in one.clients}, one.why) for one in groups.suggestions()]


def test_one_domain_or_one_name_in_two_accounts_is_suggested() -> None:
    first = at("halo", "Northwind Dental Ltd.", domain="https://www.northwind.test/contact")
    second = at("atera", "NW Dental", domain="northwind.test")
    third, fourth = at("halo", "Kestrel Joinery"), at("autotask", "KESTREL JOINERY Limited")
    assert suggested() == [({first.pk, second.pk}, "same domain"), ({third.pk, fourth.pk}, "same name")]


@pytest.mark.parametrize("domain", ["gmail.com", "", "localhost"])
def test_what_everybody_has_says_nothing(domain: str) -> None:
    at("halo", "Alpha", domain=domain), at("atera", "Beta", domain=domain)
    assert suggested() == []


def test_two_of_one_account_and_what_is_linked_already_are_not_suggested() -> None:
    at("halo"), at("halo")
    assert suggested() == []
    first, second = at("halo", "Kestrel"), at("atera", "Kestrel")
    link(first, second)
    assert suggested() == []
    third = at("autotask", "Kestrel")
    assert suggested() == [({first.pk, second.pk, third.pk}, "same name")]


def test_a_link_joins_groups_and_ends_with_the_last_but_one() -> None:
    first, second, third = at("halo"), at("atera"), at("autotask")
    link(first, second)
    link(second, third)
    assert ClientGroup.objects.count() == 1
    assert set(groups.kin_of([third.pk])) == {first.pk, second.pk, third.pk}
    groups.unlink(client_id=first.pk)
    assert groups.kin_of([first.pk]) == [first.pk]
    groups.unlink(client_id=second.pk)
    assert not ClientGroup.objects.exists()
    assert not Client.objects.exclude(group=None).exists()
    with pytest.raises(Refused):
        groups.unlink(client_id=second.pk)


def test_what_cannot_be_linked() -> None:
    first, twin, other = at("halo"), at("halo"), at("atera")
    for some in ([first], [first, first], []):
        with pytest.raises(Refused):
            link(*some)
    with pytest.raises(Refused) as caught:
        link(first, twin)
    assert "one PSA account" in caught.value.fields["client"]
    link(first, other)
    with pytest.raises(Refused):
        link(twin, other)


def test_a_link_opens_no_ticket_to_a_clients_person() -> None:
    """Deny by default: only who is a contact in both sees both, and they do so without the link."""
    here, there = at("halo"), at("atera")
    cleo = make_cleo(here.psa_account, here)
    mine, theirs = (
        make_ticket(psa_account=here.psa_account, client=here),
        make_ticket(psa_account=there.psa_account, client=there),
    )
    link(here, there)
    assert list(Ticket.objects.visible_to(cleo)) == [mine]
    make_contact(there, email=cleo.email, user=cleo)
    assert set(Ticket.objects.visible_to(cleo)) == {mine, theirs}


def test_more_clients_cost_no_more_queries(django_assert_max_num_queries: Any) -> None:
    for number in range(12):
        one, two = at("halo", f"Firm number{number}"), at("atera", f"Firm number{number}")
        if number % 2:
            link(one, two)
    with django_assert_max_num_queries(2):
        assert len(groups.suggestions()) == 6
    with django_assert_max_num_queries(2):
        found, has_more = groups.linked(0, 4)
    assert (len(found), has_more) == (4, True)
    keys = list(Client.objects.values_list("pk", flat=True))
    with django_assert_max_num_queries(1):
        assert set(groups.kin_of(keys)) == set(keys)
